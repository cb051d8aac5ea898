"""The ledger on PostgreSQL: one database that the replicas of the server share.

Every piece of work has a connection and a worker thread to itself, a few at a time; between them, and between replicas,
PostgreSQL's own locks decide.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gemini_server.errors import LocalError
from gemini_server.jobs.ledger import Ledger, StoreStatus
from gemini_server.jobs.postgres_url import take_apart
from gemini_server.jobs.threads import Threads
from gemini_server.redaction import remember_secret

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

_TRIES = 3
# Reading sees one moment throughout.
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = b"BEGIN ISOLATION LEVEL READ COMMITTED"


class PostgresStore:
    """The ledger of one PostgreSQL database, or of one schema in it.

    Nothing is connected or created until the first `run`.

    Args:
        url: a libpq URL, its options included (`?options=-csearch_path%3Dname` for a schema).
        connections: how many there are at most.
    """

    def __init__(self, url: str, *, connections: int = 4) -> None:
        parts = take_apart(url)
        for secret in parts.secrets:
            remember_secret(secret)
        self.url = url
        self.place = parts.place
        self._threads = Threads("ledger", connections)
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection] = []
        self._generation = 0

    def __repr__(self) -> str:
        return f"PostgresStore({self.place})"

    async def run(self, work: Callable[[Ledger], T], *, write: bool = True) -> T:
        """Runs `work` in a transaction, as every `ledger.Store`.

        It runs again when the server undid it: it was overtaken by another transaction, or the connection was lost
        before the commit. A commit is never repeated.
        """
        return await self._threads.run(partial(self._transaction, work, write))

    async def status(self) -> StoreStatus:
        """Looks at the ledger without creating it."""
        return await self._threads.run(self._status)

    async def aclose(self) -> None:
        """Closes the connections. A later `run` opens one again, so that late spending is not lost."""
        await self._threads.run(self._close)
        self._threads.end()

    def _transaction(self, work: Callable[[Ledger], T], write: bool) -> T:
        require_driver()
        import psycopg

        from gemini_server.jobs import postgres_failure

        failure: BaseException | None = None
        try:
            for _ in range(_TRIES):
                try:
                    return self._attempt(work, write)
                except _Undone as undone:
                    failure = undone.__cause__
            assert isinstance(failure, psycopg.Error)  # noqa: S101  a fact
            raise failure
        except psycopg.Error as last:
            error = postgres_failure.local_error(last, self.place)
            if error is None:
                raise
            raise error from last

    def _attempt(self, work: Callable[[Ledger], T], write: bool) -> T:
        import psycopg

        from gemini_server.jobs import postgres_failure
        from gemini_server.jobs.postgres_connection import PostgresLedger

        connection, generation = self._take()
        committing = False
        try:
            connection.execute(_WRITE if write else _READ)
            result = work(PostgresLedger(connection))
            committing = True
            if connection.execute(b"COMMIT").statusmessage != "COMMIT":
                raise RuntimeError("a statement failed, the work hid it, and the server undid everything")
        except psycopg.Error as failure:
            lost = connection.closed
            self._undo(connection)
            if lost:
                self._close(generation)  # the idle ones are as dead
                if committing and write:
                    raise postgres_failure.unsure(self.place) from failure
            if lost or failure.sqlstate in postgres_failure.OVERTAKEN:
                raise _Undone from failure
            raise
        except BaseException:
            self._undo(connection)
            raise
        finally:
            self._give_back(connection, generation)
        return result

    def _take(self) -> tuple[psycopg.Connection, int]:
        from gemini_server.jobs.postgres_connection import open_ledger

        with self._lock:
            generation = self._generation
            if self._idle:
                return self._idle.pop(), generation
        return open_ledger(self.url, self.place), generation

    def _give_back(self, connection: psycopg.Connection, generation: int) -> None:
        with self._lock:
            if generation == self._generation and not connection.closed:
                self._idle.append(connection)
                return
        connection.close()

    def _close(self, generation: int | None = None) -> None:
        with self._lock:
            if generation not in (None, self._generation):
                return  # another thread was faster, and what is idle now is new
            self._generation += 1  # those in use are closed when they come back
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @staticmethod
    def _undo(connection: psycopg.Connection) -> None:
        import psycopg

        with contextlib.suppress(psycopg.Error):  # a lost connection is undone by the server
            connection.rollback()

    def _status(self) -> StoreStatus:
        where, version, size, problem = self.place, None, 0, ""
        try:
            require_driver()
            where, version, size, problem = self._look()
        except LocalError as failure:
            problem = str(failure)
        return StoreStatus("postgres", where, version is not None, size, version, not problem, problem)

    def _look(self) -> tuple[str, int | None, int, str]:
        import psycopg

        from gemini_server.jobs import postgres_connection, postgres_failure, postgres_schema

        try:
            with postgres_connection.connect(self.url, self.place) as connection:
                number = connection.info.server_version
                where = f"{self.place} (version {number // 10_000}.{number % 10_000})"
                version = postgres_schema.version(connection)
                size = 0 if version is None else postgres_schema.size(connection)
                problem = postgres_schema.problem(connection, version, self.place)
                return where, version, size, str(problem or "")
        except psycopg.Error as failure:
            error = postgres_failure.local_error(failure, self.place)
            if error is None:
                raise
            raise error from failure


class _Undone(Exception):
    """The server undid the transaction through no fault of its statements; the cause says why."""


def require_driver() -> None:
    """Import psycopg, or say how to install it.

    Raises:
        LocalError: it is not installed, or its C library is missing.
    """
    try:
        import psycopg  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise LocalError(
            "GEMINI_TOOLSERVER_LEDGER names a PostgreSQL database, but the driver psycopg is not installed.",
            "pip install 'gemini-toolserver[postgres]'",
            code="ledger_driver_missing",
        ) from None
