"""kill -9 at every point of an upload: the next process brings the same file there, and sends hardly a byte twice."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from gemini_emulator import Emulator
from tests.crash.killed_upload import CHUNK, POINTS, SIZE
from tests.crash.test_kill import job_after, world_of
from tests.front.processes import MODERN, Json, Stdio, World, started, texts
from tests.front.uploading import noise, uploads

pytestmark = pytest.mark.anyio

DATA = noise(SIZE, "killed")
SHA256 = hashlib.sha256(DATA).hexdigest()
ON_POSTGRES = (
    "after begin",
    "after sent",
    "after began",
    f"at byte {SIZE // 2}",
    "after the last chunk",
    "before done",
)


def received(emulator: Emulator) -> int:
    """Bytes of the file that the emulator read off its sockets."""
    bodies = (str(one["body"]) for one in uploads(emulator))
    return sum(int(found[1]) for body in bodies if (found := re.fullmatch(r"<(\d+) bytes>", body)))


@asynccontextmanager
async def serving(world: World, point: str = "never") -> AsyncGenerator[Stdio]:
    process = await anyio.open_process(
        [sys.executable, "-m", "tests.crash.killed_upload", point], env=world.env(), cwd=world.work
    )
    server = Stdio(process, MODERN)
    async with started(server):
        await server.greet()
        yield server


async def killed(world: World, point: str, **arguments: Any) -> None:
    """Run a server that dies at a point while it uploads."""
    async with serving(world, point) as server:
        call = {"name": "upload_file", "arguments": {"source": "clip.bin", "wait_seconds": 60, **arguments}}
        await server.begin("tools/call", call)
        assert await server.ended(within=40) == -9


def prepared(tmp_path: Path, emulator: Emulator, ledger: str | None) -> World:
    world = world_of(tmp_path, emulator, ledger)
    (world.work / "clip.bin").write_bytes(DATA)
    return world


def check(point: str, job: Json | None, emulator: Emulator) -> None:
    if point == "before begin":
        assert job is None
        assert uploads(emulator) == []
        return
    assert job is not None
    assert job["status"] == "done", job
    file = job["result"]["file"]
    assert (file["sha256"], file["bytes"], file["state"]) == (SHA256, SIZE, "ACTIVE")
    assert received(emulator) <= SIZE + CHUNK


@pytest.mark.parametrize("point", POINTS)
async def test_killed_and_started_again(tmp_path: Path, emulator: Emulator, point: str) -> None:
    world = prepared(tmp_path, emulator, None)
    await killed(world, point)
    async with serving(world) as again:
        check(point, await job_after(again), emulator)
        # What is there is used, whatever crashed before.
        count = len(uploads(emulator))
        answer = await again.call("upload_file", source="clip.bin")
        assert answer["structuredContent"]["file"]["sha256"] == SHA256
        assert point == "before begin" or len(uploads(emulator)) == count


@pytest.mark.parametrize("point", ON_POSTGRES)
async def test_killed_while_a_replica_lives(tmp_path: Path, emulator: Emulator, postgres_url: str, point: str) -> None:
    world = prepared(tmp_path, emulator, postgres_url)
    async with serving(world) as replica:
        assert (await replica.call("list_jobs"))["structuredContent"]["jobs"] == []
        await killed(world, point)
        check(point, await job_after(replica), emulator)


@pytest.mark.parametrize("change", ["changed", "gone", "a link"])
async def test_a_file_that_is_another_one_by_then_is_not_sent_on(
    tmp_path: Path, emulator: Emulator, change: str
) -> None:
    world = prepared(tmp_path, emulator, None)
    await killed(world, f"at byte {SIZE // 2}")
    clip = world.work / "clip.bin"
    if change == "changed":
        clip.write_bytes(noise(SIZE, "another"))
    else:
        clip.rename(world.work / "away.bin")
        if change == "a link":
            clip.symlink_to("away.bin")
    before = received(emulator)
    async with serving(world) as again:
        job = await job_after(again)
    assert job is not None
    assert job["status"] == "failed"
    words = {"changed": "was changed", "gone": "no file", "a link": "symbolic link"}
    assert words[change] in job["error"]["message"]
    assert received(emulator) == before
    assert uploads(emulator)[-1]["headers"]["x-goog-upload-command"] == "cancel"


async def test_bytes_that_came_with_the_call_end_with_their_process(tmp_path: Path, emulator: Emulator) -> None:
    world = prepared(tmp_path, emulator, None)
    source = f"data:application/octet-stream;base64,{base64.b64encode(DATA).decode()}"
    await killed(world, f"at byte {SIZE // 2}", source=source)
    async with serving(world) as again:
        job = await job_after(again)
    assert job is not None
    assert job["status"] == "failed"
    assert "in memory" in job["error"]["message"]
    assert "Call again with them" in job["error"]["message"]


async def test_another_key_does_not_go_on(tmp_path: Path, emulator: Emulator) -> None:
    world = prepared(tmp_path, emulator, None)
    await killed(world, f"at byte {SIZE // 2}")
    world.environment["GEMINI_API_KEY"] = "AIzaSyANOTHER"
    async with serving(world) as again:
        job = await job_after(again)
    assert job is not None
    assert job["status"] == "failed"
    assert "another key" in job["error"]["message"]


async def test_the_session_is_in_the_ledger_while_it_lasts_and_nowhere_else(tmp_path: Path, emulator: Emulator) -> None:
    world = prepared(tmp_path, emulator, None)
    world.environment["GEMINI_TOOLSERVER_LOG_LEVEL"] = "debug"
    emulator.add_fault("cut=inside after=5", path="#upload@0")
    async with serving(world) as server:
        result = await server.call("upload_file", source="clip.bin")
        assert "structuredContent" in result, texts(result)
        listed = await server.call("list_jobs")
    for text in (server.stderr, server.stdout, str(listed)):
        assert "upload_id=" not in text.replace("upload_id=[hidden]", "")
    assert all(b"upload_id" not in path.read_bytes() for path in world.output.rglob("*") if path.is_file())


async def test_a_server_that_is_ended_in_the_middle_ends_and_the_next_one_goes_on(
    tmp_path: Path, emulator: Emulator
) -> None:
    world = prepared(tmp_path, emulator, None)
    emulator.add_fault("slow=20s", path=f"#upload@{CHUNK}")
    async with serving(world) as server:
        await server.begin("tools/call", {"name": "upload_file", "arguments": {"source": "clip.bin"}})
        with anyio.fail_after(20):
            while not any(one["headers"].get("x-goog-upload-offset") == str(CHUNK) for one in uploads(emulator)):
                await server.call("list_jobs")
        await server.close()
        assert await server.ended() == 0
    async with serving(world) as again:
        check("ended", await job_after(again), emulator)
