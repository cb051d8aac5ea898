"""Money: the daily cap holds for every billed tool and for nobody else, and what was spent is in the books once."""

from __future__ import annotations

import json
import sys
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server import surface
from gemini_server.toolkit.runtime import Runtime
from tests.conftest import ERAS, Connect, error_of, structured
from tests.emulator.drawing import RED, Drawing, recording
from tests.front.conftest import TODAY, FakeGemini, Json, ask, candidate, said, warned
from tests.front.processes import MODERN, World, http, stdio, texts
from tests.front.test_http import ALICE, BOB, connected

pytestmark = pytest.mark.anyio

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
FILM = {"prompt": "A red fox runs through snow at night", "wait_seconds": 0}
FILM_USD = 0.81
"""What a video of 8 seconds costs, about."""
CALL_USD = 0.00795
"""What the answer of `costly` costs: 6,200 tokens at 0.75, 4,000 cached at 0.075, 800 at 3.75 dollars a million."""


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    """Connect to a server with all tools that asks after its jobs every few milliseconds."""
    return partial(connect, poll=0.01, toolsets=("all",))


@pytest.fixture
def world(tmp_path: Path, emulator: Emulator) -> World:
    return World(tmp_path, emulator.url)


def costly() -> Json:
    """An answer that cost something."""
    counts = {"promptTokenCount": 10_000, "cachedContentTokenCount": 4_000, "candidatesTokenCount": 800}
    more = {"toolUsePromptTokenCount": 200, "totalTokenCount": 11_000}
    return {**said("hello"), "usageMetadata": {**counts, **more}}


async def usage(client: Client) -> list[Json]:
    """What gemini://usage says."""
    content = (await client.read_resource("gemini://usage")).contents[0]
    days: list[Json] = json.loads(getattr(content, "text", ""))["days"]
    return days


async def job_of(client: Client, job: str, wait: float = 20) -> Json:
    """get_job, waiting for the end."""
    return structured(await client.call_tool("get_job", {"job": job, "wait_seconds": wait}))


async def film(client: Client, **more: Any) -> Json:
    """The job of a video."""
    return structured(await client.call_tool("generate_video", {**FILM, **more}))


def billed(emulator: Emulator) -> list[str]:
    """What reached the emulator that may be billed, by path."""
    posts = [str(one["path"]) for one in emulator.requests if one["method"] == "POST"]
    return [path for path in posts if not path.endswith((":countTokens", "/cancel"))]


# -- every tool --------------------------------------------------------------------------------------------------------

