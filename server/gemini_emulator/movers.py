"""What flies and what floats; see `figures` for the square they stand in."""

from __future__ import annotations

import math

from .figures import Stencil
from .png import Pixel
from .tints import darker, lighter, mix

_WHITE, _DARK, _WOOD, _GLASS = (250, 250, 246), (44, 44, 56), (150, 100, 62), (190, 226, 240)


def balloon(pen: Stencil, colour: Pixel) -> None:
    """A hot-air balloon with its basket."""
    pale = lighter(colour, 0.62)
    pen.area(((-0.5, 0.82), (0.5, 0.82), (0.14, 0.4), (-0.14, 0.4)), darker(colour, 0.12))
    pen.oval(0, 1.26, 0.72, 0.74, colour)
    for half, tint in ((0.5, pale), (0.26, colour)):
        pen.oval(0, 1.26, half, 0.74, tint)
    pen.area(((-0.26, 0.6), (0.26, 0.6), (0.14, 0.4), (-0.14, 0.4)), colour)
    pen.oval(-0.3, 1.56, 0.16, 0.24, _WHITE, 60)
    for x in (-0.12, 0.12):
        pen.line(((x, 0.42), (x * 0.9, 0.22)), _WOOD, 0.02)
    pen.box(-0.14, 0.02, 0.14, 0.24, _WOOD, 0.04)
    pen.box(-0.16, 0.2, 0.16, 0.26, darker(_WOOD), 0.03)


def bird(pen: Stencil, colour: Pixel) -> None:
    """A bird with its wings spread."""
    pen.area(((-0.1, 0.95), (0.25, 1.05), (-0.2, 1.75), (-0.75, 1.6)), darker(colour, 0.1))
    pen.area(((0.02, 0.95), (0.3, 1.0), (0.62, 1.66), (0.2, 1.6)), lighter(colour, 0.12))
    pen.area(((-0.4, 0.95), (-0.95, 1.12), (-0.85, 0.84)), darker(colour, 0.2))
    pen.oval(0, 0.94, 0.5, 0.2, colour)
    pen.oval(0.05, 0.86, 0.36, 0.1, lighter(colour, 0.5))
    pen.dot(0.5, 1.06, 0.19, colour)
    pen.area(((0.66, 1.12), (0.92, 1.03), (0.66, 0.98)), (246, 170, 60))
    pen.dot(0.55, 1.11, 0.035, _DARK)


def kite(pen: Stencil, colour: Pixel) -> None:
    """A kite with a tail."""
    pen.line(tuple((-0.1 - step * 0.07, 0.7 - step * 0.07 + 0.05 * math.sin(step * 1.6)) for step in range(10)), _WHITE)
    pen.area(((0, 1.95), (0.6, 1.3), (0, 0.6), (-0.6, 1.3)), colour)
    pen.area(((0, 1.95), (0.6, 1.3), (0, 1.3)), lighter(colour))
    pen.area(((0, 0.6), (-0.6, 1.3), (0, 1.3)), darker(colour))


def plane(pen: Stencil, colour: Pixel) -> None:
    """An aeroplane from the side."""
    pen.area(((-0.8, 1.0), (-0.98, 1.45), (-0.74, 1.45), (-0.5, 1.05)), colour)
    pen.box(-0.9, 0.82, 0.95, 1.16, _WHITE, 0.17)
    pen.box(-0.9, 0.82, 0.9, 0.92, colour, 0.1)
    pen.area(((-0.1, 0.94), (0.3, 0.94), (-0.22, 0.45), (-0.42, 0.45)), darker(colour, 0.1))
    for step in range(6):
        pen.dot(-0.45 + 0.18 * step, 1.03, 0.05, _GLASS)
    pen.pie(0.76, 1.0, 0.16, 270, 360, _GLASS)


def rocket(pen: Stencil, colour: Pixel) -> None:
    """A rocket under way."""
    pen.area(((-0.16, 0.4), (0.16, 0.4), (0, -0.15)), (255, 170, 50))
    pen.area(((-0.09, 0.4), (0.09, 0.4), (0, 0.08)), (255, 240, 150))
    pen.area(((-0.25, 0.75), (-0.52, 0.3), (-0.2, 0.42)), darker(colour))
    pen.area(((0.25, 0.75), (0.52, 0.3), (0.2, 0.42)), darker(colour))
    pen.area(((-0.22, 0.38), (0.22, 0.38), (0.28, 1.0), (0.2, 1.5), (-0.2, 1.5), (-0.28, 1.0)), _WHITE)
    pen.area(((0.06, 0.38), (0.22, 0.38), (0.28, 1.0), (0.2, 1.5), (0.05, 1.5)), (214, 218, 226))
    pen.area(((-0.205, 1.48), (0.205, 1.48), (0, 1.98)), colour)
    pen.dot(0, 1.14, 0.14, colour)
    pen.dot(0, 1.14, 0.09, _GLASS)


