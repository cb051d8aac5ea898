from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gemini_server.errors import FileRefused
from gemini_server.rest.body import SLICE, Body, BytesSource, InlineMedia, RawJson, encode, stored
from gemini_server.rest.endpoint import Wire

from .conftest import MakeClient
from .loopback import Loopback, reply
from .shapes import GENERATE, MODEL, Prompt

pytestmark = pytest.mark.anyio


@dataclass
class PatternSource:
    """Bytes that are made when they are read; `given` of them, whatever `size` says."""

    size: int
    given: int | None = None
    reads: list[int] = field(default_factory=list[int])

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        self.reads.append(0)
        left = self.size if self.given is None else self.given
        while left:
            chunk = bytes(i % 251 for i in range(1000)) * (min(size, left) // 1000 + 1)
            chunk = chunk[: min(size, left)]
            left -= len(chunk)
            self.reads[-1] += len(chunk)
            yield chunk


async def sent(body: Body) -> bytes:
    return b"".join([chunk async for chunk in body.chunks()])


async def test_a_small_body_is_one_bytes_object_with_wire_names_and_without_unset_fields() -> None:
    body = encode(Prompt(text="hi", max_tokens=5))
    assert body.whole == b'{"text":"hi","maxTokens":5}'
    assert body.length == len(body.whole)


@pytest.mark.parametrize(
    "size", [0, 1, 2, 3, 4, SLICE - 2, SLICE - 1, SLICE, SLICE + 1, SLICE + 2, 2 * SLICE, 2 * SLICE + 1]
)
@pytest.mark.parametrize("in_memory", [True, False])
async def test_media_are_exact_base64_with_an_exact_length_around_the_edges_of_slices(
    size: int, in_memory: bool
) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]

    @dataclass
    class Source:
        size: int

        async def chunks(self, size: int) -> AsyncIterator[bytes]:
            for start in range(0, len(data), size):
                yield data[start : start + size]

    source = BytesSource(data) if in_memory else Source(size)
    body = encode(Prompt(text="before", data=InlineMedia(source), more=[Prompt(text="after")]))
    text = await sent(body)
    assert len(text) == body.length
    assert body.whole is None
    assert json.loads(text) == {
        "text": "before",
        "data": base64.b64encode(data).decode(),
        "more": [{"text": "after"}],
    }


async def test_several_media_each_find_their_place() -> None:
    body = encode(Prompt(more=[Prompt(data=InlineMedia(BytesSource(bytes([i]) * i))) for i in range(4)]))
    texts = [item["data"] for item in json.loads(await sent(body))["more"]]
    assert texts == [base64.b64encode(bytes([i]) * i).decode() for i in range(4)]


async def test_the_same_medium_twice_is_read_twice() -> None:
    media = InlineMedia(PatternSource(5))
    text = json.loads(await sent(encode(Prompt(more=[Prompt(data=media), Prompt(data=media)]))))
    assert text["more"][0] == text["more"][1]


async def test_text_that_looks_like_a_placeholder_stays_text() -> None:
    forged = "media-00000000000000000000000000000000-1"
    body = encode(Prompt(text=forged, data=InlineMedia(BytesSource(b"abc"))))
    assert json.loads(await sent(body)) == {"text": forged, "data": "YWJj"}


async def test_a_body_can_be_sent_again_and_reads_its_source_again() -> None:
    source = PatternSource(1000)
    body = encode(Prompt(data=InlineMedia(source)))
    assert await sent(body) == await sent(body)
    assert source.reads == [1000, 1000]


@pytest.mark.parametrize("given", [0, 10, 99, 101, SLICE + 7])
async def test_a_source_that_changed_its_size_is_never_sent_as_complete(given: int) -> None:
    body = encode(Prompt(data=InlineMedia(PatternSource(100, given=given))))
    with pytest.raises(FileRefused, match="changed while being read"):
        await sent(body)


