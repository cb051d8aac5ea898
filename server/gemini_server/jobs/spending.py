"""What was spent: tokens and money by day, model and principal.

Money is whole nano-dollars inside, so that sums are exact: the cheapest token of the catalogue costs 10 of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import anyio

from gemini_server.errors import ToolserverError
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.money import NANOS, cost_nanos

logger = logging.getLogger(__name__)

# Of one call. A count that no column holds must neither keep a job's files from being written nor end the server.
_MOST_TOKENS = 10**12
_LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class _Counts:
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    cached_tokens: int = 0
    tool_tokens: int = 0
    cost_nanos: int = 0
    unpriced_calls: int = 0

    def add(self, other: _Counts) -> None:
        self.calls += other.calls
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.thought_tokens += other.thought_tokens
        self.cached_tokens += other.cached_tokens
        self.tool_tokens += other.tool_tokens
        self.cost_nanos += other.cost_nanos
        self.unpriced_calls += other.unpriced_calls

    def values(self) -> tuple[int, ...]:
        return tuple(getattr(self, column) for column in _COLUMNS)


_COLUMNS = tuple(field.name for field in fields(_Counts))
_Key = tuple[str, str, str]  # day, principal, model

_UPSERT = (
    f"INSERT INTO spending (day, principal, model, {', '.join(_COLUMNS)})"  # noqa: S608 - column names of this file
    f" VALUES ({', '.join('?' * (3 + len(_COLUMNS)))}) ON CONFLICT (day, principal, model) DO UPDATE SET "
    + ", ".join(f"{column} = spending.{column} + excluded.{column}" for column in _COLUMNS)
)
_SELECT = f"SELECT day, principal, model, {', '.join(_COLUMNS)} FROM spending WHERE principal = ? AND day >= ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Row:
    """One model on one day. `cost_usd` is of the calls whose price is known, None when that is none of them."""

    day: date
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    thought_tokens: int
    cached_tokens: int
    tool_tokens: int
    cost_usd: float | None
    unpriced_calls: int


class Total(NamedTuple):
    """A day's sum: US dollars of the priced calls, all calls, and those among them whose price is unknown."""

    cost_usd: float
    calls: int
    unpriced_calls: int


