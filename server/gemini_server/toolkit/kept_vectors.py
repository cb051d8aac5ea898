"""Vectors in a result, as far as a context takes them, and in a file that rank_by_similarity reads."""

from __future__ import annotations

import json
from dataclasses import replace

import anyio.to_thread

from gemini_server.errors import ArgumentError, LocalError
from gemini_server.jobs.vectors import VectorSet, VectorSets
from gemini_server.toolkit import artifacts, vectors
from gemini_server.toolkit.artifacts import ArtifactOut
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedding import Embedded

INLINE_FLOATS = 20_000
INLINE_BYTES = 150 * 1024
"""The most that a result holds inline; an agent cannot use more numbers than that anyway."""
FILE_BYTES = 256 * 1024 * 1024
"""The largest file of vectors."""
EXCERPT = 200
"""Characters of a text that a match shows."""


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


def inline(done: Embedded) -> list[list[float]] | None:
    """The vectors as a result shows them; None where they are too many."""
    if done.count * done.dimensions > INLINE_FLOATS:
        return None
    shown = [vectors.rounded(vector) for vector in done.vectors if vector is not None]
    return shown if len(json.dumps(shown, separators=(",", ":"))) <= INLINE_BYTES else None


async def keep(
    call: Call, done: Embedded, texts: list[str | None], form: str, origin: VectorSet
) -> tuple[ArtifactOut, list[str]]:
    """Save the vectors, and write down where they come from; what goes wrong with that is a warning."""

    def write() -> bytes:
        if form == "jsonl":
            return vectors.to_jsonl(done.vectors, texts)
        return vectors.to_npy([vector for vector in done.vectors if vector is not None])

    data = await anyio.to_thread.run_sync(write)
    kept = await artifacts.keep(call, "vectors", data, name="vectors.jsonl" if form == "jsonl" else "")
    if form != "jsonl":
        # Lines of JSON have the texts themselves.
        origin = replace(origin, texts=tuple(map(excerpt, texts)))
    try:
        await VectorSets(call.runtime.store).put(call.principal, kept.id, origin)
    except LocalError as error:
        return kept, [f"rank_by_similarity cannot use {kept.uri}: {error}"]
    return kept, []


def excerpt(text: str | None) -> str | None:
    """The beginning of a text, as a match shows it."""
    return text if text is None or len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
