"""The ledger of jobs: every change is one transaction, made only by the process that holds the job's lease."""

from __future__ import annotations

import builtins
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from gemini_server.errors import ArgumentError, ToolserverError
from gemini_server.jobs.artifacts import Artifact, register
from gemini_server.jobs.cap import check_cap
from gemini_server.jobs.cap import reserved as reserved_nanos
from gemini_server.jobs.job import Job, Json, Spent, State, Stored
from gemini_server.jobs.job_rows import (
    COLUMNS,
    ENDED_STATES,
    encode,
    error_json,
    find_job,
    job_of,
    known_job,
    put_media,
)
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.notices import notify
from gemini_server.jobs.schema import CLOCK
from gemini_server.jobs.spending import book, to_nanos

WINDOW = 600.0
"""Seconds in which the same call gives the same job."""
_NANOS = 1_000_000_000
_JSON = frozenset({"result", "error", "inputs", "answers"})


class LeaseLost(Exception):
    """Another process has taken the job over; what this one knows of it counts no more."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is to begin.

    Attributes:
        principal: whose it is.
        kind: what it makes.
        tool: the tool that begins it.
        work: the module of `toolkit.work` that does it.
        model: the model that is billed.
        identity: what makes two calls the same; None for a job that is like no other.
        wish: what its result will need to know of the call.
        request: the encoded request, kept until it is sent; None for one that cannot be sent by another process.
        estimate: US dollars that it will cost, None when no price is known.
        sending: whether what is to be sent is sent at once by the process that begins it, and by no other.
        reuse: False begins a new job even where the same call was made before.
        window: seconds in which an ended job still answers for the same call; one that is under way always does.
        cap: US dollars that its principal may spend in a day, None for no cap.
        day: the day by which that is counted.
    """

    principal: str
    kind: str
    tool: str
    work: str
    model: str
    identity: str | None
    wish: Json = field(default_factory=dict[str, Any])
    request: str | None = None
    estimate: Decimal | None = None
    sending: bool = False
    reuse: bool = True
    window: float = WINDOW
    cap: Decimal | None = None
    day: str = ""


class Jobs:
    """The jobs in the ledger.

    Args:
        store: the ledger.
        lease: seconds for which a process holds a job without saying so again.
        keep_days: how long a job that has ended is kept.
        today: the day that its cost is counted for.
        place: the Gemini API that this process talks to: another one does not know its jobs, and none of theirs is
            asked for there.
    """

    def __init__(
        self,
        store: Store,
        *,
        lease: float = 30.0,
        keep_days: int = 30,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
        place: str = "",
    ) -> None:
        self._store = store
        self.lease = lease
        self._keep = keep_days * 86_400
        self._today = today
        self._place = place

    async def begin(self, new: NewJob, owner: str) -> tuple[Job, bool]:
        """Write a job down, or find the one that the same call began; True with one that is new.

        Args:
            new: what is to begin.
            owner: the process that will submit it.

        Raises:
            QuotaExhausted: the day's cap would be exceeded.
            LocalError: the ledger cannot be written; nothing is begun.
        """
        identifier = f"j_{secrets.token_urlsafe(16)}"
        nanos = None if new.estimate is None else to_nanos(new.estimate)

        def work(ledger: Ledger) -> tuple[Job, bool]:
            if new.identity is not None:
                # What has failed does not answer for another try; what was done does, for a while.
                ledger.execute(
                    f"UPDATE jobs SET identity = NULL WHERE identity = ? AND (state IN ('failed', 'cancelled')"  # noqa: S608
                    f" OR ? = 0 OR (state IN ({ENDED_STATES}) AND created < {CLOCK} - ?))",
                    (new.identity, int(new.reuse), new.window),
                )
                found = find_job(ledger, "identity = ?", new.identity)
                if found is not None:
                    return found, False
            if new.cap is not None:
                check_cap(ledger, new.principal, new.cap, new.day, new.estimate)
            inserted = ledger.execute(
                "INSERT INTO jobs (id, principal, kind, tool, work, model, state, identity, request, wish, message,"  # noqa: S608
                " result, cost_nanos, cancelling, owner, lease, created, updated, version, place)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '{}', ?, 0, ?,"
                f" {CLOCK} + ?, {CLOCK}, {CLOCK}, 1, ?)"
                " ON CONFLICT (identity) WHERE identity IS NOT NULL DO NOTHING",
                (
                    identifier, new.principal, new.kind, new.tool, new.work, new.model,
                    "submitting" if new.sending else "intent", new.identity, new.request, encode(new.wish), nanos,
                    owner, self.lease, self._place,
                ),
            )  # fmt: skip
            if inserted.rowcount == 0:  # another replica was faster between the look and the insert
                return known_job(find_job(ledger, "identity = ?", new.identity), identifier), False
            return known_job(find_job(ledger, "id = ?", identifier), identifier), True

        return await self._store.run(work)

    async def get(self, principal: str, id: str) -> Job:  # noqa: A002  the word of the tool's contract
        """A job.

        Raises:
            NotFound: it is unknown, or another principal's (with the same words).
        """
        job = None
        if id.isascii():
            where = "id = ? AND principal = ?"
            job = await self._store.run(lambda ledger: find_job(ledger, where, id, principal), write=False)
        return known_job(job, id)

    async def held(self, id: str) -> Job:  # noqa: A002
        """A job that this process holds, whosever it is.

        Raises:
            NotFound: it is gone.
        """
        return known_job(await self._store.run(lambda ledger: find_job(ledger, "id = ?", id), write=False), id)

    async def of_operation(self, operation: str) -> Job | None:
        """The newest job, whosever it is, of an operation at the same API; None where there is none."""
        where = "operation = ? AND place = ? ORDER BY created DESC LIMIT 1"
        return await self._store.run(lambda ledger: find_job(ledger, where, operation, self._place), write=False)

    async def list(
        self, principal: str, *, states: Sequence[State] = (), kind: str | None = None, limit: int = 50
    ) -> builtins.list[Job]:
        """A principal's jobs, the newest first."""
        where, values = ["principal = ?"], cast("list[object]", [principal])
        if states:
            where.append(f"state IN ({', '.join('?' for _ in states)})")
            values += states
        if kind is not None:
            where.append("kind = ?")
            values.append(kind)

        def work(ledger: Ledger) -> builtins.list[Job]:
            rows = ledger.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE {' AND '.join(where)} ORDER BY created DESC, id LIMIT ?",  # noqa: S608
                (*values, limit),
            ).fetchall()
            return [job_of(ledger, row) for row in rows]

        return await self._store.run(work, write=False)

    async def request_of(self, id: str) -> str | None:  # noqa: A002
        """The encoded request of a job that was not sent yet."""

        def work(ledger: Ledger) -> str | None:
            row = ledger.execute("SELECT request FROM jobs WHERE id = ?", (id,)).fetchone()
            return None if row is None else cast("str | None", row[0])

        return await self._store.run(work, write=False)

    async def change(self, job: Job, owner: str, state: State, **columns: Any) -> Job:
        """Move a job on.

        Args:
            job: as it was last seen.
            owner: this process.
            state: the new one.
            **columns: what else changes: operation, progress, message, result, error, inputs, answers, expires.

        Raises:
            LeaseLost: another process has it, or it has ended.
        """
        return await self._store.run(lambda ledger: self._changed(ledger, job, owner, state, columns))

    async def sent(self, job: Job, owner: str) -> Job:
        """Write down that the request is being sent now; it is not kept any longer, so that nobody sends it again."""
        return await self.change(job, owner, "submitting", request=None)

    async def arrived(self, job: Job, owner: str, media: Sequence[Stored], spent: Spent | None, **columns: Any) -> Job:
        """Write down what came of a job, before its files are saved."""

        def work(ledger: Ledger) -> Job:
            if find_job(ledger, "id = ?", job.id) is None:
                raise LeaseLost(job.id)
            ledger.execute("DELETE FROM job_media WHERE job = ?", (job.id,))
            put_media(ledger, job.id, media)
            self._book(ledger, job, spent)
            return self._changed(ledger, job, owner, "downloading", columns)

        return await self._store.run(work)

    async def saved(self, job: Job, owner: str, artifacts: Sequence[Artifact], lost: Sequence[str] = ()) -> Job:
        """Register a job's files, which lie under their final names; with them it is done.

        Args:
            job: as it was last seen.
            owner: this process.
            artifacts: the files.
            lost: warnings about those that are gone.
        """
        columns: Json = {"message": "", "progress": 1.0}
        if lost:
            columns["result"] = {**job.result, "warnings": [*job.result.get("warnings", ()), *lost]}

        def work(ledger: Ledger) -> Job:
            for artifact in artifacts:
                register(ledger, job.principal, artifact)
            ledger.executemany(
                "UPDATE job_media SET saved = 1 WHERE job = ? AND artifact = ?", [(job.id, one.id) for one in artifacts]
            )
            return self._changed(ledger, job, owner, "done", columns)

        return await self._store.run(work)

    async def end(
        self, job: Job, owner: str, state: State, *, error: ToolserverError | None = None, spent: Spent | None = None,
        **columns: Any,
    ) -> Job:  # fmt: skip
        """End a job that brings no files."""
        if error is not None:
            columns["error"] = error_json(error)

        def work(ledger: Ledger) -> Job:
            if spent is None and state != "unknown" and state != "done":
                ledger.execute("UPDATE jobs SET cost_nanos = NULL WHERE id = ?", (job.id,))
            self._book(ledger, job, spent)
            return self._changed(ledger, job, owner, state, {"message": "", "inputs": None, **columns})

        return await self._store.run(work)

    async def reserved(self, principal: str) -> Decimal:
        """US dollars that a principal's jobs under way are estimated at."""
        nanos = await self._store.run(lambda ledger: reserved_nanos(ledger, principal), write=False)
        return Decimal(nanos) / _NANOS

    async def claim(self, owner: str, limit: int) -> builtins.list[Job]:
        """Take over jobs that no living process holds."""

        def work(ledger: Ledger) -> builtins.list[Job]:
            rows = ledger.execute(
                f"UPDATE jobs SET owner = ?, lease = {CLOCK} + ? WHERE id IN (SELECT id FROM jobs"  # noqa: S608
                f" WHERE state NOT IN ({ENDED_STATES}) AND lease < {CLOCK} AND place = ?"
                f" ORDER BY lease LIMIT ?{ledger.skip_locked})"
                f" RETURNING {COLUMNS}",
                (owner, self.lease, self._place, limit),
            ).fetchall()
            return [job_of(ledger, row) for row in rows]

        return await self._store.run(work)

    async def renew(self, owner: str) -> dict[str, bool]:
        """Hold the leases of this process longer; the jobs that it holds, and whether each is to be cancelled."""

        def work(ledger: Ledger) -> dict[str, bool]:
            rows = ledger.execute(
                f"UPDATE jobs SET lease = {CLOCK} + ? WHERE owner = ? AND state NOT IN ({ENDED_STATES})"  # noqa: S608
                " RETURNING id, cancelling",
                (self.lease, owner),
            ).fetchall()
            return {identifier: bool(cancelling) for identifier, cancelling in rows}

        return await self._store.run(work)

    async def restore(self, job: Job, owner: str) -> bool:
        """Write a job down again that a ledger which was begun anew does not know; False where it is known.

        Args:
            job: as it was last seen.
            owner: this process, which drives it.
        """
        columns = (
            "id",
            "principal",
            "kind",
            "tool",
            "work",
            "model",
            "state",
            "operation",
            "progress",
            "message",
            "place",
        )

        def work(ledger: Ledger) -> bool:
            inserted = ledger.execute(
                f"INSERT INTO jobs ({', '.join(columns)}, wish, result, cost_nanos, cancelling, owner, lease, created,"  # noqa: S608
                f" updated, version) VALUES ({', '.join('?' for _ in columns)}, ?, ?, ?, ?, ?, {CLOCK} + ?, ?,"
                f" {CLOCK}, ?) ON CONFLICT (id) DO NOTHING",
                (
                    *(getattr(job, name) for name in columns), encode(job.wish), encode(job.result),
                    None if job.cost_usd is None else to_nanos(job.cost_usd), int(job.cancelling), owner, self.lease,
                    job.created.timestamp(), job.version,
                ),
            )  # fmt: skip
            if not inserted.rowcount:
                return False
            put_media(ledger, job.id, job.media)
            return True

        return await self._store.run(work)

    async def forget_old(self) -> None:
        """Erase the jobs that have ended long ago; their files stay."""

        def work(ledger: Ledger) -> None:
            ledger.execute(
                f"DELETE FROM jobs WHERE state IN ({ENDED_STATES}) AND updated < {CLOCK} - ?",  # noqa: S608
                (self._keep,),
            )

        await self._store.run(work)

    async def touched_elsewhere(self, owner: str, seconds: float) -> builtins.list[tuple[str, str]]:
        """The principals and ids of jobs that other processes changed of late."""

        def work(ledger: Ledger) -> Any:
            return ledger.execute(
                f"SELECT principal, id FROM jobs WHERE owner <> ? AND updated > {CLOCK} - ?",  # noqa: S608
                (owner, seconds / 2),
            ).fetchall()

        return [(principal, identifier) for principal, identifier in await self._store.run(work, write=False)]

    async def release(self, owner: str) -> None:
        """Let others take over at once what this process holds."""
        await self._store.run(lambda ledger: ledger.execute("UPDATE jobs SET lease = 0 WHERE owner = ?", (owner,)))

    async def ask_to_cancel(self, principal: str, id: str) -> Job:  # noqa: A002
        """Write down that a job is to be cancelled; its owner does the rest.

        Raises:
            NotFound: as `get`.
        """

        def work(ledger: Ledger) -> Job:
            job = known_job(find_job(ledger, "id = ? AND principal = ?", id, principal), id)
            if not job.ended and not job.cancelling:
                ledger.execute(
                    f"UPDATE jobs SET cancelling = 1, version = version + 1, updated = {CLOCK} WHERE id = ?",  # noqa: S608
                    (id,),
                )
                _tell(ledger, job)
            return known_job(find_job(ledger, "id = ?", id), id)

        return await self._store.run(work)

    async def answer(self, principal: str, id: str, answers: Json) -> Job:  # noqa: A002
        """Give what a job waits for; answers given in several calls add up.

        Raises:
            NotFound: as `get`.
            ArgumentError: it waits for nothing.
        """

        def work(ledger: Ledger) -> Job:
            job = known_job(find_job(ledger, f"id = ? AND principal = ?{ledger.for_update}", id, principal), id)
            if job.state != "input_required":
                raise ArgumentError("This job waits for no input.", "get_job says how it stands.")
            ledger.execute(
                f"UPDATE jobs SET answers = ?, version = version + 1, updated = {CLOCK} WHERE id = ?",  # noqa: S608
                (encode({**(job.answers or {}), **answers}), id),
            )
            _tell(ledger, job)
            return known_job(find_job(ledger, "id = ?", id), id)

        return await self._store.run(work)

    def _changed(self, ledger: Ledger, job: Job, owner: str, state: State, columns: Json) -> Job:
        values = {
            name: encode(value) if name in _JSON and value is not None else value for name, value in columns.items()
        }
        expires: object = values.get("expires")
        if isinstance(expires, datetime):
            values["expires"] = expires.timestamp()
        assignments = "".join(f"{name} = ?, " for name in values)
        cursor = ledger.execute(
            f"UPDATE jobs SET {assignments}state = ?, version = version + 1, updated = {CLOCK}"  # noqa: S608
            f" WHERE id = ? AND owner = ? AND state NOT IN ({ENDED_STATES}) RETURNING {COLUMNS}",
            (*values.values(), state, job.id, owner),
        )
        rows = cursor.fetchall()
        if not rows:
            raise LeaseLost(job.id)
        _tell(ledger, job)
        return job_of(ledger, rows[0])

    def _book(self, ledger: Ledger, job: Job, spent: Spent | None) -> None:
        if spent is None:
            return
        nanos = None if spent.cost_usd is None else to_nanos(spent.cost_usd)
        ledger.execute("UPDATE jobs SET cost_nanos = ? WHERE id = ?", (nanos, job.id))
        if not spent.booked:
            book(ledger, self._today(), job.principal, spent.model, spent.tokens, spent.cost_usd)


def _tell(ledger: Ledger, job: Job) -> None:
    notify(ledger, json.dumps([job.principal, job.id]))
