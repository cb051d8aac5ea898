from __future__ import annotations

import pytest

from gemini_server.jobs.ledger import Store
from gemini_server.jobs.vectors import VectorSet, VectorSets

pytestmark = pytest.mark.anyio


async def test_the_origin_of_vectors_comes_back_to_its_principal_alone(store: Store) -> None:
    origin = VectorSet("gemini-embedding-2", 768, "RETRIEVAL_QUERY", ("日本 \x00", None, "half \ud83d"))
    await VectorSets(store).put("ada", "a1", origin)
    assert await VectorSets(store).get("ada", "a1") == origin
    assert await VectorSets(store).get("bob", "a1") is None
    assert await VectorSets(store).get("ada", "a2") is None
