"""Downloads: the bytes of a file or an error, the key only where it belongs, and what comes in the place of a file."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import anyio
import pytest

from gemini_server.errors import (
    BadAnswer,
    ConnectionFailed,
    KeyMissing,
    KeyRefused,
    NotFound,
    Overloaded,
    ToolserverError,
)
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.download import PIECE, Download

from .conftest import KEY, FakeTime, MakeClient
from .loopback import Loopback, Play, Seen, chunked, hang_up, raw, redirect, reply, reply_json, stall

pytestmark = pytest.mark.anyio

VIDEO = bytes(range(256)) * 40
MP4 = "video/mp4"


def file(data: bytes = VIDEO, status: int = 200, **headers: str) -> Play:
    return reply(data, status, MP4, **headers)


async def downloaded(
    client: GeminiClient, uri: str = "files/a", *, into: bytearray | None = None, **options: Any
) -> tuple[Download, bytes]:
    into = bytearray() if into is None else into
    async with client.open_download(uri, **options) as opened:
        async for piece in opened.chunks():
            assert 0 < len(piece) <= PIECE
            into += piece
        return opened.about, bytes(into)


async def refused(client: GeminiClient, uri: str = "files/a", **options: Any) -> ToolserverError:
    with pytest.raises(ToolserverError) as error:
        await downloaded(client, uri, **options)
    return error.value


async def test_a_file_comes_as_it_is_with_what_the_server_says_of_it(make_client: MakeClient) -> None:
    md5 = "crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg=="
    async with Loopback(file(etag='"v1"', x_goog_hash=md5)) as server:
        about, data = await downloaded(
            make_client(server.url), "https://generativelanguage.googleapis.com/v1beta/files/a"
        )
    assert data == VIDEO
    assert (about.offset, about.size, about.etag, about.content_type) == (0, len(VIDEO), '"v1"', MP4)
    assert about.md5 == bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e")
    (seen,) = server.seen
    assert seen.target == "/v1beta/files/a?alt=media"
    assert seen.header("x-goog-api-key") == KEY
    assert seen.header("accept-encoding") == "identity"
    assert seen.header("range") is None
    assert seen.header("x-server-timeout") is None


async def test_a_part_is_asked_for_by_range_and_by_the_mark_of_its_version(make_client: MakeClient) -> None:
    async with Loopback(file(VIDEO[100:], 206, content_range=f"bytes 100-{len(VIDEO) - 1}/{len(VIDEO)}")) as server:
        client = make_client(server.url)
        about, data = await downloaded(client, offset=100, if_range='"v1"')
        await downloaded(client, offset=100, if_range='W/"weak"')
    assert (about.offset, about.size, data) == (100, len(VIDEO), VIDEO[100:])
    assert server.seen[0].header("range") == "bytes=100-"
    assert server.seen[0].header("if-range") == '"v1"'
    assert server.seen[1].header("if-range") is None


async def test_a_server_that_begins_again_is_told_by_the_offset(make_client: MakeClient) -> None:
    async with Loopback(file()) as server:
        about, data = await downloaded(make_client(server.url), offset=100)
    assert (about.offset, data) == (0, VIDEO)


@pytest.mark.parametrize("total", ["10240", "50", "*", None])
async def test_nothing_beyond_the_end_is_an_answer_with_the_size(make_client: MakeClient, total: str | None) -> None:
    ranges = {} if total is None else {"content_range": f"bytes */{total}"}
    async with Loopback(reply_json({"error": {"code": 416}}, 416, **ranges)) as server:
        about, data = await downloaded(make_client(server.url), offset=10240)
    assert (about.beyond, about.offset, data) == (True, 10240, b"")
    assert about.size == (int(total) if total and total != "*" else None)


@pytest.mark.parametrize(
    "content_range",
    ["", "bytes 0-9/10", "bytes 101-200/300", "bytes 100-99/300", "bytes 100-300/300", "items 100-199/300"],
)
async def test_another_part_than_was_asked_for_is_not_taken(make_client: MakeClient, content_range: str) -> None:
    async with Loopback(file(VIDEO, 206, content_range=content_range)) as server:
        error = await refused(make_client(server.url), offset=100)
    assert isinstance(error, BadAnswer)
    assert error.code == "not_media"
    assert len(server.seen) == 1


async def test_the_key_does_not_go_to_another_origin_neither_by_link_nor_by_redirect(make_client: MakeClient) -> None:
    async with Loopback(file()) as other, Loopback(redirect(302, f"{other.url}/signed?s=1")) as server:
        client = make_client(server.url)
        _, by_redirect = await downloaded(client, offset=7)
        _, by_link = await downloaded(client, f"{other.url}/direct")
    assert by_redirect == by_link == VIDEO
    assert server.seen[0].header("x-goog-api-key") == KEY
    for seen in other.seen:
        assert KEY not in str(seen)
        assert seen.header("host") == f"127.0.0.1:{other.port}"
    assert other.seen[0].header("range") == "bytes=7-"


@pytest.mark.parametrize(
    "link",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://evil.example/x",
        "http://generativelanguage.googleapis.com.evil.example/x",
        "https://user@storage.googleapis.com/x",
        "https://storage.googleapis.com:444/x",
        "https://[64:ff9b::a9fe:a9fe]/x",
    ],
)
async def test_nothing_is_connected_to_for_a_link_that_leads_astray(make_client: MakeClient, link: str) -> None:
    class Never:
        async def handle_async_request(self, request: object) -> None:
            raise AssertionError("something was connected to")

        async def aclose(self) -> None: ...

    error = await refused(make_client(transport=Never()), link)
    assert isinstance(error, BadAnswer)
    assert error.code == "redirect_refused"
    async with Loopback(redirect(307, link)) as server:
        assert (await refused(make_client(server.url))).code == "redirect_refused"


async def test_without_a_key_nothing_is_asked_of_the_api(make_client: MakeClient) -> None:
    async with Loopback(file()) as server:
        assert isinstance(await refused(make_client(server.url, key=None)), KeyMissing)
    assert server.seen == []


ERROR = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", MP4, "application/octet-stream"])
async def test_an_error_in_the_place_of_a_file_is_that_error(make_client: MakeClient, content_type: str) -> None:
    body = json.dumps(ERROR).encode()
    async with Loopback(reply(body, 200, content_type), file()) as server:
        about, data = await downloaded(make_client(server.url))
    assert data == VIDEO, "a transient one is repeated"
    assert about.retries == 1
    async with Loopback(reply(body, 200, content_type)) as server:
        error = await refused(make_client(server.url, max_attempts=1))
    assert isinstance(error, Overloaded)
    assert "overloaded" in error.what


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"name": "files/a", "mimeType": "video/mp4"}', "application/json"),
        (b"<html><title>Sign in to WLAN</title><script>evil()</script></html>", "text/html"),
        (b"\n<!DOCTYPE html><title>Sign in to WLAN</title>", MP4),
        (b"", "text/html"),
    ],
)
async def test_a_page_or_a_description_is_not_a_file(make_client: MakeClient, body: bytes, content_type: str) -> None:
    async with Loopback(reply(body, 200, content_type)) as server:
        error = await refused(make_client(server.url))
    assert isinstance(error, BadAnswer)
    assert error.code == "not_media"
    assert "<" not in str(error)
    assert ("Sign in" in str(error)) == (b"Sign in" in body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"key": "1", "error": {"code": 400, "message": "x"}}\n',
        b'{"a": 1}',
        b"[1, 2]",
        b"{",
        b'{"x": "' + b"y" * 300_000,
    ],
)
async def test_a_file_of_results_may_look_like_json_and_mention_errors(make_client: MakeClient, body: bytes) -> None:
    async with Loopback(reply(body, 200, "application/jsonl")) as server:
        _, data = await downloaded(make_client(server.url))
    assert data == body


async def test_an_answer_that_was_compressed_unasked_is_not_saved(make_client: MakeClient) -> None:
    async with Loopback(file(gzip.compress(VIDEO), content_encoding="gzip")) as server:
        assert "compressed" in (await refused(make_client(server.url))).what


@pytest.mark.parametrize(("status", "code"), [(404, "NOT_FOUND"), (410, "GONE"), (403, "PERMISSION_DENIED")])
async def test_a_link_that_has_expired_says_so(make_client: MakeClient, status: int, code: str) -> None:
    message = "You do not have permission to access the File a or it may not exist."
    async with Loopback(reply_json({"error": {"code": status, "message": message, "status": code}}, status)) as server:
        error = await refused(make_client(server.url))
    assert isinstance(error, NotFound)
    assert (error.code, error.status) == ("link_expired", status)
    assert "two days" in error.remedy
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_of_another_origin_is_about_the_link_and_not_about_the_key(
    make_client: MakeClient, status: int
) -> None:
    xml = reply(b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code></Error>", status, "application/xml")
    async with Loopback(xml) as other, Loopback(redirect(302, f"{other.url}/signed?s=secret")) as server:
        error = await refused(make_client(server.url))
    assert isinstance(error, NotFound)
    assert error.code == "link_expired"
    assert "secret" not in str(error)


async def test_a_refused_key_stays_a_refused_key(make_client: MakeClient) -> None:
    async with Loopback(reply_json({"error": {"code": 401, "message": "no"}}, 401)) as server:
        assert isinstance(await refused(make_client(server.url)), KeyRefused)


@pytest.mark.parametrize("status", [201, 204, 304])
async def test_a_status_that_brings_no_file_is_a_bad_answer(make_client: MakeClient, status: int) -> None:
    async with Loopback(raw(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)) as server:
        assert isinstance(await refused(make_client(server.url)), BadAnswer)


async def test_what_fails_before_the_first_byte_is_repeated(make_client: MakeClient, fake_time: FakeTime) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: 10240\r\n\r\n"
    async with Loopback(hang_up(), raw(head), reply_json(ERROR, 503), file()) as server:
        about, data = await downloaded(make_client(server.url))
    assert data == VIDEO
    assert about.retries == len(fake_time.slept) == 3


async def test_what_is_cut_later_is_said_after_what_came(make_client: MakeClient) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: 10240\r\n\r\n"
    async with Loopback(raw(head, VIDEO[:100])) as server:
        got = bytearray()
        cut = await refused(make_client(server.url), into=got)
    assert isinstance(cut, ConnectionFailed)
    assert (bytes(got), cut.code) == (VIDEO[:100], "download_cut")
    assert len(server.seen) == 1


async def test_a_server_that_falls_silent_is_given_up(make_client: MakeClient) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: 10240\r\n\r\n"
    async with Loopback(stall(head, VIDEO[:100])) as server:
        with anyio.fail_after(10):
            stopped = await refused(make_client(server.url, idle_timeout=0.2))
    assert stopped.code == "download_idle"


async def test_a_server_that_drips_is_given_up_too(make_client: MakeClient) -> None:
    async def drip(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: 10240\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with Loopback(drip) as server:
        with anyio.fail_after(10):
            stopped = await refused(make_client(server.url, idle_timeout=0.3))
    assert stopped.code == "download_idle"


async def test_a_file_of_unknown_size_comes_too(make_client: MakeClient) -> None:
    async with Loopback(chunked(VIDEO, VIDEO, content_type=MP4)) as server:
        about, data = await downloaded(make_client(server.url))
    assert (about.size, data) == (None, VIDEO * 2)


async def test_leaving_early_drops_the_connection_and_the_next_call_works(make_client: MakeClient) -> None:
    async with Loopback(file(bytes(50_000_000)), file()) as server:
        client = make_client(server.url)
        async with client.open_download("files/a") as opened:
            assert await anext(opened.chunks())
            assert client.in_flight == 1
        assert client.in_flight == 0
        assert (await downloaded(client))[1] == VIDEO
    assert server.connections == 2
