"""Answers that are too large, too deep, or not what they say."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from gemini_server.errors import BadAnswer, MayHaveBeenBilled, Overloaded, RateLimited
from gemini_server.rest.answer import OFF_LOOP, parse, parse_now
from gemini_server.rest.endpoint import Empty, Endpoint, Wire

from .conftest import KEY, FakeTime, MakeClient
from .loopback import Loopback, chunked, raw, reply, reply_json, response, zipped
from .shapes import CANCEL, DELETE, GENERATE, GET, MODEL, Prompt, Said

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested too deeply|recursion limit"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x":' + b"[" * 300 + b"]" * 300 + b"}", "recursion limit"),
        (b'{"text":"a","text":"b"}', "a key comes twice"),
        (b'{"x":{"a":1,"b":2,"a":3}}', "a key comes twice"),
        (b'{"x":NaN}', "NaN is not JSON"),
        (b'{"x":-Infinity}', "-Infinity is not JSON"),
        (b'{"text":"cut of', "cut, or something else answered"),
        (b'{"x":' + b"9" * 10_000 + b"}", "not the JSON"),
        (b'{"text":"\xff"}', "not the JSON"),
        (b'{"text":"\\ud800"}', "not the JSON"),
        (b"", "not the JSON"),
        (b"   ", "not the JSON"),
        (b"<html><title>Login</title></html>", "It begins: Login"),
        (b"null", "does not have the form"),
        (b"[]", "does not have the form"),
        (b'{"count":"many"}', r"count: Input should be a valid integer"),
    ],
)
def test_what_the_api_does_not_promise_is_a_bad_answer(data: bytes, why: str) -> None:
    with pytest.raises(BadAnswer, match=why):
        parse_now(Said, data)


async def test_a_large_answer_is_checked_the_same_off_the_loop() -> None:
    text = "x" * (OFF_LOOP + 1)
    assert (await parse(Said, json.dumps({"text": text}).encode())).text == text
    with pytest.raises(BadAnswer, match="a key comes twice"):
        await parse(Said, b'{"text":"' + text.encode() + b'","text":""}')


def test_an_empty_body_is_an_empty_answer_and_nothing_else() -> None:
    assert parse_now(Empty, b"") == Empty()
    assert parse_now(Empty, b" \r\n") == Empty()
    assert parse_now(Empty, b"{}") == Empty()


async def test_methods_without_content_work_and_say_that_they_send_nothing(make_client: MakeClient) -> None:
    async with Loopback(reply(b"")) as server:
        client = make_client(server.url)
        await client.call(DELETE, name="files/x", query={"force": True})
        await client.call(CANCEL, name="batches/x")
    delete, cancel = server.seen
    assert (delete.method, delete.target, delete.header("content-length")) == (
        "DELETE",
        "/v1beta/files/x?force=true",
        None,
    )
    assert (cancel.method, cancel.target, cancel.header("content-length")) == ("POST", "/v1beta/batches/x:cancel", "0")


async def test_a_gzip_bomb_stops_at_the_cap_without_filling_the_memory(make_client: MakeClient) -> None:
    bomb = zipped(300 * MIB)
    assert len(bomb) < 400_000
    async with Loopback(reply(bomb, content_encoding="gzip")) as server:
        client = make_client(server.url, max_answer_bytes=16 * MIB)
        tracemalloc.start()
        try:
            with pytest.raises(BadAnswer, match="larger than 16 MiB"):
                await client.call(GET, name="files/x")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(server.seen) == 1
    assert peak < 32 * MIB


async def test_an_answer_that_says_it_is_too_large_is_not_read(make_client: MakeClient) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 500000000\r\n\r\n"
    async with Loopback(raw(head, close=False)) as server:
        with pytest.raises(BadAnswer) as large:
            await make_client(server.url).call(GENERATE, body=Prompt(), model=MODEL)
    assert large.value.code == "answer_too_large"


async def test_an_endless_chunked_answer_stops_at_the_cap(make_client: MakeClient) -> None:
    async with Loopback(chunked(*[b"x" * 100_000] * 20, content_type="application/json")) as server:
        with pytest.raises(BadAnswer, match="larger than 1 MiB"):
            await make_client(server.url, max_answer_bytes=MIB).call(GET, name="files/x")


async def test_gzip_is_asked_for_and_understood(make_client: MakeClient) -> None:
    import gzip

    async with Loopback(reply(gzip.compress(b'{"text":"small"}'), content_encoding="gzip")) as server:
        answer = await make_client(server.url).call(GET, name="files/x")
    assert answer.value.text == "small"
    assert server.seen[0].header("accept-encoding") == "gzip"


async def test_broken_compression_is_a_cut(make_client: MakeClient) -> None:
    async with Loopback(reply(b"not gzip", content_encoding="gzip")) as server:
        with pytest.raises(MayHaveBeenBilled):
            await make_client(server.url).call(GENERATE, body=Prompt(), model=MODEL)


async def test_an_error_page_of_any_size_is_read_only_as_far_as_needed(make_client: MakeClient) -> None:
    page = b"<html><title>Bad gateway</title>" + b"<p>x</p>" * 200_000
    async with Loopback(raw(response(page, 502, "text/html"), close=False)) as server:
        with pytest.raises(Overloaded) as failed:
            await make_client(server.url, max_attempts=1).call(GET, name="files/x")
    assert "<" not in str(failed.value)


async def test_a_broken_answer_is_asked_for_again_only_by_a_read(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Loopback(reply(b"<html>login</html>", content_type="text/html")) as server:
        client = make_client(server.url, max_attempts=3)
        with pytest.raises(BadAnswer) as read:
            await client.call(GET, name="files/x")
        assert (read.value.retries, len(server.seen)) == (2, 3)
        with pytest.raises(BadAnswer) as generated:
            await client.call(GENERATE, body=Prompt(), model=MODEL)
        assert (generated.value.retries, len(server.seen)) == (0, 4)


async def test_an_answer_that_echoes_the_key_is_not_passed_on(make_client: MakeClient) -> None:
    page = f"<p>cannot GET /v1beta?key={KEY}</p>".encode()
    async with Loopback(reply(page, content_type="text/html")) as server:
        with pytest.raises(BadAnswer) as failed:
            await make_client(server.url, max_attempts=1).call(GET, name="files/x")
    assert KEY not in str(failed.value)
    assert "[hidden]" in str(failed.value)


class Plain(Wire):
    count: int = 0
    name: str


def test_a_byte_order_mark_is_taken_off() -> None:
    assert parse_now(Said, b'\xef\xbb\xbf{"text":"good"}').text == "good"


def test_null_is_the_default_for_every_answer() -> None:
    found = parse_now(Plain, b'{"count":null,"name":"x","free":{"kept":null}}')
    assert (found.count, found.model_extra) == (0, {"free": {"kept": None}})
    with pytest.raises(BadAnswer, match="name"):
        parse_now(Plain, b'{"count":1,"name":null}')


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"text":"good","x":NaN}', "good"),
        (b'{"text":"good","x":1,"x":2}', "good"),
        (b'{"text":"go\\ud83dod"}', "go\ufffdod"),
        (b'{"text":"go\xffod"}', "go\ufffdod"),
        (b'{"text":"\\ud83d\\ude00 \\\\ud83d","x":-Infinity}', "\U0001f600 \\ud83d"),
    ],
)
def test_what_was_paid_for_is_read_as_well_as_it_goes(data: bytes, text: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BadAnswer):
        parse_now(Said, data)
    assert caplog.messages == []
    assert parse_now(Said, data, billed=True).text == text
    assert "does not have the promised form" in caplog.text


@pytest.mark.parametrize("data", [b'{"text":"cut of', b"", b"<html>", b"[]", b'{"count":"many"}', b"[" * 100_000])
def test_what_is_no_answer_is_refused_even_if_it_was_paid_for(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        parse_now(Said, data, billed=True)


@pytest.mark.parametrize("array", [False, True])
async def test_an_error_under_a_good_status_is_that_error(
    make_client: MakeClient, fake_time: FakeTime, array: bool
) -> None:
    error = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy"}}
    async with Loopback(reply_json([error] if array else error), reply(b'{"text":"done"}')) as server:
        answer = await make_client(server.url).call(GENERATE, body=Prompt(), model=MODEL)
    assert (answer.value.text, answer.retries) == ("done", 1)
    async with Loopback(reply_json({"error": {"code": 429, "message": "slow"}}, retry_after="7")) as server:
        with pytest.raises(RateLimited, match="slow") as limited:
            await make_client(server.url, max_attempts=1).call(GENERATE, body=Prompt(), model=MODEL)
    assert (limited.value.status, limited.value.retry_after) == (429, 7)
    async with Loopback(reply_json({"error": {"code": 500}})) as server:
        with pytest.raises(Overloaded):
            await make_client(server.url, max_attempts=1).call(CANCEL, name="batches/x")


async def test_an_error_beside_an_answer_is_part_of_it(make_client: MakeClient) -> None:
    failed = {"name": "operations/x", "done": True, "error": {"code": 500, "message": "no"}}
    endpoint = Endpoint("GET", "{version}/{name}", Plain)
    async with Loopback(reply_json(failed)) as server:
        answer = await make_client(server.url).call(endpoint, name="operations/x")
    assert answer.value.model_extra is not None
    assert answer.value.model_extra["error"] == failed["error"]
