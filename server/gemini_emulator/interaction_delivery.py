"""How replies of the Interactions family go out: errors with string codes, named events, work done on the way.

Source: "API errors" and "Streaming interactions" of the Gemini API. Making media takes a while, so it happens in a
thread, and only after the faults had their turn: a request that fails before its answer has created nothing, while one
whose connection is cut inside the answer has.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TypeAlias

from anyio import to_thread

from .delivery import Delivery
from .errors import ApiError
from .exchange import Reply
from .faults import Directive
from .interaction_errors import of_family, of_front_end
from .wire import Object, dump, is_object

Stream: TypeAlias = Callable[[], AsyncGenerator[Object]]

_FAMILY = "interactions|agents|environments|voices|decisions|credentials|triggers|webhooks"
_PATH = re.compile(rf"/v1(?:alpha|beta)?/(?:{_FAMILY})(?:/|$)")
_DONE = b"event: done\ndata: [DONE]\n\n"


@dataclass
class LateReply(Reply):
    """A reply that is made when it goes out.

    Args:
        make: the JSON object; may take a while.
        stream: the events; when set, there is no object.
    """

    make: Callable[[], Object] = dict
    stream: Stream | None = None

    @classmethod
    def of_stream(cls, stream: Stream, directive: Directive) -> LateReply:
        """A reply of events."""
        return cls(events=[], directive=directive, stream=stream)


def of_interactions(path: str) -> bool:
    """Whether a path belongs to the family."""
    return _PATH.search(path) is not None


def streams(query: dict[str, str], body: object) -> bool:
    """Whether a request of the family asks for a stream."""
    return query.get("stream") == "true" or (is_object(body) and body.get("stream") is True)


class InteractionDelivery(Delivery):
    """The way out for one request of the family."""

    async def reply(self, reply: Reply, model: str) -> None:
        """Make a reply and send it."""
        if not isinstance(reply, LateReply):
            await super().reply(reply, model)
            return
        try:
            if reply.stream is not None:
                await self._events(reply.stream, reply.directive, model)
            else:
                body = await to_thread.run_sync(reply.make)
                await super().reply(Reply(body, directive=reply.directive), model)
        except ApiError as error:
            await self.error(error)

    async def error(self, error: ApiError, directive: Directive | None = None, *, array: bool = False) -> None:
        """Send an error in the words of the family, unless the front end refused the call."""
        if directive is None and of_front_end(error):
            await super().error(error, array=array)
            return
        words = Directive({**(directive or Directive()).items, "error_interactions": ""})
        await super().error(of_family(error), words, array=array)

    async def _events(self, stream: Stream, directive: Directive, model: str) -> None:
        after, pace = directive.number("after", 1), directive.seconds("pace")
        interrupted = directive.get("cut") == "inside" or directive.get("stall") == "inside"
        breaks = interrupted or "error_in_stream" in directive or "broken_json" in directive
        await self._start(200, "text/event-stream", {})
        leaving = asyncio.create_task(self._left())
        events = stream()
        sent = 0
        try:
            while not (breaks and sent >= after):
                if pace and sent:
                    await asyncio.wait({leaving}, timeout=pace)
                event = await _next(events, leaving)
                if event is None:
                    break
                await self._body(_event(event), more=True)
                sent += 1
            if directive.get("cut") == "inside":
                self._hang_up(self._scope)
            if interrupted:
                await leaving
            elif not leaving.done():
                await self._body(_tail(directive, model), more=False)
        finally:
            leaving.cancel()
            await events.aclose()


async def _next(events: AsyncGenerator[Object], leaving: asyncio.Task[None]) -> Object | None:
    """The next event; None when there is none, or when the client has left."""
    coming = asyncio.ensure_future(anext(events, None))
    try:
        await asyncio.wait({coming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() and not leaving.done() else None
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


def _event(event: Object) -> bytes:
    return f"event: {event['event_type']}\ndata: {dump(event)}\n\n".encode("utf-8", "replace")


def _tail(directive: Directive, model: str) -> bytes:
    """What ends a stream: the word that it is done, or what was asked for."""
    if "broken_json" in directive:
        return b'event: step.delta\ndata: {"index": 0, "delta": {"ty\n\n'
    if "error_in_stream" in directive:
        error: Object = of_family(directive.error(model)).interactions_body()["error"]
        return _event({"event_type": "error", "error": error})
    return _DONE
