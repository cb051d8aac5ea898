"""What is wanted of a video: which task it is, whether it makes sense, and how it is said to Gemini Omni.

    task                 needs          takes beside it
    text_to_video        nothing        nothing
    image_to_video       first_frame    last_frame
    reference_to_video   references
    edit                 video          references
    extend               video          references
    upscale              video          nothing

Source: the guides "Gemini Omni Flash" and "Veo" of the Gemini API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gemini_server.api.content import Part
from gemini_server.api.interaction_content import Content, ImageContent, TextContent, VideoContent
from gemini_server.api.interaction_request import (
    CreateInteraction,
    GenerationConfig,
    VideoAspectRatio,
    VideoConfig,
    VideoFormat,
    VideoResolution,
    VideoTask,
)
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.clips import type_of

SECONDS = 8
"""How long a video is when nothing is said."""
LONGEST = 10
"""The longest video that Gemini Omni makes in one go: what an edit of unknown length is estimated at."""

_NEEDS: dict[VideoTask, tuple[str, ...]] = {
    "text_to_video": (),
    "image_to_video": ("first_frame",),
    "reference_to_video": ("references",),
    "edit": ("video",),
    "extend": ("video",),
    "upscale": ("video",),
}
_TAKES: dict[VideoTask, tuple[str, ...]] = {
    "text_to_video": (),
    "image_to_video": ("first_frame", "last_frame"),
    "reference_to_video": ("references",),
    "edit": ("video", "references"),
    "extend": ("video", "references"),
    "upscale": ("video",),
}
_WORDLESS: dict[VideoTask, str] = {"extend": "Continue the video.", "upscale": "Upscale the video."}
"""What is said where the caller says nothing: an interaction needs some input."""
_OF_A_VIDEO: tuple[VideoTask, ...] = ("edit", "extend", "upscale")
_REFERENCES = {"image": 6, "video": 3}
"""How many pictures and videos of a kind Gemini Omni is given as references."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants, as the tool was told; media are sources."""

    prompt: str
    first_frame: str | None = None
    last_frame: str | None = None
    references: Sequence[str] = ()
    video: str | None = None
    task: VideoTask | None = None
    aspect_ratio: VideoAspectRatio | None = None
    resolution: VideoResolution | None = None
    seconds: int | None = None
    negative_prompt: str | None = None

    @property
    def given(self) -> list[str]:
        """The names of the media arguments that say something."""
        names = ("first_frame", "last_frame", "references", "video")
        return [name for name in names if getattr(self, name)]


@dataclass(frozen=True, slots=True)
class Footage:
    """The media, opened, in the order in which they are sent; `video` is not among them where it is an earlier turn."""

    first_frame: Part | None = None
    last_frame: Part | None = None
    references: list[Part] = field(default_factory=list[Part])
    video: Part | None = None


def task_of(wanted: Wanted) -> VideoTask:
    """The task that is meant, named or by what is given.

    Raises:
        ArgumentError: what is given does not go together.
    """
    given = wanted.given
    if wanted.last_frame and not wanted.first_frame:
        raise ArgumentError("last_frame is given without first_frame.", "Give both, or first_frame alone.")
    task = wanted.task or _meant(given)
    missing = [name for name in _NEEDS[task] if name not in given]
    if missing:
        raise ArgumentError(f"The task {task} needs {missing[0]}.", f"Give {missing[0]}, or another task: {_tasks()}.")
    odd = [name for name in given if name not in _TAKES[task]]
    if odd:
        takes = " and ".join(_TAKES[task]) or "no media"
        raise ArgumentError(f"The task {task} takes {takes}, not {' or '.join(odd)}.", f"The tasks: {_tasks()}.")
    if not wanted.prompt.strip() and task not in _WORDLESS:
        raise ArgumentError("prompt is empty.", "Say what the video shows, or what is to change in it.")
    return task


def _meant(given: Sequence[str]) -> VideoTask:
    if "video" in given:
        return "edit"
    if "first_frame" in given:
        return "image_to_video"
    return "reference_to_video" if "references" in given else "text_to_video"


def _tasks() -> str:
    told = ((task, " and ".join(names)) for task, names in _TAKES.items())
    return "; ".join(f"{task} ({names or 'a prompt alone'})" for task, names in told)


