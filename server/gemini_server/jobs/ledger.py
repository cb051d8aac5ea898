"""What the rest of the program sees of the ledger: SQL in transactions, on SQLite or on PostgreSQL.

A statement is written once and runs on both engines. The rules that make that work:

- Parameters are `?`; columns are always named (`INSERT INTO t (a, b)`, never `SELECT *`).
- `schema.NOW` and `schema.CLOCK` are the time, by the database's clock.
- `rowid` is the order of insertion, also on PostgreSQL (not in a table `WITHOUT ROWID`).
- `ON CONFLICT … DO UPDATE SET n = t.n + excluded.n`: with the table's name, without it PostgreSQL calls `n` ambiguous;
  `ON CONFLICT DO NOTHING`, never `INSERT OR IGNORE`.
- A parameter whose type nothing tells needs one: `CAST(? AS TEXT) IS NULL`. Truth is 1 or 0; texts are compared by
  their bytes; there is no `max(a, b)` of two values (use CASE).
- On PostgreSQL other processes commit between two statements of one transaction: what is read in order to be changed is
  read with `for_update`, or changed in one statement; what is added up in order to decide is added up after
  `take_turns`. (A transaction that only reads sees one moment throughout.)
- An error of the engine ends the transaction: never catch one inside a piece of work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")

Dialect = Literal["sqlite", "postgres"]

AT_ONCE = 500
"""Values of one list in a statement."""


def in_pieces(values: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """The question marks of `IN (…)` and the values for them, as many at once as every engine takes."""
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE]
        yield ", ".join("?" for _ in some), some


class Cursor(Protocol):
    """The rows of one statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        ...

    def fetchone(self) -> Any:
        """The next row as a tuple, None after the last."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Ledger(Protocol):
    """The ledger inside a transaction.

    Attributes:
        dialect: the engine, for the rare statement that only one of them has.
        for_update: ends a SELECT whose rows this transaction is going to change; other writers wait.
        skip_locked: ends a SELECT that takes work: rows that another transaction holds are passed over.
    """

    @property
    def dialect(self) -> Dialect: ...  # noqa: D102
    @property
    def for_update(self) -> Literal["", " FOR UPDATE"]: ...  # noqa: D102
    @property
    def skip_locked(self) -> Literal["", " FOR UPDATE SKIP LOCKED"]: ...  # noqa: D102

    def execute(self, sql: str, params: Sequence[object] = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Sequence[Sequence[object]], /) -> Cursor:
        """Run one statement for each row of parameters."""
        ...


def take_turns(ledger: Ledger, name: str) -> None:
    """Keeps all other transactions that say the same name waiting until this one ends.

    For what `for_update` cannot guard: a decision about rows that are not there yet. On SQLite a transaction that
    writes is alone anyway.
    """
    if ledger.dialect == "postgres":
        ledger.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ':' || ?, 0))", (name,))


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What `server_status` and `doctor` say of the ledger.

    Attributes:
        engine: what keeps it.
        where: the file, or the database and its server; never a password.
        exists: whether it is there; it is created when first used.
        bytes: its size, with what waits to be merged into it; 0 without one.
        schema: how many migrations it has seen; None where it cannot be read, or is not there yet.
        writable: whether a write would succeed now.
        problem: what is wrong and what to do, empty when nothing is.
    """

    engine: Dialect
    where: str
    exists: bool
    bytes: int
    schema: int | None
    writable: bool
    problem: str


class Store(Protocol):
    """A ledger that can be used. Nothing is opened or created until the first `run`."""

    async def run(self, work: Callable[[Ledger], T], *, write: bool = True) -> T:
        """Runs `work` in a transaction: committed when it returns, undone when it raises.

        Once called it finishes even if the caller is cancelled, so a dropped call never leaves half a write.

        Args:
            work: gets the ledger, in a worker thread. It may run a second time when the first was undone without its
                doing (a corrupted file, a restarted server, a deadlock): it should have no effect but its statements.
            write: False for work that only reads: it does not wait for writers.

        Raises:
            LocalError: no space, not writable, not reachable, locked for too long, written by a newer version, not a
                ledger of ours. With the code `ledger_unsure` the connection broke during the commit: it may have
                been written.
        """
        ...

    async def status(self) -> StoreStatus:
        """Looks at the ledger without creating it."""
        ...

    async def aclose(self) -> None:
        """Closes it. A later `run` opens it again, so that late spending is not lost."""
        ...
