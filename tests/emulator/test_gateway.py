"""A gateway that speaks the OpenAI dialect alone, and takes a bare licence."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image

from gemini_emulator import Emulator, Options, media_output, running

from .chatting import Chat, chat, data_url, function, joined
from .conftest import TODAY
from .drawing import recording

pytestmark = pytest.mark.anyio

PICTURE = re.compile(r"!\[[^\]]*\]\(data:image/png;base64,([^)]+)\)")
DRAWS = "gemini-3.1-flash-lite-image"


@pytest.fixture(scope="module")
async def gateway(anyio_backend: str) -> AsyncIterator[Emulator]:
    options = Options(today=TODAY, dialect="openai", prefix="/gemini", keys=frozenset({"license-1"}))
    async with running(options) as started:
        yield started


@pytest.fixture
async def chats(gateway: Emulator) -> AsyncIterator[Chat]:
    headers = {"Authorization": "license-1"}
    async with httpx2.AsyncClient(base_url=gateway.url, headers=headers, timeout=20) as http:
        yield Chat(http, "/v1")


@pytest.mark.parametrize("value", ["", "Bearer license-1", "license-2"])
async def test_only_a_bare_license_opens_it(chats: Chat, value: str) -> None:
    response = await chats.http.post("/v1/chat/completions", json=chat("Hello"), headers={"Authorization": value})
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"


async def test_pictures_recordings_and_films_all_come_as_image_url(chats: Chat) -> None:
    film = media_output.film("a boat", 2, "16:9", "360p")
    urls = [
        data_url(media_output.draw("a cat", 80, 40), "image/png"),
        data_url(recording(2), "audio/wav"),
        data_url(film, "video/mp4"),
        "https://example.com/talk.mp3",
    ]
    parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    said = await chats.complete({"role": "user", "content": [{"type": "text", "text": "What are these?"}, *parts]})
    for words in ("80×40", "audio recording", "a video (video/mp4) of about 2 s"):
        assert words in said["message"]["content"]


async def test_a_picture_is_drawn_in_chat_and_edited_in_the_next_turn(chats: Chat) -> None:
    first = await chats.complete("a red house", model=DRAWS)
    assert first["finish_reason"] == "stop"
    drawn = _picture(first["message"]["content"])
    whole = joined(await chats.stream("a red house", model=DRAWS))
    assert _picture(whole["content"]) == drawn
    second = await chats.complete(
        "a red house", {"role": "assistant", "content": first["message"]["content"]}, "make it blue", model=DRAWS
    )
    assert _picture(second["message"]["content"]) != drawn


async def test_pictures_come_as_entries_of_their_own_where_that_is_set() -> None:
    async with (
        running(Options(today=TODAY, dialect="openai", picture_form="images", gateway_embeddings=True)) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, headers={"Authorization": "any"}, timeout=20) as http,
    ):
        chats = Chat(http, "/v1")
        message = (await chats.complete("a red house", model=DRAWS))["message"]
        assert "![" not in message["content"]
        assert message["images"][0]["image_url"]["url"].startswith("data:image/png;base64,")
        assert len(joined(await chats.stream("a red house", model=DRAWS))["images"]) == 1
        vectors = await chats.post("/embeddings", {"model": "gemini-embedding-2", "input": "a cat"})
        assert len(vectors.json()["data"][0]["embedding"]) == 3072


async def test_code_runs_when_the_function_of_that_name_is_there(chats: Chat) -> None:
    tools = [function("codeExecution")]
    said = (await chats.complete("Compute 2**10", tools=tools))["message"]
    assert "```python\nprint(2**10)\n```\n```output\n1024\n```" in said["content"]
    assert "tool_calls" not in said
    assert joined(await chats.stream("Compute 2**10", tools=tools))["content"] == said["content"]


async def test_a_function_is_called_in_pieces_and_answered_without_any_signature(chats: Chat) -> None:
    tools = [function("get_weather", city={"type": "string"}), function("codeExecution")]
    message = joined(await chats.stream("What is the weather in Paris?", tools=tools))
    call = message["tool_calls"][0]
    assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Paris"})
    made = {"name": call["name"], "arguments": call["arguments"]}
    said = {"role": "assistant", "tool_calls": [{"id": call["id"], "type": "function", "function": made}]}
    told = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
    answer = await chats.complete("What is the weather in Paris?", said, told, tools=tools)
    assert "sunny" in answer["message"]["content"]


async def test_refusals_are_in_the_words_of_openai(chats: Chat) -> None:
    unknown = (await chats.refusal(chat("Hello", extra_body={})))["error"]
    assert (unknown["type"], unknown["param"], unknown["code"]) == (
        "invalid_request_error", "extra_body", "unknown_parameter",
    )  # fmt: skip
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    assert "input_audio" in (await chats.refusal(chat({"role": "user", "content": [audio]})))["error"]["message"]
    assert (await chats.refusal(chat("Hello", model="gpt-9"), 404))["error"]["code"] == "model_not_found"
    busy = await chats.post("/chat/completions", chat("Hello [emulate: status=429 retry=1.5s]"))
    assert (busy.json()["error"]["type"], busy.headers["retry-after"]) == ("rate_limit_error", "2")
    blocked = await chats.complete("Hello [emulate: block=SAFETY]")
    assert (blocked["finish_reason"], blocked["message"]["content"]) == ("content_filter", None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1beta/models"), ("POST", "/v1beta/models/gemini-3.8-flash:generateContent"),
        ("POST", "/upload/v1beta/files"), ("POST", "/v1beta/openai/chat/completions"), ("GET", "/v1/files"),
        ("POST", "/v1/embeddings"), ("POST", "/v1/projects/p/locations/l/cachedContents"),
    ],
)  # fmt: skip
async def test_nothing_else_is_there(chats: Chat, method: str, path: str) -> None:
    response = await chats.http.request(method, path, json={"input": "a"})
    assert (response.status_code, response.json()["error"]["type"]) == (404, "invalid_request_error")
    models = (await chats.http.get("/v1/models")).json()["data"]
    assert "gemini-3.8-flash" in [one["id"] for one in models]


def _picture(content: str) -> bytes:
    found = PICTURE.search(content)
    assert found, content[:200]
    data = base64.b64decode(found[1])
    with Image.open(BytesIO(data)) as picture:
        assert picture.format == "PNG"
    return data
