"""Artifacts: the files that calls produce, kept in the output directory and known by a handle.

Names are the server's own (`<kind>-<utc>-<id>.<extension>`); nothing a model says becomes part of a path.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from gemini_server.errors import LocalError, NotFound
from gemini_server.jobs.output_directory import OutputDirectory, Room, mib
from gemini_server.jobs.schema import NOW
from gemini_server.jobs.store import Store

if TYPE_CHECKING:
    import sqlite3

_COLUMNS = "id, kind, name, mime_type, bytes, sha256, width, height, duration, created"
_KIND = re.compile(r"[a-z][a-z0-9]{0,23}(?:-[a-z0-9]{1,24}){0,2}")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,5}")
_PIECE = 1024 * 1024
_TRIES = 3


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
        self._files = OutputDirectory(directory)

    @property
    def directory(self) -> Path:
        """The output directory; without links, once it was used."""
        return self._files.path

    async def save(self, principal: str, kind: str, data: bytes, traits: Traits) -> Artifact:
        """Keep bytes that are in memory. Once begun it ends, even if the caller is dropped: they were paid for.

        Args:
            principal: whose they are.
            kind: lower-case words with hyphens; the program's, never a model's.
            data: the bytes.
            traits: what they are.

        Raises:
            LocalError: the directory cannot be written, the disk is full (nothing half-written is left), or the file is
                saved but the ledger cannot be written.
        """
        if not _KIND.fullmatch(kind) or not _EXTENSION.fullmatch(traits.extension):
            raise ValueError(f"{kind!r} and {traits.extension!r} make no name of a file")
        with anyio.CancelScope(shield=True):
            artifact = await anyio.to_thread.run_sync(self._write, kind, data, traits)
            try:
                await self._store.run(lambda ledger: _register(ledger, principal, artifact))
            except LocalError as error:
                raise LocalError(
                    f"{artifact.name} was saved in the output directory, but has no handle: {error.what}",
                    error.remedy,
                    code=error.code,
                ) from None
            return artifact
        raise AssertionError  # for the type checkers: this scope swallows nothing

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

        row = await self._store.run(work, write=False) if identifier.isascii() else None
        if row is None:
            raise not_found(identifier)
        return _artifact(row)

    async def recent(self, principal: str, *, limit: int) -> list[Artifact]:
        """A principal's artifacts, the newest first."""

        def work(ledger: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return ledger.execute(
                f"SELECT {_COLUMNS} FROM artifacts WHERE principal = ? "  # noqa: S608  our own column names
                "ORDER BY created DESC, rowid DESC LIMIT ?",
                (principal, limit),
            ).fetchall()

        return [_artifact(row) for row in await self._store.run(work, write=False)]

    async def read(self, artifact: Artifact, *, limit: int) -> bytes:
        """The bytes of an artifact.

        Raises:
            NotFound: the file was removed or replaced.
            LocalError: it is larger than `limit`.
        """
        return await anyio.to_thread.run_sync(self._read, artifact, limit)

    async def open(self, artifact: Artifact, *, limit: int) -> int:
        """A descriptor from which the bytes of an artifact can be read; the caller closes it.

        Raises:
            NotFound: the file was removed or replaced.
            LocalError: it is larger than `limit`.
        """
        return await anyio.to_thread.run_sync(self._open, artifact, limit)

    async def check_room(self, size: int) -> None:
        """See whether so many bytes fit, before they are fetched.

        Raises:
            LocalError: they do not, or the directory cannot be made.
        """
        await anyio.to_thread.run_sync(self._files.check_room, size)

    async def look(self) -> Room:
        """Look at the output directory without making it."""
        return await anyio.to_thread.run_sync(self._files.look)

    def path(self, artifact: Artifact) -> Path:
        """Where an artifact lies."""
        return self.directory / artifact.name

    def _write(self, kind: str, data: bytes, traits: Traits) -> Artifact:
        digest = hashlib.sha256(data).hexdigest()
        for _ in range(_TRIES):
            identifier = secrets.token_urlsafe(16)
            now = datetime.now(UTC).replace(microsecond=0)
            name = f"{kind}-{now:%Y%m%dT%H%M%SZ}-{_readable(identifier)}{traits.extension}"
            try:
                self._files.write(name, data)
            except FileExistsError:
                continue
            return Artifact(
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
        raise LocalError(f"Every name that was tried in {self.directory} is taken.", "Choose another --output-dir.")

    def _open(self, artifact: Artifact, limit: int) -> int:
        if artifact.bytes > limit:
            raise LocalError(
                f"The artifact has {mib(artifact.bytes)}, more than the {mib(limit)} that are taken here.",
                f"Use the file itself: {artifact.name} in the output directory of this server.",
            )
        try:
            number = self._files.open(artifact.name)
        except FileNotFoundError:
            raise NotFound(
                f"The file of artifact {artifact.id} is gone.", "It was removed or renamed; make it again."
            ) from None
        try:
            self._check(number, artifact)
        except BaseException:
            os.close(number)
            raise
        return number

    def _check(self, number: int, artifact: Artifact) -> None:
        # Whoever replaced or changed it: the handle stands for the bytes that were produced.
        digest, size = hashlib.sha256(), 0
        while size <= artifact.bytes and (piece := os.read(number, _PIECE)):
            digest.update(piece)
            size += len(piece)
        if size != artifact.bytes or digest.hexdigest() != artifact.sha256:
            raise NotFound(
                f"The file of artifact {artifact.id} was changed since it was produced; it is not read.",
                "If the change is wanted, use the file by its path.",
            )
        os.lseek(number, 0, os.SEEK_SET)

    def _read(self, artifact: Artifact, limit: int) -> bytes:
        with os.fdopen(self._open(artifact, limit), "rb") as file:
            data = file.read(artifact.bytes)
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            raise NotFound(f"The file of artifact {artifact.id} was changed while it was read.", "Call again.")
        return data


def not_found(identifier: str) -> NotFound:
    """The refusal of a handle: the same for one that is unknown and one that is another's."""
    shown = ascii(identifier if len(identifier) <= 40 else f"{identifier[:40]}…")
    return NotFound(f"There is no artifact {shown}.", "Handles come with the results of other tools.")


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
