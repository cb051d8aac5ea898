"""The media of a Live turn: their bytes go into the session itself, so they have to be on this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence

import anyio.to_thread

from gemini_server.errors import ArgumentError
from gemini_server.rest.body import SLICE
from gemini_server.toolkit import artifacts, data_uri, live_sound
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.live_request import Picture

LARGEST_SOUND = 128 * 1024 * 1024
"""Bytes of a recording: ten minutes as a CD has them."""
LARGEST_PICTURE = 5 * 1024 * 1024
MOST_PICTURES = 10
_PICTURES = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif")
_ELSEWHERE = re.compile(r"(?:https?|gs)://|files/[a-z0-9-]{1,63}$", re.IGNORECASE)


async def recording(source: str, call: Call) -> bytes:
    """A recording as the Live API hears it.

    Raises:
        ArgumentError: it is elsewhere, no WAV file, too long.
        FileRefused: a path that is not read.
        NotFound: no such artifact.
    """
    data, _ = await _bytes_of(source, call, LARGEST_SOUND)
    return await anyio.to_thread.run_sync(live_sound.heard, data)


async def pictures(sources: Sequence[str], call: Call) -> tuple[Picture, ...]:
    """Pictures as they are shown.

    Raises:
        ArgumentError: one is elsewhere, no picture, too large; or there are too many.
        FileRefused: a path that is not read.
        NotFound: no such artifact.
    """
    if len(sources) > MOST_PICTURES:
        raise ArgumentError(f"A live turn takes at most {MOST_PICTURES} pictures, not {len(sources)}.", "Give fewer.")
    found: list[Picture] = []
    for source in sources:
        data, mime_type = await _bytes_of(source, call, LARGEST_PICTURE)
        if mime_type not in _PICTURES:
            raise ArgumentError(f"images takes pictures; this is {mime_type}.", "Give JPEG or PNG files.")
        found.append(Picture(mime_type, data))
    return tuple(found)


async def _bytes_of(source: str, call: Call, most: int) -> tuple[bytes, str]:
    if _ELSEWHERE.match(source):
        raise ArgumentError(
            "A live turn takes media from this machine alone: their bytes go into the session.",
            "Give a path, gemini://artifacts/ID or a data: URI; analyze_media looks at what is elsewhere.",
        )
    if source[:5].lower() == "data:":
        uri = await data_uri.read(source, most=most)
        return await uri.decoded(), uri.mime_type.partition(";")[0]
    opened = await artifacts.open_source(call, source, max_bytes=most)
    if opened is None:
        opened = await call.runtime.disk.open(source, max_bytes=most)
    async with opened:
        return b"".join([chunk async for chunk in opened.chunks(SLICE)]), opened.mime_type
