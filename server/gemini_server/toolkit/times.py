"""Points in time as people, models and Google write them: `90`, `1:30`, `00:01:30.5`, `1m30s`, `1.5s`."""

from __future__ import annotations

import math
import re

_PLAIN = re.compile(r"(\d{1,9}(?:[.,]\d{1,9})?)\s*s?")
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,5}):(\d{1,5}(?:[.,]\d{1,9})?)")
_UNITS = re.compile(r"(?:(\d{1,4})\s*h)?\s*(?:(\d{1,5})\s*m(?:in)?)?\s*(?:(\d{1,5}(?:[.,]\d{1,9})?)\s*s)?")


def seconds(value: object) -> float | None:
    """A time in seconds; None for what is none, and for what lies before the start."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if 0 <= value < 1e9 and math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    text = value.strip().lower()
    plain = _PLAIN.fullmatch(text)
    if plain:
        return _number(plain[1])
    found = _CLOCK.fullmatch(text) or (_UNITS.fullmatch(text) if text else None)
    if found is None:
        return None
    hours, minutes, rest = (_number(part) if part else 0.0 for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def duration(value: float) -> str:
    """Seconds as Google's JSON writes a duration: `1.5s`."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"


def clock(value: float, point: str = ".") -> str:
    """Seconds as `HH:MM:SS.mmm`."""
    whole, milliseconds = divmod(round(value * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"


def _number(text: str) -> float:
    return float(text.replace(",", "."))
