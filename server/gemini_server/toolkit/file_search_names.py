"""Stores and documents by name, and what Google's refusals of them mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gemini_server.api import file_search as api
from gemini_server.api.file_search import Document, FileSearchStore
from gemini_server.errors import ArgumentError, KeyRefused, NotFound, RequestRefused, ToolserverError
from gemini_server.toolkit import owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime

_ID = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_STORE = re.compile(rf"{api.PREFIX}{_ID}")
_DOCUMENT = re.compile(rf"({api.PREFIX}{_ID})/documents/{_ID}")
_NOT_EMPTY = re.compile(r"non-?\s?empty|not empty|force", re.IGNORECASE)
_ABSENT = 404
_SEE = "list_stores shows those of this key."


def store_name(named: str) -> str:
    """The resource name of a store as a caller gave it.

    Raises:
        ArgumentError: it is none.
    """
    name = named.strip()
    if not _STORE.fullmatch(name):
        raise ArgumentError(
            f"{named[:80]!r} is no File Search store; nothing was sent.", f"Give fileSearchStores/ID; {_SEE}"
        )
    return name


def store_names(named: Sequence[str]) -> list[str]:
    """The resource names of some stores, each once.

    Raises:
        ArgumentError: one is none.
    """
    return list(dict.fromkeys(map(store_name, named)))


def document_name(named: str) -> str:
    """The resource name of a document as a caller gave it.

    Raises:
        ArgumentError: it is none.
    """
    name = named.strip()
    if not _DOCUMENT.fullmatch(name):
        raise ArgumentError(
            f"{named[:120]!r} is no document; nothing was sent.",
            "Give fileSearchStores/ID/documents/ID; list_documents shows those of a store.",
        )
    return name


async def check_stores(call: Call, names: Sequence[str]) -> None:
    """See that no store, nor the store of a document, is another caller's.

    Raises:
        NotFound: one is; the same is said of one that is not there.
    """
    for name in sorted(await owners.theirs(call, [name.strip() for name in names])):
        raise _absent(name)


def store_of(document: str) -> str:
    """The store of a document."""
    return document.partition("/documents/")[0]


async def get_store(runtime: Runtime, name: str) -> FileSearchStore:
    """A store as it stands.

    Raises:
        NotFound: this key has none of the name.
    """
    try:
        return (await runtime.client.call(api.GET, store=name)).value
    except ToolserverError as error:
        raise explained(error, name) from None


async def get_document(runtime: Runtime, name: str) -> Document:
    """A document as it stands.

    Raises:
        NotFound: there is none of the name.
    """
    try:
        return (await runtime.client.call(api.GET_DOCUMENT, document=name)).value
    except ToolserverError as error:
        raise explained(error, name) from None


def explained(error: ToolserverError, name: str) -> ToolserverError:
    """The error of a call about a store or a document, in words that say what to do about it.

    Google says the same of a store that is not there and of one that belongs to somebody else.

    Args:
        error: what the call ended in.
        name: of the store or document.
    """
    if _is_absence(error):
        return _absent(name)
    document = "/documents/" in name
    if isinstance(error, RequestRefused) and error.code == "FAILED_PRECONDITION" and _NOT_EMPTY.search(error.what):
        holds = "its chunks" if document else "all documents in it"
        what = f"document {name}" if document else f"File Search store {name}"
        return ArgumentError(
            f"The {what} is not empty; nothing was deleted.",
            f"force=true deletes it with {holds}, for good.",
            code="not_empty",
            status=error.status,
        )
    return error


def explained_search(error: ToolserverError, names: Sequence[str]) -> ToolserverError:
    """The error of a search: where a store is not there, it says which."""
    about = next((name for name in names if name.removeprefix(api.PREFIX) in error.what), None)
    return explained(error, about) if about and _is_absence(error) else error


def _absent(name: str) -> NotFound:
    document = "/documents/" in name
    what = f"document {name}" if document else f"File Search store {name}"
    see = f"list_documents shows those of {store_of(name)}." if document else _SEE
    # Google says 403 in one place and 404 in another; nobody is to tell by it what there is.
    return NotFound(f"There is no {what} for this key.", see, code="not_found", status=_ABSENT)


def _is_absence(error: ToolserverError) -> bool:
    refused = isinstance(error, RequestRefused | KeyRefused) and error.status == 403
    return isinstance(error, NotFound) or (refused and "permission" in error.what.lower())
