"""Embed any number of items: planned into batches, several under way at once, handed on in order, nothing paid lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import anyio

from gemini_server.api import embeddings
from gemini_server.api.content import Content, Part, text_part
from gemini_server.api.embeddings import (
    BatchEmbedContentsRequest,
    EmbedContentRequest,
    EmbeddingUsageMetadata,
    PackedEmbedding,
    TaskType,
)
from gemini_server.api.embeddings import BatchEmbedContentsResponse as Answer
from gemini_server.api.packed import FLOAT_BYTES, PackedFloats, PackedUnit
from gemini_server.errors import BadAnswer, NotFound, ToolserverError
from gemini_server.rest.body import InlineMedia, RawJson
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.endpoint import Reply
from gemini_server.toolkit import media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.embedded import Embedded, Receiver
from gemini_server.toolkit.embedding_cost import embedding_cost
from gemini_server.toolkit.embedding_items import Item, Items
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.vectors import Rows

IN_FLIGHT = 4
"""Batches of one call that are under way at once."""
BATCH_BYTES = 16 * 1024 * 1024
"""Texts and media of one batch; a larger item goes alone."""
AHEAD = 16
"""Batches that may be there before one that is waited for, so that the memory stays bounded."""


async def embed(
    call: Call,
    model: str,
    items: Items,
    receiver: Receiver,
    dimensions: int | None = None,
    *,
    client: GeminiClient | None = None,
) -> Embedded:
    """One vector for each item.

    Args:
        call: the call this is for.
        model: the model id.
        items: texts and media, as `embedding_items.check` takes them.
        receiver: gets the vectors.
        dimensions: of each vector; the model's own when None.
        client: asks in another way than this process does by itself.

    Raises:
        ToolserverError: nothing came at all, or nobody took it.
    """
    run = _Run(call, model, items, receiver, dimensions, client or call.runtime.client)
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
    def __init__(
        self,
        call: Call,
        model: str,
        items: Items,
        receiver: Receiver,
        dimensions: int | None,
        client: GeminiClient,
    ) -> None:
        self.client = client
        self.call, self.model, self.items, self.dimensions = call, model, items, dimensions
        self.name = request_model(model)
        self.text_only = embeddings.text_only(model, call.runtime.catalogue)
        self.done = Embedded(len(items))
        self._receiver = receiver
        self._like: dict[tuple[TaskType | None, str | None], EmbedContentRequest] = {}
        self._waiting: dict[int, Rows] = {}
        self._following = self._width = self._received = self._workers = 0
        self._singly = False
        self._moved = anyio.Event()
        self._cost: Decimal | None = Decimal(0)

    async def all(self) -> None:
        batches = self.batches(await self.media_sizes())
        self._workers = min(IN_FLIGHT, len(self.items))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.hand_on)
            for _ in range(self._workers):
                tasks.start_soon(self.work, batches)

    async def work(self, batches: Iterator[_Batch]) -> None:
        """Send one batch after the other."""
        while await self.room() and (batch := next(batches, None)) is not None:
            try:
                self._waiting[batch.start] = await self.one(batch)
            except NotFound as error:
                self.done.cause = with_replacement(self.call.runtime, self.model, error)
            except ToolserverError as error:
                self.done.cause = error
            self.stir()
        self._workers -= 1
        self.stir()

    async def room(self) -> bool:
        """Wait until another batch may be sent; False when none will be."""
        # Where the receiver falls behind, nothing more is paid for that it might not take.
        while self.done.cause is None and (self._following in self._waiting or len(self._waiting) >= AHEAD):
            await self._moved.wait()
        return self.done.cause is None  # what failed once costs nothing more; what is under way is waited for

    async def hand_on(self) -> None:
        """Give the receiver what comes, in order; while it writes the next batches are on their way."""
        while self._workers or self._waiting:
            start = self._following
            rows = self._waiting.pop(start, None)
            if rows is None and self._workers:
                await self._moved.wait()
            elif rows is None:
                self._following = min(self._waiting)
            else:
                self._following += len(rows)
                self.stir()
                try:
                    await self._receiver.take(start, rows)
                except ToolserverError as error:
                    self.done.cause = error
                    self.stir()
                    return
                self.done.add(start, rows)

    def stir(self) -> None:
        """Let all look again who wait for something."""
        self._moved.set()
        self._moved = anyio.Event()

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
        fits = self.call.runtime.backend.at_once
        most = fits(self.model) if fits else embeddings.MOST_REQUESTS
        for index in range(len(items)):
            text = items.text(index)
            size = media_sizes[index] if text is None else len(text.encode("utf-8", "replace"))
            if index > start and (index - start == most or total + size > BATCH_BYTES):
                yield _Batch(start, [items[at] for at in range(start, index)])
                start, total = index, 0
            total += size
        yield _Batch(start, [items[at] for at in range(start, len(items))])

    async def one(self, batch: _Batch) -> Rows:
        call = self.call
        await call.runtime.may_spend(call.principal)
        reply = await self.sent(batch)
        self.done.retries += reply.retries
        self.book(reply.value.usage_metadata)
        rows = self.rows(batch, [one.values or b"" for one in reply.value.embeddings])
        self._received += len(rows)
        total = len(self.items)
        await call.progress.note(f"embedded {self._received} of {total}", value=self._received, total=total)
        return rows

    async def sent(self, batch: _Batch) -> Reply[Answer[PackedFloats]] | Reply[Answer[PackedUnit]]:
        runtime = self.call.runtime
        # Only the older models leave a shortened vector at the length that the cut gave it.
        scaled = self.text_only and self.dimensions is not None
        async with media.opened(batch.sources, self.call) as parts, runtime.slot():
            if self._singly:
                return await self.singly(batch, parts, scaled=scaled)
            try:
                body = self.body(batch, parts)
                if scaled:
                    return await self.client.call(embeddings.SCALED_BATCH, body=body, model=self.name)
                return await self.client.call(embeddings.BATCH, body=body, model=self.name)
            except NotFound as error:
                if self.model.removeprefix("models/") in error.what:
                    raise
                # It is not the model that is missing: some gateways have no batches of vectors.
                self._singly = True
                return await self.singly(batch, parts, scaled=scaled)

    async def singly(self, batch: _Batch, parts: Sequence[Part], *, scaled: bool) -> Reply[Answer[PackedFloats]]:
        """A batch item by item, where a server knows no other way."""
        pack = PackedUnit if scaled else PackedFloats
        opened = iter(parts)
        answer, retries, tokens = Answer[PackedFloats](), 0, 0
        for item in batch.items:
            request = self.request(item, next(opened) if item.source else text_part(self.told(item)))
            try:
                reply = await self.client.call(embeddings.EMBED, body=request, model=self.name)
            except ToolserverError:
                if tokens:  # those before it are paid for
                    self.book(EmbeddingUsageMetadata(prompt_token_count=tokens))
                raise
            values = pack.of(reply.value.embedding.values)
            answer.embeddings.append(PackedEmbedding[PackedFloats].model_construct(values=values))
            retries += reply.retries
            tokens += (reply.value.usage_metadata and reply.value.usage_metadata.prompt_token_count) or 0
        answer.usage_metadata = EmbeddingUsageMetadata(prompt_token_count=tokens or None)
        return Reply(answer, retries)

    def body(self, batch: _Batch, parts: Sequence[Part]) -> BatchEmbedContentsRequest | RawJson:
        if not parts:
            return embeddings.batch_of_texts((self.told(item), self.like(item)) for item in batch.items)
        opened = iter(parts)
        requests = [
            self.request(item, next(opened) if item.source else text_part(self.told(item))) for item in batch.items
        ]
        return BatchEmbedContentsRequest(requests=requests)

    def told(self, item: Item) -> str:
        """The text of an item as it is sent."""
        text = item.text or ""
        return embeddings.instructed(text, item.task, item.title) if item.task and not self.text_only else text

    def like(self, item: Item) -> EmbedContentRequest:
        """A request for texts of the kind of an item."""
        kind = item.task, item.title
        if kind not in self._like:
            self._like[kind] = self.request(item, text_part(""))
        return self._like[kind]

    def request(self, item: Item, part: Part) -> EmbedContentRequest:
        return EmbedContentRequest(
            model=self.name,
            content=Content(role="user", parts=[part]),
            task_type=item.task if self.text_only else None,
            title=item.title if self.text_only else None,
            output_dimensionality=self.dimensions,
        )

    def rows(self, batch: _Batch, vectors: Sequence[bytes]) -> Rows:
        expected = self._width or len(vectors[0] if vectors else b"")
        if len(vectors) != len(batch.items) or not expected or any(len(one) != expected for one in vectors):
            lengths = ", ".join(map(str, sorted({len(one) // FLOAT_BYTES for one in vectors}))) or "no"
            raise BadAnswer(
                f"Gemini gave {len(vectors)} vectors of {lengths} dimensions for a batch of {len(batch.items)} items.",
                "It may have been billed. Call again; if it stays, try another model.",
            )
        self._width = expected
        return Rows.of(vectors)

    def book(self, usage: EmbeddingUsageMetadata | None) -> None:
        """Count a batch, at once: it is paid for, whatever becomes of the others."""
        runtime, total = self.call.runtime, self.done.usage
        tokens = (usage and usage.prompt_token_count) or 0
        cost, date = embedding_cost(runtime, self.model, usage)
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