def butterfly(pen: Stencil, colour: Pixel) -> None:
    """A butterfly from above."""
    for side in (-1, 1):
        pen.oval(side * 0.42, 1.3, 0.4, 0.4, colour)
        pen.oval(side * 0.34, 0.8, 0.28, 0.3, lighter(colour))
        pen.dot(side * 0.48, 1.36, 0.16, lighter(colour, 0.6))
        pen.dot(side * 0.36, 0.8, 0.1, darker(colour))
        pen.line(((0, 1.5), (side * 0.2, 1.86)), _DARK, 0.025)
    pen.oval(0, 1.06, 0.07, 0.5, _DARK)


def planet(pen: Stencil, colour: Pixel) -> None:
    """A planet with a ring."""
    pen.dot(0, 1, 0.6, colour)
    pen.oval(0.02, 1.22, 0.52, 0.1, lighter(colour), 150)
    pen.oval(-0.02, 0.84, 0.56, 0.1, darker(colour), 150)
    for step in range(40):
        angle = math.pi * (1 + step / 39)
        pen.dot(1.0 * math.cos(angle), 1 + 0.26 * math.sin(angle) + 0.1 * math.cos(angle), 0.04, lighter(colour, 0.5))


def boat(pen: Stencil, colour: Pixel) -> None:
    """A sailing boat."""
    pen.line(((0.02, 0.3), (0.02, 1.9)), _WOOD, 0.05)
    pen.area(((0.07, 0.48), (0.07, 1.86), (0.8, 0.48)), _WHITE)
    pen.area(((0.4, 0.48), (0.07, 1.86), (0.8, 0.48)), (222, 226, 234))
    pen.area(((-0.04, 0.48), (-0.04, 1.64), (-0.64, 0.48)), mix(_WHITE, colour, 0.35))
    pen.area(((-0.92, 0.36), (0.96, 0.36), (0.66, -0.02), (-0.68, -0.02)), colour)
    pen.area(((-0.88, 0.3), (0.91, 0.3), (0.86, 0.22), (-0.84, 0.22)), _WHITE)
    pen.oval(0, -0.06, 0.85, 0.06, _WHITE, 90)


def fish(pen: Stencil, colour: Pixel) -> None:
    """A fish with stripes."""
    pen.area(((-0.55, 1), (-0.98, 1.36), (-0.98, 0.64)), darker(colour, 0.15))
    pen.area(((-0.2, 1.3), (0.25, 1.34), (-0.1, 1.66)), darker(colour, 0.15))
    pen.oval(0.1, 1, 0.74, 0.42, colour)
    for x in (-0.18, 0.16):
        pen.oval(x, 1, 0.08, 0.36, lighter(colour, 0.7))
    pen.dot(0.54, 1.1, 0.1, _WHITE)
    pen.dot(0.57, 1.1, 0.05, _DARK)
    pen.area(((0.05, 0.92), (0.3, 0.86), (0.02, 0.7)), darker(colour, 0.2))


def whale(pen: Stencil, colour: Pixel) -> None:
    """A whale that blows."""
    for side in (-1, 1):
        pen.arc(0.24 + side * 0.16, 1.2, 0.16, 180, 360, _GLASS, 0.06)
    pen.area(((-0.6, 0.5), (-0.98, 1.1), (-0.72, 0.98), (-0.6, 1.16), (-0.42, 0.6)), colour)
    pen.pie(0.1, 0.28, 0.82, 180, 360, colour)
    pen.oval(0.12, 0.26, 0.8, 0.24, lighter(colour, 0.6))
    pen.box(-0.75, 0.28, 0.92, 0.42, colour)
    pen.dot(0.56, 0.52, 0.05, _DARK)


def duck(pen: Stencil, colour: Pixel) -> None:
    """A swimming duck."""
    pen.area(((-0.5, 0.5), (-0.95, 0.85), (-0.4, 0.2)), colour)
    pen.oval(0, 0.42, 0.66, 0.4, colour)
    pen.oval(-0.1, 0.5, 0.38, 0.2, darker(colour, 0.12))
    pen.dot(0.46, 1.04, 0.34, colour)
    pen.area(((0.72, 1.1), (1.0, 1.0), (0.72, 0.92)), (244, 150, 50))
    pen.dot(0.56, 1.14, 0.05, _DARK)
    pen.oval(0, 0.05, 0.8, 0.06, _WHITE, 90)
