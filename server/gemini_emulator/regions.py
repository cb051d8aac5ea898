"""Finding things in a drawn picture: connected areas that differ from the background, named by colour and shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from . import png
from .colours import distance, name_of
from .png import Pixel

_GRID = 640
_MOST_COLOURS = 24
_MOST_REGIONS = 40
_ALIKE = 2300
_BLEND = 300
_RUN = re.compile(rb"([^\x00])\1*", re.DOTALL)


@dataclass
class Region:
    """A connected area of one colour; coordinates count samples, which are `step` pixels wide and high."""

    colour: str
    step: int
    top: int
    area: int = 0
    left: int = 1 << 30
    right: int = 0
    bottom: int = 0
    rows: dict[int, list[tuple[int, int]]] = field(default_factory=dict[int, list[tuple[int, int]]])

    def add(self, y: int, start: int, end: int) -> None:
        """Take a run of samples in."""
        self.rows.setdefault(y, []).append((start, end))
        self.area += end - start
        self.left, self.right = min(self.left, start), max(self.right, end)
        self.top, self.bottom = min(self.top, y), max(self.bottom, y + 1)

    def absorb(self, other: Region) -> None:
        """Take another region in."""
        for y, runs in other.rows.items():
            for start, end in runs:
                self.add(y, start, end)

    @property
    def width(self) -> int:
        """In samples."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """In samples."""
        return self.bottom - self.top

    @property
    def shape(self) -> str:
        """What it looks like, by how much of its box it fills; holes do not count."""
        spans = [max(end for _, end in runs) - min(start for start, _ in runs) for _, runs in sorted(self.rows.items())]
        fill = sum(spans) / (self.width * self.height)
        if min(self.width, self.height) * 8 <= max(self.width, self.height) or fill < 0.3:
            return "line"
        square = 0.9 <= self.width / self.height <= 1.11
        if fill > 0.93:
            return "square" if square else "rectangle"
        if fill > 0.66:
            return "circle" if square else "ellipse"
        widest = spans.index(max(spans)) / len(spans)
        return "diamond" if square and 0.3 < widest < 0.7 else "triangle"

    @property
    def label(self) -> str:
        """Such as `red circle`."""
        return f"{self.colour} {self.shape}"

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right in thousandths of a picture of this size."""
        return (
            round(1000 * self.top * self.step / height),
            round(1000 * self.left * self.step / width),
            round(1000 * min(height, self.bottom * self.step) / height),
            round(1000 * min(width, self.right * self.step) / width),
        )

    def mask(self) -> bytes:
        """A grey PNG of the box, in pixels: 255 inside, 0 outside, between them at the edges to the left and right."""
        step, width = self.step, self.width * self.step
        pixels = bytearray()
        for y in range(self.top, self.bottom):
            row = bytearray(width)
            for start, end in self.rows.get(y, ()):
                first, last = (start - self.left) * step, (end - self.left) * step
                row[first:last] = b"\xff" * (last - first)
                row[first] = row[last - 1] = 192
            pixels += row * step
        return png.encode(width, self.height * step, pixels)


