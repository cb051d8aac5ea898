"""`generatedFiles`: what the models of the emulator made, as the list of files that has no bytes and no expiry.

A generated file has the id of its file under `files`, and so has the operation that made it. Source: `generatedFiles`
of the v1beta discovery document, which leaves open how its names come about.
"""

from __future__ import annotations

from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .legacy_calls import PAGES, beta, page_of
from .wire import Object

_PAGE = 100
_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1beta.GeneratedFile"


def list_generated_files(service: Service, call: Call) -> Reply:
    """`generatedFiles.list`."""
    files, token = service.files.list_page(_PAGE, "")
    while token:
        more, token = service.files.list_page(_PAGE, token)
        files += more
    shown = [_resource(file) for file in files if file["source"] == "GENERATED"]
    return page_of(call, "generatedFiles", shown, default=10, largest=50)


def get_generated_file(service: Service, call: Call) -> Reply:
    """`generatedFiles.get`."""
    return Reply(_resource(_found(service, call)))


def get_operation(service: Service, call: Call) -> Reply:
    """`generatedFiles.operations.get`: a file is kept when it is complete, so that its operation is done."""
    file = _found(service, call)
    ident = call.names["operation"]
    if ident != file["name"].partition("/")[2]:
        raise ApiError(404, f"Requested entity was not found: generatedFiles/{call.names['file']}/operations/{ident}")
    generated = _resource(file)
    name = f"{generated['name']}/operations/{ident}"
    return Reply({"name": name, "done": True, "response": {"@type": _TYPE, **generated}})


def _found(service: Service, call: Call) -> Object:
    ident = call.names["file"]
    try:
        file = service.files.get(f"files/{ident}")
    except ApiError:
        file = {}
    if file.get("source") != "GENERATED":
        raise ApiError(404, f"Requested entity was not found: generatedFiles/{ident}")
    return file


def _resource(file: Object) -> Object:
    name = f"generatedFiles/{file['name'].partition('/')[2]}"
    return {"name": name, "mimeType": file["mimeType"], "state": "GENERATED"}


ROUTES = (
    Route("GET", "generatedFiles", beta(list_generated_files), PAGES),
    Route("GET", "generatedFiles/{file}", beta(get_generated_file)),
    Route("GET", "generatedFiles/{file}/operations/{operation}", beta(get_operation)),
)
