from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from gemini_server.errors import BadAnswer, Overloaded, QuotaExhausted, RateLimited
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.endpoint import AnswerT, Endpoint
from gemini_server.rest.stream import StreamBroken

from .conftest import KEY, FakeTime, MakeClient
from .hanging import Hanging
from .loopback import Loopback, Play, chunked, hang_up, raw, reply, reply_json, stall
from .shapes import MODEL, STREAM, WATCH, Prompt, Said

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def event(text: str, end: str = "\r\n") -> bytes:
    return f"data: {json.dumps({'text': text}, ensure_ascii=False)}{end}{end}".encode()


def error_event(code: int, status: str, message: str = "no") -> bytes:
    return f"data: {json.dumps({'error': {'code': code, 'status': status, 'message': message}})}\n\n".encode()


async def texts(client: GeminiClient) -> list[str | None]:
    got: list[str | None] = []
    await collect(client, got)
    return got


async def collect(
    client: GeminiClient, got: list[str | None], endpoint: Endpoint[Said] = STREAM, timeout: float | None = None
) -> None:
    names: dict[str, Any] = {"model": MODEL} if endpoint is STREAM else {"name": "interactions/i"}
    async with client.stream(endpoint, body=Prompt(text="hi"), timeout=timeout, **names) as events:
        async for one in events:
            got.append(one.text)


async def test_events_come_one_by_one_and_alt_sse_is_asked_for(make_client: MakeClient) -> None:
    async with Loopback(chunked(event("one"), event("two", "\n") + event("three"))) as server:
        client = make_client(server.url)
        assert await texts(client) == ["one", "two", "three"]
    assert server.seen[0].target == f"/v1beta/{MODEL}:streamGenerateContent?alt=sse"
    assert server.seen[0].header("x-goog-api-key") == KEY
    assert client.in_flight == 0


async def test_the_connection_is_used_again_after_a_whole_stream(make_client: MakeClient) -> None:
    async with Loopback(chunked(event("one"))) as server:
        client = make_client(server.url)
        assert await texts(client) == ["one"]
        assert await texts(client) == ["one"]
        assert server.connections == 1


async def test_characters_split_between_chunks_are_whole(make_client: MakeClient) -> None:
    stream = event("Käse für 5 € 😀")
    async with Loopback(chunked(*(stream[i : i + 1] for i in range(len(stream))))) as server:
        assert await texts(make_client(server.url)) == ["Käse für 5 € 😀"]


async def test_done_ends_an_interactions_stream_and_ids_are_kept_for_resuming(make_client: MakeClient) -> None:
    stream = b'id: e1\nevent: step.delta\ndata: {"text":"a"}\n\n: ping\n\nid: e2\ndata: {"text":"b"}\n\n'
    stream += b"data: [DONE]\n\ndata: x\n\n"
    async with Loopback(chunked(stream)) as server:
        client = make_client(server.url)
        async with client.stream(WATCH, query={"stream": True}, name="interactions/i") as events:
            assert [one.text async for one in events] == ["a", "b"]
            assert events.last_event_id == "e2"
    assert server.seen[0].target == "/v1beta/interactions/i?stream=true"


async def test_a_cut_after_some_events_gives_them_and_then_says_that_it_broke(make_client: MakeClient) -> None:
    got: list[str | None] = []
    async with Loopback(chunked(event("one"), event("two"), b'data: {"te', end=False)) as server:
        client = make_client(server.url)
        with pytest.raises(StreamBroken) as broken:
            await collect(client, got)
    assert got == ["one", "two"]
    assert (broken.value.reason, broken.value.code) == ("cut", "stream_broken")
    assert "What came before is good" in str(broken.value)
    assert isinstance(broken.value, BadAnswer)
    assert len(server.seen) == 1
    assert client.in_flight == 0


async def test_an_unterminated_last_event_counts_when_it_is_whole_and_as_cut_when_it_is_not(
    make_client: MakeClient,
) -> None:
    got: list[str | None] = []
    async with Loopback(raw(HEAD, event("one"), b'data: {"text":"two"}')) as server:
        assert await texts(make_client(server.url)) == ["one", "two"]
    async with Loopback(raw(HEAD, event("one"), b'data: {"text":"tw')) as server:
        with pytest.raises(StreamBroken) as broken:
            await collect(make_client(server.url), got)
    assert (got, broken.value.reason) == (["one"], "cut")


