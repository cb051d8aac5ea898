"""The resources `corpora`, `documents`, `chunks`: the Semantic Retriever, which Google has shut down.

A corpus holds documents, a document holds chunks: texts of up to 2,043 tokens that a query is compared with. Names are
`corpora/c/documents/d/chunks/k`. Of all this today's API has `corpora` (deprecated) and their permissions; the rest is
in older protos alone. File Search has taken its place.

Source: the v1beta protos retriever.proto, retriever_service.proto and permission_service.proto of December 2025.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gemini_server.api.config import Written
from gemini_server.api.metadata import CustomMetadata
from gemini_server.api.permissions import ListPermissionsResponse, Permission
from gemini_server.rest.endpoint import Empty, Endpoint, Wire

MOST_CHUNKS = 100
"""Chunks that one request makes, changes or deletes."""


class Corpus(Wire):
    """A corpus."""

    name: str | None = None
    display_name: str | None = None
    create_time: str | None = None
    update_time: str | None = None


class Document(Wire):
    """A document of a corpus."""

    name: str | None = None
    display_name: str | None = None
    custom_metadata: list[CustomMetadata] | None = None
    create_time: str | None = None
    update_time: str | None = None


class ChunkData(Wire):
    """What a chunk says."""

    string_value: str | None = None


class Chunk(Wire):
    """A chunk; its `state` is STATE_PENDING_PROCESSING, STATE_ACTIVE or STATE_FAILED."""

    name: str | None = None
    data: ChunkData | None = None
    custom_metadata: list[CustomMetadata] | None = None
    state: str | None = None
    create_time: str | None = None
    update_time: str | None = None


class RelevantChunk(Wire):
    """A chunk that a query has found; the score is 0 to 1."""

    chunk_relevance_score: float | None = None
    chunk: Chunk | None = None
    document: Document | None = None


class ListCorporaResponse(Wire):
    """A page of corpora."""

    corpora: list[Corpus] = []
    next_page_token: str | None = None


class ListDocumentsResponse(Wire):
    """A page of documents."""

    documents: list[Document] = []
    next_page_token: str | None = None


class ChunksResponse(Wire):
    """A page of chunks, or those that a batch has made or changed."""

    chunks: list[Chunk] = []
    next_page_token: str | None = None


class QueryResponse(Wire):
    """What a query has found, the best first."""

    relevant_chunks: list[RelevantChunk] = []


class Texts(Written):
    """Several texts."""

    values: list[str]


class Metadata(Written):
    """A key, and one of three values."""

    key: str
    string_value: str | None = None
    numeric_value: float | None = None
    string_list_value: Texts | None = None


class Condition(Written):
    """A comparison with a text or a number."""

    operation: Literal["LESS", "LESS_EQUAL", "EQUAL", "GREATER_EQUAL", "GREATER", "NOT_EQUAL", "INCLUDES", "EXCLUDES"]
    string_value: str | None = None
    numeric_value: float | None = None


class MetadataFilter(Written):
    """Passes what meets any of its conditions; `document.custom_metadata.year`, `chunk.custom_metadata.year`."""

    key: str
    conditions: list[Condition]


class NewCorpus(Written):
    """A corpus that is wanted."""

    display_name: str | None = Field(None, description="label, up to 512 characters")
    name: str | None = Field(None, description="of your choice: corpora/ID")


class CorpusChange(Written):
    """What can be changed of a corpus."""

    display_name: str | None = Field(None, description="label from now on")


class NewDocument(Written):
    """A document that is wanted."""

    display_name: str | None = Field(None, description="label, up to 512 characters")
    custom_metadata: list[Metadata] | None = Field(None, description="up to 20, to filter by")
    name: str | None = Field(None, description="of your choice: corpora/ID/documents/ID")


class DocumentChange(Written):
    """What can be changed of a document."""

    display_name: str | None = Field(None, description="label from now on")
    custom_metadata: list[Metadata] | None = Field(None, description="in place of all that is there")


class Query(Written):
    """What to look for."""

    query: str = Field(description="literal text")
    results_count: int | None = Field(None, description="up to 100; default 10")
    metadata_filters: list[MetadataFilter] | None = Field(
        None, description="all must pass; keys such as document.custom_metadata.year, chunk.custom_metadata.year"
    )


class ChunkText(Written):
    """What a chunk is to say."""

    string_value: str


class WrittenChunk(Written):
    """A chunk that is wanted, or what is to change of one (then with its name)."""

    name: str | None = None
    data: ChunkText | None = None
    custom_metadata: list[Metadata] | None = None


class CreateChunk(Written):
    """One of a batch that are made."""

    parent: str
    chunk: WrittenChunk


class UpdateChunk(Written):
    """One of a batch that are changed."""

    chunk: WrittenChunk
    update_mask: str


class DeleteChunk(Written):
    """One of a batch that are deleted."""

    name: str


class CreateChunks(Written):
    """The body of `chunks:batchCreate`."""

    requests: list[CreateChunk]


class UpdateChunks(Written):
    """The body of `chunks:batchUpdate`."""

    requests: list[UpdateChunk]


class DeleteChunks(Written):
    """The body of `chunks:batchDelete`."""

    requests: list[DeleteChunk]


class Force(Written):
    """Whether what is in it goes too."""

    force: bool | None = Field(None, description="with everything in it")


_PAGE = ("pageSize", "pageToken")
_MASK = ("updateMask",)
_FORCE = ("force",)

CREATE = Endpoint("POST", "{version}/corpora", Corpus, repeat="background")
LIST = Endpoint("GET", "{version}/corpora", ListCorporaResponse, query=_PAGE)
GET = Endpoint("GET", "{version}/{corpus}", Corpus)
UPDATE = Endpoint("PATCH", "{version}/{corpus}", Corpus, query=_MASK)
DELETE = Endpoint("DELETE", "{version}/{corpus}", Empty, query=_FORCE)
QUERY = Endpoint("POST", "{version}/{corpus}:query", QueryResponse)

CREATE_DOCUMENT = Endpoint("POST", "{version}/{corpus}/documents", Document, repeat="background")
LIST_DOCUMENTS = Endpoint("GET", "{version}/{corpus}/documents", ListDocumentsResponse, query=_PAGE)
GET_DOCUMENT = Endpoint("GET", "{version}/{document}", Document)
UPDATE_DOCUMENT = Endpoint("PATCH", "{version}/{document}", Document, query=_MASK)
DELETE_DOCUMENT = Endpoint("DELETE", "{version}/{document}", Empty, query=_FORCE)
QUERY_DOCUMENT = Endpoint("POST", "{version}/{document}:query", QueryResponse)

CREATE_CHUNK = Endpoint("POST", "{version}/{document}/chunks", Chunk, repeat="background")
LIST_CHUNKS = Endpoint("GET", "{version}/{document}/chunks", ChunksResponse, query=_PAGE)
GET_CHUNK = Endpoint("GET", "{version}/{chunk}", Chunk)
UPDATE_CHUNK = Endpoint("PATCH", "{version}/{chunk}", Chunk, query=_MASK)
DELETE_CHUNK = Endpoint("DELETE", "{version}/{chunk}", Empty)
BATCH_CREATE_CHUNKS = Endpoint("POST", "{version}/{document}/chunks:batchCreate", ChunksResponse, repeat="background")
BATCH_UPDATE_CHUNKS = Endpoint("POST", "{version}/{document}/chunks:batchUpdate", ChunksResponse)
BATCH_DELETE_CHUNKS = Endpoint("POST", "{version}/{document}/chunks:batchDelete", Empty)

CREATE_PERMISSION = Endpoint("POST", "{version}/{corpus}/permissions", Permission, repeat="background")
LIST_PERMISSIONS = Endpoint("GET", "{version}/{corpus}/permissions", ListPermissionsResponse, query=_PAGE)
GET_PERMISSION = Endpoint("GET", "{version}/{permission}", Permission)
UPDATE_PERMISSION = Endpoint("PATCH", "{version}/{permission}", Permission, query=_MASK)
DELETE_PERMISSION = Endpoint("DELETE", "{version}/{permission}", Empty)
