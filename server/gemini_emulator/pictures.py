"""A small real PNG where an image model is asked for a picture."""

from __future__ import annotations

import base64
import random
import struct
import zlib

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
        rows += b"\0" + pixel * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    text = b"Comment\0made by an emulator, not by Gemini"
    chunks = ((b"IHDR", header), (b"tEXt", text), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return {"mimeType": "image/png", "data": base64.b64encode(png).decode()}
