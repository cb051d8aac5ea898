"""A small canvas: filled rectangles, lines and digits, saved as a real PNG."""

from __future__ import annotations

from . import png
from .png import Pixel

_DIGITS = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71122",
    "8": "75757", "9": "75717", "-": "00700", ".": "00002", "e": "06743", "+": "02720",
}  # fmt: skip
_SIZE = 2


class Canvas:
    """White paper of a size in pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._pixels = bytearray(b"\xff" * (3 * width * height))

    def dot(self, x: int, y: int, colour: Pixel) -> None:
        """One pixel; outside of the paper, nothing."""
        if 0 <= x < self.width and 0 <= y < self.height:
            at = 3 * (y * self.width + x)
            self._pixels[at : at + 3] = bytes(colour)

    def fill(self, left: int, top: int, right: int, bottom: int, colour: Pixel) -> None:
        """A rectangle."""
        for y in range(top, bottom):
            for x in range(left, right):
                self.dot(x, y, colour)

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Pixel, width: int = 1) -> None:
        """A straight line."""
        steps = max(1, round(max(abs(end[0] - start[0]), abs(end[1] - start[1]))))
        for step in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            self.fill(x, y, x + width, y + width, colour)

    def write(self, text: str, x: int, y: int, colour: Pixel) -> None:
        """A number, its upper left corner at a point."""
        for character in text:
            for row, bits in enumerate(_DIGITS.get(character, "00000")):
                for column in range(3):
                    if int(bits) >> (2 - column) & 1:
                        left, top = x + column * _SIZE, y + row * _SIZE
                        self.fill(left, top, left + _SIZE, top + _SIZE, colour)
            x += 4 * _SIZE

    def png(self) -> bytes:
        """The file."""
        return png.encode(self.width, self.height, self._pixels)


def text_width(text: str) -> int:
    """The width of a number in pixels."""
    return 4 * _SIZE * len(text)
