"""Colours that people name in prompts, and how to mix them."""

from __future__ import annotations

from .png import Pixel

TINTS: dict[str, Pixel] = {
    "black": (28, 28, 34), "white": (248, 247, 242), "grey": (140, 146, 154), "gray": (140, 146, 154),
    "silver": (190, 196, 204), "red": (214, 48, 49), "crimson": (170, 20, 50), "scarlet": (230, 50, 30),
    "pink": (244, 143, 177), "magenta": (200, 40, 150), "purple": (124, 77, 190), "violet": (124, 77, 190),
    "lilac": (190, 160, 220), "lavender": (190, 170, 230), "blue": (41, 98, 220), "navy": (24, 44, 102),
    "azure": (60, 150, 240), "turquoise": (38, 190, 180), "teal": (0, 128, 128), "cyan": (50, 200, 220),
    "green": (46, 150, 76), "emerald": (20, 160, 100), "mint": (150, 220, 180), "olive": (120, 130, 50),
    "lime": (160, 210, 40), "yellow": (247, 210, 50), "gold": (224, 176, 48), "golden": (224, 176, 48),
    "amber": (245, 170, 40), "orange": (240, 132, 40), "coral": (250, 125, 100), "peach": (250, 190, 150),
    "brown": (121, 78, 46), "beige": (222, 205, 170), "cream": (250, 240, 215), "maroon": (120, 20, 40),
    "bronze": (170, 110, 50), "copper": (184, 106, 60), "indigo": (64, 50, 150),
}  # fmt: skip

HARMONIES: tuple[tuple[Pixel, ...], ...] = (
    ((38, 70, 83), (42, 157, 143), (233, 196, 106), (244, 162, 97), (231, 111, 81)),
    ((53, 80, 112), (109, 89, 122), (181, 101, 118), (229, 107, 111), (234, 172, 139)),
    ((2, 48, 71), (33, 158, 188), (142, 202, 230), (255, 183, 3), (251, 133, 0)),
    ((61, 52, 139), (118, 120, 237), (247, 184, 1), (241, 135, 1), (243, 91, 4)),
    ((27, 67, 50), (64, 145, 108), (149, 213, 178), (255, 209, 102), (239, 71, 111)),
)
"""Colours that go together, for prompts that name none."""


def mix(one: Pixel, other: Pixel, share: float) -> Pixel:
    """A colour between two: 0 is the first, 1 the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def lighter(colour: Pixel, share: float = 0.25) -> Pixel:
    """The colour with white in it."""
    return mix(colour, (255, 255, 255), share)


def darker(colour: Pixel, share: float = 0.25) -> Pixel:
    """The colour with some black-blue in it, as shadows have."""
    return mix(colour, (12, 14, 34), share)
