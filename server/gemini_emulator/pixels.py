"""Two operations of Pillow whose types depend on NumPy, given plain types here."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image


def resized(image: Image.Image, width: int, height: int, *, smooth: bool = True) -> Image.Image:
    """The picture in another size; without smoothing, each pixel stays the colour of one old pixel."""
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return image.resize((width, height), how)  # pyright: ignore[reportUnknownMemberType]


def mapped(image: Image.Image, table: Sequence[int]) -> Image.Image:
    """A picture of one channel with each of its 256 values replaced."""
    return image.point(table)  # pyright: ignore[reportUnknownMemberType]
