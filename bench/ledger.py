"""The job ledger, from enqueue to done, against a bare loop of the very same statements on the same engine.

The statements of one job are recorded once, with their parameters; the bare loop executes them for new ids, each
transaction as it was, with nothing between it and the driver.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import anyio
from report import Row
from servers import ROOT, Endpoint

from gemini_server.jobs.artifact import Artifact
from gemini_server.jobs.job import Spent, Stored
from gemini_server.jobs.jobs import Jobs
from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.new_job import NewJob
from gemini_server.jobs.postgres import PostgresStore
from gemini_server.jobs.store import SqliteStore

LEAST = 0.8
AT_ONCE = 16
"""Jobs of this server's side that are under way together; the bare loop is one thread that waits for nothing else."""
OWNER = "bench:1:process"
Transaction = list[tuple[str, Sequence[Any], bool]]


def measure(endpoint: Endpoint, *, quick: bool) -> Iterator[Row]:
    """Jobs per second on both engines."""
    number, rounds = (100, 3) if quick else (300, 7)
    directory = endpoint.directory / "ledger"
    ours: Callable[[Path], Store] = SqliteStore
    yield _row("SQLite, full sync", ours, partial(_bare_sqlite), directory, number, rounds)
    sys.path.append(str(ROOT))  # the tests know how to start a server
    from tests.postgres import running_postgres

    with running_postgres(durable=True) as server:
        url = server.url()
        yield _row("PostgreSQL", lambda _: PostgresStore(url), partial(_bare_postgres, url), directory, number, rounds)


Bare = Callable[[Path, list[Transaction], int], float]


def _row(engine: str, make: Callable[[Path], Store], bare: Bare, directory: Path, number: int, rounds: int) -> Row:
    ours: list[float] = []
    other: list[float] = []
    transactions: list[Transaction] = []
    for turn in range(rounds):
        shutil.rmtree(directory, ignore_errors=True)
        seconds, recorded = anyio.run(_ours, make(directory), number, f"round-{turn}")
        ours.append(number / seconds)
        transactions = transactions or recorded
        # In the same ledger: both sides meet the same file, with the same indexes and the same size.
        other.append(number / bare(directory, transactions, number))
    ratio = median(a / b for a, b in zip(ours, other, strict=True))
    return Row(
        f"ledger, {engine}: jobs from enqueue to done",
        f"{median(ours):.0f} /s", f"{median(other):.0f} /s", ratio, f">= {LEAST} x", ratio >= LEAST,
    )  # fmt: skip


async def _ours(store: Store, number: int, turn: str) -> tuple[float, list[Transaction]]:
    recorder = _Recorder(store)
    await _job(Jobs(recorder), f"{turn}-warm")
    jobs = Jobs(store)
    left = iter(range(number))

    async def drive() -> None:
        for n in left:
            await _job(jobs, f"{turn}-{n}")

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(drive)
    seconds = time.perf_counter() - began
    await store.aclose()
    return seconds, recorder.transactions


async def _job(jobs: Jobs, identity: str) -> None:
    new = NewJob("local", "video", "generate_video", "interaction", "omni", identity, {"prompt": "x"}, '{"input":"x"}')
    job, _ = await jobs.begin(new, OWNER)
    job = await jobs.sent(job, OWNER)
    job = await jobs.change(job, OWNER, "running", operation=f"interactions/{identity}")
    stored = Stored(f"artifact-{job.id}", "video", "video/mp4", "https://x/y", 1, None, saved=False)
    job = await jobs.arrived(job, OWNER, [stored], Spent("omni", None, {"output_tokens": 5}), result={"text": "x"})
    artifact = Artifact(stored.artifact, "video", "v.mp4", "video/mp4", 1, "0" * 64, None, None, None, job.created)
    await jobs.saved(job, OWNER, [artifact])


class _Recorder:
    """A store that remembers what was executed in each transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.transactions: list[Transaction] = []

    async def run(self, work: Callable[[Ledger], Any], *, write: bool = True) -> Any:
        transaction: Transaction = []
        self.transactions.append(transaction)
        return await self._store.run(lambda ledger: work(_Recording(ledger, transaction)), write=write)


class _Recording:
    def __init__(self, ledger: Ledger, transaction: Transaction) -> None:
        self._ledger = ledger
        self._transaction = transaction
        self.dialect, self.for_update, self.skip_locked = ledger.dialect, ledger.for_update, ledger.skip_locked

    def execute(self, sql: str, params: Sequence[Any] = (), /) -> Any:
        self._transaction.append((sql, tuple(params), False))
        return self._ledger.execute(sql, params)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> Any:
        self._transaction.append((sql, tuple(rows), True))
        return self._ledger.executemany(sql, rows)


def _for(transactions: list[Transaction], n: int) -> list[Transaction]:
    """The same statements for another job: its id, its identity and its file are others."""
    statements = [statement for transaction in transactions for statement in transaction]
    known = next(params[0] for sql, params, _ in statements if sql.startswith("INSERT INTO jobs"))

    def other(value: Any) -> Any:
        if isinstance(value, str) and ("-warm" in value or known in value):
            return value.replace("-warm", f"-bare-{n}").replace(known, f"{known}-{n}")
        return value

    def changed(params: Sequence[Any], *, many: bool) -> Sequence[Any]:
        if many:
            return [tuple(map(other, row)) for row in params]
        return tuple(map(other, params))

    return [
        [(sql, changed(params, many=many), many) for sql, params, many in transaction] for transaction in transactions
    ]


def _bare_sqlite(directory: Path, transactions: list[Transaction], number: int) -> float:
    with closing(sqlite3.connect(directory / "ledger.db", isolation_level=None)) as connection:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("ledger_now", 0, lambda: int(time.time()))
        connection.create_function("ledger_clock", 0, time.time)
        jobs = [_for(transactions, n) for n in range(number)]
        began = time.perf_counter()
        for job in jobs:
            for transaction in job:
                connection.execute("BEGIN IMMEDIATE")
                _replay(connection, transaction)
                connection.execute("COMMIT")
        return time.perf_counter() - began


def _bare_postgres(url: str, directory: Path, transactions: list[Transaction], number: int) -> float:
    import psycopg

    with psycopg.connect(url) as connection:
        jobs = [_for(transactions, n + int(time.time() * 1000)) for n in range(number)]
        for job in jobs:
            for transaction in job:
                transaction[:] = [(sql.replace("?", "%s"), params, many) for sql, params, many in transaction]
        cursor = connection.cursor()
        began = time.perf_counter()
        for job in jobs:
            for transaction in job:
                _replay(cursor, transaction)
                connection.commit()
        return time.perf_counter() - began


def _replay(connection: Any, transaction: Transaction) -> None:
    for sql, params, many in transaction:
        cursor = connection.executemany(sql, params) if many else connection.execute(sql, params)
        if not many and ("SELECT" in sql[:8] or "RETURNING" in sql):
            (cursor or connection).fetchall()
