"""The resource `files`: what was uploaded, registered or generated, and how it gets there.

A file lives for 48 hours and belongs to the project of the key. It can be used once it is ACTIVE; only what Gemini
generated can be downloaded again.

Source: the schemas File, CreateFileRequest and RegisterFilesRequest of the v1beta discovery document; the resumable
protocol is `rest.upload`.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime

from gemini_server.api.operations import Status
from gemini_server.rest.endpoint import Empty, Endpoint, Wire

LONGEST_DISPLAY_NAME = 512
"""Characters of a name for people."""

FILE_NAME = re.compile(r"files/[a-z0-9][a-z0-9-]{0,62}")
"""The whole name of a file."""

_HEX = re.compile(r"[0-9a-f]{64}", re.IGNORECASE | re.ASCII)


class VideoFileMetadata(Wire):
    """What is known of a video; a duration such as `12.5s`."""

    video_duration: str | None = None


class File(Wire):
    """A file at Google.

    `state` is PROCESSING, ACTIVE or FAILED (then `error` says why), `source` is UPLOADED, GENERATED or REGISTERED.
    """

    name: str = ""
    display_name: str | None = None
    mime_type: str | None = None
    size_bytes: int | None = None
    create_time: datetime | None = None
    update_time: datetime | None = None
    expiration_time: datetime | None = None
    sha256_hash: str | None = None
    uri: str | None = None
    download_uri: str | None = None
    state: str | None = None
    source: str | None = None
    error: Status | None = None
    video_metadata: VideoFileMetadata | None = None

    @property
    def sha256(self) -> str | None:
        """The digest in hex; None where there is none, or none that can be read.

        Google gives base64 of the hex digits where the documents say base64 of the digest: both are understood.
        """
        given = self.sha256_hash or ""
        if _HEX.fullmatch(given):
            return given.lower()
        try:
            raw = base64.b64decode(given.replace("-", "+").replace("_", "/") + "=" * (-len(given) % 4), validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) == 32:
            return raw.hex()
        text = raw.decode("ascii", "replace")
        return text.lower() if _HEX.fullmatch(text) else None


class NewFile(Wire):
    """What is said of a file before its bytes are sent.

    `name` is `files/ID`, up to 40 lower-case letters, digits and dashes; Google chooses one where there is none.
    """

    name: str | None = None
    display_name: str | None = None
    mime_type: str | None = None
    size_bytes: str | None = None


class CreateFileRequest(Wire):
    """The description of a file."""

    file: NewFile


class CreateFileResponse(Wire):
    """The file that was made."""

    file: File | None = None


class ListFilesResponse(Wire):
    """A page of files."""

    files: list[File] = []
    next_page_token: str | None = None


class RegisterFilesRequest(Wire):
    """Objects of Google Cloud Storage, `gs://bucket/object`."""

    uris: list[str]


class RegisterFilesResponse(Wire):
    """The files that stand for them."""

    files: list[File] = []


_PAGE = ("pageSize", "pageToken")

UPLOAD = Endpoint("POST", "upload/{version}/files", CreateFileResponse)
CREATE = Endpoint("POST", "{version}/files", CreateFileResponse, repeat="background")
GET = Endpoint("GET", "{version}/{name}", File)
LIST = Endpoint("GET", "{version}/files", ListFilesResponse, query=_PAGE)
DELETE = Endpoint("DELETE", "{version}/{name}", Empty)
REGISTER = Endpoint("POST", "{version}/files:register", RegisterFilesResponse)
