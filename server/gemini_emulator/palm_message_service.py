"""Conversations of PaLM: `models.generateMessage` and `models.countMessageTokens`.

Without `Options.legacy_services` the model answers 404, as Google does. Source: `MessagePrompt` and its neighbours in
the discovery document of January 2026.
"""

from __future__ import annotations

from itertools import pairwise

from .answers import MARK
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .faults import without_directives
from .legacy_calls import beta, check_model
from .legacy_likeness import likeness
from .models import ModelCard
from .palm_safety import filters
from .palm_text_service import check_sampling, composed
from .retrieval_index import Entry
from .schema import check
from .search_chunks import Passage
from .tokens import of_text
from .wire import Object

_PLACE = "GenerateMessageRequest"
_AUTHORS = ("0", "1")
_LIKE = 0.75


def generate_message(service: Service, call: Call) -> Reply:
    """`models.generateMessage`."""
    card = service.catalogue.get(call.names["model"], call.version, "generateMessage")
    request = check(_PLACE, call.body, call.version)
    check_model(request, f"models/{card.id}", _PLACE)
    check_sampling(request, _PLACE)
    prompt = _checked(request, _PLACE)
    messages = _fitting(prompt, card)
    last: str = messages[-1]["content"]
    directive = call.directive.merged(service.faults.from_prompt([last], call.path))
    if "block" in directive:
        return Reply({"messages": messages, **filters(directive)}, directive=directive)
    if "empty" in directive:
        return Reply({"messages": messages}, directive=directive)
    asking: str = messages[-1]["author"]
    others = [one["author"] for one in messages if one["author"] != asking]
    author = next((one for one in (*others, *reversed(_AUTHORS)) if one != asking), "")
    said = directive.said()
    contents = [
        {
            "role": "user" if one["author"] == asking else "model",
            "parts": [{"text": without_directives(one["content"])}],
        }
        for one in messages
    ]
    example = _example(prompt, without_directives(last))
    texts = [
        said if said is not None else example or composed(service, card, contents, number)
        for number in range(request.get("candidateCount", 1))
    ]
    candidates = [{"author": author, "content": text} for text in texts]
    return Reply({"candidates": candidates, "messages": messages}, directive=directive)


def count_message_tokens(service: Service, call: Call) -> Reply:
    """`models.countMessageTokens`."""
    card = service.catalogue.get(call.names["model"], call.version, "countMessageTokens")
    request = check("CountMessageTokensRequest", call.body, call.version)
    check_model(request, f"models/{card.id}", "CountMessageTokensRequest")
    prompt = _checked(request, "CountMessageTokensRequest")
    return Reply({"tokenCount": _primer(prompt) + sum(of_text(one["content"]) for one in prompt["messages"])})


def _checked(request: Object, place: str) -> Object:
    """The prompt, in which every message has an author."""
    prompt: Object = request.get("prompt", {})
    messages: list[Object] = prompt.get("messages", [])
    if not messages:
        raise invalid(f"* {place}.prompt.messages: messages is required and must not be empty\n")
    for index, one in enumerate(messages):
        _check_content(one, f"{place}.prompt.messages[{index}]")
    for index, one in enumerate(prompt.get("examples", [])):
        _check_content(one.get("input", {}), f"{place}.prompt.examples[{index}].input")
        _check_content(one.get("output", {}), f"{place}.prompt.examples[{index}].output")
    named = [{**one, "author": one.get("author") or _AUTHORS[index % 2]} for index, one in enumerate(messages)]
    authors = [one["author"] for one in named]
    if len(set(authors)) > len(_AUTHORS) or any(one == other for one, other in pairwise(authors)):
        raise invalid(f"* {place}.prompt.messages: messages must alternate between two authors\n")
    return {**prompt, "messages": named}


def _check_content(message: Object, place: str) -> None:
    if not message.get("content"):
        raise invalid(f"* {place}.content: content is required and not specified\n")
    author: str = message.get("author", "")
    if author and not author.isalnum():
        raise invalid(f"* {place}.author: {author!r} is not alphanumeric\n")


def _primer(prompt: Object) -> int:
    """The tokens of what stands in front of the messages."""
    examples: list[Object] = prompt.get("examples", [])
    texts = [one[side]["content"] for one in examples for side in ("input", "output")]
    return of_text(prompt.get("context", "")) + sum(map(of_text, texts))


def _fitting(prompt: Object, card: ModelCard) -> list[Object]:
    """The messages that the model has room for; the oldest are dropped first, the last one never."""
    messages: list[Object] = prompt["messages"]
    left = card.inputs - _primer(prompt)
    first = len(messages) - 1
    left -= of_text(messages[first]["content"])
    while first > 0 and left >= of_text(messages[first - 1]["content"]):
        first -= 1
        left -= of_text(messages[first]["content"])
    return messages[first:]


def _example(prompt: Object, asked: str) -> str:
    """What the most similar example answers, when it is similar enough."""
    examples: list[Object] = prompt.get("examples", [])
    scored = [(likeness(Entry(Passage(one["input"]["content"]), ""), asked), one) for one in examples]
    best = max(scored, key=lambda pair: pair[0], default=None)
    return f"{MARK}{best[1]['output']['content']}" if best is not None and best[0] >= _LIKE else ""


ROUTES = (
    Route("POST", "models/{model}:generateMessage", beta(generate_message)),
    Route("POST", "models/{model}:countMessageTokens", beta(count_message_tokens)),
)
