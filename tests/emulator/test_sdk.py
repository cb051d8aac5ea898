"""Google's own SDK works against the emulator without knowing it."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from gemini_emulator import Emulator

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[genai.client.AsyncClient]:
    with warnings.catch_warnings():
        # The SDK's own deprecations are not ours to mend.
        warnings.simplefilter("ignore")
        client = genai.Client(api_key="test", http_options=types.HttpOptions(base_url=emulator.url))
        async with client.aio as aio:
            yield aio


async def test_generate(client: genai.client.AsyncClient) -> None:
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW),
        labels={"a": "b"},
        max_output_tokens=900,
    )
    response = await client.models.generate_content(model=MODEL, contents="Explain tides", config=config)
    assert response.text is not None
    assert response.text.startswith("[emulated]")
    assert response.model_version == f"{MODEL}-emulated"


async def test_stream(client: genai.client.AsyncClient) -> None:
    texts = [
        chunk.text or "" async for chunk in await client.models.generate_content_stream(model=MODEL, contents="tides")
    ]
    assert len(texts) > 1
    assert "".join(texts).startswith("[emulated]")


async def test_an_error_in_the_stream_is_raised(client: genai.client.AsyncClient) -> None:
    prompt = "tides [emulate: error_in_stream status=503]"
    with pytest.raises(errors.APIError) as failed:
        _ = [chunk async for chunk in await client.models.generate_content_stream(model=MODEL, contents=prompt)]
    assert failed.value.code == 503


async def test_count_tokens_and_models(client: genai.client.AsyncClient) -> None:
    assert (await client.models.count_tokens(model=MODEL, contents="12345678")).total_tokens == 2
    names = [model.name async for model in await client.models.list(config={"page_size": 5})]
    assert f"models/{MODEL}" in names
    model = await client.models.get(model=MODEL)
    assert model.output_token_limit == 65_536


async def test_chat_keeps_its_history(client: genai.client.AsyncClient) -> None:
    chat: Any = client.chats.create(model=MODEL)
    await chat.send_message("My name is Ada.")
    async for _ in await chat.send_message_stream("And I like tides."):
        pass
    answer = await chat.send_message("What is my name?")
    assert "Ada" in (answer.text or "")


async def test_automatic_function_calling_makes_the_round_trip(client: genai.client.AsyncClient) -> None:
    asked: list[str] = []

    def get_weather(city: str) -> dict[str, int]:
        """Current weather of a city."""
        asked.append(city)
        return {"degrees": 21 + len(asked)}

    response = await client.models.generate_content(
        # The SDK's automatic calling sends no ids, which 3.8 demands and 3.6 does not.
        model="gemini-3.6-flash",
        contents="What is the weather in Oslo and Lima?",
        config=types.GenerateContentConfig(tools=[get_weather]),
    )
    assert asked == ["Oslo", "Lima"]
    assert "degrees is 22" in (response.text or "")
    assert "degrees is 23" in (response.text or "")


async def test_a_manual_round_trip_with_ids_works_on_3_8(client: genai.client.AsyncClient) -> None:
    question = types.Content(role="user", parts=[types.Part(text="What is the weather in Oslo?")])
    declaration = types.FunctionDeclaration(
        name="get_weather",
        description="Current weather of a city",
        parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    )
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declaration])])
    first = await client.models.generate_content(model=MODEL, contents=[question], config=config)
    (call,) = first.function_calls or []
    assert first.candidates is not None
    assert first.candidates[0].content is not None
    answer = types.FunctionResponse(id=call.id, name=call.name, response={"degrees": 21})
    turns = [
        question,
        first.candidates[0].content,
        types.Content(role="user", parts=[types.Part(function_response=answer)]),
    ]
    second = await client.models.generate_content(model=MODEL, contents=turns, config=config)
    assert "get_weather for Oslo: degrees is 21" in (second.text or "")


@pytest.mark.parametrize("hops", [1, 3])
async def test_the_sdk_follows_continuation_tokens(client: genai.client.AsyncClient, hops: int) -> None:
    prompt = f"Explain tides [emulate: continuation={hops} length=900]"
    response = await client.models.generate_content(model="gemini-4-argon", contents=prompt)
    assert 880 <= len(response.text or "") <= 900
    stream = await client.models.generate_content_stream(model="gemini-4-argon", contents=prompt)
    assert "".join([chunk.text or "" async for chunk in stream]) == response.text


async def test_structured_output_parses(client: genai.client.AsyncClient) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=list[str])
    response = await client.models.generate_content(model=MODEL, contents="three words", config=config)
    assert isinstance(response.parsed, list)


async def test_errors_have_their_code_and_status(client: genai.client.AsyncClient) -> None:
    with pytest.raises(errors.ClientError) as refused:
        await client.models.generate_content(model="gemini-99", contents="hi")
    assert (refused.value.code, refused.value.status) == (404, "NOT_FOUND")
