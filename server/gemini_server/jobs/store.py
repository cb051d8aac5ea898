"""The ledger on SQLite: one file that several processes of one machine share.

Every statement of a process runs in one connection, one piece of work at a time and off the event loop; between
processes SQLite's own locks decide.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gemini_server.errors import LocalError
from gemini_server.jobs.ledger import Ledger, StoreStatus
from gemini_server.jobs.threads import Piece, Threads

if TYPE_CHECKING:
    from gemini_server.jobs.opening import SqliteLedger

T = TypeVar("T")

FILE_NAME = "ledger.db"


class SqliteStore:
    """The ledger of one state directory.

    Nothing is opened or created until the first `run`.

    Args:
        directory: the state directory; created with mode 0700 if it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._connection: SqliteLedger | None = None
        self._inode: int | None = None
        # One thread is what makes the connection single-threaded; it is not of the pool that file work shares.
        self._thread = Threads("ledger", group=self._together)

    async def run(self, work: Callable[[Ledger], T], *, write: bool = True) -> T:
        """Runs `work` in a transaction, as every `ledger.Store`.

        It runs a second time, in a new file, when the old one turns out to be corrupted.
        """
        if write:
            return await self._thread.run(work, together=True)
        return await self._thread.run(partial(self._transaction, work, "BEGIN"))

    async def status(self) -> StoreStatus:
        """Looks at the ledger without creating it (a corrupted one is replaced, as by `run`)."""
        return await self._thread.run(self._status)

    async def aclose(self) -> None:
        """Closes the file. A later `run` opens it again, so that late spending is not lost."""
        await self._thread.run(self._close)
        self._thread.end()

    def _together(self, pieces: Sequence[Piece]) -> None:
        """One commit for all that waits to be written: the sync of the disk is what takes long."""
        if len(pieces) > 1 and self._in_one(pieces):
            return
        for piece in pieces:
            piece.value = piece.error = None
            try:
                piece.value = self._transaction(piece.function, "BEGIN IMMEDIATE")
            except BaseException as error:  # noqa: BLE001  it is raised where the work is waited for
                piece.error = error

    def _in_one(self, pieces: Sequence[Piece]) -> bool:
        """Whether all were written in one transaction, in which each is undone alone where it fails."""
        import sqlite3

        try:
            connection = self._ready()
            connection.execute("BEGIN IMMEDIATE")
            try:
                for piece in pieces:
                    _do(piece, connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.DatabaseError, OSError, LocalError):
            return False
        return True

    def _transaction(self, work: Callable[[Ledger], T], begin: str) -> T:
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

    def _ready(self) -> SqliteLedger:
        from gemini_server.jobs import opening

        # A file that another process moved aside, or that somebody deleted, must not swallow what comes next.
        if self._connection is not None and opening.inode(self.path) != self._inode:
            self._close()
        if self._connection is None:
            self._connection, self._inode = opening.open_ledger(self.path)
        return self._connection

    def _attempt(self, work: Callable[[Ledger], T], begin: str) -> T:
        connection = self._ready()
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
        return StoreStatus("sqlite", str(self.path), exists, size, version, not problem, problem)


def _do(piece: Piece, connection: SqliteLedger) -> None:
    """Do one of several pieces of work, and undo it alone where it fails."""
    import sqlite3

    connection.execute("SAVEPOINT piece")
    try:
        piece.value = piece.function(connection)
    except Exception as error:
        if isinstance(error, sqlite3.DatabaseError):
            raise  # of whom it is will be seen when each is done alone
        piece.error = error
        connection.execute("ROLLBACK TO piece")
    connection.execute("RELEASE piece")
