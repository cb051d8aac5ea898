"""MCP over Streamable HTTP: who may call, how long bodies may be, how the process ends."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gemini_server import downloads, uploads, webhooks
from gemini_server.app import Published, build
from gemini_server.bearer import Tokens
from gemini_server.caller import LOCAL, PRINCIPAL
from gemini_server.errors import UnsafeSetting
from gemini_server.settings import Settings
from gemini_server.toolkit.webhook_signature import SHORTEST, key_of

ENDPOINT = "/mcp"
PROBES = frozenset({"/healthz", "/readyz"})
"""What answers without a token: one word, nothing that tells anything about the server or its callers."""
BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of one request; larger media go by path, URL or upload."""
DRAIN_SECONDS = 2
"""How long open calls may go on after a signal."""
CONNECTIONS = 1000
"""Connections at once; further ones are answered with 503, before files to open run out."""
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104

_log = logging.getLogger(__name__)


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `[::1]:PORT` or `:PORT` (loopback).

    Raises:
        UnsafeSetting: it is neither.
    """
    host, colon, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise UnsafeSetting(f"--http {address!r} is not HOST:PORT.", "Write for example --http 127.0.0.1:8765.")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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


def security(host: str, settings: Settings) -> TransportSecuritySettings:
    """Which Host and Origin headers are accepted: what is bound, what is allowed by name, the public URL."""
    names = {host, *settings.allowed_hosts}
    if is_loopback(host):
        names |= {"127.0.0.1", "localhost", "[::1]"}
    names -= _WILDCARDS  # which are no names that a caller uses
    names = {
        f"[{name}]" if ":" in name and not name.startswith("[") and name.count(":") > 1 else name for name in names
    }
    hosts = [entry for name in sorted(names) for entry in (name, f"{name}:*")]
    origins = [f"http://{entry}" for entry in hosts]
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise UnsafeSetting("--public-url is no http(s) URL of the form https://host/path.")
        hosts.append(parts.netloc)
        origins.append(f"{parts.scheme}://{parts.netloc}")
    if not hosts:
        raise UnsafeSetting(
            f"--http {settings.http} is bound to every address, and no name is known under which callers may use it.",
            "Give --allowed-host NAME, or --public-url URL where a proxy publishes the server.",
        )
    return TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins)


def base_url(settings: Settings, host: str, port: int) -> str:
    """The URL under which callers reach the server, without a slash at its end, for links.

    Args:
        settings: the public URL, and the host names that are allowed.
        host: that is bound; for all addresses, the first allowed name stands in the links.
        port: that is bound.
    """
    if settings.public_url:
        return settings.public_url.rstrip("/").removesuffix(ENDPOINT)
    if host in _WILDCARDS:
        host = next(iter(settings.allowed_hosts), "127.0.0.1")
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    # An allowed name may come with the port at which a proxy listens.
    return f"http://{host}" if re.search("[^:]:[0-9]+$", host) else f"http://{host}:{port}"


def _by_address(request: Request) -> bool:
    """Whether a caller without an Origin names the server by its address."""
    try:
        ip_address(urlsplit(f"//{request.headers.get('host', '')}").hostname or "")
    except ValueError:
        return False
    return "origin" not in request.headers


class Readiness:
    """Whether new callers should come here; false as soon as the process is to end."""

    ready = True


def application(settings: Settings, server: Published, readiness: Readiness, *, sessions: bool = False) -> Front:
    """The whole HTTP application for a server.

    Args:
        settings: the settings in force.
        server: the server.
        readiness: what /readyz tells.
        sessions: keep sessions for clients of the older revisions, which then must always meet this process.

    Raises:
        UnsafeSetting: a bind that others can reach without a token, or a webhook secret that is none.
    """
    host, _ = parse_address(settings.http or "127.0.0.1:0")
    tokens = Tokens(settings.token_file) if settings.token_file else None
    if tokens is None and not is_loopback(host):
        raise UnsafeSetting(
            f"--http {settings.http} can be reached from other machines, and nobody would have to present a token.",
            "Give --token-file FILE with one principal:token a line, or bind 127.0.0.1.",
        )

    if any(len(key_of(secret)) < SHORTEST for secret in settings.webhook_secrets):
        raise UnsafeSetting(
            f"A secret in GEMINI_TOOLSERVER_WEBHOOK_SECRETS has fewer than {SHORTEST} bytes: others could guess it.",
            "Give the whole signing secret, whsec_ included, as create_webhook showed it.",
        )
    secured = security(host, settings)
    guard = TransportSecurityMiddleware(secured)

    async def refused(request: Request) -> Response | None:
        # Probes call by address, which no web page can do behind a name of its own; a foreign name is one's who tries.
        return None if _by_address(request) else await guard.validate_request(request)

    async def healthz(request: Request) -> Response:
        return await refused(request) or PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if refusal := await refused(request):
            return refusal
        return PlainTextResponse("ready\n") if readiness.ready else PlainTextResponse("ending\n", status_code=503)

    async def download(request: Request) -> Response:
        return await refused(request) or await downloads.download(server.runtime, request)

    under_way = uploads.Uploads()

    async def upload(request: Request) -> Response:
        if refusal := await refused(request):
            return uploads.Refused(refusal)
        return await under_way.receive(server.runtime, request)

    async def webhook(request: Request) -> Response:
        return await refused(request) or await webhooks.receive(server.runtime, settings, request)

    hooks = [Route(webhooks.ROUTE, webhook, methods=["POST"])] if settings.webhook_secrets else []
    app: Starlette = server.streamable_http_app(
        streamable_http_path=ENDPOINT,
        json_response=False,
        # Clients of the older protocol revisions may meet another replica with every request.
        stateless_http=not sessions,
        max_request_body_size=BODY_LIMIT,
        transport_security=secured,
        custom_starlette_routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route(downloads.ROUTE, download),
            Route(uploads.ROUTE, upload, methods=["POST"]),
            *hooks,
        ],
    )
    return Front(app, tokens, settings)


class _Uvicorn(uvicorn.Server):
    """uvicorn without signal handlers of its own: the ones here flip /readyz first."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def hang_up(self, scope: Scope) -> None:
        """Drop the connection of a request, with what it still has to send."""
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if isinstance(transport, asyncio.Transport) and getattr(connection, "client", None) == scope["client"]:
                transport.abort()


