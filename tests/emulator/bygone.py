"""The services that Google has shut down, as a raw client of an emulator that still has them sees them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx2

from gemini_emulator import Emulator, Options, running

TUNABLE = "models/gemini-1.5-flash-001-tuning"
OFFICE = {
    "handbook": {
        "vacation": "Every employee has 28 vacation days a year. New employees get theirs pro rata.",
        "laptops": "Laptops are replaced after four years, telephones after three.",
    },
    "menu": {"soup": "The canteen serves pumpkin soup on Mondays."},
}


class Bygone:
    """A client of one such emulator."""

    def __init__(self, http: httpx2.AsyncClient, emulator: Emulator) -> None:
        self.http = http
        self.emulator = emulator

    async def call(
        self, method: str, path: str, body: object = None, *, version: str = "v1beta", status: int = 200
    ) -> dict[str, Any]:
        """The answer to a call, or the error in it."""
        extra: dict[str, Any] = {} if body is None else {"json": body}
        response = await self.http.request(method, f"/{version}/{path}", **extra)
        assert response.status_code == status, response.text
        answer: dict[str, Any] = response.json()
        return answer if status == 200 else dict(answer["error"])

    async def refused(self, method: str, path: str, body: object = None, *, status: int = 400) -> str:
        """The message of a refusal."""
        error = await self.call(method, path, body, status=status)
        assert error["code"] == status
        return str(error["message"])

    async def gone(self, method: str, path: str, *, version: str = "v1beta") -> bool:
        """Whether there is nothing at an address, not even the API."""
        response = await self.http.request(method, f"/{version}/{path}", json={})
        return response.status_code == 404 and response.headers["content-type"].startswith("text/html")

    async def clear(self) -> None:
        """Delete all corpora and tuned models."""
        for one in (await self.call("GET", "corpora?pageSize=20")).get("corpora", []):
            await self.call("DELETE", f"{one['name']}?force=true")
        for one in (await self.call("GET", "tunedModels?pageSize=100")).get("tunedModels", []):
            await self.call("DELETE", one["name"])

    async def corpus(self) -> str:
        """The name of a new corpus with a few documents about an office."""
        name: str = (await self.call("POST", "corpora", {"displayName": "Office"}))["name"]
        for title, chunks in OFFICE.items():
            labels = [{"key": "kind", "stringValue": title}, {"key": "tags", "stringListValue": {"values": ["staff"]}}]
            document = {"name": f"{name}/documents/{title}", "displayName": title, "customMetadata": labels}
            await self.call("POST", f"{name}/documents", document)
            parent = f"{name}/documents/{title}"
            for number, (ident, text) in enumerate(chunks.items()):
                year = [{"key": "year", "numericValue": 2020 + number}]
                chunk = {"name": f"{parent}/chunks/{ident}", "data": {"stringValue": text}, "customMetadata": year}
                await self.call("POST", f"{parent}/chunks", chunk)
        return name

    async def tuned(self, *, ready: bool = True, **fields: Any) -> dict[str, Any]:
        """The operation of a new tuned model, which counts or translates."""
        pairs = {"1": "2", "twenty two": "twenty three", "good morning": "guten Morgen", "iv": "v"}
        examples = [{"textInput": given, "output": output} for given, output in pairs.items()]
        task = {"trainingData": {"examples": {"examples": examples}}, "hyperparameters": {"batchSize": 2}}
        operation = await self.call("POST", "tunedModels", {"baseModel": TUNABLE, "tuningTask": task, **fields})
        if ready:
            self.emulator.advance(60)
        return operation


@asynccontextmanager
async def bygone(*, legacy: bool = True) -> AsyncGenerator[Bygone, None]:
    """A client of an emulator that has just been started."""
    async with running(Options(today=date(2026, 11, 22), legacy_services=legacy)) as started:
        headers = {"x-goog-api-key": "test-key"}
        async with httpx2.AsyncClient(base_url=started.url, headers=headers, timeout=10) as http:
            yield Bygone(http, started)
