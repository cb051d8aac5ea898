"""What is uploaded: a file, an artifact, bytes that came with a call; opened now, and again by whoever goes on with it.

A process that takes an upload over opens the source anew, by the same rules as at first, and only goes on if it is what
it was. Bytes that came with a call are in memory alone: an upload of these ends with its process.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import anyio.to_thread

from gemini_server.errors import ArgumentError, FileRefused
from gemini_server.jobs.job import Json
from gemini_server.toolkit import artifacts, data_uri, sniff
from gemini_server.toolkit.open_file import Descriptor, OpenFile
from gemini_server.toolkit.runtime import Runtime

LARGEST = 2 * 2**30
"""Bytes of a file that Google keeps."""
LARGEST_DATA = 64 * 2**20
"""Bytes of a `data:` URI."""

_PIECE = 1024 * 1024
_STRIDE = 16 * _PIECE  # read in one go for the digest alone, some 10 ms
_LINES = "application/jsonl"
_STAMP = 4  # size, time of change, inode, device: what must be the same when a file is opened again


class Readable(Protocol):
    """Bytes that are read from anywhere; as `rest.upload.Source`."""

    @property
    def size(self) -> int: ...  # noqa: D102

    def read(self, offset: int, size: int) -> bytes:
        """Exactly so many bytes; it blocks."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...


@dataclass(frozen=True, slots=True)
class InMemory:
    """Bytes that are in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        """Some of them."""
        return self.data[offset : offset + size]

    def close(self) -> None:
        """There is nothing to let go of."""


@dataclass(frozen=True, slots=True)
class Given:
    """Bytes to be uploaded.

    Attributes:
        bytes: the open source; whoever got this closes it.
        mime_type: by their content.
        name: for people; empty where there is none.
        origin: what tells this file, as it is now, from all others on all machines.
        again: how to open it again, JSON.
        sha256: their digest in hex, where it is known already.
    """

    bytes: Readable
    mime_type: str
    name: str
    origin: str
    again: Json
    sha256: str | None = None


async def given(runtime: Runtime, principal: str, source: str) -> Given:
    """Open a source.

    Args:
        runtime: whose directories and artifacts are read.
        principal: for whom.
        source: a path, an artifact, or a `data:` URI.

    Raises:
        FileRefused: the path is not read, the file is empty or too large.
        NotFound: there is no such artifact.
        ArgumentError: the URI is none.
    """
    lowered = source[:32].lower()
    if lowered.startswith("data:"):
        uri = await data_uri.read(source, most=LARGEST_DATA)
        return of_bytes(await uri.decoded(), uri.mime_type)
    if artifacts.is_source(source):
        return await _artifact(runtime, principal, source[len(artifacts.URI) :])
    if (found := re.match(r"([a-z][a-z0-9+.-]+)://", lowered)) and found[1] != "file":
        raise ArgumentError(
            f"What is uploaded cannot be {found[1]}://….", "Give a path, gemini://artifacts/ID or a data: URI."
        )
    return of_file(await runtime.disk.open(source, max_bytes=LARGEST), source)


def of_file(file: OpenFile, path: str) -> Given:
    """A file that was opened by a path that may be read."""
    lines = file.mime_type == "text/plain" and sniff.by_name(file.name) == _LINES
    stamp = ":".join(map(str, file.stamp))
    return Given(
        file,
        _LINES if lines else file.mime_type,
        file.name,
        f"file {socket.gethostname()} {stamp}",
        {"path": path, "stamp": list(file.stamp[:_STAMP])},
    )


def of_bytes(data: bytes, mime_type: str) -> Given:
    """Bytes that are in memory."""
    sha256 = hashlib.sha256(data).hexdigest()
    return Given(InMemory(data), mime_type, "", f"bytes {sha256}", {"memory": True}, sha256)


async def _artifact(runtime: Runtime, principal: str, identifier: str) -> Given:
    artifact = await runtime.artifacts.get(principal, identifier)
    if artifact.bytes > LARGEST:
        raise FileRefused(
            f"The artifact has {artifact.bytes} bytes; {LARGEST} are accepted here.", "Give a smaller file."
        )
    with anyio.CancelScope(shield=True):  # a descriptor must not be lost on the way
        descriptor = Descriptor(await runtime.artifacts.open_file(artifact))
        file = await anyio.to_thread.run_sync(lambda: OpenFile(descriptor, descriptor.stat(), artifact.name))
        again = {"artifact": artifact.id}
        return Given(file, artifact.mime_type, artifact.name, f"artifact {artifact.id}", again, artifact.sha256)
    raise AssertionError  # for the type checkers: this scope swallows nothing


async def opened_again(runtime: Runtime, principal: str, again: Json) -> Readable:
    """Open what was given before.

    Args:
        runtime: whose directories and artifacts are read.
        principal: for whom.
        again: as `Given` has it.

    Raises:
        FileRefused: it is not what it was, or may not be read any more.
        NotFound: the artifact is gone.
    """
    if "artifact" in again:
        return (await _artifact(runtime, principal, cast("str", again["artifact"]))).bytes
    if "path" not in again:
        raise FileRefused(
            "The process that had these bytes in memory has ended before they were all sent.", "Call again with them."
        )
    file = await runtime.disk.open(cast("str", again["path"]), max_bytes=LARGEST)
    if list(file.stamp[:_STAMP]) != again["stamp"]:
        file.close()
        raise changed(file.name)
    return file


def changed(name: str) -> FileRefused:
    """The refusal of a file that is not what it was when its upload began."""
    return FileRefused(
        f'"{name}" was changed while it was being uploaded; what had arrived is thrown away.',
        "Call again when nothing writes to it any more.",
        code="file_changed",
    )


class Hashed:
    """A source of whose bytes the digest is taken as they are read for the first time, in their order."""

    def __init__(self, source: Readable, digest: Digest) -> None:
        self._source = source
        self._digest = digest

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._source.size

    def read(self, offset: int, size: int) -> bytes:
        """Some of them."""
        data = self._source.read(offset, size)
        self._digest.take(offset, data)
        return data


class Digest:
    """SHA-256 of a source, as far as it was read.

    Attributes:
        position: up to where it was.
    """

    def __init__(self) -> None:
        self.position = 0
        self._sum = hashlib.sha256()
        self._lock = threading.Lock()

    def take(self, offset: int, data: bytes) -> None:
        """Take in what lies at an offset; what was taken before, or would leave a gap, counts not."""
        with self._lock:  # a read that was given up may still be under way
            if offset <= self.position < offset + len(data):
                self._sum.update(memoryview(data)[self.position - offset :])
                self.position = offset + len(data)

    async def catch_up(self, source: Readable, end: int, tell: Callable[[int], None]) -> None:
        """Read what was not read yet up to `end`, and say how far it is.

        Raises:
            FileRefused: the source is not what it was.
        """
        hashed = Hashed(source, self)

        def stride() -> None:
            until = min(end, self.position + _STRIDE)
            while (at := self.position) < until:
                hashed.read(at, min(_PIECE, until - at))

        while self.position < end:
            await anyio.to_thread.run_sync(stride)
            tell(self.position)

    def hexdigest(self) -> str:
        """Of what was read."""
        return self._sum.hexdigest()


async def sha256_of(source: Readable, tell: Callable[[int], None]) -> str:
    """The digest of a whole source, in hex.

    Raises:
        FileRefused: it was changed meanwhile.
    """
    digest = Digest()
    await digest.catch_up(source, source.size, tell)
    return digest.hexdigest()
