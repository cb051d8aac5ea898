"""What several tests of the ledger write and read."""

from __future__ import annotations

from collections.abc import Callable

from gemini_server.jobs.ledger import Ledger


def insert(ledger: Ledger, name: str) -> None:
    """A conversation of that name."""
    ledger.execute(
        "INSERT INTO conversations (id, principal, model, settings, created, updated) VALUES (?, 'p', 'm', '{}', 0, 0)",
        (name,),
    )


def inserting(name: str) -> Callable[[Ledger], None]:
    """A piece of work that inserts it."""
    return lambda ledger: insert(ledger, name)


def names(ledger: Ledger) -> list[str]:
    """The conversations that there are."""
    return [name for (name,) in ledger.execute("SELECT id FROM conversations ORDER BY id")]


def columns(ledger: Ledger) -> dict[str, list[tuple[str, bool]]]:
    """The tables, each with its columns and whether they must have a value."""
    if ledger.dialect == "sqlite":
        sql = (
            'SELECT t.name, c.name, c."notnull" OR c.pk FROM sqlite_master t, pragma_table_info(t.name) c'
            " WHERE t.type = 'table' ORDER BY t.name, c.cid"
        )
    else:
        sql = (
            "SELECT table_name, column_name, CAST(is_nullable = 'NO' AS INTEGER) FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name <> 'ledger_schema' AND column_name <> 'rowid'"
            " ORDER BY table_name, ordinal_position"
        )
    found: dict[str, list[tuple[str, bool]]] = {}
    for table, column, needed in ledger.execute(sql):
        found.setdefault(table, []).append((column, bool(needed)))
    return found
