"""One emulator per module, fresh for each test, and a client that speaks plain HTTP to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator, Options, running

from .bygone import Bygone, bygone

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def served(anyio_backend: str) -> AsyncIterator[Emulator]:
    async with running(Options(today=TODAY)) as started:
        yield started


@pytest.fixture
async def emulator(served: Emulator) -> Emulator:
    """The module's emulator, as if it had just been started."""
    served.clear_faults()
    served.clear_requests()
    served.reset_clock()
    return served


@pytest.fixture(scope="module")
async def with_legacy_services(anyio_backend: str) -> AsyncIterator[Bygone]:
    async with bygone() as started:
        yield started


@pytest.fixture
async def old(with_legacy_services: Bygone) -> Bygone:
    """The API as it once was, without corpora and tuned models."""
    await with_legacy_services.clear()
    return with_legacy_services


class Api:
    """The API as a raw client sees it."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def post(
        self, verb: str, body: object, *, model: str = "gemini-3.8-flash", version: str = "v1beta"
    ) -> httpx2.Response:
        return await self.http.post(f"/{version}/models/{model}:{verb}", json=body)

    async def generate(self, text: str, *, model: str = "gemini-3.8-flash", **fields: Any) -> dict[str, Any]:
        response = await self.post("generateContent", {**ask(text), **fields}, model=model)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def text(self, text: str, **fields: Any) -> str:
        return text_of(await self.generate(text, **fields))

    async def refusal(self, body: object, *, model: str = "gemini-3.8-flash", status: int = 400) -> str:
        response = await self.post("generateContent", body, model=model)
        assert response.status_code == status, response.text
        error = response.json()["error"]
        assert error["code"] == status
        return str(error["message"])


@pytest.fixture
async def api(emulator: Emulator) -> AsyncIterator[Api]:
    headers = {"x-goog-api-key": "test-key"}
    async with httpx2.AsyncClient(base_url=emulator.url, headers=headers, timeout=10) as http:
        yield Api(http)


def ask(*parts: str | dict[str, Any]) -> dict[str, Any]:
    """A request of one user turn."""
    return {"contents": [{"role": "user", "parts": [{"text": one} if isinstance(one, str) else one for one in parts]}]}


def text_of(response: dict[str, Any]) -> str:
    """The visible text of a response."""
    parts = response["candidates"][0]["content"]["parts"]
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))
