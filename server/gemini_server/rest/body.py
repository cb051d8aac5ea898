"""Request bodies: JSON with media in it that is streamed from its source as base64, in bounded memory.

A small body is one bytes object. A body with `InlineMedia` in it is serialised with a placeholder in the place of each
medium; the text is cut at the placeholders, and the media are read, encoded and sent slice by slice. The length is
known before the first byte is sent, so a source that turns out shorter or longer than it said can never arrive as
complete.

A body that was encoded before, such as one that was kept to be sent after a crash, is sent as it is (`RawJson`).
"""

from __future__ import annotations

import re
import secrets
from binascii import b2a_base64
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, Self
from weakref import WeakValueDictionary

import anyio.to_thread
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema, from_json, to_json

from gemini_server.errors import FileRefused

SLICE = 4 * 192 * 1024
"""Bytes read from a source at a time: a multiple of 3, so that slices of base64 can be put end to end."""

_LARGE = 128 * 1024
"""Bytes of JSON text that are not read on the event loop."""
_PIECE = 256 * 1024
"""Bytes of JSON text handed over at a time."""


class MediaSource(Protocol):
    """Bytes that are read when they are sent, and read again when the request is repeated.

    Attributes:
        size: how many bytes there are; fixed before the first is sent.
    """

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def chunks(self, size: int) -> AsyncIterator[bytes]:
        """All bytes from the start, exactly `size` to a chunk but the last."""
        ...


@dataclass(frozen=True, slots=True)
class BytesSource:
    """Bytes that are in memory already."""

    data: bytes

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """The bytes, `size` at a time."""
        for start in range(0, len(self.data), size):
            yield self.data[start : start + size]


# 128 random bits per process: no text that a user or a model writes can be taken for a placeholder. They never leave
# the process, because every placeholder is replaced before a body is sent.
_NONCE = f"media-{secrets.token_hex(16)}-"
_NONCE_BYTES = _NONCE.encode()
_PLACEHOLDER = re.compile(re.escape(_NONCE_BYTES) + rb"(\d+)")
_numbers = count(1)


class InlineMedia(str):  # noqa: SLOT000 - weak references need no slots
    """The value of a base64 field whose bytes come from a `MediaSource` when the request is sent.

    Declare the field as `InlineMedia | str`: pydantic copies a subclass of `str` in a plain `str` field, and the source
    would be lost (`encode` then raises). To everything but `encode` it is an opaque string, and may stand inside a
    longer one (a data URL), as long as somebody keeps it until the request is encoded.

    Args:
        source: where the bytes come from.
    """

    source: MediaSource

    def __new__(cls, source: MediaSource) -> Self:
        """A new placeholder for `source`."""
        self = super().__new__(cls, f"{_NONCE}{next(_numbers)}")
        self.source = source
        _alive[str(self)] = self
        return self

    def __repr__(self) -> str:
        return f"InlineMedia({self.source.size} bytes)"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Taken and kept as it is; written as its placeholder."""
        return core_schema.is_instance_schema(cls, serialization=core_schema.to_string_ser_schema())


_alive: WeakValueDictionary[str, InlineMedia] = WeakValueDictionary()


class Payload(Protocol):
    """What a request carries, of any type.

    Attributes:
        content_type: for the header.
        length: the exact number of bytes, for `Content-Length`.
        whole: all of it where it is one bytes object, None where it is streamed.
    """

    @property
    def content_type(self) -> bytes: ...  # noqa: D102
    @property
    def length(self) -> int: ...  # noqa: D102
    @property
    def whole(self) -> bytes | None: ...  # noqa: D102

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes, from the start each time."""
        ...


class Body:
    """JSON that a request carries.

    Attributes:
        length: the exact number of bytes, for `Content-Length`.
    """

    content_type = b"application/json"

    __slots__ = ("_parts", "length")

    def __init__(self, parts: list[bytes | MediaSource]) -> None:
        self._parts = parts
        self.length = sum(len(p) if isinstance(p, bytes) else (p.size + 2) // 3 * 4 for p in parts)

    @property
    def whole(self) -> bytes | None:
        """The body as one bytes object, or None when media are streamed into it."""
        first = self._parts[0]
        return first if len(self._parts) == 1 and isinstance(first, bytes) else None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes, from the start each time.

        Raises:
            FileRefused: a source gave fewer or more bytes than its size.
        """
        for part in self._parts:
            if isinstance(part, bytes):
                for start in range(0, len(part), _PIECE):
                    yield part[start : start + _PIECE]
            else:
                async with aclosing(_base64(part)) as pieces:
                    async for piece in pieces:
                        yield piece


async def _base64(source: MediaSource) -> AsyncGenerator[bytes, None]:
    left = source.size
    chunks = source.chunks(SLICE)
    try:
        async for chunk in chunks:
            if len(chunk) != min(SLICE, left):
                raise _changed()
            left -= len(chunk)
            if isinstance(source, BytesSource):
                yield b2a_base64(chunk, newline=False)
            else:
                yield await anyio.to_thread.run_sync(_encode_slice, chunk)
        if left:
            raise _changed()
    except OSError as exc:
        raise FileRefused(
            f"The file cannot be read any more ({exc.strerror or type(exc).__name__}); the request was broken off.",
            "Check that the file is still there, then call again.",
        ) from exc
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


def _encode_slice(chunk: bytes) -> bytes:
    return b2a_base64(chunk, newline=False)


def _changed() -> FileRefused:
    return FileRefused(
        "The file changed while being read; the request was broken off and not sent as complete.",
        "Call again when nothing writes to the file any more.",
        code="file_changed",
    )


@dataclass(frozen=True, slots=True)
class RawJson:
    """A body that is JSON already, byte for byte as it travels."""

    data: bytes = field(repr=False)


def encode(body: BaseModel | RawJson) -> Body:
    """`body` as it travels: JSON with the wire names, without unset (None) fields, media streamed in as base64."""
    if isinstance(body, RawJson):
        return Body([body.data])
    return _cut(body.__pydantic_serializer__.to_json(body, by_alias=True, exclude_none=True))


async def rewritten(body: BaseModel | RawJson, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Body:
    """`body` as `encode` makes it, changed as a JSON object; media in it are still read when they are sent."""
    if isinstance(body, RawJson):
        text = body.data
    else:
        text = body.__pydantic_serializer__.to_json(body, by_alias=True, exclude_none=True)

    def changed() -> bytes:
        return to_json(change(from_json(text)))

    return _cut(await anyio.to_thread.run_sync(changed) if len(text) > _LARGE else changed())


def _cut(text: bytes) -> Body:
    if _NONCE_BYTES not in text:
        return Body([text])
    parts: list[bytes | MediaSource] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        media = _alive.get(match[0].decode())
        if media is None:
            raise TypeError("an InlineMedia was copied into a plain str field: declare the field as InlineMedia | str")
        parts += (text[end : match.start()], media.source)
        end = match.end()
    parts.append(text[end:])
    return Body(parts)


async def stored(body: BaseModel | RawJson, limit: int) -> bytes | None:
    """`body` as bytes that `RawJson` sends later; local media are read now and go in as base64.

    Args:
        body: a request.
        limit: the most bytes to keep; nothing is read of the media when the whole would be larger.

    Returns:
        The bytes, or None when there are more than `limit`.

    Raises:
        FileRefused: a file changed while it was read, or cannot be read any more.
    """
    encoded = encode(body)
    if encoded.length > limit:
        return None
    return encoded.whole or b"".join([chunk async for chunk in encoded.chunks()])
