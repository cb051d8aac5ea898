"""A listener for webhooks: a small HTTP server that notes what comes, and answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Delivery:
    """One request that came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def signed_with(self, secret: str) -> bool:
        """Whether one of the signatures is that of a secret."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        code = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return f"v1,{code}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Listener:
    """What listens.

    Attributes:
        uri: where.
        answers: the statuses of the next answers; 200 when there is none.
        came: the deliveries that nobody has taken yet.
    """

    uri: str = ""
    answers: list[int] = field(default_factory=list[int])
    came: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue[Delivery])

    async def heard(self) -> Delivery:
        """The next delivery."""
        return await asyncio.wait_for(self.came.get(), 5)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
        pairs = (line.partition(": ") for line in head if line)
        headers = {name.lower(): value for name, _, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.answers.pop(0) if self.answers else 200
        writer.write(f"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        self.came.put_nowait(Delivery(headers, body))


@asynccontextmanager
async def listening() -> AsyncGenerator[Listener]:
    """A listener that runs until the block ends."""
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    async with server:
        listener.uri = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield listener
