"""Short notices between the replicas that share a PostgreSQL ledger."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio

from gemini_server.jobs.ledger import Ledger, Store
from gemini_server.jobs.postgres import PostgresStore, require_driver

if TYPE_CHECKING:
    import psycopg

logger = logging.getLogger(__name__)

# One ledger is one schema of a database; a channel belongs to the whole database.
_CHANNEL = "'gemini_toolserver_' || md5(current_schema())"
_LONGEST_PAUSE = 30.0


def notify(ledger: Ledger, payload: str) -> None:
    """Tells every `listen` of the same ledger, this process's too, as soon as the transaction is committed.

    On SQLite it does nothing: nobody listens there.

    Args:
        ledger: the transaction.
        payload: fewer than 8000 bytes, not empty.
    """
    if ledger.dialect == "postgres":
        ledger.execute(f"SELECT pg_notify({_CHANNEL}, ?)", (payload,))


async def listen(store: Store, *, pause: float = 1.0) -> AsyncGenerator[str]:
    """The payloads of all notices, for ever; on SQLite none, and it ends at once.

    An empty string comes whenever the connection has been made, the first time too: what was said before is lost, so
    whoever keeps something in mind should look at the ledger again. It needs a connection of its own to the server
    itself, not to a pooler that exchanges sessions.

    Args:
        store: the ledger.
        pause: seconds before the connection is made again; doubled, up to 30, while that fails.

    Raises:
        LocalError: the driver is not installed, or the URL cannot be understood.
    """
    if not isinstance(store, PostgresStore):
        return
    require_driver()
    import psycopg

    from gemini_server.jobs.postgres_connection import parameters
    from gemini_server.jobs.postgres_failure import local_error

    given, wait = parameters(store.url, store.place), pause
    while True:
        try:
            async with aclosing(_notices(await psycopg.AsyncConnection.connect(autocommit=True, **given))) as notices:
                async for payload in notices:
                    wait = pause
                    yield payload
        except psycopg.Error as failure:
            said = local_error(failure, store.place) or failure
            logger.warning("Notices of other replicas do not come at present: %s", said)
        await anyio.sleep(wait)
        wait = min(wait * 2, _LONGEST_PAUSE)


async def _notices(connection: psycopg.AsyncConnection) -> AsyncGenerator[str]:
    async with connection:
        row = await (await connection.execute(f"SELECT {_CHANNEL}".encode())).fetchone()
        await connection.execute(f'LISTEN "{row[0] if row else ""}"'.encode())
        yield ""
        async for notice in connection.notifies():
            yield notice.payload
