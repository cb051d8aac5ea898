"""Media in the OpenAI dialect: what goes out as parts of a message, and pictures that come back as URLs."""

from __future__ import annotations

import re

from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.generation.transcript import member

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,200}?;base64,", re.IGNORECASE)
_FILES = re.compile(r"https://generativelanguage\.googleapis\.com/(?:download/)?v\d\w*/files/")
_FORMATS = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/aac": "aac",
    "audio/ogg": "ogg", "audio/flac": "flac", "audio/aiff": "aiff", "audio/x-aiff": "aiff", "audio/mp4": "m4a",
    "audio/m4a": "m4a",
}  # fmt: skip
"""What Google's layer calls the types of sound."""
_BASE64 = re.compile(r"[\w+/=\s-]*", re.ASCII)
_BARE = 64
"""Characters from which on base64 that nothing announces is taken for a picture."""
_URL_SAFE = str.maketrans("-_", "+/")
_DETAIL = {"LOW": "low", "MEDIUM": "auto", "HIGH": "high", "ULTRA_HIGH": "high"}


def content_part(part: JsonObject, *, google: bool, resolution: str = "") -> JsonObject | None:
    """A part of a turn as a part of a message; None of one that is neither text nor a medium.

    The base64 of a medium stands in a longer string, the data URL: whoever sends that keeps the part until it is sent
    (see `rest.body.InlineMedia`).

    Args:
        part: as generateContent has it.
        google: whether Google's layer is asked: it takes pictures and sound; a gateway takes all of them as a picture.
        resolution: how finely pictures are looked at, `MEDIA_RESOLUTION_LOW` for one, where the part does not say.

    Raises:
        ArgumentError: it cannot be said in this dialect; nothing was sent.
    """
    if isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]} if part["text"] else None
    blob, file = member(part, "inlineData"), member(part, "fileData")
    if blob is None and file is None:
        return None
    if part.get("videoMetadata"):
        raise ArgumentError(
            "The openai dialect takes no section of a video (start, end, fps); nothing was sent.",
            "Leave them out, or cut the video first.",
        )
    mime_type = str((blob or file or {}).get("mimeType") or "")
    level = str((member(part, "mediaResolution") or {}).get("level") or resolution).removeprefix("MEDIA_RESOLUTION_")
    sound = mime_type.startswith("audio/")
    if google and mime_type and not (sound and blob) and not mime_type.startswith("image/"):
        raise ArgumentError(
            f"Google's OpenAI layer takes pictures, and sound of this machine, but no {mime_type}; nothing was sent.",
            "Ask with generate_text or analyze_media over Gemini's own API (GEMINI_DIALECT=google).",
        )
    if google and sound and blob:
        form = _FORMATS.get(mime_type.partition(";")[0], mime_type.partition("/")[2])
        return {"type": "input_audio", "input_audio": {"data": f"{blob['data']}", "format": form}}
    shown: JsonObject = {"url": f"data:{mime_type};base64,{blob['data']}" if blob else _address(file or {})}
    if level in _DETAIL and (not mime_type or mime_type.startswith("image/")):
        shown["detail"] = _DETAIL[level]
    return {"type": "image_url", "image_url": shown}


def _address(file: JsonObject) -> str:
    uri = str(file.get("fileUri") or "")
    if uri.startswith(("gs://", "files/")) or _FILES.match(uri):
        raise ArgumentError(
            f"The openai dialect has no files at Google: {uri[:100]} cannot be read through it. Nothing was sent.",
            "Give the file itself: a path, a data: URI, an https:// link, or an artifact.",
        )
    return uri


def answered_part(url: str) -> JsonObject:
    """A medium of an answer as a part of a turn: bytes that are there, or the link to those that are not."""
    head = _DATA_URL.match(url[:256])
    if head is not None:
        # What follows the base64 is a title, or the bracket that Markdown allows around a link.
        found = _BASE64.match(url, head.end())
        return {"inlineData": {"mimeType": head[1] or "image/png", "data": _standard(found[0] if found else "")}}
    if len(url) >= _BARE and _BASE64.fullmatch(url):
        return {"inlineData": {"mimeType": "image/png", "data": _standard(url)}}
    return {"text": f"![picture]({url})" if url.startswith(("https://", "http://")) else url}


def is_picture(text: str) -> bool:
    """Whether a text is the data URL of a picture, and nothing else."""
    if not text.startswith("data:image/"):
        return False
    head = _DATA_URL.match(text[:256])
    return head is not None and _BASE64.fullmatch(text, head.end()) is not None


def _standard(data: str) -> str:
    """Base64 of either alphabet, broken into lines or not, padded or not, as everything here reads it."""
    made = "".join(data.split()).translate(_URL_SAFE)
    return made + "=" * (-len(made) % 4)
