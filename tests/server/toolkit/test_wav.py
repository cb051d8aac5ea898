"""Headers for sound that comes without one."""

from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.toolkit.wav import wrapped


@pytest.mark.parametrize(
    ("mime_type", "rate", "channels"),
    [
        ("audio/L16;codec=pcm;rate=24000", 24_000, 1),
        ("audio/l16; rate=48000; channels=2", 48_000, 2),
        ("audio/pcm", 24_000, 1),
        ('audio/L16;rate="16000"', 16_000, 1),
        ("audio/L16;rate=0;channels=0", 24_000, 1),
        ("audio/L16;rate=99;channels=64", 24_000, 1),
    ],
)
def test_the_header_says_what_the_type_says(mime_type: str, rate: int, channels: int) -> None:
    sound, now = wrapped(bytes(9600), mime_type)
    assert now == "audio/wav"
    with wave.open(io.BytesIO(sound)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getsampwidth()) == (rate, channels, 2)
        assert read.readframes(10**6) == bytes(9600)


def test_what_is_said_beside_the_type_wins() -> None:
    sound, _ = wrapped(bytes(8), "audio/l16;rate=24000", rate=48_000, channels=2)
    with wave.open(io.BytesIO(sound)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getnframes()) == (48_000, 2, 2)


@pytest.mark.parametrize("mime_type", ["audio/mp3", "audio/wav", "video/mp4", ""])
def test_other_sound_stays_as_it_is(mime_type: str) -> None:
    assert wrapped(b"ID3 whatever", mime_type) == (b"ID3 whatever", mime_type)


def test_a_header_is_not_put_before_a_header() -> None:
    sound, _ = wrapped(bytes(4), "audio/l16")
    assert wrapped(sound, "audio/l16") == (sound, "audio/wav")


@given(st.binary(max_size=33), st.integers(-5, 10**7), st.integers(-5, 99))
def test_whatever_comes_is_a_sound_file(data: bytes, rate: int, channels: int) -> None:
    sound, _ = wrapped(data, "audio/l16", rate=rate, channels=channels)
    with wave.open(io.BytesIO(sound)) as read:
        assert read.readframes(100) == sound[44:]