class Spending:
    """Counts what calls cost, in memory, and adds it to the ledger a little later.

    Args:
        store: the ledger.
        today: the day that a call is counted for.
        pause: seconds that `run` collects for before it writes.
    """

    def __init__(self, store: Store, *, today: Callable[[], date], pause: float = 1.0) -> None:
        self._store = store
        self._today = today
        self._pause = pause
        self._pending: dict[_Key, _Counts] = {}
        self._something = anyio.Event()
        self._writing = anyio.Lock()

    def record(
        self,
        principal: str,
        model: str,
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        thought_tokens: int = 0,
        cached_tokens: int = 0,
        tool_tokens: int = 0,
        cost_usd: Decimal | float | None = None,
    ) -> None:
        """Counts one call; call it on the event loop. It writes nothing and cannot fail.

        Args:
            principal: who called.
            model: the model that is billed.
            input_tokens: of the prompt, cached ones included.
            output_tokens: of the answer, without thoughts.
            thought_tokens: of the thoughts.
            cached_tokens: those of the input that came from a cache.
            tool_tokens: that built-in tools put into the prompt.
            cost_usd: US dollars; None when the price is unknown, which is counted as such and never as 0.
        """
        counts = _counts(cost_usd, input_tokens, output_tokens, thought_tokens, cached_tokens, tool_tokens)
        self._merge((self._today().isoformat(), principal, model), counts)

    async def flush(self) -> None:
        """Writes what was counted since the last time; a failure is logged, the counts are kept for the next try."""
        with anyio.CancelScope(shield=True):
            async with self._writing:
                taken, self._pending = self._pending, {}
                if self._something.is_set():  # an unset one may have a waiter
                    self._something = anyio.Event()
                if not taken:
                    return

                def work(ledger: Ledger) -> None:
                    # In one order in all replicas: those that wait for each other's rows would stand still.
                    ledger.executemany(_UPSERT, [(*key, *counts.values()) for key, counts in sorted(taken.items())])

                try:
                    await self._store.run(work)
                except BaseException as failure:
                    for key, counts in taken.items():
                        self._merge(key, counts)
                    if not isinstance(failure, ToolserverError):
                        raise
                    logger.warning("Spending was not written and is kept for the next try: %s", failure)

    async def run(self) -> None:
        """Writes in the background until cancelled, then once more; start it in a task group."""
        pause = self._pause
        try:
            while True:
                await self._something.wait()
                await anyio.sleep(pause)
                await self.flush()
                # Something left over means that the ledger refused: try less and less often, so the log stays readable.
                pause = min(pause * 2, _LONGEST_PAUSE) if self._pending else self._pause
        finally:
            await self.flush()

    async def aclose(self) -> None:
        """Writes what is left; the store is its owner's to close, after this."""
        await self.flush()

    async def by_day(self, principal: str, *, days: int = 30) -> list[Row]:
        """The principal's last `days` days, today included, the newest first, then by model."""
        since = (self._today() - timedelta(days=days - 1)).isoformat()
        counted = await self._since(principal, since)
        rows = [_row(date.fromisoformat(day), model, counts) for (day, _, model), counts in counted.items()]
        return sorted(rows, key=lambda row: (-row.day.toordinal(), row.model))

    async def today_total(self, principal: str) -> Total:
        """What the principal has spent today, calls counted in memory included."""
        total = _Counts()
        for counts in (await self._since(principal, self._today().isoformat())).values():
            total.add(counts)
        return Total(total.cost_nanos / NANOS, total.calls, total.unpriced_calls)

    async def _since(self, principal: str, day: str) -> dict[_Key, _Counts]:
        def work(ledger: Ledger) -> list[Any]:
            return ledger.execute(_SELECT, (principal, day)).fetchall()

        # Nothing is on its way to the file while the lock is held, so every call is counted exactly once.
        async with self._writing:
            rows = await self._store.run(work, write=False)
            counted = {(day, whose, model): _Counts(*counts) for day, whose, model, *counts in rows}
            for key, counts in self._pending.items():
                if key[1] == principal and key[0] >= day:
                    counted.setdefault(key, _Counts()).add(counts)
            return counted

    def _merge(self, key: _Key, counts: _Counts) -> None:
        self._pending.setdefault(key, _Counts()).add(counts)
        self._something.set()


def book(
    ledger: Ledger, day: date, principal: str, model: str, tokens: Mapping[str, int], cost_usd: Decimal | float | None
) -> None:
    """Adds one call at once, in a transaction that is under way.

    Args:
        ledger: the ledger.
        day: the day that it is counted for.
        principal: who called.
        model: the model that is billed.
        tokens: by the names of `Spending.record`.
        cost_usd: US dollars; None when the price is unknown.
    """
    ledger.execute(_UPSERT, (day.isoformat(), principal, model, *_counts(cost_usd, **tokens).values()))


def total_nanos(ledger: Ledger, day: str, principal: str) -> int:
    """What a principal has spent on a day (ISO 8601) by the ledger, in nano-dollars."""
    (total,) = ledger.execute(
        "SELECT coalesce(sum(cost_nanos), 0) FROM spending WHERE principal = ? AND day = ?", (principal, day)
    ).fetchone()
    return int(total)


def _counts(
    cost_usd: Decimal | float | None,
    input_tokens: int = 0,
    output_tokens: int = 0,
    thought_tokens: int = 0,
    cached_tokens: int = 0,
    tool_tokens: int = 0,
) -> _Counts:
    nanos = 0 if cost_usd is None else cost_nanos(cost_usd)
    tokens = (input_tokens, output_tokens, thought_tokens, cached_tokens, tool_tokens)
    read, made, thought, cached, tools = (min(max(count, 0), _MOST_TOKENS) for count in tokens)
    return _Counts(1, read, made, thought, cached, tools, nanos, int(cost_usd is None))


def _row(day: date, model: str, counts: _Counts) -> Row:
    return Row(
        day=day,
        model=model,
        calls=counts.calls,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        thought_tokens=counts.thought_tokens,
        cached_tokens=counts.cached_tokens,
        tool_tokens=counts.tool_tokens,
        cost_usd=None if counts.unpriced_calls == counts.calls else counts.cost_nanos / NANOS,
        unpriced_calls=counts.unpriced_calls,
    )
