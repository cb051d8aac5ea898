"""Every operation of the Interactions family is reached by a tool: all are called, and the emulator has seen all."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server.api import reference
from tests.conftest import Connect, structured
from tests.front.conftest import Json

pytestmark = pytest.mark.anyio

OPERATIONS = 38
"""As many as Google's schema of the family has."""


async def do(client: Client, tool: str, **arguments: Any) -> Json:
    return structured(await client.call_tool(tool, arguments))


async def call_them_all(client: Client) -> None:
    """Everything that the family can do, by the tools that do it."""
    # interactions: create, get, cancel, delete
    kept = (await do(client, "create_interaction", input="Say hello", store=True))["id"]
    await do(client, "get_interaction", id=kept)
    await do(client, "delete_interaction", id=kept)
    going = await do(client, "create_interaction", input="[emulate: polls=9999] Go on", background=True, wait_seconds=0)
    job = await do(client, "get_job", job=going["job"]["id"], wait_seconds=1)
    await do(client, "cancel_job", job=job["id"])
    # agents and environments, with their files
    environment = (await do(client, "create_environment"))["environment"]["id"]
    await do(client, "list_environments")
    await do(client, "list_environments", id=environment)
    await do(client, "upload_environment_file", id=environment, source="a.txt", path="in/a.txt")
    await do(client, "list_environment_files", id=environment)
    await do(client, "download_environment_file", id=environment, path="in/a.txt")
    agent = (await do(client, "create_agent", id="helper", base_agent="antigravity-preview-09-2026"))["agent"]["id"]
    await do(client, "list_agents")
    await do(client, "list_agents", id=agent)
    # triggers and their executions
    runs = {"agent": agent, "input": "Look around", "environment": "remote"}
    trigger = (await do(client, "create_trigger", schedule="0 7 * * *", time_zone="UTC", interaction=runs))["trigger"]
    await do(client, "list_triggers")
    await do(client, "list_triggers", id=trigger["id"])
    await do(client, "update_trigger", id=trigger["id"], display_name="morning")
    await do(client, "run_trigger", id=trigger["id"])
    await do(client, "list_trigger_executions", id=trigger["id"])
    await do(client, "delete_trigger", id=trigger["id"])
    await do(client, "delete_agent", id=agent)
    await do(client, "delete_environment", id=environment)
    # webhooks
    events = ["batch.succeeded"]
    webhook = (await do(client, "create_webhook", uri="http://127.0.0.1:9/x", subscribed_events=events))["webhook"][
        "id"
    ]
    await do(client, "list_webhooks")
    await do(client, "list_webhooks", id=webhook)
    await do(client, "update_webhook", id=webhook, name="other")
    await client.call_tool("ping_webhook", {"id": webhook})  # nobody listens at that address
    await do(client, "rotate_webhook_secret", id=webhook)
    await do(client, "delete_webhook", id=webhook)
    # voices, decisions, credentials
    voice = (await do(client, "create_voice", prompt="A calm narrator"))["voice"]["id"]
    await do(client, "list_voices", type=["prebuilt"])
    await do(client, "list_voices", id=voice)
    await do(client, "delete_voice", id=voice)
    question = {"type": "noul", "instructions": "Is it a greeting?"}
    await do(client, "create_decision", input="Hello", questions={"greeting": question})
    key = {"type": "bearer_token", "token": "t-0123456789"}
    credential = (await do(client, "create_credential", id="of-the-family", **key))["credential"]["id"]
    await do(client, "list_credentials")
    await do(client, "list_credentials", id=credential)
    await do(client, "update_credential", id=credential, type="bearer_token", token="t-9876543210")
    await do(client, "delete_credential", id=credential)


def seen(method: reference.Method, emulator: Emulator) -> bool:
    template = re.escape(method.path).replace(r"\{version\}", "v1beta")
    path = re.compile("/" + re.sub(r"\\{\w+\\}", "[^:?]+?", template) + "/?")
    return any(one["method"] == method.verb and path.fullmatch(one["path"]) for one in emulator.requests)


async def test_every_operation_of_the_family_is_reached_by_a_tool(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "a.txt").write_text("hello")
    async with partial(connect, poll=0.01, toolsets=("all",))() as client:
        await call_them_all(client)
    family = [one for one in reference.methods().values() if one.family == "interactions"]
    assert len(family) == OPERATIONS
    assert [one.name for one in family if not seen(one, emulator)] == []
