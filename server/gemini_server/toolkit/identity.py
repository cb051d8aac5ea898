"""What makes two calls with media the same: the bytes, not where they came from; and media that outlive their call."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

import anyio.to_thread

from gemini_server.api.content import Blob, Part
from gemini_server.rest.body import SLICE, BytesSource, InlineMedia


async def of_parts(parts: Sequence[Part]) -> list[str]:
    """For each part what it is: type and digest of its bytes, or the URI where only Google can read them.

    Raises:
        FileRefused: a file was changed since it was opened.
    """
    return [await _of(part) for part in parts]


async def _of(part: Part) -> str:
    if part.inline_data is None:
        return f"uri {part.file_data.file_uri}" if part.file_data else f"text {part.text}"
    data = part.inline_data.data
    digest = hashlib.sha256()
    if isinstance(data, InlineMedia):
        async for chunk in data.source.chunks(SLICE):
            await anyio.to_thread.run_sync(digest.update, chunk)
    else:
        await anyio.to_thread.run_sync(lambda: digest.update(base64.b64decode(data)))
    return f"{part.inline_data.mime_type} {digest.hexdigest()}"


async def held(parts: Sequence[Part]) -> list[Part]:
    """The same parts with their bytes in memory: a job goes on when the call that opened the files is over.

    Raises:
        FileRefused: as above.
    """
    return [await _held(part) for part in parts]


async def _held(part: Part) -> Part:
    if part.inline_data is None or not isinstance(part.inline_data.data, InlineMedia):
        return part
    source = part.inline_data.data.source
    if isinstance(source, BytesSource):
        return part
    data = b"".join([chunk async for chunk in source.chunks(SLICE)])
    kept = Blob(mime_type=part.inline_data.mime_type, data=InlineMedia(BytesSource(data)))
    return part.model_copy(update={"inline_data": kept})