def serve(settings: Settings) -> int:
    """Serve over HTTP until SIGTERM or SIGINT; returns the exit status."""
    return anyio.run(_serve, settings)


async def _serve(settings: Settings) -> int:
    published = build(settings)
    readiness = Readiness()
    return await run(settings, published, application(settings, published, readiness), readiness)


async def run(settings: Settings, published: Published, app: Front, readiness: Readiness) -> int:
    """Serve an application until SIGTERM or SIGINT; returns the exit status."""
    host, port = parse_address(settings.http or "")
    listener = _bind(host, port)
    bound, port = listener.getsockname()[:2]
    published.base = base_url(settings, host, port)
    config = uvicorn.Config(
        app,
        http="h11",  # bounded headers, whatever else is installed
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=DRAIN_SECONDS + 1,
    )
    server = _Uvicorn(config)
    app.hang_up = server.hang_up
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    if readiness.ready:
                        readiness.ready = False
                        # Clients hold these open for ever; the calls get the time that is left.
                        published.subscriptions.close()
                        if published.runtime is not None:
                            published.runtime.hurry()
                        tasks.start_soon(app.end, DRAIN_SECONDS)
                    server.force_exit = server.should_exit  # the second signal does not wait for anybody
                    server.should_exit = True

        tasks.start_soon(watch)
        _log.warning("serving MCP at http://%s:%d%s", f"[{bound}]" if ":" in bound else bound, port, ENDPOINT)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()
    return 0 if server.started else 1


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UnsafeSetting(f"{host}:{port} cannot be bound: {error.strerror}.", "Choose another port.") from None
    listener.listen(512)
    return listener
