"""How things are drawn: each in a square of its own, x from -1 to 1, y upwards from 0 (where it stands) to 2."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from .easel import Sheet
from .png import Pixel

Shape: TypeAlias = tuple[tuple[float, float], ...]


class Stencil:
    """Draws at a place of a sheet, in a size, in units of a figure.

    Args:
        sheet: what is drawn on.
        x: the middle, a share of the width.
        y: the ground, a share of the height.
        size: the height of a figure, a share of the shorter side.
        shade: what becomes of every colour in this light.
    """

    def __init__(self, sheet: Sheet, x: float, y: float, size: float, shade: Callable[[Pixel], Pixel]) -> None:
        self._pen = sheet.pen
        self._x, self._y = sheet.at(x, y)
        self._half = size * sheet.unit / 2
        self._shade = shade

    @property
    def position(self) -> tuple[float, float, float]:
        """Where it stands and how high it is, in pixels."""
        return self._x, self._y, 2 * self._half

    def dyed(self, colour: Pixel) -> Pixel:
        """A colour in this light."""
        return self._shade(colour)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self._x + x * self._half, self._y - y * self._half

    def _ink(self, colour: Pixel, alpha: int) -> tuple[int, int, int, int]:
        return (*self._shade(colour), alpha)

    def area(self, points: Shape, colour: Pixel, alpha: int = 255) -> None:
        """A polygon."""
        self._pen.polygon([self._at(*point) for point in points], fill=self._ink(colour, alpha))

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Pixel, alpha: int = 255) -> None:
        """An ellipse around a point."""
        (left, top), (right, bottom) = self._at(x - rx, y + ry), self._at(x + rx, y - ry)
        self._pen.ellipse((left, top, right, bottom), fill=self._ink(colour, alpha))

    def dot(self, x: float, y: float, radius: float, colour: Pixel, alpha: int = 255) -> None:
        """A circle."""
        self.oval(x, y, radius, radius, colour, alpha)

    def box(self, left: float, low: float, right: float, high: float, colour: Pixel, round_: float = 0) -> None:
        """A rectangle, its corners rounded where that is asked for."""
        (a, b), (c, d) = self._at(left, high), self._at(right, low)
        self._pen.rounded_rectangle((a, b, c, d), round_ * self._half, fill=self._ink(colour, 255))

    def pie(self, x: float, y: float, radius: float, start: float, end: float, colour: Pixel, alpha: int = 255) -> None:
        """A slice of a circle; degrees run clockwise from the right."""
        (left, top), (right, bottom) = self._at(x - radius, y + radius), self._at(x + radius, y - radius)
        self._pen.pieslice((left, top, right, bottom), start, end, fill=self._ink(colour, alpha))

    def line(self, points: Shape, colour: Pixel, width: float = 0.04) -> None:
        """A stroke through points."""
        ends = [self._at(*point) for point in points]
        thick = max(1, round(width * self._half))
        self._pen.line(ends, fill=self._ink(colour, 255), width=thick, joint="curve")

    def arc(self, x: float, y: float, radius: float, start: float, end: float, colour: Pixel, width: float) -> None:
        """A part of a ring."""
        (left, top), (right, bottom) = self._at(x - radius, y + radius), self._at(x + radius, y - radius)
        thick = max(1, round(width * self._half))
        self._pen.arc((left, top, right, bottom), start, end, fill=self._ink(colour, 255), width=thick)

    def shadow(self) -> None:
        """What lies on the ground under it."""
        self._pen.ellipse((*self._at(-0.8, 0.09), *self._at(0.8, -0.13)), fill=(10, 14, 40, 60))


Figure: TypeAlias = Callable[[Stencil, Pixel], None]


def ring(x: float, y: float, rx: float, ry: float, count: int, turn: float = 0) -> Shape:
    """The corners of a regular polygon."""
    angles = [turn + math.tau * step / count for step in range(count)]
    return tuple((x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles)
