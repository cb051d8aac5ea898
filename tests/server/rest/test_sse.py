from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.rest.sse import Event, EventSizeError, SseParser


def parse(*chunks: bytes, cap: int = 1000) -> list[Event]:
    parser = SseParser(cap)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    rest = parser.rest()
    return [*events, rest] if rest else events


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_events_end_with_a_blank_line_in_either_line_ending(end: bytes) -> None:
    stream = end.join([b"data: {}", b"", b"event: error", b"id: 7", b"data: x", b"", b""])
    assert parse(stream) == [Event(b"{}"), Event(b"x", "error", "7")]


def test_data_lines_are_joined_and_one_space_is_dropped() -> None:
    assert parse(b"data:a\ndata:  b\ndata\n\n") == [Event(b"a\n b\n")]


def test_comments_and_unknown_fields_are_passed_over() -> None:
    assert parse(b": keep-alive\n\nretry: 5\nwhatever: x\ndata: 1\n\n") == [Event(b"1")]


def test_a_byte_order_mark_at_the_start_is_dropped() -> None:
    assert parse(b"\xef\xbb\xbfdata: 1\n\n") == [Event(b"1")]


def test_the_last_id_stays_until_another_comes() -> None:
    assert [e.id for e in parse(b"id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n")] == ["1", "1", "2"]


def test_what_is_left_at_the_end_is_given_as_the_rest() -> None:
    parser = SseParser(1000)
    assert list(parser.feed(b'data: {"a"')) == []
    assert parser.rest() == Event(b'{"a"')
    assert parser.rest() is None


@given(st.data())
def test_where_the_bytes_are_cut_makes_no_difference(data: st.DataObject) -> None:
    stream = 'data: {"text":"äöü €😀"}\r\n\r\n: c\n\nevent: e\ndata: zwei\ndata: drei\n\ndata: [DONE]\n\n'.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*chunks) == parse(stream)


def test_an_endless_event_hits_the_cap_even_in_small_pieces() -> None:
    parser = SseParser(1000)
    for _ in range(1000):
        assert list(parser.feed(b"x")) == []
    with pytest.raises(EventSizeError):
        list(parser.feed(b"x"))


def test_many_short_data_lines_of_one_event_hit_the_cap_too() -> None:
    with pytest.raises(EventSizeError):
        parse(b"data: 123456\n" * 200)


def test_a_long_stream_of_small_events_and_comments_does_not_hit_the_cap() -> None:
    assert len(parse(b"data: 123456\n\n: comment\n" * 500)) == 500


def test_a_large_event_within_the_cap_is_whole() -> None:
    big = b"A" * 3_000_000
    chunks = [b"data: ", *(big[i : i + 65536] for i in range(0, len(big), 65536)), b"\n\n"]
    assert parse(*chunks, cap=4_000_000) == [Event(big)]
