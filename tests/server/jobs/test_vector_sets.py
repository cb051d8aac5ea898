from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_server.jobs.ledger import Store
from gemini_server.jobs.vectors import VectorSet, VectorSets, packed_texts

ORIGIN = VectorSet("gemini-embedding-2", 768, "RETRIEVAL_QUERY", 3)


@pytest.mark.anyio
async def test_the_origin_of_vectors_comes_back_to_its_principal_alone(store: Store) -> None:
    texts = ("日本 \x00", None, "half \ud83d")
    origin = replace(ORIGIN, texts=packed_texts(texts, 3))
    await VectorSets(store).put("ada", "a1", origin)
    assert await VectorSets(store).get("ada", "a1") == origin
    assert origin.excerpts(range(3)) == dict(enumerate(texts))
    assert await VectorSets(store).get("bob", "a1") is None
    assert await VectorSets(store).get("ada", "a2") is None


@pytest.mark.anyio
async def test_origins_that_were_kept_by_an_earlier_version_are_read(store: Store) -> None:
    about = {"model": "m", "dimensions": 2, "task_type": None, "texts": ["one", None]}
    insert = "INSERT INTO vector_sets (artifact, principal, about) VALUES (?, ?, ?)"
    await store.run(lambda ledger: ledger.execute(insert, ("a1", "ada", json.dumps(about))))
    found = await VectorSets(store).get("ada", "a1")
    assert found is not None
    assert (found.dimensions, found.count, found.excerpts([1, 0])) == (2, None, {0: "one", 1: None})


@given(st.lists(st.one_of(st.none(), st.text(max_size=300)), max_size=20), st.sets(st.integers(0, 25)))
def test_the_beginnings_of_texts_are_found_by_their_index(texts: list[str | None], wanted: set[int]) -> None:
    found = replace(ORIGIN, texts=packed_texts(texts, len(texts))).excerpts(wanted)
    assert found.keys() == {index for index in wanted if index < len(texts)}
    for index, text in found.items():
        whole = texts[index]
        assert text == whole or (whole and text and whole.startswith(text[:-1]) and len(text) == 200)


def test_the_more_texts_the_less_is_kept_of_each() -> None:
    texts = [f"{number:06} {'x' * 300}" for number in range(100_000)]
    packed = packed_texts(texts, len(texts))
    assert len(packed) < 2 * 1024 * 1024
    (last,) = replace(ORIGIN, texts=packed).excerpts([99_999]).values()
    assert last is not None
    assert last.startswith("099999 xxx")
    assert len(last) == 83


def test_where_nothing_is_kept_nothing_is_found() -> None:
    assert ORIGIN.excerpts([0, 1]) == {}
