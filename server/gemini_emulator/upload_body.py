"""The body of a request as it arrives, with what a fault does to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from .faults import Directive


class CutShort(Exception):
    """A fault wants the connection to break here."""


class Body:
    """The bytes of a request, piece by piece; never held as a whole.

    `cut=inside` ends them with CutShort after `after=` bytes, or after half of them; `pace=` waits between pieces.

    Attributes:
        size: how many have been read.
    """

    def __init__(self, request: Request, directive: Directive) -> None:
        self.size = 0
        announced = request.headers.get("content-length", "0")
        half = int(announced) // 2 if announced.isdecimal() else 0
        self._limit = directive.number("after", half) if directive.get("cut") == "inside" else None
        self._pace = directive.seconds("pace")
        self._pieces = request.stream()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes that are left.

        Raises:
            CutShort: the connection is to be closed now.
            ClientDisconnect: the client has left.
        """
        async for piece in self._pieces:
            if self._limit is not None and self.size + len(piece) >= self._limit:
                kept = piece[: self._limit - self.size]
                self.size += len(kept)
                if kept:
                    yield kept
                raise CutShort
            self.size += len(piece)
            if piece:
                yield piece
            if self._pace:
                await asyncio.sleep(self._pace)
        if self._limit is not None:
            raise CutShort

    async def drain(self) -> None:
        """Read what is left and forget it, so that the client gets to see the answer."""
        async for piece in self._pieces:
            self.size += len(piece)
