"""The arithmetic of vectors, and the files they are kept in."""

from __future__ import annotations

import ast
import json
import math
import random
import struct
import time
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.errors import ArgumentError
from gemini_server.toolkit import vectors
from gemini_server.toolkit.vectors import Vector

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
ROWS = st.integers(1, 9).flatmap(
    lambda width: st.lists(st.lists(FLOATS, min_size=width, max_size=width), min_size=1, max_size=5)
)


def packed(*rows: list[float]) -> list[Vector]:
    return [vectors.packed(row) for row in rows]


def test_a_shortened_vector_is_scaled_to_unit_length_and_keeps_its_direction() -> None:
    scaled = vectors.packed([3.0, 4.0], unit=True)
    assert vectors.rounded(scaled) == [0.6, 0.8]
    assert math.hypot(*vectors.packed([0.01] * 768, unit=True)) == pytest.approx(1, abs=1e-6)


def test_a_vector_of_zeros_stays_one() -> None:
    assert vectors.packed([0.0, 0.0], unit=True).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [1e39, -1e200])
def test_a_number_beyond_32_bits_is_an_error_and_no_infinity(value: float) -> None:
    with pytest.raises(OverflowError):
        vectors.packed([value, 1.0])


def test_numbers_are_shown_with_seven_digits() -> None:
    assert vectors.rounded(vectors.packed([0.1, 1 / 3, 123456.789])) == [0.1, 0.3333333, 123456.8]


def test_the_nearest_come_first_whatever_their_lengths() -> None:
    candidates = packed([0.0, 1.0], [5.0, 0.1], [-1.0, 0.0], [0.2, 0.2])
    found = vectors.nearest([2.0, 0.0], candidates, 3)
    assert [index for index, _ in found] == [1, 3, 0]
    assert found[0][1] == pytest.approx(0.9998, abs=1e-4)
    assert found[1][1] == pytest.approx(math.sqrt(0.5), abs=1e-6)


def test_of_equals_the_earlier_is_first_and_what_is_missing_is_passed_over() -> None:
    one = vectors.packed([1.0, 0.0])
    assert [index for index, _ in vectors.nearest([1.0, 0.0], [None, one, one, None, one], 9)] == [1, 2, 4]


def test_zeros_are_like_nothing() -> None:
    assert vectors.nearest([1.0], packed([0.0], [-1.0], [2.0]), 3) == [(2, 1.0), (0, 0.0), (1, -1.0)]
    assert vectors.nearest([0.0], packed([1.0]), 3) == [(0, 0.0)]


def test_ten_thousand_of_768_dimensions_are_compared_in_about_a_second() -> None:
    drawn = random.Random(7)
    some = [vectors.packed(drawn.uniform(-1, 1) for _ in range(768)) for _ in range(100)]
    query = [drawn.uniform(-1, 1) for _ in range(768)]
    began = time.process_time()
    assert len(vectors.nearest(query, some * 100, 5)) == 5
    # 0.6 s on an idle machine.
    assert time.process_time() - began < 3


def test_a_numpy_file_is_what_its_format_says() -> None:
    data = vectors.to_npy(packed([1.0, 2.0, 3.0], [4.0, 5.0, 6.5]))
    assert data[:8] == b"\x93NUMPY\x01\x00"
    (size,) = struct.unpack("<H", data[8:10])
    assert (10 + size) % 64 == 0
    header = data[10 : 10 + size].decode("ascii")
    assert header.endswith("\n")
    assert ast.literal_eval(header.strip()) == {"descr": "<f4", "fortran_order": False, "shape": (2, 3)}
    assert struct.unpack("<6f", data[10 + size :]) == (1, 2, 3, 4, 5, 6.5)
    assert vectors.is_npy(data)


@given(ROWS)
def test_a_numpy_file_gives_back_its_rows(rows: list[list[float]]) -> None:
    made = packed(*rows)
    assert vectors.from_npy(vectors.to_npy(made)) == made


@given(ROWS, st.text(max_size=20))
def test_lines_give_back_vectors_texts_and_gaps(rows: list[list[float]], text: str) -> None:
    made: list[Vector | None] = [None, *packed(*rows), None]
    texts = [None, text, *[None] * len(rows)]
    data = vectors.to_jsonl(made, texts)
    assert not vectors.is_npy(data)
    read, kept = vectors.from_jsonl(data)
    assert len(read) == len(made) - 1  # what is missing at the end leaves no trace
    assert read[0] is None
    for one, other in zip(read[1:], made[1:], strict=False):
        assert one is not None
        assert other is not None
        assert one.tolist() == pytest.approx(other.tolist(), rel=1e-6)
    assert kept[1] == text


def test_a_line_has_index_text_and_vector_and_a_medium_no_text() -> None:
    data = vectors.to_jsonl(packed([0.5], [1.0]), ['a\u2028"b"\n', None])
    assert [json.loads(line) for line in data.decode().split("\n")[:-1]] == [
        {"index": 0, "text": 'a\u2028"b"\n', "vector": [0.5]},
        {"index": 1, "vector": [1.0]},
    ]


NPY = vectors.to_npy([array("f", [1.0, 2.0])])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x02\x00" + NPY[8:],
        NPY[:-1],
        NPY + b"\0",
        NPY.replace(b"<f4", b">f4"),
        NPY.replace(b"(1, 2)", b"(2, 2)"),
        NPY.replace(b"'shape'", b"'shabe'"),
        NPY.replace(b"{", b"["),
    ],
)
def test_a_broken_numpy_file_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ArgumentError, match="no vectors any more"):
        vectors.from_npy(data)


@pytest.mark.parametrize(
    "data",
    [
        b"no json",
        b"[]",
        b'{"index": 0}',
        b'{"index": "0", "vector": [1]}',
        b'{"index": 0, "vector": ["x"]}',
        b'{"index": 0, "vector": [1]}\n{"index": 0, "vector": [1]}',
        b'{"index": 0, "vector": [1]}\n{"index": 1, "vector": [1, 2]}',
        b'{"index": 9000000000, "vector": [1]}',
        b'{"index": 0, "vector": [1e39]}',
        b'{"index": 0, "vector": [NaN]}',
        b"\xff\xfe",
    ],
)
def test_broken_lines_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(ArgumentError, match="no vectors any more"):
        vectors.from_jsonl(data)
