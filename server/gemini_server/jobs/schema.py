"""The tables of the ledger, as a list of migrations.

A file's `PRAGMA user_version` is the number of migrations it has seen. To change the schema, append a script here and
never edit one that was released. A script is plain SQL, one or more statements; all that a file lacks run in one
transaction. The words are SQLite's; `postgres_schema` translates them.
"""

from __future__ import annotations

from collections.abc import Iterator

from gemini_server.jobs.job_tables import JOBS
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.live_tables import LIVE_SESSIONS
from gemini_server.jobs.owner_tables import OWNERS
from gemini_server.jobs.upload_tables import UPLOAD_LINKS, UPLOADS
from gemini_server.jobs.webhook_tables import MESSAGES

# Seconds since 1970 by the database's clock, whole and with their fraction: two functions that both engines are given.
# Money is whole nano-dollars (1 USD = 10**9).
NOW = "ledger_now()"
CLOCK = "ledger_clock()"

_CONVERSATIONS_AND_SPENDING = """
CREATE TABLE conversations (
    id         TEXT PRIMARY KEY,
    principal  TEXT NOT NULL,
    model      TEXT NOT NULL,
    system     TEXT,
    settings   TEXT NOT NULL,
    turns      INTEGER NOT NULL DEFAULT 0,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL
);
CREATE INDEX conversations_of_principal ON conversations (principal, created);
CREATE INDEX conversations_by_use ON conversations (updated);
CREATE TABLE turns (
    conversation  TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    position      INTEGER NOT NULL,
    content       TEXT NOT NULL,
    PRIMARY KEY (conversation, position)
);
CREATE TABLE spending (
    day             TEXT NOT NULL,
    principal       TEXT NOT NULL,
    model           TEXT NOT NULL,
    calls           INTEGER NOT NULL,
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    thought_tokens  INTEGER NOT NULL,
    cached_tokens   INTEGER NOT NULL,
    tool_tokens     INTEGER NOT NULL,
    cost_nanos      INTEGER NOT NULL,
    unpriced_calls  INTEGER NOT NULL,
    PRIMARY KEY (day, principal, model)
) WITHOUT ROWID;
"""

_ARTIFACTS = """
CREATE TABLE artifacts (
    id         TEXT PRIMARY KEY,
    principal  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    mime_type  TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    width      INTEGER,
    height     INTEGER,
    duration   REAL,
    created    INTEGER NOT NULL
);
CREATE INDEX artifacts_of_principal ON artifacts (principal, created);
"""

_VECTOR_SETS = """
CREATE TABLE vector_sets (
    artifact  TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    about     TEXT NOT NULL
);
"""

_SECRETS = """
CREATE TABLE secrets (
    name   TEXT PRIMARY KEY,
    value  BLOB NOT NULL
);
"""

MIGRATIONS: tuple[str, ...] = (
    _CONVERSATIONS_AND_SPENDING,
    _ARTIFACTS,
    _VECTOR_SETS,
    JOBS,
    _SECRETS,
    UPLOADS,
    UPLOAD_LINKS,
    MESSAGES,
    LIVE_SESSIONS,
    OWNERS,
)


def version(ledger: Ledger) -> int:
    """How many migrations this SQLite file has seen."""
    return int(ledger.execute("PRAGMA user_version").fetchone()[0])


def migrate(ledger: Ledger) -> None:
    """Brings an older SQLite file up to date; inside a transaction, or a crash would leave half a schema."""
    for number, script in enumerate(MIGRATIONS[version(ledger) :], start=version(ledger) + 1):
        for statement in _statements(script):
            ledger.execute(statement)
        ledger.execute(f"PRAGMA user_version = {number}")  # a pragma takes no parameter


def _statements(script: str) -> Iterator[str]:
    # `executescript` would do, but it commits first, and the migration must be one transaction.
    import sqlite3

    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
