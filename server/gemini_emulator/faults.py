"""Faults and finish reasons on request: one grammar, written into a prompt or sent to the control API.

In a prompt, `[emulate: status=429 retry=2s times=2]`; over `POST /emulator/faults`, the part between colon and bracket,
with a method and path to match. A directive is blank-separated `name` or `name=value` items; see `NAMES` for all.
An unknown name is refused rather than ignored, so that a misspelled test cannot pass.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from .errors import ApiError, invalid, quota_exceeded, retry_info
from .wire import Object, is_object

NAMES = {
    "finish": "finishReason of the answer",
    "block": "promptFeedback.blockReason, without candidates",
    "empty": "no candidates at all",
    "nocontent": "a candidate without content",
    "malformed_function_call": "finishReason MALFORMED_FUNCTION_CALL with its message",
    "continuation": "finishReason CONTINUATION for this many hops",
    "length": "an answer of about this many characters",
    "say": "the text of the answer, and of every title, snippet and label in it, as base64url of UTF-8",
    "status": "an error with this HTTP status",
    "retry": "RetryInfo.retryDelay of the error",
    "retry_after": "the Retry-After header of the error",
    "quota": "PerMinute or PerDay, the window in QuotaFailure",
    "times": "how often the directive applies before the service is well again",
    "message": "the message of the error, with underscores for blanks",
    "error_interactions": "the error in the format of the Interactions family",
    "error_array": "the error inside a one-element array",
    "error_in_stream": "an error object in the middle of the stream",
    "html": "an HTML error page",
    "redirect": "a redirect to this URL; cdn, or cdn:HOST[:PORT], sends a download to the emulator's second address",
    "cut": "close the connection: before, or inside; an upload also at the answer, when all has been done",
    "stall": "send nothing more until the client leaves: headers, or inside",
    "after": "after how many stream events, or bytes of a download or of an upload's chunk (or half the body)",
    "slow": "wait before the answer",
    "pace": "wait between stream events, or between pieces of a download or upload",
    "broken_json": "a body that is not JSON",
    "polls": "for how many reads an operation, a batch or a background interaction goes on, usually two; a file, one",
    "lasts": "how long a batch, a store's operation or a background interaction goes on by the clock, not by polls",
    "queued": "a background interaction is queued until the first poll",
    "outcome": "how an interaction ends: failed, incomplete, budget_exceeded, requires_action; all else can only fail",
    "code": "the code of the error of outcome=failed",
    "text_instead": "text from a model that was asked for a picture or for speech",
    "filtered": "how many pictures or videos of a prediction are held back; all without a number",
    "bytes": "a generated file of this size; also on a request for that file",
    "content_type": "another content type of a download",
    "error_body": "an error with status 200 in place of a file",
    "no_range": "a download that takes no notice of Range",
    "no_length": "a download without Content-Length",
    "changed": "a download with another ETag than before",
    "corrupt": "a download whose first byte is wrong",
    "on": "which command of an upload a directive in its display name is for: start, upload, finalize, query, cancel",
    "kept": "the bytes of a chunk that fails count as received",
    "lost": "the bytes of a chunk do not count as received",
    "no_status": "an answer to an upload without X-Goog-Upload-Status",
    "no_url": "the start of an upload without X-Goog-Upload-URL",
    "no_result": "a query on an upload that is final does not show its result",
    "granularity": "another X-Goog-Upload-Chunk-Granularity, from the start of an upload",
    "digest": "the sha256Hash of an uploaded file: wrong, raw, hex or none",
    "filter": "the prompt with this directive is filtered (Lyria RealTime)",
    "warning": "a warning message after the setup, with underscores for blanks (WebSockets)",
    "goaway": "announce the end of a Live connection, after this time; 10 s without a value",
    "close": "close the WebSocket with this code; message= is the reason",
}
_IN_PROMPT = re.compile(r"\[emulate:\s*([^\]]*)\]")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


@dataclass(frozen=True)
class Directive:
    """What was asked for; empty when nothing was."""

    items: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def parse(cls, text: str) -> Directive:
        """Read `name` and `name=value` items.

        Raises:
            ApiError: 400 for a name that is not in the grammar.
        """
        items: dict[str, str] = {}
        for item in text.split():
            name, _, value = item.partition("=")
            if name not in NAMES:
                raise invalid(f"The emulator has no directive {name!r}. It knows: {', '.join(NAMES)}.")
            items[name] = value
        directive = cls(items)
        directive.check()
        return directive

    @classmethod
    def in_text(cls, text: str) -> Directive:
        """The directives written into a prompt, merged."""
        return cls.parse(" ".join(_IN_PROMPT.findall(text)))

    def check(self) -> None:
        """Refuse values that cannot be read."""
        for name in ("times", "after", "status", "length", "polls", "close", "filtered", "bytes", "granularity"):
            self.number(name, 1)
        for name in ("slow", "pace", "lasts", "goaway"):
            self.seconds(name)
        self.said()
        if self.get("quota", "PerMinute") not in ("PerMinute", "PerDay"):
            raise invalid("The emulator's directive quota= takes PerMinute or PerDay.")
        if self.get("cut", "inside") not in ("before", "inside", "answer"):
            raise invalid("The emulator's directive cut= takes before, inside or answer.")
        if self.get("on", "upload") not in ("start", "upload", "finalize", "query", "cancel"):
            raise invalid("The emulator's directive on= takes start, upload, finalize, query or cancel.")
        if self.get("digest", "wrong") not in ("wrong", "raw", "hex", "none"):
            raise invalid("The emulator's directive digest= takes wrong, raw, hex or none.")
        if self.get("outcome", "failed") not in ("failed", "incomplete", "budget_exceeded", "requires_action"):
            raise invalid(
                "The emulator's directive outcome= takes failed, incomplete, budget_exceeded or requires_action."
            )

    def __bool__(self) -> bool:
        return bool(self.items)

    def __contains__(self, name: str) -> bool:
        return name in self.items

    def get(self, name: str, default: str = "") -> str:
        """The value of an item; the default when it is absent or has none."""
        return self.items.get(name) or default

    def number(self, name: str, default: int) -> int:
        """The value of an item as a number."""
        value = self.get(name)
        if value and not value.isdecimal():
            raise invalid(f"The emulator's directive {name}= takes a number, not {value!r}.")
        return int(value) if value else default

    def seconds(self, name: str) -> float:
        """A duration such as `2s`, `50ms` or `1m`; 0 when absent."""
        value = self.get(name)
        found = _DURATION.fullmatch(value)
        if value and not found:
            raise invalid(f"The emulator's directive {name}= takes a duration such as 2s or 50ms, not {value!r}.")
        return float(found[1]) * _UNITS[found[2]] if found else 0.0

    def said(self) -> str | None:
        """The text of `say=`; None when there is none."""
        if "say" not in self:
            return None
        value = self.get("say").rstrip("=")
        try:
            return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode()
        except ValueError:
            raise invalid(f"The emulator's directive say= takes base64url of UTF-8, not {value!r}.") from None

    def merged(self, other: Directive) -> Directive:
        """Both directives; the other wins where they differ."""
        return Directive({**self.items, **other.items}) if other else self

    def error(self, model: str) -> ApiError:
        """The error of `status=`, with the details that were asked for."""
        status = self.number("status", 503)
        retry = self.get("retry")
        window: Literal["PerMinute", "PerDay"] = "PerDay" if self.get("quota") == "PerDay" else "PerMinute"
        if status == 429:
            error = quota_exceeded(model, window, retry or None)
        else:
            error = ApiError(status, details=[retry_info(retry)] if retry else [])
        if "message" in self:
            error = ApiError(status, self.get("message").replace("_", " "), details=error.details)
        if "retry_after" in self:
            error.headers["Retry-After"] = self.get("retry_after").removesuffix("s")
        return error


def without_directives(text: str) -> str:
    """A prompt as the model would see it."""
    return _IN_PROMPT.sub("", text).strip()


@dataclass
class Fault:
    """A directive waiting for matching requests.

    Args:
        directive: what happens.
        method: the HTTP method to match; empty matches all.
        path: a regular expression, searched in the path (with API version, without prefix).
        times: how many requests it hits; None for every one.
    """

    directive: Directive
    method: str = ""
    path: str = ""
    times: int | None = 1
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether it still fires, and for this request."""
        spent = self.times is not None and self.hits >= self.times
        return not spent and self.method in ("", method) and re.search(self.path, path) is not None


