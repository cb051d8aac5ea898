"""`data:` URIs: media that a caller writes out as base64."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote

import anyio.to_thread

from gemini_server.errors import ArgumentError
from gemini_server.toolkit.mime_types import plain

_FORM = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w-]+=[^;,]*)*)(;base64)?,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DataUri:
    """What a `data:` URI holds.

    Attributes:
        mime_type: in Gemini's spelling; with its parameters for raw sound, which is none without its rate.
        text: the bytes in standard base64.
        size: how many bytes they are.
    """

    mime_type: str
    text: str
    size: int

    async def decoded(self) -> bytes:
        """The bytes themselves."""
        return await anyio.to_thread.run_sync(binascii.a2b_base64, self.text)


async def read(source: str, *, most: int) -> DataUri:
    """Take a `data:` URI apart.

    Args:
        source: the URI.
        most: bytes that it may hold.

    Raises:
        ArgumentError: it has another form, is not base64, is empty or too large.
    """
    head = _FORM.match(source[:512])
    if head is None or head.group(3) is None or not head.group(1):
        raise ArgumentError("The data: URI is not of the form data:TYPE;base64,DATA.", "Write it so.")
    if (len(source) - head.end()) * 3 // 4 > most:
        raise ArgumentError(f"The data: URI holds more than the {most // 2**20} MiB of one request.")
    mime_type = plain(head.group(1))
    if mime_type.startswith("audio/"):
        mime_type += head.group(2)
    text = await anyio.to_thread.run_sync(_checked, source[head.end() :])
    return DataUri(mime_type, text, len(text) * 3 // 4 - text[-2:].count("="))


def _checked(text: str) -> str:
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
