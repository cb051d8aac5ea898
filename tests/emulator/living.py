"""A Live session as a raw client sees it."""

from __future__ import annotations

import base64
import json
import math
from array import array
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gemini_emulator import Emulator

MODEL = "models/gemini-3.8-live"
WEATHER = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
BRIEF = "[emulate: say=SGVsbG8gdGhlcmUsIGhvdyBhcmUgeW91Pw]"
SAID = "Hello there, how are you?"


class Live:
    """One connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        raw = await self.socket.recv()
        assert isinstance(raw, bytes)
        return dict(json.loads(raw))

    async def text(self, text: str) -> None:
        await self.send(realtimeInput={"text": text})

    async def audio(self, pcm: bytes, *, rate: int = 16_000) -> None:
        data = base64.b64encode(pcm).decode()
        await self.send(realtimeInput={"audio": {"mimeType": f"audio/pcm;rate={rate}", "data": data}})

    async def until(self, name: str) -> list[dict[str, Any]]:
        """The messages up to the one with a field, or with a field of `serverContent`."""
        found: list[dict[str, Any]] = []
        while not found or (name not in found[-1] and name not in found[-1].get("serverContent", {})):
            found.append(await self.receive())
        return found

    async def turn(self) -> list[dict[str, Any]]:
        return await self.until("turnComplete")

    async def ask(self, text: str) -> list[dict[str, Any]]:
        await self.text(text)
        return await self.turn()

    async def closed(self) -> tuple[int, str]:
        """The code and the reason of the end."""
        with suppress(ConnectionClosed):
            async for _ in self.socket:
                pass
        return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def connected(
    emulator: Emulator,
    *,
    method: str = "BidiGenerateContent",
    version: str = "v1beta",
    query: str = "",
    headers: dict[str, str] | None = None,
) -> AsyncGenerator[Live]:
    url = f"{emulator.url.replace('http', 'ws')}/ws/google.ai.generativelanguage.{version}.GenerativeService.{method}"
    sent = {"x-goog-api-key": "k"} if headers is None else headers
    async with connect(f"{url}{query}", additional_headers=sent) as socket:
        yield Live(socket)


@asynccontextmanager
async def ready(emulator: Emulator, **setup: object) -> AsyncGenerator[Live]:
    """A session after its setup."""
    async with connected(emulator) as live:
        await live.send(setup={"model": MODEL, **setup})
        assert await live.receive() == {"setupComplete": {}}
        yield live


def field(messages: list[dict[str, Any]], name: str) -> list[Any]:
    """The values of a field of `serverContent`, in their order."""
    return [one["serverContent"][name] for one in messages if name in one.get("serverContent", {})]


def transcript(messages: list[dict[str, Any]], name: str = "outputTranscription") -> str:
    return "".join(one["text"] for one in field(messages, name))


def sound(messages: list[dict[str, Any]]) -> bytes:
    parts = [part["inlineData"] for turn in field(messages, "modelTurn") for part in turn["parts"]]
    assert all(part["mimeType"] == "audio/pcm;rate=24000" for part in parts)
    return b"".join(base64.b64decode(part["data"]) for part in parts)


def tone(seconds: float, rate: int = 16_000) -> bytes:
    """Something that is heard."""
    return array("h", (int(9_000 * math.sin(at / 9)) for at in range(round(seconds * rate)))).tobytes()


def silence(seconds: float, rate: int = 16_000) -> bytes:
    return bytes(2 * round(seconds * rate))
