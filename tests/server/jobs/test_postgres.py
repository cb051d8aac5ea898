"""What the ledger does on PostgreSQL alone: lost connections, refusals, and a password that never shows."""

from __future__ import annotations

import builtins
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import anyio
import pytest

from gemini_server import redaction
from gemini_server.errors import LocalError
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.postgres import PostgresStore
from gemini_server.jobs.postgres_connection import numbered
from gemini_server.jobs.postgres_schema import translated
from gemini_server.jobs.postgres_url import take_apart
from tests.postgres import GUARDED, PASSWORD, PostgresServer
from tests.server.jobs.conftest import PostgresStores
from tests.server.jobs.ledgers import insert, names

pytestmark = pytest.mark.anyio


def two(ledger: Ledger) -> None:
    insert(ledger, "a")
    insert(ledger, "b")


KILL = "SELECT pg_terminate_backend(pg_backend_pid())"


async def test_several_pieces_of_work_run_at_once_but_not_more_than_there_are_connections(
    postgres_store: PostgresStore,
) -> None:
    together = threading.Barrier(4)
    pids: set[int] = set()

    def work(ledger: Ledger) -> None:
        pids.add(ledger.execute("SELECT pg_backend_pid()").fetchone()[0])
        together.wait(10)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(lambda: postgres_store.run(work, write=False))
    assert len(pids) == 4


async def test_a_server_that_stopped_is_said_and_used_again_when_it_is_back(
    postgres: PostgresServer, postgres_store: PostgresStore
) -> None:
    await postgres_store.run(lambda ledger: insert(ledger, "before"))
    await anyio.to_thread.run_sync(postgres.stop)
    try:
        with pytest.raises(LocalError):
            await postgres_store.run(names)
        with pytest.raises(LocalError, match="Check that the server runs") as caught:
            await postgres_store.run(lambda ledger: insert(ledger, "meanwhile"))
        assert caught.value.code == "ledger_unreachable"
        status = await postgres_store.status()
        assert (status.exists, status.writable, status.problem) == (False, False, str(caught.value))
    finally:
        await anyio.to_thread.run_sync(postgres.start)
    await postgres_store.run(lambda ledger: insert(ledger, "now"))
    assert await postgres_store.run(names) == ["before", "now"]


async def test_after_a_restart_nobody_notices_that_all_connections_were_lost(
    postgres: PostgresServer, postgres_store: PostgresStore
) -> None:
    together = threading.Barrier(4)

    async def at_once(work: Callable[[Ledger], object]) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(postgres_store.run, work)

    await at_once(lambda _: together.wait(10))
    await anyio.to_thread.run_sync(postgres.restart)
    await at_once(lambda ledger: insert(ledger, f"{threading.get_ident()}"))
    assert len(await postgres_store.run(names)) == 4


async def test_work_that_lost_its_connection_before_the_commit_runs_again_and_counts_once(
    postgres_store: PostgresStore,
) -> None:
    tries: list[str] = []

    def work(ledger: Ledger) -> str:
        tries.append("")
        insert(ledger, "a")
        if len(tries) == 1:
            ledger.execute(KILL)
        return "done"

    assert await postgres_store.run(work) == "done"
    assert len(tries) == 2
    assert await postgres_store.run(names) == ["a"]


async def test_work_that_loses_every_connection_is_given_up(postgres_store: PostgresStore) -> None:
    tries: list[str] = []

    def work(ledger: Ledger) -> None:
        tries.append("")
        ledger.execute(KILL)

    with pytest.raises(LocalError) as caught:
        await postgres_store.run(work)
    assert caught.value.code == "ledger_unreachable"
    assert len(tries) == 3


async def test_a_commit_of_which_nobody_knows_what_became_is_said_and_not_repeated(
    postgres_store: PostgresStore,
) -> None:
    def prepare(ledger: Ledger) -> None:
        ledger.execute(
            f"CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM ({KILL}); RETURN NULL; END'"
        )
        ledger.execute(
            "CREATE CONSTRAINT TRIGGER at_the_commit AFTER INSERT ON conversations DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION die()"
        )

    await postgres_store.run(prepare)
    tries: list[str] = []

    def work(ledger: Ledger) -> None:
        tries.append("")
        insert(ledger, "a")

    with pytest.raises(LocalError, match="may have been made") as caught:
        await postgres_store.run(work)
    assert caught.value.code == "ledger_unsure"
    assert len(tries) == 1


