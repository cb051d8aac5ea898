from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TypeVar

import anyio
import pytest

from gemini_server.errors import LocalError
from gemini_server.jobs.ledger import Ledger, Store, StoreStatus
from gemini_server.jobs.spending import Row, Spending, book, total_nanos
from tests.server.jobs.conftest import NewStore

pytestmark = pytest.mark.anyio

T = TypeVar("T")
TODAY = date(2026, 11, 22)


class Broken:
    """A ledger that refuses to write as often as it is told to."""

    def __init__(self, store: Store, failures: int, failure: Exception) -> None:
        self.store = store
        self.failures = failures
        self.failure = failure
        self.writes = 0

    async def run(self, work: Callable[[Ledger], T], *, write: bool = True) -> T:
        if write:
            self.writes += 1
            if self.failures:
                self.failures -= 1
                raise self.failure
        return await self.store.run(work, write=write)

    async def status(self) -> StoreStatus:
        return await self.store.status()

    async def aclose(self) -> None:
        await self.store.aclose()


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


async def test_many_calls_are_one_write_and_an_empty_flush_is_none(store: Store) -> None:
    broken = Broken(store, 0, LocalError("never"))
    spending = Spending(broken, today=lambda: TODAY)
    for _ in range(100):
        spending.record("ada", "m")
    await spending.flush()
    await spending.flush()
    assert broken.writes == 1


async def test_a_failed_write_is_logged_and_made_up_for(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    broken = Broken(store, 2, LocalError("The disk is full."))
    spending = Spending(broken, today=lambda: TODAY)
    spending.record("ada", "m", cost_usd=1)
    await spending.flush()
    spending.record("ada", "m", cost_usd=2)
    await spending.flush()
    assert "The disk is full." in caplog.text
    assert (await spending.today_total("ada")).cost_usd == 3
    await spending.aclose()
    await spending.aclose()
    assert (await spending.today_total("ada")).cost_usd == 3


async def test_a_crash_while_writing_is_not_hidden_and_loses_nothing(store: Store) -> None:
    broken = Broken(store, 1, ZeroDivisionError())
    spending = Spending(broken, today=lambda: TODAY)
    spending.record("ada", "m", cost_usd=1)
    with pytest.raises(ZeroDivisionError):
        await spending.flush()
    await spending.flush()
    assert (await spending.today_total("ada")).calls == 1


async def test_the_background_task_writes_and_finishes_what_is_left(store: Store) -> None:
    broken = Broken(store, 1, LocalError("busy"))
    spending = Spending(broken, today=lambda: TODAY, pause=0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(spending.run)
        await anyio.wait_all_tasks_blocked()
        await spending.flush()  # nothing to write: the waiting task must not be forgotten
        spending.record("ada", "m", cost_usd=1)
        with anyio.fail_after(10):
            while broken.writes < 2:  # one failure, then the next try
                await anyio.lowlevel.checkpoint()
        spending.record("ada", "m", cost_usd=1)
        tasks.cancel_scope.cancel()
    rows = await store.run(
        lambda ledger: ledger.execute("SELECT calls, cost_nanos FROM spending").fetchall(), write=False
    )
    assert rows == [(2, 2_000_000_000)]


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


async def test_counts_that_no_column_holds_neither_fail_the_write_nor_take_anything_back(
    store: Store, spending: Spending
) -> None:
    for _ in range(2):
        spending.record("ada", "m", input_tokens=2**63, output_tokens=-5, cost_usd=Decimal(10) ** 20)
    await spending.flush()
    await store.run(lambda ledger: book(ledger, TODAY, "ada", "m", {"tool_tokens": 2**70}, 1e300))
    (row,) = await spending.by_day("ada")
    assert (row.calls, row.input_tokens, row.output_tokens, row.tool_tokens) == (3, 2 * 10**12, 0, 10**12)
    assert row.cost_usd == 3_000_000


async def test_what_a_transaction_books_counts_with_the_rest(store: Store, spending: Spending) -> None:
    spending.record("ada", "m", input_tokens=1, cost_usd=0.5)
    await spending.flush()

    def work(ledger: Ledger) -> int:
        book(ledger, TODAY, "ada", "m", {"input_tokens": 2, "tool_tokens": 3}, Decimal("0.25"))
        book(ledger, TODAY, "ada", "m", {}, None)
        book(ledger, TODAY, "bob", "m", {}, 1)
        return total_nanos(ledger, TODAY.isoformat(), "ada")

    assert await store.run(work) == 750_000_000
    assert await spending.by_day("ada") == [Row(TODAY, "m", 3, 3, 0, 0, 0, 3, 0.75, 1)]
    assert await store.run(lambda ledger: total_nanos(ledger, "2026-11-21", "ada")) == 0


async def test_replicas_that_write_the_same_rows_at_once_lose_nothing(new_store: NewStore) -> None:
    replicas = [Spending(new_store(), today=lambda: TODAY) for _ in range(3)]

    async def spend(replica: Spending, models: list[str]) -> None:
        for _ in range(5):
            for model in models:
                replica.record("ada", model, cost_usd=0.001)
            await replica.flush()

    async with anyio.create_task_group() as tasks:
        for number, replica in enumerate(replicas):
            tasks.start_soon(spend, replica, ["a", "b", "c", "d"][:: 1 if number % 2 else -1])
    assert [(row.model, row.calls) for row in await replicas[0].by_day("ada")] == [
        (model, 15) for model in ("a", "b", "c", "d")
    ]
