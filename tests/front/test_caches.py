"""Caches through the front door: created, used, counted, kept longer, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp_types import TextResourceContents

from gemini_emulator import Emulator, Options, running
from tests.conftest import LOG, Connect, error_of, structured, text_of
from tests.front.conftest import TODAY, FakeGemini, Json, Reply, ask, refused, sent

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"
HANDBOOK = "The blue door opens with the brass key, and the red one with the iron key. " * 400
CACHE: Json = {
    "name": "cachedContents/x",
    "model": f"models/{MODEL}",
    "expireTime": "2026-11-22T13:00:00Z",
    "usageMetadata": {"totalTokenCount": 5000},
}


@pytest.fixture(scope="module", name="standing_emulator")
def own_emulator() -> Iterator[Emulator]:
    """An emulator whose clock these tests may put forward."""
    options = Options(log=Path(LOG) if LOG else None, today=TODAY)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


async def create(client: Client, **arguments: Any) -> Json:
    """The cache that create_cache returns."""
    made: Json = structured(await client.call_tool("create_cache", {"text": HANDBOOK, **arguments}))["cache"]
    return made


async def not_created(client: Client, **arguments: Any) -> str:
    return error_of(await client.call_tool("create_cache", arguments))


async def read(client: Client, uri: str) -> Json:
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    found: Json = json.loads(content.text)
    return found


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_cache_is_created_used_counted_kept_longer_and_deleted(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("all",)) as client:
        cache = await create(client, system="You are the janitor.", display_name="handbook", ttl_seconds=600)
        assert cache["name"].startswith("cachedContents/")
        assert (cache["model"], cache["display_name"], cache["cost_usd_per_hour"]) == (MODEL, "handbook", None)
        assert cache["tokens"] > 4096
        life = moment(cache["expires"]) - moment(cache["created"])
        assert life.total_seconds() == pytest.approx(600, abs=1)

        answer = await ask(client, "Which key opens the blue door?", cache=cache["name"])
        assert answer["usage"]["cached_tokens"] == cache["tokens"]
        assert answer["usage"]["input_tokens"] > cache["tokens"]
        assert answer["untrusted"] == "files", "nobody here knows what is in a cache"
        assert sent(emulator) == {
            "contents": [{"role": "user", "parts": [{"text": "Which key opens the blue door?"}]}],
            "cachedContent": cache["name"],
        }

        longer = structured(await client.call_tool("update_cache", {"name": cache["name"], "ttl_seconds": 7200}))
        assert moment(longer["cache"]["expires"]) > moment(cache["expires"])
        listed = structured(await client.call_tool("list_caches", {}))["caches"]
        [one] = [one for one in listed if one["name"] == cache["name"]]
        assert structured(await client.call_tool("list_caches", {"name": cache["name"]}))["caches"] == [one]

        deleted = structured(await client.call_tool("delete_cache", {"name": cache["name"]}))
        assert deleted == {"deleted": cache["name"]}
        text = await refused(client, cache=cache["name"])
        assert f"Google has no cache {cache['name']} any more" in text
        assert "create_cache" in text
        left = structured(await client.call_tool("list_caches", {}))["caches"]
        assert cache["name"] not in [one["name"] for one in left]


async def test_the_price_of_cached_tokens_is_that_of_the_cache(connect: Connect) -> None:
    async with connect() as client:
        cache = await create(client)
        with_cache = await ask(client, "Which key opens the blue door?", cache=cache["name"])
        without = await ask(client, f"{HANDBOOK}Which key opens the blue door?")
        await client.call_tool("delete_cache", {"name": cache["name"]})
    assert with_cache["usage"]["cost_usd"] < without["usage"]["cost_usd"] / 2


async def test_media_go_into_a_cache_before_the_text(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "handbook.txt").write_text(HANDBOOK)
    async with connect() as client:
        cache = structured(
            await client.call_tool("create_cache", {"contents": ["handbook.txt"], "text": "This is the handbook."})
        )["cache"]
        [content] = sent(emulator)["contents"]
        await client.call_tool("delete_cache", {"name": cache["name"]})
    assert [next(iter(part)) for part in content["parts"]] == ["inlineData", "text"]
    assert content["role"] == "user"


async def test_the_model_is_the_caches_and_is_asked_for_once(connect: Connect, fake: FakeGemini) -> None:
    answer = {"candidates": [{"content": {"parts": [{"text": "ok"}]}, "finishReason": "STOP"}]}
    fake.say({**CACHE, "model": "models/gemini-3.6-flash"}, answer)
    async with connect(base_url=fake.url, model="gemini-3.8-flash") as client:
        for _ in range(2):
            await ask(client, cache="cachedContents/x")
    assert fake.paths == [
        "/v1beta/cachedContents/x",
        "/v1beta/models/gemini-3.6-flash:generateContent",
        "/v1beta/models/gemini-3.6-flash:generateContent",
    ]


async def test_another_model_than_the_caches_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        cache = await create(client)
        emulator.clear_requests()
        text = await refused(client, cache=cache["name"], model="gemini-3.6-flash")
        assert not emulator.requests
        await client.call_tool("delete_cache", {"name": cache["name"]})
    assert f"was made for {MODEL} and works with no other model; nothing was sent" in text


async def test_another_servers_cache_of_another_model_is_refused_in_googles_words(connect: Connect) -> None:
    async with connect() as client:
        cache = await create(client)
    async with connect() as another:
        text = await refused(another, cache=cache["name"], model="gemini-3.6-flash")
        await another.call_tool("delete_cache", {"name": cache["name"]})
    assert "has to be the same" in text


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        ({"system": "x"}, "system"),
        ({"use": ["search"]}, "use"),
        ({"stores": ["fileSearchStores/a"]}, "stores"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"system": "x", "use": ["code"]}, "system and use"),
    ],
)
async def test_what_may_not_stand_beside_a_cache_is_refused_with_what_to_do(
    connect: Connect, emulator: Emulator, beside: Json, named: str
) -> None:
    async with connect() as client:
        text = await refused(client, cache="cachedContents/a", **beside)
    assert f"A cache cannot be combined with {named}, given now or kept by the conversation" in text
    assert "give system to create_cache" in text
    assert not emulator.requests


async def test_a_conversation_keeps_its_cache_and_goes_on_without_when_told(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        cache = await create(client)
        first = await ask(client, cache=cache["name"], conversation="new")
        second = await ask(client, "And the red one?", conversation=first["conversation"])
        assert second["usage"]["cached_tokens"] == cache["tokens"]
        await client.call_tool("delete_cache", {"name": cache["name"]})
        text = await refused(client, conversation=first["conversation"])
        assert 'This conversation keeps it: give another as cache, or cache="" to go on without' in text
        third = await ask(client, "Go on", conversation=first["conversation"], cache="")
    assert third["usage"]["cached_tokens"] == 0
    assert "cachedContent" not in sent(emulator)
    assert third["model_version"].startswith(MODEL)


async def test_a_cache_that_has_expired_gives_a_clear_word(connect: Connect, fake: FakeGemini) -> None:
    gone = {"code": 403, "status": "PERMISSION_DENIED", "message": "CachedContent not found (or permission denied)"}
    fake.say(CACHE, Reply({"error": gone}, status=403))
    async with connect(base_url=fake.url, toolsets=("all",)) as client:
        words = [await refused(client, cache="cachedContents/x")]
        for tool in ("delete_cache", "update_cache", "list_caches"):
            given: Json = {"name": "cachedContents/x", **({"ttl_seconds": 60} if tool == "update_cache" else {})}
            words.append(error_of(await client.call_tool(tool, given)))
    for text in words:
        assert "Google has no cache cachedContents/x any more: it has expired, was deleted" in text
        assert "create_cache" in text


async def test_a_key_that_may_not_is_no_cache_that_is_gone(connect: Connect, fake: FakeGemini) -> None:
    refusal = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Your API key was reported as leaked."}}
    fake.say(Reply(refusal, status=403))
    async with connect(base_url=fake.url) as client:
        assert "Google has blocked this API key" in await refused(client, cache="cachedContents/x")


async def test_content_that_is_too_small_is_explained_with_googles_numbers(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        text = await not_created(client, text="Hello")
        old = await not_created(client, text="Hello", model="gemini-2.5-flash-lite")
    assert "This is too small for a cache: " in text
    assert f"{MODEL} caches 4096 tokens or more. Nothing was created or billed." in text
    assert "send it with each call" in text
    assert "gemini-2.5-flash-lite caches 2048 tokens or more" in old


async def test_a_model_that_caches_by_itself_is_refused_before_sending(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        text = await not_created(client, text=HANDBOOK, model="gemini-4-argon")
    assert "gemini-4-argon takes no caches: it caches beginnings that repeat by itself. Nothing was sent" in text
    assert not emulator.requests


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "There is nothing to cache"),
        ({"text": "x", "ttl_seconds": 60, "expires": "2026-12-01T00:00:00Z"}, "Give one of them"),
        ({"text": "x", "ttl_seconds": 0}, "at least 1"),
        ({"text": "x", "expires": "tomorrow"}, "no moment in RFC 3339: 'tomorrow'"),
        ({"text": "x", "expires": "2026-12-01T00:00:00"}, "Give one with its offset"),
        ({"text": "x", "display_name": "n" * 129}, "at most 128 characters"),
    ],
)
async def test_a_cache_that_cannot_be_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in await not_created(client, **arguments)
    assert not emulator.requests


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("update_cache", {"name": "cachedContents/a"}, "Give ttl_seconds or expires"),
        ("update_cache", {"name": "handbook", "ttl_seconds": 60}, "'handbook' is no cache"),
        ("delete_cache", {"name": "cachedContents/../files/a"}, "is no cache"),
        ("delete_cache", {"name": "files/a"}, "'files/a' is no cache"),
        ("list_caches", {"name": "models/x"}, "'models/x' is no cache"),
    ],
)
async def test_a_name_that_is_none_reaches_no_path(
    connect: Connect, emulator: Emulator, tool: str, arguments: Json, words: str
) -> None:
    async with connect(toolsets=("all",)) as client:
        assert words in error_of(await client.call_tool(tool, arguments))
    assert not emulator.requests


async def test_an_end_is_said_in_utc_whatever_its_offset(connect: Connect, fake: FakeGemini) -> None:
    fake.say(CACHE)
    async with connect(base_url=fake.url, toolsets=("all",)) as client:
        await create(client, expires="2026-11-22T15:00:00+02:00")
        await client.call_tool("update_cache", {"name": "cachedContents/x", "expires": "2026-11-22T14:30:00.5Z"})
        await client.call_tool("update_cache", {"name": "cachedContents/x", "ttl_seconds": 90})
    assert fake.requests[0]["expireTime"] == "2026-11-22T13:00:00Z"
    assert fake.requests[1:] == [{"expireTime": "2026-11-22T14:30:00Z"}, {"ttl": "90s"}]


async def test_a_creation_of_which_nobody_knows_is_not_repeated_and_says_where_to_look(
    connect: Connect, fake: FakeGemini
) -> None:
    fake.say(Reply({"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}}, status=503))
    async with connect(base_url=fake.url) as client:
        text = await not_created(client, text=HANDBOOK)
    assert "It may exist, and be billed until it expires: see list_caches" in text
    assert len(fake.requests) == 1


async def test_caches_are_read_as_resources(connect: Connect) -> None:
    async with connect() as client:
        cache = await create(client, display_name="handbook")
        every = await read(client, "gemini://caches")
        one = await read(client, f"gemini://caches/{cache['name'].removeprefix('cachedContents/')}")
        await client.call_tool("delete_cache", {"name": cache["name"]})
    assert one in every["caches"]
    assert one == cache


async def test_the_text_of_a_cache_says_all_that_matters(connect: Connect, fake: FakeGemini) -> None:
    fake.say({**CACHE, "displayName": "handbook"})
    async with connect(base_url=fake.url) as client:
        text = text_of(await client.call_tool("create_cache", {"text": HANDBOOK}))
    assert text == (
        "cachedContents/x: 5000 tokens; gemini-3.8-flash; until 2026-11-22T13:00:00Z; handbook; "
        "storage is billed, its price is not known"
    )


async def test_a_cache_lives_until_the_moment_that_was_said(connect: Connect, emulator: Emulator) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=30)
    async with connect() as client:
        cache = await create(client, expires=end.isoformat())
        assert moment(cache["expires"]) == end
        emulator.advance(29 * 3600)
        assert (await ask(client, cache=cache["name"]))["usage"]["cached_tokens"] == cache["tokens"]
        emulator.advance(2 * 3600)
        text = await refused(client, cache=cache["name"])
    assert f"Google has no cache {cache['name']} any more: it has expired" in text


@pytest.mark.parametrize("tool", ["create_cache", "update_cache"])
async def test_a_lifetime_of_more_than_the_api_can_say_is_refused(
    connect: Connect, emulator: Emulator, tool: str
) -> None:
    given = {"text": HANDBOOK} if tool == "create_cache" else {"name": "cachedContents/x"}
    async with connect(toolsets=("caches",)) as client:
        text = error_of(await client.call_tool(tool, {**given, "ttl_seconds": 10**12}))
    assert "ttl_seconds is at most 315576000000" in text
    assert not emulator.requests
