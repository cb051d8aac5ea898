"""How the ledger's file is created, guarded, migrated and, when it is corrupted, replaced.

Runs in the ledger's worker thread, and is imported with its first use: `sqlite3` costs the start 10 ms.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Literal

from gemini_server.errors import LocalError
from gemini_server.jobs import schema

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

BUSY_SECONDS = 10.0
clock: Callable[[], float] = time.time
"""The database's clock; SQLite has none with fractions that all its versions know."""
_COMPANIONS = ("-wal", "-shm")
_END_THE_OTHER = "Call again; if it stays so, end the other process that uses this state directory."
_CORRUPTED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_ANTICIPATED = _CORRUPTED | {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


class SqliteLedger(sqlite3.Connection):
    """A connection that says what it is; a subclass, so that a statement costs nothing more than its own."""

    dialect: Literal["sqlite"] = "sqlite"
    # A writer has the whole file to itself.
    for_update: Literal[""] = ""
    skip_locked: Literal[""] = ""


def open_ledger(path: Path) -> tuple[SqliteLedger, int | None]:
    """Opens the ledger, creating, migrating or replacing it as needed; with it comes the inode of its file.

    Raises:
        LocalError: a symlink or something else is in its place, a newer version wrote it, the directory is forbidden or
            full, or another process is opening it and does not finish.
        sqlite3.DatabaseError: whatever else SQLite says.
    """
    try:
        _make_directory(path.parent)
        with _sole_opener(path):
            _make_file(path)
            try:
                return _connect(path), inode(path)
            except sqlite3.DatabaseError as failure:
                if not is_corruption(failure):
                    raise
                _set_aside(path, failure)
            _make_file(path)
            return _connect(path), inode(path)
    except OSError as failure:
        raise local_error(failure, path) from failure


def inode(path: Path) -> int | None:
    """The number of the file that is there now, None without one."""
    try:
        return os.lstat(path).st_ino
    except FileNotFoundError:
        return None


def is_anticipated(failure: sqlite3.DatabaseError) -> bool:
    """Whether the machine is to blame, as opposed to a statement of ours."""
    return _code(failure) in _ANTICIPATED


def is_corruption(failure: sqlite3.DatabaseError) -> bool:
    """Whether the file is damaged, as opposed to locked, full or forbidden."""
    return _code(failure) in _CORRUPTED


def move_aside(path: Path, opened: int | None, failure: Exception) -> None:
    """Makes room for a new ledger after this one proved to be corrupted in use.

    Args:
        path: the ledger.
        opened: the inode of the file that is corrupted. Another one in its place is left alone: another process has
            replaced it already.
        failure: what SQLite said, for the log.
    """
    with _sole_opener(path):
        if opened is not None and inode(path) == opened:
            _set_aside(path, failure)


def local_error(failure: Exception, path: Path) -> LocalError:
    """What the model and the person read when the ledger cannot be used."""
    remedies = {
        sqlite3.SQLITE_FULL: ("there is no space left on its disk", "Free some space and call again.", "disk_full"),
        sqlite3.SQLITE_READONLY: ("it may not be written", "Make it writable for this user.", "ledger_read_only"),
        sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Check the directory and its permissions.", "ledger_closed"),
        sqlite3.SQLITE_BUSY: (
            f"another process has held it for more than {BUSY_SECONDS:.0f} s",
            _END_THE_OTHER,
            "ledger_busy",
        ),
    }
    what, remedy, code = remedies.get(
        _code(failure),
        (f"the system says {failure}", "Check the disk's free space and health, and the permissions.", "ledger_failed"),
    )
    return LocalError(f"The ledger {path} was not changed: {what}.", remedy, code=code)


def _code(failure: Exception) -> int:
    extended: int = getattr(failure, "sqlite_errorcode", 0)
    return extended & 0xFF  # the primary code is the low byte


def _make_directory(directory: Path) -> None:
    if not directory.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)  # a umask may have taken bits away, even the owner's


def _make_file(path: Path) -> None:
    """Creates the file with mode 0600, or checks that what is there is a plain file of ours and makes it private."""
    for name in (path, *(Path(f"{path}{companion}") for companion in _COMPANIONS)):
        try:
            found = os.lstat(name).st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found):
            kind = "a symbolic link" if stat.S_ISLNK(found) else "not a plain file"
            raise LocalError(
                f"{name} is {kind}; the ledger is never opened through one, because it may lead anywhere.",
                "Move it away, or choose another state directory.",
                code="ledger_unsafe",
            )
        if os.name == "posix" and found & 0o077:
            name.chmod(0o600)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o600)
    os.close(descriptor)
    if os.name == "posix" and stat.S_IMODE(os.lstat(path).st_mode) != 0o600:
        path.chmod(0o600)  # SQLite gives -wal and -shm the mode of the database


def _connect(path: Path) -> SqliteLedger:
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=SqliteLedger
    )
    try:
        connection.create_function("ledger_clock", 0, lambda: clock())
        connection.create_function("ledger_now", 0, lambda: int(clock()))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # a deleted conversation is really gone
        _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: SqliteLedger, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        found, known = schema.version(connection), len(schema.MIGRATIONS)
        if found > known:
            raise LocalError(
                f"The ledger {path} was written by a newer version of gemini-toolserver (its schema is {found}, this"
                f" version knows {known}).",
                "Update gemini-toolserver, or choose another state directory.",
                code="ledger_too_new",
            )
        if found < known:
            schema.migrate(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _sole_opener(path: Path) -> Generator[None, None, None]:
    """Lets one process at a time create, migrate or replace the file: the change to WAL ignores the busy timeout."""
    if sys.platform == "win32":  # there, two processes that create it in the same instant may have to call again
        yield
        return
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LocalError(
                        f"Another process has been opening the ledger {path} for more than {BUSY_SECONDS:.0f} s.",
                        _END_THE_OTHER,
                        code="ledger_busy",
                    ) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _set_aside(path: Path, failure: Exception) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside, number = f"{path}.corrupted-{stamp}", 1
    while os.path.lexists(aside):
        number += 1
        aside = f"{path}.corrupted-{stamp}-{number}"
    for companion in ("", *_COMPANIONS):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{companion}").rename(f"{aside}{companion}")
    logger.warning(
        "The ledger %s is corrupted (%s). It was moved to %s and a new one is begun: kept conversations, spending,"
        " artifacts and jobs before now are only in the old file; jobs that this process drives are kept.",
        path,
        failure,
        aside,
    )
