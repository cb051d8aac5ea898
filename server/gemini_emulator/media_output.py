"""What the media models of this emulator produce: pictures, speech, music and films, drawn from the words of a prompt.

Everything here is computed from its arguments alone, so that the same request brings the same bytes. The makers live in
modules of their own and are imported when first used, since Pillow takes a moment to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

MusicType: TypeAlias = Literal["audio/l16", "audio/wav", "audio/mp3"]

ASPECT_RATIOS: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024), "2:3": (848, 1264), "3:2": (1264, 848), "3:4": (896, 1200), "4:3": (1200, 896),
    "4:5": (928, 1152), "5:4": (1152, 928), "9:16": (768, 1376), "16:9": (1376, 768), "21:9": (1584, 672),
    "1:4": (512, 2048), "4:1": (2048, 512), "1:8": (384, 3072), "8:1": (3072, 384),
}  # fmt: skip
"""Width and height of a 1K picture of each aspect ratio ("Aspect ratios and image size" of the image guide)."""

IMAGE_SIZES: dict[str, float] = {"512": 0.5, "1K": 1, "2K": 2, "4K": 4}
"""By what the sides of a 1K picture are multiplied."""


def size_of_picture(aspect_ratio: str | None, image_size: str | None) -> tuple[int, int]:
    """Width and height in pixels of a picture of the Gemini image models.

    Args:
        aspect_ratio: one of `ASPECT_RATIOS`; None is a square.
        image_size: one of `IMAGE_SIZES`; None is 1K.

    Raises:
        KeyError: the ratio or the size is none of the known ones.
    """
    width, height = ASPECT_RATIOS[aspect_ratio or "1:1"]
    scale = IMAGE_SIZES[image_size or "1K"]
    return round(width * scale), round(height * scale)


def draw(
    prompt: str,
    width: int,
    height: int,
    *,
    mime_type: str = "image/png",
    references: Sequence[bytes] = (),
    quality: int = 88,
) -> bytes:
    """A picture of what a prompt mentions.

    Args:
        prompt: what to draw; colours, times of day, landscapes and things in it are looked for.
        width: in pixels.
        height: in pixels.
        mime_type: `image/png` or `image/jpeg`.
        references: pictures to start from; the first that can be read is what is edited.
        quality: of a JPEG, from 0 to 100.
    """
    from .painting import paint

    return paint(prompt, width, height, mime_type, references, quality)


def speak(text: str, voices: Sequence[str], rate: int = 24000) -> bytes:
    """Speech-like sound: 16-bit little-endian PCM, mono.

    Args:
        text: what is said, about 14 characters a second and a minute at most; a line that begins with a name and a
            colon changes the voice.
        voices: the names of the voices, in the order in which the speakers appear; none is the default voice.
        rate: samples a second.
    """
    from .speech import utter

    return utter(text, voices, rate)


def compose(
    prompt: str,
    seconds: float,
    *,
    rate: int = 48000,
    channels: int = 2,
    bpm: int | None = None,
    mime_type: MusicType = "audio/l16",
) -> bytes:
    """A little melody over chords, major or minor by the words of the prompt.

    Args:
        prompt: what the music is about.
        seconds: how long it lasts.
        rate: samples a second; of an MP3 always 48,000.
        channels: 1 or 2.
        bpm: beats a minute; None takes them from the prompt.
        mime_type: raw PCM (16-bit little-endian), the same in a WAV file, or an MP3. The MP3 is written in the
            frequency domain, tone by tone, without having been PCM first: real MPEG-1 Layer III, of the same notes.
    """
    from .music import play

    return play(prompt, seconds, rate=rate, channels=channels, bpm=bpm, mime_type=mime_type)


def film(
    prompt: str,
    seconds: float,
    aspect_ratio: str,
    resolution: str,
    *,
    first: bytes | None = None,
    last: bytes | None = None,
    fps: int = 8,
) -> bytes:
    """A film of the picture that `draw` would make, with something moving in it: an MP4 with H.264, without sound.

    The emulator films small: at half the width and height that were asked for (720p is 640×360), 4K at 1280×720.

    Args:
        prompt: what the film shows.
        seconds: how long it lasts.
        aspect_ratio: `16:9`, `9:16` or `1:1`.
        resolution: `360p`, `720p`, `1080p` or `4k`.
        first: a picture that the film begins with.
        last: a picture that the film ends with.
        fps: frames a second.
    """
    from .video import shoot

    return shoot(prompt, seconds, aspect_ratio, resolution, first=first, last=last, fps=fps)
