"""What a prompt asks a painter for: the light, the place, and the things in it, found by their words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .png import Pixel
from .tints import TINTS

_LIGHTS = {
    "night": "night midnight moon moonlight moonlit nocturnal stars starry",
    "dusk": "sunset dusk evening twilight",
    "dawn": "sunrise dawn morning",
    "storm": "storm stormy rain rainy thunder lightning cloudy overcast fog foggy mist misty grim",
    "space": "space galaxy nebula universe cosmos planet orbit astronaut asteroid",
    "deep": "underwater reef aquarium submarine",
}
_PLACES = {
    "city": "city skyline street town building skyscraper downtown metropolis urban",
    "mountains": "mountain alps peak summit cliff himalaya volcano glacier",
    "beach": "beach shore coast island lagoon",
    "sea": "sea ocean lake harbour harbor bay river wave water pond",
    "forest": "forest wood jungle",
    "desert": "desert dune sahara canyon",
    "snow": "snow snowy winter arctic ice frozen ski",
    "meadow": "meadow field garden park lawn spring farm",
    "hills": "hill landscape countryside valley village",
    "room": "room kitchen table desk interior indoor wall shelf window studio cafe",
}
_KINDS = {
    "balloon": "balloon", "bird": "bird gull seagull eagle crow dove sparrow swallow", "kite": "kite",
    "plane": "plane airplane aeroplane jet", "rocket": "rocket spaceship spacecraft", "butterfly": "butterfly",
    "planet": "planet saturn mars jupiter", "house": "house cottage cabin hut home barn", "castle": "castle fortress",
    "lighthouse": "lighthouse", "windmill": "windmill mill", "tent": "tent camp", "tree": "tree oak apple-tree",
    "pine": "pine fir spruce christmas", "palm": "palm", "flower": "flower rose tulip daisy sunflower poppy blossom",
    "cat": "cat kitten kitty", "dog": "dog puppy", "fox": "fox", "robot": "robot android",
    "person": "person man woman girl boy child astronaut people portrait hiker farmer", "car": "car taxi automobile",
    "mushroom": "mushroom toadstool", "boat": "boat ship sailboat sail yacht", "fish": "fish goldfish shark",
    "whale": "whale dolphin", "duck": "duck swan goose", "apple": "apple", "fruit": "orange lemon peach ball plum",
    "banana": "banana bananas", "cup": "cup mug coffee tea espresso", "book": "book notebook", "vase": "vase pot jug",
    "cake": "cake birthday pie", "bottle": "bottle wine", "lamp": "lamp lantern", "guitar": "guitar",
    "heart": "heart love", "star": "star", "cube": "cube box crate", "circle": "circle disc disk dot sphere bubble",
    "square": "square rectangle", "triangle": "triangle pyramid", "umbrella": "umbrella parasol",
}  # fmt: skip
_KIND_OF = {word: kind for kind, words in reversed(_KINDS.items()) for word in words.split()}
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "pair": 2, "couple": 2, "several": 3, "many": 5}
_STYLES = {
    "mono": "monochrome greyscale grayscale noir pencil charcoal",
    "pixels": "pixel pixelated 8bit voxel",
    "wash": "watercolor watercolour aquarelle painting",
}
FLYING = frozenset({"balloon", "bird", "kite", "plane", "rocket", "butterfly", "planet"})
FLOATING = frozenset({"boat", "fish", "whale", "duck"})
STILL = frozenset(
    {"apple", "fruit", "banana", "cup", "book", "vase", "cake", "bottle", "lamp", "guitar", "heart", "star", "cube",
     "circle", "square", "triangle"}
)  # fmt: skip
_QUOTED = re.compile(r"[\"“«„]([^\"“”«»„]{1,40})[\"”»“]|(?<!\w)['‘]([^'‘’]{1,40})['’](?!\w)")
_MONO = re.compile(r"black[- ]and[- ]white|black & white")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?|\d+")
_MOST_SUBJECTS = 4
_MOST_OF_ONE = 7


@dataclass(frozen=True)
class Subject:
    """A thing to draw: what it is, in which colour if one was named, and how many of them."""

    kind: str
    colour: Pixel | None = None
    count: int = 1


@dataclass(frozen=True)
class Scene:
    """What a picture shows.

    Args:
        light: `day`, `night`, `dusk`, `dawn`, `storm`, `space` or `deep` (under water).
        place: one of the places above, `studio` for things on a table, or empty for a picture of colours alone.
        subjects: the things in it, in their order.
        colours: all colours that were named.
        style: `mono`, `pixels`, `wash` or empty.
        words: what is to be written in it; it was quoted.
        caption: how the prompt begins.
        snow: whether it lies on the ground and falls.
        water: whether there is some, in a place on land too.
    """

    light: str
    place: str
    subjects: tuple[Subject, ...]
    colours: tuple[Pixel, ...]
    style: str
    words: str
    caption: str
    snow: bool = False
    water: bool = False


def scene_of(prompt: str) -> Scene:
    """Read a prompt."""
    quoted = _QUOTED.search(prompt)
    # “Black and white” is a style, and neither of the two a colour in it.
    words = [_singular(word) for word in _WORD.findall(_MONO.sub("monochrome", prompt.lower()))]
    subjects = _subjects(words)
    light = _named(_LIGHTS, words) or "day"
    place = _place(words, light, subjects)
    return Scene(
        "deep" if place == "deep" else light,
        place,
        subjects,
        tuple(dict.fromkeys(TINTS[word] for word in words if word in TINTS)),
        _named(_STYLES, words),
        (quoted[1] or quoted[2]) if quoted else "",
        " ".join(prompt.split()),
        snow=_named({"snow": _PLACES["snow"]}, words) != "",
        water=_named({"water": _PLACES["sea"]}, words) != "",
    )


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith(("shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _named(table: dict[str, str], words: list[str]) -> str:
    """The first name of a table of which the prompt has a word."""
    present = set(words)
    return next((name for name, known in table.items() if not present.isdisjoint(known.split())), "")


def _subjects(words: list[str]) -> tuple[Subject, ...]:
    found: list[Subject] = []
    colour, count = None, 1
    for before, word in zip(("", *words), words, strict=False):
        kind = _KIND_OF.get(word, "")
        if kind == "tree" and before in ("palm", "pine", "fir", "apple", "christmas"):
            continue
        # “an orange cat” names a colour, “an orange” a fruit: what stands at the end of its group is the thing.
        if word in TINTS and not (kind and word == words[-1]):
            colour = TINTS[word]
        elif word in _NUMBERS or word.isdecimal():
            count = _NUMBERS.get(word) or max(1, min(int(word[:3]), _MOST_OF_ONE))
        elif kind:
            if all(one.kind != kind for one in found):
                found.append(Subject(kind, colour, count))
            colour, count = None, 1
        elif word in ("a", "an", "the", "and", "with", "on", "in", "over", "at", "of", "under"):
            colour, count = None, 1
    return tuple(found[:_MOST_SUBJECTS])


def _place(words: list[str], light: str, subjects: tuple[Subject, ...]) -> str:
    place = _named(_PLACES, words)
    if light in ("space", "deep"):
        return light
    if place:
        return place
    kinds = {subject.kind for subject in subjects}
    if kinds & {"boat", "whale", "duck", "lighthouse"}:
        return "sea"
    if "fish" in kinds:
        return "deep"
    if kinds and kinds <= STILL:
        return "studio"
    return "hills" if kinds or light != "day" else ""
