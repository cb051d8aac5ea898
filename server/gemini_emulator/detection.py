"""Object detection and segmentation: boxes around what really is in a picture, in Gemini's form.

Source: "Image understanding" of the Gemini API: `box_2d` is [ymin, xmin, ymax, xmax] in thousandths, `mask` a PNG of
the box with the probability of each pixel. A PNG is looked at; for other pictures the answer is one plausible box.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from . import png, regions
from .colours import COLOURS
from .concepts import CONCEPTS
from .facts import keywords, stem
from .json_instance import InstanceBuilder
from .prompt import Prompt
from .structure import Filler, item
from .wire import Object, dump

_SHAPES = frozenset({"circle", "ellipse", "square", "rectangle", "triangle", "diamond", "line"})
_WORDS = {
    "oval": "ellipse", "bar": "line", "stripe": "line", "rhombus": "diamond", "gray": "grey", "box": "", "boxes": "",
}  # fmt: skip
_NOT_WANTED = re.compile(r"(?i)\b(?:bounding|background)[\s-]\w+|\w+[\s-]background\b|box_2d|\bbase64\S*")
_LETTERS = re.compile(r"[^\W\d_]+")
_TALK = frozenset(
    {"detect", "box", "boxes", "bounding", "image", "picture", "photo", "json", "label", "labels", "mask"}
)
_MASK_SIDE = 256


@dataclass(frozen=True)
class Thing:
    """Something that was found.

    Args:
        label: what it is.
        box: top, left, bottom, right in thousandths.
        region: the area, where the picture could be read.
        size: width and height of the box in pixels, where it could not.
    """

    label: str
    box: tuple[int, int, int, int]
    region: regions.Region | None = None
    size: tuple[int, int] = (_MASK_SIDE, _MASK_SIDE)

    def mask(self) -> str:
        """The mask as a data URI."""
        data = self.region.mask() if self.region else _oval(*self.size)
        return "data:image/png;base64," + base64.b64encode(data).decode()


def detect(prompt: Prompt) -> str | None:
    """The text of the answer; None where the request does not ask for boxes in a picture."""
    if not any(media.modality == "IMAGE" for _, media in prompt.media_parts):
        return None
    if prompt.schema is not None and prompt.mime != "text/plain":
        filler = Filler(prompt, _suits, lambda schema, builder: _items(prompt, schema, builder))
        return dump(filler.build()) if filler.applies else None
    if "box_2d" not in prompt.text and "box_2d" not in prompt.instruction:
        return None
    masks = bool(re.search(r"(?i)\bmasks?\b|\bsegment", prompt.text))
    found: list[Object] = [
        {"box_2d": list(one.box), **({"mask": one.mask()} if masks else {}), "label": _label(one, prompt)}
        for one in things(prompt)
    ]
    # Without a JSON mode, Gemini fences what it was asked for.
    return dump(found) if prompt.mime == "application/json" else f"```json\n{dump(found)}\n```"


def things(prompt: Prompt) -> list[Thing]:
    """What is in the first picture and was asked for, largest first."""
    media = next(media for _, media in prompt.media_parts if media.modality == "IMAGE")
    found = regions.find(media.png) if media.png else None
    if found is None:
        rng = prompt.rng("box")
        top, left, bottom, right = (rng.randint(low, low + 120) for low in (150, 150, 700, 700))
        size = (max(1, media.width * (right - left) // 1000), max(1, media.height * (bottom - top) // 1000))
        label = next((word for word in keywords(prompt.text) if word.lower() not in _TALK), "object")
        return [Thing(label, (top, left, bottom, right), size=size if media.width else (_MASK_SIDE, _MASK_SIDE))]
    wanted = wishes(prompt.text)
    chosen = [one for one in found if not wanted or any(_fits(one, *wish) for wish in wanted)]
    return [Thing(one.label, one.box(media.width, media.height), one) for one in chosen]


def wishes(text: str) -> list[tuple[str, str]]:
    """Pairs of colour and shape that a text asks for, either of them empty; none when it asks for everything."""
    found: list[tuple[str, str]] = []
    colours: list[str] = []
    for word in _LETTERS.findall(_NOT_WANTED.sub(" ", text).lower()):
        name = _named(word)
        if name in COLOURS:
            colours.append(name)
        elif word == "line" and not colours:
            # "One line for each" says nothing about the picture.
            continue
        elif name in _SHAPES:
            found += [(colour, name) for colour in colours] or [("", name)]
            colours = []
        elif colours and word not in ("and", "or", "und", "oder"):
            found += [(colour, "") for colour in colours]
            colours = []
    return [*found, *((colour, "") for colour in colours)]


def _named(word: str) -> str:
    for one in (word, stem(word), word.removesuffix("s")):
        name = _WORDS.get(one, CONCEPTS.get(one, one))
        if name in COLOURS or name in _SHAPES:
            return name
    return ""


def _fits(region: regions.Region, colour: str, shape: str) -> bool:
    special = {"rectangle": "square", "ellipse": "circle"}.get(shape, shape)
    return colour in ("", region.colour) and (not shape or region.shape in (shape, special))


def _suits(properties: Object) -> bool:
    return "box_2d" in properties


def _items(prompt: Prompt, schema: Object, builder: InstanceBuilder) -> list[object]:
    return [item(schema, builder, _known(one, prompt)) for one in things(prompt)]


def _known(thing: Thing, prompt: Prompt) -> Callable[[str, Object], object]:
    def value(name: str, kind: Object) -> object:
        match name:
            case "box_2d":
                return list(thing.box)
            case "label" | "name" | "object":
                options: list[str] = kind.get("enum") or []
                fitting = next((one for one in options if one in thing.label), options[0] if options else "")
                return fitting or _label(thing, prompt)
            case "mask":
                return thing.mask()
            case "confidence" | "score":
                return 0.97
            case _:
                return None

    return value


def _label(thing: Thing, prompt: Prompt) -> str:
    return thing.label if prompt.say is None else prompt.say


def _oval(width: int, height: int) -> bytes:
    scale = max(1, -(-max(width, height) // _MASK_SIDE))
    width, height = max(1, width // scale), max(1, height // scale)
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            reach = ((2 * x + 1) / width - 1) ** 2 + ((2 * y + 1) / height - 1) ** 2
            pixels.append(max(0, min(255, round(128 + 1000 * (1 - reach)))))
    return png.encode(width, height, pixels)
