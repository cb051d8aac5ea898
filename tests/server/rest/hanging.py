"""A transport that answers so far and no further: for timeouts that do not depend on how fast the machine is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import httpx2


class Hanging(httpx2.AsyncBaseTransport):
    """Takes the request, gives these bytes of a body at once, then nothing more, for ever.

    Args:
        chunks: what comes of the body; without any, not even a status comes.
        content_type: of the answer.
    """

    def __init__(self, *chunks: bytes, content_type: str = "application/json") -> None:
        self.chunks = chunks
        self.content_type = content_type
        self.requests = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        await request.aread()
        if not self.chunks:
            await anyio.sleep_forever()
        return httpx2.Response(200, headers={"content-type": self.content_type}, stream=_Body(self.chunks))


class _Body(httpx2.AsyncByteStream):
    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        await anyio.sleep_forever()
