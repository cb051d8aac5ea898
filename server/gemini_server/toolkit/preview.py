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

from gemini_server.toolkit.film import Read
from gemini_server.toolkit.sniff import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

T = TypeVar("T")

MAX_PIXELS = 50_000_000
"""Pixels of a picture that is decoded here; a larger one is kept, but not looked at."""
LONGEST_SIDE = 512
SMALLEST = 16
"""Pixels of the longest side below which no picture is made; one that is smaller itself is shown as it is."""
MAX_BYTES = 150 * 1024
HEADER_BYTES = 4 * 1024 * 1024
"""Of a file that is not in memory no more is read to find the size of its picture: notes of a camera come first."""
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


async def preview(data: bytes, *, longest: int = LONGEST_SIDE, most: int = MAX_BYTES) -> Preview | None:
    """A WebP of a picture: upright, on white, the first frame. None where there is no picture.

    Args:
        data: the picture.
        longest: pixels of its longest side, at most.
        most: bytes that it may have; it is made coarser and smaller until it fits.
    """
    if not _format_of(data):
        return None
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(_preview, data, longest, most, limiter=limiter)


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height of a picture by its header, or None when it cannot be read; nothing is decoded."""
    picture = _opened(data)
    return None if picture is None else picture.size


def size_in_file(head: bytes, size: int, read: Read) -> tuple[int, int] | None:
    """As `size_of`, of a file that is not in memory.

    Args:
        head: its first bytes.
        size: how many there are.
        read: reads the others, of which a few may be needed.
    """
    picture = _opened(_Window(size, read), head)
    return None if picture is None else picture.size


class _Window(io.RawIOBase):
    """A file as Pillow likes it, of which no more is read than a header needs."""

    def __init__(self, size: int, read: Read) -> None:
        super().__init__()
        self._size = size
        self._read = read
        self._at = 0
        self._left = HEADER_BYTES

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence, self._size)
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._read(self._at, min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._at += len(data)
        self._left -= len(data)
        return len(data)


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


def _opened(data: bytes | _Window, head: bytes = b"") -> PilImage | None:
    """A picture of which only the header was read; its pixels have been counted."""
    known = _format_of(data if isinstance(data, bytes) else head)
    if not known:
        return None
    try:
        source = io.BytesIO(data) if isinstance(data, bytes) else data
        picture: PilImage = _pillow().open(source, formats=(known,))
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


def _small(picture: PilImage, longest: int, most: int) -> Preview | None:
    picture.draft("RGB", (2 * longest, 2 * longest))  # a JPEG is decoded at a fraction of its size
    if picture.mode.startswith("I"):
        # 16 bits a pixel, of which a plain conversion would make white.
        wide: Any = picture.convert("I")
        picture = wide.point(_of_sixteen_bits).convert("L")
    if picture.mode not in ("RGB", "RGBA", "L"):
        # Palettes cannot be made smaller smoothly, and may be see-through.
        opaque = picture.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F", "1")
        picture = picture.convert("RGB" if opaque else "RGBA")
    picture.thumbnail((longest, longest), reducing_gap=3.0)
    picture = _upright(picture)
    if picture.mode == "RGBA":
        ground = _pillow().new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    while True:
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            # Nothing of the original but its pixels is passed on.
            picture.save(buffer, "WEBP", quality=quality, method=4, exif=b"", icc_profile=b"", xmp=b"")
            if buffer.tell() <= most:
                return Preview(buffer.getvalue(), *picture.size)
        if max(picture.size) < 2 * SMALLEST:
            return None
        picture = picture.reduce(2)


def _preview(data: bytes, longest: int, most: int) -> Preview | None:
    return _guarded(data, lambda picture: _small(picture, longest, most))
