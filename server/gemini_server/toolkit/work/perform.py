"""Work that the process which began it does itself, such as many requests whose answers make one result."""

from __future__ import annotations

from gemini_server.errors import ToolserverError
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.toolkit.runtime import Runtime


class Perform:
    """Runs what the tool gave along."""

    background = False

    def __init__(self, runtime: Runtime) -> None:
        """Nothing of the runtime is needed: the tool's function has what it uses."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Do it."""
        if request.perform is None:
            raise ToolserverError(
                "The process that was to do this ended before it began. Nothing was sent or billed.",
                "Call the tool again.",
                code="never_sent",
            )
        return await request.perform(tell)

    async def poll(self, job: Job, tell: Tell) -> Step:
        """There is nothing to ask: what is not finished when it was begun is lost."""
        return Step(state="unknown", error=ToolserverError("The process that did this has ended.", code="unknown"))

    async def cancel(self, job: Job) -> Step | None:
        """Nothing goes on elsewhere."""
        return Step(state="cancelled")


WORK = Perform
