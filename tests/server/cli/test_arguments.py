from __future__ import annotations

import json
from typing import Any

import pytest

from gemini_server import surface
from gemini_server.cli import arguments
from gemini_server.errors import ArgumentError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "prompt": {"type": "string"},
        "level": {"anyOf": [{"enum": ["low", "high"], "type": "string"}, {"type": "integer"}]},
        "seed": {"type": "integer"},
        "share": {"type": "number"},
        "sure": {"type": "boolean"},
        "files": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "things": {"type": "array", "items": {"$ref": "#/$defs/Thing"}},
        "schema": {"type": "object"},
        "anything": {"description": "any JSON"},
    },
    "required": ["prompt"],
    "$defs": {"Thing": {"type": "object"}},
}


def parse(*pairs: str, json_text: str = "", stdin: str = "") -> dict[str, Any]:
    return arguments.parse("draw", SCHEMA, ["prompt=p", *pairs], json_text, lambda: stdin)


@pytest.mark.parametrize("text", ["3", "true", '{"a": 1}', "[1]", "a=b", "", " spaced ", "@file", "null"])
def test_text_stays_text_whatever_it_looks_like(text: str) -> None:
    assert arguments.parse("draw", SCHEMA, [f"prompt={text}"], "", str) == {"prompt": text}


@pytest.mark.parametrize(
    ("pairs", "key", "value"),
    [
        (["level=low"], "level", "low"),
        (["level=128"], "level", 128),
        (["seed=7"], "seed", 7),
        (["share=1"], "share", 1),
        (["share=0.5"], "share", 0.5),
        (["sure=true"], "sure", True),
        (["files=a.png"], "files", ["a.png"]),
        (["files=a.png", "files=7"], "files", ["a.png", "7"]),
        (['files=["a.png", "b.png"]'], "files", ["a.png", "b.png"]),
        (["files=[draft].png"], "files", ["[draft].png"]),
        (["numbers=1", "numbers=2"], "numbers", [1, 2]),
        (['things={"a": 1}', 'things={"b": 2}'], "things", [{"a": 1}, {"b": 2}]),
        (['schema={"type": "object"}'], "schema", {"type": "object"}),
        (["anything=[1, null]"], "anything", [1, None]),
        (["anything=words"], "anything", "words"),
    ],
)
def test_a_value_becomes_what_the_schema_takes(pairs: list[str], key: str, value: object) -> None:
    assert parse(*pairs)[key] == value


@pytest.mark.parametrize(
    ("pairs", "complaint"),
    [
        (["seed=many"], "seed=many is not what seed takes: integer"),
        (["seed=1.5"], "seed=1.5 is not what seed takes"),
        (["sure=1"], "sure=1 is not what sure takes: boolean"),
        (["schema=[1]"], "schema=[1] is not what schema takes: object"),
        (["numbers=1", "numbers=x"], "numbers=x is not what numbers takes: integer"),
        (["seed=1", "seed=2"], "seed is given 2 times"),
        (["seeds=1"], "draw has no parameter 'seeds'. Did you mean seed? draw takes: prompt (needed), level, seed"),
        (["alone"], "'alone' is not KEY=VALUE"),
        (["=x"], "'=x' is not KEY=VALUE"),
    ],
)
def test_what_the_tool_does_not_take_is_refused_with_what_it_takes(pairs: list[str], complaint: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse(*pairs)
    assert complaint in str(caught.value)


def test_a_missing_argument_is_named_before_anything_is_sent() -> None:
    with pytest.raises(ArgumentError, match="draw needs prompt"):
        arguments.parse("draw", SCHEMA, ["seed=1"], "", str)


def test_json_and_pairs_add_up_and_pairs_win() -> None:
    assert parse("seed=2", json_text='{"seed": 1, "sure": true}') == {"prompt": "p", "seed": 2, "sure": True}


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="--json"):
        parse(json_text=text)


def test_stdin_is_a_value_without_its_last_line_end_or_the_whole_json() -> None:
    assert arguments.parse("draw", SCHEMA, ["prompt=-"], "", lambda: "two\nlines\n") == {"prompt": "two\nlines"}
    assert parse(json_text="-", stdin='{"seed": 3}')["seed"] == 3


def test_stdin_cannot_be_two_things() -> None:
    with pytest.raises(ArgumentError, match="Only one argument"):
        arguments.parse("draw", SCHEMA, ["prompt=-"], "-", str)


def test_every_parameter_of_every_tool_takes_its_own_kind() -> None:
    # A parameter whose kind is not understood would take any text and fail at the server.
    for tool in surface.load().tools:
        for name, schema in tool.shown["inputSchema"].get("properties", {}).items():
            known = {"type", "anyOf", "oneOf", "enum"} & schema.keys() or schema.keys() <= {"description"}
            assert known, f"{tool.name}.{name}: {json.dumps(schema)}"
