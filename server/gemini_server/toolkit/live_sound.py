"""Recordings as the Live API hears them: WAV of any rate, width and number of channels made 16-bit PCM, mono, 16 kHz.

The API takes sound without a container alone. Nothing but WAV is decoded here, because nothing else can be without a
codec. Rates are brought down by averaging over what each new sample covers, which is plain but folds little noise into
speech, and brought up along straight lines.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

from gemini_server.api.live import HEARD_RATE
from gemini_server.errors import ArgumentError

LONGEST = 600
"""Seconds of a recording: a connection lasts as long."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_WIDTHS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
_RATES = range(1_000, 384_001)
_MOST_CHANNELS = 16
_TOP = 32_767


@dataclass(frozen=True, slots=True)
class _Wave:
    """What a WAV file has: its encoding, and where its frames are."""

    encoding: int
    channels: int
    rate: int
    bits: int
    data: memoryview

    @property
    def frame(self) -> int:
        """Bytes of a frame."""
        return self.channels * self.bits // 8

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.data) // self.frame


def heard(wav: bytes) -> bytes:
    """A WAV file as the Live API hears it. A minute takes a third of a second: run it in a thread.

    Raises:
        ArgumentError: it is no WAV file that can be read, empty, or too long.
    """
    wave = _read(wav)
    if not wave.frames:
        raise ArgumentError("The recording is empty.", "Give a WAV file with sound in it.")
    if wave.frames > LONGEST * wave.rate:
        raise ArgumentError(
            f"The recording takes {wave.frames / wave.rate / 60:.1f} minutes, and a live turn hears at most "
            f"{LONGEST // 60}.",
            "Cut it, or ask about it with analyze_media.",
        )
    if (wave.encoding, wave.channels, wave.rate, wave.bits) == (_PCM, 1, HEARD_RATE, 16):
        return bytes(wave.data[: wave.frames * 2])
    return b"".join(_pieces(wave))


def _pieces(wave: _Wave) -> Iterator[bytes]:
    """A second at a time, so that no more than that is ever there as numbers."""
    for start in range(0, wave.frames, wave.rate):
        end = min(start + wave.rate, wave.frames)
        count = round((end - start) * HEARD_RATE / wave.rate)
        # One more than the second: lines between samples need the next one.
        block = _samples(wave, start, min(end + 1, wave.frames))
        make = _averaged if count <= end - start else _drawn
        made = make(block, wave.channels, end - start, count)
        if sys.byteorder == "big":
            made.byteswap()
        yield made.tobytes()


def _samples(wave: _Wave, start: int, end: int) -> array[int]:
    """Frames as 16-bit samples, interleaved."""
    raw = bytes(wave.data[start * wave.frame : end * wave.frame])
    if wave.encoding == _FLOAT:
        floats = array("f" if wave.bits == 32 else "d", raw)
        if sys.byteorder == "big":
            floats.byteswap()
        # What is no number is neither above nor below, and becomes silence.
        return array("h", [round(_TOP * max(-1.0, min(1.0, x))) if x == x else 0 for x in floats])
    width = wave.bits // 8
    if width == 1:
        return array("h", [(byte - 128) << 8 for byte in raw])
    if width == 2:
        samples = array("h", raw)
    else:  # the upper two bytes of each
        upper = bytearray(len(raw) // width * 2)
        upper[0::2], upper[1::2] = raw[width - 2 :: width], raw[width - 1 :: width]
        samples = array("h", bytes(upper))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _averaged(block: array[int], channels: int, frames: int, count: int) -> array[int]:
    """So many samples in the place of `frames`, each the average of what it covers of all channels."""
    edges, widths = _spans(channels, frames, count)
    sums = [0, *accumulate(block[: frames * channels])]
    at_edges = [sums[edge] for edge in edges]
    return array("h", [(end - begin) // width for (begin, end), width in zip(pairwise(at_edges), widths, strict=True)])


def _drawn(block: array[int], channels: int, frames: int, count: int) -> array[int]:
    """More samples in the place of `frames`, on straight lines between these; the last line leads to the next one."""
    parts = [block[at::channels] for at in range(channels)]
    mono = [sum(one) // channels for one in zip(*parts, strict=True)]
    mono += mono[-1:] if len(mono) == frames else []
    return array("h", [mono[at] + (mono[at + 1] - mono[at]) * rest // count for at, rest in _places(frames, count)])


@lru_cache(maxsize=2)
def _spans(channels: int, frames: int, count: int) -> tuple[list[int], list[int]]:
    """Where in interleaved samples each new one begins to cover some, and how many these are."""
    edges = [at * frames // count * channels for at in range(count + 1)] if count else [0]
    return edges, [end - begin for begin, end in pairwise(edges)]


@lru_cache(maxsize=2)
def _places(frames: int, count: int) -> list[tuple[int, int]]:
    """Where each new sample lies: after which one, and how many parts of `count` after it."""
    return [divmod(at * frames, count) for at in range(count)]


def _read(wav: bytes) -> _Wave:
    """The header of a WAV file.

    Raises:
        ArgumentError: it is none, or has an encoding that is not read.
    """
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise ArgumentError(
            "A live turn hears WAV files alone: the Live API takes sound without a container, and no other format is "
            "decoded here.",
            "Convert the recording to WAV, or ask about it with analyze_media.",
        )
    form: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(wav):
        name, size = wav[at : at + 4], int.from_bytes(wav[at + 4 : at + 8], "little")
        if name == b"fmt " and size >= 16:
            form = _form(wav[at + 8 : at + 8 + min(size, 40)])
        elif name == b"data" and form is not None:
            # A file that was cut, or written to a pipe, has less than it says.
            return _Wave(*form, memoryview(wav)[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    raise ArgumentError("The WAV file is broken: it has no sound in it.", "Give another one.")


def _form(said: bytes) -> tuple[int, int, int, int]:
    encoding, channels, rate, bits = (
        int.from_bytes(said[at:end], "little") for at, end in ((0, 2), (2, 4), (4, 8), (14, 16))
    )
    if encoding == _EXTENSIBLE and len(said) >= 26:
        encoding = int.from_bytes(said[24:26], "little")
    if bits not in _WIDTHS.get(encoding, ()) or rate not in _RATES or not 1 <= channels <= _MOST_CHANNELS:
        raise ArgumentError(
            f"The WAV file has an encoding that is not read here ({encoding}, {bits} bit, {rate} Hz, {channels} "
            "channels).",
            "Convert it to 16-bit PCM.",
        )
    return encoding, channels, rate, bits
