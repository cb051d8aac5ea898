"""MCP over stdin and stdout, with the clean end that the SDK leaves to its host.

The SDK reads stdin in a thread that nothing can interrupt, so SIGINT would hang until the client speaks again, and
SIGTERM would kill the process before the ledger is written; and it takes lines of any length. So stdin is read here: a
signal ends it as if the client had closed it, and from there all three ends (EOF, SIGTERM, SIGINT) go one way: calls
are cancelled, the ledger is written, what was answered is flushed, and the process leaves with `os._exit`.

Exit status: 0 after EOF and SIGTERM, 130 after SIGINT, 1 after a crash, 2 for settings that are refused.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import cast

import anyio
import anyio.abc
import anyio.to_thread
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic_core import from_json

from gemini_server.app import build
from gemini_server.settings import Settings
from gemini_server.toolkit.runtime import Runtime

GRACE_SECONDS = 2.5
"""How long the clean-up may take after a signal or EOF; clients kill a server that takes much longer."""
LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one message; larger media go by path or URL."""

_CHUNK = 64 * 1024
_ENDS = 1024
_ID = rb'"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(?:(\d{1,18})|"([^"\\]{1,256})")\s*'
# Most clients write the id near the beginning, those made with the TypeScript SDK at the end.
_ID_FIRST = re.compile(rb"\s*\{\s*" + _ID + rb",")
_ID_LAST = re.compile(rb",\s*" + _ID + rb"\}\s*$")

_log = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Serve one client until it goes away or a signal comes; does not return where it served.

    Raises:
        UnsafeSetting: settings that are refused before anything starts.
    """
    server = build(settings)
    status = 1
    try:
        status = anyio.run(_serve, server)
    except* (BrokenPipeError, ConnectionResetError):
        # The client closed its end of stdout: nobody is left to serve.
        status = 0
    except* KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except* Exception:  # noqa: BLE001  the interpreter would print it and then wait for the thread that reads stdin
        _log.exception("the server crashed")
    _leave(status)
    return status


async def _serve(server: Server[Runtime]) -> int:
    status = 0

    def hurry() -> None:
        timer = threading.Timer(GRACE_SECONDS, lambda: _leave(status))
        timer.daemon = True
        timer.start()

    lines = Lines(_claim_stdin(), on_end=hurry)
    async with anyio.create_task_group() as tasks:

        async def watch(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            nonlocal status
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                task_status.started()
                async for number in signals:
                    status = 128 + number if number == signal.SIGINT else 0
                    lines.end()

        if sys.platform != "win32":
            await tasks.start(watch)
        # The SDK only iterates over it.
        async with stdio_server(stdin=cast("anyio.AsyncFile[str]", lines)) as (read, write):
            # What a library prints must not reach the wire, not even when buffers are flushed at the end.
            sys.stdout = sys.stderr

            async def refuse(error: JSONRPCError) -> None:
                await write.send(SessionMessage(error))

            lines.refuse = refuse
            await server.run(read, write, server.create_initialization_options())
        tasks.cancel_scope.cancel()
    return status


class Lines:
    """The lines that arrive at a descriptor, up to a length, until it ends or `end` is called.

    Attributes:
        refuse: sends the answer to a line that was too long.

    Args:
        descriptor: what is read; the thread that reads it may be left behind.
        limit: bytes of a line; a longer one is skipped in bounded memory.
        on_end: is called as soon as no further line can come.
    """

    def __init__(self, descriptor: int, *, limit: int = LINE_LIMIT, on_end: Callable[[], None] = lambda: None) -> None:
        self.refuse: Callable[[JSONRPCError], Awaitable[None]] | None = None
        self._descriptor = descriptor
        self._limit = limit
        self._on_end = on_end
        self._ended = False
        self._reading: anyio.CancelScope | None = None
        # A place of its own: the thread that waits for the client must not take one from the work on files.
        self._thread = anyio.CapacityLimiter(1)

    def end(self) -> None:
        """Stop reading, as if the other side had closed it."""
        self._ended = True
        if self._reading is not None:
            self._reading.cancel()

    async def __aiter__(self) -> AsyncGenerator[str]:
        """The lines without their ends; blank ones are left out."""
        line = _Line(self._limit)
        while chunk := await self._read():
            *finished, rest = chunk.split(b"\n")
            for piece in finished:
                line.add(piece)
                complete, line = line, _Line(self._limit)
                if await self._accepts(complete):
                    yield complete.kept.decode("utf-8", "replace")
            line.add(rest)
        self._on_end()
        if not self._ended and await self._accepts(line):
            yield line.kept.decode("utf-8", "replace")

    async def _read(self) -> bytes:
        if self._ended:
            return b""
        with anyio.CancelScope() as self._reading, suppress(OSError):
            return await anyio.to_thread.run_sync(
                os.read, self._descriptor, _CHUNK, limiter=self._thread, abandon_on_cancel=True
            )
        return b""

    async def _accepts(self, line: _Line) -> bool:
        """Whether a line can be a message; a request that cannot is answered, or its sender would wait for ever."""
        if line.skipped:
            what = f"The message has {line.size} bytes; {self._limit} are accepted. Give media by path or URL."
            await self._refuse(line, INVALID_REQUEST, what)
            return False
        if not line.kept.strip():
            return False
        try:
            from_json(line.kept)
        except ValueError as error:
            # Half an emoji, for instance, is what some clients make of a text that they cut.
            await self._refuse(line, PARSE_ERROR, f"The message is not valid JSON: {error}")
            return False
        return True

    async def _refuse(self, line: _Line, code: int, what: str) -> None:
        _log.warning("a message of %d bytes was skipped: %s", line.size, what)
        found = _ID_FIRST.match(line.kept) or _ID_LAST.search(line.last or line.kept)
        if self.refuse is None or found is None:
            return
        number = int(found[1]) if found[1] else found[2].decode("utf-8", "replace")
        await self.refuse(JSONRPCError(jsonrpc="2.0", id=number, error=ErrorData(code=code, message=what)))


class _Line:
    """A line as it arrives; of one that is too long, only its two ends are kept."""

    def __init__(self, limit: int) -> None:
        self.kept = bytearray()
        self.last = b""
        self.size = 0
        self._limit = limit

    @property
    def skipped(self) -> bool:
        return self.size > self._limit

    def add(self, piece: bytes) -> None:
        already = self.skipped
        self.size += len(piece)
        if already:
            self.last = (self.last + piece)[-_ENDS:]
            return
        self.kept += piece
        if self.skipped:
            self.last = bytes(self.kept[-_ENDS:])
            self.kept = self.kept[:_ENDS]


def _claim_stdin() -> int:
    """A private descriptor of stdin; whoever else reads stdin from now on finds it empty."""
    private = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return private


def _leave(status: int) -> None:
    # The thread that reads stdin would keep the interpreter from ending.
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(status)
