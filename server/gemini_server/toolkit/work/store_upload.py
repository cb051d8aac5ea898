"""Documents of File Search stores whose bytes are here: brought there chunk by chunk, then indexed by Google.

Nothing exists at Google until the last byte is there. Where the bytes go is a credential and stands in the ledger, as
the job's operation, until Google has given the operation that indexes them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from gemini_server.api import file_search as api
from gemini_server.api.file_search import Document, UploadToFileSearchStoreRequest
from gemini_server.api.operations import Operation
from gemini_server.errors import BadAnswer, LocalError, NotFound, ToolserverError
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.rest.config import MIB
from gemini_server.rest.upload import Session
from gemini_server.rest.upload_session import Sending
from gemini_server.toolkit import upload_end, uploads
from gemini_server.toolkit.file_search_names import explained
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.upload_source import Readable, opened_again
from gemini_server.toolkit.work.foreground import retrying
from gemini_server.toolkit.work.store_import import StoreImport

CHUNK = 8 * MIB
"""Bytes of one request: who wants the job cancelled waits for one of them."""
STARTS = 3
"""Sessions that are tried for one document."""
CLEARING = 2.0
"""Seconds that giving up a session may take; it ends by itself."""

_SESSION = "upload"
_SLACK = timedelta(minutes=2)
"""By how much Google's clock may differ."""


@dataclass
class _Flight:
    """What this process knows of an upload: the bytes where nobody else has them, the session, tries in vain."""

    memory: Readable | None = None
    sending: Sending | None = None
    failures: int = 0


class StoreUpload(StoreImport):
    """Uploads a document into a store.

    Args:
        runtime: what all calls of this process share.
        chunk: bytes of one request.
    """

    resumes = True

    def __init__(self, runtime: Runtime, chunk: int = CHUNK) -> None:
        super().__init__(runtime)
        self._chunk = chunk
        self._flights: dict[str, _Flight] = {}

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Take over the bytes that only this process has; everything else is done by `poll`."""
        if (memory := uploads.carried(job, request)) is not None:
            self._flight(job).memory = memory
        return Step("running", pause=0.0, message="about to be uploaded")

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Send the next chunk, or ask how the indexing stands."""
        if job.operation and not job.operation.startswith(f"{_SESSION} "):
            return await super().poll(job, tell)
        try:
            step = await self._next(job, tell)
        except LocalError:
            raise  # the ledger or the disk: the runner says so, and tries again
        except ToolserverError as error:
            step = await self._troubled(job, error)
        if step.state != "running" or not (step.operation or "").startswith(_SESSION):
            self._flights.pop(job.id, None)
        return step

    async def cancel(self, job: Job) -> Step | None:
        """Give the upload up; what is being indexed cannot be stopped."""
        if job.operation and not job.operation.startswith(f"{_SESSION} "):
            return None
        await self._drop(job)
        return Step("cancelled", message="Nothing of it is in the store, and nothing is billed.")

    async def _next(self, job: Job, tell: Tell) -> Step:
        uploads.check_place(self._runtime, job.wish["place"], "Add it again.")
        if job.operation is None:
            return await self._begin(job, 1, tell)
        flight = self._flight(job)
        source = flight.memory or await opened_again(self._runtime, job.principal, job.wish["again"])
        try:
            return await self._sent(job, flight, source, tell)
        finally:
            if source is not flight.memory:
                source.close()

    async def _begin(self, job: Job, number: int, tell: Tell) -> Step:
        wish = job.wish
        client = self._runtime.client
        try:
            session = await client.uploads.start(
                api.UPLOAD,
                body=UploadToFileSearchStoreRequest.model_validate(wish["request"]),
                size=wish["bytes"],
                mime_type=wish["mime_type"],
                on_retry=retrying(tell),
                store=wish["store"],
            )
        except ToolserverError as error:
            raise explained(error, wish["store"]) from None
        self._flight(job).sending = Sending(client.uploads, session, wish["bytes"], offset=0, chunk=self._chunk)
        kept = f"{_SESSION} {number} {session.granularity} {session.url}"
        return Step("running", operation=kept, pause=0.0, progress=0.0, message="being uploaded")

    async def _sent(self, job: Job, flight: _Flight, source: Readable, tell: Tell) -> Step:
        """Send a chunk; with the last one there is an operation."""
        _, number, granularity, url = (job.operation or "").split(" ", 3)
        client, size = self._runtime.client, job.wish["bytes"]
        if flight.sending is None:
            client.uploads.remember(url)
            flight.sending = Sending(client.uploads, Session(url, int(granularity)), size, chunk=self._chunk)

        def on_bytes(position: int) -> None:
            tell(_of(position, size), position / size)

        try:
            received = await flight.sending.step(source, on_bytes)
        except NotFound:
            found = await self._look(job)
            if found is not None:
                return self._was_there(job, url, found)
            if int(number) >= STARTS:
                raise
            client.uploads.forget(url)
            return await self._begin(job, int(number) + 1, tell)
        flight.failures = 0
        if received is None:
            have = flight.sending.offset
            if have is None:
                return Step("running", operation=job.operation, pause=0.0, progress=job.progress, message=job.message)
            return Step("running", operation=job.operation, pause=0.0, progress=have / size, message=_of(have, size))
        made = await client.uploads.parsed(Operation, received)
        if made is None or not made.name:
            found = await self._look(job)
            if found is None:
                raise BadAnswer(
                    "Google has all bytes, but its answer is lost, and the document is not to be found.",
                    "list_documents shows it if it is there after all; otherwise add it again.",
                )
            return self._was_there(job, url, found)
        client.uploads.forget(url)
        return await self.step(job, made)

    def _was_there(self, job: Job, url: str, found: Document) -> Step:
        self._runtime.client.uploads.forget(url)
        return self.of_document(job, found)

    async def _look(self, job: Job) -> Document | None:
        """The document of an upload whose last answer was lost, if there is one that can be no other."""
        found: list[Document]
        found, _ = await self._runtime.client.pages(
            api.DOCUMENTS, items="documents", query={"pageSize": 20}, store=job.wish["store"]
        )
        wish = job.wish
        same = [
            one
            for one in found
            if (one.display_name, one.size_bytes) == (wish["display_name"], wish["bytes"])
            and _since(one, job.created - _SLACK)
        ]
        return same[0] if len(same) == 1 else None

    async def _troubled(self, job: Job, error: ToolserverError) -> Step:
        """Go on after a while, or give it up."""
        flight = self._flight(job)
        flight.failures += 1
        if step := upload_end.again(job, error, flight.failures):
            return step
        with anyio.CancelScope(shield=True):
            await self._drop(job)
        return Step("failed", error=error)

    async def _drop(self, job: Job) -> None:
        """Give up what there is of an upload, as far as that can be."""
        self._flights.pop(job.id, None)
        if job.operation:
            _, _, granularity, url = job.operation.split(" ", 3)
            with suppress(ToolserverError), anyio.move_on_after(CLEARING):
                await self._runtime.client.uploads.cancel(Session(url, int(granularity)))
            self._runtime.client.uploads.forget(url)

    def _flight(self, job: Job) -> _Flight:
        return self._flights.setdefault(job.id, _Flight())


def _since(document: Document, moment: datetime) -> bool:
    try:
        created = datetime.fromisoformat(document.create_time or "")
    except ValueError:
        return False
    return created.tzinfo is not None and created >= moment


def _of(position: int, size: int) -> str:
    return f"{position / MIB:.1f} of {size / MIB:.1f} MiB sent"


WORK = StoreUpload
