"""Documents on their way into a store: what a source is, and the job that brings it there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gemini_server.api import file_search as api
from gemini_server.api.file_search import ChunkingConfig, ImportFileRequest, UploadToFileSearchStoreRequest
from gemini_server.api.metadata import CustomMetadata
from gemini_server.errors import ArgumentError, FileRefused
from gemini_server.jobs.job import Json
from gemini_server.toolkit import files, jobs, upload_source, uploads
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.file_search_names import check_stores, get_store
from gemini_server.toolkit.jobs import Begun, Plan
from gemini_server.toolkit.upload_source import InMemory

KIND = "document"
TOOL = "add_to_store"

_AS_TEXT = ("application/jsonl", "application/x-subrip")
"""Types of text that File Search does not know by name."""
_AT_GOOGLE = re.compile(re.escape(files.HOST) + r"files/|files/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that is wanted.

    Attributes:
        store: that it belongs into.
        source: a file at Google, a path, an artifact or a `data:` URI.
        metadata: what is said of it.
        chunking: how it is divided.
        display_name: for people.
        reuse: whether the job answers that the same call began a moment ago.
    """

    store: str
    source: str
    metadata: list[CustomMetadata] | None
    chunking: ChunkingConfig | None
    display_name: str | None
    reuse: bool

    @property
    def about(self) -> Sequence[Any]:
        """What makes two of them the same, but for their bytes."""
        chunking = self.chunking and self.chunking.model_dump(exclude_none=True)
        return [self.store, [one.model_dump(exclude_none=True) for one in self.metadata or ()], chunking]


async def begin(call: Call, wanted: Wanted) -> Begun:
    """Begin to add a document; from here on that ends even if the caller goes.

    Raises:
        ArgumentError: the source cannot be added; nothing was sent.
        FileRefused: the path is not read, or the file is too large.
        NotFound: there is no such store, artifact or file.
    """
    await check_stores(call, [wanted.store])
    store = await get_store(call.runtime, wanted.store)
    model = (store.embedding_model or "").removeprefix("models/")
    if _AT_GOOGLE.match(wanted.source.strip()):
        return await _imported(call, wanted, model)
    return await _uploaded(call, wanted, model)


async def _imported(call: Call, wanted: Wanted, model: str) -> Begun:
    name = files.file_name(wanted.source)
    await files.check_use(call, name)
    notes: list[str] = []
    if wanted.display_name:
        notes.append("display_name is not used: a file that is imported keeps its own name.")
    body = ImportFileRequest(file_name=name, custom_metadata=wanted.metadata, chunking_config=wanted.chunking)
    plan = Plan(
        KIND, TOOL, "store_import", model,
        identity=[*wanted.about, name], wish={"store": wanted.store, "file": name, "notes": notes},
    )  # fmt: skip
    return await jobs.begin(call, plan, body=body, reuse=wanted.reuse)


async def _uploaded(call: Call, wanted: Wanted, model: str) -> Begun:
    given = await upload_source.given(call.runtime, call.principal, wanted.source)
    try:
        size = given.bytes.size
        if size > api.LARGEST:
            raise FileRefused(
                f"{given.name or 'The source'} has {size} bytes; File Search takes documents of up to "
                f"{api.LARGEST // 2**20} MiB. Nothing was sent.",
                "Split it.",
            )
        sha256 = given.sha256 or await upload_source.sha256_of(given.bytes, lambda position: None)
        mime_type = "text/plain" if given.mime_type in _AS_TEXT else given.mime_type
        named = (wanted.display_name or given.name)[: api.LONGEST_NAME] or None
        request = UploadToFileSearchStoreRequest(
            display_name=named,
            mime_type=mime_type,
            custom_metadata=wanted.metadata,
            chunking_config=wanted.chunking,
        )
        wish: Json = {
            "store": wanted.store,
            "display_name": named,
            "request": request.model_dump(mode="json", by_alias=True, exclude_none=True),
            "again": given.again,
            "bytes": size,
            "mime_type": mime_type,
            "place": uploads.place_of(call.runtime),
        }
        plan = Plan(KIND, TOOL, "store_upload", model, identity=[*wanted.about, named, sha256], wish=wish)
        carried = uploads.Carried.of(given.bytes) if isinstance(given.bytes, InMemory) else uploads.Carried()
        return await jobs.begin(call, plan, body=carried, reuse=wanted.reuse)
    finally:
        given.bytes.close()


def check_source(source: str) -> None:
    """Refuse what no document can be made of.

    Raises:
        ArgumentError: it is an address that only a model can read.
    """
    scheme = re.match(r"\s*([a-z][a-z0-9+.-]+)://", source[:64], re.IGNORECASE)
    if scheme and not source.strip().startswith(files.HOST) and scheme[1].lower() not in ("gemini", "file"):
        raise ArgumentError(
            f"A document cannot be made of {scheme[1]}://…; nothing was sent.",
            "Give a path, files/ID, gemini://artifacts/ID or a data: URI.",
        )
