"""Google's own SDK uses interactions and live music against the emulator without knowing it."""

from __future__ import annotations

import asyncio
import importlib
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gemini_emulator import Emulator

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def status_of(error: Any) -> int:
    """The HTTP status of an error of the SDK."""
    return int(error.status_code)


@pytest.fixture
async def genai() -> AsyncIterator[Any]:
    with warnings.catch_warnings():
        # The SDK's own deprecations and experiments are not ours to mend.
        warnings.simplefilter("ignore")
        yield importlib.import_module("google.genai")


@pytest.fixture
async def client(emulator: Emulator, genai: Any) -> AsyncIterator[Any]:
    client = genai.Client(api_key="test", http_options={"base_url": emulator.url})
    async with client.aio as aio:
        yield aio


async def test_an_interaction_is_created_fetched_and_deleted(client: Any) -> None:
    created = await client.interactions.create(model=MODEL, input="Explain tides")
    assert created.status == "completed"
    assert created.output_text.startswith("[emulated]")
    assert created.usage.total_tokens > 0
    fetched = await client.interactions.get(created.id)
    assert fetched.output_text == created.output_text
    await client.interactions.delete(created.id)
    with pytest.raises(Exception, match="was not found") as gone:
        await client.interactions.get(created.id)
    assert status_of(gone.value) == 404


async def test_background_work_is_polled_and_cancelled(client: Any) -> None:
    begun = await client.interactions.create(model=MODEL, input="Explain tides", background=True)
    while begun.status == "in_progress":
        begun = await client.interactions.get(begun.id)
    assert begun.status == "completed"
    begun = await client.interactions.create(model=MODEL, input="Explain tides", background=True)
    assert (await client.interactions.cancel(begun.id)).status == "cancelled"


async def test_every_event_of_a_stream_is_understood(client: Any) -> None:
    fields = {"tools": [{"type": "google_search"}, WEATHER], "generation_config": {"thinking_summaries": "auto"}}
    stream = await client.interactions.create(model=MODEL, input="Find the history of tides", stream=True, **fields)
    events = [event async for event in stream]
    assert not any(getattr(event, "is_unknown", False) for event in events)
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    assert not any(getattr(delta, "is_unknown", False) for delta in deltas)
    assert "".join(delta.text for delta in deltas if delta.type == "text").startswith("[emulated]")
    assert events[-1].interaction.status == "completed"


async def test_a_stream_is_resumed(client: Any) -> None:
    stream = await client.interactions.create(model=MODEL, input="Explain tides", stream=True, background=True)
    first: list[Any] = []
    async for event in stream:
        first.append(event)
        if len(first) == 4:
            break
    ident, last = first[0].interaction.id, first[-1].event_id
    rest: list[Any] = [event async for event in await client.interactions.get(ident, stream=True, last_event_id=last)]
    texts = [event.delta.text for event in first + rest if getattr(event, "delta", None) and event.delta.type == "text"]
    assert "".join(texts) == (await client.interactions.get(ident)).output_text


async def test_a_function_result_continues_an_interaction(client: Any) -> None:
    first = await client.interactions.create(model=MODEL, input="What is the weather in Oslo?", tools=[WEATHER])
    assert first.status == "requires_action"
    call = next(step for step in first.steps if step.type == "function_call")
    result = {"type": "function_result", "call_id": call.id, "name": call.name, "result": {"degrees": 21}}
    fields = {"previous_interaction_id": first.id, "tools": [WEATHER]}
    second = await client.interactions.create(model=MODEL, input=[result], **fields)
    assert "get_weather for Oslo: degrees is 21" in second.output_text


@pytest.mark.parametrize("store", [True, False])
async def test_continuations_are_followed(client: Any, store: bool) -> None:
    prompt = "Explain tides [emulate: continuation=2 length=900]"
    whole = await client.interactions.create(model="gemini-4-argon", input=prompt, store=store)
    assert whole.status == "completed"
    assert len(whole.continuation_ids) == 3
    texts = [content.text for step in whole.steps if step.type == "model_output" for content in step.content]
    assert 850 <= len("".join(texts)) <= 900
    stream = await client.interactions.create(model="gemini-4-argon", input=prompt, store=store, stream=True)
    deltas = [event.delta async for event in stream if event.event_type == "step.delta"]
    assert "".join(delta.text for delta in deltas if delta.type == "text") == "".join(texts)


async def test_media_are_found_by_the_sdk(client: Any) -> None:
    form = {"type": "video", "duration": "3s", "resolution": "360p", "delivery": "uri"}
    video = await client.interactions.create(model="gemini-omni-1.1-flash", input="a ball", response_format=form)
    assert video.output_video.uri.endswith(":download?alt=media")
    picture = await client.interactions.create(model="gemini-nano-banana-2.1", input="a ball")
    assert picture.output_image.mime_type == "image/jpeg"
    speech = await client.interactions.create(model="gemini-3.8-flash-tts", input="Say: hello")
    assert speech.output_audio.sample_rate == 24_000


async def test_errors_have_their_status(client: Any) -> None:
    with pytest.raises(Exception, match="SAFETY") as refused:
        await client.interactions.create(model=MODEL, input="hi [emulate: finish=SAFETY]")
    assert status_of(refused.value) == 400
    with pytest.raises(Exception, match="gemini-99") as missing:
        await client.interactions.create(model="gemini-99", input="hi")
    assert status_of(missing.value) == 404


async def test_live_music_plays(emulator: Emulator, genai: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = genai.Client(api_key="test", http_options={"base_url": emulator.url, "api_version": "v1alpha"})
    # The SDK speaks TLS whatever the scheme of the base URL is.
    url = emulator.url.replace("http", "ws")
    monkeypatch.setattr(client.aio.live.music._api_client, "_websocket_base_url", lambda: url)
    async with asyncio.timeout(10), client.aio.live.music.connect(model="models/lyria-realtime-exp") as session:
        prompts = [
            genai.types.WeightedPrompt(text="techno", weight=1),
            genai.types.WeightedPrompt(text="no [emulate: filter]", weight=1),
        ]
        await session.set_weighted_prompts(prompts=prompts)
        config = genai.types.LiveMusicGenerationConfig(bpm=90, scale=genai.types.Scale.C_MAJOR_A_MINOR)
        await session.set_music_generation_config(config=config)
        await session.play()
        received = session.receive()
        assert (await anext(received)).filtered_prompt.text == "no"
        chunk = (await anext(received)).server_content.audio_chunks[0]
        assert (chunk.mime_type, len(chunk.data)) == ("audio/l16;rate=48000;channels=2", 384_000)
        assert chunk.source_metadata.music_generation_config.bpm == 90
        await session.pause()
        await session.reset_context()
        await session.stop()
    await client.aio.aclose()
    client.close()
