"""Server-sent events, parsed as the bytes come (the standard: html.spec.whatwg.org, section "Server-sent events").

Gemini writes an error into a stream as a bare JSON object, without `data:`; the standard would have it ignored, here it
is an event of its own. Lines end in LF or CRLF (nobody sends the lone CR that the standard also allows). Bytes are
decoded only when an event is complete, so a character that is split between two chunks is whole again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"


class EventSizeError(Exception):
    """One event grew beyond the cap; what follows it is not read."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        data: the `data` lines, joined with LF.
        name: the `event` line; empty when there was none.
        id: the `id` line of this or the last event before it that had one; empty when there was none.
    """

    data: bytes
    name: str = ""
    id: str = ""


class SseParser:
    """Takes bytes, gives events.

    Args:
        max_event_bytes: how large one event may grow, its field names included.

    Attributes:
        signs: how many events and comments came: what shows that the other side is alive. A few bytes of an event that
            never ends are no sign.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._line: list[bytes] = []
        self._size = 0
        self._data: list[bytes] = []
        self._bare: list[bytes] = []
        self._name = ""
        self._id = ""
        self._first = True
        self.signs = 0

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that `chunk` completes.

        Raises:
            EventSizeError: an event is larger than the cap.
        """
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._grow(end - start)
            if self._line:
                self._line.append(chunk[start:end])
                line = b"".join(self._line)
                self._line.clear()
            else:
                line = chunk[start:end]
            start = end + 1
            event = self._take(line)
            if event is not None:
                yield event
        if start < len(chunk):
            self._grow(len(chunk) - start)
            self._line.append(chunk[start:] if start else chunk)

    def rest(self) -> Event | None:
        """What was left when the bytes ended: an event without its blank line, which may be cut."""
        if self._line:
            line = b"".join(self._line)
            self._line.clear()
            self._take(line)
        return self._finish()

    def _grow(self, more: int) -> None:
        self._size += more
        if self._size > self._max:
            raise EventSizeError

    def _take(self, line: bytes) -> Event | None:
        line = line.removesuffix(b"\r")
        if self._first:
            self._first = False
            line = line.removeprefix(BOM)
        if not line:
            return self._finish()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif not field:
            self.signs += 1
            self._size -= len(line)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif self._bare or line.startswith((b"{", b"[")):
            self._bare.append(line)
        return None

    def _finish(self) -> Event | None:
        self._size = 0
        name, self._name = self._name, ""
        lines = self._data or self._bare
        if not lines:
            return None
        event = Event(b"\n".join(lines), name, self._id)
        self._data.clear()
        self._bare.clear()
        self.signs += 1
        return event
