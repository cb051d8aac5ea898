"""What Google has shut down: the words that say so, and what its answers lack: a count of tokens."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from gemini_server.api.models import resource_name
from gemini_server.errors import Blocked, NotFound
from gemini_server.rest.endpoint import AnswerT, Endpoint
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.untrusted import label

RETRIEVER = (
    "Google has shut the Semantic Retriever down; File Search replaces it: create_store, add_to_store, search_stores."
)
TUNING = (
    "Google has had no model that can be tuned here since 2025; instead, give examples in the prompt of generate_text."
)
PALM = "Google has shut PaLM down; generate_text, embed and count_tokens replace it."
AQA = "Google has shut AQA down; search_stores, or generate_text with the passages in its prompt, replaces it."


def gone(error: NotFound, words: str) -> NotFound:
    """A 404 that says that the service is one of the past, and what to use instead."""
    return NotFound(error.what, words, code=error.code, status=error.status)


def uncounted(call: Call, model: str) -> Usage:
    """A billed call whose answer tells no tokens, written down: nobody knows what it cost."""
    call.runtime.spending.record(call.principal, model)
    return Usage(cost_usd=None)


async def asked(call: Call, endpoint: Endpoint[AnswerT], model: str, body: BaseModel, words: str) -> AnswerT:
    """Ask a model of the past; what is billed is held against the day's cap before.

    Args:
        call: the call this is for.
        endpoint: of the model; counting (`repeat="read"`) is free.
        model: an id, or a name with its collection.
        body: the request.
        words: what to say where the model is gone.

    Raises:
        ToolserverError: any of the tree.
    """
    path: dict[str, Any] = {"model": resource_name(model)}
    if endpoint.repeat != "read":
        await call.runtime.may_spend(call.principal)
    try:
        async with call.runtime.slot():
            return (await call.runtime.client.call(endpoint, body=body, on_retry=call.progress.retry, **path)).value
    except NotFound as error:
        raise gone(error, words) from None


def withheld(reasons: list[str], usage: Usage) -> Blocked:
    """The error of an answer that a filter kept back; it is billed all the same."""
    shown = label(", ".join(reasons)) or "no reason given"
    error = Blocked(
        f"The model withheld its answer ({shown}).", "Rephrase it; unchanged it is withheld again.", code=shown
    )
    error.usage = usage.structured()
    return error