def find(raw: bytes) -> list[Region] | None:
    """The regions of a PNG, largest first; None for a picture that cannot be decoded."""
    picture = png.decode(raw)
    if picture is None or len(picture.rows) < picture.height:
        return None
    step = max(1, -(-max(picture.width, picture.height) // _GRID))
    rows = [picture.pixels(y, step) for y in range(0, picture.height, step)]
    palette = _palette(rows)
    classes = _Classes(palette)
    found = _connected([bytes(map(classes.__getitem__, row)) for row in rows], palette, step)
    return _worthwhile(found, sum(map(len, rows)))


class _Classes(dict[Pixel, int]):
    """The index of the nearest colour of the palette for any pixel, worked out once for each."""

    def __init__(self, palette: Sequence[Pixel]) -> None:
        super().__init__()
        self._palette = palette

    def __missing__(self, pixel: Pixel) -> int:
        palette = self._palette
        self[pixel] = index = min(range(len(palette)), key=lambda at: distance(pixel, palette[at]))
        return index


def _palette(rows: list[list[Pixel]]) -> list[Pixel]:
    """The background, then the colours of flat areas, then those of thin lines that are no blends of others."""
    flat: Counter[Pixel] = Counter()
    thin: Counter[Pixel] = Counter()
    for row, below in zip(rows, [*rows[1:], rows[-1]], strict=True):
        for (one, right), under in zip(pairwise(row), below, strict=False):
            if one == right == under:
                flat[one] += 1
            elif one in (right, under):
                thin[one] += 1
    least = max(2, sum(map(len, rows)) // 40_000)
    border = Counter([*rows[0], *rows[-1], *(row[0] for row in rows), *(row[-1] for row in rows)])
    palette = [border.most_common(1)[0][0]]
    for tally in (flat, thin):
        blends = tally is thin
        for pixel, count in tally.most_common():
            if count < (4 * least if blends else least) or len(palette) >= _MOST_COLOURS:
                break
            new = all(distance(pixel, known) > _ALIKE for known in palette)
            if new and not (blends and any(_between(pixel, *pair) for pair in combinations(palette, 2))):
                palette.append(pixel)
    return palette


def _between(pixel: Pixel, one: Pixel, other: Pixel) -> bool:
    """Whether a colour is a blend of two others, as soft edges are."""
    whole = distance(one, other)
    along = sum((p - a) * (b - a) for p, a, b in zip(pixel, one, other, strict=True)) / whole
    red, green, blue = (round(a + (b - a) * along) for a, b in zip(one, other, strict=True))
    return 0 <= along <= 1 and distance(pixel, (red, green, blue)) < _BLEND


def _connected(rows: list[bytes], palette: list[Pixel], step: int) -> list[Region]:
    regions: list[Region] = []
    merged: list[int] = []

    def root(index: int) -> int:
        while merged[index] != index:
            merged[index] = merged[merged[index]]
            index = merged[index]
        return index

    above: list[tuple[int, int, int, int]] = []
    for y, row in enumerate(rows):
        current: list[tuple[int, int, int, int]] = []
        first = 0
        for found in _RUN.finditer(row):
            start, end, kind = found.start(), found.end(), row[found.start()]
            own = -1
            while first < len(above) and above[first][1] < start:
                first += 1
            at = first
            while at < len(above) and above[at][0] <= end:
                if above[at][2] == kind:
                    other = root(above[at][3])
                    if own >= 0 and other != own:
                        # The smaller one moves, or a comb would be copied again with every tooth.
                        own, other = (own, other) if regions[own].area >= regions[other].area else (other, own)
                        regions[own].absorb(regions[other])
                        merged[other] = own
                    else:
                        own = other
                at += 1
            if own < 0:
                own = len(regions)
                regions.append(Region(name_of(palette[kind]), step, y))
                merged.append(own)
            regions[own].add(y, start, end)
            current.append((start, end, kind, own))
        above = current
    return [region for index, region in enumerate(regions) if merged[index] == index]


def _worthwhile(regions: list[Region], samples: int) -> list[Region]:
    """The regions that are things: not specks, and not the soft edge around another."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda one: -one.area):
        if region.area < max(4, samples // 10_000) or len(kept) >= _MOST_REGIONS:
            break
        if not any(_rims(region, other) for other in kept):
            kept.append(region)
    return kept


def _rims(region: Region, other: Region) -> bool:
    near = (
        region.left >= other.left - 2 and region.right <= other.right + 2
        and region.top >= other.top - 2 and region.bottom <= other.bottom + 2
    )  # fmt: skip
    return near and region.area * 12 < other.area and _thin(region)


def _thin(region: Region) -> bool:
    runs = sum(len(spans) for spans in region.rows.values())
    return region.area <= 2 * max(runs, region.width)
