"""Corpora, queries to them, and who may do what with them; and what is left of all that without the option."""

from __future__ import annotations

from typing import Any

import pytest

from .bygone import Bygone, bygone

pytestmark = pytest.mark.anyio


async def test_a_corpus_is_made_listed_renamed_and_deleted(old: Bygone) -> None:
    made = await old.call("POST", "corpora", {"displayName": "My Office"})
    assert made["name"].startswith("corpora/my-office-")
    assert len(made["name"].rpartition("-")[2]) == 12
    named = await old.call("POST", "corpora", {"name": "corpora/chosen"})
    assert await old.call("GET", "corpora/chosen") == named
    first = await old.call("GET", "corpora?pageSize=1")
    rest = await old.call("GET", f"corpora?pageToken={first['nextPageToken']}")
    assert [first["corpora"], rest] == [[made], {"corpora": [named]}]
    changed = await old.call("PATCH", "corpora/chosen?updateMask=display_name", {"displayName": "Other"})
    assert changed["displayName"] == "Other"
    assert changed["updateTime"] > named["updateTime"]
    assert await old.call("DELETE", made["name"]) == {}
    assert await old.refused("GET", made["name"], status=404) == f"Requested entity was not found: {made['name']}"


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "corpora", {"title": "x"}, 'Unknown name "title"'),
        ("POST", "corpora", {"name": "corpora/Not Good"}, "is not of the form corpora/{id}"),
        ("POST", "corpora", {"displayName": "x" * 513}, "at most 512 characters"),
        ("PATCH", "corpora/c", {"displayName": "x"}, "update_mask is required"),
        ("PATCH", "corpora/c?updateMask=name", {"name": "corpora/d"}, "Field name in update_mask cannot be updated"),
        ("GET", "corpora?pageToken=nonsense", None, "Page token is invalid"),
        ("GET", "corpora?filter=x", None, "Cannot bind query parameter"),
        ("DELETE", "corpora/c?force=perhaps", None, "TYPE_BOOL"),
        ("DELETE", "corpora/c", None, "Cannot delete non-empty Corpus"),
        ("POST", "corpora/c:query", {"query": ""}, "query is required"),
        ("POST", "corpora/c:query", {"query": "x", "resultsCount": 101}, "must be in the range [0, 100]"),
        (
            "POST",
            "corpora/c:query",
            {"query": "x", "metadataFilters": [{"key": "kind"}]},
            "is not of the form document",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused(
    old: Bygone, method: str, path: str, body: dict[str, Any] | None, said: str
) -> None:
    await old.call("POST", "corpora", {"name": "corpora/c"})
    await old.call("POST", "corpora/c/documents", {})
    assert said in await old.refused(method, path, body)
    assert await old.call("DELETE", "corpora/c?force=true") == {}


async def test_a_query_finds_chunks_of_all_documents_by_other_words_for_the_same_thing(old: Bygone) -> None:
    corpus = await old.corpus()
    found = (await old.call("POST", f"{corpus}:query", {"query": "When are computers replaced?"}))["relevantChunks"]
    assert found[0]["chunk"]["name"] == f"{corpus}/documents/handbook/chunks/laptops"
    assert found[0]["document"]["displayName"] == "handbook"
    scores = [one["chunkRelevanceScore"] for one in found]
    assert scores == sorted(scores, reverse=True)
    assert 1 >= scores[0] > 0.3 > scores[-1]
    one = await old.call("POST", f"{corpus}:query", {"query": "pumpkin soup", "resultsCount": 1})
    assert [each["chunk"]["data"]["stringValue"][:11] for each in one["relevantChunks"]] == ["The canteen"]


def condition(operation: str, value: str | float) -> dict[str, Any]:
    return {"operation": operation, "stringValue" if isinstance(value, str) else "numericValue": value}


@pytest.mark.parametrize(
    ("key", "conditions", "found"),
    [
        ("document.custom_metadata.kind", [condition("EQUAL", "menu")], {"soup"}),
        ("document.custom_metadata.kind", [condition("NOT_EQUAL", "menu")], {"vacation", "laptops"}),
        ("document.custom_metadata.tags", [condition("INCLUDES", "staff")], {"vacation", "laptops", "soup"}),
        ("document.custom_metadata.tags", [condition("EXCLUDES", "staff")], set[str]()),
        ("chunk.custom_metadata.year", [condition("GREATER", 2020)], {"laptops"}),
        ("chunk.custom_metadata.year", [condition("LESS", 0), condition("LESS_EQUAL", 2020)], {"vacation", "soup"}),
        ("chunk.custom_metadata.other", [condition("NOT_EQUAL", 1)], set[str]()),
    ],
)
async def test_filters_leave_out_what_does_not_meet_any_of_their_conditions(
    old: Bygone, key: str, conditions: list[dict[str, Any]], found: set[str]
) -> None:
    corpus = await old.corpus()
    body = {"query": "laptops", "metadataFilters": [{"key": key, "conditions": conditions}]}
    answer = await old.call("POST", f"{corpus}:query", body)
    assert {one["chunk"]["name"].rpartition("/")[2] for one in answer.get("relevantChunks", [])} == found


@pytest.mark.parametrize("parent", ["corpora", "tunedModels"])
async def test_permissions_are_granted_changed_and_taken_away(old: Bygone, parent: str) -> None:
    resource = await old.corpus() if parent == "corpora" else (await old.tuned())["metadata"]["tunedModel"]
    (owner,) = (await old.call("GET", f"{resource}/permissions"))["permissions"]
    assert owner["role"] == "OWNER"
    anna = {"granteeType": "USER", "emailAddress": "anna@example.com", "role": "READER"}
    made = await old.call("POST", f"{resource}/permissions", anna)
    assert made == {"name": made["name"], **anna}
    assert await old.refused("POST", f"{resource}/permissions", anna, status=409)
    everyone = await old.call("POST", f"{resource}/permissions", {"granteeType": "EVERYONE", "role": "READER"})
    assert await old.call("GET", everyone["name"]) == everyone
    changed = await old.call("PATCH", f"{made['name']}?updateMask=role", {"role": "WRITER"})
    assert changed == {**made, "role": "WRITER"}
    assert await old.call("DELETE", everyone["name"]) == {}
    assert [one["role"] for one in (await old.call("GET", f"{resource}/permissions"))["permissions"]] == [
        "OWNER", "WRITER",
    ]  # fmt: skip
    for body, said in (
        ({"role": "READER"}, "grantee_type"),
        ({"granteeType": "GROUP", "role": "READER"}, "email address is required"),
        ({"granteeType": "EVERYONE", "role": "WRITER"}, "no more than READER"),
        ({**anna, "role": "OWNER"}, "cannot make an owner"),
    ):
        assert said in await old.refused("POST", f"{resource}/permissions", body)
    assert "cannot be updated" in await old.refused("PATCH", f"{made['name']}?updateMask=emailAddress", anna)
    assert "owner" in await old.refused("DELETE", owner["name"])


async def test_without_the_option_what_google_removed_is_not_there_and_the_rest_is_empty(old: Bygone) -> None:
    async with bygone(legacy=False) as today:
        assert await today.call("GET", "corpora") == {}
        assert await today.call("GET", "tunedModels") == {}
        assert "File Search" in await today.refused("POST", "corpora", {}, status=404)
        for path in ("corpora/c", "corpora/c/permissions", "corpora/c/operations/o", "tunedModels/t"):
            assert "Requested entity was not found" in await today.refused("GET", path, status=404)
        for method, path in (
            ("PATCH", "corpora/c"),
            ("POST", "corpora/c:query"),
            ("GET", "corpora/c/documents"),
            ("POST", "corpora/c/documents/d:query"),
            ("POST", "corpora/c/documents/d/chunks:batchCreate"),
        ):
            assert await today.gone(method, path)
    assert await old.gone("GET", "corpora", version="v1")
