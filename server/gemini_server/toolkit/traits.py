"""What bytes turn out to be: type, size of the picture, length of the sound or film. Nothing is decoded for it."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import anyio.to_thread

from gemini_server.errors import LocalError
from gemini_server.jobs.artifact import Traits
from gemini_server.toolkit import film, preview, sniff, sound
from gemini_server.toolkit.film import Read
from gemini_server.toolkit.mime_types import TEXT_EXTENSIONS

if TYPE_CHECKING:
    from gemini_server.jobs.download import Fetched
    from gemini_server.jobs.output_directory import OutputDirectory

_TYPES = {".srt": "application/x-subrip", ".vtt": "text/vtt", ".jsonl": "application/jsonl"}
"""Text whose type is known by what wrote it, not by its bytes."""
_TEXTS = {*TEXT_EXTENSIONS, *_TYPES, ".txt"}
_NUMPY = b"\x93NUMPY"
_MEDIA = ("image", "audio", "video")
_BOXED = ("video/mp4", "video/mov", "video/3gpp", "audio/m4a")


def traits_of(data: bytes, name: str = "", announced: str = "") -> Traits:
    """What bytes in memory are; run it in a thread.

    Args:
        data: the bytes.
        name: an extension hint for text, such as `x.srt`.
        announced: as for `traits_of_file`.
    """

    def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    return _traits(data[: sound.HEAD], len(data), read, announced, _hint(name))


def traits_of_file(head: bytes, size: int, read: Read, announced: str = "", name: str = "") -> Traits:
    """What a file is that is too large for the memory; run it in a thread.

    Args:
        head: its first bytes, at best 64 KiB.
        size: how many there are.
        read: reads the others, of which some may be needed.
        announced: the type that Gemini gave. A picture, sound or film that is none by its bytes is `.bin` of the type
            `application/octet-stream`.
        name: as for `traits_of`.
    """
    return _traits(head, size, read, announced, _hint(name))


async def traits_of_part(
    files: OutputDirectory, part: str, fetched: Fetched, announced: str = "", name: str = ""
) -> Traits:
    """What a file is that was fetched into a part.

    Args:
        files: where the part is.
        part: its name.
        fetched: what `fetch` gave.
        announced: as for `traits_of_file`.
        name: as for `traits_of`.
    """

    def work() -> Traits:
        try:
            number = files.open(part)
        except (OSError, LocalError):  # published by now: its head tells the most
            return traits_of_file(fetched.head, fetched.bytes, lambda offset, size: b"", announced, name)
        try:
            return traits_of_file(fetched.head, fetched.bytes, _reader(number), announced, name)
        finally:
            os.close(number)

    return await anyio.to_thread.run_sync(work)


def _reader(number: int) -> Read:
    def read(offset: int, size: int) -> bytes:
        os.lseek(number, offset, os.SEEK_SET)
        return os.read(number, size)

    return read


def _hint(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if suffix in _TEXTS else ""  # nothing else of a name becomes part of a file's name


def _traits(head: bytes, size: int, read: Read, announced: str, hint: str) -> Traits:
    mime_type = sniff.sniff(head[: sniff.HEAD_BYTES], hint and f"x{hint}")
    family = announced.partition("/")[0].strip().lower()
    boxes = film.measure(read, size) if mime_type in _BOXED else None
    if boxes is not None and boxes.sound_only:
        mime_type = "audio/m4a"
    if family in _MEDIA and mime_type.partition("/")[0] != family:
        return Traits(sniff.UNKNOWN, ".bin")
    if hint and (mime_type.startswith("text/") or mime_type == TEXT_EXTENSIONS.get(hint)):
        return Traits(_TYPES.get(hint, mime_type), hint)
    if head.startswith(_NUMPY):
        return Traits(sniff.UNKNOWN, ".npy")
    extension = sniff.extension_for(mime_type)
    if mime_type.startswith("image/"):
        return Traits(mime_type, extension, *(preview.size_in_file(head, size, read) or (None, None)))
    if boxes is not None:
        return Traits(mime_type, extension, boxes.width, boxes.height, boxes.duration)
    seconds = sound.length(head[: sound.HEAD], size)
    return Traits(mime_type, extension, duration=None if seconds is None else round(seconds, 3))
