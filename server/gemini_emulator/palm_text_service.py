"""Text of PaLM: `models.generateText` and `models.countTextTokens`.

Without `Options.legacy_services` the models answer 404, as Google does; the embedding models of today list
`countTextTokens` among their methods and have it always. Source: `generateText` and its neighbours in the discovery
document of January 2026.
"""

from __future__ import annotations

from collections.abc import Callable

from .answers import compose
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .faults import without_directives
from .legacy_calls import beta, check_between, check_model
from .models import ModelCard
from .palm_safety import check_settings, feedback, filters, ratings
from .prompt import Prompt
from .schema import check
from .tokens import CHARACTERS_PER_TOKEN, of_text
from .wire import Object

_PLACE = "GenerateTextRequest"
_MOST_STOPS = 5
_MOST_CANDIDATES = 8

Write = Callable[[str, int], str]
"""Makes the text of a candidate from a prompt and the number of the candidate."""


def generate_text(service: Service, call: Call) -> Reply:
    """`models.generateText`."""
    card = service.catalogue.get(call.names["model"], call.version, "generateText")

    def write(text: str, number: int) -> str:
        return composed(service, card, [{"role": "user", "parts": [{"text": text}]}], number)

    return completed(service, call, card, f"models/{card.id}", write)


def count_text_tokens(service: Service, call: Call) -> Reply:
    """`models.countTextTokens`."""
    card = service.catalogue.get(call.names["model"], call.version, "countTextTokens")
    request = check("CountTextTokensRequest", call.body, call.version)
    check_model(request, f"models/{card.id}", "CountTextTokensRequest")
    return Reply({"tokenCount": of_text(_text(request, "CountTextTokensRequest"))})


def completed(service: Service, call: Call, card: ModelCard, name: str, write: Write) -> Reply:
    """The answer to a `GenerateTextRequest`.

    Args:
        service: the emulator.
        call: the request.
        card: the model whose limits hold.
        name: the model of the path.
        write: makes the texts.

    Raises:
        ApiError: 400 for what cannot be.
    """
    request = check(_PLACE, call.body, call.version)
    check_model(request, name, _PLACE)
    text = _text(request, _PLACE)
    check_sampling(request, _PLACE)
    check_between(request, "maxOutputTokens", 1, card.outputs, _PLACE)
    settings: list[Object] = request.get("safetySettings", [])
    check_settings(settings, _PLACE)
    stops: list[str] = request.get("stopSequences", [])
    if len(stops) > _MOST_STOPS or "" in stops:
        raise invalid(f"* {_PLACE}.stop_sequences: at most {_MOST_STOPS} stop sequences, none of them empty\n")
    tokens = of_text(text)
    if tokens > card.inputs:
        raise invalid(f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({card.inputs}).")
    directive = call.directive.merged(service.faults.from_prompt([text], call.path))
    if "block" in directive:
        blocked = filters(directive)
        safety = feedback(settings) if blocked["filters"][0]["reason"] == "SAFETY" else {}
        return Reply({**blocked, **safety}, directive=directive)
    if "empty" in directive:
        return Reply(directive=directive)
    said = directive.said()
    bare = without_directives(text)
    outputs = [write(bare, number) if said is None else said for number in range(request.get("candidateCount", 1))]
    most = request.get("maxOutputTokens", card.outputs) * CHARACTERS_PER_TOKEN
    candidates = [{"output": _cut(output, stops)[:most], "safetyRatings": ratings()} for output in outputs]
    return Reply({"candidates": candidates}, directive=directive)


def composed(service: Service, card: ModelCard, contents: list[Object], number: int) -> str:
    """A text about what was asked.

    Args:
        service: the emulator.
        card: the model.
        contents: the turns so far, the last of them the user's.
        number: which candidate it is for; they differ.
    """
    request: Object = {"contents": contents, **({"seed": number} if number else {})}
    return compose(Prompt(request, card, card, service.options.date()), "", 0)


def check_sampling(request: Object, place: str) -> None:
    """Refuse numbers out of range, which are the same for text and for messages.

    Raises:
        ApiError: 400 for that.
    """
    check_between(request, "temperature", 0, 1, place)
    check_between(request, "topP", 0, 1, place)
    check_between(request, "topK", 1, 2**31, place)
    check_between(request, "candidateCount", 1, _MOST_CANDIDATES, place)


def _text(request: Object, place: str) -> str:
    text: str = request.get("prompt", {}).get("text", "")
    if not text:
        raise invalid(f"* {place}.prompt.text: text is required and not specified\n")
    return text


def _cut(text: str, stops: list[str]) -> str:
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    return text[: min(ends)] if ends else text


ROUTES = (
    Route("POST", "models/{model}:generateText", beta(generate_text)),
    Route("POST", "models/{model}:countTextTokens", beta(count_text_tokens)),
)