async def test_an_error_in_the_middle_is_that_error(make_client: MakeClient) -> None:
    got: list[str | None] = []
    async with Loopback(chunked(event("one"), error_event(503, "UNAVAILABLE", "overloaded"))) as server:
        with pytest.raises(Overloaded, match="overloaded") as failed:
            await collect(make_client(server.url), got)
    assert (got, failed.value.status, failed.value.retries, len(server.seen)) == (["one"], 503, 0, 1)


@pytest.mark.parametrize(
    "stream",
    [
        b'data: [{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}]\n\n',
        b'event: error\ndata: {"error":{"code":"rate_limit_exceeded","message":"x"}}\n\n',
        b'event: error\ndata: {"code":"rate_limit_exceeded","message":"x"}\n\n',
        b'data: {"event_type":"error","error":{"code":"rate_limit_exceeded","message":"x"}}\n\n',
    ],
)
async def test_every_form_of_an_error_event_is_understood(make_client: MakeClient, stream: bytes) -> None:
    got: list[str | None] = []
    async with Loopback(chunked(event("one"), stream)) as server:
        with pytest.raises(RateLimited):
            await collect(make_client(server.url), got)
    assert got == ["one"]


async def test_an_event_that_only_mentions_an_error_is_an_event(make_client: MakeClient) -> None:
    stream = b'data: {"text":"an \\"error\\"","x":{"error":{"code":5}}}\n\n'
    stream += b'data: {"event_type":"step","error":{"code":1}}\n\n'
    async with Loopback(chunked(stream)) as server:
        assert await texts(make_client(server.url)) == ['an "error"', None]


async def test_an_error_before_the_first_event_is_repeated(make_client: MakeClient, fake_time: FakeTime) -> None:
    plays = [reply_json({"error": {"code": 503}}, 503), chunked(error_event(503, "UNAVAILABLE")), chunked(event("one"))]
    async with (
        Loopback(*plays) as server,
        make_client(server.url).stream(STREAM, body=Prompt(), model=MODEL) as events,
    ):
        assert events.retries == 2
        assert [one.text async for one in events] == ["one"]
    assert fake_time.slept == [0.5, 1]


async def test_a_daily_quota_before_the_first_event_is_not_repeated(make_client: MakeClient) -> None:
    stream = b'data: {"error":{"code":"quota_exceeded","message":"x"}}\n\n'
    async with Loopback(chunked(stream)) as server:
        with pytest.raises(QuotaExhausted):
            await texts(make_client(server.url))
    assert len(server.seen) == 1


@pytest.mark.parametrize("play", [chunked(), chunked(end=False), chunked(b"data: {", end=False), raw(HEAD)])
async def test_a_billed_stream_that_broke_before_its_first_event_is_not_repeated(
    make_client: MakeClient, play: Play
) -> None:
    async with Loopback(play, chunked(event("two"))) as server:
        with pytest.raises(StreamBroken) as broken:
            await texts(make_client(server.url))
    assert (broken.value.reason, broken.value.code, len(server.seen)) == ("cut", "may_have_been_billed", 1)
    assert "may have been billed" in broken.value.remedy
    assert "What came before" not in str(broken.value)


async def test_watching_is_a_read_and_is_repeated_until_the_first_event(make_client: MakeClient) -> None:
    got: list[str | None] = []
    async with Loopback(hang_up(), chunked(b"data: {", end=False), chunked(event("two"))) as server:
        await collect(make_client(server.url), got, WATCH)
    assert (got, len(server.seen)) == (["two"], 3)


async def test_silence_between_events_ends_the_stream(make_client: MakeClient) -> None:
    got: list[str | None] = []
    hanging = Hanging(event("one"), content_type="text/event-stream")
    with pytest.raises(StreamBroken, match="nothing came for") as broken:
        await collect(make_client(transport=hanging, idle_timeout=0.05), got)
    assert (got, broken.value.reason) == (["one"], "idle")


