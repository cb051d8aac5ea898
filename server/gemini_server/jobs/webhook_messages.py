"""Webhook messages that have been taken: each counts once, however often and wherever it arrives."""

from __future__ import annotations

import json

from gemini_server.jobs.job import ENDED
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.notices import notify
from gemini_server.jobs.schema import CLOCK

KEPT_SECONDS = 15 * 60
"""How long a message is remembered: longer than its timestamp is taken for fresh."""

_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))


async def taken_before(store: Store, identifier: str, stamp: str) -> str | None:
    """The stamp with which a message was taken before; None for one that is new, which is remembered.

    Args:
        store: the ledger.
        identifier: of the message, the same for every attempt to deliver it.
        stamp: of this attempt.
    """

    def work(ledger: Ledger) -> str | None:
        ledger.execute(f"DELETE FROM webhook_messages WHERE taken < {CLOCK} - ?", (KEPT_SECONDS,))  # noqa: S608
        new = ledger.execute(
            f"INSERT INTO webhook_messages (id, stamp, taken) VALUES (?, ?, {CLOCK}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
            (identifier, stamp),
        )
        if new.rowcount == 1:
            return None
        return str(ledger.execute("SELECT stamp FROM webhook_messages WHERE id = ?", (identifier,)).fetchone()[0])

    return await store.run(work)


async def touch_jobs(store: Store, operations: list[str], place: str) -> list[str]:
    """Mark the jobs under way that wait for one of these at Google; whoever drives them hears of it.

    Args:
        store: the ledger.
        operations: names or ids, as Google gives them.
        place: the Gemini API that says so.

    Returns:
        The ids of the jobs.
    """

    def work(ledger: Ledger) -> list[str]:
        marks = ", ".join("?" * len(operations))
        rows = ledger.execute(
            f"UPDATE jobs SET version = version + 1, updated = {CLOCK}"  # noqa: S608
            f" WHERE operation IN ({marks}) AND place = ? AND state NOT IN ({_ENDED}) RETURNING id, principal",
            (*operations, place),
        ).fetchall()
        for identifier, principal in rows:
            notify(ledger, json.dumps([principal, identifier]))
        return [str(identifier) for identifier, _ in rows]

    return await store.run(work) if operations else []
