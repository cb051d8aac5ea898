"""What the tests of uploads share: small chunks, bytes that do not repeat, and what the emulator was sent."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gemini_emulator import Emulator
from gemini_server.toolkit import media
from gemini_server.toolkit.work import upload

GRANULE = 256 * 1024
CHUNK = 2 * GRANULE
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"

Json = dict[str, Any]


def noise(size: int, seed: str = "") -> bytes:
    """Bytes that do not repeat, of no type."""
    blocks = [hashlib.sha256(f"{seed}{number}".encode()).digest() for number in range(size // 32 + 1)]
    return b"\xfe" + b"".join(blocks)[: size - 1]


def film(size: int, seed: str = "") -> bytes:
    """The same, as what looks like a film."""
    return MP4 + noise(size - len(MP4), seed)


def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two granules to a chunk, and an inline limit of one: as if all files were a hundred times larger."""
    monkeypatch.setattr(upload.UploadWork.__init__, "__defaults__", (CHUNK,))
    monkeypatch.setattr(media, "INLINE_LIMIT", GRANULE)


def uploads(emulator: Emulator) -> list[Json]:
    """The requests of uploads."""
    return [one for one in emulator.requests if one["path"].startswith("/upload/")]


def commands(emulator: Emulator) -> list[str]:
    """Their commands."""
    return [one["headers"]["x-goog-upload-command"] for one in uploads(emulator)]


def sent(emulator: Emulator) -> int:
    """Bytes that were announced in chunks, those that were cut off too."""
    return sum(
        int(one["headers"]["content-length"])
        for one in uploads(emulator)
        if "upload" in one["headers"]["x-goog-upload-command"]
    )


def started(emulator: Emulator) -> list[Json]:
    """The descriptions with which uploads were started."""
    return [one["body"]["file"] for one in uploads(emulator) if one["headers"]["x-goog-upload-command"] == "start"]
