"""What is written of a job that goes on: only by the process that holds its lease."""

from __future__ import annotations

import json
from datetime import date, datetime

from gemini_server.jobs.job import Job, Json, Spent, State
from gemini_server.jobs.job_rows import COLUMNS, ENDED_STATES, encode, job_of, put_media
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.money import cost_nanos
from gemini_server.jobs.notices import notify
from gemini_server.jobs.schema import CLOCK
from gemini_server.jobs.spending import book

_JSON = frozenset({"result", "error", "inputs", "answers"})
"""Columns that hold JSON."""
_PLAIN = (
    "id", "principal", "kind", "tool", "work", "model", "state", "operation", "progress", "message", "place",
)  # fmt: skip
"""Columns that hold the member of a job that has their name."""


class LeaseLost(Exception):
    """Another process has taken the job over; what this one knows of it counts no more."""


def change_job(ledger: Ledger, job: Job, owner: str, state: State, columns: Json) -> Job:
    """Move a job on.

    Args:
        ledger: the transaction.
        job: as it was last seen.
        owner: the process that holds it.
        state: the new one.
        columns: what else changes.

    Raises:
        LeaseLost: another process has it, or it has ended.
    """
    values = {name: encode(value) if name in _JSON and value is not None else value for name, value in columns.items()}
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
    tell(ledger, job)
    return job_of(ledger, rows[0])


def book_job(ledger: Ledger, job: Job, spent: Spent | None, day: date) -> None:
    """Write down what a job has cost, with itself and in the books of a day; nothing for None."""
    if spent is None:
        return
    nanos = None if spent.cost_usd is None else cost_nanos(spent.cost_usd)
    ledger.execute("UPDATE jobs SET cost_nanos = ? WHERE id = ?", (nanos, job.id))
    if not spent.booked:
        book(ledger, day, job.principal, spent.model, spent.tokens, spent.cost_usd)


def insert_again(ledger: Ledger, job: Job, owner: str, lease: float) -> bool:
    """Write a job down that a ledger which was begun anew does not know; False where it is known."""
    inserted = ledger.execute(
        f"INSERT INTO jobs ({', '.join(_PLAIN)}, wish, result, cost_nanos, cancelling, owner, lease, created,"  # noqa: S608
        f" updated, version) VALUES ({', '.join('?' for _ in _PLAIN)}, ?, ?, ?, ?, ?, {CLOCK} + ?, ?,"
        f" {CLOCK}, ?) ON CONFLICT (id) DO NOTHING",
        (
            *(getattr(job, name) for name in _PLAIN), encode(job.wish), encode(job.result),
            None if job.cost_usd is None else cost_nanos(job.cost_usd), int(job.cancelling), owner, lease,
            job.created.timestamp(), job.version,
        ),
    )  # fmt: skip
    if not inserted.rowcount:
        return False
    put_media(ledger, job.id, job.media)
    return True


def tell(ledger: Ledger, job: Job) -> None:
    """Tell all processes that share the ledger that a job has changed."""
    notify(ledger, json.dumps([job.principal, job.id]))