PICTURE, SPEECH = "picture.png", "speech.wav"
BILLED: dict[str, Json] = {
    "analyze_media": {"media": [PICTURE], "question": "What is it?"},
    "call_endpoint": {
        "endpoint": "models.generateContent",
        "path": "gemini-3.8-flash",
        "body": {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
    },
    "compose_music": {"prompt": "A slow waltz"},
    "create_batch": {"requests": [{"prompt": "hello"}]},
    "create_cache": {"text": "word " * 5000},
    "create_decision": {"input": "x", "questions": {"a": {"type": "noul", "instructions": "Is it?"}}},
    "create_interaction": {"input": "hello"},
    "create_live_token": {},
    "create_trigger": {
        "schedule": "0 7 * * *",
        "time_zone": "UTC",
        "interaction": {"agent": "antigravity-preview-09-2026", "input": "x", "environment": "remote"},
    },
    "create_voice": {"prompt": "A calm narrator"},
    "detect_objects": {"image": PICTURE},
    "chat_completion": {"prompt": "hello"},
    "embed": {"items": ["a", "b"]},
    "generate_image": {"prompt": "A lighthouse"},
    "generate_text": {"prompt": "hello"},
    "generate_video": FILM,
    "live_turn": {"text": "hello"},
    "next_computer_action": {"goal": "Click the square", "screenshot": PICTURE},
    "openai_embeddings": {"input": ["a", "b"]},
    "openai_images": {"prompt": "A lighthouse"},
    "rank_by_similarity": {"query": "x", "candidates": ["y", "z"]},
    "read_urls": {"urls": ["https://a.example/"], "question": "What is it?"},
    "run_code": {"task": "Add 1 and 2"},
    "search_maps": {"query": "coffee in Zürich"},
    "search_web": {"query": "news"},
    "start_research": {"question": "How do foxes live in towns?", "wait_seconds": 0},
    "synthesize_speech": {"text": "hello"},
    "transcribe_audio": {"audio": SPEECH},
}
"""A call of every tool whose request Google bills."""
FREE: dict[str, Json] = {
    "count_tokens": {"prompt": "hello"},
    "generate_image": {"prompt": "A lighthouse", "dry_run": True},
    "generate_video": {**FILM, "dry_run": True},
    "list_conversations": {},
    "list_jobs": {},
    "list_models": {},
    "start_research": {"question": "x", "dry_run": True},
    "server_status": {},
}
BILLED_ELSEWHERE = {
    "cancel_batch": "what it stops is billed",
    "cancel_interaction": "what it stops is billed",
    "cancel_job": "what it stops is billed",
    "add_to_store": "looks for its store first; its job is held against the cap as every other",
    "follow_up_research": "needs research that is done; its job is held against the cap as every other",
    "create_store": "free; what is added to it is billed",
    "run_trigger": "needs a trigger; the factory holds it against the cap as it does create_trigger",
    "search_stores": "looks for its stores first; it asks as generate_text does",
    "cancel_operation": "what it stops is billed",
    "create_tuned_model": "test_legacy_tuning: Google has no model left for it",
    "generate_answer": "test_legacy_retrieval: Google has no model left for it",
    "palm_embed_text": "test_legacy_palm: Google has no model left for it",
    "palm_generate_message": "test_legacy_palm: Google has no model left for it",
    "palm_generate_text": "test_legacy_palm: Google has no model left for it",
    "tuned_generate_text": "test_legacy_tuning: Google has no model left for it",
    "get_batch_results": "what it brings was billed as it was answered",
    "submit_function_results": "has a test of its own: it goes on with what was paid for before",
    "update_cache": "has a test of its own: it needs a cache",
}


@pytest.fixture
def media(connect: Connect, tmp_path: Path) -> None:
    """The files that the calls above name, where they may be read."""
    (tmp_path / "allowed" / PICTURE).write_bytes(Drawing(40, 40).paint("square", RED, 10, 10, 30, 30).png())
    (tmp_path / "allowed" / SPEECH).write_bytes(recording(1, 1, 1))


def test_every_billed_tool_is_called_here() -> None:
    billed = {tool.name for tool in surface.load().tools if "illed" in tool.shown["description"]}
    assert billed <= BILLED.keys() | BILLED_ELSEWHERE.keys()


@pytest.mark.usefixtures("media")
async def test_where_nothing_may_be_spent_no_billed_tool_sends_anything(connect: Connect, emulator: Emulator) -> None:
    async with connect(daily_cap=Decimal(0)) as client:
        for tool, arguments in BILLED.items():
            refused = error_of(await client.call_tool(tool, arguments))
            assert "daily cap of $0 is reached" in refused, tool
            assert "GEMINI_TOOLSERVER_DAILY_CAP" in refused, tool
            assert billed(emulator) == [], tool
        for tool, arguments in FREE.items():
            structured(await client.call_tool(tool, arguments))
        assert structured(await client.call_tool("list_jobs", {}))["jobs"] == []
        assert await usage(client) == []
        assert billed(emulator) == []


async def test_what_is_paid_for_already_is_fetched_beyond_the_cap(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await film(client, wait_seconds=20)
    (fetched,) = [one["path"] for one in emulator.requests if one["path"].endswith(":download")]
    name = fetched.rpartition("/v1beta/")[2].removesuffix(":download")
    async with connect(daily_cap=Decimal(0)) as client:
        again = structured(await client.call_tool("download_file", {"name": name}))
    assert again["artifacts"][0]["mime_type"] == "video/mp4"


@pytest.mark.usefixtures("media")
async def test_below_the_cap_the_same_calls_are_all_answered(connect: Connect) -> None:
    async with connect(daily_cap=Decimal(1000)) as client:
        for tool, arguments in BILLED.items():
            structured(await client.call_tool(tool, arguments))


async def test_the_results_of_functions_are_not_sent_beyond_the_cap(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate({"functionCall": {"name": "note", "args": {}}}))
    function = {"name": "note", "description": "takes a note", "parameters": {"type": "object"}}
    async with connect(base_url=fake.url) as client:
        begun = await ask(client, functions=[function])
    results: Json = {"conversation": begun["conversation"], "results": [{"name": "note", "response": {}}]}
    async with connect(base_url=fake.url, daily_cap=Decimal(0)) as client:
        assert "daily cap" in error_of(await client.call_tool("submit_function_results", results))
    assert len(fake.requests) == 1
    async with connect(base_url=fake.url) as client:  # it can still be gone on with
        fake.say(said("done"))
        assert structured(await client.call_tool("submit_function_results", results))["text"] == "done"


async def test_a_cache_is_not_kept_longer_beyond_the_cap(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        made = structured(await client.call_tool("create_cache", BILLED["create_cache"]))["cache"]
    longer = {"name": made["name"], "ttl_seconds": 7200}
    async with connect(daily_cap=Decimal(0)) as client:
        assert "daily cap of $0 is reached" in error_of(await client.call_tool("update_cache", longer))
        structured(await client.call_tool("delete_cache", {"name": made["name"]}))
    assert [one["method"] for one in emulator.requests] == ["POST", "DELETE"]


RESEARCH = "deep-research-preview-04-2026"
SLOW = "How do foxes live? [emulate: lasts=60s]"
FILM_AS_API: Json = {"type": "video", "duration": "8s"}
BY_ANOTHER_WAY: dict[str, tuple[str, Json]] = {
    "research": ("create_interaction", {"agent": RESEARCH, "input": SLOW}),
    "a film": (
        "create_interaction",
        {"model": "gemini-omni-1.1-flash", "input": SLOW, "background": True, "response_format": FILM_AS_API},
    ),
    "research by name": (
        "call_endpoint",
        {"endpoint": "interactions.create", "body": {"agent": RESEARCH, "input": SLOW, "background": True}},
    ),
    "a film by name": (
        "call_endpoint",
        {
            "endpoint": "interactions.create",
            "body": {
                "model": "gemini-omni-1.1-flash", "input": SLOW, "background": True, "response_format": FILM_AS_API,
            },
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", BY_ANOTHER_WAY)
async def test_research_and_films_are_held_back_from_the_cap_however_they_begin(
    connect: Connect, emulator: Emulator, way: str
) -> None:
    tool, arguments = BY_ANOTHER_WAY[way]
    async with connect(daily_cap=Decimal("1.50")) as client:
        begun = structured(await client.call_tool(tool, {**arguments, "wait_seconds": 0}))
        again = error_of(await client.call_tool(tool, {**arguments, "wait_seconds": 0, "reuse": False}))
        structured(await client.call_tool("cancel_job", {"job": begun["job"]["id"]}))
    assert "reserved by jobs under way, and this call is estimated at $" in again
    assert len(billed(emulator)) <= 1


# -- what counts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ERAS)
async def test_what_was_spent_counts_at_once_for_calls_and_for_jobs(
    connect: Connect, fake: FakeGemini, mode: str
) -> None:
    fake.say(costly())
    async with connect(base_url=fake.url, mode=mode, daily_cap=Decimal("0.01")) as client:
        await ask(client)
        # The next one would exceed it, which nobody can know before it is answered.
        await ask(client)
        for tool in ("generate_text", "embed", "generate_video"):
            refused = error_of(await client.call_tool(tool, BILLED[tool]))
            assert "The daily cap of $0.01 is reached: $0.0159 spent today" in refused
        assert len(fake.requests) == 2
    async with connect(base_url=fake.url, daily_cap=Decimal("0.01")) as client:
        assert "is reached" in error_of(await client.call_tool("generate_text", {"prompt": "x"}))
    async with connect(base_url=fake.url, daily_cap=Decimal("0.02")) as client:
        await ask(client)


async def test_the_next_day_begins_with_nothing_spent(
    connect: Connect, fake: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [TODAY]
    monkeypatch.setitem(cast(Any, Runtime.__init__).__kwdefaults__, "today", lambda: days[-1])
    fake.say(costly())
    async with connect(base_url=fake.url, daily_cap=Decimal("0.001")) as client:
        await ask(client)
        assert "is reached" in error_of(await client.call_tool("generate_text", {"prompt": "x"}))
        days.append(date(2026, 11, 23))
        await ask(client)
        assert [day["day"] for day in await usage(client)] == ["2026-11-23", "2026-11-22"]


async def test_a_job_under_way_is_reserved_and_given_free_when_it_is_stopped(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect(daily_cap=Decimal("1.00")) as client:
        first = await film(client, prompt="[emulate: polls=100000] A fox")
        refused = error_of(await client.call_tool("generate_video", {**FILM, "prompt": "A hare"}))
        assert "The daily cap of $1.00 would be exceeded: $0.0000 spent today and $0.8" in refused
        assert "reserved by jobs under way, and this call is estimated at $0.8" in refused
        await ask(client)  # there is room for it
        # The same call again is the job that there is, and costs nothing.
        again = await film(client, prompt="[emulate: polls=100000] A fox")
        assert again["id"] == first["id"]
        assert structured(await client.call_tool("cancel_job", {"job": first["id"]}))["status"] == "cancelled"
        second = await film(client, prompt="A hare")
        assert (await job_of(client, second["id"]))["status"] == "done"
        refused = error_of(await client.call_tool("generate_video", {**FILM, "prompt": "A cat"}))
        assert "would be exceeded: $0.8" in refused
    assert len(billed(emulator)) == 3, "two videos and a text"


async def test_of_many_jobs_that_begin_at_once_as_many_begin_as_the_cap_has_room_for(
    connect: Connect, emulator: Emulator
) -> None:
    begun: list[str] = []

    async def begin(client: Client, number: int) -> None:
        result = await client.call_tool("generate_video", {**FILM, "prompt": f"[emulate: polls=100000] Fox {number}"})
        if not result.is_error:
            begun.append(structured(result)["id"])
        else:
            assert "would be exceeded" in error_of(result)

    cap = Decimal("2.00")
    async with connect(daily_cap=cap) as one, connect(daily_cap=cap) as two:
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(begin, one, number)
                tasks.start_soon(begin, two, number + 10)
        assert len(begun) == 2
    assert len(billed(emulator)) == 2


async def test_a_long_call_stops_at_the_cap_and_keeps_what_was_paid_for(connect: Connect, emulator: Emulator) -> None:
    async with connect(daily_cap=Decimal("0.0000001")) as client:
        answer = structured(await client.call_tool("embed", {"items": [f"item {n}" for n in range(450)], "save": True}))
    assert (answer["count"], answer["incomplete"], answer["missing"]) == (400, True, ["400-449"])
    assert "daily cap of $0.0000001 is reached" in warned(answer)
    assert len(emulator.requests) == 4


@POSIX
async def test_the_cap_is_each_callers_own(world: World, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"alice:{ALICE}\nbob:{BOB}\n")
    flags = ("--token-file", str(tmp_path / "tokens"), "--daily-cap", "0.000001")
    async with (
        http(world, *flags) as server,
        connected(server, MODERN, ALICE) as alice,
        connected(server, MODERN, BOB) as bob,
    ):
        await ask(alice)
        assert "is reached" in error_of(await alice.call_tool("generate_text", {"prompt": "x"}))
        await ask(bob)


@POSIX
@pytest.mark.parametrize(("flags", "variable"), [(["--daily-cap", "0"], None), (["--daily-cap=0"], "5"), ([], "$0")])
async def test_the_cap_is_set_by_a_flag_or_the_environment(
    world: World, emulator: Emulator, flags: list[str], variable: str | None
) -> None:
    async with stdio(world, *flags, GEMINI_TOOLSERVER_DAILY_CAP=variable) as server:
        await server.greet()
        refused = await server.call("generate_text", prompt="hello")
        await server.close()
        assert await server.ended() == 0
    assert refused["isError"]
    assert "daily cap of $0 is reached" in texts(refused)
    assert refused["_meta"]["gemini-toolserver/error"]["code"] == "daily_cap"
    assert emulator.requests == []


# -- the books ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ERAS)
async def test_media_are_in_the_books_once_whoever_asks_again(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        image = structured(await client.call_tool("generate_image", {"prompt": "A lighthouse"}))
        structured(await client.call_tool("generate_image", {"prompt": "A lighthouse"}))
        made = await film(client, wait_seconds=20)
        for _ in range(3):
            await job_of(client, made["id"])
        days = await usage(client)
    async with connect(mode=mode) as client:
        await job_of(client, made["id"])
        assert await usage(client) == days
    assert [day["calls"] for day in days] == [1, 1]
    spent = {day["model"]: day["cost_usd"] for day in days}
    assert spent["gemini-omni-1.1-flash"] == pytest.approx(made["cost_usd"]) == pytest.approx(FILM_USD, abs=0.02)
    assert sum(spent.values()) == pytest.approx(made["cost_usd"] + image["usage"]["cost_usd"])


async def test_a_voice_is_in_the_books_whichever_tool_made_it(connect: Connect) -> None:
    body = {"voice": {"type": "prompted", "prompted": {"input": "A calm narrator"}}, "store": True}
    async with connect() as client:
        structured(await client.call_tool("create_voice", {"prompt": "A calm narrator"}))
        (before,) = await usage(client)
        made = await client.call_tool("call_endpoint", {"endpoint": "voices.create", "body": body})
        (after,) = await usage(client)
    assert structured(made)["usage"]["cost_usd"] == pytest.approx(before["cost_usd"])
    assert (after["model"], after["calls"]) == (before["model"], 2)


async def test_a_cost_that_nobody_knows_is_null_and_counted(connect: Connect) -> None:
    async with connect() as client:
        music = {"prompt": "A slow waltz", "live": True, "seconds": 1}
        played = structured(await client.call_tool("compose_music", music))
        (day,) = await usage(client)
        (job,) = structured(await client.call_tool("list_jobs", {}))["jobs"]
    assert played["usage"]["cost_usd"] is None
    assert (day["cost_usd"], day["calls"], day["unpriced_calls"]) == (None, 1, 1)
    assert job["cost_usd"] is None


@POSIX
async def test_a_crash_between_the_bill_and_the_file_is_billed_once(world: World, emulator: Emulator) -> None:
    emulator.add_fault("stall=inside after=1000", method="GET", path=":download|/files/", times=1)
    async with stdio(world, GEMINI_TOOLSERVER_POLL="0.05", GEMINI_TOOLSERVER_LEASE="0.5") as server:
        await server.greet()
        job = (await server.call("generate_video", **FILM))["structuredContent"]["id"]
        status = ""
        while status != "downloading":
            status = (await server.call("get_job", job=job, wait_seconds=1))["structuredContent"]["status"]
            assert status in ("submitting", "running", "downloading")
        server.process.kill()
        await server.process.wait()
    async with stdio(world, GEMINI_TOOLSERVER_POLL="0.05") as server:
        await server.greet()
        done = (await server.call("get_job", job=job, wait_seconds=20))["structuredContent"]
        read = await server.ask("resources/read", {"uri": "gemini://usage"})
        await server.close()
        assert await server.ended() == 0
    assert done["status"] == "done"
    (day,) = json.loads(read["result"]["contents"][0]["text"])["days"]
    assert (day["calls"], day["cost_usd"]) == (1, pytest.approx(done["cost_usd"]))
    assert len(billed(emulator)) == 1
