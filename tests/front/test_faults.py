"""When Gemini, the network or the key fails: what is repeated, what is not, and what the caller reads."""

# ruff: noqa: E501  the golden texts are one line each, as the caller gets them

from __future__ import annotations

import asyncio
import re
import socket

import pytest
from mcp import Client
from mcp_types import CallToolResult

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, ask, said

pytestmark = pytest.mark.anyio

META = "gemini-toolserver/error"


async def failed(client: Client, directive: str) -> tuple[str, Json]:
    """The text and the facts of a call that must fail."""
    result = await client.call_tool("generate_text", {"prompt": f"[emulate: {directive}] x"})
    return error_of(result), facts(result)


def facts(result: CallToolResult) -> Json:
    """What programs read of an error."""
    assert result.meta is not None
    found: Json = result.meta[META]
    return found


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_passes_is_repeated_and_the_repetitions_are_shown(
    connect: Connect, emulator: Emulator, status: int, mode: str
) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool(
            "generate_text", {"prompt": f"[emulate: status={status} retry=0.02s times=2] Say hello"}
        )
    answer = structured(result)
    assert answer["retries"] == 2
    assert "retries: 2" in text_of(result)
    assert len(emulator.requests) == 3


async def test_the_delay_that_gemini_asks_for_is_kept(connect: Connect, emulator: Emulator) -> None:
    clock = asyncio.get_running_loop()
    async with connect() as client:
        await ask(client)
        begun = clock.time()
        await ask(client, "[emulate: status=429 retry=0.4s times=1] x")
        assert clock.time() - begun >= 0.4


