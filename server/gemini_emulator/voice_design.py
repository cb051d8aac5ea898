"""What a voice that somebody makes sounds like: how high it is, drawn from the description or the recording.

The same description brings the same voice. A key, which the service hands out in place of a voice that it does not
keep, carries the pitch and the time at which it ends, and a seal over both. Source: `PromptedVoice`, `ReplicatedVoice`
and `Voice.key` in the official SDK of November 2026.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime

from .wire import digest

KEY = "voicekey_"
_WORD = re.compile(r"[a-z]+")
_LOWER = frozenset(
    {"deep", "low", "booming", "bass", "baritone", "gravelly", "growling", "ogre", "giant", "male", "man",
     "king", "grandfather", "old", "gruff", "dark"}
)  # fmt: skip
_HIGHER = frozenset(
    {"high", "bright", "shrill", "squeaky", "child", "kid", "girl", "boy", "fairy", "female", "woman", "queen",
     "soprano", "young", "elf", "light", "tiny"}
)  # fmt: skip
_FEMALE = frozenset(
    {"female", "woman", "girl", "lady", "queen", "soprano", "grandmother", "mother", "feminine"}
)  # fmt: skip
_MALE = frozenset(
    {"male", "man", "boy", "gentleman", "king", "baritone", "grandfather", "father", "masculine"}
)  # fmt: skip
_DEEPEST, _HIGHEST = 70, 330
_STEP = 14
_MIDDLE = 165
_SPREAD = 25


def described(text: str, base: int | None = None) -> int:
    """The pitch in hertz of a voice that is described.

    Args:
        text: the description; with a base, what is to be different.
        base: the pitch of the voice that it starts from.
    """
    words = _WORD.findall(text.lower())
    leaning = sum(word in _HIGHER for word in words) - sum(word in _LOWER for word in words)
    chance = int.from_bytes(digest(text, base)[:4], "big") % _SPREAD
    shift = max(-4, min(4, leaning)) * (_STEP if leaning > 0 else _STEP // 2 + 6)
    start = _MIDDLE if base is None else base
    return _held(start + shift + chance - _SPREAD // 2 + (1 if base is not None and not shift else 0))


def recorded(data: bytes) -> int:
    """The pitch in hertz of a voice that is taken from a recording."""
    span = _HIGHEST - _DEEPEST
    return _DEEPEST + int.from_bytes(hashlib.sha256(data).digest()[:4], "big") % span


def gender_of(text: str) -> str:
    """The gender that a description speaks of; `neutral` where it names none, or both."""
    words = set(_WORD.findall(text.lower()))
    female, male = bool(words & _FEMALE), bool(words & _MALE)
    return "neutral" if female == male else "female" if female else "male"


def key_of(pitch: int, expires: datetime) -> str:
    """A key that stands for a voice until a time."""
    said = f"{pitch}:{int(expires.timestamp())}"
    raw = f"{said}:{_seal(said)}".encode()
    return KEY + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_key(key: str) -> tuple[int, datetime] | None:
    """The pitch behind a key and the time at which it ends; None for what is no key."""
    text = key.removeprefix(KEY)
    try:
        said, _, seal = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().rpartition(":")
    except ValueError:
        return None
    if not key.startswith(KEY) or seal != _seal(said):
        return None
    pitch, _, moment = said.partition(":")
    return int(pitch), datetime.fromtimestamp(int(moment), UTC)


def _seal(said: str) -> str:
    return hashlib.sha256(f"voice key {said}".encode()).hexdigest()[:16]


def _held(hertz: int) -> int:
    return max(_DEEPEST, min(_HIGHEST, hertz))
