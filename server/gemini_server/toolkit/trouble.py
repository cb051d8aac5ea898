"""What Google says of work that it had begun and that came to nothing, as an error of the tree.

Such words come inside a good answer: as the `error` of an operation (a google.rpc.Status with the number of a
google.rpc.Code), or as the `errors` of an interaction (string codes).
"""

from __future__ import annotations

from gemini_server.errors import (
    Blocked,
    GeminiError,
    KeyRefused,
    NotFound,
    Overloaded,
    QuotaExhausted,
    RequestRefused,
    ToolserverError,
)
from gemini_server.rest.complaint import STATUS_OF_CODE
from gemini_server.toolkit.generation.verdict import BLOCKING, LONGEST, REPHRASE
from gemini_server.toolkit.untrusted import label

_RPC = {
    1: ("CANCELLED", 499), 2: ("UNKNOWN", 500), 3: ("INVALID_ARGUMENT", 400), 4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404), 6: ("ALREADY_EXISTS", 409), 7: ("PERMISSION_DENIED", 403), 8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400), 10: ("ABORTED", 409), 11: ("OUT_OF_RANGE", 400), 12: ("UNIMPLEMENTED", 501),
    13: ("INTERNAL", 500), 14: ("UNAVAILABLE", 503), 15: ("DATA_LOSS", 500), 16: ("UNAUTHENTICATED", 401),
}  # fmt: skip
_MEDIA = ("IMAGE_", "VIDEO_", "AUDIO_")

_LATER = "Make it again in a few minutes."
_OTHERWISE: dict[int, tuple[type[ToolserverError], str]] = {
    400: (RequestRefused, "Change what it names, then make it again; unchanged it fails again."),
    401: (KeyRefused, "Only the person who runs this server can mend the key."),
    403: (KeyRefused, "Only the person who runs this server can mend this: the key may not do it."),
    404: (NotFound, "Check the names in the request: a file may have expired, a model may have been shut down."),
    429: (QuotaExhausted, "Make it again later: a quota of this key is used up for now."),
    500: (GeminiError, _LATER),
    503: (Overloaded, _LATER),
    504: (Overloaded, "Ask for less at once (shorter, smaller), then make it again."),
}


def trouble(code: str | int | None, message: str | None) -> ToolserverError:
    """The error that a failed operation, interaction or step carries.

    Args:
        code: the number of a google.rpc.Code, or a string code such as `prohibited_content`.
        message: Google's words.
    """
    name, status = _named(code)
    said = label(message or "", LONGEST)
    words = f": {said}{'' if said.endswith(('.', '!', '?', '…')) else '.'}" if said else "."
    held_back = _held_back(code) if isinstance(code, str) else None
    if held_back:
        return Blocked(f"Gemini withheld the result ({name}), because {held_back}{words}", REPHRASE, code=name)
    kind, remedy = _OTHERWISE.get(status or 500, (GeminiError, _LATER))
    return kind(f"Gemini began the work, and it failed ({name}){words}", remedy, code=name, status=status)


def _named(code: str | int | None) -> tuple[str, int | None]:
    if isinstance(code, str) and code:
        return label(code, 60), STATUS_OF_CODE.get(code.lower())
    if isinstance(code, int) and code in _RPC:
        return _RPC[code]
    return ("no reason given" if code is None else str(code)), code if isinstance(code, int) and code >= 400 else None


def _held_back(code: str) -> str | None:
    """Why content was withheld; None where the code is about something else."""
    name = code.upper()
    if name in BLOCKING and name != "OTHER":
        return BLOCKING[name][0]
    if name == "CONTENT_BLOCKED":
        return "a filter objected to the content"
    return "a filter objected" if name.startswith(_MEDIA) else None
