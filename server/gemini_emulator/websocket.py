"""WebSockets: the handshake, JSON messages in binary frames, and how both are made to fail.

The session itself is the business of the module that `METHODS` names for a method. A caller that is refused is let in
first and closed with a code and the reason, as Google does. Source: the WebSockets API references of the Gemini API.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from . import live_session, realtime_music
from .auth import authenticate
from .delivery import HangUp
from .errors import ApiError
from .exchange import Service
from .faults import Directive
from .realtime import Closed, Session, legible
from .requestlog import body_of
from .wire import Object, dump, is_object

_PATH = re.compile(r"/+ws/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)\.GenerativeService\.(\w+)")
_CODES = {400: 1007, 401: 1008, 403: 1008, 404: 1008}
_FAILED = 1011
_LONGEST_REASON = 123
METHODS: dict[str, Callable[[Session], Awaitable[None]]] = {
    "BidiGenerateMusic": realtime_music.serve,
    "BidiGenerateContent": live_session.serve,
    "BidiGenerateContentConstrained": live_session.serve_constrained,
}
_WITH_TOKEN = ("BidiGenerateContentConstrained",)


@dataclass
class Socket:
    """One connection, as JSON messages; the frames of the client go into the request log.

    Args:
        service: what the emulator shares.
        path: where the client connected to, without the gateway prefix.
        directive: what is to happen to what is sent.
        began: how the request log knows when the connection began.
    """

    service: Service
    path: str
    directive: Directive
    scope: Scope
    receive_message: Receive
    send_message: Send
    hang_up: HangUp
    began: int
    chunks: int = field(default=0, init=False)

    async def receive(self) -> Object:
        """The next message.

        Raises:
            Closed: the client has left.
            ApiError: 400 for a frame that is not a JSON object.
        """
        message = await self.receive_message()
        if message["type"] == "websocket.disconnect":
            raise Closed
        raw: bytes = message.get("bytes") or str(message.get("text") or "").encode()
        try:
            body = body_of(raw)
        except (ValueError, RecursionError):
            body = None
        seen = legible(body) if body is not None else f"<{len(raw)} bytes>"
        self.service.log.add("FRAME", self.path, {}, {}, seen, began=self.began)
        if not is_object(body):
            raise ApiError(400, "Request contains an invalid argument: a frame must be a JSON object.")
        return body

    async def send(self, body: Object, *, chunk: bool = False) -> None:
        """Send a message in a binary frame.

        Args:
            body: the message.
            chunk: whether it counts for `after=`.

        Raises:
            Closed: the connection is at its end, as a directive asked for.
        """
        directive = self.directive
        if self.chunks >= directive.number("after", 0 if "close" in directive else 1):
            await self._fail()
        raw = dump(body).encode("utf-8", "replace")
        await self.send_message({"type": "websocket.send", "bytes": raw})
        self.chunks += chunk

    async def _fail(self) -> None:
        directive = self.directive
        if "close" in directive:
            reason = directive.get("message", "The emulator was asked to close.").replace("_", " ")
            await self.close(directive.number("close", _FAILED), reason)
            raise Closed
        if "broken_json" in directive and self.chunks == directive.number("after", 1):
            await self.send_message({"type": "websocket.send", "bytes": b'{"serverContent": {"audioCh'})
        if directive.get("cut") == "inside":
            self.hang_up(self.scope)
        if directive.get("cut") == "inside" or directive.get("stall") == "inside":
            await self.left()
            raise Closed

    async def close(self, code: int, reason: str = "") -> None:
        """Close the connection, with a reason as long as the protocol allows."""
        text = reason.encode()[:_LONGEST_REASON].decode("utf-8", "ignore")
        await self.send_message({"type": "websocket.close", "code": code, "reason": text})

    async def left(self) -> None:
        """Wait until the client has left."""
        message: Message = {"type": ""}
        while message["type"] != "websocket.disconnect":
            message = await self.receive_message()


async def serve(service: Service, scope: Scope, receive: Receive, send: Send, hang_up: HangUp) -> None:
    """Serve one connection from its handshake to its end."""
    connection = HTTPConnection(scope)
    query, headers = dict(connection.query_params), dict(connection.headers)
    path = str(scope["path"]).removeprefix(service.options.path_prefix)
    await receive()
    began = service.log.began
    service.log.add("GET", path, query, headers, None, began=began)
    directive = service.faults.take("GET", path)
    socket = Socket(service, path, directive, scope, receive, send, hang_up, began)
    found = _PATH.fullmatch(path)
    if await _failed_before(socket, directive):
        return
    if found is None or found[2] not in METHODS or not str(scope["path"]).startswith(service.options.path_prefix):
        await _reject(socket, ApiError(404, f"There is no method at {path}."))
        return
    await send({"type": "websocket.accept", "headers": [(b"x-gemini-emulator", b"1")]})
    try:
        if found[2] not in _WITH_TOKEN:
            authenticate(headers, query, service.options.keys)
        await METHODS[found[2]](Session(service, socket, found[1], headers, query))
    except Closed:
        return
    except ApiError as error:
        await socket.close(_CODES.get(error.status, _FAILED), error.message)


async def _failed_before(socket: Socket, directive: Directive) -> bool:
    """Carry out a directive that prevents the handshake."""
    if "slow" in directive:
        await asyncio.sleep(directive.seconds("slow"))
    if directive.get("cut") == "before":
        socket.hang_up(socket.scope)
        await socket.left()
    elif "stall" in directive and directive.get("stall", "headers") != "inside":
        await socket.left()
    elif "status" in directive:
        await _reject(socket, directive.error(""))
    else:
        return False
    return True


async def _reject(socket: Socket, error: ApiError) -> None:
    """Answer the handshake with an HTTP error."""
    body = dump(error.body()).encode()
    headers = {"content-type": "application/json; charset=UTF-8", "content-length": str(len(body)), **error.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await socket.send_message({"type": "websocket.http.response.start", "status": error.status, "headers": raw})
    await socket.send_message({"type": "websocket.http.response.body", "body": body, "more_body": False})
    # The server tells of the refusal first and of the lost connection then; before that it finds the handshake open.
    await socket.left()
    await socket.left()
