"""The file with the results of a batch: in order, complete, made once, whatever Google writes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gemini_server.api.batches import BatchOperation, BatchOutput
from gemini_server.jobs.job import Job
from gemini_server.toolkit import batch_spool
from gemini_server.toolkit.batch_answer import Tally
from gemini_server.toolkit.batch_results import InFile, Kept, kept
from gemini_server.toolkit.runtime import Runtime

from .working import Gemini, Json, job_for, quiet, runtime_for

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"
USAGE: Json = {"promptTokenCount": 1_000_000, "candidatesTokenCount": 0, "totalTokenCount": 1_000_000}


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncGenerator[Runtime]:
    made = runtime_for(Gemini(), tmp_path)
    yield made
    await made.store.aclose()


def answer(key: str | None, text: str = "yes", **more: Any) -> Json:
    response = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}],
        "usageMetadata": USAGE,
        **more,
    }
    return {"response": response, **({} if key is None else {"metadata": {"key": key}})}


def output(*answers: Json) -> BatchOutput:
    return BatchOutput.model_validate({"inlinedResponses": {"inlinedResponses": list(answers)}})


def written(runtime: Runtime, found: Kept) -> list[Json]:
    text = runtime.artifacts.path(found.artifact).read_text()
    return [json.loads(line) for line in text.splitlines()]


def batch(**wish: Any) -> Job:
    return job_for("batch", MODEL, **wish)


async def test_answers_come_in_the_order_of_the_requests_and_those_missing_are_errors(runtime: Runtime) -> None:
    found = await kept(runtime, batch(keys=["a", "b", "c"]), output(answer("c"), answer("x"), answer("a")), quiet)
    lines = written(runtime, found)
    assert [line["key"] for line in lines] == ["a", "b", "c", "x"]
    assert lines[1]["error"]["code"] == "no_answer"
    assert (found.tally.succeeded, found.tally.failed, found.tally.unanswered) == (3, 1, 1)
    assert found.tally.warnings()[1] == "1 of these were not answered at all before the batch ended."


async def test_inline_answers_without_keys_are_those_of_the_requests_at_their_place(runtime: Runtime) -> None:
    found = await kept(runtime, batch(keys=["a", "b"]), output(answer(None, "one"), answer(None, "two")), quiet)
    assert [(line["key"], line["text"]) for line in written(runtime, found)] == [("a", "one"), ("b", "two")]


async def test_without_known_keys_the_order_is_googles(runtime: Runtime) -> None:
    found = await kept(runtime, batch(), output(answer("z"), answer("a")), quiet)
    assert [line["key"] for line in written(runtime, found)] == ["z", "a"]


async def test_a_batch_costs_half_and_its_price_is_unknown_as_soon_as_one_answers_is(runtime: Runtime) -> None:
    known = await kept(runtime, batch(), output(answer("a"), {"error": {"code": 3, "message": "no"}}), quiet)
    assert known.tally.usage.cost is not None
    assert float(known.tally.usage.cost) == pytest.approx(0.375)
    assert known.tally.usage.counts["input_tokens"] == 1_000_000
    other = Tally()
    other.add({"text": "no usage came"})
    assert other.usage.cost is None


async def test_a_tier_that_google_names_does_not_make_a_batch_dearer(runtime: Runtime) -> None:
    usage = {**USAGE, "serviceTier": "standard"}
    found = await kept(runtime, batch(), output(answer("a", usageMetadata=usage)), quiet)
    assert float(found.tally.usage.cost or 0) == pytest.approx(0.375)


async def test_the_same_results_are_kept_once_and_counted_again(runtime: Runtime, tmp_path: Path) -> None:
    job = batch(keys=["a", "b"])
    came = output(answer("a"), {"error": {"code": 3, "message": "no"}, "metadata": {"key": "b"}})
    first = await kept(runtime, job, came, quiet)
    # Somebody finishes the job after a crash; Google may tell it something else by then.
    again = await kept(runtime, job, output(answer("a", "another")), quiet)
    assert again.artifact.id == first.artifact.id
    assert again.tally.shown() == first.tally.shown()
    assert len(list((tmp_path / "output").glob("*.jsonl"))) == 1
    assert not list((tmp_path / "output").glob(".*.part*"))


async def test_a_file_that_was_named_but_not_registered_is_taken(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = batch()

    def dies(*_: Any) -> None:
        raise RuntimeError("the process died here")

    with monkeypatch.context() as patched:
        patched.setattr(batch_spool, "register", dies)
        with pytest.raises(RuntimeError):
            await kept(runtime, job, output(answer("a")), quiet)
    found = await kept(runtime, job, output(answer("a", "another")), quiet)
    assert [line["text"] for line in written(runtime, found)] == ["yes"]
    assert (await runtime.artifacts.get("local", found.artifact.id)) == found.artifact
    assert len(list((tmp_path / "output").glob("*.jsonl"))) == 1


async def test_json_that_was_asked_for_is_there_as_json_and_its_lack_is_said(runtime: Runtime) -> None:
    came = output(answer("a", '{"n": 1}'), answer("b", "no json"), answer("c", '{"n": 2}'), answer("d", "[NaN]"))
    found = await kept(runtime, batch(keys=["a", "b", "c", "d"], json=[0, 1, 3]), came, quiet)
    first, second, third, fourth = written(runtime, found)
    assert first["json"] == {"n": 1}
    assert second["incomplete"]
    assert second["warnings"] == ["The answer is not valid JSON."]
    assert "json" not in third
    assert fourth["incomplete"]


async def test_pictures_of_a_batch_stay_in_its_lines(runtime: Runtime) -> None:
    came = answer("a")
    came["response"]["candidates"][0]["content"]["parts"] = [{"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]
    [line] = written(runtime, await kept(runtime, batch(), output(came), quiet))
    assert line["media"] == [{"mime_type": "image/png", "data": "QUJD"}]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({}, "no_answer"),
        ({"response": {"candidates": "none"}}, "unreadable"),
        ({"response": {"embedding": {"values": []}}}, "unreadable"),
        ({"response": {"embedding": {"values": [1e300]}}}, "unreadable"),
        ({"response": {}}, "EMPTY"),
        ({"error": {"code": 8, "message": "No more"}}, "RESOURCE_EXHAUSTED"),
        ({"error": {}}, "no reason given"),
        ({"error": "plain"}, "no_answer"),
    ],
)
async def test_what_is_no_answer_is_an_error_of_its_line(runtime: Runtime, raw: Json, code: str) -> None:
    [line] = written(runtime, await kept(runtime, batch(), output({**raw, "metadata": {"key": "a"}}), quiet))
    assert (line["key"], line["error"]["code"]) == ("a", code)


async def test_vectors_of_the_older_model_have_unit_length(runtime: Runtime) -> None:
    raw = {"response": {"embedding": {"values": [3.0, 4.0]}}}
    [plain] = written(runtime, await kept(runtime, batch(), output(raw), quiet))
    other = replace(batch(unit=True), id="j_2")
    [unit] = written(runtime, await kept(runtime, other, output(raw), quiet))
    assert (plain["vector"], unit["vector"]) == ([3.0, 4.0], [0.6, 0.8])


def test_lines_of_a_file_are_found_wherever_they_are(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    texts = ['{"key": "b", "response": {}}', "", "{broken", '{"key": "a", "error": {"code": 3}}']
    path.write_text("\n".join(texts))
    with path.open("rb") as file:
        answers = InFile(file.fileno())
        assert answers.keys == ["b", None, "a"]
        assert answers.get(2) == {"key": "a", "error": {"code": 3}}
        assert answers.get(0) == {"key": "b", "response": {}}
        assert answers.get(1) == {}


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        ({"metadata": {"state": "BATCH_STATE_PENDING"}}, "PENDING"),
        ({"metadata": {"state": "JOB_STATE_SUCCEEDED"}}, "SUCCEEDED"),
        ({"metadata": {"state": "BATCH_STATE_UNSPECIFIED"}}, "RUNNING"),
        ({}, "RUNNING"),
        ({"done": True}, "SUCCEEDED"),
        ({"done": True, "error": {"code": 13}}, "FAILED"),
        ({"metadata": {"state": "BATCH_STATE_PARTIALLY_SUCCEEDED"}, "done": True}, "PARTIALLY_SUCCEEDED"),
    ],
)
def test_the_state_of_a_batch_is_told_in_one_way(operation: Json, state: str) -> None:
    assert BatchOperation.model_validate(operation).state == state


def test_answers_are_found_in_the_metadata_and_in_the_response() -> None:
    inline: Json = {"inlinedResponses": {"inlinedResponses": [{"response": {}}]}}
    for operation in ({"metadata": {"output": inline}}, {"response": inline}, {"response": {"output": inline}}):
        found = BatchOperation.model_validate(operation).output
        assert found is not None
        assert found.inline == [{"response": {}}]
    file = BatchOperation.model_validate({"response": {"responsesFile": "files/a"}}).output
    assert file is not None
    assert (file.responses_file, file.inline) == ("files/a", None)
