"""kill -9 at every point of a paid job: one submit, and the film arrives, or nobody can know and the job says so."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from gemini_emulator import Emulator
from tests.crash.killed import POINTS
from tests.front.processes import MODERN, ROOT, Json, Stdio, World, started, stdio

pytestmark = pytest.mark.anyio

FILM = {"prompt": "A red fox runs through snow", "duration_seconds": 3, "wait_seconds": 60}
NOT_BEGUN = {"before begin"}
UNKNOWN = {"after sent", "before the request", "after the request", "before running"}
"""Killed between sending and recording, nobody can tell whether it began."""
UNSENT = {"before begin", "after sent", "before the request"}


def world_of(tmp_path: Path, emulator: Emulator, ledger: str | None) -> World:
    world = World(tmp_path, emulator.url)
    # Long enough for a busy machine: a process that lives must not lose its jobs to the other one.
    world.environment |= {"GEMINI_TOOLSERVER_POLL": "0.02", "GEMINI_TOOLSERVER_LEASE": "2.5"}
    world.environment["PYTHONPATH"] += f":{ROOT}"
    world.environment["GEMINI_TOOLSERVER_TOOLSETS"] = "default,jobs"
    if ledger is not None:
        world.environment["GEMINI_TOOLSERVER_LEDGER"] = ledger
        del world.environment["GEMINI_TOOLSERVER_STATE_DIR"]
    return world


@asynccontextmanager
async def serving(world: World) -> AsyncGenerator[Stdio]:
    async with stdio(world) as server:
        await server.greet()
        yield server


async def killed(world: World, point: str, tool: str = "generate_video", asked: Json = FILM) -> None:
    """Run a server that dies at a point while it does what takes a while: it makes a film."""
    process = await anyio.open_process(
        [sys.executable, "-m", "tests.crash.killed", point], env=world.env(), cwd=world.work
    )
    server = Stdio(process, MODERN)
    async with started(server):
        await server.greet()
        await server.begin("tools/call", {"name": tool, "arguments": asked})
        assert await server.ended(within=40) == -9


async def job_after(server: Stdio) -> Json | None:
    """The one job of the ledger, when it has ended; None where there is none."""
    jobs = (await server.call("list_jobs"))["structuredContent"]["jobs"]
    if not jobs:
        return None
    (job,) = jobs
    ended: Json = (await server.call("get_job", job=job["id"], wait_seconds=30))["structuredContent"]
    return ended


def submits(emulator: Emulator) -> int:
    return sum(one["method"] == "POST" and one["path"].endswith("/interactions") for one in emulator.requests)


def check(point: str, job: Json | None, emulator: Emulator, world: World) -> None:
    if point in NOT_BEGUN:
        assert job is None
        assert submits(emulator) == 0
        return
    assert job is not None
    if point in UNKNOWN:
        assert job["status"] == "unknown", job
        assert "reuse=false" in job["next"]
        assert submits(emulator) == (0 if point in UNSENT else 1)
        return
    assert job["status"] == "done", job
    assert submits(emulator) == 1
    (artifact,) = job["artifacts"]
    film = Path(artifact["path"]).read_bytes()
    assert hashlib.sha256(film).hexdigest() == artifact["sha256"]
    assert film[4:8] == b"ftyp"
    names = [path.name for path in world.output.iterdir() if path.suffix != ".json" and path.name[0] != "."]
    assert names == [Path(artifact["path"]).name], "one file, and nothing half-written"


@pytest.mark.parametrize("point", POINTS)
async def test_killed_and_started_again(tmp_path: Path, emulator: Emulator, point: str) -> None:
    world = world_of(tmp_path, emulator, None)
    await killed(world, point)
    async with serving(world) as again:
        check(point, await job_after(again), emulator, world)


@pytest.mark.parametrize("point", POINTS)
async def test_killed_while_a_replica_lives(tmp_path: Path, emulator: Emulator, postgres_url: str, point: str) -> None:
    world = world_of(tmp_path, emulator, postgres_url)
    async with serving(world) as replica:
        assert (await replica.call("list_jobs"))["structuredContent"]["jobs"] == []
        await killed(world, point)
        check(point, await job_after(replica), emulator, world)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_fifty_identical_calls_of_three_processes_are_one_submit(
    tmp_path: Path, emulator: Emulator, engine: str, request: pytest.FixtureRequest
) -> None:
    world = world_of(tmp_path, emulator, request.getfixturevalue("postgres_url") if engine == "postgres" else None)
    found: list[Any] = []

    async def call(server: Stdio) -> None:
        found.append((await server.call("generate_video", **FILM))["structuredContent"])

    async with (
        serving(world) as one,
        serving(world) as two,
        serving(world) as three,
        anyio.create_task_group() as tasks,
    ):
        for number in range(50):
            tasks.start_soon(call, (one, two, three)[number % 3])
    assert submits(emulator) == 1
    assert {job["status"] for job in found} == {"done"}
    assert len({json.dumps(job["artifacts"]) for job in found}) == 1
