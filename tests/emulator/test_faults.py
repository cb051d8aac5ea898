"""Faults on request: each directive does what the grammar says, over a real socket."""

from __future__ import annotations

import time

import anyio
import httpx2
import pytest

from gemini_emulator import ApiError, Emulator, Options, running

from .conftest import Api, ask, text_of

pytestmark = pytest.mark.anyio

GENERATE = "/v1beta/models/gemini-3.8-flash:generateContent"
STREAM = "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"


async def sent(api: Api, directive: str, url: str = GENERATE) -> httpx2.Response:
    return await api.http.post(url, json=ask(f"Tell me about tides. [emulate: {directive}]"))


async def collect(response: httpx2.Response, received: bytearray) -> None:
    async for chunk in response.aiter_bytes():
        received += chunk


async def test_a_status_carries_its_details(api: Api) -> None:
    response = await sent(api, "status=429 retry=2s quota=PerDay")
    error = response.json()["error"]
    assert (response.status_code, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    quota, help_, retry = error["details"]
    assert "PerDay" in quota["violations"][0]["quotaId"]
    assert help_["links"]
    assert retry["retryDelay"] == "2s"


async def test_without_retry_there_is_no_retry_info(api: Api) -> None:
    response = await sent(api, "status=429")
    assert not any("RetryInfo" in one["@type"] for one in response.json()["error"]["details"])
    assert "PerMinute" in response.text


async def test_retry_after_is_a_header(api: Api) -> None:
    response = await sent(api, "status=503 retry_after=7")
    assert response.headers["retry-after"] == "7"
    assert response.json()["error"]["status"] == "UNAVAILABLE"


async def test_times_counts_per_directive_and_path(api: Api) -> None:
    codes = [(await sent(api, "status=500 times=2")).status_code for _ in range(3)]
    assert codes == [500, 500, 200]
    assert (await sent(api, "status=500 times=2", STREAM)).status_code == 500


async def test_a_prompt_without_its_directive_is_what_the_model_sees(api: Api) -> None:
    assert "[emulate:" not in (await sent(api, "slow=1ms")).text


async def test_a_cut_before_leaves_nothing(api: Api) -> None:
    for url in (GENERATE, STREAM):
        with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
            await sent(api, "cut=before", url)


async def test_a_cut_inside_leaves_half_a_body(api: Api) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await sent(api, "cut=inside")


async def test_a_cut_inside_a_stream_comes_after_its_events(api: Api) -> None:
    received = bytearray()
    body = ask("Tell me about tides. [emulate: cut=inside after=2]")
    async with api.http.stream("POST", STREAM, json=body) as response:
        with pytest.raises(httpx2.RemoteProtocolError):
            await collect(response, received)
    assert received.count(b"data: ") == 2


@pytest.mark.parametrize("url", [GENERATE, STREAM])
async def test_a_stall_sends_headers_and_then_nothing(api: Api, url: str) -> None:
    body = ask("hi [emulate: stall]")
    async with api.http.stream("POST", url, json=body, timeout=0.2) as response:
        assert response.status_code == 200
        with pytest.raises(httpx2.ReadTimeout):
            await response.aread()


async def test_a_stall_inside_sends_the_first_event(api: Api) -> None:
    received = bytearray()
    async with api.http.stream("POST", STREAM, json=ask("hi [emulate: stall=inside]"), timeout=0.2) as response:
        with pytest.raises(httpx2.ReadTimeout):
            await collect(response, received)
    assert received.count(b"data: ") == 1


async def test_slow_and_pace_take_their_time(api: Api) -> None:
    began = time.monotonic()
    await sent(api, "slow=150ms")
    assert time.monotonic() - began >= 0.15
    began = time.monotonic()
    events = (await sent(api, "pace=20ms", STREAM)).text.count("data: ")
    assert time.monotonic() - began >= 0.02 * (events - 1)


async def test_broken_json_cannot_be_parsed(api: Api) -> None:
    response = await sent(api, "broken_json")
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r".+"):
        response.json()


async def test_an_html_page_comes_with_its_status(api: Api) -> None:
    response = await sent(api, "html status=502")
    assert response.status_code == 502
    assert response.text.startswith("<!DOCTYPE html>")


async def test_a_redirect_points_elsewhere(api: Api) -> None:
    response = await sent(api, "redirect=http://other.example/x?a=b status=307")
    assert (response.status_code, response.headers["location"]) == (307, "http://other.example/x?a=b")
    assert (await sent(api, "redirect=http://other.example/x")).status_code == 302


async def test_an_error_in_the_stream_is_a_bare_object(api: Api) -> None:
    response = await sent(api, "error_in_stream status=503 after=2", STREAM)
    assert response.status_code == 200
    first, second, error = response.text.strip().split("\r\n\r\n")
    assert first.startswith("data: ")
    assert second.startswith("data: ")
    assert error.startswith('{"error":{"code":503')


async def test_errors_come_in_other_formats_too(api: Api) -> None:
    assert (await sent(api, "error_array status=500")).json()[0]["error"]["code"] == 500
    assert (await sent(api, "error_interactions status=429")).json()["error"]["code"] == "rate_limit_exceeded"
    daily = await sent(api, "error_interactions status=429 quota=PerDay")
    assert daily.json()["error"]["code"] == "quota_exceeded"


