"""A short piece of music as notes: key, tempo and chords by the words of a prompt, the melody by its digest."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from .wire import digest

BEATS_PER_BAR = 4
_SAD = re.compile(r"(?i)\b(sad|dark|melanchol\w*|minor|night|gloomy|lonely|mourn\w*|rain\w*|mysterious|tense|epic)\b")
_SLOW = re.compile(
    r"(?i)\b(slow|calm|ambient|lullaby|peaceful|meditat\w*|relax\w*|ballad|sleep\w*|lo-?fi|gentle|soft)\b"
)
_FAST = re.compile(r"(?i)\b(fast|upbeat|dance|techno|house|punk|energetic|rock|party|drum|edm|funk|happy|march)\b")
_BEAT = re.compile(r"(?i)\b(dance|techno|house|rock|drums?|beats?|edm|funk|pop|hip.?hop|punk|disco|lo-?fi)\b")
_BPM = re.compile(r"(?i)\b(\d{2,3})\s*bpm\b")
_PROGRESSIONS = {
    False: ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4)),
    True: ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 4), (0, 5, 3, 4)),
}
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_SLOWEST, _FASTEST = 40, 220
_MIDDLE_C = 60


@dataclass(frozen=True)
class Beat:
    """What sounds in one beat, as MIDI note numbers.

    Args:
        melody: one or two notes that share the beat; none is a rest.
        chord: the triad that lies under it.
        bass: its root, deep.
        strong: whether the bar begins here.
    """

    melody: tuple[int, ...]
    chord: tuple[int, ...]
    bass: int
    strong: bool


@dataclass(frozen=True)
class Song:
    """Beats that are repeated for as long as there is time.

    Args:
        beats: eight bars.
        bpm: beats a minute.
        drums: whether there are any.
    """

    beats: tuple[Beat, ...]
    bpm: int
    drums: bool

    @property
    def beat_seconds(self) -> float:
        """The length of a beat."""
        return 60 / self.bpm


def song_of(prompt: str, bpm: int | None = None) -> Song:
    """Write a song about a prompt."""
    rng = random.Random(digest("song", prompt))
    minor = bool(_SAD.search(prompt))
    scale = _MINOR if minor else _MAJOR
    tonic = _MIDDLE_C + rng.randrange(-4, 4)
    chords = rng.choice(_PROGRESSIONS[minor])
    beats: list[Beat] = []
    step = rng.choice((0, 2, 4))
    for bar in range(8):
        root = chords[bar % 4]
        triad = tuple(_note(scale, tonic - 12, root + third) for third in (0, 2, 4))
        for position in range(BEATS_PER_BAR):
            if bar in (4, 5):
                # What begins again is recognised as a song.
                beats.append(beats[len(beats) - 4 * BEATS_PER_BAR])
                continue
            # On the strong beats the melody meets its chord, between them it walks.
            step = _nearest(step, root) if position % 2 == 0 else step + rng.choice((-2, -1, 1, 1, 2))
            step = max(-2, min(9, step))
            notes = (_note(scale, tonic, step), _note(scale, tonic, step + 1)) if rng.random() < 0.25 else ()
            rest = position == 3 and rng.random() < 0.4
            melody = () if rest else notes or (_note(scale, tonic, step),)
            beats.append(Beat(melody, triad, _note(scale, tonic - 24, root), position == 0))
    return Song(tuple(beats), _tempo(prompt, bpm), bool(_BEAT.search(prompt)))


def frequency(note: int) -> float:
    """Hertz of a MIDI note number."""
    return float(440 * 2 ** ((note - 69) / 12))


def _tempo(prompt: str, bpm: int | None) -> int:
    named = _BPM.search(prompt)
    if bpm is None and named:
        bpm = int(named[1])
    if bpm is None:
        bpm = 72 if _SLOW.search(prompt) else 126 if _FAST.search(prompt) else 100
    return max(_SLOWEST, min(_FASTEST, bpm))


def _note(scale: tuple[int, ...], tonic: int, step: int) -> int:
    octave, degree = divmod(step, len(scale))
    return tonic + 12 * octave + scale[degree]


def _nearest(step: int, root: int) -> int:
    return min(
        (root + third + 7 * octave for third in (0, 2, 4) for octave in (-1, 0, 1)), key=lambda one: abs(one - step)
    )
