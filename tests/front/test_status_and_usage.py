"""What calls cost, what was spent, and the doctor from inside the client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, ask, ask_in_a_stream, candidate, said

pytestmark = pytest.mark.anyio

COUNTS: Json = {
    "promptTokenCount": 10_000,
    "cachedContentTokenCount": 4_000,
    "candidatesTokenCount": 500,
    "thoughtsTokenCount": 300,
    "toolUsePromptTokenCount": 200,
    "totalTokenCount": 11_000,
}


def counted(**more: Any) -> Json:
    """An answer that cost something."""
    return {**said("hello"), "usageMetadata": {**COUNTS, **more}}


@pytest.mark.parametrize(
    ("model", "more", "cost", "price_date"),
    [
        # 3.8 Flash: 0.75 in, 3.75 out, 0.075 cached: (6000 + 200) * 0.75 + 4000 * 0.075 + (500 + 300) * 3.75
        ("gemini-3.8-flash", {}, 0.00795, "2026-09-02"),
        ("models/gemini-3.8-flash", {}, 0.00795, "2026-09-02"),
        # flex halves, priority is 1.8 times
        ("gemini-3.8-flash", {"serviceTier": "flex"}, 0.003975, "2026-09-02"),
        ("gemini-3.8-flash", {"serviceTier": "PRIORITY"}, 0.01431, "2026-09-02"),
        # Argon: 2 in, 10 out, 0.1 cached: 6200 * 2 + 4000 * 0.1 + 800 * 10
        ("gemini-4-argon", {}, 0.0208, "2026-10-13"),
        # 3.1 Pro above 200,000 tokens: 4 in, 18 out, 0.4 cached: (296000 + 200) * 4 + 4000 * 0.4 + 800 * 18
        ("gemini-3.1-pro-preview", {"promptTokenCount": 300_000}, 1.2008, "2026-11-22"),
        # 3.1 Flash-Lite, audio at its own price: (5200 * 0.25 + 1000 * 0.5) + 4000 * 0.025 + 800 * 1.5
        (
            "gemini-3.1-flash-lite",
            {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1000}]},
            0.0031,
            "2026-11-22",
        ),
        # rerouted: asked for 3.7, billed as 3.8
        ("gemini-3.7-flash", {}, 0.00795, "2026-09-02"),
        ("gemma-4-31b-it", {}, 0.0, "2026-11-22"),
        ("gemini-9-nova", {}, None, None),
        ("tunedModels/mine", {}, None, None),
        ("gemini-4-carbon", {}, None, None),
    ],
)
async def test_the_cost_of_a_call_is_what_its_tokens_cost_by_hand(
    connect: Connect, fake: FakeGemini, model: str, more: Json, cost: float | None, price_date: str | None
) -> None:
    answer = counted(**more)
    fake.replies = [Reply(events=[answer])] if "argon" in model else [Reply(answer)]
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("generate_text", {"prompt": "x", "model": model})
    usage = structured(result)["usage"]
    assert usage["cost_usd"] == (pytest.approx(cost, abs=1e-12) if cost is not None else None)
    assert "cost_usd" in usage, "an unknown price is null, and not absent"
    assert usage.get("price_date") == price_date
    assert {name: value for name, value in usage.items() if name not in ("cost_usd", "price_date")} == {
        "input_tokens": more.get("promptTokenCount", 10_000),
        "output_tokens": 500,
        "thought_tokens": 300,
        "cached_tokens": 4_000,
        "tool_tokens": 200,
        "total_tokens": 11_000,
    }
    assert ("price unknown" in text_of(result)) == (cost is None)


async def test_the_last_counts_of_a_stream_are_the_counts(connect: Connect, fake: FakeGemini) -> None:
    early = {**candidate({"text": "a"}, finish=None), "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10}}
    late = {**said("b"), "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12}}
    fake.stream(early, early, late)
    async with connect(base_url=fake.url) as client:
        answer = await ask_in_a_stream(client)
    assert answer["usage"]["input_tokens"] == 10
    assert answer["usage"]["total_tokens"] == 12


async def test_an_answer_without_counts_has_an_unknown_price(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"candidates": said("hello")["candidates"]})
    async with connect(base_url=fake.url) as client:
        answer = await ask(client)
    assert answer["usage"]["cost_usd"] is None
    assert answer["usage"]["total_tokens"] == 0


async def usage(client: Client) -> list[Json]:
    """What gemini://usage says."""
    content = (await client.read_resource("gemini://usage")).contents[0]
    days: list[Json] = json.loads(getattr(content, "text", ""))["days"]
    return days


