"""Two callers of one key, over HTTP, each on a replica of his own: what one has made at Google is to the other as if it
were not there, in every tool that names it, lists it or lets Google read it."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents

from gemini_emulator import Emulator, Options, running
from tests.conftest import LOG, error_of, structured
from tests.front.conftest import TODAY
from tests.front.processes import MODERN, World, http
from tests.front.test_http import ALICE, BOB, connected

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]

Json = dict[str, Any]

SECRET = "The launch is on Tuesday. "
DOCUMENT = f"data:text/plain;base64,{base64.b64encode(SECRET.encode() * 40).decode()}"
HOST = "https://generativelanguage.googleapis.com"
MODEL = "gemini-3.8-flash"
ANTIGRAVITY = "antigravity-preview-09-2026"


@dataclass
class Callers:
    """Alice on one replica, Bob on another."""

    alice: Client
    bob: Client
    emulator: Emulator
    allowed: Path

    async def made(self, tool: str, **arguments: Any) -> Json:
        """What Alice makes."""
        return structured(await self.alice.call_tool(tool, arguments))

    async def unseen(self, real: str, unknown: str, calls: Sequence[tuple[str, Json]]) -> None:
        """Bob's calls fail with the same words, and the same code, for Alice's name and for one that never was."""
        for tool, arguments in calls:
            found: list[str] = []
            for name in (real, unknown):
                given = json.loads(json.dumps(arguments).replace("NAME", name))
                result = await self.bob.call_tool(tool, given)
                code = (result.meta or {}).get("gemini-toolserver/error")
                found.append(f"{error_of(result)} {code}".replace(name, "NAME"))
            assert found[0] == found[1], tool

    async def refused(self, real: str, calls: Sequence[tuple[str, Json]]) -> None:
        """Bob's calls fail before anything is sent."""
        self.emulator.clear_requests()
        for tool, arguments in calls:
            given = json.loads(json.dumps(arguments).replace("NAME", real))
            said = error_of(await self.bob.call_tool(tool, given))
            assert "There is no" in said or "Google has no" in said, (tool, said)
        assert self.emulator.requests == []

    async def unlisted(self, name: str, tool: str, resource: str = "", **arguments: Any) -> None:
        """Alice's list has it, Bob's lists have not."""
        assert name in json.dumps(await self.made(tool, **arguments))
        assert name not in json.dumps(structured(await self.bob.call_tool(tool, arguments)))
        if resource:
            [content] = (await self.bob.read_resource(resource)).contents
            assert isinstance(content, TextResourceContents)
            assert name not in content.text


@pytest.fixture(scope="module", name="standing_emulator")
def own_emulator() -> Iterator[Emulator]:
    """An emulator of their own: they leave a little of everything behind."""
    options = Options(log=Path(LOG) if LOG else None, today=TODAY)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


@pytest.fixture
async def callers(tmp_path: Path, emulator: Emulator) -> AsyncGenerator[Callers]:
    (tmp_path / "tokens").write_text(f"alice:{ALICE}\nbob:{BOB}\n")
    (allowed := tmp_path / "allowed").mkdir()
    world = World(tmp_path, emulator.url)
    flags = ("--token-file", str(tmp_path / "tokens"), "--toolsets", "all")
    async with AsyncExitStack() as stack:
        env = {"GEMINI_TOOLSERVER_POLL": "0.05", "GEMINI_TOOLSERVER_ALLOW_DIRS": str(allowed)}
        servers = [await stack.enter_async_context(http(world, *flags, **env)) for _ in "12"]
        one, other = [
            await stack.enter_async_context(connected(server, MODERN, token))
            for server, token in zip(servers, (ALICE, BOB), strict=True)
        ]
        yield Callers(one, other, emulator, allowed)


def by_name(endpoint: str, body: Json | None = None, path: str | None = None) -> tuple[str, Json]:
    """A call of a method by its name."""
    given = {"endpoint": endpoint, "path": path, "body": body, "check": False}
    return "call_endpoint", {name: value for name, value in given.items() if value is not None}


async def test_what_one_caller_makes_at_google_is_not_there_for_another(callers: Callers) -> None:
    await caches(callers)
    await stores(callers)
    await interactions_and_workspaces(callers)
    await platform(callers)
    await files(callers)
    await generated(callers)


