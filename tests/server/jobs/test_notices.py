"""Notices between replicas; SQLite has none."""

from __future__ import annotations

from contextlib import aclosing

import anyio
import pytest

from gemini_server.errors import LocalError
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.notices import listen, notify
from gemini_server.jobs.postgres import PostgresStore
from gemini_server.jobs.store import SqliteStore
from tests.postgres import PostgresServer
from tests.server.jobs.conftest import PostgresStores
from tests.server.jobs.ledgers import insert, names

pytestmark = pytest.mark.anyio


async def test_every_replica_hears_what_was_committed_and_only_that(postgres_stores: PostgresStores) -> None:
    speaker, hearer, foreign = postgres_stores(), postgres_stores(), postgres_stores(another=True)

    def undone(ledger: Ledger) -> None:
        notify(ledger, "undone")
        raise RuntimeError

    def later(ledger: Ledger) -> None:
        insert(ledger, "a")
        notify(ledger, "second: it’s '$1'")

    async with aclosing(listen(speaker)) as own, aclosing(listen(hearer)) as others:
        assert (await anext(own), await anext(others)) == ("", "")
        await foreign.run(lambda ledger: notify(ledger, "in another ledger"))
        with pytest.raises(RuntimeError):
            await speaker.run(undone)
        await speaker.run(lambda ledger: notify(ledger, "first"))
        await speaker.run(later)
        for notices in (own, others):
            assert [await anext(notices), await anext(notices)] == ["first", "second: it’s '$1'"]


async def test_what_was_said_before_is_in_the_ledger_when_it_is_heard(postgres_stores: PostgresStores) -> None:
    speaker, hearer = postgres_stores(), postgres_stores()

    def work(ledger: Ledger) -> None:
        notify(ledger, "look")
        insert(ledger, "a")

    async with aclosing(listen(hearer)) as notices:
        assert await anext(notices) == ""
        await speaker.run(work)
        assert await anext(notices) == "look"
        assert await hearer.run(names, write=False) == ["a"]


async def test_a_lost_connection_is_made_again_and_that_is_told(
    postgres: PostgresServer, postgres_store: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with aclosing(listen(postgres_store, pause=0.01)) as notices:
        assert await anext(notices) == ""
        await anyio.to_thread.run_sync(postgres.restart)
        assert await anext(notices) == ""
        await postgres_store.run(lambda ledger: notify(ledger, "again"))
        assert await anext(notices) == "again"
    assert "do not come at present" in caplog.text


async def test_a_listener_that_is_cancelled_ends_its_connection(postgres_store: PostgresStore) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
    heard = anyio.Event()

    async def hear() -> None:
        async with aclosing(listen(postgres_store)) as notices:
            async for _ in notices:
                heard.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear)
        await heard.wait()
        assert await postgres_store.run(lambda ledger: ledger.execute(count).fetchone()) == (1,)
        tasks.cancel_scope.cancel()
    with anyio.fail_after(10):
        while await postgres_store.run(lambda ledger: ledger.execute(count).fetchone()) != (0,):
            await anyio.lowlevel.checkpoint()


async def test_on_sqlite_nobody_listens(sqlite: SqliteStore) -> None:
    await sqlite.run(lambda ledger: notify(ledger, "anybody?"))
    assert [payload async for payload in listen(sqlite)] == []


async def test_a_url_that_makes_no_sense_is_said_at_once() -> None:
    with pytest.raises(LocalError, match="not a URL"):
        await anext(listen(PostgresStore("postgresql://u:canary-pw@host/db?nonsense=1")))
