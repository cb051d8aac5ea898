"""Running an emulator inside the current event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import Scope

from .app import App
from .clock import EmulatorClock
from .enterprise_store import CloudObject
from .exchange import Service
from .faults import Fault, Faults
from .interaction_store import Interactions
from .legacy_models import LEGACY_CATALOGUE
from .models import Catalogue
from .options import Options
from .requestlog import RequestLog
from .uploaded_files import Files
from .webhook_clockwork import clockwork
from .wire import Object

_PATIENCE = 0.3
_TICK = 0.1


class Emulator:
    """An emulator that is running.

    Attributes:
        url: where it listens, with the prefix; the `base_url` of a client.
        options: what it was started with.
        faults: the faults to come.
        objects: what lies in the Cloud Storage of the Enterprise platform, by its `gs://` address.
    """

    def __init__(self, url: str, service: Service) -> None:
        self.url = url
        self.options = service.options
        self.faults: Faults = service.faults
        self.objects: dict[str, CloudObject] = service.projects.objects
        self._log = service.log
        self._clock = service.clock

    @property
    def requests(self) -> list[Object]:
        """The request log so far, oldest first."""
        return self._log.entries()

    def add_fault(self, directive: str, *, method: str = "", path: str = "", times: int | None = 1) -> Fault:
        """Make matching requests fail; the same as `POST /emulator/faults`."""
        return self.faults.add(directive, method=method, path=path, times=times)

    def clear_faults(self) -> None:
        """Forget all faults; the same as `DELETE /emulator/faults`."""
        self.faults.clear()

    def advance(self, seconds: float) -> None:
        """Put the emulator's clock forward; the same as `POST /emulator/clock`."""
        self._clock.advance(seconds)

    def reset_clock(self) -> None:
        """Let the emulator's clock show the real time again; the same as `DELETE /emulator/clock`."""
        self._clock.reset()

    def clear_requests(self) -> None:
        """Forget the request log so far; the same as `DELETE /emulator/requests`."""
        self._log.clear()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Tick as the original does, but notice the end at once."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), _TICK)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the program that the emulator runs in."""
        yield

    def hang_up(self, scope: Scope) -> None:
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == scope["client"]:
                _transport(connection).close()

    def drop_all(self) -> None:
        for connection in list(self.server_state.connections):
            _transport(connection).abort()


def _transport(connection: object) -> asyncio.Transport:
    transport = getattr(connection, "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise TypeError(f"{connection!r} has no transport")
    return transport


class _WebSockets(asyncio.Protocol):
    """The WebSocket protocol of uvicorn, imported with the first connection: it takes a tenth of a second."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        return WebSocketsSansIOProtocol(*args, **kwargs)


@asynccontextmanager
async def running(options: Options | None = None) -> AsyncGenerator[Emulator, None]:
    """Serve an emulator until the block ends; then it stops within a second, open streams or not.

    Raises:
        OSError: the address is taken.
    """
    options = options or Options()
    listener = _listener(options.host, options.port)
    clock = EmulatorClock()
    service = Service(
        options,
        Catalogue((*options.models, *LEGACY_CATALOGUE) if options.legacy_services else options.models, options.date()),
        Faults(),
        RequestLog(options.kept_requests, options.log),
        clock,
        Files(clock, options.file_storage),
        Interactions(clock, options.kept_days),
    )
    app = App(service)
    config = uvicorn.Config(
        app,
        http="h11", ws=_WebSockets, ws_per_message_deflate=False, loop="none", lifespan="off", log_config=None,
        access_log=False, server_header=False,
    )  # fmt: skip
    server = _Server(config)
    app.hang_up = server.hang_up
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="gemini-emulator")
    try:
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            ready.cancel()
            serving.result()
        port = listener.getsockname()[1]
        host = f"[{options.host}]" if ":" in options.host else options.host
        async with clockwork(service):
            yield Emulator(f"http://{host}:{port}{options.path_prefix}", service)
    finally:
        await _stop(server, serving)
        listener.close()
        service.log.close()
        service.uploads.close()
        service.files.close()


async def _stop(server: _Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    server.stopping.set()
    await asyncio.wait([serving], timeout=_PATIENCE)
    while not serving.done():
        # Streams and stalls wait for their client to leave; dropping the connections is what tells them.
        server.drop_all()
        server.force_exit = True
        await asyncio.wait([serving], timeout=_PATIENCE)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio disables Nagle's algorithm only where it is: 40 ms a request otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
