"""Speech-like sound: a hum with the vowels, hisses and pauses of a text, as high as its voice."""

from __future__ import annotations

import math
import random
import re
import sys
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache

from .voices import DEFAULT, pitch_of
from .wire import digest

CHARACTERS_PER_SECOND = 14
LONGEST = 60.0
_MOST_CHARACTERS = round(LONGEST * CHARACTERS_PER_SECOND) + CHARACTERS_PER_SECOND
_LINE = re.compile(r"^[ \t]*([^\s:][^:\n]{0,40}):[ \t]*", re.MULTILINE)
_PIECE = re.compile(r"[^\W\d_]+|\d|[^\w]+|_")
_SYLLABLE = re.compile(r"[^aeiouyäöü]{0,4}[aeiouyäöü]{1,3}(?:[^aeiouyäöü]{1,4}$)?|[^aeiouyäöü]{1,4}", re.IGNORECASE)
_FORMANTS = {
    "a": (800, 1200), "e": (480, 1900), "i": (300, 2300), "o": (450, 850), "u": (330, 700), "y": (300, 1900),
    "ä": (650, 1700), "ö": (430, 1450), "ü": (300, 1700),
}  # fmt: skip
_HISSES, _STOPS = "szfhcxj", "ptkbdgq"
_LOUD = 9000
_TONES = (1.12, 1.06, 1.0, 0.94, 0.88)
_ASKING = 1.3


def utter(text: str, voices: Sequence[str], rate: int) -> bytes:
    """The sound of a text."""
    sound = array("h")
    most = round(LONGEST * rate)
    for voice, words in _lines(text, voices):
        if len(sound) >= most:
            break
        for piece in _pieces(words[:_MOST_CHARACTERS], voice, rate):
            sound += piece
    sound = sound[:most]
    if sys.byteorder == "big":
        sound.byteswap()
    return sound.tobytes()


def speakers_in(text: str) -> list[str]:
    """The names before colons, in the order in which they first speak."""
    return list(dict.fromkeys(mark[1] for mark in _LINE.finditer(text)))


def _lines(text: str, voices: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The text in stretches of one voice; with more than one voice, the names before the colons are not said."""
    if len(voices) < 2:
        yield (voices[0] if voices else DEFAULT), text
        return
    speakers = speakers_in(text)
    marks = list(_LINE.finditer(text))
    if not marks:
        yield voices[0], text
        return
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        voice = voices[speakers.index(mark[1]) % len(voices)]
        yield voice, text[mark.end() : following.start() if following else len(text)]


def _pieces(text: str, voice: str, rate: int) -> Iterator[array[int]]:
    """Syllables and pauses, one after the other, each as long as its characters."""
    sentence = 0
    words = _PIECE.findall(text)
    for index, word in enumerate(words):
        if not word[0].isalpha() and not word[0].isdigit():
            sentence = 0 if any(mark in word for mark in ".!?\n") else sentence
            yield array("h", bytes(2 * round(len(word) * rate / CHARACTERS_PER_SECOND)))
            continue
        asking = index + 1 < len(words) and "?" in words[index + 1]
        for syllable in _SYLLABLE.findall(word):
            tone = _ASKING if asking else _TONES[min(sentence, 12) % len(_TONES)]
            sentence += 1
            yield _syllable(syllable.lower(), voice, tone, rate)


@lru_cache(1024)
def _syllable(letters: str, voice: str, tone: float, rate: int) -> array[int]:
    size = round(len(letters) * rate / CHARACTERS_PER_SECOND)
    vowel = next((letter for letter in letters if letter in _FORMANTS), "e")
    onset = letters[0]
    silent = round(0.02 * rate) if onset in _STOPS else 0
    hiss = round(0.045 * rate) if onset in _HISSES else round(0.012 * rate) if onset in _STOPS else 0
    cycle = _cycle(vowel, round(pitch_of(voice) * tone), rate)
    body = max(1, size - silent - hiss)
    attack, release = max(1, rate // 90), max(1, body // 3)
    sound = array("h", bytes(2 * silent))
    rng = random.Random(digest(letters))
    sound.extend(rng.randint(-_LOUD // 5, _LOUD // 5) for _ in range(hiss))
    length = len(cycle)
    sound.extend(int(cycle[at % length] * min(1.0, at / attack, (body - at) / release)) for at in range(body))
    return sound[:size]


@lru_cache(512)
def _cycle(vowel: str, pitch: int, rate: int) -> list[float]:
    """One period of the hum, its overtones strong near the formants of the vowel."""
    size = max(8, round(rate / pitch))
    weights: list[float] = []
    for overtone in range(1, min(size // 2, 24)):
        frequency = overtone * pitch
        near = sum(math.exp(-(((frequency - formant) / 260) ** 2)) for formant in _FORMANTS[vowel])
        weights.append((0.12 + near) / overtone**0.6)
    wave = [
        sum(weight * math.sin(math.tau * overtone * at / size) for overtone, weight in enumerate(weights, 1))
        for at in range(size)
    ]
    peak = max(abs(value) for value in wave) or 1
    return [value / peak * _LOUD for value in wave]
