"""What a file is, judged by its first bytes, in the spelling of MIME types that Gemini documents.

The bytes win over the name. The name only refines what bytes cannot tell apart: kinds of text, an audio-only MP4, an
office document whose parts lie beyond the head.
"""

from __future__ import annotations

import codecs
import re
from pathlib import PurePosixPath

from gemini_server.toolkit.mime_types import (
    BY_EXTENSION,
    EXTENSION,
    OFFICE_EXTENSIONS,
    SUPPORTED,
    TEXT_EXTENSIONS,
    plain,
)

HEAD_BYTES = 8192
"""How many bytes from the start `sniff` likes to see."""

UNKNOWN = "application/octet-stream"

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"FLV\x01", "video/x-flv"),
    (b"ADIF", "audio/aac"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "text/rtf"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), "image/heic"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P "), "audio/m4a"),
    b"qt  ": "video/mov",
}
_ZIP_FOLDERS = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_ASF = bytes.fromhex("3026b2758e66cf11")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def sniff(head: bytes, name: str = "") -> str:
    """The MIME type of a file that starts with `head`; `application/octet-stream` when nothing is recognised.

    Args:
        head: the first bytes, best `HEAD_BYTES` of them or all there are.
        name: the file's name; its extension only refines what the bytes leave open.
    """
    head, extension = head[:HEAD_BYTES], PurePosixPath(name).suffix.lower()
    for magic, mime_type in _MAGIC:
        if head.startswith(magic):
            return mime_type
    return _container(head, extension) or _audio_frames(head) or _text(head, extension) or UNKNOWN


def by_name(name: str) -> str:
    """What a name's extension suggests, for what cannot be read here; empty when it suggests nothing."""
    return BY_EXTENSION.get(PurePosixPath(name).suffix.lower(), "")


def supported(mime_type: str) -> bool:
    """Whether Gemini takes this type as inline data; parameters such as `;rate=24000` do not matter."""
    return plain(mime_type) in SUPPORTED


def extension_for(mime_type: str) -> str:
    """The usual extension with its dot; `.bin` for a type that is not known here."""
    return EXTENSION.get(plain(mime_type), ".bin")


def _container(head: bytes, extension: str) -> str:
    if head[:4] in (b"RIFF", b"RF64"):
        return _RIFF.get(head[8:12], "")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if head[4:8] == b"ftyp":
        return _base_media(head, extension)
    if head[4:8] in (b"moov", b"mdat", b"wide") and head[:1] == b"\x00":
        return "video/mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska(head)
    if head.startswith(_ASF):
        return "video/wmv" if _ASF_VIDEO in head or extension != ".wma" else "audio/x-ms-wma"
    if head.startswith(b"BM") and head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    if head.startswith(b"PK\x03\x04"):
        return _zip(head, extension)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):  # one container for all of the old office formats
        return OFFICE_EXTENSIONS.get(extension, "") if extension in (".doc", ".xls", ".ppt") else ""
    return ""


def _base_media(head: bytes, extension: str) -> str:
    """ISO base media (MP4, HEIF, AVIF, QuickTime …): the brands in the `ftyp` box say which."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major, others = head[8:12], [head[at : at + 4] for at in range(16, end - 3, 4)]
    if major in _BRANDS:
        return _BRANDS[major]
    if major in (b"mif1", b"msf1"):
        named = [_BRANDS[brand] for brand in others if _BRANDS.get(brand, "").startswith("image/")]
        return named[0] if named else "image/heif"
    if major[:3] in (b"3gp", b"3g2"):
        return "video/3gpp"
    return "audio/m4a" if extension in (".m4a", ".m4b") else "video/mp4"


def _matroska(head: bytes) -> str:
    if b"webm" not in head[:64]:
        return "video/x-matroska"
    return "audio/webm" if re.search(rb"A_(?:OPUS|VORBIS)", head) and b"V_" not in head else "video/webm"


def _zip(head: bytes, extension: str) -> str:
    """Office documents are ZIP archives that name themselves by their first entries."""
    names = [
        head[at.start() + 30 : at.start() + 30 + int.from_bytes(head[at.start() + 26 : at.start() + 28], "little")]
        for at in re.finditer(b"PK\x03\x04", head)
    ]
    if names[0] == b"mimetype":  # OpenDocument: stored uncompressed, and first
        start = 38 + int.from_bytes(head[28:30], "little")
        found = re.match(rb"application/vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation)", head[start:])
        return found.group().decode() if found else "application/zip"
    if b"[Content_Types].xml" not in names and b"_rels/.rels" not in names:
        return "application/zip"
    for folder, mime_type in _ZIP_FOLDERS:
        if any(name.startswith(folder) for name in names):
            return OFFICE_EXTENSIONS[".dotx"] if folder == b"word/" and extension == ".dotx" else mime_type
    return OFFICE_EXTENSIONS.get(extension, "application/zip")


def _audio_frames(head: bytes) -> str:
    """MP3 and AAC: bare frames, or frames after an ID3 tag."""
    if head.startswith(b"ID3") and len(head) >= 10:
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        frames = head[10 + size :]
        return "audio/flac" if frames.startswith(b"fLaC") else _audio_frames(frames[:4]) or "audio/mpeg"
    if len(head) < 4 or head[0] != 0xFF:
        return ""
    if head[1] & 0xF6 == 0xF0 and (head[2] >> 2) & 0xF < 13:
        return "audio/aac"
    version, layer, bit_rate, sample_rate = head[1] & 0xF8, head[1] & 0x06, head[2] >> 4, head[2] >> 2 & 3
    mpeg = version in (0xE0, 0xF0, 0xF8) and layer in (0x02, 0x04)  # layer I (0x06) would also match UTF-16 text
    return "audio/mpeg" if mpeg and bit_rate not in (0, 15) and sample_rate != 3 else ""


def _text(head: bytes, extension: str) -> str:
    try:  # the head may end within a character: only a broken one inside it is an error
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return ""
    if not text or _NOT_IN_TEXT.search(text):
        return ""
    if text.lstrip().startswith("%PDF-"):
        return "application/pdf"
    return TEXT_EXTENSIONS.get(extension) or _markup(text.lstrip().lower())


def _markup(text: str) -> str:
    """HTML, XML or neither, by the first element after comments and declarations."""
    while text.startswith("<!--") and (end := text.find("-->")) > 0:
        text = text[end + 3 :].lstrip()
    if text.startswith(("<!doctype html", "<html")):
        return "text/html"
    return "text/xml" if text.startswith(("<?xml", "<svg")) else "text/plain"
