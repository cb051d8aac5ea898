"""rank_by_similarity through the front door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured
from tests.front.conftest import Json, sent, warned

pytestmark = pytest.mark.anyio

V1, V2 = "gemini-embedding-001", "gemini-embedding-2"
TEXTS = [
    "Stock prices fell after the central bank raised interest rates.",
    "The kitten slept on the sofa beside two other cats.",
    "A recipe for bread with flour, yeast and salt.",
    "How to repair the engine of an old car.",
]
SWITCHED_ON: Json = {"tools": ("rank_by_similarity",)}


async def rank(client: Client, query: str = "a cat on a sofa", **arguments: Any) -> Json:
    return structured(await client.call_tool("rank_by_similarity", {"query": query, **arguments}))


async def refused(client: Client, **arguments: Any) -> str:
    return error_of(await client.call_tool("rank_by_similarity", arguments))


async def saved(client: Client, **arguments: Any) -> str:
    found = structured(await client.call_tool("embed", {"items": TEXTS, "save": True, "dimensions": 256, **arguments}))
    uri: str = found["artifacts"][0]["uri"]
    return uri


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("model", [V1, V2])
async def test_the_best_match_is_the_text_that_means_the_same(connect: Connect, model: str, mode: str) -> None:
    async with connect(mode=mode, **SWITCHED_ON) as client:
        found = await rank(client, candidates=TEXTS, model=model, top_k=2)
    assert found["matches"][0]["index"] == 1
    assert found["matches"][0]["text"] == TEXTS[1]
    assert 1 >= found["matches"][0]["score"] > found["matches"][1]["score"]
    assert (found["count"], found["model"], len(found["matches"])) == (4, model, 2)
    assert found["usage"]["cost_usd"] > 0
    assert not found.keys() & {"warnings", "incomplete", "missing"}


async def test_query_and_candidates_have_their_own_task_types(connect: Connect, emulator: Emulator) -> None:
    async with connect(**SWITCHED_ON) as client:
        await rank(client, "q", candidates=["a", "b"], model=V1)
        first = [(one["taskType"], one["content"]["parts"][0]["text"]) for one in sent(emulator)["requests"]]
        await rank(client, "q", candidates=["a", "b"])
        second = [one["content"]["parts"][0]["text"] for one in sent(emulator)["requests"]]
    assert first == [("RETRIEVAL_QUERY", "q"), ("RETRIEVAL_DOCUMENT", "a"), ("RETRIEVAL_DOCUMENT", "b")]
    assert second == ["task: search result | query: q", "title: none | text: a", "title: none | text: b"]
    assert len(emulator.requests) == 2


async def test_five_matches_come_when_nothing_is_said_and_a_long_text_is_cut(connect: Connect) -> None:
    async with connect(**SWITCHED_ON) as client:
        found = await rank(client, "cats", candidates=[f"cats {'and dogs ' * 40}{number}" for number in range(9)])
    assert len(found["matches"]) == 5
    assert all(len(match["text"]) == 200 and match["text"].endswith("…") for match in found["matches"])


@pytest.mark.parametrize("form", ["npy", "jsonl"])
@pytest.mark.parametrize("model", [V1, V2])
async def test_kept_vectors_are_ranked_with_the_texts_they_came_from(
    connect: Connect, emulator: Emulator, form: str, model: str
) -> None:
    async with connect(**SWITCHED_ON) as client:
        uri = await saved(client, format=form, model=model, task_type="RETRIEVAL_DOCUMENT")
        before = len(emulator.requests)
        found = await rank(client, artifact=uri)
        again = await rank(client, artifact=uri.removeprefix("gemini://artifacts/"), top_k=1)
    assert (found["matches"][0]["index"], found["matches"][0]["text"]) == (1, TEXTS[1])
    assert (found["model"], found["count"], len(found["matches"])) == (model, 4, 4)
    assert again["matches"] == found["matches"][:1]
    assert len(emulator.requests) == before + 2, "only the query is embedded"
    (request,) = sent(emulator)["requests"]
    assert request["outputDimensionality"] == 256
    text = request["content"]["parts"][0]["text"]
    assert request.get("taskType") == "RETRIEVAL_QUERY" or text.startswith("task: search result | query: ")


@pytest.mark.parametrize(("made_for", "asked_for"), [(None, None), ("CLUSTERING", "CLUSTERING")])
async def test_a_query_is_embedded_like_its_kept_vectors(
    connect: Connect, emulator: Emulator, made_for: str | None, asked_for: str | None
) -> None:
    async with connect(**SWITCHED_ON) as client:
        uri = await saved(client, model=V1, task_type=made_for)
        found = await rank(client, TEXTS[2], artifact=uri, top_k=1)
    assert sent(emulator)["requests"][0].get("taskType") == asked_for
    assert found["matches"][0]["score"] == pytest.approx(1, abs=1e-5)


async def test_vectors_of_another_model_are_not_compared(connect: Connect, emulator: Emulator) -> None:
    async with connect(**SWITCHED_ON) as client:
        uri = await saved(client, model=V1)
        before = len(emulator.requests)
        assert "do not compare" in await refused(client, query="q", artifact=uri, model=V2)
    assert len(emulator.requests) == before


async def test_a_file_that_was_changed_is_not_ranked(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    async with connect(**SWITCHED_ON) as client:
        uri = await saved(client)
        (file,) = Path(tmp_path, "output").glob("*.npy")
        file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
        before = len(emulator.requests)
        assert "changed" in await refused(client, query="q", artifact=uri)
    assert len(emulator.requests) == before


async def test_what_is_incomplete_is_ranked_and_said_to_be(connect: Connect) -> None:
    async with connect(**SWITCHED_ON) as client:
        items = [*(f"note {number}" for number in range(150)), "[emulate: status=402]", *(["x"] * 60)]
        kept = structured(await client.call_tool("embed", {"items": items, "dimensions": 8}))
        found = await rank(client, "note 7", artifact=kept["artifacts"][0]["uri"], top_k=1)
    assert kept["missing"] == ["100-199"]
    assert (found["incomplete"], found["missing"], found["count"]) == (True, ["100-199"], 111)
    assert found["matches"][0]["text"] == "note 7"


async def test_candidates_that_could_not_be_embedded_are_said_to_be_missing(connect: Connect) -> None:
    async with connect(**SWITCHED_ON) as client:
        candidates = [*(f"note {number}" for number in range(150)), "[emulate: status=402]"]
        found = await rank(client, "note 7", candidates=candidates, top_k=1)
    assert found["matches"][0]["index"] == 7
    assert (found["incomplete"], found["missing"], found["count"]) == (True, ["99-150"], 99)
    assert "Not all candidates were compared" in warned(found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": "q"}, "either candidates or an artifact"),
        ({"query": "q", "candidates": []}, "either candidates or an artifact"),
        ({"query": "q", "candidates": ["a"], "artifact": "x"}, "either candidates or an artifact"),
        ({"query": " ", "candidates": ["a"]}, "query is empty"),
        ({"query": "q", "candidates": ["a", ""]}, "candidate 1 is empty"),
        ({"query": "q", "candidates": ["a"], "top_k": 0}, "top_k is 1 to 100"),
        ({"query": "q", "candidates": ["a"], "top_k": 101}, "top_k is 1 to 100"),
        ({"query": "q", "artifact": "unknown"}, "no artifact"),
        ({"query": "q", "artifact": "gemini://artifacts/unknown"}, "no artifact"),
        ({"candidates": ["a"]}, "query: it is needed"),
    ],
)  # fmt: skip
async def test_what_cannot_be_ranked_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect(**SWITCHED_ON) as client:
        assert words in await refused(client, **arguments)
    assert emulator.requests == []


async def test_an_artifact_of_something_else_is_refused(connect: Connect, emulator: Emulator) -> None:
    prompt = "Draw a plot of y = x with Python"
    async with connect(**SWITCHED_ON) as client:
        drawn = structured(await client.call_tool("generate_text", {"prompt": prompt, "use": ["code"]}))
        assert "no vectors of embed" in await refused(client, query="q", artifact=drawn["artifacts"][0]["id"])
