"""Boxes around things in a picture, as models write them: checked, cleaned, turned into pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from gemini_server.toolkit.untrusted import label

THOUSANDTHS = 1000
LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a picture.

    Attributes:
        label: what it is, in one clean line.
        box: top, left, bottom, right in thousandths of the picture.
        mask: the data URI of its mask as it came, empty without one.
    """

    label: str
    box: tuple[int, int, int, int]
    mask: str = ""

    def pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in a picture of this width and height; at least one pixel each way."""
        top, left, bottom, right = self.box
        x0, x1 = _pixels(left, right, size[0])
        y0, y1 = _pixels(top, bottom, size[1])
        return x0, y0, x1, y1


def _pixels(low: int, high: int, length: int) -> tuple[int, int]:
    first = min(round(low * length / THOUSANDTHS), length - 1)
    return first, max(round(high * length / THOUSANDTHS), first + 1)


def read(items: Sequence[Any]) -> tuple[list[Found], list[str]]:
    """The things in a list that a model wrote, and warnings about what of it could not be used."""
    found: list[Found] = []
    faults: Counter[str] = Counter()
    for item in items:
        if not isinstance(item, dict):
            faults["no object"] += 1
            continue
        members = cast("dict[str, Any]", item)
        box, fault = _box(members.get("box_2d"))
        if box is None:
            faults[fault] += 1
            continue
        name, mask = members.get("label"), members.get("mask")
        words = label(name, LONGEST_LABEL) if isinstance(name, str) else ""
        one = Found(words or "object", box, mask if isinstance(mask, str) else "")
        if any((one.label, one.box) == (other.label, other.box) for other in found):
            faults["the same again"] += 1
        else:
            found.append(one)
    if not faults:
        return found, []
    reasons = ", ".join(f"{count} {reason}" if count > 1 else reason for reason, count in faults.items())
    total = faults.total()
    return found, [f"{total} {'entry' if total == 1 else 'entries'} of the answer left out: {reasons}."]


def _box(value: Any) -> tuple[tuple[int, int, int, int] | None, str]:
    if not isinstance(value, list):
        return None, "without a box"
    given = cast("list[object]", value)
    if len(given) != 4:
        return None, "a box that has not four numbers"
    numbers = [n for n in given if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(numbers) != 4:
        return None, "a box that is not made of numbers"
    if not all(0 <= n <= THOUSANDTHS for n in numbers):
        return None, "a box outside the picture"
    top, left, bottom, right = map(round, numbers)
    if top >= bottom or left >= right:
        return None, "a box that is empty or inverted"
    return (top, left, bottom, right), ""
