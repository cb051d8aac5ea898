"""Batches whose requests are in a file: checked line by line, uploaded once, answered in the order of the lines."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from gemini_emulator import Emulator, Options, running
from gemini_server.toolkit import batch_request
from tests.conftest import LOG, Connect, structured
from tests.front.batching import create, created, lines, refused, results, until
from tests.front.batching import running as begun
from tests.front.conftest import TODAY, Json

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", name="standing_emulator")
def own_emulator() -> Iterator[Emulator]:
    """An emulator whose clock these tests may put forward."""
    options = Options(log=Path(LOG) if LOG else None, today=TODAY)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    return partial(connect, poll=0.01, toolsets=("all",))


def line(key: str, prompt: str, **more: Any) -> str:
    request = {"contents": [{"role": "user", "parts": [{"text": prompt}]}], **more}
    return json.dumps({"key": key, "request": request})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "allowed" / "batch.jsonl"
    config = {"generationConfig": {"responseMimeType": "application/json"}}
    texts = [
        line("first", "Explain tides"),
        line("second", "x [emulate: status=503]"),
        line("third", "Name three rivers", **config),
        *(line(f"k{n}", f"Explain {n}") for n in range(8)),
    ]
    path.write_text("\n".join(texts) + "\n")
    return path


async def test_a_file_is_uploaded_and_answered_in_the_order_of_its_lines(
    connect: Connect, emulator: Emulator, source: Path
) -> None:
    async with connect() as client:
        job = await create(client, source="batch.jsonl", display_name="rivers")
        found = await results(client, job["id"])
    assert job["status"] == "done"
    keys = [json.loads(text)["key"] for text in source.read_text().splitlines()]
    assert [one["key"] for one in lines(found)] == keys, "Google gives those of a file in any order"
    assert found["counts"] == {"succeeded": 10, "failed": 1}
    assert [(one["key"], one["code"]) for one in found["errors"]] == [("second", "UNAVAILABLE")]
    assert ["json" in one for one in lines(found)].count(True) == 1
    [batch] = created(emulator)
    assert batch.keys() == {"displayName", "inputConfig"}
    assert batch["inputConfig"]["fileName"].startswith("files/")
    assert found["usage"]["cost_usd"] == pytest.approx(job["cost_usd"])


async def test_the_same_file_is_uploaded_and_begun_once(connect: Connect, emulator: Emulator, source: Path) -> None:
    async with connect() as client:
        first = await create(client, source="batch.jsonl")
        again = await create(client, source="batch.jsonl")
        sent = len(emulator.requests)
        anew = await create(client, source="batch.jsonl", reuse=False)
    assert first["id"] == again["id"] != anew["id"]
    names = [batch["inputConfig"]["fileName"] for batch in created(emulator)]
    assert len(names) == 2
    assert names[0] == names[1], "the same bytes are not uploaded twice"
    assert not [one for one in emulator.requests[sent:] if "/upload/" in one["path"]]


async def test_a_file_that_google_has_is_named(connect: Connect, emulator: Emulator, source: Path) -> None:
    async with connect() as client:
        file = structured(await client.call_tool("upload_file", {"source": "batch.jsonl"}))["file"]
        job = await create(client, source=file["name"])
    assert [batch["inputConfig"] for batch in created(emulator)] == [{"fileName": file["name"]}]
    assert len(lines(job)) == 11
    assert job["result"]["counts"] == {"succeeded": 10, "failed": 1}


async def test_an_artifact_is_read_like_a_file(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "more.txt").write_text(line("a", "Explain tides"))
    async with connect() as client:
        job = await create(client, source="more.txt")
        uri = job["artifacts"][0]["uri"]
        text = await refused(client, source=uri)
    assert "line 1 has text" in text, "results are no requests"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "0 bytes"),
        ("\n\n", "has no requests"),
        ("{", "line 1 is no JSON"),
        ("[]\n", "line 1 is no object"),
        (
            '{"custom_id": "a", "method": "POST", "url": "/v1", "body": {}}\n',
            "line 1 has custom_id, method, url, which",
        ),
        ('{"request": {"contents": []}}', "line 1 has no key"),
        ('{"key": "a"}', "line 1 has no request"),
        (line("a", "x") + "\n" + line("a", "y"), "line 2 has the key of line 1, 'a'"),
        ('{"key": "a", "request": {"contents": []}}', "line 1 has no request.contents"),
        ('{"key": "a", "request": {"contents": [{"parts": []}]}}', "line 1 has no parts"),
        ('{"key": "a", "request": {"content": {"parts": [{"text": "x"}]}}}', "is a request of kind embed"),
        (line("a", "x", model="models/gemini-3.6-flash"), "all requests have one model"),
        ("\ufeff" + line("a", "x"), "line 1 begins with a byte order mark"),
        ("\n".join(["{"] * 9), "line 5 is no JSON"),
        (line("a", "x") + "\n" + "[" * 100_000, "line 2 is no JSON (nested too deeply)"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_line_that_is_no_request_is_named_before_anything_is_sent(
    connect: Connect, emulator: Emulator, tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "allowed" / "bad.jsonl").write_text(content)
    async with connect() as client:
        text = await refused(client, source="bad.jsonl")
    assert words in text
    assert "line 6" not in text
    assert not emulator.requests


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either requests or a source"),
        ({"requests": [{"prompt": "x"}], "source": "batch.jsonl"}, "either requests or a source"),
        ({"source": "https://a.example/b.jsonl"}, "cannot be read from https:"),
        ({"source": "data:application/jsonl;base64,e30="}, "cannot be read from data:"),
        ({"source": "../secret.jsonl"}, "outside the allowed directories"),
        ({"source": "gemini://artifacts/none"}, "There is no artifact"),
        ({"requests": [{"prompt": "x", "key": "a"}, {"prompt": "y", "key": "a"}]}, "have the same key 'a'"),
        ({"requests": [{"prompt": "x"}, {"prompt": ""}]}, "requests[1]: there is nothing to ask"),
        ({"requests": [{"prompt": "x", "attachments": ["none.png"]}]}, "requests[0]: "),
        ({"requests": [{"prompt": "x", "dimensions": 8}]}, "dimensions goes with kind embed"),
        ({"requests": [{"prompt": "x", "system": "y"}], "kind": "embed"}, "system goes with kind generate"),
        ({"requests": [{"prompt": "x", "cache": "cachedContents/a", "system": "y"}]}, "cannot be combined with system"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_batch_that_cannot_be_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, source: Path, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in await refused(client, **arguments)
    assert not emulator.requests


async def test_requests_that_are_too_large_together_become_a_file_by_themselves(
    connect: Connect, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(batch_request, "INLINE_BYTES", 20_000)
    (tmp_path / "allowed" / "note.txt").write_text("remember the milk " * 100)
    requests: list[Json] = [
        {"prompt": f"Explain {n} " + "at length " * 200, "attachments": ["note.txt"]} for n in range(12)
    ]
    async with connect() as client:
        job = await create(client, requests=requests)
        found = await results(client, job["id"])
    [batch] = created(emulator)
    assert "fileName" in batch["inputConfig"]
    assert found["counts"] == {"succeeded": 12, "failed": 0}
    assert [one["key"] for one in lines(found)] == [str(n + 1) for n in range(12)]
    assert len(list((tmp_path / "output").glob("batch-input-*.jsonl"))) == 1


async def test_a_restart_while_the_file_is_uploaded_begins_the_batch_once(
    connect: Connect, emulator: Emulator, source: Path
) -> None:
    stuck = emulator.add_fault("status=503", path="/upload/", times=None)
    async with connect() as client:
        job = await create(client, source="batch.jsonl", wait_seconds=0)
        await until(client, job["id"], lambda seen: "its requests: " in seen.get("message", ""))
        assert not created(emulator)
    assert stuck
    emulator.clear_faults()
    async with connect() as client:
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
        assert done["status"] == "done"
        assert len(lines(await results(client, job["id"]))) == 11
    assert len(created(emulator)) == 1


async def test_a_batch_whose_file_is_still_uploaded_is_stopped_and_never_begins(
    connect: Connect, emulator: Emulator, source: Path
) -> None:
    emulator.add_fault("status=503", path="/upload/", times=None)
    async with connect() as client:
        job = await create(client, source="batch.jsonl", wait_seconds=0)
        await until(client, job["id"], lambda seen: "its requests: " in seen.get("message", ""))
        stopped = structured(await client.call_tool("cancel_batch", {"name": job["id"]}))
        emulator.clear_faults()
        ended = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 5}))
    assert stopped == {"warnings": ["It was stopped before Google knew of it: nothing is billed."]}
    assert ended["status"] == "cancelled"
    assert not created(emulator)


async def test_a_process_that_died_as_it_began_the_batch_looks_for_it_and_begins_no_second(
    connect: Connect, emulator: Emulator, source: Path, tmp_path: Path
) -> None:
    emulator.add_fault("polls=1000", path=":batchGenerateContent")
    async with connect() as client:
        job = await begun(client, source="batch.jsonl")
        file = created(emulator)[0]["inputConfig"]["fileName"]
    with sqlite3.connect(tmp_path / "state" / "ledger.db") as ledger:
        # As it is when the process dies between writing down that it sends and hearing what came of it.
        ledger.execute("UPDATE jobs SET operation = ? WHERE id = ?", (f"send {file}", job["id"]))
    ledger.close()
    async with connect() as client:
        with anyio.fail_after(20):
            while "batch" not in (found := await results(client, job["id"])):
                assert found["job"]["status"] == "running"
    assert len(created(emulator)) == 1


async def test_a_dry_run_counts_and_sends_no_batch(connect: Connect, emulator: Emulator) -> None:
    requests: list[Json] = [{"prompt": "Explain tides", "max_output_tokens": 100}] * 3
    async with connect() as client:
        known = await create(client, requests=requests, dry_run=True)
        open_ended = await create(client, "Explain tides", dry_run=True)
        vectors = await create(client, "Explain tides", kind="embed", dry_run=True)
    assert known["dry_run"]
    assert known["requests"] == 3
    assert 0.0005 < known["estimated_cost_usd"] < 0.0007
    assert "estimated_cost_usd" not in open_ended
    assert "has no max_output_tokens" in open_ended["warnings"][0]
    assert 0 < vectors["estimated_cost_usd"] < 0.00001
    assert {one["path"].rpartition(":")[2] for one in emulator.requests} == {"countTokens"}
