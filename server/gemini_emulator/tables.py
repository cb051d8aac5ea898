"""CSV data in a prompt or beside it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from .curves import LARGEST
from .prompt import Prompt

_LEAST_ROWS = 2
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Table:
    """A table with a header.

    Args:
        name: the file that a program would read, as the service names it.
        columns: header and cells.
    """

    name: str
    columns: dict[str, list[str]]

    def numbers(self, wish: str) -> tuple[str, list[float]] | None:
        """The column of numbers that a text names, else the first one, with its name."""
        numeric = {name: [float(cell) for cell in cells] for name, cells in self.columns.items() if _numeric(cells)}
        if not numeric:
            return None
        lowered = wish.lower()
        named = [name for name in numeric if re.search(rf"\b{re.escape(name.lower())}\b", lowered)]
        name = named[0] if named else next(iter(numeric))
        return name, numeric[name]

    def labels(self) -> list[str]:
        """The first column that is not made of numbers; empty when all are."""
        return next((cells for cells in self.columns.values() if not _numeric(cells)), list[str]())


def table_of(prompt: Prompt) -> Table | None:
    """The first CSV text that is attached, or written into the prompt."""
    texts = [media.text for _, media in prompt.media_parts if media.modality == "TEXT"]
    for index, text in enumerate(texts):
        found = read(text, f"input_file_{index}.csv")
        if found:
            return found
    return read(prompt.text, "data.csv")


def read(text: str, name: str) -> Table | None:
    """A table from lines that have the same number of commas; other lines are passed over."""
    lines = [line.strip() for line in text.splitlines() if line.count(",") and not line.rstrip().endswith(":")]
    commonest = Counter(line.count(",") for line in lines).most_common(1)
    best = [line for line in lines if line.count(",") == commonest[0][0]]
    try:
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(best)))]
    except (ValueError, csv.Error):
        return None
    if len(rows) < _LEAST_ROWS or _numeric(header) or any(len(row) != len(header) for row in rows):
        return None
    columns = {title: [row[at] for row in rows] for at, title in enumerate(header)}
    return Table(name, columns) if any(_numeric(cells) for cells in columns.values()) else None


def _numeric(cells: list[str]) -> bool:
    return bool(cells) and all(_NUMBER.fullmatch(cell) and abs(float(cell)) < LARGEST for cell in cells)
