"""Agents, environments and triggers through the front door."""

from __future__ import annotations

import pytest

from gemini_emulator import Emulator
from gemini_server import surface
from gemini_server.settings import Settings
from tests.conftest import ERAS, Connect
from tests.front.conftest import sent
from tests.front.platforming import ON, Json, do, fails

pytestmark = pytest.mark.anyio

AGENT: Json = {
    "id": "sentinel-1",
    "base_agent": "antigravity-preview-09-2026",
    "system_instruction": "You watch the shop.",
    "description": "Watches",
    "tools": [{"type": "google_search"}, {"type": "mcp_server", "name": "shop", "url": "https://shop.example/mcp",
                                          "headers": {"Authorization": "secret-of-the-shop"}}],
    "base_environment": {"type": "remote", "sources": [{"type": "inline", "content": "hi", "target": "notes.txt"}]},
    "agent_config": {"type": "antigravity", "max_total_tokens": 50_000},
}  # fmt: skip


@pytest.mark.parametrize("mode", ERAS)
async def test_an_agent_is_created_listed_and_deleted(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode, **ON) as client:
        made = (await do(client, "create_agent", **AGENT))["agent"]
        assert sent(emulator) == AGENT
        assert {made[name] for name in ("id", "base_agent", "system_instruction", "description")} == {
            AGENT[name] for name in ("id", "base_agent", "system_instruction", "description")
        }
        assert "secret-of-the-shop" not in str(made)
        assert made["tools"][1]["headers"] == {"Authorization": "[hidden]"}
        assert made in (await do(client, "list_agents"))["agents"]
        assert (await do(client, "list_agents", id="sentinel-1")) == {"agents": [made]}
        assert "already" in await fails(client, "create_agent", **AGENT)
        assert await do(client, "delete_agent", id="agents/sentinel-1") == {"deleted": "sentinel-1"}
        text = await fails(client, "list_agents", id="sentinel-1")
    assert "There is no agents/sentinel-1 for this key" in text
    assert "list_agents shows what there is" in text


async def test_tools_that_an_agent_cannot_have_are_refused_before_sending(connect: Connect, emulator: Emulator) -> None:
    async with connect(**ON) as client:
        text = await fails(client, "create_agent", id="x", tools=[{"type": "computer_use"}])
    assert "tools.0: input tag 'computer_use' found using 'type' does not match any of the expected tags" in text
    assert not emulator.requests


async def test_an_environment_is_created_copied_listed_and_deleted(connect: Connect, emulator: Emulator) -> None:
    network = {"allowlist": [{"domain": "api.example.com", "transform": {"X-Key": "hidden-value"}}]}
    sources = [{"type": "inline", "content": "print(1)", "target": "src/main.py"}]
    async with connect(**ON) as client:
        made = (await do(client, "create_environment", sources=sources, network=network))["environment"]
        assert sent(emulator) == {"sources": sources, "network": network}
        assert "hidden-value" not in str(made)
        assert (made["status"], made["file_count"]) == ("active", 1)
        copy = (await do(client, "create_environment", from_environment=made["id"], network="disabled"))["environment"]
        assert copy["file_count"] == 1
        assert copy["id"] != made["id"]
        listed = (await do(client, "list_environments"))["environments"]
        assert {made["id"], copy["id"]} <= {one["id"] for one in listed}
        for one in (made, copy):
            assert await do(client, "delete_environment", id=f"environments/{one['id']}") == {"deleted": one["id"]}


async def test_a_trigger_is_created_run_paused_and_deleted(connect: Connect, emulator: Emulator) -> None:
    interaction = {"agent": "antigravity-preview-09-2026", "input": "Look after the shop.", "environment": "remote"}
    trigger = {"schedule": "0 7 * * 1-5", "time_zone": "Europe/Zurich", "interaction": interaction}
    async with connect(**ON) as client:
        made = (await do(client, "create_trigger", **trigger, display_name="Shop"))["trigger"]
        assert sent(emulator) == {**trigger, "display_name": "Shop"}
        assert (made["status"], made["schedule"], made["display_name"]) == ("active", "0 7 * * 1-5", "Shop")
        assert made["next_run_time"]
        run = (await do(client, "run_trigger", id=made["id"]))["execution"]
        assert run["trigger_id"] == made["id"]
        runs = (await do(client, "list_trigger_executions", id=made["id"]))["executions"]
        assert [one["id"] for one in runs] == [run["id"]]
        paused = (await do(client, "update_trigger", id=made["id"], status="paused"))["trigger"]
        assert paused["status"] == "paused"
        assert sent(emulator) == {"status": "paused"}
        assert "Give display_name or status" in await fails(client, "update_trigger", id=made["id"])
        assert paused["id"] in [one["id"] for one in (await do(client, "list_triggers"))["triggers"]]
        assert await do(client, "delete_trigger", id=made["id"]) == {"deleted": made["id"]}


async def test_a_schedule_that_is_none_is_refused_in_googles_words(connect: Connect) -> None:
    interaction = {"agent": "antigravity-preview-09-2026", "input": "x", "environment": "remote"}
    async with connect(**ON) as client:
        text = await fails(
            client, "create_trigger", schedule="daily", time_zone="Europe/Zurich", interaction=interaction
        )
        assert "daily" in text
        wrong = {**interaction, "inputs": "x"}
        text = await fails(client, "create_trigger", schedule="0 7 * * *", time_zone="Europe/Zurich", interaction=wrong)
    assert "interaction.inputs: there is no such argument" in text


def test_without_changes_only_tools_that_read_are_left() -> None:
    entries = surface.load().enabled(Settings(toolsets=("platform",), read_only=True))
    assert sorted(entry.name for entry in entries) == [
        "create_decision", "list_agents", "list_credentials", "list_environment_files", "list_environments",
        "list_trigger_executions", "list_triggers", "list_voices", "list_webhooks",
    ]  # fmt: skip
