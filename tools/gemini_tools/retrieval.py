"""Corpora of the Semantic Retriever, their documents and permissions: a service that Google has shut down."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from gemini_server.api import corpora as api
from gemini_server.api.corpora import NewCorpus, NewDocument
from gemini_server.api.permissions import NewPermission, Permission, PermissionChange
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.retired import RETRIEVER
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("retrieval", "Corpora of the Semantic Retriever.")

_NAME = Name("name", "corpora/*")
_CORPUS = Name("corpus", "corpora/*")
_DOCUMENT = Name("name", "corpora/*/documents/*")

_CORPORA = ResourceTools(
    TOOLSET, "corpus", api.Corpus, _NAME, many="corpora", retired=RETRIEVER, lists="list_corpus"
)  # fmt: skip
_DOCUMENTS = ResourceTools(
    TOOLSET, "document", api.Document, _DOCUMENT, parent=_CORPUS, retired=RETRIEVER, lists="list_corpus_document"
)  # fmt: skip
_PERMISSIONS = ResourceTools(
    TOOLSET,
    "permission",
    Permission,
    Name("name", "corpora/*/permissions/*"),
    parent=_CORPUS,
    retired=RETRIEVER,
    lists="list_corpus_permissions",
)


def _whole(name: Name) -> Callable[[BaseModel, str], BaseModel]:
    """Makes the name of what is wanted whole, where an id was chosen for it."""

    def whole(wanted: BaseModel, parent: str) -> BaseModel:
        chosen: str | None = getattr(wanted, "name", None)
        return wanted.model_copy(update={"name": name.full(chosen, parent or None)}) if chosen else wanted

    return whole


create_corpus = _CORPORA.created(
    api.CREATE, "Create a corpus for documents. Free. Returns corpus.", body=NewCorpus, request=_whole(_NAME)
)
list_corpus = _CORPORA.listed(api.LIST, "List corpora, or show one. Free. Returns corpora.", get=api.GET)
update_corpus = _CORPORA.updated(
    api.UPDATE, "Give a corpus another display name. Free. Returns corpus.", body=api.CorpusChange
)
delete_corpus = _CORPORA.deleted(
    api.DELETE,
    "Delete a corpus for good; one that is not empty only with force. Free. Returns its name.",
    queries=api.Force,
)
query_corpus = _CORPORA.acted(
    api.QUERY,
    "Find the chunks of a corpus that fit a query best. Free. Returns relevant_chunks with scores from 0 to 1.",
    tool="query_corpus",
    member="relevant_chunks",
    items="relevant_chunks",
    body=api.Query,
    read_only=True,
    idempotent=True,
)

create_corpus_document = _DOCUMENTS.created(
    api.CREATE_DOCUMENT,
    "Create an empty document in a corpus; create_chunks fills it. Free. Returns document.",
    tool="create_corpus_document",
    body=NewDocument,
    request=_whole(_DOCUMENT),
)
list_corpus_document = _DOCUMENTS.listed(
    api.LIST_DOCUMENTS, "List the documents of a corpus, or show one. Free. Returns documents.", get=api.GET_DOCUMENT
)
update_corpus_document = _DOCUMENTS.updated(
    api.UPDATE_DOCUMENT,
    "Change the display name or the metadata of a document in a corpus. Free. Returns document.",
    tool="update_corpus_document",
    body=api.DocumentChange,
)
delete_corpus_document = _DOCUMENTS.deleted(
    api.DELETE_DOCUMENT,
    "Delete a document of a corpus for good; one with chunks only with force. Free. Returns its name.",
    tool="delete_corpus_document",
    queries=api.Force,
)
query_corpus_document = _DOCUMENTS.acted(
    api.QUERY_DOCUMENT,
    "Find the chunks of one document that fit a query best. Free. Returns relevant_chunks with scores from 0 to 1.",
    tool="query_corpus_document",
    member="relevant_chunks",
    items="relevant_chunks",
    body=api.Query,
    read_only=True,
    idempotent=True,
)

create_corpus_permission = _PERMISSIONS.created(
    api.CREATE_PERMISSION,
    "Let a user, a group or everyone use a corpus. Free. Returns permission.",
    tool="create_corpus_permission",
    body=NewPermission,
)
list_corpus_permissions = _PERMISSIONS.listed(
    api.LIST_PERMISSIONS,
    "List who may use a corpus, or show one permission. Free. Returns permissions.",
    get=api.GET_PERMISSION,
)
update_corpus_permission = _PERMISSIONS.updated(
    api.UPDATE_PERMISSION,
    "Change the role that a permission to use a corpus gives. Free. Returns permission.",
    tool="update_corpus_permission",
    body=PermissionChange,
)
delete_corpus_permission = _PERMISSIONS.deleted(
    api.DELETE_PERMISSION,
    "Take back a permission to use a corpus. Free. Returns its name.",
    tool="delete_corpus_permission",
)
