"""The end of a process with jobs under way, over stdio and HTTP: it comes soon, and the next process goes on."""

from __future__ import annotations

import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from gemini_emulator import Emulator
from gemini_server.toolkit.runtime import SETTLE
from tests.conftest import structured
from tests.front.processes import MODERN, SLACK, Json, Running, Stdio, World, http, stdio
from tests.front.test_http import connected

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

AT_ONCE = 1.5
"""Seconds in which a job that has settled at Google is finished by a process that looks for such jobs."""
LASTS = 1000
PROMPTS = {
    "submitting": "[emulate: stall=headers] A fox that is never begun",
    "running": f"[emulate: lasts={LASTS}s] A fox that takes its time",
    "downloading": "A fox that is cut",
}
"""By the state that the job stays in."""

Call = Callable[..., Awaitable[Json]]


@pytest.fixture
def world(tmp_path: Path, emulator: Emulator) -> World:
    return World(tmp_path, emulator.url)


def rows(world: World) -> dict[str, tuple[str, float]]:
    """State and lease of every job in the ledger."""
    with closing(sqlite3.connect(f"file:{world.state / 'ledger.db'}?mode=ro", uri=True)) as ledger:
        return {row[0]: (row[1], row[2]) for row in ledger.execute("SELECT id, state, lease FROM jobs")}


def begun(emulator: Emulator) -> list[str]:
    """The prompts of the videos that were begun at the emulator."""
    posts = [one["body"] for one in emulator.requests if one["method"] == "POST"]
    return [body["input"][0]["text"] for body in posts]


@asynccontextmanager
async def serving(world: World, over: str) -> AsyncGenerator[tuple[Running, Call]]:
    """A server that asks after its jobs often, and how to call its tools."""
    if over == "stdio":
        async with stdio(world, GEMINI_TOOLSERVER_POLL="0.05") as local:
            await local.greet()

            async def call(tool: str, **arguments: Any) -> Json:
                content: Json = (await local.call(tool, **arguments))["structuredContent"]
                return content

            yield local, call
        return
    async with http(world, GEMINI_TOOLSERVER_POLL="0.05") as remote, connected(remote, MODERN) as client:

        async def ask(tool: str, **arguments: Any) -> Json:
            return structured(await client.call_tool(tool, arguments))

        yield remote, ask


async def three_jobs(call: Call, emulator: Emulator) -> dict[str, str]:
    """Jobs by the state that they stay in."""
    emulator.add_fault("stall=inside after=1000", method="GET", path=":download|/files/", times=1)
    jobs: dict[str, str] = {}
    for state, prompt in PROMPTS.items():
        jobs[state] = (await call("generate_video", prompt=prompt, wait_seconds=0))["id"]
    with anyio.fail_after(20):
        for state, job in jobs.items():
            while (await call("get_job", job=job, wait_seconds=0.2))["status"] != state:
                pass
        while len(begun(emulator)) < len(jobs):
            await call("get_job", job=jobs["submitting"])
    return jobs


async def waiting(call: Call, job: str) -> None:
    """A caller who waits for a job as long as he may."""
    with suppress(MCPError, KeyError):  # there is no result, but an error
        await call("get_job", job=job, wait_seconds=600)


async def end(server: Running, how: signal.Signals | str) -> None:
    """End a server, and see that it ends as it should."""
    if isinstance(how, signal.Signals):
        server.signal(how)
    else:
        assert isinstance(server, Stdio)
        await server.close()
    assert await server.ended() == (130 if how is signal.SIGINT and isinstance(server, Stdio) else 0)
    assert "Traceback" not in server.stderr
    assert "ERROR" not in server.stderr


@pytest.mark.parametrize(
    ("over", "how"),
    [
        ("stdio", signal.SIGTERM),
        ("stdio", signal.SIGINT),
        ("stdio", "EOF"),
        ("http", signal.SIGTERM),
        ("http", signal.SIGINT),
    ],
)
async def test_a_process_ends_soon_with_jobs_under_way_and_the_next_one_finishes_them_at_once(
    world: World, emulator: Emulator, over: str, how: signal.Signals | str
) -> None:
    jobs: dict[str, str] = {}
    async with serving(world, over) as (server, call), anyio.create_task_group() as callers:
        jobs.update(await three_jobs(call, emulator))
        for job in jobs.values():
            callers.start_soon(waiting, call, job)
        await call("get_job", job=jobs["running"])  # it comes after theirs
        await end(server, how)
    left = rows(world)
    # Nobody can know whether Gemini has begun it: it is not sent again.
    assert left[jobs["submitting"]][0] == "unknown"
    for state in ("running", "downloading"):
        assert left[jobs[state]] == (state, 0), "its lease is given back: the next process need not wait for it"
    sent = begun(emulator)

    emulator.advance(LASTS)
    async with stdio(world, era="legacy", GEMINI_TOOLSERVER_POLL="0.05") as server:
        await server.greet()
        with anyio.fail_after(SETTLE + AT_ONCE + SLACK):
            # By itself: nobody asks how they stand. A client hears of each change that this process makes.
            for state in ("running", "downloading"):
                await server.ask("resources/subscribe", {"uri": f"gemini://jobs/{jobs[state]}"})
            changes = 0
            while [rows(world)[jobs[state]][0] for state in ("running", "downloading")] != ["done", "done"]:
                changes = await server.until(partial(further, server, changes))
        finished = {state: (await server.call("get_job", job=job))["structuredContent"] for state, job in jobs.items()}
        await end(server, "EOF")
    assert finished["submitting"]["status"] == "unknown"
    assert "reuse=false" in finished["submitting"]["next"]
    assert begun(emulator) == sent, "nothing was begun a second time"
    files = {Path(one["path"]) for job in finished.values() for one in job["artifacts"]}
    assert len(files) == 2
    assert {path for path in world.output.iterdir() if path.suffix != ".json"} == files, "no file twice, no part left"


def further(server: Stdio, before: int) -> int | None:
    """How many changes the client was told of, if that is more than before."""
    count = sum(message.get("method") == "notifications/resources/updated" for message in server.messages)
    return count if count > before else None
