"""When a failed attempt is repeated, and how long to wait first.

| repeat       | before the body left | status 408, 500, 502, 503, 504 | status 429 | after the body left, no status |
|--------------|----------------------|--------------------------------|------------|--------------------------------|
| `read`       | yes                  | yes                            | yes        | yes                            |
| `foreground` | yes                  | yes                            | yes        | no: may have been billed       |
| `background` | yes                  | no                             | yes        | no: unknown                    |

A 429 for a day, for a plan, or with a limit of 0 is never repeated, nor is 402 or any other 4xx; only a refused
credential, for which nothing is billed, is looked for anew, and the request sent once more if there is another. The
wait is what the server asked for (`google.rpc.RetryInfo`, then `Retry-After`, then "retry in 25.3s" in its text), else
full-jitter exponential backoff. All attempts share the deadline of the call and the retry budget of the client.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from gemini_server.errors import ToolserverError

from .endpoint import Repeat

BASE_SECONDS = 0.5
CAP_SECONDS = 30.0
LEAST_SECONDS = 0.2
"""No delay that a server asks for is shorter: it would let a storm through almost without a wait."""

_TRANSIENT = frozenset({408, 500, 502, 503, 504})
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s", re.ASCII)
_IN_TEXT = re.compile(r"retry (?:in|after) (\d+(?:\.\d+)?) ?(ms|s|m|h)?\b", re.IGNORECASE | re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class RetryNote:
    """What `on_retry` is told before the wait.

    Attributes:
        retries: which repetition follows: 1 for the first.
        delay: seconds until it starts.
        reason: one sentence, fit for a person to read.
        status: the HTTP status that caused it, if one came.
    """

    retries: int
    delay: float
    reason: str
    status: int | None


@dataclass(slots=True)
class Fault:
    """A failed attempt.

    Attributes:
        error: what to raise if this was the last attempt.
        again: whether the same request may be repeated by itself.
        delay: seconds that the server asked to wait, if it did.
        cause: what it came from, for the traceback.
        refused_key: the credential that Google did not accept, where that is what failed; nothing was billed then.
    """

    error: ToolserverError
    again: bool
    delay: float | None = None
    cause: BaseException | None = None
    refused_key: bytes | None = None


class AttemptError(Exception):
    """Carries a `Fault` out of an attempt; never leaves the client."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault.error))
        self.fault = fault


def repeatable(status: int, repeat: Repeat) -> bool:
    """Whether an answer with this status may be followed by the same request (quotas are judged elsewhere)."""
    return status == 429 or (status in _TRANSIENT and repeat != "background")


def backoff(retries: int, random: Callable[[], float]) -> float:
    """Seconds before the next attempt: anything from 0 to 0.5 s, doubled with each retry, at most 30 s."""
    return random() * min(CAP_SECONDS, BASE_SECONDS * 2.0**retries)


def server_delay(
    headers: Mapping[str, str], details: Sequence[Mapping[str, Any]], message: str, wall: Callable[[], float]
) -> float | None:
    """Seconds that the server asks to wait; None when it does not say, or says nothing usable.

    Args:
        headers: of the answer; names are looked up in lower case.
        details: the `details` of a google.rpc error.
        message: the error's text.
        wall: the time of day in seconds since 1970, for a Retry-After that is a date.
    """
    for detail in details:
        if str(detail.get("@type", "")).endswith("google.rpc.RetryInfo"):
            found = _DURATION.fullmatch(str(detail.get("retryDelay", "")))
            if found and (seconds := _usable(found[1])):
                return seconds
    milliseconds = _usable(headers.get("retry-after-ms", ""))
    if milliseconds:
        return milliseconds / 1000
    after = headers.get("retry-after", "")
    if after and (seconds := _usable(after) or _until(after, headers.get("date", ""), wall)):
        return seconds
    in_text = _IN_TEXT.search(message)
    if in_text and (seconds := _usable(in_text[1])):
        return seconds * _UNITS[(in_text[2] or "s").lower()]
    return None


def _usable(text: str) -> float | None:
    """A positive finite number of seconds; 0 counts as not said, or a storm would be repeated without any wait."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _until(date: str, today: str, wall: Callable[[], float]) -> float | None:
    try:
        then = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
    try:
        # The server's own clock, when it shows it: this machine's may be an hour off.
        now = parsedate_to_datetime(today).timestamp()
    except (ValueError, OverflowError):
        now = wall()
    return then - now if then > now else None


class RetryBudget:
    """How many retries a client may still make, so that a storm is not multiplied: a token bucket.

    Every call brings a fifth of a retry (up to 100 are saved), and 10 more come per minute (up to 10 are saved), so
    that a client that calls rarely may retry as well. It starts with 10.

    Args:
        clock: monotonic seconds.
    """

    CALLS_PER_RETRY = 5
    SAVED = 100
    FLOOR = 10.0
    FLOOR_SECONDS = 60.0

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls = 0
        self._floor = self.FLOOR
        self._then = clock()

    def call(self) -> None:
        """Counts a call."""
        self._calls = min(self.SAVED * self.CALLS_PER_RETRY, self._calls + 1)

    def spend(self) -> bool:
        """Takes one retry; False when none is left."""
        now = self._clock()
        self._floor = min(self.FLOOR, self._floor + (now - self._then) * self.FLOOR / self.FLOOR_SECONDS)
        self._then = now
        if self._calls >= self.CALLS_PER_RETRY:
            self._calls -= self.CALLS_PER_RETRY
        elif self._floor >= 1:
            self._floor -= 1
        else:
            return False
        return True
