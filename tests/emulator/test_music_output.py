"""Music: a song of its own for every prompt, in PCM, WAV and MP3, each heard by a real decoder."""

from __future__ import annotations

import math
import wave
from array import array
from io import BytesIO

import av
import pytest

from gemini_emulator import media_output
from gemini_emulator.song import frequency, song_of

PROMPT = "A calm piano piece"


def heard(data: bytes) -> tuple[list[float], int, int]:
    """The first channel as the decoder hears it, the rate, and the number of channels."""
    sound = array("f")
    with av.open(BytesIO(data), "r") as file:
        stream = file.streams.audio[0]
        for frame in file.decode(stream):
            sound.frombytes(bytes(frame.planes[0])[: 4 * frame.samples])
        return sound.tolist(), stream.rate, stream.channels


def loudness(sound: list[float], hertz: float, rate: int) -> float:
    step = math.tau * hertz / rate
    real = sum(value * math.cos(step * at) for at, value in enumerate(sound))
    return math.hypot(real, sum(value * math.sin(step * at) for at, value in enumerate(sound)))


def test_pcm_is_as_long_as_was_asked_for() -> None:
    assert len(media_output.compose(PROMPT, 2.5)) == 2.5 * 48_000 * 4
    assert len(media_output.compose(PROMPT, 1, rate=24_000, channels=1)) == 24_000 * 2


def test_a_prompt_always_makes_the_same_song_and_another_prompt_another() -> None:
    assert media_output.compose(PROMPT, 1, rate=8000) == media_output.compose(PROMPT, 1, rate=8000)
    assert media_output.compose(PROMPT, 1, rate=8000) != media_output.compose("A march", 1, rate=8000)


def test_both_channels_sound_and_the_end_fades() -> None:
    sound = array("h", media_output.compose(PROMPT, 2, rate=8000))
    assert sound[0::2] == sound[1::2]
    assert max(map(abs, sound[:8000])) > 3000
    assert max(map(abs, sound[-40:])) < 300


def test_tempo_mood_and_drums_follow_the_prompt() -> None:
    assert song_of("techno, fast").bpm > song_of("a slow lullaby").bpm
    assert song_of("something at 133 bpm").bpm == 133
    assert song_of("something", bpm=90).bpm == 90
    assert song_of("a rock song with drums").drums
    assert not song_of("a sad song").drums


def test_a_wav_is_the_same_sound_in_a_file() -> None:
    data = media_output.compose(PROMPT, 1.5, rate=22_050, channels=1, mime_type="audio/wav")
    with wave.open(BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22_050, 1, 2)
        assert file.readframes(file.getnframes()) == media_output.compose(PROMPT, 1.5, rate=22_050, channels=1)


@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_is_decoded_without_complaint(channels: int) -> None:
    data = media_output.compose(PROMPT, 3, channels=channels, mime_type="audio/mp3")
    sound, rate, found = heard(data)
    assert (rate, found) == (48_000, channels)
    assert len(sound) / rate == pytest.approx(3, abs=0.06)
    assert 0.3 < max(map(abs, sound)) <= 1
    assert b"gemini-emulator" in data[:200]


def test_the_notes_of_the_song_are_heard_in_the_mp3() -> None:
    song = song_of(PROMPT)
    sound, rate, _ = heard(media_output.compose(PROMPT, 4, mime_type="audio/mp3"))
    for number in range(4):
        beat = song.beats[number]
        begin = int((number + 0.15) * song.beat_seconds * rate)
        piece = sound[begin : begin + 9600]
        wanted = frequency(beat.melody[0]) if beat.melody else frequency(beat.chord[0])
        # A quarter tone beside the note there is next to nothing.
        beside = max(loudness(piece, wanted * 2 ** (cents / 1200), rate) for cents in (-250, 250))
        assert loudness(piece, wanted, rate) > 2 * beside
