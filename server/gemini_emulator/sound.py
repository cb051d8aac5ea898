"""When somebody speaks in a recording: the duration of a WAV file and its pauses."""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass

_WINDOW = 0.05
_SHORTEST_PAUSE = 0.25
_SHORTEST_SPEECH = 0.1
_QUIET = 0.1
_SAMPLED = 200


@dataclass(frozen=True)
class Wave:
    """The samples of a WAV file with PCM data.

    Args:
        seconds: the duration.
        rate: bytes a second.
        frame: bytes for one moment, all channels.
        width: bytes a sample.
        data: the samples.
    """

    seconds: float
    rate: int
    frame: int
    width: int
    data: bytes


def wave_of(raw: bytes) -> Wave | None:
    """A WAV file; None for another format, or a broken one."""
    if not raw.startswith(b"RIFF") or raw[8:12] != b"WAVE":
        return None
    at, rate, frame, width = 12, 0, 0, 0
    while at + 8 <= len(raw):
        name, length = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
        if name == b"fmt " and len(raw) >= at + 24:
            kind, channels, _, rate, frame, bits = struct.unpack("<HHIIHH", raw[at + 8 : at + 24])
            width = bits // 8 if kind in (1, 0xFFFE) and channels else 0
        elif name == b"data" and rate:
            data = raw[at + 8 : at + 8 + min(length, len(raw) - at - 8)]
            return Wave(len(data) / rate, rate, frame, width, data)
        at += 8 + length + length % 2
    return None


def speech(wave: Wave) -> list[tuple[float, float]]:
    """The stretches between pauses, in seconds; none when all of it is silent or cannot be read."""
    if not wave.width or not wave.frame:
        return []
    size = max(1, round(wave.rate * _WINDOW) // wave.frame) * wave.frame
    levels = [_level(wave.data[at : at + size], wave.width) for at in range(0, len(wave.data), size)]
    loudest = max(levels, default=0)
    if loudest < 0.01:
        return []
    step = size / wave.rate
    loud = [index for index, level in enumerate(levels) if level >= max(0.005, loudest * _QUIET)]
    stretches: list[list[float]] = []
    for index in loud:
        start, end = index * step, min(wave.seconds, (index + 1) * step)
        if stretches and start - stretches[-1][1] < _SHORTEST_PAUSE:
            stretches[-1][1] = end
        else:
            stretches.append([start, end])
    return [(start, end) for start, end in stretches if end - start >= _SHORTEST_SPEECH]


def _level(window: bytes, width: int) -> float:
    if width == 1:
        return max((abs(value - 128) for value in window[:: max(1, len(window) // _SAMPLED)]), default=0) / 128
    if width > 2:
        # The two highest bytes of each sample say enough.
        window = bytes(byte for at in range(width - 2, len(window) - 1, width) for byte in window[at : at + 2])
    samples = array("h", window[: len(window) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    some = samples[:: max(1, len(samples) // _SAMPLED)]
    return max(max(some), -min(some)) / 32768 if some else 0
