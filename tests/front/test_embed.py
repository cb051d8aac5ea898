"""embed through the front door."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import struct
from collections.abc import Awaitable, Callable
from operator import mul
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server.api.catalogue import Catalogue
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, sent, warned

pytestmark = pytest.mark.anyio

V1, V2 = "gemini-embedding-001", "gemini-embedding-2"
MODELS = [model.id for model in Catalogue.load().models if "embedding" in model.capabilities]
PNG = base64.b64encode(
    bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108020000009077 53de".replace(" ", ""))
    + bytes.fromhex("0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082")
).decode()
PICTURE = f"data:image/png;base64,{PNG}"


async def embed(client: Client, *items: str, **more: Any) -> Json:
    return structured(await client.call_tool("embed", {"items": list(items), **more}))


async def refused(client: Client, **arguments: Any) -> str:
    return error_of(await client.call_tool("embed", arguments))


def likeness(one: list[float], other: list[float]) -> float:
    product: float = sum(map(mul, one, other))
    return product / (math.hypot(*one) * math.hypot(*other))


def rows(path: str) -> list[list[float]]:
    """A NumPy file as its reader sees it."""
    data = Path(path).read_bytes()
    (size,) = struct.unpack_from("<H", data, 8)
    width = int(data[10 : 10 + size].decode().split("(")[1].split(")")[0].split(",")[1])
    values = struct.unpack(f"<{(len(data) - 10 - size) // 4}f", data[10 + size :])
    return [list(values[at : at + width]) for at in range(0, len(values), width)]


@pytest.mark.parametrize("mode", ERAS)
async def test_a_text_becomes_a_vector_with_its_price(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("embed", {"items": ["hello"], "dimensions": 4})
    found = structured(result)
    assert json.loads(text_of(result)) == found
    assert math.hypot(*found.pop("vectors")[0]) == pytest.approx(1, abs=1e-5)
    assert found == {
        "dimensions": 4,
        "count": 1,
        "model": V2,
        "usage": {
            "input_tokens": 2,
            "output_tokens": 0,
            "thought_tokens": 0,
            "cached_tokens": 0,
            "tool_tokens": 0,
            "total_tokens": 2,
            "cost_usd": 4e-07,
            "price_date": "2026-11-22",
        },
    }
    assert sent(emulator) == {
        "requests": [
            {
                "model": f"models/{V2}",
                "content": {"role": "user", "parts": [{"text": "hello"}]},
                "outputDimensionality": 4,
            }
        ]
    }


@pytest.mark.parametrize("model", MODELS)
async def test_three_items_are_three_vectors_with_every_model(connect: Connect, fake: FakeGemini, model: str) -> None:
    fake.say({"embeddings": [{"values": [1.0, 0.0]}, {"values": [0.0, 1.0]}, {"values": [0.5, 0.5]}]})
    async with connect(base_url=fake.url) as client:
        found = await embed(client, "a", "b", "c", model=model)
    assert found["vectors"] == [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    assert found["count"] == 3
    (request,) = fake.requests
    assert fake.paths == [f"/v1beta/models/{model}:batchEmbedContents"]
    texts = [[part["text"] for part in one["content"]["parts"]] for one in request["requests"]]
    assert texts == [["a"], ["b"], ["c"]], "several parts in one content would be one vector"


@pytest.mark.parametrize("model", [V1, V2])
async def test_a_vector_does_not_depend_on_its_neighbours(connect: Connect, model: str) -> None:
    async with connect() as client:
        together = await embed(client, "cats", "the economy", "kittens", dimensions=768, model=model)
        alone = [(await embed(client, text, dimensions=768, model=model))["vectors"][0] for text in ("cats", "kittens")]
    assert [together["vectors"][0], together["vectors"][2]] == alone
    cats, economy, kittens = together["vectors"]
    assert likeness(cats, kittens) > 0.5 > likeness(cats, economy)


async def test_the_whole_vector_of_3072_dimensions_comes_inline(connect: Connect) -> None:
    async with connect() as client:
        found = await embed(client, "a", "b", "c")
    assert [len(vector) for vector in found["vectors"]] == [3072] * 3
    assert found["dimensions"] == 3072
    assert "artifacts" not in found


@pytest.mark.parametrize("model", [V1, V2])
async def test_1200_items_are_twelve_batches_in_their_order(connect: Connect, emulator: Emulator, model: str) -> None:
    items = [f"note {number}" for number in range(1200)]
    heard: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total))

    async with connect() as client:
        arguments = {"items": items, "dimensions": 32, "model": model}
        found = structured(await client.call_tool("embed", arguments, progress_callback=hear))
        single = [
            (await embed(client, items[at], dimensions=32, model=model))["vectors"][0] for at in (0, 99, 100, 1199)
        ]
    batches = [request["body"]["requests"] for request in emulator.requests[:-4]]
    assert [len(batch) for batch in batches] == [100] * 12
    shares = [value for value, total in heard if total]
    assert shares == sorted(shares)
    assert any(0 < share < 1 for share in shares)
    assert {total for _, total in heard} <= {1.0, None}
    (artifact,) = found["artifacts"]
    assert "vectors" not in found
    assert found["count"] == 1200
    kept = rows(artifact["path"])
    assert len(kept) == 1200
    for at, expected in zip((0, 99, 100, 1199), single, strict=True):
        assert kept[at] == pytest.approx(expected, rel=1e-6), items[at]


async def test_other_dimensions_than_were_asked_for_are_told(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"embeddings": [{"values": [1.0, 0.0, 0.0]}]})
    async with connect(base_url=fake.url) as client:
        found = await embed(client, "hello", dimensions=2)
        plain = await embed(client, "hello", dimensions=3)
    assert (found["dimensions"], found["count"]) == (3, 1)
    assert "have 3 dimensions; 2 were asked for" in warned(found)
    assert "warnings" not in plain


async def test_shortened_vectors_of_the_first_model_have_unit_length_again(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"embeddings": [{"values": [0.3, 0.4]}, {"values": [0.0, 0.0]}]})
    async with connect(base_url=fake.url) as client:
        short = await embed(client, "a", "b", dimensions=2, model=V1)
        whole = await embed(client, "a", "b", model=V1)
        second = await embed(client, "a", "b", dimensions=2, model=V2)
    assert short["vectors"] == [[0.6, 0.8], [0.0, 0.0]]
    assert whole["vectors"] == second["vectors"] == [[0.3, 0.4], [0.0, 0.0]], "these come as Gemini means them"


async def test_the_task_is_a_field_for_the_first_model(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        found = await embed(client, "x", task_type="RETRIEVAL_DOCUMENT", title="T", dimensions=8, model=V1)
    (request,) = sent(emulator)["requests"]
    assert (request["taskType"], request["title"]) == ("RETRIEVAL_DOCUMENT", "T")
    assert request["content"]["parts"] == [{"text": "x"}]
    assert "warnings" not in found


@pytest.mark.parametrize(
    ("task", "title", "text"),
    [
        ("RETRIEVAL_QUERY", None, "task: search result | query: x"),
        ("RETRIEVAL_DOCUMENT", None, "title: none | text: x"),
        ("RETRIEVAL_DOCUMENT", "T", "title: T | text: x"),
        ("SEMANTIC_SIMILARITY", None, "task: sentence similarity | query: x"),
        ("CLASSIFICATION", None, "task: classification | query: x"),
        ("CLUSTERING", None, "task: clustering | query: x"),
        ("QUESTION_ANSWERING", None, "task: question answering | query: x"),
        ("FACT_VERIFICATION", None, "task: fact checking | query: x"),
        ("CODE_RETRIEVAL_QUERY", None, "task: code retrieval | query: x"),
    ],
)
async def test_the_task_is_told_in_words_to_the_second_model(
    connect: Connect, emulator: Emulator, task: str, title: str | None, text: str
) -> None:
    async with connect() as client:
        found = await embed(client, "x", task_type=task, title=title, dimensions=8)
    (request,) = sent(emulator)["requests"]
    assert request["content"]["parts"] == [{"text": text}]
    assert not request.keys() & {"taskType", "title"}
    assert "has no task_type" in warned(found)


async def test_media_follow_the_texts_each_as_an_item_of_its_own(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    Path(tmp_path, "allowed", "dot.png").write_bytes(base64.b64decode(PNG))
    async with connect() as client:
        found = await embed(client, "a red dot", media=["dot.png", PICTURE, "https://example.org/a.png"], dimensions=64)
    assert found["count"] == 4
    parts = [request["content"]["parts"] for request in sent(emulator)["requests"]]
    assert [len(one) for one in parts] == [1] * 4
    assert parts[1] == parts[2] == [{"inlineData": {"mimeType": "image/png", "data": PNG}}]
    assert parts[3] == [{"fileData": {"fileUri": "https://example.org/a.png", "mimeType": "image/png"}}]
    assert found["vectors"][1] == found["vectors"][2]


async def test_large_media_go_in_requests_of_their_own(
    connect: Connect, fake: FakeGemini, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gemini_server.toolkit.embedding.BATCH_BYTES", 1000)
    for number in range(4):
        Path(tmp_path, "allowed", f"{number}.txt").write_text("x" * 600)
    fake.say({"embeddings": [{"values": [1.0]}]})
    async with connect(base_url=fake.url) as client:
        found = await embed(client, media=[f"{number}.txt" for number in range(4)])
    assert found["count"] == 4
    assert [len(request["requests"]) for request in fake.requests] == [1] * 4


@pytest.mark.parametrize("form", ["npy", "jsonl"])
async def test_vectors_are_saved_where_that_is_wanted(connect: Connect, form: str) -> None:
    async with connect() as client:
        inline = await embed(client, "cat", "dog", dimensions=16)
        saved = structured(
            await client.call_tool(
                "embed", {"items": ["cat", "dog"], "media": [PICTURE], "dimensions": 16, "save": True, "format": form}
            )
        )
        uri = saved["artifacts"][0]["uri"]
        read = (await client.read_resource(uri)).contents[0]
    assert "vectors" not in saved
    assert (saved["count"], saved["dimensions"]) == (3, 16)
    path = saved["artifacts"][0]["path"]
    assert path.endswith(f".{form}")
    if form == "npy":
        assert rows(path)[:2] == [pytest.approx(vector, rel=1e-6) for vector in inline["vectors"]]
        assert base64.b64decode(getattr(read, "blob", "")) == Path(path).read_bytes()
    else:
        lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
        assert [(line["index"], line.get("text")) for line in lines] == [(0, "cat"), (1, "dog"), (2, None)]
        assert [line["vector"] for line in lines[:2]] == inline["vectors"]
        assert getattr(read, "text", "") == Path(path).read_text()


async def test_numbers_that_flood_a_context_become_a_file(connect: Connect) -> None:
    async with connect() as client:
        found = await embed(client, *"abcdefgh")
    assert "vectors" not in found
    assert len(rows(found["artifacts"][0]["path"])) == 8


async def test_a_batch_that_fails_keeps_what_the_others_brought(connect: Connect, emulator: Emulator) -> None:
    items = [f"note {number}" for number in range(350)]
    items[222] = "[emulate: status=402]"
    async with connect() as client:
        found = await embed(client, *items, dimensions=8, save=True)
        whole = await embed(client, *items[:100], dimensions=8)
        status = structured(await client.call_tool("server_status", {}))
    assert found["incomplete"] is True
    assert found["missing"] == ["200-299"]
    assert found["count"] == 250
    assert "items 200-299 are missing" in warned(found)
    assert "credit" in warned(found)
    (artifact,) = found["artifacts"]
    lines = [json.loads(line) for line in Path(artifact["path"]).read_text().splitlines()]
    assert [line["index"] for line in lines] == [*range(200), *range(300, 350)]
    assert [line["vector"] for line in lines[:100]] == whole["vectors"]
    assert found["usage"]["total_tokens"] > 0
    spent = next(check["detail"] for check in status["checks"] if check["name"] == "spent today")
    assert "in 4 calls" in spent


async def test_after_a_failure_nothing_more_is_sent(connect: Connect, emulator: Emulator) -> None:
    items = ["[emulate: status=402]", *(f"note {number}" for number in range(1200))]
    async with connect() as client:
        found = await embed(client, *items, dimensions=8)
    assert found["missing"][0] == "0-99"
    assert len(emulator.requests) < 12


async def test_a_first_batch_that_fails_alone_is_an_error(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        assert "credit" in await refused(client, items=["[emulate: status=402]"])
    assert len(emulator.requests) == 1


async def test_what_was_paid_comes_inline_where_it_cannot_be_saved(connect: Connect, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the directory should be")
    items = [*(f"note {number}" for number in range(100)), "[emulate: status=402]"]
    async with connect(output_dir=blocked) as client:
        found = await embed(client, *items, dimensions=4)
    assert len(found["vectors"]) == 100
    assert found["missing"] == ["100"]
    assert "Not saved" in warned(found)


async def test_what_could_not_be_saved_is_not_paid_for(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the directory should be")
    async with connect(output_dir=blocked) as client:
        assert "--output-dir" in await refused(client, items=["a"], save=True)
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "nothing to embed"),
        ({"items": [], "media": []}, "nothing to embed"),
        ({"items": ["a", "", "b", " \n"]}, "empty text at index 1, 3"),
        ({"items": [""] * 9}, "0, 1, 2, 3, 4 and 4 more"),
        ({"items": ["a"], "dimensions": 0}, "1 to 3072, not 0"),
        ({"items": ["a"], "dimensions": 3073}, "1 to 3072, not 3073"),
        ({"items": ["a"], "title": "T"}, "title goes with task_type RETRIEVAL_DOCUMENT"),
        ({"items": ["a"], "title": "T", "task_type": "RETRIEVAL_QUERY"}, "title goes with"),
        ({"items": ["a"], "task_type": "POETRY"}, "CODE_RETRIEVAL_QUERY"),
        ({"items": ["a"], "format": "csv"}, "format"),
        ({"items": ["a"], "media": [PICTURE], "model": V1}, f"{V1} embeds text only"),
        ({"items": ["a"], "media": ["missing.png"]}, "missing.png"),
        ({"items": ["a"], "media": ["data:image/png;base64,%%%"]}, "base64"),
        ({"items": ["a"] * 100_001, "dimensions": 1}, "100001 items are more than the 100000"),
        ({"items": ["a"] * 60_000, "format": "jsonl"}, "2109 MiB as jsonl"),
    ],
)  # fmt: skip
async def test_what_cannot_be_embedded_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in await refused(client, **arguments)
    assert emulator.requests == []


async def test_a_model_that_is_gone_names_its_replacement(connect: Connect) -> None:
    async with connect() as client:
        assert V2 in await refused(client, items=["a"], model="text-embedding-004")


async def test_a_text_that_gemini_may_not_read_to_its_end_is_named(connect: Connect) -> None:
    async with connect() as client:
        found = await embed(client, "short", "word " * 8000, dimensions=8)
    assert "8192 tokens" in warned(found)
    assert "index 1" in warned(found)


async def test_without_token_counts_the_cost_is_unknown_and_not_zero(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"embeddings": [{"values": [1.0]}]})
    async with connect(base_url=fake.url) as client:
        found = await embed(client, "a")
    assert found["usage"]["cost_usd"] is None
    assert found["usage"]["total_tokens"] == 0


BAD: list[Json] = [
    {},
    {"embeddings": []},
    {"embeddings": [{"values": [1.0]}]},
    {"embeddings": [{"values": [1.0]}, {"values": []}]},
    {"embeddings": [{"values": [1.0]}, {"values": [1.0, 2.0]}]},
    {"embeddings": [{"values": [1.0]}, {"values": [1e39]}]},
]


@pytest.mark.parametrize("body", BAD)
async def test_an_answer_that_does_not_fit_the_question_is_an_error(
    connect: Connect, fake: FakeGemini, body: Json
) -> None:
    fake.say(body)
    async with connect(base_url=fake.url) as client:
        assert "Gemini" in await refused(client, items=["a", "b"])


async def test_a_dropped_call_ends_in_the_ledger_with_all_its_vectors(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    fake.say(Reply({"embeddings": [{"values": [1.0, 0.0]}]}, gate=gate))
    async with connect(base_url=fake.url, toolsets=("default", "jobs")) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "embed", {"items": ["a"]})
            await fake.wait_for(1)
            tasks.cancel_scope.cancel()
        (job,) = structured(await client.call_tool("list_jobs", {}))["jobs"]
        gate.set()
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
    assert (job["kind"], job["status"]) == ("vectors", "submitting")
    assert done["result"]["vectors"] == [[1.0, 0.0]]
    assert len(fake.requests) == 1


@pytest.mark.parametrize("more", [{}, {"save": True}, {"save": True, "format": "jsonl"}])
@pytest.mark.parametrize("mode", ERAS)
async def test_get_job_delivers_what_the_plain_call_gives(
    connect: Connect, emulator: Emulator, mode: str, more: Json
) -> None:
    arguments: Json = {"items": ["cat", "dog"], "dimensions": 16, **more}
    async with connect(mode=mode, toolsets=("default", "embeddings")) as client:
        plain = structured(await client.call_tool("embed", arguments))
        pending = await client.call_tool("embed", {**arguments, "wait_seconds": 0})
        job = structured(pending)["job"]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
        artifacts = done.get("artifacts", [])
        ranked = [
            structured(await client.call_tool("rank_by_similarity", {"query": "kitten", "artifact": one["id"]}))
            for one in artifacts
        ]
    assert job["id"] in job["next"]
    assert structured(pending).keys() == {"job"}
    assert done["status"] == "done"
    assert done["result"] == {name: value for name, value in plain.items() if name != "artifacts"}
    for made, kept in zip(plain.get("artifacts", []), artifacts, strict=True):
        assert kept["sha256"] == made["sha256"]
    assert all(one["matches"] for one in ranked)
    assert len(emulator.requests) == 2 + len(ranked)


async def test_the_same_call_joins_the_one_under_way_and_not_the_one_that_is_done(
    connect: Connect, fake: FakeGemini
) -> None:
    gate = asyncio.Event()
    fake.say(Reply({"embeddings": [{"values": [1.0]}]}, gate=gate))
    async with connect(base_url=fake.url) as client:
        first = structured(await client.call_tool("embed", {"items": ["a"], "wait_seconds": 0}))
        second = structured(await client.call_tool("embed", {"items": ["a"], "wait_seconds": 0}))
        other = structured(await client.call_tool("embed", {"items": ["a"], "dimensions": 1, "wait_seconds": 0}))
        gate.set()
        await client.call_tool("get_job", {"job": first["job"]["id"], "wait_seconds": 10})
        third = await embed(client, "a")
    assert second["job"]["id"] == first["job"]["id"]
    assert "under way already" in warned(second["job"])
    assert other["job"]["id"] != first["job"]["id"]
    assert third["vectors"] == [[1.0]]
    assert len(fake.requests) == 3


async def test_a_failure_says_the_same_whether_somebody_waits_or_not(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        words = await refused(client, items=["[emulate: status=402]"])
        job = structured(await client.call_tool("embed", {"items": ["[emulate: status=402]"], "wait_seconds": 0}))[
            "job"
        ]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
    assert done["status"] == "failed"
    assert done["error"]["code"] == "payment_required" or "credit" in done["error"]["message"]
    assert "credit" in words


async def test_no_more_than_four_batches_are_under_way_at_once(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, fake: FakeGemini
) -> None:
    from gemini_server.rest.client import GeminiClient

    under_way, most = 0, 0
    plain: Callable[..., Awaitable[Any]] = GeminiClient.call

    async def counting(*args: Any, **more: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await plain(*args, **more)
        finally:
            under_way -= 1

    monkeypatch.setattr(GeminiClient, "call", counting)
    fake.say(Reply({"embeddings": [{"values": [1.0]}] * 100}))
    async with connect(base_url=fake.url) as client:
        found = await embed(client, *["a"] * 1000)
    assert found["count"] == 1000
    assert most == 4


async def test_a_server_without_batches_is_asked_item_by_item(connect: Connect, fake: FakeGemini) -> None:
    missing = Reply({"error": {"code": 404, "message": "Not Found", "status": "NOT_FOUND"}}, status=404)
    ones = [
        {"embedding": {"values": [0.6, 0.8]}, "usageMetadata": {"promptTokenCount": 3}},
        {"embedding": {"values": [1.0, 0.0]}, "usageMetadata": {"promptTokenCount": 4}},
    ]
    fake.say(missing, *ones)
    async with connect(base_url=fake.url) as client:
        made = structured(await client.call_tool("embed", {"items": ["one", "two"]}))
    assert made["vectors"] == [[0.6, 0.8], [1.0, 0.0]]
    assert made["usage"]["total_tokens"] == 7
    assert [path.rpartition(":")[2] for path in fake.paths] == ["batchEmbedContents", "embedContent", "embedContent"]
    assert fake.requests[1]["content"]["parts"] == [{"text": "one"}]


async def test_a_model_that_is_not_there_is_not_asked_item_by_item(connect: Connect, fake: FakeGemini) -> None:
    gone = {"code": 404, "message": "models/gone-1 is not found for API version v1beta", "status": "NOT_FOUND"}
    fake.say(Reply({"error": gone}, status=404))
    async with connect(base_url=fake.url) as client:
        assert "gone-1" in error_of(await client.call_tool("embed", {"items": ["one"], "model": "gone-1"}))
    assert len(fake.requests) == 1


async def test_numbers_that_nobody_reads_are_not_in_the_text(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("embed", {"items": ["a fox", "a cat"]})
    found = structured(result)
    assert [len(vector) for vector in found["vectors"]] == [3072, 3072]
    assert len(text_of(result)) < 1000
    assert "2 vectors of 3072 numbers are in the structured result" in text_of(result)
    assert "save=true" in text_of(result)
    assert str(found["usage"]["total_tokens"]) in text_of(result)
