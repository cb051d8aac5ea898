"""list_models, the model resources and their completions through the front door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, structured, text_of
from tests.front.conftest import FakeGemini, Json, ask, refused, warned

pytestmark = pytest.mark.anyio


async def models(client: Client, **arguments: Any) -> list[Json]:
    """The models of list_models."""
    found: list[Json] = structured(await client.call_tool("list_models", arguments))["models"]
    return found


def ids(found: list[Json]) -> list[str]:
    """Their ids."""
    return [model["id"] for model in found]


@pytest.mark.parametrize("mode", ERAS)
async def test_all_models_of_the_key_are_listed_in_brief(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("list_models", {})
    found = structured(result)["models"]
    assert len(found) > 30
    flash = next(model for model in found if model["id"] == "gemini-3.8-flash")
    assert flash == {
        "id": "gemini-3.8-flash",
        "capabilities": ["text"],
        "input_tokens": 1_048_576,
        "output_tokens": 65_536,
        "thinking": ["low", "medium", "high"],
        "input_usd_per_million": 0.75,
        "output_usd_per_million": 3.75,
        "price_date": "2026-09-02",
        "default_for": ["text"],
    }
    assert all(model["id"] in text_of(result) for model in found)
    assert "gemini-2.0-flash" not in ids(found), "it was shut down"


@pytest.mark.parametrize(
    ("capability", "some", "others"),
    [
        ("text", {"gemini-3.8-flash", "gemini-4-argon"}, {"gemini-embedding-2", "gemini-nano-banana-2.1"}),
        ("image", {"gemini-nano-banana-2.1"}, {"gemini-3.8-flash", "lyria-3.5"}),
        ("embedding", {"gemini-embedding-2", "gemini-embedding-001"}, {"gemini-3.8-flash"}),
        ("speech", {"gemini-3.8-flash-tts"}, {"gemini-3.8-live"}),
        ("music", {"lyria-3.5"}, {"gemini-3.8-flash-tts"}),
        ("live", {"gemini-3.8-live"}, {"gemini-3.8-flash"}),
        ("video", {"gemini-omni-1.1-flash"}, {"gemini-3.8-flash"}),
        ("open", {"gemma-4-31b-it"}, {"gemini-3.8-flash"}),
    ],
)
async def test_models_are_found_by_capability(
    connect: Connect, capability: str, some: set[str], others: set[str]
) -> None:
    async with connect() as client:
        found = set(ids(await models(client, capability=capability)))
    assert some <= found
    assert not others & found


async def test_part_of_a_name_finds_several_and_the_whole_name_finds_one_in_detail(connect: Connect) -> None:
    async with connect() as client:
        several = await models(client, name="3.8-FLASH")
        one = await models(client, name="models/gemini-3.8-flash")
    assert {"gemini-3.8-flash", "gemini-3.8-flash-tts", "gemini-3.8-flash-lite-tts"} == set(ids(several))
    assert all("description" not in model for model in several)
    assert ids(one) == ["gemini-3.8-flash"]
    assert one[0]["description"]
    assert "generateContent" in one[0]["methods"]


async def test_a_model_that_ends_says_when_and_what_comes_after(connect: Connect) -> None:
    async with connect() as client:
        one = (await models(client, name="gemini-2.5-flash"))[0]
        answer = await ask(client, model="gemini-2.5-flash")
    assert one["shutdown"] == "2026-12-01"
    assert one["replacement"] == "gemini-3.5-flash-lite"
    assert one["thinking"] == ["budget"]
    assert "gemini-2.5-flash retires on 2026-12-01" in warned(answer)


@pytest.mark.parametrize(
    ("arguments", "warning"),
    [
        ({"name": "gemini-2.0-flash"}, "gemini-2.0-flash is not served any more; use gemini-3.6-flash"),
        ({"name": "gemini-3.8-flsh"}, "close names: gemini-3.8-flash"),
        ({"name": "zzz"}, "No model matches 'zzz'"),
        ({"name": "z" * 5000}, "No model matches 'zzz"),
        ({"name": "gemini-3.1-flash-lite", "capability": "music"}, "is served, but not for music"),
    ],
)
async def test_when_nothing_matches_the_way_on_is_told(connect: Connect, arguments: Json, warning: str) -> None:
    async with connect() as client:
        result = await client.call_tool("list_models", arguments)
    found = structured(result)
    assert found["models"] == []
    assert warning in warned(found)
    assert warning in text_of(result)


@pytest.mark.parametrize("tool", ["generate_text", "count_tokens"])
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-2.0-flash", ["does not serve gemini-2.0-flash any more since 2026-06-01", "Use gemini-3.6-flash"]),
        ("models/gemini-2.0-flash", ["Use gemini-3.6-flash instead"]),
        ("imagen-4.0-generate-001", ["any more since 2026-08-17", "gemini-nano-banana-2.1"]),
        ("gemini-3.8-flsh", ["Did you mean gemini-3.8-flash", "list_models shows"]),
    ],
)
async def test_a_model_that_is_gone_names_its_replacement(
    connect: Connect, emulator: Emulator, model: str, expected: list[str], tool: str
) -> None:
    from tests.conftest import error_of

    async with connect() as client:
        text = error_of(await client.call_tool(tool, {"prompt": "x", "model": model}))
    assert all(piece in text for piece in expected), text
    assert len(emulator.requests) == 1


async def test_a_store_that_is_missing_is_not_blamed_on_a_model_that_will_end(connect: Connect) -> None:
    async with connect() as client:
        text = await refused(client, model="gemini-3.1-flash-lite", stores=["fileSearchStores/a"])
    assert "no File Search store fileSearchStores/a" in text
    assert "any more" not in text


async def test_a_silent_reroute_is_told(connect: Connect) -> None:
    async with connect() as client:
        answer = await ask(client, model="gemini-3.7-flash")
        alias = await ask(client, model="gemini-flash-latest")
    assert answer["model_version"] == "gemini-3.8-flash-emulated"
    assert "gemini-3.7-flash was asked for, gemini-3.8-flash-emulated answered" in warned(answer)
    assert "answered" not in warned(alias)


async def test_a_tuned_model_is_not_called_rerouted(connect: Connect, fake: FakeGemini) -> None:
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, model="tunedModels/mine")
    assert fake.paths == ["/v1beta/tunedModels/mine:generateContent"]
    assert "warnings" not in answer
    assert answer["usage"]["cost_usd"] is None


async def test_the_list_is_asked_for_once_and_reused(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await models(client)
        await models(client, capability="image")
        await client.read_resource("gemini://models")
    assert [request["path"] for request in emulator.requests] == ["/v1beta/models"]


async def read(client: Client, uri: str) -> Any:
    """A resource as JSON."""
    contents = (await client.read_resource(uri)).contents
    assert len(contents) == 1
    assert contents[0].mime_type == "application/json"
    return json.loads(getattr(contents[0], "text", ""))


@pytest.mark.parametrize("mode", ERAS)
async def test_models_are_resources_too(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        every = (await read(client, "gemini://models"))["models"]
        one = await read(client, "gemini://models/gemini-3.8-flash")
    assert len(every) > 30
    assert one["id"] == "gemini-3.8-flash"
    assert one["description"]
    assert None not in one.values()


async def test_a_model_resource_that_is_gone_names_its_replacement(connect: Connect) -> None:
    async with connect() as client:
        with pytest.raises(MCPError) as failed:
            await client.read_resource("gemini://models/gemini-2.0-flash")
    assert failed.value.error.code == -32602
    assert "use gemini-3.6-flash" in failed.value.error.message


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("key", ["test-key", None])
async def test_model_names_are_completed_with_and_without_a_key(
    connect: Connect, emulator: Emulator, key: str | None, mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    template = ResourceTemplateReference(type="ref/resource", uri="gemini://models/{id}")
    async with connect(key=key, mode=mode) as client:
        found = await client.complete(template, {"name": "id", "value": "gemini-3.8-fl"})
        nothing = await client.complete(template, {"name": "id", "value": "zzz"})
        other = await client.complete(template, {"name": "other", "value": "g"})
    assert "gemini-3.8-flash" in found.completion.values
    assert all(value.startswith("gemini-3.8-fl") for value in found.completion.values)
    assert found.completion.values == sorted(found.completion.values)
    assert nothing.completion.values == other.completion.values == []
    assert len(emulator.requests) == (1 if key else 0)


async def test_completions_do_not_wait_for_a_gemini_that_is_slow(connect: Connect, emulator: Emulator) -> None:
    import time

    emulator.add_fault("stall=headers", path="models$", times=None)
    template = ResourceTemplateReference(type="ref/resource", uri="gemini://models/{id}")
    async with connect() as client:
        begun = time.monotonic()
        found = await client.complete(template, {"name": "id", "value": "gemini-3.8-flash"})
        assert time.monotonic() - begun < 1.5
    assert "gemini-3.8-flash" in found.completion.values


async def test_completions_survive_a_gemini_that_fails(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("status=403", path="models$", times=None)
    template = ResourceTemplateReference(type="ref/resource", uri="gemini://models/{id}")
    async with connect() as client:
        found = await client.complete(template, {"name": "id", "value": "gemini-3.8-flash"})
    assert "gemini-3.8-flash" in found.completion.values


async def test_a_list_without_models_for_a_thing_says_so(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"models": []})
    async with connect(base_url=fake.url) as client:
        found = structured(await client.call_tool("list_models", {"capability": "music"}))
    assert found == {"models": [], "warnings": ["This key can use no model for music."]}


async def test_what_is_not_billed_by_token_of_text_is_listed_with_its_price(connect: Connect) -> None:
    async with connect() as client:
        [song] = await models(client, name="lyria-3.5")
        [picture] = await models(client, name="gemini-nano-banana-2.1")
        [film] = await models(client, name="gemini-omni-1.1-flash")
        told = text_of(await client.call_tool("list_models", {"name": "lyria-3.5"}))
    assert song["usd_per"] == {"song": 0.08}
    assert "input_usd_per_million" not in song, "a price of 0 would look like a free model"
    assert "$0.08 per song" in told
    assert picture["usd_per"]["image 1K"] == 0.0336
    assert picture["usd_per"]["million image tokens out"] == 30
    assert film["usd_per"]["second 720p"] == 0.1


@pytest.mark.parametrize(("capability", "prefix"), [("research", "deep-research-"), ("agent", "antigravity-")])
async def test_the_agents_that_gemini_does_not_list_are_found(connect: Connect, capability: str, prefix: str) -> None:
    async with connect() as client:
        result = structured(await client.call_tool("list_models", {"capability": capability}))
        found = ids(result["models"])
        assert found
        assert all(one.startswith(prefix) for one in found)
        assert "does not list its agents" in warned(result)
        assert ids(await models(client, name=found[0])) == [found[0]]
        resource = (await client.read_resource(f"gemini://models/{found[0]}")).contents[0]
    assert json.loads(getattr(resource, "text", ""))["id"] == found[0]


async def test_a_date_that_is_to_come_is_not_told_as_past(connect: Connect) -> None:
    async with connect() as client:
        told = text_of(await client.call_tool("list_models", {"name": "gemini-3.1-flash-lite"}))
    assert "shut-down date 2027-05-07, use gemini-3.5-flash-lite" in told


async def test_a_model_for_something_else_is_not_taken_for_a_slip_of_the_pen(connect: Connect) -> None:
    async with connect() as client:
        text = await refused(client, model="gemini-embedding-2")
    assert "gemini-embedding-2 is a model for embedding." in text
    assert "Did you mean" not in text


async def test_a_name_that_none_has_is_repeated_harmless_and_short(connect: Connect) -> None:
    async with connect() as client:
        found = structured(await client.call_tool("list_models", {"name": "\u202eevil\x00" + "x" * 6000}))
    [warning] = found["warnings"]
    assert "\u202e" not in warning
    assert len(warning) < 1000