async def caches(callers: Callers) -> None:
    name = (await callers.made("create_cache", text=SECRET * 2000, display_name="plans"))["cache"]["name"]
    calls: list[tuple[str, Json]] = [
        ("list_caches", {"name": "NAME"}),
        ("generate_text", {"prompt": "What is in it?", "cache": "NAME"}),
        ("update_cache", {"name": "NAME", "ttl_seconds": 60}),
        ("delete_cache", {"name": "NAME"}),
    ]
    await callers.unseen(name, "cachedContents/never0was", calls)
    said = {"contents": [{"parts": [{"text": "x"}]}], "cachedContent": "NAME"}
    await callers.refused(
        name,
        [
            by_name("cachedContents.get", path="NAME"),
            by_name("cachedContents.delete", path="NAME"),
            by_name("models.generateContent", said, MODEL),
            ("create_batch", {"requests": [{"prompt": "x", "cache": "NAME"}]}),
            ("chat_completion", {"prompt": "x", "extra_body": {"google": {"cached_content": "NAME"}}}),
        ],
    )
    with pytest.raises(MCPError, match="Google has no cache"):
        await callers.bob.read_resource(f"gemini://caches/{name.partition('/')[2]}")
    assert name not in str(structured(await callers.bob.call_tool(*by_name("cachedContents.list"))))
    await callers.unlisted(name, "list_caches", "gemini://caches")
    answer = await callers.made("generate_text", prompt="What is in it?", cache=name)
    assert answer["text"], "its owner goes on as before"


async def stores(callers: Callers) -> None:
    name = (await callers.made("create_store", display_name="plans"))["store"]["name"]
    added = await callers.made("add_to_store", store=name, source=DOCUMENT, wait_seconds=20)
    document = added["document"]["name"].rpartition("/")[2]
    calls: list[tuple[str, Json]] = [
        ("list_stores", {"name": "NAME"}),
        ("search_stores", {"question": "When is the launch?", "stores": ["NAME"]}),
        ("generate_text", {"prompt": "When is the launch?", "stores": ["NAME"]}),
        ("add_to_store", {"store": "NAME", "source": DOCUMENT}),
        ("list_documents", {"store": "NAME"}),
        ("list_documents", {"store": "NAME", "name": document}),
        ("delete_document", {"name": f"NAME/documents/{document}", "force": True}),
        ("delete_store", {"name": "NAME", "force": True}),
    ]
    await callers.unseen(name, "fileSearchStores/never-was-0", calls)
    searches = [{"type": "file_search", "file_search_store_names": ["NAME"]}]
    await callers.refused(
        name,
        [
            ("create_interaction", {"input": "When is the launch?", "model": MODEL, "tools": searches}),
            ("start_research", {"question": "When is the launch?", "stores": ["NAME"], "wait_seconds": 0}),
            ("create_batch", {"requests": [{"prompt": "When?", "stores": ["NAME"]}], "wait_seconds": 0}),
            by_name("fileSearchStores.documents.list", path="NAME"),
        ],
    )
    await callers.unlisted(name, "list_stores", "gemini://stores")


async def interactions_and_workspaces(callers: Callers) -> None:
    interaction = (await callers.made("create_interaction", input=SECRET, model=MODEL, store=True))["id"]
    environment = (await callers.made("create_environment"))["environment"]["id"]
    await callers.made("upload_environment_file", id=environment, source=DOCUMENT, path="a.txt")
    await callers.refused(
        interaction,
        [
            ("get_interaction", {"id": "NAME", "include_input": True}),
            ("delete_interaction", {"id": "NAME"}),
            ("cancel_interaction", {"id": "NAME"}),
            ("create_interaction", {"input": "When?", "model": MODEL, "previous": "NAME"}),
            by_name("interactions.get", path="interactions/NAME"),
            by_name("triggers.create", {"interaction": {"input": "When?", "previous_interaction_id": "NAME"}}),
        ],
    )
    calls: list[tuple[str, Json]] = [
        ("list_environments", {"id": "NAME"}),
        ("list_environment_files", {"id": "NAME"}),
        ("list_environment_files", {"id": "NAME", "path": "a.txt"}),
        ("download_environment_file", {"id": "NAME", "path": "a.txt"}),
        ("upload_environment_file", {"id": "NAME", "source": DOCUMENT, "path": "a.txt", "overwrite": True}),
        ("delete_environment", {"id": "NAME"}),
    ]
    await callers.unseen(environment, "env_0never0was0", calls)
    await callers.refused(
        environment,
        [
            ("create_environment", {"from_environment": "NAME"}),
            ("create_interaction", {"input": "Show a.txt", "agent": ANTIGRAVITY, "environment": "NAME"}),
            by_name("environments.files.get", path="environments/NAME/files/a.txt"),
        ],
    )
    await callers.unlisted(environment, "list_environments")
    long = "a/" * 300
    await callers.refused(environment, [by_name("environments.files.get", path=f"environments/NAME/files/{long}b")])
    for background in (False, True):
        given = {"agent": ANTIGRAVITY, "input": SECRET, "environment": "remote", "background": background}
        told = await callers.made("create_interaction", **given)
        made = told.get("environment")
        assert made, told
        await callers.unlisted(made, "list_environments")


