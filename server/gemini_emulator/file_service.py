"""Files: their descriptions, their uploads, and objects of Cloud Storage that are registered.

`file_download` has the methods that uploaded and generated files share. Source: "Files" and "media" of the API
reference, "File input methods" of the guides, and the messages of the live service.
"""

from __future__ import annotations

import re

from .errors import ApiError, error_info, invalid
from .exchange import Call, Reply, Route, Service
from .schema import check
from .upload_request import UploadRoute
from .upload_session import Announced, Finish
from .uploaded_files import Files
from .wire import Object

_IDENT = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LONGEST_IDENT = 40
_LONGEST_DISPLAY_NAME = 512
_NAME = (
    "* CreateFileRequest.file.name: File name may only contain lowercase alphanumeric characters or dashes (-) and "
    "cannot begin or end with a dash.\n"
)
_NO_KEYS = (
    "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that "
    "assert a principal. See https://cloud.google.com/docs/authentication"
)
_BOTH = (
    "API key for authentication is used with other authentication credentials. Expected only one form of "
    "authentication."
)
_NO_PROJECT = (
    "Your application is authenticating by using local Application Default Credentials. The "
    "generativelanguage.googleapis.com API requires a quota project, which is not set by default. To learn how to set "
    "your quota project, see https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds ."
)
_METHOD = "google.ai.generativelanguage.{}.FileService.RegisterFiles"


def upload(service: Service, call: Call, announced: Announced) -> Finish:
    """`media.upload`."""
    described = _described(call)
    largest = service.options.largest_file
    if announced.size is not None and announced.size > largest:
        raise invalid(f"* CreateFileRequest.file.size_bytes: the file must not be larger than {largest} bytes.\n")
    base_url = call.base_url(service.options.path_prefix)
    return lambda received: {
        "file": service.files.upload(received, described, base_url, raw_digest=service.options.raw_digest)
    }


def create_file(service: Service, call: Call) -> Reply:
    """`media.upload` without media: the address for descriptions alone."""
    file = service.files.describe(_described(call), call.base_url(service.options.path_prefix))
    return Reply({"file": file})


def register_files(service: Service, call: Call) -> Reply:
    """`files.register`."""
    _check_principal(call, both=service.options.key_beside_token)
    uris: list[str] = check("RegisterFilesRequest", call.body, call.version).get("uris", [])
    if not uris:
        raise invalid("* RegisterFilesRequest.uris: uris must not be empty\n")
    files: Files = service.files
    return Reply({"files": files.register(uris, call.base_url(service.options.path_prefix))})


def _described(call: Call) -> Object:
    """The description of a file that is to be made; what only the service may say is passed over."""
    request = check("CreateFileRequest", call.body, call.version) if call.body is not None else {}
    file: Object = request.get("file", {})
    name: str = file.get("name", "")
    ident = name.removeprefix("files/")
    if name and not _IDENT.fullmatch(ident):
        raise invalid(_NAME)
    if len(ident) > _LONGEST_IDENT:
        raise invalid(f"* CreateFileRequest.file.name: the ID must not be longer than {_LONGEST_IDENT} characters.\n")
    if len(file.get("displayName", "")) > _LONGEST_DISPLAY_NAME:
        longest = f"must be no more than {_LONGEST_DISPLAY_NAME} characters in length, including spaces"
        raise invalid(f"* CreateFileRequest.file.display_name: The display name {longest}.\n")
    return file


def _check_principal(call: Call, *, both: bool) -> None:
    """Ask for somebody's token and for the project that pays, and for no key beside them."""
    bearer = call.headers.get("authorization", "").lower().startswith("bearer ")
    key = "x-goog-api-key" in call.headers or "key" in call.query
    method = {"method": _METHOD.format(call.version)}
    if not bearer:
        raise ApiError(401, _NO_KEYS, details=[error_info("CREDENTIALS_MISSING", **method)])
    if key and not both:
        raise ApiError(401, _BOTH, details=[error_info("OVERLOADED_CREDENTIALS", **method)])
    if not call.headers.get("x-goog-user-project"):
        raise ApiError(403, _NO_PROJECT, details=[error_info("SERVICE_DISABLED")])


ROUTES = (
    Route("POST", "files", create_file),
    Route("POST", "files:register", register_files),
)
UPLOADS = (UploadRoute("POST", "files", upload),)
