"""Batches that were begun by a method's name: asked for, stopped, taken and paid as all batches are."""

from __future__ import annotations

from gemini_server.api.batches import BatchOperation
from gemini_server.errors import BadAnswer
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.toolkit.work.batch import BatchWork
from gemini_server.toolkit.work.endpoint import begun


class NamedBatch(BatchWork):
    """Begins what the job's wish names."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it."""
        made = await begun(self._runtime, job, request, tell, BatchOperation)
        if not made.name:
            raise BadAnswer("Gemini has begun the batch, but gave it no name.", "It may be billed.", code="nameless")
        return self.running(job, made)

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Ask how it stands; its end names the method too."""
        step = await super().poll(job, tell)
        if step.state != "running":
            step.result = {"endpoint": job.wish["endpoint"], **step.result}
        return step


WORK = NamedBatch
