"""Sky, weather and ground: the painting behind the things in it."""

from __future__ import annotations

import random

from .daylight import AIR, HORIZONS, SKIES, ground
from .easel import Sheet
from .landscapes import GROUNDS
from .scene import Scene
from .tints import HARMONIES, darker, lighter, mix


def background(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    """Paint everything that things are put in front of."""
    if not scene.place:
        _colours(sheet, scene, rng)
        return
    if scene.place in ("room", "studio"):
        _indoors(sheet, scene, rng)
        return
    sheet.gradient(SKIES[scene.light], 0, min(1, HORIZONS[scene.place] + 0.08))
    _lights(sheet, scene, rng)
    GROUNDS[scene.place](sheet, scene, rng)
    if scene.light == "storm":
        _rain(sheet, rng)
    if scene.snow:
        for _ in range(150):
            sheet.disc(rng.random(), rng.random(), rng.uniform(0.0015, 0.005), (255, 255, 255), 210)


def _lights(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    light = scene.light
    if light in ("night", "space"):
        for _ in range(220 if light == "space" else 130):
            bright = rng.random() ** 2
            x, y = rng.random(), rng.random() * (1 if light == "space" else 0.6)
            sheet.disc(x, y, 0.0012 + 0.0022 * bright, (255, 250, 235), 110 + round(145 * bright))
    if light == "space":
        for colour in ((150, 60, 190), (40, 110, 220), (230, 90, 120)):
            sheet.glow(rng.random(), rng.random(), 0.55, colour, 0.5)
        return
    x = rng.choice((0.24, 0.74)) + rng.uniform(-0.05, 0.05)
    if light == "night":
        sheet.glow(x, 0.22, 0.4, (190, 205, 255), 0.5)
        sheet.disc(x, 0.22, 0.065, (246, 243, 224))
        for dx, dy, r in ((-0.02, -0.015, 0.013), (0.022, 0.012, 0.017), (-0.012, 0.026, 0.009)):
            sheet.disc(x + dx, 0.22 + dy, r, (222, 218, 196))
    elif light in ("dusk", "dawn"):
        y = HORIZONS[scene.place] - 0.13
        sheet.glow(x, y, 0.7, (255, 226, 150), 0.85)
        sheet.disc(x, y, 0.085, (255, 240, 190))
    elif light == "day":
        sheet.glow(x, 0.2, 0.5, (255, 252, 226), 0.8)
        sheet.disc(x, 0.2, 0.06, (255, 248, 210))
    elif light == "deep":
        for _ in range(5):
            left = rng.uniform(-0.1, 0.9)
            points = [(left, 0), (left + 0.1, 0), (left + 0.34, 1), (left + 0.1, 1)]
            sheet.pen.polygon([sheet.at(*one) for one in points], fill=(255, 255, 255, 16))
    if light not in ("deep", "night"):
        colour = mix((255, 255, 255), AIR[light], 0.2 if light == "day" else 0.45)
        for _ in range(6 if light == "storm" else 4):
            sheet.cloud(rng.random(), rng.uniform(0.08, 0.4), rng.uniform(0.07, 0.16), colour, rng.randint(110, 200))


def _rain(sheet: Sheet, rng: random.Random) -> None:
    for _ in range(170):
        x, y = rng.random() * 1.1, rng.random()
        (a, b), (c, d) = sheet.at(x, y), sheet.at(x - 0.012, y + 0.045)
        sheet.pen.line((a, b, c, d), fill=(220, 230, 240, 80), width=max(1, round(0.002 * sheet.unit)))


def _indoors(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    horizon = HORIZONS[scene.place]
    used = {subject.colour for subject in scene.subjects}
    wall = next((colour for colour in scene.colours if colour not in used), None)
    wall = wall or rng.choice(((214, 226, 222), (232, 218, 200), (206, 216, 232), (226, 210, 214)))
    wall = ground(scene, wall)
    sheet.gradient((lighter(wall, 0.2), wall), 0, horizon)
    if scene.place == "room":
        (a, b), (c, d) = sheet.at(0.1, 0.12), sheet.at(0.4, 0.5)
        sheet.pen.rectangle(
            (a, b, c, d), fill=SKIES[scene.light][1], outline=lighter(wall, 0.6), width=round(0.016 * sheet.unit)
        )
        sheet.pen.rectangle(
            ((a + c) / 2 - 0.004 * sheet.unit, b, (a + c) / 2 + 0.004 * sheet.unit, d), fill=lighter(wall, 0.6)
        )
    sheet.glow(0.5, 0.42, 0.7, (255, 252, 240), 0.5)
    wood = ground(scene, (176, 124, 84) if scene.place == "room" else darker(wall, 0.1))
    sheet.gradient((lighter(wood, 0.16), wood, darker(wood, 0.15)), horizon, 1)


def _colours(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    """A composition of discs and bands, in the colours that were named or in some that go together."""
    colours = list(scene.colours) or list(rng.choice(HARMONIES))
    if len(colours) < 3:
        colours = [shade for colour in colours for shade in (colour, darker(colour, 0.4), lighter(colour, 0.45))]
    back = lighter(colours[-1], 0.72)
    sheet.gradient((lighter(back, 0.3), back))
    for step in range(6):
        colour = colours[step % len(colours)]
        radius = 0.4 * 0.78**step * rng.uniform(0.85, 1.1)
        sheet.disc(rng.uniform(0.15, 0.85), rng.uniform(0.12, 0.72), radius, colour, 215)
    for step, colour in enumerate(colours[:3]):
        sheet.ridge(0.8 + 0.06 * step, 0.05, mix(colour, back, 0.15), rng, 1.2)
