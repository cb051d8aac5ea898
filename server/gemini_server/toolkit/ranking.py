"""The best matches of a query, found while vectors pass by: those of a file, or those that are just being made."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BufferedReader

import anyio
import anyio.to_thread

from gemini_server.errors import ArgumentError
from gemini_server.jobs.artifacts import Artifact
from gemini_server.jobs.vectors import VectorSet
from gemini_server.toolkit import vectors
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedded import gaps, grown
from gemini_server.toolkit.vectors import Found, Nearest, Rows

FEW = 50
"""Vectors that are compared without a thread of their own."""


@dataclass
class Ranked:
    """What a look through vectors found.

    Attributes:
        matches: index, cosine and text of the best, the best first.
        came: the ranges of the items that have vectors.
        total: how many items there are.
    """

    matches: list[tuple[int, float, str | None]]
    came: list[range] = field(default_factory=list[range])
    total: int = 0

    @property
    def count(self) -> int:
        """How many were compared."""
        return sum(map(len, self.came))

    def missing(self) -> list[str]:
        """The items without a vector, as ranges."""
        return gaps(self.came, self.total)


class VectorsOnDisk:
    """A file of vectors, open and found to be what it was when it was made; read a piece at a time."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file

    async def rank(self, origin: VectorSet, nearest: Nearest) -> Ranked:
        """The best matches among its vectors.

        Args:
            origin: what the ledger knows of it.
            nearest: looks for them.

        Raises:
            ArgumentError: it holds no vectors of as many dimensions.
        """
        return await anyio.to_thread.run_sync(self._rank, origin, nearest)

    def _rank(self, origin: VectorSet, nearest: Nearest) -> Ranked:
        came: list[range] = []

        def counted(found: Found) -> Found:
            grown(came, found[0], found[0] + 1)
            return found

        npy = vectors.is_npy(self._file.peek(8))
        try:
            nearest.look(map(counted, vectors.from_npy(self._file) if npy else vectors.from_jsonl(self._file)))
        except ValueError:
            raise ArgumentError(
                "The artifact's vectors do not have the dimensions of the query's.", "Embed the items again."
            ) from None
        matches = nearest.best()
        if npy:
            texts = origin.excerpts(index for index, _, _ in matches)
            matches = [(index, cosine, texts.get(index)) for index, cosine, _ in matches]
        total = max(origin.count or 0, came[-1].stop if came else 0)
        return Ranked(matches, came, total)


@asynccontextmanager
async def opened(call: Call, artifact: Artifact) -> AsyncGenerator[VectorsOnDisk]:
    """Open a file of vectors.

    Raises:
        NotFound: it was removed or changed.
    """
    with await _open(call, artifact) as file:
        yield VectorsOnDisk(file)


async def _open(call: Call, artifact: Artifact) -> BufferedReader:
    with anyio.CancelScope(shield=True):  # a descriptor must not be lost on the way
        return os.fdopen(await call.runtime.artifacts.open(artifact, limit=artifact.bytes), "rb")
    raise AssertionError  # for the type checkers: this scope swallows nothing


class Comparison:
    """Takes vectors as they come: the first is the query's, the others are compared with it."""

    def __init__(self, top: int) -> None:
        self._top = top
        self.nearest: Nearest | None = None

    async def take(self, start: int, rows: Rows) -> None:
        """As `embedded.Receiver`."""
        if len(rows) > FEW:
            await anyio.to_thread.run_sync(self._look, start, rows)
        else:
            self._look(start, rows)

    def _look(self, start: int, rows: Rows) -> None:
        found = enumerate(rows, start)
        if start == 0:
            self.nearest = Nearest(next(found)[1], self._top)
        if self.nearest is not None:
            self.nearest.look((index - 1, vector, None) for index, vector in found)
