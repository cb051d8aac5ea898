"""The files of a job that is finished, brought to the shelf one after the other."""

from __future__ import annotations

from collections.abc import Callable

from gemini_server.errors import NotFound
from gemini_server.jobs.artifact import Artifact
from gemini_server.jobs.job import Job, Stored
from gemini_server.jobs.shelf import Shelf

_MIB = 2**20


async def fetch_files(
    job: Job, shelf: Shelf, memory: dict[str, bytes], tell: Callable[[str, float], None]
) -> tuple[list[Artifact], list[str]]:
    """The files that were saved, and a warning for each that is gone without being what the job is for.

    Args:
        job: whose they are.
        shelf: saves them.
        memory: the bytes that the disk did not take, by the id of the artifact.
        tell: hears how far it is.

    Raises:
        NotFound: one is gone for good, in words that tell what that means for the job.
        ToolserverError: not now; it may be tried again.
    """
    found: list[Artifact] = []
    lost: list[str] = []
    total = len(job.media)
    for number, stored in enumerate(job.media, start=1):

        def on_bytes(have: int, size: int | None, number: int = number) -> None:
            of = f" of {size / _MIB:.1f}" if size else ""
            share = (number - 1 + (have / size if size else 0.0)) / total
            tell(f"downloading file {number} of {total}: {have / _MIB:.1f}{of} MiB", share)

        try:
            found.append(await shelf.save(job, stored, memory, on_bytes))
        except NotFound as gone:
            if not _is_beside(job, stored):
                raise _gone(gone) from None
            lost.append(f"A file ({stored.kind}) is gone, and left out: {gone.what}")
    return found, lost


def _gone(error: NotFound) -> NotFound:
    if error.code == "no_object":  # it may well be there, for others: making it anew would be billed anew
        what = f"It is finished and paid for, but its files cannot be had: {error.what}"
        return NotFound(what, error.remedy, code=error.code)
    return NotFound(f"Its files are gone: {error.what}", "Begin it again.", code=error.code)


def _is_beside(job: Job, stored: Stored) -> bool:
    """Whether a file is only beside what a job is for, such as a chart of a report."""
    return bool(job.result.get("text")) and stored.kind != job.kind
