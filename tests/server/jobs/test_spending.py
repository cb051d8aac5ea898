from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from gemini_server.errors import LocalError
from gemini_server.jobs.spending import Row, Spending
from gemini_server.jobs.store import Store

pytestmark = pytest.mark.anyio

T = TypeVar("T")
TODAY = date(2026, 11, 22)


class Broken(Store):
    """A ledger that refuses to write as often as it is told to."""

    def __init__(self, directory: Path, failures: int, failure: Exception) -> None:
        super().__init__(directory)
        self.failures = failures
        self.failure = failure
        self.writes = 0

    async def run(self, work: Callable[[sqlite3.Connection], T], *, write: bool = True) -> T:
        if write:
            self.writes += 1
            if self.failures:
                self.failures -= 1
                raise self.failure
        return await super().run(work, write=write)


@pytest.fixture
def spending(store: Store) -> Spending:
    return Spending(store, today=lambda: TODAY)


async def test_nothing_was_spent_at_first(spending: Spending) -> None:
    assert await spending.by_day("ada") == []
    assert await spending.today_total("ada") == (0.0, 0, 0)


async def test_tokens_and_money_add_up_by_day_and_model(spending: Spending) -> None:
    spending.record(
        "ada",
        "m",
        input_tokens=10,
        output_tokens=5,
        thought_tokens=3,
        cached_tokens=2,
        tool_tokens=1,
        cost_usd=Decimal("0.1"),
    )
    spending.record("ada", "m", input_tokens=1, cost_usd=0.2)
    spending.record("ada", "other", cost_usd=None)
    spending.record("bob", "m", cost_usd=5)
    await spending.flush()
    spending.record("ada", "m", input_tokens=1, cost_usd=0.3)
    await spending.flush()
    assert await spending.by_day("ada") == [
        Row(TODAY, "m", 3, 12, 5, 3, 2, 1, 0.6, 0),
        Row(TODAY, "other", 1, 0, 0, 0, 0, 0, None, 1),
    ]
    assert await spending.today_total("ada") == (0.6, 4, 1)


async def test_calls_not_yet_written_count_already(spending: Spending) -> None:
    spending.record("ada", "m", cost_usd=0.5)
    assert (await spending.today_total("ada")).cost_usd == 0.5
    await spending.flush()
    spending.record("ada", "m", cost_usd=None)
    assert await spending.today_total("ada") == (0.5, 2, 1)
    assert [row.calls for row in await spending.by_day("ada")] == [2]


async def test_money_is_exact_to_the_nano_dollar(spending: Spending) -> None:
    for _ in range(10_000):
        spending.record("ada", "m", cost_usd=0.000_000_01)
    await spending.flush()
    assert (await spending.today_total("ada")).cost_usd == 0.0001


async def test_a_free_call_costs_nothing_and_is_not_unpriced(spending: Spending) -> None:
    spending.record("ada", "gemma-4-31b-it", cost_usd=0)
    (row,) = await spending.by_day("ada")
    assert (row.cost_usd, row.unpriced_calls) == (0.0, 0)


async def test_a_call_belongs_to_the_day_on_which_it_was_made(store: Store) -> None:
    day = [date(2026, 10, 1)]
    spending = Spending(store, today=lambda: day[0])
    for day[0] in (date(2026, 10, 1), date(2026, 11, 21), TODAY):
        spending.record("ada", "m", cost_usd=1)
    await spending.flush()
    assert [row.day for row in await spending.by_day("ada", days=30)] == [TODAY, date(2026, 11, 21)]
    assert [row.day for row in await spending.by_day("ada", days=1)] == [TODAY]
    assert (await spending.today_total("ada")).calls == 1


async def test_many_calls_are_one_write_and_an_empty_flush_is_none(tmp_path: Path) -> None:
    store = Broken(tmp_path, 0, LocalError("never"))
    spending = Spending(store, today=lambda: TODAY)
    for _ in range(100):
        spending.record("ada", "m")
    await spending.flush()
    await spending.flush()
    assert store.writes == 1
    await store.aclose()


async def test_a_failed_write_is_logged_and_made_up_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Broken(tmp_path, 2, LocalError("The disk is full."))
    spending = Spending(store, today=lambda: TODAY)
    spending.record("ada", "m", cost_usd=1)
    await spending.flush()
    spending.record("ada", "m", cost_usd=2)
    await spending.flush()
    assert "The disk is full." in caplog.text
    assert (await spending.today_total("ada")).cost_usd == 3
    await spending.aclose()
    await spending.aclose()
    assert (await spending.today_total("ada")).cost_usd == 3
    await store.aclose()


async def test_a_crash_while_writing_is_not_hidden_and_loses_nothing(tmp_path: Path) -> None:
    store = Broken(tmp_path, 1, ZeroDivisionError())
    spending = Spending(store, today=lambda: TODAY)
    spending.record("ada", "m", cost_usd=1)
    with pytest.raises(ZeroDivisionError):
        await spending.flush()
    await spending.flush()
    assert (await spending.today_total("ada")).calls == 1
    await store.aclose()


async def test_the_background_task_writes_and_finishes_what_is_left(tmp_path: Path) -> None:
    store = Broken(tmp_path, 1, LocalError("busy"))
    spending = Spending(store, today=lambda: TODAY, pause=0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(spending.run)
        await anyio.wait_all_tasks_blocked()
        await spending.flush()  # nothing to write: the waiting task must not be forgotten
        spending.record("ada", "m", cost_usd=1)
        with anyio.fail_after(10):
            while store.writes < 2:  # one failure, then the next try
                await anyio.lowlevel.checkpoint()
        spending.record("ada", "m", cost_usd=1)
        tasks.cancel_scope.cancel()
    rows = await store.run(
        lambda ledger: ledger.execute("SELECT calls, cost_nanos FROM spending").fetchall(), write=False
    )
    assert rows == [(2, 2_000_000_000)]
    await store.aclose()


async def test_calls_recorded_while_writing_are_counted_once(spending: Spending) -> None:
    async def record(times: int) -> None:
        for _ in range(times):
            spending.record("ada", "m", cost_usd=0.001)
            await spending.flush()

    async def look() -> None:
        seen = 0
        for _ in range(20):
            calls = (await spending.today_total("ada")).calls
            assert calls >= seen
            seen = calls

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(record, 10)
        tasks.start_soon(look)
    assert await spending.today_total("ada") == (0.04, 40, 0)
