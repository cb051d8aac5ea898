"""The methods of `environments` and of the files in them.

Source: `CreateEnvironment`, `GetEnvironmentFiles` and `StartEnvironmentFileUpload` in the official SDK of November
2026. An upload answers with the listing of what it has brought.
"""

from __future__ import annotations

from .environment_archive import unpacked
from .environment_files import normal
from .environment_rules import check_environment, files_of
from .exchange import Call, Reply, Route, Service
from .file_download import answer
from .file_making import Whole
from .interaction_errors import missing, refused, unknown
from .interaction_pages import PAGES, flag, listed
from .interaction_schema import check
from .upload_request import UploadRoute
from .upload_session import Announced, Finish, Received
from .wire import Object

_FILES = PAGES | {"recursive"}
_UPLOAD = frozenset({"extract", "overwrite", "key", "upload_protocol", "uploadType", "alt", "$alt", "prettyPrint"})


def create_environment(service: Service, call: Call) -> Reply:
    """`environments.create`."""
    body = check("CreateEnvironmentRequest", {} if call.body is None else call.body)
    origin: str = body.get("from_environment", "").removeprefix("environments/")
    if origin and body.get("sources"):
        raise refused("'sources' must be empty when 'from_environment' is set.")
    check_environment(body, service.credentials)
    settings: Object = {name: body[name] for name in ("network", "sources") if name in body}
    return Reply(service.environments.create(settings, files_of(body.get("sources", [])), origin))


def list_environments(service: Service, call: Call) -> Reply:
    """`environments.list`."""
    return listed(call, service.environments.all(), "environments")


def get_environment(service: Service, call: Call) -> Reply:
    """`environments.get`."""
    return Reply(service.environments.get(call.names["id"]))


def delete_environment(service: Service, call: Call) -> Reply:
    """`environments.delete`."""
    service.environments.delete(call.names["id"])
    return Reply()


def get_files(service: Service, call: Call) -> Reply:
    """The entries at a path of an environment; with `alt=media`, the bytes of a file or of a range of it."""
    ident = call.names["environment"]
    path = normal(call.names.get("path", ""), "path", empty=True)
    if call.query.get("alt", call.query.get("$alt")) == "media":
        file = service.environments.file(ident, path)
        content = Whole(file.data, len(file.data))
        return Reply(download=answer(content, file.mime_type, call.headers, call.directive))
    entries = service.environments.listing(ident, path, recursive=flag(call, "recursive"))
    return listed(call, entries, "files")


def upload(service: Service, call: Call, announced: Announced) -> Finish:
    """The start of an upload into an environment."""
    strange = call.query.keys() - _UPLOAD
    if strange:
        raise unknown(min(strange), "")
    if "resumable" not in (call.headers.get("x-goog-upload-protocol"), call.query.get("upload_protocol")):
        raise refused("Files of an environment can only be uploaded with X-Goog-Upload-Protocol: resumable.")
    if announced.size is None:
        raise missing("X-Goog-Upload-Header-Content-Length")
    if not announced.mime_type:
        raise missing("X-Goog-Upload-Header-Content-Type")
    if announced.size > service.options.largest_file:
        raise refused(f"The file must not be larger than {service.options.largest_file} bytes.")
    extract, overwrite = flag(call, "extract"), flag(call, "overwrite")
    ident, path = call.names["environment"], normal(call.names["path"], "path", empty=extract)
    service.environments.check(ident, path, overwrite=overwrite, folder=extract)

    def finish(received: Received) -> Object:
        data = received.blob.read(0, received.blob.size)
        files = unpacked(data, path) if extract else [(path, data)]
        mime_type = "" if extract else announced.mime_type
        made = service.environments.put(ident, files, overwrite=overwrite, mime_type=mime_type)
        received.blob.close()
        return {"files": made} if made else {}

    return finish


ROUTES = (
    Route("POST", "environments", create_environment),
    Route("GET", "environments", list_environments, PAGES),
    Route("GET", "environments/{id}", get_environment),
    Route("DELETE", "environments/{id}", delete_environment),
    Route("GET", "environments/{environment}/files", get_files, _FILES),
    Route("GET", "environments/{environment}/files/", get_files, _FILES),
    Route("GET", "environments/{environment}/files/{path=**}", get_files, _FILES),
)
UPLOADS = (UploadRoute("PUT", "environments/{environment}/files/{path=**}", upload),)
