"""Lengths of recordings by their headers, and lists in what models write."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.toolkit import sound
from gemini_server.toolkit.generation import lenient
from gemini_server.toolkit.progress import Progress
from gemini_server.toolkit.untrusted import clean
from tests.emulator.drawing import recording

pytestmark = pytest.mark.anyio


def test_the_length_of_a_wav_file_is_in_its_header() -> None:
    whole = recording(1.25, 0.5)
    assert sound.length(whole[: sound.HEAD], len(whole)) == pytest.approx(1.75)


def test_a_wav_file_that_was_cut_is_as_long_as_what_is_there() -> None:
    whole = recording(2)
    assert sound.length(whole[:44], 44 + 16000) == pytest.approx(1.0)


def test_the_length_of_a_flac_file_is_in_its_header() -> None:
    packed = (44100 << 44 | 1 << 41 | 15 << 36 | 44100 * 3).to_bytes(8, "big")
    head = b"fLaC" + bytes([0x80, 0, 0, 34]) + bytes(10) + packed + bytes(16)
    assert sound.length(head, 10**6) == pytest.approx(3.0)


@given(st.binary(max_size=80), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", b"fLaC"]))
def test_a_broken_header_is_no_length(rest: bytes, start: bytes) -> None:
    found = sound.length(start + rest, len(start + rest))
    assert found is None or isinstance(found, float)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers(), min_size=1, max_size=3), max_size=5), st.data())
def test_what_is_complete_of_a_list_is_read(items: list[dict[str, int]], data: st.DataObject) -> None:
    text = json.dumps(items)
    assert lenient.items(text) == (items, {}, True)
    cut = data.draw(st.integers(0, len(text) - 1))
    found, _, complete = lenient.items(text[:cut])
    assert not complete
    assert found == items[: len(found)]


@pytest.mark.parametrize(
    ("text", "found", "around"),
    [
        ('```json\n[{"a": 1}]\n```', [{"a": 1}], {}),
        ('{"language": "en", "segments": [{"a": 1}]}', [{"a": 1}], {"language": "en", "segments": [{"a": 1}]}),
        ('{"tags": ["x"], "list": [{"a": 1}]}', [{"a": 1}], {"tags": ["x"], "list": [{"a": 1}]}),
        ('{"list": []}', [], {"list": []}),
        ('{"a": [1, 2]}', [{"a": [1, 2]}], {"a": [1, 2]}),
    ],
)
def test_a_list_is_found_where_it_is(text: str, found: list[Any], around: dict[str, Any]) -> None:
    assert lenient.items(text) == (found, around, True)


@given(st.lists(st.text(max_size=30), max_size=6), st.lists(st.integers(1, 60), min_size=1, max_size=20))
async def test_progress_shows_the_member_however_the_stream_is_cut(texts: list[str], sizes: list[int]) -> None:
    shown: list[str] = []

    async def send(value: float, total: float | None, message: str | None) -> None:
        shown.append(message or "")

    progress = lenient.MemberProgress(Progress(send), "text")
    written = json.dumps([{"mask": "x" * 500, "text": text} for text in texts])
    for size in cycle(sizes):
        await progress.text(written[:size])
        written = written[size:]
        if not written:
            break
    assert "".join(shown) == "".join(f"{clean(text).text}\n" for text in texts)
