"""What the end of a WebSocket means: its code, and the reason that Gemini gives with it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from gemini_server.errors import BadAnswer, GeminiError, KeyRefused, NotFound, RequestRefused, ToolserverError

from . import failure
from .complaint import clean, read_complaint

if TYPE_CHECKING:
    from websockets.exceptions import ConnectionClosed

_NORMAL = frozenset({1000, 1001})
_REFUSED = frozenset({1003, 1007, 1008, 1009})

_WORDS: list[tuple[tuple[str, ...], type[ToolserverError], str]] = [
    (("api key", "credential", "permission"), KeyRefused, "The person who runs this server checks the key."),
    (("not found", "not supported for", "no such model"), NotFound, "list_models shows what this key can use."),
]
"""What the reason of a refusal is about, and what to do then; the first that fits counts."""


class SocketClosed(GeminiError):
    """The other side has ended the connection, or it broke."""

    default_code = "socket_closed"


def ended(closed: ConnectionClosed, host: str) -> ToolserverError:
    """What the end of a connection means."""
    frame: Any = closed.rcvd
    if frame is None:
        sent: Any = closed.sent
        if sent is not None and sent.code == 1009:
            return BadAnswer("Gemini sent a message that is larger than this server takes.", "Call again later.")
        return SocketClosed(f"The connection to {host} broke.", "Call again.", code="answer_cut")
    reason = clean(str(frame.reason), 300)
    said = f"{frame.code}: {reason}" if reason else str(frame.code)
    if frame.code in _NORMAL:
        return SocketClosed(f"Gemini ended the connection ({said}).", "Call again.", code="answer_cut")
    lowered = reason.lower().replace("_", " ")  # Google gives words of its own, or the name of a status
    for words, kind, remedy in _WORDS:
        if any(word in lowered for word in words):
            return kind(f"Gemini refused the connection ({said}).", remedy)
    if "quota" in lowered or "rate limit" in lowered or "resource exhausted" in lowered:
        status = json.dumps({"error": {"code": 429, "message": reason, "status": "RESOURCE_EXHAUSTED"}}).encode()
        return failure.fault_of(read_complaint(429, status), {}, repeat="foreground", wall=time.time).error
    if frame.code in _REFUSED:
        return RequestRefused(f"Gemini refused what was sent ({said}).", "Change what it names, then call again.")
    return SocketClosed(f"Gemini ended the connection because it failed ({said}).", "Call again later.")
