"""The methods of `corpora.documents.chunks`: create, list, get, patch and delete, one by one and many at once.

Google has taken their addresses away; `Options.legacy_services` brings them back. Of the calls for many chunks, either
all are done or none. Source: the v1beta protos of the Semantic Retriever.
"""

from __future__ import annotations

from dataclasses import dataclass

from .corpus_document import CorpusChunk, CorpusDocument
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .legacy_calls import MASK, PAGES, changes_of, chosen_ident, mask_of, page_of, removed
from .schema import check
from .search_import_service import checked_metadata
from .tokens import of_text
from .wire import Object

_LARGEST_PAGE = 100
_MOST_TOKENS = 2043
_MOST_REQUESTS = 100
_CHANGEABLE = ("data", "data.stringValue", "customMetadata")


@dataclass(frozen=True)
class _Order:
    """A chunk that is to be made."""

    ident: str
    text: str
    metadata: list[Object]


@dataclass(frozen=True)
class _Change:
    """What is to become of a chunk; None leaves a part of it as it is."""

    chunk: CorpusChunk
    text: str | None
    metadata: list[Object] | None


def create_chunk(service: Service, call: Call) -> Reply:
    """`chunks.create`."""
    document = _document(service, call)
    order = _order(check("Chunk", call.body, call.version), document, "CreateChunkRequest.chunk")
    return Reply(document.add(order.ident, order.text, order.metadata).resource(pending=True))


def list_chunks(service: Service, call: Call) -> Reply:
    """`chunks.list`."""
    resources = [chunk.resource() for chunk in _document(service, call).chunks()]
    return page_of(call, "chunks", resources, largest=_LARGEST_PAGE)


def get_chunk(service: Service, call: Call) -> Reply:
    """`chunks.get`."""
    return Reply(_document(service, call).find(call.names["chunk"]).resource())


def patch_chunk(service: Service, call: Call) -> Reply:
    """`chunks.patch`: the text and the metadata can be changed."""
    document = _document(service, call)
    chunk = document.find(call.names["chunk"])
    change = _change(check("Chunk", call.body, call.version), mask_of(call), chunk, "UpdateChunkRequest")
    return Reply(_applied(change, document))


def delete_chunk(service: Service, call: Call) -> Reply:
    """`chunks.delete`."""
    _document(service, call).delete(call.names["chunk"])
    return Reply()


def batch_create_chunks(service: Service, call: Call) -> Reply:
    """`chunks.batchCreate`."""
    document, place = _document(service, call), "BatchCreateChunksRequest"
    orders: list[_Order] = []
    for index, one in enumerate(_requests(call, document, place)):
        here = f"{place}.requests[{index}]"
        _check_parent(one, document, here, required=True)
        orders.append(_order(one.get("chunk", {}), document, f"{here}.chunk"))
    _check_different([order.ident for order in orders if order.ident], f"{place}.requests")
    made = [document.add(order.ident, order.text, order.metadata) for order in orders]
    return Reply({"chunks": [chunk.resource(pending=True) for chunk in made]})


def batch_update_chunks(service: Service, call: Call) -> Reply:
    """`chunks.batchUpdate`."""
    document, place = _document(service, call), "BatchUpdateChunksRequest"
    changes: list[_Change] = []
    for index, one in enumerate(_requests(call, document, place)):
        here, given = f"{place}.requests[{index}]", one.get("chunk", {})
        chunk = document.find(_ident(given.get("name", ""), document, f"{here}.chunk.name"))
        changes.append(_change(given, one.get("updateMask", ""), chunk, here))
    _check_different([change.chunk.name for change in changes], f"{place}.requests")
    return Reply({"chunks": [_applied(change, document) for change in changes]})


def batch_delete_chunks(service: Service, call: Call) -> Reply:
    """`chunks.batchDelete`."""
    document, place = _document(service, call), "BatchDeleteChunksRequest"
    idents = [
        _ident(one.get("name", ""), document, f"{place}.requests[{index}].name")
        for index, one in enumerate(_requests(call, document, place))
    ]
    _check_different(idents, f"{place}.requests")
    for ident in idents:
        document.find(ident)
    for ident in idents:
        document.delete(ident)
    return Reply()


def _document(service: Service, call: Call) -> CorpusDocument:
    return service.corpora.find(call.names["corpus"]).find(call.names["document"])


def _requests(call: Call, document: CorpusDocument, message: str) -> list[Object]:
    given = check(message, call.body, call.version)
    _check_parent(given, document, message, required=False)
    requests: list[Object] = given.get("requests", [])
    if not requests:
        raise invalid(f"* {message}.requests: requests must not be empty\n")
    if len(requests) > _MOST_REQUESTS:
        raise invalid(f"* {message}.requests: at most {_MOST_REQUESTS} requests can be in one batch\n")
    return requests


def _check_parent(given: Object, document: CorpusDocument, place: str, *, required: bool) -> None:
    parent: str = given.get("parent", "")
    if (parent or required) and parent != document.name:
        raise invalid(f"* {place}.parent: {parent!r} does not match the parent of the request, {document.name}\n")


def _check_different(names: list[str], place: str) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise invalid(f"* {place}: {twice[0]} is given more than once\n")


def _ident(name: str, document: CorpusDocument, place: str) -> str:
    collection, _, ident = name.rpartition("/")
    if collection != f"{document.name}/chunks" or not ident:
        raise invalid(f"* {place}: {name!r} is not of the form {document.name}/chunks/{{id}}\n")
    return ident


def _order(given: Object, document: CorpusDocument, place: str) -> _Order:
    ident = chosen_ident(given.get("name", ""), f"{document.name}/chunks", f"{place}.name")
    order = _Order(ident, _text(given, place), checked_metadata(given, place))
    document.check_free(ident)
    return order


def _change(given: Object, mask: str, chunk: CorpusChunk, place: str) -> _Change:
    changes = changes_of(mask, given, place, _CHANGEABLE)
    text = _text(given, f"{place}.chunk") if "data" in changes else None
    metadata = checked_metadata(given, f"{place}.chunk")
    return _Change(chunk, text, metadata if "customMetadata" in changes else None)


def _applied(change: _Change, document: CorpusDocument) -> Object:
    change.chunk.change(change.text, change.metadata, document.clock())
    return change.chunk.resource(pending=change.text is not None)


def _text(given: Object, place: str) -> str:
    text: str = given.get("data", {}).get("stringValue", "")
    if not text:
        raise invalid(f"* {place}.data: data is required and not specified\n")
    tokens = of_text(text)
    if tokens > _MOST_TOKENS:
        raise invalid(f"* {place}.data.string_value: at most {_MOST_TOKENS} tokens are allowed, found {tokens}\n")
    return text


_ALL = "corpora/{corpus}/documents/{document}/chunks"
_ONE = f"{_ALL}/{{chunk}}"

ROUTES = (
    Route("POST", _ALL, removed(create_chunk)),
    Route("GET", _ALL, removed(list_chunks), PAGES),
    Route("GET", _ONE, removed(get_chunk)),
    Route("PATCH", _ONE, removed(patch_chunk), MASK),
    Route("DELETE", _ONE, removed(delete_chunk)),
    Route("POST", f"{_ALL}:batchCreate", removed(batch_create_chunks)),
    Route("POST", f"{_ALL}:batchUpdate", removed(batch_update_chunks)),
    Route("POST", f"{_ALL}:batchDelete", removed(batch_delete_chunks)),
)
