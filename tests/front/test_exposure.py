"""Which tools a server shows and runs: toolsets, single tools, exclusions, read-only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server import app, settings, surface
from gemini_server.errors import UnsafeSetting
from tests.conftest import ERAS, Connect, error_of, structured
from tests.front.processes import World, stdio

pytestmark = pytest.mark.anyio

ALL = {tool.name: tool for tool in surface.load().tools}
DEFAULT = {name for name, tool in ALL.items() if tool.default}
WRITING = {name for name, tool in ALL.items() if not (tool.read_only or tool.guards_itself)}
"""What is not there in read-only mode; call_endpoint is, and refuses by itself."""
EXTRA = "list_conversations"
"""A tool outside the default preset, and harmless."""


async def shown(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


@pytest.mark.parametrize("mode", ERAS)
async def test_the_default_preset_is_what_is_shown_without_a_word(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        names = await shown(client)
    assert set(names) == DEFAULT
    assert len(names) <= 16
    assert EXTRA not in names


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"toolsets": ("all",)}, set(ALL)),
        ({"toolsets": ("default", "all")}, set(ALL)),
        ({"toolsets": ("text",)}, {name for name, tool in ALL.items() if tool.toolset == "text"}),
        ({"toolsets": ()}, set[str]()),
        ({"tools": (EXTRA,)}, DEFAULT | {EXTRA}),
        ({"toolsets": (), "tools": (EXTRA, "count_tokens")}, {EXTRA, "count_tokens"}),
        ({"exclude_tools": ("count_tokens",)}, DEFAULT - {"count_tokens"}),
        ({"tools": (EXTRA,), "exclude_tools": (EXTRA,)}, DEFAULT),
        ({"toolsets": ("all",), "exclude_tools": ("count_tokens",)}, set(ALL) - {"count_tokens"}),
        ({"read_only": True}, DEFAULT - WRITING),
        ({"read_only": True, "toolsets": ("all",)}, set(ALL) - WRITING),
        ({"read_only": True, "tools": tuple(sorted(WRITING))}, DEFAULT - WRITING),
    ],
)  # fmt: skip
async def test_what_is_shown_is_what_the_settings_say(
    connect: Connect, given: dict[str, Any], expected: set[str]
) -> None:
    async with connect(**given) as client:
        assert set(await shown(client)) == expected


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize(
    ("given", "tool", "expected"),
    [
        ({"read_only": True, "toolsets": ("all",)}, "delete_conversation", "Start it without --read-only."),
        ({"read_only": True, "tools": ("delete_conversation",)}, "delete_conversation", "this server is read-only"),
        ({}, "delete_conversation", "--tools delete_conversation or --toolsets text"),
        ({"exclude_tools": ("count_tokens",)}, "count_tokens", "count_tokens is switched off"),
        ({}, "genrate_text", "Did you mean generate_text"),
        ({}, "rm -rf /", "There are: "),
        ({}, "", "There are: "),
        ({}, "Generate_Text", "There is no tool"),
    ],
)
async def test_what_is_not_shown_is_refused_by_name_and_the_refusal_says_what_to_do(
    connect: Connect, emulator: Emulator, mode: str, given: dict[str, Any], tool: str, expected: str
) -> None:
    async with connect(mode=mode, **given) as client:
        result = await client.call_tool(tool, {"id": "c-0"})
    assert expected in error_of(result)
    assert emulator.requests == []


async def test_read_only_refuses_before_anything_is_deleted(connect: Connect) -> None:
    async with connect(toolsets=("all",)) as client:
        answer = structured(await client.call_tool("generate_text", {"prompt": "hi", "conversation": "new"}))
    async with connect(toolsets=("all",), read_only=True) as client:
        error_of(await client.call_tool("delete_conversation", {"id": answer["conversation"]}))
        kept = structured(await client.call_tool("list_conversations", {}))
    assert [item["id"] for item in kept["conversations"]] == [answer["conversation"]]


def test_every_tool_says_whether_it_only_reads_and_what_deletes_is_not_called_so() -> None:
    for name, tool in ALL.items():
        hints = tool.shown["annotations"]
        assert {type(hint) for hint in hints.values()} == {bool}
        assert not (hints["readOnlyHint"] and hints["destructiveHint"]), name
        if name == "create_decision":
            continue  # nothing is made: it asks what a model thinks
        if name.split("_")[0] in ("delete", "create", "update", "cancel", "upload", "register", "transfer"):
            assert not tool.read_only, name


@pytest.mark.parametrize(
    ("given", "setting", "known"),
    [
        ({"toolsets": ("default", "txet")}, "--toolsets", "text"),
        ({"tools": ("generate_txet",)}, "--tools", "generate_text"),
        ({"exclude_tools": ("generate_txet",)}, "--exclude-tools", "generate_text"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_at_start_with_those_that_do(
    given: dict[str, Any], setting: str, known: str
) -> None:
    with pytest.raises(UnsafeSetting) as refused:
        app.build(settings.read({}, allow_dirs=(), **given))
    text = str(refused.value)
    assert setting in text
    assert given[setting.removeprefix("--").replace("-", "_")][-1] in text
    assert known in text.partition("There are: ")[2]


def wire(tools: Any) -> str:
    return json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools])


@pytest.mark.parametrize("mode", ERAS)
async def test_the_list_is_the_same_every_time(connect: Connect, mode: str) -> None:
    seen: list[str] = []
    for _ in range(2):
        async with connect(mode=mode, toolsets=("all",)) as client:
            seen += [wire((await client.list_tools()).tools) for _ in range(2)]
    assert len(set(seen)) == 1


async def test_the_order_of_the_settings_does_not_change_the_order_of_the_list(connect: Connect) -> None:
    async with connect(toolsets=("text", "default"), tools=("count_tokens", "generate_text")) as client:
        one = await shown(client)
    async with connect(toolsets=("default", "text"), tools=("generate_text", "count_tokens")) as client:
        assert await shown(client) == one


async def test_lists_and_discovery_carry_how_long_they_hold(connect: Connect) -> None:
    async with connect() as client:
        listed = [await client.list_tools(), await client.list_resources(), await client.list_resource_templates()]
    for answer in listed:
        shown = answer.model_dump(by_alias=True)
        assert shown["ttlMs"] == app.LIST_TTL_MS
        assert shown["cacheScope"] == "public"


async def test_two_processes_show_the_same_bytes_and_discovery_says_who_they_are(tmp_path: Path) -> None:
    world = World(tmp_path, "http://127.0.0.1:9")
    answers: list[str] = []
    for seed in ("1", "2"):
        async with stdio(world, PYTHONHASHSEED=seed, GEMINI_API_KEY=None) as server:
            found = (await server.ask("server/discover"))["result"]
            assert "2026-07-28" in found["supportedVersions"]
            assert found["ttlMs"] == app.LIST_TTL_MS
            assert found["cacheScope"] == "public"
            assert "server_status" in found["instructions"]
            assert {"tools", "resources"} <= found["capabilities"].keys()
            listed = (await server.ask("tools/list"))["result"]
            assert listed["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == settings.APP
            answers.append(json.dumps(listed))
    assert answers[0] == answers[1]
    assert world.sockets == []
    assert not world.state.exists()
