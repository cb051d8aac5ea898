"""Houses, towers, a tent and a car; see `figures` for the square they stand in."""

from __future__ import annotations

import math

from .figures import Stencil
from .png import Pixel
from .tints import darker, lighter, mix

_WHITE, _DARK, _WOOD = (250, 250, 246), (44, 44, 56), (124, 84, 54)


def house(pen: Stencil, colour: Pixel) -> None:
    """A house with a door, two windows and a chimney."""
    roof = darker(colour, 0.3)
    pen.box(0.38, 1.1, 0.58, 1.75, darker(_WOOD, 0.2))
    pen.box(-0.75, 0, 0.75, 1.05, mix(_WHITE, colour, 0.18))
    pen.box(0.3, 0, 0.75, 1.05, mix(_WHITE, colour, 0.3))
    pen.area(((-0.95, 1), (0.95, 1), (0.5, 1.72), (-0.5, 1.72)), roof)
    pen.area(((-0.95, 1), (0.2, 1), (-0.1, 1.72), (-0.5, 1.72)), colour)
    pen.box(-0.16, 0, 0.14, 0.62, _WOOD)
    pen.dot(0.07, 0.3, 0.03, (240, 220, 120))
    for x in (-0.58, 0.38):
        pen.box(x, 0.36, x + 0.26, 0.68, (255, 226, 140))
        pen.line(((x + 0.13, 0.36), (x + 0.13, 0.68)), _WHITE)


def castle(pen: Stencil, colour: Pixel) -> None:
    """A keep between two towers."""
    stone = mix((176, 170, 164), colour, 0.2)
    pen.box(-0.7, 0, 0.7, 0.95, stone)
    for left in (-0.62, -0.3, 0.02, 0.34):
        pen.box(left, 0.9, left + 0.2, 1.1, stone)
    for x in (-0.75, 0.75):
        pen.box(x - 0.22, 0, x + 0.22, 1.4, darker(stone, 0.12))
        pen.area(((x - 0.3, 1.38), (x + 0.3, 1.38), (x, 1.95)), colour)
        pen.box(x - 0.06, 0.95, x + 0.06, 1.2, _DARK, 0.06)
    pen.pie(0, 0.34, 0.26, 180, 360, _DARK)
    pen.box(-0.26, 0, 0.26, 0.35, _DARK)


def lighthouse(pen: Stencil, colour: Pixel) -> None:
    """A striped tower with its light on."""
    pen.area(((-0.9, 0), (0.9, 0), (0.5, 0.22), (-0.6, 0.22)), (110, 112, 118))
    for step in range(5):
        low, high = 0.16 + 0.24 * step, 0.4 + 0.24 * step
        a, b = 0.34 - 0.036 * step, 0.304 - 0.036 * step
        pen.area(((-a, low), (a, low), (b, high), (-b, high)), _WHITE if step % 2 else colour)
    pen.area(((0.06, 0.16), (0.34, 0.16), (0.16, 1.36), (0.04, 1.36)), (10, 14, 40), 36)
    pen.box(-0.26, 1.36, 0.26, 1.42, _DARK)
    pen.area(((0, 1.54), (1.0, 1.8), (1.0, 1.3)), (255, 244, 180), 90)
    pen.area(((0, 1.54), (-1.0, 1.8), (-1.0, 1.3)), (255, 244, 180), 90)
    pen.box(-0.15, 1.42, 0.15, 1.68, (255, 240, 160))
    pen.area(((-0.22, 1.68), (0.22, 1.68), (0, 1.92)), darker(colour))


def windmill(pen: Stencil, colour: Pixel) -> None:
    """A mill with four sails."""
    pen.area(((-0.4, 0), (0.4, 0), (0.25, 1.1), (-0.25, 1.1)), _WHITE)
    pen.area(((0.1, 0), (0.4, 0), (0.25, 1.1), (0.08, 1.1)), (206, 206, 210))
    pen.area(((-0.32, 1.1), (0.32, 1.1), (0, 1.45)), colour)
    pen.box(-0.1, 0, 0.1, 0.34, _WOOD)
    for step in range(4):
        angle = math.pi / 4 + step * math.pi / 2 + 0.25
        tip, side = (math.cos(angle), math.sin(angle)), (-math.sin(angle) * 0.16, math.cos(angle) * 0.16)
        far, near = (tip[0] * 0.88, 1.2 + tip[1] * 0.88), (tip[0] * 0.15, 1.2 + tip[1] * 0.15)
        pen.area((near, far, (far[0] + side[0], far[1] + side[1]), (near[0] + side[0], near[1] + side[1])), colour, 220)
        pen.line(((0, 1.2), far), _WOOD)
    pen.dot(0, 1.2, 0.06, _DARK)


def tent(pen: Stencil, colour: Pixel) -> None:
    """A ridge tent, its flap open."""
    pen.area(((-0.95, 0), (0.95, 0), (0.1, 1.2), (-0.1, 1.2)), colour)
    pen.area(((0, 0), (0.95, 0), (0.1, 1.2)), darker(colour))
    pen.area(((-0.35, 0), (0.2, 0), (0, 0.95)), _DARK)
    pen.area(((-0.35, 0), (-0.12, 0), (0, 0.95)), lighter(colour))


def car(pen: Stencil, colour: Pixel) -> None:
    """A small car."""
    pen.area(((-0.62, 0.6), (0.6, 0.6), (0.34, 1), (-0.4, 1)), darker(colour, 0.1))
    pen.area(((-0.5, 0.6), (-0.06, 0.6), (-0.06, 0.92), (-0.34, 0.92)), (190, 224, 240))
    pen.area(((0.04, 0.6), (0.46, 0.6), (0.27, 0.92), (0.04, 0.92)), (190, 224, 240))
    pen.box(-0.98, 0.2, 0.98, 0.64, colour, 0.16)
    pen.box(-0.98, 0.2, 0.98, 0.34, darker(colour, 0.25), 0.1)
    pen.dot(0.88, 0.5, 0.08, (255, 240, 170))
    for x in (-0.56, 0.56):
        pen.dot(x, 0.2, 0.24, _DARK)
        pen.dot(x, 0.2, 0.11, (190, 194, 200))
