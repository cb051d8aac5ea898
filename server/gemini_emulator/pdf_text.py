"""The text of a PDF, page by page, as far as it stands in its content streams in a plain encoding.

Source: ISO 32000, sections 7.3 (objects), 7.7.3 (pages) and 9.4 (text objects). Fonts with encodings of their own,
encrypted files and scans are beyond this; their pages come out empty.
"""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"\b(\d+)\s+\d+\s+obj\b(.*?)\bendobj\b", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_CONTENTS = re.compile(rb"/Contents\s*(\[[^\]]*\]|\d+\s+\d+\s+R)")
_REFERENCE = re.compile(rb"(\d+)\s+\d+\s+R")
_STRING = rb"\((?:[^()\\]|\\.)*+\)"
_SHOWN = re.compile(rb"(%b)\s*(?:Tj|'|\")|\[((?:%b|[^\]()])*+)\]\s*TJ" % (_STRING, _STRING), re.DOTALL)
_INSIDE = re.compile(rb"(%b)|(-?\d+(?:\.\d+)?)" % _STRING, re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b""}
_WORD_GAP = -150
_LARGEST_STREAM = 16 * 1024 * 1024


def pages_of(raw: bytes) -> list[str]:
    """The text of each page, first page first."""
    objects = {int(number): body for number, body in _OBJECT.findall(raw)}
    pages = [_page(body, objects) for body in objects.values() if _PAGE.search(body)]
    if any(pages):
        return pages
    # What is no more than the semblance of a file has its text between the words that begin a page.
    return [_shown(piece) for piece in _PAGE.split(raw)[1:]]


def _page(body: bytes, objects: dict[int, bytes]) -> str:
    found = _CONTENTS.search(body)
    if found is None:
        return ""
    numbers = [int(number) for number in _REFERENCE.findall(found[1])]
    return _shown(b"\n".join(_content(objects.get(number, b"")) for number in numbers))


def _content(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None:
        return b""
    if b"/FlateDecode" not in body[: found.start()]:
        return found[1]
    try:
        return zlib.decompressobj().decompress(found[1], _LARGEST_STREAM)
    except zlib.error:
        return b""


def _shown(content: bytes) -> str:
    texts = [_plain(text) if text else _spaced(array) for text, array in _SHOWN.findall(content)]
    return " ".join(" ".join(texts).split())


def _spaced(array: bytes) -> str:
    """The strings of an array, apart where the pen moves by the width of a blank."""
    pieces: list[str] = []
    for text, move in _INSIDE.findall(array):
        if text:
            pieces.append(_plain(text))
        elif float(move) < _WORD_GAP:
            pieces.append(" ")
    return "".join(pieces)


def _plain(text: bytes) -> str:
    return _ESCAPE.sub(_unescaped, text[1:-1]).decode("cp1252", "replace")


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 255]) if code.isdigit() else _ESCAPED.get(code, code)
