"""What the ledger knows of kept vectors: which model made them, of what. Vectors of different models do not compare."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gemini_server.jobs.ledger import Ledger, Store

_ROOM = 8 * 1024 * 1024
"""Characters of all texts together that are kept."""
_LONGEST = 200
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class VectorSet:
    """The origin of an artifact of vectors.

    Attributes:
        model: made them.
        dimensions: of each.
        task_type: what they were made for; None when nothing was said.
        count: how many items there were, those without a vector too; None where that is not known.
        texts: the beginnings of the texts, from `packed_texts`; empty where the file has the texts itself.
    """

    model: str
    dimensions: int
    task_type: str | None = None
    count: int | None = None
    texts: str = ""

    def excerpts(self, wanted: Iterable[int]) -> dict[int, str | None]:
        """The beginnings of some texts by index, None for media; blocks a while where there are many."""
        left = set(wanted)
        found: dict[int, str | None] = {}
        for index, text in enumerate(_texts(self.texts)):
            if index in left:
                left.remove(index)
                found[index] = text
            if not left:
                break
        return found


def excerpt(text: str | None, longest: int = _LONGEST) -> str | None:
    """The beginning of a text, as a match shows it."""
    return text if text is None or len(text) <= longest else text[: longest - 1] + "…"


def packed_texts(texts: Iterable[str | None], count: int) -> str:
    """The beginnings of texts, fit for the ledger; the more there are, the shorter. It blocks where there are many.

    Args:
        texts: all of them, None for media.
        count: how many.
    """
    longest = max(20, min(_LONGEST, _ROOM // max(1, count)))
    packer = zlib.compressobj(6)
    pieces = [packer.compress(json.dumps(excerpt(text, longest)).encode() + b"\n") for text in texts]
    return base64.b64encode(b"".join([*pieces, packer.flush()])).decode("ascii")


def _texts(packed: str) -> Iterator[str | None]:
    raw, unpacker, rest = base64.b64decode(packed), zlib.decompressobj(), b""
    while raw:
        *lines, rest = (rest + unpacker.decompress(raw, _PIECE)).split(b"\n")
        raw = unpacker.unconsumed_tail
        for line in lines:
            yield json.loads(line)
    for line in (rest + unpacker.flush()).splitlines():
        yield json.loads(line)


class VectorSets:
    """The origins of all artifacts of vectors, each known to its principal alone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, principal: str, artifact: str, origin: VectorSet) -> None:
        """Write down where an artifact's vectors come from.

        Raises:
            LocalError: the ledger cannot be written.
        """
        about: dict[str, Any] = {
            "model": origin.model, "dimensions": origin.dimensions, "task_type": origin.task_type,
            "count": origin.count, "texts": origin.texts,
        }  # fmt: skip
        value = json.dumps(about, ensure_ascii=True)

        def work(ledger: Ledger) -> None:
            ledger.execute(
                "INSERT INTO vector_sets (artifact, principal, about) VALUES (?, ?, ?)", (artifact, principal, value)
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
        read: dict[str, Any] = json.loads(about)
        texts: str | list[str | None] = read["texts"]
        if isinstance(texts, list):  # as it was kept at first
            texts = packed_texts(texts, len(texts)) if texts else ""
        return VectorSet(read["model"], read["dimensions"], read["task_type"], read.get("count"), texts)
