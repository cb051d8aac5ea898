"""The music of Lyria RealTime: endless, computed beat by beat from prompts and configuration.

Each prompt has a sound of its own, drawn from its words, and is as loud as its share of the weights. A bass drum marks
every beat, so that the tempo can be measured; the chords are those of the key. 48 kHz, stereo, 16 bit.
"""

from __future__ import annotations

import math
import random
from array import array
from dataclasses import dataclass
from functools import lru_cache

from .wire import digest

RATE = 48_000
SECONDS = 2
CHANNELS = 2
_USUAL_BPM = 120
_PATTERN = 16
_PROGRESSIONS = ((0, 5, 7, 0), (0, 9, 5, 7), (9, 5, 0, 7), (0, 7, 9, 5))
_MINOR = frozenset({2, 4, 9, 11})
_LOUD = 9_000
_DRUM = 14_000
_LOWEST_C = 65.41


@dataclass(frozen=True)
class Mix:
    """All that the sound depends on.

    Args:
        prompts: texts with their shares, which add up to one.
        bpm: beats a minute.
        key: semitones above C.
        density: how much happens, 0 to 1.
        brightness: how many overtones there are, 0 to 1.
        seed: another take of the same.
        bass, drums, others: which parts are heard.
    """

    prompts: tuple[tuple[str, float], ...]
    bpm: int = _USUAL_BPM
    key: int = 0
    density: float = 0.5
    brightness: float = 0.5
    seed: int = 0
    bass: bool = True
    drums: bool = True
    others: bool = True


def chunk(mix: Mix, number: int) -> bytes:
    """Two seconds of the music, as interleaved little-endian PCM.

    Args:
        mix: what is heard.
        number: which two seconds, from the beginning.
    """
    first = number * SECONDS * RATE
    length = SECONDS * RATE
    mono = array("h")
    beat = first * mix.bpm // (60 * RATE)
    while len(mono) < length:
        start, end = _start(beat, mix.bpm), _start(beat + 1, mix.bpm)
        sound = _beat(mix, beat % _PATTERN)
        mono += sound[max(0, first + len(mono) - start) : end - start]
        beat += 1
    del mono[length:]
    stereo = array("h", bytes(2 * CHANNELS * length))
    for channel in range(CHANNELS):
        stereo[channel::CHANNELS] = mono
    return stereo.tobytes()


def _start(beat: int, bpm: int) -> int:
    return beat * 60 * RATE // bpm


@lru_cache(maxsize=256)
def _beat(mix: Mix, number: int) -> array[int]:
    """One beat of sixteen, a sample longer than it may be needed."""
    length = 60 * RATE // mix.bpm + 1
    total = [0.0] * length
    for text, share in mix.prompts:
        rng = random.Random(digest(text, mix.seed))
        chords = rng.choice(_PROGRESSIONS)
        step = chords[number // 4 % len(chords)]
        timbre = [rng.random() / (harmonic + 1) for harmonic in range(2 + round(6 * mix.brightness))]
        if mix.others:
            notes = 1 + round(3 * mix.density)
            offsets = [rng.choice((0, 3 if step in _MINOR else 4, 7, 12)) for _ in range(notes)]
            for at, offset in enumerate(offsets):
                begin = at * length // notes
                _note(total, begin, length // notes, mix.key + step + 24 + offset, timbre, share * _LOUD)
        if mix.bass:
            _note(total, 0, length, mix.key + step, [1.0, 0.2], share * _LOUD / 2)
    if mix.drums:
        for at, value in enumerate(_drum()[:length]):
            total[at] += value
    return array("h", [max(-32_768, min(32_767, int(value))) for value in total])


def _note(total: list[float], begin: int, length: int, semitones: int, timbre: list[float], loud: float) -> None:
    """Add a note that dies away, from one period of its wave."""
    period = round(RATE / (_LOWEST_C * 2 ** (semitones / 12)))
    scale = loud / (sum(timbre) or 1)
    wave = [
        scale * sum(part * math.sin(2 * math.pi * (index + 1) * at / period) for index, part in enumerate(timbre))
        for at in range(period)
    ]
    fall = 0.05 ** (1 / max(1, length // period))
    level = 1.0
    for start in range(begin, begin + length, period):
        for at, value in enumerate(wave[: begin + length - start], start):
            total[at] += level * value
        level *= fall


@lru_cache(maxsize=1)
def _drum() -> list[float]:
    """A bass drum of a tenth of a second."""
    return [
        _DRUM * math.exp(-at / 1_200) * math.sin(2 * math.pi * (50 * at / RATE + 2 * (1 - math.exp(-at / 600))))
        for at in range(RATE // 10)
    ]
