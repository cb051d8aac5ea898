"""A server of one file that knows ranges, and does to it whatever a test wants."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.server.rest.loopback import Loopback, Play, Seen

_RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class FileServer:
    """Answers as Google's file servers do; use it as the play of a `Loopback`.

    Attributes:
        data: the file.
        etag: its mark, empty for none.
        cuts: after how many bytes each answer in turn is cut; None lets one through.
        ranges: whether it knows ranges.
        if_range: whether it heeds `If-Range`.
        sized: whether it says how large the file is.
        headers: more of them.
        starts: from which byte each answer went.
    """

    data: bytes
    etag: str = '"v1"'
    cuts: Sequence[int | None] = ()
    ranges: bool = True
    if_range: bool = True
    sized: bool = True
    headers: dict[str, str] = field(default_factory=dict[str, str])
    starts: list[int] = field(default_factory=list[int])

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        """Answers one request."""
        cut = self.cuts[len(self.starts)] if len(self.starts) < len(self.cuts) else None
        size, start, status = len(self.data), 0, 200
        asked = _RANGE.fullmatch(seen.header("range") or "")
        if asked and self.ranges and not (self.if_range and (seen.header("if-range") or self.etag) != self.etag):
            start, status = int(asked[1]), 206
        self.starts.append(start)
        head = ["content-type: video/mp4", *(f"{name}: {value}" for name, value in self.headers.items())]
        head += [f"etag: {self.etag}"] if self.etag else []
        if status == 206 and start >= size:
            head += [f"content-range: bytes */{size}", "content-length: 0"]
            writer.write("\r\n".join(["HTTP/1.1 416 X", *head]).encode() + b"\r\n\r\n")
            return
        head += [f"content-range: bytes {start}-{size - 1}/{size if self.sized else '*'}"] if status == 206 else []
        head += [f"content-length: {size - start}"] if self.sized else ["transfer-encoding: chunked"]
        writer.write("\r\n".join([f"HTTP/1.1 {status} X", *head]).encode() + b"\r\n\r\n")
        await self._send(self.data[start:] if cut is None else self.data[start : start + cut], writer)
        if cut is not None:
            writer.close()
        elif not self.sized:
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(data), 256 * 1024):
            piece = data[at : at + 256 * 1024]
            writer.write(piece if self.sized else b"%x\r\n" % len(piece) + piece + b"\r\n")
            await writer.drain()


def serving(play: Play) -> Loopback:
    """A server on loopback that answers every request like this."""
    return Loopback(play)
