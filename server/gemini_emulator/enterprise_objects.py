"""Writing to Cloud Storage, and reading what was given inline or lies there.

Source: `storageUri`, `gcsUri` and `bytesBase64Encoded` in the references of Imagen and Veo on the platform.
"""

from __future__ import annotations

import base64
import re

from .enterprise_store import CloudObject
from .errors import invalid
from .exchange import Service
from .media_output import draw
from .wire import Object, is_object

_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:/\S*)?")


def check_folder(uri: object) -> str:
    """A folder of Cloud Storage, without a slash at its end.

    Raises:
        ApiError: 400 for anything else.
    """
    if not isinstance(uri, str) or not _BUCKET.fullmatch(uri):
        raise invalid(f"Invalid Cloud Storage URI: {uri!r}. It must be of the form gs://bucket/folder.")
    return uri.rstrip("/")


def write(service: Service, uri: str, data: bytes, mime_type: str) -> str:
    """Put an object into Cloud Storage; its address."""
    service.projects.objects[uri] = CloudObject(data, mime_type)
    return uri


def inlined(service: Service, picture: object) -> object:
    """A picture of an instance with its bytes in it; one that lies elsewhere is drawn from its address."""
    if not is_object(picture) or "gcsUri" not in picture:
        return picture
    uri = str(picture["gcsUri"])
    held = service.projects.objects.get(uri)
    data = held.data if held else draw(uri.rpartition("/")[2], 320, 180)
    mime: Object = {"mimeType": picture.get("mimeType", held.mime_type if held else "image/png")}
    return {"bytesBase64Encoded": base64.b64encode(data).decode(), **mime}
