"""The bytes behind an attachment, where this machine has them: a file, an artifact, a data: URI."""

from __future__ import annotations

import base64

import anyio.to_thread

from gemini_server.api.content import Part
from gemini_server.rest.body import SLICE, InlineMedia


async def whole(part: Part) -> bytes | None:
    """All bytes; None of what only Google can fetch.

    Raises:
        FileRefused: the file was changed since it was opened.
    """
    if part.inline_data is None:
        return None
    data = part.inline_data.data
    if isinstance(data, InlineMedia):
        return b"".join([chunk async for chunk in data.source.chunks(SLICE)])
    return await anyio.to_thread.run_sync(base64.b64decode, data)


async def head(part: Part, size: int) -> tuple[bytes, int] | None:
    """The first bytes and how many there are in all; None of what only Google can fetch.

    Raises:
        FileRefused: as above.
    """
    if part.inline_data is None:
        return None
    data = part.inline_data.data
    if isinstance(data, InlineMedia):
        source = data.source
        async for chunk in source.chunks(min(size, source.size)):
            return chunk, source.size
        return b"", 0
    return base64.b64decode(data[: size // 3 * 4]), len(data) * 3 // 4
