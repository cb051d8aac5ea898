"""Videos of Gemini Omni: from text, from images, and by editing or extending what is there.

Source: "Gemini Omni Flash" of the Gemini API. A task may be named; otherwise it is read from the prompt and from what
is attached. A source video is that of the previous interaction, or an attached one of ten seconds at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .interaction_errors import refused, unready
from .interaction_input import decoded, user_contents
from .interaction_outcome import Film, Order, Outcome, forced, prompt_of
from .interaction_usage import VIDEO_TOKENS, of_media
from .media import describe
from .media_output import film
from .prompt import Prompt
from .signatures import sign
from .wire import Object

_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)s")
_EXTEND = re.compile(r"(?i)\b(?:extend|continue|continues|continuation)\b")
_REFERENCE = re.compile(r"<(?:IMAGE|VIDEO)_REF_\d+>")
_SHORTEST, _LONGEST, _USUAL = 3.0, 10.0, 8.0
_LONGEST_EXTENDED = 40.0
_LONGEST_REFERENCE = 3.0
_FRAMES = 2
_MOST_REFERENCES = 6
_MOST_REFERENCE_VIDEOS = 3
_GUESS = 5.0


@dataclass(frozen=True)
class _Scene:
    """A video request, understood."""

    task: str
    source: Film | None
    seconds: float
    ratio: str
    resolution: str
    pictures: tuple[bytes, ...]


def prepare(order: Order) -> Callable[[], Outcome]:
    """Check the request of a video model; the film is shot later.

    Raises:
        InteractionError: for a task without what it needs, or with what it does not take.
    """
    wanted: Object = order.formats.get("video", {})
    if "gcs_uri" in wanted:
        raise refused("'gcs_uri' is only supported in Gemini Enterprise Agent Platform.")
    contents = user_contents(order.fresh)
    if any(one["type"] == "audio" for one in contents):
        raise refused(f"Audio references are not supported by the model models/{order.card.id}.")
    if any("youtu" in one.get("uri", "") for one in contents):
        raise refused("YouTube videos are not supported as a media source.")
    prompt = prompt_of(order)
    scene = _scene(order, wanted, contents, prompt.text)
    return lambda: _shoot(order, prompt, scene, wanted.get("delivery", "inline"))


def _scene(order: Order, wanted: Object, contents: list[Object], text: str) -> _Scene:
    pictures = [one for one in contents if one["type"] == "image"]
    videos = [one for one in contents if one["type"] == "video"]
    named: str | None = order.config.get("video_config", {}).get("task")
    task = named or _inferred(text, pictures, videos, order.film)
    _attached(task, len(pictures), len(videos))
    if not text and task not in ("extend", "upscale"):
        raise refused("A text prompt is required for video generation.")
    source = _source(task, videos, order) if task in ("edit", "extend", "upscale") else None
    if task == "reference_to_video":
        for video in videos:
            if _seconds(video) > _LONGEST_REFERENCE:
                raise refused(f"Video references must be {_LONGEST_REFERENCE:g} seconds or less.")
    asked = _asked(wanted)
    seconds = asked or _USUAL
    if source is not None:
        seconds = source.seconds + (asked or _USUAL) if task == "extend" else source.seconds
    if seconds > _LONGEST_EXTENDED:
        raise refused(f"The extended video would be {seconds:g} seconds long; the limit is {_LONGEST_EXTENDED:g}.")
    return _Scene(
        task,
        source,
        seconds,
        wanted.get("aspect_ratio") or (source.aspect_ratio if source else "16:9"),
        wanted.get("resolution") or ("1080p" if task == "upscale" else source.resolution if source else "720p"),
        tuple(decoded(one) for one in pictures if "data" in one),
    )


def _inferred(text: str, pictures: list[Object], videos: list[Object], before: Film | None) -> str:
    if _REFERENCE.search(text) or len(pictures) > _FRAMES:
        return "reference_to_video"
    if videos or before:
        return "extend" if _EXTEND.search(text) else "edit"
    return "image_to_video" if pictures else "text_to_video"


def _attached(task: str, pictures: int, videos: int) -> None:
    match task:
        case "text_to_video":
            if pictures or videos:
                raise refused("The task 'text_to_video' takes no images and no videos.")
        case "image_to_video":
            if not 1 <= pictures <= _FRAMES or videos:
                raise refused(
                    f"The task 'image_to_video' takes 1 to {_FRAMES} images (first and last frame), no video."
                )
        case "reference_to_video":
            if not pictures + videos or pictures > _MOST_REFERENCES or videos > _MOST_REFERENCE_VIDEOS:
                raise refused(
                    f"The task 'reference_to_video' takes up to {_MOST_REFERENCES} images and "
                    f"{_MOST_REFERENCE_VIDEOS} videos, and at least one of them."
                )
        case _:
            if videos > 1:
                raise refused(f"The task '{task}' takes one video; referencing multiple videos is not supported.")


def _source(task: str, videos: list[Object], order: Order) -> Film:
    """The video that is worked on."""
    if videos:
        seconds = _seconds(videos[0])
        if seconds > _LONGEST:
            raise refused(f"Input videos must be {_LONGEST:g} seconds or less.")
        return Film("an uploaded video", seconds, "16:9", "720p")
    if order.film is not None:
        return order.film
    documents = [one for one in user_contents(order.fresh) if one["type"] == "document"]
    if documents:
        return Film("an uploaded video", _GUESS, "16:9", "720p")
    if "previous_interaction_id" in order.body:
        raise unready(f"The previous interaction has no video; the task '{task}' needs one.")
    raise refused(f"The task '{task}' needs a video, or a 'previous_interaction_id' with one.")


def _seconds(video: Object) -> float:
    return describe(video.get("mime_type", "video/mp4"), video["data"]).seconds if "data" in video else _GUESS


def _asked(wanted: Object) -> float | None:
    """The duration that was asked for, a protobuf duration such as `8s`."""
    given: str | None = wanted.get("duration")
    if given is None:
        return None
    found = _DURATION.fullmatch(given)
    if not found:
        raise refused(f"Invalid value '{given}' at 'response_format.duration': expected a duration such as '8s'.")
    seconds = float(found[1])
    if not _SHORTEST <= seconds <= _LONGEST:
        raise refused(f"The duration must be between {_SHORTEST:g} and {_LONGEST:g} seconds, not {given}.")
    return seconds


def _shoot(order: Order, prompt: Prompt, scene: _Scene, delivery: str) -> Outcome:
    early = forced(order, of_media(prompt, {}))
    if early is not None:
        return early
    text = prompt.text if prompt.say is None else prompt.say
    words = f"{scene.source.prompt}; {text}" if scene.source else text
    frames = scene.pictures if scene.task == "image_to_video" else ()
    data = film(
        words,
        scene.seconds,
        scene.ratio,
        scene.resolution,
        first=frames[0] if frames else None,
        last=frames[1] if len(frames) > 1 else None,
    )
    content: Object = {"type": "video", **order.deliver(data, "video/mp4", delivery)}
    usage = of_media(prompt, {"video": round(scene.seconds * VIDEO_TOKENS[scene.resolution])})
    made = Film(words, scene.seconds, scene.ratio, scene.resolution)
    thought = {"type": "thought", "signature": sign(prompt.fingerprint.hex(), "video")}
    return Outcome(steps=[thought, {"type": "model_output", "content": [content]}], usage=usage, film=made)
