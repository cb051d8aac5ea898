"""What stands before MCP over HTTP: bearer tokens, and a proper end for every response."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemini_server import downloads, uploads, webhooks
from gemini_server.bearer import Tokens
from gemini_server.caller import PRINCIPAL
from gemini_server.settings import Settings
from gemini_server.toolkit.call import LOCAL

PROBES = frozenset({"/healthz", "/readyz"})
"""What answers without a token: one word, nothing that tells anything about the server or its callers."""


class Front:
    """The ASGI application around MCP: bearer tokens in front of everything, the caller's name in the scope.

    Whatever path is neither a probe nor a link's needs a token, so that a path which the router reads otherwise than it
    is written here cannot lead around it.

    Attributes:
        hang_up: ends the connection of a request whose response cannot be brought to its end.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens | None, settings: Settings) -> None:
        self.hang_up: Callable[[Scope], None] = lambda scope: None
        self._app = app
        self._tokens = tokens
        self._settings = settings
        self._calls: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and not _needs_no_token(scope, self._settings):
            principal = LOCAL if self._tokens is None else self._tokens.principal(_authorization(scope))
            if principal is None:
                refused: Response = JSONResponse(
                    {"error": "invalid_token", "error_description": "A valid bearer token is needed."},
                    status_code=401,
                    headers={"WWW-Authenticate": 'Bearer realm="gemini-toolserver"'},
                )
                await refused(scope, receive, send)
                return
            scope[PRINCIPAL] = principal
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        progress = _Progress(send)
        with anyio.CancelScope() as call:
            self._calls.add(call)
            try:
                await self._app(scope, receive, progress.send)
            finally:
                self._calls.discard(call)
        if call.cancelled_caught:
            await progress.finish(scope, receive)
        if progress.broken:
            self.hang_up(scope)
            with anyio.move_on_after(1):  # until uvicorn has noticed: it complains of responses without an end
                while (await receive())["type"] != "http.disconnect":
                    pass

    async def end(self, patience: float) -> None:
        """Cancel the calls that are still open after some seconds; each gets a proper end of its response."""
        await anyio.sleep(patience)
        for call in tuple(self._calls):
            call.cancel()


class _Progress:
    """How far a response has come."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = self._finished = self._measured = False

    @property
    def broken(self) -> bool:
        """Whether it was begun and never ended."""
        return self._started and not self._finished

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._measured = any(name.lower() == b"content-length" for name, _ in message.get("headers", ()))
        self._started = True
        self._finished = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def finish(self, scope: Scope, receive: Receive) -> None:
        if not self._started:
            await PlainTextResponse("This server is ending.\n", 503)(scope, receive, self._send)
        elif not self._finished and not self._measured:
            self._finished = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _needs_no_token(scope: Scope, settings: Settings) -> bool:
    by_itself = downloads.is_link(scope) or uploads.is_link(scope) or webhooks.is_delivery(scope, settings)
    return scope["path"] in PROBES or by_itself


def _authorization(scope: Scope) -> str:
    """The Authorization header; none if there are several, for who knows which one a proxy has checked."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    return values[0].decode("latin-1") if len(values) == 1 else ""
