"""Live sessions that stay open while a caller runs functions.

The model waits for the results on the very connection on which it called, and gives no handle meanwhile. So the
connection is kept for a few minutes, in this process; whoever brings the results later, or to another process, has them
told in words (see `live_request`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import anyio

from gemini_server.api.live import ClientMessage, LiveUsage, ServerMessage
from gemini_server.errors import Overloaded, ToolserverError
from gemini_server.rest.websocket import Socket

PATIENCE = 300.0
"""Seconds for which a session is kept open; Google ends it after ten minutes anyway."""
MOST = 16
"""Sessions that are kept open; one more ends the oldest."""

LiveSocket = Socket[ClientMessage, ServerMessage]


@dataclass(frozen=True, slots=True)
class _Held:
    socket: LiveSocket
    turns: int
    timer: asyncio.TimerHandle


async def settled(socket: LiveSocket) -> list[LiveUsage] | None:
    """Take what has come since the functions were called, so that none of it is held for the answer to their results.

    Returns:
        The tokens of the calls, which nobody has counted; None when the session does not wait any more.
    """
    spent: list[LiveUsage] = []
    try:
        while True:
            message = await socket.receive(0)
            if message.tool_call is not None or message.tool_call_cancellation is not None:
                return None  # it waits for something else
            spent += [message.usage_metadata] if message.usage_metadata else []
    except Overloaded:
        return None if socket.ended else spent
    except ToolserverError:
        return None


class Waiting:
    """The open sessions, by conversation."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def hold(self, conversation: str, turns: int, socket: LiveSocket) -> None:
        """Keep a session open for a conversation of so many turns."""
        while len(self._held) >= MOST:
            self._end(next(iter(self._held)))
        timer = asyncio.get_running_loop().call_later(PATIENCE, self._end, conversation)
        self._held[conversation] = _Held(socket, turns, timer)

    def take(self, conversation: str, turns: int) -> LiveSocket | None:
        """The open session of a conversation, which the caller closes from now on; None without one.

        One that waited after another number of turns is ended: another process has gone on with the conversation.
        """
        held = self._held.pop(conversation, None)
        if held is None:
            return None
        held.timer.cancel()
        if held.socket.ended or held.turns != turns:
            self._close(held.socket)
            return None
        return held.socket

    def _end(self, conversation: str) -> None:
        held = self._held.pop(conversation, None)
        if held is not None:
            held.timer.cancel()
            self._close(held.socket)

    def _close(self, socket: LiveSocket) -> None:
        closing = asyncio.get_running_loop().create_task(socket.aclose())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """End all of them."""
        with anyio.CancelScope(shield=True):
            for conversation in list(self._held):
                self._end(conversation)
            await asyncio.gather(*self._closing)
