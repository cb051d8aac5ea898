"""Uploads: a file brought to Google chunk by chunk, over cuts and crashes, and waited for until it can be used.

Nothing here is billed, and nothing exists at Google until the last byte is there: submitting is nothing, and `poll`
does one step at a time. Where the bytes go is in the ledger (`jobs.uploads`); how many have arrived, Google knows best.
"""

from __future__ import annotations

import secrets
import string
from contextlib import suppress
from dataclasses import dataclass, field, replace

import anyio

from gemini_server.api import files as api
from gemini_server.api.files import CreateFileRequest, CreateFileResponse, File, NewFile
from gemini_server.errors import (
    BadAnswer,
    GeminiError,
    LocalError,
    NotFound,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    ToolserverError,
)
from gemini_server.jobs.job import Job, Request, Step, Tell
from gemini_server.jobs.uploads import Upload, Uploads
from gemini_server.rest.upload import Received, Session
from gemini_server.rest.upload_session import Sending
from gemini_server.toolkit import files, upload_end, uploads
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.upload_source import Digest, Hashed, Readable, opened_again
from gemini_server.toolkit.work.foreground import retrying

AT_ONCE = 4
"""Chunks that one process sends at a time."""
STARTS = 3
"""Sessions that are tried for one file: Google forgets one now and then."""
EVERY = 0.5
"""Seconds between two words about a chunk."""
LOOK = 2.0
"""Seconds between two looks whether somebody wants a chunk that is being sent cancelled."""

_MAKE_ROOM = (
    "Google keeps 20 GB of files for a project: list_files and delete_file make room, or wait for their expiry."
)

_ID = string.ascii_lowercase + string.digits
_MIB = 2**20


@dataclass
class _Flight:
    """What this process knows of an upload that it moves on.

    Attributes:
        digest: of what it has read.
        memory: the bytes, where nobody else has them.
        sending: the session; None until there is one.
        failures: tries in a row that brought nothing.
    """

    digest: Digest = field(default_factory=Digest)
    memory: Readable | None = None
    sending: Sending | None = None
    failures: int = 0


