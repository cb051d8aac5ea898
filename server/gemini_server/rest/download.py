"""A download that has begun: what is known of the file, and its bytes as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import anyio
import httpx2

from gemini_server.errors import ConnectionFailed

from .config import MIB

PIECE = MIB
"""The most bytes that are handed over at once."""

_LIFE_BYTES = 65_536
"""So much within the idle timeout shows that the other side is alive; a byte a minute does not."""


@dataclass(slots=True)
class Download:
    """An answer that brings a file, or what is left of it.

    Attributes:
        offset: where its bytes begin. 0 although more was asked for means that the server begins again, because the
            file has changed or it knows no ranges.
        size: bytes of the whole file; None where the server does not say.
        etag: the server's mark of this version of the file, empty without one.
        content_type: what the server says it is, without parameters.
        md5: of the whole file, where the server gives it.
        beyond: whether there is nothing from `offset` on (HTTP 416); then there are no bytes.
        retries: how many further attempts it took.
    """

    offset: int
    size: int | None
    etag: str
    content_type: str
    md5: bytes | None
    beyond: bool = False
    retries: int = 0


class OpenDownload:
    """A `Download` with its bytes still to come."""

    __slots__ = ("_first", "_idle", "_response", "_rest", "about")

    def __init__(
        self,
        about: Download,
        response: httpx2.Response,
        first: list[bytes],
        rest: AsyncGenerator[bytes, None],
        idle: float,
    ) -> None:
        self.about = about
        self._response = response
        self._first = first
        self._rest = rest
        self._idle = idle

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes, at most `PIECE` at once.

        Raises:
            ConnectionFailed: it was cut, or stopped for the idle timeout; what came before is good.
        """
        for chunk in self._first:
            yield chunk
        self._first.clear()
        silent, unsigned = 0.0, 0
        while True:
            before = anyio.current_time()
            chunk = await self._next(self._idle - silent)
            if not chunk:
                return
            silent += anyio.current_time() - before
            unsigned += len(chunk)
            if unsigned >= _LIFE_BYTES:
                silent, unsigned = 0.0, 0
            elif silent >= self._idle:
                raise _stopped(self._idle)
            for start in range(0, len(chunk), PIECE):
                yield chunk[start : start + PIECE] if len(chunk) > PIECE else chunk

    async def _next(self, patience: float) -> bytes:
        chunk = b""
        with anyio.move_on_after(max(0.0, patience)) as scope:
            try:
                chunk = await anext(self._rest, b"")
            except httpx2.TransportError as exc:
                raise broken(exc, self._idle) from exc
        if scope.cancelled_caught:
            raise _stopped(self._idle)
        return chunk

    async def aclose(self) -> None:
        """Drops the connection if bytes are left; safe to call twice."""
        await self._rest.aclose()
        await self._response.aclose()


def broken(exc: httpx2.TransportError, idle: float) -> ConnectionFailed:
    """The error for a connection that ended too early, or was silent for so many seconds."""
    if isinstance(exc, httpx2.ReadTimeout):
        return _stopped(idle)
    return ConnectionFailed(
        "The download was cut off.", "Call again: it goes on where it was cut.", code="download_cut"
    )


def _stopped(seconds: float) -> ConnectionFailed:
    return ConnectionFailed(
        f"The download stopped: next to nothing came for {seconds:g} s.",
        "Call again: it goes on where it stopped.",
        code="download_idle",
    )
