"""Sound as it comes over a WebSocket: pieces in base64, of either alphabet."""

from __future__ import annotations

import base64
import binascii

import anyio.to_thread

from gemini_server.errors import BadAnswer

SAMPLE = 2
"""Bytes of a sample: what Gemini plays is 16-bit PCM."""
_LARGE = 128 * 1024
"""Characters from which a piece is decoded off the event loop."""


async def decoded(text: str) -> bytes:
    """The bytes of a piece.

    Raises:
        BadAnswer: it is no base64.
    """
    return await anyio.to_thread.run_sync(_decoded, text) if len(text) > _LARGE else _decoded(text)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise BadAnswer("Gemini sent sound that is no valid base64.", "Call again later.") from None
