"""A song as an MP3, written where MP3 keeps its sound: as lines of a spectrum.

MPEG-1 Layer III at 48 kHz and 64 kbit/s, every frame complete in itself, long blocks only, no scale factors. Each note
is a steady tone, so that its few lines follow from a formula and no filter bank is needed; the gain of each granule
lets the notes fade. Source: ISO/IEC 11172-3, 2.4.1.7 (side information), 2.4.2.7 and annex B (Huffman table 5).
"""

from __future__ import annotations

import cmath
import math
import struct
from functools import lru_cache

from .song import Beat, Song, frequency

RATE = 48_000
ENCODER = "gemini-emulator mp3 by lines"
_SAID = "made by an emulator, not by Gemini"
_GRANULE = 576
_FRAME_BYTES = 192
_SUBBAND = RATE / 64
_LINES = 18
_BITRATE_64, _RATE_48 = 5, 1
_TABLE = 5
_PAIRS = 27
_LOUDEST = 3
_FULL_GAIN = 193
_CODES = (
    ((1, 1), (3, 2), (6, 6), (7, 5)),
    ((3, 3), (3, 1), (6, 4), (7, 4)),
    ((6, 7), (6, 5), (7, 7), (8, 1)),
    ((7, 6), (6, 1), (7, 1), (8, 0)),
)
"""Table 5: length and code of every pair of values from 0 to 3."""


def recorded(song: Song, seconds: float, channels: int) -> bytes:
    """The file, with a tag in front that says who made it."""
    count = max(1, math.ceil(seconds * RATE / (2 * _GRANULE)))
    frames = [_tags(song)]
    for number in range(count):
        granules = [_granule(song, 2 * number + half, 2 * count) for half in range(2)]
        frames.append(_frame(granules, channels))
    return b"".join(frames)


def _granule(song: Song, number: int, total: int) -> tuple[int, int, int]:
    """Gain, length in bits and bits of 576 samples."""
    time = number * _GRANULE / RATE
    index = int(time / song.beat_seconds)
    beat = song.beats[index % len(song.beats)]
    since = time - index * song.beat_seconds
    lines = [0.0] * (2 * _PAIRS)
    for note, loud in _notes(beat, since / song.beat_seconds):
        hertz = frequency(note)
        turn = math.tau * hertz / (2 * _SUBBAND) * _LINES * number
        for line, response in _response(round(hertz, 3)):
            if line < len(lines):
                lines[line] += loud * (response * cmath.exp(1j * turn)).real
    peak = max(abs(value) for value in lines)
    if not peak:
        return 0, 0, 0
    fading = 4 * math.log2(max(1e-3, min(1.0, (total - number) * _GRANULE / RATE / 0.6)))
    gain = _FULL_GAIN - round(since / song.beat_seconds * 7) + round(fading)
    return gain, *_coded(lines, peak)


def _notes(beat: Beat, share: float) -> list[tuple[int, float]]:
    """The notes that sound at a moment of a beat, and how loud."""
    notes = [(beat.bass + 12, 0.5), *((note, 0.3) for note in beat.chord)]
    if beat.melody:
        notes.append((beat.melody[int(share * len(beat.melody)) % len(beat.melody)], 1.0))
    return notes


@lru_cache(128)
def _response(hertz: float) -> list[tuple[int, complex]]:
    """What a tone leaves in each line of its subband: the sum of its windowed samples times those of the line."""
    band = int(hertz / _SUBBAND)
    step = math.tau * (hertz - band * _SUBBAND) / (2 * _SUBBAND)
    found: list[tuple[int, complex]] = []
    for line in range(_LINES):
        total = 0j
        for at in range(2 * _LINES):
            window = math.sin(math.pi / (2 * _LINES) * (at + 0.5))
            basis = math.cos(math.pi / (4 * _LINES) * (2 * at + 1 + _LINES) * (2 * line + 1))
            total += window * basis * cmath.exp(1j * step * at)
        found.append((band * _LINES + line, total / _LINES))
    return found


def _coded(lines: list[float], peak: float) -> tuple[int, int]:
    """The lines as Huffman pairs: their number of bits, and the bits."""
    # A value q stands for q^(4/3), and so is the nearest root of what is wanted.
    top = _LOUDEST ** (4 / 3)
    values = [min(_LOUDEST, round((abs(value) / peak * top) ** 0.75)) * (1 if value >= 0 else -1) for value in lines]
    bits, count = 0, 0
    for x, y in zip(values[::2], values[1::2], strict=True):
        length, code = _CODES[abs(x)][abs(y)]
        bits, count = bits << length | code, count + length
        for value in (x, y):
            if value:
                bits, count = bits << 1 | (value < 0), count + 1
    return count, bits


def _frame(granules: list[tuple[int, int, int]], channels: int) -> bytes:
    header = bytes([0xFF, 0xFB, _BITRATE_64 << 4 | _RATE_48 << 2, 0 if channels == 2 else 0xC0])
    side, side_bits = 0, 9 + (3 + 8 if channels == 2 else 5 + 4)
    main, main_bits = 0, 0
    for gain, length, bits in granules:
        for _ in range(channels):
            for value, width in (
                (length, 12), (_PAIRS if length else 0, 9), (gain if length else 0, 8), (0, 4), (0, 1),
                (_TABLE, 5), (_TABLE, 5), (_TABLE, 5), (7, 4), (7, 3), (0, 1), (0, 1), (0, 1),
            ):  # fmt: skip
                side, side_bits = side << width | value, side_bits + width
            main, main_bits = main << length | bits, main_bits + length
    room = _FRAME_BYTES - len(header) - side_bits // 8
    return header + side.to_bytes(side_bits // 8, "big") + (main << (8 * room - main_bits)).to_bytes(room, "big")


def _tags(song: Song) -> bytes:
    """An ID3v2.3 tag: the encoder, the tempo and a remark."""
    frames = b""
    for name, text in (("TSSE", ENCODER), ("TBPM", str(song.bpm)), ("COMM", f"eng\0{_SAID}")):
        content = b"\0" + text.encode("latin-1")
        frames += name.encode() + struct.pack(">IH", len(content), 0) + content
    size = len(frames)
    return b"ID3\3\0\0" + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + frames
