"""embed and rank_by_similarity with thousands of items: files that grow while vectors come, in order, memory flat."""

from __future__ import annotations

import json
import math
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server.errors import ConnectionFailed, LocalError
from gemini_server.jobs.part import Part
from gemini_server.rest.body import RawJson
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.endpoint import Reply
from gemini_server.toolkit import embedding, vectors
from tests.conftest import ERAS, Connect, error_of, structured
from tests.front.conftest import Json, warned

pytestmark = pytest.mark.anyio

V1 = "gemini-embedding-001"
NUMBERS = [f"note {number}" for number in range(3000)]


async def embed(client: Client, items: list[str], **more: Any) -> Json:
    return structured(await client.call_tool("embed", {"items": items, **more}))


def read_npy(path: str) -> tuple[tuple[int, int], list[tuple[float, ...]]]:
    """Shape and rows of a NumPy file, read by hand."""
    data = Path(path).read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    (size,) = struct.unpack_from("<H", data, 8)
    assert (10 + size) % 64 == 0
    header = data[10 : 10 + size].decode("ascii")
    assert "'descr': '<f4'" in header
    assert "'fortran_order': False" in header
    count, width = map(int, header.split("(")[1].split(")")[0].split(","))
    body = data[10 + size :]
    assert len(body) == 4 * count * width
    return (count, width), list(struct.iter_unpack(f"<{width}f", body))


def left_over(tmp_path: Path) -> list[str]:
    """What lies in the output directory beside finished files."""
    return [path.name for path in Path(tmp_path, "output").iterdir() if path.name.startswith(".")]


Answer = Callable[[list[str], int], list[list[float]]]


