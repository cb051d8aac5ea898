from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from gemini_server.errors import LocalError
from gemini_server.jobs import opening, schema
from gemini_server.jobs.store import Store

pytestmark = pytest.mark.anyio


def insert(ledger: sqlite3.Connection, name: str) -> None:
    ledger.execute(
        "INSERT INTO conversations (id, principal, model, settings, created, updated) VALUES (?, 'p', 'm', '{}', 0, 0)",
        (name,),
    )


def names(ledger: sqlite3.Connection) -> list[str]:
    return [name for (name,) in ledger.execute("SELECT id FROM conversations ORDER BY id")]


def entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def test_nothing_is_created_before_the_first_use(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    status = await store.status()
    assert not status.exists
    assert status.writable
    assert status.schema is None
    assert entries(tmp_path) == []


async def test_importing_the_store_does_not_import_sqlite() -> None:
    code = (
        "import sys, gemini_server.jobs.store, gemini_server.jobs.conversations, gemini_server.jobs.spending;"
        "sys.exit('sqlite3' in sys.modules)"
    )
    done = await anyio.run_process([sys.executable, "-c", code], env=environment(), check=False)
    assert done.returncode == 0


async def test_the_ledger_is_durable_and_waits_for_other_writers(store: Store) -> None:
    def pragmas(ledger: sqlite3.Connection) -> list[object]:
        asked = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "user_version")
        return [ledger.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]

    assert await store.run(pragmas) == ["wal", 2, 10_000, 1, len(schema.MIGRATIONS)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
async def test_the_ledger_is_private_whatever_the_umask(store: Store, umask: int) -> None:
    before = os.umask(umask)
    try:
        await store.run(lambda ledger: insert(ledger, "a"))
    finally:
        os.umask(before)
    assert mode(store.path.parent) == 0o700
    files = entries(store.path.parent)
    assert [file.name for file in files if not file.name.endswith(".lock")] == [
        "ledger.db",
        "ledger.db-shm",
        "ledger.db-wal",
    ]
    assert {mode(file) for file in files} == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
async def test_a_ledger_that_others_may_read_is_made_private(store: Store) -> None:
    store.path.parent.mkdir(mode=0o755)
    store.path.touch(0o644)
    await store.run(lambda ledger: insert(ledger, "a"))
    assert mode(store.path) == 0o600
    assert mode(store.path.parent) == 0o755, "a directory that was there is its owner's business"


async def test_a_failure_undoes_the_whole_work(store: Store) -> None:
    def half(ledger: sqlite3.Connection) -> None:
        insert(ledger, "a")
        raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        await store.run(half)
    assert await store.run(names) == []


async def test_a_wrong_statement_is_a_crash_and_not_a_failure_of_the_machine(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await store.run(lambda ledger: ledger.execute("SELECT * FROM nowhere"))


async def test_a_cancelled_call_finishes_its_write_and_does_not_block_the_loop(store: Store) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(ledger: sqlite3.Connection) -> None:
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


async def test_one_piece_of_work_runs_at_a_time(store: Store) -> None:
    under_way = 0
    most = 0

    def work(ledger: sqlite3.Connection) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        insert(ledger, f"{threading.get_ident()}-{len(names(ledger))}")
        under_way -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(store.run, work)
    assert most == 1
    assert len(await store.run(names)) == 20


async def test_a_closed_store_opens_again(store: Store) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    await store.aclose()
    assert await store.run(names) == ["a"]


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "ledger.db.lock"])
@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
async def test_a_symlink_in_place_of_the_database_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"not yours")
    store.path.parent.mkdir()
    (store.path.parent / name).symlink_to(elsewhere)
    with pytest.raises(LocalError):
        await store.run(names)
    assert elsewhere.read_bytes() == b"not yours"


async def test_a_dangling_symlink_is_refused_too(store: Store, tmp_path: Path) -> None:
    store.path.parent.mkdir()
    store.path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(LocalError, match="symbolic link"):
        await store.run(names)
    assert not (tmp_path / "nowhere").exists()


async def test_a_directory_in_place_of_the_database_is_refused(store: Store) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(LocalError, match="not a plain file"):
        await store.run(names)


async def test_a_newer_schema_is_refused_with_the_remedy(store: Store) -> None:
    await store.run(lambda ledger: ledger.execute("PRAGMA user_version = 99"))
    await store.aclose()
    with pytest.raises(LocalError, match="Update gemini-toolserver"):
        await store.run(names)
    status = await store.status()
    assert not status.writable
    assert "newer version" in status.problem


async def test_an_older_schema_is_migrated_and_keeps_its_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    await store.aclose()
    script = """
CREATE TABLE later (id TEXT); -- one; two
INSERT INTO later VALUES ('x;y');
INSERT INTO later VALUES ('z');
"""
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, script))
    assert await store.run(names) == ["a"]
    assert await store.run(lambda ledger: ledger.execute("SELECT count(*) FROM later").fetchone()[0]) == 2
    assert await store.run(schema.version) == len(schema.MIGRATIONS)


async def test_a_migration_that_fails_leaves_the_file_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    await store.aclose()
    known = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*known, "CREATE TABLE later (id TEXT);\n", "SELECT * FROM nowhere;\n"))
    with pytest.raises(sqlite3.OperationalError):
        await store.run(names)
    monkeypatch.setattr(schema, "MIGRATIONS", known)
    assert await store.run(names) == ["a"]


