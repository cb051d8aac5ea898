"""What every ledger does, whatever keeps it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from gemini_server.errors import LocalError, ToolserverError
from gemini_server.jobs import opening, postgres_connection, schema
from gemini_server.jobs.conversations import Conversations
from gemini_server.jobs.ledger import Ledger, Store, take_turns
from gemini_server.jobs.postgres import PostgresStore
from gemini_server.jobs.schema import CLOCK, NOW
from gemini_server.jobs.spending import Spending
from gemini_server.jobs.store import SqliteStore
from tests.server.jobs.conftest import Engine, NewStore, SetClock
from tests.server.jobs.ledgers import columns, insert, inserting, names

pytestmark = pytest.mark.anyio


def set_version(ledger: Ledger, number: int) -> None:
    if ledger.dialect == "sqlite":
        ledger.execute(f"PRAGMA user_version = {number}")
    else:
        ledger.execute("UPDATE ledger_schema SET version = ?", (number,))


async def test_nothing_is_created_before_the_first_use(store: Store, tmp_path: Path, engine: Engine) -> None:
    status = await store.status()
    assert (status.engine, status.exists, status.writable, status.schema, status.bytes) == (
        engine,
        False,
        True,
        None,
        0,
    )
    assert list(tmp_path.iterdir()) == []


async def test_status_tells_size_and_schema(store: Store, engine: Engine, tmp_path: Path) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    status = await store.status()
    assert (status.exists, status.writable, status.problem) == (True, True, "")
    assert status.bytes > 0
    assert status.schema == len(schema.MIGRATIONS)
    if engine == "sqlite":
        assert status.where == str(tmp_path / "state" / "ledger.db")
    else:
        assert status.where.startswith("the PostgreSQL database postgres at /")
        assert "(version " in status.where


async def test_importing_the_stores_imports_no_engine() -> None:
    code = (
        "import sys, gemini_server.jobs.store, gemini_server.jobs.postgres, gemini_server.jobs.notices,"
        " gemini_server.jobs.conversations, gemini_server.jobs.spending, gemini_server.jobs.secrets;"
        "sys.exit(bool({'sqlite3', 'psycopg'} & sys.modules.keys()))"
    )
    done = await anyio.run_process([sys.executable, "-c", code], env=environment(), check=False)
    assert done.returncode == 0


async def test_the_ledger_says_what_it_is(store: Store, engine: Engine) -> None:
    said = await store.run(lambda ledger: (ledger.dialect, ledger.for_update, ledger.skip_locked))
    locks = ("", "") if engine == "sqlite" else (" FOR UPDATE", " FOR UPDATE SKIP LOCKED")
    assert said == (engine, *locks)


async def test_a_failure_undoes_the_whole_work(store: Store) -> None:
    def half(ledger: Ledger) -> None:
        insert(ledger, "a")
        raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        await store.run(half)
    assert await store.run(names) == []


async def test_a_wrong_statement_is_a_crash_and_not_a_failure_of_the_machine(store: Store) -> None:
    with pytest.raises(Exception, match="nowhere") as caught:
        await store.run(lambda ledger: ledger.execute("SELECT * FROM nowhere"))
    assert not isinstance(caught.value, ToolserverError)
    assert await store.run(names) == []


async def test_a_cancelled_call_finishes_its_write_and_does_not_block_the_loop(store: Store) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(ledger: Ledger) -> None:
        insert(ledger, "a")
        started.set()
        assert go_on.wait(10)
        insert(ledger, "b")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, slow)
        await anyio.to_thread.run_sync(started.wait, 10)  # the loop is free while the work is under way
        tasks.cancel_scope.cancel()
        go_on.set()
    assert await store.run(names) == ["a", "b"]


async def test_reading_does_not_wait_for_a_writer_and_sees_one_moment(new_store: NewStore) -> None:
    reader, writer = new_store(), new_store()
    await reader.run(lambda ledger: insert(ledger, "a"))
    began, written = threading.Event(), threading.Event()
    seen: list[list[str]] = []

    def read(ledger: Ledger) -> None:
        seen.append(names(ledger))
        began.set()
        assert written.wait(10)
        seen.append(names(ledger))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: reader.run(read, write=False))
        await anyio.to_thread.run_sync(began.wait, 10)
        await writer.run(lambda ledger: insert(ledger, "b"))
        written.set()
    assert seen == [["a"], ["a"]]
    assert await reader.run(names, write=False) == ["a", "b"]


async def test_waiting_too_long_for_another_writer_is_said(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(postgres_connection, "BUSY_SECONDS", 0.05)
    mine, other = new_store(), new_store()
    await mine.run(lambda ledger: insert(ledger, "a"))
    held, done = threading.Event(), threading.Event()

    def touch(ledger: Ledger) -> None:
        ledger.execute("UPDATE conversations SET turns = turns + 1")

    def hold(ledger: Ledger) -> None:
        touch(ledger)
        held.set()
        assert done.wait(10)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other.run, hold)
        await anyio.to_thread.run_sync(held.wait, 10)
        with pytest.raises(LocalError, match="another process has held it") as caught:
            await mine.run(touch)
        assert caught.value.code == "ledger_busy"
        done.set()
    await mine.run(touch)
    assert await mine.run(lambda ledger: ledger.execute("SELECT turns FROM conversations").fetchone()) == (2,)


async def test_transactions_that_take_turns_decide_one_after_the_other(new_store: NewStore) -> None:
    def one_more(ledger: Ledger) -> None:
        take_turns(ledger, "the conversations of p")
        (there,) = ledger.execute("SELECT count(*) FROM conversations").fetchone()
        insert(ledger, str(there))

    stores = [new_store(), new_store()]
    async with anyio.create_task_group() as tasks:
        for store in stores * 5:
            tasks.start_soon(store.run, one_more)
    assert await stores[0].run(names) == [str(number) for number in range(10)]


async def test_a_closed_store_opens_again(store: Store) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    await store.aclose()
    assert await store.run(names) == ["a"]


async def test_a_newer_schema_is_refused_with_the_remedy(store: Store) -> None:
    await store.run(lambda ledger: set_version(ledger, 99))
    await store.aclose()
    with pytest.raises(LocalError, match="Update gemini-toolserver") as caught:
        await store.run(names)
    assert caught.value.code == "ledger_too_new"
    status = await store.status()
    assert not status.writable
    assert "newer version" in status.problem


async def test_an_older_schema_is_migrated_and_keeps_its_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    await store.aclose()
    script = """
