"""The stage of the front-door tests: a real MCP client, the real server, the emulator over real sockets."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
import pytest
from mcp import Client
from mcp.shared.memory import create_client_server_memory_streams
from mcp_types import CallToolResult, TextContent

from gemini_emulator import Emulator, Options, running
from gemini_server import app, log, settings
from tests.postgres import postgres as postgres
from tests.postgres import postgres_url as postgres_url

LOG = os.environ.get("GEMINI_TOOLSERVER_TEST_LOG")
"""A file to which the requests of all tests go, one JSON line each, to hold them against Google's schemas."""

ERAS = ("2026-07-28", "legacy")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def emulator() -> AsyncGenerator[Emulator]:
    async with running(Options(log=Path(LOG) if LOG else None)) as started:
        yield started


def as_if_new(emulator: Emulator) -> Emulator:
    """An emulator that runs in another thread, without a memory of the tests before.

    A client that was cancelled may have left a request behind: once a later one is answered, that one has begun, and
    what began before the log was cleared does not come into it.
    """
    asking = HTTPConnection(urlsplit(emulator.url).netloc)
    asking.request("GET", "/emulator/health")
    assert asking.getresponse().status == HTTPStatus.OK
    asking.close()
    emulator.clear_faults()
    emulator.clear_requests()
    emulator.reset_clock()
    return emulator


@contextmanager
def configured_log(level: str) -> Generator[logging.Logger]:
    """The log as the server configures it, without the handlers of pytest; after that as it was. Gives the root."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {logger: logger.level for logger in (root, *map(logging.getLogger, log.QUIET))}
    log.configure(level)
    try:
        yield root
    finally:
        root.handlers[:] = handlers
        for logger, before in levels.items():
            logger.setLevel(before)


class Connect(Protocol):
    """Connects a client to a server made for some settings."""

    def __call__(self, *, mode: str = ..., **values: Any) -> AbstractAsyncContextManager[Client]: ...


@asynccontextmanager
async def in_memory(chosen: settings.Settings, mode: str) -> AsyncGenerator[Client]:
    """A client and a server in this process, with the framing of the wire between them."""
    server = app.build(chosen)

    @asynccontextmanager
    async def transport() -> AsyncGenerator[Any]:
        async with (
            create_client_server_memory_streams() as (client_side, server_side),
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(lambda: server.run(*server_side, server.create_initialization_options()))
            yield client_side
            tasks.cancel_scope.cancel()

    async with Client(transport(), mode=mode, read_timeout_seconds=30) as client:
        yield client


@pytest.fixture
def connect(emulator: Emulator, tmp_path: Path) -> Connect:
    """Connect to a server that talks to the test's emulator and may read `tmp_path/allowed`."""
    allowed = tmp_path / "allowed"
    allowed.mkdir()

    def connected(*, mode: str = ERAS[0], **values: Any) -> AbstractAsyncContextManager[Client]:
        given: dict[str, Any] = {
            "key": "test-key",
            "base_url": emulator.url,
            "allow_dirs": (allowed,),
            "state_dir": tmp_path / "state",
            "output_dir": tmp_path / "output",
            **values,
        }
        return in_memory(settings.read({}, **given), mode)

    return connected


def text_of(result: CallToolResult) -> str:
    """What a client that ignores structured content shows."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def structured(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a call that must have succeeded."""
    assert not result.is_error, text_of(result)
    content: dict[str, Any] | None = result.structured_content
    assert content is not None
    return content


def error_of(result: CallToolResult) -> str:
    """The text of a call that must have failed."""
    assert result.is_error, text_of(result)
    assert result.structured_content is None
    return text_of(result)