def check_omni(model: str, wanted: Wanted, task: VideoTask) -> None:
    """Refuse what Gemini Omni does not take.

    Raises:
        ArgumentError: naming what it takes.
    """
    # Of later versions this server does not know the limits: Gemini says them.
    most = LONGEST if model.startswith(("gemini-omni-1.1", "gemini-omni-flash")) else 60
    if wanted.seconds is not None and not 3 <= wanted.seconds <= most:
        raise ArgumentError(
            f"{model} makes videos of 3 to {most} seconds, not of {wanted.seconds}.",
            f"Give duration_seconds from 3 to {most}; the task extend makes a video longer, piece by piece.",
        )
    if task == "upscale" and wanted.resolution in ("360p", "720p"):
        raise ArgumentError(f"The task upscale does not make {wanted.resolution}.", "Give resolution 1080p or 4k.")


def check_footage(footage: Footage) -> None:
    """Refuse media of the wrong sort, as far as their type is known here.

    Raises:
        ArgumentError: naming what is wrong with which.
    """
    for name, part in (("first_frame", footage.first_frame), ("last_frame", footage.last_frame)):
        if part is not None and _family(part) not in ("image", ""):
            raise ArgumentError(f"{name} is no picture, but {type_of(part)}.", "Give a picture.")
    if footage.video is not None and _family(footage.video) not in ("video", ""):
        raise ArgumentError(f"video is no video, but {type_of(footage.video)}.", "Give a video, or a job's id.")
    for part in footage.references:
        if _family(part) not in ("image", "video", ""):
            raise ArgumentError(f"A reference is {type_of(part)}.", "Give pictures or short videos as references.")
    if any(type_of(part) == "video/*" for part in (*footage.references, footage.video) if part is not None):
        raise ArgumentError("Gemini makes no video from a YouTube link.", "Give a file, an https:// URL or files/ID.")


def _family(part: Part) -> str:
    return type_of(part).partition("/")[0]


def omni(
    model: str, wanted: Wanted, task: VideoTask, footage: Footage, *, previous: str | None = None
) -> tuple[CreateInteraction, list[str]]:
    """The request for Gemini Omni, and what was changed on the way.

    Args:
        model: the model's id.
        wanted: what is wanted; `check_omni` has passed it.
        task: as `task_of` has it.
        footage: the media.
        previous: the interaction whose video is worked on.
    """
    warnings: list[str] = []
    text = wanted.prompt.strip() or _WORDLESS.get(task, "")
    if wanted.negative_prompt:
        text = f"{text}\nAvoid: {wanted.negative_prompt}"
        warnings.append(f"{model} takes no negative prompt: it was added to the prompt as “Avoid: …”.")
    contents: list[Content | JsonObject] = [TextContent(text=text)]
    frames = [part for part in (footage.first_frame, footage.last_frame) if part is not None]
    contents += [_content(part, "image") for part in frames]
    if footage.video is not None:
        contents.append(_content(footage.video, "video"))
    for family, most in _REFERENCES.items():
        if sum((_family(part) or "image") == family for part in footage.references) > most:
            raise ArgumentError(f"There are more than {most} references of the sort {family}.", "Give fewer.")
    contents += [_content(part, _family(part) or "image") for part in footage.references]
    of_a_video = task in _OF_A_VIDEO
    seconds = wanted.seconds or (None if of_a_video and task != "extend" else SECONDS)
    resolution = wanted.resolution or ("1080p" if task == "upscale" else None if of_a_video else "720p")
    request = CreateInteraction(
        model=model,
        input=contents,
        generation_config=GenerationConfig(video_config=VideoConfig(task=task)),
        response_format=VideoFormat(
            aspect_ratio=wanted.aspect_ratio,
            resolution=resolution,
            duration=f"{seconds}s" if seconds else None,
            delivery="uri",
        ),
        previous_interaction_id=previous,
        background=True,
        store=True,
    )
    return request, warnings


def _content(part: Part, family: str) -> ImageContent | VideoContent:
    kind = VideoContent if family == "video" else ImageContent
    if part.inline_data is not None:
        return kind(data=part.inline_data.data, mime_type=part.inline_data.mime_type)
    assert part.file_data is not None  # noqa: S101  media sources are one or the other
    return kind(uri=part.file_data.file_uri, mime_type=part.file_data.mime_type)
