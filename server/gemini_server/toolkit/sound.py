"""How long a recording is, by its header; nothing is decoded."""

from __future__ import annotations

HEAD = 64 * 1024
"""Bytes from the start that are looked at."""


def length(head: bytes, size: int) -> float | None:
    """Seconds of a WAV or FLAC file; None for other formats and broken ones.

    Args:
        head: the first bytes.
        size: bytes of the whole file, because a WAV file may promise more than there is.
    """
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _wav(head, size)
    if head.startswith(b"fLaC") and len(head) >= 26 and head[4] & 0x7F == 0:
        packed = int.from_bytes(head[18:26], "big")
        rate, samples = packed >> 44, packed & ((1 << 36) - 1)
        return samples / rate if rate and samples else None
    return None


def _wav(head: bytes, size: int) -> float | None:
    at = 12
    rate = 0
    while at + 8 <= len(head):
        name, length_ = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt " and at + 20 <= len(head):
            rate = int.from_bytes(head[at + 16 : at + 20], "little")
        elif name == b"data":
            return min(length_, size - at - 8) / rate if rate else None
        at += 8 + length_ + length_ % 2
    return None
