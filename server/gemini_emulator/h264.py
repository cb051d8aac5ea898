"""H.264 for drawn pictures, written without loss: macroblocks are skipped, continued from a neighbour, or sent raw.

A small part of the Constrained Baseline profile: I_PCM macroblocks, 16×16 intra prediction without a residual where a
block only continues its left or upper neighbour, and P_Skip where nothing has moved. There is no transform, so there is
nothing to lose; drawings with flat areas and few moving things become small, anything else becomes large.
Source: ITU-T H.264, clauses 7.3 (syntax), 8.3 (intra prediction) and 9.1/9.2 (Exp-Golomb codes, coeff_token).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

NAME = "gemini-emulator h264 i_pcm"
SIDE = 16
_PROFILE, _CONSTRAINTS, _LEVEL = 66, 0xC0, 31
_SPS, _PPS, _IDR, _SLICE = 0x67, 0x68, 0x65, 0x41
_FRAME_NUMBER_BITS = 8
_RAW = 25
_VERTICAL, _HORIZONTAL = 0, 1
_CHROMA_MODE = {_VERTICAL: 2, _HORIZONTAL: 1}
_FIRST_INTRA_OF_P = 5

_Planes: TypeAlias = tuple[tuple[bytes, int], ...]


@dataclass(frozen=True)
class Frame:
    """One picture in YCbCr 4:2:0, its sides rounded up to whole macroblocks.

    Args:
        luma: one byte a pixel.
        blue: one byte for four pixels, Cb.
        red: one byte for four pixels, Cr.
    """

    luma: bytes
    blue: bytes
    red: bytes


class Bits:
    """Bits in the order in which they are read."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._value = 0
        self._count = 0

    def put(self, value: int, count: int) -> None:
        """An unsigned number of a fixed width."""
        self._value = self._value << count | value
        self._count += count
        whole = self._count // 8
        if whole:
            self._count -= 8 * whole
            self._bytes += (self._value >> self._count).to_bytes(whole, "big")
            self._value &= (1 << self._count) - 1

    def golomb(self, *values: int) -> None:
        """Unsigned Exp-Golomb codes, `ue(v)`; the signed codes that are needed here are all zero and look alike."""
        for value in values:
            self.put(value + 1, 2 * (value + 1).bit_length() - 1)

    def align(self) -> None:
        """Zero bits up to the next byte."""
        self.put(0, -self._count % 8)

    def append(self, raw: bytes) -> None:
        """Whole bytes, behind whole bytes."""
        self._bytes += raw

    def unit(self, header: int) -> bytes:
        """A NAL unit of what was written: the stop bit, and a guard byte in every run that looks like a start code."""
        self.put(1, 1)
        self.align()
        return bytes([header]) + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", self._bytes)


