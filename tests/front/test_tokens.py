"""count_tokens through the front door."""

from __future__ import annotations

import pytest

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, ask, sent

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ERAS)
async def test_tokens_are_counted_and_priced_before_paying(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("count_tokens", {"prompt": "x" * 4000})
    counted = structured(result)
    assert counted == {
        "total_tokens": 1000,
        "by_modality": {"TEXT": 1000},
        "estimated_cost_usd": 0.00075,  # 1000 tokens at 0.75 dollars a million
        "price_date": "2026-09-02",
        "model": "gemini-3.8-flash",
    }
    assert text_of(result) == "1000 tokens (1000 text) with gemini-3.8-flash; about $0.000750 for the input"
    assert [request["path"] for request in emulator.requests] == ["/v1beta/models/gemini-3.8-flash:countTokens"]
    assert sent(emulator) == {"contents": [{"role": "user", "parts": [{"text": "x" * 4000}]}]}


async def test_a_system_instruction_is_counted_too(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        without = structured(await client.call_tool("count_tokens", {"prompt": "hi"}))
        counted = structured(
            await client.call_tool("count_tokens", {"prompt": "hi", "system": "x" * 400, "model": "gemini-3.6-flash"})
        )
    assert counted["total_tokens"] == without["total_tokens"] + 100
    assert counted["model"] == "gemini-3.6-flash"
    assert sent(emulator) == {
        "generateContentRequest": {
            "model": "models/gemini-3.6-flash",
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "systemInstruction": {"parts": [{"text": "x" * 400}]},
        }
    }


async def test_the_count_is_what_the_call_then_says(connect: Connect) -> None:
    prompt = "How many tokens are these, Zoë?"
    async with connect() as client:
        counted = structured(await client.call_tool("count_tokens", {"prompt": prompt, "system": "Be brief."}))
        answer = await ask(client, prompt, system="Be brief.")
    assert counted["total_tokens"] == answer["usage"]["input_tokens"]


async def test_an_unknown_price_is_absent_and_said(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"totalTokens": 5})
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("count_tokens", {"prompt": "hi", "model": "tunedModels/mine"})
    assert structured(result) == {"total_tokens": 5, "model": "tunedModels/mine"}
    assert "price unknown" in text_of(result)


async def test_an_odd_breakdown_does_not_cost_the_count(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"totalTokens": 7, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": "many"}]})
    async with connect(base_url=fake.url) as client:
        assert structured(await client.call_tool("count_tokens", {"prompt": "x"}))["total_tokens"] == 7


async def test_nothing_to_count_is_refused_before_anything_is_sent(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        none: list[Json] = [{}, {"prompt": ""}, {"prompt": None, "attachments": []}]
        for arguments in none:
            assert "nothing to count" in error_of(await client.call_tool("count_tokens", arguments))
    assert emulator.requests == []


async def test_counting_is_not_counted_as_spending(connect: Connect) -> None:
    async with connect() as client:
        await client.call_tool("count_tokens", {"prompt": "hi"})
        status = structured(await client.call_tool("server_status", {}))
    assert next(check["detail"] for check in status["checks"] if check["name"] == "spent today").endswith("in 0 calls")
