"""Secrets that all processes and replicas of one ledger share, so that what one has sealed another can open."""

from __future__ import annotations

import secrets

from gemini_server.jobs.ledger import Ledger, Store

BYTES = 32


async def shared_secret(store: Store, name: str) -> bytes:
    """The secret of that name: 32 random bytes, made by whoever asks first and the same for all ever after.

    Raises:
        LocalError: the ledger cannot be used.
    """

    def read(ledger: Ledger) -> bytes | None:
        row = ledger.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def make(ledger: Ledger) -> bytes | None:
        ledger.execute(
            "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
            (name, secrets.token_bytes(BYTES)),
        )
        return read(ledger)  # one that another process made in the same instant counts

    found = await store.run(read, write=False) or await store.run(make)
    if found is None:
        raise RuntimeError(f"the secret {name!r} is not there although it was written")
    return found
