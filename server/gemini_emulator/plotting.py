"""Plots: what a prompt wants drawn, the matplotlib program for it, and the picture itself.

The program is what Gemini would write; nothing runs it, and the picture is drawn here from the same numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from .canvas import Canvas, text_width
from .curves import LARGEST, curve_in
from .prompt import Prompt
from .tables import table_of

Scale: TypeAlias = Callable[[float], float]

_WISH = re.compile(r"(?i)\b(?:plots?|plotted|charts?|graphs?|diagrams?|histograms?|visuali[sz]e\w*)\b")
_BARS = re.compile(r"(?i)\b(?:bars?|columns?|histograms?)\b")
_DOTS = re.compile(r"(?i)\b(?:scatter|dots?|points?)\b")
_RANGE = re.compile(
    r"(?i)(?:from|between|in|over|for\s+x\s+in|x\s*=)\s*\[?\s*(-?(?:\d++(?:\.\d++)?|\.\d++))\s*(?:to|and|until|,|\.\.|…|–|-)\s*(-?(?:\d++(?:\.\d++)?|\.\d++))"
)
_NUMBERS = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?(?:\s*[,;]\s*(?:and\s+)?-?\d+(?:\.\d+)?|\s+and\s+-?\d+(?:\.\d+)?)+")
_STEPS = 200
_MOST_POINTS = 2000
_WIDTH, _HEIGHT = 480, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 464, 20, 320
_INK, _GRID, _BLUE = (40, 40, 40), (225, 225, 225), (31, 119, 180)


@dataclass(frozen=True)
class Plot:
    """What is drawn: a value for each point, and the program and its output."""

    kind: str
    xs: list[float]
    ys: list[float]
    source: str
    output: str
    labels: list[str] = field(default_factory=list[str])

    def png(self) -> bytes:
        """The picture."""
        canvas = Canvas(_WIDTH, _HEIGHT)
        xs, ys = self.xs[:_MOST_POINTS], self.ys[:_MOST_POINTS]
        bars = self.kind == "bar"
        low, high, step = _axis([*ys, 0] if bars else ys)
        left, right = (-0.6, len(xs) - 0.4) if bars else (min(xs), max(xs))
        right = right if right > left else left + 1

        def across(x: float) -> float:
            return _LEFT + (x - left) / (right - left) * (_RIGHT - _LEFT)

        def down(y: float) -> float:
            return _BOTTOM - (y - low) / (high - low) * (_BOTTOM - _TOP)

        self._scales(canvas, (low, high, step), down, across, xs)
        points = [(across(x), down(y)) for x, y in zip(xs, ys, strict=True)]
        if bars:
            half = max(1, round((_RIGHT - _LEFT) / len(points) * 0.35))
            for x, y in points:
                top, bottom = sorted((round(y), round(down(0))))
                canvas.fill(round(x) - half, top, round(x) + half, max(bottom, top + 1), _BLUE)
        for start, end in pairwise(points):
            if self.kind == "line":
                canvas.line(start, end, _BLUE, 2)
        if self.kind == "scatter" or len(points) == 1:
            for x, y in points:
                canvas.fill(round(x) - 3, round(y) - 3, round(x) + 3, round(y) + 3, _BLUE)
        canvas.line((_LEFT, _TOP), (_LEFT, _BOTTOM), _INK)
        canvas.line((_LEFT, _BOTTOM), (_RIGHT, _BOTTOM), _INK)
        return canvas.png()

    def _scales(
        self, canvas: Canvas, axis: tuple[float, float, float], down: Scale, across: Scale, xs: list[float]
    ) -> None:
        low, high, step = axis
        for tick in range(round((high - low) / step) + 1):
            value = low + tick * step
            y = round(down(value))
            canvas.line((_LEFT, y), (_RIGHT, y), _GRID)
            shown = f"{value:.4g}"
            canvas.write(shown, max(2, _LEFT - 6 - text_width(shown)), y - 5, _INK)
        every = max(1, -(-len(xs) // 6))
        for x in xs[::every] if self.kind == "bar" else _ticks(min(xs), max(xs)):
            at = round(across(x))
            canvas.line((at, _BOTTOM), (at, _BOTTOM + 4), _INK)
            shown = f"{x + 1 if self.kind == 'bar' else x:.4g}"
            canvas.write(shown, at - text_width(shown) // 2, _BOTTOM + 8, _INK)


def plot_of(prompt: Prompt) -> Plot | None:
    """The plot that a prompt asks for; None when it asks for none, or there is nothing to draw."""
    text = prompt.text
    if not _WISH.search(text):
        return None
    table = table_of(prompt)
    column = table.numbers(text) if table else None
    kind = "bar" if _BARS.search(text) else "scatter" if _DOTS.search(text) else "line"
    if table and column:
        return _of_values(column[1], kind, table.labels(), f"  # column {column[0]!r} of {table.name}")
    curve = curve_in(_RANGE.sub(" ", text)) if kind == "line" else None
    if curve:
        found = _RANGE.search(text)
        start, end = (float(found[1]), float(found[2])) if found else (-10.0, 10.0)
        start, end = (start, end) if start < end else (end, start + 1 if start == end else start)
        xs = [start + (end - start) * at / (_STEPS - 1) for at in range(_STEPS)]
        points = [(x, y) for x in xs if (y := curve.at(x)) is not None]
        source = (
            "import numpy as np\nimport matplotlib.pyplot as plt\n\n"
            f"x = np.linspace({start:g}, {end:g}, {_STEPS})\ny = {curve.numpy}\n"
            f"plt.plot(x, y)\nplt.xlabel('x')\nplt.ylabel('y')\nplt.title({'y = ' + curve.source!r})\nplt.grid(True)\n"
            "plt.show()\nprint('plotted', len(x), 'points')\n"
        )
        return Plot("line", *_parted(points), source, f"plotted {_STEPS} points") if points else None
    listed = _NUMBERS.search(text)
    numbers = re.findall(r"-?\d+(?:\.\d+)?", listed[0]) if listed else []
    values = [float(one) for one in numbers]
    return _of_values(values, kind, [], "") if values and max(map(abs, values)) < LARGEST else None


def _parted(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _of_values(values: list[float], kind: str, labels: list[str], remark: str) -> Plot:
    shown = [int(one) if one.is_integer() else one for one in values]
    names: list[object] = [*(labels if len(labels) == len(values) else range(1, len(values) + 1))]
    verb = {"bar": "bar", "scatter": "scatter", "line": "plot"}[kind]
    source = (
        f"import matplotlib.pyplot as plt\n\nvalues = {shown}{remark}\nlabels = {names}\n"
        f"plt.{verb}(labels, values)\nplt.ylabel('value')\nplt.show()\n"
        "print('plotted', len(values), 'values, largest', max(values))\n"
    )
    first = 0 if kind == "bar" else 1
    xs = [float(at) for at in range(first, len(values) + first)]
    return Plot(kind, xs, values, source, f"plotted {len(values)} values, largest {max(shown)}", labels)


def _axis(values: list[float]) -> tuple[float, float, float]:
    """Where a scale begins and ends, and the step between its marks: 1, 2 or 5 times a power of ten."""
    low, high = min(values), max(values)
    high = high if high > low else low + 1
    step = _step((high - low) / 5)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(one * power for one in (1, 2, 5, 10) if one * power >= rough * 0.999)


def _ticks(low: float, high: float) -> list[float]:
    if high <= low:
        return [low]
    step = _step((high - low) / 6)
    first = math.ceil(low / step - 1e-9)
    return [at * step for at in range(first, math.floor(high / step + 1e-9) + 1)]
