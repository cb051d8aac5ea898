"""Artifacts over HTTP: a signed, expiring link for callers that cannot see the server's disk. Ranges are served.

Who has the link has the file: no token is asked for, and what a link cannot open (another file, the same one later)
gets one answer, whether the file exists or not. The bytes are read piece by piece from a descriptor, so memory stays
bounded and a file that is replaced meanwhile is not mixed with another; of a client that takes nothing any more, the
descriptor is given back after a while.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from gemini_server.errors import NotFound, ToolserverError
from gemini_server.jobs.artifacts import Artifact
from gemini_server.toolkit.open_file import Descriptor
from gemini_server.toolkit.runtime import Runtime

ROUTE = "/artifacts/{id}"
STALL_SECONDS = 60.0
"""How long a client may take nothing before its download is ended."""
_PATH = re.compile(r"/artifacts/[A-Za-z0-9_-]{22}")
_PIECE = 64 * 1024
_RANGE = re.compile(r"bytes=[ \t]*(\d{0,400})-(\d{0,400})", re.ASCII | re.IGNORECASE)
_SHOWN = ("image/", "audio/", "video/", "text/plain")
_HEADERS = {
    "x-content-type-options": "nosniff",
    # A page of ours must not run what a model wrote, not even where a browser is made to show it.
    "content-security-policy": "default-src 'none'; img-src 'self'; media-src 'self'; sandbox",
    "referrer-policy": "no-referrer",
}


def is_link(scope: Scope) -> bool:
    """Whether a request is for what a link may open: then it needs no bearer token, but a signature."""
    return scope["method"] in ("GET", "HEAD") and _PATH.fullmatch(scope["path"]) is not None


async def download(runtime: Runtime | None, request: Request) -> Response:
    """Answer GET and HEAD of a link."""
    identifier, query = request.path_params["id"], request.query_params
    links = None if runtime is None else runtime.links
    good = links is not None and links.good(
        f"artifacts/{identifier}", query.get("expires", ""), query.get("signature", "")
    )
    if runtime is None or not good:
        return _refused(403, "This link is not valid, or no longer.")
    try:
        artifact = await runtime.artifacts.find(identifier)
        descriptor = await _opened(runtime, artifact)
    except NotFound:
        return _refused(404, "The file is gone.")
    except ToolserverError:
        return _refused(503, "The file cannot be read at the moment.")
    return _answer(request, artifact, descriptor)


async def _opened(runtime: Runtime, artifact: Artifact) -> Descriptor:
    with anyio.CancelScope(shield=True):  # a descriptor must not be lost on the way
        return Descriptor(await runtime.artifacts.open_file(artifact))
    raise AssertionError  # for the type checkers: this scope swallows nothing


def _refused(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status, {**_HEADERS, "cache-control": "no-store"})


def _answer(request: Request, artifact: Artifact, descriptor: Descriptor) -> Response:
    etag, kind, size = f'"{artifact.sha256}"', artifact.mime_type, artifact.bytes
    # A browser runs the scripts of a picture that is XML.
    shown = kind.startswith(_SHOWN) and "xml" not in kind
    headers = {
        **_HEADERS,
        "accept-ranges": "bytes",
        "etag": etag,
        "cache-control": "private, max-age=3600",
        "content-disposition": f'{"inline" if shown else "attachment"}; filename="{artifact.name}"',
    }
    if _names(request.headers.get("if-none-match", ""), etag):
        descriptor.close()
        return Response(status_code=304, headers=headers)
    # RFC 9110, 14.2: a range is one of GET's alone; 13.1.5: of this very content.
    wanted = request.headers.get("range", "") if request.method == "GET" else ""
    if request.headers.get("if-range", etag) != etag:
        wanted = ""
    part = span(wanted, size)
    if part is None:
        return _FileResponse(descriptor, range(size), 200, headers, kind)
    if not part:
        descriptor.close()
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {part[0]}-{part[-1]}/{size}"
    return _FileResponse(descriptor, part, 206, headers, kind)


def _names(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names a content."""
    return any(one.strip().removeprefix("W/") in (etag, "*") for one in header.split(","))


def span(wanted: str, size: int) -> range | None:
    """The bytes that a Range header asks for (RFC 9110, 14.1.2).

    Args:
        wanted: the header.
        size: of the file.

    Returns:
        None for the whole file, where there is no header, or one that is not served: an invalid one, another unit,
        several ranges. An empty range where all that is asked for lies outside of the file.
    """
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return range(max(0, size - int(found[2])), size)
    first = int(found[1])
    if found[2] and int(found[2]) < first:
        return None
    return range(first, min(int(found[2]) + 1, size) if found[2] else size)


class _FileResponse(Response):
    """Some bytes of a file; where they cannot be brought to an end, the response stays unfinished."""

    def __init__(
        self, descriptor: Descriptor, part: range, status: int, headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(None, status, headers, media_type)
        self._descriptor = descriptor
        self._part = part
        self.headers["content-length"] = str(len(part))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as tasks:

                async def watch() -> None:
                    # Without this, what is sent to a client that has gone is read to its end for nobody.
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    tasks.cancel_scope.cancel()

                tasks.start_soon(watch)
                await self._bring(send, head=scope["method"] == "HEAD")
                tasks.cancel_scope.cancel()
        finally:
            self._descriptor.close()

    async def _bring(self, send: Send, *, head: bool) -> None:
        async def given(message: Message) -> bool:
            with anyio.move_on_after(STALL_SECONDS):
                await send(message)
                return True
            return False

        if not await given({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}):
            return
        for offset in () if head else self._part[::_PIECE]:
            wanted = min(_PIECE, self._part.stop - offset)
            piece = await anyio.to_thread.run_sync(self._descriptor.read, offset, wanted)
            if len(piece) < wanted:
                return  # it was cut short meanwhile: the missing bytes tell the caller
            if not await given({"type": "http.response.body", "body": piece, "more_body": True}):
                return
        await given({"type": "http.response.body", "body": b"", "more_body": False})
