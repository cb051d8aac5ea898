"""JSON answers validate against the schema that was sent."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import jsonschema
import pytest

from gemini_emulator.patterns import matching

from .conftest import Api, text_of

pytestmark = pytest.mark.anyio

SCHEMAS: dict[str, dict[str, Any]] = {
    "a recipe": {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 3, "maxLength": 12},
            "servings": {"type": "integer", "minimum": 1, "maximum": 8},
            "price": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
            "vegan": {"type": "boolean"},
            "steps": {"type": "array", "items": {"type": "string"}, "minItems": 5, "maxItems": 6},
            "level": {"enum": ["easy", "hard"]},
            "kind": {"const": "recipe"},
        },
        "required": ["title", "servings", "steps", "level", "kind"],
        "additionalProperties": False,
    },
    "formats": {
        "type": "object",
        "properties": {
            name: {"type": "string", "format": name} for name in ("date", "date-time", "email", "uri", "uuid", "ipv4")
        },
    },
    "unions": {
        "type": "object",
        "properties": {
            "a": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
            "b": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "c": {"type": ["string", "null"]},
            "d": {"allOf": [{"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}]},
        },
        "required": ["a", "b", "c", "d"],
    },
    "a tree": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    "parent": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["name", "children"],
            }
        },
        "$ref": "#/$defs/node",
    },
    "numbers": {
        "type": "object",
        "properties": {
            "even": {"type": "integer", "multipleOf": 2, "minimum": 11, "maximum": 13},
            "negative": {"type": "integer", "maximum": -100},
            "huge": {"type": "integer", "exclusiveMinimum": 10**6},
            "age": {"type": "integer"},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["even", "negative", "huge"],
    },
    "a pattern": {"type": "object", "properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"}}},
    "a map": {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    "a pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    "a set": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
    "an array at the root": {"type": "array", "items": {"type": "number"}, "minItems": 4},
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("prompt", ["A pancake recipe for 4 by Ada", "x"])
async def test_the_instance_validates(api: Api, name: str, prompt: str) -> None:
    config = {"responseMimeType": "application/json", "responseJsonSchema": SCHEMAS[name]}
    value = json.loads(text_of(await api.generate(prompt, generationConfig=config)))
    jsonschema.validate(value, SCHEMAS[name], format_checker=jsonschema.FormatChecker())


async def test_the_openapi_subset_is_understood_and_its_order_kept(api: Api) -> None:
    schema = {
        "type": "OBJECT",
        "properties": {"zeta": {"type": "STRING"}, "alpha": {"type": "INTEGER", "minimum": 5, "maximum": 5}},
        "required": ["alpha", "zeta"],
        "propertyOrdering": ["alpha", "zeta"],
    }
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    value = json.loads(text_of(await api.generate("hi", generationConfig=config)))
    assert list(value) == ["alpha", "zeta"]
    assert value["alpha"] == 5


async def test_response_format_carries_a_schema_too(api: Api) -> None:
    text = {"mimeType": "APPLICATION_JSON", "schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    value = json.loads(
        text_of(await api.generate("A trip to Oslo", generationConfig={"responseFormat": {"text": text}}))
    )
    assert value == {"city": "Oslo"}


async def test_an_enum_answer_is_the_bare_value(api: Api) -> None:
    config = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["cat", "dog"]}}
    assert text_of(await api.generate("hi", generationConfig=config)) in ("cat", "dog")


async def test_json_without_a_schema_says_that_it_is_emulated(api: Api) -> None:
    value = json.loads(text_of(await api.generate("hi", generationConfig={"responseMimeType": "application/json"})))
    assert value["emulated"] is True


@pytest.mark.parametrize(
    "pattern",
    [r"^\+?\d{2,3}(-\d+)*$", r"(cat|dog)s?", r"^[^@\s]+@[a-z.]+\.com$", r"\w+\s\w+", r"^#[0-9a-fA-F]{6}$", ".*"],
)
async def test_strings_match_their_pattern(pattern: str) -> None:
    for seed in range(20):
        assert re.search(pattern, matching(pattern, Random(seed)))