async def test_a_file_that_vanished_is_told_as_such() -> None:
    class Gone:
        size = 10

        async def chunks(self, size: int) -> AsyncIterator[bytes]:
            raise OSError(5, "Input/output error")
            yield b""

    with pytest.raises(FileRefused, match="Input/output error"):
        await sent(encode(Prompt(data=InlineMedia(Gone()))))


def test_a_plain_str_field_would_lose_the_source_and_is_a_bug() -> None:
    class Plain(Wire):
        data: str | None = None

    body = Plain(data=InlineMedia(BytesSource(b"abc")))
    with pytest.raises(TypeError, match=r"InlineMedia \| str"):
        encode(body)


def test_an_untyped_field_keeps_the_source() -> None:
    class Loose(Wire):
        data: Any = None

    assert encode(Loose(data=InlineMedia(BytesSource(b"abc")))).length == len('{"data":"YWJj"}')


def test_the_repr_shows_no_placeholder() -> None:
    assert repr(InlineMedia(BytesSource(b"abc"))) == "InlineMedia(3 bytes)"


async def test_twenty_mebibytes_travel_in_bounded_memory_with_their_exact_length(make_client: MakeClient) -> None:
    size = 20 * 1024 * 1024
    source = PatternSource(size)
    received = 0

    class Counting(Loopback):
        """Counts the body instead of keeping it."""

        async def _one(self, reader: Any, writer: Any) -> None:
            nonlocal received
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            while received < length:
                received += len(await reader.read(65536))
            assert received == length
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    async with Counting() as server:
        client = make_client(server.url)
        await client.call(GENERATE, body=Prompt(text="warm"), model=MODEL)
        received = 0
        body = Prompt(data=InlineMedia(source))
        tracemalloc.start()
        try:
            await client.call(GENERATE, body=body, model=MODEL)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert received == encode(body).length
    assert peak < 8 * 1024 * 1024


async def test_a_file_that_shrinks_while_it_is_sent_breaks_the_request_off(make_client: MakeClient) -> None:
    async with Loopback(reply(b'{"text":"done"}')) as server:
        client = make_client(server.url)
        media = InlineMedia(PatternSource(3 * SLICE, given=2 * SLICE))
        with pytest.raises(FileRefused, match="changed while being read"):
            await client.call(GENERATE, body=Prompt(data=media), model=MODEL)
        assert server.seen == []
        assert client.in_flight == 0


async def test_a_body_that_was_kept_is_sent_as_the_first_time_byte_for_byte(make_client: MakeClient) -> None:
    prompt = Prompt(text="é", data=InlineMedia(PatternSource(3 * SLICE + 1)), max_tokens=5)
    kept = await stored(prompt, 10_000_000)
    assert kept is not None
    async with Loopback(reply(b'{"text": "ok"}')) as server:
        client = make_client(server.url)
        await client.call(GENERATE, body=prompt, model=MODEL)
        await client.call(GENERATE, body=RawJson(kept), model=MODEL)
        async with client.stream(GENERATE, body=RawJson(b"{}"), model=MODEL):
            pass
    assert server.seen[0].body == server.seen[1].body == kept
    assert server.seen[1].header("content-type") == "application/json"
    assert server.seen[2].body == b"{}"
    assert "é" not in repr(RawJson(kept))


async def test_a_body_larger_than_the_limit_is_not_kept_and_its_media_are_not_read() -> None:
    source = PatternSource(3_000_000)
    prompt = Prompt(text="x", data=InlineMedia(source))
    length = encode(prompt).length
    assert await stored(prompt, length - 1) is None
    assert source.reads == []
    kept = await stored(prompt, length)
    assert kept is not None
    assert len(kept) == length
    assert await stored(Prompt(text="x"), 12) == b'{"text":"x"}'
    assert await stored(Prompt(text="x"), 11) is None


async def test_a_file_that_changes_while_it_is_kept_is_an_error() -> None:
    with pytest.raises(FileRefused):
        await stored(Prompt(data=InlineMedia(PatternSource(100, given=99))), 1000)
