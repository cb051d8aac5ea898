"""What all work has in common that is done when its request is answered."""

from __future__ import annotations

from gemini_server.errors import ToolserverError
from gemini_server.jobs.job import Job, Step, Tell
from gemini_server.rest.attempts import OnRetry
from gemini_server.rest.retry import RetryNote
from gemini_server.toolkit.runtime import Runtime


class Foreground:
    """Work that does not go on at Google: there is nothing to ask for, and nothing to stop.

    Args:
        runtime: what all calls of this process share.
    """

    background = False

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def poll(self, job: Job, tell: Tell) -> Step:
        """What was not finished when its process ended is lost."""
        return Step(state="unknown", error=ToolserverError("The process that did this has ended.", code="unknown"))

    async def cancel(self, job: Job) -> Step | None:
        """Nothing goes on elsewhere."""
        return Step(state="cancelled")


def retrying(tell: Tell) -> OnRetry:
    """Says that a request is sent again."""

    async def on_retry(note: RetryNote) -> None:
        tell(f"waiting {note.delay:.1f} s, then trying again: {note.reason}")

    return on_retry
