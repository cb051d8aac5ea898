"""Boxes drawn on pictures, and masks laid into them. Everything here blocks: run it with `in_turn`.

The picture is the caller's, the masks are a model's: both are only decoded in known formats and up to a size.
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from gemini_server.toolkit import preview
from gemini_server.toolkit.boxes import Found
from gemini_server.toolkit.sniff import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    AnyFont = FreeTypeFont | ImageFont

LONGEST_MASK = 4 * 1024 * 1024
"""Characters of one mask as a data URI."""
MASK_PIXELS = 16_000_000

_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
    "image/tiff": "TIFF",
}
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
# Far from each other and from most of what cameras see; each goes with black or white letters.
_COLOURS = (
    (230, 25, 75), (0, 130, 200), (60, 180, 75), (245, 130, 48), (145, 30, 180), (255, 225, 25),
    (70, 240, 240), (240, 50, 230), (170, 110, 40), (0, 0, 128), (210, 245, 60), (0, 128, 128),
)  # fmt: skip
_FONTS = ("DejaVuSans.ttf", "NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "arial.ttf", "Helvetica.ttc")
_NO_GLYPH = "\U0010fffe"
_LONGEST_DRAWN = 40

AT_ONCE = 2
"""Pictures that are drawn at the same time: each may take 400 MB and seconds."""

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("drawing")

Box = tuple[int, int, int, int]


async def in_turn(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Run something of this module in a thread, a few at a time."""
    try:
        limiter = _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(AT_ONCE)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(lambda: work(*args, **more), limiter=limiter)


