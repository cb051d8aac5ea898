"""Chunks: the texts in documents of the Semantic Retriever, a service that Google has shut down."""

from __future__ import annotations

from gemini_server.api import corpora as api
from gemini_server.toolkit import chunk_calls as calls
from gemini_server.toolkit import resource_view
from gemini_server.toolkit.resource_tools import Name
from gemini_server.toolkit.retired import RETRIEVER
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("retrieval", "Chunks of documents in corpora.")

_CHUNKS = calls.ChunkTools(
    TOOLSET, "chunk", api.Chunk, calls.CHUNK, parent=Name("document", "corpora/*/documents/*"), retired=RETRIEVER
)

create_chunks = _CHUNKS.of_several(
    calls.create,
    "Add texts of up to 2043 tokens to a document of a corpus, all or none of them. Free. Returns chunks.",
    tool="create_chunks",
    body=calls.ToCreate,
    result=resource_view.of_many("create_chunks", "chunks", api.Chunk),
)
list_chunks = _CHUNKS.listed(
    api.LIST_CHUNKS, "List the chunks of a document in a corpus, or show one. Free. Returns chunks.", get=api.GET_CHUNK
)
update_chunks = _CHUNKS.of_several(
    calls.update,
    "Change the text or the metadata of chunks of one document, of all or none. Free. Returns chunks.",
    tool="update_chunks",
    body=calls.ToUpdate,
    result=resource_view.of_many("update_chunks", "chunks", api.Chunk),
    changes=True,
)
delete_chunks = _CHUNKS.of_several(
    calls.delete,
    "Delete chunks of one document for good, all or none. Free. Returns their names.",
    tool="delete_chunks",
    body=calls.ToDelete,
    result=resource_view.of_value("delete_chunks", "deleted", list[str]),
    changes=True,
)
