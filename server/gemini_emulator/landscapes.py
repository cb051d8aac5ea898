"""The places that a picture may be in: hills, water, mountains, a city, the sea floor and others."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from .daylight import HORIZONS, SNOW, ground
from .easel import Sheet
from .png import Pixel
from .scene import Scene
from .tints import HARMONIES, darker, lighter, mix

_GRASS, _SAND, _WATER = (88, 152, 74), (232, 202, 146), (44, 116, 164)
_GLASS, _LIT = (60, 70, 100), (255, 214, 120)


def _hills(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    horizon = HORIZONS[scene.place]
    for step in range(4):
        colour = mix(_GRASS, (60, 110, 80), step / 5)
        far = 0.62 * (1 - step / 3) ** 1.2
        sheet.ridge(horizon - 0.1 + step * 0.055, 0.05 + 0.012 * step, ground(scene, colour, far), rng, 1 + step * 0.3)


def _meadow(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    _hills(sheet, scene, rng)
    petals = scene.colours or ((250, 210, 70), (240, 110, 130), (250, 250, 245))
    for _ in range(170):
        y = rng.uniform(0.8, 1) ** 0.8
        colour = ground(scene, rng.choice(petals))
        sheet.disc(rng.random(), y, 0.002 + 0.007 * (y - 0.75) * 3 * rng.uniform(0.6, 1), colour)


def _mountains(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    snow = ground(scene, SNOW, 0.12)
    sheet.peaks(0.74, 0.34, ground(scene, (108, 124, 150), 0.5), snow, rng)
    sheet.peaks(0.8, 0.44, ground(scene, (84, 96, 122), 0.16), ground(scene, SNOW), rng)
    for step, far in enumerate((0.3, 0.12, 0)):
        sheet.ridge(0.78 + step * 0.07, 0.03, ground(scene, (62, 112, 80), far), rng, 2)
        if scene.water and step == 1:
            _water(sheet, scene, rng, 0.855)
    _pines(sheet, scene, rng, 16, 0.95 if scene.water else 0.86, 0.99, 0.09)


def _forest(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    sheet.ridge(0.6, 0.05, ground(scene, (70, 120, 92), 0.5), rng, 1.5)
    for count, top, bottom, size, far in ((26, 0.62, 0.68, 0.16, 0.5), (18, 0.7, 0.76, 0.22, 0.25)):
        _pines(sheet, scene, rng, count, top, bottom, size, far)
        sheet.ridge(bottom + 0.01, 0.015, ground(scene, (64, 118, 76), far), rng, 2)
    sheet.ridge(0.84, 0.02, ground(scene, (74, 130, 66)), rng, 2)


def _pines(
    sheet: Sheet, scene: Scene, rng: random.Random, count: int, top: float, bottom: float, size: float, far: float = 0
) -> None:
    for index in range(count):
        y = top + (bottom - top) * index / count
        x, tall = rng.random(), size * rng.uniform(0.7, 1.2)
        colour = ground(scene, mix((30, 86, 62), (52, 112, 60), rng.random()), far)
        trunk = tall * 0.03
        sheet.pen.rectangle(
            (*sheet.at(x - trunk, y - tall * 0.1), *sheet.at(x + trunk, y + tall * 0.06)), fill=darker(colour, 0.5)
        )
        for level in range(3):
            wide = tall * (0.24 - 0.055 * level) * sheet.unit / sheet.width
            low = y - tall * (0.04 + 0.26 * level)
            points = [(x - wide, low), (x + wide, low), (x, low - tall * 0.44)]
            sheet.pen.polygon([sheet.at(*one) for one in points], fill=lighter(colour, 0.05 * level))


def _sea(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    _water(sheet, scene, rng, HORIZONS[scene.place])


def _water(sheet: Sheet, scene: Scene, rng: random.Random, horizon: float) -> None:
    far, near = ground(scene, lighter(_WATER, 0.25), 0.3), ground(scene, darker(_WATER, 0.35))
    sheet.gradient((far, ground(scene, _WATER), near), horizon, 1)
    glitter = {"dusk": (255, 214, 150), "dawn": (255, 230, 200), "night": (210, 220, 255)}.get(
        scene.light, (235, 246, 252)
    )
    for _ in range(150):
        y = horizon + (1 - horizon) * rng.random() ** 1.5
        x, long = rng.random(), (0.008 + 0.05 * (y - horizon)) * rng.uniform(0.6, 2.2)
        thick = max(1.0, (0.0015 + 0.007 * (y - horizon)) * sheet.unit)
        (left, top), (right, _) = sheet.at(x - long, y), sheet.at(x + long, y)
        sheet.pen.rounded_rectangle((left, top, right, top + thick), thick / 2, fill=(*glitter, 70))


def _beach(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    _sea(sheet, scene, rng)
    for step, colour in enumerate(((236, 246, 248), darker(_SAND, 0.18), _SAND)):
        sheet.ridge(0.8 + 0.014 * step, 0.02, ground(scene, colour), random.Random(7), 1)


def _desert(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    for step in range(4):
        colour = mix((214, 150, 88), (240, 196, 122), step / 3)
        sheet.ridge(0.64 + step * 0.09, 0.06, ground(scene, colour, 0.4 - step * 0.13), rng, 0.9 + 0.2 * step)


def _snow(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    sheet.peaks(0.7, 0.24, ground(scene, (150, 170, 200), 0.3), ground(scene, SNOW), rng)
    for step in range(3):
        sheet.ridge(0.68 + step * 0.08, 0.035, ground(scene, mix((206, 220, 236), SNOW, step / 2)), rng, 1.3)
    _pines(sheet, scene, rng, 12, 0.74, 0.82, 0.12)


def _city(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    dark = scene.light in ("night", "dusk", "storm")
    for layer, (low, high, far) in enumerate(((0.2, 0.42, 0.55), (0.12, 0.34, 0.22))):
        x = -0.02
        while x < 1:
            wide = rng.uniform(0.05, 0.1)
            top = 0.84 - rng.uniform(low, high)
            base = mix((70, 84, 116), (150, 112, 104), rng.random() * 0.6)
            colour = ground(scene, base, far)
            sheet.pen.rectangle((*sheet.at(x, top), *sheet.at(x + wide, 0.86)), fill=colour)
            sheet.pen.rectangle((*sheet.at(x + wide * 0.8, top), *sheet.at(x + wide, 0.86)), fill=darker(colour, 0.15))
            if layer:
                _windows(sheet, x, wide, top, lighter(colour, 0.3), rng, dark)
            x += wide * rng.uniform(0.95, 1.15)
    sheet.gradient((ground(scene, (92, 98, 110)), ground(scene, (58, 62, 74))), 0.84, 1)
    for step in range(9):
        left = step / 8 - 0.04
        sheet.pen.rectangle((*sheet.at(left, 0.925), *sheet.at(left + 0.055, 0.933)), fill=(235, 225, 190, 150))


def _windows(sheet: Sheet, x: float, wide: float, top: float, plain: Pixel, rng: random.Random, dark: bool) -> None:
    across = max(2, round(wide / 0.02))
    y = top + 0.018
    while y < 0.81:
        for column in range(across):
            left = x + wide * 0.78 * (column + 0.3) / across
            lit = dark and rng.random() < 0.5
            box = (*sheet.at(left, y), *sheet.at(left + wide * 0.34 / across, y + 0.013))
            sheet.pen.rectangle(box, fill=_LIT if lit else plain if not dark else _GLASS)
        y += 0.027


def _deep(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    sheet.ridge(0.9, 0.03, (30, 70, 100), rng, 2)
    for _ in range(9):
        x, tall, colour = rng.random(), rng.uniform(0.06, 0.16), rng.choice(HARMONIES[rng.randrange(5)])
        for branch in range(5):
            lean = (branch - 2) * 0.018
            for step in range(9):
                y = 0.97 - tall * step / 8
                sway = math.sin(step / 2 + branch) * 0.004
                sheet.disc(x + lean * step / 6 + sway, y, 0.011 - 0.0008 * step, mix(colour, (20, 70, 120), 0.35))
    for _ in range(26):
        sheet.disc(rng.random(), rng.random() * 0.9, rng.uniform(0.003, 0.011), (230, 250, 255), 90)
    sheet.ridge(0.96, 0.012, (200, 184, 140), rng, 3)


def _space(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    sheet.glow(0.16, 1.0, 0.62, (90, 160, 255), 0.5)
    sheet.disc(0.16, 1.12, 0.4, (32, 78, 140))
    for dx, dy, r in ((-0.12, -0.06, 0.1), (0.04, 0.0, 0.13), (0.18, 0.08, 0.08)):
        sheet.disc(0.16 + dx, 1.02 + dy, r, (60, 130, 96), 150)


GROUNDS: dict[str, Callable[[Sheet, Scene, random.Random], None]] = {
    "hills": _hills, "meadow": _meadow, "mountains": _mountains, "forest": _forest, "sea": _sea, "beach": _beach,
    "desert": _desert, "snow": _snow, "city": _city, "deep": _deep, "space": _space,
}  # fmt: skip
"""What paints the ground of each place."""