class Instant:
    """Stands in for Gemini inside the client: vectors made of the texts, batches that wait for each other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
        self.batches: list[list[str]] = []
        self.before: dict[int, anyio.Event] = {}
        self.after: dict[int, Callable[[], None]] = {}
        self._answer = answer
        monkeypatch.setattr(GeminiClient, "call", self.call)

    async def call(self, endpoint: Any, *, body: RawJson, **more: Any) -> Reply[Any]:
        texts = [part["text"] for one in json.loads(body.data)["requests"] for part in one["content"]["parts"]]
        number = len(self.batches)
        self.batches.append(texts)
        if number in self.before:
            await self.before[number].wait()
        await anyio.lowlevel.checkpoint()
        if number in self.after:
            self.after[number]()
        values = self._answer(texts, number)
        usage = {"promptTokenCount": len(texts)}
        return Reply(endpoint.answer(embeddings=[{"values": one} for one in values], usageMetadata=usage))


def numbered(texts: list[str], number: int) -> list[list[float]]:
    """The vector of `note 7` begins with 7."""
    return [[float(text.split()[1]), *[1.0] * 15] for text in texts]


@pytest.mark.parametrize("mode", ERAS)
async def test_three_thousand_items_are_three_thousand_rows_in_order(
    connect: Connect, emulator: Emulator, tmp_path: Path, mode: str
) -> None:
    async with connect(mode=mode) as client:
        found = await embed(client, NUMBERS, dimensions=32)
        alone = (await embed(client, [NUMBERS[at] for at in (0, 99, 100, 1777, 2999)], dimensions=32))["vectors"]
    assert (found["count"], found["dimensions"]) == (3000, 32)
    assert "vectors" not in found
    shape, rows = read_npy(found["artifacts"][0]["path"])
    assert shape == (3000, 32)
    for at, vector in zip((0, 99, 100, 1777, 2999), alone, strict=True):
        assert rows[at] == pytest.approx(vector, rel=1e-6)
    assert len(emulator.requests) == 31
    assert not left_over(tmp_path)


async def test_the_order_stays_however_the_batches_come_and_few_are_ahead(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    gemini = Instant(monkeypatch, numbered)
    gemini.before[0] = anyio.Event()
    async with connect(toolsets=("default", "jobs")) as client:
        job = (await embed(client, NUMBERS, wait_seconds=0))["job"]
        with anyio.fail_after(20):
            while len(gemini.batches) < embedding.AHEAD + 1:
                await anyio.lowlevel.checkpoint()
        for _ in range(200):  # nothing more is sent while the first is not there
            await anyio.lowlevel.checkpoint()
        sent = len(gemini.batches)
        gemini.before[0].set()
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
    assert embedding.AHEAD < sent <= embedding.AHEAD + embedding.IN_FLIGHT
    _, rows = read_npy(done["artifacts"][0]["path"])
    assert [row[0] for row in rows] == list(range(3000))


@pytest.mark.parametrize("form", ["npy", "jsonl"])
async def test_a_batch_that_fails_in_the_middle_leaves_all_others_in_a_file_of_lines(
    connect: Connect, emulator: Emulator, tmp_path: Path, form: str
) -> None:
    items = [*NUMBERS[:1234], "[emulate: status=402]", *NUMBERS[1235:]]
    async with connect(tools=("rank_by_similarity",)) as client:
        found = await embed(client, items, dimensions=32, format=form)
        [kept] = found["artifacts"]
        ranked = structured(await client.call_tool("rank_by_similarity", {"query": "note 7", "artifact": kept["uri"]}))
        alone = (await embed(client, ["note 1"], dimensions=32))["vectors"][0]
        status = structured(await client.call_tool("server_status", {}))
    assert found["incomplete"] is True
    assert found["missing"][0].startswith("1200-")
    lines = [json.loads(line) for line in Path(kept["path"]).read_text().splitlines()]
    assert kept["path"].endswith(".jsonl")
    there = [line["index"] for line in lines]
    assert there == sorted(there)
    assert there[:1200] == list(range(1200))
    assert not set(there) & set(range(1200, 1300))
    assert len(there) == found["count"] >= 1200
    assert [line["text"] for line in lines] == [items[index] for index in there]
    assert lines[1]["vector"] == alone
    assert "Embed only the missing ones again" in warned(found)
    assert not left_over(tmp_path)
    # What came was paid for, and is in the books.
    calls = len([one for one in emulator.requests if one["path"].endswith(":batchEmbedContents")]) - 1
    spent = next(check["detail"] for check in status["checks"] if check["name"] == "spent today")
    assert f"in {calls} calls" in spent
    assert (ranked["count"], ranked["missing"]) == (found["count"], found["missing"])


async def test_batches_behind_one_that_fails_are_not_lost(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(texts: list[str], number: int) -> list[list[float]]:
        if number == 0:
            raise ConnectionFailed("The connection broke.", "Call again.")
        return numbered(texts, number)

    gemini = Instant(monkeypatch, fails)
    gemini.before[0] = anyio.Event()
    gemini.after[9] = gemini.before[0].set
    async with connect() as client:
        found = await embed(client, NUMBERS)
    assert found["missing"][0] == "0-99"
    lines = [json.loads(line) for line in Path(found["artifacts"][0]["path"]).read_text().splitlines()]
    assert [line["vector"][0] for line in lines] == [line["index"] for line in lines]
    assert len(lines) == found["count"] >= 900


@pytest.mark.parametrize("form", ["npy", "jsonl"])
async def test_shortened_vectors_of_the_first_model_have_unit_length_in_files_too(connect: Connect, form: str) -> None:
    async with connect() as client:
        found = await embed(client, NUMBERS[:400], dimensions=64, model=V1, format=form)
    path = found["artifacts"][0]["path"]
    if form == "npy":
        rows = [list(row) for row in read_npy(path)[1]]
    else:
        rows = [json.loads(line)["vector"] for line in Path(path).read_text().splitlines()]
    assert len(rows) == 400
    assert all(math.hypot(*row) == pytest.approx(1, abs=1e-5) for row in rows)


async def test_a_disk_that_fills_on_the_way_is_an_error_and_leaves_nothing(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gemini = Instant(monkeypatch, numbered)
    write = Part.write

    def full(part: Part, data: bytes | bytearray) -> None:
        if part.size > 20_000:
            raise LocalError("The disk is full.", "Free some space.", code="disk_full")
        write(part, data)

    monkeypatch.setattr(Part, "write", full)
    async with connect() as client:
        text = error_of(await client.call_tool("embed", {"items": NUMBERS}))
    assert "The disk is full" in text
    assert len(gemini.batches) < 12, "nothing more is sent and paid"
    assert not left_over(tmp_path)


async def test_vectors_of_another_length_end_it_with_what_came(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    Instant(monkeypatch, lambda texts, number: [[1.0] * (16 if number != 7 else 8)] * len(texts))
    async with connect() as client:
        found = await embed(client, NUMBERS)
    assert found["missing"][0].startswith("700-")
    assert "vectors of 8 dimensions" in warned(found)


async def test_memory_stays_flat(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    width, number = 256, 20_000

    def answer(texts: list[str], batch: int) -> list[list[float]]:
        return [[0.5] * width for _ in texts]

    Instant(monkeypatch, answer)
    items = [f"note {n}" for n in range(number)]
    async with connect() as client:
        await embed(client, items[:1000], dimensions=width)
        tracemalloc.start()
        try:
            found = await embed(client, items, dimensions=width)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert found["count"] == number
    assert found["artifacts"][0]["bytes"] == 128 + 4 * width * number
    # The call itself, twice as JSON and as texts, is more than half of this; the vectors are 20 MB.
    assert peak < 14 * 2**20, f"{peak / 2**20:.1f} MiB"


async def test_a_file_of_any_size_is_ranked_a_piece_at_a_time(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def circle(texts: list[str], number: int) -> list[list[float]]:
        angles = [float(text.split()[1]) / 3000 for text in texts]
        return [[math.cos(angle), math.sin(angle), *[0.0] * 14] for angle in angles]

    Instant(monkeypatch, circle)
    monkeypatch.setattr(vectors, "_READ", 1000)
    async with connect(tools=("rank_by_similarity",)) as client:
        found = await embed(client, NUMBERS)
        asked = {"query": "note 1777", "artifact": found["artifacts"][0]["uri"], "top_k": 3}
        ranked = structured(await client.call_tool("rank_by_similarity", asked))
    assert ranked["count"] == 3000
    assert ranked["matches"][0]["index"] == 1777
    assert {match["text"] for match in ranked["matches"]} == {"note 1776", "note 1777", "note 1778"}
    assert "missing" not in ranked


async def test_what_is_missing_at_the_end_of_a_file_is_said_by_who_ranks_it(connect: Connect) -> None:
    items = [*NUMBERS[:150], "[emulate: status=402]"]
    async with connect(tools=("rank_by_similarity",)) as client:
        found = await embed(client, items, dimensions=8)
        asked = {"query": "note 7", "artifact": found["artifacts"][0]["uri"], "top_k": 1}
        ranked = structured(await client.call_tool("rank_by_similarity", asked))
    assert found["missing"] == ranked["missing"] == ["100-150"]
    assert ranked["incomplete"] is True


async def test_media_that_are_too_large_for_a_request_are_uploaded_and_embedded_by_their_name(
    connect: Connect, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gemini_server.toolkit.media.INLINE_LIMIT", 500)
    for name, size in (("small.txt", 400), ("large.txt", 600)):
        Path(tmp_path, "allowed", name).write_text("word " * (size // 5))
    async with connect(poll=0.02) as client:
        found = await embed(client, ["a text"], media=["small.txt", "large.txt"], dimensions=8)
    assert found["count"] == 3
    [body] = [one["body"] for one in emulator.requests if one["path"].endswith(":batchEmbedContents")]
    parts = [one["content"]["parts"][0] for one in body["requests"]]
    assert [next(iter(part)) for part in parts] == ["text", "inlineData", "fileData"]
    assert "/files/" in parts[2]["fileData"]["fileUri"]
    assert len([one for one in emulator.requests if one["headers"].get("x-goog-upload-command") == "start"]) == 1
