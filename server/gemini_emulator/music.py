"""A song as sound: plucked melody, a pad of chords, a bass, and drums where they are asked for."""

from __future__ import annotations

import math
import random
import sys
import wave
from array import array
from functools import lru_cache
from io import BytesIO

from .song import Beat, Song, frequency, song_of

_FADE = 0.6


def play(prompt: str, seconds: float, *, rate: int, channels: int, bpm: int | None, mime_type: str) -> bytes:
    """The sound of a song about a prompt, as a file or as raw samples."""
    song = song_of(prompt, bpm)
    if mime_type == "audio/mp3":
        from .mp3 import recorded

        return recorded(song, seconds, channels)
    pcm = samples(song, seconds, rate, channels)
    return wav_of(pcm, rate, channels) if mime_type == "audio/wav" else pcm


def samples(song: Song, seconds: float, rate: int, channels: int) -> bytes:
    """16-bit little-endian samples, channels interleaved; the last moments fade out."""
    total = round(seconds * rate)
    sound = array("h")
    size = round(song.beat_seconds * rate)
    while len(sound) < total:
        sound += _beat(song.beats[len(sound) // size % len(song.beats)], song, rate)
    sound = sound[:total]
    fade = min(total, round(_FADE * rate))
    for at in range(fade):
        sound[total - 1 - at] = sound[total - 1 - at] * at // fade
    mixed = array("h", bytes(2 * channels * total))
    for channel in range(channels):
        mixed[channel::channels] = sound
    if sys.byteorder == "big":
        mixed.byteswap()
    return mixed.tobytes()


@lru_cache(128)
def _beat(beat: Beat, song: Song, rate: int) -> array[int]:
    """All voices of a beat together; beats come again, and are mixed once."""
    size = round(song.beat_seconds * rate)
    layers = [_pad(beat.chord, size, rate), _pluck(beat.bass, size, rate, 3600, 2.2)]
    if beat.melody:
        share = size // len(beat.melody)
        line: list[float] = []
        for note in beat.melody:
            line += _pluck(note, share, rate, 6200, 3.4)
        layers.append(line + [0.0] * (size - len(line)))
    if song.drums:
        layers.append(_drum(beat.strong, size, rate))
    return array("h", [max(-32000, min(32000, int(sum(values)))) for values in zip(*layers, strict=True)])


@lru_cache(256)
def _pluck(note: int, size: int, rate: int, loud: float, decay: float) -> list[float]:
    step = math.tau * frequency(note) / rate
    attack = max(1, rate // 250)
    # The end is brought to zero, or every note would end with a click.
    release = max(1, size // 12)
    fall = math.exp(-decay / rate)
    level = loud
    wave_: list[float] = []
    for at in range(size):
        level *= fall
        phase = step * at
        value = math.sin(phase) + 0.4 * math.sin(2 * phase) + 0.16 * math.sin(3 * phase)
        wave_.append(value * level * min(1.0, at / attack, (size - at) / release))
    return wave_


@lru_cache(64)
def _pad(chord: tuple[int, ...], size: int, rate: int) -> list[float]:
    sound = [0.0] * size
    for note in chord:
        # Whole periods in a beat make the pad run through from one beat to the next.
        turns = round(frequency(note) * size / rate)
        step = math.tau * turns / size
        sound = [value + 1500 * math.sin(step * at) for at, value in enumerate(sound)]
    return sound


@lru_cache(8)
def _drum(strong: bool, size: int, rate: int) -> list[float]:
    rng = random.Random(strong)
    sound = [0.0] * size
    for at in range(min(size, rate // 6)):
        time = at / rate
        thump = math.sin(math.tau * (110 * time - 260 * time * time)) * math.exp(-22 * time)
        sound[at] = thump * (9000 if strong else 6000)
    for at in range(min(size - size // 2, rate // 30)):
        sound[size // 2 + at] += rng.uniform(-2600, 2600) * math.exp(-140 * at / rate)
    return sound


def wav_of(pcm: bytes, rate: int, channels: int) -> bytes:
    """Raw 16-bit samples as a WAV file."""
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return buffer.getvalue()
