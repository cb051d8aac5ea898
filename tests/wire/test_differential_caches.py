"""What the tools for caches and batches send is what google-genai sends."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, structured
from tests.front.batching import running
from tests.wire.test_differential import essence

pytestmark = [
    pytest.mark.anyio,
    # google-genai warns about its own deprecated parameters; that is not what is tested here.
    pytest.mark.filterwarnings("ignore"),
]

MODEL = "gemini-3.8-flash"
HANDBOOK = "The blue door opens with the brass key, and the red one with the iron key. " * 400
NAMED = "A batch of questions"


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    return partial(connect, poll=0.01, toolsets=("all",))


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}


def last(emulator: Emulator, method: str, path: str) -> dict[str, Any]:
    """The last request of a method."""
    return essence([one for one in emulator.requests if one["method"] == method and path in one["path"]][-1])


async def test_a_cache_is_created_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, types = sdk
    config = types.CreateCachedContentConfig(ttl="600s", display_name="handbook", contents=[user(HANDBOOK)])
    await client.aio.caches.create(model=MODEL, config=config)
    theirs = last(emulator, "POST", "/cachedContents")
    async with connect() as ours:
        given = {"text": HANDBOOK, "ttl_seconds": 600, "display_name": "handbook"}
        structured(await ours.call_tool("create_cache", given))
    assert last(emulator, "POST", "/cachedContents") == theirs


async def test_a_cache_is_used_changed_and_deleted_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, types = sdk
    async with connect() as ours:
        made = [structured(await ours.call_tool("create_cache", {"text": HANDBOOK}))["cache"]["name"] for _ in "ab"]
        theirs: list[dict[str, Any]] = []
        mine: list[dict[str, Any]] = []
        config = types.GenerateContentConfig(cached_content=made[0])
        await client.aio.models.generate_content(model=MODEL, contents=[user("Which key?")], config=config)
        theirs.append(last(emulator, "POST", ":generateContent"))
        structured(await ours.call_tool("generate_text", {"prompt": "Which key?", "cache": made[0]}))
        mine.append(last(emulator, "POST", ":generateContent"))
        for config, arguments in (
            ({"ttl": "60s"}, {"ttl_seconds": 60}),
            ({"expire_time": "2046-12-01T12:00:00Z"}, {"expires": "2046-12-01T12:00:00Z"}),
        ):
            changed = types.UpdateCachedContentConfig(**config)
            await client.aio.caches.update(name=made[0], config=changed)
            theirs.append(last(emulator, "PATCH", "/cachedContents/"))
            structured(await ours.call_tool("update_cache", {"name": made[0], **arguments}))
            mine.append(last(emulator, "PATCH", "/cachedContents/"))
        await client.aio.caches.delete(name=made[1])
        theirs.append(last(emulator, "DELETE", "/cachedContents/"))
        structured(await ours.call_tool("delete_cache", {"name": made[0]}))
        mine.append(last(emulator, "DELETE", "/cachedContents/"))
    theirs[-1]["path"] = theirs[-1]["path"].replace(made[1], made[0])
    theirs[2]["body"]["expireTime"] = theirs[2]["body"]["expireTime"].replace("+00:00", "Z")
    assert mine == theirs


async def test_a_batch_is_begun_as_googles_sdk_does(connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]) -> None:
    client, types = sdk
    requests = [
        types.InlinedRequest(contents=[user(text)], metadata={"key": key}) for key, text in (("1", "hi"), ("b", "bye"))
    ]
    await client.aio.batches.create(model=MODEL, src=requests, config={"display_name": NAMED})
    theirs = last(emulator, "POST", ":batchGenerateContent")
    async with connect() as ours:
        given = {"requests": [{"prompt": "hi"}, {"prompt": "bye", "key": "b"}], "display_name": NAMED}
        structured(await ours.call_tool("create_batch", given))
    assert last(emulator, "POST", ":batchGenerateContent") == theirs


async def test_a_batch_from_a_file_is_begun_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Path
) -> None:
    client, _ = sdk
    path = tmp_path / "allowed" / "batch.jsonl"
    path.write_text('{"key": "a", "request": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}}\n')
    async with connect() as ours:
        file = structured(await ours.call_tool("upload_file", {"source": "batch.jsonl"}))["file"]["name"]
        await client.aio.batches.create(model=MODEL, src=file, config={"display_name": NAMED})
        theirs = last(emulator, "POST", ":batchGenerateContent")
        structured(await ours.call_tool("create_batch", {"source": file, "display_name": NAMED}))
    assert last(emulator, "POST", ":batchGenerateContent") == theirs


async def test_a_batch_is_asked_for_stopped_and_deleted_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, _ = sdk
    name = f"{NAMED} [emulate: polls=1000]"
    async with connect() as ours:
        jobs: list[str] = []
        for text in ("hi", "bye"):
            jobs.append((await running(ours, text, display_name=name))["id"])
        names = {one["job"]: one["name"] for one in structured(await ours.call_tool("list_batches", {}))["batches"]}
        mine = [names[job] for job in jobs]
        await client.aio.batches.get(name=mine[1])
        await client.aio.batches.cancel(name=mine[1])
        await client.aio.batches.delete(name=mine[1])
        theirs = [last(emulator, *what) for what in (("GET", mine[1]), ("POST", ":cancel"), ("DELETE", "/batches/"))]
        structured(await ours.call_tool("cancel_batch", {"name": jobs[0]}))
        structured(await ours.call_tool("delete_batch", {"name": mine[0]}))
        ours_sent = [last(emulator, *what) for what in (("GET", mine[0]), ("POST", ":cancel"), ("DELETE", "/batches/"))]
    assert ours_sent == [{**one, "path": one["path"].replace(mine[1], mine[0])} for one in theirs]
