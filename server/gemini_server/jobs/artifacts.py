"""Artifacts: the files that calls produce, kept in the output directory and known by a handle.

Names are the server's own (`<kind>-<utc>-<id>.<extension>`); nothing a model says becomes part of a path.

What a call produced in one go is saved at once. The file of a job has its handle before there is a byte of it: the
bytes gather in a part (see `part`), `finish` brings them under their name (see `finishing`), and the job registers them
in the transaction by which it is done. Each of these steps may be repeated after a crash, and leaves one file and one
handle.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from anyio.to_thread import run_sync as _in_thread

from gemini_server.errors import LocalError, NotFound, ToolserverError
from gemini_server.jobs import finishing, sidecar
from gemini_server.jobs import part as parts
from gemini_server.jobs.artifact import (
    COLUMNS,
    Artifact,
    Traits,
    check_name,
    made,
    new_id,
    not_found,
    of_row,
    register,
)
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.jobs.part import part_name, stem
from gemini_server.jobs.room import Room, mib
from gemini_server.jobs.upload_links import check_awaited

__all__ = ["Artifact", "Artifacts", "Traits", "new_id", "not_found", "part_name", "register"]

_PIECE = 1024 * 1024
_TRIES = 3

_log = logging.getLogger(__name__)


class Artifacts:
    """The output directory and its register in the ledger.

    Args:
        store: the ledger.
        directory: the output directory; made with mode 0700 when it is first written to. A link in its place is
            followed once, at the first use; a later exchange of the directory is noticed and refused.
        quota: bytes that produced files may have together; 0 for no limit.
        sidecars: whether `write_sidecar` writes anything.

    Attributes:
        files: the output directory.
    """

    def __init__(self, store: Store, directory: Path, *, quota: int = 0, sidecars: bool = True) -> None:
        self._store = store
        self._sidecars = sidecars
        self.files = OutputDirectory(directory, quota=quota)

    @property
    def directory(self) -> Path:
        """The output directory; without links, once it was used."""
        return self.files.path

    async def save(self, principal: str, kind: str, data: bytes, traits: Traits) -> Artifact:
        """Keep bytes that are in memory. Once begun it ends, even if the caller is dropped: they were paid for.

        Args:
            principal: whose they are.
            kind: lower-case words with hyphens; the program's, never a model's.
            data: the bytes.
            traits: what they are.

        Raises:
            LocalError: the directory cannot be written, the disk is full or the quota used up (nothing half-written is
                left), or the file is saved but the ledger cannot be written.
        """
        check_name(kind, traits.extension)
        with anyio.CancelScope(shield=True):
            artifact = await _in_thread(self._write, kind, data, traits)
            try:
                await self._store.run(lambda ledger: register(ledger, principal, artifact))
            except LocalError as error:
                raise LocalError(
                    f"{artifact.name} was saved in the output directory, but has no handle: {error.what}",
                    error.remedy,
                    code=error.code,
                ) from None
            return artifact
        raise AssertionError  # for the type checkers: this scope swallows nothing

    async def finish(
        self, identifier: str, kind: str, created: datetime, traits: Traits, *, size: int, sha256: str
    ) -> Artifact:
        """Bring a part that is whole under its final name. It has no handle until it is registered.

        Repeating it does no harm, at whatever point the process died before.

        Args:
            identifier: the handle that it will have, from `new_id`.
            kind: lower-case words with hyphens; the program's, never a model's.
            created: when its job was begun; a part of the name.
            traits: what the bytes are.
            size: how many they are.
            sha256: what they sum up to, in hex.

        Raises:
            LocalError: the directory cannot be written, or the part is gone (code `part_gone`: fetch it again).
        """
        check_name(kind, traits.extension)
        with anyio.CancelScope(shield=True):
            return await _in_thread(finishing.finish, self.files, identifier, kind, created, traits, size, sha256)
        raise AssertionError  # for the type checkers: this scope swallows nothing

    async def finish_bytes(
        self, identifier: str, kind: str, created: datetime, data: bytes, traits: Traits
    ) -> Artifact:
        """As `finish`, with bytes that are in memory.

        Raises:
            LocalError: the directory cannot be written, the disk is full, or the quota is used up.
        """
        check_name(kind, traits.extension)

        with anyio.CancelScope(shield=True):
            return await _in_thread(finishing.finish_bytes, self.files, identifier, kind, created, data, traits)
        raise AssertionError  # for the type checkers: this scope swallows nothing

    async def finished(self, identifier: str, kind: str, created: datetime) -> Artifact | None:
        """The artifact that `finish` made, whether or not it was registered; None when it has to be made (again).

        A process that takes a job over asks this first: what another one paid for and saved is not lost with it.
        """
        return await _in_thread(finishing.finished, self.files, identifier, kind, created)

    async def forget(self, identifier: str, kind: str, created: datetime) -> None:
        """Remove what only mattered until the artifact was registered, or until its job had failed. Never fails."""

        def work() -> None:
            try:
                parts.remove(self.files, part_name(kind, created, identifier))
            except (ToolserverError, OSError) as error:
                _log.info("a part is left to the next clearing up: %s", error)

        await _in_thread(work)

    async def write_sidecar(self, artifact: Artifact, about: Mapping[str, Any]) -> str:
        """Write beside an artifact what it is: `<name>.json`. Never fails.

        Args:
            artifact: the file.
            about: `model`, `prompt`, `cost_usd`, `job` …; what is None is left out. What is known of the file is added.

        Returns:
            What went wrong, fit for the warnings of a result; empty when nothing did.
        """
        return await _in_thread(sidecar.write, self.files, artifact, about) if self._sidecars else ""

    async def get(self, principal: str, identifier: str) -> Artifact:
        """An artifact by its handle.

        Raises:
            NotFound: there is none, it is another principal's, or it was not sent yet to the link that it is known by.
        """

        def work(ledger: Ledger) -> tuple[Any, ...] | None:
            found: tuple[Any, ...] | None = ledger.execute(
                f"SELECT {COLUMNS} FROM artifacts WHERE id = ? AND principal = ?",  # noqa: S608  our own column names
                (identifier, principal),
            ).fetchone()
            if found is None:
                check_awaited(ledger, principal, identifier)
            return found

        row = await self._store.run(work, write=False) if identifier.isascii() else None
        if row is None:
            raise not_found(identifier)
        return of_row(row)

    async def find(self, identifier: str) -> Artifact:
        """An artifact by its handle, whosever it is: for who has shown in another way that he may have it.

        Raises:
            NotFound: there is none.
        """

        def work(ledger: Ledger) -> tuple[Any, ...] | None:
            found: tuple[Any, ...] | None = ledger.execute(
                f"SELECT {COLUMNS} FROM artifacts WHERE id = ?",  # noqa: S608  our own column names
                (identifier,),
            ).fetchone()
            return found

        row = await self._store.run(work, write=False) if identifier.isascii() else None
        if row is None:
            raise not_found(identifier)
        return of_row(row)

    async def recent(self, principal: str, *, limit: int) -> list[Artifact]:
        """A principal's artifacts, the newest first."""

        def work(ledger: Ledger) -> list[tuple[Any, ...]]:
            return ledger.execute(
                f"SELECT {COLUMNS} FROM artifacts WHERE principal = ? "  # noqa: S608  our own column names
                "ORDER BY created DESC, rowid DESC LIMIT ?",
                (principal, limit),
            ).fetchall()

        return [of_row(row) for row in await self._store.run(work, write=False)]

    async def read(self, artifact: Artifact, *, limit: int) -> bytes:
        """The bytes of an artifact.

        Raises:
            NotFound: the file was removed or replaced.
            LocalError: it is larger than `limit`.
        """
        return await _in_thread(self._read, artifact, limit)

    async def open(self, artifact: Artifact, *, limit: int) -> int:
        """A descriptor from which the bytes of an artifact can be read; the caller closes it.

        Raises:
            NotFound: the file was removed or replaced.
            LocalError: it is larger than `limit`.
        """
        return await _in_thread(self._open, artifact, limit)

    async def open_file(self, artifact: Artifact) -> int:
        """As `open`, of any size, without reading all bytes first: a file in its place is known by its length alone.

        Raises:
            NotFound: the file was removed, or is of another length.
            LocalError: the directory cannot be read.
        """
        return await _in_thread(self._open_file, artifact)

    async def check_room(self, size: int) -> None:
        """See whether so many bytes fit, before they are fetched.

        Raises:
            LocalError: they do not, or the directory cannot be made.
        """
        await _in_thread(self.files.check_room, size)

    async def look(self) -> Room:
        """Look at the output directory without making it."""
        return await _in_thread(self.files.look)

    def path(self, artifact: Artifact) -> Path:
        """Where an artifact lies."""
        return self.directory / artifact.name

    def _write(self, kind: str, data: bytes, traits: Traits) -> Artifact:
        digest = hashlib.sha256(data).hexdigest()
        for _ in range(_TRIES):
            identifier = new_id()
            now = datetime.now(UTC)
            name = stem(kind, now, identifier) + traits.extension
            try:
                self.files.write(name, data)
            except FileExistsError:
                continue
            return made(identifier, kind, name, now, traits, len(data), digest)
        raise LocalError(f"Every name that was tried in {self.directory} is taken.", "Choose another --output-dir.")

    def _open(self, artifact: Artifact, limit: int) -> int:
        if artifact.bytes > limit:
            raise LocalError(
                f"The artifact has {mib(artifact.bytes)}, more than the {mib(limit)} that are taken here.",
                f"Use the file itself: {artifact.name} in the output directory of this server.",
            )
        number = self._open_file(artifact)
        try:
            self._check(number, artifact)
        except BaseException:
            os.close(number)
            raise
        return number

    def _open_file(self, artifact: Artifact) -> int:
        try:
            number = self.files.open(artifact.name)
        except FileNotFoundError:
            raise NotFound(
                f"The file of artifact {artifact.id} is gone.", "It was removed or renamed; make it again."
            ) from None
        if os.fstat(number).st_size != artifact.bytes:
            os.close(number)
            raise _changed(artifact)
        return number

    def _check(self, number: int, artifact: Artifact) -> None:
        # Whoever replaced or changed it: the handle stands for the bytes that were produced.
        digest, size = hashlib.sha256(), 0
        while size <= artifact.bytes and (piece := os.read(number, _PIECE)):
            digest.update(piece)
            size += len(piece)
        if size != artifact.bytes or digest.hexdigest() != artifact.sha256:
            raise _changed(artifact)
        os.lseek(number, 0, os.SEEK_SET)

    def _read(self, artifact: Artifact, limit: int) -> bytes:
        with os.fdopen(self._open(artifact, limit), "rb") as file:
            data = file.read(artifact.bytes)
        if hashlib.sha256(data).hexdigest() != artifact.sha256:
            raise NotFound(f"The file of artifact {artifact.id} was changed while it was read.", "Call again.")
        return data


def _changed(artifact: Artifact) -> NotFound:
    return NotFound(
        f"The file of artifact {artifact.id} was changed since it was produced; it is not read.",
        "If the change is wanted, use the file by its path.",
    )
