"""A hundred thousand short texts embedded into a file, and one text alone, against nothing but the calls this takes.

The other side posts the same batches, as many at a time, reads the JSON of each answer and forgets it. Both get the
texts as one call of a tool; both servers have embedded a few before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from endpoint import DIMENSIONS
from report import MIB, Row, compared, undisturbed
from servers import OURS, Endpoint, Server, bare

LIMIT = 1.30
FLAT = 64.0
"""MiB: a few batches on their way. All vectors together have 293."""
OURS_AS = {"dimensions": DIMENSIONS, "save": True, "wait_seconds": 100}
ALONE = 100
"""Calls for one text each, after as many to warm up."""


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Fresh servers in each round, which takes its turns with the other side."""
    number, rounds = (10_000, 2) if quick else (100_000, 3)
    few, many = ([f"A short text about the matter {n}." for n in range(size)] for size in (number // 10, number))
    seconds: tuple[list[float], list[float]] = [], []
    alone: tuple[list[float], list[float]] = [], []
    over: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        for side, command in enumerate((OURS, bare("embed"))):
            with Server(command, endpoint) as server:
                server.begin()
                more: dict[str, Any] = {} if side else OURS_AS
                _embedded(server, few, more)
                idle = server.gauge.rss()
                server.gauge.begin_peak()
                began = time.perf_counter()
                _embedded(server, many, more)
                seconds[side].append(time.perf_counter() - began)
                over[side].append((server.gauge.peak() - idle) / MIB)
                alone[side].append(_alone(server))
    what = f"{number} texts embedded into a file"
    yield compared(f"{what}: time", map(median, seconds), "s", LIMIT, digits=2)
    peak, other = map(median, over)
    yield Row(
        f"{what}: peak over idle", f"{peak:.1f} MiB", f"{other:.1f} MiB", None, f"<= {FLAT:.0f} MiB", peak <= FLAT
    )
    yield compared("one text embedded, a job in the ledger: time", map(median, alone), "ms", digits=2)


def _alone(server: Server) -> float:
    took: list[float] = []
    for number in range(2 * ALONE):
        began = time.perf_counter()
        server.call("embed", {"items": [f"A text of its own, the one of number {number}."]})
        took.append((time.perf_counter() - began) * 1000)
    return undisturbed(took[ALONE:])


def _embedded(server: Server, texts: list[str], more: dict[str, Any]) -> None:
    result = server.call("embed", {"items": texts, **more})["structuredContent"]
    if not more:
        assert result["result"] == len(texts), result
        return
    if result.get("count") != len(texts):
        raise RuntimeError(f"not all vectors came: {result}")
    for artifact in result["artifacts"]:
        Path(artifact["path"]).unlink()
