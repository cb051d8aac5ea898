"""Chunks of documents, one by one and many at once."""

from __future__ import annotations

from typing import Any

import pytest

from .bygone import Bygone

pytestmark = pytest.mark.anyio

DOCUMENT = "corpora/c/documents/d"
CHUNKS = f"{DOCUMENT}/chunks"


@pytest.fixture(autouse=True)
async def document(old: Bygone) -> None:
    await old.call("POST", "corpora", {"name": "corpora/c"})
    await old.call("POST", "corpora/c/documents", {"name": DOCUMENT})


def chunk(text: str, ident: str = "", **fields: Any) -> dict[str, Any]:
    return {"data": {"stringValue": text}, **({"name": f"{CHUNKS}/{ident}"} if ident else {}), **fields}


async def test_a_chunk_is_pending_then_active_and_can_be_changed_and_deleted(old: Bygone) -> None:
    made = await old.call("POST", CHUNKS, chunk("The tide is high."))
    assert made["state"] == "STATE_PENDING_PROCESSING"
    assert len(made["name"].removeprefix(f"{CHUNKS}/")) == 12
    assert await old.call("GET", made["name"]) == {**made, "state": "STATE_ACTIVE"}
    label = [{"key": "sea", "numericValue": 1}]
    changed = await old.call("PATCH", f"{made['name']}?updateMask=custom_metadata", {"customMetadata": label})
    assert (changed["customMetadata"], changed["data"]["stringValue"]) == (label, "The tide is high.")
    await old.call("PATCH", f"{made['name']}?updateMask=data.string_value", chunk("Snow fell in May."))
    found = await old.call("POST", f"{DOCUMENT}:query", {"query": "snow in May"})
    assert found["relevantChunks"][0]["chunkRelevanceScore"] > 0.5
    assert await old.call("DELETE", made["name"]) == {}
    assert "was not found" in await old.refused("DELETE", made["name"], status=404)


async def test_many_are_made_changed_and_deleted_at_once(old: Bygone) -> None:
    requests = [{"parent": DOCUMENT, "chunk": chunk(f"Chapter {number}", f"n{number}")} for number in range(100)]
    made = await old.call("POST", f"{CHUNKS}:batchCreate", {"requests": requests})
    names = [one["name"] for one in made["chunks"]]
    assert names == [f"{CHUNKS}/n{number}" for number in range(100)]
    listed = await old.call("GET", f"{CHUNKS}?pageSize=1000")
    assert [one["name"] for one in listed["chunks"]] == names
    assert "nextPageToken" not in listed
    updates = [{"chunk": chunk("Other", f"n{number}"), "updateMask": "data"} for number in (3, 4)]
    changed = await old.call("POST", f"{CHUNKS}:batchUpdate", {"requests": updates})
    assert [one["data"]["stringValue"] for one in changed["chunks"]] == ["Other", "Other"]
    assert await old.call("POST", f"{CHUNKS}:batchDelete", {"requests": [{"name": one} for one in names[1:]]}) == {}
    assert [one["name"] for one in (await old.call("GET", CHUNKS))["chunks"]] == names[:1]


CREATE, UPDATE, DELETE = "batchCreate", "batchUpdate", "batchDelete"


@pytest.mark.parametrize(
    ("verb", "requests", "said", "status"),
    [
        (CREATE, [], "requests must not be empty", 400),
        (CREATE, [{"parent": DOCUMENT, "chunk": chunk("x")}] * 101, "at most 100 requests", 400),
        (CREATE, [{"parent": "corpora/c/documents/e", "chunk": chunk("x")}], "does not match the parent", 400),
        (CREATE, [{"parent": DOCUMENT, "chunk": chunk("x", "n")}] * 2, "given more than once", 400),
        (CREATE, [{"parent": DOCUMENT, "chunk": chunk(one, "kept")} for one in "x"], "already exists", 409),
        (CREATE, [{"parent": DOCUMENT, "chunk": chunk("word " * 2000)}], "at most 2043 tokens", 400),
        (UPDATE, [{"chunk": chunk("x", "kept")}], "update_mask is required", 400),
        (UPDATE, [{"chunk": chunk("x", "kept"), "updateMask": "state"}], "cannot be updated", 400),
        (UPDATE, [{"chunk": {"name": f"{CHUNKS}/kept"}, "updateMask": "data"}], "data is required", 400),
        (UPDATE, [{"chunk": chunk("x", "none"), "updateMask": "data"}], "was not found", 404),
        (DELETE, [{"name": f"{CHUNKS}/kept"}, {"name": f"{CHUNKS}/none"}], "was not found", 404),
        (DELETE, [{"name": "kept"}], "is not of the form", 400),
        (DELETE, [{"name": f"{CHUNKS}/kept", "force": True}], 'Unknown name "force"', 400),
    ],
)
async def test_a_batch_with_one_bad_request_changes_nothing(
    old: Bygone, verb: str, requests: list[dict[str, Any]], said: str, status: int
) -> None:
    await old.call("POST", CHUNKS, chunk("Kept.", "kept"))
    before = await old.call("GET", CHUNKS)
    assert said in await old.refused("POST", f"{CHUNKS}:{verb}", {"requests": requests}, status=status)
    assert await old.call("GET", CHUNKS) == before
