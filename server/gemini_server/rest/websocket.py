"""A WebSocket of the API: JSON frames both ways, under the rules of every other connection.

The key goes in a header to the base URL's own origin and nowhere else: a redirect is refused (the library would take
`x-goog-api-key` along), and no URL has a key in it. Proxies and certificates come from the environment as for HTTP.
Frames are bounded in size and in number, so that a sender who is faster than the reader has to wait.
"""

from __future__ import annotations

import json
import logging
import platform
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio
import anyio.to_thread
import httpx2
from anyio.lowlevel import checkpoint
from pydantic import BaseModel

from gemini_server.errors import (
    BadAnswer,
    KeyRefused,
    Overloaded,
)

from . import answer, backend, credentials, failure, redirect
from .complaint import clean, read_complaint
from .config import MIB, ClientConfig, default_user_agent
from .connection import unreachable, untrusted_certificate
from .credentials import Headers
from .endpoint import Empty, Endpoint
from .route import Routes
from .socket_end import ended

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

LARGEST_FRAME = 8 * MIB
"""Bytes of one frame; Gemini's have about half a megabyte of sound."""
WAITING_FRAMES = 8
"""Frames that are read ahead."""
_CLOSING = 1.0
_LARGE = 128 * 1024
SentT = TypeVar("SentT", bound=BaseModel)
HeardT = TypeVar("HeardT", bound=BaseModel)


