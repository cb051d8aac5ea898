"""Every request that arrived, as one JSON line each: what a client really sent, without its secrets."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .wire import Object, dump, is_list, is_object

_SECRET_HEADERS = frozenset({"x-goog-api-key", "cookie", "proxy-authorization"})
_SECRET_QUERY = frozenset({"key", "access_token", "$key", "upload_id"})
_LONG = 64 * 1024
_DATA = frozenset({"data", "bytesBase64Encoded", "encodedVideo"})
_STUB = "AAAA"


_BESIDE = ("/ws/", "/emulator-cdn/")
"""What is no request of the REST API: the file holds those alone, so that it can be held against its schemas."""


class RequestLog:
    """The requests so far; the oldest go when there are too many.

    Args:
        kept: how many to remember.
        path: a file to append to, flushed after each line.
    """

    def __init__(self, kept: int, path: Path | None = None) -> None:
        self._entries: deque[Object] = deque(maxlen=kept)
        self._file = path.open("a", encoding="utf-8") if path else None
        self._clears = 0

    @property
    def began(self) -> int:
        """What `add` wants to know of the moment at which a request began."""
        return self._clears

    def add(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: object,
        *,
        began: int,
        in_file: bool = True,
    ) -> None:
        """Record a request.

        Args:
            method: the HTTP method.
            query: the query parameters.
            headers: the headers.
            path: with the API version, without the gateway prefix.
            body: the parsed JSON, None when there was none, or `<N bytes>`.
            began: what `began` was when the request began: one that was still coming in when the log was cleared is
                forgotten too.
            in_file: whether the file is to have it too.
        """
        shortened = _shorten(body)
        entry: Object = {
            "method": method,
            "path": path,
            "query": {name: value for name, value in query.items() if name not in _SECRET_QUERY},
            "headers": {name.lower(): _without_secret(name.lower(), value) for name, value in headers.items()},
            "body": shortened,
        }
        if shortened is not body:
            entry["x_truncated"] = True
        if began == self._clears:
            self._entries.append(entry)
        if in_file and self._file is not None and not path.startswith(_BESIDE):
            self._file.write(dump(entry).encode("utf-8", "backslashreplace").decode() + "\n")
            self._file.flush()

    def entries(self) -> list[Object]:
        """The remembered requests, oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget the remembered requests and those that are still coming in; the file keeps them."""
        self._clears += 1
        self._entries.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def body_of(raw: bytes | bytearray) -> object:
    """A request body as JSON.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(raw, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _without_secret(name: str, value: str) -> str:
    if name in _SECRET_HEADERS:
        return "***"
    if name == "authorization":
        scheme, blank, _ = value.partition(" ")
        return f"{scheme} ***" if blank else "***"
    return value


def _shorten(value: object) -> object:
    """The same value, or a copy in which long base64 data is a short stub that is still base64."""
    if is_object(value):
        changed: Object = {}
        for key, item in value.items():
            new: object = _shorten(item)
            if isinstance(item, str) and len(item) > _LONG and (key in _DATA or item.startswith("data:")):
                new = _STUB if key in _DATA else f"{item.partition(',')[0]},{_STUB}"
            if new is not item:
                changed[key] = new
        return {**value, **changed} if changed else value
    if is_list(value):
        items: list[Any] = [_shorten(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value
