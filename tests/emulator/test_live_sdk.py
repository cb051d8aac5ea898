"""Google's own SDK talks to the Live API of the emulator, and makes tokens for it, without knowing it."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gemini_emulator import Emulator

from .living import BRIEF, SAID, WEATHER, silence, tone

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-live"
CONFIG: dict[str, Any] = {
    "response_modalities": ["AUDIO"],
    "input_audio_transcription": {},
    "output_audio_transcription": {},
    "session_resumption": {},
    "context_window_compression": {"trigger_tokens": 100_000, "sliding_window": {"target_tokens": 50_000}},
    "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}}, "language_code": "en-US"},
    "realtime_input_config": {"automatic_activity_detection": {"silence_duration_ms": 300}},
    "system_instruction": "Be brief.",
    "thinking_config": {"thinking_level": "low"},
}


@pytest.fixture
async def genai() -> AsyncIterator[Any]:
    with warnings.catch_warnings():
        # The SDK's own deprecations and experiments are not ours to mend.
        warnings.simplefilter("ignore")
        yield importlib.import_module("google.genai")


@pytest.fixture
async def connect(emulator: Emulator, genai: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A client with a key."""

    def url_of(options: object) -> str:
        return emulator.url.replace("http", "ws")

    def made(key: str) -> Any:
        client = genai.Client(api_key=key, http_options={"base_url": emulator.url, "api_version": "v1alpha"})
        # The SDK speaks TLS whatever the scheme of the base URL is.
        monkeypatch.setattr(client.aio.live._api_client, "_websocket_base_url", url_of)
        monkeypatch.setattr(client.aio.live._api_client, "_websocket_ssl_ctx", {})
        return client.aio

    return made


@pytest.fixture
async def client(connect: Callable[[str], Any]) -> AsyncIterator[Any]:
    async with connect("test") as aio:
        yield aio


async def turn(session: Any) -> list[Any]:
    return [message async for message in session.receive()]


def said(messages: list[Any]) -> str:
    contents = [message.server_content for message in messages if message.server_content]
    return "".join(one.output_transcription.text for one in contents if one.output_transcription)


async def test_a_text_turn_and_an_audio_turn_over_two_connections(client: Any) -> None:
    async with client.live.connect(model=MODEL, config=CONFIG) as session:
        await session.send_realtime_input(text=f"How high is the Eiffel tower? {BRIEF}")
        messages = await turn(session)
        assert said(messages) == SAID
        assert len(b"".join(message.data for message in messages if message.data)) > 24_000
        assert messages[-1].usage_metadata.response_token_count > 0
        await session.send_realtime_input(audio={"data": tone(1) + silence(0.5), "mime_type": "audio/pcm;rate=16000"})
        messages = await turn(session)
        assert said(messages).startswith("[emulated] ")
        heard = [one.server_content.input_transcription for one in messages if one.server_content]
        assert "".join(one.text for one in heard if one)
        handles = [one.session_resumption_update for one in messages if one.session_resumption_update]
        assert handles[0].resumable
    config = {**CONFIG, "session_resumption": {"handle": handles[0].new_handle}}
    async with client.live.connect(model=MODEL, config=config) as session:
        await session.send_realtime_input(text="What was my first question?")
        assert "How high is the Eiffel tower?" in said(await turn(session))


async def test_a_function_is_called(client: Any, genai: Any) -> None:
    config = {**CONFIG, "tools": [{"function_declarations": [WEATHER]}]}
    async with client.live.connect(model=MODEL, config=config) as session:
        await session.send_realtime_input(text="What is the weather in Lisbon?")
        messages: list[Any] = []
        async for message in session.receive():
            messages.append(message)
            if message.tool_call:
                (call,) = message.tool_call.function_calls
                assert (call.name, call.args) == ("get_weather", {"city": "Lisbon"})
                response = genai.types.FunctionResponse(id=call.id, name=call.name, response={"temperature": 21})
                await session.send_tool_response(function_responses=[response])
        assert "temperature is 21" in said(messages)


async def test_a_history_is_seeded_and_the_context_updated(client: Any) -> None:
    config = {**CONFIG, "history_config": {"initial_history_in_client_content": True}}
    async with client.live.connect(model=MODEL, config=config) as session:
        turns = [{"role": "user", "parts": [{"text": "My name is Ada"}]}, {"role": "model", "parts": [{"text": "Hi"}]}]
        await session.send_client_content(turns=turns, turn_complete=True)
        await session.send_context_update(system_instruction="Be kind.", tools=[])
        await session.send_realtime_input(text="What is my name?")
        text = said(await turn(session))
    assert "Your name is Ada." in text
    assert "Be kind." in text


async def test_a_refused_setup_is_an_error_of_the_sdk(client: Any, genai: Any) -> None:
    with pytest.raises(genai.errors.APIError, match="Cannot extract voices") as refused:
        async with client.live.connect(model=MODEL, config={"response_modalities": ["TEXT"]}):
            pass
    assert refused.value.code == 1007


@pytest.mark.parametrize("additional", [None, [], ["temperature"]])
async def test_a_token_opens_a_constrained_session(
    client: Any, genai: Any, connect: Callable[[str], Any], additional: list[str] | None
) -> None:
    locked: dict[str, Any] = {
        "response_modalities": ["AUDIO"],
        "system_instruction": BRIEF,
        "output_audio_transcription": {},
    }
    config: dict[str, Any] = {"uses": 1, "live_connect_constraints": {"model": MODEL, "config": locked}}
    if additional is not None:
        config["lock_additional_fields"] = additional
    token = await client.auth_tokens.create(config=config)
    assert token.name.startswith("auth_tokens/")
    async with connect(token.name) as constrained:
        asked = {"response_modalities": ["TEXT"], "temperature": 1.0}
        async with constrained.live.connect(model=MODEL, config=asked) as session:
            await session.send_realtime_input(text="Hello")
            assert said(await turn(session)) == SAID
        with pytest.raises(genai.errors.APIError, match="no uses left"):
            async with constrained.live.connect(model=MODEL, config=asked):
                pass