async def test_errors_of_the_array_stream_are_one_element_arrays(api: Api) -> None:
    response = await api.post("streamGenerateContent", {})
    assert response.json()[0]["error"]["code"] == 400


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "MISSING_THOUGHT_SIGNATURE"])
async def test_finish_reasons_on_request(api: Api, reason: str) -> None:
    candidate = (await sent(api, f"finish={reason}")).json()["candidates"][0]
    assert candidate["finishReason"] == reason
    assert not candidate.get("content", {}).get("parts")


async def test_a_blocked_prompt_has_no_candidates(api: Api) -> None:
    response = (await sent(api, "block=PROHIBITED_CONTENT")).json()
    assert response["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"
    assert "candidates" not in response
    assert response["usageMetadata"]["totalTokenCount"] == response["usageMetadata"]["promptTokenCount"]


async def test_empty_answers_on_request(api: Api) -> None:
    assert "candidates" not in (await sent(api, "empty")).json()
    assert "content" not in (await sent(api, "nocontent")).json()["candidates"][0]
    malformed = (await sent(api, "malformed_function_call")).json()["candidates"][0]
    assert malformed["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert malformed["finishMessage"].startswith("Malformed function call")


async def test_a_length_is_kept_roughly(api: Api) -> None:
    assert 4900 <= len(text_of((await sent(api, "length=5000")).json())) <= 5000


async def test_continuation_tokens_lead_to_the_whole_answer(api: Api) -> None:
    body = ask("Tell me about tides. [emulate: continuation=3 length=2000]")
    texts: list[str] = []
    token = None
    while True:
        response = (await api.http.post(GENERATE, json=body | ({"continuationToken": token} if token else {}))).json()
        texts.append(text_of(response))
        token = response["candidates"][0].get("continuationToken")
        if not token:
            break
        assert response["candidates"][0]["finishReason"] == "CONTINUATION"
    assert len(texts) == 4
    whole = await api.text("Tell me about tides. [emulate: length=2000]")
    assert len("".join(texts)) == pytest.approx(len(whole), abs=200)
    assert response["candidates"][0]["finishReason"] == "STOP"


async def test_a_made_up_continuation_token_is_refused(api: Api) -> None:
    assert "continuation_token" in await api.refusal({**ask("hi"), "continuationToken": "AAAA"})


async def test_an_unknown_directive_is_refused(api: Api) -> None:
    assert "no directive 'statsu'" in (await sent(api, "statsu=500")).text
    assert (await sent(api, "slow=fast")).status_code == 400


async def test_faults_from_outside_match_method_and_path(api: Api) -> None:
    fault = {"match": {"method": "GET", "path": "models/gemini"}, "times": 1, "directive": "status=503 retry=1s"}
    assert (await api.http.post("/emulator/faults", json=fault)).status_code == 200
    assert (await api.http.get("/v1beta/models")).status_code == 200
    assert (await api.http.get("/v1beta/models/gemini-3.8-flash")).status_code == 503
    assert (await api.http.get("/v1beta/models/gemini-3.8-flash")).status_code == 200


async def test_faults_from_python_reach_the_content_and_can_be_cleared(emulator: Emulator, api: Api) -> None:
    emulator.add_fault("finish=SAFETY", path="generateContent", times=None)
    assert (await api.generate("hi"))["candidates"][0]["finishReason"] == "SAFETY"
    assert (await api.generate("hi"))["candidates"][0]["finishReason"] == "SAFETY"
    emulator.clear_faults()
    assert (await api.generate("hi"))["candidates"][0]["finishReason"] == "STOP"
    emulator.add_fault("cut=before")
    await api.http.delete("/emulator/faults")
    await api.generate("hi")


async def test_a_fault_in_a_stream_can_come_from_outside(emulator: Emulator, api: Api) -> None:
    emulator.add_fault("cut=inside after=1", path="streamGenerateContent")
    with pytest.raises(httpx2.RemoteProtocolError):
        await api.http.post(STREAM, json=ask("hi"))


async def test_faults_that_cannot_be_read_are_refused(emulator: Emulator, api: Api) -> None:
    assert (await api.http.post("/emulator/faults", json={"directive": "nonsense"})).status_code == 400
    assert (await api.http.post("/emulator/faults", content=b"{")).status_code == 400
    assert (await api.http.get("/emulator/nothing")).status_code == 404
    with pytest.raises(ApiError):
        emulator.add_fault("status=503", path="(")


async def test_it_stops_within_a_second_with_open_streams() -> None:
    async with anyio.create_task_group() as tasks:
        async with running(Options()) as emulator:
            stalled = anyio.Event()

            async def wait() -> None:
                headers, body = {"x-goog-api-key": "k"}, ask("hi [emulate: stall]")
                async with (
                    httpx2.AsyncClient(base_url=emulator.url, headers=headers, timeout=None) as http,
                    http.stream("POST", STREAM, json=body) as response,
                ):
                    stalled.set()
                    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
                        await response.aread()

            tasks.start_soon(wait)
            await stalled.wait()
            began = time.monotonic()
        assert time.monotonic() - began < 1
