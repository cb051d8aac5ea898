"""Files inside prompts: what a `fileUri` leads to, as if it had been sent along.

Source: "Files API" and "File input methods" of the Gemini API, and the messages of the live service.
"""

from __future__ import annotations

import base64
import re

from .errors import invalid
from .uploaded_files import Files
from .wire import Object, is_list, is_object

_FILE = re.compile(r"(?:https?://[^/?#]+(?:/[^?#]*)?/v1(?:alpha|beta)?/|^)(files/[^/:?#]+)(?::download)?(?:[?#].*)?$")
_SAME = {
    "image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav",
    "video/mov": "video/quicktime", "text/x-markdown": "text/markdown", "text/md": "text/markdown",
}  # fmt: skip


_SLOW = frozenset(
    {"fileData", "file_data", "cachedContent", "cached_content", "fileSearch", "file_search", "file_search_store_names"}
)


def name_of(uri: str) -> str:
    """The name of the file of this API that an address leads to; empty for any other address."""
    found = _FILE.match(uri)
    return found[1] if found else ""


def mentioned(body: object) -> bool:
    """Whether a body refers to files, a cache or a store, and so takes a while to read."""
    if is_object(body):
        return any(name in _SLOW or mentioned(value) for name, value in body.items())
    return is_list(body) and any(mentioned(value) for value in body)


def opened(contents: list[Object], files: Files) -> list[Object]:
    """Contents in which every file of this API has its data.

    Raises:
        ApiError: 403 for a file that does not exist, 400 for one that is not ACTIVE or of another type.
    """
    return [
        {**content, "parts": [_opened(part, files) for part in content["parts"]]} if "parts" in content else content
        for content in contents
    ]


def _opened(part: Object, files: Files) -> Object:
    reference: Object | None = part.get("fileData")
    name = name_of(reference["fileUri"]) if reference else ""
    if reference is None or not name:
        return part
    usable = files.usable(name)
    said = _essence(reference.get("mimeType", ""))
    if said and usable.mime_type and said != _essence(usable.mime_type):
        ident = name.removeprefix("files/")
        raise invalid(f"The mime_type {said} does not match that of the File {ident}: {usable.mime_type}.")
    mime_type = usable.mime_type or said
    if usable.data is None:
        seconds = {"seconds": usable.seconds} if usable.seconds else {}
        return {**part, "fileData": {**reference, **({"mimeType": mime_type} if mime_type else {}), **seconds}}
    rest = {key: value for key, value in part.items() if key != "fileData"}
    return {**rest, "inlineData": {"mimeType": mime_type, "data": base64.b64encode(usable.data).decode()}}


def _essence(mime_type: str) -> str:
    plain = mime_type.partition(";")[0].strip().lower()
    return _SAME.get(plain, plain)
