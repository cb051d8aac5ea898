"""How often Google is asked how a job stands, and what failed on this machine is tried again."""

from __future__ import annotations

import random as random_module
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Rhythms; every pause is jittered by a fifth, because replicas must not ask in step.

    Attributes:
        first: seconds until the first question.
        growth: by which each pause is longer than the one before.
        longest: seconds between two questions.
        retry: seconds until what failed is tried again, in the beginning; it doubles.
        longest_retry: likewise, in the end.
        random: 0 to 1.
    """

    first: float = 3.0
    growth: float = 1.25
    longest: float = 15.0
    retry: float = 2.0
    longest_retry: float = 60.0
    random: Callable[[], float] = random_module.random

    def poll(self, asked: int) -> float:
        """Seconds until the next question after so many."""
        return self._jittered(min(self.first * self.growth ** min(asked, 50), self.longest))

    def again(self, failures: int) -> float:
        """Seconds until the next try after so many failures."""
        return self._jittered(min(self.retry * 2.0 ** min(failures, 30), self.longest_retry))

    def _jittered(self, seconds: float) -> float:
        return seconds * (0.8 + 0.4 * self.random())