class Faults:
    """The faults of one emulator: those set from outside, and how often those in prompts have fired."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._fired: Counter[tuple[str, str]] = Counter()

    def add(self, directive: str, *, method: str = "", path: str = "", times: int | None = 1) -> Fault:
        """Make matching requests fail; the first waiting fault that matches is taken.

        Raises:
            ApiError: 400 for a directive or a regular expression that cannot be read.
        """
        try:
            re.compile(path)
        except re.error as broken:
            raise invalid(f"The emulator cannot read the path expression {path!r}: {broken}.") from None
        parsed = Directive.parse(directive)
        fault = Fault(parsed, method.upper(), path, parsed.number("times", 1) if "times" in parsed else times)
        self._waiting.append(fault)
        return fault

    def add_json(self, body: object) -> Fault:
        """The same from `POST /emulator/faults`."""
        if not is_object(body) or not isinstance(body.get("directive"), str):
            raise invalid('The emulator expects {"match": {"method": …, "path": …}, "times": 1, "directive": "…"}.')
        match: Object = body["match"] if is_object(body.get("match")) else {}
        times = body.get("times", 1)
        return self.add(
            str(body["directive"]),
            method=str(match.get("method", "")),
            path=str(match.get("path", "")),
            times=None if times in (None, 0) else int(times),
        )

    def clear(self) -> None:
        """Forget all faults, and how often directives in prompts have fired."""
        self._waiting.clear()
        self._fired.clear()

    def waiting(self) -> list[Fault]:
        """The faults that can still fire."""
        return [fault for fault in self._waiting if fault.times is None or fault.hits < fault.times]

    def take(self, method: str, path: str) -> Directive:
        """The directive for a request, if a waiting fault matches it."""
        for fault in self._waiting:
            if fault.matches(method, path):
                fault.hits += 1
                return fault.directive
        return Directive()

    def from_prompt(self, texts: Iterable[str], path: str) -> Directive:
        """The directive in a prompt, unless its `times=` are used up for this path."""
        directive = Directive.in_text("\n".join(texts))
        if "times" not in directive:
            return directive
        key = (" ".join(f"{name}={value}" for name, value in sorted(directive.items.items())), path)
        self._fired[key] += 1
        return directive if self._fired[key] <= directive.number("times", 1) else Directive()
