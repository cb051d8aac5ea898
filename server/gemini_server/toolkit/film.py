"""How long a film is and how large its picture: the boxes of an MP4 or QuickTime file, read without decoding anything.

A file is a row of boxes, each with its length and a name of four letters; what is wanted lies in `moov`, which may come
first or, after gigabytes of `mdat`, last. What is read came from elsewhere: a length that does not fit ends the walk,
the number of boxes is bounded, and of each box only a few bytes are read.

Source: ISO/IEC 14496-12 (mvhd, tkhd, mdhd, hdlr, mehd).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Read = Callable[[int, int], bytes]
"""Reads from an offset so many bytes; fewer only at the end."""

MOST_BOXES = 1000
"""Boxes that are looked at; a film has some dozens, one in pieces some for each piece."""

_LONGEST = 10 * 24 * 3600.0  # seconds
_LARGEST = 1 << 15  # pixels


@dataclass(frozen=True, slots=True)
class Film:
    """What a file says of itself.

    Attributes:
        duration: seconds; None where it does not say.
        width: pixels of the picture as it is shown; None without one.
        height: likewise.
        sound_only: whether there is sound and no picture.
    """

    duration: float | None
    width: int | None
    height: int | None
    sound_only: bool


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int  # of what is inside
    end: int


@dataclass(slots=True)
class _Track:
    handler: bytes = b""
    size: tuple[int, int] | None = None
    seconds: float | None = None


def measure(read: Read, size: int) -> Film | None:
    """What the boxes say; None when there is no `moov`.

    Args:
        read: reads the file.
        size: bytes of the file.
    """
    walk = _Walk(read)
    moov = next((box for box in walk.boxes(0, size) if box.kind == b"moov"), None)
    if moov is None:
        return None
    clock, seconds, fragments = 0, None, None
    tracks: list[_Track] = []
    for box in walk.boxes(moov.start, moov.end):
        if box.kind == b"mvhd":
            clock, seconds = walk.time(box)
        elif box.kind == b"trak":
            tracks.append(walk.track(box))
        elif box.kind == b"mvex":
            fragments = walk.fragments(box)
    pictures = [track for track in tracks if track.handler == b"vide"]
    width, height = next((track.size for track in pictures if track.size), (None, None))
    if seconds is None and fragments and clock:
        seconds = _sane(fragments / clock)
    if seconds is None:
        seconds = max((track.seconds for track in tracks if track.seconds is not None), default=None)
    return Film(seconds, width, height, not pictures and any(track.handler == b"soun" for track in tracks))


class _Walk:
    """Reads boxes, and no more of them than it may."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._left = MOST_BOXES

    def boxes(self, start: int, end: int) -> Iterator[_Box]:
        at = start
        while at + 8 <= end and self._left:
            self._left -= 1
            head = self._read(at, 16)
            length, inside = _number(head, 0, 4), 8
            if length == 1:
                length, inside = _number(head, 8, 8), 16
            elif length == 0:
                length = end - at
            if len(head) < inside or length < inside or at + length > end:
                return
            yield _Box(head[4:8], at + inside, at + length)
            at += length

    def time(self, box: _Box) -> tuple[int, float | None]:
        """Units in a second, and the seconds, of `mvhd` or `mdhd`."""
        data = self._content(box, 32)
        long = data[:1] == b"\x01"
        clock = _number(data, 20 if long else 12, 4)
        units = _number(data, 24, 8) if long else _number(data, 16, 4)
        unknown = units in (0, (1 << 64) - 1 if long else (1 << 32) - 1)
        return clock, None if unknown or not clock else _sane(units / clock)

    def track(self, trak: _Box) -> _Track:
        found = _Track()
        for box in self.boxes(trak.start, trak.end):
            if box.kind == b"tkhd":
                found.size = self._size(box)
            elif box.kind == b"mdia":
                for inner in self.boxes(box.start, box.end):
                    if inner.kind == b"hdlr":
                        found.handler = self._content(inner, 12)[8:12]
                    elif inner.kind == b"mdhd":
                        found.seconds = self.time(inner)[1]
        return found

    def fragments(self, mvex: _Box) -> int | None:
        """How long a film in pieces is, in units of its clock."""
        for box in self.boxes(mvex.start, mvex.end):
            if box.kind == b"mehd":
                data = self._content(box, 12)
                return _number(data, 4, 8 if data[:1] == b"\x01" else 4)
        return None

    def _size(self, tkhd: _Box) -> tuple[int, int] | None:
        data = self._content(tkhd, 96)
        at = 52 if data[:1] == b"\x01" else 40
        if len(data) < at + 44:
            return None
        # Fixed-point numbers: 16 bits before the point, 16 after.
        width, height = (round(_number(data, at + there, 4) / 65536) for there in (36, 40))
        turned = not _number(data, at, 4) and not _number(data, at + 16, 4)  # by a quarter: the diagonal is zero
        if not 0 < width <= _LARGEST or not 0 < height <= _LARGEST:
            return None
        return (height, width) if turned and _number(data, at + 4, 4) else (width, height)

    def _content(self, box: _Box, size: int) -> bytes:
        return self._read(box.start, min(size, box.end - box.start))


def _number(data: bytes, start: int, size: int) -> int:
    """An unsigned number; 0 when the bytes are not there."""
    found = data[start : start + size]
    return int.from_bytes(found, "big") if len(found) == size else 0


def _sane(seconds: float) -> float | None:
    return round(seconds, 3) if 0 < seconds <= _LONGEST else None
