"""What a batch is to do, and when: a plain value that the batch itself goes by.

Source: `GenerateContentBatch` and `EmbedContentBatch` of the API reference, and the guide "Batch API".
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from .wire import Object

KEPT = timedelta(hours=48)
_PENDING_SHARE = 0.25

Kind = Literal["GenerateContent", "EmbedContent"]


@dataclass(frozen=True)
class Item:
    """One request of a batch.

    Args:
        request: the message of the direct call.
        mark: what is given back with its response: `metadata` inline, `key` in a file.
    """

    request: Object
    mark: Object


@dataclass(frozen=True)
class Plan:
    """What a batch is to do.

    Args:
        kind: which method its requests are for.
        model: the model of all requests: an id without `models/`, or the full name of a tuned model.
        items: the requests, in the order of the input.
        file_name: the file that they came from; empty when they came inline.
        polls: how many reads find it unfinished.
        lasts: how many seconds it takes by the clock instead; 0 goes by reads.
        failure: the error that it ends with.
        webhook: where its end is to be announced.
    """

    kind: Kind
    model: str
    items: list[Item]
    file_name: str
    polls: int
    lasts: float
    failure: Object | None = None
    webhook: Object = field(default_factory=dict[str, object])

    def in_turn(self) -> list[int]:
        """The positions of the requests in the order in which they are served: another one for those of a file."""
        turn = list(range(len(self.items)))
        if self.file_name and len(turn) > 1:
            random.Random(f"{self.model} {len(turn)}").shuffle(turn)
            # A shuffle may leave all as it was; a test of the order must not pass by luck.
            turn = turn[1:] + turn[:1] if turn == sorted(turn) else turn
        return turn

    def share(self, reads: int, passed: timedelta) -> float:
        """How much is done: all from 1 on, and less than 0 while the batch is pending.

        Args:
            reads: how often it has been read.
            passed: how long it has been there.
        """
        if self.lasts:
            return (passed.total_seconds() / self.lasts - _PENDING_SHARE) / (1 - _PENDING_SHARE)
        pending = self.polls // 2
        if reads > self.polls:
            return 1
        return -1 if reads <= pending else (reads - pending) / (self.polls - pending + 1)

    def ends(self, created: datetime, now: datetime) -> datetime:
        """The moment at which a batch that is done now has ended."""
        return created + timedelta(seconds=self.lasts) if self.lasts else now

    def expired(self, passed: timedelta) -> bool:
        """Whether the time of a batch that has not been seen to end is over."""
        return passed >= KEPT and not 0 < self.lasts < KEPT.total_seconds()