@pytest.mark.parametrize("mode", ERAS)
async def test_spending_is_summed_by_day_and_model(connect: Connect, fake: FakeGemini, mode: str) -> None:
    fake.say(counted())
    async with connect(base_url=fake.url, mode=mode) as client:
        await ask(client)
        await ask(client, model="models/gemini-3.8-flash")
        await ask(client, model="gemini-3.5-flash-lite")
        await ask(client, model="gemini-9-nova")
        days = await usage(client)
        status = structured(await client.call_tool("server_status", {}))
    assert days == [
        {
            "day": "2026-11-22",
            "model": "gemini-3.5-flash-lite",
            "calls": 1,
            "input_tokens": 10_000,
            "output_tokens": 500,
            "thought_tokens": 300,
            "cached_tokens": 4_000,
            "cost_usd": pytest.approx(6200 * 0.3e-6 + 4000 * 0.03e-6 + 800 * 2.5e-6),
        },
        {
            "day": "2026-11-22",
            "model": "gemini-3.8-flash",
            "calls": 2,
            "input_tokens": 20_000,
            "output_tokens": 1_000,
            "thought_tokens": 600,
            "cached_tokens": 8_000,
            "cost_usd": pytest.approx(0.0159),
        },
        {
            "day": "2026-11-22",
            "model": "gemini-9-nova",
            "calls": 1,
            "input_tokens": 10_000,
            "output_tokens": 500,
            "thought_tokens": 300,
            "cached_tokens": 4_000,
            "cost_usd": None,
            "unpriced_calls": 1,
        },
    ]
    spent = next(check["detail"] for check in status["checks"] if check["name"] == "spent today")
    assert spent == "$0.019880 in 4 calls, 1 of them at an unknown price"


async def test_the_books_and_the_result_agree_on_the_tier(connect: Connect, fake: FakeGemini) -> None:
    fake.say(counted())  # the answer does not repeat the tier
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, service_tier="flex")
        days = await usage(client)
    assert answer["usage"]["cost_usd"] == pytest.approx(0.003975)
    assert days[0]["cost_usd"] == pytest.approx(answer["usage"]["cost_usd"])


async def test_what_an_unusable_answer_cost_is_in_the_books(connect: Connect, fake: FakeGemini) -> None:
    fake.say({**counted(), "candidates": [{"finishReason": "SAFETY"}]})
    async with connect(base_url=fake.url) as client:
        assert (await client.call_tool("generate_text", {"prompt": "x"})).is_error
        days = await usage(client)
    assert days[0]["cost_usd"] == pytest.approx(0.00795)


async def test_spending_survives_a_restart(connect: Connect, fake: FakeGemini) -> None:
    fake.say(counted())
    for _ in range(2):
        async with connect(base_url=fake.url) as client:
            await ask(client)
    async with connect(base_url=fake.url) as client:
        days = await usage(client)
    assert [day["calls"] for day in days] == [2]


def check(status: Json, name: str) -> Json:
    """One check of server_status."""
    found: Json = next(one for one in status["checks"] if one["name"] == name)
    return found


@pytest.mark.parametrize("mode", ERAS)
async def test_a_healthy_server_says_so(connect: Connect, emulator: Emulator, tmp_path: Path, mode: str) -> None:
    async with connect(mode=mode) as client:
        await ask(client)
        result = await client.call_tool("server_status", {})
    status = structured(result)
    assert [one["name"] for one in status["checks"]] == [
        "key",
        "gemini",
        "readable directories",
        "output directory",
        "ledger",
        "spent today",
        "tools",
    ]
    assert {one["status"] for one in status["checks"]} == {"ok"}
    assert emulator.url in check(status, "gemini")["detail"]
    assert check(status, "readable directories")["detail"] == str(tmp_path / "allowed")
    assert str(tmp_path / "state" / "ledger.db") in check(status, "ledger")["detail"]
    assert "generate_text" in check(status, "tools")["detail"]
    assert all(one["detail"] in text_of(result) for one in status["checks"])
    assert "test-key" not in text_of(result)


async def test_a_sick_server_says_what_is_wrong_and_goes_on_checking(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.db").mkdir()
    async with connect(key="invalid-key", allow_dirs=()) as client:
        status = structured(await client.call_tool("server_status", {}))
    assert check(status, "key")["status"] == "ok"
    assert check(status, "gemini")["status"] == "failed"
    assert "does not accept the API key" in check(status, "gemini")["detail"]
    assert check(status, "readable directories")["detail"] == "none; --allow-dir DIR allows one"
    assert check(status, "ledger")["status"] == "failed"
    assert check(status, "tools")["status"] == "ok"


async def test_a_missing_key_is_found_by_the_doctor(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    async with connect(key=None) as client:
        status = structured(await client.call_tool("server_status", {}))
    assert check(status, "key")["status"] == "failed"
    assert "Set GEMINI_API_KEY" in check(status, "key")["detail"]


async def test_a_key_file_that_others_can_read_or_that_is_gone_is_pointed_out(connect: Connect, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key-from-a-file\n")
    file.chmod(0o644)
    async with connect(key=None, key_file=file) as client:
        status = structured(await client.call_tool("server_status", {}))
        assert check(status, "key")["status"] == "warning"
        assert "chmod 600" in check(status, "key")["detail"]
        file.unlink()
        status = structured(await client.call_tool("server_status", {}))
    assert check(status, "key")["status"] == "failed"
    assert check(status, "gemini")["status"] == "ok", "the key was read at the start"
    assert "key-from-a-file" not in json.dumps(status)
