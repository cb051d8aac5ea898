"""Vectors of texts and media, and what people want from them: the best matches."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Literal, cast, get_args

import anyio.to_thread
from pydantic import Field

from gemini_server.api.embeddings import MOST_DIMENSIONS, TaskType
from gemini_server.errors import ArgumentError, LocalError
from gemini_server.jobs.vectors import VectorSet, VectorSets
from gemini_server.toolkit import artifacts, embedding, vectors
from gemini_server.toolkit.artifacts import ArtifactOut
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedding import Embedded, Item
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.results import Result, Usage
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.vectors import Vector

TOOLSET = Toolset("embeddings", "Vectors of texts and media, and the best matches by them.")

INLINE_FLOATS = 20_000
INLINE_BYTES = 150 * 1024
"""The most that a result holds inline; an agent cannot use more numbers than that anyway."""
FILE_BYTES = 256 * 1024 * 1024
"""The largest file of vectors."""
EXCERPT = 200
"""Characters of a text that a match shows."""
RANKED_DIMENSIONS = 768
"""Enough to rank by, at a quarter of the traffic."""
MOST_MATCHES = 100


class Embeddings(Result):
    """One vector per item."""

    vectors: Annotated[list[list[float]] | None, Field(description="in the order of items, then media")] = None
    artifacts: list[ArtifactOut] | None = None
    dimensions: int
    count: int
    model: str
    usage: Usage
    incomplete: bool | None = None
    missing: Annotated[list[str] | None, Field(description="items without a vector, e.g. 200-299")] = None
    warnings: list[str] | None = None
    retries: int | None = None


class Match(Result):
    """A candidate that is like the query."""

    index: int
    score: Annotated[float, Field(description="cosine")]
    text: str | None = None


class Ranking(Result):
    """The best matches, the best first."""

    matches: list[Match]
    count: Annotated[int, Field(description="candidates compared")]
    model: str
    usage: Usage
    incomplete: bool | None = None
    missing: list[str] | None = None
    warnings: list[str] | None = None
    retries: int | None = None


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True, default=True)
async def embed(
    call: Call,
    items: Annotated[list[str] | None, Field(description="texts")] = None,
    media: Annotated[list[str] | None, Field(description="media")] = None,
    task_type: Annotated[str | None, Field(description="e.g. RETRIEVAL_QUERY")] = None,
    dimensions: Annotated[int | None, Field(description="1-3072")] = None,
    title: Annotated[str | None, Field(description="of documents")] = None,
    save: Annotated[bool, Field(description="as a file")] = False,
    format: Annotated[Literal["npy", "jsonl"] | None, Field(description="of it")] = None,  # noqa: A002
    model: ModelName = None,
) -> Embeddings:
    """Embed texts and media: one vector per item. Billed by token."""
    task = _task(task_type)
    form = format or "npy"
    if title and task != "RETRIEVAL_DOCUMENT":
        raise ArgumentError("title goes with task_type RETRIEVAL_DOCUMENT alone.", "Set it, or leave the title out.")
    if dimensions is not None and not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ArgumentError(f"dimensions is 1 to {MOST_DIMENSIONS}, not {dimensions}.", "768, 1536 or 3072 are best.")
    wanted = [Item(text=text, task=task, title=title) for text in items or ()]
    # The task is told to a model in words or a field of texts; pictures and sounds have neither.
    wanted += [Item(source=source) for source in media or ()]
    chosen = model_id(model or call.runtime.catalogue.default("embedding"))
    await _check_room(call, len(wanted), dimensions or MOST_DIMENSIONS, form, save=save)
    done = await embedding.embed(call, chosen, wanted, dimensions)
    warnings = embedding.remarks(call, chosen, wanted)
    result = Embeddings(
        dimensions=done.dimensions, count=done.count, model=chosen, usage=done.usage, retries=done.retries or None
    )
    inline = await anyio.to_thread.run_sync(_inline, done)
    if done.cause is not None:
        result.incomplete, result.missing = True, done.missing()
        warnings.append(_incomplete(done))
        # Rows that are not there would shift all that follow; lines carry their index.
        form = "jsonl"
    if save or inline is None or done.cause is not None:
        try:
            kept, trouble = await _keep(
                call, done, [item.text for item in wanted], form, VectorSet(chosen, done.dimensions, task)
            )
            result.artifacts = [kept]
            warnings += trouble
        except LocalError as error:
            if inline is None:
                raise
            warnings.append(f"Not saved: {error}")
    if result.artifacts is None:
        result.vectors = inline
    result.warnings = warnings or None
    return result


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def rank_by_similarity(
    call: Call,
    query: Annotated[str, Field(description="text")],
    candidates: Annotated[list[str] | None, Field(description="texts")] = None,
    artifact: Annotated[str | None, Field(description="of embed")] = None,
    top_k: Annotated[int | None, Field(description="default 5")] = None,
    model: ModelName = None,
) -> Ranking:
    """Find the best matches of a query among texts or items of an embed artifact. Billed by token."""
    top_k = 5 if top_k is None else top_k
    if not 1 <= top_k <= MOST_MATCHES:
        raise ArgumentError(f"top_k is 1 to {MOST_MATCHES}, not {top_k}.")
    if not query.strip():
        raise ArgumentError("The query is empty; nothing was sent.", "Say what to look for.")
    if bool(candidates) == bool(artifact):
        raise ArgumentError("Give either candidates or an artifact.", "An artifact comes from embed with save.")
    if artifact:
        return await _rank_kept(call, query, artifact, top_k, model)
    chosen = model_id(model or call.runtime.catalogue.default("embedding"))
    texts = candidates or []
    empty = [index for index, text in enumerate(texts) if not text.strip()]
    if empty:
        raise ArgumentError(f"Nothing was sent: candidate {empty[0]} is empty.", "Leave empty candidates out.")
    items = [Item(text=query, task="RETRIEVAL_QUERY"), *(Item(text=text, task="RETRIEVAL_DOCUMENT") for text in texts)]
    done = await embedding.embed(call, chosen, items, RANKED_DIMENSIONS)
    first, *others = done.vectors
    if first is None:
        raise done.cause or ArgumentError("The query has no vector.")
    warnings = embedding.remarks(call, chosen, [Item(text=text) for text in texts])
    if done.cause is not None:
        warnings.append(f"Not all candidates were compared. {done.cause}")
    return Ranking(
        matches=await _ranked(first, others, texts, top_k),
        count=done.count - 1,
        model=chosen,
        usage=done.usage,
        incomplete=True if done.cause else None,
        missing=Embedded(others).missing() or None,
        warnings=warnings or None,
        retries=done.retries or None,
    )


async def _rank_kept(call: Call, query: str, artifact: str, top_k: int, model: str | None) -> Ranking:
    identifier = artifact.removeprefix(artifacts.URI)
    found = await call.runtime.artifacts.get(call.principal, identifier)
    origin = await VectorSets(call.runtime.store).get(call.principal, identifier)
    if origin is None:
        raise ArgumentError(
            f"Artifact {identifier} holds no vectors of embed.", "Give an artifact that embed returned, or candidates."
        )
    chosen = model_id(model or origin.model)
    if chosen != origin.model:
        raise ArgumentError(
            f"The artifact's vectors are of {origin.model}; those of {chosen} do not compare with them.",
            "Leave model out, or embed the items again.",
        )
    data = await call.runtime.artifacts.read(found, limit=FILE_BYTES * 2)
    kept: list[Vector | None]
    texts: list[str | None]
    if vectors.is_npy(data):
        kept = list(await anyio.to_thread.run_sync(vectors.from_npy, data))
        texts = list(origin.texts) or [None] * len(kept)
    else:
        kept, texts = await anyio.to_thread.run_sync(vectors.from_jsonl, data)
    # A question is asked of documents; everything else is compared with its own kind.
    task = "RETRIEVAL_QUERY" if origin.task_type == "RETRIEVAL_DOCUMENT" else origin.task_type
    asking = Item(text=query, task=_task(task))
    done = await embedding.embed(call, chosen, [asking], origin.dimensions)
    asked = done.vectors[0]
    if asked is None or done.dimensions != Embedded(kept).dimensions:
        raise ArgumentError(
            f"The artifact's vectors have {Embedded(kept).dimensions} dimensions, the query's {done.dimensions}.",
            "Embed the items again.",
        )
    missing = Embedded(kept).missing()
    return Ranking(
        matches=await _ranked(asked, kept, texts, top_k),
        count=Embedded(kept).count,
        model=chosen,
        usage=done.usage,
        incomplete=True if missing else None,
        missing=missing or None,
        retries=done.retries or None,
    )


async def _ranked(
    query: Vector, candidates: list[Vector | None], texts: list[str | None] | list[str], top_k: int
) -> list[Match]:
    best = await anyio.to_thread.run_sync(vectors.nearest, query, candidates, top_k)
    return [Match(index=index, score=round(score, 6), text=_excerpt(texts[index])) for index, score in best]


def _task(named: str | None) -> TaskType | None:
    if named is None:
        return None
    known = get_args(TaskType)
    if named.upper() not in known:
        raise ArgumentError(
            f"There is no task_type {named[:40]!r}; nothing was sent.", f"There are: {', '.join(known)}."
        )
    return cast(TaskType, named.upper())


def _excerpt(text: str | None) -> str | None:
    return text if text is None or len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


async def _check_room(call: Call, count: int, dimensions: int, form: str, *, save: bool) -> None:
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


def _incomplete(done: Embedded) -> str:
    missing = done.missing()
    shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
    return (
        f"{done.count} of {len(done.vectors)} vectors came; items {shown} are missing. {done.cause} "
        "Embed only the missing ones again."
    )


def _inline(done: Embedded) -> list[list[float]] | None:
    """The vectors as a result shows them; None where they are too many."""
    if done.count * done.dimensions > INLINE_FLOATS:
        return None
    shown = [vectors.rounded(vector) for vector in done.vectors if vector is not None]
    return shown if len(json.dumps(shown, separators=(",", ":"))) <= INLINE_BYTES else None


async def _keep(
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
        origin = replace(origin, texts=tuple(map(_excerpt, texts)))
    try:
        await VectorSets(call.runtime.store).put(call.principal, kept.id, origin)
    except LocalError as error:
        return kept, [f"rank_by_similarity cannot use {kept.uri}: {error}"]
    return kept, []
