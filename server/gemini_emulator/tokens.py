"""Token counts by the documented rules of thumb, so that usage figures are plausible and add up.

Text is about four characters a token; an image costs 258 tokens per 768-pixel tile unless a media resolution says
otherwise; audio 32 a second; video 258 a second and frame; a PDF page as much as an image. Source: "Understand and
count tokens" and "Media resolution" of the Gemini API.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from .media import Media, describe, modality
from .models import ModelCard
from .wire import Object, dump, is_list

CHARACTERS_PER_TOKEN = 4
IMAGE = 258
AUDIO_PER_SECOND = 32
VIDEO_PER_FRAME = 258
UNKNOWN_VIDEO_SECONDS = 60.0
_TILE = 768
_SMALL_IMAGE = 384
_RESOLUTION_3 = {"LOW": 280, "MEDIUM": 560, "HIGH": 1120, "ULTRA_HIGH": 2240}
_RESOLUTION_2 = {"LOW": 64, "MEDIUM": 256, "HIGH": 256, "ULTRA_HIGH": 256}
_FRAME_LOW = 66


@dataclass(frozen=True)
class Attachment:
    """A part that is not text, with the tokens it costs."""

    media: Media
    tokens: int


def of_text(text: str) -> int:
    """Tokens of a text."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def of_json(value: object) -> int:
    """Tokens of something that reaches the model as JSON (calls, responses, declarations)."""
    return of_text(dump(value))


def attachment(part: Object, config: Object, card: ModelCard) -> Attachment | None:
    """The attachment in a part, if there is one."""
    if "inlineData" in part:
        blob = part["inlineData"]
        media = describe(blob.get("mimeType", ""), blob.get("data", ""))
    elif "fileData" in part:
        media = _remote(part["fileData"])
    else:
        return None
    level = part.get("mediaResolution", {}).get("level") or config.get("mediaResolution") or ""
    return Attachment(media, _cost(media, level.removeprefix("MEDIA_RESOLUTION_"), part.get("videoMetadata", {}), card))


def _remote(data: Object) -> Media:
    uri: str = data["fileUri"]
    if "youtube.com/" in uri or "youtu.be/" in uri:
        return Media("VIDEO", "video/*", f"the YouTube video {uri}", seconds=UNKNOWN_VIDEO_SECONDS)
    mime: str = data.get("mimeType", "")
    kind = modality(mime) or "DOCUMENT"
    seconds = data.get("seconds", UNKNOWN_VIDEO_SECONDS) if kind in ("VIDEO", "AUDIO") else 0
    return Media(kind, mime, f"the file {uri}", seconds=seconds, pages=1)


def _cost(media: Media, level: str, video: Object, card: ModelCard) -> int:
    resolutions = _RESOLUTION_3 if card.generation >= 3 else _RESOLUTION_2
    if media.modality == "TEXT":
        return of_text(media.text)
    if media.modality == "AUDIO":
        return math.ceil(media.seconds * AUDIO_PER_SECOND)
    if media.modality == "VIDEO":
        start, end = seconds_of(video.get("startOffset"), 0), seconds_of(video.get("endOffset"), media.seconds)
        frames = max(1.0, (end - start) * float(video.get("fps", 1)))
        return math.ceil(frames * (_FRAME_LOW if level == "LOW" else VIDEO_PER_FRAME))
    if level in resolutions:
        return resolutions[level] * max(1, media.pages)
    if media.modality == "DOCUMENT":
        return IMAGE * max(1, media.pages)
    if max(media.width, media.height) <= _SMALL_IMAGE:
        return IMAGE
    return IMAGE * math.ceil(media.width / _TILE) * math.ceil(media.height / _TILE)


def seconds_of(duration: str | None, default: float) -> float:
    """A protobuf duration in seconds."""
    return float(duration.removesuffix("s")) if duration else default


class Tally:
    """Token counts by modality."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add_contents(self, contents: list[Object], config: Object, card: ModelCard) -> None:
        """Count contents."""
        for content in contents:
            for part in content.get("parts", []):
                self.add_part(part, config, card)

    def add_part(self, part: Object, config: Object, card: ModelCard) -> None:
        """Count one part."""
        found = attachment(part, config, card)
        if found is not None:
            self.counts[found.media.modality] += found.tokens
        elif "text" in part:
            self.counts["TEXT"] += of_text(part["text"])
        else:
            spoken = {key: value for key, value in part.items() if key != "thoughtSignature"}
            self.counts["TEXT"] += of_json(spoken)

    @property
    def total(self) -> int:
        """All modalities together."""
        return sum(self.counts.values())

    def details(self) -> list[Object]:
        """`promptTokensDetails`: one entry per modality."""
        return [{"modality": name, "tokenCount": count} for name, count in self.counts.items() if count]


def of_prompt(request: Object, card: ModelCard) -> Tally:
    """Everything that `promptTokenCount` covers: contents, system instruction and declared tools."""
    tally = Tally()
    config: Object = request.get("generationConfig", {})
    tally.add_contents(request.get("contents", []), config, card)
    if "systemInstruction" in request:
        tally.add_contents([request["systemInstruction"]], config, card)
    tools = request.get("tools", [])
    declared = [tool["functionDeclarations"] for tool in tools if is_list(tool.get("functionDeclarations"))]
    if declared:
        tally.counts["TEXT"] += of_json(declared)
    return tally
