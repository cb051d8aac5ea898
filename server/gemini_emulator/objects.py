"""What lies on a table, and plain shapes; see `figures` for the square they stand in."""

from __future__ import annotations

import math

from .figures import Stencil, ring
from .png import Pixel
from .tints import darker, lighter, mix

_WHITE, _DARK, _WOOD = (250, 250, 246), (44, 44, 56), (150, 100, 62)


def apple(pen: Stencil, colour: Pixel) -> None:
    """An apple with a leaf."""
    for x in (-0.22, 0.22):
        pen.oval(x, 0.74, 0.5, 0.64, colour)
    pen.oval(0, 0.5, 0.5, 0.46, colour)
    pen.oval(-0.4, 0.96, 0.12, 0.22, _WHITE, 120)
    pen.line(((0, 1.2), (0.06, 1.6)), _WOOD, 0.07)
    pen.oval(0.32, 1.52, 0.26, 0.11, (84, 160, 70))


def fruit(pen: Stencil, colour: Pixel) -> None:
    """A round fruit, or a ball."""
    pen.dot(0, 0.74, 0.74, colour)
    pen.dot(-0.06, 0.82, 0.6, lighter(colour, 0.1))
    pen.oval(-0.26, 1.08, 0.2, 0.15, _WHITE, 150)
    pen.oval(0.12, 1.5, 0.2, 0.08, (84, 160, 70))


def banana(pen: Stencil, colour: Pixel) -> None:
    """A ripe banana."""
    outer = [(math.cos(angle), math.sin(angle)) for angle in (math.pi * (1.02 + 0.9 * step / 24) for step in range(25))]
    points = [(0.95 * x, 1.15 + 1.12 * y) for x, y in outer]
    inner = [(0.78 * x + 0.02, 1.3 + 0.72 * y) for x, y in reversed(outer)]
    pen.area((*points, *inner), colour)
    pen.area((*points, *[(0.9 * x, 1.19 + 0.98 * y) for x, y in reversed(outer)]), darker(colour, 0.14))
    pen.line(((-0.87, 1.2), (-0.92, 1.46)), darker(_WOOD, 0.2), 0.13)
    pen.dot(0.83, 0.98, 0.07, darker(_WOOD, 0.3))


def cup(pen: Stencil, colour: Pixel) -> None:
    """A steaming cup on a saucer."""
    for x in (-0.2, 0.08, 0.34):
        pen.line(tuple((x + 0.06 * math.sin(step), 1.28 + 0.1 * step) for step in range(7)), _WHITE, 0.045)
    pen.oval(0, 0.08, 0.95, 0.12, lighter(colour, 0.5))
    pen.arc(0.66, 0.68, 0.28, -100, 100, darker(colour, 0.1), 0.11)
    pen.area(((-0.62, 1.12), (0.62, 1.12), (0.46, 0.1), (-0.46, 0.1)), colour)
    pen.area(((0.2, 1.12), (0.62, 1.12), (0.46, 0.1), (0.16, 0.1)), darker(colour, 0.12))
    pen.oval(0, 1.12, 0.62, 0.13, lighter(colour, 0.3))
    pen.oval(0, 1.11, 0.53, 0.1, (84, 52, 34))


def book(pen: Stencil, colour: Pixel) -> None:
    """An open book."""
    pen.area(((-0.98, 0.12), (0, 0.0), (0.98, 0.12), (0.92, 0.94), (0, 0.82), (-0.92, 0.94)), colour)
    pen.area(((-0.9, 0.2), (0, 0.08), (0, 0.9), (-0.84, 1.0)), (250, 246, 234))
    pen.area(((0.9, 0.2), (0, 0.08), (0, 0.9), (0.84, 1.0)), (236, 230, 214))
    for step in range(5):
        y = 0.34 + 0.12 * step
        pen.line(((-0.74, y + 0.06), (-0.12, y)), (170, 166, 160), 0.025)
        pen.line(((0.74, y + 0.06), (0.12, y)), (170, 166, 160), 0.025)


def vase(pen: Stencil, colour: Pixel) -> None:
    """A vase with three flowers."""
    for x, y, tint in ((-0.42, 1.6, (244, 143, 177)), (0.02, 1.8, (250, 214, 90)), (0.42, 1.56, (240, 120, 90))):
        pen.line(((0, 0.9), (x, y)), (70, 140, 70), 0.05)
        for a, b in ring(x, y, 0.12, 0.12, 6):
            pen.dot(a, b, 0.1, tint)
        pen.dot(x, y, 0.08, _WHITE)
    pen.area(((-0.22, 1.0), (0.22, 1.0), (0.16, 0.8), (-0.16, 0.8)), colour)
    pen.oval(0, 0.44, 0.44, 0.46, colour)
    pen.oval(-0.2, 0.56, 0.08, 0.2, _WHITE, 110)


