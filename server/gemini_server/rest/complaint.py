"""What Gemini says when it refuses: both error formats read into one value, and its words made safe to pass on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from gemini_server.redaction import redact

from .json_values import objects_of

LONGEST = 600
"""Characters of Google's text that are passed on."""

# Control characters, zero-width and bidirectional marks, byte order mark, tags, and surrogates.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
_ANSI = re.compile("\u001b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\u0007\u001b]*(?:\u0007|\u001b\\\\)?)")
_SPACE = re.compile(r"\s+")
_INVISIBLE_HTML = re.compile(r"<(script|style|head)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[^>]*(?:>|\Z)", re.DOTALL)

_EXCERPT = 200
_MOST = 65_536  # characters of a foreign text that are looked at

STATUS_OF_CODE = {
    "invalid_request": 400,
    "failed_precondition": 400,
    "parameter_unknown": 400,
    "safety": 400,
    "recitation": 400,
    "language": 400,
    "prohibited_content": 400,
    "spii": 400,
    "blocklist": 400,
    "content_blocked": 400,
    "jailbreak": 400,
    "authentication": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "model_not_found": 404,
    "already_exists": 409,
    "aborted": 409,
    "rate_limit_exceeded": 429,
    "quota_exceeded": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "api_error": 500,
    "internal": 500,
    "overloaded": 503,
    "unavailable": 503,
    "deadline_exceeded": 504,
    # of the OpenAI dialect
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "server_error": 500,
    "overloaded_error": 503,
}
"""The HTTP status that an error code stands for when it comes in the middle of a stream, where there is no status."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error as Gemini worded it.

    Attributes:
        status: the HTTP status.
        code: Google's status (`RESOURCE_EXHAUSTED`) or string code (`rate_limit_exceeded`); empty when there was none.
        message: Google's text, cleaned and bounded.
        details: the `details` of a google.rpc error.
        recognised: whether the body was an error object at all.
    """

    status: int
    code: str
    message: str
    details: tuple[Mapping[str, Any], ...] = ()
    recognised: bool = True

    def of_type(self, name: str) -> list[Mapping[str, Any]]:
        """The details of one google.rpc type, such as `QuotaFailure`."""
        return [d for d in self.details if str(d.get("@type", "")).endswith(f"google.rpc.{name}")]


def clean(text: str, longest: int = LONGEST) -> str:
    """Foreign text that may be shown to a model: no secrets, no invisible characters, one line, cut to length."""
    # Invisible characters go first: one inside a key would hide the key from `redact`.
    text = _SPACE.sub(" ", _UNSEEN.sub("", _ANSI.sub("", text[:_MOST])))
    text = redact(text).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def excerpt(body: bytes) -> str:
    """A short plain text of a body that is not JSON: of HTML its title or its words, never its markup."""
    text = body[:20_000].decode("utf-8", "replace")
    if "<" in text:
        title = _TITLE.search(text)
        words = _TAG.sub(" ", _INVISIBLE_HTML.sub(" ", text))
        text = (title[1] if title and title[1].strip() else words).replace("<", " ").replace(">", " ")
    return clean(text, _EXCERPT)


def read_complaint(status: int, body: bytes) -> Complaint:
    """The error in an answer's body, whichever of the formats it has.

    Args:
        status: the HTTP status.
        body: the body, possibly cut or broken.
    """
    try:
        found = error_object(json.loads(body))
    except (ValueError, RecursionError):
        found = None
    if found is None:
        return Complaint(status, "", excerpt(body), recognised=False)
    return complaint_of(found, status)


def error_object(value: object) -> Mapping[str, Any] | None:
    """The inside of `{"error": {…}}`, also when that is the one element of an array."""
    if isinstance(value, list):
        items = cast("list[object]", value)
        value = items[0] if len(items) == 1 else None
    if not isinstance(value, dict):
        return None
    error = cast("dict[str, object]", value).get("error")
    if isinstance(error, dict):
        found = cast("dict[str, Any]", error)
        inner = None if found.get("message") else found.get("error")
        # A gateway may wrap the error of whoever it asked.
        return cast("dict[str, Any]", inner) if isinstance(inner, dict) else found
    return {"message": error} if isinstance(error, str) and error else None


def complaint_of(error: Mapping[str, Any], status: int | None = None) -> Complaint:
    """`error` as a value.

    Args:
        error: the inside of the error object.
        status: the HTTP status; in a stream there is none, and the error's own code tells it.
    """
    number, name = error.get("code"), error.get("status")
    # OpenAI's errors say by `type` what they have no `code` for.
    words = [one for one in (name, number, error.get("type")) if isinstance(one, str)]
    code = words[0] if words else ""
    if status is None:
        status = number if isinstance(number, int) and 400 <= number <= 599 else STATUS_OF_CODE.get(code.lower(), 500)
    return Complaint(
        status=status,
        code=clean(code, 60),
        message=clean(str(error.get("message") or "")),
        details=tuple(objects_of(error.get("details"))),
    )
