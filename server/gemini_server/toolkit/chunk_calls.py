"""Chunks of a document are made, changed and deleted one by one or many at once: by how many are given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, Field

from gemini_server.api import corpora as api
from gemini_server.api.config import Written
from gemini_server.api.corpora import (
    Chunk,
    ChunkText,
    CreateChunk,
    CreateChunks,
    DeleteChunk,
    DeleteChunks,
    UpdateChunk,
    UpdateChunks,
    WrittenChunk,
)
from gemini_server.errors import ArgumentError, BadAnswer, MayHaveBeenBilled, Overloaded, ToolserverError
from gemini_server.toolkit import resource_view as view
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.resource_arguments import Given, body_of, members_of, naming
from gemini_server.toolkit.resource_names import Name
from gemini_server.toolkit.resource_tools import ResourceTools
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import ToolFunction

CHUNK = Name("name", "corpora/*/documents/*/chunks/*")


class ChunkTools(ResourceTools):
    """The tools of chunks, where one method does what is asked for one of them, and another what is for many."""

    def of_several(
        self,
        run: Callable[[Call, str, Any], Awaitable[list[Any]]],
        described: str,
        *,
        tool: str,
        body: type[BaseModel],
        result: type[Result],
        changes: bool = False,
    ) -> ToolFunction:
        """A tool that does something with several.

        Args:
            run: does it, with the name of the document and a `body`; gives what is shown.
            described: the description.
            tool: the tool's name.
            body: whose members are arguments.
            result: the type of the result, which has one member.
            changes: what is there is changed or deleted, so that a second time does nothing more.
        """
        (member, *_) = result.model_fields

        async def shown(call: Call, given: Given) -> Result:
            document = self.named(self.parent, given)
            try:
                done = await run(call, document, body_of(body, given))
            except ToolserverError as error:
                self.explain(error, self.parent, document)
            return result.model_validate({member: view.shown(done)})

        parameters = [*naming(self.parent), *members_of(body)]
        return self.made(
            tool, described, parameters, result, shown, read_only=False, destructive=changes, idempotent=changes
        )


class ToCreate(Written):
    """Chunks that are wanted."""

    chunks: list[str | WrittenChunk] = Field(
        description="up to 100: literal texts, or {data: {string_value}, custom_metadata, name: an id of your choice}"
    )


class ToUpdate(Written):
    """What is to change of chunks."""

    chunks: list[WrittenChunk] = Field(description="up to 100: name (or id), and data or custom_metadata or both")


class ToDelete(Written):
    """Chunks that are to go."""

    names: list[str] = Field(description="up to 100: names or ids")


async def create(call: Call, document: str, wanted: ToCreate) -> list[Chunk]:
    """Make chunks."""
    chunks = [
        WrittenChunk(data=ChunkText(string_value=one))
        if isinstance(one, str)
        else one.model_copy(update={"name": CHUNK.full(one.name, document) if one.name else None})
        for one in wanted.chunks
    ]
    _check_count(len(chunks), "chunks")
    try:
        if len(chunks) == 1:
            return [await _call(call, api.CREATE_CHUNK, chunks[0], document=document)]
        body = CreateChunks(requests=[CreateChunk(parent=document, chunk=one) for one in chunks])
        made = await _call(call, api.BATCH_CREATE_CHUNKS, body, document=document)
    except (Overloaded, MayHaveBeenBilled, BadAnswer) as error:
        error.remedy = "They may exist: see list_chunks before you create them again."
        raise
    return list(made.chunks)


async def update(call: Call, document: str, wanted: ToUpdate) -> list[Chunk]:
    """Change chunks.

    Raises:
        ArgumentError: one has no name, or nothing that is to change.
    """
    _check_count(len(wanted.chunks), "chunks")
    changes: list[UpdateChunk] = []
    for one in wanted.chunks:
        if not one.name:
            raise ArgumentError("A chunk that is to change has no name; nothing was sent.", "list_chunks names them.")
        members = {"data": one.data, "customMetadata": one.custom_metadata}
        mask = [name for name, value in members.items() if value is not None]
        if not mask:
            raise ArgumentError(f"Nothing is to change of {one.name}; nothing was sent.", "Give data, custom_metadata.")
        named = one.model_copy(update={"name": CHUNK.full(one.name, document)})
        changes.append(UpdateChunk(chunk=named, update_mask=",".join(mask)))
    if len(changes) > 1:
        made = await _call(call, api.BATCH_UPDATE_CHUNKS, UpdateChunks(requests=changes), document=document)
        return list(made.chunks)
    change, query = changes[0].chunk, {"updateMask": changes[0].update_mask}
    return [await _call(call, api.UPDATE_CHUNK, change, query, chunk=str(change.name))]


async def delete(call: Call, document: str, wanted: ToDelete) -> list[str]:
    """Delete chunks; the names of those that are gone."""
    _check_count(len(wanted.names), "names")
    names = [CHUNK.full(one, document) for one in wanted.names]
    if len(names) == 1:
        await _call(call, api.DELETE_CHUNK, None, chunk=names[0])
    else:
        body = DeleteChunks(requests=[DeleteChunk(name=one) for one in names])
        await _call(call, api.BATCH_DELETE_CHUNKS, body, document=document)
    return names


def _check_count(count: int, argument: str) -> None:
    if not 1 <= count <= api.MOST_CHUNKS:
        raise ArgumentError(
            f"{argument} has {count} items; nothing was sent.",
            f"Give 1 to {api.MOST_CHUNKS}, and more in further calls.",
        )


async def _call(call: Call, endpoint: Any, body: Any, query: Any = None, **path: str) -> Any:
    runtime: Any = call.runtime
    reply = await runtime.client.call(endpoint, body=body, query=query, on_retry=call.progress.retry, **path)
    return reply.value
