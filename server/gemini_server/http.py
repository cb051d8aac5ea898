"""MCP over Streamable HTTP: what is served where, how long bodies may be, how the process ends."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecurityMiddleware
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from gemini_server import downloads, uploads, webhooks
from gemini_server.app import Published, build
from gemini_server.bearer import Tokens
from gemini_server.errors import UnsafeSetting
from gemini_server.http_address import ENDPOINT, base_url, bind, by_address, is_loopback, parse_address, security
from gemini_server.http_front import Front
from gemini_server.settings import Settings
from gemini_server.toolkit.webhook_signature import SHORTEST, key_of

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of one request; larger media go by path, URL or upload."""
DRAIN_SECONDS = 2
"""How long open calls may go on after a signal."""
CONNECTIONS = 1000
"""Connections at once; further ones are answered with 503, before files to open run out."""

_log = logging.getLogger(__name__)


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
    _check(settings, host, tokens)
    secured = security(host, settings)
    app: Starlette = server.streamable_http_app(
        streamable_http_path=ENDPOINT,
        json_response=False,
        # Clients of the older protocol revisions may meet another replica with every request.
        stateless_http=not sessions,
        max_request_body_size=BODY_LIMIT,
        transport_security=secured,
        custom_starlette_routes=_routes(settings, server, readiness, TransportSecurityMiddleware(secured)),
    )
    return Front(app, tokens, settings)


def _check(settings: Settings, host: str, tokens: Tokens | None) -> None:
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


def _routes(
    settings: Settings, server: Published, readiness: Readiness, guard: TransportSecurityMiddleware
) -> list[Route]:
    """What is served beside MCP; whoever is refused as a caller of MCP is refused here too."""

    async def refused(request: Request) -> Response | None:
        # Probes call by address, which no web page can do behind a name of its own; a foreign name is one's who tries.
        return None if by_address(request) else await guard.validate_request(request)

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
    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route(downloads.ROUTE, download),
        Route(uploads.ROUTE, upload, methods=["POST"]),
        *hooks,
    ]


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
    listener = bind(host, port)
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
