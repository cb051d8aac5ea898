"""How long a recording or a film is, read from a few places of it: the rest may be gigabytes.

Source: the boxes of ISO/IEC 14496-12 (MP4 and its relatives), and the header of WAV files.
"""

from __future__ import annotations

import struct

from .blob import Blob

_LARGEST_INDEX = 64 * 1024 * 1024
_AUDIO_BYTES_PER_SECOND = 16_000
_VIDEO_BYTES_PER_SECOND = 250_000


def sound_length(blob: Blob, mime_type: str) -> float:
    """The duration of a recording in seconds; estimated from the size where no header gives it, as for films."""
    head = blob.read(0, 36)
    if head.startswith(b"RIFF") and head[8:16] == b"WAVEfmt ":
        rate = int.from_bytes(head[28:32], "little")
        return blob.size / rate if rate else 0
    usual = _VIDEO_BYTES_PER_SECOND if mime_type.startswith("video/") else _AUDIO_BYTES_PER_SECOND
    return max(1.0, blob.size / usual)


def film_length(blob: Blob) -> float:
    """The duration that the header of an MP4 gives, in seconds; 0 where there is none."""
    at = 0
    while at + 8 <= blob.size:
        head = blob.read(at, at + 16)
        size, name = struct.unpack(">I4s", head[:8])
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:], "big")
        if name == b"moov":
            return _movie_length(blob.read(at, at + min(size or _LARGEST_INDEX, _LARGEST_INDEX)))
        if size < 8:
            return 0
        at += size
    return 0


def _movie_length(index: bytes) -> float:
    at = index.find(b"mvhd") + 4
    wide = index[at : at + 1] == b"\1"
    start, form = (at + 20, ">IQ") if wide else (at + 12, ">II")
    fields = index[start : start + struct.calcsize(form)]
    if at < 4 or len(fields) < struct.calcsize(form):
        return 0
    scale, length = struct.unpack(form, fields)
    return length / scale if scale else 0


def duration(seconds: float) -> str:
    """A protobuf Duration, to the millisecond, as Google writes it: `7s`, `1.500s`."""
    milliseconds = round(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03d}s" if rest else f"{whole}s"
