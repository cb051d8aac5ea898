"""The same wish, said to Google's own SDK and to this server, must reach Gemini as the same request.

Known spellings of that SDK that the API tolerates are brought to Google's documented form first: snake_case members, a
role on the system instruction, an empty generationConfig, URL-safe base64, `+00:00` for `Z`.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, structured

pytestmark = [
    pytest.mark.anyio,
    # google-genai warns about its own deprecated parameters; that is not what is tested here.
    pytest.mark.filterwarnings("ignore"),
]

MODEL = "gemini-3.8-flash"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city"],
}
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def png() -> bytes:
    """A picture of one red pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


Sdk = Callable[[Any, Any], Awaitable[Any]]
"""Does something with google-genai's (client, types)."""


@dataclass(frozen=True)
class Case:
    """One wish in both languages."""

    name: str
    tool: str
    arguments: dict[str, Any]
    sdk: Sdk


async def _drain(stream: Any) -> None:
    async for _ in await stream:
        pass


def _ask(contents: Any, **config: Any) -> Sdk:
    async def sdk(client: Any, types: Any) -> None:
        made = {key: value(types) if callable(value) else value for key, value in config.items()}
        await client.aio.models.generate_content(
            model=MODEL,
            contents=contents(types) if callable(contents) else contents,
            config=types.GenerateContentConfig(**made) if made else None,
        )

    return sdk


def _count(contents: Any) -> Sdk:
    async def sdk(client: Any, types: Any) -> None:
        await client.aio.models.count_tokens(model=MODEL, contents=contents)

    return sdk


def _tool(**kinds: Any) -> Callable[[Any], Any]:
    return lambda types: [types.Tool(**{name: getattr(types, kind)() for name, kind in kinds.items()})]


def _low_thinking(types: Any) -> Any:
    return types.ThinkingConfig(thinking_level="LOW", include_thoughts=True)


def _safety(types: Any) -> Any:
    return [types.SafetySetting(category="HARM_CATEGORY_HATE_SPEECH", threshold="BLOCK_ONLY_HIGH")]


def _weather_tool(types: Any) -> Any:
    declaration = types.FunctionDeclaration(
        name=WEATHER["name"], description=WEATHER["description"], parameters_json_schema=WEATHER["parameters"]
    )
    return [types.Tool(function_declarations=[declaration])]


def _must_call_it(types: Any) -> Any:
    calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=["get_weather"])
    return types.ToolConfig(function_calling_config=calling)


def _search_in_a_span(types: Any) -> Any:
    kinds = types.SearchTypes(web_search=types.WebSearch(), image_search=types.ImageSearch())
    span = types.Interval(start_time="2026-01-01T00:00:00Z", end_time="2026-03-02T00:00:00Z")
    return [types.Tool(google_search=types.GoogleSearch(search_types=kinds, time_range_filter=span))]


def _near(types: Any) -> Any:
    point = types.LatLng(latitude=47.37, longitude=8.54)
    return types.ToolConfig(retrieval_config=types.RetrievalConfig(lat_lng=point, language_code="de"))


def _clip_then_question(types: Any) -> Any:
    data = types.FileData(file_uri="https://www.youtube.com/watch?v=9hE5-98ZeCg")
    clip = types.VideoMetadata(start_offset="1.5s", end_offset="10s", fps=2)
    return [types.Part(file_data=data, video_metadata=clip), "Sum it up"]


def _picture_then_question(types: Any) -> Any:
    return [types.Part.from_bytes(data=png(), mime_type="image/png"), "What is this?"]


def _video_then_question(types: Any) -> Any:
    return [types.Part(file_data=types.FileData(file_uri="https://www.youtube.com/watch?v=9hE5-98ZeCg")), "Sum it up"]


