"""Checking an answer against a caller's schema takes bounded work."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from gemini_server.toolkit.generation import json_answer

pytestmark = pytest.mark.anyio


def doubling(levels: int) -> dict[str, Any]:
    """A short schema whose check takes twice the work with every level."""
    definitions: dict[str, Any] = {"n0": {"type": "integer"}}
    for level in range(1, levels):
        definitions[f"n{level}"] = {"anyOf": [{"$ref": f"#/$defs/n{level - 1}"}] * 2}
    return {"$defs": definitions, "$ref": f"#/$defs/n{levels - 1}"}


async def test_a_schema_of_doubling_alternatives_is_given_up_and_the_answer_kept() -> None:
    with anyio.fail_after(20):
        value, complaint = await json_answer.parse('"no integer"', doubling(40))
    assert value == "no integer"
    assert complaint is not None
    assert "too many nested alternatives" in complaint


async def test_a_large_honest_answer_is_checked_to_its_end() -> None:
    row = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a", "b"]}
    rows: list[dict[str, Any]] = [{"a": n, "b": "text"} for n in range(5000)]
    schema: dict[str, Any] = {"type": "array", "items": row}
    assert (await json_answer.parse(json.dumps(rows), schema))[1] is None
    rows[-1]["a"] = "wrong"
    complaint = (await json_answer.parse(json.dumps(rows), schema))[1]
    assert complaint is not None
    assert "4999/a" in complaint
