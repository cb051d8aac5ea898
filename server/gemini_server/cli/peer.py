"""Talking to a server as a client does: to this one in a process of its own, or to one that runs at a URL."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from mcp import Client, MCPError
from mcp.client.session import MessageHandlerFnT
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import ValidationError

from gemini_server import settings
from gemini_server.cli.choices import Choices, python_command
from gemini_server.errors import SetupError, UnsafeSetting
from gemini_server.http_address import is_loopback

TOKEN = "GEMINI_TOOLSERVER_TOKEN"  # noqa: S105  the name of the variable
READ_SECONDS = 900.0
"""Silence that is borne from a server at a URL: longer than any call may take."""

LOST = "server_lost"
"""The code of a `Gone` that came after the server had answered."""


class Gone(SetupError):
    """The server could not be started or reached, or went away; nothing is known of the call's result."""

    default_code = "server_gone"


def environment(without: Iterable[str] = ()) -> dict[str, str]:
    """This process's environment for the server behind a command; stdio is all that it may serve."""
    left_out = {"GEMINI_TOOLSERVER_HTTP", *without}
    return {name: value for name, value in os.environ.items() if name not in left_out}


@asynccontextmanager
async def started(
    choices: Choices, *, on_message: MessageHandlerFnT | None = None, without: Iterable[str] = ()
) -> AsyncGenerator[Client]:
    """A client of this server, started for it as a subprocess.

    Raises:
        Gone: it cannot be started, or it ended.
    """
    executable, *rest = python_command()
    # The SDK adds to its own short environment; `without` works because none of those names is in it.
    parameters = StdioServerParameters(
        command=executable, args=[*rest, "serve", *choices.flags()], env=environment(without)
    )
    async with _connected(Client(stdio_client(parameters, sys.stderr), message_handler=on_message), "") as client:
        yield client


@asynccontextmanager
async def reached(url: str, token: str | None) -> AsyncGenerator[Client]:
    """A client of a server that runs at a URL.

    Raises:
        UnsafeSetting: the token would travel in the clear.
        Gone: nothing that speaks MCP answers there, or it refuses the token.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnsafeSetting(f"--url {url!r} is no http(s) URL.", "Write for example --url http://127.0.0.1:8765/mcp.")
    in_the_clear = parts.scheme == "http" and not is_loopback(parts.hostname)
    if token and in_the_clear and not settings.read(os.environ).allow_http:
        raise UnsafeSetting(
            f"--url {url} is plain http: anyone on the way could read the token.",
            "Use https, or set GEMINI_TOOLSERVER_ALLOW_HTTP=1 where the network is yours.",
        )
    refused: list[int] = []

    async def note_status(response: httpx2.Response) -> None:
        if response.status_code in (401, 403):
            refused.append(response.status_code)

    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {token}"} if token else {},
                timeout=httpx2.Timeout(30.0, read=READ_SECONDS),
                event_hooks={"response": [note_status]},
            )
        )
        try:
            client = Client(streamable_http_client(url, http_client=http))
            yield await stack.enter_async_context(_connected(client, url))
        except Gone as gone:
            if not refused:
                raise
            hint = "Check the token." if token else f"Give --token-file FILE or set {TOKEN}."
            raise Gone(f"The server at {url} refuses the caller (HTTP {refused[0]}).", hint) from gone


def token_for(file: Path | None, environ: Mapping[str, str]) -> str | None:
    """The bearer token: from a file (alone, or a line `principal:token` of the server's own file), or the environment.

    Raises:
        UnsafeSetting: the file cannot be read or holds none.
    """
    if file is None:
        return environ.get(TOKEN, "").strip() or None
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UnsafeSetting(f"The token file {file} cannot be read ({type(error).__name__}).") from None
    for line in lines:
        if line and not line.startswith("#"):
            return line.rpartition(":")[2].strip()
    raise UnsafeSetting(f"The token file {file} holds no token.")


@asynccontextmanager
async def _connected(client: Client, url: str) -> AsyncGenerator[Client]:
    entered = False
    try:
        async with client:
            entered = True
            yield client
    except (Exception, BaseExceptionGroup) as error:
        # Task groups wrap what passes through them; the caller wants the one failure that there was.
        first = _first(error)
        if isinstance(first, (MCPError, OSError, httpx2.HTTPError, ValidationError)):
            raise _gone(first, url, entered=entered) from None
        if first is error:
            raise
        raise first from None


def _first(error: BaseException) -> BaseException:
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _first(inner[0]) if inner else error


def _gone(error: BaseException, url: str, *, entered: bool) -> Gone:
    said = str(error).strip().rstrip(".") or type(error).__name__
    if entered:
        return Gone(
            f"The exchange with the server broke: {said}.",
            "If a paid call was under way, it may have been billed.",
            code=LOST,
        )
    if url:
        return Gone(f"No MCP server answers at {url}: {said}.", "Is it running? The endpoint of this server is /mcp.")
    return Gone(
        f"The server could not be started: {said}.",
        "What it said is above; `gemini-toolserver doctor` looks further.",
    )
