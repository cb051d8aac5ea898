"""Colours by name."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from . import png
from .png import Pixel

COLOURS: dict[str, Pixel] = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (220, 30, 30),
    "green": (30, 160, 50), "blue": (40, 70, 220), "yellow": (245, 220, 40), "orange": (245, 140, 30),
    "purple": (130, 50, 170), "pink": (245, 150, 190), "brown": (125, 80, 40), "cyan": (50, 200, 220),
}  # fmt: skip
_SAMPLED_BYTES = 300_000
_SAMPLES = 64


def distance(one: Pixel, other: Pixel) -> int:
    """The squared distance of two colours."""
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


@lru_cache(4096)
def name_of(pixel: Pixel) -> str:
    """The nearest name."""
    return min(COLOURS, key=lambda name: distance(pixel, COLOURS[name]))


def shares(raw: bytes) -> dict[str, float]:
    """The commonest colours of a PNG and their shares, from a sample of its upper rows; empty for other files."""
    # Unfiltering is slow in Python: of a large picture, only the upper rows are looked at.
    picture = png.decode(raw, _SAMPLED_BYTES)
    if picture is None:
        return {}
    tally: Counter[str] = Counter()
    for y in range(0, len(picture.rows), max(1, len(picture.rows) // _SAMPLES)):
        tally.update(name_of(pixel) for pixel in picture.pixels(y, max(1, picture.width // _SAMPLES)))
    total = sum(tally.values())
    return {name: count / total for name, count in tally.most_common()}


def dominant(raw: bytes, most: int = 2) -> list[str]:
    """The names of colours that fill a tenth of a PNG or more."""
    return [name for name, share in list(shares(raw).items())[:most] if share >= 0.1]
