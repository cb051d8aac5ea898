"""Previews: small, upright, without the original's secrets; and what cannot be shown has none, without an error."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from typing import Any, cast

import anyio
import pytest
from PIL import Image, ImageDraw

from gemini_server.toolkit import preview as module
from gemini_server.toolkit.preview import MAX_BYTES, Preview, decoded, preview, size_of
from gemini_server.toolkit.traits import traits_of

pytestmark = pytest.mark.anyio

RED, BLUE = (255, 0, 0), (0, 0, 255)
ORIENTATION = 0x0112


def file_of(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def halves(width: int = 40, height: int = 20) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), RED)
    ImageDraw.Draw(picture).rectangle((width // 2, 0, width, height), fill=BLUE)
    return picture


def opened(small: Preview | None) -> Image.Image:
    assert small is not None
    assert len(small.data) <= MAX_BYTES
    picture = Image.open(io.BytesIO(small.data))
    assert picture.format == "WEBP"
    assert picture.size == (small.width, small.height)
    assert max(picture.size) <= 512
    return picture.convert("RGB")


def near(picture: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found = cast("tuple[int, int, int]", picture.getpixel(at))
    return all(abs(one - other) < 40 for one, other in zip(found, colour, strict=True))


def png(width: int, height: int, *, rows: int | None = None) -> bytes:
    """A PNG of this size by its header, all zeros: a bomb of a few kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
