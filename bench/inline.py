"""A 20 MiB picture inside a request: how much memory the server takes for it, against read-base64-json."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from report import MIB, Row, compared
from servers import OURS, Endpoint, Server, bare

LIMIT = 16.0
SIZE = 20 * MIB


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Fresh servers each time: one small call, then the picture."""
    picture = endpoint.directory / "work" / "picture.png"
    picture.parent.mkdir(exist_ok=True)
    _write(picture)
    prompt = {"prompt": "What is this?"}
    small = picture.with_name("small.png")
    small.write_bytes(picture.read_bytes()[:2000])
    over: dict[str, list[tuple[float, float, float]]] = {"ours": [], "naive": []}
    for _ in range(1 if quick else 3):
        with Server(OURS, endpoint) as server:
            over["ours"].append(_peak(server, "generate_text", prompt, {**prompt, "attachments": [picture.name]}))
        with Server(bare("inline"), endpoint) as server:
            warm, real = ({**prompt, "path": str(path)} for path in (small, picture))
            over["naive"].append(_peak(server, "ask_about", warm, real))
    after, before, cpu = ([median(values[n] for values in over[side]) for side in over] for n in range(3))
    aim, met = f"<= {LIMIT:.0f} MiB", after[0] / MIB <= LIMIT
    row = compared("20 MiB picture: peak over idle after one call", (value / MIB for value in after), "MiB", digits=1)
    yield replace(row, target=aim, met=met)
    yield compared("20 MiB picture: peak over idle before any call", (value / MIB for value in before), "MiB", digits=1)
    yield compared("20 MiB picture: CPU", (value * 1000 for value in cpu), "ms")


def _peak(server: Server, tool: str, warm: dict[str, Any], real: dict[str, Any]) -> tuple[float, float, float]:
    server.begin()
    fresh = server.gauge.rss()
    server.call(tool, warm)
    idle, used = server.gauge.rss(), server.gauge.cpu()
    server.gauge.begin_peak()
    server.call(tool, real)
    peak = server.gauge.peak()
    return peak - idle, peak - fresh, server.gauge.cpu() - used


def _write(picture: Path) -> None:
    """A file that begins like a PNG of 2,640 by 2,640 points."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 2640, 2640, 8, 2, 0, 0, 0)
    picture.write_bytes(head + os.urandom(SIZE - len(head)))
