"""generate_text through the front door."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_emulator import Emulator

from tests.conftest import ERAS, Connect, error_of, structured, text_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ERAS)
async def test_a_question_is_answered_in_text_and_in_structured_content(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("generate_text", {"prompt": "Say hello to Zoë"})
    answer = structured(result)
    assert "Zoë" in answer["text"]
    assert answer["text"] in text_of(result)
    assert answer["finish_reason"] == "STOP"
    assert answer["model_version"] == "gemini-3.8-flash-emulated"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] + usage["thought_tokens"]
    assert usage["cost_usd"] > 0
    assert "incomplete" not in answer
    assert None not in answer.values()


@pytest.mark.parametrize("mode", ERAS)
async def test_text_streams_as_progress_to_a_caller_who_asked_for_it(
    connect: Connect, emulator: Emulator, mode: str
) -> None:
    seen: list[tuple[float, str]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, message or ""))

    async with connect(mode=mode) as client:
        result = await client.call_tool(
            "generate_text", {"prompt": "[emulate: length=900] Tell me of Zürich"}, progress_callback=on_progress
        )
    answer = structured(result)
    assert "".join(message for _, message in seen) == answer["text"]
    assert all(len(message) <= 200 for _, message in seen)
    values = [value for value, _ in seen]
    assert values == sorted(set(values))
    assert emulator.requests[-1]["path"].endswith(":streamGenerateContent")


async def test_without_a_progress_token_one_plain_call_is_made(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await client.call_tool("generate_text", {"prompt": "hi"})
    assert [request["path"] for request in emulator.requests] == ["/v1beta/models/gemini-3.8-flash:generateContent"]


async def test_json_by_schema_comes_back_parsed_and_valid(connect: Connect) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 1}},
        "required": ["city", "people"],
    }
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "Describe Zürich", "json_schema": schema})
    answer = structured(result)
    assert isinstance(answer["json"]["city"], str)
    assert answer["json"]["people"] >= 1


async def test_a_schema_that_is_none_is_refused_before_anything_is_sent(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "x", "json_schema": {"type": "strong"}})
    assert "not a valid JSON Schema" in error_of(result)
    assert emulator.requests == []


async def test_an_unknown_argument_is_named_and_nothing_is_sent(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "x", "temprature": 1})
    assert "temprature: there is no such argument" in error_of(result)
    assert emulator.requests == []
