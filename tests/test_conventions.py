"""Rules that hold for every tool, whoever adds it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import gemini_tools
from gemini_server import surface
from gemini_server.settings import Settings

VERBS = {
    "add", "analyze", "call", "cancel", "chat", "compose", "count", "create", "decide", "delete", "detect", "download",
    "embed", "follow", "generate", "get", "list", "live", "next", "openai", "palm", "ping", "query", "rank", "read",
    "register", "rotate", "run", "search", "server", "start", "submit", "synthesize", "transcribe", "transfer",
    "tuned", "update", "upload",
}  # fmt: skip
LONGEST_DESCRIPTION = 700
PRESET = {
    "analyze_media", "cancel_job", "count_tokens", "create_cache", "delete_cache", "embed", "generate_image",
    "generate_text", "generate_video", "get_job", "list_models", "search_web", "server_status",
    "submit_function_results", "synthesize_speech", "upload_file",
}  # fmt: skip
SEEN_BY_A_MODEL = 12 * 1024
WHOLE_LIST = 28 * 1024

TOOLS = surface.load().tools
EACH = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)


def compact(value: Any) -> int:
    """Bytes of a value as JSON on the wire."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def seen(shown: dict[str, Any]) -> int:
    """Bytes that a client puts before its model."""
    return len(shown["name"]) + len(shown["description"].encode()) + compact(shown["inputSchema"])


@EACH
def test_a_name_is_verb_noun(tool: surface.ToolEntry) -> None:
    assert tool.name.split("_")[0] in VERBS
    assert tool.name == tool.name.lower()
    assert not tool.name.startswith("gemini")


@EACH
def test_a_description_says_what_comes_and_what_it_costs_and_is_short(tool: surface.ToolEntry) -> None:
    description: str = tool.shown["description"]
    assert len(description) <= LONGEST_DESCRIPTION
    assert description.endswith(".")
    reaches_google = tool.shown["annotations"]["openWorldHint"]
    assert not reaches_google or any(word in description for word in ("Free", "Billed", "billed"))


@EACH
def test_all_four_hints_are_set_on_purpose(tool: surface.ToolEntry) -> None:
    hints = tool.shown["annotations"]
    assert set(hints) == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    assert not (hints["readOnlyHint"] and hints["destructiveHint"])


@EACH
def test_every_parameter_is_described(tool: surface.ToolEntry) -> None:
    for name, schema in tool.shown["inputSchema"].get("properties", {}).items():
        assert schema.get("description"), name


@EACH
def test_schemas_hold_nothing_that_clients_choke_on(tool: surface.ToolEntry) -> None:
    for side in ("inputSchema", "outputSchema"):
        schema = tool.shown[side]
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        text = json.dumps(schema)
        for avoided in ('"$ref"', '"$defs"', '"title": "', '"allOf"', '"oneOf"', '"default": null'):
            assert avoided not in text, avoided
    nulls = json.dumps(tool.shown["inputSchema"]).count('"null"')
    assert nulls == 0


@EACH
def test_an_output_schema_has_real_fields(tool: surface.ToolEntry) -> None:
    assert tool.shown["outputSchema"]["properties"]


def test_the_default_preset_is_complete_and_fits_a_context() -> None:
    preset = [tool.shown for tool in surface.load().enabled(Settings())]
    assert {shown["name"] for shown in preset} == PRESET
    assert sum(seen(shown) for shown in preset) <= SEEN_BY_A_MODEL
    assert compact({"tools": preset}) <= WHOLE_LIST


def test_the_packaged_surface_is_what_the_capabilities_say() -> None:
    assert surface.FILE.read_text(encoding="utf-8") == surface.dumps(surface.build()), "run `make docs`"


def test_every_capability_is_one_file_with_a_toolset() -> None:
    toolsets = gemini_tools.all_toolsets()
    assert toolsets.keys() == set(gemini_tools.modules())
    assert all(toolset.tools or toolset.resources or toolset.prompts for toolset in toolsets.values())


def test_two_tools_of_one_name_are_refused() -> None:
    toolset = gemini_tools.load("text")
    function = toolset.tools["generate_text"].function
    with pytest.raises(ValueError, match="two tools are named generate_text"):
        toolset.tool(read_only=True, destructive=False, idempotent=True, open_world=True)(function)
