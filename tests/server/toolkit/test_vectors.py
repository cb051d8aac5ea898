"""The arithmetic of vectors, and the files they are kept in."""

from __future__ import annotations

import ast
import json
import math
import random
import struct
import time
from collections.abc import Sequence
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.api.packed import PackedFloats
from gemini_server.errors import ArgumentError
from gemini_server.toolkit import vectors
from gemini_server.toolkit.vectors import Nearest, Rows

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
ROWS = st.integers(1, 9).flatmap(
    lambda width: st.lists(st.lists(FLOATS, min_size=width, max_size=width), min_size=1, max_size=5)
)


def nearest(query: list[float], candidates: list[list[float]], top: int) -> list[tuple[int, float]]:
    found = Nearest(query, top)
    found.look((index, vector, None) for index, vector in enumerate(candidates))
    return [(index, cosine) for index, cosine, _ in found.best()]


def of(rows: Sequence[Sequence[float]]) -> Rows:
    return Rows.of([PackedFloats.of(row) for row in rows])


def npy(*rows: list[float]) -> bytes:
    return vectors.npy_head(len(rows), len(rows[0])) + of(rows).data


def test_a_shortened_vector_is_scaled_to_unit_length_and_keeps_its_direction() -> None:
    assert vectors.rounded(vectors.packed([3.0, 4.0], unit=True)) == [0.6, 0.8]
    assert math.hypot(*vectors.packed([0.01] * 768, unit=True)) == pytest.approx(1, abs=1e-6)


def test_a_vector_of_zeros_stays_one() -> None:
    assert vectors.packed([0.0, 0.0], unit=True).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [1e39, -1e200])
def test_a_number_beyond_32_bits_is_an_error_and_no_infinity(value: float) -> None:
    with pytest.raises(OverflowError):
        vectors.packed([value, 1.0])


@pytest.mark.parametrize("rows", [[], [[]], [[1.0], [1.0, 2.0]]])
def test_rows_are_of_one_length(rows: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="one length"):
        of(rows)


def test_numbers_are_shown_with_seven_digits() -> None:
    assert vectors.rounded(vectors.packed([0.1, 1 / 3, 123456.789])) == [0.1, 0.3333333, 123456.8]


def test_the_nearest_come_first_whatever_their_lengths() -> None:
    found = nearest([2.0, 0.0], [[0.0, 1.0], [5.0, 0.1], [-1.0, 0.0], [0.2, 0.2]], 3)
    assert [index for index, _ in found] == [1, 3, 0]
    assert found[0][1] == pytest.approx(0.9998, abs=1e-4)
    assert found[1][1] == pytest.approx(math.sqrt(0.5), abs=1e-6)


def test_of_equals_the_earlier_is_first() -> None:
    assert [index for index, _ in nearest([1.0, 0.0], [[1.0, 0.0]] * 9, 3)] == [0, 1, 2]
    found = Nearest([1.0], 2)
    found.look([(7, (1.0,), "seven"), (9, (2.0,), "nine")])
    found.look([(11, (3.0,), None)])
    assert found.best() == [(7, 1.0, "seven"), (9, 1.0, "nine")]
    assert found.compared == 3


def test_zeros_are_like_nothing() -> None:
    assert nearest([1.0], [[0.0], [-1.0], [2.0]], 3) == [(2, 1.0), (0, 0.0), (1, -1.0)]
    assert nearest([0.0], [[1.0]], 3) == [(0, 0.0)]


@given(ROWS, st.floats(1e-6, 1e6))
def test_the_cosine_is_that_of_the_textbook_whatever_the_lengths(rows: list[list[float]], scale: float) -> None:
    query = [value * scale + 1 for value in rows[0]]
    for index, cosine in nearest(query, rows, 9):
        reach = math.hypot(*query) * math.hypot(*rows[index])
        expected = sum(a * b for a, b in zip(query, rows[index], strict=True)) / reach if reach else 0.0
        assert cosine == pytest.approx(expected, abs=1e-6)


def test_vectors_of_different_lengths_do_not_compare() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        nearest([1.0, 2.0], [[1.0]], 1)


def test_ten_thousand_of_768_dimensions_are_compared_in_half_a_second() -> None:
    drawn = random.Random(7)
    some = [[drawn.uniform(-1, 1) for _ in range(768)] for _ in range(100)]
    query = [drawn.uniform(-1, 1) for _ in range(768)]
    began = time.process_time()
    assert len(nearest(query, some * 100, 5)) == 5
    # 0.15 s on an idle machine.
    assert time.process_time() - began < 1.5


def test_a_numpy_file_is_what_its_format_says() -> None:
    data = npy([1.0, 2.0, 3.0], [4.0, 5.0, 6.5])
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
    read = list(vectors.from_npy(BytesIO(npy(*rows))))
    assert read == [(index, tuple(row), None) for index, row in enumerate(rows)]


def test_a_numpy_file_that_is_read_in_pieces_gives_back_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_READ", 20)
    rows = [[float(number), 0.5] for number in range(7)]
    assert [vector for _, vector, _ in vectors.from_npy(BytesIO(npy(*rows)))] == list(map(tuple, rows))


@given(ROWS, st.text(max_size=20), st.integers(0, 5))
def test_lines_give_back_vectors_texts_and_gaps(rows: list[list[float]], text: str, gap: int) -> None:
    lines = [vectors.jsonl_line(index + gap, row, text if not index else None) for index, row in enumerate(rows)]
    data = "".join(lines).encode("utf-8", "replace")
    assert not vectors.is_npy(data)
    read = list(vectors.from_jsonl(BytesIO(data)))
    assert [index for index, _, _ in read] == [index + gap for index in range(len(rows))]
    assert [one for _, _, one in read] == [text, *[None] * (len(rows) - 1)]
    for (_, vector, _), row in zip(read, rows, strict=True):
        assert list(vector) == pytest.approx(row, rel=1e-6)


def test_a_line_has_index_text_and_vector_and_a_medium_no_text() -> None:
    lines = [vectors.jsonl_line(0, [0.5], 'a\u2028"b"\n'), vectors.jsonl_line(1, [1.0], None)]
    assert [json.loads(line) for line in lines] == [
        {"index": 0, "text": 'a\u2028"b"\n', "vector": [0.5]},
        {"index": 1, "vector": [1.0]},
    ]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)


NPY = npy([1.0, 2.0])


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
        NPY.replace(b"(1, 2)", b"(1, 0)"),
        NPY.replace(b"'shape'", b"'shabe'"),
        NPY.replace(b"{", b"["),
    ],
)
def test_a_broken_numpy_file_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ArgumentError, match="no vectors any more"):
        list(vectors.from_npy(BytesIO(data)))


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
        list(vectors.from_jsonl(BytesIO(data)))
