"""What fills a File Search store: the import of a file, an upload into the store, and the operations of both.

Source: `fileSearchStores.importFile`, `media.uploadToFileSearchStore` and the two kinds of operations in the API
reference, and the limits of the guide "File Search".
"""

from __future__ import annotations

import mimetypes

from .errors import ApiError, invalid
from .exchange import Call, Reply, Route, Service
from .faults import Directive
from .operations import USUAL_POLLS
from .rpc_status import asked_status
from .schema import check
from .search_chunks import check_type, chunking_of
from .search_document import Source, Task
from .search_store import SearchStore
from .upload_request import UploadRoute
from .upload_session import Announced, Finish, Received
from .wire import Object

_LARGEST = 100 * 1024 * 1024
_LONGEST_NAME = 512
_MOST_METADATA = 20
_VALUES = ("stringValue", "numericValue", "stringListValue")
_FAILED = "Failed to process the document due to an internal error."
_UNKNOWN = ("", "application/octet-stream")
_SIGNATURES = {b"%PDF-": "application/pdf", b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def import_file(service: Service, call: Call) -> Reply:
    """`fileSearchStores.importFile`."""
    store = service.search_stores.find(call.names["store"])
    given = check("ImportFileRequest", call.body, call.version)
    name: str = given.get("fileName", "")
    if not name.startswith("files/"):
        raise invalid("* ImportFileRequest.file_name: a name of the form files/{id} is required\n")
    metadata = checked_metadata(given, "ImportFileRequest")
    chunking = chunking_of(given.get("chunkingConfig", {}), "ImportFileRequest.chunking_config")
    usable, file = service.files.usable(name), service.files.get(name)
    title: str = file.get("displayName") or name.removeprefix("files/")
    size = int(file.get("sizeBytes", 0))
    _fits(size, usable.mime_type, store)
    directive = call.directive.merged(service.faults.from_prompt([title], call.path))
    source = Source(title, usable.mime_type, usable.data or b"", size, chunking, metadata)
    document = store.add(source, _task(directive, upload=False))
    return Reply(document.operation(), directive=call.directive)


def begin_upload(service: Service, call: Call, announced: Announced) -> Finish:
    """`media.uploadToFileSearchStore`: what the bytes are to become, checked before they come."""
    store = service.search_stores.find(call.names["store"])
    place = "UploadToFileSearchStoreRequest"
    given = check(place, call.body if call.body is not None else {}, call.version)
    title: str = given.get("displayName") or announced.file_name
    if len(title) > _LONGEST_NAME:
        raise invalid(f"* {place}.display_name: at most {_LONGEST_NAME} characters are allowed\n")
    metadata = checked_metadata(given, place)
    chunking = chunking_of(given.get("chunkingConfig", {}), f"{place}.chunking_config")
    mime: str = given.get("mimeType") or announced.mime_type
    if mime not in _UNKNOWN:
        _fits(announced.size or 0, mime, store)

    def finish(received: Received) -> Object:
        raw = received.blob.read(0, received.blob.size)
        received.blob.close()
        kind = mime if mime not in _UNKNOWN else _type_of(raw, announced.file_name or title)
        _fits(len(raw), kind, store)
        source = Source(title, kind, raw, len(raw), chunking, metadata)
        document = store.add(source, _task(received.announced.directive, upload=True))
        # Seen of the service: what the operation ends with is told with the name, long before it is done.
        return {**document.operation(), "response": document.response()}

    return finish


def get_operation(service: Service, call: Call) -> Reply:
    """`fileSearchStores.operations.get`."""
    return Reply(service.search_stores.find(call.names["store"]).operation(call.names["operation"], upload=False))


def get_upload_operation(service: Service, call: Call) -> Reply:
    """`fileSearchStores.upload.operations.get`."""
    return Reply(service.search_stores.find(call.names["store"]).operation(call.names["operation"], upload=True))


def _task(directive: Directive, *, upload: bool) -> Task:
    polls = directive.number("polls", USUAL_POLLS)
    return Task(upload, polls, directive.seconds("lasts"), asked_status(directive, _FAILED))


def _fits(size: int, mime: str, store: SearchStore) -> None:
    if size > _LARGEST:
        raise invalid(f"The file is too large: the limit of a document is {_LARGEST} bytes.")
    check_type(mime, pictures=store.embedding_model == "models/gemini-embedding-2")


def checked_metadata(given: Object, place: str) -> list[Object]:
    """`customMetadata` of a request.

    Raises:
        ApiError: 400 for too many entries, for one without key or value, and for a key that is given twice.
    """
    metadata: list[Object] = given.get("customMetadata", [])
    place = f"* {place}.custom_metadata"
    if len(metadata) > _MOST_METADATA:
        raise invalid(f"{place}: at most {_MOST_METADATA} entries are allowed, found {len(metadata)}\n")
    keys: set[str] = set()
    for index, one in enumerate(metadata):
        if not one.get("key"):
            raise invalid(f"{place}[{index}].key: key is required\n")
        if one["key"] in keys:
            raise invalid(f"{place}[{index}].key: {one['key']} is given more than once\n")
        if not any(name in one for name in _VALUES):
            raise invalid(f"{place}[{index}]: required oneof field 'value' must have one initialized field\n")
        keys.add(one["key"])
    return metadata


def _type_of(raw: bytes, name: str) -> str:
    """The type of bytes that nobody has told."""
    for signature, mime in _SIGNATURES.items():
        if raw.startswith(signature):
            return mime
    guessed = mimetypes.guess_type(name)[0]
    if guessed:
        return guessed
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise ApiError(400, "The MIME type of the file could not be determined. Please set mime_type.") from None
    return "text/plain"


ROUTES = (
    Route("POST", "fileSearchStores/{store}:importFile", import_file, slow=True),
    Route("GET", "fileSearchStores/{store}/operations/{operation}", get_operation, slow=True),
    Route("GET", "fileSearchStores/{store}/upload/operations/{operation}", get_upload_operation, slow=True),
)

UPLOADS = (UploadRoute("POST", "fileSearchStores/{store}:uploadToFileSearchStore", begin_upload),)
