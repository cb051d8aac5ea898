"""PNG files, read and written with the standard library: 8-bit, not interlaced (PNG specification, third edition)."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

Pixel: TypeAlias = tuple[int, int, int]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_LARGEST = 32_000_000
_COMMENT = b"Comment\0made by an emulator, not by Gemini"


@dataclass(frozen=True)
class Picture:
    """A decoded picture, or the upper rows of one.

    Args:
        width: in pixels.
        height: of the whole picture, in pixels.
        rows: the bytes of each row that was read.
        colour_type: as in the header (0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA).
        palette: RGB triples.
    """

    width: int
    height: int
    rows: list[bytearray]
    colour_type: int
    palette: bytes

    def pixels(self, y: int, step: int = 1) -> list[Pixel]:
        """Every `step`-th pixel of a row as RGB, over white where the picture is transparent."""
        row = self.rows[y]
        if self.colour_type in (2, 6):
            size = 3 if self.colour_type == 2 else 4
            red, green, blue = (row[channel :: size * step] for channel in range(3))
            alpha = row[3 :: size * step] if size == 4 else b""
        elif self.colour_type == 3:
            red, green, blue = (row[::step].translate(self._channel(channel)) for channel in range(3))
            alpha = b""
        else:
            size = 2 if self.colour_type == 4 else 1
            red = green = blue = row[:: size * step]
            alpha = row[1 :: size * step] if size == 2 else b""
        colours = list(zip(red, green, blue, strict=True))
        if not alpha or min(alpha) == 255:
            return colours
        return [_over_white(colour, share) for colour, share in zip(colours, alpha, strict=True)]

    def _channel(self, channel: int) -> bytes:
        return self.palette[channel::3].ljust(256, b"\0")[:256]


def decode(raw: bytes, most_bytes: int = _LARGEST) -> Picture | None:
    """A picture; None for one that is broken, too large, interlaced or not of eight bits.

    Args:
        raw: the file.
        most_bytes: how much to unpack; a larger picture is cut off below.
    """
    try:
        width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", raw[16:29])
        channels = _CHANNELS[colour_type]
        if not raw.startswith(SIGNATURE) or depth != 8 or interlace or not width or not height:
            return None
        found = _chunks(raw)
        stride = width * channels
        kept = max(1, min(height, most_bytes // (stride + 1)))
        if stride > _LARGEST:
            return None
        data = zlib.decompressobj().decompress(found["IDAT"], (stride + 1) * kept)
        rows = _unfilter(data, stride, channels)
    except (struct.error, KeyError, zlib.error, IndexError):
        return None
    return Picture(width, height, rows, colour_type, found.get("PLTE", b"")) if rows else None


def encode(width: int, height: int, pixels: bytes | bytearray) -> bytes:
    """A PNG of RGB pixels, or of grey ones where there is one byte for each; it says who made it."""
    channels = len(pixels) // (width * height)
    stride = width * channels
    rows = b"".join(b"\0" + bytes(pixels[at : at + stride]) for at in range(0, stride * height, stride))
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"tEXt", _COMMENT), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def inline(png: bytes) -> dict[str, str]:
    """A PNG as `inlineData`."""
    return {"mimeType": "image/png", "data": base64.b64encode(png).decode()}


def _over_white(colour: Pixel, alpha: int) -> Pixel:
    red, green, blue = (255 - (255 - one) * alpha // 255 for one in colour)
    return red, green, blue


def _chunks(raw: bytes) -> dict[str, bytes]:
    parts: dict[str, list[bytes]] = {}
    at = 8
    while at + 8 <= len(raw):
        length, name = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8].decode("latin-1")
        parts.setdefault(name, []).append(raw[at + 8 : at + 8 + length])
        at += 12 + length
    return {name: b"".join(pieces) for name, pieces in parts.items()}


def _unfilter(pixels: bytes, stride: int, step: int) -> list[bytearray]:
    """Undo the scanline filters (section 9)."""
    rows: list[bytearray] = []
    above = bytearray(stride)
    for start in range(0, len(pixels) - stride, stride + 1):
        kind, row = pixels[start], bytearray(pixels[start + 1 : start + 1 + stride])
        if kind == 1:
            for channel in range(step):
                row[channel::step] = bytes([value & 255 for value in accumulate(row[channel::step])])
        elif kind == 2:
            row = bytearray([(a + b) & 255 for a, b in zip(row, above, strict=True)])
        elif kind == 3:
            for x in range(stride):
                row[x] = (row[x] + ((row[x - step] if x >= step else 0) + above[x]) // 2) & 255
        elif kind == 4:
            _paeth(row, above, step)
        rows.append(row)
        above = row
    return rows


def _paeth(row: bytearray, above: bytearray, step: int) -> None:
    for x in range(min(step, len(row))):
        row[x] = (row[x] + above[x]) & 255
    for x in range(step, len(row)):
        left, up, corner = row[x - step], above[x], above[x - step]
        to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        if to_left <= to_up and to_left <= to_corner:
            row[x] = (row[x] + left) & 255
        else:
            row[x] = (row[x] + (up if to_up <= to_corner else corner)) & 255
