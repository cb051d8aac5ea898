"""The table that a run prints: what was measured, this server, the other side, and what was aimed at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles

MIB = 1024 * 1024

_HEAD = ("what", "ours", "other side", "ratio", "target", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `met` is None where nothing is aimed at."""

    what: str
    ours: str
    other: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        verdict = "" if self.met is None else "ok" if self.met else "OVER"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.what, self.ours, self.other, ratio, self.target, verdict)


def compared(what: str, values: Iterable[float], unit: str, limit: float | None = None, digits: int = 0) -> Row:
    """Two measured values, ours first, and their ratio; with a limit, whether it holds."""
    ours, other = values
    ratio = ours / other
    return Row(
        what,
        f"{ours:.{digits}f} {unit}",
        f"{other:.{digits}f} {unit}",
        ratio,
        "" if limit is None else f"<= {limit:.2f} x",
        None if limit is None else ratio <= limit,
    )


def undisturbed(values: Sequence[float]) -> float:
    """The lower quartile: whatever else the machine does only ever adds to what is measured."""
    return quantiles(values, n=4)[0]


def table(rows: list[Row]) -> str:
    """The rows under each other."""
    cells = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[n]) for line in cells) for n in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths).rstrip())
    return "\n".join(lines)
