"""Pictures of what a prompt mentions: a place in its light, the things in it, and a line that says who made it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageFilter, ImageOps
from PIL.PngImagePlugin import PngInfo

from .backdrop import background
from .daylight import HORIZONS, ground
from .easel import Sheet
from .figures import Figure, Stencil
from .gallery import FIGURES, OTHERWISE, USUAL
from .lettering import caption, sign
from .pixels import resized
from .png import Pixel
from .scene import FLOATING, FLYING, Scene, Subject, scene_of
from .tints import mix
from .wire import digest

_SAID = "made by an emulator, not by Gemini"
_DRAWN_TWICE_AS_LARGE = 1600
_PIXELS = 96


def paint(prompt: str, width: int, height: int, mime_type: str, references: Sequence[bytes], quality: int) -> bytes:
    """The picture as a file."""
    from .retouching import retouched

    image = retouched(prompt, width, height, references) if references else portrayed(prompt, width, height)
    return encoded(image, mime_type, quality)


def portrayed(prompt: str, width: int, height: int, *, note: str = "") -> Image.Image:
    """A new picture, with its caption."""
    scene = scene_of(prompt)
    sheet = sheet_for(width, height)
    rng = random.Random(digest(prompt))
    background(sheet, scene, rng)
    for figure, stencil, colour in cast(sheet, scene, rng):
        figure(stencil, colour)
    if scene.words:
        sign(sheet, scene.words, 0.3, (34, 36, 52), (250, 248, 240))
    return finished(sheet, scene, width, height, note or scene.caption)


def sheet_for(width: int, height: int) -> Sheet:
    """Paper of twice the size, so that edges become smooth; large pictures are drawn as they are."""
    factor = 2 if max(width, height) <= _DRAWN_TWICE_AS_LARGE else 1
    return Sheet(width * factor, height * factor)


def finished(sheet: Sheet, scene: Scene, width: int, height: int, text: str) -> Image.Image:
    """The picture in its size and style, with the line below."""
    image = sheet.image if sheet.image.size == (width, height) else sheet.image.reduce(sheet.width // width)
    if scene.style == "mono":
        image = ImageOps.grayscale(image).convert("RGB")
    elif scene.style == "pixels":
        factor = max(2, min(width, height) // _PIXELS)
        small = resized(image, max(1, width // factor), max(1, height // factor))
        image = resized(small.quantize(40, dither=Image.Dither.NONE).convert("RGB"), width, height, smooth=False)
    elif scene.style == "wash":
        image = _washed(image)
    last = Sheet(width, height)
    last.image.paste(image)
    caption(last, text)
    return last.image


def _washed(image: Image.Image) -> Image.Image:
    """Paler, with colours that have run a little, on paper whose edges stay free."""
    edge = min(image.size) // 22
    paper = Image.new("RGB", image.size, (250, 246, 236))
    soft = Image.blend(image.filter(ImageFilter.GaussianBlur(edge / 14)), paper, 0.2)
    brushed = Image.new("L", image.size)
    brushed.paste(255, (edge, edge, image.width - edge, image.height - 2 * edge))
    return Image.composite(soft, paper, brushed.filter(ImageFilter.GaussianBlur(edge / 2.5)))


def cast(sheet: Sheet, scene: Scene, rng: random.Random) -> list[tuple[Figure, Stencil, Pixel]]:
    """What is in the picture and where: those in the air, on the water or ground, each in its place."""
    placed: list[tuple[Figure, Stencil, Pixel]] = []
    standing = [one for one in scene.subjects if one.kind not in FLYING]
    flying = [one for one in scene.subjects if one.kind in FLYING]
    for group, air in ((flying, True), (standing, False)):
        total = sum(subject.count for subject in group)
        spot = 0
        for subject in group:
            for _ in range(subject.count):
                placed.append(_put(sheet, scene, subject, (spot, total, air), rng))
                spot += 1
    return placed


def _put(
    sheet: Sheet, scene: Scene, subject: Subject, place: tuple[int, int, bool], rng: random.Random
) -> tuple[Figure, Stencil, Pixel]:
    spot, total, air = place
    size = (0.46 if air else 0.5) * (1 if total == 1 else 0.8 if total == 2 else 1.7 / total)
    edge = 0.27 if total == 2 else 0.17
    middle = (
        (0.62 if air and len(scene.subjects) > 1 else 0.5) if total == 1 else edge + (1 - 2 * edge) * spot / (total - 1)
    )
    x = middle + rng.uniform(-0.03, 0.03)
    horizon = HORIZONS[scene.place]
    rise = sheet.unit / sheet.height
    if air or scene.place in ("space", "deep"):
        y = 0.5 + size * rise / 2 + rng.uniform(-0.14, 0.02) * (1 if total > 1 else 0.5) - (0.1 if air else 0)
    elif subject.kind in FLOATING or scene.place == "sea":
        y = horizon + 0.16 + 0.05 * (spot % 2)
    else:
        y = min(0.92, horizon + (0.34 if scene.place == "beach" else 0.15) + 0.04 * (spot % 2))
    colour = subject.colour or USUAL.get(subject.kind) or rng.choice(OTHERWISE)
    stencil = Stencil(sheet, x, y, size, lambda one: _in_light(scene, one))
    if not air and scene.place not in ("space", "deep", "sea", ""):
        stencil.shadow()
    return FIGURES[subject.kind], stencil, colour


def _in_light(scene: Scene, colour: Pixel) -> Pixel:
    # What is in front keeps most of its colour, or nobody would find it at night.
    return colour if scene.light in ("space", "deep") else mix(colour, ground(scene, colour), 0.45)


def encoded(image: Image.Image, mime_type: str, quality: int) -> bytes:
    """The picture as a PNG or a JPEG that says who made it."""
    buffer = BytesIO()
    if mime_type == "image/jpeg":
        image.save(buffer, "JPEG", quality=quality, comment=_SAID)
    else:
        info = PngInfo()
        info.add_text("Comment", _SAID)
        image.save(buffer, "PNG", pnginfo=info, compress_level=4)
    return buffer.getvalue()