def cake(pen: Stencil, colour: Pixel) -> None:
    """A birthday cake with candles."""
    pen.oval(0, 0.08, 0.98, 0.12, (226, 228, 234))
    pen.box(-0.76, 0.08, 0.76, 0.62, mix(colour, (120, 78, 46), 0.35), 0.06)
    pen.box(-0.56, 0.56, 0.56, 1.02, colour, 0.06)
    pen.box(-0.76, 0.5, 0.76, 0.66, _WHITE, 0.08)
    pen.box(-0.56, 0.92, 0.56, 1.08, _WHITE, 0.08)
    for x in (-0.34, 0, 0.34):
        pen.box(x - 0.04, 1.06, x + 0.04, 1.4, lighter(colour, 0.4))
        pen.oval(x, 1.5, 0.06, 0.11, (255, 190, 60))


def bottle(pen: Stencil, colour: Pixel) -> None:
    """A bottle with a label."""
    pen.box(-0.36, 0, 0.36, 1.16, colour, 0.1)
    pen.area(((-0.36, 1.08), (0.36, 1.08), (0.13, 1.5), (-0.13, 1.5)), colour)
    pen.box(-0.13, 1.4, 0.13, 1.9, colour, 0.04)
    pen.box(-0.15, 1.72, 0.15, 1.95, (222, 190, 120), 0.04)
    pen.box(-0.36, 0.3, 0.36, 0.86, (246, 240, 226))
    pen.line(((-0.22, 0.66), (0.22, 0.66)), darker(colour), 0.05)
    pen.line(((-0.14, 0.5), (0.14, 0.5)), (170, 166, 160), 0.035)
    pen.box(-0.27, 0.06, -0.19, 1.1, lighter(colour, 0.4), 0.04)


def lamp(pen: Stencil, colour: Pixel) -> None:
    """A lamp that shines."""
    pen.area(((-0.98, 0.0), (0.98, 0.0), (0.4, 1.1), (-0.4, 1.1)), (255, 244, 190), 90)
    pen.oval(0, 0.06, 0.34, 0.08, _DARK)
    pen.line(((0, 0.06), (0, 1.1)), _DARK, 0.06)
    pen.area(((-0.62, 1.05), (0.62, 1.05), (0.32, 1.8), (-0.32, 1.8)), colour)
    pen.area(((0.1, 1.05), (0.62, 1.05), (0.32, 1.8), (0.06, 1.8)), lighter(colour, 0.2))


def guitar(pen: Stencil, colour: Pixel) -> None:
    """A guitar, upright."""
    pen.oval(0, 0.44, 0.52, 0.44, colour)
    pen.oval(0, 0.94, 0.38, 0.36, colour)
    pen.box(-0.08, 0.8, 0.08, 1.76, darker(_WOOD, 0.3))
    pen.box(-0.14, 1.7, 0.14, 1.96, darker(_WOOD, 0.4), 0.05)
    pen.dot(0, 0.74, 0.16, _DARK)
    pen.box(-0.18, 0.28, 0.18, 0.36, _DARK)
    for x in (-0.04, 0, 0.04):
        pen.line(((x, 0.32), (x, 1.8)), (230, 224, 200), 0.012)


def umbrella(pen: Stencil, colour: Pixel) -> None:
    """An open umbrella."""
    pen.line(((0, 0.16), (0, 1.9)), _DARK, 0.05)
    pen.arc(0.12, 0.16, 0.14, 0, 180, _DARK, 0.06)
    pen.pie(0, 0.98, 0.92, 180, 360, colour)
    pen.pie(0, 0.98, 0.92, 240, 300, lighter(colour, 0.35))


def heart(pen: Stencil, colour: Pixel) -> None:
    """A heart."""
    steps = [math.tau * step / 48 for step in range(48)]
    curve = [(16 * math.sin(t) ** 3, 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
             for t in steps]  # fmt: skip
    pen.area(tuple((x / 18, 1 + y / 17) for x, y in curve), colour)
    pen.oval(-0.4, 1.42, 0.16, 0.12, _WHITE, 120)


def star(pen: Stencil, colour: Pixel) -> None:
    """A star with five points, two-toned."""
    outer, inner = ring(0, 1, 0.98, 0.98, 5, math.pi / 2), ring(0, 1, 0.42, 0.42, 5, math.pi / 2 + math.pi / 5)
    for step in range(5):
        pen.area(((0, 1), outer[step], inner[step]), darker(colour, 0.12))
        pen.area(((0, 1), outer[step], inner[step - 1]), lighter(colour, 0.12))


def cube(pen: Stencil, colour: Pixel) -> None:
    """A cube, seen from above one edge."""
    pen.area(((0, 0), (0.85, 0.4), (0.85, 1.36), (0, 0.98)), darker(colour, 0.25))
    pen.area(((0, 0), (-0.85, 0.4), (-0.85, 1.36), (0, 0.98)), colour)
    pen.area(((0, 0.98), (0.85, 1.36), (0, 1.76), (-0.85, 1.36)), lighter(colour, 0.35))


def circle(pen: Stencil, colour: Pixel) -> None:
    """A disc."""
    pen.dot(0, 1, 0.95, colour)


def square(pen: Stencil, colour: Pixel) -> None:
    """A square."""
    pen.box(-0.9, 0.1, 0.9, 1.9, colour)


def triangle(pen: Stencil, colour: Pixel) -> None:
    """A triangle."""
    pen.area(((-0.98, 0.1), (0.98, 0.1), (0, 1.85)), colour)
