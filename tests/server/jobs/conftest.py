from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gemini_server.jobs.store import Store


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "state")
    yield store
    await store.aclose()
