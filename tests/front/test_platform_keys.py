"""Webhooks and credentials through the front door: secrets are given away once, or never, and stand in no log."""

from __future__ import annotations

import logging

import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, structured, text_of
from tests.front.conftest import FakeGemini, Reply, sent
from tests.front.platforming import ON, Json, do, fails

pytestmark = pytest.mark.anyio

HOOK: Json = {"uri": "https://hooks.example/gemini", "subscribed_events": ["batch.succeeded", "video.generated"]}
SECRET = "tok-0123456789-abcdef"
BEARER: Json = {"type": "bearer_token", "token": SECRET}
OAUTH: Json = {
    "type": "oauth2", "client_id": "shop", "client_secret": SECRET, "refresh_token": f"{SECRET}-r",
    "token_url": "https://id.example/token", "scopes": ["read"],
}  # fmt: skip
VARIABLE: Json = {"type": "environment_variable", "value": SECRET, "injection_location": ["header", "query"],
                  "trusted_domains": ["api.example.com"]}  # fmt: skip


async def forget(client: Client, tool: str) -> None:
    """Delete what is there: the emulator outlives a test."""
    kind = tool.removeprefix("list_")
    for one in (await do(client, tool))[kind]:
        await do(client, f"delete_{kind[:-1]}", id=one["id"])


@pytest.mark.parametrize("mode", ERAS)
async def test_the_secret_of_a_webhook_is_shown_once_and_never_again(
    connect: Connect, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with connect(mode=mode, **ON) as client:
        result = await client.call_tool("create_webhook", {**HOOK, "name": "shop"})
        made = structured(result)["webhook"]
        secret = made.pop("new_signing_secret")
        assert secret.startswith("whsec_")
        assert secret in text_of(result), "clients that show text alone have it too"
        assert (made["uri"], made["name"], made["state"]) == (HOOK["uri"], "shop", "enabled")
        listed = [await do(client, "list_webhooks"), await do(client, "list_webhooks", id=made["id"])]
        assert all(secret not in str(one) for one in listed)
        rotated = await do(client, "rotate_webhook_secret", id=made["id"])
        assert rotated["secret"].startswith("whsec_")
        assert rotated["secret"] != secret
        assert rotated["secret"] not in str(await do(client, "list_webhooks"))
        await forget(client, "list_webhooks")
    lines = [record.getMessage() for record in caplog.records]
    assert not [line for line in lines if secret in line or rotated["secret"] in line]


async def test_a_webhook_is_changed_pinged_and_deleted(connect: Connect, emulator: Emulator) -> None:
    async with connect(**ON) as client:
        made = (await do(client, "create_webhook", **HOOK))["webhook"]["id"]
        changed = (await do(client, "update_webhook", id=made, state="disabled", name="shop"))["webhook"]
        assert (changed["state"], changed["name"], changed["uri"]) == ("disabled", "shop", HOOK["uri"])
        assert emulator.requests[-1]["query"] == {"update_mask": "name,state"}
        assert sent(emulator) == {"name": "shop", "state": "disabled"}
        assert await do(client, "delete_webhook", id=made) == {"deleted": made}
        assert "list_webhooks shows" in await fails(client, "ping_webhook", id=made)


async def test_a_ping_says_whom_it_was_for(connect: Connect, fake: FakeGemini) -> None:
    fake.say({})
    async with connect(base_url=fake.url, **ON) as client:
        assert await do(client, "ping_webhook", id="w-1") == {"pinged": "w-1"}
    assert (fake.paths, fake.requests) == (["/v1beta/webhooks/w-1:ping"], [{}])


@pytest.mark.parametrize("wrong", [{"subscribed_events": []}, {"uri": "ftp://x"}, {"subscribed_events": ["all"]}])
async def test_a_webhook_that_cannot_be_is_refused_before_sending(
    connect: Connect, emulator: Emulator, wrong: Json
) -> None:
    async with connect(**ON) as client:
        assert next(iter(wrong)) in await fails(client, "create_webhook", **{**HOOK, **wrong})
    assert not emulator.requests


@pytest.mark.parametrize("given", [BEARER, OAUTH, VARIABLE], ids=lambda one: one["type"])
async def test_a_credential_goes_to_google_and_its_secret_nowhere_else(
    connect: Connect, emulator: Emulator, caplog: pytest.LogCaptureFixture, given: Json
) -> None:
    caplog.set_level(logging.DEBUG)
    async with connect(**ON) as client:
        result = await client.call_tool("create_credential", {"id": "shop-key", **given})
        made = structured(result)["credential"]
        assert sent(emulator) == {"id": "shop-key", **given}
        assert (made["id"], made["type"], made["status"]) == ("shop-key", given["type"], "active")
        assert made in (await do(client, "list_credentials"))["credentials"]
        change = {name: value for name, value in given.items() if name in ("type", "token", "value", "client_secret")}
        changed = await do(client, "update_credential", id="shop-key", **change)
        assert sent(emulator) == change
        assert emulator.requests[-1]["query"] == {"update_mask": next(name for name in change if name != "type")}
        assert await do(client, "delete_credential", id="shop-key") == {"deleted": "shop-key"}
    assert SECRET not in str([text_of(result), made, changed])
    assert not [record for record in caplog.records if SECRET in record.getMessage()]


@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("create_credential", {"type": "bearer_token"}, "a credential of the type bearer_token needs token"),
        ("create_credential", {"type": "bearer_token", "token": SECRET, "value": SECRET}, "takes no value"),
        ("create_credential", {"type": "password", "token": SECRET}, "type: input should be"),
        ("update_credential", {"type": "bearer_token"}, "Nothing is given that is to change"),
    ],
)
async def test_a_credential_that_cannot_be_is_refused_without_its_secret(
    connect: Connect, emulator: Emulator, tool: str, given: Json, words: str
) -> None:
    async with connect(**ON) as client:
        text = await fails(client, tool, id="x", **given)
    assert words in text
    assert SECRET not in text
    assert not emulator.requests


