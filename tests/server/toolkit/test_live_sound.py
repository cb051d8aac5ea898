"""Recordings of every form become what the Live API hears."""

from __future__ import annotations

import math
import struct
from array import array

import pytest

from gemini_server.errors import ArgumentError
from gemini_server.toolkit import live_sound

TONE = 440.0


def wav(data: bytes, *, rate: int, channels: int, bits: int, encoding: int = 1, extensible: bool = False) -> bytes:
    """A WAV file, with a chunk that nobody knows before its sound."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else encoding, channels, rate, rate * frame, frame, bits)
    if extensible:
        form += struct.pack("<HHIH14x", 22, bits, 0, encoding)
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in ((b"LIST", b"odd"), (b"fmt ", form), (b"data", data))
    )
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def samples(rate: int, seconds: float) -> list[float]:
    """A tone, from -1 to 1."""
    return [0.5 * math.sin(2 * math.pi * TONE * at / rate) for at in range(round(rate * seconds))]


def packed(tone: list[float], channels: int, bits: int, encoding: int) -> bytes:
    """The tone on every channel."""
    frames: list[bytes] = []
    for value in tone:
        if encoding == 3:
            one = struct.pack("<f" if bits == 32 else "<d", value)
        elif bits == 8:
            one = bytes([128 + round(127 * value)])
        else:
            one = round(value * (2 ** (bits - 1) - 1)).to_bytes(bits // 8, "little", signed=True)
        frames.append(one * channels)
    return b"".join(frames)


def heard(data: bytes) -> array[int]:
    """What the Live API gets, as numbers."""
    return array("h", live_sound.heard(data))


@pytest.mark.parametrize(
    ("rate", "channels", "bits", "encoding"),
    [
        (16_000, 1, 16, 1),
        (8_000, 1, 8, 1),
        (11_025, 1, 16, 1),
        (22_050, 2, 16, 1),
        (44_100, 2, 24, 1),
        (48_000, 1, 32, 1),
        (48_000, 6, 16, 1),
        (96_000, 2, 32, 3),
        (44_100, 1, 64, 3),
    ],
)
def test_a_tone_stays_the_same_tone(rate: int, channels: int, bits: int, encoding: int) -> None:
    seconds = 1.5
    data = packed(samples(rate, seconds), channels, bits, encoding)
    made = heard(wav(data, rate=rate, channels=channels, bits=bits, encoding=encoding, extensible=bits > 16))
    wanted = [32_767 * value for value in samples(16_000, seconds)]
    assert abs(len(made) - len(wanted)) <= 1
    # Averages lie half a sample later, and after the last sample nothing is known; that is no fault of the tone.
    worst = max(abs(one - other) for one, other in zip(made[:-2], wanted, strict=False))
    assert worst < 16_384 * 0.15


def test_noise_above_what_is_heard_does_not_become_a_tone() -> None:
    shrill = [0.5 * math.sin(2 * math.pi * 15_000 * at / 48_000) for at in range(48_000)]
    made = heard(wav(packed(shrill, 1, 16, 1), rate=48_000, channels=1, bits=16))
    assert max(map(abs, made)) < 16_384 * 0.5


def test_what_is_no_number_is_silence_and_what_is_too_loud_is_as_loud_as_can_be() -> None:
    data = struct.pack("<3f", float("nan"), 7.0, -7.0)
    assert list(heard(wav(data, rate=16_000, channels=1, bits=32, encoding=3))) == [0, 32_767, -32_767]


def test_a_file_that_was_cut_is_heard_as_far_as_it_goes() -> None:
    whole = wav(packed(samples(16_000, 1), 1, 16, 1), rate=16_000, channels=1, bits=16)
    assert len(heard(whole[:-8_001])) == 12_000 - 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"ID3\x04 an MP3", "WAV files alone"),
        (b"RIFF\x04\0\0\0WAVE", "is broken"),
        (wav(b"", rate=16_000, channels=1, bits=16), "is empty"),
        (wav(b"\0" * 4, rate=16_000, channels=1, bits=4, encoding=2), "encoding that is not read here"),
        (wav(b"\0" * 4, rate=0, channels=1, bits=16), "encoding that is not read here"),
        (wav(b"\0" * 4, rate=16_000, channels=0, bits=16), "encoding that is not read here"),
        (wav(b"\0" * 700_000, rate=1_000, channels=1, bits=8), "at most 10"),
    ],
)
def test_what_cannot_be_heard_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        live_sound.heard(data)
