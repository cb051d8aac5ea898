"""Batches that begin later than their jobs: when their file is at Google; or long ago, elsewhere.

    uploading ──> send files/ID ──> batches/ID

Each step is written down before the next one is done. A process that finds `send` does not know whether the request
left: it looks for the batch, and begins it no second time.
"""

from __future__ import annotations

from typing import cast

from gemini_server.api.batches import InputConfig
from gemini_server.errors import BadAnswer, MayHaveBeenBilled, Overloaded, ToolserverError
from gemini_server.jobs.job import Job, Json, Request, Step, Tell
from gemini_server.toolkit.batch_plan import create
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.batch import BatchWork

UPLOADING = "uploading"
SEND = "send "

_LOOK = 1.0
"""The longest pause between two looks at an upload, in seconds: it is this server's own."""
_AGAIN = "It is not begun again by itself: list_batches shows whether it exists; reuse=false begins it anew."


class LaterBatch(BatchWork):
    """Follows a batch that is there already, or waits for its file and then begins it."""

    resumes = True

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._sending: set[str] = set()

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """There is nothing to send yet."""
        return Step("running", operation=_operation(job), pause=0.0)

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Ask how it stands, or go on to begin it."""
        operation = _operation(job)
        if operation == UPLOADING:
            return await self._uploaded(job)
        if operation.startswith(SEND):
            return await self._send(job, operation.removeprefix(SEND), tell)
        return await super().poll(job, tell)

    async def cancel(self, job: Job) -> Step | None:
        """Stop it; before it has begun there is nothing to ask Google for."""
        operation = _operation(job)
        if operation == UPLOADING:
            return Step("cancelled", message="The batch had not begun yet; nothing is billed.")
        return None if operation.startswith(SEND) else await super().cancel(job)

    async def _uploaded(self, job: Job) -> Step:
        if job.wish.get("file"):
            return self._ready(job, str(job.wish["file"]))
        upload = await self._runtime.jobs.get(job.principal, str(job.wish["upload"]))
        if not upload.ended:
            note, share = self._runtime.runner.note(upload.id)
            message = f"its requests: {note or upload.message or 'about to be uploaded'}"
            pause = min(_LOOK, self._runtime.settings.poll)
            return Step("running", operation=UPLOADING, message=message, progress=share, pause=pause)
        name = str(cast(Json, upload.result.get("file") or {}).get("name") or "")
        if upload.state != "done" or not name:
            cancelled = ToolserverError("The upload of its requests was cancelled.", "Create it again.")
            return Step("failed", error=upload.failure() or cancelled)
        return self._ready(job, name)

    def _ready(self, job: Job, file: str) -> Step:
        """With the next question the batch begins, once this is written down."""
        self._sending.add(job.id)
        return Step("running", operation=f"{SEND}{file}", message="its requests are uploaded", pause=0.0)

    async def _send(self, job: Job, file: str, tell: Tell) -> Step:
        if job.id not in self._sending:
            found = await self.look(job)
            if found is not None:
                return self.running(job, found)
            what = "The process that was to begin the batch ended; Gemini may have begun it, and may bill it."
            return Step("unknown", error=MayHaveBeenBilled(what, _AGAIN, code="unknown"))
        self._sending.discard(job.id)
        if job.cancelling:
            return Step("cancelled", message="The batch had not begun yet; nothing is billed.")
        try:
            return await self.begin(job, create(job.wish, InputConfig(file_name=file)), tell)
        except (MayHaveBeenBilled, Overloaded, BadAnswer) as error:
            return Step("unknown", error=MayHaveBeenBilled(error.what, _AGAIN, code="unknown", status=error.status))
        except ToolserverError as error:
            return Step("failed", error=error)


def _operation(job: Job) -> str:
    return job.operation or str(job.wish.get("adopt") or UPLOADING)


WORK = LaterBatch
