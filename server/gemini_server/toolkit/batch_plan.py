"""How a batch is begun: its requests or its file, what is remembered of them for the answers, and what it may cost."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gemini_server.api import models
from gemini_server.api.batches import CreateBatchRequest, InlinedRequests, InputConfig, NewBatch
from gemini_server.api.content import Content, text_part
from gemini_server.api.embeddings import EmbedContentRequest, text_only
from gemini_server.api.models import CountTokensRequest, Turn
from gemini_server.errors import ToolserverError
from gemini_server.jobs.job import Json
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import batch_request, batch_source, batch_upload
from gemini_server.toolkit.batch_answer import TIER
from gemini_server.toolkit.batch_request import BatchItem, Composed, Kind
from gemini_server.toolkit.batch_source import KEPT_KEYS, Looked
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.foreign_names import check_said
from gemini_server.toolkit.generation.options import request_model


@dataclass
class Order:
    """A batch that is wanted.

    Attributes:
        kind: what for.
        model: of all its requests.
        wish: what its job remembers.
        same: what tells it from others.
        body: the request that begins it; None where a file has to be uploaded first.
        upload: that file, as a media source.
        sha256: of its bytes, in hex, where they were looked at.
        requests: how many, where that is known.
        input_tokens: of all of them, where they were counted.
        estimate: US dollars, None where no price is known.
        warnings: what is not as it was said.
    """

    kind: Kind
    model: str
    wish: Json
    same: list[Any] = field(default_factory=list[Any])
    body: CreateBatchRequest | None = None
    upload: str | None = None
    sha256: str | None = None
    requests: int | None = None
    input_tokens: int | None = None
    estimate: Decimal | None = None
    warnings: list[str] = field(default_factory=list[str])


def new(kind: Kind, model: str, display_name: str | None, priority: int | None) -> Order:
    """An order without requests; one without a name gets one that no other batch has."""
    named = display_name or f"gemini-toolserver-{secrets.token_hex(4)}"
    wish: Json = {"kind": kind, "display_name": named}
    if display_name is None:
        wish["unique"] = True
    if priority is not None:
        wish["priority"] = priority
    return Order(kind, model, wish, [kind, display_name, priority])


def create(wish: Json, source: InputConfig) -> CreateBatchRequest:
    """The request that begins a batch.

    Args:
        wish: as its job remembers it.
        source: the requests, or where they are.
    """
    batch = NewBatch(display_name=str(wish["display_name"]), input_config=source, priority=wish.get("priority"))
    return CreateBatchRequest(batch=batch)


async def of_items(call: Call, order: Order, items: Sequence[BatchItem], *, dry_run: bool) -> None:
    """Fill an order with requests.

    Raises:
        ArgumentError: naming the request that cannot be sent. Nothing was sent.
        LocalError: there is no room for a batch that is too large to be sent inline.
    """
    made = await batch_request.composed(call, order.model, order.kind, items, keep=not dry_run)
    counted = all(item.key is None for item in items)
    order.requests = len(made.keys)
    order.same += [made.digest, None if counted else made.keys]
    order.warnings += made.warnings
    _remember(order, made.keys, made.wants_json, made.sources, counted=counted, unit=made.unit)
    if made.inline is None:
        order.upload = made.artifact
    else:
        order.body = create(order.wish, InputConfig(requests=InlinedRequests(requests=made.inline)))
    if dry_run or call.runtime.settings.daily_cap is not None:
        await _estimate(call, order, made)


async def of_source(call: Call, order: Order, source: str) -> None:
    """Fill an order with a file: one that Google has, or one that is checked here and has to be uploaded.

    Raises:
        ArgumentError: naming the lines that are wrong. Nothing was sent.
        FileRefused: a path that is not read.
        NotFound: no such artifact, or another caller's file.
    """
    if batch_source.is_uploaded(call, source):
        await check_said(call, source)
        order.same += ["file", source]
        order.wish["sources"] = ["attachments"]  # nobody here knows what the requests hold
        order.body = create(order.wish, InputConfig(file_name=source))
        return
    found: Looked = await batch_source.looked_at(call, source, order.kind, order.model)
    order.requests = found.count
    order.same += ["digest", found.digest]
    order.upload, order.sha256 = source, found.digest
    unit = order.kind == "embed" and found.shortened and text_only(order.model, call.runtime.catalogue)
    _remember(order, found.keys, found.wants_json, found.sources, counted=False, unit=unit)


def _remember(
    order: Order, keys: list[str] | None, wants_json: list[int], sources: set[str], *, counted: bool, unit: bool
) -> None:
    wish, count = order.wish, order.requests or 0
    if counted:
        wish["counted"] = count
    elif keys is not None and sum(map(len, keys)) <= KEPT_KEYS:
        wish["keys"] = keys
    else:
        order.warnings.append("The batch is too large for its keys to be remembered: its answers come in any order.")
    if wants_json:
        wish["json"] = "all" if len(wants_json) == count else wants_json
    if sources:
        wish["sources"] = sorted(sources)
    if unit:
        wish["unit"] = True


async def uploading(call: Call, order: Order) -> None:
    """Have the file of an order uploaded, where it has one; the same bytes are not sent twice.

    Raises:
        FileRefused: the file was changed since it was checked.
        LocalError: the ledger cannot be written; nothing is sent.
    """
    if order.upload is None:
        return
    asked = await batch_upload.begin(call, order.upload, order.wish["display_name"], order.sha256)
    if asked.file is not None:
        order.wish["file"] = asked.file.name
    elif asked.job is not None:
        order.wish["upload"] = asked.job.id


async def _estimate(call: Call, order: Order, made: Composed) -> None:
    """Count what the requests hold, which is free; what their answers will hold is known only where it is limited."""
    if made.media or made.inline is None:
        order.warnings.append("No estimate: attachments and large batches are not counted.")
        return
    requests = [one.request for one in made.inline]
    body = CountTokensRequest(contents=[turn for request in requests for turn in _turns(request)])
    runtime, count = call.runtime, len(requests)
    try:
        async with runtime.slot():
            reply = await runtime.client.call(models.COUNT, body=body, model=request_model(order.model))
    except ToolserverError as error:
        order.warnings.append(f"No estimate: {error.what}")
        return
    order.input_tokens = reply.value.total_tokens
    output = 0 if order.kind == "embed" else made.most_output
    # By the average request: what a long prompt costs more is no matter of all of them together.
    each = order.input_tokens // count + 1
    cost, _ = runtime.catalogue.cost(
        order.model, on=runtime.today(), input_tokens=each, output_tokens=(output or 0) // count, service_tier=TIER
    )
    if cost is None:
        order.warnings.append(f"No price is known for batches with {order.model}.")
    elif output is None:
        least = cost * count
        order.warnings.append(
            f"The prompts alone cost about ${least:.6f}. How long the answers get is not known where one has no "
            "max_output_tokens."
        )
    else:
        order.estimate = cost * count


def _turns(request: models.GenerateContentRequest | EmbedContentRequest) -> list[Turn]:
    if isinstance(request, EmbedContentRequest):
        return [request.content]
    said = request.system_instruction
    system: list[Content | JsonObject] = [Content(role="user", parts=said.parts or [text_part("")])] if said else []
    return [*system, *request.contents]