class Socket(Generic[SentT, HeardT]):
    """An open WebSocket; `connect` makes it.

    Args:
        connection: of the library.
        heard: the type of the messages that come.
        host: whom it is to, for messages.
    """

    def __init__(self, connection: ClientConnection, heard: type[HeardT], host: str) -> None:
        self._connection = connection
        self._heard = heard
        self._host = host

    async def send(self, message: SentT) -> None:
        """Send a message; unset fields are not sent.

        Raises:
            ToolserverError: the connection is gone; see `receive`.
        """
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(message.model_dump_json(by_alias=True, exclude_none=True))
        except ConnectionClosed as closed:
            raise ended(closed, self._host) from closed

    async def receive(self, seconds: float) -> HeardT:
        """The next message.

        Args:
            seconds: how long to wait for it.

        Raises:
            SocketClosed: the connection ended, or broke.
            RequestRefused: Gemini ended it because of what was sent; `KeyRefused` and `NotFound` likewise.
            Overloaded: nothing came in time.
            BadAnswer: what came is no message, or too large.
        """
        from websockets.exceptions import ConnectionClosed

        frame: str | bytes | None = None
        await checkpoint()  # a flood of small messages must not keep everybody else waiting
        try:
            with anyio.move_on_after(seconds):
                frame = await self._connection.recv()
        except ConnectionClosed as closed:
            raise ended(closed, self._host) from closed
        if frame is None:
            raise Overloaded(f"Gemini said nothing for {seconds:g} s.", "Call again later.", code="deadline_exceeded")
        return await (anyio.to_thread.run_sync(self._read, frame) if len(frame) > _LARGE else self._at_once(frame))

    @property
    def ended(self) -> bool:
        """Whether the connection is known to have ended."""
        return self._connection.close_code is not None

    async def aclose(self) -> None:
        """End the connection."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * _CLOSING):
            await self._connection.close()
        self._connection.transport.abort()  # a sender who never stops sending is not waited for

    async def _at_once(self, frame: str | bytes) -> HeardT:
        return self._read(frame)

    def _read(self, frame: str | bytes) -> HeardT:
        # Gemini sends its JSON in binary frames, but text is the same to a reader.
        data = frame.encode() if isinstance(frame, str) else frame
        error = answer.refusal(self._heard, data)
        if error is not None:
            complaint = read_complaint(400, json.dumps({"error": error}).encode())
            raise failure.fault_of(complaint, {}, repeat="foreground", wall=time.time).error
        try:
            # It is paid for by the time it comes: what is odd about its lesser members must not lose the rest.
            return answer.parse_now(self._heard, data, None, billed=True)
        except BadAnswer as wrong:
            raise BadAnswer("Gemini sent a message that is not what its API describes.", "Call again later.") from wrong


@asynccontextmanager
async def connect(
    config: ClientConfig, method: str, *, version: str, sends: type[SentT], hears: type[HeardT]
) -> AsyncGenerator[Socket[SentT, HeardT]]:
    """Open a WebSocket; leaving closes it. Arguments and errors are those of `opened`."""
    socket = await opened(config, method, version=version, sends=sends, hears=hears)
    try:
        yield socket
    finally:
        await socket.aclose()


async def opened(
    config: ClientConfig, method: str, *, version: str, sends: type[SentT], hears: type[HeardT]
) -> Socket[SentT, HeardT]:
    """Open a WebSocket that its owner closes.

    Args:
        config: where Gemini is, the key, the limits.
        method: of Google's service, such as `BidiGenerateMusic`.
        version: the API version in its path.
        sends: the type of the messages that go.
        hears: the type of the messages that come.

    Raises:
        KeyMissing: there is no key; nothing was sent.
        ConnectionFailed: no connection; nothing was sent.
        BadAnswer: the answer is a redirect, which is never followed.
        ToolserverError: Gemini refused; any of the tree.
    """
    backend.of(config).asked(Endpoint("GET", "{version}/live", Empty), {})
    return Socket[SentT, HeardT](await _open(config, method, version), hears, config.url.host)


async def _open(config: ClientConfig, method: str, version: str) -> ClientConnection:
    """A connection; where Google refuses the credential, once more with a newer one, as `attempts` does."""
    credential = credentials.of(config)
    shown = await credential.headers()
    try:
        return await _connected(config, method, version, shown)
    except KeyRefused as refused:
        newer = refused.status in credentials.REFUSED and await credential.renew(shown[0][1])
        if not newer:
            credentials.name_in(refused, credential)
            raise
    try:
        return await _connected(config, method, version, await credential.headers())
    except KeyRefused as refused:
        credentials.name_in(refused, credential)
        raise


async def _connected(config: ClientConfig, method: str, version: str, shown: Headers) -> ClientConnection:
    from websockets.asyncio import client
    from websockets.exceptions import InvalidHandshake, InvalidStatus

    # At the level of debugging the library writes every header, the key among them.
    logging.getLogger("websockets.client").setLevel(logging.WARNING)

    class Connect(client.connect):
        """Follows no redirect."""

        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    url, host = address(config, method, version), config.url.host
    local = config.loopback and config.url.scheme == "http"
    try:
        return await Connect(
            url,
            additional_headers=_headers(shown),
            user_agent_header=config.user_agent,
            proxy=None if local else True,
            ssl=await anyio.to_thread.run_sync(_certificates) if url.startswith("wss:") else None,
            compression=None,
            open_timeout=config.connect_timeout,
            close_timeout=_CLOSING,
            max_size=min(LARGEST_FRAME, config.max_event_bytes),
            max_queue=WAITING_FRAMES,
        )
    except InvalidStatus as refused:
        response = refused.response
        if response.status_code in redirect.STATUSES:
            raise BadAnswer(
                f"Gemini's answer is a redirect ({response.status_code}), which is not followed with a WebSocket.",
                "Correct GEMINI_BASE_URL if it points at a proxy or gateway.",
                code="redirect_refused",
                status=response.status_code,
            ) from None
        complaint = read_complaint(response.status_code, bytes(response.body or b""))
        raise failure.fault_of(complaint, response.headers, repeat="foreground", wall=time.time).error from refused
    except ssl.SSLCertVerificationError as error:
        raise untrusted_certificate(host, clean(str(error), 150)) from error
    except (OSError, InvalidHandshake, ImportError) as error:  # ImportError: a SOCKS proxy needs another library
        reason = clean(str(error), 150) or type(error).__name__
        raise unreachable("WebSocket", host, reason) from error


def address(config: ClientConfig, method: str, version: str) -> str:
    """The URL of a method, without any credential."""
    root = Routes(config.url, config.api_version).root
    return f"ws{root.removeprefix('http')}/ws/google.ai.generativelanguage.{version}.GenerativeService.{method}"


def _headers(shown: Headers) -> dict[str, str]:
    named = {name.decode(): value.decode() for name, value in shown}
    return {**named, "x-goog-api-client": f"{default_user_agent()} gl-python/{platform.python_version()}"}


@cache
def _certificates() -> ssl.SSLContext:
    return httpx2.create_ssl_context()
