"""Sound without a header, as Gemini gives speech, made a WAV file that every player opens.

`audio/L16;codec=pcm;rate=24000` is 16-bit PCM, mono unless it says otherwise, and little-endian as in a WAV file,
although RFC 3551 has `L16` the other way round.
"""

from __future__ import annotations

import re

WAV = "audio/wav"
RATE = 24_000
"""Samples a second where nothing is said: what Gemini's voices have."""

_PCM = ("audio/l16", "audio/pcm", "audio/raw")
_PARAMETER = re.compile(r";\s*(rate|channels)\s*=\s*\"?(\d{1,7})", re.IGNORECASE)
_BYTES = 2
_LONGEST = 0xFFFF_FFFF - 36
_SANE_RATE = range(1000, 768_001)


def is_pcm(mime_type: str) -> bool:
    """Whether a type is that of sound without a header."""
    return mime_type.partition(";")[0].strip().lower() in _PCM


def wrapped(data: bytes, mime_type: str, *, rate: int | None = None, channels: int | None = None) -> tuple[bytes, str]:
    """Sound and its type, with a header where it had none; copies all bytes, so run it in a thread.

    Args:
        data: the sound.
        mime_type: as announced; its `rate` and `channels` count where nothing else is said.
        rate: samples a second, said beside the type.
        channels: how many are interleaved, likewise.
    """
    if not is_pcm(mime_type) or data[:4] == b"RIFF":
        return data, WAV if is_pcm(mime_type) else mime_type
    said = {name.lower(): int(value) for name, value in _PARAMETER.findall(mime_type)}
    rate = rate or said.get("rate") or RATE
    channels = channels or said.get("channels") or 1
    if rate not in _SANE_RATE or not 1 <= channels <= 8:
        rate, channels = RATE, 1
    frame = channels * _BYTES
    data = data[: min(len(data), _LONGEST) // frame * frame]
    return header(len(data), rate, channels) + data, WAV


def header(size: int, rate: int, channels: int) -> bytes:
    """The 44 bytes before so many bytes of 16-bit PCM."""
    frame = channels * _BYTES
    numbers = (
        (16, 4), (1, 2), (channels, 2), (rate, 4), (rate * frame, 4), (frame, 2), (8 * _BYTES, 2),
    )  # fmt: skip
    described = b"".join(number.to_bytes(width, "little") for number, width in numbers)
    total = (size + 36).to_bytes(4, "little")
    return b"RIFF" + total + b"WAVEfmt " + described + b"data" + size.to_bytes(4, "little")
