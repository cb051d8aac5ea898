"""Uploads: every byte arrives once, wherever it is cut; the session's URL gets no key and is seen by nobody."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from typing import Any

import pytest

from gemini_server.errors import (
    BadAnswer,
    ConnectionFailed,
    FileRefused,
    KeyMissing,
    NotFound,
    RequestRefused,
    ToolserverError,
)
from gemini_server.redaction import HIDDEN, redact
from gemini_server.rest import upload_session
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.config import MIB
from gemini_server.rest.endpoint import Endpoint, Wire
from gemini_server.rest.upload import Received, Session
from gemini_server.rest.upload_chunk import PIECE
from gemini_server.rest.upload_session import CHUNK, FRUITLESS, LARGEST, Sending, transient

from .conftest import KEY, FakeTime, MakeClient
from .vault import GRANULE, Asked, Vault

pytestmark = pytest.mark.anyio

SMALL = 4 * GRANULE
"""The chunks of these tests."""
SIZE = 3 * SMALL + 12_345
FILE = os.urandom(SIZE)
SESSION = "SECRET-session-0123456789"


class Made(Wire):
    file: dict[str, Any] | None = None


UPLOAD = Endpoint("POST", "upload/{version}/files", Made)


class Bytes:
    """A source that notes how it is read."""

    def __init__(self, data: bytes = FILE) -> None:
        self.data = data
        self.reads: list[tuple[int, int]] = []
        self.broken_at: int | None = None

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        self.reads.append((offset, size))
        if self.broken_at is not None and offset + size > self.broken_at:
            raise FileRefused("The file was changed.", code="file_changed")
        return self.data[offset : offset + size]


class Description(Wire):
    file: dict[str, str]


async def started(client: GeminiClient, size: int = SIZE) -> Session:
    body = Description(file={"displayName": "clip"})
    return await client.uploads.start(UPLOAD, body=body, size=size, mime_type="video/mp4")


async def sent(
    client: GeminiClient, fake_time: FakeTime, source: Bytes | None = None, chunk: int | None = SMALL
) -> Made:
    source = source or Bytes()
    session = await started(client, source.size)
    sending = Sending(client.uploads, session, source.size, offset=0, chunk=chunk)
    received = await sending.run(source, sleep=fake_time.sleep, random=lambda: 1.0)
    made = await client.uploads.parsed(Made, received)
    assert made is not None
    return made


async def test_a_file_is_announced_and_sent_in_chunks(make_client: MakeClient, fake_time: FakeTime) -> None:
    source, told = Bytes(), list[int]()
    async with Vault() as vault:
        client = make_client(vault.url)
        session = await started(client)
        sending = Sending(client.uploads, session, SIZE, offset=0, chunk=SMALL)
        received = await sending.run(source, on_bytes=told.append, sleep=fake_time.sleep, random=lambda: 1.0)
    assert bytes(vault.data) == FILE
    assert (received.status, received.size) == ("final", SIZE)
    assert vault.commands() == ["start", "upload", "upload", "upload", "upload, finalize"]
    start, *chunks = vault.asked
    assert start.target == "/upload/v1beta/files"
    assert start.json == {"file": {"displayName": "clip"}}
    assert start.headers["x-goog-api-key"] == KEY
    assert start.headers["x-goog-upload-protocol"] == "resumable"
    assert start.headers["x-goog-upload-header-content-length"] == str(SIZE)
    assert start.headers["x-goog-upload-header-content-type"] == "video/mp4"
    assert [int(one.headers["x-goog-upload-offset"]) for one in chunks] == [0, SMALL, 2 * SMALL, 3 * SMALL]
    assert [int(one.headers["content-length"]) for one in chunks] == [SMALL, SMALL, SMALL, 12_345]
    assert told == sorted(told)
    assert told[-1] == SIZE
    assert all(size <= PIECE for _, size in source.reads)


async def test_the_chunks_are_of_the_documented_size() -> None:
    assert (CHUNK, LARGEST) == (32 * MIB, 128 * MIB)
    assert CHUNK % GRANULE == 0


@pytest.mark.parametrize(
    ("quick", "cuts", "lengths"),
    [
        (60.0, [], [1, 2, 4, 4, 1]),
        (0.0, [], [1] * 12),
        (60.0, [2 * GRANULE], [1, 2] + [2] * 5),
    ],
    ids=["a fast line", "a slow line", "a line that was cut once"],
)
async def test_chunks_get_longer_while_that_is_quick_and_nothing_goes_wrong(
    make_client: MakeClient,
    fake_time: FakeTime,
    monkeypatch: pytest.MonkeyPatch,
    quick: float,
    cuts: list[int],
    lengths: list[int],
) -> None:
    monkeypatch.setattr(upload_session, "CHUNK", GRANULE)
    monkeypatch.setattr(upload_session, "LARGEST", 4 * GRANULE)
    monkeypatch.setattr(upload_session, "QUICK", quick)
    data = FILE[: 12 * GRANULE]
    async with Vault(cuts=list(cuts)) as vault:
        await sent(make_client(vault.url), fake_time, Bytes(data), chunk=None)
    assert bytes(vault.data) == data
    chunks = [one for one in vault.asked if one.command.startswith("upload")]
    assert [int(one.headers["content-length"]) // GRANULE for one in chunks] == lengths
    assert vault.sent <= len(data) + 4 * GRANULE


async def test_the_key_does_not_go_to_the_session_and_its_url_is_hidden(
    make_client: MakeClient, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Vault(cuts=[SMALL + 1]) as vault:
        client = make_client(vault.url)
        await sent(client, fake_time)
        session = await started(client)
        assert SESSION not in repr(session)
        assert redact(f"at {session.url}, which is {SESSION}") == (
            f"at {vault.url}/upload/v1beta/files?upload_id={HIDDEN}&upload_protocol=resumable, which is {HIDDEN}"
        )
        client.uploads.forget(session.url)
    for one in vault.asked:
        assert ("x-goog-api-key" in one.headers) == (one.command == "start")
    assert SESSION not in caplog.text
    assert SESSION in redact(f"now {SESSION} is a word")


@pytest.mark.parametrize("keeps", [True, False], ids=["granules stay", "nothing stays"])
@pytest.mark.parametrize("at", [0, 1, SMALL - 1, SMALL, SIZE // 2, SIZE - 1, SIZE])
async def test_a_cut_costs_at_most_one_chunk(
    make_client: MakeClient, fake_time: FakeTime, at: int, keeps: bool
) -> None:
    async with Vault(cuts=[at], keeps=keeps) as vault:
        await sent(make_client(vault.url), fake_time)
    assert hashlib.sha256(vault.data).digest() == hashlib.sha256(FILE).digest()
    assert vault.sent <= SIZE + SMALL
    assert vault.commands().count("query") == 1
    assert vault.commands().count("start") == 1


async def test_many_cuts_are_survived(make_client: MakeClient, fake_time: FakeTime) -> None:
    cuts = [GRANULE + 1, 2 * GRANULE + 5, SMALL + 7, SMALL + GRANULE + 1, 3 * SMALL + 1]
    async with Vault(cuts=list(cuts)) as vault:
        await sent(make_client(vault.url), fake_time)
    assert bytes(vault.data) == FILE
    assert not vault.cuts
    assert vault.sent <= SIZE + len(cuts) * GRANULE
    assert fake_time.slept


async def test_the_answer_to_the_last_chunk_may_be_lost(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Vault(lost_answers=1) as vault:
        made = await sent(make_client(vault.url), fake_time, Bytes(FILE[:5000]))
    assert made.file is not None
    assert vault.sent == 5000
    assert vault.commands() == ["start", "upload, finalize", "query"]


async def test_bytes_that_are_all_there_are_only_ended(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Vault(cuts=[SMALL]) as vault:
        await sent(make_client(vault.url), fake_time, Bytes(FILE[:SMALL]))
    assert vault.commands() == ["start", "upload, finalize", "query", "finalize"]
    assert vault.sent == SMALL


@pytest.mark.parametrize("retry", [{"retry-after": "7"}, {}])
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_overloaded_server_is_waited_for_then_asked(
    make_client: MakeClient, fake_time: FakeTime, status: int, retry: dict[str, str]
) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "4s"}]
    error = {"error": {"code": status, "message": "busy", "details": [] if retry else details}}
    async with Vault(refusals=[(status, retry, json.dumps(error).encode())]) as vault:
        await sent(make_client(vault.url), fake_time)
    assert bytes(vault.data) == FILE
    assert fake_time.slept == [7.0 if retry else 4.0]
    assert vault.commands()[:4] == ["start", "upload", "query", "upload"]


async def test_an_offset_of_the_servers_own_is_taken(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Vault() as vault:
        client = make_client(vault.url)
        session = await started(client)
        await client.uploads.push(session, Bytes(), 0, SMALL)
        sending = Sending(client.uploads, session, SIZE, offset=0, chunk=SMALL)
        await sending.run(Bytes(), sleep=fake_time.sleep, random=lambda: 1.0)
    assert bytes(vault.data) == FILE


async def test_without_the_headers_of_the_protocol_it_is_asked_for(
    make_client: MakeClient, fake_time: FakeTime
) -> None:
    async with Vault(hidden={"x-goog-upload-status"}) as vault:
        made = await sent(make_client(vault.url), fake_time)
    assert made.file is not None
    assert bytes(vault.data) == FILE
    hidden = {"x-goog-upload-status", "x-goog-upload-size-received"}
    async with Vault(hidden=hidden) as vault:
        with pytest.raises(BadAnswer) as error:
            await sent(make_client(vault.url), fake_time)
    assert error.value.code == "upload_stuck"
    assert "lack the headers" in error.value.what
    assert vault.sent <= SMALL


async def test_a_proxy_that_takes_only_small_requests_gets_small_ones(
    make_client: MakeClient, fake_time: FakeTime
) -> None:
    async with Vault(most=MIB) as vault:
        await sent(make_client(vault.url), fake_time, chunk=8 * MIB)
    assert bytes(vault.data) == FILE
    async with Vault(most=1000) as vault:
        with pytest.raises(RequestRefused) as error:
            await sent(make_client(vault.url), fake_time)
    assert error.value.status == 413


async def test_a_session_that_is_over_is_told(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Vault() as vault:
        client = make_client(vault.url)
        session = await started(client)
        vault.forgets = True
        sending = Sending(client.uploads, session, SIZE, offset=0, chunk=SMALL)
        with pytest.raises(NotFound) as error:
            await sending.step(Bytes())
        assert error.value.code == "session_gone"
        assert (await client.uploads.query(session)).status == "gone"


async def test_a_cancelled_upload_takes_no_more(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Vault() as vault:
        client = make_client(vault.url)
        session = await started(client)
        await client.uploads.cancel(session)
        sending = Sending(client.uploads, session, SIZE, offset=0, chunk=SMALL)
        with pytest.raises(NotFound):
            await sending.step(Bytes())


async def test_what_the_api_says_of_the_bytes_is_its_refusal(make_client: MakeClient, fake_time: FakeTime) -> None:
    error = {"error": {"code": 400, "message": "Unsupported MIME type: x/y", "status": "INVALID_ARGUMENT"}}
    refusal = (400, {"X-Goog-Upload-Status": "final"}, json.dumps(error).encode())
    async with Vault(refusals=[refusal]) as vault:
        with pytest.raises(RequestRefused, match="Unsupported MIME type") as found:
            await sent(make_client(vault.url), fake_time)
    assert not transient(found.value)


async def test_a_source_that_changes_breaks_it_off(make_client: MakeClient, fake_time: FakeTime) -> None:
    source = Bytes()
    source.broken_at = SMALL + 5
    async with Vault() as vault:
        with pytest.raises(FileRefused):
            await sent(make_client(vault.url), fake_time, source)
    assert vault.status == "active"
    assert len(vault.data) == SMALL


async def test_a_dead_server_is_given_up_after_a_while(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Vault() as vault:
        client = make_client(vault.url)
        session = await started(client)
    sending = Sending(client.uploads, session, SIZE, offset=0, chunk=SMALL)
    with pytest.raises(ConnectionFailed) as error:
        await sending.run(Bytes(), sleep=fake_time.sleep, random=lambda: 1.0)
    assert transient(error.value)
    assert len(fake_time.slept) >= FRUITLESS - 1


@pytest.mark.parametrize(
    ("base", "given", "expected"),
    [
        ("", "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=x", "/upload/v1beta/files"),
        ("/gw", "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=x", "/gw/upload/v1beta/files"),
        ("/gw", "https://generativelanguage.googleapis.com:443/gw/upload/v1beta/files?upload_id=x",
         "/gw/upload/v1beta/files"),
        ("/gw/v1beta", "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=x",
         "/gw/upload/v1beta/files"),
        ("/gw", "{own}/gw/upload/v1beta/files?upload_id=x", "/gw/upload/v1beta/files"),
    ],
)  # fmt: skip
async def test_googles_own_host_is_the_base_url_with_its_prefix_once(
    make_client: MakeClient, fake_time: FakeTime, base: str, given: str, expected: str
) -> None:
    async with Vault(session_url=given) as vault:
        await sent(make_client(vault.url + base), fake_time)
    start, *others = vault.asked
    assert start.target == f"{base.removesuffix('/v1beta')}/upload/v1beta/files"
    assert {one.target for one in others} == {f"{expected}?upload_id=x"}
    assert bytes(vault.data) == FILE


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.example/upload?upload_id=x",
        "http://generativelanguage.googleapis.com/upload?upload_id=x",
        "https://169.254.169.254/upload",
        "https://user:pass@generativelanguage.googleapis.com/upload",
        "https://storage.googleapis.com:8443/upload",
        "ftp://files.googleapis.com/",
        "nonsense",
        "",
    ],
)
async def test_a_session_elsewhere_is_refused_before_a_byte_is_sent(make_client: MakeClient, given: str) -> None:
    async with Vault(session_url=given) as vault:
        with pytest.raises(BadAnswer):
            await started(make_client(vault.url))
    assert set(vault.commands()) == {"start"}


async def test_a_start_without_a_session_is_tried_again_then_told(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Vault(hidden={"x-goog-upload-url"}) as vault:
        with pytest.raises(BadAnswer) as error:
            await started(make_client(vault.url))
    assert error.value.code == "no_upload_url"
    assert vault.commands() == ["start"] * 5


async def test_without_a_granularity_the_documented_one_holds(make_client: MakeClient) -> None:
    async with Vault(granularity=None) as vault:
        assert (await started(make_client(vault.url))).granularity == GRANULE


async def test_without_a_key_nothing_is_sent(make_client: MakeClient) -> None:
    async with Vault() as vault:
        with pytest.raises(KeyMissing):
            await started(make_client(vault.url, key=None))
    assert vault.asked == []


async def test_an_answer_that_cannot_be_read_is_one_that_is_lost(make_client: MakeClient) -> None:
    uploads = make_client("https://gw.example").uploads
    assert await uploads.parsed(Made, Received("final", 5, b'{"file": {"na')) is None
    assert await uploads.parsed(Made, Received("final", 5)) is None
    with pytest.raises(ToolserverError, match="too bad"):
        await uploads.parsed(Made, Received("final", 5, b'{"error": {"code": 400, "message": "too bad"}}'))


def test_what_is_asked_shows_its_command() -> None:
    assert Asked("POST", "/", {"x-goog-upload-command": "query"}).command == "query"
