"""The resources `fileSearchStores` and `documents`: what Gemini searches in to answer, and how it gets there.

A store keeps chunks of documents with their vectors, made by one embedding model for good; it does not expire. A
document comes from bytes that are uploaded into the store, or from a file that is imported; either way an operation
ends when it can be found, and making its vectors is billed. The operations are `…/operations/…` of an import and
`…/upload/operations/…` of an upload (see `operations`).

Source: https://ai.google.dev/api/file-search/file-search-stores and the v1beta discovery document of August 2026.
"""

from __future__ import annotations

from typing import ClassVar

from gemini_server.api.config import Written
from gemini_server.api.metadata import CustomMetadata
from gemini_server.api.operations import Operation
from gemini_server.rest.endpoint import Empty, Endpoint, Wire

PREFIX = "fileSearchStores/"
LONGEST_NAME = 512
"""Characters of a name for people."""
LARGEST = 100 * 1024 * 1024
"""Bytes of a document."""
MOST_METADATA = 20
MOST_TOKENS = 512
"""Words of a chunk."""


class FileSearchStore(Wire):
    """A store; counts that are zero are not said."""

    name: str = ""
    display_name: str | None = None
    embedding_model: str | None = None
    create_time: str | None = None
    update_time: str | None = None
    active_documents_count: int = 0
    pending_documents_count: int = 0
    failed_documents_count: int = 0
    size_bytes: int = 0


class NewFileSearchStore(Written):
    """A store that is wanted; its embedding model cannot be changed later."""

    display_name: str | None = None
    embedding_model: str | None = None


class ListFileSearchStoresResponse(Wire):
    """A page of stores."""

    file_search_stores: list[FileSearchStore] = []
    next_page_token: str | None = None


class Document(Wire):
    """A document; its `state` is STATE_PENDING, STATE_ACTIVE or STATE_FAILED."""

    name: str = ""
    display_name: str | None = None
    custom_metadata: list[CustomMetadata] | None = None
    create_time: str | None = None
    update_time: str | None = None
    state: str | None = None
    size_bytes: int | None = None
    mime_type: str | None = None


class ListDocumentsResponse(Wire):
    """A page of documents."""

    documents: list[Document] = []
    next_page_token: str | None = None


class WhiteSpaceConfig(Written):
    """Chunks of so many words between blanks."""

    max_tokens_per_chunk: int | None = None
    max_overlap_tokens: int | None = None


class ChunkingConfig(Written):
    """How a document is divided; Google's own way without it."""

    white_space_config: WhiteSpaceConfig


class ImportFileRequest(Written):
    """A file at Google that becomes a document."""

    file_name: str
    custom_metadata: list[CustomMetadata] | None = None
    chunking_config: ChunkingConfig | None = None


class UploadToFileSearchStoreRequest(Written):
    """What the bytes are that are uploaded into a store."""

    display_name: str | None = None
    mime_type: str | None = None
    custom_metadata: list[CustomMetadata] | None = None
    chunking_config: ChunkingConfig | None = None


class FinishedImport(Wire):
    """What an operation ends with. An upload gives full names, an import the last parts of them."""

    essential: ClassVar[frozenset[str] | None] = frozenset()

    parent: str = ""
    document_name: str = ""
    mime_type: str | None = None
    size_bytes: int | None = None


_PAGE = ("pageSize", "pageToken")
_FORCE = ("force",)

# A second create would be a second store, and a second import would be billed.
CREATE = Endpoint("POST", "{version}/fileSearchStores", FileSearchStore, repeat="background")
LIST = Endpoint("GET", "{version}/fileSearchStores", ListFileSearchStoresResponse, query=_PAGE)
GET = Endpoint("GET", "{version}/{store}", FileSearchStore)
DELETE = Endpoint("DELETE", "{version}/{store}", Empty, query=_FORCE)
IMPORT = Endpoint("POST", "{version}/{store}:importFile", Operation, repeat="background")
UPLOAD = Endpoint("POST", "upload/{version}/{store}:uploadToFileSearchStore", Operation)
DOCUMENTS = Endpoint("GET", "{version}/{store}/documents", ListDocumentsResponse, query=_PAGE)
GET_DOCUMENT = Endpoint("GET", "{version}/{document}", Document)
DELETE_DOCUMENT = Endpoint("DELETE", "{version}/{document}", Empty, query=_FORCE)
