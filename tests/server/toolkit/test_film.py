"""Boxes of MP4 files: what they say is read, and what they lie about is not believed."""

from __future__ import annotations

import random
import struct

import pytest

from gemini_server.toolkit.film import MOST_BOXES, Film, measure

IDENTITY = (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
QUARTER = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)


def box(kind: bytes, *contents: bytes, large: bool = False) -> bytes:
    content = b"".join(contents)
    if large:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def clock(kind: bytes, timescale: int, duration: int, *, long: bool = False) -> bytes:
    if long:
        return box(kind, struct.pack(">IQQIQ", 1 << 24, 0, 0, timescale, duration), bytes(80))
    return box(kind, struct.pack(">IIIII", 0, 0, 0, timescale, duration), bytes(80))


def tkhd(width: float, height: float, matrix: tuple[int, ...] = IDENTITY, *, long: bool = False) -> bytes:
    times = bytes(32 if long else 20)
    size = struct.pack(">II", int(width * 65536), int(height * 65536))
    return box(b"tkhd", bytes([long, 0, 0, 3]), times, bytes(16), struct.pack(">9i", *matrix), size)


def trak(handler: bytes, head: bytes = b"", timescale: int = 1000, duration: int = 8000) -> bytes:
    hdlr = box(b"hdlr", bytes(8), handler, bytes(13))
    return box(b"trak", head, box(b"mdia", clock(b"mdhd", timescale, duration), hdlr, box(b"minf")))


def moov(*, long: bool = False, duration: int = 8000, matrix: tuple[int, ...] = IDENTITY, more: bytes = b"") -> bytes:
    picture = trak(b"vide", tkhd(1280, 720, matrix, long=long))
    return box(b"moov", clock(b"mvhd", 1000, duration, long=long), trak(b"soun", tkhd(0, 0)), picture, more)


FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
MDAT = box(b"mdat", bytes(10_000))


def measured(data: bytes) -> Film | None:
    asked: list[int] = []

    def read(offset: int, size: int) -> bytes:
        asked.append(size)
        assert size <= 4096
        assert len(asked) <= 3 * MOST_BOXES
        return data[offset : offset + size]

    return measure(read, len(data))


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_length_and_size_are_read_wherever_the_index_is(first: bool, long: bool) -> None:
    index = moov(long=long)
    data = FTYP + (index + MDAT if first else box(b"free") + MDAT + index)
    assert measured(data) == Film(8.0, 1280, 720, sound_only=False)


def test_an_index_after_gigabytes_is_reached_by_their_length_alone() -> None:
    index = moov()
    head = FTYP + struct.pack(">I4sQ", 1, b"mdat", 16 + 5 * 2**30)
    gap = len(head) + 5 * 2**30

    def read(offset: int, size: int) -> bytes:
        assert offset < len(head) or offset >= gap
        return (head[offset:] if offset < gap else index[offset - gap :])[:size]

    assert measure(read, gap + len(index)) == Film(8.0, 1280, 720, sound_only=False)


def test_a_film_taken_upright_has_its_sides_the_other_way_round() -> None:
    film = measured(FTYP + moov(matrix=QUARTER))
    assert film is not None
    assert (film.width, film.height) == (720, 1280)


def test_sound_alone_has_a_length_and_no_picture() -> None:
    index = box(b"moov", clock(b"mvhd", 44_100, 441_000), trak(b"soun", tkhd(0, 0)))
    assert measured(FTYP + index) == Film(10.0, None, None, sound_only=True)


@pytest.mark.parametrize("version", [0, 1])
def test_a_film_in_pieces_says_its_length_elsewhere(version: int) -> None:
    mehd = box(b"mehd", bytes([version, 0, 0, 0]), struct.pack(">Q" if version else ">I", 5000))
    film = measured(FTYP + moov(duration=0, more=box(b"mvex", box(b"trex"), mehd)) + MDAT)
    assert film is not None
    assert film.duration == 5.0


@pytest.mark.parametrize("duration", [0, 0xFFFF_FFFF])
def test_where_the_film_does_not_say_its_tracks_do(duration: int) -> None:
    film = measured(FTYP + moov(duration=duration))
    assert film is not None
    assert film.duration == 8.0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        FTYP,
        FTYP + MDAT,
        FTYP + MDAT[:100],
        b"\0\0\0\0mdat" + moov(),
        b"\0\0\0\7moov" + moov(),
        b"\0\0\0\1mdat\0\0\0\0\0\0\0\7" + moov(),
        b"\0\0\0\1mdat\xff\xff\xff\xff\xff\xff\xff\xff" + moov(),
        b"\xff\xff\xff\xffmdat" + moov(),
        b"plain words, and more of them than a box has",
        box(b"free") * (MOST_BOXES + 5) + moov(),
    ],
)
def test_lengths_that_lie_end_the_walk(data: bytes) -> None:
    assert measured(data) is None


def test_boxes_without_end_inside_the_index_end_too() -> None:
    nested = box(b"trak", *[box(b"mdia", *[box(b"free")] * 50)] * 50)
    assert measured(FTYP + box(b"moov", *[nested] * 50)) is not None
    deep = b""
    for _ in range(3000):
        deep = box(b"moov", deep)
    assert measured(deep) == Film(None, None, None, sound_only=False)


@pytest.mark.parametrize(("timescale", "duration"), [(0, 8000), (1, 0xFFFF_FFFE), (1000, 0), (0xFFFF_FFFF, 1)])
def test_a_length_that_cannot_be_is_none(timescale: int, duration: int) -> None:
    index = box(b"moov", clock(b"mvhd", timescale, duration), trak(b"vide", tkhd(1, 1), timescale, duration))
    film = measured(FTYP + index)
    assert film is not None
    assert film.duration in (None, 0.0)


@pytest.mark.parametrize("size", [(0, 720), (1280, 0), (65_535, 720), (0.2, 0.2)])
def test_a_size_that_cannot_be_is_none(size: tuple[float, float]) -> None:
    film = measured(FTYP + box(b"moov", clock(b"mvhd", 1000, 8000), trak(b"vide", tkhd(*size))))
    assert film == Film(8.0, None, None, sound_only=False)


def test_whatever_is_cut_or_garbled_is_never_an_exception() -> None:
    whole = FTYP + moov(more=box(b"mvex", box(b"mehd", bytes(8)))) + box(b"mdat", bytes(50))
    for end in range(len(whole)):
        measured(whole[:end])
    dice = random.Random(5)
    for _ in range(2000):
        garbled = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            garbled[dice.randrange(len(garbled))] = dice.choice((0, 1, 8, 255, dice.randrange(256)))
        film = measured(bytes(garbled))
        if film is not None and film.duration is not None:
            assert 0 <= film.duration <= 10 * 24 * 3600