CREATE TABLE later (id TEXT); -- one; two
INSERT INTO later (id) VALUES ('x;y');
INSERT INTO later (id) VALUES ('z');
"""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, script))
    assert await store.run(names) == ["a"]
    assert await store.run(lambda ledger: ledger.execute("SELECT count(*) FROM later").fetchone()[0]) == 2
    assert (await store.status()).schema == len(schema.MIGRATIONS)


async def test_a_migration_that_fails_leaves_the_ledger_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    await store.aclose()
    known = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*known, "CREATE TABLE later (id TEXT);\n", "SELECT * FROM nowhere;\n"))
    with pytest.raises(Exception, match="nowhere"):
        await store.run(names)
    monkeypatch.setattr(schema, "MIGRATIONS", known)
    assert await store.run(names) == ["a"]
    assert "later" not in await store.run(columns)


async def test_stores_that_begin_at_once_make_the_tables_once(new_store: NewStore) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(new_store().run, inserting(str(number)))
    assert await new_store().run(names) == ["0", "1", "2", "3", "4"]


async def test_the_tables_are_the_same_on_both_engines(store: Store, sqlite: SqliteStore) -> None:
    assert await store.run(columns) == await sqlite.run(columns)


async def test_values_come_back_as_they_were_given(store: Store) -> None:
    values = (2**62, -1, 0.1, 'O’Hara % ? \\ "q" 日本', None, True)

    def work(ledger: Ledger) -> object:
        ledger.execute("CREATE TABLE kinds (a BIGINT, b BIGINT, c DOUBLE PRECISION, d TEXT, e TEXT, f BIGINT)")
        ledger.executemany("INSERT INTO kinds (a, b, c, d, e, f) VALUES (?, ?, ?, ?, ?, ?)", [values, values])
        rows = ledger.execute("SELECT a, b, c, d, e, f FROM kinds WHERE d = ?", (values[3],)).fetchall()
        assert rows == [(*values[:5], 1)] * 2
        assert ledger.execute("DELETE FROM kinds").rowcount == 2
        ledger.execute("INSERT INTO secrets (name, value) VALUES ('x?y', ?)", (b"\x00\xff'",))
        return ledger.execute(
            "SELECT value, 'a?b' FROM secrets WHERE name = 'x?y' AND value = ?", (b"\x00\xff'",)
        ).fetchone()

    assert await store.run(work) == (b"\x00\xff'", "a?b")


async def test_sums_are_whole_numbers_of_64_bits(store: Store) -> None:
    def work(ledger: Ledger) -> list[Any]:
        insert(ledger, "a")
        insert(ledger, "b")
        ledger.execute("UPDATE conversations SET turns = ? * ?", (86_400, 1_000_000))
        return list(
            ledger.execute(
                "SELECT sum(turns), sum(turns) - ?, count(*), max(turns) / 7 FROM conversations", (1,)
            ).fetchone()
        )

    found = await store.run(work)
    assert found == [172_800_000_000, 172_799_999_999, 2, 12_342_857_142]
    assert {type(value) for value in found} == {int}


async def test_texts_are_compared_by_their_bytes(store: Store) -> None:
    def work(ledger: Ledger) -> list[str]:
        for name in ("b", "B", "a", "é", "Z", "_"):
            insert(ledger, name)
        return names(ledger)

    assert await store.run(work) == ["B", "Z", "_", "a", "b", "é"]


async def test_a_handle_with_a_nul_is_just_unknown(store: Store) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    assert (
        await store.run(
            lambda ledger: ledger.execute("SELECT 1 FROM conversations WHERE id = ?", ("a\x00",)).fetchone()
        )
        is None
    )


async def test_rowid_is_the_order_of_insertion(store: Store) -> None:
    for name in ("c", "a", "b"):
        await store.run(inserting(name))
    await store.run(lambda ledger: ledger.execute("UPDATE conversations SET turns = 1 WHERE id = 'c'"))
    rows = await store.run(lambda ledger: ledger.execute("SELECT id FROM conversations ORDER BY rowid").fetchall())
    assert rows == [("c",), ("a",), ("b",)]


async def test_the_clock_is_the_databases(store: Store, set_clock: SetClock) -> None:
    def look(ledger: Ledger) -> tuple[int, float]:
        now, clock = ledger.execute(f"SELECT {NOW}, {CLOCK}").fetchone()
        return now, clock

    now, clock = await store.run(look)
    assert isinstance(now, int)
    assert isinstance(clock, float)
    assert 0 <= clock - now < 1.5
    await set_clock(1_700_000_000.75)
    assert await store.run(look) == (1_700_000_000, 1_700_000_000.75)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


_WORKER = """
import sys, anyio
from datetime import date
from pathlib import Path
from typing import Any
from gemini_server.errors import ArgumentError
from gemini_server.jobs.conversations import Conversations
from gemini_server.jobs.postgres import PostgresStore
from gemini_server.jobs.spending import Spending
from gemini_server.jobs.store import SqliteStore

