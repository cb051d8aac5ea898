"""Vectors of texts and media, and what people want from them: the best matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, cast, get_args

import anyio.to_thread
from pydantic import Field

from gemini_server.api.embeddings import MOST_DIMENSIONS, TaskType
from gemini_server.errors import ArgumentError, LocalError
from gemini_server.jobs.job import Job
from gemini_server.jobs.vectors import VectorSet, VectorSets
from gemini_server.toolkit import (
    artifacts,
    embedding,
    embedding_items,
    job_result,
    jobs,
    kept_vectors,
    performed,
    vectors,
)
from gemini_server.toolkit.artifacts import ArtifactOut
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedding import Embedded
from gemini_server.toolkit.embedding_items import Item
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.job_result import Pending
from gemini_server.toolkit.jobs import Plan, WaitSeconds
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.results import Result, Usage
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.vectors import Vector

TOOLSET = Toolset("embeddings", "Vectors of texts and media, and the best matches by them.")

KIND = "vectors"
RANKED_DIMENSIONS = 768
"""Enough to rank by, at a quarter of the traffic."""
MOST_MATCHES = 100


class Embeddings(Result):
    """One vector per item."""

    vectors: Annotated[list[list[float]] | None, Field(description="in the order of items, then media")] = None
    artifacts: list[ArtifactOut] | None = None
    dimensions: int | None = None
    count: int | None = None
    model: str | None = None
    usage: Usage | None = None
    job: Pending = None
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


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> Embeddings:
    """The vectors that a job made, or the job while it goes on."""
    return await job_result.finished(call, job, Embeddings, warnings)


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True, default=True, finish=finish)
async def embed(
    call: Call,
    items: Annotated[list[str] | None, Field(description="texts")] = None,
    media: Annotated[list[str] | None, Field(description="media")] = None,
    task_type: Annotated[str | None, Field(description="e.g. RETRIEVAL_QUERY")] = None,
    dimensions: Annotated[int | None, Field(description="1-3072")] = None,
    title: Annotated[str | None, Field(description="of documents")] = None,
    save: Annotated[bool, Field(description="as a file")] = False,
    format: Annotated[Literal["npy", "jsonl"] | None, Field(description="of it")] = None,  # noqa: A002
    wait_seconds: WaitSeconds = jobs.WAIT,
    model: ModelName = None,
) -> Embeddings:
    """Embed texts and media: one vector per item. Billed by token."""
    task = _task(task_type)
    if title and task != "RETRIEVAL_DOCUMENT":
        raise ArgumentError("title goes with task_type RETRIEVAL_DOCUMENT alone.", "Set it, or leave the title out.")
    if dimensions is not None and not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ArgumentError(f"dimensions is 1 to {MOST_DIMENSIONS}, not {dimensions}.", "768, 1536 or 3072 are best.")
    wanted = [Item(text=text, task=task, title=title) for text in items or ()]
    # The task is told to a model in words or a field of texts; pictures and sounds have neither.
    wanted += [Item(source=source) for source in media or ()]
    order = _Order(
        model_id(model or call.runtime.catalogue.default("embedding")), wanted, dimensions, task, format or "npy", save
    )
    await kept_vectors.check_room(call, len(wanted), dimensions or MOST_DIMENSIONS, order.form, save=save)
    embedding_items.check(call, order.model, wanted)
    same = [await embedding_items.look(call, wanted), dimensions, order.form, save]
    plan = Plan(KIND, "embed", "perform", order.model, identity=same, window=0.0)
    begun = await jobs.begin(call, plan, perform=performed.performing(call, KIND, lambda own: _embed(own, order)))
    job = await jobs.wait(call, begun.job, wait_seconds)
    return await finish(call, job, jobs.reused(begun))


@dataclass(frozen=True, slots=True)
class _Order:
    model: str
    items: list[Item]
    dimensions: int | None
    task: TaskType | None
    form: Literal["npy", "jsonl"]
    save: bool


async def _embed(call: Call, order: _Order) -> Embeddings:
    done = await embedding.embed(call, order.model, order.items, order.dimensions)
    warnings = embedding_items.remarks(call, order.model, order.items)
    result = Embeddings(
        dimensions=done.dimensions, count=done.count, model=order.model, usage=done.usage, retries=done.retries or None
    )
    inline = await anyio.to_thread.run_sync(kept_vectors.inline, done)
    form = order.form
    if done.cause is not None:
        result.incomplete, result.missing = True, done.missing()
        warnings.append(_incomplete(done))
        # Rows that are not there would shift all that follow; lines carry their index.
        form = "jsonl"
    if order.save or inline is None or done.cause is not None:
        try:
            texts = [item.text for item in order.items]
            kept, trouble = await kept_vectors.keep(
                call, done, texts, form, VectorSet(order.model, done.dimensions, order.task)
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
    warnings = embedding_items.remarks(call, chosen, [Item(text=text) for text in texts])
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
    data = await call.runtime.artifacts.read(found, limit=kept_vectors.FILE_BYTES * 2)
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
    return [Match(index=index, score=round(score, 6), text=kept_vectors.excerpt(texts[index])) for index, score in best]


def _task(named: str | None) -> TaskType | None:
    if named is None:
        return None
    known = get_args(TaskType)
    if named.upper() not in known:
        raise ArgumentError(
            f"There is no task_type {named[:40]!r}; nothing was sent.", f"There are: {', '.join(known)}."
        )
    return cast(TaskType, named.upper())


def _incomplete(done: Embedded) -> str:
    missing = done.missing()
    shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
    return (
        f"{done.count} of {len(done.vectors)} vectors came; items {shown} are missing. {done.cause} "
        "Embed only the missing ones again."
    )
