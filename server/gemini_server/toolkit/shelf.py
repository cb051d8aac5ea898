"""Where the files of jobs go: the output directory, by their bytes' own type."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import anyio.to_thread

from gemini_server.errors import LocalError, NotFound
from gemini_server.jobs.artifact import Artifact, new_id
from gemini_server.jobs.download import fetch
from gemini_server.jobs.job import Job, Media, Stored
from gemini_server.jobs.part import part_name
from gemini_server.jobs.shelf import OnBytes
from gemini_server.toolkit import owners
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.sniff import extension_for
from gemini_server.toolkit.traits import traits_of, traits_of_part

_log = logging.getLogger(__name__)


class Shelf:
    """Saves the files of jobs in the output directory."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def put_down(self, job: Job, media: Media, memory: dict[str, bytes]) -> Stored:
        """Give a file its handle, and bring bytes that came with an answer to the disk."""
        if media.artifact is not None:
            return Stored(media.artifact, media.kind, media.mime_type, None, media.bytes, media.sha256, saved=True)
        if media.uri is not None and job.work != "download":
            # All callers of the key could list it, and fetch it, for as long as Google keeps it.
            await owners.claim_for(self._runtime, job.principal, *owners.names_in(media.uri))
        stored = Stored(new_id(), media.kind, media.mime_type, media.uri, media.bytes, media.sha256, saved=False)
        if media.data is not None:
            try:
                await self._finish_bytes(job, stored, media.data)
            except LocalError as error:
                _log.warning("job %s: its file is held in memory: %s", job.id, error.what)
                memory[stored.artifact] = media.data
        return stored

    async def save(self, job: Job, stored: Stored, memory: dict[str, bytes], on_bytes: OnBytes) -> Artifact:
        """Bring a file under its final name; a process that died may have done it."""
        artifacts = self._runtime.artifacts
        if stored.saved:
            return await artifacts.get(job.principal, stored.artifact)
        found = await artifacts.finished(stored.artifact, stored.kind, job.created)
        if found is None:
            found = await self._bring(job, stored, memory, on_bytes)
        return found

    async def _bring(self, job: Job, stored: Stored, memory: dict[str, bytes], on_bytes: OnBytes) -> Artifact:
        if stored.uri is None:
            data = memory.get(stored.artifact)
            if data is None:
                raise NotFound(
                    "The bytes came with the answer, the disk did not take them, and the process that held them ended."
                )
            return await self._finish_bytes(job, stored, data)
        artifacts = self._runtime.artifacts
        part = part_name(stored.kind, job.created, stored.artifact)
        fetched = await fetch(
            self._runtime.client, artifacts.files, part, stored.uri,
            expected_bytes=stored.bytes, sha256=stored.sha256, on_bytes=on_bytes,
        )  # fmt: skip
        traits = await traits_of_part(artifacts.files, part, fetched, stored.mime_type)
        return await artifacts.finish(
            stored.artifact, stored.kind, job.created, traits, size=fetched.bytes, sha256=fetched.sha256
        )

    async def _finish_bytes(self, job: Job, stored: Stored, data: bytes) -> Artifact:
        # Of a text only who wrote it knows that it is Markdown.
        hint = f"x{extension_for(stored.mime_type)}" if stored.mime_type.startswith("text/") else ""
        traits = await anyio.to_thread.run_sync(traits_of, data, hint, stored.mime_type)
        return await self._runtime.artifacts.finish_bytes(stored.artifact, stored.kind, job.created, data, traits)

    async def clear(self, job: Job) -> None:
        """Remove what only mattered while the files were on their way; never fails."""
        for stored in job.media:
            await self._runtime.artifacts.forget(stored.artifact, stored.kind, job.created)

    async def describe(self, job: Job, artifacts: Sequence[Artifact]) -> None:
        """Write beside the files what they are, and clear up; never fails."""
        about = {"model": job.model or None, "prompt": job.wish.get("prompt"), "cost_usd": job.cost_usd, "job": job.id}
        for artifact in artifacts:
            await self._runtime.artifacts.write_sidecar(artifact, about)
        await self.clear(job)
