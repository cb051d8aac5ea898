"""Batches: begun once, asked for until they end, their answers brought into one file."""

from __future__ import annotations

import logging
import random
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from gemini_server.api import batches
from gemini_server.api.batches import BatchOperation, BatchStats
from gemini_server.api.models import resource_name
from gemini_server.errors import (
    BadAnswer,
    GeminiError,
    MayHaveBeenBilled,
    NotFound,
    Overloaded,
    RequestRefused,
    ToolserverError,
)
from gemini_server.jobs.job import Job, Json, Media, Request, Spent, Step, Tell
from gemini_server.rest.body import RawJson
from gemini_server.toolkit.artifacts import URI
from gemini_server.toolkit.batch_results import KIND, Kept, kept
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.trouble import trouble
from gemini_server.toolkit.untrusted import label
from gemini_server.toolkit.work.foreground import retrying

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")

_PATIENCE = 10
"""The longest pause between two questions, in pauses at the beginning: with those of 3 s, 30 s."""

_LONGEST_LINK = 1300
"""Characters of the address of the answers."""
_log = logging.getLogger(__name__)


class BatchWork:
    """Begins a batch, asks how it stands, and takes its answers."""

    background = True

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Begin it."""
        return await self.begin(job, request.body, tell)

    async def begin(self, job: Job, body: BaseModel | RawJson | None, tell: Tell) -> Step:
        """Send the request that begins it, once.

        Raises:
            ToolserverError: as `Work.submit`.
        """
        endpoint = batches.EMBED if job.wish.get("kind") == "embed" else batches.GENERATE
        try:
            reply = await self._runtime.client.call(
                endpoint, body=body, model=resource_name(job.model), on_retry=retrying(tell)
            )
        except NotFound as error:
            raise with_replacement(self._runtime, job.model, error) from None
        except (MayHaveBeenBilled, Overloaded, BadAnswer):
            found = await self.look(job)
            if found is None:
                raise
            return self.running(job, found)
        if not reply.value.name:
            raise BadAnswer("Gemini has begun the batch, but gave it no name.", "It may be billed.", code="nameless")
        return self.running(job, reply.value)

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Ask how it stands."""
        reply = await self._runtime.client.call(batches.GET, name=job.operation or "")
        if not (reply.value.done or reply.value.state in ENDED):
            return self.running(job, reply.value)
        return await self._ended(job, reply.value, tell)

    async def cancel(self, job: Job) -> Step | None:
        """Ask Google to stop it; what was answered by then is taken."""
        try:
            await self._runtime.client.call(batches.CANCEL, name=job.operation or "")
        except RequestRefused:
            return None  # it has ended meanwhile: asking for it says how
        return None  # Google stops it when it gets to it: asking for it says when

    async def look(self, job: Job) -> BatchOperation | None:
        """The batch of a job whose request has an unknown end, by the name that no other has."""
        if not job.wish.get("unique"):
            return None
        try:
            found, _ = await self._runtime.client.pages(batches.LIST, items="operations", cap=100)
        except ToolserverError as error:
            _log.warning("job %s: its batch could not be looked for: %s", job.id, error.what)
            return None
        named = [one for one in found if one.batch.display_name == job.wish.get("display_name")]
        return named[0] if len(named) == 1 and named[0].name else None

    def running(self, job: Job, operation: BatchOperation) -> Step:
        """The step of a batch that goes on."""
        stats = operation.batch.batch_stats or BatchStats()
        done = stats.successful_request_count + stats.failed_request_count
        message = "it waits for its turn at Google"
        if operation.state != "PENDING":
            message = (
                f"{done} of {stats.request_count} requests are done" if stats.request_count else "Gemini is at work"
            )
        if stats.failed_request_count:
            message += f", {stats.failed_request_count} with an error"
        if job.cancelling:
            message += "; Google was asked to stop it"
        return Step(
            "running",
            operation=operation.name or job.operation,
            progress=done / stats.request_count if stats.request_count else None,
            message=message,
            pause=self._pause(job),
            expires=_expires(operation),
        )

    def _pause(self, job: Job) -> float:
        """A tenth of its age, at most 30 s: what takes hours is not asked for every few seconds."""
        first = self._runtime.settings.poll
        age = (datetime.now(UTC) - job.created).total_seconds()
        # Replicas must not ask in step.
        return random.uniform(0.8, 1.0) * min(max(age / _PATIENCE, first), _PATIENCE * first)

    async def _ended(self, job: Job, operation: BatchOperation, tell: Tell) -> Step:
        output, state = operation.output, operation.state
        came: Kept | None = None
        if output is not None and (output.inline or output.responses_file):
            try:
                came = await kept(self._runtime, job, output, tell)
            except NotFound as error:
                # A batch that was stopped or has failed may name a place where it has written nothing.
                if state == "SUCCEEDED":
                    gone = NotFound(
                        f"The batch is done, but its answers are gone: {error.what}", error.remedy, code=error.code
                    )
                    return Step("failed", error=gone)
            except ToolserverError as error:
                if error.code == "bad_link":
                    where = label(output.link, _LONGEST_LINK)
                    error.what = f"The batch is done; its answers lie at {where}. {error.what}"
                    return Step("failed", error=error)
                message = f"The batch is done; its answers could not be saved yet: {error}"
                return Step("running", operation=operation.name, message=message, pause=self._pause(job))
        result: Json = {"batch": operation.name or job.operation or ""}
        spent: Spent | None = None
        if came is not None:
            tally = came.tally
            spent = Spent(job.model, tally.usage.cost, tally.usage.counts)
            result |= tally.shown()
            if warnings := [*job.wish.get("notes", ()), *tally.warnings()]:
                result["warnings"] = warnings
        if state == "SUCCEEDED" and came is not None:
            file = came.artifact
            media = Media(KIND, file.mime_type, bytes=file.bytes, sha256=file.sha256, artifact=file.id)
            return Step("finished", operation=operation.name, result=result, media=[media], spent=spent)
        words = ""
        if came is not None:
            result["partial_results"] = f"{URI}{came.artifact.id}"
            words = f"{came.tally.succeeded} requests were answered by then: see {result['partial_results']}."
        if state == "CANCELLED":
            return Step("cancelled", result=result, message=words or "No request was answered by then.", spent=spent)
        failed = _error(operation)
        failed.what = f"{failed.what} {words}".strip()
        return Step("failed", result=result, error=failed, spent=spent)


def _error(operation: BatchOperation) -> ToolserverError:
    if operation.state == "EXPIRED":
        return GeminiError(
            f"The batch has expired: Google did not get through it in {batches.KEPT_HOURS} hours.",
            "Create it again, in smaller batches.",
            code="expired",
        )
    if operation.error is not None:
        return trouble(operation.error.code, operation.error.message)
    if operation.state == "FAILED":
        return GeminiError("The batch has failed, and Google gives no reason.", "Create it again later.", code="failed")
    return BadAnswer(
        f"The batch has ended ({operation.state}), but Google names no answers of it.",
        "Look at it with list_batches; create it again if it stays so.",
        code="no_answers",
    )


def _expires(operation: BatchOperation) -> datetime | None:
    try:
        created = datetime.fromisoformat(operation.batch.create_time or "")
    except ValueError:
        return None
    return created.replace(microsecond=0) + timedelta(hours=batches.KEPT_HOURS) if created.tzinfo else None


WORK = BatchWork
