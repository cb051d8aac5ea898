"""Vectors: their arithmetic, and the files that they are kept in. Plain Python; run what is large in a thread."""

from __future__ import annotations

import ast
import heapq
import json
import math
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import mul
from typing import TYPE_CHECKING, Any, cast

from gemini_server.errors import ArgumentError

if TYPE_CHECKING:
    Vector = array[float]
else:
    Vector = array

BYTES_PER_FLOAT = {"npy": 4, "jsonl": 12}
"""What a float takes up in a file, about."""

_MAGIC = b"\x93NUMPY"
_ALIGNMENT = 64
_DIGITS = ".7g"
"""What a 32-bit float knows."""


def packed(values: Iterable[float], *, unit: bool = False) -> Vector:
    """Values as 32-bit floats, scaled to unit length when that is wanted; a vector of zeros stays one.

    Raises:
        OverflowError: a value is too large for a 32-bit float.
    """
    vector = array("f", values)
    length = _length(vector)
    if not math.isfinite(length):
        raise OverflowError("a value is too large for a 32-bit float")
    if not unit or not length:
        return vector
    return array("f", [value / length for value in vector])


def rounded(vector: Vector) -> list[float]:
    """The values with the digits that they have."""
    return [float(format(value, _DIGITS)) for value in vector]


def nearest(query: Sequence[float], vectors: Iterable[Vector | None], top: int) -> list[tuple[int, float]]:
    """The index and cosine of the vectors most like a query, the best first; of equals the earlier one.

    A vector of zeros is like nothing: its cosine is 0. A missing one (None) is passed over.
    """
    asked = list(query)
    reach = _length(asked)
    return heapq.nsmallest(top, _cosines(asked, reach, vectors), key=lambda found: (-found[1], found[0]))


def _cosines(asked: list[float], reach: float, vectors: Iterable[Vector | None]) -> Iterator[tuple[int, float]]:
    for index, vector in enumerate(vectors):
        if vector is not None:
            values = vector.tolist()
            scale = reach * _length(values)
            cosine = sum(map(mul, values, asked)) / scale if scale else 0.0
            yield index, max(-1.0, min(1.0, cosine))


def _length(values: Iterable[float]) -> float:
    listed = list(values)
    return math.sqrt(sum(map(mul, listed, listed)))


def is_npy(data: bytes) -> bool:
    """Whether a file is NumPy's, by its first bytes."""
    return data.startswith(_MAGIC)


def to_npy(vectors: Sequence[Vector]) -> bytes:
    """Vectors of one length as a NumPy file: version 1.0, little-endian float32, one row each."""
    shape = (len(vectors), len(vectors[0]))
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    head = len(_MAGIC) + 4
    header += b" " * (-(head + len(header) + 1) % _ALIGNMENT) + b"\n"
    rows = (_little(vector).tobytes() for vector in vectors)
    return b"".join([_MAGIC, b"\x01\x00", struct.pack("<H", len(header)), header, *rows])


def from_npy(data: bytes) -> list[Vector]:
    """The rows of such a file.

    Raises:
        ArgumentError: it is none.
    """
    try:
        if not data.startswith(_MAGIC + b"\x01\x00"):
            raise ValueError("no NumPy file")
        (size,) = struct.unpack_from("<H", data, len(_MAGIC) + 2)
        start = len(_MAGIC) + 4 + size
        header: dict[str, Any] = ast.literal_eval(data[len(_MAGIC) + 4 : start].decode("latin-1").strip())
        rows, width = cast("tuple[int, int]", header["shape"])
        if header["descr"] != "<f4" or header["fortran_order"] or len(data) - start != 4 * rows * width:
            raise ValueError("another kind of array")
        return [_little(array("f", data[at : at + 4 * width])) for at in range(start, len(data), 4 * width)]
    except (ValueError, KeyError, TypeError, SyntaxError, struct.error, MemoryError, RecursionError):
        raise _unreadable() from None


def to_jsonl(vectors: Iterable[Vector | None], texts: Sequence[str | None]) -> bytes:
    """Vectors as lines of JSON: `index`, the `text` where it was one, `vector`. A missing vector has no line."""
    lines: list[str] = []
    for index, (vector, text) in enumerate(zip(vectors, texts, strict=True)):
        if vector is not None:
            about = {"index": index} if text is None else {"index": index, "text": text}
            numbers = ",".join(format(value, _DIGITS) for value in vector)
            lines.append(f'{json.dumps(about, ensure_ascii=False)[:-1]}, "vector": [{numbers}]}}\n')
    return "".join(lines).encode("utf-8", "replace")


def from_jsonl(data: bytes) -> tuple[list[Vector | None], list[str | None]]:
    """The vectors of such a file, and their texts; what has no line is None.

    Raises:
        ArgumentError: it is none.
    """
    vectors: list[Vector | None] = []
    texts: list[str | None] = []
    width = 0
    try:
        for line in data.splitlines():
            read: dict[str, Any] = json.loads(line)
            index: int = read["index"]
            vector = packed(read["vector"])
            width = width or len(vector)
            if not len(vectors) <= index < len(vectors) + 1_000_000 or len(vector) != width:
                raise ValueError("not in order")
            gap = index - len(vectors)
            text = read.get("text")
            vectors += [*[None] * gap, vector]
            texts += [*[None] * gap, text if isinstance(text, str) else None]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _unreadable() from None
    return vectors, texts


def _little(vector: Vector) -> Vector:
    if sys.byteorder == "little":
        return vector
    swapped = array("f", vector)
    swapped.byteswap()
    return swapped


def _unreadable() -> ArgumentError:
    return ArgumentError("The artifact holds no vectors any more: its file was changed.", "Embed the items again.")
