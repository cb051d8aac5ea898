"""Edits of a picture: the change that the prompt asks for, or one that can at least be seen."""

from __future__ import annotations

import random
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageEnhance, ImageFilter, ImageOps, UnidentifiedImageError

from .easel import Sheet
from .figures import Stencil
from .gallery import FIGURES, OTHERWISE, USUAL
from .lettering import sign
from .painting import finished, portrayed
from .png import Pixel
from .scene import FLYING, Scene, scene_of
from .wire import digest

_LIGHTS: dict[str, Pixel] = {
    "night": (90, 110, 190), "dusk": (255, 180, 134), "dawn": (255, 216, 190), "storm": (170, 178, 190),
    "space": (120, 100, 200), "deep": (110, 190, 220),
}  # fmt: skip
_MOST_INSETS = 4
_LARGEST = 60_000_000


def retouched(prompt: str, width: int, height: int, references: Sequence[bytes]) -> Image.Image:
    """The first picture, changed as the prompt says; further ones are put into its corners."""
    pictures = [picture for picture in (opened(raw) for raw in references) if picture is not None]
    if not pictures:
        return portrayed(prompt, width, height, note=f"edit of an unreadable picture: {' '.join(prompt.split())}")
    scene = scene_of(prompt)
    sheet = Sheet(width, height)
    sheet.image.paste(_changed(ImageOps.fit(pictures[0], (width, height)), prompt.lower(), scene))
    rng = random.Random(digest(prompt))
    if scene.light in _LIGHTS:
        sheet.multiply(_LIGHTS[scene.light])
    if scene.light == "night":
        for _ in range(60):
            sheet.disc(rng.random(), rng.random() * 0.45, rng.uniform(0.0015, 0.004), (255, 250, 230), 220)
    if scene.place == "snow":
        for _ in range(160):
            sheet.disc(rng.random(), rng.random(), rng.uniform(0.002, 0.007), (255, 255, 255), 220)
    _added(sheet, scene, rng)
    for number, inset in enumerate(pictures[1 : 1 + _MOST_INSETS]):
        _inset(sheet, inset, number)
    if scene.words:
        sign(sheet, scene.words, 0.26, (34, 36, 52), (250, 248, 240))
    return finished(sheet, scene, width, height, f"edit: {scene.caption}")


def opened(raw: bytes) -> Image.Image | None:
    """A picture in any format that Pillow reads; None for anything else."""
    try:
        with Image.open(BytesIO(raw)) as image:
            if image.width * image.height > _LARGEST:
                return None
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _changed(image: Image.Image, words: str, scene: Scene) -> Image.Image:
    """The change of the whole picture; a warmer or cooler tone where none was asked for."""
    if any(word in words for word in ("invert", "negative")):
        return ImageOps.invert(image)
    if any(word in words for word in ("blur", "soft focus", "bokeh")):
        return image.filter(ImageFilter.GaussianBlur(min(image.size) / 60))
    if any(word in words for word in ("mirror", "flip")):
        return ImageOps.mirror(image)
    if "rotate" in words or "upside down" in words:
        return image.transpose(Image.Transpose.ROTATE_180)
    if any(word in words for word in ("sepia", "vintage", "old photo")):
        return ImageOps.colorize(ImageOps.grayscale(image), (40, 26, 12), (255, 240, 206))
    if "bright" in words:
        return ImageEnhance.Brightness(image).enhance(1.35)
    if "dark" in words:
        return ImageEnhance.Brightness(image).enhance(0.6)
    if "contrast" in words:
        return ImageEnhance.Contrast(image).enhance(1.6)
    if scene.colours and not any(subject.colour for subject in scene.subjects):
        return Image.blend(image, ImageOps.colorize(ImageOps.grayscale(image), (10, 10, 20), scene.colours[0]), 0.6)
    tone = (255, 222, 186) if digest(words)[0] % 2 else (196, 220, 255)
    return Image.blend(image, Image.new("RGB", image.size, tone), 0.18)


def _added(sheet: Sheet, scene: Scene, rng: random.Random) -> None:
    """The things that the prompt names, in front of the picture."""
    for number, subject in enumerate(scene.subjects):
        for one in range(subject.count):
            x = (0.28 + 0.44 * ((number + one) % 2)) + rng.uniform(-0.06, 0.06)
            y = (0.52 if subject.kind in FLYING else 0.9) - 0.06 * one
            colour = subject.colour or USUAL.get(subject.kind) or rng.choice(OTHERWISE)
            FIGURES[subject.kind](Stencil(sheet, x, y, 0.36, lambda same: same), colour)


def _inset(sheet: Sheet, picture: Image.Image, number: int) -> None:
    side = round(sheet.unit * 0.24)
    small = ImageOps.expand(ImageOps.fit(picture, (side, side)), round(side * 0.05), (250, 250, 246))
    left = round(sheet.unit * 0.03) if number % 2 == 0 else sheet.width - small.width - round(sheet.unit * 0.03)
    top = round(sheet.unit * 0.03) if number < 2 else sheet.height - small.height - round(sheet.unit * 0.1)
    sheet.image.paste(small, (left, top))
