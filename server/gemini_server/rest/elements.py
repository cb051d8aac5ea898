"""The elements of a JSON array as events, for gateways that ignore `alt=sse`; an object alone is one element."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .sse import Event, EventSizeError

_MARK = re.compile(rb'\\.|[\\"{}\[\]]', re.DOTALL)


class ElementParser:
    """Takes bytes, gives events: each element as soon as it is whole. The same shape as `SseParser`.

    Args:
        max_event_bytes: how large one element may grow.

    Attributes:
        signs: how many elements came.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._base = 0
        self._quoted = False
        self._escaped = False
        self._begun = False
        self.signs = 0

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The elements that `chunk` completes.

        Raises:
            EventSizeError: an element is larger than the cap.
        """
        start = 0
        skip, self._escaped = int(self._escaped and bool(chunk)), self._escaped and not chunk
        for found in _MARK.finditer(chunk, skip):
            mark = found[0]
            if mark[:1] == b"\\":
                self._escaped = len(mark) == 1
            elif mark == b'"':
                self._quoted = not self._quoted
            elif self._quoted:
                continue
            elif mark in b"{[":
                if not self._begun and mark == b"[":
                    self._base = 1
                elif self._depth == self._base:
                    start = found.start()
                self._begun = True
                self._depth += 1
            elif self._depth:
                self._depth -= 1
                if self._depth == self._base:
                    self._keep(chunk[start : found.end()])
                    yield Event(self._taken())
                elif not self._depth:
                    self._base = 0
        if self._depth > self._base:
            self._keep(chunk[start:])

    def rest(self) -> Event | None:
        """What was left when the bytes ended: an element or an array without its end."""
        return Event(self._taken() or b"[") if self._depth else None

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max:
            raise EventSizeError
        self._parts.append(part)

    def _taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        self.signs += 1
        return data
