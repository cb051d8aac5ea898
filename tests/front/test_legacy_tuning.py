"""Tuned models and operations through the front door: every method of theirs, and what is left of them today."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server import surface
from gemini_server.settings import Settings
from tests.conftest import ERAS, Connect, structured
from tests.front.conftest import FakeGemini, Json
from tests.front.legacy import connect_old as connect_old
from tests.front.legacy import old as old
from tests.front.legacy import reached
from tests.front.legacy import standing_old as standing_old
from tests.front.platforming import do, fails

pytestmark = pytest.mark.anyio

PAIRS = {"1": "2", "twenty two": "twenty three", "good morning": "guten Morgen"}
EXAMPLES = [{"text_input": given, "output": output} for given, output in PAIRS.items()]
TUNED = "tunedModels/counter"
CRUD = ("create", "delete", "get", "list", "patch")


async def tune(client: Client, **more: object) -> Json:
    """The job of a tuned model."""
    await client.call_tool("delete_tuned_model", {"name": "counter"})
    given: Json = {"examples": EXAMPLES, "id": "counter", "display_name": "Counter", "reuse": False}
    return await do(client, "create_tuned_model", **{**given, "description": "[emulate: polls=1]", **more})


async def ignore(progress: float, total: float | None, message: str | None) -> None:
    """Progress that nobody looks at: who asks for it gets a stream."""


async def test_a_model_is_tuned_as_a_job_then_asked_changed_handed_on_and_deleted(
    connect_old: Connect, old: Emulator
) -> None:
    async with connect_old() as client:
        job = await tune(client, hyperparameters={"epoch_count": 3, "batch_size": 2}, temperature=0.5)
        assert (job["status"], job["cost_usd"], job["tuned_model"]["name"]) == ("done", None, TUNED)
        assert job["tuned_model"]["tuning_task"]["hyperparameters"]["epoch_count"] == 3
        assert structured(await client.call_tool("get_job", {"job": job["id"]}))["result"]["tuned_model"]
        further = await do(client, "create_tuned_model", examples=EXAMPLES, tuned_model=TUNED, wait_seconds=0)
        assert further["status"] in ("submitting", "running")
        [one] = (await do(client, "list_tuned_models", name="counter"))["tuned_models"]
        assert (one["state"], one["temperature"], one["display_name"]) == ("ACTIVE", 0.5, "Counter")
        assert (await do(client, "list_tuned_models", filter="counter"))["tuned_models"] == [one]
        changed = await do(client, "update_tuned_model", name="counter", description="Counts", top_k=20)
        assert (changed["tuned_model"]["description"], changed["tuned_model"]["top_k"]) == ("Counts", 20)

        plain = await do(client, "tuned_generate_text", model=TUNED, prompt="Good morning!", temperature=0.2)
        assert (plain["text"], plain["usage"]["cost_usd"]) == ("[emulated] guten Morgen", None)
        [asked] = [one["body"] for one in old.requests if one["path"].endswith(":generateContent")]
        assert asked["generationConfig"] == {"temperature": 0.2}
        given: Json = {"model": "counter", "prompt": "twenty two"}
        heard = await client.call_tool("tuned_generate_text", given, progress_callback=ignore)
        assert structured(heard)["text"] == "[emulated] twenty three"
        former = await do(client, "tuned_generate_text", **given, method="generateText", max_output_tokens=100)
        assert (former["text"], former["usage"]["cost_usd"]) == ("[emulated] twenty three", None)

        transferred = await do(client, "transfer_tuned_model", name=TUNED, email_address="anna@example.com")
        assert transferred == {"transferred": TUNED}
        assert await do(client, "delete_tuned_model", name=TUNED) == {"deleted": TUNED}
        assert "Google has had no model" in await fails(client, "list_tuned_models", name="counter")
    methods = {*CRUD, "generateContent", "streamGenerateContent", "generateText", "transferOwnership"}
    assert {f"tunedModels.{name}" for name in methods} <= reached(old)


async def test_permissions_are_granted_changed_and_taken_away(connect_old: Connect, old: Emulator) -> None:
    async with connect_old() as client:
        await tune(client)
        made = await do(
            client, "create_tuned_model_permission", tuned_model="counter", grantee_type="EVERYONE", role="READER"
        )
        name = made["permission"]["name"]
        one = await do(client, "list_tuned_model_permissions", tuned_model=TUNED, name=name)
        assert one == {"permissions": [made["permission"]]}
        assert len((await do(client, "list_tuned_model_permissions", tuned_model=TUNED))["permissions"]) == 2
        changed = await do(client, "update_tuned_model_permission", name=name, role="READER")
        assert changed == made
        assert await do(client, "delete_tuned_model_permission", name=name) == {"deleted": name}
    assert {f"tunedModels.permissions.{name}" for name in CRUD} <= reached(old)


async def test_operations_are_listed_shown_stopped_and_forgotten_in_both_versions(
    connect_old: Connect, old: Emulator
) -> None:
    async with connect_old() as client:
        await tune(client, description="[emulate: lasts=90m]", wait_seconds=0.2)
        [running] = (await do(client, "list_operations", parent=TUNED, filter="done=false"))["operations"]
        assert running["metadata"]["tunedModel"] == TUNED
        assert (await do(client, "get_operation", name=running["name"]))["operation"] == running
    async with connect_old(api_version="v1") as client:
        name = running["name"]
        assert name in [one["name"] for one in (await do(client, "list_operations"))["operations"]]
        assert len((await do(client, "list_operations", parent=TUNED))["operations"]) == 1
        assert await do(client, "cancel_operation", name=name) == {"cancelled": name}
        [ended] = (await do(client, "list_operations", name=name))["operations"]
        assert (ended["done"], ended["error"]["code"]) == (True, 1)
        assert await do(client, "delete_operation", name=name) == {"deleted": f"operations/{name}"}
        assert "There is no" in await fails(client, "get_operation", name=name)
        assert "tuned models alone" in await fails(client, "cancel_operation", name="batches/x")
        for wrong in ("files/x", "../x", "tunedModels/x"):
            assert "is no operation" in await fails(client, "get_operation", name=wrong)
    operations = {"tunedModels.operations.get", "tunedModels.operations.list"}
    assert operations <= reached(old)
    first_version = {"operations.delete", "operations.list", "tunedModels.operations.cancel", *operations}
    assert {f"v1.{name}" for name in first_version} <= reached(old)


async def test_a_tuned_model_answers_in_version_one(connect_old: Connect, old: Emulator) -> None:
    async with connect_old() as client:
        await tune(client)
    async with connect_old(api_version="v1", text_api="interactions") as client:
        answer = await do(client, "tuned_generate_text", model="counter", prompt="1")
    assert answer["text"] == "[emulated] 2"
    assert "v1.tunedModels.generateContent" in reached(old)


async def test_a_job_of_a_tuning_is_stopped_at_google_and_held_against_the_cap(
    connect_old: Connect, old: Emulator
) -> None:
    async with connect_old() as client:
        job = await tune(client, description="[emulate: lasts=90m]", wait_seconds=0.2)
        assert job["status"] == "running"
        assert (await do(client, "cancel_job", job=job["id"]))["status"] == "cancelled"
    assert "v1.tunedModels.operations.cancel" in reached(old)
    old.clear_requests()
    async with connect_old(daily_cap=Decimal(0)) as client:
        asked: Json = {"model": "counter", "prompt": "x"}
        assert "daily cap" in await fails(client, "create_tuned_model", examples=EXAMPLES)
        assert "daily cap" in await fails(client, "tuned_generate_text", **asked)
        assert "daily cap" in await fails(client, "tuned_generate_text", **asked, method="generateText")
    assert old.requests == []


@pytest.mark.parametrize("mode", ERAS)
async def test_today_the_tools_say_what_to_do_instead(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode, toolsets=("tuning",), poll=0.02) as client:
        for tool, arguments in (
            ("create_tuned_model", {"examples": EXAMPLES}),
            ("list_tuned_models", {"name": "counter"}),
            ("tuned_generate_text", {"model": "counter", "prompt": "x"}),
            ("tuned_generate_text", {"model": "counter", "prompt": "x", "method": "generateText"}),
            ("create_tuned_model_permission", {"tuned_model": "counter", "grantee_type": "EVERYONE", "role": "READER"}),
        ):
            text = await fails(client, tool, **arguments)
            assert "Google has had no model that can be tuned here since 2025; instead, give examples" in text, tool
        assert await do(client, "list_tuned_models") == {"tuned_models": []}


def test_without_changes_only_tools_that_read_are_left_and_what_overwrites_says_so() -> None:
    entries = {entry.name: entry for entry in surface.load().enabled(Settings(toolsets=("tuning",)))}
    kept = surface.load().enabled(Settings(toolsets=("tuning",), read_only=True))
    assert {entry.name for entry in kept} == {
        "get_operation", "list_operations", "list_tuned_model_permissions", "list_tuned_models", "tuned_generate_text",
    }  # fmt: skip
    destructive = {name for name, entry in entries.items() if entry.shown["annotations"]["destructiveHint"]}
    overwriting = ("delete_", "update_", "cancel_", "transfer_")
    assert destructive == {name for name in entries if name.startswith(overwriting)}


async def test_numbers_that_are_none_do_not_spoil_a_list(connect: Connect, fake: FakeGemini) -> None:
    diverged: Json = {
        "name": TUNED,
        "temperature": "NaN",
        "tuningTask": {"snapshots": [{"step": 1, "meanLoss": "NaN"}]},
    }
    fake.say({"tunedModels": [diverged]})
    async with connect(base_url=fake.url, toolsets=("tuning",)) as client:
        [model] = (await do(client, "list_tuned_models"))["tuned_models"]
    assert model == {"name": TUNED, "tuning_task": {"snapshots": [{"step": 1}]}}
