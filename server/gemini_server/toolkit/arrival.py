"""A file on its way into the output directory: nobody sees it under a name before it is whole."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

import anyio
import anyio.to_thread

from gemini_server.errors import LocalError, ToolserverError
from gemini_server.jobs import part as parts
from gemini_server.jobs.artifacts import Artifact, new_id
from gemini_server.jobs.download import Fetched
from gemini_server.jobs.part import Part, part_name
from gemini_server.jobs.upload_links import UploadLink, UploadLinks
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.sniff import extension_for
from gemini_server.toolkit.traits import traits_of_part

KIND = "upload"

_log = logging.getLogger(__name__)


class Arrival:
    """One attempt to send a file. Each has a part of its own, so that two attempts can never be mixed.

    Args:
        runtime: whose output directory is written.
        link: what was announced.

    Attributes:
        kept: whether this is the file that has the handle.
    """

    def __init__(self, runtime: Runtime, link: UploadLink) -> None:
        self.kept = False
        self._runtime = runtime
        self._link = link
        self._files = runtime.artifacts.files
        self._id = new_id()
        self._created = datetime.now(UTC)
        self._part = Part(self._files, part_name(KIND, self._created, self._id))

    async def open(self) -> None:
        """Set room aside for the whole file, and begin.

        Raises:
            LocalError: there is no room (codes `quota` and `disk_full`), or the directory cannot be written.
        """

        def work() -> None:
            self._files.reserve(self._part.name, self._link.bytes, self._link.bytes)
            self._part.open(keep=False)
            self._part.drop_md5()

        await anyio.to_thread.run_sync(work)

    async def write(self, data: bytes | bytearray) -> None:
        """Add bytes.

        Raises:
            LocalError: the disk is full, or the directory cannot be written.
        """
        await anyio.to_thread.run_sync(self._part.write, data)

    async def finish(self) -> Artifact | None:
        """All bytes are there: give the file its name and the handle of its link.

        Returns:
            What has the handle: this file, or one that came by another attempt, which stays. None when the link is
            remembered no more.

        Raises:
            LocalError: the directory or the ledger cannot be written.
        """
        with anyio.CancelScope(shield=True):
            fetched = await anyio.to_thread.run_sync(self._seal)
            link, artifacts = self._link, self._runtime.artifacts
            name = link.name if PurePosixPath(link.name).suffix else f"x{extension_for(link.mime_type)}"
            traits = await traits_of_part(self._files, self._part.name, fetched, link.mime_type, name)
            made = await artifacts.finish(
                self._id, KIND, self._created, traits, size=fetched.bytes, sha256=fetched.sha256
            )
            ours = replace(made, id=link.id)
            try:
                there = await UploadLinks(self._runtime.store).arrive(link, ours)
            except LocalError as error:
                if error.code != "ledger_unsure":  # else it may have been written down, and must be there
                    await self._remove(ours)
                raise
            self.kept = there == ours
            if not self.kept:
                await self._remove(ours)
            elif link.name:
                await artifacts.write_sidecar(ours, {"display_name": link.name})
            return there
        raise AssertionError  # for the type checkers: this scope swallows nothing

    def _seal(self) -> Fetched:
        self._part.sync()
        fetched = Fetched(self._part.size, self._part.sha256, self._link.mime_type, self._part.head())
        self._part.close()  # it is published by another descriptor, which nobody may be writing beside
        return fetched

    async def _remove(self, artifact: Artifact) -> None:
        try:
            await anyio.to_thread.run_sync(self._files.remove_part, artifact.name)
        except (ToolserverError, OSError) as error:
            _log.warning("a file that nobody has a handle of is left: %s", error)

    async def close(self) -> None:
        """Let go of it; what is not whole is removed. Never fails."""

        def work() -> None:
            self._part.close()
            self._files.release(self._part.name)
            try:
                parts.remove(self._files, self._part.name)
            except (ToolserverError, OSError) as error:
                _log.info("a part is left to the next clearing up: %s", error)

        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(work)
