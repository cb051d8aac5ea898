"""Batches through the front door: begun once, answered, cancelled, expired, and found again after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from mcp_types import TextResourceContents

from gemini_emulator import Emulator, Options, running
from tests.conftest import LOG, Connect, error_of, structured, text_of
from tests.front.batching import asked, create, created, lines, refused, results, state, until
from tests.front.batching import running as begun
from tests.front.conftest import TODAY, FakeGemini, Json, Reply, ask, said

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="module", name="standing_emulator")
def own_emulator() -> Iterator[Emulator]:
    """An emulator whose clock these tests may put forward."""
    options = Options(log=Path(LOG) if LOG else None, today=TODAY)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    return partial(connect, poll=0.01, toolsets=("all",))


async def test_requests_are_answered_in_their_order_at_half_the_price(connect: Connect, emulator: Emulator) -> None:
    prompts = ["Explain tides", "Explain ebb", "Explain flood"]
    async with connect() as client:
        job = await create(client, *prompts)
        assert (job["status"], job["kind"]) == ("done", "batch")
        direct = [await ask(client, prompt) for prompt in prompts]
    found = lines(job)
    assert [line["key"] for line in found] == ["1", "2", "3"]
    assert [line["text"] for line in found] == [answer["text"] for answer in direct]
    assert job["result"]["counts"] == {"succeeded": 3, "failed": 0}
    assert job["cost_usd"] == pytest.approx(sum(answer["usage"]["cost_usd"] for answer in direct) / 2)
    assert "warnings" not in job
    [batch] = created(emulator)
    assert [one["metadata"] for one in asked(batch)] == [{"key": "1"}, {"key": "2"}, {"key": "3"}]
    assert asked(batch)[0]["request"] == {"contents": [{"role": "user", "parts": [{"text": "Explain tides"}]}]}


async def test_a_request_takes_what_generate_text_takes(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "note.txt").write_text("remember the milk")
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    requests: list[Json] = [
        {"key": "json", "prompt": "What is a tide?", "json_schema": schema, "system": "Be brief.", "thinking": "low"},
        {"key": "note", "prompt": "What is in it?", "attachments": ["note.txt"], "max_output_tokens": 400, "seed": 7},
        {"key": "web", "prompt": "Tides in Oslo", "use": ["search"], "stop": ["END"]},
    ]
    async with connect() as client:
        job = await create(client, requests=requests, display_name="mixed", priority=5)
    first, second, third = (one["request"] for one in asked(created(emulator)[0]))
    assert first["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert first["generationConfig"]["responseJsonSchema"] == schema
    assert first["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "LOW"}
    assert second["contents"][0]["parts"][0]["inlineData"]["mimeType"] == "text/plain"
    assert (second["generationConfig"]["maxOutputTokens"], second["generationConfig"]["seed"]) == (400, 7)
    assert (third["tools"], third["generationConfig"]) == ([{"googleSearch": {}}], {"stopSequences": ["END"]})
    assert (created(emulator)[0]["displayName"], created(emulator)[0]["priority"]) == ("mixed", 5)
    answers = {line["key"]: line for line in lines(job)}
    assert answers["json"]["json"].keys() == {"answer"}
    assert "json" not in answers["note"]
    assert answers["web"]["citations"]
    assert "web" in answers["web"]["untrusted"]


async def test_a_request_that_fails_is_an_error_of_its_own_line(connect: Connect) -> None:
    async with connect() as client:
        job = await create(
            client, "Explain tides", "x [emulate: status=503]", "x [emulate: block=SAFETY]", "Explain ebb"
        )
        found = await results(client, job["id"])
        text = text_of(await client.call_tool("get_batch_results", {"job": job["id"]}))
    assert job["status"] == "done"
    assert found["counts"] == {"succeeded": 2, "failed": 2}
    assert [(one["key"], one["code"]) for one in found["errors"]] == [("2", "UNAVAILABLE"), ("3", "SAFETY")]
    assert "overloaded" in found["errors"][0]["message"]
    assert "did not answer the prompt (SAFETY)" in found["errors"][1]["message"]
    assert "2 of 4 requests have no answer" in found["warnings"][0]
    assert ["error" in line for line in lines(found)] == [False, True, True, False]
    assert "2 succeeded, 2 failed" in text
    assert "[error] 2 UNAVAILABLE" in text


async def test_texts_are_embedded_in_a_batch(connect: Connect, emulator: Emulator) -> None:
    requests: list[Json] = [
        {"prompt": "a cat", "dimensions": 8},
        {"prompt": "a cat", "dimensions": 8, "task_type": "RETRIEVAL_QUERY"},
    ]
    async with connect() as client:
        job = await create(client, requests=requests, kind="embed")
        direct = structured(await client.call_tool("embed", {"items": ["a cat"], "dimensions": 8}))
    plain, query = lines(job)
    assert plain["vector"] == pytest.approx(direct["vectors"][0], rel=1e-6)
    assert query["vector"] != plain["vector"]
    assert job["cost_usd"] > 0
    texts = [one["request"]["content"]["parts"][0]["text"] for one in asked(created(emulator)[0])]
    assert texts == ["a cat", "task: search result | query: a cat"]


async def test_the_same_call_gives_the_same_batch_unless_told_otherwise(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await create(client, "Explain tides", "Explain ebb")
        again = await create(client, "Explain tides", "Explain ebb")
        other = await create(client, "Explain ebb", "Explain tides")
        anew = await create(client, "Explain tides", "Explain ebb", reuse=False)
    assert first["id"] == again["id"]
    assert "nothing was made or billed anew" in again["warnings"][0]
    assert len({first["id"], other["id"], anew["id"]}) == 3
    assert len(created(emulator)) == 3


async def test_what_is_under_way_is_told_and_can_be_stopped(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("lasts=60m", path=":batchGenerateContent")
    async with connect() as client:
        job = await begun(client, *(f"Explain {n}" for n in range(4)))
        assert 'Do not start it again: call get_job with job="' in job["next"]
        emulator.advance(40 * 60)
        job = await until(client, job["id"], lambda seen: "2 of 4 requests are done" in seen.get("message", ""))
        assert job["progress"] == 0.5
        still = await results(client, job["id"])
        assert still["job"]["status"] == "running"
        stopped = structured(await client.call_tool("cancel_batch", {"name": job["id"]}))["batch"]
        assert (stopped["state"], stopped["job"]) == ("cancelled", job["id"])
        found = await results(client, job["id"])
        ended = structured(await client.call_tool("get_job", {"job": job["id"]}))
    assert ended["status"] == "cancelled"
    assert found["incomplete"]
    assert found["counts"] == {"succeeded": 2, "failed": 2}
    assert found["artifacts"][0]["uri"] == ended["result"]["partial_results"]
    assert [line["error"]["code"] for line in lines(found)[2:]] == ["CANCELLED", "CANCELLED"]
    assert ended["cost_usd"] == pytest.approx(found["usage"]["cost_usd"])


async def test_a_batch_that_is_cancelled_before_it_began_has_no_results(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("polls=1000", path=":batchGenerateContent")
    async with connect() as client:
        job = await begun(client, "Explain tides")
        structured(await client.call_tool("cancel_job", {"job": job["id"]}))
        text = error_of(await client.call_tool("get_batch_results", {"job": job["id"]}))
    assert "The batch was cancelled." in text
    assert "No request was answered by then" in text


async def test_a_batch_that_expires_says_so(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("lasts=3000m", path=":batchGenerateContent")
    async with connect() as client:
        job = await begun(client, "Explain tides")
        emulator.advance(49 * 3600)
        ended = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
        text = error_of(await client.call_tool("get_batch_results", {"job": job["id"]}))
    assert (ended["status"], ended["error"]["code"]) == ("failed", "expired")
    assert "Google did not get through it in 48 hours" in text
    assert "Create it again, in smaller batches." in text


async def test_a_batch_that_fails_tells_googles_words(connect: Connect) -> None:
    name = "b [emulate: outcome=failed code=RESOURCE_EXHAUSTED message=No_more_room polls=1]"
    async with connect() as client:
        text = await refused(client, requests=[{"prompt": "x"}], display_name=name)
    assert "it failed (RESOURCE_EXHAUSTED): No more room" in text


async def test_a_restart_finishes_the_batch_with_one_submit_and_one_artifact(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_fault("lasts=60m", path=":batchGenerateContent")
    async with connect() as client:
        job = await begun(client, "Explain tides", "Explain ebb")
    emulator.advance(2 * 3600)
    async with connect() as client:
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
        assert done["status"] == "done"
        found = await results(client, job["id"])
    assert [line["key"] for line in lines(found)] == ["1", "2"]
    assert len(created(emulator)) == 1
    assert len(list((tmp_path / "output").glob("batch-*.jsonl"))) == 1


async def test_answers_that_cannot_be_saved_are_taken_when_there_is_room_again(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    async with connect(output_quota=10) as client:
        job = await create(client, "Explain tides", wait_seconds=0)
        full = await until(client, job["id"], lambda seen: "could not be saved yet" in seen.get("message", ""))
        assert full["status"] == "running"
    async with connect() as client:
        done = await until(client, job["id"], lambda seen: seen["status"] == "done")
    assert len(lines(done)) == 1
    assert len(created(emulator)) == 1


async def test_a_batch_of_which_the_end_of_its_request_is_not_known_is_found_by_its_name(
    connect: Connect, emulator: Emulator
) -> None:
    emulator.add_fault("broken_json", path=":batchGenerateContent")
    async with connect() as client:
        job = await create(client, "Explain tides")
    assert job["status"] == "done"
    assert len(created(emulator)) == 1


async def test_a_batch_that_cannot_be_found_again_is_unknown_and_never_begun_twice(
    connect: Connect, fake: FakeGemini
) -> None:
    overloaded = Reply({"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}}, status=503)
    fake.say(overloaded, {"operations": []})
    async with connect(base_url=fake.url) as client:
        text = await refused(client, requests=[{"prompt": "x"}])
    assert "reuse=false" in text
    assert [path for path in fake.paths if path.endswith(":batchGenerateContent")] == fake.paths[:1]


@pytest.mark.parametrize("kind", ["generate", "embed"])
async def test_what_is_odd_beside_an_answer_does_not_cost_it(connect: Connect, fake: FakeGemini, kind: str) -> None:
    odd: Json = {"safetyRatings": None, "avgLogprobs": "many", "groundingMetadata": {"groundingChunks": 5}}
    words: Json = {**said("tides", **odd), "modelVersion": {"new": 1}}
    vector = {"embedding": {"values": [0.6, 0.8]}, "usageMetadata": {"promptTokenCount": "many"}}
    answered = {"inlinedResponses": {"inlinedResponses": [{"response": words if kind == "generate" else vector}]}}
    done = {"state": "BATCH_STATE_SUCCEEDED", "createTime": 5, "batchStats": {"requestCount": "many"}}
    over = {"name": "batches/b", "done": True, "metadata": done, "response": {**answered, "responsesFile": 5}}
    fake.say({"name": "batches/b", "metadata": {"state": "BATCH_STATE_RUNNING"}}, over)
    async with connect(base_url=fake.url) as client:
        job = await create(client, "Explain tides", kind=kind)
        [line] = lines(await results(client, job["id"]))
    assert line["text"] == "tides" if kind == "generate" else len(line["vector"]) == 2


async def test_results_of_a_batch_that_was_made_elsewhere_can_be_had(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    async with connect() as client:
        job = await create(client, "Explain tides", "x [emulate: status=400]")
        name = job["result"]["batch"]
        assert (await results(client, name))["artifacts"] == job["artifacts"]
    async with connect(state_dir=tmp_path / "other", daily_cap=Decimal("0.000001")) as client:
        found = await results(client, name)
        again = await results(client, name)
    assert [line.get("text") for line in lines(found)] == [line.get("text") for line in lines(job)]
    assert found == again
    assert found["counts"] == {"succeeded": 1, "failed": 1}
    assert len(created(emulator)) == 1


async def test_batches_are_listed_changed_and_deleted(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        job = await create(client, "Explain tides", display_name="old")
        name = job["result"]["batch"]
        changed = structured(
            await client.call_tool("update_batch", {"name": job["id"], "display_name": "new", "priority": -3})
        )["batch"]
        assert (changed["name"], changed["display_name"], changed["priority"]) == (name, "new", -3)
        listed = structured(await client.call_tool("list_batches", {}))["batches"]
        [one] = [one for one in listed if one["name"] == name]
        assert (one["job"], one["state"], one["kind"], one["model"]) == (job["id"], "succeeded", "generate", MODEL)
        assert (one["requests"], one["succeeded"], one["failed"]) == (1, 1, 0)
        [content] = (await client.read_resource(f"gemini://{name}")).contents
        assert isinstance(content, TextResourceContents)
        assert f'"name":"{name}"' in content.text
        assert structured(await client.call_tool("delete_batch", {"name": name})) == {"deleted": name}
        text = error_of(await client.call_tool("list_batches", {"name": name}))
        assert (await results(client, name))["artifacts"], "what was saved here stays"
    assert f"There is no batch {name}" in text


async def test_a_batch_that_has_not_ended_is_not_deleted(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("polls=1000", path=":batchGenerateContent")
    async with connect() as client:
        job = await begun(client, "Explain tides")
        text = error_of(await client.call_tool("delete_batch", {"name": job["id"]}))
        assert "deleting does not stop it" in text
        assert await state(client, job["id"]) in ("pending", "running")
        await client.call_tool("cancel_batch", {"name": job["id"]})
        assert not (await client.call_tool("delete_batch", {"name": job["id"]})).is_error
