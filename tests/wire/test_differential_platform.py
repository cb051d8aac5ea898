"""What the tools of the platform send is what google-genai sends: agents, environments and their files, triggers,
webhooks, voices, decisions, credentials.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import Connect
from tests.front.platforming import ON, do, unnamed

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

Json = dict[str, Any]
Turns = Callable[[Any], Awaitable[None]]
"""The same wishes, said to google-genai's asynchronous client, or to a client of this server."""

HEADERS = ("x-goog-upload-protocol", "x-goog-upload-command", "x-goog-upload-header-content-length",
           "x-goog-upload-header-content-type")  # fmt: skip
AGENT: Json = {
    "id": "shopkeeper", "base_agent": "antigravity-preview-09-2026", "system_instruction": "Keep the shop.",
    "tools": [{"type": "code_execution"}, {"type": "google_search"}],
    "base_environment": {"type": "remote", "network": {"allowlist": [{"domain": "example.com"}]}},
}  # fmt: skip
SPACE: Json = {"sources": [{"type": "inline", "content": "hi", "target": "a.txt"}], "network": "disabled"}
TRIGGER: Json = {
    "schedule": "0 7 * * *", "time_zone": "Europe/Zurich", "display_name": "Shop",
    "interaction": {"agent": "antigravity-preview-09-2026", "input": "x", "environment": "remote"},
}  # fmt: skip
HOOK: Json = {"uri": "https://hooks.example/x", "subscribed_events": ["batch.failed"], "name": "shop"}
KEY: Json = {"id": "key-1", "type": "bearer_token", "token": "tok-0123456789", "header_name": "X-Key", "prefix": ""}
QUESTIONS: Json = {
    "a": {"type": "noul", "instructions": "Is it?", "criteria": {"true_description": "it is"}},
    "b": {"type": "score", "instructions": "How much?", "criteria": ["little", "much"]},
    "c": {"type": "choice", "instructions": "Which?", "criteria": {"x": "this", "y": "that"}},
}  # fmt: skip
DATA = b"a,b\n1,2\n"


async def _agents(sdk: Any) -> None:
    await sdk.agents.create(**AGENT)
    await sdk.agents.list(page_size=100)
    await sdk.agents.get("shopkeeper")
    await sdk.agents.delete("shopkeeper")


async def _our_agents(ours: Client) -> None:
    await do(ours, "create_agent", **AGENT)
    await do(ours, "list_agents")
    await do(ours, "list_agents", id="shopkeeper")
    await do(ours, "delete_agent", id="shopkeeper")


async def _environments(sdk: Any) -> None:
    made = (await sdk.environments.create(**SPACE)).id
    await sdk.environments.list(page_size=100)
    await sdk.environments.get(made)
    await sdk.environments.files.list(made, "", page_size=100, recursive=True)
    await sdk.environments.files.upload(environment=made, path="data/b 1.csv", file=DATA, mime_type="text/csv")
    await sdk.environments.files.upload(
        environment=made, path="data/b 1.csv", file=DATA, mime_type="text/csv", overwrite=True
    )
    await sdk.environments.files.list(made, "data/b 1.csv", page_size=2)  # this server looks whether it is a file
    await sdk.environments.files.download(environment=made, path="data/b 1.csv")
    await sdk.environments.delete(made)


async def _our_environments(ours: Client) -> None:
    made = (await do(ours, "create_environment", **SPACE))["environment"]["id"]
    await do(ours, "list_environments")
    await do(ours, "list_environments", id=made)
    await do(ours, "list_environment_files", id=made, recursive=True)
    given = {"id": made, "source": "data:text/csv;base64,YSxiCjEsMgo=", "path": "data/b 1.csv"}
    await do(ours, "upload_environment_file", **given)
    await do(ours, "upload_environment_file", **given, overwrite=True)
    await do(ours, "download_environment_file", id=made, path="data/b 1.csv", wait_seconds=20)
    await do(ours, "delete_environment", id=made)


async def _triggers(sdk: Any) -> None:
    made = (await sdk.triggers.create(**TRIGGER)).id
    await sdk.triggers.list(page_size=100)
    await sdk.triggers.get(made)
    await sdk.triggers.update(made, status="paused")
    await sdk.triggers.run(made)
    await sdk.triggers.list_executions(made, page_size=100)
    await sdk.triggers.delete(made)


