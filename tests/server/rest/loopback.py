"""A server on loopback that records every request and plays a script: for what is about bytes, cuts and stalls."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Seen:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


Play = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]
"""What the server does with a request. Closing the writer ends the connection."""


def response(body: bytes = b"{}", status: int = 200, content_type: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"content-type: {content_type}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reply(body: bytes = b"{}", status: int = 200, content_type: str = "application/json", **headers: str) -> Play:
    async def play(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(response(body, status, content_type, **headers))
        await writer.drain()

    return play


def reply_json(value: object, status: int = 200, **headers: str) -> Play:
    return reply(json.dumps(value).encode(), status, **headers)


def raw(*chunks: bytes, close: bool = True) -> Play:
    """Sends the bytes chunk by chunk, each in a read of its own, then ends the connection."""

    async def play(seen: Seen, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        if close:
            writer.close()

    return play


def chunked(*chunks: bytes, content_type: str = "text/event-stream", end: bool = True) -> Play:
    """A chunked answer; without `end` the connection is cut after the last chunk."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    framed = [b"%x\r\n" % len(c) + c + b"\r\n" for c in chunks]
    return raw(head, *framed, *([b"0\r\n\r\n"] if end else []), close=not end)


def hang_up() -> Play:
    """Takes the request and ends the connection without a word."""
    return raw()


def stall(*chunks: bytes) -> Play:
    """Sends what it has, then nothing more, for ever."""

    async def play(seen: Seen, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
        await writer.drain()
        await asyncio.Event().wait()

    return play


def redirect(status: int, location: str) -> Play:
    return reply(b"", status, location=location)


def zipped(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)


class Loopback:
    """Plays its script, one play per request; the last one again for every further request.

    Args:
        plays: what to do with each request.
        read_body: how many bytes of a request's body are read before its connection is reset; None reads all.
    """

    def __init__(self, *plays: Play, reset_after: Sequence[int | None] = ()) -> None:
        self.plays = list(plays) or [reply()]
        self.reset_after = list(reset_after)
        self.seen: list[Seen] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while not writer.is_closing():
                    await self._one(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
            self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = tuple((k.lower(), v.strip()) for k, _, v in (line.partition(":") for line in head[1:] if line))
        length = int(dict(headers).get("content-length", "0"))
        reset = self.reset_after.pop(0) if self.reset_after else None
        body = await reader.readexactly(length if reset is None else min(reset, length))
        seen = Seen(method, target, headers, body)
        self.seen.append(seen)
        if reset is not None:
            writer.transport.abort()
            return
        play = self.plays[min(len(self.seen), len(self.plays)) - 1]
        await play(seen, writer)
