from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, cast

import anyio
import httpx
import httpx2
import pytest
import respx
from anyio.lowlevel import checkpoint
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from pydantic import SecretStr

from gemini_server.errors import (
    ArgumentError,
    KeyMissing,
    Overloaded,
    PaymentRequired,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ToolserverError,
)
from gemini_server.rest.config import ClientConfig
from gemini_server.rest.retry import RetryNote

from .conftest import KEY, FakeTime, MakeClient
from .shapes import ALPHA, GENERATE, GET, MODEL, START, Prompt

pytestmark = pytest.mark.anyio

URL = f"https://generativelanguage.googleapis.com/v1beta/{MODEL}:generateContent"
FILE = "https://generativelanguage.googleapis.com/v1beta/files/x"
OK = httpx.Response(200, json={"text": "done"})


def refusal(status: int, message: str = "no", *details: dict[str, Any], **headers: str) -> httpx.Response:
    error = {"code": status, "message": message, "status": "STATUS", "details": list(details)}
    return httpx.Response(status, json={"error": error}, headers=headers)


def wait(seconds: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": seconds}


def told(route: respx.Route, header: str) -> list[str]:
    """A header of every request that came, in order."""
    calls = cast("list[respx.models.Call]", list(route.calls))
    return [call.request.headers[header] for call in calls]


async def test_a_call_sends_the_body_and_reads_the_answer(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    route = httpx2_mock.post(URL).mock(return_value=OK)
    client = make_client()
    answer = await client.call(GENERATE, body=Prompt(text="hi", max_tokens=3), model=MODEL)
    assert (answer.value.text, answer.retries, client.in_flight) == ("done", 0, 0)
    request = route.calls.last.request
    assert request.content == b'{"text":"hi","maxTokens":3}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == "27"
    assert request.headers["x-server-timeout"] == "600"
    assert request.headers["user-agent"].startswith("gemini-toolserver/")
    assert "gl-python/" in request.headers["x-goog-api-client"]
    assert "cookie" not in request.headers
    assert "traceparent" not in request.headers


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ("api-key", {"x-goog-api-key": KEY}),
        ("bearer", {"authorization": f"Bearer {KEY}"}),
        ("raw", {"authorization": KEY}),
    ],
)
async def test_the_key_travels_in_exactly_one_header(
    httpx2_mock: respx.Router, make_client: MakeClient, auth: str, expected: dict[str, str]
) -> None:
    route = httpx2_mock.get(FILE).mock(return_value=OK)
    await make_client(auth=auth).call(GET, name="files/x")
    request = route.calls.last.request
    credentials = [(k.lower(), v) for k, v in request.headers.multi_items() if KEY in v or "auth" in k.lower()]
    assert credentials == list(expected.items())
    assert KEY not in str(request.url)


