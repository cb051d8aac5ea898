"""Files that the models of the emulator made: `files/…` of source GENERATED, kept for two days.

A file can be made as large as a test wants without being held in memory: what follows the real bytes is computed where
it is read. Source: "Files" of the API reference, and the download of generated videos in the Veo and Omni guides.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from threading import Lock

from .store import Clock, Store, timestamp, utc_now
from .wire import Object

KEPT = timedelta(hours=48)
CHUNK = 256 * 1024
_PERIOD = 64 * 1024
_LARGEST_BOX = 2**32 - 1
_MP4 = b"ftyp"


@dataclass(frozen=True)
class Content:
    """The bytes of a file.

    Args:
        data: those that are kept.
        size: how many there are at least; what lies behind `data` is a fixed pattern, which an MP4 has in a box of its
            own that players skip.
    """

    data: bytes
    size: int

    def part(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to, and without, `end`."""
        data = _opened(self)
        kept = data[start:end]
        missing = min(end, self.size) - start - len(kept)
        if missing <= 0:
            return kept
        turn = (start + len(kept)) % _PERIOD
        pattern = _pattern() * ((turn + missing) // _PERIOD + 1)
        return kept + pattern[turn : turn + missing]

    def chunks(self, start: int, end: int) -> Iterator[bytes]:
        """The same in pieces that are easily sent."""
        for at in range(start, end, CHUNK):
            yield self.part(at, min(at + CHUNK, end))

    def sha256(self) -> str:
        """The digest of all bytes, in hex; half a gigabyte takes about a second."""
        return _sha256(self)


@lru_cache(8)
def _opened(content: Content) -> bytes:
    """The kept bytes, with the head of the box that the rest is in."""
    rest = content.size - len(content.data)
    if content.data[4:8] == _MP4 and 8 <= rest <= _LARGEST_BOX:
        return content.data + struct.pack(">I4s", rest, b"free")
    return content.data


@lru_cache(1)
def _pattern() -> bytes:
    blocks = [hashlib.sha256(b"filler %d" % number).digest() for number in range(_PERIOD // 32)]
    return b"".join(blocks)


@lru_cache(64)
def _sha256(content: Content) -> str:
    total = hashlib.sha256()
    for chunk in content.chunks(0, content.size):
        total.update(chunk)
    return total.hexdigest()


class GeneratedFiles:
    """The generated files of one emulator.

    Args:
        clock: what their expiry goes by.
    """

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._store = Store("files", clock=clock, missing=403, largest_page=100)
        self._contents: dict[str, Content] = {}
        self._lock = Lock()

    def add(self, data: bytes, mime_type: str, *, base_url: str, size: int | None = None, ident: str = "") -> Object:
        """Keep a file.

        Args:
            data: its bytes.
            mime_type: its type.
            base_url: where the emulator is reached, with the API version (`http://127.0.0.1:8080/v1beta`).
            size: how large it is to be, when that is larger than the data.
            ident: its id; without one it gets any.

        Returns:
            The `File` resource; `downloadUri` is where its bytes are.
        """
        content = Content(data, max(len(data), size or 0))
        resource: Object = {
            "mimeType": mime_type,
            **_measured(content),
            "expirationTime": timestamp(self._clock() + KEPT),
            "state": "ACTIVE",
            "source": "GENERATED",
        }
        with self._lock:
            name: str = self._store.create(resource, ident=ident)["name"]
            self._contents[name] = content
            uri = f"{base_url}/{name}"
            return self._store.set(name, uri=uri, downloadUri=f"{uri}:download?alt=media")

    def get(self, name: str) -> Object:
        """The `File` resource of `files/…`.

        Raises:
            ApiError: 403 for a file that is unknown or has expired; Google does not say which.
        """
        with self._lock:
            return self._store.get(name)

    def content(self, name: str) -> tuple[Object, Content]:
        """The resource and the bytes.

        Raises:
            ApiError: as `get`.
        """
        with self._lock:
            return self._store.get(name), self._contents[name]

    def grow(self, name: str, size: int) -> None:
        """Make a file larger, from now on.

        Raises:
            ApiError: as `get`.
        """
        with self._lock:
            self._store.get(name)
            old = self._contents[name]
            if size > old.size:
                self._contents[name] = Content(old.data, size)
                self._store.set(name, **_measured(self._contents[name]))

    def list_page(self, page_size: int | None, page_token: str) -> tuple[list[Object], str]:
        """One page of resources, and the token of the next."""
        with self._lock:
            return self._store.list_page(page_size, page_token)

    def delete(self, name: str) -> None:
        """Remove a file.

        Raises:
            ApiError: as `get`.
        """
        with self._lock:
            self._store.delete(name)
            del self._contents[name]


def _measured(content: Content) -> Object:
    # The service gives base64 of the hexadecimal digest, not of its bytes.
    return {
        "sizeBytes": str(content.size),
        "sha256Hash": base64.b64encode(content.sha256().encode()).decode(),
    }
