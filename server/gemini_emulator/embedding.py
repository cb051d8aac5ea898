"""Vectors in which likeness means something, without a model.

A text becomes a weighted bag of features: its words in a crude normal form, the concepts they stand for, and the
trigrams of their letters; a picture those of its colours and shapes. Each feature has a random vector of ±1, drawn from
its name, and the sum of them all is scaled to unit length. So texts that share words, or mean the same by the little
thesaurus, lie close. The sums run over all 3,072 dimensions at once, as 16-bit lanes of one large integer.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from operator import mul

from .concepts import CONCEPTS
from .facts import STOP, stem

DIMENSIONS = 3072
_LANE = 16
_ONES = int.from_bytes(b"\x01\x00" * DIMENSIONS, "little")
_GROUP = 1000
_LONGEST = 64
_TRIGRAM_BUCKETS = 2048
_SCALE = 10**8
_WORD = re.compile(r"[a-z0-9à-öø-ÿāăąćčďęěğıłńňőřśşšťůűźżžœ]+|[\u0370-\u1fff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]+")
_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")

Features = dict[str, int]
"""Names (`w:cat`, `c:cat`, `t:cat`) and their weights."""


def of_words(text: str) -> Features:
    """The features of a text."""
    counts = Counter(_WORD.findall(text.lower()))
    features: Counter[str] = Counter()
    for word, count in counts.items():
        weight = 1 if word in STOP else 4 + min(4, int(math.log2(count)))
        features["word:" + word] += weight
    if not counts and text.strip():
        features["word:" + text.strip()[:_LONGEST]] = 4
    return features


def of_concepts(weights: dict[str, float]) -> Features:
    """The features of something that is no text, from the words for what can be seen in it."""
    return {f"word:{word}": max(1, round(12 * weight)) for word, weight in weights.items()}


def vector(features: Iterable[tuple[str, int]], space: str) -> list[float]:
    """The unit vector of a bag of features.

    Args:
        features: names and weights.
        space: the model; vectors of different spaces have nothing to do with each other.
    """
    named = [("bias:" + space, 3), *features]
    lanes = [0] * DIMENSIONS
    weight = 0
    for start in range(0, len(named), _GROUP):
        total = 0
        for name, times in named[start : start + _GROUP]:
            ones, heavy = _word(name, space)
            total += ones * times
            weight += heavy * times
        found = _unpacked(total)
        lanes = found if not start else [one + other for one, other in zip(lanes, found, strict=True)]
    # A lane counts the ones among `weight` coins; twice the count less their number is the sum of ±1.
    square = 4 * sum(map(mul, lanes, lanes)) - 4 * weight * sum(lanes) + DIMENSIONS * weight * weight
    factor = 2 * round(_SCALE * 2**20 / math.sqrt(square))
    offset = factor * weight // 2
    return [(lane * factor - offset >> 20) / _SCALE for lane in lanes]


def shortened(values: list[float], size: int, *, normalised: bool) -> list[float]:
    """The first dimensions of a vector, scaled to unit length again where the model does that."""
    if size == len(values):
        return values
    cut = values[:size]
    length = math.sqrt(sum(map(mul, cut, cut)))
    return [round(value / length, 8) for value in cut] if normalised and length else cut


def _unpacked(total: int) -> list[int]:
    return memoryview(total.to_bytes(DIMENSIONS * _LANE // 8, sys.byteorder)).cast("H").tolist()


@lru_cache(4096)
def _word(name: str, space: str) -> tuple[int, int]:
    """The coins of a word with all that belongs to it, and how many there are in each lane."""
    kind, _, word = name.partition(":")
    if kind != "word":
        return _coins(name, space), 1
    bare = stem(word)
    concept = CONCEPTS.get(word) or CONCEPTS.get(bare)
    total, weight = 3 * _coins(f"stem:{bare}", space), 3
    if concept:
        total, weight = total + 5 * _coins(f"concept:{concept}", space), weight + 5
    for trigram in _trigrams(word):
        total, weight = total + _trigram(_bucket(trigram), space), weight + 1
    return total, weight


def _trigrams(word: str) -> list[str]:
    if _CJK.search(word):
        return [word[at : at + 2] for at in range(min(len(word), 12))]
    padded = f"^{word}$"
    return [padded[at : at + 3] for at in range(min(len(padded) - 2, 12))]


def _bucket(trigram: str) -> int:
    return int.from_bytes(hashlib.blake2b(trigram.encode(), digest_size=4).digest(), "big") % _TRIGRAM_BUCKETS


@lru_cache(_TRIGRAM_BUCKETS)
def _trigram(bucket: int, space: str) -> int:
    return _coins(f"trigram:{bucket}", space)


def _coins(name: str, space: str) -> int:
    """3,072 random bits, one in each lane."""
    return random.Random(f"{space} {name}").getrandbits(_LANE * DIMENSIONS) & _ONES
