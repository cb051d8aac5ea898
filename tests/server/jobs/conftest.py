"""Ledgers for the tests: on SQLite, and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal, Protocol

import pytest

from gemini_server.jobs import opening
from gemini_server.jobs.ledger import Store
from gemini_server.jobs.postgres import PostgresStore
from gemini_server.jobs.store import SqliteStore
from tests.postgres import PostgresServer

Engine = Literal["sqlite", "postgres"]
NewStore = Callable[[], Store]
SetClock = Callable[[float], Awaitable[None]]


class PostgresStores(Protocol):
    """Makes stores on PostgreSQL: of the test's ledger, or of another one."""

    def __call__(self, *, another: bool = ...) -> PostgresStore: ...


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every test that uses a store runs on both."""
    chosen: Engine = request.param
    return chosen


@pytest.fixture
async def new_store(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[NewStore]:
    """Makes stores of one and the same ledger, as several processes or replicas have them."""
    made: list[Store] = []
    url: str = request.getfixturevalue("postgres_url") if engine == "postgres" else ""

    def make() -> Store:
        made.append(PostgresStore(url) if engine == "postgres" else SqliteStore(tmp_path / "state"))
        return made[-1]

    yield make
    for store in made:
        await store.aclose()


@pytest.fixture
def store(new_store: NewStore) -> Store:
    return new_store()


@pytest.fixture
async def postgres_stores(postgres: PostgresServer, postgres_url: str) -> AsyncIterator[PostgresStores]:
    made: list[PostgresStore] = []

    def make(*, another: bool = False) -> PostgresStore:
        made.append(PostgresStore(postgres.new_schema() if another else postgres_url))
        return made[-1]

    yield make
    for store in made:
        await store.aclose()


@pytest.fixture
def postgres_store(postgres_stores: PostgresStores) -> PostgresStore:
    return postgres_stores()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state")
    yield store
    await store.aclose()


@pytest.fixture
def set_clock(engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the database's clock, which then stands still."""

    async def set_to(seconds: float) -> None:
        if engine == "sqlite":
            monkeypatch.setattr(opening, "clock", lambda: seconds)
        else:
            sql = (
                "CREATE OR REPLACE FUNCTION ledger_clock() RETURNS DOUBLE PRECISION LANGUAGE SQL STABLE"
                f" AS 'SELECT {seconds!r}::DOUBLE PRECISION'"
            )
            await store.run(lambda ledger: ledger.execute(sql))

    return set_to
