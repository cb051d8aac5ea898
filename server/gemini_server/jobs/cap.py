"""The cap on what a principal may spend in a day: what is spent, and what jobs under way are estimated at."""

from __future__ import annotations

from decimal import Decimal

from gemini_server.errors import QuotaExhausted
from gemini_server.jobs.job_rows import ENDED_STATES
from gemini_server.jobs.ledger import Ledger, take_turns
from gemini_server.jobs.money import from_nanos, to_nanos
from gemini_server.jobs.spending import total_nanos


def check_cap(ledger: Ledger, principal: str, cap: Decimal, day: str, estimate: Decimal | None) -> None:
    """Look whether a job may begin; others of the same principal wait until this transaction ends.

    Args:
        ledger: the transaction that writes the job down.
        principal: who would spend.
        cap: US dollars a day.
        day: today, ISO 8601.
        estimate: US dollars that the job will cost, None when no price is known.

    Raises:
        QuotaExhausted: it may not.
    """
    take_turns(ledger, f"cap {principal}")
    spent = total_nanos(ledger, day, principal)
    held = reserved(ledger, principal)
    most = to_nanos(cap)
    wanted = 0 if estimate is None else to_nanos(estimate)
    if spent + held + wanted > most or spent >= most:
        raise over_cap(cap, from_nanos(spent), from_nanos(held), estimate)


def reserved(ledger: Ledger, principal: str) -> int:
    """Nano-dollars that a principal's jobs under way are estimated at."""
    # What is being downloaded has been booked already.
    (total,) = ledger.execute(
        f"SELECT coalesce(sum(cost_nanos), 0) FROM jobs WHERE principal = ? AND state NOT IN ({ENDED_STATES})"  # noqa: S608
        " AND state <> 'downloading'",
        (principal,),
    ).fetchone()
    return int(total)


def over_cap(cap: Decimal, spent: Decimal, reserved: Decimal, estimate: Decimal | None) -> QuotaExhausted:
    """The refusal of a call that would exceed the day's cap."""
    wanted = f", and this call is estimated at ${estimate:.4f}" if estimate is not None else ""
    running = f" and ${reserved:.4f} reserved by jobs under way" if reserved else ""
    how = "is reached" if spent >= cap else "would be exceeded"
    return QuotaExhausted(
        f"The daily cap of ${cap:f} {how}: ${spent:.4f} spent today{running}{wanted}. The request was not sent.",
        "Wait until tomorrow (UTC), or the person who runs this server raises GEMINI_TOOLSERVER_DAILY_CAP.",
        code="daily_cap",
    )
