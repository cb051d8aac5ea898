"""A stream of events as an async iterator that knows whether it ended or broke."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Generic, Literal

import anyio
import httpx2

from gemini_server.errors import BadAnswer, ToolserverError

from . import answer, failure
from .complaint import complaint_of, error_object
from .config import ClientConfig
from .connection import LOOK_FIRST, ON_PURPOSE
from .elements import ElementParser
from .endpoint import AnswerT, Endpoint, Repeat
from .json_values import object_of
from .retry import AttemptError, Fault
from .sse import BOM, Event, EventSizeError, SseParser

Reason = Literal["cut", "idle", "deadline", "too_large", "not_json"]

_DONE = b"[DONE]"
_FIELDS = (b":", b"data:", b"event:", b"id:", b"retry:")
_LIFE_BYTES = 65_536
"""So much more of one large event also shows that the other side is alive; a byte a minute does not."""


_AFTER: dict[Repeat | None, tuple[str, str]] = {
    None: (
        "",
        "What came before is good as far as it goes; a new call starts, and bills, the answer from the beginning.",
    ),
    "read": ("", "Nothing of it had come, and nothing was billed: call again."),
    "foreground": ("may_have_been_billed", f"Nothing of it had come, and it may have been billed. {ON_PURPOSE}"),
    "background": ("unknown", f"Nothing of it had come, and it may have been billed. {LOOK_FIRST}"),
}
"""Code and remedy of a broken stream: after its first event, and for each kind of endpoint before it."""


class StreamBroken(BadAnswer):
    """A stream that ended before it was complete; what came before is good.

    Args:
        what: what happened.
        reason: see below.
        nothing: what the endpoint allows, when not one event came before; None when there was one.
        retries: how many further attempts were made.

    Attributes:
        reason: `cut` (the connection ended), `idle` (no event for the idle timeout), `deadline` (the call's time is
            up), `too_large` (an event or the whole beyond the cap), `not_json` (an event the API does not promise).
    """

    default_code = "stream_broken"

    def __init__(self, what: str, reason: Reason, *, nothing: Repeat | None = None, retries: int = 0) -> None:
        code, remedy = _AFTER[nothing]
        super().__init__(what, remedy, code=code, retries=retries)
        self.reason: Reason = reason


class EventStream(Generic[AnswerT]):
    """The events of one call, each as the endpoint's answer type.

    Iterating ends at the end of the stream or at `[DONE]`.

    Attributes:
        retries: how many further attempts it took until the first event came.
        last_event_id: the `id` of the last event that had one, for resuming; empty when none had.

    Raises:
        StreamBroken: while iterating, after the events that came.
        ToolserverError: while iterating, whatever error Gemini sent as an event.
    """

    def __init__(
        self,
        response: httpx2.Response,
        endpoint: Endpoint[AnswerT],
        config: ClientConfig,
        *,
        deadline: float,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.retries = 0
        self.last_event_id = ""
        self._response = response
        self._endpoint = endpoint
        self._billed = endpoint.billed or endpoint.repeat != "read"
        self._config = config
        self._deadline = deadline
        self._clock = clock
        self._wall = wall
        self._chunks: AsyncGenerator[bytes, None] = response.aiter_bytes()
        self._parser: SseParser | ElementParser | None = None
        self._head: bytes = b""
        self._events: deque[Event] = deque()
        self._first: AnswerT | None = None
        self._torn: Event | None = None
        self._ended = False
        self._any = False
        self._bytes = 0
        self._silent = 0.0
        self._unsigned = 0

    def __aiter__(self) -> EventStream[AnswerT]:
        return self

    async def __anext__(self) -> AnswerT:
        if self._first is not None:
            value, self._first = self._first, None
            return value
        try:
            found = await self._next()
        except AttemptError as failed:
            await self.aclose()
            failed.fault.error.retries = self.retries
            raise failed.fault.error from failed.__cause__
        if found is None:
            await self.aclose()
            raise StopAsyncIteration
        return found

    async def begin(self) -> None:
        """Waits for the first event, so that what fails before it can be repeated.

        Raises:
            AttemptError: nothing came, or the first event is an error.
        """
        self._first = await self._next()

    async def aclose(self) -> None:
        """Drops the connection if the stream has not ended; safe to call twice."""
        self._ended = True
        self._events.clear()
        await self._chunks.aclose()
        await self._response.aclose()

    async def _next(self) -> AnswerT | None:
        while True:
            while not self._events:
                if self._ended:
                    return None
                await self._receive()
            event = self._events.popleft()
            if event.id:
                self.last_event_id = event.id
            if event.data.strip():
                break  # one without data is a sign of life and nothing else
        if event.data == _DONE:
            self._ended = True
            return None
        if b'"error"' in event.data or event.name == "error":
            self._raise_error(event)
        try:
            found = await answer.parse(self._endpoint.answer, event.data, billed=self._billed)
        except BadAnswer as exc:
            if event is self._torn:
                raise self._broken("Gemini's answer was cut off in the middle of an event.", "cut") from exc
            raise self._broken(exc.what, "not_json") from exc
        self._any = True
        return found

    async def _receive(self) -> None:
        """One more chunk of bytes, and the events that it completes."""
        before = self._clock()
        remaining = self._deadline - before
        patience = self._config.idle_timeout - self._silent
        chunk: bytes | None = None
        with anyio.move_on_after(max(0.0, min(remaining, patience))) as scope:
            try:
                chunk = await anext(self._chunks, None)
            except httpx2.ReadTimeout as exc:
                raise self._idle() from exc
            except (httpx2.TransportError, httpx2.DecodingError) as exc:
                raise self._broken("Gemini's answer was cut off.", "cut") from exc
        now = self._clock()
        if scope.cancelled_caught or now >= self._deadline:
            if remaining <= patience or now >= self._deadline:
                raise self._broken("The time for this call is up, and Gemini had not finished.", "deadline")
            raise self._idle()
        if chunk is None:
            self._finish()
            return
        self._take(chunk, now - before)

    def _take(self, chunk: bytes, waited: float) -> None:
        self._bytes += len(chunk)
        if self._bytes > self._config.max_answer_bytes:
            raise self._broken("Gemini's answer is larger than this server reads.", "too_large")
        parser = self._parser
        if parser is None:
            chunk = self._head + chunk
            parser = self._parser = self._sniff(chunk)
            self._head = b"" if parser else chunk.lstrip()
        signs = parser.signs if parser else 0
        try:
            if parser:
                self._events.extend(parser.feed(chunk))
        except EventSizeError as exc:
            raise self._broken("One event of Gemini's answer is larger than this server reads.", "too_large") from exc
        self._unsigned += len(chunk)
        if (parser and parser.signs != signs) or self._unsigned >= _LIFE_BYTES:
            self._silent = 0.0
            self._unsigned = 0
        else:
            self._silent += waited
            if self._silent >= self._config.idle_timeout:
                raise self._idle()

    def _finish(self) -> None:
        self._ended = True
        parser = self._parser
        self._torn = parser.rest() if parser else None
        if self._torn is not None:
            self._events.append(self._torn)
        elif not parser or not parser.signs:
            raise self._broken("Gemini's answer ended before it began.", "cut")

    def _sniff(self, head: bytes) -> SseParser | ElementParser | None:
        """What reads this stream, by its first bytes; None while they do not tell.

        Gateways send events under a wrong content type, and JSON where events were asked for.
        """
        content_type = self._response.headers.get("content-type", "").partition(";")[0].strip().lower()
        begin = head.removeprefix(BOM).lstrip()
        if BOM.startswith(begin):
            return None
        if begin.startswith(b"[") or (begin.startswith(b"{") and content_type != "text/event-stream"):
            return ElementParser(self._config.max_event_bytes)
        if content_type not in ("application/json", "text/html") or begin.startswith(_FIELDS):
            return SseParser(self._config.max_event_bytes)
        if any(field.startswith(begin) for field in _FIELDS):
            return None
        what = f"Gemini answered with {content_type} where a stream of events was asked for."
        raise self._broken(what, "not_json")

    def _raise_error(self, event: Event) -> None:
        """Raises the error that an event carries; an event that only mentions the word passes."""
        try:
            value: Any = json.loads(event.data)
        except (ValueError, RecursionError):
            return
        error = error_object(value)
        top: Mapping[str, Any] = object_of(value)
        if top.get("event_type") not in (None, "error"):
            return
        if error is None and event.name == "error":
            error = top
        if error is not None:
            complaint = complaint_of(error)
            fault = failure.fault_of(complaint, {}, repeat=self._endpoint.repeat, wall=self._wall)
            raise AttemptError(failure.under_way(fault, self._endpoint))

    def _idle(self) -> AttemptError:
        return self._broken(f"Gemini's answer stopped: nothing came for {self._config.idle_timeout:g} s.", "idle")

    def _broken(self, what: str, reason: Reason) -> AttemptError:
        nothing = None if self._any else self._endpoint.repeat
        error: ToolserverError = StreamBroken(what, reason, nothing=nothing, retries=self.retries)
        return AttemptError(Fault(error, again=self._endpoint.repeat == "read" and reason in ("cut", "idle")))
