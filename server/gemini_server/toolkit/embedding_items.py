"""What is to be embedded: looked at before anything is sent and paid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import anyio.to_thread

from gemini_server.api import embeddings
from gemini_server.api.embeddings import TaskType
from gemini_server.errors import ArgumentError
from gemini_server.toolkit import identity, media
from gemini_server.toolkit.call import Call

MOST_ITEMS = 100_000
FEW = 200
"""Items that are looked at without a thread of their own."""
_CHARACTERS_PER_TOKEN = 4
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Item:
    """What becomes one vector: a text, or a media source."""

    text: str | None = None
    source: str | None = None
    task: TaskType | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """Texts, then media sources, each made an item when it is sent.

    Attributes:
        texts: literal texts.
        sources: media sources.
        task: what the vectors of the texts are for; pictures and sounds have nothing to tell it by.
        title: of the texts.
        query: a text that comes before them all, and asks for them.
    """

    texts: Sequence[str] = ()
    sources: Sequence[str] = ()
    task: TaskType | None = None
    title: str | None = None
    query: str | None = None

    def __len__(self) -> int:
        return (self.query is not None) + len(self.texts) + len(self.sources)

    def __getitem__(self, index: int) -> Item:
        if self.query is not None:
            if index == 0:
                return Item(text=self.query, task="RETRIEVAL_QUERY")
            index -= 1
        if index < len(self.texts):
            return Item(text=self.texts[index], task=self.task, title=self.title)
        return Item(source=self.sources[index - len(self.texts)])

    def text(self, index: int) -> str | None:
        """The text of an item; None of a medium."""
        if self.query is not None:
            if index == 0:
                return self.query
            index -= 1
        return self.texts[index] if index < len(self.texts) else None


def check(call: Call, model: str, items: Items) -> None:
    """Refuse what cannot be embedded.

    Raises:
        ArgumentError: no items or too many, an empty text, media for a model of texts.
    """
    if not len(items):
        raise ArgumentError("There is nothing to embed.", "Give items (texts) or media.")
    if len(items) > MOST_ITEMS:
        raise ArgumentError(
            f"{len(items)} items are more than the {MOST_ITEMS} of one call.", "Split them into several calls."
        )
    empty = [index for index, text in enumerate(items.texts) if not text.strip()]
    if empty:
        raise ArgumentError(
            f"Nothing was sent: empty text at index {_some(empty)}.", "Leave empty texts out: they have no meaning."
        )
    catalogue = call.runtime.catalogue
    if items.sources and embeddings.text_only(model, catalogue):
        default = catalogue.default("embedding")
        raise ArgumentError(f"{model} embeds text only; nothing was sent.", f"Use {default} for media.")


async def look(call: Call, items: Items) -> str:
    """Open all media once, and say what tells these items from others.

    Raises:
        ToolserverError: a medium that cannot be sent.
    """
    digest = hashlib.sha256(repr((items.task, items.title, len(items.texts))).encode())

    def texts() -> None:
        for text in items.texts:
            raw = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(raw))
            digest.update(raw)

    if len(items.texts) > FEW:
        await anyio.to_thread.run_sync(texts)
    else:
        texts()
    for source in items.sources:
        async with media.opened([source], call) as parts:
            digest.update("".join(await identity.of_parts(parts)).encode())
    return digest.hexdigest()


def remarks(call: Call, model: str, items: Items) -> list[str]:
    """What a caller should know about items: what is not done as it was said, what Gemini may not read."""
    catalogue = call.runtime.catalogue
    said: list[str] = []
    if items.task and items.texts and not embeddings.text_only(model, catalogue):
        said.append(f"{model} has no task_type: the task was written before each text, as Google documents for it.")
    facts = catalogue.get(model)
    if facts is not None and facts.input_limit:
        most = facts.input_limit * _CHARACTERS_PER_TOKEN
        long = [index for index, text in enumerate(items.texts) if len(text) > most]
        if long:
            said.append(
                f"Gemini reads {facts.input_limit} tokens of an item and ignores the rest: index {_some(long)} may be "
                "longer."
            )
    return said


def _some(indices: Sequence[int]) -> str:
    shown = ", ".join(map(str, indices[:_LISTED]))
    return f"{shown} and {len(indices) - _LISTED} more" if len(indices) > _LISTED else shown
