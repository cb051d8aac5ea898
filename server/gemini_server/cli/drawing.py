"""A small PNG, drawn with the standard library alone: a red circle and a blue square on white."""

from __future__ import annotations

import struct
import zlib

_RED, _BLUE, _WHITE = b"\xdc\x1e\x1e", b"\x28\x46\xdc", b"\xff\xff\xff"


def circle_and_square(width: int = 240, height: int = 140) -> bytes:
    """The picture as the bytes of a PNG file."""
    radius = height * 0.38
    left, middle = width * 0.28, height / 2

    def pixel(x: int, y: int) -> bytes:
        if (x - left) ** 2 + (y - middle) ** 2 <= radius**2:
            return _RED
        return _BLUE if abs(x - width * 0.74) <= radius * 0.9 and abs(y - middle) <= radius * 0.9 else _WHITE

    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
