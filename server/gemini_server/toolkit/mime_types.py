"""The MIME types of this project as tables: what Gemini takes, and which extension goes with which type.

Gemini's own spellings (`video/mov`, `audio/m4a`) are the ones to send; IANA's and browsers' are understood as well.
Sources: the image, audio, video and document pages of ai.google.dev and the Interactions API's enumerations.
"""

from __future__ import annotations

_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

_OTHER_SPELLINGS = {
    "image/jpg": "image/jpeg",
    "image/x-ms-bmp": "image/bmp",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-aiff": "audio/aiff",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/m4a",
    "audio/mp4": "audio/m4a",
    "audio/x-aac": "audio/aac",
    "audio/x-mpeg": "audio/mpeg",
    "video/quicktime": "video/mov",
    "video/x-msvideo": "video/avi",
    "video/x-ms-wmv": "video/wmv",
    "video/flv": "video/x-flv",
    "video/mpg": "video/mpeg",
    "video/mpegps": "video/mpeg",
    "application/rtf": "text/rtf",
    "application/xml": "text/xml",
    "application/javascript": "text/javascript",
    "application/x-javascript": "text/javascript",
    "application/x-python-code": "text/x-python",
    "text/x-markdown": "text/markdown",
}

EXTENSION = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/bmp": ".bmp",
    "image/avif": ".avif",
    "image/tiff": ".tiff",
    "image/svg+xml": ".svg",
    "audio/wav": ".wav",
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/aiff": ".aiff",
    "audio/aac": ".aac",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/flac": ".flac",
    "audio/m4a": ".m4a",
    "audio/webm": ".weba",
    "audio/l16": ".pcm",
    "audio/pcm": ".pcm",
    "audio/x-ms-wma": ".wma",
    "video/mp4": ".mp4",
    "video/mpeg": ".mpg",
    "video/mov": ".mov",
    "video/avi": ".avi",
    "video/x-flv": ".flv",
    "video/webm": ".webm",
    "video/wmv": ".wmv",
    "video/3gpp": ".3gp",
    "video/x-matroska": ".mkv",
    "application/pdf": ".pdf",
    "application/json": ".json",
    "application/jsonl": ".jsonl",
    "application/zip": ".zip",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/css": ".css",
    "text/javascript": ".js",
    "text/x-python": ".py",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/markdown": ".md",
    "text/xml": ".xml",
    "text/rtf": ".rtf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    f"{_OOXML}.wordprocessingml.document": ".docx",
    f"{_OOXML}.wordprocessingml.template": ".dotx",
    f"{_OOXML}.spreadsheetml.sheet": ".xlsx",
    f"{_OOXML}.presentationml.presentation": ".pptx",
    f"{_ODF}.text": ".odt",
    f"{_ODF}.spreadsheet": ".ods",
    f"{_ODF}.presentation": ".odp",
}

OFFICE_EXTENSIONS = {
    extension: mime_type
    for mime_type, extension in EXTENSION.items()
    if extension in (".doc", ".xls", ".ppt", ".docx", ".dotx", ".xlsx", ".pptx")
}

TEXT_EXTENSIONS = {
    ".htm": "text/html",
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".cjs": "text/javascript",
    ".py": "text/x-python",
    ".pyi": "text/x-python",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".json": "application/json",
    ".xml": "text/xml",
    ".svg": "text/xml",  # Gemini takes no vector graphics, but reads them as text
}
"""What a text is by its name; any other text (source code, logs, notes …) is told by its content or is text/plain."""

BY_EXTENSION = {
    **{extension: mime_type for mime_type, extension in reversed(EXTENSION.items())},
    **TEXT_EXTENSIONS,
    ".jpeg": "image/jpeg",
    ".tif": "image/tiff",
    ".aif": "audio/aiff",
    ".aifc": "audio/aiff",
    ".m4v": "video/mp4",
    ".mpeg": "video/mpeg",
    ".qt": "video/mov",
    ".svg": "image/svg+xml",
}
"""What a name alone suggests."""

_NOT_TAKEN = (
    "image/avif",
    "image/svg+xml",
    "audio/x-ms-wma",
    "video/x-matroska",
    "application/jsonl",
    "application/zip",
    "text/tab-separated-values",
)

SUPPORTED = (frozenset(EXTENSION) - frozenset(_NOT_TAKEN)) | {"audio/alaw", "audio/mulaw"}
"""What Gemini takes as inline data."""


def plain(mime_type: str) -> str:
    """A MIME type in lower case, without parameters, in Gemini's spelling."""
    bare = mime_type.partition(";")[0].strip().lower()
    return _OTHER_SPELLINGS.get(bare, bare)
