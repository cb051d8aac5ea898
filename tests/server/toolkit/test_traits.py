"""What files turn out to be, in memory and on disk: the same, and by their bytes alone."""

from __future__ import annotations

import io
import struct
import wave
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gemini_server.jobs.artifacts import Traits, part_name
from gemini_server.jobs.download import Fetched
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.toolkit.preview import HEADER_BYTES
from gemini_server.toolkit.traits import traits_of, traits_of_file, traits_of_part

from .test_film import FTYP, MDAT, box, clock, moov, tkhd, trak

pytestmark = pytest.mark.anyio

PART = part_name("video", datetime(2026, 11, 22, tzinfo=UTC), "id")


def picture(form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(buffer, form, **options)
    return buffer.getvalue()


def sound(seconds: float, rate: int = 24_000) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(int(seconds * rate) * 2))
    return buffer.getvalue()


SOUND_ONLY = FTYP + box(b"moov", clock(b"mvhd", 1000, 2500), trak(b"soun", tkhd(0, 0)))
CASES = [
    (FTYP + MDAT * 20 + moov(), "video/mp4", Traits("video/mp4", ".mp4", 1280, 720, 8.0)),
    (FTYP + MDAT, "", Traits("video/mp4", ".mp4")),
    (box(b"ftyp", b"qt  \0\0\0\0") + moov(), "video/quicktime", Traits("video/mov", ".mov", 1280, 720, 8.0)),
    (SOUND_ONLY, "audio/mp4", Traits("audio/m4a", ".m4a", duration=2.5)),
    (sound(1.5), "audio/wav", Traits("audio/wav", ".wav", duration=1.5)),
    (picture("PNG"), "image/png", Traits("image/png", ".png", 40, 20)),
    (picture("JPEG"), "", Traits("image/jpeg", ".jpg", 40, 20)),
    (picture("WEBP"), "image/webp", Traits("image/webp", ".webp", 40, 20)),
    (picture("TIFF"), "image/tiff", Traits("image/tiff", ".tiff", 40, 20)),
    (
        picture("JPEG", exif=b"Exif\0\0" + bytes(65_000), icc_profile=bytes(300_000)),
        "",
        Traits("image/jpeg", ".jpg", 40, 20),
    ),
    (b"<html>Sign in</html>", "video/mp4", Traits("application/octet-stream", ".bin")),
    (FTYP + moov(), "image/png", Traits("application/octet-stream", ".bin")),
    (b"\x7fELF" + bytes(500), "video/mp4", Traits("application/octet-stream", ".bin")),
]


@pytest.mark.parametrize(("data", "announced", "expected"), CASES)
async def test_a_file_is_the_same_in_memory_and_on_disk(
    tmp_path: Path, data: bytes, announced: str, expected: Traits
) -> None:
    files = OutputDirectory(tmp_path / "output")
    files.write_part(PART, data)
    found = await traits_of_part(files, PART, Fetched(len(data), "", "", data[: 64 * 1024]), announced)
    assert found == traits_of(data, "", announced) == expected


async def test_a_part_that_was_published_is_judged_by_its_head(tmp_path: Path) -> None:
    data = FTYP + moov() + MDAT
    files = OutputDirectory(tmp_path / "output")
    found = await traits_of_part(files, PART, Fetched(len(data), "", "", data[:8192]), "video/mp4")
    assert found == Traits("video/mp4", ".mp4")


def test_a_sound_that_promises_more_than_there_is_has_the_length_of_what_there_is() -> None:
    data = sound(1.0)
    assert traits_of(data[: 44 + 24_000]).duration == 0.5
    streamed = data[:40] + b"\xff\xff\xff\xff" + data[44:]
    assert traits_of(streamed).duration == 1.0
    assert traits_of(data[:24] + bytes(8) + data[32:]).duration is None


def test_of_a_picture_no_more_is_read_than_its_header_may_have() -> None:
    read_bytes = 0

    def read(offset: int, size: int) -> bytes:
        nonlocal read_bytes
        read_bytes += size
        return (b"\xff\xe1" + struct.pack(">H", 0xFFFF) + bytes(0xFFFD)) * (size // 0xFFFF + 1)

    head = b"\xff\xd8" + read(0, 64 * 1024)
    found = traits_of_file(head, 2**32, read, "image/jpeg")
    assert (found.mime_type, found.width) == ("image/jpeg", None)
    assert read_bytes <= 2 * HEADER_BYTES
