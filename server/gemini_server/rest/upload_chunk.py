"""The bytes of one chunk of an upload, read off the event loop while the ones before them are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from gemini_server.errors import FileRefused

from .config import MIB

PIECE = 2 * MIB
"""Bytes that are read at a time; two such pieces of a source are in memory at once.

Each costs a change of threads: in pieces of half or twice the length, a file takes a twentieth longer over loopback.
"""

OnBytes = Callable[[int], None]
"""Hears up to where bytes have been handed to the network."""


class Source(Protocol):
    """Bytes that are read from anywhere, as often as need be.

    Attributes:
        size: how many there are.
    """

    @property
    def size(self) -> int: ...  # noqa: D102

    def read(self, offset: int, size: int) -> bytes:
        """Exactly so many bytes. It blocks, and is called in threads, after a failure perhaps in two at a time.

        Raises:
            FileRefused: they are not any more what was to be sent.
        """
        ...


class Chunk:
    """Some bytes of a source as the body of a request."""

    content_type = b"application/octet-stream"
    whole = None

    def __init__(self, source: Source, offset: int, length: int, on_bytes: OnBytes | None) -> None:
        self._source = source
        self._offset = offset
        self._on_bytes = on_bytes
        self.length = length

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes, from the start each time.

        Raises:
            FileRefused: the source is not what it was, or cannot be read any more.
        """
        end = self._offset + self.length
        # One piece ahead: to read and to hash one takes about as long as to send one.
        reader = ThreadPoolExecutor(1, "upload")
        try:
            ahead = self._begin(reader, self._offset, end)
            for at in range(self._offset, end, PIECE):
                piece = await self._taken(ahead)
                ahead = self._begin(reader, at + PIECE, end)
                yield piece
                if self._on_bytes is not None:
                    self._on_bytes(at + len(piece))
        finally:
            reader.shutdown(wait=False, cancel_futures=True)

    def _begin(self, reader: ThreadPoolExecutor, at: int, end: int) -> Future[bytes] | None:
        return reader.submit(self._source.read, at, min(PIECE, end - at)) if at < end else None

    async def _taken(self, ahead: Future[bytes] | None) -> bytes:
        assert ahead is not None  # noqa: S101  there is one for every piece
        try:
            # To wait in a further thread would cost two more changes of threads for each piece.
            return ahead.result() if ahead.done() else await asyncio.wrap_future(ahead)
        except OSError as exc:
            why = exc.strerror or type(exc).__name__
            raise FileRefused(
                f"The file cannot be read any more ({why}); its upload was broken off.",
                "Check that the file is still there, then call again.",
            ) from exc
