"""A `multipart/…` body, taken apart while it arrives: the description first, then the media.

Source: RFC 2046, section 5.1; "media upload" of Google's APIs sends `multipart/related` with two parts.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from .errors import invalid

_LARGEST_HEAD = 1024 * 1024
_BOUNDARY = re.compile(r'(?i)^multipart/[\w.+-]+\s*;.*\bboundary=("?)([^";]{1,70})\1')
_BROKEN = "Failed to parse multipart body: "


class Multipart:
    """The parts of a body, one after the other.

    Args:
        content_type: the header with the boundary.
        pieces: the body.

    Raises:
        ApiError: 400 for a header without boundary.
    """

    def __init__(self, content_type: str, pieces: AsyncIterator[bytes]) -> None:
        found = _BOUNDARY.search(content_type)
        if not found:
            raise invalid(f"{_BROKEN}the Content-Type has no boundary.")
        # With a line break in front of the body, every delimiter begins alike.
        self._mark = b"\r\n--" + found[2].encode()
        self._pieces = pieces
        self._rest = b"\r\n"

    async def headers(self) -> dict[str, str]:
        """The headers of the next part, lower-cased.

        Raises:
            ApiError: 400 when there is no further part.
        """
        while (start := self._rest.find(self._mark)) < 0 or self._rest.find(b"\r\n\r\n", start) < 0:
            if len(self._rest) > _LARGEST_HEAD or not await self._more():
                raise invalid(f"{_BROKEN}a part is missing.")
        head, _, self._rest = self._rest[start:].partition(b"\r\n\r\n")
        # What follows may be the next delimiter at once: an empty part.
        self._rest = b"\r\n" + self._rest if self._rest.startswith(self._mark[2:]) else self._rest
        lines = head.decode("latin-1").split("\r\n")[2:]
        return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    async def body(self) -> AsyncIterator[bytes]:
        """The bytes of the current part.

        Raises:
            ApiError: 400 when the body ends before the part does.
        """
        while (end := self._rest.find(self._mark)) < 0:
            # A delimiter may have come only in part.
            safe = len(self._rest) - len(self._mark)
            if safe > 0:
                yield self._rest[:safe]
                self._rest = self._rest[safe:]
            if not await self._more():
                raise invalid(f"{_BROKEN}the closing boundary is missing.")
        if end:
            yield self._rest[:end]
        self._rest = self._rest[end:]

    async def _more(self) -> bool:
        piece = await anext(self._pieces, b"")
        self._rest += piece
        return bool(piece)
