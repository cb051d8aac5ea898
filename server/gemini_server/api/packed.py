"""Lists of numbers that are packed while an answer is parsed.

A list of 768 Python floats is eight times as large as what a file of vectors keeps of it. Packed one by one, the
vectors of a batch are never there as lists all at once.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

FLOAT_BYTES = 4


def of_unit_length(values: Sequence[float]) -> Sequence[float]:
    """The values scaled to a vector of length 1; zeros stay zeros."""
    length = math.hypot(*values)
    return [value / length for value in values] if length else values


class PackedFloats(bytes):
    """A JSON array of finite numbers, as little-endian 32-bit floats."""

    __slots__ = ()

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Pack numbers.

        Raises:
            ValueError: one is too large for a 32-bit float.
        """
        try:
            return cls(struct.pack(f"<{len(values)}f", *values))
        except OverflowError:
            raise ValueError("a number is larger than vectors have") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read as a list of numbers; strings like `NaN` and numbers that JSON has not are refused."""
        numbers = core_schema.list_schema(core_schema.float_schema(allow_inf_nan=False))
        return core_schema.no_info_after_validator_function(cls.of, numbers)


class PackedUnit(PackedFloats):
    """The same, scaled to length 1 before the numbers are rounded."""

    __slots__ = ()

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Scale and pack numbers."""
        return super().of(of_unit_length(values))
