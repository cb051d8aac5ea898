"""The handles by which Live sessions go on, one for each kept conversation.

A handle is a credential: it is in the ledger for as long as it is good, and nowhere else. It stands for the
conversation as Google has it, so it counts only while the ledger has the same number of turns: after a crash between
the two, or a turn that was not kept, the conversation is told anew from its transcripts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.schema import CLOCK

SPARE = 60.0
"""Seconds before its end from which on a handle is not used any more."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """What stands for a conversation at Google.

    Attributes:
        place: the Gemini API that gave the handle.
        model: the model, with which alone it is good.
        turns: how many turns of the conversation it covers.
        handle: the handle; a credential.
    """

    place: str
    model: str
    turns: int
    handle: str = field(repr=False)


class LiveSessions:
    """The handles in the ledger. Whoever asks has seen to it that the conversation is the caller's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, conversation: str, place: str, model: str, turns: int) -> str | None:
        """The handle of a conversation; None without one that is good for all of its turns.

        Raises:
            LocalError: the ledger cannot be read.
        """

        def work(ledger: Ledger) -> str | None:
            row = ledger.execute(
                "SELECT handle FROM live_sessions WHERE conversation = ? AND place = ? AND model = ? AND turns = ?"  # noqa: S608
                f" AND expires > {CLOCK} + ?",
                (conversation, place, model, turns, SPARE),
            ).fetchone()
            return None if row is None else str(row[0])

        return await self._store.run(work, write=False)

    async def keep(self, conversation: str, session: LiveSession, *, seconds: float) -> None:
        """Write down the handle of a conversation, in place of the one before.

        Args:
            conversation: its id.
            session: what stands for it.
            seconds: for how long the handle is good.

        Raises:
            LocalError: the ledger cannot be written.
        """

        def work(ledger: Ledger) -> None:
            ledger.execute(f"DELETE FROM live_sessions WHERE expires < {CLOCK}")  # noqa: S608
            ledger.execute(
                "INSERT INTO live_sessions (conversation, place, model, handle, turns, expires)"  # noqa: S608
                f" VALUES (?, ?, ?, ?, ?, {CLOCK} + ?) ON CONFLICT (conversation) DO UPDATE SET place = excluded.place,"
                " model = excluded.model, handle = excluded.handle, turns = excluded.turns, expires = excluded.expires",
                (conversation, session.place, session.model, session.handle, session.turns, seconds),
            )

        await self._store.run(work)
