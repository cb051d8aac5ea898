"""Vectors of texts and media, and what people want from them: the best matches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar, cast, get_args

import anyio.to_thread
from pydantic import Field

from gemini_server.api.embeddings import MOST_DIMENSIONS, TaskType
from gemini_server.errors import ArgumentError, LocalError
from gemini_server.jobs.job import Job
from gemini_server.jobs.vectors import VectorSet, VectorSets, excerpt
from gemini_server.toolkit import (
    artifacts,
    embedding,
    embedding_items,
    job_result,
    jobs,
    kept_vectors,
    performed,
    ranking,
)
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedded import Embedded
from gemini_server.toolkit.embedding_items import Items
from gemini_server.toolkit.generation.options import model_id
from gemini_server.toolkit.job_result import Pending
from gemini_server.toolkit.jobs import Plan, WaitSeconds
from gemini_server.toolkit.kept_vectors import Keeper
from gemini_server.toolkit.params import ModelName
from gemini_server.toolkit.ranking import Comparison
from gemini_server.toolkit.results import ArtifactOut, Result, Usage
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("embeddings", "Vectors of texts and media, and the best matches by them.")

KIND = "vectors"
RANKED_DIMENSIONS = 768
"""Enough to rank by, at a quarter of the traffic."""
MOST_MATCHES = 100

T = TypeVar("T")


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

    def as_text(self) -> str:
        """The same as JSON; of more numbers than anybody reads, how they begin."""
        return kept_vectors.told(self, self.vectors)


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
    wanted = Items(items or (), media or (), task, title)
    order = _Order(model_id(model or call.runtime.catalogue.default("embedding")), wanted, dimensions, format, save)
    await kept_vectors.check_room(call, len(wanted), dimensions or MOST_DIMENSIONS, order.form, save=save)
    await _in_thread(wanted, embedding_items.check, call, order.model, wanted)
    same = [await embedding_items.look(call, wanted), dimensions, order.form, save]
    plan = Plan(KIND, "embed", "perform", order.model, identity=same, window=0.0)
    begun = await jobs.begin(call, plan, perform=performed.performing(call, KIND, lambda own: _embed(own, order)))
    job = await jobs.wait(call, begun.job, wait_seconds)
    return await finish(call, job, jobs.reused(begun))


@dataclass(frozen=True, slots=True)
class _Order:
    model: str
    items: Items
    dimensions: int | None
    format: Literal["npy", "jsonl"] | None
    save: bool

    @property
    def form(self) -> str:
        return self.format or "npy"


async def _embed(call: Call, order: _Order) -> Embeddings:
    keeper = Keeper(call, order.items, order.form, save=order.save)
    try:
        return await _embedded(call, order, keeper)
    finally:
        await keeper.drop()


async def _embedded(call: Call, order: _Order, keeper: Keeper) -> Embeddings:
    done = await embedding.embed(call, order.model, order.items, keeper, order.dimensions)
    warnings = await _in_thread(order.items, embedding_items.remarks, call, order.model, order.items)
    result = Embeddings(
        dimensions=done.dimensions, count=done.count, model=order.model, usage=done.usage, retries=done.retries or None
    )
    if order.dimensions is not None and done.dimensions != order.dimensions:
        warnings.append(f"The vectors have {done.dimensions} dimensions; {order.dimensions} were asked for.")
    inline = keeper.inline()
    if done.cause is not None:
        result.incomplete, result.missing = True, done.missing()
        warnings.append(_incomplete(done))
    if order.save or inline is None or done.cause is not None:
        try:
            kept, trouble = await keeper.keep(done, VectorSet(order.model, done.dimensions, order.items.task))
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
    items = Items(texts, task="RETRIEVAL_DOCUMENT", query=query)
    await _in_thread(items, embedding_items.check, call, chosen, items)
    comparison = Comparison(top_k)
    done = await embedding.embed(call, chosen, items, comparison, RANKED_DIMENSIONS)
    if comparison.nearest is None:
        raise done.cause or ArgumentError("The query has no vector.")
    warnings = await _in_thread(items, embedding_items.remarks, call, chosen, Items(texts))
    if done.cause is not None:
        warnings.append(f"Not all candidates were compared. {done.cause}")
    return Ranking(
        matches=_matches([(index, cosine, texts[index]) for index, cosine, _ in comparison.nearest.best()]),
        count=done.count - 1,
        model=chosen,
        usage=done.usage,
        incomplete=True if done.cause else None,
        missing=done.missing(1) or None,
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
    # A question is asked of documents; everything else is compared with its own kind.
    task = "RETRIEVAL_QUERY" if origin.task_type == "RETRIEVAL_DOCUMENT" else origin.task_type
    async with ranking.opened(call, found) as file:  # what was changed is not paid for
        comparison = Comparison(top_k)
        asking = Items([query], task=_task(task))
        done = await embedding.embed(call, chosen, asking, comparison, origin.dimensions)
        if comparison.nearest is None or done.dimensions != origin.dimensions:
            raise ArgumentError(
                f"The artifact's vectors have {origin.dimensions} dimensions, the query's {done.dimensions}.",
                "Embed the items again.",
            )
        ranked = await file.rank(origin, comparison.nearest)
    missing = ranked.missing()
    return Ranking(
        matches=_matches(ranked.matches),
        count=ranked.count,
        model=chosen,
        usage=done.usage,
        incomplete=True if missing else None,
        missing=missing or None,
        retries=done.retries or None,
    )


def _matches(best: Sequence[tuple[int, float, str | None]]) -> list[Match]:
    return [Match(index=index, score=round(score, 6), text=excerpt(text)) for index, score, text in best]


async def _in_thread(items: Items, work: Callable[..., T], *arguments: object) -> T:
    """Look at items, in a thread where there are many."""
    if len(items) > embedding_items.FEW:
        return await anyio.to_thread.run_sync(work, *arguments)
    return work(*arguments)


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
        f"{done.count} of {done.total} vectors came; items {shown} are missing. {done.cause} "
        "Embed only the missing ones again."
    )
