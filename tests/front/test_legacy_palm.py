"""PaLM through the front door: every method of its models, and what is left of them today."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from mcp_types import TextResourceContents

from gemini_emulator import Emulator
from gemini_server import surface
from gemini_server.settings import Settings
from tests.conftest import ERAS, Connect
from tests.front.conftest import Json, sent
from tests.front.legacy import connect_old as connect_old
from tests.front.legacy import old as old
from tests.front.legacy import reached
from tests.front.legacy import standing_old as standing_old
from tests.front.platforming import do, fails

pytestmark = pytest.mark.anyio

BILLED: tuple[tuple[str, Json], ...] = (
    ("palm_generate_text", {"prompt": "x"}),
    ("palm_generate_message", {"prompt": "x"}),
    ("palm_embed_text", {"text": "x"}),
)
TOOLS = (*BILLED, ("palm_count_tokens", {"prompt": "x"}))


async def test_text_is_written_within_its_limits(connect_old: Connect, old: Emulator) -> None:
    async with connect_old() as client:
        safety = {"DEROGATORY": "BLOCK_ONLY_HIGH"}
        given: Json = {"temperature": 0.3, "top_p": 0.9, "top_k": 20, "max_output_tokens": 50, "stop": ["STOP"]}
        made = await do(client, "palm_generate_text", prompt="Explain tides", candidate_count=2, safety=safety, **given)
        assert "tides" in made["text"]
        assert made["candidates"][0] == made["text"] != made["candidates"][1]
        assert (made["model"], made["usage"]["cost_usd"]) == ("text-bison-001", None)
        assert sent(old) == {
            "prompt": {"text": "Explain tides"}, "temperature": 0.3, "topP": 0.9, "topK": 20, "candidateCount": 2,
            "maxOutputTokens": 50, "stopSequences": ["STOP"],
            "safetySettings": [{"category": "HARM_CATEGORY_DEROGATORY", "threshold": "BLOCK_ONLY_HIGH"}],
        }  # fmt: skip
        blocked = await fails(client, "palm_generate_text", prompt="Explain [emulate: block=SAFETY]")
        assert "withheld its answer (SAFETY)" in blocked
        assert await do(client, "palm_count_tokens", prompt="x" * 40) == {"total_tokens": 10, "model": "text-bison-001"}
        days = json.loads((await client.read_resource("gemini://usage")).contents[0].text)["days"]  # type: ignore[union-attr]
    assert [(day["model"], day["unpriced_calls"]) for day in days] == [("text-bison-001", 2)]
    assert {"models.generateText", "models.countTextTokens"} <= reached(old)


async def test_a_conversation_goes_on_and_examples_say_how(connect_old: Connect, old: Emulator) -> None:
    async with connect_old() as client:
        so_far = ["My name is Anna.", "Hello!"]
        made = await do(client, "palm_generate_message", prompt="What is my name?", messages=so_far)
        assert "Your name is Anna." in made["text"]
        primed: Json = {
            "prompt": "What time is it",
            "context": "Be silly.",
            "examples": [{"input": "What time is it?", "output": "Time for tea."}],
        }
        made = await do(client, "palm_generate_message", **primed)
        assert made["text"] == "[emulated] Time for tea."
        assert (await do(client, "palm_count_tokens", **primed))["total_tokens"] == 3 + 4 + 4 + 4
        long = await do(client, "palm_generate_message", messages=["x" * 20_000, "y", "z"])
        assert long["dropped"] == 1
        assert "no message" in await fails(client, "palm_generate_message", context="x")
    assert {"models.generateMessage", "models.countMessageTokens"} <= reached(old)


async def test_texts_are_embedded_one_by_one_few_and_many(connect_old: Connect, old: Emulator) -> None:
    async with connect_old() as client:
        one = await do(client, "palm_embed_text", text="a cat")
        assert (one["dimensions"], one["count"], len(one["vectors"][0])) == (768, 1, 768)
        few = await do(client, "palm_embed_text", texts=["a cat", "two cats", "tax law"])
        same, near, far = (
            sum(a * b for a, b in zip(one["vectors"][0], other, strict=True)) for other in few["vectors"]
        )
        assert same > 0.999 > near > far + 0.2
        many = await do(client, "palm_embed_text", texts=[f"text {number}" for number in range(20)])
        assert "vectors" not in many
        [content] = (await client.read_resource(many["artifacts"][0]["uri"])).contents
        assert isinstance(content, TextResourceContents)
        assert [len(json.loads(line)) for line in content.text.splitlines()] == [768] * 20
        assert "Give 1 to 100" in await fails(client, "palm_embed_text", texts=["x"] * 101)
    assert {"models.embedText", "models.batchEmbedText"} <= reached(old)


async def test_where_nothing_may_be_spent_counting_alone_is_done(connect_old: Connect, old: Emulator) -> None:
    async with connect_old(daily_cap=Decimal(0)) as client:
        for tool, arguments in BILLED:
            assert "daily cap" in await fails(client, tool, **arguments)
        assert old.requests == []
        await do(client, "palm_count_tokens", prompt="x")


@pytest.mark.parametrize("mode", ERAS)
async def test_today_the_tools_say_what_replaces_them(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode, toolsets=("palm",)) as client:
        for tool, arguments in TOOLS:
            text = await fails(client, tool, **arguments)
            assert "Google has shut PaLM down; generate_text, embed and count_tokens replace it." in text, tool


def test_the_tools_change_nothing() -> None:
    kept = surface.load().enabled(Settings(toolsets=("palm",), read_only=True))
    assert {entry.name for entry in kept} == {tool for tool, _ in TOOLS}
    assert not any(entry.shown["annotations"]["destructiveHint"] for entry in kept)
