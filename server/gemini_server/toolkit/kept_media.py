"""Turns of kept conversations whose media are files.

A picture has megabytes and is an artifact already, so a turn is kept with a pointer in the place of its base64, and
gets the same bytes back when it is sent again. Everything else of a turn stays as it came, thought signatures too.

    gemini://jobs/ID/N        the N-th file (from 0) of a job, for what a model made: its artifact has no id yet
    gemini://artifacts/ID     an artifact that was given to the model

Neither can be base64, so nothing else is taken for one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import anyio.to_thread

from gemini_server.api.content import Content
from gemini_server.errors import ArgumentError, NotFound
from gemini_server.jobs.artifacts import Artifact
from gemini_server.rest.body import SLICE, InlineMedia
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.generation.transcript import member
from gemini_server.toolkit.media import INLINE_LIMIT, KEPT_LIMIT
from gemini_server.toolkit.runtime import Runtime

_POINTER = re.compile(r"gemini://(?:artifacts/([\w-]+)|jobs/([\w-]+)/(\d{1,3}))")


def of_job(job: str, number: int) -> str:
    """The pointer to a file of a job."""
    return f"gemini://jobs/{job}/{number}"


def pointed(turn: JsonObject, pointers: Mapping[int, str]) -> JsonObject:
    """A turn with pointers in the place of the data of some parts.

    Args:
        turn: as it came, or as it is sent.
        pointers: by the position of the part. What a model thought in pictures, and other data without a pointer, is
            left out of its turn: nobody could send it again.
    """
    parts: list[JsonObject] = []
    for position, part in enumerate(cast("list[JsonObject]", turn.get("parts") or [])):
        blob = member(part, "inlineData")
        if blob is None:
            parts.append(part)
        elif position in pointers:
            parts.append({**part, "inlineData": {**blob, "data": pointers[position]}})
        elif turn.get("role") != "model":
            parts.append(part)
    return {**turn, "parts": parts}


async def said(turn: Content | JsonObject, pointers: Mapping[int, str]) -> JsonObject:
    """A user's turn as it is kept: media that have no pointer become part of it as text.

    Raises:
        ArgumentError: they are too large for that.
    """
    if not isinstance(turn, Content):
        return pointed(turn, pointers)
    parts: list[JsonObject] = []
    room = KEPT_LIMIT
    for position, part in enumerate(turn.parts):
        made: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_none=True)
        if part.inline_data is not None and position not in pointers:
            data = part.inline_data.data
            room -= data.source.size if isinstance(data, InlineMedia) else len(data) * 3 // 4
            if room < 0:
                raise ArgumentError(
                    f"The media are larger than the {KEPT_LIMIT // 2**20} MiB that one turn of a conversation keeps.",
                    "Send fewer or smaller files, or files/ID sources; gemini://artifacts/ID may have any size.",
                )
            if isinstance(data, InlineMedia):
                raw = b"".join([chunk async for chunk in data.source.chunks(SLICE)])
                made["inlineData"]["data"] = (await anyio.to_thread.run_sync(base64.b64encode, raw)).decode("ascii")
        parts.append(made)
    return pointed({"role": turn.role or "user", "parts": parts}, pointers)


@dataclass(frozen=True, slots=True)
class _Saved:
    """An artifact as a source for a request body; nothing of it is open or in memory until it is sent."""

    runtime: Runtime
    artifact: Artifact

    @property
    def size(self) -> int:
        return self.artifact.bytes

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        data = await self.runtime.artifacts.read(self.artifact, limit=INLINE_LIMIT)
        for start in range(0, len(data), size):
            yield data[start : start + size]


async def picked_up(
    runtime: Runtime, principal: str, turns: Sequence[JsonObject], *, steps: bool = False
) -> list[JsonObject]:
    """Kept turns as they are sent: each pointer is the bytes again that it stands for.

    Args:
        runtime: has the artifacts.
        principal: whose conversation it is.
        turns: as they were kept.
        steps: leave the steps of an interaction beside the parts that were made of them; generateContent refuses them.

    Raises:
        NotFound: a file is gone, or not saved yet.
        ArgumentError: together they do not fit into one request any more.
    """
    room = INLINE_LIMIT
    sent: list[JsonObject] = []
    for turn in turns:
        parts: list[JsonObject] = []
        for part in cast("list[JsonObject]", turn.get("parts") or []):
            blob = member(part, "inlineData")
            found = _POINTER.fullmatch(str(blob.get("data"))) if blob is not None else None
            if blob is None or found is None:
                parts.append(part)
                continue
            artifact = await _artifact(runtime, principal, *found.groups())
            room -= artifact.bytes
            if room < 0:
                raise ArgumentError(
                    f"The pictures of this conversation have more than the {INLINE_LIMIT // 2**20} MiB of one request.",
                    'Begin another one: conversation="new" with the last picture in references.',
                )
            media = InlineMedia(_Saved(runtime, artifact))
            parts.append({**part, "inlineData": {**blob, "data": media}})
        whole = {**turn, "parts": parts} if "parts" in turn else turn
        sent.append(whole if steps else {name: value for name, value in whole.items() if name != "steps"})
    return sent


async def _artifact(
    runtime: Runtime, principal: str, identifier: str | None, job: str | None, number: str | None
) -> Artifact:
    try:
        if identifier is None:
            media = (await runtime.jobs.get(principal, job or "")).media
            identifier = media[int(number or 0)].artifact
        return await runtime.artifacts.get(principal, identifier)
    except (NotFound, IndexError):
        raise NotFound(
            "A picture of an earlier turn is gone, or not saved yet.",
            'get_job and list_jobs show it; otherwise begin another one: conversation="new".',
        ) from None
