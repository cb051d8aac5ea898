"""MP4 files of one video track: the boxes of ISO/IEC 14496-12 and, for H.264, 14496-15."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_IDENTITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4
_TEXT = 1
_SCALE = 1000


def movie(
    frames: Sequence[bytes],
    *,
    width: int,
    height: int,
    fps: int,
    parameters: tuple[bytes, bytes],
    encoder: str,
    comment: str,
) -> bytes:
    """The file.

    Args:
        frames: one NAL unit each; the first is the only key frame.
        width: in pixels.
        height: in pixels.
        fps: frames a second.
        parameters: the sequence and picture parameter sets.
        encoder: the tag that says what made the film.
        comment: the tag for a remark.
    """
    samples = [struct.pack(">I", len(frame)) + frame for frame in frames]
    head = _box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2avc1mp41")
    track = _Track(samples, width, height, fps, parameters)
    tags = _tags(encoder, comment)
    # The table of offsets has its final length from the start, so that the index can be made twice.
    length = len(track.index(0, tags))
    return b"".join((head, track.index(len(head) + length + 8, tags), _box(b"mdat", *samples)))


class _Track:
    def __init__(
        self, samples: Sequence[bytes], width: int, height: int, fps: int, parameters: tuple[bytes, bytes]
    ) -> None:
        self._sizes = [len(sample) for sample in samples]
        self._width, self._height, self._fps = width, height, fps
        self._parameters = parameters

    def index(self, offset: int, tags: bytes) -> bytes:
        """The `moov` box; the frames begin at `offset`."""
        length = round(_SCALE * len(self._sizes) / self._fps)
        header = struct.pack(">IIIIIH10x", 0, 0, _SCALE, length, 0x10000, 0x100) + _IDENTITY + bytes(24)
        track = struct.pack(">IIIII8xHHHH", 0, 0, 1, 0, length, 0, 0, 0, 0) + _IDENTITY
        track += struct.pack(">II", self._width << 16, self._height << 16)
        media = struct.pack(">IIIIHH", 0, 0, self._fps, len(self._sizes), _UNDETERMINED, 0)
        return _box(
            b"moov",
            _full(b"mvhd", header + struct.pack(">I", 2)),
            _box(
                b"trak",
                _full(b"tkhd", track, flags=3),
                _box(
                    b"mdia",
                    _full(b"mdhd", media),
                    _full(b"hdlr", b"\0\0\0\0vide" + bytes(12) + b"VideoHandler\0"),
                    _box(b"minf", _full(b"vmhd", bytes(8), flags=1), _here(), self._samples(offset)),
                ),
            ),
            tags,
        )

    def _samples(self, offset: int) -> bytes:
        count = len(self._sizes)
        return _box(
            b"stbl",
            _full(b"stsd", struct.pack(">I", 1), self._entry()),
            _full(b"stts", struct.pack(">III", 1, count, 1)),
            _full(b"stss", struct.pack(">II", 1, 1)),
            _full(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
            _full(b"stsz", struct.pack(f">II{count}I", 0, count, *self._sizes)),
            _full(b"stco", struct.pack(">II", 1, offset)),
        )

    def _entry(self) -> bytes:
        sequence, picture = self._parameters
        profile = sequence[1:4]
        configuration = b"\x01" + profile + b"\xff\xe1" + struct.pack(">H", len(sequence)) + sequence
        configuration += b"\x01" + struct.pack(">H", len(picture)) + picture
        return _box(
            b"avc1",
            struct.pack(">6xH16xHHIIIH32xHh", 1, self._width, self._height, 0x480000, 0x480000, 0, 1, 24, -1),
            _box(b"avcC", configuration),
        )


def _here() -> bytes:
    """The data are in this same file."""
    return _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1)))


def _tags(encoder: str, comment: str) -> bytes:
    items = [
        _box(name, _box(b"data", struct.pack(">II", _TEXT, 0), text.encode()))
        for name, text in ((b"\xa9too", encoder), (b"\xa9cmt", comment))
    ]
    handler = _full(b"hdlr", b"\0\0\0\0mdirappl" + bytes(9))
    return _box(b"udta", _full(b"meta", handler, _box(b"ilst", *items)))


def _box(name: bytes, *contents: bytes) -> bytes:
    return struct.pack(">I", 8 + sum(map(len, contents))) + name + b"".join(contents)


def _full(name: bytes, *contents: bytes, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", flags), *contents)
