"""What the API refuses about attachments: the sections that are asked for, their resolution, and transcription.

Source: "Video understanding", "Media resolution" and "Audio transcription" of the Gemini API.
"""

from __future__ import annotations

import re

from .errors import invalid
from .media import modality
from .models import ModelCard
from .tokens import seconds_of
from .wire import Object

_FASTEST = 24
_MOST_PHRASES = 1000
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


def check_media(contents: list[Object], card: ModelCard) -> None:
    """Refuse sections and resolutions that an attachment or a model does not have."""
    for at, content in enumerate(contents):
        for index, part in enumerate(content["parts"]):
            place = f"* GenerateContentRequest.contents[{at}].parts[{index}]"
            if "mediaResolution" in part and card.generation < 3:
                raise invalid(f"{place}.media_resolution: per-part media resolution is not supported for this model.\n")
            if "videoMetadata" in part:
                _video(part, place)
            if "audioMetadata" in part:
                _kind(part, ("AUDIO", "VIDEO"), f"{place}.audio_metadata: only allowed with audio data\n")
                _order(part["audioMetadata"], f"{place}.audio_metadata")
            if "documentMetadata" in part:
                _pages(part, place)


def check_transcription(request: Object, card: ModelCard) -> None:
    """Refuse a transcription that a model does not do, or options that exclude each other."""
    config: Object | None = request.get("generationConfig", {}).get("audioTranscriptionConfig")
    parts = [part for content in request["contents"] for part in content["parts"]]
    if card.transcribes and not any(_modality(part) in ("AUDIO", "VIDEO", "") for part in parts):
        raise invalid("The request does not contain any audio. This model requires an audio input.")
    if config is None:
        return
    place = "* GenerateContentRequest.generation_config.audio_transcription_config"
    if not card.transcribes:
        raise invalid("Audio transcription config is not supported for this model.")
    smart = config.get("mode") == "SMART"
    if smart and (config.get("diarization") or config.get("wordTimestamp")):
        raise invalid(f"{place}: timestamps and diarization are incompatible with mode SMART.\n")
    if "sourceText" in config and not smart:
        raise invalid(f"{place}.source_text: only allowed with mode SMART.\n")
    if len(config.get("customVocabulary", [])) > _MOST_PHRASES:
        raise invalid(f"{place}.custom_vocabulary: at most {_MOST_PHRASES} phrases are allowed\n")
    codes: list[str] = [*config.get("languageCodes", []), *config.get("languageHints", {}).get("languageCodes", [])]
    for code in codes:
        if not _TAG.fullmatch(code):
            raise invalid(f"{place}.language_codes: {code!r} is not a BCP-47 language code\n")


def _modality(part: Object) -> str | None:
    """The modality of an attachment, empty where only the service would know; None for a part without data."""
    data: Object | None = part.get("inlineData") or part.get("fileData")
    if data is None:
        return None
    return modality(data["mimeType"]) if data.get("mimeType") else ""


def _kind(part: Object, allowed: tuple[str, ...], message: str) -> None:
    if _modality(part) not in (*allowed, ""):
        raise invalid(message)


def _video(part: Object, place: str) -> None:
    video: Object = part["videoMetadata"]
    _kind(part, ("VIDEO", "AUDIO"), f"{place}.video_metadata: only allowed with video data\n")
    if not 0 < video.get("fps", 1) <= _FASTEST:
        raise invalid(f"{place}.video_metadata.fps: must be in the range (0, {_FASTEST}].\n")
    _order(video, f"{place}.video_metadata")


def _order(window: Object, place: str) -> None:
    start = seconds_of(window.get("startOffset"), 0)
    if start < 0 or seconds_of(window.get("endOffset"), start + 1) <= start:
        raise invalid(f"{place}: start_offset must not be negative, and end_offset must be greater than it.\n")


def _pages(part: Object, place: str) -> None:
    pages: Object = part["documentMetadata"]
    _kind(part, ("DOCUMENT",), f"{place}.document_metadata: only allowed with a document\n")
    first = pages.get("startPage", 1)
    if first < 1 or pages.get("endPage", first) < first:
        raise invalid(f"{place}.document_metadata: pages count from 1, and end_page must not be before start_page.\n")
