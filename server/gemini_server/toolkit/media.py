"""Media sources: the one string by which every tool takes pictures, sound, video and documents.

a path                   read from the allowed directories
https://…                passed on to Gemini, never fetched here; a YouTube link included
gs://bucket/object       passed on to Gemini
files/ID                 a file uploaded before
data:TYPE;base64,…       bytes that the caller writes out
gemini://artifacts/ID    a file that a call produced

Bytes that are here go inline while they fit; what is too large is uploaded, once for as long as the upload lives.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio.to_thread

from gemini_server.api.content import Blob, FileData, Part
from gemini_server.api.files import FILE_NAME
from gemini_server.errors import ArgumentError
from gemini_server.rest.body import InlineMedia
from gemini_server.toolkit import artifacts, data_uri, files, sniff, upload_source, uploads
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.data_uri import DataUri
from gemini_server.toolkit.open_file import OpenFile
from gemini_server.toolkit.owners import names_in
from gemini_server.toolkit.upload_source import LARGEST, Given

INLINE_LIMIT = 70 * 1024 * 1024
"""Bytes of media in one request: Gemini takes 100 MB, and base64 makes four bytes of three."""
PDF_LIMIT = 50 * 1024 * 1024
"""Bytes of a PDF that Gemini reads, inline or uploaded."""
KEPT_LIMIT = 8 * 1024 * 1024
"""Bytes of inline media in one turn of a kept conversation: every later turn sends them again."""
FILES_HOST = files.HOST

_YOUTUBE = ("youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be")


@dataclass(slots=True)
class _Medium:
    """A media source that was looked at.

    Attributes:
        part: as it is sent, where only Google reads it.
        local: its bytes, where they are here.
        source: as it was given.
    """

    part: Part | None = None
    local: OpenFile | DataUri | None = None
    source: str = ""

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.local.size if self.local is not None else 0


@asynccontextmanager
async def opened(
    sources: Sequence[str], call: Call, *, keep: bool = False, inline: bool = False, upload: bool = True
) -> AsyncGenerator[list[Part]]:
    """Open media sources for one request; files stay open until the request is over.

    What does not fit into the request is uploaded first, and waited for. A caller who goes meanwhile finds it there
    when he calls again.

    Args:
        sources: media sources.
        call: for whom: its allowed directories and its artifacts may be read.
        keep: the turn will be kept in a conversation, so media become part of it as text.
        inline: what does not fit is refused, because there is no place to upload it to.
        upload: False for a dry run, which sends nothing: what does not fit is told by its type alone.

    Raises:
        ArgumentError: a source of no known kind, broken base64, a type or a size that Gemini does not take.
        FileRefused: a path that is not read.
        NotFound: no such artifact, or another caller's file.
        ToolserverError: an upload came to nothing, or does not get on.
    """
    async with AsyncExitStack() as stack:
        media = [await _look(source, call, stack) for source in sources]
        room = KEPT_LIMIT if keep else INLINE_LIMIT
        large: list[_Medium] = []
        for medium in media:
            if medium.size > room:
                large.append(medium)
            else:
                room -= medium.size
        if large and (inline or call.runtime.settings.dialect == "openai"):
            raise _too_large(KEPT_LIMIT if keep else INLINE_LIMIT, keep=keep)
        if large and not upload:
            for medium in large:
                medium.part = Part(file_data=FileData(file_uri=FILES_HOST, mime_type=_type(medium)))
        elif large:
            found = await uploads.uploaded(call, [await _given(medium, call, stack) for medium in large])
            for medium, file in zip(large, found, strict=True):
                uri = file.uri or f"{FILES_HOST}{file.name}"
                medium.part = Part(file_data=FileData(file_uri=uri, mime_type=file.mime_type))
        yield [medium.part or await _inline(medium, keep=keep) for medium in media]


def _too_large(limit: int, *, keep: bool) -> ArgumentError:
    turn = " of a kept conversation" if keep else ""
    return ArgumentError(
        f"The media are larger than the {limit >> 20} MiB that one request{turn} takes, and the openai dialect has no "
        "files at Google to upload them to; nothing was sent.",
        "Give smaller media, fewer at once, or an https:// link.",
    )


async def _look(source: str, call: Call, stack: AsyncExitStack) -> _Medium:
    lowered = source[:16].lower()
    if lowered.startswith("data:"):
        uri = await data_uri.read(source, most=INLINE_LIMIT)
        _check_type(uri.mime_type, "The data: URI")
        return _Medium(local=uri)
    if lowered.startswith("https://"):
        return _Medium(Part(file_data=await _from_url(source, call)))
    if lowered.startswith("gs://"):
        return _Medium(Part(file_data=FileData(file_uri=source, mime_type=_guess(source))))
    if FILE_NAME.fullmatch(source):
        await files.check_use(call, source)
        return _Medium(Part(file_data=FileData(file_uri=FILES_HOST + source)))
    file = await artifacts.open_source(call, source, max_bytes=LARGEST)
    if file is None:
        if re.match(r"[a-z][a-z0-9+.-]+://", lowered) and not lowered.startswith("file:"):
            raise ArgumentError(
                f"A media source cannot be {source.split(':', 1)[0]}://….",
                "Give a path, an https:// or gs:// URL, files/ID, gemini://artifacts/ID or a data: URI.",
            )
        file = await call.runtime.disk.open(source, max_bytes=LARGEST)
    await stack.enter_async_context(file)
    if file.mime_type == "application/pdf" and file.size > PDF_LIMIT:
        raise ArgumentError(f"The PDF {file.name} is larger than the 50 MB that Gemini reads.", "Split it.")
    _check_type(file.mime_type, file.name)
    return _Medium(local=file, source=source)


def _type(medium: _Medium) -> str | None:
    return medium.local.mime_type if medium.local is not None else None


async def _inline(medium: _Medium, *, keep: bool) -> Part:
    local = medium.local
    if isinstance(local, DataUri):
        return Part(inline_data=Blob(mime_type=local.mime_type, data=local.text))
    assert local is not None  # noqa: S101  it is here, or has its part
    if keep:
        pieces = [piece async for piece in local.chunks(192 * 1024)]
        data = await anyio.to_thread.run_sync(lambda: base64.b64encode(b"".join(pieces)).decode("ascii"))
        return Part(inline_data=Blob(mime_type=local.mime_type, data=data))
    return Part(inline_data=Blob(mime_type=local.mime_type, data=InlineMedia(local)))


async def _given(medium: _Medium, call: Call, stack: AsyncExitStack) -> Given:
    local = medium.local
    if isinstance(local, DataUri):
        return upload_source.of_bytes(await local.decoded(), local.mime_type)
    assert local is not None  # noqa: S101  only what is here is too large
    if artifacts.is_source(medium.source):
        given = await upload_source.given(call.runtime, call.principal, medium.source)
        stack.callback(given.bytes.close)
        return given
    return upload_source.of_file(local, medium.source)


def _check_type(mime_type: str, name: str) -> None:
    if not sniff.supported(mime_type):
        raise ArgumentError(
            f"{name} is of the type {mime_type}, which Gemini does not take.",
            "Give a picture, sound, video, PDF or text file; convert others first.",
        )


async def _from_url(url: str, call: Call) -> FileData:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password:
        raise ArgumentError("The https:// source is no plain URL.", "Give it without a user name or password.")
    if parts.hostname in _YOUTUBE:
        return FileData(file_uri=url)
    for name in names_in(url):  # Google reads one however its address is written
        if name.startswith("files/"):
            await files.check_use(call, name)
    return FileData(file_uri=url, mime_type=_guess(parts.path))


def _guess(path: str) -> str | None:
    guessed = sniff.by_name(path)
    return guessed if guessed and sniff.supported(guessed) else None
