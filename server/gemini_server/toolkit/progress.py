"""Progress of one call, as the protocol wants it: strictly increasing, short messages, only for callers who asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

LONGEST = 200
"""Characters of one message; clients cut or refuse longer ones."""

Send = Callable[[float, float | None, str | None], Awaitable[None]]


class Progress:
    """Reports what a call is doing. Does nothing when the caller gave no progress token."""

    def __init__(self, send: Send | None) -> None:
        self._send = send
        self._value = 0.0

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
        for start in range(0, len(piece), LONGEST):
            part = piece[start : start + LONGEST]
            self._value += len(part)
            await self._send(self._value, None, part)
