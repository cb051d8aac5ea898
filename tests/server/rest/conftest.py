from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from anyio.lowlevel import checkpoint
from pydantic import SecretStr

from gemini_server.rest.client import GeminiClient
from gemini_server.rest.config import ClientConfig

KEY = "AIzaSyCANARYcanaryCANARYcanaryCANARY123"

MakeClient = Callable[..., GeminiClient]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class FakeTime:
    """A clock that only moves when somebody sleeps on it."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list[float])

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await checkpoint()


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def make_client(fake_time: FakeTime) -> AsyncGenerator[MakeClient, None]:
    """Makes clients that wait on the fake clock, without jitter; closes them."""
    made: list[GeminiClient] = []

    def make(base_url: str = "https://generativelanguage.googleapis.com", **settings: Any) -> GeminiClient:
        arguments: dict[str, Any] = {
            "clock": fake_time.clock,
            "sleep": fake_time.sleep,
            "random": lambda: 1.0,
            "wall": lambda: 1_795_000_000.0,
        }
        arguments |= {name: settings.pop(name) for name in list(settings) if name in (*arguments, "transport")}
        settings.setdefault("key", SecretStr(KEY))
        client = GeminiClient(ClientConfig(base_url=base_url, **settings), **arguments)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.aclose()
