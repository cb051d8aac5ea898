"""Files that Gemini generated, brought here: there is nothing to begin, only bytes to fetch, which the runner does."""

from __future__ import annotations

from gemini_server.jobs.job import Job, Media, Request, Step, Tell
from gemini_server.toolkit.runtime import Runtime


class Download:
    """Names the file that is wanted."""

    background = False
    resumes = True

    def __init__(self, runtime: Runtime) -> None:
        """Nothing of the runtime is needed: the job's wish says all."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Name it."""
        return await self.poll(job, tell)

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Name it."""
        wish = job.wish
        file = Media(job.kind, wish["mime_type"], uri=wish["uri"], bytes=wish["bytes"], sha256=wish["sha256"])
        return Step("finished", media=[file])

    async def cancel(self, job: Job) -> Step | None:
        """Nothing goes on elsewhere."""
        return Step("cancelled")


WORK = Download
