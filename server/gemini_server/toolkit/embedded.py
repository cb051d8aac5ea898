"""Vectors on their way from Gemini to where they are kept or compared, and the count of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from gemini_server.errors import ToolserverError
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.vectors import Rows


class Receiver(Protocol):
    """Takes the vectors as they come."""

    async def take(self, start: int, rows: Rows) -> None:
        """Take vectors, in the order of the items; what is jumped over is missing for good.

        Args:
            start: the index of the first.
            rows: the vectors.
        """
        ...


@dataclass
class Embedded:
    """What came.

    Attributes:
        total: how many items there were.
        dimensions: of each vector; 0 when none came.
        came: the ranges of the items whose vectors came, in order.
        usage: of everything that came.
        retries: further attempts.
        cause: why vectors are missing, where they are.
    """

    total: int
    dimensions: int = 0
    came: list[range] = field(default_factory=list[range])
    usage: Usage = field(default_factory=lambda: Usage(cost_usd=0.0))
    retries: int = 0
    cause: ToolserverError | None = None

    @property
    def count(self) -> int:
        """How many came."""
        return sum(map(len, self.came))

    def missing(self, first: int = 0) -> list[str]:
        """The items without a vector, as ranges such as `200-299`; counted from the one at `first`."""
        came = [range(max(one.start, first) - first, one.stop - first) for one in self.came if one.stop > first]
        return gaps(came, self.total - first)

    def add(self, start: int, rows: Rows) -> None:
        """Count vectors that came."""
        self.dimensions = rows.width
        grown(self.came, start, start + len(rows))


def grown(ranges: list[range], start: int, stop: int) -> None:
    """Add a range after the others; one that touches the last becomes part of it."""
    if ranges and ranges[-1].stop == start:
        start = ranges.pop().start
    ranges.append(range(start, stop))


def gaps(ranges: Sequence[range], total: int) -> list[str]:
    """What lies between ranges, up to a total, as `200-299`."""
    edges = [(0, 0), *((one.start, one.stop) for one in ranges), (total, total)]
    between = [(end, start - 1) for (_, end), (start, _) in pairwise(edges) if end < start]
    return [str(first) if first == last else f"{first}-{last}" for first, last in between]
