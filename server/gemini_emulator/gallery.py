"""Everything that can be drawn by its name, and in which colour it usually comes."""

from __future__ import annotations

from . import beings, buildings, movers, objects, plants
from .figures import Figure
from .png import Pixel

FIGURES: dict[str, Figure] = {
    "balloon": movers.balloon, "bird": movers.bird, "kite": movers.kite, "plane": movers.plane,
    "rocket": movers.rocket, "butterfly": movers.butterfly, "planet": movers.planet, "house": buildings.house,
    "castle": buildings.castle, "lighthouse": buildings.lighthouse, "windmill": buildings.windmill,
    "tent": buildings.tent, "tree": plants.tree, "pine": plants.pine, "palm": plants.palm, "flower": plants.flower,
    "cat": beings.cat, "dog": beings.dog, "fox": beings.fox, "robot": beings.robot, "person": beings.person,
    "car": buildings.car, "mushroom": plants.mushroom, "boat": movers.boat, "fish": movers.fish,
    "whale": movers.whale, "duck": movers.duck, "apple": objects.apple, "fruit": objects.fruit,
    "banana": objects.banana, "cup": objects.cup, "book": objects.book, "vase": objects.vase, "cake": objects.cake,
    "bottle": objects.bottle, "lamp": objects.lamp, "guitar": objects.guitar, "heart": objects.heart,
    "star": objects.star, "cube": objects.cube, "circle": objects.circle, "square": objects.square,
    "triangle": objects.triangle, "umbrella": objects.umbrella,
}  # fmt: skip
"""What can be drawn; the kinds of `scene` have the same names."""

USUAL: dict[str, Pixel] = {
    "balloon": (214, 48, 49), "bird": (90, 104, 124), "house": (196, 84, 62), "tree": (62, 140, 70),
    "pine": (42, 106, 70), "palm": (60, 150, 80), "cat": (226, 146, 70), "dog": (176, 124, 82), "fox": (222, 108, 44),
    "robot": (120, 160, 190), "banana": (250, 214, 66), "fruit": (244, 150, 40), "apple": (206, 50, 50),
    "star": (250, 204, 70), "heart": (220, 50, 80), "duck": (250, 214, 80), "whale": (70, 110, 160),
    "fish": (244, 130, 50), "boat": (190, 60, 50), "cup": (80, 130, 160), "guitar": (196, 124, 60),
    "planet": (226, 178, 110), "cube": (70, 130, 200), "mushroom": (206, 56, 50), "lighthouse": (206, 56, 50),
}  # fmt: skip

OTHERWISE: tuple[Pixel, ...] = ((41, 98, 200), (214, 80, 60), (46, 150, 110), (240, 170, 50), (124, 77, 190))
