"""A file that has been opened for reading, held by its descriptor and never again by its name."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from anyio import to_thread

from gemini_server.errors import FileRefused
from gemini_server.toolkit.sniff import HEAD_BYTES, sniff


class Descriptor:
    """A file descriptor that closes once, and not while a thread still reads.

    A number that is closed too early may already belong to another file when it is read.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._readers = 0
        self._closed = False
        self._lock = threading.Lock()
        self._position = threading.Lock()

    def close(self) -> None:
        """Closes it now, or when the last reader is done."""
        with self._lock:
            done, self._closed = self._closed, True
            if not done and not self._readers:
                os.close(self._number)

    def __del__(self) -> None:
        self.close()

    @contextmanager
    def _held(self) -> Generator[int]:
        with self._lock:
            if self._closed:
                raise ValueError("the file is closed")
            self._readers += 1
        try:
            yield self._number
        finally:
            with self._lock:
                self._readers -= 1
                if self._closed and not self._readers:
                    os.close(self._number)

    def stat(self) -> os.stat_result:
        """What the system knows of the file now."""
        with self._held() as number:
            return os.fstat(number)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`, fewer only at the end of the file."""
        pieces: list[bytes] = []
        with self._held() as number:
            while size > 0 and (piece := self._read_some(number, offset, size)):
                pieces.append(piece)
                offset += len(piece)
                size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read_some(self, number: int, offset: int, size: int) -> bytes:
        if sys.platform != "win32":
            return os.pread(number, size, offset)
        with self._position:
            os.lseek(number, offset, os.SEEK_SET)
            return os.read(number, size)


class OpenFile:
    """A regular file, open for reading; a source for a request body.

    Reading starts over with every call of `chunks`, and several readers do not disturb each other. A file that
    changes is refused as soon as it is noticed: what was announced (size, type) would no longer be what is sent.

    Attributes:
        name: the last part of the path, safe to show.
        size: in bytes, at least 1.
        first_bytes: the start of the file, by which its type was judged.
        mime_type: judged by the content.
        stamp: size, times, inode and device when it was opened: the same ones mean the same bytes, on this machine.
    """

    def __init__(self, descriptor: Descriptor, found: os.stat_result, name: str) -> None:
        self._descriptor = descriptor
        self._first = _state(found)
        self.stamp = (*self._first, found.st_ctime_ns)
        self.name = "".join(c if c.isprintable() else "_" for c in name)
        self.size = found.st_size
        self.first_bytes = self.read(0, min(HEAD_BYTES, self.size))
        self.mime_type = sniff(self.first_bytes, name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; a second time does nothing."""
        self._descriptor.close()

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """The whole file from its start, in pieces of exactly `size` bytes but the last.

        Raises:
            FileRefused: the file was changed since it was opened.
        """
        if size < 1:
            raise ValueError("a chunk has at least one byte")
        for offset in range(0, self.size, size):
            yield await to_thread.run_sync(self.read, offset, min(size, self.size - offset))

    async def head(self, n: int) -> bytes:
        """The first `n` bytes, or all if there are fewer."""
        if n <= len(self.first_bytes):
            return self.first_bytes[: max(n, 0)]
        return await to_thread.run_sync(self.read, 0, min(n, self.size))

    async def read_text(self, max_bytes: int) -> str:
        """The whole file as text.

        Raises:
            FileRefused: it is larger than `max_bytes`, not UTF-8, or was changed since it was opened.
        """
        if self.size > max_bytes:
            raise FileRefused(
                f'"{self.name}" has {self.size} bytes; as text, {max_bytes} are accepted.', "Give a shorter file."
            )
        content = await to_thread.run_sync(self.read, 0, self.size)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FileRefused(
                f'"{self.name}" is not UTF-8 text (it looks like {self.mime_type}).',
                "Save it as UTF-8, or give it where media is expected.",
            ) from None

    def read(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes from `offset`; it blocks.

        Raises:
            FileRefused: the file was changed since it was opened.
        """
        # Read first, then compare: bytes that are handed out were the file's at the time it was opened.
        content = self._descriptor.read(offset, size)
        if len(content) != size or _state(self._descriptor.stat()) != self._first:
            raise FileRefused(
                f'"{self.name}" was changed while it was being read.', "Wait until nothing writes to it, then repeat."
            )
        return content


def _state(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev
