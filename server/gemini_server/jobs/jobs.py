"""The ledger of jobs: every change is one transaction, made only by the process that holds the job's lease."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from gemini_server.errors import ArgumentError, ToolserverError
from gemini_server.jobs.artifact import Artifact, register
from gemini_server.jobs.cap import reserved as reserved_nanos
from gemini_server.jobs.job import Job, Json, Spent, State, Stored
from gemini_server.jobs.job_changes import LeaseLost, book_job, change_job, insert_again, tell
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
from gemini_server.jobs.ledger import Ledger, Store, in_pieces
from gemini_server.jobs.money import from_nanos
from gemini_server.jobs.new_job import NewJob, insert_job, new_job_id
from gemini_server.jobs.schema import CLOCK


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
        identifier = new_job_id()

        def work(ledger: Ledger) -> tuple[Job, bool]:
            return insert_job(ledger, new, identifier, owner=owner, lease=self.lease, place=self._place)

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

    async def principals_of(self, operations: Sequence[str]) -> dict[str, set[str]]:
        """Who has jobs of some operations at the same API; those that no job is of are left out."""

        def work(ledger: Ledger) -> dict[str, set[str]]:
            found: dict[str, set[str]] = {}
            for marks, some in in_pieces(operations):
                rows = ledger.execute(
                    f"SELECT operation, principal FROM jobs WHERE place = ? AND operation IN ({marks})",  # noqa: S608
                    (self._place, *some),
                ).fetchall()
                for operation, principal in rows:
                    found.setdefault(operation, set()).add(principal)
            return found

        return await self._store.run(work, write=False) if operations else {}

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
        return await self._store.run(lambda ledger: change_job(ledger, job, owner, state, columns))

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
            book_job(ledger, job, spent, self._today())
            return change_job(ledger, job, owner, "downloading", columns)

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
            return change_job(ledger, job, owner, "done", columns)

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
            book_job(ledger, job, spent, self._today())
            return change_job(ledger, job, owner, state, {"message": "", "inputs": None, **columns})

        return await self._store.run(work)

    async def reserved(self, principal: str) -> Decimal:
        """US dollars that a principal's jobs under way are estimated at."""
        nanos = await self._store.run(lambda ledger: reserved_nanos(ledger, principal), write=False)
        return from_nanos(nanos)

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

        def work(ledger: Ledger) -> bool:
            return insert_again(ledger, job, owner, self.lease)

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
                tell(ledger, job)
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
            tell(ledger, job)
            return known_job(find_job(ledger, "id = ?", id), id)

        return await self._store.run(work)
