"""Small copies of pictures, for models and people to look at.

What is decoded came from a model, the web or a user: only common formats are, only as far as their first bytes agree,
only up to a number of pixels, in a worker thread, and a picture that cannot be decoded has no preview; it is no error.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from gemini_server.toolkit.sniff import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

T = TypeVar("T")

MAX_PIXELS = 50_000_000
"""Pixels of a picture that is decoded here; a larger one is kept, but not looked at."""
LONGEST_SIDE = 512
MAX_BYTES = 150 * 1024
AT_ONCE = 2
"""Pictures that are decoded at the same time: each may take 200 MB and a second."""

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
_QUALITIES = (82, 65, 45, 25)

_log = logging.getLogger(__name__)
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("previews")


@dataclass(frozen=True, slots=True)
class Preview:
    """A small WebP of a picture."""

    data: bytes
    width: int
    height: int
    mime_type: str = "image/webp"


async def preview(data: bytes) -> Preview | None:
    """A WebP of at most 512 pixels and 150 KB: upright, on white, the first frame. None where there is no picture."""
    if not _format_of(data):
        return None
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(_preview, data, limiter=limiter)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height of a picture by its header, or None when it cannot be read; nothing is decoded."""
    picture = _opened(data)
    return None if picture is None else picture.size


def decoded(data: bytes) -> PilImage | None:
    """A picture decoded within the limits of this module: upright, the first frame. Run it in a thread.

    None where the bytes are no picture of a common format, or one that is broken or too large.
    """
    return _guarded(data, _upright)


def _format_of(data: bytes) -> str:
    return _FORMATS.get(sniff(data[:HEAD_BYTES]), "")


def _pillow() -> ModuleType:
    from PIL import Image

    if Image.MAX_IMAGE_PIXELS != MAX_PIXELS:
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        # Up to twice the limit, Pillow only warns.
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    return Image


def _opened(data: bytes) -> PilImage | None:
    """A picture of which only the header was read; its pixels have been counted."""
    known = _format_of(data)
    if not known:
        return None
    try:
        picture: PilImage = _pillow().open(io.BytesIO(data), formats=(known,))
    except Exception as error:  # noqa: BLE001  decoders fail in many ways, and none is the caller's fault
        _log.debug("a picture has no readable header: %s", type(error).__name__)
        return None
    return picture if 0 < picture.width * picture.height <= MAX_PIXELS else None


def _upright(picture: PilImage) -> PilImage:
    from PIL import ImageOps

    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except Exception as error:  # noqa: BLE001  a broken note of the camera is no reason not to show the picture
        _log.debug("a picture's orientation cannot be read: %s", type(error).__name__)
        return picture


def _guarded(data: bytes, work: Callable[[PilImage], T]) -> T | None:
    picture = _opened(data)
    if picture is None:
        return None
    try:
        with picture:
            return work(picture)
    except Exception as error:  # noqa: BLE001  as above
        _log.debug("a picture cannot be decoded: %s", type(error).__name__)
        return None


def _of_sixteen_bits(value: float) -> float:
    return value * (1 / 256)


def _small(picture: PilImage) -> Preview | None:
    picture.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))  # a JPEG is decoded at a fraction of its size
    if picture.mode.startswith("I"):
        # 16 bits a pixel, of which a plain conversion would make white.
        wide: Any = picture.convert("I")
        picture = wide.point(_of_sixteen_bits).convert("L")
    if picture.mode not in ("RGB", "RGBA", "L"):
        # Palettes cannot be made smaller smoothly, and may be see-through.
        opaque = picture.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F", "1")
        picture = picture.convert("RGB" if opaque else "RGBA")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=3.0)
    picture = _upright(picture)
    if picture.mode == "RGBA":
        ground = _pillow().new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    while max(picture.size) >= 16:
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            # Nothing of the original but its pixels is passed on.
            picture.save(buffer, "WEBP", quality=quality, method=4, exif=b"", icc_profile=b"", xmp=b"")
            if buffer.tell() <= MAX_BYTES:
                return Preview(buffer.getvalue(), *picture.size)
        picture = picture.reduce(2)
    return None


def _preview(data: bytes) -> Preview | None:
    return _guarded(data, _small)
