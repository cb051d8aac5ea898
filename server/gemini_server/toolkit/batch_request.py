"""The requests of a batch as a caller says them, made into what Gemini takes; media are read while this is done.

Small batches are sent with their requests. What is larger than Gemini takes inline is written as lines of JSON into the
output directory, never whole in memory, and uploaded from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gemini_server.api import embeddings
from gemini_server.api.batches import INLINE_BYTES, InlinedRequest, RequestLine
from gemini_server.api.content import Content, Part, text_part
from gemini_server.api.embeddings import EmbedContentRequest, TaskType
from gemini_server.api.models import GenerateContentRequest
from gemini_server.errors import ArgumentError, ToolserverError
from gemini_server.rest.body import encode
from gemini_server.toolkit import identity, media
from gemini_server.toolkit.batch_spool import Spool
from gemini_server.toolkit.caches import cache_name, check_owner
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.file_search_names import check_stores
from gemini_server.toolkit.generation import json_answer
from gemini_server.toolkit.generation.options import (
    BuiltIn,
    Options,
    Resolution,
    Thinking,
    build,
    request_model,
    user_turn,
)
from gemini_server.toolkit.generation.sources import of_request

Kind = Literal["generate", "embed"]

MOST_REQUESTS = 100_000
"""Requests of one call; a file may have more."""
LONGEST_KEY = 200
"""Characters of a key."""
_LINE = len('{"request":,"metadata":{"key":""}},')
_OF_EMBEDDING = frozenset({"task_type", "dimensions", "title"})
_OF_BOTH = frozenset({"key", "prompt", "attachments"})


class BatchItem(BaseModel):
    """One request of a batch: what generate_text takes that makes sense here, or a text or medium to embed."""

    model_config = ConfigDict(extra="forbid")

    key: str | None = None
    prompt: str = ""
    attachments: list[str] | None = None
    system: str | None = None
    json_schema: dict[str, Any] | None = None
    thinking: Thinking | int | None = None
    max_output_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    sampling: dict[str, float] | None = None
    safety: dict[str, str] | None = None
    cache: str | None = None
    use: list[BuiltIn] | None = None
    stores: list[str] | None = None
    media_resolution: Resolution | None = None
    task_type: TaskType | None = None
    dimensions: int | None = None
    title: str | None = None


@dataclass
class Composed:
    """The requests of a batch, ready to be sent.

    Attributes:
        inline: they themselves, with their media in memory; None when they are in a file.
        artifact: the file, as a media source; None when they are inline.
        keys: in the order of the requests.
        wants_json: the positions of those whose answer is to be JSON.
        sources: what their answers may repeat of others' words.
        unit: whether vectors have to be brought to unit length, as embed does.
        most_output: the most tokens that all answers may have; None where one has no limit.
        media: whether there are any.
        warnings: what the model does not take as it was said.
        digest: tells these requests from others.
    """

    inline: list[InlinedRequest] | None = field(default_factory=list[InlinedRequest])
    artifact: str | None = None
    keys: list[str] = field(default_factory=list[str])
    wants_json: list[int] = field(default_factory=list[int])
    sources: set[str] = field(default_factory=set[str])
    unit: bool = False
    most_output: int | None = 0
    media: bool = False
    warnings: list[str] = field(default_factory=list[str])
    digest: str = ""


async def composed(call: Call, model: str, kind: Kind, items: Sequence[BatchItem], *, keep: bool) -> Composed:
    """Make the requests, and see whether each of them can be sent.

    Args:
        call: the call.
        model: the model of all of them.
        kind: what is wanted of it.
        items: what was said.
        keep: whether they are to be sent; a dry run only looks at them.

    Raises:
        ArgumentError: naming the request that cannot be sent. Nothing was sent.
        LocalError: there is no room for a batch that is too large to be sent inline.
    """
    if len(items) > MOST_REQUESTS:
        raise ArgumentError(
            f"{len(items)} requests are more than the {MOST_REQUESTS} of one call.", "Give them as a file: source."
        )
    made = Composed(keys=keys_of(items))
    composer = _Composer(call, model, kind, made, keep=keep)
    try:
        for position, item in enumerate(items):
            try:
                await composer.add(position, item)
            except ToolserverError as error:
                error.what = f"requests[{position}]: {error.what}"
                raise
        await composer.end()
    finally:
        await composer.close()
    return made


def keys_of(items: Sequence[BatchItem]) -> list[str]:
    """The keys of requests; those without one are counted, from 1.

    Raises:
        ArgumentError: two have the same, or one is too long.
    """
    keys: dict[str, int] = {}
    for position, item in enumerate(items):
        key = str(position + 1) if item.key is None else item.key
        if not key.strip() or len(key) > LONGEST_KEY:
            raise ArgumentError(f"requests[{position}]: a key has 1 to {LONGEST_KEY} characters.", "Give another.")
        if key in keys:
            raise ArgumentError(
                f"requests[{keys[key]}] and requests[{position}] have the same key {key!r}.",
                "Answers are told apart by it: give each its own, or leave all out.",
            )
        keys[key] = position
    return list(keys)


class _Composer:
    def __init__(self, call: Call, model: str, kind: Kind, made: Composed, *, keep: bool) -> None:
        self.call = call
        self.model = model
        self.kind: Kind = kind
        self.made = made
        self.keep = keep
        self.size = 0
        self.digest = hashlib.sha256()
        self.spool: Spool | None = None
        self.text_only = kind == "embed" and embeddings.text_only(model, call.runtime.catalogue)

    async def add(self, position: int, item: BatchItem) -> None:
        """Take one request."""
        made, key = self.made, self.made.keys[position]
        if item.cache:
            await check_owner(self.call, cache_name(item.cache))
        await check_stores(self.call, item.stores or ())
        async with media.opened(item.attachments or (), self.call) as parts:
            made.media = made.media or bool(parts)
            size = sum(encode(part).length for part in parts)
            if made.inline is not None and self.keep and self.size + size <= INLINE_BYTES:
                parts = await identity.held(parts)
            request = self.embedding(item, parts) if self.kind == "embed" else self.generating(position, item, parts)
            body = encode(request)
            async for piece in body.chunks():
                self.digest.update(piece)
            self.size += body.length + len(key.encode()) + _LINE
            if self.size > INLINE_BYTES and made.inline is not None:
                await self.overflow()
            if made.inline is not None:
                made.inline.append(InlinedRequest(request=request, metadata={"key": key}))
            elif self.spool is not None:
                await self.spool.add(RequestLine(key=key, request=request))

    async def overflow(self) -> None:
        """From here on they go into a file."""
        held, self.made.inline = self.made.inline or [], None
        if not self.keep:
            return
        self.spool = await Spool.open(self.call, "batch-input")
        for one in held:
            await self.spool.add(RequestLine(key=(one.metadata or {})["key"], request=one.request))

    async def end(self) -> None:
        """All are there."""
        self.made.digest = self.digest.hexdigest()
        if self.spool is not None:
            self.made.artifact = await self.spool.keep()

    async def close(self) -> None:
        """Leave nothing half-written behind."""
        if self.spool is not None:
            await self.spool.close()

    def generating(self, position: int, item: BatchItem, parts: list[Part]) -> GenerateContentRequest:
        """A request for an answer."""
        _refuse(item, _OF_EMBEDDING, "kind generate", "kind embed")
        if not item.prompt.strip() and not parts:
            raise ArgumentError("there is nothing to ask: prompt is empty and nothing is attached.", "Give a prompt.")
        if item.json_schema is not None:
            json_answer.check_schema(item.json_schema)
            self.made.wants_json.append(position)
        options = Options.model_validate(item.model_dump(exclude_none=True))
        if options.cache:
            options.cache = cache_name(options.cache)
        turn = user_turn(item.prompt, parts)
        runtime = self.call.runtime
        request, warnings = build(self.model, [turn], options, runtime.catalogue, on=runtime.today())
        made = self.made
        made.sources |= of_request(options, [turn]).names
        made.warnings = list(dict.fromkeys([*made.warnings, *warnings]))
        limit = item.max_output_tokens
        made.most_output = None if limit is None or made.most_output is None else made.most_output + limit
        return request

    def embedding(self, item: BatchItem, parts: list[Part]) -> EmbedContentRequest:
        """A request for a vector."""
        _refuse(item, BatchItem.model_fields.keys() - _OF_EMBEDDING - _OF_BOTH, "kind embed", "kind generate")
        if bool(item.prompt.strip()) == bool(parts) or len(parts) > 1:
            raise ArgumentError(
                "one vector is made of one text or one medium.", "Give a prompt, or one attachment; not both."
            )
        if parts and self.text_only:
            default = self.call.runtime.catalogue.default("embedding")
            raise ArgumentError(f"{self.model} embeds text only.", f"Use {default} for media.")
        if item.dimensions is not None and not 1 <= item.dimensions <= embeddings.MOST_DIMENSIONS:
            raise ArgumentError(f"dimensions is 1 to {embeddings.MOST_DIMENSIONS}, not {item.dimensions}.")
        text = item.prompt
        if item.task_type and text and not self.text_only:
            text = embeddings.instructed(text, item.task_type, item.title)
        # As with embed: only the older models leave a shortened vector at the length that the cut gave it.
        self.made.unit = self.made.unit or (self.text_only and item.dimensions is not None)
        return EmbedContentRequest(
            model=request_model(self.model),
            content=Content(role="user", parts=parts or [text_part(text)]),
            task_type=item.task_type if self.text_only else None,
            title=item.title if self.text_only else None,
            output_dimensionality=item.dimensions,
        )


def _refuse(item: BatchItem, names: frozenset[str] | set[str], here: str, there: str) -> None:
    given = sorted(name for name in names if getattr(item, name) is not None)
    if given:
        raise ArgumentError(f"{', '.join(given)} goes with {there}, not with {here}.", "Leave it out.")
