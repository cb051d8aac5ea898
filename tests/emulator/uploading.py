"""Uploads as a raw client makes them, command by command."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterable
from typing import Any

import httpx2

from .conftest import Api

GRANULE = 256 * 1024
PATH = "/upload/v1beta/files"


def noise(size: int) -> bytes:
    """Bytes that do not repeat within a chunk."""
    blocks = [hashlib.sha256(b"%d" % number).digest() for number in range(size // 32 + 1)]
    return b"".join(blocks)[:size]


def digest_of(data: bytes) -> str:
    """`sha256Hash` as the service writes it."""
    return base64.b64encode(hashlib.sha256(data).hexdigest().encode()).decode()


async def begin(
    api: Api, size: int | None, mime_type: str = "text/plain", *, path: str = PATH, **file: Any
) -> httpx2.Response:
    """The start of a resumable upload."""
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    if size is not None:
        headers["X-Goog-Upload-Header-Content-Length"] = str(size)
    if mime_type:
        headers["X-Goog-Upload-Header-Content-Type"] = mime_type
    return await api.http.post(path, headers=headers, json={"file": file})


async def session_of(api: Api, size: int | None, mime_type: str = "text/plain", **file: Any) -> Session:
    """A resumable upload that has begun."""
    started = await begin(api, size, mime_type, **file)
    assert started.status_code == 200, started.text
    assert started.headers["x-goog-upload-status"] == "active"
    return Session(started.headers["x-goog-upload-url"])


class Session:
    """A resumable upload, spoken to without a key."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def send(
        self, command: str, data: bytes | AsyncIterable[bytes] = b"", *, offset: int | None = None
    ) -> httpx2.Response:
        headers = {"X-Goog-Upload-Command": command}
        if offset is not None:
            headers["X-Goog-Upload-Offset"] = str(offset)
        # Reading the certificates takes longer than the upload.
        async with httpx2.AsyncClient(timeout=10, verify=False) as http:
            return await http.post(self.url, content=data, headers=headers)

    async def upload(self, data: bytes, offset: int, *, last: bool = False) -> httpx2.Response:
        """A chunk."""
        command = "upload, finalize" if last else "upload"
        return await self.send(command, data, offset=offset)

    async def received(self) -> int:
        """How many bytes have arrived, by a query."""
        answer = await self.send("query")
        assert answer.status_code == 200, answer.text
        return int(answer.headers["x-goog-upload-size-received"])


async def upload(api: Api, data: bytes, mime_type: str = "text/plain", **file: Any) -> dict[str, Any]:
    """The resource of a file that was uploaded in one chunk."""
    session = await session_of(api, len(data), mime_type, **file)
    finished = await session.upload(data, 0, last=True)
    assert (finished.status_code, finished.headers["x-goog-upload-status"]) == (200, "final"), finished.text
    return dict(finished.json()["file"])


async def active(api: Api, data: bytes, mime_type: str, **file: Any) -> dict[str, Any]:
    """The same, read until it is ready."""
    resource = await upload(api, data, mime_type, **file)
    while resource["state"] == "PROCESSING":
        resource = await read(api, resource)
    return resource


async def read(api: Api, file: dict[str, Any]) -> dict[str, Any]:
    """The resource as it is now."""
    answer = await api.http.get(f"/v1beta/{file['name']}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refers_to(file: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A part with a file."""
    return {"fileData": {"fileUri": file["uri"], "mimeType": file["mimeType"]}, **more}
