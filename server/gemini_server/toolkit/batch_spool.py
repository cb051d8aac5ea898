"""Lines of JSON written to the output directory as they are made, and kept as an artifact: never whole in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

import anyio
import anyio.to_thread
from pydantic import BaseModel

from gemini_server.api.batches import FILE_BYTES, FILE_TYPE
from gemini_server.errors import ArgumentError
from gemini_server.jobs import part as parts
from gemini_server.jobs.artifact import Artifact, Traits, new_id, register
from gemini_server.jobs.part import Part, part_name
from gemini_server.rest.body import encode
from gemini_server.toolkit.artifacts import URI
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime

ROOM = 64 * 1024 * 1024
"""Bytes of room that are looked for at a time: how many there will be is not known before."""
PIECE = 1024 * 1024
TRAITS = Traits(FILE_TYPE, ".jsonl")


class Lines:
    """A file of the output directory that is being written; it is seen under its name only when it is whole.

    Args:
        runtime: whose output directory it is.
        kind: the first word of its name.
        identifier: the handle that it will have.
        created: a part of its name.
    """

    def __init__(self, runtime: Runtime, kind: str, identifier: str, created: datetime) -> None:
        self._runtime = runtime
        self._about = identifier, kind, created
        self._part = Part(runtime.artifacts.files, part_name(kind, created, identifier))
        self._buffer = bytearray()
        self._room = 0
        self._opened = False
        self._whole: tuple[int, str] | None = None

    @property
    def size(self) -> int:
        """Bytes that were given so far."""
        return self._part.size + len(self._buffer)

    def open(self) -> None:
        """Begin, with nothing. Blocks, as `write`.

        Raises:
            LocalError: the directory cannot be written, or another process writes this file.
        """
        self._part.open(keep=False)
        self._part.drop_md5()
        self._opened = True

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            LocalError: the disk is full, or the directory cannot be written.
        """
        self._buffer += data
        if len(self._buffer) >= PIECE:
            self._flush()

    def _flush(self) -> None:
        if self.size > self._room:
            self._room = self.size + ROOM
            self._runtime.artifacts.files.reserve(self._part.name, self._room, ROOM)
        data, self._buffer = self._buffer, bytearray()
        if data:
            self._part.write(data)

    def end(self) -> None:
        """All bytes are there; make them durable.

        Raises:
            LocalError: as `write`.
        """
        self._flush()
        self._part.sync()
        self._whole = self._part.size, self._part.sha256
        self._part.close()  # it is published by another descriptor, which nobody may be writing beside

    async def keep(self, principal: str) -> Artifact:
        """Give it its name and its handle, once it has ended. Repeating it after a crash does no harm.

        Raises:
            LocalError: the directory or the ledger cannot be written.
        """
        artifacts, store = self._runtime.artifacts, self._runtime.store
        if self._whole is None:
            raise ValueError("a file that has not ended has no name")
        size, sha256 = self._whole
        with anyio.CancelScope(shield=True):
            artifact = await artifacts.finish(*self._about, TRAITS, size=size, sha256=sha256)
            await store.run(lambda ledger: register(ledger, principal, artifact))
            await artifacts.forget(*self._about)
            return artifact
        raise AssertionError  # for the type checkers: this scope swallows nothing

    def close(self) -> None:
        """Let go of it; what is not whole is removed."""
        self._part.close()
        files = self._runtime.artifacts.files
        files.release(self._part.name)
        if self._opened and self._whole is None:
            parts.remove(files, self._part.name)


class Spool:
    """Requests that are written as lines of JSON, with their media in them.

    Args:
        call: the call that makes them.
        kind: the first word of the name of the file.
    """

    def __init__(self, call: Call, kind: str) -> None:
        self._principal = call.principal
        self._lines = Lines(call.runtime, kind, new_id(), datetime.now(UTC))

    @classmethod
    async def open(cls, call: Call, kind: str) -> Self:
        """Begin a file.

        Raises:
            LocalError: the directory cannot be written.
        """
        spool = cls(call, kind)
        await anyio.to_thread.run_sync(spool._lines.open)
        return spool

    async def add(self, line: BaseModel) -> None:
        """Add a line.

        Raises:
            ArgumentError: there are more bytes than Gemini takes in a file.
            LocalError: the disk is full.
        """
        async for piece in encode(line).chunks():
            await anyio.to_thread.run_sync(self._lines.write, piece)
        await anyio.to_thread.run_sync(self._lines.write, b"\n")
        if self._lines.size > FILE_BYTES:
            raise ArgumentError(
                f"the batch is larger than the {FILE_BYTES >> 30} GB that Gemini takes.", "Make several batches of it."
            )

    async def keep(self) -> str:
        """All lines are there; the artifact, as a media source.

        Raises:
            LocalError: the directory or the ledger cannot be written.
        """
        await anyio.to_thread.run_sync(self._lines.end)
        return URI + (await self._lines.keep(self._principal)).id

    async def close(self) -> None:
        """Let go of the file; what is not whole is removed."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._lines.close)
