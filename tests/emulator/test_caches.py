"""Cached contents: what may be cached, for how long, and what prompts make of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator, Options, running

from .conftest import TODAY, Api, ask, text_of
from .drawing import BLUE, RED, Drawing, picture
from .uploading import active, refers_to, upload

pytestmark = pytest.mark.anyio

MODEL = "models/gemini-3.8-flash"
FACT = "The lighthouse of Ystad was painted green in 1911. "
STORY = FACT + "The sea was calm and the keeper wrote letters. " * 400
PATH = "/v1beta/cachedContents"
GONE = "CachedContent not found (or permission denied)"
WEATHER = {"functionDeclarations": [{"name": "get_weather", "description": "Current weather of a city"}]}


@pytest.fixture
async def alone(anyio_backend: str) -> AsyncIterator[tuple[Api, Emulator]]:
    """An emulator whose clock and caches belong to one test."""
    async with (
        running(Options(today=TODAY)) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, verify=False) as http,
    ):
        http.headers["x-goog-api-key"] = "k"
        yield Api(http), emulator


def cache(*parts: str | dict[str, Any], model: str = MODEL, **fields: Any) -> dict[str, Any]:
    return {"model": model, **ask(*(parts or (STORY,))), **fields}


async def created(api: Api, *parts: str | dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = await api.http.post(PATH, json=cache(*parts, **fields))
    assert response.status_code == 200, response.text
    return dict(response.json())


async def refused(api: Api, body: object, status: int = 400) -> str:
    response = await api.http.post(PATH, json=body)
    assert response.status_code == status, response.text
    return str(response.json()["error"]["message"])


async def test_a_cache_tells_its_size_and_its_end_but_not_its_contents(api: Api) -> None:
    made = await created(api, ttl="60s", displayName="Story", systemInstruction={"parts": [{"text": "Be brief."}]})
    assert made == {
        "name": made["name"],
        "model": MODEL,
        "displayName": "Story",
        "createTime": made["createTime"],
        "updateTime": made["createTime"],
        "expireTime": made["expireTime"],
        "usageMetadata": {"totalTokenCount": -(-len(STORY) // 4) + 3},
    }
    assert (await api.http.get(f"/v1beta/{made['name']}")).json() == made


async def test_without_a_wish_a_cache_lives_for_an_hour(alone: tuple[Api, Emulator]) -> None:
    api, emulator = alone
    made = await created(api)
    emulator.advance(3590)
    assert (await api.http.get(f"/v1beta/{made['name']}")).status_code == 200
    emulator.advance(11)
    assert (await api.http.get(f"/v1beta/{made['name']}")).json()["error"]["message"] == GONE


@pytest.mark.parametrize("moment", ["2099-01-02T03:04:05Z", "2099-01-02T04:04:05.000000+01:00"])
async def test_the_end_may_be_a_moment(api: Api, moment: str) -> None:
    assert (await created(api, expireTime=moment))["expireTime"] == "2099-01-02T03:04:05.000000Z"


@pytest.mark.parametrize(
    ("model", "least"),
    [("gemini-3.8-flash", 4096), ("gemini-3.1-pro-preview", 4096), ("gemini-2.5-flash-lite", 2048)],
)
async def test_a_cache_has_a_least_size(api: Api, model: str, least: int) -> None:
    model = f"models/{model}"
    await created(api, "x" * least * 4, model=model)
    message = await refused(api, cache("x" * (least * 4 - 4), model=model))
    words = f"Cached content is too small. total_token_count={least - 1}, min_total_token_count={least}"
    assert message == words


async def test_instruction_and_tools_count_for_the_size(api: Api) -> None:
    body = {"model": MODEL, "systemInstruction": {"parts": [{"text": STORY}]}, "tools": [WEATHER]}
    made = (await api.http.post(PATH, json=body)).json()
    assert made["usageMetadata"]["totalTokenCount"] > len(STORY) // 4


async def test_a_model_that_does_not_cache_is_not_found(api: Api) -> None:
    for model in ("gemini-4-argon", "gemma-4-31b-it", "gemini-nano-banana-2.1", "gemini-99"):
        message = await refused(api, cache(model=f"models/{model}"), 404)
        assert f"models/{model} is not found for API version v1beta, or is not supported for" in message
        assert "createCachedContent" in message


NOT_CACHED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no collection": {**cache(), "model": "gemini-3.8-flash"},
    "two ends": cache(ttl="60s", expireTime="2099-01-02T03:04:05Z"),
    "no time": cache(ttl="0s"),
    "negative time": cache(ttl="-5s"),
    "time beyond the calendar": cache(ttl="1000000000000s"),
    "no duration": cache(ttl="an hour"),
    "a number": cache(ttl=60),
    "the past": cache(expireTime="2020-01-02T03:04:05Z"),
    "no moment": cache(expireTime="tomorrow"),
    "long name": cache(displayName="ü" * 129),
    "unknown field": cache(unknown=1),
    "field of a prompt": cache(generationConfig={}),
    "no parts": {"model": MODEL, "contents": [{"role": "user", "parts": []}]},
    "unknown role": {"model": MODEL, "contents": [{"role": "system", "parts": [{"text": STORY}]}]},
    "function name": cache(tools=[{"functionDeclarations": [{"name": "no spaces please"}]}]),
    "instruction": cache(systemInstruction={"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}),
    "too much": cache("x" * 4 * 1_100_000),
}


@pytest.mark.parametrize("body", NOT_CACHED.values(), ids=NOT_CACHED)
async def test_what_cannot_be_cached_is_refused(api: Api, body: object) -> None:
    assert await refused(api, body)


async def test_a_file_can_be_cached_and_outlived(alone: tuple[Api, Emulator]) -> None:
    api, emulator = alone
    file = await active(api, STORY.encode(), "text/plain")
    made = await created(api, refers_to(file), ttl="360000s")
    emulator.advance(49 * 3600)
    answer = await api.generate("What colour is the lighthouse?", cachedContent=made["name"])
    assert "painted green in 1911" in text_of(answer)
    assert "do not have permission" in await refused(api, cache(refers_to(file)), 403)
    pending = await upload(api, b"%PDF", "application/pdf")
    assert "is not in an ACTIVE state" in await refused(api, cache(refers_to(pending)))


async def test_an_answer_uses_what_is_cached_and_counts_it(api: Api) -> None:
    made = await created(api, systemInstruction={"parts": [{"text": "Answer like a sailor."}]})
    tokens = made["usageMetadata"]["totalTokenCount"]
    question = "What colour is the lighthouse?"
    response = await api.generate(question, cachedContent=made["name"])
    assert f"You asked: “{question}”" in text_of(response)
    assert "painted green in 1911" in text_of(response)
    assert "Answer like a sailor." in text_of(response)
    usage = response["usageMetadata"]
    assert usage["cachedContentTokenCount"] == tokens
    assert usage["cacheTokensDetails"] == [{"modality": "TEXT", "tokenCount": tokens}]
    assert usage["promptTokenCount"] == tokens + -(-len(question) // 4)


async def test_another_cache_is_another_answer(api: Api) -> None:
    names = [(await created(api, f"{text} {STORY}"))["name"] for text in ("One.", "Two.")]
    first, second = [await api.generate("What is it?", cachedContent=name) for name in names]
    assert first["responseId"] != second["responseId"]


async def test_a_stream_uses_the_cache_too(api: Api) -> None:
    made = await created(api)
    body = {**ask("What colour is the lighthouse?"), "cachedContent": made["name"]}
    stream = await api.http.post(f"/v1beta/{MODEL}:streamGenerateContent?alt=sse", json=body)
    assert '"cachedContentTokenCount":' in stream.text


async def test_pictures_in_a_cache_are_seen(api: Api) -> None:
    drawing = Drawing(100, 100).paint("circle", RED, 10, 10, 50, 50).paint("square", BLUE, 60, 60, 90, 90)
    made = await created(api, picture(drawing), STORY)
    response = await api.generate("Detect the red circle. Give box_2d.", cachedContent=made["name"])
    assert '"label":"red circle"' in text_of(response)
    assert {one["modality"] for one in response["usageMetadata"]["cacheTokensDetails"]} == {"IMAGE", "TEXT"}


async def test_functions_in_a_cache_are_called_and_answered(api: Api) -> None:
    mode = {"functionCallingConfig": {"mode": "ANY"}}
    made = await created(api, tools=[WEATHER], toolConfig=mode)
    first = await api.generate("What is the weather in Oslo?", cachedContent=made["name"])
    content = first["candidates"][0]["content"]
    call = content["parts"][0]["functionCall"]
    assert call["name"] == "get_weather"
    response = {"functionResponse": {"id": call["id"], "name": "get_weather", "response": {"degrees": 21}}}
    turns = [*ask("What is the weather in Oslo?")["contents"], content, {"role": "user", "parts": [response]}]
    body = {"contents": turns, "cachedContent": made["name"]}
    assert (await api.post("generateContent", body)).status_code == 200


async def test_a_conversation_can_be_cached_and_continued(api: Api) -> None:
    turns = [
        {"role": "user", "parts": [{"text": STORY}]},
        {"role": "model", "parts": [{"text": "A calm story."}]},
    ]
    made = (await api.http.post(PATH, json={"model": MODEL, "contents": turns})).json()
    assert "Ystad" in text_of(await api.generate("Where is the lighthouse?", cachedContent=made["name"]))


@pytest.mark.parametrize(
    "field",
    [
        {"systemInstruction": {"parts": [{"text": "x"}]}},
        {"tools": [WEATHER]},
        {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}},
    ],
    ids=["instruction", "tools", "tool config"],
)
async def test_a_request_beside_a_cache_has_no_instruction_and_no_tools(api: Api, field: dict[str, Any]) -> None:
    made = await created(api)
    message = await api.refusal({**ask("hi"), "cachedContent": made["name"], **field})
    assert message.startswith("CachedContent can not be used with GenerateContent request setting system_instruction")
    assert "\n\nProposed fix: move those values to CachedContent from GenerateContent request." in message


async def test_a_cache_belongs_to_its_model(api: Api) -> None:
    made = await created(api)
    body = {**ask("hi"), "cachedContent": made["name"]}
    assert await api.refusal(body, model="gemini-3.6-flash") == (
        "Model used by GenerateContent request (models/gemini-3.6-flash) and CachedContent (models/gemini-3.8-flash) "
        "has to be the same."
    )


async def test_a_request_beside_a_cache_says_something_itself(api: Api) -> None:
    made = await created(api)
    assert "contents is not specified" in await api.refusal({"contents": [], "cachedContent": made["name"]})
    assert "name format" in await api.refusal({**ask("hi"), "cachedContent": "caches/x"})


async def test_a_cache_that_is_gone_is_403_everywhere(api: Api) -> None:
    made = await created(api)
    assert (await api.http.delete(f"/v1beta/{made['name']}")).json() == {}
    for name in (made["name"], "cachedContents/unknown"):
        body = {**ask("hi"), "cachedContent": name}
        assert await api.refusal(body, status=403) == GONE
        counted = await api.post("countTokens", {"generateContentRequest": {**body, "model": MODEL}})
        assert counted.status_code == 403
        for answer in (
            await api.http.get(f"/v1beta/{name}"),
            await api.http.delete(f"/v1beta/{name}"),
            await api.http.patch(f"/v1beta/{name}", json={"ttl": "60s"}),
        ):
            assert (answer.status_code, answer.json()["error"]["message"]) == (403, GONE)


async def test_tokens_are_counted_with_the_cache(api: Api) -> None:
    made = await created(api)
    tokens = made["usageMetadata"]["totalTokenCount"]
    request = {"model": MODEL, **ask("12345678"), "cachedContent": made["name"]}
    counted = (await api.post("countTokens", {"generateContentRequest": request})).json()
    assert (counted["totalTokens"], counted["cachedContentTokenCount"]) == (tokens + 2, tokens)
    assert counted["cacheTokensDetails"] == [{"modality": "TEXT", "tokenCount": tokens}]


async def test_only_the_end_can_be_changed(alone: tuple[Api, Emulator]) -> None:
    api, emulator = alone
    made = await created(api, ttl="60s")
    path = f"/v1beta/{made['name']}"
    emulator.advance(10)
    longer = (await api.http.patch(path, json={"ttl": "600s"})).json()
    assert (longer["expireTime"] > made["expireTime"], longer["updateTime"] > made["updateTime"]) == (True, True)
    moment = "2099-01-02T03:04:05.000000Z"
    echoed = {**longer, "expireTime": moment}
    echoed.pop("displayName")
    assert (await api.http.patch(path, json=echoed)).json()["expireTime"] == moment
    masked = await api.http.patch(f"{path}?updateMask=expire_time", json={"expireTime": moment, "displayName": "x"})
    assert masked.status_code == 200
    for mask, body in (
        ("", {"displayName": "x"}),
        ("displayName", {"displayName": "x"}),
        ("name", {"ttl": "60s"}),
        ("ttl", {"expireTime": moment}),
        ("", {}),
        ("", {"ttl": "0s"}),
        ("", {"contents": ask("x")["contents"], "ttl": "60s"}),
        ("", {"unknown": 1}),
    ):
        changed = await api.http.patch(path, params={"updateMask": mask} if mask else {}, json=body)
        assert changed.status_code == 400, (mask, body)
    emulator.advance(365 * 24 * 3600)
    assert (await api.http.get(path)).status_code == 200


async def test_caches_are_listed_in_pages(alone: tuple[Api, Emulator]) -> None:
    api, emulator = alone
    assert (await api.http.get(PATH)).json() == {}
    names = [(await created(api, ttl=f"{60 * (number + 1)}s"))["name"] for number in range(5)]
    first = (await api.http.get(f"{PATH}?pageSize=3")).json()
    second = (await api.http.get(f"{PATH}?pageSize=3&pageToken={first['nextPageToken']}")).json()
    assert [one["name"] for one in (*first["cachedContents"], *second["cachedContents"])] == names
    assert "nextPageToken" not in second
    emulator.advance(61)
    assert [one["name"] for one in (await api.http.get(PATH)).json()["cachedContents"]] == names[1:]


async def test_faults_meet_caches_as_they_meet_everything(api: Api, emulator: Emulator) -> None:
    emulator.add_fault("status=429 retry=3s", path="cachedContents")
    assert (await api.http.post(PATH, json=cache())).status_code == 429
    emulator.add_fault("cut=inside", path="cachedContents")
    with pytest.raises(httpx2.RemoteProtocolError):
        await api.http.post(PATH, json=cache())
    made = await created(api)
    answer = await api.post("generateContent", {**ask("hi [emulate: status=503]"), "cachedContent": made["name"]})
    assert answer.status_code == 503