def upright_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a picture as it is shown, by its header; None when that cannot be read."""
    from PIL import Image

    known = _FORMATS.get(sniff(data[:HEAD_BYTES]), "")
    if not known:
        return None
    try:
        Image.init()
        # `Image.open` refuses a large picture, of which nothing is decoded here.
        with Image.OPEN[known][0](io.BytesIO(data), "") as picture:
            width, height = picture.size
            # A PNG may have the note after its pixels, and would be decoded to find it.
            noted = known != "PNG" or "exif" in picture.info
            if noted and picture.getexif().get(_ORIENTATION) in _SIDEWAYS:
                width, height = height, width
    except Exception as error:  # noqa: BLE001  parsers of foreign bytes fail in many ways; none is the caller's fault
        _log.debug("a picture has no readable header: %s", type(error).__name__)
        return None
    return (width, height) if width > 0 and height > 0 else None


def with_boxes(data: bytes, found: Sequence[Found], size: tuple[int, int]) -> bytes | None:
    """The picture with boxes and labels drawn on it: a JPEG of a JPEG, else a PNG; None when it cannot be decoded.

    Args:
        data: the picture as it came.
        found: what is in it.
        size: its width and height as it is shown.
    """
    picture = preview.decoded(data)
    if picture is None or picture.size != size:
        return None
    with picture:
        canvas = _opaque(picture)
    _draw(canvas, found)
    buffer = io.BytesIO()
    if sniff(data[:HEAD_BYTES]) == "image/jpeg":
        canvas.save(buffer, "JPEG", quality=90)
    else:
        canvas.save(buffer, "PNG")
    return buffer.getvalue()


def mask_of(found: Found, size: tuple[int, int] | None) -> bytes | None:
    """The mask as a grey PNG of the whole picture, white where the thing is; None when it is no usable picture.

    Args:
        found: what has a mask.
        size: width and height of the picture; None leaves the mask as large as it came, over its box alone.
    """
    from PIL import Image

    head, comma, text = found.mask.partition(",")
    text = text if comma and head.lower().startswith("data:image/") else found.mask
    if not text or len(text) > LONGEST_MASK:
        return None
    try:
        raw = base64.b64decode(text.strip(), validate=True)
        with Image.open(io.BytesIO(raw), formats=("PNG",)) as opened:
            if opened.width * opened.height > MASK_PIXELS:
                return None
            mask = _grey(opened)
        if size is not None:
            x0, y0, x1, y1 = found.pixels(size)
            whole = Image.new("L", size, 0)
            whole.paste(cast(Any, mask).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR), (x0, y0))
            mask = whole
        buffer = io.BytesIO()
        mask.save(buffer, "PNG")
    except (binascii.Error, ValueError):
        return None
    except Exception as error:  # noqa: BLE001  as above
        _log.debug("a mask cannot be decoded: %s", type(error).__name__)
        return None
    return buffer.getvalue()


def _grey(mask: PilImage) -> PilImage:
    if mask.mode in ("LA", "RGBA", "PA"):
        alpha = mask.getchannel("A")
        low, _ = alpha.getextrema()
        # A mask may be in the alpha channel, or just have one that says nothing.
        return alpha if isinstance(low, int | float) and low < 255 else mask.convert("RGB").convert("L")
    return mask.convert("L")


def _opaque(picture: PilImage) -> PilImage:
    from PIL import Image

    if picture.mode.startswith("I;"):
        # Sixteen bits a sample: Pillow would cut them off at 255.
        eight: PilImage = cast(Any, picture).point(_upper_byte)
        return eight.convert("L").convert("RGB")
    if picture.mode not in ("RGBA", "LA", "PA", "P"):
        return picture.convert("RGB")
    coloured = picture.convert("RGBA")
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(coloured, mask=coloured.getchannel("A"))
    return ground


def _upper_byte(value: Any) -> Any:
    return value * (1 / 256)


def _draw(canvas: PilImage, found: Sequence[Found]) -> None:
    from PIL import ImageDraw

    longest = max(canvas.size)
    width = max(1, round(longest / 320))
    font = _font(max(10, round(longest / 50)))
    draw = ImageDraw.Draw(canvas)
    names = list(dict.fromkeys(one.label for one in found))
    # Large boxes first, so that small ones stay visible; labels last, so that no box crosses them.
    order = sorted(enumerate(found, 1), key=lambda numbered: -_area(numbered[1].pixels(canvas.size)))
    for _, one in order:
        _frame(draw, one.pixels(canvas.size), _COLOURS[names.index(one.label) % len(_COLOURS)], width)
    taken: list[Box] = []
    for number, one in order:
        colour = _COLOURS[names.index(one.label) % len(_COLOURS)]
        text = _drawable(font, one.label) or str(number)
        _label(draw, canvas.size, one.pixels(canvas.size), text, font, colour, width, taken)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _frame(draw: ImageDraw, box: Box, colour: tuple[int, int, int], width: int) -> None:
    x0, y0, x1, y1 = box
    width = max(1, min(width, (x1 - x0) // 2, (y1 - y0) // 2))
    # A thin rim of black or white around the line keeps it visible on its own colour.
    rim = _letters(colour)
    draw.rectangle((x0 - 1, y0 - 1, x1, y1), outline=rim, width=1)
    draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline=colour, width=width)
    if x1 - x0 > 2 * width + 2 and y1 - y0 > 2 * width + 2:
        draw.rectangle((x0 + width, y0 + width, x1 - 1 - width, y1 - 1 - width), outline=rim, width=1)


def _label(
    draw: ImageDraw,
    size: tuple[int, int],
    box: Box,
    text: str,
    font: AnyFont,
    colour: tuple[int, int, int],
    line: int,
    taken: list[Box],
) -> None:
    left, _, right, _ = draw.textbbox((0, 0), text, font=font)
    _, top, _, bottom = draw.textbbox((0, 0), f"Ág{text}", font=font)  # all labels are equally high
    pad = max(2, line)
    width, height = round(right - left) + 2 * pad, round(bottom - top) + 2 * pad
    if width > size[0] or height > size[1]:
        return
    x0, y0, _, y1 = box
    x = max(0, min(x0, size[0] - width))
    # Above the box, below it, inside it at the top or the bottom: the first place that is free.
    spots = [y for y in (y0 - height, y1, y0 + line, y1 - line - height) if 0 <= y <= size[1] - height] or [0]
    places = [(x, y, x + width, y + height) for y in spots]
    place = next((place for place in places if not any(_cross(place, other) for other in taken)), places[0])
    taken.append(place)
    draw.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=colour)
    draw.text((place[0] + pad - left, place[1] + pad - top), text, font=font, fill=_letters(colour))


def _cross(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _letters(colour: tuple[int, int, int]) -> str:
    red, green, blue = colour
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"


def _font(size: int) -> AnyFont:
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except (OSError, ImportError):
            continue
    return ImageFont.load_default(size=size)


def _drawable(font: AnyFont, text: str) -> str:
    """A label in letters that the font has; empty when it has too few of them."""
    short = text if len(text) <= _LONGEST_DRAWN else text[: _LONGEST_DRAWN - 1] + "…"
    try:
        missing = _shape(font, _NO_GLYPH)
        shown = "".join(letter for letter in short if letter.isascii() or _shape(font, letter) != missing)
    except (UnicodeError, ValueError, OSError):  # the built-in font without FreeType knows Latin-1 alone
        shown = "".join(letter for letter in short if letter.isascii())
    return shown.strip() if len(shown) * 2 >= len(short) else ""


def _shape(font: AnyFont, letter: str) -> bytes:
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (96, 96))
    ImageDraw.Draw(canvas).text((4, 4), letter, font=font, fill=255)
    return canvas.tobytes()
