"""What can be told about an attachment from its first bytes, with the standard library alone."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections import Counter
from dataclasses import dataclass, field

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/webp", "image/gif", "image/heic", "image/heif"})
DOCUMENT_TYPES = frozenset({"application/pdf"})
_TEXTUAL = frozenset(
    {"application/json", "application/xml", "application/rtf", "application/x-javascript", "application/x-python-code",
     "application/javascript", "application/yaml", "application/x-yaml", "application/x-ndjson", "application/sql"}
)  # fmt: skip
_ESTIMATED_AUDIO_BYTES_PER_SECOND = 16_000
_ESTIMATED_VIDEO_BYTES_PER_SECOND = 250_000
_QUOTED = 200
_PIXEL_BYTES = 300_000
_COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (220, 30, 30),
    "green": (30, 160, 50), "blue": (40, 70, 220), "yellow": (245, 220, 40), "orange": (245, 140, 30),
    "purple": (130, 50, 170), "pink": (245, 150, 190), "brown": (125, 80, 40), "cyan": (50, 200, 220),
}  # fmt: skip


@dataclass(frozen=True)
class Media:
    """One attachment: its modality, and what an answer can say about it."""

    modality: str
    mime: str
    summary: str
    text: str = ""
    width: int = 0
    height: int = 0
    seconds: float = 0
    pages: int = 0
    png: bytes = field(default=b"", repr=False)

    @property
    def about(self) -> str:
        """The summary, with the colours of a PNG, which take a moment to find."""
        colours = dominant_colours(self.png) if self.png else []
        return f"{self.summary}, mostly {' and '.join(colours)}" if colours else self.summary


def modality(mime: str) -> str | None:
    """The modality of a MIME type; None for one that the API refuses."""
    mime = mime.partition(";")[0].strip().lower()
    if mime in IMAGE_TYPES:
        return "IMAGE"
    if mime in DOCUMENT_TYPES:
        return "DOCUMENT"
    if mime.startswith("text/") or mime in _TEXTUAL:
        return "TEXT"
    major = mime.partition("/")[0]
    return {"audio": "AUDIO", "video": "VIDEO"}.get(major)


def describe(mime: str, data: str) -> Media:
    """Look into inline data, given in base64."""
    raw = base64.b64decode(data)
    kind = modality(mime) or "TEXT"
    if kind == "IMAGE":
        return _image(mime, raw)
    if kind == "AUDIO":
        return _audio(mime, raw)
    if kind == "VIDEO":
        seconds = _mp4_seconds(raw) or max(1.0, len(raw) / _ESTIMATED_VIDEO_BYTES_PER_SECOND)
        return Media(kind, mime, f"a video ({mime}) of about {seconds:.0f} s", seconds=seconds)
    if kind == "DOCUMENT":
        pages = max(1, len(re.findall(rb"/Type\s*/Page(?![a-zA-Z])", raw)))
        return Media(kind, mime, f"a PDF document of {pages} page{'s' * (pages != 1)}", pages=pages)
    text = raw.decode("utf-8", "replace")
    return Media(kind, mime, f"a text file ({mime}) that begins “{_shorten(text)}”", text=text)


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTED else flat[: _QUOTED - 1] + "…"


def _image(mime: str, raw: bytes) -> Media:
    width, height = image_size(raw)
    size = f"{width}×{height} pixels" if width else "unknown size"
    name = mime.partition("/")[2].upper()
    png = raw if raw.startswith(b"\x89PNG") else b""
    return Media("IMAGE", mime, f"a {name} image of {size}", width=width, height=height, png=png)


def image_size(raw: bytes) -> tuple[int, int]:
    """Width and height from the header of a PNG, GIF, WebP or JPEG; (0, 0) when it is none of them."""
    try:
        if raw.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack(">II", raw[16:24])
        if raw.startswith((b"GIF87a", b"GIF89a")):
            return struct.unpack("<HH", raw[6:10])
        if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
            return _webp_size(raw)
        if raw.startswith(b"\xff\xd8"):
            return _jpeg_size(raw)
    except (struct.error, IndexError):
        pass
    return 0, 0


def _webp_size(raw: bytes) -> tuple[int, int]:
    if raw[12:16] == b"VP8X":
        return int.from_bytes(raw[24:27], "little") + 1, int.from_bytes(raw[27:30], "little") + 1
    if raw[12:16] == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    width, height = struct.unpack("<HH", raw[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(raw: bytes) -> tuple[int, int]:
    at = 2
    while at < len(raw) - 9:
        marker, length = raw[at + 1], int.from_bytes(raw[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", raw[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return 0, 0


def dominant_colours(raw: bytes, most: int = 2) -> list[str]:
    """Names of the commonest colours of an 8-bit, non-interlaced PNG, from a sample of its pixels."""
    try:
        width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", raw[16:29])
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
        if depth != 8 or interlace:
            return []
        chunks = _png_chunks(raw)
        # Unfiltering is slow in Python: of a large picture, only the upper rows are looked at.
        height = max(1, min(height, _PIXEL_BYTES // (width * channels + 1)))
        pixels = zlib.decompressobj().decompress(chunks["IDAT"], (width * channels + 1) * height)
        rows = _unfilter(pixels, width * channels, channels)
    except (struct.error, KeyError, zlib.error, IndexError):
        return []
    palette = chunks.get("PLTE", b"")
    tally: Counter[str] = Counter()
    for row in rows[:: max(1, len(rows) // 64)]:
        for x in range(0, width, max(1, width // 64)):
            pixel = bytes(row[x * channels : (x + 1) * channels])
            if colour_type == 3:
                pixel = palette[pixel[0] * 3 : pixel[0] * 3 + 3]
            tally[_nearest(pixel)] += 1
    total = sum(tally.values())
    return [name for name, count in tally.most_common(most) if count * 10 >= total]


def _png_chunks(raw: bytes) -> dict[str, bytes]:
    chunks: dict[str, bytes] = {}
    at = 8
    while at + 8 <= len(raw):
        length, name = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8].decode("latin-1")
        chunks[name] = chunks.get(name, b"") + raw[at + 8 : at + 8 + length]
        at += 12 + length
    return chunks


def _unfilter(pixels: bytes, stride: int, step: int) -> list[bytearray]:
    """Undo the PNG scanline filters (PNG specification, section 9)."""
    rows: list[bytearray] = []
    above = bytearray(stride)
    for start in range(0, len(pixels) - stride, stride + 1):
        kind, row = pixels[start], bytearray(pixels[start + 1 : start + 1 + stride])
        if kind == 2:
            row = bytearray((a + b) & 255 for a, b in zip(row, above, strict=True))
        elif kind:
            for x in range(stride):
                left = row[x - step] if x >= step else 0
                corner = above[x - step] if x >= step else 0
                row[x] = (row[x] + _predict(kind, left, above[x], corner)) & 255
        rows.append(row)
        above = row
    return rows


def _predict(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


def _nearest(pixel: bytes) -> str:
    red, green, blue = pixel[:3] if len(pixel) >= 3 else (pixel[0], pixel[0], pixel[0])
    return min(
        _COLOURS,
        key=lambda name: sum((a - b) ** 2 for a, b in zip((red, green, blue), _COLOURS[name], strict=True)),
    )


def _audio(mime: str, raw: bytes) -> Media:
    seconds = _wav_seconds(raw) or max(1.0, len(raw) / _ESTIMATED_AUDIO_BYTES_PER_SECOND)
    return Media("AUDIO", mime, f"an audio recording ({mime}) of {seconds:.1f} s", seconds=seconds)


def _wav_seconds(raw: bytes) -> float:
    if not raw.startswith(b"RIFF") or raw[8:12] != b"WAVE":
        return 0
    at, rate = 12, 0
    while at + 8 <= len(raw):
        name, length = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
        if name == b"fmt ":
            rate = int.from_bytes(raw[at + 16 : at + 20], "little")
        elif name == b"data" and rate:
            return min(length, len(raw) - at - 8) / rate
        at += 8 + length + length % 2
    return 0


def _mp4_seconds(raw: bytes) -> float:
    at = raw.find(b"mvhd")
    if at < 0 or len(raw) < at + 32:
        return 0
    if raw[at + 4] == 1:
        scale, length = struct.unpack(">IQ", raw[at + 24 : at + 36])
    else:
        scale, length = struct.unpack(">II", raw[at + 16 : at + 24])
    return length / scale if scale else 0
