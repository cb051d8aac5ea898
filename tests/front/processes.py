"""The server as a process of its own, spoken to in raw lines; and a Gemini that never answers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio.abc import ByteReceiveStream, Process

ROOT = Path(__file__).resolve().parents[2]
MODERN = "2026-07-28"
CANARY_KEY = "AIzaSyCANARY" + "kEy0123456789-abcdefghijklmn"[:27]
"""Of the shape of a real key: AIza and 35 more characters."""
assert re.fullmatch(r"AIza[\w-]{35}", CANARY_KEY)

END_SECONDS = 3.0
"""Within which the server must have ended (design: 3 s); the tests allow a busy machine a little more."""
SLACK = 1.5

Json = dict[str, Any]
T = TypeVar("T")

GUARD = '''
"""Put in front of everything by PYTHONPATH: no socket leaves this machine, and every one is written down."""
import os, socket, sys

_connect, _lookup = socket.socket.connect, socket.getaddrinfo

def _noise():
    print("a library printed this")
    print("and this, past the buffer", file=sys.__stdout__, flush=True)
    sys.__stdout__.write("and this stays in the buffer")
    os.write(1, b"and this went to the descriptor\\n")

def _note(what, address):
    if os.environ.get("TEST_NOISE"):
        _noise()
    with open(os.environ["TEST_SOCKETS"], "a", encoding="utf-8") as file:
        file.write(f"{what} {address}\\n")

def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _note("connect", f"{address[0]}:{address[1]}")
        if address[0] not in ("127.0.0.1", "::1"):
            raise OSError(101, "the test's guard: network is unreachable")
    return _connect(self, address)

def getaddrinfo(host, *rest, **more):
    if host not in (None, "", "127.0.0.1", b"127.0.0.1", "::1", b"::1", "localhost", b"localhost"):
        _note("lookup", host.decode() if isinstance(host, bytes) else host)
        raise socket.gaierror(-3, "the test's guard: no name resolution")
    return _lookup(host, *rest, **more)

socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
'''


class World:
    """Everything that belongs to the processes of one test: a HOME, a working directory, a state, a guard."""

    def __init__(self, top: Path, gemini: str) -> None:
        self.top = top
        self.gemini = gemini
        self.home, self.work, self.state, self.output = (top / name for name in ("home", "work", "state", "output"))
        for directory in (self.home, self.work):
            directory.mkdir(exist_ok=True)
        guard = top / "guard"
        guard.mkdir(exist_ok=True)
        (guard / "sitecustomize.py").write_text(GUARD)
        self.sockets_file = top / "sockets"
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join([str(guard), str(ROOT / "server"), str(ROOT / "tools")]),
            "TEST_SOCKETS": str(self.sockets_file),
            "GEMINI_API_KEY": CANARY_KEY,
            "GEMINI_BASE_URL": gemini,
            "GEMINI_TOOLSERVER_STATE_DIR": str(self.state),
            "GEMINI_TOOLSERVER_OUTPUT_DIR": str(self.output),
        }

    def env(self, **changes: str | None) -> dict[str, str]:
        """The environment with changes; None takes a variable out."""
        return {name: value for name, value in {**self.environment, **changes}.items() if value is not None}

    @property
    def sockets(self) -> list[str]:
        """What the processes connected to and looked up."""
        return self.sockets_file.read_text().splitlines() if self.sockets_file.exists() else []


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gemini_server", "serve", *arguments]


class Running:
    """A server process: what it wrote so far, and how it ends."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.out = b""
        self.err = b""
        self._news = anyio.Condition()
        self._open = 2

    async def collect(self, stream: ByteReceiveStream, name: str) -> None:
        with suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            while True:
                piece = await stream.receive()
                async with self._news:
                    setattr(self, name, getattr(self, name) + piece)
                    self._news.notify_all()
        async with self._news:
            self._open -= 1
            self._news.notify_all()

    async def until(self, found: Callable[[], T | None], *, within: float = 20.0) -> T:
        """Wait until `found` finds something, or both outputs have ended."""
        with anyio.fail_after(within):
            async with self._news:
                while (value := found()) is None:
                    assert self._open, f"the server ended: {self.stderr}"
                    await self._news.wait()
                return value

    @property
    def stdout(self) -> str:
        return self.out.decode()

    @property
    def stderr(self) -> str:
        return self.err.decode()

    @property
    def messages(self) -> list[Json]:
        """Every complete line of stdout; a line that is not JSON-RPC fails the test."""
        found: list[Json] = [json.loads(line) for line in self.stdout.split("\n")[:-1]]
        assert all(message["jsonrpc"] == "2.0" for message in found)
        return found

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, within: float = END_SECONDS + SLACK) -> int:
        """The exit status, once the process is gone and everything that it wrote is read."""
        with anyio.fail_after(within):
            status = await self.process.wait()
            async with self._news:
                while self._open:
                    await self._news.wait()
        return status


