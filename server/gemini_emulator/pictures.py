"""A small real PNG where an image model is asked for a picture."""

from __future__ import annotations

import random

from .png import encode, inline
from .wire import Object

_SIDES = {"1:1": (64, 64), "16:9": (96, 54), "9:16": (54, 96), "4:3": (80, 60), "3:4": (60, 80), "3:2": (90, 60)}


def picture(rng: random.Random, config: Object) -> Object:
    """`inlineData` of a two-colour gradient in the aspect ratio that was asked for."""
    width, height = _SIDES.get(config.get("imageConfig", {}).get("aspectRatio", "1:1"), (64, 64))
    start, end = ([rng.randint(0, 255) for _ in range(3)] for _ in range(2))
    rows = bytearray()
    for y in range(height):
        share = y / height
        pixel = bytes(round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
        rows += pixel * width
    return inline(encode(width, height, rows))
