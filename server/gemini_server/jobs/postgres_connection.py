"""One connection to PostgreSQL that speaks the ledger's SQL and Python's types. Imports the driver."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import count
from typing import Any, Literal

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown

from gemini_server.errors import LocalError
from gemini_server.jobs.ledger import Cursor
from gemini_server.jobs.postgres_schema import bring_up_to_date

_DEFAULTS: dict[str, str | int] = {
    "application_name": "gemini-toolserver",
    "connect_timeout": 5,
    # A server that vanished without a word is noticed within a minute.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\?")


class PostgresLedger:
    """A connection in a transaction, as a `ledger.Ledger`."""

    dialect: Literal["postgres"] = "postgres"
    for_update: Literal[" FOR UPDATE"] = " FOR UPDATE"
    skip_locked: Literal[" FOR UPDATE SKIP LOCKED"] = " FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Sequence[object] = (), /) -> Cursor:
        """Run one statement."""
        return self._connection.execute(numbered(sql), params)

    def executemany(self, sql: str, rows: Sequence[Sequence[object]], /) -> Cursor:
        """Run one statement for each row of parameters, without waiting for each."""
        cursor = self._connection.cursor()
        cursor.executemany(numbered(sql), rows)
        return cursor


@lru_cache(maxsize=512)
def numbered(sql: str) -> bytes:
    """A statement with `$1`, `$2` … in place of each `?` outside of a quoted text."""
    numbers = count(1)
    return _PARAMETER.sub(lambda found: f"${next(numbers)}" if found[0] == "?" else found[0], sql).encode()


BUSY_SECONDS = 10.0
"""How long a statement waits for a row that another transaction is changing."""


def parameters(url: str, place: str) -> dict[str, Any]:
    """What to connect with: the URL's own parameters, and ours where it says nothing.

    Raises:
        LocalError: it is no URL that libpq understands.
    """
    try:
        given: dict[str, Any] = conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # whose words may hold a piece of the password
        raise LocalError(
            f"GEMINI_TOOLSERVER_LEDGER is not a URL that PostgreSQL understands ({place}).",
            "It looks like postgresql://user:password@host:5432/database, with special characters of the password"
            " percent-encoded.",
            code="ledger_unreachable",
        ) from None
    return {**_DEFAULTS, **given, "client_encoding": "utf8"}


def connect(url: str, place: str) -> psycopg.Connection:
    """Connects, and changes nothing.

    Raises:
        LocalError: the URL cannot be understood, or the database keeps no UTF-8.
        psycopg.Error: the server cannot be reached, or refuses.
    """
    connection = psycopg.Connection.connect(
        autocommit=True,  # transactions are begun by name
        # Four times as fast. A pooler between must keep prepared statements (PgBouncer does since 1.21) or sessions.
        prepare_threshold=2,
        cursor_factory=psycopg.RawCursor,
        context=_adapters(),
        **parameters(url, place),
    )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in ("UTF8", None):
        connection.close()
        raise LocalError(
            f"The ledger, {place}, cannot keep every text: its encoding is {encoding}.",
            "Create the database with ENCODING 'UTF8'.",
            code="ledger_missing",
        )
    return connection


def open_ledger(url: str, place: str) -> psycopg.Connection:
    """Connects and brings the tables up to date.

    Raises:
        LocalError: as `connect`; or a newer version made the tables.
        psycopg.Error: as `connect`.
    """
    connection = connect(url, place)
    try:
        bring_up_to_date(connection, place)
        # Once for the session: said in each transaction it would be a tenth of the work.
        connection.execute(f"SET lock_timeout = {int(BUSY_SECONDS * 1000)}".encode())
    except BaseException:
        connection.close()
        raise
    return connection


class _Text(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        # PostgreSQL keeps no NUL: in a handle it means that there is none such, in a prompt nothing is lost.
        return super().dump(obj.replace("\x00", "\ufffd"))


class _Truth(Int8Dumper):
    def dump(self, obj: object) -> Buffer | None:
        return b"1" if obj else b"0"


class _WholeNumber(Loader):
    # Sums of BIGINT are NUMERIC.
    def load(self, data: Buffer) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


@cache
def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(str, _Text)
    adapters.register_dumper(int, Int8Dumper)  # always 64 bits, whatever the value: as on SQLite
    adapters.register_dumper(bool, _Truth)
    adapters.register_loader("numeric", _WholeNumber)
    return adapters
