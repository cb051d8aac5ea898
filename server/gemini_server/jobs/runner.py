"""The runner: moves this process's jobs on, whoever waits for them or has gone.

It lives as long as the process and belongs to no request. A job is held by one process at a time, by a lease that is
renewed; when that process dies another one takes the job over: what was running is asked for again, what was arriving
is fetched to its end, and what was just being sent becomes `unknown`, because nobody can tell whether it began.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

import anyio
from anyio.abc import TaskGroup

from gemini_server.errors import Busy, ToolserverError
from gemini_server.jobs.drive import PATIENCE, Driver
from gemini_server.jobs.job import Job, Json, Request, Work
from gemini_server.jobs.job_changes import LeaseLost
from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.pace import Pace
from gemini_server.jobs.shelf import Shelf

AT_ONCE = 500
"""Jobs that one process drives."""
CLEANING = 3600.0
"""Seconds between two clearings of old jobs."""
ELSEWHERE = 1.0
"""Seconds between two looks at a job that another process drives."""

_log = logging.getLogger(__name__)

Listener = Callable[[str, str], None]
"""Hears of a principal and the id of a job of his that changed."""


@dataclass
class _Driven:
    """A job that this process drives."""

    principal: str
    driver: Driver
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Runner:
    """Drives jobs.

    Args:
        jobs: the ledger.
        work: gives the `Work` of a name.
        shelf: saves files.
        pace: how often Google is asked.
        notices: what other processes say of jobs, where the ledger passes that on.
    """

    def __init__(
        self,
        jobs: Jobs,
        work: Callable[[str], Work],
        shelf: Shelf,
        *,
        pace: Pace,
        notices: Callable[[], AsyncGenerator[str]] | None = None,
    ) -> None:
        self.jobs = jobs
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"
        self._work = work
        self._shelf = shelf
        self._pace = pace
        self._notices = notices
        self._driven: dict[str, _Driven] = {}
        self._listeners: set[Listener] = set()
        self._changed = anyio.Event()
        self._began = anyio.Event()
        self._ending = False
        self._tasks: TaskGroup | None = None
        self._clean = 0.0

    async def run(self) -> None:
        """Drive jobs until cancelled: those that begin here, and those that others left. Start it in a task group."""
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                self._began.set()
                tasks.start_soon(self._follow)
                try:
                    while True:
                        await self._look_around()
                        # A third of the lease: two renewals may fail before anybody else takes over.
                        await anyio.sleep(self.jobs.lease / 3)
                except anyio.get_cancelled_exc_class():
                    self.hurry()
                    raise
        finally:
            self._tasks = None
            with anyio.CancelScope(shield=True), suppress(ToolserverError):
                await self.jobs.release(self.owner)

    def hurry(self, patience: float = PATIENCE) -> None:
        """The process is about to end: nothing is begun any more, and what is being sent has so many seconds left."""
        self._ending = True
        for driven in self._driven.values():
            driven.driver.hurry(patience)

    async def _look_around(self) -> None:
        try:
            if anyio.current_time() >= self._clean:
                self._clean = anyio.current_time() + CLEANING
                await self.jobs.forget_old()
            held = await self.jobs.renew(self.owner)
            for identifier, driven in list(self._driven.items()):
                if identifier not in held:
                    if not await driven.driver.restore():
                        driven.scope.cancel()  # somebody else has it
                elif held[identifier]:
                    driven.driver.cancel()
            for identifier in held.keys() - self._driven.keys():
                # Begun in a transaction of which it was not known whether it was made, or stopped by a crash of ours.
                self._adopt(await self.jobs.held(identifier), None)
            for principal, identifier in await self.jobs.touched_elsewhere(self.owner, self.jobs.lease):
                self._hear(principal, identifier)
            room = AT_ONCE - len(self._driven)
            for job in await self.jobs.claim(self.owner, room) if room > 0 else ():
                _log.warning("job %s (%s, %s) is taken over", job.id, job.kind, job.state)
                self._adopt(job, None)
        except ToolserverError as error:
            _log.warning("the job ledger could not be read: %s", error)

    async def _follow(self) -> None:
        """Hear what other processes do to jobs at once, instead of at the next look around."""
        if self._notices is None:
            return
        try:
            async with aclosing(self._notices()) as notices:
                async for payload in notices:
                    if not payload:
                        continue
                    principal, identifier = json.loads(payload)
                    driven = self._driven.get(identifier)
                    if driven is None:
                        self._hear(principal, identifier)
                    elif (job := await self.jobs.held(identifier)).version > driven.driver.version:
                        driven.driver.cancel() if job.cancelling else driven.driver.stir()
        except ToolserverError as error:
            _log.warning("changes by other processes are noticed late: %s", error)

    async def begin(self, new: NewJob, request: Request) -> tuple[Job, bool]:
        """Begin a job, or find the one that the same call began before; True with one that is new.

        Once called it ends, even if the caller goes.

        Raises:
            QuotaExhausted: the day's cap would be exceeded.
            LocalError: the ledger cannot be written; nothing is begun.
            Busy: the process is about to end; nothing is begun.
        """
        if self._ending:
            raise Busy("This server is ending; nothing was sent.", "Call again when it has started again.")
        with anyio.CancelScope(shield=True):
            await self._began.wait()
            new = replace(new, sending=request.perform is not None)
            job, is_new = await self.jobs.begin(new, self.owner)
            if is_new:
                self._adopt(job, request)
            return job, is_new
        raise AssertionError  # for the type checkers: this scope swallows nothing

    def _adopt(self, job: Job, request: Request | None) -> None:
        if job.id in self._driven or self._tasks is None:
            return
        driver = Driver(
            job,
            request,
            jobs=self.jobs,
            owner=self.owner,
            work=self._work(job.work),
            shelf=self._shelf,
            pace=self._pace,
            changed=lambda: self._hear(job.principal, job.id),
        )
        driven = self._driven[job.id] = _Driven(job.principal, driver)
        self._tasks.start_soon(self._drive, job, driven)

    async def _drive(self, job: Job, driven: _Driven) -> None:
        try:
            with driven.scope:
                await driven.driver.run()
        except LeaseLost:
            _log.info("job %s is another process's now", job.id)
        except Exception:  # noqa: BLE001  one job's crash must not end the others
            _log.exception("job %s stopped; it is tried again when its lease is over", job.id)
        finally:
            del self._driven[job.id]
            self._hear(job.principal, job.id)

    async def cancel(self, principal: str, id: str) -> Job:  # noqa: A002  the word of the tool's contract
        """Ask for a job to be cancelled; its driver does it, here or in another process.

        Raises:
            NotFound: it is unknown, or another principal's.
        """
        job = await self.jobs.ask_to_cancel(principal, id)
        driven = self._driven.get(id)
        if driven is not None:
            driven.driver.cancel()
        return job

    async def answer(self, principal: str, id: str, answers: Json) -> Job:  # noqa: A002
        """Give a job what it waits for.

        Raises:
            NotFound: it is unknown, or another principal's.
            ArgumentError: it waits for nothing.
        """
        job = await self.jobs.answer(principal, id, answers)
        driven = self._driven.get(id)
        if driven is not None:
            driven.driver.stir()
        return job

    def note(self, id: str) -> tuple[str, float | None]:  # noqa: A002
        """What was last said of a job that is driven here, and how far it is."""
        driven = self._driven.get(id)
        return (driven.driver.note, driven.driver.progress) if driven else ("", None)

    async def news(self, job: Job, seconds: float) -> Job:
        """Wait until a job has changed, something was said of it, or the time is over; the job as it is then."""
        said = self.note(job.id)
        with anyio.move_on_after(seconds):
            while job.id in self._driven and self.note(job.id) == said:
                if self._driven[job.id].driver.version != job.version:
                    break
                await self._changed.wait()
            else:
                if job.id not in self._driven and not job.ended:
                    return await self._news_from_elsewhere(job)
        driven = self._driven.get(job.id)
        return driven.driver.job if driven is not None else await self.jobs.get(job.principal, job.id)

    async def _news_from_elsewhere(self, job: Job) -> Job:
        """A job that another process drives, when it has changed; a shared file tells nobody: it is looked at again."""
        latest = await self.jobs.get(job.principal, job.id)
        while latest.version == job.version:
            with anyio.move_on_after(ELSEWHERE):
                await self._changed.wait()
            latest = await self.jobs.get(job.principal, job.id)
        return latest

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told, on the event loop, of every change of a job of this process; returns how to end that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def stir(self, id: str) -> None:  # noqa: A002
        """Ask at once how a job stands, instead of at the next turn: somebody has said that it has changed."""
        driven = self._driven.get(id)
        if driven is not None:
            driven.driver.stir()

    def _hear(self, principal: str, identifier: str) -> None:
        self._changed.set()
        self._changed = anyio.Event()
        for listener in tuple(self._listeners):
            listener(principal, identifier)
