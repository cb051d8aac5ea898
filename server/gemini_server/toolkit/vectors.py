"""Vectors: their arithmetic, and the forms that they have in files. Plain Python; run what is large in a thread."""

from __future__ import annotations

import ast
import heapq
import json
import math
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from gemini_server.api.packed import FLOAT_BYTES, of_unit_length
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
_READ = 256 * 1024
_LONGEST_GAP = 1_000_000
_ALIKE = 1000.0
"""How many times as long as another a vector may be for the quick way to their cosine."""

Found = tuple[int, Sequence[float], str | None]
"""Index, vector and text of an item."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Vectors of one length, one after the other.

    Attributes:
        width: numbers of each.
        data: all of them, as little-endian 32-bit floats.
    """

    width: int
    data: bytes

    @classmethod
    def of(cls, vectors: Sequence[bytes]) -> Rows:
        """Vectors that are packed already.

        Raises:
            ValueError: there are none, or not of one length.
        """
        size = len(vectors[0]) if vectors else 0
        if not size or any(len(vector) != size for vector in vectors):
            raise ValueError("no vectors of one length")
        return cls(size // FLOAT_BYTES, b"".join(vectors))

    def __len__(self) -> int:
        return len(self.data) // (FLOAT_BYTES * self.width)

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        return struct.iter_unpack(f"<{self.width}f", self.data)


def packed(values: Iterable[float], *, unit: bool = False) -> Vector:
    """Values as 32-bit floats, scaled to unit length when that is wanted; a vector of zeros stays one.

    Raises:
        OverflowError: a value is too large for a 32-bit float.
    """
    given = list(values)
    vector = array("f", of_unit_length(given) if unit else given)
    if not math.isfinite(math.hypot(*vector)):
        raise OverflowError("a value is too large for a 32-bit float")
    return vector


def rounded(vector: Iterable[float]) -> list[float]:
    """The values with the digits that they have."""
    return [float(format(value, _DIGITS)) for value in vector]


class Nearest:
    """The items most like a query, found while they pass by one after the other.

    Args:
        query: what they are compared with.
        top: how many are kept.

    Attributes:
        compared: how many have passed by.
    """

    def __init__(self, query: Sequence[float], top: int) -> None:
        self.compared = 0
        self._query = tuple(query)
        self._reach = math.hypot(*self._query)
        self._top = top
        self._heap: list[tuple[float, int, str | None]] = []

    def look(self, items: Iterable[Found]) -> None:
        """Compare items; a vector of zeros is like nothing: its cosine is 0.

        Raises:
            ValueError: a vector of another length than the query.
        """
        heap, cosine, width = self._heap, self._cosine, len(self._query)
        for index, vector, text in items:
            if len(vector) != width:
                raise ValueError("vectors of different lengths")
            self.compared += 1
            entry = (cosine(vector), -index, text)
            if len(heap) < self._top:
                heapq.heappush(heap, entry)
            elif entry[:2] > heap[0][:2]:
                heapq.heapreplace(heap, entry)

    def best(self) -> list[tuple[int, float, str | None]]:
        """Index, cosine and text of the best ones, the best first; of equals the earlier one."""
        return [(-index, cosine, text) for cosine, index, text in sorted(self._heap, key=lambda one: one[:2])[::-1]]

    def _cosine(self, vector: Sequence[float]) -> float:
        reach, length = self._reach, math.hypot(*vector)
        if not reach or not length:
            return 0.0
        if reach < length * _ALIKE and length < reach * _ALIKE:
            # By the law of cosines: the distance is C's work, a sum of products would be Python's.
            distance = math.dist(self._query, vector)
            cosine = (reach * reach + length * length - distance * distance) / (2 * reach * length)
        else:
            cosine = sum(map(mul, self._query, vector)) / (reach * length)
        return max(-1.0, min(1.0, cosine))


def is_npy(head: bytes) -> bool:
    """Whether a file is NumPy's, by its first bytes."""
    return head.startswith(_MAGIC)


def npy_head(rows: int, width: int) -> bytes:
    """What stands before the rows in a NumPy file: version 1.0, little-endian float32."""
    header = str({"descr": "<f4", "fortran_order": False, "shape": (rows, width)}).encode()
    before = len(_MAGIC) + 4
    header += b" " * (-(before + len(header) + 1) % _ALIGNMENT) + b"\n"
    return b"".join([_MAGIC, b"\x01\x00", struct.pack("<H", len(header)), header])


def from_npy(file: BinaryIO) -> Iterator[Found]:
    """The rows of a NumPy file that is read from its start; they have no texts.

    Raises:
        ArgumentError: it is none.
    """
    rows, width = _read_head(file)
    at_once = max(1, _READ // (FLOAT_BYTES * width))
    for start in range(0, rows, at_once):
        size = min(at_once, rows - start) * FLOAT_BYTES * width
        data = file.read(size)
        if len(data) != size:
            raise _unreadable()
        for number, vector in enumerate(Rows(width, data), start):
            yield number, vector, None
    if file.read(1):
        raise _unreadable()


def _read_head(file: BinaryIO) -> tuple[int, int]:
    try:
        before = file.read(len(_MAGIC) + 4)
        if before[:-2] != _MAGIC + b"\x01\x00":
            raise ValueError("no NumPy file")
        (size,) = struct.unpack("<H", before[-2:])
        header: dict[str, Any] = ast.literal_eval(file.read(size).decode("latin-1").strip())
        rows, width = cast("tuple[int, int]", header["shape"])
        if header["descr"] != "<f4" or header["fortran_order"] or not (rows >= 0 and 0 < width < 1 << 20):
            raise ValueError("another kind of array")
    except (ValueError, KeyError, TypeError, SyntaxError, struct.error, MemoryError, RecursionError):
        raise _unreadable() from None
    return rows, width


def jsonl_line(index: int, vector: Iterable[float], text: str | None) -> str:
    """A vector as a line of JSON: `index`, the `text` where it was one, `vector`."""
    about = {"index": index} if text is None else {"index": index, "text": text}
    values = tuple(vector)
    numbers = _numbers(len(values)) % values
    return f'{json.dumps(about, ensure_ascii=False)[:-1]}, "vector": [{numbers}]}}\n'


@lru_cache(maxsize=8)
def _numbers(count: int) -> str:
    # One operation for a whole vector: a third less than one for each number.
    return ",".join([f"%{_DIGITS}"] * count)


def from_jsonl(file: BinaryIO) -> Iterator[Found]:
    """The lines of such a file, in order; what has no line is missing.

    Raises:
        ArgumentError: it is none.
    """
    following = width = 0
    try:
        for line in file:
            read: dict[str, Any] = json.loads(line)
            index: int = read["index"]
            vector = packed(read["vector"])
            width = width or len(vector)
            if not following <= index < following + _LONGEST_GAP or len(vector) != width or not width:
                raise ValueError("not in order")
            following = index + 1
            text = read.get("text")
            yield index, tuple(vector), text if isinstance(text, str) else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _unreadable() from None


def _unreadable() -> ArgumentError:
    return ArgumentError("The artifact holds no vectors any more: its file was changed.", "Embed the items again.")
