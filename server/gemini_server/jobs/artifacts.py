"""Artifacts: the files that calls produce, kept in the output directory and known by a handle.

A file is written under a temporary name, synced, and linked to its final name: it is never overwritten and never half
there. Names are the server's own (`<kind>-<utc>-<id>.<extension>`); nothing a model says becomes part of a path.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from gemini_server.errors import LocalError, NotFound
from gemini_server.jobs.schema import NOW
from gemini_server.jobs.store import Store

if TYPE_CHECKING:
    import sqlite3

_COLUMNS = "id, kind, name, mime_type, bytes, sha256, width, height, duration, created"


@dataclass(frozen=True, slots=True)
class Traits:
    """What the bytes of an artifact turned out to be.

    Attributes:
        mime_type: by the bytes, not by what was announced.
        extension: with its dot.
        width: pixels.
        height: pixels.
        duration: seconds.
    """

    mime_type: str
    extension: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A produced file. `id` is the handle; `name` is the file's in the output directory."""

    id: str
    kind: str
    name: str
    mime_type: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None
    duration: float | None
    created: datetime


class Artifacts:
    """The output directory and its register in the ledger.

    Args:
        store: the ledger.
        directory: the output directory; made with mode 0700 when it is first written to. A link in its place is
            followed once, at the first use; a later exchange of the directory is noticed and refused.
    """

    def __init__(self, store: Store, directory: Path) -> None:
        self._store = store
        self.directory = directory
        self._identity: tuple[int, int] | None = None

    async def save(self, principal: str, kind: str, data: bytes, traits: Traits) -> Artifact:
        """Keep bytes that are in memory.

        Raises:
            LocalError: the directory cannot be written, or the disk is full; nothing half-written is left.
        """
        identifier = secrets.token_urlsafe(16)
        now = datetime.now(UTC).replace(microsecond=0)
        name = f"{kind}-{now:%Y%m%dT%H%M%SZ}-{_readable(identifier)}{traits.extension}"
        digest = await anyio.to_thread.run_sync(lambda: hashlib.sha256(data).hexdigest())
        artifact = Artifact(
            identifier,
            kind,
            name,
            traits.mime_type,
            len(data),
            digest,
            traits.width,
            traits.height,
            traits.duration,
            now,
        )
        # What is being kept was paid for: a dropped caller must not lose it half-way.
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._write, name, data)
            await self._store.run(lambda ledger: _register(ledger, principal, artifact))
        return artifact

    async def get(self, principal: str, identifier: str) -> Artifact:
        """An artifact by its handle.

        Raises:
            NotFound: there is none, or it is another principal's.
        """

        def work(ledger: sqlite3.Connection) -> tuple[Any, ...] | None:
            found: tuple[Any, ...] | None = ledger.execute(
                f"SELECT {_COLUMNS} FROM artifacts WHERE id = ? AND principal = ?",  # noqa: S608  our own column names
                (identifier, principal),
            ).fetchone()
            return found

        row = await self._store.run(work, write=False)
        if row is None:
            raise NotFound(f"There is no artifact {identifier!r}.", "Handles come with the results of other tools.")
        return _artifact(row)

    async def read(self, artifact: Artifact, *, limit: int) -> bytes:
        """The bytes of an artifact.

        Raises:
            NotFound: the file was removed or replaced.
            LocalError: it is larger than `limit`.
        """
        return await anyio.to_thread.run_sync(self._read, artifact, limit)

    async def chunks(self, artifact: Artifact, size: int) -> AsyncIterator[bytes]:
        """The bytes of an artifact, `size` at a time."""
        data = await self.read(artifact, limit=artifact.bytes)
        for start in range(0, len(data), size):
            yield data[start : start + size]

    def path(self, artifact: Artifact) -> Path:
        """Where an artifact lies."""
        return self.directory / artifact.name

    def _open_directory(self) -> int:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._identity is None:
                self.directory = self.directory.resolve()
            descriptor = os.open(
                self.directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
            )
        except OSError as error:
            raise _local(error, self.directory) from None
        status = os.fstat(descriptor)
        identity = (status.st_dev, status.st_ino)
        if self._identity not in (None, identity):
            os.close(descriptor)
            raise LocalError(
                f"The output directory {self.directory} was replaced while the server ran.",
                "Restart the server if that was on purpose.",
            )
        self._identity = identity
        return descriptor

    def _write(self, name: str, data: bytes) -> None:
        directory = self._open_directory()
        temporary = f".{name}.part"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
            file = os.open(temporary, flags, 0o600, dir_fd=directory)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(file, view) :]
                os.fsync(file)
            finally:
                os.close(file)
            # A link fails where the name is taken; a rename would overwrite.
            os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
            os.fsync(directory)
        except OSError as error:
            raise _local(error, self.directory) from None
        finally:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory)
            os.close(directory)

    def _read(self, artifact: Artifact, limit: int) -> bytes:
        if artifact.bytes > limit:
            raise LocalError(
                f"The artifact has {artifact.bytes} bytes, more than the {limit} that are sent in one piece.",
                f"Open the file itself: {artifact.name} in the output directory.",
            )
        directory = self._open_directory()
        try:
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            file = os.open(artifact.name, flags, dir_fd=directory)
        except OSError:
            raise NotFound(f"The file of artifact {artifact.id} is gone.", "It was removed or renamed.") from None
        finally:
            os.close(directory)
        with os.fdopen(file, "rb") as reader:
            status = os.fstat(reader.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size != artifact.bytes:
                raise NotFound(f"The file of artifact {artifact.id} was replaced by another.", "It is not shown.")
            return reader.read(artifact.bytes)


def _readable(identifier: str) -> str:
    # The name must not give the handle away to those who may list the directory.
    return hashlib.sha256(identifier.encode()).hexdigest()[:10]


def _register(ledger: sqlite3.Connection, principal: str, artifact: Artifact) -> None:
    ledger.execute(
        f"INSERT INTO artifacts (principal, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {NOW})",  # noqa: S608
        (
            principal,
            artifact.id,
            artifact.kind,
            artifact.name,
            artifact.mime_type,
            artifact.bytes,
            artifact.sha256,
            artifact.width,
            artifact.height,
            artifact.duration,
        ),
    )


def _artifact(row: tuple[Any, ...]) -> Artifact:
    identifier, kind, name, mime_type, size, sha256, width, height, duration, created = row
    when = datetime.fromtimestamp(created, UTC)
    return Artifact(identifier, kind, name, mime_type, size, sha256, width, height, duration, when)


def _local(error: OSError, directory: Path) -> LocalError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return LocalError(
            f"The disk is full: nothing could be saved in {directory}.",
            "Free some space, then call again.",
            code="disk_full",
        )
    return LocalError(
        f"The output directory {directory} cannot be written ({error.strerror}).", "Choose another with --output-dir."
    )
