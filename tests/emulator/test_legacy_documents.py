"""Documents of corpora."""

from __future__ import annotations

from typing import Any

import pytest

from .bygone import Bygone

pytestmark = pytest.mark.anyio


async def test_a_document_is_made_listed_changed_and_deleted(old: Bygone) -> None:
    corpus = await old.corpus()
    labels = [{"key": "kind", "stringValue": "notes"}]
    made = await old.call("POST", f"{corpus}/documents", {"displayName": "Notes", "customMetadata": labels})
    assert made["name"].startswith(f"{corpus}/documents/notes-")
    assert made["customMetadata"] == labels
    page = await old.call("GET", f"{corpus}/documents?pageSize=2")
    last = await old.call("GET", f"{corpus}/documents?pageToken={page['nextPageToken']}")
    assert [len(page["documents"]), last] == [2, {"documents": [made]}]
    changed = await old.call("PATCH", f"{made['name']}?updateMask=displayName", {"displayName": "Other"})
    assert (changed["displayName"], changed["customMetadata"]) == ("Other", labels)
    bare = await old.call("PATCH", f"{made['name']}?updateMask=*", {})
    assert not {"displayName", "customMetadata"} & bare.keys()
    assert await old.call("GET", made["name"]) == bare
    assert await old.call("DELETE", made["name"]) == {}
    assert "was not found" in await old.refused("GET", made["name"], status=404)
    assert "Cannot delete non-empty Document" in await old.refused("DELETE", f"{corpus}/documents/menu")
    assert await old.call("DELETE", f"{corpus}/documents/menu?force=true") == {}


async def test_a_query_to_a_document_finds_its_own_chunks_alone(old: Bygone) -> None:
    document = f"{await old.corpus()}/documents/handbook"
    years = {"key": "chunk.custom_metadata.year", "conditions": [{"numericValue": 2021, "operation": "EQUAL"}]}
    asked = {"query": "pumpkin soup"}
    both = await old.call("POST", f"{document}:query", asked)
    one = await old.call("POST", f"{document}:query", {**asked, "metadataFilters": [years]})
    assert [len(both["relevantChunks"]), len(one["relevantChunks"])] == [2, 1]
    assert one["relevantChunks"][0]["chunk"]["name"] == f"{document}/chunks/laptops"
    kinds = {"key": "document.custom_metadata.kind", "conditions": [{"stringValue": "x", "operation": "EQUAL"}]}
    refusal = await old.refused("POST", f"{document}:query", {**asked, "metadataFilters": [kinds]})
    assert "metadata of chunks only" in refusal
    less = {"key": years["key"], "conditions": [{"stringValue": "x", "operation": "LESS"}]}
    refusal = await old.refused("POST", f"{document}:query", {**asked, "metadataFilters": [less]})
    assert "LESS is supported for numeric values only" in refusal


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "corpora/other/documents/d"}, "is not of the form corpora/c/documents/{id}"),
        ({"customMetadata": [{"key": "a"}]}, "required oneof field 'value'"),
        ({"customMetadata": [{"key": str(n), "stringValue": "x"} for n in range(21)]}, "at most 20 entries"),
        ({"state": "STATE_ACTIVE"}, 'Unknown name "state"'),
    ],
)
async def test_what_makes_no_sense_is_refused(old: Bygone, body: dict[str, Any], said: str) -> None:
    await old.call("POST", "corpora", {"name": "corpora/c"})
    assert said in await old.refused("POST", "corpora/c/documents", body)
