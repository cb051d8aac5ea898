"""A file of 2 GiB uploaded: how fast, against one raw POST and against google-genai, and in how much memory.

Twice: over a line of 1 Gbit/s to a server 20 ms away, and over loopback as fast as that goes. There the digest takes
twice as long as to read and send, and is part of every upload here and of none on the other sides. The server takes one
too, of what comes from any of them, as Google does, and is at its limit with each: nobody can be much faster than
another there, and on two cores, or while the machine does something else, whoever computes less is ahead. That is a
measure of the processor, and no target.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

from report import MIB, Row
from servers import HERE, OURS, Endpoint, Server

SIZE = 2048 * MIB
QUICK = 256 * MIB
EDGE = MIB
"""Bytes at both ends of the file that are random; what lies between them is a hole."""
LINE = ("119", "0.020")
LOOPBACK = ("0", "0")
ROUNDS = {LINE: 1, LOOPBACK: 5}  # a line is the same at all times
RAW, SDK = 0.9, 1.2
MEMORY = 32.0
HEAD = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"


class Sink(Endpoint):
    """Takes uploads, in the directory of another endpoint."""

    def __init__(self, endpoint: Endpoint, line: tuple[str, str]) -> None:
        self.directory = endpoint.directory
        self._line = line

    def __enter__(self) -> Self:
        command = [sys.executable, str(HERE / "sink.py"), *self._line]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Over the line, then over loopback."""
    size = QUICK if quick else SIZE
    work = endpoint.directory / "work"
    work.mkdir(exist_ok=True)
    (work / "small.mp4").write_bytes(HEAD + os.urandom(1000))
    peaks: list[float] = []
    for line, way in ((LINE, "1 Gbit/s"), (LOOPBACK, "loopback")):
        speeds = _speeds(endpoint, line, size, peaks)
        ours, what = median(speeds["ours"]), f"upload of {size // MIB} MiB over {way}"
        for kind, name, least in (("raw", "one raw POST", RAW), ("sdk", "google-genai", SDK)):
            other = median(speeds[kind])
            ratio = median(one / its for one, its in zip(speeds["ours"], speeds[kind], strict=True))
            aim, met = (f">= {least:.1f} x", ratio >= least) if line == LINE else ("", None)
            yield Row(f"{what}, against {name}", f"{ours:.0f} MiB/s", f"{other:.0f} MiB/s", ratio, aim, met)
    peak = max(peaks)
    yield Row(f"upload of {size // MIB} MiB: peak over idle", f"{peak:.0f} MiB", target=f"<= {MEMORY:.0f} MiB",
              met=peak <= MEMORY)  # fmt: skip


def _speeds(endpoint: Endpoint, line: tuple[str, str], size: int, peaks: list[float]) -> dict[str, list[float]]:
    """MiB in a second of each side, in turns, so that what else the machine does falls on all of them."""
    speeds: dict[str, list[float]] = {"raw": [], "sdk": [], "ours": []}
    path = endpoint.directory / "work" / "large.mp4"
    _write(path, size)
    with Sink(endpoint, line) as sink, Server(OURS, sink) as server:
        server.begin()
        server.call("upload_file", {"source": "small.mp4", "reuse": False})
        for _ in range(ROUNDS[line]):
            for kind, found in speeds.items():
                seconds = _ours(server, path, peaks) if kind == "ours" else _theirs(kind, sink, path)
                found.append(size / MIB / seconds)
    path.unlink()
    return speeds


def _write(path: Path, size: int) -> None:
    """Make the file, and have the system keep it in memory: else who comes first pays for that."""
    with path.open("wb") as file:
        file.write(HEAD + os.urandom(EDGE))
        file.truncate(size - EDGE)
        file.seek(0, os.SEEK_END)
        file.write(os.urandom(EDGE))
    with path.open("rb", buffering=0) as file:
        while file.read(EDGE):
            pass


def _ours(server: Server, path: Path, peaks: list[float]) -> float:
    idle = server.gauge.rss()
    server.gauge.begin_peak()
    began = time.perf_counter()
    server.call("upload_file", {"source": path.name, "reuse": False, "wait_seconds": 600})
    seconds = time.perf_counter() - began
    peaks.append((server.gauge.peak() - idle) / MIB)
    return seconds


def _theirs(kind: str, sink: Sink, path: Path) -> float:
    command = [sys.executable, str(HERE / "senders.py"), kind, sink.url, str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
