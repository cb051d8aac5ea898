"""What the ledger does on SQLite alone: the file's modes, its place, its corruption, its one writer."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import anyio
import pytest

from gemini_server.errors import LocalError
from gemini_server.jobs import opening, schema
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.store import SqliteStore
from tests.server.jobs.ledgers import insert, names

pytestmark = pytest.mark.anyio


def entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def test_the_ledger_is_durable_and_waits_for_other_writers(sqlite: SqliteStore) -> None:
    def pragmas(ledger: Ledger) -> list[object]:
        asked = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "user_version")
        return [ledger.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]

    assert await sqlite.run(pragmas) == ["wal", 2, 10_000, 1, len(schema.MIGRATIONS)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
async def test_the_ledger_is_private_whatever_the_umask(sqlite: SqliteStore, umask: int) -> None:
    before = os.umask(umask)
    try:
        await sqlite.run(lambda ledger: insert(ledger, "a"))
    finally:
        os.umask(before)
    assert mode(sqlite.path.parent) == 0o700
    files = entries(sqlite.path.parent)
    assert [file.name for file in files if not file.name.endswith(".lock")] == [
        "ledger.db",
        "ledger.db-shm",
        "ledger.db-wal",
    ]
    assert {mode(file) for file in files} == {0o600}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
async def test_a_ledger_that_others_may_read_is_made_private(sqlite: SqliteStore) -> None:
    sqlite.path.parent.mkdir(mode=0o755)
    sqlite.path.touch(0o644)
    await sqlite.run(lambda ledger: insert(ledger, "a"))
    assert mode(sqlite.path) == 0o600
    assert mode(sqlite.path.parent) == 0o755, "a directory that was there is its owner's business"


async def test_one_piece_of_work_runs_at_a_time(sqlite: SqliteStore) -> None:
    under_way = 0
    most = 0

    def work(ledger: Ledger) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        insert(ledger, f"{threading.get_ident()}-{len(names(ledger))}")
        under_way -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(sqlite.run, work)
    assert most == 1
    assert len(await sqlite.run(names)) == 20


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "ledger.db.lock"])
@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
async def test_a_symlink_in_place_of_the_database_is_refused(sqlite: SqliteStore, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"not yours")
    sqlite.path.parent.mkdir()
    (sqlite.path.parent / name).symlink_to(elsewhere)
    with pytest.raises(LocalError):
        await sqlite.run(names)
    assert elsewhere.read_bytes() == b"not yours"


async def test_a_dangling_symlink_is_refused_too(sqlite: SqliteStore, tmp_path: Path) -> None:
    sqlite.path.parent.mkdir()
    sqlite.path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(LocalError, match="symbolic link"):
        await sqlite.run(names)
    assert not (tmp_path / "nowhere").exists()


async def test_a_directory_in_place_of_the_database_is_refused(sqlite: SqliteStore) -> None:
    sqlite.path.mkdir(parents=True)
    with pytest.raises(LocalError, match="not a plain file"):
        await sqlite.run(names)


async def test_a_file_that_is_no_database_is_moved_aside(sqlite: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    sqlite.path.parent.mkdir()
    sqlite.path.write_bytes(b"this was never a database " * 200)
    assert await sqlite.run(names) == []
    assert "corrupted" in caplog.text
    (aside,) = [file for file in sqlite.path.parent.iterdir() if ".corrupted-" in file.name]
    assert aside.read_bytes().startswith(b"this was never")
    assert (await sqlite.status()).writable


async def test_a_ledger_that_breaks_in_use_is_moved_aside(
    sqlite: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    def many(ledger: Ledger) -> None:
        for number in range(500):
            insert(ledger, f"{number:04}")

    await sqlite.run(many)
    await sqlite.aclose()
    with sqlite.path.open("r+b") as file:  # the first page stays: opening succeeds, reading does not
        file.seek(4096)
        file.write(b"\xff" * (sqlite.path.stat().st_size - 4096))
    await sqlite.run(lambda ledger: insert(ledger, "new"))
    assert await sqlite.run(names) == ["new"]
    assert "only in the old file" in caplog.text
    assert [file for file in sqlite.path.parent.iterdir() if ".corrupted-" in file.name]


async def test_only_the_corrupted_file_is_moved_aside(sqlite: SqliteStore) -> None:
    await sqlite.run(lambda ledger: insert(ledger, "a"))
    opening.move_aside(sqlite.path, 1, RuntimeError("another process was faster"))
    assert await sqlite.run(names) == ["a"]


async def test_a_ledger_that_was_deleted_is_begun_again(sqlite: SqliteStore) -> None:
    await sqlite.run(lambda ledger: insert(ledger, "a"))
    for file in sqlite.path.parent.iterdir():
        file.unlink()
    await sqlite.run(lambda ledger: insert(ledger, "b"))
    assert sqlite.path.exists()
    assert await sqlite.run(names) == ["b"]


async def test_a_full_disk_is_said_with_a_remedy_and_nothing_is_half_written(sqlite: SqliteStore) -> None:
    def limit(ledger: Ledger) -> None:
        pages = ledger.execute("PRAGMA page_count").fetchone()[0]
        ledger.execute(f"PRAGMA max_page_count = {pages}")

    await sqlite.run(limit)

    def big(ledger: Ledger) -> None:
        insert(ledger, "a")
        insert(ledger, "b" * 100_000)

    with pytest.raises(LocalError, match="Free some space") as caught:
        await sqlite.run(big)
    assert caught.value.code == "disk_full"
    assert await sqlite.run(names) == []


async def test_a_ledger_that_another_process_holds_is_said_to_be_busy(
    sqlite: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    await sqlite.run(names)
    other = sqlite3.connect(sqlite.path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert await sqlite.run(names, write=False) == [], "reading does not wait for a writer"
        with pytest.raises(LocalError, match="another process") as caught:
            await sqlite.run(names)
    finally:
        other.close()
    assert caught.value.code == "ledger_busy"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
async def test_a_forbidden_directory_is_said(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state")
    os.chmod(tmp_path, 0o500)  # noqa: PTH101 - pathlib's own is taken for a blocking call
    with pytest.raises(LocalError):
        await store.run(names)
    assert not (await store.status()).writable


async def test_a_state_directory_under_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = SqliteStore(tmp_path / "file" / "state")
    with pytest.raises(LocalError, match="was not changed"):
        await store.run(names)
    assert not (await store.status()).writable
