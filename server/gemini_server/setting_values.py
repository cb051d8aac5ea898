"""What a setting is when it is written as text, in the environment or behind a flag."""

from __future__ import annotations

import os
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from gemini_server.errors import UnsafeSetting

YES = ("1", "true", "yes", "on")
"""How a switch is set; in small letters."""
_NO = ("0", "false", "no", "off")
_LISTS = ("toolsets", "tools", "exclude_tools", "allowed_hosts", "webhook_secrets")
_SWITCHES = ("allow_http", "allow_sensitive", "read_only", "emulate", "sidecars", "keyring")
_WHOLE = ("max_calls", "keep_days")
_NUMBERS = (*_WHOLE, "timeout", "poll", "lease")
_CHOICES = {
    "auth": ("api-key", "bearer", "raw", "google"),
    "backend": ("developer", "enterprise"),
    "dialect": ("google", "openai"),
    "image_api": ("generate", "interactions"),
    "log_level": ("debug", "info", "warning", "error"),
    "text_api": ("generate", "interactions"),
}
"""What a setting may be that is one of a few words."""


def value_of(name: str, raw: str, variable: str) -> Any:
    """The value of a setting.

    Args:
        name: of the setting.
        raw: what is written.
        variable: where it is written.

    Raises:
        UnsafeSetting: it cannot be understood; the message names the variable.
    """
    if name in _LISTS:
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if name == "allow_dirs":
        return tuple(Path(part) for part in raw.split(os.pathsep) if part)
    if name.endswith(("_dir", "_file")):
        return Path(raw)
    if name == "output_quota":
        return _bytes(raw, variable)
    if name == "daily_cap":
        return dollars(raw, variable)
    if name in _SWITCHES:
        return _switch(raw, variable)
    if name in _CHOICES:
        return _choice(_CHOICES[name], raw, variable)
    if name in _NUMBERS:
        return _number(raw, variable, whole=name in _WHOLE)
    return raw


def dollars(raw: str, where: str) -> Decimal:
    """An amount of US dollars.

    Raises:
        UnsafeSetting: it is none; the message names `where`.
    """
    try:
        amount = Decimal(raw.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(-1)
    if not (amount.is_finite() and 0 <= amount < 1_000_000):
        raise UnsafeSetting(f"{where} must be an amount of US dollars such as 5 or 0.50, not {raw[:40]!r}.")
    return amount


def _switch(raw: str, variable: str) -> bool:
    lowered = raw.lower()
    if lowered not in (*YES, *_NO):
        raise UnsafeSetting(f"{variable} must be 1 or 0, not {_quoted(raw)}.")
    return lowered in YES


def _choice(choices: tuple[str, ...], raw: str, variable: str) -> str:
    if raw.lower() not in choices:
        *others, last = choices
        raise UnsafeSetting(f"{variable} must be {', '.join(others)} or {last}, not {_quoted(raw)}.")
    return raw.lower()


def _number(raw: str, variable: str, *, whole: bool) -> float:
    try:
        number = int(raw) if whole else float(raw)
    except ValueError:
        raise UnsafeSetting(f"{variable} must be a number, not {_quoted(raw)}.") from None
    if not 0 < number < 1_000_000:
        raise UnsafeSetting(f"{variable} must be above 0, not {_quoted(raw)}.")
    return number


def _bytes(raw: str, variable: str) -> int:
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?) ?(?:([kmgt])(i?)b?|b)?", raw, re.IGNORECASE | re.ASCII)
    if found is None:
        raise UnsafeSetting(f"{variable} must be a number of bytes such as 20GB or 500MiB, not {raw[:40]!r}.")
    power = "kmgt".index(found[2].lower()) + 1 if found[2] else 0
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def _quoted(raw: str) -> str:
    return repr(raw if len(raw) <= 40 else raw[:39] + "…")
