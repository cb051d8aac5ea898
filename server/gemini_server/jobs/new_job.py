"""A job that is to begin, and how it is written down once, however often the same call is made."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gemini_server.jobs.cap import check_cap
from gemini_server.jobs.job import Job, Json
from gemini_server.jobs.job_rows import ENDED_STATES, encode, find_job, known_job
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.money import cost_nanos
from gemini_server.jobs.schema import CLOCK

WINDOW = 600.0
"""Seconds in which the same call gives the same job."""

JOB_ID = re.compile(r"j_[\w-]{22}")
"""How the handle of a job looks."""


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


def new_job_id() -> str:
    """A handle that nobody can guess."""
    return f"j_{secrets.token_urlsafe(16)}"


def insert_job(
    ledger: Ledger, new: NewJob, identifier: str, *, owner: str, lease: float, place: str
) -> tuple[Job, bool]:
    """Write a job down, or find the one that the same call began; True with one that is new.

    Args:
        ledger: the transaction.
        new: what is to begin.
        identifier: the id that a new one gets.
        owner: the process that will submit it.
        lease: seconds for which that process holds it.
        place: the Gemini API that knows it.

    Raises:
        QuotaExhausted: the day's cap would be exceeded.
    """
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
            "submitting" if new.sending else "intent", new.identity, new.request, encode(new.wish),
            None if new.estimate is None else cost_nanos(new.estimate), owner, lease, place,
        ),
    )  # fmt: skip
    if inserted.rowcount == 0:  # another replica was faster between the look and the insert
        return known_job(find_job(ledger, "identity = ?", new.identity), identifier), False
    return known_job(find_job(ledger, "id = ?", identifier), identifier), True