async def platform(callers: Callers) -> None:
    hook = {"uri": "https://hooks.example/x", "subscribed_events": ["batch.succeeded"], "name": "shop"}
    made: dict[str, Json] = {
        "agent": {"id": "planner", "base_agent": ANTIGRAVITY, "system_instruction": SECRET},
        "credential": {"id": "shop-key", "type": "bearer_token", "token": "a-token-of-the-shop"},
        "voice": {"prompt": "Warm and slow"},
        "webhook": hook,
    }
    for kind, arguments in made.items():
        name = (await callers.made(f"create_{kind}", **arguments))[kind]["id"]
        calls: list[tuple[str, Json]] = [(f"list_{kind}s", {"id": "NAME"}), (f"delete_{kind}", {"id": "NAME"})]
        await callers.unseen(name, "never-was", calls)
        await callers.unlisted(name, f"list_{kind}s")
        if kind == "voice":
            speeches: list[tuple[str, Json]] = [
                ("synthesize_speech", {"text": "Hello", "voice": "NAME"}),
                ("synthesize_speech", {"text": "A: Hi\nB: Hi", "speakers": {"A": "Kore", "B": "voices/NAME"}}),
                ("create_live_token", {"constraints": {"voice": "NAME"}}),
            ]
            await callers.refused(name, speeches)
    await callers.refused("planner", [("create_interaction", {"input": "Plan", "agent": " NAME "})])
    # What is only called the same is Bob's own affair.
    elsewhere = {**hook, "uri": "https://hooks.example/agents/planner"}
    assert structured(await callers.bob.call_tool("create_webhook", elsewhere))
    allowed = {"network": {"allowlist": [{"domain": "mine.example", "credential": "NAME"}]}}
    await callers.refused("shop-key", [("create_environment", allowed)])


async def files(callers: Callers) -> None:
    line = json.dumps({"key": "1", "request": {"contents": [{"parts": [{"text": SECRET}]}]}})
    source = f"data:application/jsonl;base64,{base64.b64encode(line.encode()).decode()}"
    before = [one["name"] for one in (await callers.made("list_files"))["files"]]
    name = (await callers.made("upload_file", source=source))["file"]["name"]
    at = f"{HOST}/v1beta/{name}"
    said = {"contents": [{"parts": [{"text": "What is in it?"}, {"fileData": {"fileUri": at}}]}]}
    lines = json.dumps({"key": "1", "request": said})
    (callers.allowed / "mine.jsonl").write_text(lines)
    document = {"type": "document", "uri": at, "mime_type": "application/pdf"}
    spellings = [at, f"{at}?alt=media", f"{HOST.upper().replace('HTTPS', 'https')}/v1beta/{name}"]
    await callers.refused(
        name,
        [
            ("create_batch", {"source": "NAME"}),
            ("create_batch", {"source": str(callers.allowed / "mine.jsonl")}),
            ("create_interaction", {"input": [document], "model": MODEL}),
            *(("generate_text", {"prompt": "x", "attachments": [one]}) for one in spellings),
        ],
    )
    # The answers of a batch lie at Google as a file, too.
    job = await callers.made("create_batch", source=name, wait_seconds=20)
    assert job["status"] == "done"
    named = [one["name"] for one in (await callers.made("list_files"))["files"] if one["name"] not in before]
    [answers] = [one for one in named if one.startswith("files/batch-")]
    await callers.refused(answers, [("list_files", {"name": "NAME"}), ("download_file", {"name": "NAME"})])


async def generated(callers: Callers) -> None:
    before = [one["name"] for one in (await callers.made("list_files"))["files"]]
    film = await callers.made("generate_video", prompt="A fox", wait_seconds=20)
    assert film["status"] == "done"
    names = [one["name"] for one in (await callers.made("list_files"))["files"] if one["name"] not in before]
    assert names
    for name in names:
        calls: list[tuple[str, Json]] = [
            ("list_files", {"name": "NAME"}),
            ("download_file", {"name": "NAME"}),
            ("analyze_media", {"media": ["NAME"], "question": "What is it?"}),
            ("delete_file", {"name": "NAME"}),
        ]
        await callers.refused(name, calls)
        await callers.unlisted(name, "list_files", "gemini://files")