async def test_every_common_format_has_a_preview(form: str) -> None:
    small = opened(await preview(file_of(halves(), form)))
    assert small.size == (40, 20), "a small picture is not made larger"
    assert near(small, (5, 10), RED)
    assert near(small, (35, 10), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16", "YCbCr", "F"])
async def test_every_mode_of_pixels_can_be_shown(mode: str) -> None:
    form = {"CMYK": "JPEG", "YCbCr": "JPEG", "F": "TIFF", "PA": "TIFF"}.get(mode, "PNG")
    source = halves() if mode in ("CMYK", "YCbCr") else halves().convert("L")
    picture = source.convert("P").convert("PA") if mode == "PA" else source.convert(mode)
    assert opened(await preview(file_of(picture, form))).size == (40, 20)


@pytest.mark.parametrize("size", [(1, 1), (15, 4), (2, 15)])
async def test_a_picture_that_is_tiny_is_shown_as_it_is(size: tuple[int, int]) -> None:
    assert opened(await preview(file_of(Image.new("RGB", size, RED)))).size == size


async def test_grey_of_sixteen_bits_is_not_all_white() -> None:
    row = (20_000).to_bytes(2, "little") * 20 + (60_000).to_bytes(2, "little") * 20
    picture = Image.frombytes("I;16", (40, 20), row * 20)
    small = opened(await preview(file_of(picture)))
    assert near(small, (5, 10), (78, 78, 78))
    assert near(small, (35, 10), (234, 234, 234))


@pytest.mark.parametrize("size", [(2000, 1000), (513, 1), (1, 4000), (700, 700)])
async def test_the_longest_side_becomes_512_and_the_shape_stays(size: tuple[int, int]) -> None:
    small = opened(await preview(file_of(halves(*size))))
    assert max(small.size) == 512
    assert abs(small.width / small.height - size[0] / size[1]) < 0.02 * size[0] / size[1] or 1 in small.size


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "red"), [(3, (35, 10)), (6, (10, 5)), (8, (10, 35)), (2, (35, 10)), (99, (5, 10)), (0, (5, 10))]
)
async def test_a_picture_taken_sideways_is_shown_upright(form: str, orientation: int, red: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = file_of(halves(), form, exif=exif.tobytes())
    small = opened(await preview(data))
    assert small.size == ((20, 40) if orientation in (6, 8) else (40, 20))
    assert near(small, red, RED)
    assert not near(small, (small.width - 1 - red[0], small.height - 1 - red[1]), RED)
    whole = decoded(data)
    assert whole is not None
    assert whole.size == small.size


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
async def test_a_broken_note_of_the_camera_is_no_reason_not_to_show_a_picture() -> None:
    data = file_of(halves(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense")
    assert near(opened(await preview(data)), (5, 10), RED)


async def test_nothing_of_the_original_but_its_pixels_is_passed_on() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at 47.3769 N 8.5417 E"
    data = file_of(halves(), "JPEG", exif=exif.tobytes(), comment=b"<script>alert(1)</script>")
    small = await preview(data + b"PK\x03\x04 a zip archive <?php evil ?>")
    assert small is not None
    for secret in (b"47.37", b"script", b"PK\x03\x04", b"php", b"EXIF"):
        assert secret not in small.data


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
async def test_what_is_see_through_is_shown_on_white(form: str) -> None:
    picture = halves().convert("RGBA")
    ImageDraw.Draw(picture).rectangle((0, 0, 19, 20), fill=(0, 0, 0, 0))
    small = opened(await preview(file_of(picture, form)))
    assert near(small, (5, 10), (255, 255, 255))
    assert near(small, (35, 10), BLUE)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
async def test_of_a_moving_picture_the_first_frame_is_shown(form: str) -> None:
    frames = [Image.new("RGB", (30, 30), BLUE) for _ in range(4)]
    data = file_of(Image.new("RGB", (30, 30), RED), form, save_all=True, append_images=frames)
    assert near(opened(await preview(data)), (15, 15), RED)


async def test_noise_is_made_coarser_until_it_is_small_enough() -> None:
    noise = Image.frombytes("RGB", (700, 700), os.urandom(700 * 700 * 3))
    assert await preview(file_of(noise)) is not None
    small = await preview(file_of(noise), most=4000)
    assert small is not None
    assert len(small.data) <= 4000
    assert small.width < 512


async def test_a_larger_copy_may_be_asked_for_and_is_held_to_its_bytes_too() -> None:
    noise = Image.frombytes("RGB", (3000, 1500), os.urandom(3000 * 1500 * 3))
    large = await preview(file_of(noise, "JPEG"), longest=2048, most=500_000)
    assert large is not None
    assert len(large.data) <= 500_000
    assert large.width > 512
    whole = await preview(file_of(halves(3000, 1500)), longest=2048)
    assert whole is not None
    assert (whole.width, whole.height) == (2048, 1024)


async def test_a_picture_of_twenty_megapixels_is_shown() -> None:
    assert opened(await preview(file_of(halves(5000, 4000), "JPEG"))).size == (512, 410)


@pytest.mark.parametrize("size", [(30_000, 30_000), (12_000, 12_000), (7_100, 7_100), (50_000_001, 1)])
async def test_a_bomb_is_refused_by_its_header(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: Image.Image) -> None:
        raise AssertionError("its pixels were looked at")

    monkeypatch.setattr(Image.Image, "load", load)
    data = png(*size, rows=1)
    assert await preview(data) is None
    assert size_of(data) is None
    assert decoded(data) is None
    assert traits_of(data).mime_type == "image/png", "it is kept all the same"
    assert traits_of(data).width is None


async def test_a_whole_bomb_is_no_error() -> None:
    data = png(12_000, 12_000)
    assert len(data) < 100_000
    assert await preview(data) is None


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _garbled(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


def _head(data: bytes) -> bytes:
    return data[:20]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("broken", [_cut, _garbled, _head])
async def test_a_broken_picture_is_never_an_exception(form: str, broken: Callable[[bytes], bytes]) -> None:
    noise = Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3))
    data = broken(file_of(noise, form))
    small = await preview(data)
    assert small is None or broken is _garbled
    decoded(data)
    size_of(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain words",
        b"<html><body>an answer of a proxy</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"\x7fELF" + bytes(100),
        b"%PDF-1.7\n" + file_of(halves()),
        b"PK\x03\x04" + file_of(halves(), "JPEG"),
        b"GIF89a/*" + bytes(20) + b"*/=alert(1)//",
        b"\x89PNG\r\n\x1a\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"P6 9999 9999 255\n",
        b"qoif\x00\x00\x00\x01\x00\x00\x00\x01\x03\x00",
        bytes(1000),
    ],
)
async def test_what_is_no_picture_by_its_bytes_has_no_preview(data: bytes) -> None:
    assert await preview(data) is None
    assert size_of(data) is None
    assert decoded(data) is None


async def test_no_more_pictures_than_allowed_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    lock, busy, most = threading.Lock(), 0, 0
    both = threading.Barrier(module.AT_ONCE)
    real = module._preview  # pyright: ignore[reportPrivateUsage]

    def counted(data: bytes, longest: int, most_bytes: int) -> Preview | None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        both.wait(10)  # as many as may are in here together
        with lock:
            busy -= 1
        return real(data, longest, most_bytes)

    monkeypatch.setattr(module, "_preview", counted)
    async with anyio.create_task_group() as tasks:
        for _ in range(3 * module.AT_ONCE):
            tasks.start_soon(preview, file_of(halves()))
    assert most == module.AT_ONCE
