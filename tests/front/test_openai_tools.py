"""The tools of the openai toolset: on Google's `/v1beta/openai` with the key as a bearer, and on a gateway."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.emulator.drawing import RED, Drawing, recording
from tests.front.conftest import FakeGemini, Json, Reply, warned
from tests.front.test_dialect_openai import at, bodies, completion, streamed
from tests.front.test_dialect_openai import gateway as gateway
from tests.front.test_dialect_openai import gateways as gateways
from tests.front.test_functions import WEATHER

pytestmark = pytest.mark.anyio

PNG = Drawing(40, 40).paint("square", RED, 10, 10, 30, 30).png()
PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()


async def chat(client: Client, prompt: str | None = None, **more: Any) -> Json:
    """The structured result of chat_completion, which must succeed."""
    arguments = {"prompt": prompt, **more} if prompt else more
    return structured(await client.call_tool("chat_completion", arguments))


@pytest.mark.parametrize("mode", ERAS)
async def test_a_completion_of_googles_layer_with_the_key_as_a_bearer(
    connect: Connect, emulator: Emulator, mode: str
) -> None:
    async with connect(mode=mode, toolsets=("openai",)) as client:
        answer, heard = await streamed(
            client,
            "chat_completion",
            {"messages": [{"role": "system", "content": "Be brief."}], "prompt": "Hello", "reasoning_effort": "low"},
        )
    assert "".join(heard) == answer["text"]
    assert answer["finish_reason"] == "STOP"
    assert answer["usage"]["cost_usd"] > 0
    assert not answer.keys() & {"message", "job", "artifacts", "warnings"}
    (request,) = emulator.requests
    assert request["path"] == "/v1beta/openai/chat/completions"
    assert request["headers"]["authorization"] == "Bearer ***"
    assert "x-goog-api-key" not in request["headers"]
    assert [message["role"] for message in request["body"]["messages"]] == ["system", "user"]
    assert request["body"]["reasoning_effort"] == "low"


async def test_media_sources_are_opened_wherever_a_message_has_them(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "a.png").write_bytes(PNG)
    (tmp_path / "allowed" / "a.wav").write_bytes(recording(1, 1, 1))
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "a.png"}}]
    async with connect(toolsets=("openai",)) as client:
        answer = await chat(client, "And that?", messages=[{"role": "user", "content": parts}], attachments=["a.wav"])
        refused = error_of(
            await client.call_tool("chat_completion", {"prompt": "x", "attachments": ["data:video/mp4;base64,AAAA"]})
        )
    assert answer["untrusted"] == "files"
    assert "3.0 s" in answer["text"] or "40×40" in answer["text"]
    first, second = emulator.requests[0]["body"]["messages"]
    assert first["content"][1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert second["content"][0]["input_audio"]["format"] == "wav"
    assert "no video/mp4" in refused
    assert len(emulator.requests) == 1


async def test_the_message_of_a_call_goes_into_the_next_request(connect: Connect, emulator: Emulator) -> None:
    asked = {"role": "user", "content": "What is the weather in Zürich?"}
    async with connect(toolsets=("openai",)) as client:
        first = await chat(client, messages=[asked], functions=[WEATHER])
        (call,) = first["function_calls"]
        told = {"role": "tool", "tool_call_id": call["id"], "content": '{"sky": "clear"}'}
        answer = await chat(client, messages=[asked, first["message"], told], functions=[WEATHER])
    assert call["arguments"] == {"city": "Zürich"}
    assert first["message"]["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
    assert "sky is clear" in answer["text"]


async def test_json_by_schema_comes_back_parsed(connect: Connect, emulator: Emulator) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with connect(toolsets=("openai",)) as client:
        answer = await chat(client, "A city", json_schema=schema)
    assert isinstance(answer["json"]["city"], str)


@pytest.mark.parametrize("wanted", [{"images": True}, {"model": "gemini-nano-banana-2.1"}])
async def test_pictures_of_a_chat_are_kept_by_a_job(connect: Connect, gateway: Emulator, wanted: Json) -> None:
    async with at(connect, gateway) as client:
        result = await client.call_tool("chat_completion", {"prompt": "A lighthouse", **wanted})
        later = await chat(client, "A red boat", wait_seconds=0, **wanted)
        job = structured(await client.call_tool("get_job", {"job": later["job"]["id"], "wait_seconds": 20}))
    made = structured(result)
    (artifact,) = made["artifacts"]
    assert artifact["mime_type"].startswith("image/")
    assert any(block.type == "image" for block in result.content)
    assert artifact["path"] in text_of(result)
    assert made["usage"]["cost_usd"] > 0
    assert job["status"] == "done"
    assert job["artifacts"][0]["sha256"] != artifact["sha256"]
    assert len(bodies(gateway)) == 2


async def test_code_and_functions_on_a_gateway(connect: Connect, gateway: Emulator) -> None:
    async with at(connect, gateway) as client:
        ran = await chat(client, "Compute the sum of the first 50 primes.", code=True)
        called = await chat(client, "The weather in Zürich", functions=[WEATHER], tool_choice="get_weather")
    assert ran["code"][0]["output"].strip() == "5117"
    assert called["function_calls"][0]["name"] == "get_weather"
    assert bodies(gateway)[1]["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}


FORBIDDEN = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "/etc/passwd"}}]}
REFUSED: list[tuple[Json, str]] = [
    ({}, "nothing to ask"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "no role of the dialect"),
    ({"prompt": "x", "code": True}, "runs no code"),
    ({"prompt": "x", "functions": [{"name": "codeExecution"}]}, "may not be named codeExecution"),
    ({"prompt": "x", "tool_choice": "f"}, "names no function"),
    ({"prompt": "x", "attachments": ["files/abc"]}, "no files at Google"),
    ({"messages": [FORBIDDEN]}, "passwd"),
    ({"prompt": "x", "json_schema": {"type": "nonsense"}}, "not a valid JSON Schema"),
]


async def test_what_is_wrong_is_refused_before_anything_is_sent(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("openai",)) as client:
        said = [error_of(await client.call_tool("chat_completion", arguments)) for arguments, _ in REFUSED]
        assert "WIDTHxHEIGHT" in error_of(await client.call_tool("openai_images", {"prompt": "x", "size": "large"}))
    assert [text for text, (_, words) in zip(said, REFUSED, strict=True) if words not in text] == []
    assert emulator.requests == []


async def test_in_read_only_mode_it_answers_and_makes_no_pictures(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("openai",), read_only=True) as client:
        assert (await chat(client, "Hello"))["text"]
        drawing = await client.call_tool("chat_completion", {"prompt": "A boat", "images": True})
        assert "read-only" in error_of(drawing)
        assert "openai_images" not in {tool.name for tool in (await client.list_tools()).tools}
    assert len(emulator.requests) == 1


async def test_vectors_and_pictures_by_googles_layer(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("openai",)) as client:
        vectors = structured(await client.call_tool("openai_embeddings", {"input": ["a", "b"], "dimensions": 8}))
        many = structured(await client.call_tool("openai_embeddings", {"input": [f"x{n}" for n in range(30)]}))
        made = structured(await client.call_tool("openai_images", {"prompt": "A boat", "n": 2, "size": "1024x768"}))
        again = structured(await client.call_tool("openai_images", {"prompt": "A boat", "n": 2, "size": "1024x768"}))
    assert [len(one) for one in vectors["vectors"]] == [8, 8]
    assert vectors["usage"]["input_tokens"] > 0
    assert many["count"] == 30
    assert "vectors" not in many
    assert many["artifacts"][0]["path"].endswith(".npy")
    assert len(made["artifacts"]) == 2
    assert made["usage"]["cost_usd"] > 0
    assert [one["id"] for one in again["artifacts"]] == [one["id"] for one in made["artifacts"]]
    assert "nothing was made or billed anew" in warned(again)
    paths = [request["path"] for request in emulator.requests]
    assert paths == [*["/v1beta/openai/embeddings"] * 2, "/v1beta/openai/images/generations"]


async def test_a_gateway_without_a_method_says_what_else_there_is(connect: Connect, gateway: Emulator) -> None:
    async with at(connect, gateway) as client:
        assert "make pictures through chat" in error_of(await client.call_tool("openai_images", {"prompt": "A boat"}))


async def test_a_picture_that_comes_when_nobody_waits_is_not_lost(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    body = completion({"content": "There.", "images": [{"type": "image_url", "image_url": {"url": PICTURE}}]})
    fake.say(Reply(body, gate=gate))
    async with connect(base_url=fake.url, dialect="openai", toolsets=("all",)) as client:
        with anyio.move_on_after(5) as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "chat_completion", {"prompt": "A boat", "images": True})
                await fake.wait_for(1)
                tasks.cancel_scope.cancel()
        assert not scope.cancelled_caught
        gate.set()
        (job,) = structured(await client.call_tool("list_jobs", {}))["jobs"]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
    assert done["status"] == "done"
    assert done["text"] == "There."
    assert len(done["artifacts"]) == 1


async def test_pictures_of_the_images_method_come_in_any_form(connect: Connect, fake: FakeGemini) -> None:
    link = "https://cdn.example/a.png?sig=abc"
    async with connect(base_url=fake.url, dialect="openai", toolsets=("all",)) as client:
        fake.say({"data": [{"url": PICTURE}, {"b64_json": PICTURE.partition(",")[2][:40] + "\n" + PICTURE[62:]}]})
        made = structured(await client.call_tool("openai_images", {"prompt": "A boat", "n": 2}))
        fake.say({"data": [{"url": link}]})
        linked = structured(await client.call_tool("openai_images", {"prompt": "Another boat"}))
    assert [one["width"] for one in made["artifacts"]] == [40, 40]
    assert link in warned(linked)


@pytest.mark.parametrize("index", [0, None])
async def test_vectors_that_are_not_numbered_are_taken_in_their_order(
    connect: Connect, fake: FakeGemini, index: int | None
) -> None:
    fake.say({"data": [{"index": index, "embedding": [1, 2]}, {"index": index, "embedding": [3, 4]}]})
    async with connect(base_url=fake.url, dialect="openai", toolsets=("openai",)) as client:
        made = structured(await client.call_tool("openai_embeddings", {"input": ["a", "b"], "model": "e"}))
    assert made["vectors"] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"prompt": " "}, "There is nothing to ask"),
        ({"prompt": "hi", "max_tokens": 0}, "max_tokens must be at least 1"),
        ({"prompt": "hi", "stop": [""]}, "A stop sequence is empty"),
        ({"prompt": "hi", "temperature": 9}, "temperature is 0 to 2, not 9"),
        ({"prompt": "hi", "top_p": -1}, "top_p is 0 to 1, not -1"),
    ],
)
async def test_values_that_no_service_takes_are_not_sent(
    connect: Connect, emulator: Emulator, arguments: Json, told: str
) -> None:
    async with connect(toolsets=("openai",)) as client:
        assert told in error_of(await client.call_tool("chat_completion", arguments))
    assert not emulator.requests


async def test_a_bare_404_of_google_is_not_taken_for_a_service_without_vectors(
    connect: Connect, emulator: Emulator
) -> None:
    emulator.add_fault("status=404", path="/openai/embeddings")
    async with connect(toolsets=("openai",)) as client:
        text = error_of(await client.call_tool("openai_embeddings", {"input": ["hi"]}))
    assert "Google has no vectors for this in OpenAI's dialect" in text
    assert "The gateway" not in text
    assert "GEMINI_DIALECT" not in text