class Stdio(Running):
    """A server over stdio, spoken to in lines."""

    def __init__(self, process: Process, era: str) -> None:
        super().__init__(process)
        self.era = era
        self._number = 0

    async def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send(data)

    async def send(self, method: str, params: Json | None = None, *, id: int | None = None) -> None:  # noqa: A002
        message: Json = {"jsonrpc": "2.0", "method": method, "params": {**(params or {})}}
        if id is not None:
            message["id"] = id
        if self.era == MODERN and id is not None:
            message["params"]["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
                **message["params"].get("_meta", {}),
            }
        await self.write(json.dumps(message).encode() + b"\n")

    async def begin(self, method: str, params: Json | None = None) -> int:
        """Send a request and return its id."""
        number = self._number = self._number + 1
        await self.send(method, params, id=number)
        return number

    async def answer(self, number: int | str, within: float = 20.0) -> Json:
        """The answer to a request."""
        return await self.until(
            lambda: next((m for m in self.messages if m.get("id") == number and "method" not in m), None),
            within=within,
        )

    async def heard(self, method: str) -> Json:
        """The first notification of a kind."""
        return await self.until(lambda: next((m for m in self.messages if m.get("method") == method), None))

    async def ask(self, method: str, params: Json | None = None, within: float = 20.0) -> Json:
        return await self.answer(await self.begin(method, params), within)

    async def call(self, tool: str, **arguments: Any) -> Json:
        """The result of a tool."""
        result: Json = (await self.ask("tools/call", {"name": tool, "arguments": arguments}))["result"]
        return result

    async def greet(self) -> None:
        """Begin the connection as clients of the era do."""
        if self.era == MODERN:
            assert "result" in await self.ask("server/discover")
            return
        client = {"name": "raw", "version": "1"}
        begun = await self.ask(
            "initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
        )
        assert "result" in begun, begun
        await self.send("notifications/initialized")

    async def close(self) -> None:
        """Close stdin: the client has gone."""
        assert self.process.stdin is not None
        await self.process.stdin.aclose()


@asynccontextmanager
async def started(running: Running) -> AsyncGenerator[None]:
    process = running.process
    assert process.stdout is not None
    assert process.stderr is not None
    async with process, anyio.create_task_group() as tasks:
        tasks.start_soon(running.collect, process.stdout, "out")
        tasks.start_soon(running.collect, process.stderr, "err")
        try:
            yield
        finally:
            if process.returncode is None:
                process.kill()
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await process.wait()
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def stdio(
    world: World, *arguments: str, era: str = MODERN, cwd: Path | None = None, **env: str | None
) -> AsyncGenerator[Stdio]:
    """A server over stdio."""
    process = await anyio.open_process(command(*arguments), env=world.env(**env), cwd=cwd or world.work)
    running = Stdio(process, era)
    async with started(running):
        yield running


class Http(Running):
    """A server over HTTP."""

    url = ""

    @property
    def base(self) -> str:
        return self.url.removesuffix("/mcp")


@asynccontextmanager
async def http(world: World, *arguments: str, address: str = "127.0.0.1:0", **env: str | None) -> AsyncGenerator[Http]:
    """A server over HTTP that is ready."""
    process = await anyio.open_process(
        command("--http", address, *arguments), env=world.env(**env), cwd=world.work, stdin=-3
    )
    running = Http(process)
    async with started(running):
        found = await running.until(lambda: re.search(r"serving MCP at (http://\S+)\n", running.stderr))
        running.url = found[1].replace("0.0.0.0", "127.0.0.1")
        yield running


async def finished(world: World, *arguments: str, env: Mapping[str, str | None], within: float = 20.0) -> Running:
    """A server that must end by itself."""
    process = await anyio.open_process(command(*arguments), env=world.env(**env), cwd=world.work)
    running = Running(process)
    async with started(running):
        await running.ended(within)
    return running


class Stalled:
    """A Gemini on loopback that reads requests and does not answer.

    Attributes:
        bodies: what arrived of the bodies, one for each connection.
        reading: whether bodies are read; without it senders wait as soon as the buffers on the way are full.
    """

    def __init__(self) -> None:
        self.url = ""
        self.heads: list[str] = []
        self.bodies: list[bytearray] = []
        self.arrivals = 0
        self.departures = 0
        self.reading = asyncio.Event()
        self.reading.set()
        self._news = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
                body = bytearray()
                self.bodies.append(body)
                await self._count("arrivals")
                await self.reading.wait()
                while piece := await reader.read(65536):
                    body += piece
            await self._count("departures")
        finally:
            writer.close()

    async def _count(self, name: str) -> None:
        async with self._news:
            setattr(self, name, getattr(self, name) + 1)
            self._news.notify_all()

    async def wait(self, *, arrivals: int = 0, departures: int = 0, within: float = 20.0) -> None:
        """Wait until so many requests have come, and so many were given up by who sent them."""
        with anyio.fail_after(within):
            async with self._news:
                await self._news.wait_for(lambda: self.arrivals >= arrivals and self.departures >= departures)


@asynccontextmanager
async def stalled() -> AsyncGenerator[Stalled]:
    gemini = Stalled()
    server = await asyncio.start_server(gemini.serve, "127.0.0.1", 0)
    gemini.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with AsyncExitStack() as stack:
        stack.callback(server.close)
        yield gemini


def texts(result: Json) -> str:
    """The text blocks of a raw result."""
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")


def names(tools: Sequence[Json]) -> list[str]:
    return [tool["name"] for tool in tools]
