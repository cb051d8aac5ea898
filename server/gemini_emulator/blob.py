"""Bytes that arrive in order: small ones stay in memory, large ones go to a temporary file without a name.

The file has no entry in any directory, so that the system takes it back whatever becomes of the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Protocol

_IN_MEMORY = 1024 * 1024
_PIECE = 1024 * 1024


class Hash(Protocol):
    """A digest that is being computed."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def hexdigest(self) -> str:
        """The digest so far."""
        ...

    def copy(self) -> Hash:
        """The same state once more."""
        ...


@dataclass(frozen=True)
class Mark:
    """A place in a blob to come back to."""

    size: int
    digest: Hash


class Blob:
    """Bytes that are written in order and read anywhere, from any thread."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](max_size=_IN_MEMORY)
        self._lock = Lock()
        self._digest: Hash = hashlib.sha256()
        self.size = 0

    def append(self, data: bytes) -> None:
        """Write behind what is there."""
        with self._lock:
            self._file.seek(self.size)
            self._file.write(data)
            self._digest.update(data)
            self.size += len(data)

    def mark(self) -> Mark:
        """Where the next byte would go."""
        with self._lock:
            return Mark(self.size, self._digest.copy())

    def rewind(self, mark: Mark) -> None:
        """Forget what was written since a mark."""
        with self._lock:
            self._file.truncate(mark.size)
            self.size, self._digest = mark.size, mark.digest.copy()

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to, and without, `end`."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(max(0, min(end, self.size) - start))

    def pieces(self) -> Iterator[bytes]:
        """All bytes, a mebibyte at a time."""
        for at in range(0, self.size, _PIECE):
            yield self.read(at, at + _PIECE)

    def sha256(self) -> str:
        """The digest of all bytes, in hex."""
        with self._lock:
            return self._digest.hexdigest()

    def close(self) -> None:
        """Give the bytes up."""
        with self._lock:
            self._file.close()
