"""Work that the process which began it does itself, such as many requests whose answers make one result."""

from __future__ import annotations

from gemini_server.errors import ToolserverError
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.toolkit.work.foreground import Foreground


class Perform(Foreground):
    """Runs what the tool gave along."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Do it."""
        if request.perform is None:
            raise ToolserverError(
                "The process that was to do this ended before it began. Nothing was sent or billed.",
                "Call the tool again.",
                code="never_sent",
            )
        return await request.perform(tell)


WORK = Perform