async def test_a_storm_ends_after_five_attempts(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        text, found = await failed(client, "status=503 retry=0.01s")
    assert len(emulator.requests) == 5
    assert "Gemini is overloaded at the moment" in text
    assert found == {"code": "UNAVAILABLE", "status": 503, "retry_after": 0.01, "retries": 4}


async def test_a_delay_beyond_the_time_of_the_call_is_not_waited_for(connect: Connect, emulator: Emulator) -> None:
    async with connect(timeout=5.0) as client:
        text, found = await failed(client, "status=429 retry=60s")
    assert len(emulator.requests) == 1
    assert "Call again in 60 s" in text
    assert found["retry_after"] == 60


@pytest.mark.parametrize(
    "directive",
    [
        "status=429 quota=PerDay retry=0.01s",
        "status=402 retry=0.01s",
        "status=400 retry=0.01s",
        "status=403 retry=0.01s",
        "status=404 retry=0.01s",
        "status=401 retry=0.01s",
        "status=409 retry=0.01s",
        "status=501 retry=0.01s",
    ],
)
async def test_what_does_not_pass_is_not_repeated(connect: Connect, emulator: Emulator, directive: str) -> None:
    async with connect() as client:
        _, found = await failed(client, directive)
    assert len(emulator.requests) == 1
    assert "retries" not in found


@pytest.mark.parametrize("stream", [False, True])
async def test_a_connection_cut_before_the_answer_may_have_been_billed_and_is_not_repeated(
    connect: Connect, emulator: Emulator, stream: bool
) -> None:
    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        return

    async with connect() as client:
        result = await client.call_tool(
            "generate_text", {"prompt": "[emulate: cut=before] x"}, progress_callback=ignore if stream else None
        )
    assert "may have done and billed the work" in error_of(result)
    assert "Call it again to repeat it on purpose" in error_of(result)
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("directive", ["cut=inside", "stall=inside", "stall=headers"])
async def test_an_answer_that_breaks_or_stops_inside_may_have_been_billed(
    connect: Connect, emulator: Emulator, directive: str
) -> None:
    async with connect(timeout=0.5) as client:
        text, found = await failed(client, directive)
    assert "may have done and billed the work" in text
    assert found["code"] in ("answer_cut", "deadline_exceeded")
    assert len(emulator.requests) == 1


async def test_a_stream_that_stalls_returns_what_came_when_the_time_is_up(connect: Connect, emulator: Emulator) -> None:
    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        return

    async with connect(timeout=0.6) as client:
        result = await client.call_tool(
            "generate_text",
            {"prompt": "[emulate: stall=inside after=2 length=900] Tell me"},
            progress_callback=ignore,
        )
    answer = structured(result)
    assert answer["text"].startswith("[emulated]")
    assert answer["incomplete"] is True
    assert "time for this call is up" in "".join(answer["warnings"])


@pytest.mark.parametrize("status", [302, 307])
async def test_a_redirect_never_takes_the_key_to_another_origin(
    connect: Connect, emulator: Emulator, fake: FakeGemini, status: int
) -> None:
    target = fake.url.replace("127.0.0.1", "localhost") + "/elsewhere"
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": f"[emulate: redirect={target} status={status}] x"})
    assert all("x-goog-api-key" not in headers for headers in fake.headers)
    if status == 302:
        assert "redirect (302)" in error_of(result)
        assert fake.requests == []
    else:
        assert structured(result)["text"] == "hello"


@pytest.mark.parametrize("host", ["evil.example", "169.254.169.254", "10.0.0.1"])
async def test_a_redirect_to_a_foreign_host_is_not_followed(
    connect: Connect, emulator: Emulator, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def watched(name: str, *args: object, **more: object) -> object:
        asked.append(name)
        return resolve(name, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    async with connect() as client:
        text, found = await failed(client, f"redirect=https://{host}/ status=307")
    assert f"points to '{host}', which this server does not follow" in text
    assert found["code"] == "redirect_refused"
    assert host not in asked


async def test_without_a_key_nothing_is_sent_and_the_remedy_is_told(
    connect: Connect, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    async with connect(key=None) as client:
        for tool, arguments in (
            ("generate_text", {"prompt": "x"}),
            ("count_tokens", {"prompt": "x"}),
            ("list_models", {}),
        ):
            result = await client.call_tool(tool, arguments)
            assert "There is no API key, so nothing was sent to Gemini" in error_of(result)
            assert "GEMINI_API_KEY" in error_of(result)
            assert facts(result) == {"code": "key_missing"}
    assert emulator.requests == []


async def test_a_key_that_google_refuses_is_told_without_being_shown(connect: Connect, emulator: Emulator) -> None:
    async with connect(key="invalid-but-secret-key") as client:
        text, found = await failed(client, "length=9")
    assert "Google does not accept the API key" in text
    assert "invalid-but-secret-key" not in text
    assert found == {"code": "INVALID_ARGUMENT", "status": 400}
    assert len(emulator.requests) == 1


async def test_a_server_that_cannot_be_reached_is_told_without_a_bill(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with connect(base_url=f"http://127.0.0.1:{port}", timeout=1.0) as client:
        text, _ = await failed(client, "length=9")
    assert "No connection to 127.0.0.1" in text
    assert "nothing was sent or billed" in text


async def test_a_server_that_is_busy_says_when_to_come_back(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    fake.say(Reply(said("hello"), gate=gate))
    async with connect(base_url=fake.url, max_calls=1) as client:
        calls = [asyncio.create_task(ask(client, str(n))) for n in range(5)]
        await fake.wait_for(1)
        result = await client.call_tool("generate_text", {"prompt": "one too many"})
        text, found = error_of(result), facts(result)
        assert len(fake.requests) == 1
        gate.set()
        answers = await asyncio.gather(*calls)
        after = await ask(client, "and now")
    assert "1 calls to Gemini under way" in text
    assert "nothing was sent" in text
    assert found == {"code": "busy", "retry_after": 5.0}
    assert [answer["text"] for answer in answers] == ["hello"] * 5
    assert after["text"] == "hello"
    assert len(fake.requests) == 6


GOLDEN = {
    "status=400 message=Bad_seed.": "Gemini refused the request (400 INVALID_ARGUMENT): Bad seed. Change the argument it names, then call again; repeating the call unchanged gives the same answer.",
    "status=401": "Google does not accept the API key (401 UNAUTHENTICATED): Request had invalid authentication credentials. Only the person who runs this server can mend this: set GEMINI_API_KEY to a valid key (https://aistudio.google.com/apikey), then restart the server.",
    "status=402": "The credit of this Gemini account is used up (402 FAILED_PRECONDITION): Your prepayment credits are depleted. Please add credits to continue. Only the person who runs this server can mend this: top up the account or turn on billing (https://aistudio.google.com). Do not repeat the call.",
    "status=403": "This API key may not do this (403 PERMISSION_DENIED): The caller does not have permission. Only the person who runs this server can mend this: check the restrictions of the key and that the Gemini API is enabled in its project.",
    "status=403 message=Your_API_key_was_reported_as_leaked.": "Google has blocked this API key because it was found in public (403 PERMISSION_DENIED): Your API key was reported as leaked. Only the person who runs this server can mend this: make a new key (https://aistudio.google.com/apikey), set GEMINI_API_KEY to it, delete the old.",
    "status=404": "Gemini does not know this name (404 NOT_FOUND): Requested entity was not found. Check the name against the list of what exists; a model may have been shut down, a file may have expired.",
    "status=408 retry=0.001s": "Gemini did not finish in time (408 DEADLINE_EXCEEDED): The request timed out. Ask for less at once, or for a background job; then call again.",
    "status=429 retry=0.001s": "The rate limit GenerateRequestsPerMinutePerProjectPerModel-FreeTier (generate_content_free_tier_requests, limit 10, model gemini-3.8-flash) of Gemini is reached for now (429 RESOURCE_EXHAUSTED): You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. * Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 10, model: gemini-3.8-flash Please retry in 0.001s. Call again in 1 s.",
    "status=500 retry=0.001s": "Gemini failed (500 INTERNAL): An internal error has occurred. Please retry or report in the developer forum. Call again in a minute, or use another model.",
    "status=502 html retry=0.001s": "Gemini failed (502): Error 502. Call again in a minute, or use another model.",
    "status=503 retry=0.001s": "Gemini is overloaded at the moment (503 UNAVAILABLE): The model is overloaded. Please try again later. Call again in a minute, or use another model.",
    "status=504 retry=0.001s": "Gemini did not finish in time (504 DEADLINE_EXCEEDED): Deadline expired before operation could complete. Ask for less at once, or for a background job; then call again.",
    "broken_json": "Gemini's answer is not the JSON that the API promises: it is cut, or something else answered. It may have been billed. Call again later; if it stays, check that GEMINI_BASE_URL points at the Gemini API.",
    "html status=200": "Gemini's answer is not the JSON that the API promises: it is cut, or something else answered. It begins: Error 200… It may have been billed. Call again later; if it stays, check that GEMINI_BASE_URL points at the Gemini API.",
    "status=429 error_array quota=PerDay message=No_more.": "The daily quota GenerateRequestsPerDayPerProjectPerModel-FreeTier (generate_content_free_tier_requests, limit 250, model gemini-3.8-flash) of this API key is used up (429 RESOURCE_EXHAUSTED): No more. It resets at midnight Pacific time, in about 7 h. Until then use another model; calling again does not help.",
    "redirect=https://evil.example/ status=307": "The answer points to 'evil.example', which this server does not follow: it is not one of Google's hosts. Nothing was sent there. If a proxy or gateway stands between, correct GEMINI_BASE_URL; otherwise do not use this link.",
    "cut=inside": "Gemini's answer was cut off. Gemini may have done and billed the work. Call it again to repeat it on purpose; it may then be billed twice.",
    "finish=SAFETY": "Gemini withheld the answer (SAFETY): its safety filter objected. Category: sexually explicit. Gemini says: The emulator was asked to finish with SAFETY. Rephrase the request, or set `safety` thresholds if your use allows it.",
    "finish=RECITATION": "Gemini withheld the answer (RECITATION): it would have repeated a known text at length. Gemini says: The emulator was asked to finish with RECITATION. Ask for a summary or for its own words.",
    "block=PROHIBITED_CONTENT": "Gemini did not answer the prompt (PROHIBITED_CONTENT): the content may be prohibited. Category: sexually explicit. Rephrase the request; repeating it unchanged gives the same answer.",
    "empty": "Gemini answered without a candidate and gave no reason. Call again or rephrase.",
}
"""What a caller reads, by the fault that the emulator is asked for."""


@pytest.mark.parametrize("directive", list(GOLDEN), ids=lambda directive: directive.replace(" ", ","))
async def test_an_error_says_what_why_and_what_to_do(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, directive: str
) -> None:
    from gemini_server.rest import failure, retry

    def seven_hours(now: float) -> float:
        return 7 * 3600.0

    monkeypatch.setattr(failure, "seconds_to_reset", seven_hours)
    monkeypatch.setattr(retry, "BASE_SECONDS", 0.001)
    async with connect(timeout=3.0) as client:
        text, _ = await failed(client, directive)
    # What it cost depends on the emulator's count of tokens.
    assert re.sub(r" It used [^$]*\$[0-9.e-]+[0-9]\.", "", text) == GOLDEN[directive]
