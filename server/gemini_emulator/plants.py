"""Trees, flowers and mushrooms; see `figures` for the square they stand in."""

from __future__ import annotations

import math

from .figures import Stencil, ring
from .png import Pixel
from .tints import darker, lighter

_WHITE, _WOOD = (250, 250, 246), (124, 84, 54)


def tree(pen: Stencil, colour: Pixel) -> None:
    """A tree with a round crown."""
    pen.area(((-0.13, 0), (0.13, 0), (0.08, 1), (-0.08, 1)), _WOOD)
    for x, y, radius in ((-0.38, 1.05, 0.42), (0.4, 1.08, 0.4), (0, 1.42, 0.52), (0.02, 1.05, 0.45)):
        pen.dot(x, y, radius, colour)
    for x, y, radius in ((-0.3, 1.25, 0.2), (-0.08, 1.6, 0.24), (0.2, 1.2, 0.18)):
        pen.dot(x, y, radius, lighter(colour, 0.18))


def pine(pen: Stencil, colour: Pixel) -> None:
    """A fir tree of four tiers."""
    pen.box(-0.1, 0, 0.1, 0.4, _WOOD)
    for step in range(4):
        low, wide = 0.26 + 0.38 * step, 0.72 - 0.15 * step
        pen.area(((-wide, low), (wide, low), (0, low + 0.7)), lighter(colour, 0.06 * step))
        pen.area(((wide * 0.2, low), (wide, low), (0, low + 0.7)), darker(colour, 0.14))


def palm(pen: Stencil, colour: Pixel) -> None:
    """A leaning palm."""
    trunk = tuple((0.3 * math.sin(step / 10) - 0.2, step * 0.14) for step in range(11))
    pen.line(trunk, (150, 110, 70), 0.12)
    top = trunk[-1]
    for angle in (-0.5, 0.2, 0.8, 1.6, 2.4, 3.0, 3.6):
        points = [
            (top[0] + r * math.cos(angle), top[1] + r * math.sin(angle) * 0.7 - r * r * 0.34) for r in (0, 0.4, 0.8)
        ]
        pen.line(tuple(points), colour, 0.16)
    pen.dot(top[0], top[1] - 0.06, 0.09, (110, 70, 40))


def flower(pen: Stencil, colour: Pixel) -> None:
    """A flower with two leaves."""
    pen.line(((0, 0), (0.03, 0.6), (0, 1.2)), (60, 130, 60), 0.07)
    pen.oval(-0.26, 0.42, 0.26, 0.1, (70, 146, 70))
    pen.oval(0.27, 0.6, 0.25, 0.1, (86, 160, 80))
    for x, y in ring(0, 1.32, 0.36, 0.36, 8):
        pen.dot(x, y, 0.23, colour)
    for x, y in ring(0, 1.32, 0.24, 0.24, 8, 0.4):
        pen.dot(x, y, 0.16, lighter(colour, 0.2))
    pen.dot(0, 1.32, 0.2, (250, 204, 70))


def mushroom(pen: Stencil, colour: Pixel) -> None:
    """A toadstool with dots."""
    pen.area(((-0.22, 0), (0.22, 0), (0.15, 0.9), (-0.15, 0.9)), (246, 236, 214))
    pen.pie(0, 0.75, 0.85, 180, 360, colour)
    for x, y, radius in ((-0.45, 1.0, 0.12), (0, 1.3, 0.14), (0.42, 1.02, 0.12), (0.1, 0.92, 0.08)):
        pen.dot(x, y, radius, _WHITE)
