"""A server on loopback that takes uploads by the resumable protocol, and breaks them where a test says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

GRANULE = 256 * 1024


@dataclass
class Asked:
    """A request: its line, its headers, and how many bytes of its body came."""

    method: str
    target: str
    headers: dict[str, str]
    bytes: int = 0
    json: Any = None

    @property
    def command(self) -> str:
        return self.headers.get("x-goog-upload-command", "")


@dataclass
class Vault:
    """What was uploaded, and what is to go wrong.

    Attributes:
        cuts: positions in the file at which the connection is reset, once each, in this order.
        lost_answers: how many good answers to chunks are swallowed, and the connection with them.
        refusals: what the next chunks are answered instead of being taken: status, headers, body.
        hidden: headers of the protocol that are taken out of all answers.
        keeps: whether of a broken chunk the whole granules stay.
        forgets: whether the session is unknown from now on.
        most: bytes of the largest request that a proxy lets through.
        file: more members of the file that is made.
        session_url: what is given as the URL of the session; `{own}` is this server's.
    """

    cuts: list[int] = field(default_factory=list[int])
    lost_answers: int = 0
    refusals: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list[tuple[int, dict[str, str], bytes]])
    hidden: set[str] = field(default_factory=set[str])
    keeps: bool = True
    forgets: bool = False
    most: int | None = None
    file: dict[str, Any] = field(default_factory=dict[str, Any])
    session_url: str = "{own}/upload/v1beta/files?upload_id=SECRET-session-0123456789&upload_protocol=resumable"
    granularity: int | None = GRANULE

    data: bytearray = field(default_factory=bytearray)
    status: str = "active"
    result: bytes = b""
    asked: list[Asked] = field(default_factory=list[Asked])
    announced: int = 0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
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

    @property
    def sent(self) -> int:
        """Bytes of the file that came over the wire, those that were lost too."""
        return sum(one.bytes for one in self.asked if "upload" in one.command)

    def commands(self) -> list[str]:
        return [one.command for one in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
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
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        asked = Asked(method, target, headers)
        self.asked.append(asked)
        length = int(headers.get("content-length", "0"))
        if self.most is not None and length > self.most:
            await self._answer(writer, 413, {}, b"<html><title>413 Request Entity Too Large</title></html>")
            writer.close()
        elif asked.command == "start":
            asked.json = json.loads(await reader.readexactly(length))
            self.data, self.status, self.result = bytearray(), "active", b""
            self.announced = int(headers["x-goog-upload-header-content-length"])
            given = self.session_url.format(own=self.url)
            said = {"X-Goog-Upload-URL": given, "X-Goog-Upload-Status": "active"}
            if self.granularity is not None:
                said["X-Goog-Upload-Chunk-Granularity"] = str(self.granularity)
            await self._answer(writer, 200, said, b"")
        elif self.forgets:
            await self._read(reader, asked, length, None)
            await self._answer(writer, 404, {}, b"Not Found")
        elif "upload" in asked.command or asked.command == "finalize":
            await self._chunk(reader, writer, asked, length)
        elif asked.command == "query":
            await self._answer(writer, 200, self._state(), self.result)
        elif asked.command == "cancel":
            self.status = "cancelled"
            await self._answer(writer, 200, self._state(), b"")
        elif method == "DELETE":
            await self._answer(writer, 200, {}, b"{}")
        elif self.status == "final":
            await self._answer(writer, 200, {}, json.dumps(json.loads(self.result)["file"]).encode())
        else:
            gone = {"code": 403, "message": "You do not have permission to access the File or it may not exist."}
            await self._answer(writer, 403, {}, json.dumps({"error": gone}).encode())

    async def _read(self, reader: asyncio.StreamReader, asked: Asked, length: int, limit: int | None) -> bytes:
        wanted = length if limit is None else min(limit, length)
        body = await reader.readexactly(wanted)
        asked.bytes = len(body)
        return body

    async def _chunk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: Asked, length: int
    ) -> None:
        offset = int(asked.headers["x-goog-upload-offset"])
        if self.refusals:
            status, headers, body = self.refusals.pop(0)
            await self._read(reader, asked, length, None)
            await self._answer(writer, status, headers, body)
            return
        if self.cuts and offset <= self.cuts[0] <= offset + length:
            body = await self._read(reader, asked, length, self.cuts.pop(0) - offset)
            if self.keeps and offset == len(self.data):
                self.data += body[: len(body) // GRANULE * GRANULE]
            writer.transport.abort()
            return
        body = await self._read(reader, asked, length, None)
        if offset != len(self.data) or self.status != "active":
            await self._answer(writer, 409, self._state(), b"Invalid request.  Another offset was expected.")
            return
        last = "finalize" in asked.command
        if length % GRANULE and not last:
            await self._answer(writer, 400, self._state(), b"Invalid request.  Not a multiple of the granularity.")
            return
        self.data += body
        if last:
            assert len(self.data) == self.announced
            self.status = "final"
            digest = base64.b64encode(hashlib.sha256(self.data).hexdigest().encode()).decode()
            self.result = json.dumps({"file": {"name": "files/a", "sha256Hash": digest, **self.file}}).encode()
        if self.lost_answers:
            self.lost_answers -= 1
            writer.transport.abort()
            return
        await self._answer(writer, 200, self._state(), self.result)

    def _state(self) -> dict[str, str]:
        return {"X-Goog-Upload-Status": self.status, "X-Goog-Upload-Size-Received": str(len(self.data))}

    async def _answer(self, writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes) -> None:
        shown = {name: value for name, value in headers.items() if name.lower() not in self.hidden}
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in shown.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