async def _our_triggers(ours: Client) -> None:
    made = (await do(ours, "create_trigger", **TRIGGER))["trigger"]["id"]
    await do(ours, "list_triggers")
    await do(ours, "list_triggers", id=made)
    await do(ours, "update_trigger", id=made, status="paused")
    await do(ours, "run_trigger", id=made)
    await do(ours, "list_trigger_executions", id=made)
    await do(ours, "delete_trigger", id=made)


async def _webhooks(sdk: Any) -> None:
    made = (await sdk.webhooks.create(**HOOK)).id
    await sdk.webhooks.list(page_size=100)
    await sdk.webhooks.get(made)
    await sdk.webhooks.update(made, update_mask="name,state", name="other", state="disabled")
    await sdk.webhooks.rotate_signing_secret(made, revocation_behavior="revoke_previous_secrets_immediately")
    await sdk.webhooks.delete(made)


async def _our_webhooks(ours: Client) -> None:
    made = (await do(ours, "create_webhook", **HOOK))["webhook"]["id"]
    await do(ours, "list_webhooks")
    await do(ours, "list_webhooks", id=made)
    await do(ours, "update_webhook", id=made, name="other", state="disabled")
    await do(ours, "rotate_webhook_secret", id=made, revocation_behavior="revoke_previous_secrets_immediately")
    await do(ours, "delete_webhook", id=made)


async def _voices(sdk: Any) -> None:
    voice = {"type": "prompted", "prompted": {"input": "A calm narrator"}, "display_name": "Nora", "pitch": "low"}
    made = (await sdk.voices.create(voice=voice, store=True)).id
    await sdk.voices.list(page_size=100, type_=["prompted"], language_code=["en-GB", "de-DE"], search="calm")
    await sdk.voices.get(made)
    await sdk.voices.delete(made)


async def _our_voices(ours: Client) -> None:
    given = {"prompt": "A calm narrator", "display_name": "Nora", "pitch": "low"}
    made = (await do(ours, "create_voice", **given))["voice"]["id"]
    await do(ours, "list_voices", type=["prompted"], language_code=["en-GB", "de-DE"], search="calm")
    await do(ours, "list_voices", id=made)
    await do(ours, "delete_voice", id=made)


async def _decisions(sdk: Any) -> None:
    await sdk.decisions.create(model="models/gemini-3.8-flash", input="It is.", questions=QUESTIONS)


async def _our_decisions(ours: Client) -> None:
    await do(ours, "create_decision", input="It is.", questions=QUESTIONS)


async def _credentials(sdk: Any) -> None:
    await sdk.credentials.create(**KEY)
    await sdk.credentials.list(page_size=100)
    await sdk.credentials.get("key-1")
    await sdk.credentials.update("key-1", type="bearer_token", token="tok-9876543210", update_mask="token")
    await sdk.credentials.delete("key-1")


async def _our_credentials(ours: Client) -> None:
    await do(ours, "create_credential", **KEY)
    await do(ours, "list_credentials")
    await do(ours, "list_credentials", id="key-1")
    await do(ours, "update_credential", id="key-1", type="bearer_token", token="tok-9876543210")
    await do(ours, "delete_credential", id="key-1")


def said(emulator: Emulator) -> list[Json]:
    """The essence of what went out, with ids named alike, uploads with the headers of their start."""
    found: list[Json] = []
    for one in emulator.requests:
        made: Json = {name: one.get(name) for name in ("method", "body")}
        made["path"] = unnamed(str(one["path"])).replace("%20", " ")
        query = {name: str(value).lower() for name, value in one["query"].items() if name != "upload_id"}
        made["query"] = query
        command = one["headers"].get("x-goog-upload-command")
        made["upload"] = {name: one["headers"].get(name) for name in HEADERS} if command == "start" else command
        found.append(made)
    return found


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (_agents, _our_agents),
        (_environments, _our_environments),
        (_triggers, _our_triggers),
        (_webhooks, _our_webhooks),
        (_voices, _our_voices),
        (_decisions, _our_decisions),
        (_credentials, _our_credentials),
    ],
    ids=["agents", "environments", "triggers", "webhooks", "voices", "decisions", "credentials"],
)
async def test_every_method_sends_what_googles_sdk_sends(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], theirs: Turns, ours: Turns
) -> None:
    client, _ = sdk
    await theirs(client.aio)
    expected = said(emulator)
    emulator.clear_requests()
    async with connect(**ON) as mine:
        await ours(mine)
    assert said(emulator) == expected