class UploadWork:
    """Uploads files.

    Args:
        runtime: what all calls of this process share.
        chunk: bytes of one request; None for as many as the line makes good.
    """

    background = True
    resumes = True

    def __init__(self, runtime: Runtime, chunk: int | None = None) -> None:
        self._runtime = runtime
        self._table = Uploads(runtime.store)
        self._chunk = chunk
        self._flights: dict[str, _Flight] = {}
        self._turns = anyio.Semaphore(AT_ONCE)

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Take over the bytes that only this process has; everything else is done by `poll`."""
        if (memory := uploads.carried(job, request)) is not None:
            self._flight(job).memory = memory
        return Step("running", pause=0.0, message="about to be uploaded")

    async def poll(self, job: Job, tell: Tell) -> Step:
        """Do the next step."""
        try:
            step = await self._next(job, tell)
        except LocalError:
            raise  # the ledger: the runner says so, and tries again
        except ToolserverError as error:
            step = await self._troubled(job, error)
        if step.state != "running":
            self._flights.pop(job.id, None)
        return step

    async def cancel(self, job: Job) -> Step | None:
        """Give the upload up; what has arrived as a whole is deleted."""
        row = await self._row(job)
        await upload_end.drop(self._runtime, row)
        self._flights.pop(job.id, None)
        return Step("cancelled", message="Nothing of it is left at Google.")

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def _next(self, job: Job, tell: Tell) -> Step:
        row = await self._row(job)
        uploads.check_place(self._runtime, row.place, "Upload the file again.")
        if row.starts and row.session is None:
            found = await files.look(self._runtime, row.name)
            if found is None:
                raise NotFound(f"Google had all bytes, but has no file {row.name} any more.", "Upload it again.")
            return await upload_end.settled(self._runtime, row, found)
        source = self._flight(job).memory or await opened_again(self._runtime, job.principal, job.wish["again"])
        try:
            return await self._sent(job, row, source, tell)
        finally:
            if source is not self._flight(job).memory:
                source.close()

    async def _sent(self, job: Job, row: Upload, source: Readable, tell: Tell) -> Step:
        """Send a chunk; with the last one there is a file."""
        flight = self._flight(job)
        if flight.sending is None:
            flight.sending = await self._session(job, row, tell)
            row = await self._row(job)
        sending = flight.sending
        try:
            received = await self._step(job, sending, Hashed(source, flight.digest), tell)
        except NotFound as gone:
            return await self._lost(job, row, source, gone, tell)
        flight.failures = 0
        if received is None and sending.offset is None:
            return Step("running", pause=0.0, progress=job.progress, message=job.message)
        if received is None:
            have = sending.offset or 0
            # After a crash, what an earlier process has sent is read for the digest alone.
            await flight.digest.catch_up(source, have, lambda at: tell(f"reading what was sent: {_of(at, have)}"))
            share = round(have / row.bytes, 4)
            return Step("running", pause=0.0, progress=share, message=_sent(have, row.bytes))
        try:
            made = await self._runtime.client.uploads.parsed(CreateFileResponse, received)
        except Overloaded as failed:
            return await self._begin_again(job, row, failed, tell)
        except RateLimited as full:
            raise QuotaExhausted(full.what, _MAKE_ROOM, code=full.code, status=full.status) from None
        found = made.file if made and made.file and made.file.name else await files.look(self._runtime, row.name)
        if found is None:
            raise BadAnswer("Google says that it has all bytes, but not which file they are.", "Upload it again.")
        return await self._arrived(row, found, source, flight, tell)

    async def _session(self, job: Job, row: Upload, tell: Tell) -> Sending:
        """The session that the bytes go to: the one in the ledger, or a new one."""
        client = self._runtime.client
        if row.session is not None:
            client.uploads.remember(row.session)
            return Sending(client.uploads, Session(row.session, row.granularity), row.bytes, chunk=self._chunk)
        name = _new_name()
        wish = job.wish
        described = NewFile(
            name=name, display_name=wish["display_name"] or None, mime_type=row.mime_type, size_bytes=str(row.bytes)
        )
        session = await client.uploads.start(
            api.UPLOAD,
            body=CreateFileRequest(file=described),
            size=row.bytes,
            mime_type=row.mime_type,
            on_retry=retrying(tell),
        )
        with anyio.CancelScope(shield=True):
            await self._table.began(row, session.url, session.granularity, name)
        return Sending(client.uploads, session, row.bytes, offset=0, chunk=self._chunk)

    async def _step(self, job: Job, sending: Sending, source: Hashed, tell: Tell) -> Received | None:
        """One step of sending, given up when somebody wants the job cancelled meanwhile.

        Raises:
            ToolserverError: as `Sending.step`.
        """
        size = source.size
        received: Received | None = None
        error: ToolserverError | None = None

        said = anyio.current_time()

        def on_bytes(position: int) -> None:
            nonlocal said
            if anyio.current_time() - said >= EVERY:
                said = anyio.current_time()
                tell(_sent(position, size), position / size)

        if self._turns.statistics().tasks_waiting or not self._turns.value:
            tell("waiting for other uploads")
        async with self._turns, anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, job, tasks.cancel_scope)
            try:
                received = await sending.step(source, on_bytes)
            except ToolserverError as failed:
                error = failed
            tasks.cancel_scope.cancel()
        if error is not None:
            raise error
        return received

    async def _watch(self, job: Job, scope: anyio.CancelScope) -> None:
        while True:
            await anyio.sleep(LOOK)
            with suppress(ToolserverError):
                if (await self._runtime.jobs.held(job.id)).cancelling:
                    scope.cancel()

    async def _lost(self, job: Job, row: Upload, source: Readable, gone: NotFound, tell: Tell) -> Step:
        """The session is over: the file may be there, because its last answer was lost; otherwise begin again."""
        found = await files.look(self._runtime, row.name)
        if found is not None:
            return await self._arrived(row, found, source, self._flight(job), tell)
        return await self._begin_again(job, row, gone, tell)

    async def _begin_again(self, job: Job, row: Upload, error: ToolserverError, tell: Tell) -> Step:
        """What had arrived is lost: send all of it to another session.

        Raises:
            ToolserverError: that was done often enough.
        """
        if row.session is not None:
            self._runtime.client.uploads.forget(row.session)
        if row.starts >= STARTS:
            raise GeminiError(error.what, error.remedy, code=error.code, status=error.status)
        flight = self._flight(job)
        flight.sending = None
        flight.sending = await self._session(job, replace(row, session=None), tell)
        return Step("running", pause=0.0, message="Google has lost what had arrived: all of it is sent again")

    # -- what came -----------------------------------------------------------------------------------------------------

    async def _arrived(self, row: Upload, file: File, source: Readable, flight: _Flight, tell: Tell) -> Step:
        """All bytes are at Google: see that they are the right ones."""
        await flight.digest.catch_up(source, row.bytes, lambda at: tell(f"reading what was sent: {_of(at, row.bytes)}"))
        sha256 = flight.digest.hexdigest()
        name = file.name or row.name
        try:
            upload_end.compare(row, file, sha256)
        except BadAnswer:
            await upload_end.delete(self._runtime, name)
            raise
        if row.session is not None:
            self._runtime.client.uploads.forget(row.session)
        await self._table.arrived(row.job, name, sha256)
        return await upload_end.settled(self._runtime, row, file, compared=file.sha256 is not None)

    async def _troubled(self, job: Job, error: ToolserverError) -> Step:
        """Go on after a while, or give it up."""
        flight = self._flight(job)
        flight.failures += 1
        if step := upload_end.again(job, error, flight.failures):
            return step
        with anyio.CancelScope(shield=True):
            with suppress(ToolserverError):
                await upload_end.drop(self._runtime, await self._row(job))
        return Step("failed", error=error)

    # -- small ---------------------------------------------------------------------------------------------------------

    def _flight(self, job: Job) -> _Flight:
        return self._flights.setdefault(job.id, _Flight())

    async def _row(self, job: Job) -> Upload:
        wish = job.wish
        new = Upload(
            job=job.id, principal=job.principal, place=wish["place"], origin=wish["origin"], sha256=wish["sha256"],
            bytes=wish["bytes"], mime_type=wish["mime_type"], name="", display_name=wish["display_name"],
        )  # fmt: skip
        return await self._table.of(new)


def _new_name() -> str:
    """A name that nobody has; Google takes up to 40 lower-case letters, digits and dashes."""
    return f"files/{''.join(secrets.choice(_ID) for _ in range(25))}"


def _sent(position: int, size: int) -> str:
    return f"{_of(position, size)} sent"


def _of(position: int, size: int) -> str:
    return f"{position / _MIB:.1f} of {size / _MIB:.1f} MiB"


WORK = UploadWork