class Trickle:
    """A stream whose every chunk takes so many seconds of the fake clock."""

    def __init__(self, time: FakeTime, seconds: float, *chunks: bytes) -> None:
        self.time, self.seconds, self.chunks = time, seconds, chunks

    def client(self, make: MakeClient, **settings: float) -> GeminiClient:
        trickle = self

        class Bytes(httpx2.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                for chunk in trickle.chunks:
                    trickle.time.now += trickle.seconds
                    yield chunk

        class Transport(httpx2.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                await request.aread()
                return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Bytes())

        return make(transport=Transport(), **settings)


async def test_a_byte_a_minute_is_no_sign_of_life(make_client: MakeClient, fake_time: FakeTime) -> None:
    client = Trickle(fake_time, 60, *[b"x"] * 100).client(make_client)
    with pytest.raises(StreamBroken) as broken:
        await texts(client)
    assert broken.value.reason == "idle"


async def test_comments_keep_a_stream_alive_but_not_beyond_the_deadline(
    make_client: MakeClient, fake_time: FakeTime
) -> None:
    client = Trickle(fake_time, 60, *[b": ping\n\n"] * 5, event("late")).client(make_client)
    assert await texts(client) == ["late"]
    client = Trickle(fake_time, 60, *[b": ping\n\n"] * 50).client(make_client)
    with pytest.raises(StreamBroken) as broken:
        await texts(client)
    assert broken.value.reason == "deadline"


async def test_a_large_event_over_a_slow_line_is_alive(make_client: MakeClient, fake_time: FakeTime) -> None:
    stream = event("A" * 3_000_000)
    chunks = [stream[i : i + 400_000] for i in range(0, len(stream), 400_000)]
    assert await texts(Trickle(fake_time, 70, *chunks).client(make_client)) == ["A" * 3_000_000]


async def test_the_deadline_ends_a_stream_that_never_ends(make_client: MakeClient) -> None:
    got: list[str | None] = []
    hanging = Hanging(event("one"), content_type="text/event-stream")
    with pytest.raises(StreamBroken) as broken:
        await collect(make_client(transport=hanging), got, timeout=0.05)
    assert (got, broken.value.reason) == (["one"], "deadline")


async def test_an_event_beyond_the_cap_ends_the_stream(make_client: MakeClient) -> None:
    got: list[str | None] = []
    async with Loopback(chunked(event("one"), b"data: " + b"x" * 3000, b"x" * 3000)) as server:
        with pytest.raises(StreamBroken, match="One event") as broken:
            await collect(make_client(server.url, max_event_bytes=5000), got)
    assert (got, broken.value.reason) == (["one"], "too_large")


async def test_a_stream_beyond_the_cap_of_an_answer_ends(make_client: MakeClient) -> None:
    async with Loopback(chunked(*[event("x" * 1000)] * 20)) as server:
        with pytest.raises(StreamBroken, match="larger than this server reads"):
            await texts(make_client(server.url, max_answer_bytes=10_000))


async def test_an_event_of_twenty_megabytes_is_fine(make_client: MakeClient) -> None:
    async with Loopback(chunked(event("A" * 20_000_000))) as server:
        (text,) = await texts(make_client(server.url))
    assert text is not None
    assert len(text) == 20_000_000


async def test_an_event_that_is_not_json_breaks_the_stream_after_what_came(make_client: MakeClient) -> None:
    got: list[str | None] = []
    async with Loopback(chunked(event("one"), b"data: <html>\n\n")) as server:
        with pytest.raises(StreamBroken) as broken:
            await collect(make_client(server.url), got)
    assert (got, broken.value.reason) == (["one"], "not_json")


async def test_what_is_no_stream_at_all_is_said_so(make_client: MakeClient) -> None:
    page = reply(b"<html>login</html>", content_type="text/html; charset=utf-8")
    async with Loopback(page) as server:
        with pytest.raises(StreamBroken, match="text/html") as broken:
            await texts(make_client(server.url))
    assert (broken.value.reason, broken.value.code) == ("not_json", "may_have_been_billed")
    async with Loopback(
        reply_json([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}}])
    ) as server:
        with pytest.raises(RateLimited):
            await texts(make_client(server.url, max_attempts=1))


