"""`gemini-toolserver tools`: what is on, and what it costs a model's context."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from gemini_server import surface
from gemini_server.cli.choices import Choices


@dataclass(frozen=True, slots=True)
class Cost:
    """A tool and its size in bytes.

    Attributes:
        model_bytes: what clients put before their model: name, description, input schema.
        total_bytes: the whole entry of `tools/list`, with hints and output schema.
    """

    name: str
    toolset: str
    default: bool
    read_only: bool
    model_bytes: int
    total_bytes: int


def costs(tools: tuple[surface.ToolEntry, ...]) -> list[Cost]:
    """What each tool costs."""
    return [
        Cost(
            tool.name,
            tool.toolset,
            tool.default,
            tool.read_only,
            len(tool.name) + len(tool.shown["description"].encode()) + _size(tool.shown["inputSchema"]),
            _size(tool.shown),
        )
        for tool in tools
    ]


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def run(choices: Choices, *, as_json: bool) -> int:
    """Print the table; the exit status."""
    published = surface.load()
    enabled = published.enabled(choices.settings())
    rows = costs(enabled)
    off = [tool.name for tool in published.tools if tool not in enabled]
    model_bytes = sum(row.model_bytes for row in rows)
    total_bytes = sum(row.total_bytes for row in rows)
    if as_json:
        listed = {"tools": [asdict(row) for row in rows], "off": off}
        print(json.dumps({**listed, "model_bytes": model_bytes, "total_bytes": total_bytes}, indent=2))
        return 0
    cells = [("TOOL", "TOOLSET", "DEFAULT", "READ-ONLY", "BYTES SEEN", "BYTES IN ALL")]
    cells += [
        (row.name, row.toolset, _yes(row.default), _yes(row.read_only), str(row.model_bytes), str(row.total_bytes))
        for row in rows
    ]
    cells.append((f"{len(rows)} tools", "", "", "", str(model_bytes), str(total_bytes)))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        left = [cell.ljust(width) for cell, width in zip(row[:4], widths[:4], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[4:], widths[4:], strict=True)]
        print("  ".join([*left, *right]).rstrip())
    print("\nSeen: what the model reads (name, description, parameters); in all: with hints and the result's schema.")
    if off:
        print(f"Off: {', '.join(off)} (--toolsets all, or --tools NAME).")
    return 0


def _yes(value: bool) -> str:
    return "yes" if value else "no"
