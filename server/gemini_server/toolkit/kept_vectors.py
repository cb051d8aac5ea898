"""Where the vectors of a call go: into its result while they are few, else into a file for rank_by_similarity."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import anyio
import anyio.to_thread
from pydantic_core import to_json

from gemini_server.errors import ArgumentError, LocalError
from gemini_server.jobs.artifacts import Artifact, register
from gemini_server.jobs.vectors import VectorSet, VectorSets, packed_texts
from gemini_server.toolkit import artifacts, vectors
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedded import Embedded
from gemini_server.toolkit.embedding_items import Items
from gemini_server.toolkit.results import ArtifactOut, Result
from gemini_server.toolkit.vector_file import KIND, TRAITS, VectorFile
from gemini_server.toolkit.vectors import Rows

INLINE_FLOATS = 20_000
INLINE_BYTES = 150 * 1024
"""The most that a result holds inline; an agent cannot use more numbers than that anyway."""
READABLE = 4096
"""Characters of a result that a reader of text alone is given with its numbers."""
FILE_BYTES = 2 * 1024 * 1024 * 1024
"""The largest file of vectors."""

_log = logging.getLogger(__name__)


async def check_room(call: Call, count: int, dimensions: int, form: str, *, save: bool) -> None:
    """Refuse what could not be kept, before it is paid for."""
    size = count * dimensions * vectors.BYTES_PER_FLOAT[form]
    if size > FILE_BYTES:
        raise ArgumentError(
            f"{count} vectors of {dimensions} dimensions are {size >> 20} MiB as {form}, more than the "
            f"{FILE_BYTES >> 20} of one file; nothing was sent.",
            "Take fewer dimensions (768), the format npy, or several calls.",
        )
    if save or count * dimensions > INLINE_FLOATS:
        await call.runtime.artifacts.check_room(size)


def told(result: Result, shown: Sequence[Sequence[float]] | None) -> str:
    """A result with a member `vectors` as text: its JSON, without numbers that would fill a reader's context."""
    whole = result.as_json()
    if not shown or len(whole) <= READABLE:
        return whole
    begins = ", ".join(f"{number:g}" for number in shown[0][:4])
    rest = result.model_copy(update={"vectors": None}).as_json()
    return (
        f"[{len(shown)} vectors of {len(shown[0])} numbers are in the structured result; the first begins {begins}. "
        f"embed with save=true puts them into a file.]\n{rest}"
    )


class Keeper:
    """Takes the vectors of one call.

    Args:
        call: the call.
        items: what is embedded.
        form: of a file, `npy` or `jsonl`.
        save: whether there is to be a file even where there are few.
    """

    def __init__(self, call: Call, items: Items, form: str, *, save: bool) -> None:
        self._call = call
        self._items = items
        self._form = form
        self._save = save
        self._few: list[tuple[int, Rows]] = []
        self._file: VectorFile | None = None

    async def take(self, start: int, rows: Rows) -> None:
        """As `embedded.Receiver`."""
        if self._file is None and (self._save or len(self._items) * rows.width > INLINE_FLOATS):
            self._file = VectorFile(self._call.runtime.artifacts.files, self._form, len(self._items), self._items.text)
        if self._file is None:
            self._few.append((start, rows))
        else:
            await anyio.to_thread.run_sync(self._file.add, start, rows)

    def inline(self) -> list[list[float]] | None:
        """The vectors as a result shows them; None where they are too many."""
        if self._file is not None:
            return None
        shown = [vectors.rounded(vector) for _, rows in self._few for vector in rows]
        return shown if len(to_json(shown)) <= INLINE_BYTES else None

    async def keep(self, done: Embedded, origin: VectorSet) -> tuple[ArtifactOut, list[str]]:
        """The file with all that came, and what went wrong with writing down where it comes from.

        Raises:
            LocalError: it cannot be written.
        """
        with anyio.CancelScope(shield=True):  # from here on it is there, or an error says why
            file = self._file
            if file is None:
                # Rows that are not there would shift all that follow; lines carry their index.
                form = "jsonl" if done.count < done.total else self._form
                file = self._file = VectorFile(
                    self._call.runtime.artifacts.files, form, len(self._items), self._items.text
                )
                for start, rows in self._few:
                    await anyio.to_thread.run_sync(file.add, start, rows)
            await anyio.to_thread.run_sync(file.end)
            artifact = await self._publish(file)
            self._file = None
            return artifacts.shown(self._call, artifact), await self._describe(file, artifact, origin)
        raise AssertionError  # for the type checkers: this scope swallows nothing

    async def drop(self) -> None:
        """Remove a file that was begun and is not wanted."""
        if self._file is None:
            return
        with anyio.CancelScope(shield=True):
            try:
                await anyio.to_thread.run_sync(self._file.drop)
            except (LocalError, OSError) as error:
                _log.info("a part is left to the next clearing up: %s", error)

    async def _publish(self, file: VectorFile) -> Artifact:
        runtime, principal = self._call.runtime, self._call.principal
        artifact = await runtime.artifacts.finish(
            file.identifier, KIND, file.created, TRAITS[file.form], size=file.size, sha256=file.sha256
        )
        await runtime.store.run(lambda ledger: register(ledger, principal, artifact))
        await runtime.artifacts.forget(file.identifier, KIND, file.created)
        return artifact

    async def _describe(self, file: VectorFile, artifact: Artifact, origin: VectorSet) -> list[str]:
        count = len(self._items)
        origin = replace(origin, count=count)
        if file.form == "npy":
            # Lines of JSON have the texts themselves.
            texts = map(self._items.text, range(count))
            packed = await anyio.to_thread.run_sync(packed_texts, texts, count)
            origin = replace(origin, texts=packed)
        try:
            await VectorSets(self._call.runtime.store).put(self._call.principal, artifact.id, origin)
        except LocalError as error:
            return [f"rank_by_similarity cannot use {artifacts.URI}{artifact.id}: {error}"]
        return []
