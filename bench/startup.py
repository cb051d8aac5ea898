"""From the start of the process to the reply to tools/list: CPU and memory, against a bare `mcp` server."""

from __future__ import annotations

import time
from collections.abc import Iterator

from report import MIB, Row, compared, undisturbed
from servers import OURS, Endpoint, Era, Server, bare

LIMIT = 1.10


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Both eras, in turns: ours, bare, ours, bare."""
    sides = {"ours": OURS, "bare": bare("echo")}
    for command in sides.values():
        _start(command, endpoint, "modern")  # bytecode and the file cache
    eras: tuple[Era, ...] = ("modern", "legacy")
    for era in eras:
        cpu, wall, peak = ({side: list[float]() for side in sides} for _ in range(3))
        for _ in range(3 if quick else 9):
            for side, command in sides.items():
                for kept, value in zip((cpu, wall, peak), _start(command, endpoint, era), strict=True):
                    kept[side].append(value)
        yield compared(f"start-up, {era}: CPU", (undisturbed(cpu[side]) * 1000 for side in sides), "ms", LIMIT)
        yield compared(f"start-up, {era}: time", (undisturbed(wall[side]) * 1000 for side in sides), "ms")
        yield compared(
            f"start-up, {era}: peak memory", (undisturbed(peak[side]) / MIB for side in sides), "MiB", digits=1
        )


def _start(command: list[str], endpoint: Endpoint, era: Era) -> tuple[float, float, float]:
    began = time.monotonic()
    with Server(command, endpoint, era) as server:
        server.begin()
        return server.gauge.cpu(), time.monotonic() - began, server.gauge.peak()
