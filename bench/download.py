"""A video of 500 MB that is cut five times on its way: the memory that the server takes for it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report import MIB, Row
from servers import OURS, Endpoint, Server

LIMIT = 32.0
CUTS = 5


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """A fresh server; a small video first, then the large one."""
    size = 100_000_000 if quick else 500_000_000
    with _Emulator() as url:
        home = endpoint.url
        endpoint.url = url
        try:
            with Server(OURS, endpoint) as server:
                server.begin()
                _film(server, "a small one")
                _fault(url, directive=f"bytes={size}", path="/files/", times=1)
                _fault(url, directive=f"cut=inside after={size // (CUTS + 1)}", path=":download", times=CUTS)
                idle = server.gauge.rss()
                server.gauge.begin_peak()
                began = time.perf_counter()
                artifact = _film(server, "a large one")
                seconds = time.perf_counter() - began
                over = (server.gauge.peak() - idle) / MIB
        finally:
            endpoint.url = home
    path = Path(artifact["path"])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if (path.stat().st_size, digest) != (size, artifact["sha256"]):
        raise RuntimeError(f"{path} has {path.stat().st_size} bytes of {size}, or another digest")
    what = f"video of {size / 1e6:.0f} MB, cut {CUTS} times: peak over idle"
    yield Row(what, f"{over:.1f} MiB", target=f"<= {LIMIT:.0f} MiB", met=over <= LIMIT)
    yield Row("the same: speed, everything included", f"{size / 1e6 / seconds:.0f} MB/s")


def _film(server: Server, prompt: str) -> dict[str, Any]:
    arguments = {"prompt": prompt, "duration_seconds": 3, "wait_seconds": 100}
    job = server.call("generate_video", arguments)["structuredContent"]
    if job["status"] != "done":
        raise RuntimeError(f"the video is not there: {job}")
    artifact: dict[str, Any] = job["artifacts"][0]
    return artifact


def _fault(url: str, **fault: Any) -> None:
    request = urllib.request.Request(
        f"{url}/emulator/faults", json.dumps(fault).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request):
        pass


class _Emulator:
    """The Gemini emulator in a process of its own."""

    def __enter__(self) -> str:
        command = [sys.executable, "-m", "gemini_server", "emulator", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        return self._process.stdout.readline().partition(" listens at ")[2].split()[0].rstrip(".,")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()
