"""The one place that hides secrets: logs, errors and spans all pass their text through `redact`.

What is hidden: every secret registered with `remember_secret` (as it stands and percent-encoded), and whatever looks
like a Google credential even if nobody registered it: API keys (`AIza…`, `AQ.…`), OAuth tokens (`ya29.…`), `Bearer …`,
ephemeral tokens (`auth_tokens/…`), webhook secrets (`whsec_…`), the credential-bearing query values of signed and
resumable URLs, and the values of the headers that carry a credential.
"""

from __future__ import annotations

import logging
import re
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"

_SHORTEST_SECRET = 4
_UNMISTAKABLE = 16
"""Registered secrets shorter than this are ignored: hiding every "ab" would make all texts unreadable."""

_QUERY = (
    r"(?P<query>(?<![\w-])(?:api_?key|key|token|access_token|refresh_token|id_token|client_secret|upload_id|"
    r"x-goog-signature|x-goog-credential|x-goog-security-token|x-amz-signature|x-amz-credential|sig|signature)=)"
    r"[^&\s\"'<>\\]+"
)
_HEADER = (
    r"(?P<header>(?<![\w-])(?:x-goog-api-key|x-goog-upload-url|x-goog-upload-control-url|proxy-authorization|"
    r"authorization)\\?[\"']?\s*[:=]\s*(?:b?\\?[\"'])?)(?:(?:bearer|basic)\s+)?[^\s\"',}\\]+"
)
_VALUES = (
    r"AIza[0-9A-Za-z_-]{35}|(?<![\w.])AQ\.[\w-]+|ya29\.[\w.-]+|(?P<bearer>\bbearer\s+)[\w.~+/=-]{4,}|"
    r"(?P<token>auth_tokens/)[\w-]+|whsec_[\w+/=-]+"
)
_SHAPES = re.compile(f"{_HEADER}|{_QUERY}|{_VALUES}", re.IGNORECASE | re.ASCII)


class _Known:
    """The registered secrets and the one pattern that finds any of them."""

    def __init__(self) -> None:
        self.forms: set[str] = set()
        self.pattern: re.Pattern[str] | None = None
        self.unmistakable: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        forms = _spellings(secret)
        if not forms <= self.forms:
            self.forms |= forms
            self._compile()

    def remove(self, secret: str) -> None:
        self.forms = self.forms - _spellings(secret)
        self._compile()

    def _compile(self) -> None:
        longest_first = sorted(self.forms, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(_as_pattern, longest_first))) if longest_first else None
        long = [form for form in longest_first if len(form) >= _UNMISTAKABLE]
        self.unmistakable = re.compile("|".join(map(re.escape, long))) if long else None


def _spellings(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), quote_plus(secret)}


def _as_pattern(form: str) -> str:
    # A short key may be part of a word: only the word itself is the key.
    return re.escape(form) if len(form) >= _UNMISTAKABLE else rf"(?<!\w){re.escape(form)}(?!\w)"


_known = _Known()


def remember_secret(secret: str) -> None:
    """Hides `secret` wherever it appears from now on, also percent-encoded.

    Args:
        secret: the exact value. Surrounding whitespace does not count; fewer than 4 characters are ignored.
    """
    stripped = secret.strip()
    if len(stripped) >= _SHORTEST_SECRET:
        _known.add(stripped)


def forget_secret(secret: str) -> None:
    """No longer hides what `remember_secret` was given: it opens nothing any more, and there may be many such."""
    _known.remove(secret.strip())


def _hide(match: re.Match[str]) -> str:
    kept = match.lastgroup
    return f"{match[kept]}{HIDDEN}" if kept else HIDDEN


def hide_known(value: Any) -> Any:
    """A JSON value with the known secrets hidden and nothing else changed: for answers, which may hold any text.

    Secrets shorter than 16 characters stay: they may be words, and an answer must not be changed by accident.
    """
    if _known.unmistakable is None:
        return value
    if isinstance(value, str):
        return _known.unmistakable.sub(HIDDEN, value)
    if isinstance(value, list):
        return [hide_known(item) for item in cast(list[object], value)]
    if isinstance(value, dict):
        return {key: hide_known(item) for key, item in cast(dict[str, Any], value).items()}
    return value


def begins_secret(text: str) -> int:
    """How many characters at the end of a text may be the beginning of a known secret."""
    if _known.unmistakable is None:
        return 0
    return max((_overlap(text, form) for form in _known.forms if len(form) >= _UNMISTAKABLE), default=0)


def _overlap(text: str, form: str) -> int:
    for length in range(min(len(text), len(form) - 1), 0, -1):
        if form.startswith(text[-length:]):
            return length
    return 0


def redact(text: str) -> str:
    """`text` with every known or recognisable secret replaced by `[hidden]`."""
    if _known.pattern is not None:
        text = _known.pattern.sub(HIDDEN, text)
    return _SHAPES.sub(_hide, text)


class RedactingFormatter(logging.Formatter):
    """A log formatter whose whole output is redacted: message, arguments, traceback and stack.

    The traceback is redacted on its own as well, because `logging` keeps it on the record for the handlers that follow.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The finished line, without secrets."""
        return redact(super().format(record))

    def formatException(  # noqa: N802 - the name is logging's
        self,
        ei: (tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]),
    ) -> str:
        """The traceback, without secrets."""
        return redact(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the name is logging's
        """The stack, without secrets."""
        return redact(super().formatStack(stack_info))