CASES = [
    Case("a bare prompt", "generate_text", {"prompt": "hi"}, _ask("hi")),
    Case(
        "a system instruction and a limit",
        "generate_text",
        {"prompt": "hi", "system": "Be brief.", "max_output_tokens": 900, "stop": ["END"], "seed": 7},
        _ask("hi", system_instruction="Be brief.", max_output_tokens=900, stop_sequences=["END"], seed=7),
    ),
    Case(
        "JSON by schema",
        "generate_text",
        {"prompt": "Zürich", "json_schema": SCHEMA},
        _ask("Zürich", response_mime_type="application/json", response_json_schema=SCHEMA),
    ),
    Case(
        "a thinking level with thoughts",
        "generate_text",
        {"prompt": "hi", "thinking": "low", "include_thoughts": True},
        _ask("hi", thinking_config=_low_thinking),
    ),
    Case(
        "safety thresholds",
        "generate_text",
        {"prompt": "hi", "safety": {"hate_speech": "BLOCK_ONLY_HIGH"}},
        _ask(
            "hi",
            safety_settings=_safety,
        ),
    ),
    Case(
        "search",
        "generate_text",
        {"prompt": "news", "use": ["search"]},
        _ask("news", tools=_tool(google_search="GoogleSearch")),
    ),
    Case(
        "maps",
        "generate_text",
        {"prompt": "cafés", "use": ["maps"]},
        _ask("cafés", tools=_tool(google_maps="GoogleMaps")),
    ),
    Case(
        "reading pages",
        "generate_text",
        {"prompt": "read https://example.com", "use": ["urls"]},
        _ask("read https://example.com", tools=_tool(url_context="UrlContext")),
    ),
    Case(
        "hosted code",
        "generate_text",
        {"prompt": "2+2", "use": ["code"]},
        _ask("2+2", tools=_tool(code_execution="ToolCodeExecution")),
    ),
    Case(
        "functions that must be called",
        "generate_text",
        {
            "prompt": "Weather in Bern?",
            "functions": [WEATHER],
            "function_mode": "any",
            "allowed_functions": ["get_weather"],
        },
        _ask(
            "Weather in Bern?",
            tools=_weather_tool,
            tool_config=_must_call_it,
        ),
    ),
    Case(
        "a picture and a question",
        "generate_text",
        {"prompt": "What is this?", "attachments": ["data:image/png;base64," + base64.b64encode(png()).decode()]},
        _ask(_picture_then_question),
    ),
    Case(
        "a video by its link",
        "generate_text",
        {"prompt": "Sum it up", "attachments": ["https://www.youtube.com/watch?v=9hE5-98ZeCg"]},
        _ask(_video_then_question),
    ),
    Case(
        "a service tier and a media resolution",
        "generate_text",
        {"prompt": "hi", "service_tier": "flex", "media_resolution": "low"},
        _ask("hi", service_tier="flex", media_resolution="MEDIA_RESOLUTION_LOW"),
    ),
    Case(
        "a search in a span of time, pictures too",
        "search_web",
        {"query": "otters", "time_range": "2026-01-01/2026-03-01", "images": True},
        _ask("otters", tools=_search_in_a_span),
    ),
    Case(
        "places near a point",
        "search_maps",
        {"query": "cafés", "latitude": 47.37, "longitude": 8.54, "language": "de"},
        _ask("cafés", tools=_tool(google_maps="GoogleMaps"), tool_config=_near),
    ),
    Case(
        "a clip of a video",
        "analyze_media",
        {
            "media": ["https://www.youtube.com/watch?v=9hE5-98ZeCg"],
            "question": "Sum it up",
            "start": "1.5",
            "end": "10",
            "fps": 2,
        },
        _ask(_clip_then_question),
    ),
    Case("a count", "count_tokens", {"prompt": "hello"}, _count("hello")),
]


def documented(value: Any) -> Any:
    """A request in Google's documented spelling."""
    if isinstance(value, dict):
        out: dict[str, Any] = {}
        for key, item in cast("dict[str, Any]", value).items():
            if key in ("responseJsonSchema", "parametersJsonSchema", "args", "response"):
                out[key] = item
            else:
                out[re.sub(r"_([a-z])", lambda found: found.group(1).upper(), key)] = documented(item)
        if "systemInstruction" in out:
            out["systemInstruction"].pop("role", None)
        if out.get("generationConfig") == {}:
            del out["generationConfig"]
        for name in out.keys() & {"startTime", "endTime"}:
            out[name] = out[name].replace("+00:00", "Z")
        for name in out.keys() & {"data", "thoughtSignature"}:
            # The SDK writes the URL-safe alphabet; the API documents the standard one and takes both.
            out[name] = out[name].replace("-", "+").replace("_", "/")
        return out
    if isinstance(value, list):
        return [documented(item) for item in cast(list[object], value)]
    return value