async def test_without_a_key_nothing_is_sent(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    client = make_client(key=None)
    with pytest.raises(KeyMissing, match=r"to a key: https://aistudio\.google\.com/apikey gives one"):
        await client.call(GET, name="files/x")
    with pytest.raises(KeyMissing):
        async with client.stream(GENERATE, model=MODEL):
            pass
    assert not httpx2_mock.calls
    assert client.in_flight == 0


async def test_a_bad_path_argument_sends_nothing(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    with pytest.raises(ArgumentError, match="'model'"):
        await make_client().call(GENERATE, model="models/x:generateContent?key=")
    assert not httpx2_mock.calls


async def test_an_endpoint_may_name_its_own_version(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    route = httpx2_mock.post("https://generativelanguage.googleapis.com/v1alpha/auth_tokens").mock(return_value=OK)
    await make_client(api_version="v1").call(ALPHA)
    assert route.called


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_passes_is_repeated_with_backoff(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime, status: int
) -> None:
    httpx2_mock.post(URL).mock(side_effect=[refusal(status), refusal(status), OK])
    answer = await make_client().call(GENERATE, body=Prompt(), model=MODEL)
    assert (answer.value.text, answer.retries) == ("done", 2)
    assert fake_time.slept == [0.5, 1]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 499, 501])
async def test_what_does_not_pass_is_not_repeated(
    httpx2_mock: respx.Router, make_client: MakeClient, status: int
) -> None:
    route = httpx2_mock.get(FILE).mock(return_value=refusal(status))
    with pytest.raises(ToolserverError) as failed:
        await make_client().call(GET, name="files/x")
    assert (route.call_count, failed.value.retries, failed.value.status) == (1, 0, status)


async def test_the_last_attempt_is_the_fifth_and_the_error_says_how_many_there_were(
    httpx2_mock: respx.Router, make_client: MakeClient
) -> None:
    route = httpx2_mock.get(FILE).mock(return_value=refusal(503))
    with pytest.raises(Overloaded) as failed:
        await make_client().call(GET, name="files/x")
    assert (route.call_count, failed.value.retries) == (5, 4)


@pytest.mark.parametrize(("status", "calls"), [(500, 1), (503, 1), (504, 1), (408, 1), (429, 2)])
async def test_a_start_of_background_work_is_repeated_only_on_429(
    httpx2_mock: respx.Router, make_client: MakeClient, status: int, calls: int
) -> None:
    route = httpx2_mock.post("https://generativelanguage.googleapis.com/v1beta/interactions")
    route.mock(side_effect=[refusal(status), OK])
    client = make_client()
    if calls == 1:
        with pytest.raises(Overloaded):
            await client.call(START, body=Prompt())
    else:
        assert (await client.call(START, body=Prompt())).retries == 1
    assert route.call_count == calls


async def test_retry_info_is_obeyed_and_no_call_comes_before_it(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime
) -> None:
    times: list[float] = []

    def serve(request: httpx.Request) -> httpx.Response:
        times.append(fake_time.now)
        return refusal(429, "Please retry in 9s.", wait("3s"), **{"retry-after": "7"}) if len(times) < 3 else OK

    httpx2_mock.get(FILE).mock(side_effect=serve)
    await make_client(random=lambda: 0.0).call(GET, name="files/x")
    assert times == [1000, 1003, 1006]
    times.clear()
    await make_client(random=lambda: 1.0).call(GET, name="files/x")
    assert all(3 <= b - a <= 4 for a, b in pairwise(times))


async def test_a_wait_of_hardly_anything_is_a_fifth_of_a_second(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime
) -> None:
    httpx2_mock.get(FILE).mock(side_effect=[refusal(429, "x", wait("0.000000001s")), OK])
    await make_client(random=lambda: 0.0).call(GET, name="files/x")
    assert fake_time.slept == [0.2]


async def test_a_wait_beyond_the_deadline_is_not_begun(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime
) -> None:
    route = httpx2_mock.get(FILE).mock(return_value=refusal(429, "slow down", wait("30s")))
    with pytest.raises(RateLimited) as limited:
        await make_client().call(GET, name="files/x", timeout=20)
    assert (route.call_count, fake_time.slept, limited.value.retry_after) == (1, [], 30)
    assert "Call again in 30 s" in limited.value.remedy


async def test_a_timeout_argument_lowers_the_deadline_and_never_raises_it(
    httpx2_mock: respx.Router, make_client: MakeClient
) -> None:
    route = httpx2_mock.get(FILE).mock(return_value=OK)
    client = make_client(timeout=50)
    for timeout in (7.2, 500, None):
        await client.call(GET, name="files/x", timeout=timeout)
    assert told(route, "x-server-timeout") == ["8", "50", "50"]


async def test_the_server_is_told_what_is_left_of_the_deadline(
    httpx2_mock: respx.Router, make_client: MakeClient
) -> None:
    route = httpx2_mock.get(FILE).mock(side_effect=[refusal(503, "x", wait("100s")), OK])
    await make_client().call(GET, name="files/x")
    assert told(route, "x-server-timeout") == ["600", "499"]


async def test_a_daily_quota_is_not_repeated(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime
) -> None:
    day = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
    }
    route = httpx2_mock.get(FILE).mock(return_value=refusal(429, "quota", day, wait("25s")))
    with pytest.raises(QuotaExhausted, match="midnight Pacific"):
        await make_client().call(GET, name="files/x")
    assert (route.call_count, fake_time.slept) == (1, [])


async def test_an_empty_account_is_not_repeated(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    httpx2_mock.get(FILE).mock(return_value=refusal(402))
    with pytest.raises(PaymentRequired):
        await make_client().call(GET, name="files/x")


async def test_a_short_storm_is_weathered_with_few_attempts(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime
) -> None:
    """Five of a hundred calls are told to wait 3 s: none of them comes back before that, and all succeed."""
    times: list[float] = []
    retries: list[int] = []

    def serve(request: httpx.Request) -> httpx.Response:
        times.append(fake_time.now)
        return refusal(429, "slow", wait("3s")) if len(times) <= 5 else OK

    httpx2_mock.get(FILE).mock(side_effect=serve)
    client = make_client()

    async def one() -> None:
        retries.append((await client.call(GET, name="files/x")).retries)

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(one)
    assert (len(times), sum(retries)) == (105, 5)
    assert all(delay >= 3 for delay in fake_time.slept)


async def test_a_long_storm_is_not_multiplied(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    async def still(seconds: float) -> None:
        await checkpoint()

    route = httpx2_mock.get(FILE).mock(return_value=refusal(503))
    client = make_client(sleep=still)
    failed: list[ToolserverError] = []

    async def one() -> None:
        try:
            await client.call(GET, name="files/x")
        except Overloaded as error:
            failed.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(one)
    assert len(failed) == 100
    assert route.call_count == 130  # the calls, a fifth of them, and the floor of ten
    assert client.in_flight == 0


async def test_on_retry_is_told_before_each_wait(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime
) -> None:
    notes: list[tuple[RetryNote, int]] = []

    async def note(told: RetryNote) -> None:
        notes.append((told, len(fake_time.slept)))

    httpx2_mock.get(FILE).mock(side_effect=[refusal(503, "busy"), refusal(429, "slow", wait("5s")), OK])
    await make_client(random=lambda: 0.0).call(GET, name="files/x", on_retry=note)
    assert [(n.retries, n.delay, n.status, slept) for n, slept in notes] == [(1, 0, 503, 0), (2, 5, 429, 1)]
    assert "busy" in notes[0][0].reason


async def test_a_refusal_names_the_field(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    bad = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "contents", "description": "empty"}],
    }
    httpx2_mock.post(URL).mock(return_value=refusal(400, "Invalid", bad))
    with pytest.raises(RequestRefused, match="contents: empty"):
        await make_client().call(GENERATE, body=Prompt(), model=MODEL)