async def test_a_file_that_is_no_database_is_moved_aside(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"this was never a database " * 200)
    assert await store.run(names) == []
    assert "corrupted" in caplog.text
    (aside,) = [file for file in store.path.parent.iterdir() if ".corrupted-" in file.name]
    assert aside.read_bytes().startswith(b"this was never")
    assert (await store.status()).writable


async def test_a_ledger_that_breaks_in_use_is_moved_aside(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    def many(ledger: sqlite3.Connection) -> None:
        for number in range(500):
            insert(ledger, f"{number:04}")

    await store.run(many)
    await store.aclose()
    with store.path.open("r+b") as file:  # the first page stays: opening succeeds, reading does not
        file.seek(4096)
        file.write(b"\xff" * (store.path.stat().st_size - 4096))
    await store.run(lambda ledger: insert(ledger, "new"))
    assert await store.run(names) == ["new"]
    assert "only in the old file" in caplog.text
    assert [file for file in store.path.parent.iterdir() if ".corrupted-" in file.name]


async def test_only_the_corrupted_file_is_moved_aside(store: Store) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    opening.move_aside(store.path, 1, RuntimeError("another process was faster"))
    assert await store.run(names) == ["a"]


async def test_a_ledger_that_was_deleted_is_begun_again(store: Store) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    for file in store.path.parent.iterdir():
        file.unlink()
    await store.run(lambda ledger: insert(ledger, "b"))
    assert store.path.exists()
    assert await store.run(names) == ["b"]


async def test_a_full_disk_is_said_with_a_remedy_and_nothing_is_half_written(store: Store) -> None:
    def limit(ledger: sqlite3.Connection) -> None:
        pages = ledger.execute("PRAGMA page_count").fetchone()[0]
        ledger.execute(f"PRAGMA max_page_count = {pages}")

    await store.run(limit)

    def big(ledger: sqlite3.Connection) -> None:
        insert(ledger, "a")
        insert(ledger, "b" * 100_000)

    with pytest.raises(LocalError, match="Free some space") as caught:
        await store.run(big)
    assert caught.value.code == "disk_full"
    assert await store.run(names) == []


async def test_a_ledger_that_another_process_holds_is_said_to_be_busy(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    await store.run(names)
    other = sqlite3.connect(store.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert await store.run(names, write=False) == [], "reading does not wait for a writer"
        with pytest.raises(LocalError, match="another process") as caught:
            await store.run(names)
    finally:
        other.close()
    assert caught.value.code == "ledger_busy"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
async def test_a_forbidden_directory_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    os.chmod(tmp_path, 0o500)  # noqa: PTH101 - pathlib's own is taken for a blocking call
    with pytest.raises(LocalError):
        await store.run(names)
    assert not (await store.status()).writable


async def test_a_state_directory_under_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "state")
    with pytest.raises(LocalError, match="was not changed"):
        await store.run(names)
    assert not (await store.status()).writable


async def test_status_tells_size_and_schema(store: Store) -> None:
    await store.run(lambda ledger: insert(ledger, "a"))
    status = await store.status()
    assert (status.exists, status.writable, status.problem) == (True, True, "")
    assert status.bytes > 0
    assert status.schema == len(schema.MIGRATIONS)
    assert status.path == store.path


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


_WORKER = """
import sys, anyio
from datetime import date
from pathlib import Path
from gemini_server.errors import ArgumentError
from gemini_server.jobs.conversations import Conversations
from gemini_server.jobs.spending import Spending
from gemini_server.jobs.store import Store

async def main(directory, shared, name, times):
    store = Store(Path(directory))
    conversations, spending = Conversations(store), Spending(store, today=lambda: date(2026, 11, 22))
    own = await conversations.create("p", model=name, system=None, settings={})
    for number in range(times):
        await conversations.append("p", own, [{"n": number}], expected_turns=number)
        while True:
            seen = len((await conversations.get("p", shared)).turns)
            try:
                await conversations.append("p", shared, [{"who": name, "n": number}], expected_turns=seen)
                break
            except ArgumentError:
                pass
        spending.record("p", "shared-model", input_tokens=1, cost_usd=0.001)
        await spending.flush()
    await store.aclose()

anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
"""


@pytest.mark.parametrize("prepared", [True, False])
async def test_three_processes_share_the_ledger_and_lose_nothing(tmp_path: Path, prepared: bool) -> None:
    from datetime import date

    from gemini_server.jobs.conversations import Conversations
    from gemini_server.jobs.spending import Spending

    store = Store(tmp_path / "state")
    conversations = Conversations(store)
    shared = await conversations.create("p", model="m", system=None, settings={})
    if not prepared:  # all three create the file in the same instant; none can have the shared conversation
        await store.aclose()
        for file in (tmp_path / "state").iterdir():
            file.unlink()

    times = 12
    worker = _WORKER if prepared else _WORKER.replace("        while True:", "        while False:")
    processes = [
        subprocess.Popen(  # noqa: ASYNC220 - they are waited for in a thread
            [sys.executable, "-c", worker, str(tmp_path / "state"), shared, f"process-{number}", str(times)],
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
    (row,) = await Spending(store, today=lambda: date(2026, 11, 22)).by_day("p")
    assert (row.calls, row.input_tokens, row.cost_usd) == (3 * times, 3 * times, 0.036)
    await store.aclose()
