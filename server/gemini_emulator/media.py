"""What can be told about an attachment from its first bytes, with the standard library alone."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass, field

from .colours import dominant
from .office import OFFICE_TYPES, look_into
from .sound import wave_of

IMAGE_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/jpg", "image/webp", "image/gif", "image/heic", "image/heif", "image/avif"}
)
DOCUMENT_TYPES = frozenset({"application/pdf", *OFFICE_TYPES})
_TEXTUAL = frozenset(
    {"application/json", "application/xml", "application/rtf", "application/x-javascript", "application/x-python-code",
     "application/javascript", "application/yaml", "application/x-yaml", "application/x-ndjson", "application/sql",
     "application/x-typescript", "application/x-ipynb+json", "application/typescript"}
)  # fmt: skip
_ESTIMATED_AUDIO_BYTES_PER_SECOND = 16_000
_ESTIMATED_VIDEO_BYTES_PER_SECOND = 250_000
_QUOTED = 200


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
        colours = dominant(self.png) if self.png else []
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
        if mime.partition(";")[0] in OFFICE_TYPES:
            name, pages, text = look_into(mime, raw)
            about = f" that begins “{_shorten(text)}”" if text else ""
            return Media(kind, mime, f"{name}{about}", text=text, pages=pages)
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


def _audio(mime: str, raw: bytes) -> Media:
    wave = wave_of(raw)
    seconds = wave.seconds if wave else max(1.0, len(raw) / _ESTIMATED_AUDIO_BYTES_PER_SECOND)
    return Media("AUDIO", mime, f"an audio recording ({mime}) of {seconds:.1f} s", seconds=seconds)


def _mp4_seconds(raw: bytes) -> float:
    at = raw.find(b"mvhd")
    if at < 0 or len(raw) < at + 32:
        return 0
    if raw[at + 4] == 1:
        scale, length = struct.unpack(">IQ", raw[at + 24 : at + 36])
    else:
        scale, length = struct.unpack(">II", raw[at + 16 : at + 24])
    return length / scale if scale else 0
