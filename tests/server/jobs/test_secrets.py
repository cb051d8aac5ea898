from __future__ import annotations

import anyio
import pytest

from gemini_server.jobs.ledger import Store
from gemini_server.jobs.secrets import BYTES, shared_secret
from tests.server.jobs.conftest import NewStore

pytestmark = pytest.mark.anyio


async def test_a_secret_is_made_once_and_has_a_name(store: Store) -> None:
    first = await shared_secret(store, "tasks")
    assert len(first) == BYTES == 32
    assert await shared_secret(store, "tasks") == first
    assert await shared_secret(store, "links") != first


async def test_replicas_that_ask_at_once_get_the_same_secret(new_store: NewStore) -> None:
    found: set[bytes] = set()

    async def ask(store: Store) -> None:
        found.add(await shared_secret(store, "tasks"))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask, new_store())
    assert len(found) == 1
