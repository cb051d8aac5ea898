"""Where the files of jobs go: what the runner wants of it. `toolkit.shelf` is one, which knows types and previews."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gemini_server.jobs.artifacts import Artifact
from gemini_server.jobs.job import Job, Media, Stored

OnBytes = Callable[[int, int | None], None]
"""Hears how many bytes there are, and how many there will be, where that is known."""


class Shelf(Protocol):
    """Saves the files of jobs: each exactly once, however often it is tried and whoever tries it."""

    async def put_down(self, job: Job, media: Media, memory: dict[str, bytes]) -> Stored:
        """Make sure of what an answer brought, before the ledger says that it came.

        Args:
            job: whose it is.
            media: bytes, or where to fetch them.
            memory: gets the bytes that the disk does not take, by the id of the artifact.
        """
        ...

    async def save(self, job: Job, stored: Stored, memory: dict[str, bytes], on_bytes: OnBytes) -> Artifact:
        """Bring a file under its final name: fetched if need be, whole, and of the right digest.

        Raises:
            NotFound: it is gone for good.
            ToolserverError: not now; it may be tried again, and goes on where it was.
        """
        ...

    async def clear(self, job: Job) -> None:
        """Remove what only mattered while the files of a job were on their way; never fails."""
        ...

    async def describe(self, job: Job, artifacts: Sequence[Artifact]) -> None:
        """Write beside the files what they are; never fails."""
        ...
