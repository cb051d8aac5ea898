"""What the tools for Live and Computer Use send is what google-genai sends: tokens, sessions, screens."""

from __future__ import annotations

import base64
import importlib
import struct
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, structured
from tests.wire.test_differential import essence, png

pytestmark = [
    pytest.mark.anyio,
    # google-genai warns about its own experiments; that is not what is tested here.
    pytest.mark.filterwarnings("ignore"),
]

Json = dict[str, Any]
MODEL = "gemini-3.8-live"
WEATHER: Json = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
DECLARED = {
    "name": WEATHER["name"],
    "description": WEATHER["description"],
    "parameters_json_schema": WEATHER["parameters"],
}
SPOKEN: Json = {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}, "language_code": "en-GB"}


@pytest.fixture(name="connect")
def connect_to_live(connect: Connect) -> Connect:
    return partial(connect, toolsets=("all",))


@pytest.fixture
async def alpha(emulator: Emulator) -> AsyncGenerator[Any]:
    """google-genai's client on v1alpha, where tokens are made."""
    genai = importlib.import_module("google.genai")
    options = genai.types.HttpOptions(base_url=emulator.url, api_version="v1alpha")
    client = genai.Client(api_key="test-key", http_options=options)
    yield client
    await client.aio.aclose()
    client.close()


def token_requests(emulator: Emulator) -> list[Json]:
    """Every request for a token, brought to one form."""
    found = [essence(one) for one in emulator.requests if one["path"].endswith("/auth_tokens")]
    for one in found:
        # Their times have fractions of a second.
        for name in ("expireTime", "newSessionExpireTime"):
            if name in one["body"]:
                one["body"][name] = one["body"][name].replace("+00:00", "Z")
    return found


@pytest.mark.parametrize(
    ("config", "live", "arguments"),
    [
        ({}, {}, {"lock_everything": True}),
        ({"uses": 3}, {"response_modalities": ["AUDIO"]}, {"uses": 3, "lock_everything": True}),
        (
            {"uses": 1, "expire_time": "2036-11-22T12:00:00Z", "lock_additional_fields": []},
            {
                "response_modalities": ["AUDIO"],
                "speech_config": SPOKEN,
                "tools": [{"function_declarations": [DECLARED]}],
                "input_audio_transcription": {},
                "output_audio_transcription": {},
                "session_resumption": {},
                "max_output_tokens": 500,
            },
            {
                "uses": 1,
                "constraints": {
                    "voice": "Kore",
                    "language": "en-GB",
                    "functions": [WEATHER],
                    "transcripts": True,
                    "resumption": True,
                    "max_output_tokens": 500,
                },
            },
        ),
    ],
    ids=["model", "whole", "named"],
)
async def test_a_token_is_made_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, alpha: Any, config: Json, live: Json, arguments: Json
) -> None:
    given = dict(arguments)
    if "response_modalities" in live:
        given["constraints"] = {**given.get("constraints", {}), "modalities": ["AUDIO"]}
    constraints = {"model": MODEL, "config": live}
    async with connect() as client:
        structured(await client.call_tool("create_live_token", given))
    config.pop("expire_time", None)
    await alpha.aio.auth_tokens.create(config={**config, "live_connect_constraints": constraints})
    mine, theirs = token_requests(emulator)
    masks = [set((one["body"].pop("fieldMask", "") or "").split(",")) for one in (mine, theirs)]
    assert mine == theirs
    assert masks[0] == masks[1]


async def test_a_session_is_set_up_and_spoken_to_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, types = sdk

    def url_of(options: object) -> str:
        return emulator.url.replace("http", "ws")

    # It speaks TLS whatever the scheme of the base URL is.
    monkeypatch.setattr(client._api_client, "_websocket_base_url", url_of)
    monkeypatch.setattr(client._api_client, "_websocket_ssl_ctx", {})
    config: Json = {
        "response_modalities": ["AUDIO"],
        "speech_config": SPOKEN,
        "system_instruction": "Be kind.",
        "tools": [{"function_declarations": [DECLARED]}],
        "realtime_input_config": {"automatic_activity_detection": {"disabled": True}},
        "context_window_compression": {"sliding_window": {}},
        "input_audio_transcription": {},
        "output_audio_transcription": {},
        "session_resumption": {},
    }
    pcm = b"\x01\x20" * 1600
    sound = types.Blob(data=pcm, mime_type="audio/pcm;rate=16000")
    async with client.aio.live.connect(model=MODEL, config=config) as session:
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await session.send_realtime_input(audio=sound)
        await session.send_realtime_input(text="What is the weather in Lisbon?")
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        async for message in session.receive():
            if message.tool_call:
                (call,) = message.tool_call.function_calls
                response = types.FunctionResponse(id=call.id, name=call.name, response={"temperature": 21})
                await session.send_tool_response(function_responses=[response])
    theirs = _frames(emulator)
    emulator.clear_requests()
    head = (
        b"RIFF"
        + struct.pack("<I", len(pcm) + 36)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    )
    (tmp_path / "allowed" / "said.wav").write_bytes(head + b"data" + struct.pack("<I", len(pcm)) + pcm)
    said: Json = {"text": "What is the weather in Lisbon?", "audio": "said.wav", "voice": "Kore", "language": "en-GB"}
    async with connect() as ours:
        begun = await ours.call_tool("live_turn", {**said, "system": "Be kind.", "functions": [WEATHER]})
        results = [{"name": "get_weather", "response": {"temperature": 21}}]
        conversation = structured(begun)["conversation"]
        structured(await ours.call_tool("live_turn", {"function_results": results, "conversation": conversation}))
    assert _frames(emulator) == theirs


async def test_the_next_action_is_asked_for_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, types = sdk
    tool = types.ComputerUse(
        environment="ENVIRONMENT_MOBILE",
        excluded_predefined_functions=["drag_and_drop"],
        enable_prompt_injection_detection=True,
    )
    contents = ["Open the settings", types.Part.from_bytes(data=png(), mime_type="image/png")]
    config = types.GenerateContentConfig(tools=[types.Tool(computer_use=tool)])
    await client.aio.models.generate_content(model="gemini-3.8-flash", contents=contents, config=config)
    given: Json = {
        "goal": "Open the settings",
        "screenshot": f"data:image/png;base64,{base64.b64encode(png()).decode()}",
        "environment": "mobile",
        "excluded_actions": ["drag_and_drop"],
        "detect_injection": True,
    }
    async with connect() as ours:
        structured(await ours.call_tool("next_computer_action", given))
    theirs, mine = map(essence, emulator.requests)
    assert mine == theirs


def _frames(emulator: Emulator) -> list[Json]:
    """What went over the WebSocket, without the ids of calls."""
    found = [essence(one)["body"] for one in emulator.requests if one["method"] == "FRAME"]
    for frame in found:
        for response in frame.get("toolResponse", {}).get("functionResponses", []):
            response.pop("id")
    return found