async def test_the_trace_goes_on_to_gemini(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    route = httpx2_mock.get(FILE).mock(return_value=OK)
    context = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        await make_client().call(GET, name="files/x")
    assert route.calls.last.request.headers["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"


class Recorder(NonRecordingSpan):
    """A span that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(SpanContext(1, 2, is_remote=False))
        self.attributes: dict[str, object] = {}
        self.ended = False

    def is_recording(self) -> bool:
        return not self.ended

    def set_attribute(self, key: str, value: object) -> None:
        self.attributes[key] = value

    def end(self, end_time: int | None = None) -> None:
        self.ended = True


async def test_a_call_is_a_span_without_secrets(
    httpx2_mock: respx.Router, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans: list[tuple[str, Recorder]] = []

    class Tracer:
        def start_span(self, name: str, **settings: object) -> Recorder:
            spans.append((name, Recorder()))
            return spans[-1][1]

    monkeypatch.setattr("gemini_server.rest.trace._tracer", Tracer())
    httpx2_mock.post(URL).mock(side_effect=[refusal(503), OK, refusal(400, f"key={KEY}")])
    client = make_client()
    await client.call(GENERATE, body=Prompt(text="a secret prompt"), model=MODEL)
    with pytest.raises(RequestRefused):
        await client.call(GENERATE, body=Prompt(text="a secret prompt"), model=MODEL)
    with pytest.raises(ArgumentError):
        await client.call(GENERATE, model="../x")
    (name, good), (_, bad), (_, wrong) = spans
    assert name == "generate_content"
    assert good.attributes == {
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.operation.name": "generate_content",
        "gen_ai.request.model": "gemini-3.8-flash",
        "server.address": "generativelanguage.googleapis.com",
        "http.request.resend_count": 1,
    }
    assert (bad.attributes["error.type"], bad.attributes["http.response.status_code"]) == ("STATUS", 400)
    assert wrong.attributes["error.type"] == "invalid_argument"
    assert all(span.ended for _, span in spans)
    assert KEY not in str([span.attributes for _, span in spans])
    assert "secret" not in str([span.attributes for _, span in spans])


async def test_cookies_are_neither_kept_nor_sent(httpx2_mock: respx.Router, make_client: MakeClient) -> None:
    planted = httpx.Response(200, json={}, headers={"set-cookie": "a=b; Path=/"})
    route = httpx2_mock.get(FILE).mock(return_value=planted)
    client = make_client()
    for _ in range(2):
        await client.call(GET, name="files/x")
    assert all("cookie" not in call.request.headers for call in cast("list[respx.models.Call]", list(route.calls)))


async def test_jitter_never_pushes_a_wait_beyond_the_deadline(
    httpx2_mock: respx.Router, make_client: MakeClient, fake_time: FakeTime
) -> None:
    httpx2_mock.get(FILE).mock(side_effect=[refusal(503, "x", wait("9.5s")), OK])
    assert (await make_client(random=lambda: 1.0).call(GET, name="files/x", timeout=10)).retries == 1
    assert fake_time.slept == [9.5]


async def test_neither_the_key_nor_a_url_is_logged(
    httpx2_mock: respx.Router, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    httpx2_mock.get(FILE).mock(return_value=OK)
    with caplog.at_level("INFO"):
        await make_client().call(GET, name="files/x")
    assert caplog.records == []


async def test_the_pool_is_made_at_the_first_call_and_again_after_closing(
    httpx2_mock: respx.Router, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    real = httpx2.AsyncClient

    def counting(**settings: Any) -> httpx2.AsyncClient:
        made.append(settings)
        return real(**settings)

    monkeypatch.setattr(httpx2, "AsyncClient", counting)
    httpx2_mock.get(FILE).mock(return_value=OK)
    client = make_client()
    assert made == []
    await client.call(GET, name="files/x")
    await client.call(GET, name="files/x")
    assert len(made) == 1
    await client.aclose()
    await client.call(GET, name="files/x")
    assert len(made) == 2


async def test_a_company_proxy_is_not_asked_for_this_machine(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from .loopback import Loopback

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with Loopback() as server:
        await make_client(server.url).call(GET, name="files/x")
    assert len(server.seen) == 1


def test_a_retry_delay_is_never_negative_or_endless() -> None:
    config = ClientConfig(key=SecretStr(KEY))
    assert config.max_attempts == 5
    assert math.isfinite(config.timeout)
