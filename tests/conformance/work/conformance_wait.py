"""Work that takes the seconds that were wished for."""

from __future__ import annotations

import anyio

from gemini_server.errors import ToolserverError
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.toolkit.runtime import Runtime


class Wait:
    """Says what it was told to say, or fails, after a while."""

    background = False

    def __init__(self, runtime: Runtime) -> None:
        """Nothing of the runtime is needed."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Take the time."""
        tell("computing")
        await anyio.sleep(job.wish["seconds"])
        if "error" in job.wish:
            return Step(state="failed", error=ToolserverError(job.wish["error"]))
        return Step(state="finished", result={"text": job.wish["text"]})

    async def poll(self, job: Job, tell: Tell) -> Step:
        """It is over when it was submitted."""
        raise AssertionError

    async def cancel(self, job: Job) -> Step | None:
        """Submitting it is interrupted."""
        return Step(state="cancelled")


WORK = Wait
