"""A sheet of paper to paint on: gradients, glows, ridges and soft shapes over Pillow."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw

from .pixels import mapped, resized
from .png import Pixel
from .tints import mix

Point = tuple[float, float]


class Sheet:
    """A picture in the making; coordinates are shares of its width and height, from the upper left corner.

    Args:
        width: in pixels.
        height: in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width, height))
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    @property
    def unit(self) -> float:
        """The shorter side in pixels, by which the sizes of things go."""
        return min(self.width, self.height)

    def at(self, x: float, y: float) -> Point:
        """A place in pixels."""
        return x * self.width, y * self.height

    def gradient(self, stops: Sequence[Pixel], top: float = 0, bottom: float = 1) -> None:
        """Colours that run into each other from `top` to `bottom`, across the whole width."""
        first, last = round(top * self.height), round(bottom * self.height)
        column = Image.new("RGB", (1, max(1, last - first)))
        for y in range(column.height):
            place = y / max(1, column.height - 1) * (len(stops) - 1)
            index = min(int(place), len(stops) - 2)
            column.putpixel((0, y), mix(stops[index], stops[index + 1], place - index))
        self.image.paste(resized(column, self.width, column.height, smooth=False), (0, first))

    def glow(self, x: float, y: float, radius: float, colour: Pixel, strength: float = 1) -> None:
        """Light around a point, fading out; the radius is a share of the shorter side."""
        size = max(2, round(2 * radius * self.unit))
        light = mapped(resized(Image.radial_gradient("L"), size, size), _fading(strength))
        left, top = (round(a - size / 2) for a in self.at(x, y))
        self.image.paste(Image.new("RGB", (size, size), colour), (left, top), light)

    def disc(self, x: float, y: float, radius: float, colour: Pixel, alpha: int = 255) -> None:
        """A circle; the radius is a share of the shorter side."""
        (cx, cy), r = self.at(x, y), radius * self.unit
        self.pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(*colour, alpha))

    def ridge(self, base: float, height: float, colour: Pixel, rng: random.Random, waves: float = 2) -> None:
        """Rolling ground from about `base` down to the lower edge."""
        parts = [(waves * (1 + rng.random()) * 2**level, rng.random() * math.tau, 0.5**level) for level in range(3)]
        points: list[Point] = [(0, self.height), (self.width, self.height)]
        for step in range(160, -1, -1):
            x = step / 160
            rise = sum(weight * math.sin(frequency * x * math.pi + phase) for frequency, phase, weight in parts)
            points.append(self.at(x, base - height * rise / 1.75))
        self.pen.polygon(points, fill=colour)

    def peaks(self, base: float, height: float, colour: Pixel, snow: Pixel | None, rng: random.Random) -> None:
        """A chain of mountains with lit and shaded sides, and snow on top of the higher ones."""
        x = -0.1
        chain: list[tuple[float, float, float]] = []
        while x < 1.1:
            wide = rng.uniform(0.2, 0.34)
            chain.append((x + wide / 2, wide, rng.uniform(0.55, 1)))
            x += wide * rng.uniform(0.45, 0.7)
        for middle, wide, tall in sorted(chain, key=lambda one: one[2]):
            self._peak(middle, wide * (0.7 + tall * 0.6), base, height * tall, colour, snow)
        self.pen.rectangle((*self.at(0, base), self.width, self.height), fill=colour)

    def _peak(self, x: float, wide: float, base: float, tall: float, colour: Pixel, snow: Pixel | None) -> None:
        top = (x, base - tall)
        left, right, foot = (x - wide / 2, base), (x + wide / 2, base), (x + wide * 0.12, base)
        self.pen.polygon([self.at(*one) for one in (top, left, foot)], fill=mix(colour, (255, 255, 255), 0.13))
        self.pen.polygon([self.at(*one) for one in (top, foot, right)], fill=mix(colour, (10, 15, 40), 0.16))
        if snow:
            cap = 0.34
            steps = [(-0.5, cap), (-0.28, cap * 0.8), (-0.1, cap * 1.08), (0.06, cap * 0.8), (0.12, cap)]
            edge = [(x + share * wide * cap * 1.0, base - tall + tall * down) for share, down in steps]
            edge.append((x + 0.3 * wide * cap, base - tall + tall * cap * 0.75))
            edge.append((x + 0.5 * wide * cap, base - tall + tall * cap))
            self.pen.polygon([self.at(*one) for one in (top, *edge)], fill=snow)
            shade = [self.at(*top), self.at(*edge[4]), self.at(*edge[5]), self.at(*edge[6])]
            self.pen.polygon(shade, fill=mix(snow, colour, 0.28))

    def cloud(self, x: float, y: float, size: float, colour: Pixel, alpha: int) -> None:
        """A cloud of five puffs, transparent as one piece."""
        unit = size * self.unit
        wide, tall = round(3 * unit), round(1.5 * unit)
        shape = Image.new("L", (wide, tall))
        pen = ImageDraw.Draw(shape)
        for dx, dy, r in ((-0.9, 0.1, 0.42), (-0.35, -0.18, 0.58), (0.3, -0.3, 0.66), (0.85, 0, 0.48), (0, 0.12, 0.5)):
            a, b, radius = wide / 2 + dx * unit, tall / 1.5 + dy * unit, r * unit
            pen.ellipse((a - radius, b - radius, a + radius, b + radius), fill=alpha)
        pen.rectangle((0, tall / 1.5 + 0.42 * unit, wide, tall), fill=0)
        left, top = self.at(x, y)
        self.image.paste(Image.new("RGB", shape.size, colour), (round(left - wide / 2), round(top - tall / 1.5)), shape)

    def multiply(self, colour: Pixel) -> None:
        """Filter everything through coloured glass."""
        self.image.paste(ImageChops.multiply(self.image, Image.new("RGB", self.image.size, colour)))


def _fading(strength: float) -> list[int]:
    """How strong a light is by its distance from the middle."""
    # radial_gradient is 0 in its middle, 255 in the corners, and so 180 where the circle touches the edges.
    return [round(strength * 255 * max(0.0, 1 - value / 178) ** 1.6) for value in range(256)]
