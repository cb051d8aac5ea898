"""Progress of one call, as the protocol wants it: strictly increasing, short messages, only for callers who asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gemini_server.redaction import begins_secret, hide_known

if TYPE_CHECKING:
    from gemini_server.rest.retry import RetryNote

LONGEST = 200
"""Characters of one message; clients cut or refuse longer ones."""

Send = Callable[[float, float | None, str | None], Awaitable[None]]


class Progress:
    """Reports what a call is doing. Does nothing when the caller gave no progress token."""

    def __init__(self, send: Send | None) -> None:
        self._send = send
        self._value = 0.0
        self._held = ""

    @property
    def wanted(self) -> bool:
        """Whether the caller asked for progress."""
        return self._send is not None

    async def note(self, message: str, *, value: float | None = None, total: float | None = None) -> None:
        """Say what is going on.

        Args:
            message: shown to people; cut to 200 characters.
            value: how far; a value that is not above the last one is raised just above it.
            total: the value at the end, when it is known.
        """
        if self._send is None:
            return
        self._value = value if value is not None and value > self._value else self._value + 0.001
        await self._send(self._value, total, message if len(message) <= LONGEST else message[: LONGEST - 1] + "…")

    async def text(self, piece: str) -> None:
        """Pass on a piece of the answer: messages put together are the text; the value counts its characters."""
        if self._send is None:
            return
        # The beginning of a secret waits for what follows: hidden piece by piece, it could still be put together.
        whole = self._held + piece
        begun = begins_secret(whole)
        self._held = whole[len(whole) - begun :]
        await self._pieces(self._send, hide_known(whole[: len(whole) - begun]))

    async def end_text(self) -> None:
        """The answer is over: nothing waits any more."""
        held, self._held = self._held, ""
        if self._send is not None and held:
            await self._pieces(self._send, hide_known(held))

    async def _pieces(self, send: Send, text: str) -> None:
        for start in range(0, len(text), LONGEST):
            part = text[start : start + LONGEST]
            self._value += len(part)
            await send(self._value, None, part)

    async def retry(self, note: RetryNote) -> None:
        """Say that the same request is sent again after a while, and why."""
        await self.note(f"waiting {note.delay:.1f} s, then trying again: {note.reason}")
