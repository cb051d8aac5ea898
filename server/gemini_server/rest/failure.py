"""An HTTP status and its body turned into one of this project's errors: what, why, and what to do next."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gemini_server.errors import (
    BadAnswer,
    Blocked,
    KeyRefused,
    NotFound,
    Overloaded,
    PaymentRequired,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ToolserverError,
)

from .complaint import Complaint, clean
from .endpoint import Endpoint, Repeat
from .json_values import objects_of
from .quota import Quota, quota_of, seconds_to_reset
from .retry import Fault, repeatable, server_delay

_SETUP = "Only the person who runs this server can mend this: "
_KEY_REASONS = frozenset(
    {"API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_INVALID", "CREDENTIALS_MISSING"}
)
_KEY_TEXT = re.compile(r"\bAPI key (?:not valid|expired|not found|is missing)|pass a valid API key", re.IGNORECASE)
_LEAKED = re.compile(r"\bleaked\b", re.IGNORECASE)
# What Google says when the key is good but a file, cache or tuned model is someone else's, or gone.
_RESOURCE = re.compile(
    r"(?:permission|access).{0,40}\b(?:files?|cached ?contents?|corpus|corpora|tuned ?models?|documents?|chunks?|"
    r"stores?|resources?|interactions?|operations?|batch(?:es)?)\b|may not exist",
    re.IGNORECASE | re.DOTALL,
)
_BLOCKED = frozenset(
    {"safety", "recitation", "language", "prohibited_content", "spii", "blocklist", "content_blocked", "jailbreak"}
    | {"content_filter", "content_policy_violation"}  # of the OpenAI dialect
)
_BLOCKED_PREFIX = "image_"

Answered = Callable[[Complaint, str], ToolserverError]


def fault_of(complaint: Complaint, headers: Mapping[str, str], *, repeat: Repeat, wall: Callable[[], float]) -> Fault:
    """The error that a refused request ends in, and whether it may be repeated.

    Args:
        complaint: what Gemini said.
        headers: of the answer, for Retry-After.
        repeat: what the endpoint allows.
        wall: the time of day in seconds since 1970.
    """
    delay = server_delay(headers, complaint.details, complaint.message, wall)
    if complaint.status == 429 and complaint.code == "insufficient_quota":  # OpenAI's word for an empty account
        return Fault(_unpaid(complaint), again=False)
    if complaint.status == 429:
        quota = quota_of(complaint)
        if quota.spent:
            return Fault(_exhausted(complaint, quota, wall), again=False)
        return Fault(_limited(complaint, quota, delay), again=repeatable(429, repeat), delay=delay)
    error = _error(complaint, repeat)
    error.retry_after = delay if isinstance(error, Overloaded) else None
    return Fault(error, again=repeatable(complaint.status, repeat), delay=delay)


def under_way(fault: Fault, endpoint: Endpoint[Any]) -> Fault:
    """A fault that came under a good status: a gateway had begun the work then, and may have billed it."""
    if endpoint.family == "openai" and endpoint.repeat != "read" and not isinstance(fault.error, RateLimited):
        fault.again = False
    return fault


def _error(complaint: Complaint, repeat: Repeat) -> ToolserverError:
    status, code = complaint.status, complaint.code.lower()
    if code in _BLOCKED or (code.startswith(_BLOCKED_PREFIX) and complaint.recognised):
        return _make(
            Blocked, complaint, "Gemini declined", "Reword the request; repeating it unchanged gives the same answer."
        )
    if status == 401 or (status == 400 and _about_key(complaint)):
        return _make(
            KeyRefused,
            complaint,
            "Google does not accept the API key",
            f"{_SETUP}set GEMINI_API_KEY to a valid key (https://aistudio.google.com/apikey), then restart the server.",
        )
    if status == 402:
        return _unpaid(complaint)
    if status == 403:
        return _forbidden(complaint)
    if status == 404:
        return _make(
            NotFound,
            complaint,
            "Gemini does not know this name",
            "Check the name against the list of what exists; a model may have been shut down, a file may have expired.",
        )
    if status in (408, 500) or status > 501:
        return _overloaded(complaint, repeat)
    if status >= 400:
        return _refused(complaint)
    return _make(BadAnswer, complaint, "Gemini gave an answer with an unexpected status", "Call again later.")


def _unpaid(complaint: Complaint) -> ToolserverError:
    return _make(
        PaymentRequired,
        complaint,
        "The credit of this Gemini account is used up",
        f"{_SETUP}top up the account or turn on billing (https://aistudio.google.com). Do not repeat the call.",
    )


def _make(kind: type[ToolserverError], complaint: Complaint, what: str, remedy: str) -> ToolserverError:
    """An error whose text is `what`, Google's status and Google's own words."""
    label = f"{complaint.status} {complaint.code}".strip()
    words = f": {complaint.message}" if complaint.message else "."
    return kind(
        f"{what} ({label}){_stopped(words)}",
        remedy,
        code=complaint.code,
        status=complaint.status,
    )


def _stopped(words: str) -> str:
    return words if words[-1] in ".!?…" else f"{words}."


def _about_key(complaint: Complaint) -> bool:
    reasons = {str(d.get("reason", "")) for d in complaint.of_type("ErrorInfo")}
    return bool(reasons & _KEY_REASONS) or bool(_KEY_TEXT.search(complaint.message))


def _forbidden(complaint: Complaint) -> ToolserverError:
    if _LEAKED.search(complaint.message):
        return _make(
            KeyRefused,
            complaint,
            "Google has blocked this API key because it was found in public",
            f"{_SETUP}make a new key (https://aistudio.google.com/apikey), set GEMINI_API_KEY to it, delete the old.",
        )
    if not complaint.of_type("ErrorInfo") and _RESOURCE.search(complaint.message):
        return _make(
            RequestRefused,
            complaint,
            "Gemini does not give this key access",
            "A file belongs to the project of the key that uploaded it and expires after 48 h: check the name, or "
            "upload it again.",
        )
    return _make(
        KeyRefused,
        complaint,
        "This API key may not do this",
        f"{_SETUP}check the restrictions of the key and that the Gemini API is enabled in its project.",
    )


def _refused(complaint: Complaint) -> ToolserverError:
    fields = "; ".join(_field_violations(complaint))
    error = _make(
        RequestRefused,
        complaint,
        "Gemini refused the request",
        "Change the argument it names, then call again; repeating the call unchanged gives the same answer.",
    )
    if fields:
        error.what = f"{error.what} Fields: {fields}."
    return error


def _field_violations(complaint: Complaint) -> list[str]:
    found: list[str] = []
    for detail in complaint.of_type("BadRequest"):
        for one in objects_of(detail.get("fieldViolations")):
            text = f"{one.get('field') or '(request)'}: {one.get('description') or 'not accepted'}"
            found.append(clean(text, 200).rstrip("."))
    return found[:5]


def _overloaded(complaint: Complaint, repeat: Repeat) -> ToolserverError:
    if not complaint.recognised and complaint.status < 500:
        what = "Gemini or a proxy before it gave up waiting for the request"
    elif complaint.status == 503:
        what = "Gemini is overloaded at the moment"
    elif complaint.status in (408, 504):
        what = "Gemini did not finish in time"
    else:
        what = "Gemini failed"
    remedy = "Call again in a minute, or use another model."
    if complaint.status in (408, 504):
        remedy = "Ask for less at once, or for a background job; then call again."
    if repeat == "background":
        remedy = "It is not certain that nothing was started: look whether the job exists before you start it again."
    return _make(Overloaded, complaint, what, remedy)


def _limited(complaint: Complaint, quota: Quota, delay: float | None) -> ToolserverError:
    which = f" {quota.name}" if quota.name else ""
    remedy = f"Call again in {math.ceil(delay)} s." if delay else "Wait a minute, then call again."
    error = _make(RateLimited, complaint, f"The rate limit{which} of Gemini is reached for now", remedy)
    error.retry_after = delay
    return error


def _exhausted(complaint: Complaint, quota: Quota, wall: Callable[[], float]) -> ToolserverError:
    which = f" {quota.name}" if quota.name else ""
    if quota.none:
        return _make(
            QuotaExhausted,
            complaint,
            f"The plan of this API key does not include this: the quota{which} is 0",
            "Use another model; waiting does not help. The person who runs this server can turn on billing at "
            "https://aistudio.google.com.",
        )
    seconds = seconds_to_reset(wall())
    when = f", in about {_hours(seconds)}" if seconds is not None else ""
    error = _make(
        QuotaExhausted,
        complaint,
        f"The daily quota{which} of this API key is used up",
        f"It resets at midnight Pacific time{when}. Until then use another model; calling again does not help.",
    )
    error.retry_after = seconds
    return error


def _hours(seconds: float) -> str:
    minutes = max(1, math.ceil(seconds / 60))
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"
