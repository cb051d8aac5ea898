"""Films: a painted place, and what is in it on the move."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageOps

from .backdrop import background
from .easel import Sheet
from .figures import Figure, Stencil
from .gallery import FIGURES
from .h264 import NAME, Encoder, Frame
from .lettering import caption
from .mp4 import movie
from .painting import cast, finished, sheet_for
from .pixels import mapped, resized
from .png import Pixel
from .retouching import opened
from .scene import FLYING, Scene, Subject, scene_of
from .wire import digest

_SAID = "made by an emulator, not by Gemini"
_SHORT_SIDES = {"360p": 180, "720p": 360, "1080p": 540, "4k": 720}
_LARGEST_FIGURE = 150
_BAR = (255, 209, 102)
_LUMA = [16 + round(value * 219 / 255) for value in range(256)]
_CHROMA = [16 + round(value * 224 / 255) for value in range(256)]
_EXTRAS = {"deep": "fish", "space": "rocket", "": "circle"}


@dataclass(frozen=True)
class Actor:
    """A figure cut out, ready to be put anywhere.

    Args:
        paint: its colours over black.
        veil: how much of what is behind it stays visible, per channel.
        start: the upper left corner in the first frame, in pixels.
        way: how far it travels, in pixels.
        bob: how far it goes up and down, in pixels.
    """

    paint: Image.Image
    veil: Image.Image
    start: tuple[int, int]
    way: int
    bob: float

    def enter(self, stage: Image.Image, share: float) -> None:
        """Paint it where it is after a share of the film."""
        x = self.start[0] + round(self.way * share)
        y = self.start[1] + round(self.bob * math.sin(share * math.tau * 2))
        behind = stage.crop((x, y, x + self.paint.width, y + self.paint.height))
        stage.paste(ImageChops.add(ImageChops.multiply(behind, self.veil), self.paint), (x, y))


def shoot(
    prompt: str,
    seconds: float,
    aspect_ratio: str,
    resolution: str,
    *,
    first: bytes | None,
    last: bytes | None,
    fps: int,
) -> bytes:
    """The film as a file."""
    width, height = size_of_film(aspect_ratio, resolution)
    scene = scene_of(prompt)
    rng = random.Random(digest(prompt))
    opening, ending = (opened(raw) if raw else None for raw in (first, last))
    place = ImageOps.fit(opening, (width, height)) if opening else _place(scene, width, height, rng)
    actors = _actors(scene, width, height, rng, outside=opening is not None)
    curtain = ImageOps.fit(ending, (width, height)) if ending else None
    encoder = Encoder(width, height, fps)
    count = max(2, round(seconds * fps))
    frames: list[bytes] = []
    for number in range(count):
        share = number / (count - 1)
        stage = place.copy()
        for actor in actors:
            actor.enter(stage, share)
        if curtain:
            _draw_curtain(stage, curtain, share)
        _tell(stage, scene, share)
        frames.append(encoder.frame(_in_components(stage, encoder.coded_size)))
    return movie(
        frames, width=width, height=height, fps=fps, parameters=encoder.parameters(), encoder=NAME, comment=_SAID
    )


def size_of_film(aspect_ratio: str, resolution: str) -> tuple[int, int]:
    """Width and height in pixels, both even: half of what the resolution says, and less for 4K."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    short = _SHORT_SIDES[resolution.lower()]
    long = round(short * max(across, down) / min(across, down) / 2) * 2
    return (long, short) if across >= down else (short, long)


def _place(scene: Scene, width: int, height: int, rng: random.Random) -> Image.Image:
    sheet = sheet_for(width, height)
    background(sheet, scene, rng)
    return finished(sheet, scene, width, height, "")


def _actors(scene: Scene, width: int, height: int, rng: random.Random, *, outside: bool) -> list[Actor]:
    if not scene.subjects:
        extra = Subject(_EXTRAS.get(scene.place, "bird"))
        scene = replace(scene, subjects=(extra,))
    scale = min(1, _LARGEST_FIGURE / (0.4 * min(width, height)))
    actors: list[Actor] = []
    for figure, stencil, colour in cast(Sheet(width, height), scene, rng):
        x, y, size = stencil.position
        actors.append(_cut_out(figure, stencil.dyed, colour, (x, y, size * scale * 0.8), width, outside))
    return actors


def _cut_out(
    figure: Figure,
    dyed: Callable[[Pixel], Pixel],
    colour: Pixel,
    where: tuple[float, float, float],
    width: int,
    outside: bool,
) -> Actor:
    """Paint a figure over black and over white: the difference is what shines through."""
    x, y, size = where
    side = max(8, round(size * 1.16))
    painted: list[Image.Image] = []
    for paper in ((0, 0, 0), (255, 255, 255)):
        sheet = Sheet(2 * side, 2 * side)
        sheet.image.paste(paper, (0, 0, 2 * side, 2 * side))
        figure(Stencil(sheet, 0.5, 0.95, size / side, dyed), colour)
        painted.append(sheet.image.reduce(2))
    over_black, over_white = painted
    way = round(width * 0.4)
    left = -side if outside else round(x - side / 2 - way / 2)
    travels = way + side if outside else way
    flies = any(FIGURES[kind] is figure for kind in FLYING)
    return Actor(
        over_black,
        ImageChops.subtract(over_white, over_black),
        (left, round(y - 0.95 * side)),
        travels,
        side * (0.12 if flies else 0.04),
    )


def _draw_curtain(stage: Image.Image, curtain: Image.Image, share: float) -> None:
    """The last picture comes in from the left during the second half."""
    edge = round(curtain.width * max(0.0, share - 0.5) * 2)
    if edge:
        stage.paste(curtain.crop((0, 0, edge, curtain.height)), (0, 0))


def _tell(stage: Image.Image, scene: Scene, share: float) -> None:
    """The line below, and a bar that says how far the film has come."""
    sheet = Sheet(stage.width, stage.height)
    sheet.image.paste(stage)
    caption(sheet, scene.caption)
    stage.paste(sheet.image)
    stage.paste(_BAR, (0, stage.height - 2, round(stage.width * share), stage.height))


def _in_components(picture: Image.Image, size: tuple[int, int]) -> Frame:
    """The picture in YCbCr of the limited range, its last row and column repeated up to whole macroblocks."""
    width, height = picture.size
    if picture.size != size:
        padded = Image.new("RGB", size)
        padded.paste(resized(picture.crop((width - 1, 0, width, height)), size[0] - width or 1, height), (width, 0))
        padded.paste(picture, (0, 0))
        padded.paste(
            resized(padded.crop((0, height - 1, size[0], height)), size[0], size[1] - height or 1), (0, height)
        )
        picture = padded
    luma, blue, red = picture.convert("YCbCr").split()
    return Frame(
        mapped(luma, _LUMA).tobytes(),
        mapped(blue.reduce(2), _CHROMA).tobytes(),
        mapped(red.reduce(2), _CHROMA).tobytes(),
    )
