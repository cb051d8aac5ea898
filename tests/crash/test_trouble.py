"""A full disk, a dead network, an output directory that is none: the job waits with a word, and ends when it can."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import anyio
import psutil
import pytest

from gemini_emulator import Emulator
from tests.crash.test_kill import FILM, serving, submits, world_of
from tests.front.processes import Json, Stdio

pytestmark = pytest.mark.anyio

LINUX = sys.platform == "linux"


async def begun(server: Stdio) -> str:
    job: Json = (await server.call("generate_video", **{**FILM, "wait_seconds": 0}))["structuredContent"]
    return str(job["id"])


async def held_up(server: Stdio, job: str, *words: str) -> Json:
    """The job once it says why it goes on no further."""
    with anyio.fail_after(30):
        while True:
            found: Json = (await server.call("get_job", job=job, wait_seconds=1))["structuredContent"]
            assert found["status"] != "failed", found
            if found["status"] == "downloading" and all(word in found.get("message", "") for word in words):
                return found


async def ended(server: Stdio, job: str) -> Json:
    found: Json = (await server.call("get_job", job=job, wait_seconds=60))["structuredContent"]
    assert found["status"] == "done", found
    return found


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.name[0] != "." and path.suffix != ".json"]


async def test_an_output_directory_that_is_none(tmp_path: Path, emulator: Emulator) -> None:
    world = world_of(tmp_path, emulator, None)
    world.output.write_text("in the way")
    async with serving(world) as server:
        job = await begun(server)
        waiting = await held_up(server, job, "could not be saved yet", "output directory")
        assert "Do not start it again" in waiting["next"]
        world.output.unlink()
        done = await ended(server, job)
    assert names(world.output) == [Path(done["artifacts"][0]["path"]).name]
    assert submits(emulator) == 1


@pytest.mark.skipif(not LINUX, reason="limits of another process can be set on Linux only")
async def test_a_full_disk(tmp_path: Path, emulator: Emulator) -> None:
    world = world_of(tmp_path, emulator, None)
    async with serving(world) as server:
        process = psutil.Process(server.process.pid)
        process.rlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        job = await begun(server)
        await held_up(server, job, "disk is full")
        assert names(world.output) == []
        process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await ended(server, job)
    assert len(names(world.output)) == 1
    assert submits(emulator) == 1


async def test_a_dead_network(tmp_path: Path, emulator: Emulator) -> None:
    world = world_of(tmp_path, emulator, None)
    emulator.add_fault("cut=before", path=":download", times=100)
    async with serving(world) as server:
        job = await begun(server)
        await held_up(server, job, "could not be saved yet")
        emulator.clear_faults()
        await ended(server, job)
    assert submits(emulator) == 1
