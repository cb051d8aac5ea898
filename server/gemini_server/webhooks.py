"""Gemini's webhooks, over HTTP: a signed delivery says that something has ended, and its job asks at once.

What a delivery says is not believed beyond that: the job asks Gemini how it stands, as it would at its next turn. So
one who has the secret can make a job ask early, and nothing else.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from gemini_server.errors import ToolserverError
from gemini_server.jobs.webhook_messages import take
from gemini_server.settings import Settings
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.webhook_signature import NotGenuineError, verified

ROUTE = "/webhooks/gemini"
LARGEST = 64 * 1024
"""Bytes of a delivery: it names what has ended, it does not bring it."""
_MOST_NAMES = 50
_DEEPEST = 5
_COLLECTIONS = ("batches/", "interactions/", "operations/")

_log = logging.getLogger(__name__)


def is_delivery(scope: Scope, settings: Settings) -> bool:
    """Whether a request is a delivery: then it needs no bearer token, but a signature."""
    return bool(settings.webhook_secrets) and scope["method"] == "POST" and scope["path"] == ROUTE


async def receive(runtime: Runtime | None, settings: Settings, request: Request) -> Response:
    """Take a delivery.

    Answers 204 to what is genuine (again to one that comes once more because our answer was lost), 401 to what is not
    or is too old, 409 to a copy of one that was taken, 413 and 400 to what is no delivery, 503 when the ledger is shut.
    """
    try:
        body = await _body(request)
    except ClientDisconnect:
        return _said(400, "The delivery was cut.")
    if body is None:
        return _said(413, f"A delivery has at most {LARGEST} bytes.")
    try:
        genuine = verified(dict(request.headers), body, settings.webhook_secrets, time.time())
    except NotGenuineError as error:
        return _said(401, str(error))
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return _said(400, "The delivery is no JSON.")
    if runtime is None:
        return _said(503, "This server is not ready.")
    try:
        taken = await take(runtime.store, genuine.id, genuine.stamp, _names(told), runtime.place)
        if taken.before == genuine.stamp:
            return _said(409, "This delivery was taken before.")
        for job in taken.jobs:
            runtime.runner.stir(job)
        _log.info("webhook %s concerns %d jobs", genuine.id, len(taken.jobs))
    except ToolserverError:
        return _said(503, "The ledger cannot be read at the moment.")
    return Response(status_code=204)


async def _body(request: Request) -> bytes | None:
    """The whole body; None when it is too long."""
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > LARGEST:
            return None
    return bytes(pieces)


def _names(told: Any) -> list[str]:
    """What of a delivery may name a job's work at Google: every short string in it, with and without its collection."""
    found: dict[str, None] = {}
    for text in _strings(told, _DEEPEST):
        # What cannot be printed is no name, and some databases refuse it.
        if 0 < len(text) <= 300 and text.isprintable() and not text.isspace() and "://" not in text:
            found[text] = None
            found[text.rpartition("/")[2] or text] = None
            found.update((f"{collection}{text}", None) for collection in _COLLECTIONS if "/" not in text)
        if len(found) > _MOST_NAMES * 4:
            break
    return list(found)


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from _strings(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in islice(cast("Iterable[Any]", value), _MOST_NAMES):
            yield from _strings(inner, depth - 1)


def _said(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status, {"cache-control": "no-store"})
