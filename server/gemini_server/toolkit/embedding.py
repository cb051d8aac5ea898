"""Embed any number of items: planned into batches, several under way at once, the order kept, nothing paid lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

import anyio
import anyio.to_thread

from gemini_server.api import embeddings
from gemini_server.api.content import Content, Part, text_part
from gemini_server.api.embeddings import (
    BatchEmbedContentsRequest,
    BatchEmbedContentsResponse,
    EmbedContentRequest,
    EmbeddingUsageMetadata,
)
from gemini_server.errors import BadAnswer, NotFound, ToolserverError
from gemini_server.rest.body import InlineMedia
from gemini_server.toolkit import media, vectors
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedding_items import Item, check
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.vectors import Vector

IN_FLIGHT = 4
"""Batches of one call that are under way at once."""
BATCH_BYTES = 16 * 1024 * 1024
"""Texts and media of one batch; a larger item goes alone."""


@dataclass
class Embedded:
    """What came.

    Attributes:
        vectors: one for each item, in their order; None for those that are missing.
        usage: of everything that came.
        retries: further attempts.
        cause: why vectors are missing, where they are.
    """

    vectors: list[Vector | None]
    usage: Usage = field(default_factory=lambda: Usage(cost_usd=0.0))
    retries: int = 0
    cause: ToolserverError | None = None

    @property
    def dimensions(self) -> int:
        """Of each vector that came."""
        return next((len(vector) for vector in self.vectors if vector is not None), 0)

    @property
    def count(self) -> int:
        """How many came."""
        return sum(vector is not None for vector in self.vectors)

    def missing(self) -> list[str]:
        """The items without a vector, as ranges such as `200-299`."""
        gaps = (index for index, vector in enumerate(self.vectors) if vector is None)
        runs = (list(run) for _, run in groupby(enumerate(gaps), lambda pair: pair[1] - pair[0]))
        ends = ((run[0][1], run[-1][1]) for run in runs)
        return [str(first) if first == last else f"{first}-{last}" for first, last in ends]


async def embed(call: Call, model: str, items: Sequence[Item], dimensions: int | None = None) -> Embedded:
    """One vector for each item.

    Args:
        call: the call this is for.
        model: the model id.
        items: texts and media.
        dimensions: of each vector; the model's own when None.

    Raises:
        ArgumentError: an item that cannot be embedded; nothing was sent.
        ToolserverError: nothing came at all.
    """
    check(call, model, items)
    run = _Run(call, model, items, dimensions)
    await run.all()
    done = run.done
    if not done.count:
        raise done.cause or BadAnswer("Gemini gave no vectors.", "Call again later.")
    return done


@dataclass(frozen=True, slots=True)
class _Batch:
    start: int
    items: tuple[Item, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(item.source for item in self.items if item.source is not None)


class _Run:
    def __init__(self, call: Call, model: str, items: Sequence[Item], dimensions: int | None) -> None:
        self.call, self.model, self.items, self.dimensions = call, model, items, dimensions
        self.text_only = embeddings.text_only(model, call.runtime.catalogue)
        self.done = Embedded([None] * len(items))
        self.received = 0
        self._cost: Decimal | None = Decimal(0)

    async def all(self) -> None:
        batches = list(_batches(self.items, await self.sizes()))
        waiting = iter(batches)

        async def worker() -> None:
            for batch in waiting:
                if self.done.cause is not None:
                    return  # what failed once costs nothing more; what is under way is waited for
                try:
                    await self.one(batch)
                except NotFound as error:
                    self.done.cause = with_replacement(self.call.runtime, self.model, error)
                except ToolserverError as error:
                    self.done.cause = error

        async with anyio.create_task_group() as tasks:
            for _ in range(min(IN_FLIGHT, len(batches))):
                tasks.start_soon(worker)

    async def sizes(self) -> list[int]:
        """The bytes of each item; every media source is opened once before anything is sent and paid."""
        sizes: list[int] = []
        for item in self.items:
            if item.source is None:
                sizes.append(len((item.text or "").encode("utf-8", "replace")))
                continue
            async with media.opened([item.source], self.call) as parts:
                sizes.append(sum(map(_size, parts)))
        return sizes

    async def one(self, batch: _Batch) -> None:
        call = self.call
        await call.runtime.may_spend(call.principal)
        name = request_model(self.model)
        async with media.opened(batch.sources, call) as parts:
            opened = iter(parts)
            requests = [self.request(name, item, next(opened) if item.source else None) for item in batch.items]
            async with call.runtime.slot():
                body = BatchEmbedContentsRequest(requests=requests)
                reply = await call.runtime.client.call(embeddings.BATCH, body=body, model=name)
        self.done.retries += reply.retries
        self.book(reply.value.usage_metadata)
        await self.take(batch, reply.value)
        self.received += len(batch.items)
        total = len(self.items)
        await call.progress.note(f"embedded {self.received} of {total}", value=self.received, total=total)

    def request(self, name: str, item: Item, part: Part | None) -> EmbedContentRequest:
        text = item.text or ""
        if item.task and not self.text_only:
            text = embeddings.instructed(text, item.task, item.title)
        return EmbedContentRequest(
            model=name,
            content=Content(role="user", parts=[part or text_part(text)]),
            task_type=item.task if self.text_only else None,
            title=item.title if self.text_only else None,
            output_dimensionality=self.dimensions,
        )

    async def take(self, batch: _Batch, answer: BatchEmbedContentsResponse) -> None:
        values = [embedding.values for embedding in answer.embeddings]
        expected = self.done.dimensions or len(values[0] if values else ())
        if len(values) != len(batch.items) or not expected or any(len(one) != expected for one in values):
            lengths = ", ".join(map(str, sorted({len(one) for one in values}))) or "no"
            raise BadAnswer(
                f"Gemini gave {len(values)} vectors of {lengths} dimensions for a batch of {len(batch.items)} items.",
                "It may have been billed. Call again; if it stays, try another model.",
            )
        # Only the older models leave a shortened vector at the length that the cut gave it.
        unit = self.text_only and self.dimensions is not None
        try:
            made = await anyio.to_thread.run_sync(lambda: [vectors.packed(one, unit=unit) for one in values])
        except OverflowError:
            raise BadAnswer("Gemini gave vectors with numbers that no vector has.", "Call again later.") from None
        self.done.vectors[batch.start : batch.start + len(made)] = made

    def book(self, usage: EmbeddingUsageMetadata | None) -> None:
        """Count a batch, at once: it is paid for, whatever becomes of the others."""
        runtime, total = self.call.runtime, self.done.usage
        tokens = (usage and usage.prompt_token_count) or 0
        cost: Decimal | None = None
        if usage is not None and usage.prompt_token_count is not None:
            kinds = {detail.modality: detail.token_count for detail in usage.prompt_token_details or ()}
            cost, date = runtime.catalogue.cost(
                self.model,
                on=runtime.today(),
                input_tokens=tokens,
                audio_input_tokens=kinds.get("AUDIO", 0),
                image_input_tokens=kinds.get("IMAGE", 0),
                video_input_tokens=kinds.get("VIDEO", 0),
            )
            total.price_date = date or total.price_date
        total.input_tokens += tokens
        total.total_tokens += tokens
        self._cost = None if cost is None or self._cost is None else self._cost + cost
        total.cost_usd = None if self._cost is None else float(self._cost)
        runtime.spending.record(self.call.principal, self.model, input_tokens=tokens, cost_usd=cost)


def _batches(items: Sequence[Item], sizes: Iterable[int]) -> Iterator[_Batch]:
    start, total = 0, 0
    for index, size in enumerate(sizes):
        if index > start and (index - start == embeddings.MOST_REQUESTS or total + size > BATCH_BYTES):
            yield _Batch(start, tuple(items[start:index]))
            start, total = index, 0
        total += size
    yield _Batch(start, tuple(items[start:]))


def _size(part: Part) -> int:
    if part.inline_data is None:
        return 0
    data = part.inline_data.data
    return data.source.size if isinstance(data, InlineMedia) else len(data) * 3 // 4
