"""The methods of File Search stores and of their documents, but for what fills them.

Source: `fileSearchStores`, `fileSearchStores.documents` and `fileSearchStores.media` of the API reference and of the
official SDK, and the guide "File Search".
"""

from __future__ import annotations

from .errors import ApiError, invalid
from .exchange import Call, Reply, Route, Service
from .file_download import answer
from .generated_files import Content
from .schema import check
from .search_store import LARGEST_PAGE
from .store import page
from .wire import Object

_MODELS = ("models/gemini-embedding-001", "models/gemini-embedding-2")
_LONGEST_NAME = 512
_FORCE = frozenset({"force"})
_PAGES = frozenset({"pageSize", "pageToken", "page_size", "page_token"})


def create_store(service: Service, call: Call) -> Reply:
    """`fileSearchStores.create`."""
    given = check("FileSearchStore", call.body if call.body is not None else {}, call.version)
    name: str = given.get("displayName", "")
    if len(name) > _LONGEST_NAME:
        raise invalid(f"* CreateFileSearchStoreRequest.display_name: at most {_LONGEST_NAME} characters are allowed\n")
    model: str = given.get("embeddingModel") or _MODELS[0]
    if model not in _MODELS:
        raise invalid(f"* CreateFileSearchStoreRequest.embedding_model: {model} is not one of {', '.join(_MODELS)}\n")
    return Reply(service.search_stores.create(name, model).resource())


def get_store(service: Service, call: Call) -> Reply:
    """`fileSearchStores.get`."""
    return Reply(service.search_stores.find(call.names["store"]).resource())


def list_stores(service: Service, call: Call) -> Reply:
    """`fileSearchStores.list`."""
    return _page("fileSearchStores", *service.search_stores.list_page(_size(call), _token(call)))


def delete_store(service: Service, call: Call) -> Reply:
    """`fileSearchStores.delete`."""
    service.search_stores.delete(call.names["store"], force=call.boolean("force"))
    return Reply()


def get_document(service: Service, call: Call) -> Reply:
    """`fileSearchStores.documents.get`, which is a read of the operation that makes it too."""
    document = service.search_stores.find(call.names["store"]).find(call.names["document"])
    document.look()
    return Reply(document.resource())


def list_documents(service: Service, call: Call) -> Reply:
    """`fileSearchStores.documents.list`."""
    resources = [document.resource() for document in service.search_stores.find(call.names["store"]).documents()]
    return _page("documents", *page(resources, _size(call), _token(call), default=10, largest=LARGEST_PAGE))


def delete_document(service: Service, call: Call) -> Reply:
    """`fileSearchStores.documents.delete`."""
    store = service.search_stores.find(call.names["store"])
    store.delete(call.names["document"], force=call.boolean("force"))
    return Reply()


def download_media(service: Service, call: Call) -> Reply:
    """The picture that a citation names; without `alt=media` it answers an empty message."""
    document = service.search_stores.find(call.names["store"]).find(call.names["media"])
    if not document.picture:
        raise ApiError(404, f"Requested entity was not found: {document.media_id}")
    if call.query.get("alt", call.query.get("$alt")) != "media":
        return Reply()
    content = Content(document.picture, len(document.picture))
    return Reply(download=answer(content, document.mime_type, call.headers, call.directive), directive=call.directive)


def _size(call: Call) -> int | None:
    return call.integer("pageSize", "page_size")


def _token(call: Call) -> str:
    return call.query.get("pageToken", call.query.get("page_token", ""))


def _page(kind: str, resources: list[Object], token: str) -> Reply:
    body: Object = {kind: resources} if resources else {}
    return Reply({**body, **({"nextPageToken": token} if token else {})})


ROUTES = (
    Route("POST", "fileSearchStores", create_store),
    Route("GET", "fileSearchStores", list_stores, _PAGES, slow=True),
    Route("GET", "fileSearchStores/{store}", get_store, slow=True),
    Route("DELETE", "fileSearchStores/{store}", delete_store, _FORCE),
    Route("GET", "fileSearchStores/{store}/documents", list_documents, _PAGES, slow=True),
    Route("GET", "fileSearchStores/{store}/documents/{document}", get_document, slow=True),
    Route("DELETE", "fileSearchStores/{store}/documents/{document}", delete_document, _FORCE),
    Route("GET", "fileSearchStores/{store}/media/{media}", download_media, slow=True),
)
