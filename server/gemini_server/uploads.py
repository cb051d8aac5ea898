"""Files over HTTP the other way: a signed, expiring link to which a caller sends one file, without a token.

Who has the link can send the file that was announced when it was made, and nothing else: no more bytes than that, once,
as an artifact of the principal who made it. The bytes go to the output directory as they come, so memory stays bounded;
nothing is seen of them before they are all there, and what is cut leaves nothing. Of a client that sends nothing any
more, the place is given to others after a while.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gemini_server.errors import LocalError, ToolserverError
from gemini_server.jobs.artifacts import Artifact
from gemini_server.jobs.upload_links import UploadLink, UploadLinks
from gemini_server.toolkit.arrival import Arrival
from gemini_server.toolkit.artifacts import URI
from gemini_server.toolkit.runtime import Runtime

ROUTE = "/uploads/{id}"
AT_ONCE = 16
"""Uploads at once."""
AT_ONCE_EACH = 8
"""Uploads at once by the links of one principal: nobody can take all places from the others."""
STALL_SECONDS = 60.0
"""How long a client may take for the next `PACE` bytes."""
PACE = 64 * 1024
LINGER_SECONDS = 2.0
"""How long the rest of a body is taken in and thrown away, so that a refusal is not lost with the connection."""
BUSY_SECONDS = 5

_PATH = re.compile(r"/uploads/[A-Za-z0-9_-]{22}")
_PIECE = 1024 * 1024
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

_log = logging.getLogger(__name__)


def is_link(scope: Scope) -> bool:
    """Whether a request is for what a link may do: then it needs no bearer token, but a signature."""
    return scope["method"] == "POST" and _PATH.fullmatch(scope["path"]) is not None


class _Refusal(Exception):
    """Why an upload is not taken."""

    def __init__(self, status: int, why: str, **more: Any) -> None:
        super().__init__(why)
        self.status = status
        self.about = {"error": why, **more}

    def response(self) -> Response:
        headers = {"retry-after": str(BUSY_SECONDS)} if self.status == 503 else {}
        return Refused(JSONResponse(self.about, self.status, {**_HEADERS, **headers}))


class _Gone(Exception):
    """The client has."""


class _Attempt:
    """A file that is being sent."""

    def __init__(self, principal: str) -> None:
        self.principal = principal
        self.scope = anyio.CancelScope()
        self.ended = anyio.Event()


class Uploads:
    """What is being sent to one process."""

    def __init__(self) -> None:
        self._under_way: dict[str, _Attempt] = {}

    async def receive(self, runtime: Runtime | None, request: Request) -> Response:
        """Answer a POST to a link."""
        try:
            link = await _link(runtime, request)
            _check_head(request, link)
            _check_second(link)
            assert runtime is not None  # noqa: S101  without it there is no link
            return await self._take(runtime, request, link)
        except _Refusal as refusal:
            return refusal.response()
        except _Gone:
            return Response(status_code=400)  # which nobody reads
        except LocalError as error:
            _log.warning("an upload was not taken: %s", error)
            if error.code in ("quota", "disk_full"):
                return _Refusal(507, "There is no room for this file on the server.").response()
            return _Refusal(503, "The file cannot be saved at the moment. Send it again.").response()

    async def _take(self, runtime: Runtime, request: Request, link: UploadLink) -> Response:
        # Who sends again has lost the first connection, even where that is not known here yet: he is not kept waiting.
        waited = False
        while (before := self._under_way.get(link.id)) is not None:
            before.scope.cancel()
            await before.ended.wait()  # else the room that it has set aside would be missing
            waited = True
        whose = [attempt.principal for attempt in self._under_way.values()]
        if len(whose) >= AT_ONCE or whose.count(link.principal) >= AT_ONCE_EACH:
            raise _Refusal(503, "As many files as this server takes at once are being sent. Send it again in a while.")
        attempt = self._under_way[link.id] = _Attempt(link.principal)
        try:
            with attempt.scope:
                if waited:
                    _check_second(await UploadLinks(runtime.store).find(link.id))
                return await _received(runtime, request, link)
        finally:
            del self._under_way[link.id]
            attempt.ended.set()
        raise _Refusal(409, "The file is being sent to this link anew; what this connection brought was thrown away.")


async def _link(runtime: Runtime | None, request: Request) -> UploadLink:
    """The link that a request follows.

    Raises:
        _Refusal: it is none; one answer, whatever is wrong with it.
    """
    query = request.query_params
    expires, signature = query.get("expires", ""), query.get("signature", "")
    try:
        if runtime is not None and runtime.links is not None and runtime.links.alive(expires):
            link = await UploadLinks(runtime.store).find(request.path_params["id"])
            if link is not None and runtime.links.good(link.path, expires, signature, link.terms):
                return link
    except ToolserverError as error:
        _log.warning("an upload was not taken: %s", error)
        raise _Refusal(503, "Links cannot be checked at the moment. Send it again.") from None
    raise _Refusal(403, "This link is not valid, or no longer.")


def _check_head(request: Request, link: UploadLink) -> None:
    headers = request.headers
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _Refusal(415, "Send the bytes of the file as they are, without a Content-Encoding.")
    if headers.get("content-type", "").strip().lower().startswith("multipart/"):
        raise _Refusal(415, "Send the bytes of the file as they are, not as a form (multipart).")
    length = headers.get("content-length")
    if length is not None and length != str(link.bytes):
        if length.isascii() and length.isdecimal() and len(length) < 20 and int(length) < link.bytes:
            raise _Refusal(400, f"This link is for a file of {link.bytes} bytes; {int(length)} were announced.")
        raise _too_large(link)


def _too_large(link: UploadLink) -> _Refusal:
    return _Refusal(413, f"This link is for a file of {link.bytes} bytes, and no more.")


def _check_second(link: UploadLink | None) -> None:
    if link is not None and link.arrived is not None:
        raise _second(link.arrived)


def _second(artifact: Artifact) -> _Refusal:
    return _Refusal(409, "A file was sent to this link already; it is there.", **_about(artifact))


def _about(artifact: Artifact) -> dict[str, Any]:
    return {
        "uri": URI + artifact.id,
        "bytes": artifact.bytes,
        "sha256": artifact.sha256,
        "mime_type": artifact.mime_type,
    }


async def _received(runtime: Runtime, request: Request, link: UploadLink) -> Response:
    arrival = Arrival(runtime, link)
    try:
        await arrival.open()
        there, more = 0, True
        while more:
            data, more = await _piece(request.receive, link, there)
            there += len(data)
            await arrival.write(data)
        if there < link.bytes:
            raise _Refusal(400, f"The body ended after {there} of the {link.bytes} bytes of the file. Send it again.")
        artifact = await arrival.finish()
    finally:
        await arrival.close()
    if artifact is None:
        raise _Refusal(403, "This link is not valid, or no longer.")
    if not arrival.kept:
        raise _second(artifact)
    return JSONResponse(_about(artifact), 201, _HEADERS)


async def _piece(receive: Receive, link: UploadLink, there: int) -> tuple[bytearray, bool]:
    """The next bytes of a body, and whether there are more.

    Raises:
        _Refusal: there are more than were announced, or the client sends too slowly.
        _Gone: the client has.
    """
    data, more = bytearray(), True
    with anyio.CancelScope() as patience:
        while more and len(data) < _PIECE:
            before = len(data)
            patience.deadline = anyio.current_time() + STALL_SECONDS
            while more and len(data) - before < PACE:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                data += message.get("body", b"")
                more = message.get("more_body", False)
                if there + len(data) > link.bytes:
                    raise _too_large(link)
    if patience.cancelled_caught:
        raise _Refusal(408, f"Nothing came for {STALL_SECONDS:g} seconds, or hardly anything. Send it again.")
    return data, more


class Refused(Response):
    """A refusal, possibly in the middle of a body.

    The connection must not be closed while the client still writes: the system would then throw away what it has not
    read of the answer. So the answer is sent as a whole first, and for a moment what comes is thrown away.

    Args:
        answer: what is said.
    """

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.body, answer.status_code, {**answer.headers, "connection": "close"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with anyio.move_on_after(LINGER_SECONDS):
            while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})
