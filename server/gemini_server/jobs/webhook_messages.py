"""Webhook messages that have been taken: each counts once, however often and wherever it arrives."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gemini_server.jobs.job import ENDED
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.notices import notify
from gemini_server.jobs.schema import CLOCK

KEPT_SECONDS = 15 * 60
"""How long a message is remembered: longer than its timestamp is taken for fresh."""

_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a message.

    Attributes:
        before: the stamp with which it was taken before; None for one that is new.
        jobs: the ids of the jobs that a new one concerns.
    """

    before: str | None
    jobs: tuple[str, ...] = ()


async def take(store: Store, identifier: str, stamp: str, operations: list[str], place: str) -> Taken:
    """Remember a message and, if it is new, mark the jobs under way that wait for what it names.

    Both or neither: what could not be marked may be delivered once more. Whoever drives the jobs hears of it.

    Args:
        store: the ledger.
        identifier: of the message, the same for every attempt to deliver it.
        stamp: of this attempt.
        operations: names or ids of what has ended, as Google gives them.
        place: the Gemini API that says so.
    """

    def work(ledger: Ledger) -> Taken:
        ledger.execute(f"DELETE FROM webhook_messages WHERE taken < {CLOCK} - ?", (KEPT_SECONDS,))  # noqa: S608
        new = ledger.execute(
            f"INSERT INTO webhook_messages (id, stamp, taken) VALUES (?, ?, {CLOCK}) ON CONFLICT (id) DO NOTHING",  # noqa: S608
            (identifier, stamp),
        )
        if new.rowcount == 1:
            return Taken(None, tuple(_touched(ledger, operations, place)))
        return Taken(
            str(ledger.execute("SELECT stamp FROM webhook_messages WHERE id = ?", (identifier,)).fetchone()[0])
        )

    return await store.run(work)


def _touched(ledger: Ledger, operations: list[str], place: str) -> list[str]:
    if not operations:
        return []
    marks = ", ".join("?" * len(operations))
    rows = ledger.execute(
        f"UPDATE jobs SET version = version + 1, updated = {CLOCK}"  # noqa: S608
        f" WHERE operation IN ({marks}) AND place = ? AND state NOT IN ({_ENDED}) RETURNING id, principal",
        (*operations, place),
    ).fetchall()
    for identifier, principal in rows:
        notify(ledger, json.dumps([principal, identifier]))
    return [str(identifier) for identifier, _ in rows]
