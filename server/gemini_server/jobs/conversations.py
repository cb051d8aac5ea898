"""Kept conversations: Gemini's turns word for word, thought signatures included."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gemini_server.errors import ArgumentError, NotFound
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.schema import NOW

Json = dict[str, Any]
Turns = list[Json]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A kept conversation with everything that its next turn needs.

    Attributes:
        id: the handle, `c_` and 128 random bits.
        principal: whose it is.
        model: the model that answered last.
        system: the system instruction, if one was given.
        settings: what of the first request must be sent again (tools, generation config …).
        turns: Gemini `Content` objects, exactly as they were given to `append`.
        created: when it began, by the database's clock (UTC).
        updated: when it was last used, likewise.
    """

    id: str
    principal: str
    model: str
    system: str | None
    settings: Json
    turns: Turns
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One line of a list of conversations; `turns` is how many there are."""

    id: str
    turns: int
    model: str
    created: datetime


Summaries = list[ConversationSummary]


class Conversations:
    """Conversations in the ledger.

    Args:
        store: the ledger.
        keep_days: how many days after its last use a conversation is kept. Older ones are not shown any more, and
            are erased when the ledger is next written by this class.
    """

    def __init__(self, store: Store, *, keep_days: int = 30) -> None:
        self._store = store
        self._keep_days = keep_days
        self._oldest = f"({NOW} - {int(keep_days) * 86_400})"

    async def create(self, principal: str, *, model: str, system: str | None, settings: Json) -> str:
        """Begins a conversation without turns and returns its id."""
        identifier = f"c_{secrets.token_urlsafe(16)}"
        text = _encode(settings)
        if system is not None:  # half a surrogate pair, which only JSON can carry, is no text
            system = system.encode(errors="replace").decode()

        def work(ledger: Ledger) -> None:
            self._erase_old(ledger)
            ledger.execute(
                "INSERT INTO conversations (id, principal, model, system, settings, created, updated)"  # noqa: S608
                f" VALUES (?, ?, ?, ?, ?, {NOW}, {NOW})",
                (identifier, principal, model, system, text),
            )

        await self._store.run(work)
        return identifier

    async def get(self, principal: str, id: str) -> Conversation:  # noqa: A002 - the word of the tool's contract
        """A conversation with all its turns.

        Raises:
            NotFound: it is unknown, too old, or another principal's (with the same words).
        """

        def work(ledger: Ledger) -> tuple[Any, Turns]:
            row = self._row(ledger, principal, id, "model, system, settings, created, updated")
            turns = ledger.execute("SELECT content FROM turns WHERE conversation = ? ORDER BY position", (id,))
            # Decoded here, off the event loop: turns may hold megabytes of pictures.
            return row, [json.loads(content) for (content,) in turns.fetchall()]

        (model, system, settings, created, updated), turns = await self._store.run(work, write=False)
        return Conversation(
            id=id,
            principal=principal,
            model=model,
            system=system,
            settings=json.loads(settings),
            turns=turns,
            created=_moment(created),
            updated=_moment(updated),
        )

    async def append(
        self,
        principal: str,
        id: str,  # noqa: A002
        turns: Turns,
        *,
        expected_turns: int,
        model: str | None = None,
        settings: Json | None = None,
    ) -> None:
        """Adds turns at the end: all of them, or none.

        Args:
            principal: whose conversation it is.
            id: its handle.
            turns: Gemini `Content` objects; stored as they are, unknown fields and key order included.
            expected_turns: how many turns the caller saw when it built its request.
            model: the model that answered, where it changed.
            settings: the new settings, where they changed.

        Raises:
            NotFound: as `get`.
            ArgumentError: another call appended meanwhile (code `conversation_conflict`).
        """
        texts = [_encode(turn) for turn in turns]
        new_settings = None if settings is None else _encode(settings)

        def work(ledger: Ledger) -> None:
            self._erase_old(ledger)
            (present,) = self._row(ledger, principal, id, "turns", ledger.for_update)
            if present != expected_turns:
                raise ArgumentError(
                    f"Another call added to the conversation {id} meanwhile: it has {present} turns, not"
                    f" {expected_turns}. Nothing of this call was added to it.",
                    "Call again with the same conversation, one call at a time, or begin a new one.",
                    code="conversation_conflict",
                )
            ledger.executemany(
                "INSERT INTO turns (conversation, position, content) VALUES (?, ?, ?)",
                [(id, present + offset, text) for offset, text in enumerate(texts)],
            )
            ledger.execute(
                "UPDATE conversations SET turns = turns + ?, model = coalesce(?, model),"  # noqa: S608
                f" settings = coalesce(?, settings), updated = {NOW} WHERE id = ?",
                (len(texts), model, new_settings, id),
            )

        await self._store.run(work)

    async def list(self, principal: str, *, limit: int = 100) -> Summaries:
        """The principal's conversations, the newest first, at most `limit`."""

        def work(ledger: Ledger) -> list[Any]:
            return ledger.execute(
                "SELECT id, turns, model, created FROM conversations"  # noqa: S608
                f" WHERE principal = ? AND updated >= {self._oldest}"
                " ORDER BY created DESC, rowid DESC LIMIT ?",
                (principal, limit),
            ).fetchall()

        rows = await self._store.run(work, write=False)
        return [ConversationSummary(id, turns, model, _moment(created)) for id, turns, model, created in rows]  # noqa: A001

    async def delete(self, principal: str, id: str) -> None:  # noqa: A002
        """Erases a conversation with its turns.

        Raises:
            NotFound: as `get`.
        """

        def work(ledger: Ledger) -> None:
            self._erase_old(ledger)
            self._row(ledger, principal, id, "id", ledger.for_update)
            ledger.execute("DELETE FROM conversations WHERE id = ?", (id,))

        await self._store.run(work)

    def _erase_old(self, ledger: Ledger) -> None:
        ledger.execute(f"DELETE FROM conversations WHERE updated < {self._oldest}")  # noqa: S608

    def _row(self, ledger: Ledger, principal: str, identifier: str, columns: str, lock: str = "") -> Any:
        row = None
        if identifier.isascii():  # half a surrogate pair can be no parameter
            row = ledger.execute(
                f"SELECT {columns} FROM conversations WHERE id = ? AND principal = ?"  # noqa: S608
                f" AND updated >= {self._oldest}{lock}",
                (identifier, principal),
            ).fetchone()
        if row is None:
            # The same words for an unknown and a foreign one: a handle must not tell that somebody else has it.
            raise NotFound(
                f"There is no conversation {identifier[:64]!r}.",
                f"They are kept {self._keep_days} days after their last use: list_conversations shows them,"
                ' conversation="new" begins one.',
            )
        return row


def _encode(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: only an escape can carry it
        return json.dumps(value, separators=(",", ":"))
    return text


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
