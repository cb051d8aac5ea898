"""What is to be embedded: looked at before anything is sent and paid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import anyio.to_thread

from gemini_server.api import embeddings
from gemini_server.api.embeddings import TaskType
from gemini_server.errors import ArgumentError
from gemini_server.toolkit import identity, media
from gemini_server.toolkit.call import Call

MOST_ITEMS = 100_000
_CHARACTERS_PER_TOKEN = 4
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Item:
    """What becomes one vector: a text, or a media source."""

    text: str | None = None
    source: str | None = None
    task: TaskType | None = None
    title: str | None = None


def check(call: Call, model: str, items: Sequence[Item]) -> None:
    """Refuse what cannot be embedded.

    Raises:
        ArgumentError: no items or too many, an empty text, media for a model of texts.
    """
    if not items:
        raise ArgumentError("There is nothing to embed.", "Give items (texts) or media.")
    if len(items) > MOST_ITEMS:
        raise ArgumentError(
            f"{len(items)} items are more than the {MOST_ITEMS} of one call.", "Split them into several calls."
        )
    empty = [index for index, item in enumerate(items) if item.source is None and not (item.text or "").strip()]
    if empty:
        raise ArgumentError(
            f"Nothing was sent: empty text at index {_some(empty)}.", "Leave empty texts out: they have no meaning."
        )
    catalogue = call.runtime.catalogue
    if embeddings.text_only(model, catalogue) and any(item.source is not None for item in items):
        default = catalogue.default("embedding")
        raise ArgumentError(f"{model} embeds text only; nothing was sent.", f"Use {default} for media.")


async def look(call: Call, items: Sequence[Item]) -> str:
    """Open all media once, and say what tells these items from others.

    Raises:
        ToolserverError: a medium that cannot be sent.
    """
    digest = hashlib.sha256()
    texts = [(item.text, item.task, item.title) for item in items if item.source is None]
    await anyio.to_thread.run_sync(lambda: digest.update(json.dumps(texts).encode()))
    for item in items:
        if item.source is not None:
            async with media.opened([item.source], call) as parts:
                digest.update("".join(await identity.of_parts(parts)).encode())
    return digest.hexdigest()


def remarks(call: Call, model: str, items: Sequence[Item]) -> list[str]:
    """What a caller should know about items: what is not done as it was said, what Gemini may not read."""
    catalogue = call.runtime.catalogue
    said: list[str] = []
    if any(item.task for item in items) and not embeddings.text_only(model, catalogue):
        said.append(f"{model} has no task_type: the task was written before each text, as Google documents for it.")
    facts = catalogue.get(model)
    if facts is not None and facts.input_limit:
        most = facts.input_limit * _CHARACTERS_PER_TOKEN
        long = [index for index, item in enumerate(items) if len(item.text or "") > most]
        if long:
            said.append(
                f"Gemini reads {facts.input_limit} tokens of an item and ignores the rest: index {_some(long)} may be "
                "longer."
            )
    return said


def _some(indices: Sequence[int]) -> str:
    shown = ", ".join(map(str, indices[:_LISTED]))
    return f"{shown} and {len(indices) - _LISTED} more" if len(indices) > _LISTED else shown
