"""kill -9 while a document is on its way into a store: another process brings the whole of it there, once."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gemini_emulator import Emulator
from tests.front.conftest import Json
from tests.front.processes import MODERN, Stdio, World, started
from tests.front.storing import HANDBOOK, commands
from tests.front.test_file_search_adding import GRANULE, long_text

pytestmark = pytest.mark.anyio

SIZE = 2 * GRANULE + 77
SERVE = f"""
import sys
from gemini_server.cli import main
from gemini_server.toolkit.work.store_upload import StoreUpload
StoreUpload.__init__.__defaults__ = ({GRANULE},)
sys.argv = ["gemini-toolserver", "serve"]
main()
"""
"""`serve` with small chunks."""


def world_of(tmp_path: Path, emulator: Emulator) -> World:
    world = World(tmp_path, emulator.url)
    world.environment |= {
        "GEMINI_TOOLSERVER_POLL": "0.02", "GEMINI_TOOLSERVER_LEASE": "0.6", "GEMINI_TOOLSERVER_TOOLSETS": "all",
    }  # fmt: skip
    return world


@asynccontextmanager
async def serving(world: World) -> AsyncGenerator[Stdio]:
    process = await anyio.open_process([sys.executable, "-c", SERVE], env=world.env(), cwd=world.work)
    server = Stdio(process, MODERN)
    async with started(server):
        await server.greet()
        yield server


async def reached(server: Stdio, emulator: Emulator, what: str) -> None:
    """Wait until a request has come that is being held."""
    with anyio.fail_after(20):
        while not any(what in f"{one['path']}#{_command(one)}" for one in emulator.requests):
            await server.call("list_jobs")


def _command(request: Json) -> str:
    headers = request["headers"]
    command = headers.get("x-goog-upload-command", "").replace(" ", "")
    return f"{command}@{headers['x-goog-upload-offset']}" if "x-goog-upload-offset" in headers else command


async def store_and_job(world: World, emulator: Emulator, source: str, held: str) -> tuple[str, str]:
    """Kill a server while a request of its job is held; the store and the job."""
    async with serving(world) as server:
        made = await server.call("create_store", display_name="Staff")
        store: str = made["structuredContent"]["store"]["name"]
        if source == "files":
            source = (await server.call("upload_file", source="long.txt"))["structuredContent"]["file"]["name"]
            emulator.clear_requests()
        emulator.add_fault("stall", path=held)
        await server.begin("tools/call", {"name": "add_to_store", "arguments": {"store": store, "source": source}})
        await reached(server, emulator, held)
        [job] = (await server.call("list_jobs", kind="document"))["structuredContent"]["jobs"]
        server.signal(signal.SIGKILL)
        assert await server.ended() == -9
    emulator.clear_faults()
    return store, job["id"]


@pytest.mark.parametrize(
    "held", ["#start", "#upload@0", f"#upload@{GRANULE}", f"#upload,finalize@{2 * GRANULE}", "/upload/operations/"]
)
async def test_an_upload_into_a_store_goes_on_where_it_was(tmp_path: Path, emulator: Emulator, held: str) -> None:
    world = world_of(tmp_path, emulator)
    text = long_text(SIZE, held)
    Path(world.work, "long.txt").write_text(text)
    store, job = await store_and_job(world, emulator, "long.txt", held)
    async with serving(world) as again:
        done = (await again.call("get_job", job=job, wait_seconds=30))["structuredContent"]
        listed = (await again.call("list_documents", store=store))["structuredContent"]["documents"]
    assert done["status"] == "done", done
    assert listed == [done["result"]["document"]]
    assert listed[0]["bytes"] == SIZE
    sent = sum(
        int(one["headers"]["content-length"]) for one in emulator.requests if "upload" in _command(one).split("@")[0]
    )
    assert sent <= SIZE + GRANULE
    assert commands(emulator).count("start") == (2 if held == "#start" else 1)


async def test_an_import_that_google_has_begun_is_finished(tmp_path: Path, emulator: Emulator) -> None:
    world = world_of(tmp_path, emulator)
    Path(world.work, "long.txt").write_text(HANDBOOK)
    store, job = await store_and_job(world, emulator, "files", "/operations/")
    async with serving(world) as again:
        done = (await again.call("get_job", job=job, wait_seconds=30))["structuredContent"]
        listed = (await again.call("list_documents", store=store))["structuredContent"]["documents"]
    assert done["status"] == "done", done
    assert listed == [done["result"]["document"]]
    assert len([one for one in emulator.requests if one["path"].endswith(":importFile")]) == 1


async def test_an_import_that_was_just_being_sent_is_not_sent_again(tmp_path: Path, emulator: Emulator) -> None:
    world = world_of(tmp_path, emulator)
    Path(world.work, "long.txt").write_text(HANDBOOK)
    _, job = await store_and_job(world, emulator, "files", ":importFile")
    async with serving(world) as again:
        ended = (await again.call("get_job", job=job, wait_seconds=30))["structuredContent"]
    assert ended["status"] == "unknown"
    assert "reuse=false" in ended["next"]
    assert len([one for one in emulator.requests if one["path"].endswith(":importFile")]) == 1
