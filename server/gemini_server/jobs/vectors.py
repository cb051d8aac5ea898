"""What the ledger knows of kept vectors: which model made them, of what. Vectors of different models do not compare."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from gemini_server.jobs.ledger import Ledger, Store


@dataclass(frozen=True, slots=True)
class VectorSet:
    """The origin of an artifact of vectors.

    Attributes:
        model: made them.
        dimensions: of each.
        task_type: what they were made for; None when nothing was said.
        texts: the beginning of each text, None for media; empty where the file has the texts itself.
    """

    model: str
    dimensions: int
    task_type: str | None = None
    texts: tuple[str | None, ...] = ()


class VectorSets:
    """The origins of all artifacts of vectors, each known to its principal alone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, principal: str, artifact: str, origin: VectorSet) -> None:
        """Write down where an artifact's vectors come from.

        Raises:
            LocalError: the ledger cannot be written.
        """
        about = json.dumps(asdict(origin), ensure_ascii=True)

        def work(ledger: Ledger) -> None:
            ledger.execute(
                "INSERT INTO vector_sets (artifact, principal, about) VALUES (?, ?, ?)", (artifact, principal, about)
            )

        await self._store.run(work)

    async def get(self, principal: str, artifact: str) -> VectorSet | None:
        """Where they come from; None for an artifact of something else, and for another principal's."""

        def work(ledger: Ledger) -> str | None:
            row = ledger.execute(
                "SELECT about FROM vector_sets WHERE artifact = ? AND principal = ?", (artifact, principal)
            ).fetchone()
            return None if row is None else str(row[0])

        about = await self._store.run(work, write=False)
        if about is None:
            return None
        read = json.loads(about)
        return VectorSet(read["model"], read["dimensions"], read["task_type"], tuple(read["texts"]))
