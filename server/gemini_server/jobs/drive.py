"""How one job is moved from each state to the next, by the process that holds it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio

from gemini_server.errors import ConnectionFailed, LocalError, NotFound, ToolserverError
from gemini_server.jobs.fetching import fetch_files
from gemini_server.jobs.job import Job, Request, Spent, State, Step, Stored, Work
from gemini_server.jobs.job_changes import LeaseLost
from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.pace import Pace
from gemini_server.jobs.shelf import Shelf
from gemini_server.jobs.unsent import NEVER_SENT, lost, refused
from gemini_server.rest.body import RawJson

LATE = 600.0
"""Seconds after which a request that was written down but never sent is not sent any more."""
PATIENCE = 1.5
"""Seconds that a request which is being sent gets when the process ends."""
LOOKS = 3
"""How often Google may say that it does not know a job before that is believed."""
GIVEN_UP = 3 * 86_400.0
"""Seconds after which a job is given up of which Google says nothing that can be used; its files die after two days."""

_log = logging.getLogger(__name__)


class Driver:
    """Drives one job to its end.

    Args:
        job: as it was begun or found.
        request: what it sends; None for a job that was found.
        jobs: the ledger.
        owner: this process.
        work: how its sort of job is done.
        shelf: saves files.
        pace: how often to ask.
        changed: is told when there is something new.

    Attributes:
        note: what was last said of it.
        progress: how far it is, 0 to 1, where that is known.
    """

    def __init__(
        self,
        job: Job,
        request: Request | None,
        *,
        jobs: Jobs,
        owner: str,
        work: Work,
        shelf: Shelf,
        pace: Pace,
        changed: Callable[[], None],
    ) -> None:
        self._job = job
        self._request = request
        self._jobs = jobs
        self._owner = owner
        self._work = work
        self._shelf = shelf
        self._pace = pace
        self._changed = changed
        # What only this process can do is not written down a second time before it is done.
        self._fresh = request is not None and request.perform is not None
        self._cancelling = job.cancelling
        self._asked_to_stop = False
        self._sending: anyio.CancelScope | None = None
        self._following: anyio.CancelScope | None = None
        self._wake = anyio.Event()
        self._asked = self._failures = self._missing = 0
        self._put_down: list[Stored] | None = None
        self._memory: dict[str, bytes] = {}
        self._stale = False
        self._wished: float | None = None
        self.note = job.message
        self.progress = job.progress

    @property
    def job(self) -> Job:
        """The job as it was last written."""
        return self._job

    async def restore(self) -> bool:
        """Write the job down again where the ledger was begun anew and does not know it; whether that was so."""
        if not await self._jobs.restore(self._job, self._owner):
            return False
        _log.warning("job %s was gone from the ledger; it is written down again", self._job.id)
        return True

    @property
    def version(self) -> int:
        """Of the job as it was last written."""
        return self._job.version

    def cancel(self) -> None:
        """Somebody wants the job cancelled."""
        if self._cancelling:
            return
        self._cancelling = True
        if self._sending is not None and not self._work.background:
            self._sending.cancel()  # what only starts the work is waited for: it is stopped by the name that comes back
        if self._following is not None:
            self._following.cancel()
        self.stir()

    def stir(self) -> None:
        """End the pause that the job is in, and look at what the ledger says of it."""
        self._stale = True
        self._wake.set()

    def hurry(self, patience: float = PATIENCE) -> None:
        """The process is about to end: a request that is being sent has so many seconds left."""
        if self._sending is not None:
            self._sending.deadline = min(self._sending.deadline, anyio.current_time() + patience)

    async def run(self) -> None:
        """Move the job on until it has ended.

        Raises:
            LeaseLost: another process has it.
        """
        while not self._job.ended:
            try:
                await self._next()
            except LeaseLost:
                if not await self.restore():
                    raise
            except LocalError as error:  # the ledger itself: what is known is kept here until it can be written
                self._say(f"the ledger cannot be written: {error.what}")
                await self._pause(self._pace.again(self._failures))
                self._failures += 1

    async def _next(self) -> None:
        match self._job.state:
            case "intent":
                await self._submit()
            case "submitting" if self._fresh:
                self._fresh = False
                await self._submit()
            case "submitting" if not getattr(self._work, "resumes", False):
                what = "The process that was sending the request ended before it knew what came of it."
                await self._end("unknown", error=lost(what))
            case "downloading":
                await self._save()
            case _:
                await self._ask()

    # -- sending -------------------------------------------------------------------------------------------------------

    async def _submit(self) -> None:
        if self._cancelling:
            await self._end("cancelled")
            return
        request = self._request or await self._kept()
        if request is None:
            await self._end("failed", error=NEVER_SENT)
            return
        if self._job.state == "intent":
            self._became(await self._jobs.sent(self._job, self._owner))
        # Shielded: what has left is paid for. `hurry` and `cancel` end it by its own scope.
        with anyio.CancelScope(shield=True) as self._sending:
            try:
                step = await self._work.submit(self._job, request, self._say)
            except Exception as failure:  # noqa: BLE001  whatever it died of, the ledger has to say so
                step = refused(self._job, self._work, failure)
            self._sending.shield = True
            self._sending.deadline = float("inf")
            self._wished = step.pause
            await self._persist(step)
            return
        if self._cancelling:
            # What was under way then may be billed, and nobody says its price.
            spent = Spent(self._job.model) if self._job.model else None
            message = "Dropped while Gemini was at work; it may bill what it had begun."
            await self._end("cancelled", message=message, spent=spent)
        else:
            await self._end("unknown", error=lost("The server was ended while the request was under way."))

    async def _kept(self) -> Request | None:
        text = await self._jobs.request_of(self._job.id)
        age = (datetime.now(UTC) - self._job.created).total_seconds()
        return Request(body=RawJson(text.encode())) if text is not None and age < LATE else None

    # -- asking --------------------------------------------------------------------------------------------------------

    async def _ask(self) -> None:
        await self._pause(self._pace.poll(self._asked) if self._wished is None else self._wished)
        if self._stale:
            self._stale = False
            await self._look()
        try:
            step = await self._stop() if self._cancelling and not self._asked_to_stop else None
            step = step or await self._poll()
            if step is None:
                return
        except NotFound as gone:
            self._missing += 1
            if self._missing < LOOKS:  # what was only just made is not known everywhere yet
                await self._trouble("Google does not know this job at the moment", gone)
                return
            what = f"Google does not know this job any more: {gone.what}"
            step = Step(state="failed", error=NotFound(what, "Begin it again if it is still wanted.", code=gone.code))
        except ToolserverError as error:
            await self._trouble("It could not be asked how it stands", error)
            return
        except Exception:  # noqa: BLE001  a fault of ours must not lose what goes on at Google
            _log.exception("job %s: asking failed", self._job.id)
            await self._trouble("It could not be asked how it stands", _FAULT)
            return
        self._asked += 1
        self._failures = self._missing = 0
        self._wished = step.pause
        await self._persist(step)

    async def _look(self) -> None:
        """See what the ledger says of the job.

        Raises:
            LeaseLost: it does not know it; `run` sees whose fault that is.
        """
        try:
            self._job = await self._jobs.get(self._job.principal, self._job.id)
        except NotFound as gone:
            raise LeaseLost(self._job.id) from gone

    async def _poll(self) -> Step | None:
        """Ask how it stands; None where somebody wants it cancelled while its events are followed."""
        if not getattr(self._work, "follows", False):
            return await self._work.poll(self._job, self._say)
        with anyio.CancelScope() as self._following:
            try:
                return await self._work.poll(self._job, self._say)
            finally:
                self._following = None
        return None

    async def _stop(self) -> Step | None:
        step = await self._work.cancel(self._job)
        self._asked_to_stop = True
        return step

    async def _trouble(self, what: str, why: ToolserverError) -> None:
        """Say why it goes on no further for now, and wait; what only this machine cannot do is never given up."""
        message = f"{what}: {why.what} {why.remedy}".strip()
        age = (datetime.now(UTC) - self._job.created).total_seconds()
        if age > GIVEN_UP and not isinstance(why, (LocalError, ConnectionFailed)):
            await self._shelf.clear(self._job)
            await self._end("failed", error=ToolserverError(f"Given up after {age / 86_400:.0f} days. {message}"))
            return
        self._failures += 1
        if self._job.message != message:
            self._became(await self._jobs.change(self._job, self._owner, self._job.state, message=message))
        else:
            self._say(message)  # what was said in between is over
        await self._pause(self._pace.again(self._failures - 1))

    # -- what came -----------------------------------------------------------------------------------------------------

    async def _persist(self, step: Step) -> None:
        """Write down what came, however often the ledger has to be tried."""
        with anyio.CancelScope(shield=True):
            for failures in range(1000):
                try:
                    await self._take(step)
                    return
                except LeaseLost:
                    if not await self.restore():
                        raise
                except LocalError as error:
                    if error.code == "ledger_unsure" and await self._moved():
                        return
                    _log.warning("job %s: what came could not be written down yet: %s", self._job.id, error.what)
                    self._say(f"what came cannot be written down yet: {error.what}")
                    await anyio.sleep(self._pace.again(failures))

    async def _moved(self) -> bool:
        """Whether a write of which that was not known has been made after all."""
        try:
            latest = await self._jobs.held(self._job.id)
        except LocalError:
            return False
        if latest.state == self._job.state:
            return False
        self._became(latest)
        return True

    async def _take(self, step: Step) -> None:
        job, owner = self._job, self._owner
        if step.state == "finished" and step.media:
            columns: dict[str, Any] = {"result": step.result, "operation": step.operation or job.operation}
            if step.expires:
                columns["expires"] = step.expires
            if self._put_down is None:  # once: the ledger may have to be tried again
                self._put_down = [await self._shelf.put_down(job, one, self._memory) for one in step.media]
            self._became(await self._jobs.arrived(job, owner, self._put_down, step.spent, message="", **columns))
        elif step.state == "finished":
            await self._end("done", spent=step.spent, result=step.result, operation=step.operation or job.operation)
        elif step.state in ("failed", "cancelled", "unknown"):
            columns = {"result": step.result, "message": step.message}
            await self._end(step.state, error=step.error, spent=step.spent, **columns)
        else:
            await self._go_on(step)

    async def _go_on(self, step: Step) -> None:
        job = self._job
        columns: dict[str, Any] = {
            "operation": step.operation or job.operation,
            "progress": step.progress,
            "message": step.message,
            "inputs": step.inputs,
            "answers": None if step.inputs != job.inputs else job.answers,
        }
        if step.expires:
            columns["expires"] = step.expires
        state: State = "input_required" if step.state == "input_required" else "running"
        # The ledger is not written for every question, only where the answer is new.
        if state != job.state or any(getattr(job, name) != value for name, value in columns.items()):
            self._became(await self._jobs.change(job, self._owner, state, **columns))
        elif self.note != job.message:
            self._say(job.message)  # what was said while asking is over

    async def _save(self) -> None:
        """Fetch and publish the files; a failure of this machine or of the network leaves the job where it is."""
        if self._cancelling and not self._asked_to_stop:
            self._asked_to_stop = True
            self._say("It is finished and paid for already: its files are saved.")
        try:
            found, missing = await fetch_files(self._job, self._shelf, self._memory, self._say)
        except NotFound as gone:
            await self._shelf.clear(self._job)
            await self._end("failed", error=gone)
            return
        except ToolserverError as error:
            if self._cancelling:
                await self._shelf.clear(self._job)
                await self._end("cancelled", message=f"It is billed, but its files could not be saved: {error.what}")
                return
            await self._trouble("Its files could not be saved yet", error)
            return
        with anyio.CancelScope(shield=True):
            self._became(await self._jobs.saved(self._job, self._owner, found, missing))
        await self._shelf.describe(self._job, found)

    # -- small ---------------------------------------------------------------------------------------------------------

    async def _pause(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self._wake.wait()
        self._wake = anyio.Event()

    def _say(self, message: str, progress: float | None = None) -> None:
        self.note, self.progress = message, self.progress if progress is None else progress
        self._changed()

    def _became(self, job: Job) -> None:
        self._job = job
        self.note, self.progress = job.message, job.progress
        self._changed()

    async def _end(self, state: State, **columns: Any) -> None:
        with anyio.CancelScope(shield=True):
            self._became(await self._jobs.end(self._job, self._owner, state, **columns))


_FAULT = ToolserverError("This server is at fault; the details are in its log (stderr).")
