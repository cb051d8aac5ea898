"""What the ledger knows of uploads: where each is going, how to go on after a crash, and what became of it.

An upload belongs to a job, which moves it on; its row outlives the job's end, so that the same bytes are not sent again
while Google keeps them. The URL of a session is a credential: it is in the ledger for as long as the session lasts, and
nowhere else.

What counts as the same bytes: the same digest, or, as long as that is not known, the same file in the same state on the
same machine (`origin`); of the same type, for the same principal, under the same key and base URL (`place`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gemini_server.jobs.ledger import Ledger, Store, in_pieces
from gemini_server.jobs.schema import CLOCK

SPARE = 3600.0
"""Seconds before its end from which on an upload is not used any more: a long job must still be able to read it."""

_COLUMNS = (
    "job, principal, place, origin, sha256, bytes, mime_type, name, session, granularity, starts, state, uri, "
    "display_name, expires, confirmed"
)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload.

    Attributes:
        job: that moves it on.
        principal: whose it is.
        place: under which key and base URL it lies, as a digest.
        origin: which file it was, and in which state.
        sha256: of the bytes, in hex; None until it is known.
        bytes: how many.
        mime_type: of the bytes.
        name: `files/ID`, chosen before anything was sent, so that it is known whatever gets lost.
        session: the URL that the bytes go to, while they do; a credential.
        granularity: of that session.
        starts: how many sessions there have been.
        state: `sending`; `live` once it can be used; `gone`.
        uri: by which requests refer to it, once it is live.
        display_name: its name for people.
        expires: seconds since 1970 after which Google does not keep it.
        age: seconds since Google was last asked about it, once it is live.
    """

    job: str
    principal: str
    place: str
    origin: str
    sha256: str | None
    bytes: int
    mime_type: str
    name: str
    session: str | None = field(default=None, repr=False)
    granularity: int = 0
    starts: int = 0
    state: Literal["sending", "live", "gone"] = "sending"
    uri: str | None = None
    display_name: str | None = None
    expires: float | None = None
    age: float | None = None


class Uploads:
    """The uploads in the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, new: Upload) -> Upload:
        """The upload of a job as it is known, or from now on `new`."""

        def look(ledger: Ledger) -> Any:
            return ledger.execute(f"SELECT {_SELECTED} FROM uploads WHERE job = ?", (new.job,)).fetchone()  # noqa: S608

        def work(ledger: Ledger) -> Any:
            ledger.execute(
                "INSERT INTO uploads (job, principal, place, origin, sha256, bytes, mime_type, name, granularity,"
                " starts, state, display_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 'sending', ?)"
                " ON CONFLICT DO NOTHING",
                (new.job, new.principal, new.place, new.origin, new.sha256, new.bytes, new.mime_type, new.name,
                 new.display_name),
            )  # fmt: skip
            return look(ledger)

        return _of_row(await self._store.run(look, write=False) or await self._store.run(work))

    async def began(self, upload: Upload, session: str, granularity: int, name: str) -> Upload:
        """Write down the session to which the bytes go from now on, before the first of them is sent."""

        def work(ledger: Ledger) -> Upload:
            rows = ledger.execute(
                "UPDATE uploads SET session = ?, granularity = ?, name = ?, starts = starts + 1 WHERE job = ?"  # noqa: S608
                f" RETURNING {_SELECTED}",
                (session, granularity, name, upload.job),
            ).fetchall()
            return _of_row(rows[0])

        return await self._store.run(work)

    async def arrived(self, job: str, name: str, sha256: str) -> None:
        """All bytes are at Google under this name, and they are those that were read."""
        await self._set(job, "session = NULL, name = ?, sha256 = ?", name, sha256)

    async def settled(self, job: str, uri: str, expires: float | None) -> None:
        """It can be used."""
        await self._set(job, f"state = 'live', uri = ?, expires = ?, confirmed = {CLOCK}", uri, expires)

    async def gone(self, job: str) -> None:
        """It came to nothing, or is not there any more."""
        await self._set(job, "state = 'gone', session = NULL")

    async def confirmed(self, job: str) -> None:
        """Google has just said that it is there."""
        await self._set(job, f"confirmed = {CLOCK}")

    async def deleted(self, place: str, name: str) -> None:
        """Somebody has deleted it at Google."""

        def work(ledger: Ledger) -> None:
            ledger.execute("UPDATE uploads SET state = 'gone' WHERE place = ? AND name = ?", (place, name))

        await self._store.run(work)

    async def alike(self, principal: str, place: str, size: int, mime_type: str) -> list[Upload]:
        """Uploads that may be of the same bytes: under way, or live for some time yet; the latest first."""

        def work(ledger: Ledger) -> list[Any]:
            return ledger.execute(
                f"SELECT {_SELECTED} FROM uploads WHERE principal = ? AND place = ? AND bytes = ? AND mime_type = ?"  # noqa: S608
                f" AND (state = 'sending' OR (state = 'live' AND (expires IS NULL OR expires > {CLOCK} + ?)))"
                " ORDER BY rowid DESC",
                (principal, place, size, mime_type, SPARE),
            ).fetchall()

        return [_of_row(row) for row in await self._store.run(work, write=False)]

    async def of_others(self, principal: str, names: Sequence[str]) -> set[str]:
        """Those of some files that another principal has uploaded."""

        def work(ledger: Ledger) -> set[str]:
            theirs: set[str] = set()
            for marks, some in in_pieces(names):
                rows = ledger.execute(
                    f"SELECT DISTINCT name FROM uploads WHERE principal <> ? AND name IN ({marks})",  # noqa: S608
                    (principal, *some),
                ).fetchall()
                theirs |= {name for (name,) in rows}
            return theirs

        return await self._store.run(work, write=False) if names else set()

    async def _set(self, job: str, assignments: str, *values: object) -> None:
        def work(ledger: Ledger) -> None:
            ledger.execute(f"UPDATE uploads SET {assignments} WHERE job = ?", (*values, job))  # noqa: S608

        await self._store.run(work)


_SELECTED = _COLUMNS.replace("confirmed", f"{CLOCK} - confirmed")


def _of_row(row: Any) -> Upload:
    return Upload(*row)
