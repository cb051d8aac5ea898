"""What light does to a scene: skies, the air between here and there, colours by day and by night."""

from __future__ import annotations

from .png import Pixel
from .scene import Scene
from .tints import mix

SKIES: dict[str, tuple[Pixel, ...]] = {
    "day": ((58, 130, 208), (126, 184, 232), (216, 236, 246)),
    "dawn": ((92, 120, 190), (240, 178, 170), (255, 222, 170)),
    "dusk": ((44, 34, 98), (190, 76, 116), (250, 146, 88), (255, 206, 120)),
    "night": ((8, 12, 42), (22, 34, 84), (58, 76, 132)),
    "storm": ((56, 64, 80), (104, 114, 128), (168, 174, 178)),
    "space": ((6, 6, 22), (24, 14, 52), (8, 16, 44)),
    "deep": ((86, 196, 214), (22, 116, 168), (8, 44, 92)),
}
"""The colours of the sky from the top down, or of the water where it is deep."""

AIR: dict[str, Pixel] = {
    "day": (200, 224, 240), "dawn": (250, 206, 180), "dusk": (226, 120, 104), "night": (38, 52, 104),
    "storm": (140, 148, 156), "space": (30, 20, 60), "deep": (22, 100, 150),
}  # fmt: skip
"""The colour that things take on far away."""

HORIZONS = {
    "sea": 0.62, "beach": 0.56, "city": 0.84, "mountains": 0.78, "forest": 0.76, "desert": 0.72, "snow": 0.74,
    "meadow": 0.7, "hills": 0.74, "room": 0.68, "studio": 0.7, "deep": 0.92, "space": 1.0, "": 1.0,
}  # fmt: skip
"""Where the ground begins on which things stand, as a share of the height."""

SNOW: Pixel = (240, 245, 250)
_DIMMED = {"night": 0.62, "dusk": 0.34, "storm": 0.25, "dawn": 0.1}
_DARKNESS: Pixel = (10, 16, 48)


def ground(scene: Scene, colour: Pixel, distance: float = 0) -> Pixel:
    """A colour on the ground, as it looks in this light and from far away."""
    covered = mix(colour, SNOW, 0.5) if scene.snow and colour[1] >= max(colour) else colour
    return mix(mix(covered, _DARKNESS, _DIMMED.get(scene.light, 0)), AIR[scene.light], distance)
