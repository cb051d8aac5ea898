"""Interactions asked of Google's own SDK and of this server are the same to Gemini: models, agents, research."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, structured

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

Json = dict[str, Any]

FUNCTION: Json = {
    "name": "weather",
    "description": "the weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
RESEARCHER = "deep-research-preview-04-2026"


def seen(emulator: Emulator) -> list[tuple[str, str, Json, Json | None]]:
    """Method, path, query and body of what came, with ids named alike."""
    found: list[tuple[str, str, Json, Json | None]] = []
    for one in emulator.requests:
        head, _, rest = one["path"].removeprefix("/v1beta/").partition("/")
        name = f"{head}/ID{'/cancel' if rest.endswith('/cancel') else ''}" if rest else head
        body = dict(one["body"]) if one["body"] else None
        if body and isinstance(body.get("input"), list) and body["input"][0]["type"] == "user_input":
            body["input"] = body["input"][0]["content"]  # the SDK makes a step of a list of contents
        if body and "previous_interaction_id" in body:
            body["previous_interaction_id"] = "ID"
        query = {key: value for key, value in dict(one["query"]).items() if value != "false"}  # the SDK says defaults
        found.append((one["method"], name, query, body))
    return found


CALLS: dict[str, tuple[Json, Json]] = {
    "words": (
        {"model": "gemini-3.8-flash", "input": "hello", "store": False},
        {"model": "gemini-3.8-flash", "input": "hello"},
    ),
    "everything": (
        {
            "model": "gemini-3.8-flash", "input": "hello", "store": True, "system_instruction": "Be brief.",
            "tools": [
                {"type": "google_search", "search_types": ["web_search"]}, {"type": "url_context"},
                {"type": "function", **FUNCTION},
            ],
            "generation_config": {
                "thinking_level": "low", "thinking_summaries": "auto", "max_output_tokens": 100, "seed": 3,
                "stop_sequences": ["END"], "tool_choice": "auto",
            },
            "labels": {"team": "blue"}, "service_tier": "flex",
            "safety_settings": [{"type": "harassment", "threshold": "block_only_high"}],
        },
        {
            "input": "hello", "model": "gemini-3.8-flash", "system": "Be brief.",
            "tools": [{"type": "google_search", "search_types": ["web_search"]}, "urls", FUNCTION],
            "thinking": "low", "thoughts": True, "max_output_tokens": 100, "seed": 3, "stop": ["END"],
            "tool_choice": "auto", "labels": {"team": "blue"}, "service_tier": "flex",
            "safety": {"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"},
        },
    ),
    "json": (
        {
            "model": "gemini-3.8-flash", "input": "hello", "store": False,
            "response_format": {"type": "text", "mime_type": "application/json", "schema": {"type": "object"}},
        },
        {"input": "hello", "model": "gemini-3.8-flash", "json_schema": {"type": "object"}},
    ),
    "in the background": (
        {
            "model": "gemini-3.8-flash", "input": "hello", "store": True, "background": True,
            "webhook_config": {"uris": ["https://hook.example/"], "user_metadata": {"a": 1}},
        },
        {
            "model": "gemini-3.8-flash", "input": "hello", "background": True, "wait_seconds": 0,
            "webhook": {"uris": ["https://hook.example/"], "user_metadata": {"a": 1}},
        },
    ),
    "media": (
        {
            "model": "gemini-3.8-flash", "store": False,
            "input": [
                {"type": "video", "uri": "https://youtu.be/abc"},
                {"type": "document", "uri": "https://a.example/b.pdf", "mime_type": "application/pdf"},
                {"type": "text", "text": "hello"},
            ],
        },
        {
            "input": "hello", "model": "gemini-3.8-flash",
            "attachments": ["https://youtu.be/abc", "https://a.example/b.pdf"],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
async def test_a_turn_is_the_sdks(connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], name: str) -> None:
    theirs, ours = CALLS[name]
    await sdk[0].aio.interactions.create(**theirs)
    async with connect(toolsets=("interactions",)) as client:
        structured(await client.call_tool("create_interaction", ours))
        with anyio.fail_after(5):
            while len(emulator.requests) < 2:  # a job is sent when the call has come back
                await anyio.lowlevel.checkpoint()
    first, second = seen(emulator)[:2]
    assert first == second


async def test_a_stored_turn_is_looked_at_gone_on_from_and_deleted_as_by_the_sdk(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    interactions = sdk[0].aio.interactions
    tools = [{"type": "function", **FUNCTION}]
    asked: Json = {"model": "gemini-3.8-flash", "store": True, "tools": tools}
    begun = await interactions.create(input="What is the weather in Rome?", **asked)
    call = next(step for step in begun.steps if step.type == "function_call")
    result = {"type": "function_result", "call_id": call.id, "result": {"celsius": 20}}
    await interactions.create(input=[result], previous_interaction_id=begun.id, **asked)
    await interactions.get(begun.id, include_input=True)
    await interactions.delete(begun.id)
    theirs = seen(emulator)
    emulator.clear_requests()
    async with connect(toolsets=("interactions",)) as client:

        async def call_tool(tool: str, **arguments: Any) -> Json:
            return structured(await client.call_tool(tool, arguments))

        first = await call_tool("create_interaction", input="What is the weather in Rome?", tools=[FUNCTION])
        results = [{"id": first["function_calls"][0]["id"], "response": {"celsius": 20}}]
        await call_tool("create_interaction", previous=first["id"], function_results=results, tools=[FUNCTION])
        await call_tool("get_interaction", id=first["id"], include_input=True)
        await call_tool("delete_interaction", id=first["id"])
    ours = seen(emulator)
    assert ours == theirs
    assert [(method, path) for method, path, _, _ in ours] == [
        ("POST", "interactions"), ("POST", "interactions"), ("GET", "interactions/ID"), ("DELETE", "interactions/ID"),
    ]  # fmt: skip


async def test_research_is_begun_followed_and_stopped_as_by_the_sdk(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    interactions = sdk[0].aio.interactions
    config = {"type": "deep-research", "thinking_summaries": "auto", "collaborative_planning": True}
    said = "How do foxes live? [emulate: lasts=60s]"
    begun = await interactions.create(agent=RESEARCHER, input=said, agent_config=config, background=True, store=True)
    stream = await interactions.get(begun.id, stream=True)
    async for _ in stream:
        break
    await interactions.cancel(begun.id)
    theirs = seen(emulator)
    emulator.clear_requests()
    async with partial(connect, poll=0.01)(toolsets=("default", "research")) as client:
        arguments = {"question": said, "plan_only": True, "wait_seconds": 0.4}
        job = structured(await client.call_tool("start_research", arguments))
        assert job["status"] == "running"
        structured(await client.call_tool("cancel_job", {"job": job["id"]}))
    assert seen(emulator)[:3] == theirs
    assert [path for _, path, _, _ in theirs] == ["interactions", "interactions/ID", "interactions/ID/cancel"]
