"""Films: real MP4 files whose every frame a real decoder shows as it was painted."""

from __future__ import annotations

import random
from io import BytesIO
from itertools import pairwise

import av
import pytest
from PIL import Image

from gemini_emulator import media_output
from gemini_emulator.h264 import Encoder, Frame
from gemini_emulator.mp4 import movie

from .test_pictures import difference, opened, share_of

Seen = list[Image.Image]


def shown(data: bytes) -> tuple[Seen, dict[str, str], float]:
    """The frames, the tags and the seconds of a film."""
    with av.open(BytesIO(data), "r") as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "h264"
        frames = [_picture(frame) for frame in file.decode(stream)]
        return frames, dict(file.metadata), float((file.duration or 0) / 1_000_000)


def _picture(frame: av.VideoFrame) -> Image.Image:
    plane = frame.reformat(format="rgb24").planes[0]
    return Image.frombytes("RGB", (frame.width, frame.height), bytes(plane), "raw", "RGB", plane.line_size, 1)


def test_the_encoder_loses_nothing() -> None:
    rng = random.Random(1)
    encoder = Encoder(50, 34, 5)
    assert encoder.coded_size == (64, 48)
    frames: list[Frame] = []
    for kind in range(6):
        # Noise, flat, columns, rows, the same again, and half of it new.
        flat, noise = bytes([90]) * 3072, bytes(rng.randrange(256) for _ in range(3072))
        columns = bytes(range(64)) * 48
        rows = b"".join(bytes([16 + y]) * 64 for y in range(48))
        luma = (noise, flat, columns, rows, rows, rows[:1536] + noise[1536:])[kind]
        chroma = noise[:768] if kind in (0, 2) else bytes([128]) * 768
        frames.append(Frame(luma, chroma, chroma[::-1]))
    coded = [encoder.frame(frame) for frame in frames]
    data = movie(coded, width=50, height=34, fps=5, parameters=encoder.parameters(), encoder="e", comment="c")
    with av.open(BytesIO(data), "r") as file:
        found = list(file.decode(video=0))
    assert len(found) == len(frames)
    for frame, wanted in zip(found, frames, strict=True):
        assert (frame.width, frame.height) == (50, 34)
        for plane, expected, stride, width, height in zip(
            frame.planes, (wanted.luma, wanted.blue, wanted.red), (64, 32, 32), (50, 25, 25), (34, 17, 17), strict=True
        ):
            raw = bytes(plane)
            for y in range(height):
                line = raw[y * plane.line_size : y * plane.line_size + width]
                assert line == expected[y * stride : y * stride + width]
    # What stays as it is costs next to nothing, and flat areas little.
    assert len(coded[4]) < 12
    assert len(coded[1]) < len(coded[0]) / 5


@pytest.mark.parametrize(
    ("ratio", "resolution", "sides"),
    [("16:9", "360p", (320, 180)), ("16:9", "720p", (640, 360)), ("9:16", "720p", (360, 640)),
     ("16:9", "1080p", (960, 540)), ("1:1", "720p", (360, 360)), ("16:9", "4k", (1280, 720))],
)  # fmt: skip
def test_a_film_has_its_length_and_half_its_size(ratio: str, resolution: str, sides: tuple[int, int]) -> None:
    data = media_output.film("A red balloon over the sea", 1, ratio, resolution)
    frames, tags, seconds = shown(data)
    assert {frame.size for frame in frames} == {sides}
    assert (len(frames), seconds) == (8, 1)
    assert tags["encoder"] == "gemini-emulator h264 i_pcm"
    assert "emulator" in tags["comment"]


def test_eight_seconds_stay_small_and_are_always_the_same() -> None:
    data = media_output.film("Three sailing boats in a storm", 8, "16:9", "720p")
    assert len(data) < 3_000_000
    assert data == media_output.film("Three sailing boats in a storm", 8, "16:9", "720p")
    frames, _, seconds = shown(data)
    assert (len(frames), seconds) == (64, 8)


@pytest.mark.parametrize(
    "prompt", ["A red balloon over the sea", "a landscape", "", "a reef", "a galaxy", "a robot walks"]
)
def test_something_moves_before_a_place_that_stays(prompt: str) -> None:
    frames, _, _ = shown(media_output.film(prompt, 1, "16:9", "360p"))
    assert 0.2 < difference(frames[0], frames[-1]) < 40
    assert all(difference(one, other) > 0 for one, other in pairwise(frames))


def test_a_film_shows_what_its_prompt_names() -> None:
    frames, _, _ = shown(media_output.film("a red balloon at sea", 1, "16:9", "360p"))
    assert share_of(frames[4], (214, 48, 49)) > 0.02


def test_a_film_begins_and_ends_with_the_pictures_that_were_given() -> None:
    first, last = (media_output.draw(prompt, 320, 180) for prompt in ("a cat in a meadow", "a city at night"))
    frames, _, _ = shown(media_output.film("night falls", 2, "16:9", "360p", first=first, last=last))
    assert difference(frames[0], opened(first)) < 6
    assert difference(frames[-1], opened(last)) < 6
    assert difference(frames[0], frames[-1]) > 30


def test_a_long_film_is_whole() -> None:
    frames, _, seconds = shown(media_output.film("a boat", 40, "16:9", "360p"))
    assert (len(frames), seconds) == (320, 40)
    assert difference(frames[0], frames[-1]) < 40


def test_a_picture_that_cannot_be_read_is_passed_over() -> None:
    frames, _, _ = shown(media_output.film("a cat", 1, "16:9", "360p", first=b"x", last=b"y"))
    assert len(frames) == 8