class Encoder:
    """Frames of one size, one after the other.

    Args:
        width: of what is shown, in pixels; even.
        height: of what is shown, in pixels; even.
        fps: frames a second.
    """

    def __init__(self, width: int, height: int, fps: int) -> None:
        self.width, self.height, self.fps = width, height, fps
        self.across, self.down = -(-width // SIDE), -(-height // SIDE)
        self._before: Frame | None = None
        self._number = 0

    @property
    def coded_size(self) -> tuple[int, int]:
        """The sides of a `Frame` in pixels."""
        return self.across * SIDE, self.down * SIDE

    def parameters(self) -> tuple[bytes, bytes]:
        """The sequence and the picture parameter set."""
        return self._sequence(), _picture()

    def frame(self, frame: Frame) -> bytes:
        """The slice of the next frame; the first is a key frame, all others build on the one before."""
        before, self._before = self._before, frame
        bits = Bits()
        bits.golomb(0, 7 if before is None else 5, 0)
        bits.put(self._number % 2**_FRAME_NUMBER_BITS, _FRAME_NUMBER_BITS)
        self._number += 1
        if before is None:
            bits.golomb(0)
            bits.put(0, 2)
        else:
            bits.put(0, 3)
        bits.golomb(0, 1)
        _Slice(bits, frame, before, self.across, self.down).write()
        return bits.unit(_IDR if before is None else _SLICE)

    def _sequence(self) -> bytes:
        bits = Bits()
        bits.append(bytes([_PROFILE, _CONSTRAINTS, _LEVEL]))
        bits.golomb(0, _FRAME_NUMBER_BITS - 4, 2, 1)
        bits.put(0, 1)
        bits.golomb(self.across - 1, self.down - 1)
        bits.put(0b111, 3)
        bits.golomb(0, (self.across * SIDE - self.width) // 2, 0, (self.down * SIDE - self.height) // 2)
        # How to show it: square pixels, the limited range and colours of SMPTE 170M (BT.601), a fixed rate.
        bits.put(1, 1)
        for value, count in ((1, 1), (1, 8), (0, 1), (1, 1), (5, 3), (0, 1), (1, 1), (6, 8), (6, 8), (6, 8), (0, 1)):
            bits.put(value, count)
        for value, count in ((1, 1), (1, 32), (2 * self.fps, 32), (1, 1), (0, 4)):
            bits.put(value, count)
        return bits.unit(_SPS)


def _picture() -> bytes:
    """The picture parameter set: variable-length codes, one reference, deblocking under control of the slices."""
    bits = Bits()
    bits.golomb(0, 0)
    bits.put(0, 2)
    bits.golomb(0, 0, 0)
    bits.put(0, 3)
    bits.golomb(0, 0, 0)
    bits.put(0b100, 3)
    return bits.unit(_PPS)


class _Slice:
    """The macroblocks of one frame, row by row."""

    def __init__(self, bits: Bits, frame: Frame, before: Frame | None, across: int, down: int) -> None:
        self._bits = bits
        self._planes = ((frame.luma, SIDE), (frame.blue, SIDE // 2), (frame.red, SIDE // 2))
        self._before = ((before.luma, SIDE), (before.blue, SIDE // 2), (before.red, SIDE // 2)) if before else ()
        self._across, self._down = across, down
        self._raw = [[False] * across for _ in range(down)]
        self._skipped = 0

    def write(self) -> None:
        for row in range(self._down):
            if self._before and self._stripe(self._planes, row) == self._stripe(self._before, row):
                self._skipped += self._across
                continue
            for column in range(self._across):
                self._macroblock(row, column)
        if self._before and self._skipped:
            self._bits.golomb(self._skipped)

    def _stripe(self, planes: _Planes, row: int) -> list[bytes]:
        """A row of macroblocks, to see at once that nothing in it has changed."""
        return [
            plane[row * side * side * self._across : (row + 1) * side * side * self._across] for plane, side in planes
        ]

    def _block(self, planes: _Planes, row: int, column: int) -> list[list[bytes]]:
        """The lines of a macroblock in each plane."""
        blocks: list[list[bytes]] = []
        for plane, side in planes:
            stride = side * self._across
            start = row * side * stride + column * side
            blocks.append([plane[at : at + side] for at in range(start, start + side * stride, stride)])
        return blocks

    def _macroblock(self, row: int, column: int) -> None:
        block = self._block(self._planes, row, column)
        if self._before:
            if block == self._block(self._before, row, column):
                self._skipped += 1
                return
            self._bits.golomb(self._skipped)
            self._skipped = 0
        offset = _FIRST_INTRA_OF_P if self._before else 0
        mode = self._continues(block, row, column)
        if mode is None:
            self._raw[row][column] = True
            self._bits.golomb(offset + _RAW)
            self._bits.align()
            self._bits.append(b"".join(line for plane in block for line in plane))
            return
        self._bits.golomb(offset + 1 + mode, _CHROMA_MODE[mode], 0)
        self._no_coefficients(row, column)

    def _continues(self, block: list[list[bytes]], row: int, column: int) -> int | None:
        """The direction in which a neighbour's edge, drawn on, is exactly this block."""
        if column and all(line.count(line[0]) == len(line) for plane in block for line in plane):
            left = self._block(self._planes, row, column - 1)
            if all(
                line[0] == edge[-1]
                for plane, beside in zip(block, left, strict=True)
                for line, edge in zip(plane, beside, strict=True)
            ):
                return _HORIZONTAL
        if row and all(plane.count(plane[0]) == len(plane) for plane in block):
            above = self._block(self._planes, row - 1, column)
            if all(plane[0] == edge[-1] for plane, edge in zip(block, above, strict=True)):
                return _VERTICAL
        return None

    def _no_coefficients(self, row: int, column: int) -> None:
        """coeff_token for no DC coefficients; its table hangs on whether the neighbours were sent raw."""
        counts = [16 * self._raw[y][x] for y, x in ((row, column - 1), (row - 1, column)) if y >= 0 and x >= 0]
        expected = (sum(counts) + 1) // 2 if len(counts) == 2 else sum(counts)
        self._bits.put(0b000011, 6) if expected >= 8 else self._bits.put(1, 1)
