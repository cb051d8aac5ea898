"""Who made what lies at Google: caches, stores, interactions and the like, which all belong to one key there.

Uploaded files and jobs have tables of their own, which know more of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from gemini_server.jobs.ledger import Ledger, Store, in_pieces
from gemini_server.jobs.schema import CLOCK


class Owners:
    """The owners in the ledger.

    Args:
        store: the ledger.
        place: the Gemini API at which the things are.
    """

    def __init__(self, store: Store, place: str) -> None:
        self._store = store
        self._place = place

    async def put(self, principal: str, name: str, seconds: float | None = None) -> None:
        """Write down who has made something; whoever made another of this name before has lost it.

        Args:
            principal: who.
            name: its resource name, such as `cachedContents/ID`.
            seconds: after which Google does not keep it; None where that is not known.

        Raises:
            LocalError: the ledger cannot be written.
        """

        def work(ledger: Ledger) -> None:
            ledger.execute(f"DELETE FROM owners WHERE expires < {CLOCK}")  # noqa: S608
            ledger.execute(
                f"INSERT INTO owners (place, name, principal, expires) VALUES (?, ?, ?, {CLOCK} + ?)"  # noqa: S608
                " ON CONFLICT (place, name) DO UPDATE SET principal = excluded.principal, expires = excluded.expires",
                (self._place, name, principal, seconds),
            )

        await self._store.run(work)

    async def of_others(self, principal: str, names: Sequence[str]) -> set[str]:
        """Those of some names whose things another principal has made.

        Raises:
            LocalError: the ledger cannot be read.
        """

        def work(ledger: Ledger) -> set[str]:
            theirs: set[str] = set()
            for marks, some in in_pieces(names):
                rows = ledger.execute(
                    f"SELECT name FROM owners WHERE place = ? AND principal <> ? AND name IN ({marks})",  # noqa: S608
                    (self._place, principal, *some),
                ).fetchall()
                theirs |= {name for (name,) in rows}
            return theirs

        return await self._store.run(work, write=False) if names else set()
