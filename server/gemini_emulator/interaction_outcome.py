"""What an interaction is asked for and how it ends; both are plain values that the other modules pass around.

Source: the statuses of the `Interaction` resource and "API errors" of the Gemini API.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from .errors import ApiError, invalid
from .faults import Directive
from .interaction_errors import of_family
from .interaction_formats import Kind
from .interaction_input import contents_of
from .interaction_translate import generate_request
from .models import ModelCard
from .pictures import Publish
from .prompt import Prompt
from .refusals import check_request
from .schema import check
from .wire import Object, digest

_MODALITIES: dict[Kind, dict[str, str]] = {"speech": {"audio": "AUDIO"}, "image": {"text": "TEXT", "image": "IMAGE"}}


@dataclass(frozen=True)
class Film:
    """What is known about a video that was made, for the turn that edits or extends it."""

    prompt: str
    seconds: float
    aspect_ratio: str
    resolution: str


@dataclass(frozen=True)
class Order:
    """A checked request together with everything that it refers to.

    Args:
        body: the request.
        card: the model that was called.
        serving: the model that answers.
        kind: what the model puts out.
        version: the API version.
        history: the steps of earlier turns, answers included.
        fresh: the steps of this turn.
        formats: the response formats by type.
        directive: what a test wants to happen.
        today: the emulator's date.
        publish: makes a file of media that are to be delivered as a URI.
        film: the video of the previous interaction.
        search: looks into File Search stores, when the request has that tool.
        voiced: puts what is known about voices that were made into a generateContent request.
    """

    body: Object
    card: ModelCard
    serving: ModelCard
    kind: Kind
    version: str
    history: list[Object]
    fresh: list[Object]
    formats: dict[str, Object]
    directive: Directive
    today: date
    publish: Publish
    film: Film | None = None
    search: Callable[[Prompt], Prompt] = lambda prompt: prompt
    voiced: Callable[[Object], Object] = lambda request: request

    @property
    def config(self) -> Object:
        """`generation_config`."""
        config: Object = self.body.get("generation_config", {})
        return config

    def deliver(self, data: bytes, mime_type: str, delivery: str) -> Object:
        """The fields of a content with some bytes in it, or with the address of a file of them."""
        if delivery == "uri":
            return {"mime_type": mime_type, "uri": self.publish(data, mime_type)["downloadUri"]}
        return {"mime_type": mime_type, "data": base64.b64encode(data).decode()}


@dataclass(frozen=True)
class Outcome:
    """How an interaction ends.

    Args:
        status: its final status.
        steps: what the model did.
        usage: the tokens.
        errors: what went wrong, as `{code, message}`.
        token: the `continuation_token`.
        refused: nothing was made; a request that waits for the answer is refused with the first error.
        film: the video, for a turn that comes back to it.
    """

    status: str = "completed"
    steps: list[Object] = field(default_factory=list[Object])
    usage: Object = field(default_factory=dict[str, object])
    errors: list[Object] = field(default_factory=list[Object])
    token: str = ""
    refused: bool = False
    film: Film | None = None


def prompt_of(order: Order) -> Prompt:
    """The same request as the text machinery reads it.

    Raises:
        InteractionError: for what generateContent refuses too.
    """
    contents = contents_of([*order.history, *order.fresh])
    made = _MODALITIES.get(order.kind)
    formats = order.formats if made or order.kind == "text" else {}
    if order.kind == "image":
        formats = {"image": {}, **formats}
    request = generate_request(order.body, contents, formats)
    if made and (order.formats or order.kind == "speech"):
        names = [made[name] for name in made if name in order.formats] or list(made.values())
        request.setdefault("generationConfig", {})["responseModalities"] = names
    try:
        request = check("GenerateContentRequest", request, order.version)
        request = order.voiced(request)
        check_request(request, order.card)
        prompt = Prompt(request, order.card, order.serving, order.today, order.directive.said())
        count, limit = prompt.tally.total, order.card.inputs
        if count > limit:
            raise invalid(f"The input token count ({count}) exceeds the maximum number of tokens allowed ({limit}).")
        prompt = order.search(prompt)
    except ApiError as error:
        raise of_family(error) from None
    return prompt


def blocked(reason: str, message: str, usage: Object) -> Outcome:
    """An answer that was held back, for a reason such as `SAFETY`."""
    error = {"code": reason.lower(), "message": message}
    return Outcome("failed", errors=[error], usage=usage, refused=True)


def forced(order: Order, usage: Object) -> Outcome | None:
    """The outcome that a directive asks for instead of media; None when they are to be made."""
    directive = order.directive
    if "block" in directive:
        return blocked(directive.get("block", "SAFETY"), "Request blocked due to its content.", usage)
    if directive.get("finish", "STOP") not in ("STOP", "MAX_TOKENS"):
        finish = directive.get("finish")
        return blocked(finish, f"The emulator was asked to finish with {finish}.", usage)
    if "empty" in directive:
        return Outcome(usage=usage)
    if "nocontent" in directive or "text_instead" in directive:
        # Seen of the service: a refusal may be a completed interaction that only says so.
        told = {"type": "text", "text": "[emulated] I cannot make this."}
        return Outcome(steps=[{"type": "model_output", "content": [told]}], usage=usage)
    return None


def ended(outcome: Outcome, directive: Directive) -> Outcome:
    """The outcome with the status that `outcome=` asks for."""
    status = directive.get("outcome")
    if not status or outcome.refused:
        return outcome
    if status == "requires_action":
        return replace(outcome, status=status, steps=_asking(outcome.steps))
    if status == "failed":
        message = directive.get("message", "An internal error has occurred.").replace("_", " ")
        error = {"code": directive.get("code", "api_error"), "message": message}
        return replace(outcome, status=status, steps=[], errors=[error], film=None)
    return replace(outcome, status=status, steps=halved(outcome.steps), film=None)


def with_forced_call(body: Object, directive: Directive) -> Object:
    """A request whose functions are called in any case, when `outcome=requires_action` asks for that."""
    functions = any(tool["type"] == "function" for tool in body.get("tools", []))
    if directive.get("outcome") != "requires_action" or not functions:
        return body
    return {**body, "generation_config": {**body.get("generation_config", {}), "tool_choice": "any"}}


def _asking(steps: list[Object]) -> list[Object]:
    """Steps that end with a call: the one that is there, or a question to the user."""
    if any(step["type"] == "function_call" for step in steps):
        return steps
    before = [step for step in steps if step["type"] != "model_output"]
    ident = f"call_{digest(steps).hex()[:12]}"
    call: Object = {"type": "function_call", "id": ident, "name": "ask_user", "arguments": {"question": "Go on?"}}
    return [*before, call]


def halved(steps: list[Object]) -> list[Object]:
    """Steps that were broken off: half of the last text, and no media."""
    kept: list[Object] = []
    for step in steps:
        if step["type"] != "model_output":
            kept.append(step)
            continue
        texts = [one for one in step.get("content", []) if one["type"] == "text"]
        cut: list[Object] = [{"type": "text", "text": one["text"][: len(one["text"]) // 2]} for one in texts]
        kept += [{"type": "model_output", "content": cut}] if cut else []
    return kept
