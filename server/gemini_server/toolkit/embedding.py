"""Embed any number of items: planned into batches, several under way at once, handed on in order, nothing paid lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

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
from gemini_server.toolkit import media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedding_items import Item, Items
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.vectors import Rows

IN_FLIGHT = 4
"""Batches of one call that are under way at once."""
BATCH_BYTES = 16 * 1024 * 1024
"""Texts and media of one batch; a larger item goes alone."""
AHEAD = 16
"""Batches that may be there before one that is waited for, so that the memory stays bounded."""
IN_PASSING = 10_000
"""Numbers that are packed without a thread of their own."""


class Receiver(Protocol):
    """Takes the vectors as they come."""

    async def take(self, start: int, rows: Rows) -> None:
        """Take vectors, in the order of the items; what is jumped over is missing for good.

        Args:
            start: the index of the first.
            rows: the vectors.
        """
        ...


@dataclass
class Embedded:
    """What came.

    Attributes:
        total: how many items there were.
        dimensions: of each vector; 0 when none came.
        came: the ranges of the items whose vectors came, in order.
        usage: of everything that came.
        retries: further attempts.
        cause: why vectors are missing, where they are.
    """

    total: int
    dimensions: int = 0
    came: list[range] = field(default_factory=list[range])
    usage: Usage = field(default_factory=lambda: Usage(cost_usd=0.0))
    retries: int = 0
    cause: ToolserverError | None = None

    @property
    def count(self) -> int:
        """How many came."""
        return sum(map(len, self.came))

    def missing(self, first: int = 0) -> list[str]:
        """The items without a vector, as ranges such as `200-299`; counted from the one at `first`."""
        came = [range(max(one.start, first) - first, one.stop - first) for one in self.came if one.stop > first]
        return gaps(came, self.total - first)

    def add(self, start: int, rows: Rows) -> None:
        """Count vectors that came."""
        self.dimensions = rows.width
        grown(self.came, start, start + len(rows))


def grown(ranges: list[range], start: int, stop: int) -> None:
    """Add a range after the others; one that touches the last becomes part of it."""
    if ranges and ranges[-1].stop == start:
        start = ranges.pop().start
    ranges.append(range(start, stop))


def gaps(ranges: Sequence[range], total: int) -> list[str]:
    """What lies between ranges, up to a total, as `200-299`."""
    edges = [(0, 0), *((one.start, one.stop) for one in ranges), (total, total)]
    between = [(end, start - 1) for (_, end), (start, _) in pairwise(edges) if end < start]
    return [str(first) if first == last else f"{first}-{last}" for first, last in between]


async def embed(call: Call, model: str, items: Items, receiver: Receiver, dimensions: int | None = None) -> Embedded:
    """One vector for each item.

    Args:
        call: the call this is for.
        model: the model id.
        items: texts and media, as `embedding_items.check` takes them.
        receiver: gets the vectors.
        dimensions: of each vector; the model's own when None.

    Raises:
        ToolserverError: nothing came at all, or nobody took it.
    """
    run = _Run(call, model, items, receiver, dimensions)
    await run.all()
    done = run.done
    if not done.count:
        raise done.cause or BadAnswer("Gemini gave no vectors.", "Call again later.")
    return done


@dataclass(frozen=True, slots=True)
class _Batch:
    start: int
    items: Sequence[Item]

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(item.source for item in self.items if item.source is not None)


class _Run:
    def __init__(self, call: Call, model: str, items: Items, receiver: Receiver, dimensions: int | None) -> None:
        self.call, self.model, self.items, self.dimensions = call, model, items, dimensions
        self.text_only = embeddings.text_only(model, call.runtime.catalogue)
        self.done = Embedded(len(items))
        self._receiver = receiver
        self._waiting: dict[int, Rows] = {}
        self._following = self._width = self._received = 0
        self._turn = anyio.Lock()
        self._moved = anyio.Event()
        self._full = False
        self._cost: Decimal | None = Decimal(0)

    async def all(self) -> None:
        batches = self.batches(await self.media_sizes())

        async def worker() -> None:
            while await self.room() and (batch := next(batches, None)) is not None:
                try:
                    self._waiting[batch.start] = await self.one(batch)
                    await self.hand_on()
                except NotFound as error:
                    self.done.cause = with_replacement(self.call.runtime, self.model, error)
                except ToolserverError as error:
                    self.done.cause = error
                self._moved.set()
                self._moved = anyio.Event()

        async with anyio.create_task_group() as tasks:
            for _ in range(min(IN_FLIGHT, len(self.items))):
                tasks.start_soon(worker)
        for start in sorted(self._waiting) if not self._full else ():
            self._following = start
            await self.hand_on()

    async def room(self) -> bool:
        """Wait until another batch may be sent; False when none will be."""
        while self.done.cause is None and len(self._waiting) >= AHEAD:
            await self._moved.wait()
        return self.done.cause is None  # what failed once costs nothing more; what is under way is waited for

    async def media_sizes(self) -> dict[int, int]:
        """The bytes of each medium; every source is opened once before anything is sent and paid."""
        sizes: dict[int, int] = {}
        first = len(self.items) - len(self.items.sources)
        for index, source in enumerate(self.items.sources, first):
            async with media.opened([source], self.call) as parts:
                sizes[index] = sum(map(_size, parts))
        return sizes

    def batches(self, media_sizes: Mapping[int, int]) -> Iterator[_Batch]:
        items, start, total = self.items, 0, 0
        for index in range(len(items)):
            text = items.text(index)
            size = media_sizes[index] if text is None else len(text.encode("utf-8", "replace"))
            if index > start and (index - start == embeddings.MOST_REQUESTS or total + size > BATCH_BYTES):
                yield _Batch(start, [items[at] for at in range(start, index)])
                start, total = index, 0
            total += size
        yield _Batch(start, [items[at] for at in range(start, len(items))])

    async def one(self, batch: _Batch) -> Rows:
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
        rows = await self.rows(batch, reply.value)
        self._received += len(rows)
        total = len(self.items)
        await call.progress.note(f"embedded {self._received} of {total}", value=self._received, total=total)
        return rows

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

    async def rows(self, batch: _Batch, answer: BatchEmbedContentsResponse) -> Rows:
        values = [embedding.values for embedding in answer.embeddings]
        expected = self._width or len(values[0] if values else ())
        if len(values) != len(batch.items) or not expected or any(len(one) != expected for one in values):
            lengths = ", ".join(map(str, sorted({len(one) for one in values}))) or "no"
            raise BadAnswer(
                f"Gemini gave {len(values)} vectors of {lengths} dimensions for a batch of {len(batch.items)} items.",
                "It may have been billed. Call again; if it stays, try another model.",
            )
        self._width = expected
        # Only the older models leave a shortened vector at the length that the cut gave it.
        unit = self.text_only and self.dimensions is not None
        try:
            if len(values) * expected <= IN_PASSING:
                return Rows.of(values, unit=unit)
            return await anyio.to_thread.run_sync(lambda: Rows.of(values, unit=unit))
        except OverflowError:
            raise BadAnswer("Gemini gave vectors with numbers that no vector has.", "Call again later.") from None

    async def hand_on(self) -> None:
        """Give the receiver all that is there, up to the next batch that is not."""
        async with self._turn:
            while (rows := self._waiting.pop(self._following, None)) is not None and not self._full:
                try:
                    await self._receiver.take(self._following, rows)
                except ToolserverError:
                    self._full = True
                    raise
                self.done.add(self._following, rows)
                self._following += len(rows)

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


def _size(part: Part) -> int:
    if part.inline_data is None:
        return 0
    data = part.inline_data.data
    return data.source.size if isinstance(data, InlineMedia) else len(data) * 3 // 4
