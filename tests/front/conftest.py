"""What these tests share: a fixed day, a check of every result, a Gemini that says what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from anyio.from_thread import start_blocking_portal
from jsonschema.validators import Draft202012Validator
from mcp import Client
from mcp_types import CallToolResult

from gemini_emulator import Emulator, Options, running
from gemini_server import surface
from gemini_server.toolkit.runtime import Runtime
from tests.conftest import LOG, as_if_new, error_of, structured

TODAY = date(2026, 11, 22)
"""The day of these tests: models are shut down and prices change by date."""
KEY = "test-key"
LONGEST = 4096

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's calendar stands still; without this, the tests would fail on the day a model ends."""
    defaults = cast(Any, Runtime.__init__).__kwdefaults__
    monkeypatch.setitem(defaults, "today", lambda: TODAY)


@pytest.fixture(scope="session")
def standing_emulator() -> Iterator[Emulator]:
    """One emulator for all tests of a process, on the same day as the server: to stop one takes a tenth of a second."""
    options = Options(log=Path(LOG) if LOG else None, today=TODAY)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


@pytest.fixture
def emulator(standing_emulator: Emulator) -> Emulator:
    """The emulator without a memory of the tests before."""
    return as_if_new(standing_emulator)


@pytest.fixture(autouse=True)
def every_result_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test is about: every result fits its tool's outputSchema, has no null, no long foreign string."""
    call_tool = Client.call_tool
    schemas = {tool.name: tool.shown["outputSchema"] for tool in surface.load().tools}

    async def checked(self: Client, name: str, *args: Any, **more: Any) -> CallToolResult:
        result = await call_tool(self, name, *args, **more)
        text = " ".join(str(getattr(block, "text", "")) for block in result.content)
        assert text, "a result must say something to clients that show text alone"
        if result.is_error:
            assert result.structured_content is None
            assert KEY not in text
            assert "Traceback" not in text
            assert len(text) < LONGEST
        else:
            assert result.structured_content is not None
            cast(Any, Draft202012Validator(schemas[name])).validate(result.structured_content)
            faults = list(_faults(result.structured_content, ""))
            assert not faults, faults
        return result

    monkeypatch.setattr(Client, "call_tool", checked)


OWN_WORDS = {"text", "thoughts", "output", "outputs", "code", "json"}
"""Members that hold what the model itself wrote."""


def _faults(value: object, path: str) -> Iterator[str]:
    name = path.rpartition("/")[2]
    if value is None and name not in ("cost_usd", "cost_usd_per_hour"):
        yield f"{path} is null"
    elif isinstance(value, dict):
        for key, item in cast(Json, value).items():
            if key not in ("json", "arguments"):
                yield from _faults(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _faults(item, path)
    elif isinstance(value, str) and len(value) > LONGEST and name not in OWN_WORDS:
        yield f"{path} has {len(value)} characters"


async def ask(client: Client, prompt: str = "Say hello", **arguments: Any) -> Json:
    """The structured result of generate_text, which must succeed."""
    return structured(await client.call_tool("generate_text", {"prompt": prompt, **arguments}))


async def ask_in_a_stream(client: Client, prompt: str = "Say hello", **arguments: Any) -> Json:
    """The same with a progress token, for which the server streams."""

    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        return

    result = await client.call_tool("generate_text", {"prompt": prompt, **arguments}, progress_callback=ignore)
    return structured(result)


async def refused(client: Client, prompt: str = "Say hello", **arguments: Any) -> str:
    """The text of generate_text failing."""
    return error_of(await client.call_tool("generate_text", {"prompt": prompt, **arguments}))


async def submit(client: Client, conversation: str, *results: Json) -> CallToolResult:
    """submit_function_results."""
    return await client.call_tool("submit_function_results", {"conversation": conversation, "results": list(results)})


def warned(answer: Json) -> str:
    """All warnings of a result."""
    return "\n".join(answer.get("warnings", ()))


def sent(emulator: Emulator, at: int = -1) -> Json:
    """The body of a request that reached the emulator."""
    body: Json = emulator.requests[at]["body"]
    return body


def candidate(*parts: Json, finish: str | None = "STOP", **more: Any) -> Json:
    """An answer with one candidate; members given as None are left out."""
    made: Json = {"index": 0, **more}
    if parts:
        made["content"] = {"role": "model", "parts": list(parts)}
    if finish:
        made["finishReason"] = finish
    return {
        "candidates": [made],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 4, "totalTokenCount": 14},
        "modelVersion": "gemini-3.8-flash",
    }


def said(text: str, finish: str | None = "STOP", **more: Any) -> Json:
    """An answer in words."""
    return candidate({"text": text}, finish=finish, **more)


@dataclass
class Reply:
    """What the fake does with one request: a JSON body, or events, after a gate, and perhaps a cut."""

    body: Any = None
    events: list[Json] | None = None
    cut: bool = False
    status: int = 200
    gate: asyncio.Event | None = None


@dataclass
class FakeGemini:
    """A server on loopback that answers as it is told and remembers what it was asked."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list[Reply])
    requests: list[Json] = field(default_factory=list[Json])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def say(self, *bodies: Json | Reply) -> None:
        """Answer the next requests with these; the last one answers all further ones too."""
        self.replies = [body if isinstance(body, Reply) else Reply(body) for body in bodies]

    def stream(self, *events: Json, cut: bool = False) -> None:
        """Answer with a stream."""
        self.replies = [Reply(events=list(events), cut=cut)]

    async def wait_for(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
            raw = await reader.readexactly(int(headers.get("content-length", "0")))
            reply = self.replies[0] if len(self.replies) == 1 else self.replies.pop(0)
            async with self.arrived:
                self.requests.append(json.loads(raw) if raw else {})
                self.headers.append(headers)
                self.paths.append(head[0].split(" ")[1])
                self.arrived.notify_all()
            if reply.gate is not None:
                await reply.gate.wait()
            writer.write(_bytes_of(reply))
            await writer.drain()
        writer.close()


def _bytes_of(reply: Reply) -> bytes:
    head = f"HTTP/1.1 {reply.status} X\r\nConnection: close\r\n"
    if reply.events is None:
        body = json.dumps(reply.body, ensure_ascii=False).encode()
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    pieces = [f"data: {json.dumps(event, ensure_ascii=False)}\r\n\r\n".encode() for event in reply.events]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    end = b"" if reply.cut else b"0\r\n\r\n"
    return f"{head}Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks + end


@pytest.fixture
async def fake() -> AsyncGenerator[FakeGemini]:
    """A Gemini that says what it is told, for answers that the emulator does not give."""
    gemini = FakeGemini(replies=[Reply(said("hello"))])
    server = await asyncio.start_server(gemini.serve, "127.0.0.1", 0, limit=2**20)
    gemini.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield gemini
