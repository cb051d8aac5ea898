"""Words in a picture, in the font that Pillow brings."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import ImageFont

from .easel import Sheet
from .png import Pixel

_MARK = "EMULATED"
_LONGEST = 300
_GOLD, _PALE = (255, 209, 102), (238, 240, 246)


def caption(sheet: Sheet, text: str) -> None:
    """The line at the lower edge: that the picture is emulated, and how its prompt begins."""
    high = max(12, round(sheet.unit * 0.044))
    sheet.pen.rectangle((0, sheet.height - high, sheet.width, sheet.height), fill=(14, 16, 30, 240))
    gap = high // 2
    left = gap + _write(sheet, _MARK, gap, sheet.height - high, high, _GOLD) + gap
    _write(sheet, text, left, sheet.height - high, high, _PALE)


def _write(sheet: Sheet, text: str, left: int, top: int, high: int, ink: Pixel) -> int:
    """Write into a line of some height, up to the right margin; the width that was needed."""
    font = _font(round(high * 0.62))
    shown = _known(text[:_LONGEST])
    while shown and left + font.getlength(shown) > sheet.width - high // 2:
        shown = f"{shown[: -4 - len(shown) // 20].rstrip()}..." if len(shown) > 6 else ""
    sheet.pen.text((left, top + high * 0.48), shown, fill=ink, font=font, anchor="lm")
    return round(font.getlength(shown))


def sign(sheet: Sheet, text: str, y: float, ink: Pixel, paper: Pixel) -> None:
    """Words on a board in the middle."""
    shown = _known(text)
    size = round(sheet.unit * 0.13)
    size = max(8, min(size, round(size * 0.72 * sheet.width / max(1.0, _font(size).getlength(shown)))))
    font = _font(size)
    (across, down), wide = sheet.at(0.5, y), font.getlength(shown)
    box = (across - wide / 2 - size * 0.5, down - size * 0.75, across + wide / 2 + size * 0.5, down + size * 0.75)
    sheet.pen.rounded_rectangle(box, size * 0.25, fill=paper)
    sheet.pen.text((across, down), shown, fill=ink, font=font, anchor="mm")


@lru_cache(32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("This Pillow was built without FreeType; install a wheel from PyPI, which has it.")
    return font


def _known(text: str) -> str:
    """What the font has of a text: plain letters; accents are dropped, other scripts left out."""
    return " ".join(unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().split())
