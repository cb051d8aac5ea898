"""The time of one emulator: the real time, plus what a test has put the clock forward."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from .store import utc_now


class EmulatorClock:
    """A clock that can be put forward; calling it gives the time, as `store.Clock` asks for.

    It belongs to the event loop that the emulator runs in.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._moved = asyncio.Event()

    def __call__(self) -> datetime:
        """The emulator's time, in UTC."""
        return utc_now() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put the clock forward and wake whoever waits."""
        self._ahead += timedelta(seconds=seconds)
        self.wake()

    def reset(self) -> None:
        """Show the real time again."""
        self._ahead = timedelta()
        self.wake()

    def wake(self) -> None:
        """Let those who wait look again at what they wait for."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait(self, moment: datetime) -> None:
        """Wait for a moment by this clock, or for less: until the clock is put forward, or `wake` is called."""
        left = (moment - self()).total_seconds()
        if left > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), left)
