"""Decisions: questions about one input, answered with probabilities."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from gemini_server.api import decisions as api
from gemini_server.api.decisions import CreateDecision, Decision, Question
from gemini_server.api.interaction_content import TextContent
from gemini_server.api.interactions import Interaction
from gemini_server.errors import ArgumentError, Blocked, NotFound
from gemini_server.toolkit import media as sources
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.options import model_id, request_model
from gemini_server.toolkit.generation.run import book, with_replacement
from gemini_server.toolkit.interaction_input import contents_of
from gemini_server.toolkit.interaction_spent import usage_of
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.resource_view import shown
from gemini_server.toolkit.results import Result, Usage
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import label

TOOLSET = Toolset("platform", "Questions answered with probabilities.")

_NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}
_ANSWER = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "choice": {"type": "string"},
        "score": {"type": "number", "description": "expected level"},
        "noul": {"type": "number", "description": "probability that it is true"},
        "confidence": {"type": "number"},
        "probabilities": _NUMBERS,
        "legend": {"type": "object"},
    },
}


class DecisionResult(Result):
    """The answers by the names of their questions."""

    answers: Annotated[dict[str, Any], WithJsonSchema({"type": "object", "additionalProperties": _ANSWER})]
    usage: Usage


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True)
async def create_decision(
    call: Call,
    questions: Annotated[dict[str, Question], Field(description="by names of your choice")],
    input: Annotated[str | None, Field(description="literal text that is judged")] = None,  # noqa: A002  the API's word
    media: Annotated[list[str] | None, Field(description="media sources that are judged")] = None,
    model: ModelName = None,
) -> DecisionResult:
    """Have a text or media judged: which of several (choice), how much on a scale (score), whether (noul). Each answer
    has calibrated probabilities; several questions cost the input once. Billed by token. Returns answers, usage.
    """
    if not questions:
        raise ArgumentError("There are no questions; nothing was sent.", "Give at least one, under a name.")
    if not (input and input.strip()) and not media:
        raise ArgumentError("There is nothing to judge; nothing was sent.", "Give input (text) or media.")
    runtime = call.runtime
    chosen = model_id(runtime.text_model(model))
    check_served(call, chosen)
    await runtime.may_spend(call.principal)
    async with sources.opened(media or (), call) as parts, runtime.slot():
        contents = await contents_of(call, parts)
        words = [TextContent(text=input)] if input else []
        body = CreateDecision(
            model=request_model(chosen), input=[*contents, *words] if contents else input or "", questions=questions
        )
        try:
            made: Decision = (await runtime.client.call(api.CREATE, body=body, on_retry=call.progress.retry)).value
        except NotFound as error:
            raise with_replacement(runtime, chosen, error) from None
    usage = usage_of(runtime, chosen, Interaction(usage=made.usage))
    book(call, chosen, usage)
    if not made.answers:
        raise _blocked(made, usage)
    return DecisionResult(answers=shown(made.answers), usage=usage)


def _blocked(made: Decision, usage: Usage) -> Blocked:
    feedback = made.prompt_feedback
    reason = label((feedback and feedback.block_reason) or "no reason given")
    words = label((feedback and feedback.block_reason_message) or "")
    error = Blocked(
        f"Gemini declined to judge this ({reason}){f': {words}' if words else '.'}",
        "Change the input; repeating it unchanged gives the same answer.",
        code=reason,
    )
    error.usage = usage.structured()
    return error