def essence(request: dict[str, Any]) -> dict[str, Any]:
    """What of a logged request matters to Gemini."""
    return {name: documented(request.get(name)) for name in ("method", "path", "query", "body")}


def unsigned(request: dict[str, Any]) -> dict[str, Any]:
    """The essence of a request, without what differs from answer to answer."""
    text = json.dumps(essence(request), sort_keys=True)
    return cast("dict[str, Any]", json.loads(re.sub(r'"(id|thoughtSignature)": "[^"]+"', r'"\1": "…"', text)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
async def test_the_request_is_the_one_that_googles_sdk_sends(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], case: Case
) -> None:
    await case.sdk(*sdk)
    theirs = emulator.requests[-1]
    async with connect(toolsets=("all",)) as ours:
        structured(await ours.call_tool(case.tool, case.arguments))
    assert essence(emulator.requests[-1]) == essence(theirs)
    assert emulator.requests[-1]["headers"]["x-goog-api-key"] == theirs["headers"]["x-goog-api-key"]


async def test_a_stream_is_asked_for_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, _ = sdk
    await _drain(client.aio.models.generate_content_stream(model=MODEL, contents="hi"))
    theirs = emulator.requests[-1]

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        pass

    async with connect() as ours:
        structured(await ours.call_tool("generate_text", {"prompt": "hi"}, progress_callback=on_progress))
    assert essence(emulator.requests[-1]) == essence(theirs)


async def test_a_function_round_trip_sends_the_same_turns_as_googles_sdk(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, types = sdk
    declaration = types.FunctionDeclaration(
        name="get_weather", description="The weather in a city.", parameters_json_schema=WEATHER["parameters"]
    )
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declaration])])
    question = types.Content(role="user", parts=[types.Part(text="What is the weather in Bern?")])
    first = await client.aio.models.generate_content(model=MODEL, contents=[question], config=config)
    called = first.function_calls[0]
    answered = types.Content(
        role="user",
        parts=[
            types.Part(
                function_response=types.FunctionResponse(id=called.id, name=called.name, response={"celsius": 21})
            )
        ],
    )
    turns = [question, first.candidates[0].content, answered]
    await client.aio.models.generate_content(model=MODEL, contents=turns, config=config)
    theirs = emulator.requests[-1]
    async with connect() as ours:
        asked = structured(
            await ours.call_tool("generate_text", {"prompt": "What is the weather in Bern?", "functions": [WEATHER]})
        )
        results = [{"id": c["id"], "name": c["name"], "response": {"celsius": 21}} for c in asked["function_calls"]]
        structured(
            await ours.call_tool("submit_function_results", {"conversation": asked["conversation"], "results": results})
        )
    # The emulator checked both signatures; ids and signatures are new with every answer.
    assert unsigned(emulator.requests[-1]) == unsigned(theirs)


async def test_models_are_listed_and_read_as_googles_sdk_does(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]
) -> None:
    client, types = sdk
    await client.aio.models.get(model=MODEL)
    theirs = emulator.requests[-1]
    async with connect() as ours:
        await ours.read_resource(f"gemini://models/{MODEL}")
        assert essence(emulator.requests[-1]) == essence(theirs)
        await client.aio.models.list(config=types.ListModelsConfig(page_size=1000))
        theirs = emulator.requests[-1]
        structured(await ours.call_tool("list_models", {}))
    assert essence(emulator.requests[-1]) == essence(theirs)


async def test_an_attached_file_reaches_gemini_byte_for_byte(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    Path(tmp_path, "allowed", "dot.png").write_bytes(png())
    async with connect() as ours:
        structured(await ours.call_tool("generate_text", {"prompt": "What is this?", "attachments": ["dot.png"]}))
    part = emulator.requests[-1]["body"]["contents"][0]["parts"][0]
    assert part == {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(png()).decode()}}