async def test_a_refusal_that_repeats_the_secret_does_not_bring_it_back(connect: Connect, fake: FakeGemini) -> None:
    fake.say(Reply({"error": {"code": "invalid_request", "message": f"The token {SECRET} is too short"}}, status=400))
    async with connect(base_url=fake.url, **ON) as client:
        text = await fails(client, "create_credential", id="x", **BEARER)
    assert "The token [hidden] is too short" in text


async def test_a_secret_that_did_not_come_is_no_fault_of_this_server(fake: FakeGemini, connect: Connect) -> None:
    fake.say({})
    async with connect(**ON, base_url=fake.url) as client:
        told = await fails(client, "rotate_webhook_secret", id="w1")
    assert "has no secret" in told
    assert len(fake.requests) == 1


async def test_a_long_list_is_short_to_read_and_one_of_it_is_whole(fake: FakeGemini, connect: Connect) -> None:
    long = "word " * 600
    fake.say({"agents": [{"id": f"a{number}", "system_instruction": long} for number in range(100)]})
    async with connect(**ON, base_url=fake.url) as client:
        listed = await do(client, "list_agents")
        fake.say({"id": "a1", "system_instruction": long})
        [one] = (await do(client, "list_agents", id="a1"))["agents"]
    assert len(listed["agents"]) == 100
    assert max(len(agent["system_instruction"]) for agent in listed["agents"]) == 300
    assert one["system_instruction"] == long


async def test_a_number_that_json_has_not_does_not_cost_the_answers(fake: FakeGemini, connect: Connect) -> None:
    usage = {"total_input_tokens": 3, "total_tokens": 3}
    fake.say({"answers": {"q": {"type": "noul", "noul": "NaN", "confidence": 0.5}}, "usage": usage})
    async with connect(**ON, base_url=fake.url) as client:
        questions = {"q": {"type": "noul", "instructions": "Is it?"}}
        made = await do(client, "create_decision", input="x", questions=questions)
    assert made["answers"] == {"q": {"type": "noul", "confidence": 0.5}}