async def main(place, shared, name, times):
    store = PostgresStore(place) if place.startswith("postgresql:") else SqliteStore(Path(place))
    conversations, spending = Conversations(store), Spending(store, today=lambda: date(2026, 11, 22))
    own = await conversations.create("p", model=name, system=None, settings={})
    for number in range(times):
        await conversations.append("p", own, [{"n": number}], expected_turns=number)
        while shared != "none":
            seen = len((await conversations.get("p", shared)).turns)
            try:
                await conversations.append("p", shared, [{"who": name, "n": number}], expected_turns=seen)
                break
            except ArgumentError:
                pass
        spending.record("p", "shared-model", input_tokens=1, cost_usd=0.001)
        spending.record("p", "another-model")
        await spending.flush()
    await store.aclose()

anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
"""


@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "from nothing"])
async def test_three_processes_share_the_ledger_and_lose_nothing(store: Store, tmp_path: Path, prepared: bool) -> None:
    conversations = Conversations(store)
    # Unprepared, all three make the ledger in the same instant; none can have the shared conversation.
    shared = await conversations.create("p", model="m", system=None, settings={}) if prepared else "none"
    place = store.url if isinstance(store, PostgresStore) else str(tmp_path / "state")

    times = 12
    processes = [
        subprocess.Popen(  # noqa: ASYNC220 - they are waited for in a thread
            [sys.executable, "-c", _WORKER, place, shared, f"process-{number}", str(times)],
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for process in processes:
        _, errors = await anyio.to_thread.run_sync(process.communicate)
        assert process.returncode == 0, errors

    listed = await conversations.list("p")
    assert sorted(summary.turns for summary in listed if summary.model != "m") == [times] * 3
    if prepared:
        turns = (await conversations.get("p", shared)).turns
        assert len(turns) == 3 * times
        for number in range(3):
            mine = [turn["n"] for turn in turns if turn["who"] == f"process-{number}"]
            assert mine == list(range(times))
    _, row = await Spending(store, today=lambda: date(2026, 11, 22)).by_day("p")
    assert (row.calls, row.input_tokens, row.cost_usd) == (3 * times, 3 * times, 0.036)
