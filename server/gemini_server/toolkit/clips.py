"""Clips: the section of a video that is looked at, and how many frames of each second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from gemini_server.api.content import Part, VideoMetadata
from gemini_server.errors import ArgumentError
from gemini_server.toolkit import times

YOUTUBE = ("youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be")
FASTEST = 24.0
"""Frames per second that Gemini takes at most."""

_REMEDY = "Write times as seconds (90, 1.5) or as a clock (1:30, 00:01:30.5)."
_GOOGLE = "generativelanguage.googleapis.com"


@dataclass(frozen=True, slots=True)
class Clip:
    """What is looked at of a video: from and to which second, and frames per second."""

    start: float | None = None
    end: float | None = None
    fps: float | None = None

    @classmethod
    def of(cls, start: str | float | None, end: str | float | None, fps: float | None) -> Self | None:
        """The clip that a caller describes; None when nothing is said.

        Raises:
            ArgumentError: times that cannot be read or are in the wrong order, too many frames.
        """
        if start is None and end is None and fps is None:
            return None
        first, last = _second("start", start), _second("end", end)
        if last is not None and last <= (first or 0.0):
            raise ArgumentError("The clip is empty: end must be later than start.", _REMEDY)
        if fps is not None and not 0 < fps <= FASTEST:
            raise ArgumentError("fps must be above 0 and at most 24.", "Leave it out for 1 frame per second.")
        return cls(first, last, fps)

    def metadata(self) -> VideoMetadata:
        """The clip as Gemini takes it."""
        return VideoMetadata(
            start_offset=None if self.start is None else times.duration(self.start),
            end_offset=None if self.end is None else times.duration(self.end),
            fps=self.fps,
        )


def _second(name: str, value: str | float | None) -> float | None:
    if value is None:
        return None
    read = times.seconds(value)
    if read is None:
        raise ArgumentError(f"{name} is no time in a video.", _REMEDY)
    return read


def type_of(part: Part) -> str:
    """The MIME type of an attachment, `video/*` for a YouTube link, empty where only Google knows it."""
    if part.inline_data:
        return part.inline_data.mime_type
    if part.file_data is None:
        return "text/plain"
    host = urlsplit(part.file_data.file_uri).hostname
    return "video/*" if host in YOUTUBE else part.file_data.mime_type or ""


def cut(parts: Sequence[Part], clip: Clip) -> tuple[list[Part], list[str]]:
    """Attachments with the clip on their videos, and warnings about those that are left whole.

    Files of an unknown type are taken for videos where there is no other one.

    Raises:
        ArgumentError: there is no video.
    """
    if any(type_of(part).startswith("video/") for part in parts):
        chosen = [type_of(part).startswith("video/") for part in parts]
        unknown = [name for part in parts if not type_of(part) and (name := _uri(part))]
        warnings = [f"start, end and fps do not reach {name}: its type is not known here." for name in unknown[:3]]
    else:
        chosen = [not type_of(part) and not _foreign(part) for part in parts]
        warnings = []
    if not any(chosen):
        links = any(_foreign(part) for part in parts)
        raise ArgumentError(
            "start, end and fps are for videos, and "
            + (
                "the link is no YouTube link and names no video file."
                if links
                else "there is no video among the media."
            ),
            "Leave them out, or give a video: a file, a YouTube link, a URL that ends in .mp4 or so, or files/ID.",
        )
    metadata = clip.metadata()
    cut_parts = [
        part.model_copy(update={"video_metadata": metadata}) if wanted else part
        for part, wanted in zip(parts, chosen, strict=True)
    ]
    return cut_parts, warnings


def _uri(part: Part) -> str:
    return part.file_data.file_uri[:200] if part.file_data else ""


def _foreign(part: Part) -> bool:
    """Whether this is a link into the web that is not known to be a video."""
    found = urlsplit(_uri(part))
    return found.scheme == "https" and found.hostname != _GOOGLE and not type_of(part).startswith("video/")
