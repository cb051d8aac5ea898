"""Stores and documents as results show them; what others wrote in them is made harmless."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from gemini_server.api.file_search import Document, FileSearchStore
from gemini_server.api.metadata import CustomMetadata
from gemini_server.toolkit.file_search_names import store_of
from gemini_server.toolkit.results import Result, shortened
from gemini_server.toolkit.untrusted import json_text, label

LONGEST_VALUE = 1000
"""Characters of a value of metadata that are shown."""
MOST_VALUES = 100
"""Texts of one list that are shown."""

_EXACT = 2**53


class StoreOut(Result):
    """A store."""

    model_config = ConfigDict(json_schema_extra=shortened(("name", "display_name", "model", "documents")))

    name: str
    display_name: str | None = None
    model: str | None = None
    documents: int = 0
    pending: int | None = None
    failed: int | None = None
    bytes: int = 0
    created: str | None = None
    updated: str | None = None

    def __str__(self) -> str:
        facts = [self.display_name] if self.display_name else []
        facts.append(f"{self.documents} documents")
        facts += [f"{number} {word}" for number, word in ((self.pending, "pending"), (self.failed, "failed")) if number]
        facts += [f"{self.bytes} bytes", *([self.model] if self.model else [])]
        return f"{self.name} ({', '.join(facts)})"


class DocumentOut(Result):
    """A document of a store."""

    model_config = ConfigDict(
        json_schema_extra=shortened(("name", "store", "state", "display_name", "mime_type", "bytes", "metadata"))
    )

    name: str
    store: str
    state: str | None = None
    display_name: str | None = None
    mime_type: str | None = None
    bytes: int | None = None
    metadata: dict[str, Any] | None = None
    created: str | None = None
    updated: str | None = None

    def __str__(self) -> str:
        facts = [part for part in (self.display_name, self.state, self.mime_type) if part]
        facts += [f"{self.bytes} bytes"] if self.bytes is not None else []
        about = f" {json_text(self.metadata)}" if self.metadata else ""
        return f"{self.name} ({', '.join(facts)}){about}"


def store_out(store: FileSearchStore) -> StoreOut:
    """A store as results show it."""
    return StoreOut(
        name=label(store.name),
        display_name=label(store.display_name or "") or None,
        model=label((store.embedding_model or "").removeprefix("models/")) or None,
        documents=store.active_documents_count,
        pending=store.pending_documents_count or None,
        failed=store.failed_documents_count or None,
        bytes=store.size_bytes,
        created=label(store.create_time or "", 40) or None,
        updated=label(store.update_time or "", 40) or None,
    )


def document_out(document: Document) -> DocumentOut:
    """A document as results show it."""
    return DocumentOut(
        name=label(document.name),
        store=label(store_of(document.name)),
        state=label((document.state or "").removeprefix("STATE_"), 40) or None,
        display_name=label(document.display_name or "") or None,
        mime_type=label(document.mime_type or "") or None,
        bytes=document.size_bytes,
        metadata=metadata_out(document.custom_metadata),
        created=label(document.create_time or "", 40) or None,
        updated=label(document.update_time or "", 40) or None,
    )


def metadata_out(metadata: list[CustomMetadata] | None) -> dict[str, Any] | None:
    """What was said of a document, by key."""
    shown = {label(one.key): _value(one.value) for one in metadata or ()}
    return shown or None


def _value(value: str | float | list[str]) -> object:
    if isinstance(value, str):
        return label(value, LONGEST_VALUE)
    if isinstance(value, list):
        return [label(one, LONGEST_VALUE) for one in value[:MOST_VALUES]]
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < _EXACT else number
