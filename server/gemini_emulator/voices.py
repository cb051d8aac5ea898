"""The voices by name, and how high each of them is here. Source: "Voice options" of the speech generation guide.

A voice that a user has made is known by what it sounds like alone, once `voice_references` has looked it up.
"""

from __future__ import annotations

import re

DEFAULT = "Kore"

PREBUILT = (
    "Zephyr", "Puck", "Charon", "Kore", "Fenrir", "Leda", "Orus", "Aoede", "Callirrhoe", "Autonoe", "Enceladus",
    "Iapetus", "Umbriel", "Algieba", "Despina", "Erinome", "Algenib", "Rasalgethi", "Laomedeia", "Achernar", "Alnilam",
    "Schedar", "Gacrux", "Pulcherrima", "Achird", "Zubenelgenubi", "Vindemiatrix", "Sadachbia", "Sadaltager", "Sulafat",
)  # fmt: skip
"""The thirty names."""

_DEEP = frozenset(
    {"Puck", "Charon", "Fenrir", "Orus", "Enceladus", "Iapetus", "Umbriel", "Algieba", "Algenib", "Rasalgethi",
     "Alnilam", "Schedar", "Achird", "Zubenelgenubi", "Sadachbia", "Sadaltager"}
)  # fmt: skip
_BY_LOWER = {name.lower(): name for name in PREBUILT}
_MADE = re.compile(r"(\d+) Hz")


def known(name: str) -> str | None:
    """The voice of a name, whatever its case; None for one that does not exist."""
    return _BY_LOWER.get(name.lower())


def is_deep(name: str) -> bool:
    """Whether a prebuilt voice is a deep one."""
    return name in _DEEP


def made(pitch: int) -> str:
    """The voice of a pitch, for speech.

    Args:
        pitch: in hertz.
    """
    return f"{pitch} Hz"


def pitch_of(voice: str) -> int:
    """The pitch in hertz; each voice has its own."""
    found = _MADE.fullmatch(voice)
    if found:
        return int(found[1])
    name = known(voice) or voice
    step = PREBUILT.index(name) if name in PREBUILT else sum(name.encode()) % len(PREBUILT)
    return 92 + 2 * step if name in _DEEP else 168 + 3 * step