async def test_transactions_that_wait_for_each_other_both_succeed(postgres_stores: PostgresStores) -> None:
    first, second = postgres_stores(), postgres_stores()
    await first.run(two)
    both = threading.Barrier(2)

    def cross(order: str) -> Callable[[Ledger], None]:
        tries: list[str] = []

        def work(ledger: Ledger) -> None:
            tries.append("")
            for name in order:
                ledger.execute("UPDATE conversations SET turns = turns + 1 WHERE id = ?", (name,))
                if len(tries) == 1 and name == order[0]:
                    both.wait(10)

        return work

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.run, cross("ab"))
        tasks.start_soon(second.run, cross("ba"))
    assert await first.run(lambda ledger: ledger.execute("SELECT turns FROM conversations").fetchall()) == [(2,), (2,)]


async def test_work_is_taken_by_one_of_two_without_waiting(postgres_stores: PostgresStores) -> None:
    first, second = postgres_stores(), postgres_stores()
    await first.run(two)
    taken, done = threading.Event(), threading.Event()

    def take(ledger: Ledger) -> list[str]:
        sql = f"SELECT id FROM conversations ORDER BY id LIMIT 1{ledger.skip_locked}"
        return [name for (name,) in ledger.execute(sql)]

    def hold(ledger: Ledger) -> None:
        assert take(ledger) == ["a"]
        taken.set()
        assert done.wait(10)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first.run, hold)
        await anyio.to_thread.run_sync(taken.wait, 10)
        assert await second.run(take) == ["b"]
        done.set()


async def test_work_that_hides_a_failed_statement_does_not_seem_to_succeed(postgres_store: PostgresStore) -> None:
    def work(ledger: Ledger) -> None:
        insert(ledger, "a")
        try:
            insert(ledger, "a")
        except Exception:
            return

    with pytest.raises(RuntimeError, match="hid it"):
        await postgres_store.run(work)
    assert await postgres_store.run(names) == []


async def test_reading_cannot_write(postgres_store: PostgresStore) -> None:
    await postgres_store.run(names)
    with pytest.raises(LocalError, match="takes no writes"):
        await postgres_store.run(lambda ledger: insert(ledger, "a"), write=False)


@pytest.fixture
def guarded(postgres: PostgresServer, postgres_url: str) -> Iterator[str]:
    """The URL of an empty schema for a role that needs a password and may do nothing there."""
    schema = postgres_url.rpartition("%3D")[2]
    postgres.do(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}';GRANT USAGE ON SCHEMA {schema} TO {GUARDED}")
    yield postgres.url(schema=schema, user=GUARDED, password=PASSWORD)
    postgres.do(f"DROP OWNED BY {GUARDED}; DROP ROLE {GUARDED}")


class Wrong(NamedTuple):
    """What is replaced in the URL, and what is said then."""

    old: str
    new: str
    code: str
    said: str


