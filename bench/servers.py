"""The processes that are measured: the server of this checkout, the bare ones, the endpoint behind both.

They are driven by JSON lines over pipes: the client's own work and noise stay out of the figures, and the process is
known by its number.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from gauge import Gauge

HERE = Path(__file__).parent
ROOT = HERE.parent
PATIENCE = 120.0
"""Seconds after which a missing reply is a crash of the benchmark."""

Era = Literal["modern", "legacy"]

_CLIENT = {"name": "bench", "version": "0"}
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": _CLIENT,
}

OURS = [sys.executable, "-c", "from gemini_server.cli import main; main()", "serve"]
"""What the installed command `gemini-toolserver serve` runs."""


def bare(kind: Literal["echo", "post", "inline", "embed"]) -> list[str]:
    """The command of a bare server."""
    return [sys.executable, str(HERE / "bare.py"), kind]


class Endpoint:
    """The instant Gemini, and the directory in which the servers work."""

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="bench-")
        self.directory = Path(self._directory.name)
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "endpoint.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._directory.cleanup()

    def environment(self) -> dict[str, str]:
        """What a server needs to know, and nothing that this user has configured."""
        # Without its bytecode a server would be compiled at every start.
        own = ("GEMINI_", "GOOGLE_", "OTEL_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return {
            **kept,
            "GEMINI_API_KEY": "AIza" + "b" * 35,
            "GEMINI_BASE_URL": self.url,
            "XDG_CONFIG_HOME": str(self.directory / "config"),
            "XDG_STATE_HOME": str(self.directory / "state"),
            "XDG_DATA_HOME": str(self.directory / "data"),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT / "tools")]),
        }


class Server:
    """A server over stdio in the endpoint's directory; a context that ends it."""

    def __init__(self, command: list[str], endpoint: Endpoint, era: Era = "modern") -> None:
        self._era = era
        self._last = 0
        self._arrived: dict[int, dict[str, Any]] = {}
        self._rest = b""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        (endpoint.directory / "work").mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=endpoint.environment(),
            cwd=endpoint.directory / "work",
            bufsize=0,
        )
        self.gauge = Gauge(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            assert stream is not None
            stream.close()

    def begin(self) -> list[dict[str, Any]]:
        """Open the connection as a client of the era does, up to the list of the tools."""
        if self._era == "modern":
            self.request("server/discover")
        else:
            self.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": _CLIENT})
            self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        tools: list[dict[str, Any]] = self.request("tools/list")["tools"]
        return tools

    def call(self, tool: str, arguments: dict[str, Any], *, fails: bool = False) -> dict[str, Any]:
        """Call a tool and wait for its result."""
        result = self.request("tools/call", {"name": tool, "arguments": arguments})
        if bool(result.get("isError")) is not fails:
            raise RuntimeError(f"{tool} answered {result}")
        return result

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and wait for its result."""
        return self.wait(self.send(method, params))

    def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request; `wait` brings its result."""
        self._last += 1
        meta = {"_meta": _META} if self._era == "modern" else {}
        self._write({"jsonrpc": "2.0", "id": self._last, "method": method, "params": {**(params or {}), **meta}})
        return self._last

    def wait(self, number: int) -> dict[str, Any]:
        """The result of a request."""
        deadline = time.monotonic() + PATIENCE
        while number not in self._arrived:
            self._read(deadline - time.monotonic())
        message = self._arrived.pop(number)
        if "result" not in message:
            raise RuntimeError(f"the server answered {message}")
        result: dict[str, Any] = message["result"]
        return result

    def finish(self) -> tuple[float, int]:
        """Close stdin; the seconds until the process ended, and its exit status."""
        began = time.monotonic()
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(PATIENCE)
        return time.monotonic() - began, status

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def _read(self, seconds: float) -> None:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, seconds))
        data = os.read(self._process.stdout.fileno(), 1 << 20) if ready else b""
        if not data:
            self._log.seek(0)
            log = self._log.read()[-4000:].decode(errors="replace")
            raise RuntimeError(f"the server is silent or gone; its log:\n{log}")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for message in map(json.loads, filter(None, lines)):
            if "id" in message and "method" not in message:
                self._arrived[message["id"]] = message
