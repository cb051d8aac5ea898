"""What the model and the person read when PostgreSQL cannot be used. Imports the driver."""

from __future__ import annotations

import psycopg

from gemini_server.errors import LocalError
from gemini_server.redaction import redact

# By SQLSTATE: what is wrong, what to do, our code. https://www.postgresql.org/docs/current/errcodes-appendix.html
_AGAIN = "Call again."
_STATES = {
    "08": ("the connection to it was lost", _AGAIN, "ledger_unreachable"),
    "25006": (
        "the server takes no writes (it may be a standby)",
        "Name the primary in GEMINI_TOOLSERVER_LEDGER.",
        "ledger_read_only",
    ),
    "28": ("it does not accept the user name or the password", "Mend GEMINI_TOOLSERVER_LEDGER.", "ledger_refused"),
    "3D000": ("there is no such database", "Create it (createdb), or mend GEMINI_TOOLSERVER_LEDGER.", "ledger_missing"),
    "3F000": (
        "its search path names no schema that exists",
        "Create the schema, or mend the options in GEMINI_TOOLSERVER_LEDGER.",
        "ledger_missing",
    ),
    "40": ("other processes were faster several times", _AGAIN, "ledger_busy"),
    "42501": (
        "this user lacks a privilege there",
        "Make the user the owner of the database, or grant it CREATE and USAGE on the schema and all on its tables.",
        "ledger_forbidden",
    ),
    "53100": ("there is no space left on its disk", "Free some space there and call again.", "disk_full"),
    "53300": (
        "it has as many connections as it takes",
        "Call again; raise max_connections if it stays so.",
        "ledger_busy",
    ),
    "53": ("the server lacks resources", "Look at the server's log.", "ledger_failed"),
    "55P03": (
        "another process has held it for too long",
        "Call again; look for a transaction that hangs.",
        "ledger_busy",
    ),
    "57014": ("the server cancelled the statement, as it took too long", _AGAIN, "ledger_busy"),
    "57": ("the server was shut down or is starting", _AGAIN, "ledger_unreachable"),
    "58": ("the server's own files failed", "Look at the server's log.", "ledger_failed"),
    "XX001": ("its data are corrupted", "Look at the server's log; restore a backup.", "ledger_failed"),
    "XX002": ("an index of it is corrupted", "Look at the server's log; REINDEX.", "ledger_failed"),
}
# A connection that is not made has no SQLSTATE, only words, which are translated on some servers.
_WORDS = {
    "password authentication failed": "28",
    "no password supplied": "28",
    "no pg_hba.conf entry": "28",
    "authentication failed": "28",
    "role ": "28",
    "database ": "3D000",
    "too many clients": "53300",
    "too many connections": "53300",
    "remaining connection slots": "53300",
}
OVERTAKEN = frozenset({"40001", "40P01"})
"""A transaction that lost against another one; the server undid it, and it may succeed now."""


def local_error(failure: psycopg.Error, place: str) -> LocalError | None:
    """The failure in our words; None for one that only a mistake of the program explains."""
    state = failure.sqlstate
    if state is None:
        if not isinstance(failure, psycopg.OperationalError | psycopg.InterfaceError):
            return None
        said = _last_words(failure)
        state = next((state for words, state in _WORDS.items() if words in said), None)
        if state is None:
            return LocalError(
                f"The ledger, {place}, cannot be reached: {said}.",
                "Check that the server runs and that GEMINI_TOOLSERVER_LEDGER is right.",
                code="ledger_unreachable",
            )
    return by_state(state, place) if state in _STATES or state[:2] in _STATES else None


def by_state(state: str, place: str) -> LocalError:
    """The failure with that SQLSTATE."""
    what, remedy, code = _STATES.get(state) or _STATES[state[:2]]
    return LocalError(f"The ledger, {place}, was not changed: {what}.", remedy, code=code)


def unsure(place: str) -> LocalError:
    """The connection broke while the transaction was being committed."""
    return LocalError(
        f"The connection to the ledger, {place}, broke during a commit: the change may have been made, or not.",
        "Look whether it was, before you call again.",
        code="ledger_unsure",
    )


def _last_words(failure: psycopg.Error) -> str:
    # `connection failed: connection to server at "…", port … failed: Connection refused\n\tIs the server …`
    line = redact(str(failure)).strip().partition("\n")[0]
    return line.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")