@pytest.mark.parametrize("content_type", ["application/json", "text/html", "text/plain", "text/event-stream"])
@pytest.mark.parametrize(
    "body",
    [
        event('o}n\\"e') + event("two"),
        b": hello\n\n" + event('o}n\\"e') + event("two"),
        b"\xef\xbb\xbf\nevent: x\n" + event('o}n\\"e') + event("two"),
        json.dumps([{"text": 'o}n\\"e'}, {"text": "two"}], indent=2).encode(),
        b'\xef\xbb\xbf \r\n[{"text":"o}n\\\\\\"e"}\n\n,\r\n\r\n{"text":"two"}\n]\n',
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_what_a_stream_is_shows_in_its_first_bytes_and_not_in_its_content_type(
    make_client: MakeClient, content_type: str, body: bytes, size: int
) -> None:
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    async with Loopback(chunked(*chunks, content_type=content_type)) as server:
        assert await texts(make_client(server.url)) == ['o}n\\"e', "two"]


async def test_one_object_in_the_place_of_a_stream_is_its_only_event(make_client: MakeClient) -> None:
    async with Loopback(reply_json({"text": "all", "x": {"y": [1]}})) as server:
        assert await texts(make_client(server.url)) == ["all"]


@pytest.mark.parametrize("end", [b'{"te', b"", b'{"text":"\\'])
async def test_an_array_that_is_cut_gives_the_elements_that_came(make_client: MakeClient, end: bytes) -> None:
    got: list[str | None] = []
    head = HEAD.replace(b"text/event-stream", b"application/json")
    async with Loopback(raw(head, b'[{"text":"one"},', end)) as server:
        with pytest.raises(StreamBroken) as broken:
            await collect(make_client(server.url), got)
    assert (got, broken.value.reason) == (["one"], "cut")


async def test_an_array_without_elements_has_not_begun(make_client: MakeClient) -> None:
    async with Loopback(reply(b"[]")) as server:
        with pytest.raises(StreamBroken, match="before it began"):
            await texts(make_client(server.url))


async def test_an_element_beyond_the_cap_ends_the_stream(make_client: MakeClient) -> None:
    got: list[str | None] = []
    body = b'[{"text":"one"},{"text":"' + b"x" * 9000
    async with Loopback(reply(body)) as server:
        with pytest.raises(StreamBroken, match="One event"):
            await collect(make_client(server.url, max_event_bytes=5000), got)
    assert got in (["one"], [])


async def test_an_odd_field_does_not_end_a_stream_that_is_paid_for(make_client: MakeClient) -> None:
    odd = b'data: {"text":"tw\\ud83do","x":NaN}\n\n'
    async with Loopback(chunked(event("one"), odd, event("three"))) as server:
        assert await texts(make_client(server.url)) == ["one", "tw\ufffdo", "three"]


async def test_an_odd_field_of_a_paid_answer_that_is_heard_again_does_not_end_it(make_client: MakeClient) -> None:
    got: list[str | None] = []
    async with Loopback(chunked(event("one"), b'data: {"text":"t\\ud83do"}\n\n', event("three"))) as server:
        await collect(make_client(server.url), got, replace(WATCH, billed=True))
    assert got == ["one", "t\ufffdo", "three"]


async def test_leaving_early_drops_the_connection(make_client: MakeClient) -> None:
    async with Loopback(stall(HEAD, event("one"))) as server:
        client = make_client(server.url)
        async with client.stream(STREAM, body=Prompt(), model=MODEL) as events:
            assert client.in_flight == 1
            async for _ in events:
                break
        assert client.in_flight == 0
        await events.aclose()
        assert [one async for one in events] == []


async def first(client: GeminiClient, endpoint: Endpoint[AnswerT]) -> AnswerT:
    async with client.stream(endpoint, name="interactions/i") as events:
        return await anext(events)


async def test_events_have_the_endpoints_type(make_client: MakeClient) -> None:
    async with Loopback(chunked(event("x"))) as server:
        assert isinstance(await first(make_client(server.url), WATCH), Said)


async def test_an_event_without_data_is_a_sign_of_life(make_client: MakeClient) -> None:
    async with Loopback(chunked(event("one"), b"event: ping\ndata:\n\n", event("two"))) as server:
        assert await texts(make_client(server.url)) == ["one", "two"]
