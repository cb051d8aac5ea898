"""Google's OpenAI compatibility layer: chat, its streams, functions and refusals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator

from .chatting import Chat, chat, data_url, function, joined
from .drawing import RED, Drawing, recording

pytestmark = pytest.mark.anyio

WEATHER = function("get_weather", city={"type": "string"})
PNG = Drawing(40, 40).paint("circle", RED, 5, 5, 35, 35).png()


@pytest.fixture
async def layer(emulator: Emulator) -> AsyncIterator[Chat]:
    headers = {"Authorization": "Bearer test-key"}
    async with httpx2.AsyncClient(base_url=emulator.url, headers=headers, timeout=10) as http:
        yield Chat(http, "/v1beta/openai")


async def test_a_chat_is_answered_with_its_instruction_its_limits_and_its_usage(
    layer: Chat, emulator: Emulator
) -> None:
    body = chat({"role": "developer", "content": "Be brief."}, "Say only 'hi'", reasoning_effort="low", user="u")
    answer = (await layer.post("/chat/completions", body)).json()
    assert answer["choices"][0]["message"]["content"] == "[emulated] hi"
    assert (answer["choices"][0]["finish_reason"], answer["model"]) == ("stop", "gemini-3.8-flash-emulated")
    usage = answer["usage"]
    thoughts = usage["completion_tokens_details"]["reasoning_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + thoughts
    assert emulator.requests[-1]["headers"]["authorization"] == "Bearer ***"
    short = await layer.complete("Tell me a long story", max_completion_tokens=130)
    assert short["finish_reason"] == "length"


async def test_pictures_and_recordings_are_looked_at(layer: Chat) -> None:
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": data_url(PNG, "image/png"), "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": data_url(recording(1), "").partition(",")[2], "format": "wav"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.jpg"}},
    ]
    said = (await layer.complete({"role": "user", "content": parts}))["message"]["content"]
    assert "40×40" in said
    assert "audio" in said
    film = {"type": "image_url", "image_url": {"url": data_url(b"film", "video/mp4")}}
    [refused] = await layer.refusal(chat({"role": "user", "content": [film]}))
    assert "video/mp4" in refused["error"]["message"]


async def test_a_function_is_called_and_its_answer_used_with_the_signature_that_came(layer: Chat) -> None:
    asked = "What is the weather in Paris?"
    choice = await layer.complete(asked, tools=[WEATHER], tool_choice="required")
    message = choice["message"]
    assert (choice["finish_reason"], message["content"]) == ("tool_calls", None)
    [call] = message["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}
    told = {"role": "tool", "tool_call_id": call["id"], "content": '{"sky": "blue"}'}
    answer = await layer.complete({"role": "user", "content": asked}, message, told, tools=[WEATHER])
    assert "sky is blue" in answer["message"]["content"]
    unsigned = {**message, "tool_calls": [{key: call[key] for key in ("id", "type", "function")}]}
    [refused] = await layer.refusal(chat(asked, unsigned, told, tools=[WEATHER]))
    assert "thought_signature" in refused["error"]["message"]
    [refused] = await layer.refusal(chat(asked, message, {**told, "tool_call_id": "other"}))
    assert "'tool_calls'" in refused["error"]["message"]


async def test_a_stream_holds_thoughts_text_calls_and_usage(layer: Chat) -> None:
    google = {"google": {"thinking_config": {"include_thoughts": True}}}
    options = {"include_usage": True}
    chunks = await layer.stream(
        "What is the weather in Paris?", tools=[WEATHER], extra_body=google, stream_options=options
    )
    message = joined(chunks)
    assert message["content"].startswith("<thought>")
    assert message["content"].endswith("</thought>")
    assert json.loads(message["tool_calls"][0]["arguments"]) == {"city": "Paris"}
    assert message["finish_reason"] == "tool_calls"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    text = joined(await layer.stream("Say only 'hi'"))
    assert (text["content"], text["finish_reason"]) == ("[emulated] hi", "stop")


async def test_a_structured_answer_fits_its_schema(layer: Chat) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    form = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": schema}}
    answer = await layer.complete("A city: Paris", response_format=form)
    assert list(json.loads(answer["message"]["content"])) == ["city"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"store": True}, 'Unknown name "store"'),
        ({"extra_body": {"other": 1}}, "extra_body.other"),
        ({"reasoning_effort": "none"}, "Thinking budget is not supported"),
        ({"reasoning_effort": "low", "extra_body": {"google": {"thinking_config": {"thinking_level": "low"}}}}, "both"),
        ({"messages": []}, "messages"),
        ({"temperature": "hot"}, "temperature"),
        ({"extra_body": {"google": {"cached_content": "cachedContents/none"}}}, "CachedContent not found"),
    ],
)
async def test_what_it_cannot_use_is_refused_in_a_list_of_one(layer: Chat, fields: dict[str, Any], words: str) -> None:
    response = await layer.post("/chat/completions", {**chat("Hello"), **fields})
    [refused] = response.json()
    assert response.status_code == refused["error"]["code"]
    assert response.status_code in (400, 403)
    assert words in refused["error"]["message"]


async def test_keys_and_models_that_are_not_there_are_refused(layer: Chat) -> None:
    [missing] = await layer.refusal(chat("Hello", model="gpt-9"), 404)
    assert "models/gpt-9 is not found for API version v1main" in missing["error"]["message"]
    for headers, words in (
        ({"Authorization": "Bearer invalid"}, "API key not valid"),
        ({"Authorization": "test-key"}, "Missing or invalid Authorization header"),
        ({"x-goog-api-key": "test-key"}, "Multiple authentication credentials"),
    ):
        response = await layer.http.get("/v1beta/openai/models", headers=headers)
        assert response.status_code == 400
        assert words in response.json()[0]["error"]["message"]
    assert (await layer.http.get("/v1beta/openai/files")).status_code == 404


async def test_faults_reach_this_layer_too(layer: Chat) -> None:
    [failed] = await layer.refusal(chat("Hello [emulate: status=429 retry=2s]"), 429)
    assert failed["error"]["status"] == "RESOURCE_EXHAUSTED"
    response = await layer.post("/chat/completions", chat("Hello [emulate: error_in_stream after=1]", stream=True))
    first, last = response.text.strip().split("\n\n")
    assert "chunk" in first
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == 503
    blocked = await layer.complete("Hello [emulate: finish=SAFETY]")
    assert blocked["finish_reason"] == "content_filter: SAFETY"
