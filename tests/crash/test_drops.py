"""A client drops its call at twenty moments: what Gemini has begun and what the ledger knows are the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx2
import pytest

from gemini_emulator import Emulator
from tests.crash.test_kill import serving, submits, world_of
from tests.front.processes import MODERN, Json, Stdio, http

pytestmark = pytest.mark.anyio

TIMES = 20
MOMENTS = ("at once", "first word", "sent", "asked", "downloading")


async def until(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not holds():
            await anyio.lowlevel.checkpoint()
            await anyio.sleep(0.002)


def arguments(number: int) -> Json:
    return {"prompt": f"Film number {number}", "duration_seconds": 3, "wait_seconds": 60}


def questions(emulator: Emulator) -> int:
    return sum(one["method"] == "GET" and "/interactions/" in one["path"] for one in emulator.requests)


def heard(moment: str, messages: list[Json], emulator: Emulator, posts: int, gets: int) -> bool:
    """Whether the moment has come."""
    said = [one["params"].get("message", "") for one in messages if one.get("method") == "notifications/progress"]
    match moment:
        case "first word":
            return bool(said)
        case "sent":
            return submits(emulator) > posts
        case "asked":
            return questions(emulator) > gets
        case "downloading":
            return any("downloading" in text for text in said)
        case _:
            return True


async def check(server: Stdio, emulator: Emulator, output: Path) -> None:
    """Every film that was begun is in the ledger, once, and ends."""
    with anyio.fail_after(60):
        while True:
            jobs = (await server.call("list_jobs"))["structuredContent"]["jobs"]
            open_ones = [job for job in jobs if job["status"] not in ("done", "failed", "cancelled", "unknown")]
            if not open_ones:
                break
            await server.call("get_job", job=open_ones[0]["id"], wait_seconds=20)
    assert [job["status"] for job in jobs] == ["done"] * len(jobs)
    assert len(jobs) == submits(emulator)
    films = [path for path in output.iterdir() if path.suffix == ".mp4"]
    assert len(films) == len(jobs)


async def test_over_stdio(tmp_path: Path, emulator: Emulator) -> None:
    world = world_of(tmp_path, emulator, None)
    async with serving(world) as server:
        for number in range(TIMES):
            moment = MOMENTS[number % len(MOMENTS)]
            before, posts, gets = len(server.messages), submits(emulator), questions(emulator)
            call = await server.begin(
                "tools/call",
                {"name": "generate_video", "arguments": arguments(number), "_meta": {"progressToken": number}},
            )
            await until(lambda: heard(moment, server.messages[before:], emulator, posts, gets))  # noqa: B023
            await server.send("notifications/cancelled", {"requestId": call, "reason": "gone"})
        await check(server, emulator, world.output)


async def test_over_http(tmp_path: Path, emulator: Emulator) -> None:
    world = world_of(tmp_path, emulator, None)
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
    }
    headers = {
        "accept": "application/json, text/event-stream", "mcp-protocol-version": MODERN, "mcp-method": "tools/call",
        "mcp-name": "generate_video",
    }  # fmt: skip
    async with http(world) as server, httpx2.AsyncClient(timeout=30) as client:
        for number in range(TIMES):
            moment = MOMENTS[number % len(MOMENTS)]
            posts, gets = submits(emulator), questions(emulator)
            messages: list[Json] = []
            body = {
                "jsonrpc": "2.0", "id": number, "method": "tools/call",
                "params": {
                    "name": "generate_video", "arguments": arguments(number),
                    "_meta": {**meta, "progressToken": number},
                },
            }  # fmt: skip

            async def read(body: Json, messages: list[Json]) -> None:
                async with client.stream("POST", server.url, json=body, headers=headers) as response:
                    async for line in response.aiter_lines():
                        if line.startswith("data: {"):
                            messages.append(json.loads(line[6:]))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, body, messages)
                await until(lambda: heard(moment, messages, emulator, posts, gets))  # noqa: B023
                tasks.cancel_scope.cancel()
    async with serving(world) as later:
        await check(later, emulator, world.output)
