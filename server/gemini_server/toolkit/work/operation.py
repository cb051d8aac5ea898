"""What works have in common whose progress is an operation: any name `…/operations/…` is asked for in one way.

A work of this kind says how it is begun (`submit`) and what the answer of its operation means (`finished`).
"""

from __future__ import annotations

from gemini_server.api import operations
from gemini_server.api.operations import Operation
from gemini_server.errors import BadAnswer, RequestRefused
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.trouble import trouble

_PERCENT = ("completedPercent", "progressPercent", "progressPercentage")
"""How the metadata of some operations say how far they are."""
_CANCELLED = 1


class OperationWork:
    """Asks how an operation stands, and stops it where the API can."""

    background = True

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it; each work its own way."""
        raise NotImplementedError

    async def finished(self, job: Job, response: JsonObject) -> Step:
        """What the answer of a successful operation means; each work its own way."""
        raise NotImplementedError

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Ask how it stands."""
        reply = await self._runtime.client.call(operations.GET, name=job.operation or "")
        return await self.step(job, reply.value)

    async def step(self, job: Job, operation: Operation) -> Step:
        """The step of a job that an operation's state is.

        Raises:
            BadAnswer: it has begun, but has no name.
        """
        name = operation.name or job.operation
        if not operation.done:
            if not name:
                raise BadAnswer(
                    "Gemini has begun the work, but gave it no name by which to ask for it.",
                    "It may have been billed.",
                    code="nameless",
                )
            message = "Gemini is at work"
            if job.cancelling and not self._cancellable(name):
                message += "; Google cannot stop this sort of work: it goes on, and is billed"
            return Step("running", operation=name, progress=_progress(operation.metadata), message=message)
        if operation.error is not None:
            if operation.error.code == _CANCELLED:
                return Step("cancelled", operation=name)
            return Step("failed", operation=name, error=trouble(operation.error.code, operation.error.message))
        step = await self.finished(job, operation.response or {})
        step.operation = name
        return step

    async def cancel(self, job: Job) -> Step | None:
        """Ask Google to stop it, where the backend can."""
        if not self._cancellable(job.operation or ""):
            return None
        try:
            await self._runtime.client.call(operations.CANCEL, name=job.operation or "")
        except RequestRefused:
            return None  # it has ended meanwhile: asking for it says how
        return None  # Google stops it when it gets to it: asking for it says when

    def _cancellable(self, name: str) -> bool:
        return name.startswith(self._runtime.backend.stops)


def _progress(metadata: JsonObject | None) -> float | None:
    for name in _PERCENT:
        value = (metadata or {}).get(name)
        if isinstance(value, int | float) and 0 <= value <= 100:
            return value / 100
    return None
