"""How a video is asked of Veo, which gateways still serve: `predictLongRunning`.

Source: the guide "Veo" of the Gemini API.
"""

from __future__ import annotations

from gemini_server.api.content import Part
from gemini_server.api.interaction_request import VideoTask
from gemini_server.api.predict import (
    VeoImage,
    VeoInstance,
    VeoParameters,
    VeoReference,
    VeoRequest,
    VeoVideo,
)
from gemini_server.errors import ArgumentError
from gemini_server.toolkit.clips import type_of
from gemini_server.toolkit.film_request import SECONDS, Footage, Wanted

LENGTHS = (4, 6, 8)
"""Seconds of the videos that Veo makes."""
RESOLUTIONS = ("720p", "1080p", "4k")
TASKS: tuple[VideoTask, ...] = ("text_to_video", "image_to_video", "reference_to_video", "extend")
_MOST_REFERENCES = 3


def is_veo(model: str) -> bool:
    """Whether a model is asked through `predictLongRunning`."""
    return model.rpartition("/")[2].startswith("veo")


def check_veo(model: str, wanted: Wanted, task: VideoTask) -> None:
    """Refuse what Veo does not take.

    Raises:
        ArgumentError: naming what it takes.
    """
    if task not in TASKS:
        raise ArgumentError(f"{model} has no task {task}.", f"It has {', '.join(TASKS)}; Gemini Omni has the others.")
    if wanted.resolution not in (None, *RESOLUTIONS):
        raise ArgumentError(f"{model} does not make {wanted.resolution}.", f"Give {' or '.join(RESOLUTIONS)}.")
    seconds = wanted.seconds or SECONDS
    if seconds not in LENGTHS:
        raise ArgumentError(f"{model} makes videos of 4, 6 or 8 seconds, not of {seconds}.", "Give one of these.")
    why = "resolution 1080p and 4k" if wanted.resolution in ("1080p", "4k") else ""
    why = "references" if task == "reference_to_video" else "the task extend" if task == "extend" else why
    if why and seconds != SECONDS:
        raise ArgumentError(
            f"With {why} {model} makes videos of {SECONDS} seconds.", f"Give {SECONDS}, or leave it out."
        )
    if len(wanted.references) > _MOST_REFERENCES:
        raise ArgumentError(f"{model} takes {_MOST_REFERENCES} references at most.", "Give fewer.")


def veo(wanted: Wanted, footage: Footage) -> VeoRequest:
    """The request for Veo.

    Args:
        wanted: what is wanted; `check_veo` has passed it.
        footage: the media.

    Raises:
        ArgumentError: a picture that only Google could fetch.
    """
    references = [VeoReference(image=_picture("references", part)) for part in footage.references]
    instance = VeoInstance(
        prompt=wanted.prompt.strip() or None,
        image=_picture("first_frame", footage.first_frame) if footage.first_frame else None,
        last_frame=_picture("last_frame", footage.last_frame) if footage.last_frame else None,
        reference_images=references or None,
        video=_video(footage.video) if footage.video else None,
    )
    parameters = VeoParameters(
        sample_count=1,
        aspect_ratio=wanted.aspect_ratio,
        resolution=wanted.resolution or "720p",
        duration_seconds=wanted.seconds or SECONDS,
        negative_prompt=wanted.negative_prompt,
    )
    return VeoRequest(instances=[instance], parameters=parameters)


def _picture(name: str, part: Part) -> VeoImage:
    if part.inline_data is None:
        raise ArgumentError(
            f"Veo takes no link as {name}.", "Give a path, a data: URI or gemini://artifacts/ID: it is sent inline."
        )
    if not type_of(part).startswith("image/"):
        raise ArgumentError(f"Veo takes no {type_of(part)} as {name}.", "Give a picture.")
    return VeoImage(bytes_base64_encoded=part.inline_data.data, mime_type=part.inline_data.mime_type)


def _video(part: Part) -> VeoVideo:
    if part.inline_data is not None:
        return VeoVideo(encoded_video=part.inline_data.data, encoding=part.inline_data.mime_type)
    assert part.file_data is not None  # noqa: S101  media sources are one or the other
    return VeoVideo(uri=part.file_data.file_uri)
