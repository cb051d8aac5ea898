"""Resources through the front door: which there are, and what an unknown one answers."""

from __future__ import annotations

import json

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, structured
from tests.front.conftest import Json, ask, submit

pytestmark = pytest.mark.anyio

WEATHER: Json = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.mark.parametrize("mode", ERAS)
async def test_what_can_be_read_is_listed(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        fixed = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
    assert {"gemini://models", "gemini://usage"} <= {str(one.uri) for one in fixed}
    assert {"gemini://models/{id}", "gemini://conversations/{id}"} <= {str(one.uri_template) for one in templates}
    assert {one.mime_type for one in fixed} == {"application/json"}
    assert {str(one.uri_template): one.mime_type for one in templates if one.mime_type != "application/json"} == {
        "gemini://artifacts/{id}": None,
        "gemini://artifacts/{id}/preview": "image/webp",
    }
    assert all(one.description for one in fixed)
    assert all(one.description for one in templates)


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize(
    "uri",
    [
        "gemini://nothing",
        "gemini://models/a/b",
        "gemini://models/",
        "gemini://conversations/",
        "gemini://conversations/c_unknown",
        "gemini://conversations/..%2F..%2Fetc%2Fpasswd",
        "gemini://models/gemini-99",
        "file:///etc/passwd",
    ],
)
async def test_an_unknown_resource_is_an_invalid_parameter_with_its_uri(
    connect: Connect, emulator: Emulator, uri: str, mode: str
) -> None:
    async with connect(mode=mode) as client:
        with pytest.raises(MCPError) as failed:
            await client.read_resource(uri)
    assert failed.value.error.code == -32602
    assert failed.value.error.data == {"uri": uri}
    assert "Traceback" not in failed.value.error.message


async def test_a_gemini_that_fails_is_an_internal_error_and_tells_why(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("status=402", path="models", times=None)
    async with connect() as client:
        with pytest.raises(MCPError) as failed:
            await client.read_resource("gemini://models")
    assert failed.value.error.code == -32603
    assert "credit of this Gemini account is used up" in failed.value.error.message


async def test_usage_is_empty_before_anything_is_spent(connect: Connect) -> None:
    async with connect() as client:
        content = (await client.read_resource("gemini://usage")).contents[0]
    assert json.loads(getattr(content, "text", "")) == {"days": []}


async def test_a_conversation_reads_as_its_turns_without_bytes_and_signatures(connect: Connect) -> None:
    async with connect() as client:
        first = await ask(
            client,
            "The weather in Zürich?",
            functions=[WEATHER],
            attachments=["data:text/plain;base64,aGVsbG8gd29ybGQ=", "https://example.org/a.png"],
            system="Be brief.",
        )
        call = first["function_calls"][0]
        structured(await submit(client, first["conversation"], {"id": call["id"], "response": {"sky": None}}))
        uri = f"gemini://conversations/{first['conversation']}"
        content = (await client.read_resource(uri)).contents[0]
    text: str = getattr(content, "text", "")
    kept = json.loads(text)
    assert kept["id"] == first["conversation"]
    assert kept["model"] == "gemini-3.8-flash"
    assert kept["system"] == "Be brief."
    assert [turn["role"] for turn in kept["turns"]] == ["user", "model", "user", "model"]
    assert kept["turns"][0]["attachments"] == ["text/plain inline", "https://example.org/a.png"]
    assert kept["turns"][1]["function_calls"][0]["name"] == "get_weather"
    assert kept["turns"][2]["function_results"][0]["response"] == {"sky": None}
    assert kept["turns"][3]["text"].startswith("[emulated]")
    assert "thoughtSignature" not in text
    assert "aGVsbG8" not in text


@pytest.mark.parametrize("mode", ERAS)
async def test_conversations_are_completed_by_the_start_of_their_id(connect: Connect, mode: str) -> None:
    template = ResourceTemplateReference(type="ref/resource", uri="gemini://conversations/{id}")
    async with connect(mode=mode) as client:
        identifier = (await ask(client, conversation="new"))["conversation"]
        found = await client.complete(template, {"name": "id", "value": identifier[:6]})
        nothing = await client.complete(template, {"name": "id", "value": "zzz"})
    assert found.completion.values == [identifier]
    assert nothing.completion.values == []


async def test_a_template_that_is_unknown_is_an_invalid_parameter(connect: Connect) -> None:
    template = ResourceTemplateReference(type="ref/resource", uri="gemini://nothing/{id}")
    async with connect() as client:
        with pytest.raises(MCPError) as failed:
            await client.complete(template, {"name": "id", "value": "a"})
    assert failed.value.error.code == -32602
