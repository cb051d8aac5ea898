"""Batches whose requests come in the call: their life, their results, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_emulator import Emulator

from .batching import EMBEDDING, TEXT, counts, create, finished, get, inline, post, refusal, responses, state
from .conftest import Api, ask, text_of

pytestmark = pytest.mark.anyio


async def test_a_batch_is_pending_runs_and_succeeds_while_it_is_read(api: Api) -> None:
    begun = await create(api, inline("Explain tides", "Explain ebb", displayName="seas"))
    name = begun["name"]
    assert len(name.removeprefix("batches/")) == 36
    assert (begun["metadata"]["displayName"], begun["metadata"]["model"]) == ("seas", f"models/{TEXT}")
    assert begun["metadata"]["name"] == name
    seen = [begun, *[await get(api, name) for _ in range(4)]]
    assert [state(one) for one in seen] == ["PENDING", "PENDING", "RUNNING", "SUCCEEDED", "SUCCEEDED"]
    assert [counts(one) for one in seen[1:4]] == [(2, 0, 0, 2), (2, 1, 0, 1), (2, 2, 0, 0)]
    assert [one.get("done") for one in seen] == [None, None, None, True, True]
    assert not any("output" in one["metadata"] or "endTime" in one["metadata"] for one in seen[:3])
    assert seen[3]["metadata"]["endTime"] >= seen[3]["metadata"]["createTime"]
    assert seen[3] == seen[4]


async def test_the_answers_are_those_of_direct_calls(api: Api) -> None:
    prompts = ["Explain tides", "What is 2+3?", "List three rivers"]
    ended = await finished(api, await create(api, inline(*prompts)))
    assert ended["metadata"]["@type"].endswith(".GenerateContentBatch")
    found = responses(ended)
    assert [one["metadata"] for one in found] == [{"key": "k0"}, {"key": "k1"}, {"key": "k2"}]
    for prompt, one in zip(prompts, found, strict=True):
        assert one["response"] == await api.generate(prompt)


async def test_functions_search_and_schemas_work_in_a_batch_too(api: Api) -> None:
    fields: list[dict[str, Any]] = [
        {"tools": [{"googleSearch": {}}]},
        {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": {"type": "array"}}},
    ]
    requests = [{"request": {**ask("Tides in Oslo"), **one}} for one in fields]
    body: dict[str, Any] = {"batch": {"inputConfig": {"requests": {"requests": requests}}}}
    found = responses(await finished(api, await create(api, body)))
    for one, extra in zip(found, fields, strict=True):
        assert one == {"response": await api.generate("Tides in Oslo", **extra)}


async def test_a_request_that_a_direct_call_refuses_is_an_error_of_its_own(api: Api) -> None:
    body = inline("Explain tides", "Explain ebb")
    second = body["batch"]["inputConfig"]["requests"]["requests"][1]["request"]
    second["contents"][0]["parts"] = []
    ended = await finished(api, await create(api, body))
    good, bad = responses(ended)
    assert text_of(good["response"]) == await api.text("Explain tides")
    assert bad["metadata"] == {"key": "k1"}
    assert bad["error"]["code"] == 3
    assert "must not be empty" in bad["error"]["message"]
    assert (state(ended), counts(ended)) == ("SUCCEEDED", (2, 1, 1, 0))


@pytest.mark.parametrize(
    ("directive", "code", "words"),
    [("status=503", 14, "overloaded"), ("status=429 quota=PerDay retry=9s", 8, "quota"), ("status=400", 3, "invalid"),
     ("cut=inside", 13, "internal error"), ("misspelled", 3, "no directive"),
     ("status=403 message=No_way", 7, "No way")],
)  # fmt: skip
async def test_a_directive_in_a_prompt_fails_that_request_alone(
    api: Api, directive: str, code: int, words: str
) -> None:
    ended = await finished(api, await create(api, inline("Explain tides", f"x [emulate: {directive}]", "Explain ebb")))
    found = responses(ended)
    assert (found[1]["error"]["code"], words in found[1]["error"]["message"]) == (code, True)
    assert ["response" in one for one in found] == [True, False, True]
    assert counts(ended) == (3, 2, 1, 0)


async def test_an_error_of_a_request_has_no_details(api: Api) -> None:
    (one,) = responses(await finished(api, await create(api, inline("x [emulate: status=429 retry=9s]"))))
    assert set(one["error"]) == {"code", "message"}
    assert "Please retry in 9s." in one["error"]["message"]


async def test_a_blocked_prompt_and_an_odd_finish_are_answers(api: Api) -> None:
    body = inline("x [emulate: block=SAFETY]", "x [emulate: finish=RECITATION]")
    ended = await finished(api, await create(api, body))
    blocked, odd = responses(ended)
    assert blocked["response"]["promptFeedback"]["blockReason"] == "SAFETY"
    assert odd["response"]["candidates"][0]["finishReason"] == "RECITATION"
    assert counts(ended) == (2, 2, 0, 0)


@pytest.mark.parametrize(
    ("polls", "states"),
    [(0, ["SUCCEEDED"]), (1, ["RUNNING", "SUCCEEDED"]), (3, ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"])],
)
async def test_a_fault_says_for_how_many_reads_it_goes_on(
    api: Api, emulator: Emulator, polls: int, states: list[str]
) -> None:
    emulator.add_fault(f"polls={polls}", path=":batchGenerateContent")
    name = (await create(api, inline("Explain tides")))["name"]
    assert [state(await get(api, name)) for _ in states] == states


async def test_a_directive_may_stand_in_the_display_name(api: Api) -> None:
    begun = await create(api, inline("Explain tides", displayName="b [emulate: polls=0]"))
    assert state(await get(api, begun["name"])) == "SUCCEEDED"


async def test_a_batch_may_go_by_the_clock(api: Api, emulator: Emulator) -> None:
    begun = await create(api, inline("a", "b", "c", "d", displayName="b [emulate: lasts=60m]"))
    for _ in range(5):
        assert state(await get(api, begun["name"])) == "PENDING"
    emulator.advance(40 * 60)
    running = await get(api, begun["name"])
    assert (state(running), counts(running)) == ("RUNNING", (4, 2, 0, 2))
    emulator.advance(25 * 60)
    assert state(await listed(api, begun["name"])) == "SUCCEEDED"
    assert len(responses(await get(api, begun["name"]))) == 4


@pytest.mark.parametrize("directive", ["polls=3", "lasts=3000m"])
async def test_a_batch_expires_after_48_hours_without_results(api: Api, emulator: Emulator, directive: str) -> None:
    begun = await create(api, inline("a", "b", displayName=f"[emulate: {directive}]"))
    emulator.advance(47 * 3600)
    assert state(await get(api, begun["name"])) in ("PENDING", "RUNNING")
    emulator.advance(3600)
    for one in (await listed(api, begun["name"]), await get(api, begun["name"])):
        assert (state(one), one["done"], "output" in one["metadata"]) == ("EXPIRED", True, False)
        assert one["error"]["code"] == 13
        assert "response" not in one


async def test_a_batch_fails_on_request(api: Api) -> None:
    name = "b [emulate: outcome=failed code=RESOURCE_EXHAUSTED message=No_more_room polls=1]"
    ended = await finished(api, await create(api, inline("a", displayName=name)))
    assert state(ended) == "FAILED"
    assert ended["error"] == {"code": 8, "message": "No more room"}
    assert not {"response", "output"} & {*ended, *ended["metadata"]}


async def test_a_batch_that_is_cancelled_before_it_runs_has_no_results(api: Api) -> None:
    begun = await create(api, inline("a", "b"))
    assert (await api.http.post(f"/v1beta/{begun['name']}:cancel")).json() == {}
    for _ in range(4):
        ended = await get(api, begun["name"])
        assert (state(ended), ended["done"], counts(ended)) == ("CANCELLED", True, (2, 0, 0, 2))
        assert ended["error"]["code"] == 13
        assert "response" not in ended


async def test_a_batch_that_is_cancelled_while_it_runs_keeps_what_is_done(api: Api) -> None:
    begun = await create(api, inline("a", "b"))
    while state(begun) != "RUNNING":
        begun = await get(api, begun["name"])
    await api.http.post(f"/v1beta/{begun['name']}:cancel")
    ended = await get(api, begun["name"])
    done, undone = responses(ended)
    assert state(ended) == "CANCELLED"
    assert text_of(done["response"]) == await api.text("a")
    assert (undone["metadata"], undone["error"]["code"]) == ({"key": "k1"}, 1)


async def test_cancelling_what_has_ended_changes_nothing(api: Api) -> None:
    ended = await finished(api, await create(api, inline("a")))
    assert (await api.http.post(f"/v1beta/{ended['name']}:cancel")).json() == {}
    assert await get(api, ended["name"]) == ended


async def test_deleting_forgets_a_batch(api: Api) -> None:
    begun = await create(api, inline("a"))
    assert (await api.http.delete(f"/v1beta/{begun['name']}")).json() == {}
    for response in (
        await api.http.get(f"/v1beta/{begun['name']}"),
        await api.http.delete(f"/v1beta/{begun['name']}"),
        await api.http.post(f"/v1beta/{begun['name']}:cancel"),
    ):
        assert (response.status_code, response.json()["error"]["status"]) == (404, "NOT_FOUND")


async def test_the_list_has_pages_newest_first_and_no_results(api: Api) -> None:
    names = [(await create(api, inline("a", displayName=str(at))))["name"] for at in range(3)]
    await finished(api, await get(api, names[2]))
    first = (await api.http.get("/v1beta/batches?pageSize=2")).json()
    assert [one["name"] for one in first["operations"]] == [names[2], names[1]]
    assert (first["operations"][0]["done"], state(first["operations"][0])) == (True, "SUCCEEDED")
    assert "response" not in first["operations"][0]
    assert "output" not in first["operations"][0]["metadata"]
    second = (await api.http.get(f"/v1beta/batches?pageSize=1&pageToken={first['nextPageToken']}")).json()
    assert [one["name"] for one in second["operations"]] == [names[0]]
    assert (await api.http.get("/v1beta/batches?pageToken=nonsense")).status_code == 400
    # Looking at the list is no read of a batch.
    assert state(await get(api, names[0])) == "PENDING"


async def test_the_name_and_the_priority_can_be_changed(api: Api) -> None:
    name = (await create(api, inline("a", displayName="old")))["name"]
    path = f"/v1beta/{name}:updateGenerateContentBatch"
    changed = (
        await api.http.patch(f"{path}?updateMask=displayName,priority", json=renamed("new", priority="-3"))
    ).json()
    assert (changed["displayName"], changed["priority"], changed["name"]) == ("new", "-3", name)
    masked = (await api.http.patch(f"{path}?update_mask=priority", json=renamed("not this", priority=5))).json()
    assert (masked["displayName"], masked["priority"]) == ("new", "5")
    unmasked = (await api.http.patch(path, json={"display_name": "newest"})).json()
    assert (unmasked["displayName"], unmasked["priority"]) == ("newest", "5")
    assert (await get(api, name))["metadata"]["displayName"] == "newest"
    refused = await api.http.patch(f"{path}?updateMask=state", json={"state": "BATCH_STATE_SUCCEEDED"})
    assert (refused.status_code, "cannot be updated" in refused.text) == (400, True)
    other = await api.http.patch(f"/v1beta/{name}:updateEmbedContentBatch", json={"displayName": "x"})
    assert other.status_code == 404


async def test_embeddings_in_a_batch_are_those_of_direct_calls(api: Api) -> None:
    texts = ["a cat", "a train"]
    requests: list[dict[str, Any]] = [
        {"request": {"content": {"parts": [{"text": text}]}, "outputDimensionality": 8}, "metadata": {"key": text}}
        for text in texts
    ]
    requests.append({"request": {"content": {"parts": []}}, "metadata": {"key": "empty"}})
    body = {"batch": {"inputConfig": {"requests": {"requests": requests}}}}
    begun = await create(api, body, verb="asyncBatchEmbedContent", model=EMBEDDING)
    ended = await finished(api, begun)
    assert ended["metadata"]["@type"].endswith(".EmbedContentBatch")
    found = responses(ended)
    for text, one in zip(texts, found[:2], strict=True):
        asked = {"content": {"parts": [{"text": text}]}, "outputDimensionality": 8}
        direct = await api.post("embedContent", asked, model=EMBEDDING)
        assert one == {"response": direct.json(), "metadata": {"key": text}}
    assert found[2]["error"]["code"] == 3
    assert counts(ended) == (3, 2, 1, 0)
    changed = await api.http.patch(f"/v1beta/{begun['name']}:updateEmbedContentBatch", json={"displayName": "x"})
    assert changed.json()["displayName"] == "x"


async def test_a_webhook_is_taken(api: Api) -> None:
    hook = {"uris": ["https://hooks.example/batch"], "userMetadata": {"job": 7}}
    assert state(await create(api, inline("a", webhookConfig=hook))) == "PENDING"


def renamed(name: str, **fields: Any) -> dict[str, Any]:
    return {"displayName": name, **fields}


async def listed(api: Api, name: str) -> dict[str, Any]:
    """The operation as the list shows it."""
    operations = (await api.http.get("/v1beta/batches?pageSize=100")).json()["operations"]
    (found,) = [one for one in operations if one["name"] == name]
    return dict(found)


def with_input(**config: Any) -> dict[str, Any]:
    return {"batch": {"inputConfig": config}}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no batch", {}, "input_config is not specified"),
    ("no input", {"batch": {"displayName": "b"}}, "input_config is not specified"),
    ("no requests", with_input(requests={"requests": []}), "at least one request"),
    ("an empty requests message", with_input(requests={}), "at least one request"),
    ("two kinds of input", with_input(requests={"requests": []}, fileName="files/a"), "oneof field 'source'"),
    ("an unknown field", {"batch": {"name": "x", "speed": 3}}, "Unknown name \"speed\" at 'batch'"),
    ("an unknown field in a request", with_input(requests={"requests": [{"request": {**ask("a"), "foo": 1}}]}),
     "Unknown name \"foo\" at 'batch.input_config.requests.requests[0].request'"),
    ("no request in a request", with_input(requests={"requests": [{"metadata": {"key": "a"}}]}), "request is not"),
    ("a request for another model",
     with_input(requests={"requests": [{"request": {**ask("a"), "model": "models/gemini-3.6-flash"}}]}),
     "is not the model of the batch"),
    ("a key that is no object", with_input(requests={"requests": [{"request": ask("a"), "metadata": "k"}]}), "Struct"),
    ("a file name that is none", with_input(fileName="gs://bucket/in.jsonl"), "Invalid file name"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
async def test_what_makes_no_sense_is_refused_at_once(api: Api, body: dict[str, Any], message: str) -> None:
    assert message in await refusal(api, body)


async def test_a_file_that_is_not_there_is_refused(api: Api) -> None:
    message = await refusal(api, with_input(fileName="files/none"), status=403)
    assert message == "You do not have permission to access the File none or it may not exist."


async def test_more_than_20_mb_must_come_in_a_file(api: Api) -> None:
    body = inline("x" * 21_000_000)
    assert "exceeds the limit: 20971520 bytes" in await refusal(api, body)


async def test_a_model_without_batches_is_not_found(api: Api) -> None:
    assert "not supported for batchGenerateContent" in await refusal(api, inline("a"), model=EMBEDDING, status=404)
    body = with_input(requests={"requests": [{"request": {"content": {"parts": [{"text": "a"}]}}}]})
    assert "asyncBatchEmbedContent" in await refusal(api, body, verb="asyncBatchEmbedContent", status=404)


async def test_a_fault_can_hide_that_a_batch_was_created(api: Api, emulator: Emulator) -> None:
    before = (await api.http.get("/v1beta/batches")).json().get("operations", [])
    emulator.add_fault("status=503", path=":batchGenerateContent")
    assert (await post(api, inline("a"))).status_code == 503
    assert (await api.http.get("/v1beta/batches")).json().get("operations", []) == before
    # One in the display name is known only when the batch is there.
    assert (await post(api, inline("a", displayName="lost [emulate: status=503]"))).status_code == 503
    operations = (await api.http.get("/v1beta/batches")).json()["operations"]
    assert operations[0]["metadata"]["displayName"].startswith("lost")
