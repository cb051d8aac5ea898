"""Media sources: the one string by which every tool takes pictures, sound, video and documents.

a path                   read from the allowed directories, sent inline
https://…                passed on to Gemini, never fetched here; a YouTube link included
gs://bucket/object       passed on to Gemini
files/ID                 a file uploaded before
data:TYPE;base64,…       sent inline
gemini://artifacts/ID    a file that a call produced, sent inline
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import anyio.to_thread

from gemini_server.api.content import Blob, FileData, Part
from gemini_server.errors import ArgumentError
from gemini_server.rest.body import InlineMedia
from gemini_server.toolkit import artifacts, sniff
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.mime_types import plain

INLINE_LIMIT = 70 * 1024 * 1024
"""Bytes of media in one request: Gemini takes 100 MB, and base64 makes four bytes of three."""
PDF_LIMIT = 50 * 1024 * 1024
KEPT_LIMIT = 8 * 1024 * 1024
"""Bytes of inline media in one turn of a kept conversation: every later turn sends them again."""
FILES_HOST = "https://generativelanguage.googleapis.com/v1beta/"
"""File URIs name Google's own host, also where the API is reached through a gateway."""

_FILE_NAME = re.compile(r"files/[a-z0-9][a-z0-9-]{0,62}")
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w-]+=[^;,]*)*)(;base64)?,", re.IGNORECASE)
_YOUTUBE = ("youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A media source made ready: the part to send, and how many bytes it adds to the request."""

    part: Part
    size: int = 0


@asynccontextmanager
async def opened(sources: Sequence[str], call: Call, *, keep: bool = False) -> AsyncGenerator[list[Part]]:
    """Open media sources for one request; files stay open until the request is over.

    Args:
        sources: media sources.
        call: for whom: its allowed directories and its artifacts may be read.
        keep: the turn will be kept in a conversation, so media become part of it as text.

    Raises:
        ArgumentError: a source of no known kind, too much media for one request, broken base64.
        FileRefused: a path that is not read.
        NotFound: no such artifact.
    """
    async with AsyncExitStack() as stack:
        parts: list[Part] = []
        total = 0
        limit = KEPT_LIMIT if keep else INLINE_LIMIT
        for source in sources:
            attachment = await _open(source, call, stack, keep=keep)
            parts.append(attachment.part)
            total += attachment.size
            if total > limit:
                raise ArgumentError(
                    f"The attachments are larger than the {limit // 2**20} MiB that "
                    + ("one turn of a conversation keeps." if keep else "fit into one request."),
                    "Send fewer or smaller files, or give https://, gs:// or files/ID sources, which Google fetches.",
                )
        yield parts


async def _open(source: str, call: Call, stack: AsyncExitStack, *, keep: bool) -> Attachment:
    lowered = source[:16].lower()
    if lowered.startswith("data:"):
        return await _from_data_uri(source)
    if lowered.startswith("https://"):
        return Attachment(Part(file_data=_from_url(source)))
    if lowered.startswith("gs://"):
        return Attachment(Part(file_data=FileData(file_uri=source, mime_type=_guess(source))))
    if _FILE_NAME.fullmatch(source):
        return Attachment(Part(file_data=FileData(file_uri=FILES_HOST + source)))
    file = await artifacts.open_source(call, source, max_bytes=INLINE_LIMIT)
    if file is None:
        if re.match(r"[a-z][a-z0-9+.-]+://", lowered) and not lowered.startswith("file:"):
            raise ArgumentError(
                f"A media source cannot be {source.split(':', 1)[0]}://….",
                "Give a path, an https:// or gs:// URL, files/ID, gemini://artifacts/ID or a data: URI.",
            )
        file = await call.runtime.disk.open(source, max_bytes=INLINE_LIMIT)
    await stack.enter_async_context(file)
    if file.mime_type == "application/pdf" and file.size > PDF_LIMIT:
        raise ArgumentError(f"The PDF {file.name} is larger than the 50 MB that Gemini takes inline.", "Split it.")
    _check_type(file.mime_type, file.name)
    if keep and file.size <= KEPT_LIMIT:
        pieces = [piece async for piece in file.chunks(192 * 1024)]
        data = await anyio.to_thread.run_sync(lambda: base64.b64encode(b"".join(pieces)).decode("ascii"))
        return Attachment(Part(inline_data=Blob(mime_type=file.mime_type, data=data)), file.size)
    return Attachment(Part(inline_data=Blob(mime_type=file.mime_type, data=InlineMedia(file))), file.size)


def _check_type(mime_type: str, name: str) -> None:
    if not sniff.supported(mime_type):
        raise ArgumentError(
            f"{name} is of the type {mime_type}, which Gemini does not take.",
            "Give a picture, sound, video, PDF or text file; convert others first.",
        )


def _from_url(url: str) -> FileData:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password:
        raise ArgumentError("The https:// source is no plain URL.", "Give it without a user name or password.")
    if parts.hostname in _YOUTUBE:
        return FileData(file_uri=url)
    return FileData(file_uri=url, mime_type=_guess(parts.path))


def _guess(path: str) -> str | None:
    guessed = sniff.by_name(path)
    return guessed if guessed and sniff.supported(guessed) else None


async def _from_data_uri(source: str) -> Attachment:
    head = _DATA_URI.match(source[:512])
    if head is None or head.group(3) is None or not head.group(1):
        raise ArgumentError("The data: URI is not of the form data:TYPE;base64,DATA.", "Write it so.")
    size = (len(source) - head.end()) * 3 // 4
    if size > INLINE_LIMIT:
        raise ArgumentError(f"The data: URI holds more than the {INLINE_LIMIT // 2**20} MiB of one request.")
    mime_type = plain(head.group(1))
    _check_type(mime_type, "The data: URI")
    if mime_type.startswith("audio/"):
        mime_type += head.group(2)  # raw sound is no sound without its rate
    data = await anyio.to_thread.run_sync(_checked_base64, source[head.end() :])
    return Attachment(Part(inline_data=Blob(mime_type=mime_type, data=data)), size)


def _checked_base64(text: str) -> str:
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, ValueError):
        try:
            # The alphabet of URLs, escapes, line breaks.
            standard = "".join(unquote(text).replace("-", "+").replace("_", "/").split())
            raw = binascii.a2b_base64((standard + "=" * (-len(standard) % 4)).encode("ascii"), strict_mode=True)
        except (binascii.Error, ValueError):
            raise ArgumentError("The data: URI is not valid base64.", "Encode the bytes again.") from None
        text = standard + "=" * (-len(standard) % 4)
    if not raw:
        raise ArgumentError("The data: URI is empty.")
    return text
