"""The ledger: one SQLite file that several processes of one machine share.

Every statement of a process runs in one connection, one piece of work at a time and off the event loop; between
processes SQLite's own locks decide.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from gemini_server.errors import LocalError

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

FILE_NAME = "ledger.db"


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What `server_status` and `doctor` say of the ledger.

    Attributes:
        path: where the file is, or would be.
        exists: whether it is there; it is created when first used.
        bytes: its size with what waits in the write-ahead log; 0 without a file.
        schema: how many migrations it has seen; None where it cannot be read, or is not there yet.
        writable: whether a write would succeed now.
        problem: what is wrong and what to do, empty when nothing is.
    """

    path: Path
    exists: bool
    bytes: int
    schema: int | None
    writable: bool
    problem: str


class Store:
    """The ledger of one state directory.

    Nothing is opened or created until the first `run`.

    Args:
        directory: the state directory; created with mode 0700 if it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._one_at_a_time: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T], *, write: bool = True) -> T:
        """Runs `work` in a transaction: committed when it returns, undone when it raises.

        Once called it finishes even if the caller is cancelled, so a dropped call never leaves half a write.

        Args:
            work: gets the connection, in a worker thread. It may run a second time, in a new file, when the old one
                turns out to be corrupted: it should have no effect but its statements.
            write: False for work that only reads: it does not wait for writers.

        Raises:
            LocalError: no space, not writable, locked for too long, written by a newer version, or not a file of ours.
        """
        return await self._in_thread(partial(self._transaction, work, "BEGIN IMMEDIATE" if write else "BEGIN"))

    async def status(self) -> StoreStatus:
        """Looks at the ledger without creating it (a corrupted one is replaced, as by `run`)."""
        return await self._in_thread(self._status)

    async def aclose(self) -> None:
        """Closes the file. A later `run` opens it again, so that late spending is not lost."""
        await self._in_thread(self._close)

    async def _in_thread(self, function: Callable[[], T]) -> T:
        # A limiter of one token is what makes the connection single-threaded in effect; it also keeps the ledger out of
        # the pool that file work shares.
        if self._one_at_a_time is None:
            self._one_at_a_time = anyio.CapacityLimiter(1)
        with anyio.CancelScope(shield=True):
            return await anyio.to_thread.run_sync(function, limiter=self._one_at_a_time)
        raise AssertionError  # for the type checkers: this scope swallows nothing

    def _transaction(self, work: Callable[[sqlite3.Connection], T], begin: str) -> T:
        import sqlite3

        from gemini_server.jobs import opening

        try:
            try:
                return self._attempt(work, begin)
            except sqlite3.DatabaseError as failure:
                if not opening.is_corruption(failure):
                    raise
                inode = self._inode
                self._close()
                opening.move_aside(self.path, inode, failure)
                return self._attempt(work, begin)
        except sqlite3.DatabaseError as failure:
            if opening.is_anticipated(failure):
                raise opening.local_error(failure, self.path) from failure
            raise
        except OSError as failure:
            raise opening.local_error(failure, self.path) from failure

    def _attempt(self, work: Callable[[sqlite3.Connection], T], begin: str) -> T:
        from gemini_server.jobs import opening

        # A file that another process moved aside, or that somebody deleted, must not swallow what comes next.
        if self._connection is not None and opening.inode(self.path) != self._inode:
            self._close()
        if self._connection is None:
            self._connection, self._inode = opening.open_ledger(self.path)
        connection = self._connection
        connection.execute(begin)
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _status(self) -> StoreStatus:
        from gemini_server.jobs import schema

        exists = self.path.exists()
        size = sum(file.stat().st_size for file in (self.path, Path(f"{self.path}-wal")) if file.exists())
        version: int | None = None
        problem = ""
        if exists:
            try:
                version = self._transaction(schema.version, "BEGIN IMMEDIATE")
            except LocalError as failure:
                problem = str(failure)
        else:
            nearest = next(parent for parent in self.path.parents if parent.exists())
            if not os.access(nearest, os.W_OK | os.X_OK):
                problem = f"The state directory {self.path.parent} cannot be created. Choose one that you may write to."
        return StoreStatus(self.path, exists, size, version, not problem, problem)