WRONG = {
    "password": Wrong("pA55", "canary-Pa55", "ledger_refused", "does not accept the user name or the password"),
    "user": Wrong(f"{GUARDED}:", "unknown:", "ledger_refused", "does not accept the user name"),
    "database": Wrong("@/postgres", "@/canary", "ledger_missing", "createdb"),
    "schema": Wrong("Dtest_", "Dnone_", "ledger_missing", "names no schema that exists"),
    "privilege": Wrong("", "", "ledger_forbidden", "grant it CREATE"),
    "server": Wrong("@/postgres?host=", "@/postgres?port=1&host=", "ledger_unreachable", "Check that"),
    "option": Wrong("&options", "&nonsense=1&options", "ledger_unreachable", "percent-encoded"),
    "standby": Wrong("=-c", "=-cdefault_transaction_read_only%3Don%20-c", "ledger_read_only", "may be a standby"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_what_is_wrong_is_said_with_a_remedy_and_without_the_password(
    guarded: str, wrong: Wrong, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = PostgresStore(guarded.replace(wrong.old, wrong.new))
    with pytest.raises(LocalError) as caught:
        await store.run(names)
    status = await store.status()
    await store.aclose()
    assert caught.value.code == wrong.code
    assert wrong.said in str(caught.value)
    assert "PostgreSQL" in str(caught.value)
    assert status.problem == str(caught.value)
    assert not status.writable
    trace = "".join(traceback.format_exception(caught.value))
    shown = f"{caught.value!r} {trace} {status} {caplog.text} {store!r}"
    for secret in take_apart(store.url).secrets:
        assert secret not in shown
    assert "Pa55" not in shown
    assert "w0rd" not in redaction.redact(f"{store.url} and {unquote(store.url)}")


async def test_a_password_that_is_right_opens_the_ledger(postgres: PostgresServer, guarded: str) -> None:
    schema = guarded.rpartition("%3D")[2]
    postgres.do(f"GRANT CREATE ON SCHEMA {schema} TO {GUARDED}")
    store = PostgresStore(guarded)
    await store.run(lambda ledger: insert(ledger, "a"))
    status = await store.status()
    await store.aclose()
    assert status.writable
    assert "pA55" not in str(status)


async def test_a_ledger_that_may_not_be_changed_is_said_before_it_is_needed(
    postgres: PostgresServer, postgres_store: PostgresStore, guarded: str
) -> None:
    await postgres_store.run(names)
    schema = guarded.rpartition("%3D")[2]
    postgres.do(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {GUARDED}")
    store = PostgresStore(guarded)
    assert "lacks a privilege" in (await store.status()).problem
    with pytest.raises(LocalError, match="lacks a privilege"):
        await store.run(lambda ledger: insert(ledger, "a"))
    await store.aclose()


async def test_a_database_of_another_encoding_is_refused(postgres: PostgresServer) -> None:
    postgres.do("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    store = PostgresStore(postgres.url(database="latin"))
    with pytest.raises(LocalError, match="its encoding is LATIN1"):
        await store.run(names)
    assert "ENCODING 'UTF8'" in (await store.status()).problem


async def test_without_the_driver_the_command_that_installs_it_is_said(
    monkeypatch: pytest.MonkeyPatch, postgres_store: PostgresStore
) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "psycopg":
            raise ImportError("no pq wrapper available")
        return original(name, *rest)

    monkeypatch.delitem(sys.modules, "psycopg")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LocalError, match=r"pip install 'gemini-toolserver\[postgres\]'") as caught:
        await postgres_store.run(names)
    assert caught.value.code == "ledger_driver_missing"
    assert (await postgres_store.status()).problem == str(caught.value)


NONE: set[str] = set()


@pytest.mark.parametrize(
    ("url", "place", "secrets"),
    [
        ("postgresql://u:p%40w@h.example:5432/db?sslmode=require", "db at h.example:5432", {"p%40w", "p@w"}),
        ("postgresql:///db?host=/var/run&password=abc%2Fd", "db at /var/run", {"abc/d"}),
        ("postgres://u:pw@[::1]:5/db", "db at [::1]:5", {"pw"}),
        ("postgresql://u:pw@h1:1,h2:2/my%2Ddb", "my-db at h1:1,h2:2", {"pw"}),
        ("postgresql://u:a?b@h/db", "db at h", {"a?b"}),
        ("postgresql://h?sslpassword=xyz", "of the same name as the user at h", {"xyz"}),
        ("postgresql:///db", "db at this machine", NONE),
        ("postgresql://u@h/db", "db at h", NONE),
        ("postgresql://u:a b@h h/db", "of the URL", {"a b"}),
        ("postgresql://u:a/b@h/db", "of the URL", NONE),
        ("postgresql://u:a@b@h/db", "db at h", {"a@b"}),
    ],
)
def test_of_a_url_the_database_and_the_host_are_said(url: str, place: str, secrets: set[str]) -> None:
    parts = take_apart(url)
    assert parts.place == f"the PostgreSQL database {place}"
    assert set(parts.secrets) == (secrets | {url} if secrets else set())
    assert parts.sound == (url not in ("postgresql://u:a/b@h/db", "postgresql://u:a@b@h/db"))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT ?, ?", b"SELECT $1, $2"),
        ("SELECT 'it''s ?', ? WHERE a LIKE '%?%'", b"SELECT 'it''s ?', $1 WHERE a LIKE '%?%'"),
        ("SELECT 100 % 7", b"SELECT 100 % 7"),
        ("", b""),
    ],
)
def test_parameters_are_numbered_outside_of_texts(sql: str, expected: bytes) -> None:
    assert numbered(sql) == expected


def test_a_migration_is_translated() -> None:
    script = """
CREATE TABLE a (
    id  INTEGER PRIMARY KEY,
    b   BLOB NOT NULL,
    t   TEXT
);
CREATE TABLE c (d REAL, INTEGERS INTEGER) WITHOUT ROWID;
"""
    assert (
        translated(script)
        == """
CREATE TABLE a (
    id  BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    b   BYTEA NOT NULL,
    t   TEXT COLLATE "C",
    rowid BIGINT GENERATED ALWAYS AS IDENTITY
);
CREATE TABLE c (d DOUBLE PRECISION, INTEGERS BIGINT
);
"""
    )
