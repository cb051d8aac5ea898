"""Pictures and recordings made for tests, with a PNG writer of their own."""

from __future__ import annotations

import base64
import math
import struct
import wave
import zlib
from io import BytesIO
from typing import Any

Colour = tuple[int, int, int]
WHITE, RED, BLUE, GREEN = (255, 255, 255), (225, 25, 25), (30, 60, 220), (20, 150, 50)


class Drawing:
    """An RGB picture on which shapes are painted pixel by pixel."""

    def __init__(self, width: int, height: int, background: Colour = WHITE) -> None:
        self.width, self.height = width, height
        self.rows = [[background] * width for _ in range(height)]

    def paint(self, kind: str, colour: Colour, left: int, top: int, right: int, bottom: int) -> Drawing:
        for y in range(top, bottom):
            for x in range(left, right):
                across = (x + 0.5 - (left + right) / 2) / ((right - left) / 2)
                down = (y + 0.5 - (top + bottom) / 2) / ((bottom - top) / 2)
                if kind == "circle" and across**2 + down**2 > 1:
                    continue
                if kind == "triangle" and abs(across) > (down + 1) / 2:
                    continue
                self.rows[y][x] = colour
        return self

    def soft(self) -> Drawing:
        """The same with soft edges, as drawing programs make them."""
        old = self.rows
        self.rows = [
            [
                (_mean(old, x, y, 0), _mean(old, x, y, 1), _mean(old, x, y, 2)) if x and y else old[y][x]
                for x in range(self.width)
            ]
            for y in range(self.height)
        ]
        return self

    def png(self, *, filters: int = 0, kind: int = 2) -> bytes:
        """A PNG file.

        Args:
            filters: the scanline filter of every row, or 5 for all of them in turn.
            kind: the colour type: 0 grey, 2 RGB, 3 palette, 6 RGBA.
        """
        palette = sorted({pixel for row in self.rows for pixel in row})
        size = {0: 1, 2: 3, 3: 1, 6: 4}[kind]
        written, above = b"", bytes(self.width * size)
        for y, row in enumerate(self.rows):
            raw = b"".join(_pixel(pixel, kind, palette) for pixel in row)
            method = y % 5 if filters == 5 else filters
            written += bytes([method]) + _filtered(raw, above, method, size)
            above = raw
        chunks = [(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, kind, 0, 0, 0))]
        if kind == 3:
            chunks.append((b"PLTE", b"".join(map(bytes, palette))))
        chunks += [(b"IDAT", zlib.compress(written)), (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )


def _mean(rows: list[list[Colour]], x: int, y: int, channel: int) -> int:
    return sum(rows[b][a][channel] for a in (x - 1, x) for b in (y - 1, y)) // 4


def _pixel(pixel: Colour, kind: int, palette: list[Colour]) -> bytes:
    if kind == 0:
        return bytes([sum(pixel) // 3])
    if kind == 3:
        return bytes([palette.index(pixel)])
    return bytes(pixel) + (b"\xff" if kind == 6 else b"")


def _filtered(raw: bytes, above: bytes, method: int, size: int) -> bytes:
    if not method:
        return raw
    result = bytearray()
    for at, value in enumerate(raw):
        left = raw[at - size] if at >= size else 0
        corner = above[at - size] if at >= size else 0
        near = min((left, above[at], corner), key=lambda one: abs(left + above[at] - corner - one))
        guess = (0, left, above[at], (left + above[at]) // 2, near)[method]
        result.append((value - guess) & 255)
    return bytes(result)


def grey_png(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of a grey PNG without filters."""
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) == (8, 0)
    at, packed = 8, b""
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(packed)
    return width, height, [raw[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height)]


def recording(*stretches: float, rate: int = 8000) -> bytes:
    """A WAV of tones and pauses in turn, each of so many seconds; the first is a tone."""
    frames = b""
    for index, seconds in enumerate(stretches):
        for at in range(int(seconds * rate)):
            level = 0 if index % 2 else int(9000 * math.sin(at * 440 * math.tau / rate))
            frames += struct.pack("<h", level)
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames)
    return buffer.getvalue()


def inline(mime: str, data: bytes, **more: Any) -> dict[str, Any]:
    """A part with data in it."""
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}, **more}


def picture(drawing: Drawing) -> dict[str, Any]:
    """A part with a PNG."""
    return inline("image/png", drawing.png())
