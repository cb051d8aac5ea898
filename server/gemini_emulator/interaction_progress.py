"""How far work in the background has come: by polls, or by the emulator's clock.

Left alone, work goes on with each poll, so that tests need no waiting, and is over at the latest when its usual time
has passed. `polls=` counts polls alone, `lasts=` the clock alone. Source: "Background execution" of the Gemini API.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .clock import EmulatorClock
from .faults import Directive

USUAL = 600.0
_POLLS = 2


class Progress:
    """The progress of one interaction.

    Args:
        clock: the emulator's time.
        directive: what a test wants to happen.
        background: whether there is anything to wait for.
        polls: how many polls usually find it unfinished.
        usual: after how many seconds it is over, whoever looks or not.
    """

    def __init__(
        self,
        clock: EmulatorClock,
        directive: Directive,
        *,
        background: bool,
        polls: int = _POLLS,
        usual: float = USUAL,
    ) -> None:
        self._clock = clock
        self.created: datetime = clock()
        self._background = background
        self._polls = directive.number("polls", polls)
        self.lasts = directive.seconds("lasts") if background else 0.0
        self._usual = self.lasts or (0.0 if "polls" in directive else usual)
        self._looks = 0

    @property
    def looked_at(self) -> bool:
        """Whether it has been polled."""
        return self._looks > 0

    @property
    def share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        if not self._background:
            return 1
        passed = (self._clock() - self.created).total_seconds()
        timed = passed / self._usual if self._usual else 0.0
        if self.lasts:
            return min(1.0, timed)
        polled = self._looks / self._polls if self._polls else 1.0
        # Time alone ends such work; between two polls it stands still, so that what a test sees does not hang on it.
        return 1.0 if timed >= 1 else min(1.0, polled)

    @property
    def ends(self) -> datetime | None:
        """When it is over by the clock; None when only polls count."""
        return self.created + timedelta(seconds=self._usual) if self._usual else None

    def look(self) -> None:
        """Count a poll."""
        self._looks += 1

    def moment(self, share: float) -> datetime:
        """When so much of the work is done, for work that goes by the clock."""
        return self.created + timedelta(seconds=self.lasts * share)
