"""What becomes of an upload: the `File` resource, and what is kept beside it.

Source: "Files" of the API reference, and the answers of the live service.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

from .blob import Blob
from .errors import ApiError
from .faults import Directive
from .generated_files import Content
from .measuring import film_length, sound_length
from .media import modality
from .upload_session import Received
from .wire import Object

LARGEST = 2 * 1024**3
STORAGE = 20 * 1024**3
READ = 16 * 1024 * 1024
_READY = timedelta(seconds=10)
_USUAL_POLLS = 1


@dataclass
class Kept:
    """What is known about an uploaded file beside its resource.

    Args:
        blob: its bytes.
        polls: how many more reads find it PROCESSING.
        ready: when it is ready although nobody read it; None when only reads count.
        failure: what it fails with in the end.
        film: the duration that a film itself gives, in seconds.
        seconds: the duration of a recording or film, estimated where it does not say.
    """

    blob: Blob
    polls: int
    ready: datetime | None
    failure: Object | None
    film: float
    seconds: float


@dataclass(frozen=True)
class Usable:
    """A file as a prompt uses it.

    Args:
        mime_type: its type.
        data: its bytes, the first 16 MiB at most; None where they are not here, or are a longer recording or film.
        seconds: its duration, where it has one.
    """

    mime_type: str
    data: bytes | None = None
    seconds: float = 0


class Whole(Content):
    """Bytes without any filling."""

    def part(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to, and without, `end`."""
        return self.data[start:end]


def resource_of(received: Received, described: Object, *, raw_digest: bool) -> Object:
    """The resource of a new file, without its name and times.

    Args:
        received: the bytes, and what was said about them.
        described: the `File` that the client sent.
        raw_digest: whether the digest is given as base64 of its bytes.
    """
    blob, announced = received.blob, received.announced
    mime_type = announced.mime_type or described.get("mimeType", "")
    return {
        **({"displayName": described["displayName"]} if "displayName" in described else {}),
        **({"mimeType": mime_type} if mime_type else {}),
        # Google leaves out what is zero.
        **({"sizeBytes": str(blob.size)} if blob.size else {}),
        **_digest(blob, "raw" if raw_digest else "", announced.directive),
        "state": "PROCESSING",
        "source": "UPLOADED",
    }


def kept_of(received: Received, resource: Object, now: datetime) -> Kept:
    """What is kept beside the resource: the directive of the upload says how the file fares."""
    blob, wish = received.blob, received.announced.directive
    mime_type: str = resource.get("mimeType", "")
    kind = modality(mime_type)
    film = film_length(blob) if kind == "VIDEO" else 0
    seconds = film or (sound_length(blob, mime_type) if kind in ("VIDEO", "AUDIO") else 0)
    fails = wish.get("outcome") == "failed"
    usual = _USUAL_POLLS if kind in ("VIDEO", "AUDIO") or mime_type == "application/pdf" or fails else 0
    ready = None if "polls" in wish else now + _READY
    return Kept(blob, wish.number("polls", usual), ready, _failure(wish) if fails else None, film, seconds)


def full(storage: int) -> ApiError:
    """429 for a project that has no room left."""
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/file_storage_bytes",
        "quotaId": "FileStorageBytesPerProject",
        "quotaValue": str(storage),
    }
    detail: Object = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
    return ApiError(429, "Resource has been exhausted (e.g. check quota).", details=[detail])


def _digest(blob: Blob, usual: str, wish: Directive) -> Object:
    """`sha256Hash`: the service gives base64 of the hexadecimal digest, the reference says of its bytes."""
    digest = blob.sha256()
    match wish.get("digest", usual):
        case "none":
            return {}
        case "raw":
            return {"sha256Hash": base64.b64encode(bytes.fromhex(digest)).decode()}
        case "hex":
            return {"sha256Hash": digest}
        case "wrong":
            digest = digest[::-1]
        case _:
            pass
    return {"sha256Hash": base64.b64encode(digest.encode()).decode()}


def _failure(wish: Directive) -> Object:
    code, message = wish.get("code"), wish.get("message", "The_file_could_not_be_processed.")
    return {"code": int(code) if code.isdecimal() else 13, "message": message.replace("_", " ")}
