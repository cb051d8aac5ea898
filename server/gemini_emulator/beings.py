"""Animals, a robot and a person; see `figures` for the square they stand in."""

from __future__ import annotations

from .figures import Stencil
from .png import Pixel
from .tints import darker, lighter, mix

_WHITE, _DARK, _SKIN = (250, 250, 246), (44, 44, 56), (238, 196, 160)


def cat(pen: Stencil, colour: Pixel) -> None:
    """A sitting cat."""
    pen.arc(0.62, 0.5, 0.36, -90, 120, colour, 0.15)
    pen.oval(0, 0.5, 0.52, 0.54, colour)
    pen.oval(0, 0.4, 0.28, 0.36, lighter(colour, 0.35))
    for x in (-0.24, 0.24):
        pen.oval(x, 0.08, 0.18, 0.1, lighter(colour, 0.15))
    _head(pen, colour, 1.3, ears="pointed")
    for side in (-1, 1):
        for slope in (-0.06, 0.05):
            pen.line(((side * 0.16, 1.18), (side * 0.62, 1.18 + slope)), lighter(colour, 0.7), 0.018)


def dog(pen: Stencil, colour: Pixel) -> None:
    """A sitting dog."""
    pen.line(((0.4, 0.3), (0.75, 0.7)), colour, 0.15)
    pen.oval(0, 0.5, 0.48, 0.55, colour)
    pen.oval(0, 0.42, 0.25, 0.38, lighter(colour, 0.4))
    for x in (-0.24, 0.24):
        pen.oval(x, 0.09, 0.2, 0.11, lighter(colour, 0.2))
    _head(pen, colour, 1.3, ears="hanging")


def fox(pen: Stencil, colour: Pixel) -> None:
    """A sitting fox with a white-tipped tail."""
    pen.oval(0.62, 0.4, 0.24, 0.46, colour)
    pen.oval(0.66, 0.74, 0.15, 0.18, _WHITE)
    pen.oval(0, 0.5, 0.44, 0.54, colour)
    pen.oval(0, 0.44, 0.22, 0.4, _WHITE)
    for x in (-0.2, 0.2):
        pen.oval(x, 0.08, 0.16, 0.1, _DARK)
    _head(pen, colour, 1.3, ears="pointed")
    pen.area(((-0.34, 1.2), (0.34, 1.2), (0, 0.9)), _WHITE)
    pen.dot(0, 0.97, 0.06, _DARK)


def _head(pen: Stencil, colour: Pixel, y: float, ears: str) -> None:
    inner = mix(colour, (255, 180, 180), 0.6)
    for side in (-1, 1):
        if ears == "pointed":
            pen.area(((side * 0.42, y + 0.08), (side * 0.1, y + 0.3), (side * 0.4, y + 0.66)), colour)
            pen.area(((side * 0.36, y + 0.16), (side * 0.18, y + 0.3), (side * 0.36, y + 0.5)), inner)
    pen.oval(0, y, 0.46, 0.4, colour)
    if ears == "hanging":
        for side in (-1, 1):
            pen.oval(side * 0.44, y - 0.02, 0.14, 0.34, darker(colour, 0.35))
        pen.oval(0, y - 0.16, 0.24, 0.18, lighter(colour, 0.4))
    for side in (-1, 1):
        pen.oval(side * 0.18, y + 0.06, 0.07, 0.09, _DARK)
        pen.dot(side * 0.18 + 0.025, y + 0.1, 0.025, _WHITE)
    pen.oval(0, y - 0.1, 0.07, 0.05, _DARK)
    pen.arc(-0.07, y - 0.14, 0.07, 10, 160, _DARK, 0.025)
    pen.arc(0.07, y - 0.14, 0.07, 20, 170, _DARK, 0.025)


def robot(pen: Stencil, colour: Pixel) -> None:
    """A robot that greets."""
    for x in (-0.24, 0.24):
        pen.box(x - 0.11, 0, x + 0.11, 0.34, darker(colour, 0.35), 0.05)
    pen.line(((-0.42, 0.8), (-0.72, 0.5)), darker(colour), 0.13)
    pen.line(((0.42, 0.8), (0.74, 1.15)), darker(colour), 0.13)
    pen.dot(-0.72, 0.48, 0.1, lighter(colour))
    pen.dot(0.74, 1.2, 0.1, lighter(colour))
    pen.box(-0.46, 0.28, 0.46, 1.02, colour, 0.12)
    pen.box(-0.26, 0.46, 0.26, 0.8, lighter(colour, 0.5), 0.06)
    for step, tint in enumerate(((230, 80, 70), (250, 200, 70), (90, 190, 110))):
        pen.dot(-0.14 + 0.14 * step, 0.63, 0.05, tint)
    pen.line(((0, 1.6), (0, 1.84)), darker(colour), 0.05)
    pen.dot(0, 1.88, 0.08, (240, 90, 70))
    pen.box(-0.4, 1.08, 0.4, 1.66, lighter(colour, 0.15), 0.14)
    pen.box(-0.3, 1.22, 0.3, 1.52, _DARK, 0.1)
    for x in (-0.14, 0.14):
        pen.dot(x, 1.38, 0.08, (120, 230, 250))


def person(pen: Stencil, colour: Pixel) -> None:
    """Somebody who stands there and waves."""
    for x in (-0.14, 0.14):
        pen.box(x - 0.1, 0, x + 0.1, 0.7, (60, 70, 110), 0.04)
        pen.oval(x + 0.02, 0.03, 0.15, 0.07, _DARK)
    pen.line(((-0.26, 1.16), (-0.42, 0.72)), darker(colour, 0.12), 0.14)
    pen.line(((0.26, 1.16), (0.52, 1.5)), darker(colour, 0.12), 0.14)
    pen.dot(0.54, 1.54, 0.08, _SKIN)
    pen.dot(-0.43, 0.69, 0.08, _SKIN)
    pen.area(((-0.3, 0.6), (0.3, 0.6), (0.28, 1.26), (-0.28, 1.26)), colour)
    pen.box(-0.07, 1.2, 0.07, 1.36, _SKIN)
    pen.dot(0, 1.56, 0.26, (70, 46, 34))
    pen.oval(0, 1.5, 0.21, 0.24, _SKIN)
    for x in (-0.08, 0.08):
        pen.dot(x, 1.53, 0.026, _DARK)
    pen.arc(0, 1.47, 0.09, 20, 160, (170, 80, 80), 0.03)
