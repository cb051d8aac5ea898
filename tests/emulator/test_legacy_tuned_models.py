"""Tuned models: how they come about, what they answer, and their operations."""

from __future__ import annotations

from typing import Any

import pytest

from .batching import finished, responses
from .bygone import TUNABLE, Bygone
from .conftest import Api, ask, text_of

pytestmark = pytest.mark.anyio


async def test_a_model_is_tuned_step_by_step_by_the_clock(old: Bygone) -> None:
    begun = await old.tuned(displayName="Sentence Translator", ready=False)
    name = begun["metadata"]["tunedModel"]
    assert name.startswith("tunedModels/sentence-translator-")
    assert begun["name"].startswith(f"{name}/operations/")
    assert begun["metadata"]["@type"].endswith(".CreateTunedModelMetadata")
    assert (begun["metadata"]["totalSteps"], "snapshots" in begun["metadata"]) == (10, False)
    assert (await old.call("GET", name))["state"] == "CREATING"
    assert "is not in an ACTIVE state" in await old.refused("POST", f"{name}:generateContent", ask("1"))
    old.emulator.advance(31)
    half = await old.call("GET", begun["name"])
    assert (half["metadata"]["completedSteps"], half["metadata"]["completedPercent"]) == (5, 50)
    assert [one["step"] for one in half["metadata"]["snapshots"]] == [1, 2, 3, 4, 5]
    assert "done" not in half
    old.emulator.advance(30)
    ended = await old.call("GET", begun["name"])
    losses = [one["meanLoss"] for one in ended["metadata"]["snapshots"]]
    assert losses[0] > 3 > 1 > losses[-1]
    model = await old.call("GET", name)
    assert ended["done"]
    assert ended["response"] == {"@type": ended["response"]["@type"], **model}
    assert (model["state"], model["baseModel"], model["topK"]) == ("ACTIVE", TUNABLE, 64)
    assert model["tuningTask"]["hyperparameters"] == {"learningRate": 0.001, "epochCount": 5, "batchSize": 2}
    assert "trainingData" not in model["tuningTask"]


async def test_it_answers_in_the_manner_of_its_nearest_example(old: Bygone) -> None:
    name: str = (await old.tuned())["metadata"]["tunedModel"]
    answer = await old.call("POST", f"{name}:generateContent", ask("Good morning!"))
    assert text_of(answer) == "[emulated] guten Morgen"
    assert answer["modelVersion"] == f"{name}-emulated"
    assert await old.call("POST", f"{name}:generateContent", ask("Good morning!"), version="v1") == answer
    text = await old.call("POST", f"{name}:generateText", {"prompt": {"text": "twenty two"}})
    assert text["candidates"][0]["output"] == "[emulated] twenty three"
    assert (await old.http.post(f"/v1beta/{name}:streamGenerateContent?alt=sse", json=ask("iv"))).text.count("data:")
    assert "temperature must be in the range" in await old.refused(
        "POST", f"{name}:generateContent", {**ask("1"), "generationConfig": {"temperature": 3}}
    )
    further = {"tunedModelSource": {"tunedModel": name}, "tuningTask": {"trainingData": {"examples": {"examples": [
        {"textInput": "good night", "output": "gute Nacht"}
    ]}}}}  # fmt: skip
    other = (await old.call("POST", "tunedModels?tunedModelId=second", further))["metadata"]["tunedModel"]
    old.emulator.advance(60)
    assert (await old.call("GET", other))["tunedModelSource"] == {"tunedModel": name, "baseModel": TUNABLE}
    for asked, said in (("good night", "gute Nacht"), ("good morning", "guten Morgen")):
        assert text_of(await old.call("POST", f"{other}:generateContent", ask(asked))).endswith(said)


async def test_batches_go_to_tuned_models_too(old: Bygone) -> None:
    name: str = (await old.tuned())["metadata"]["tunedModel"]
    requests = [{"request": {**ask("1"), "model": name}}, {"request": ask("iv")}]
    body = {"batch": {"inputConfig": {"requests": {"requests": requests}}}}
    client = Api(old.http)
    ended = await finished(client, await old.call("POST", f"{name}:batchGenerateContent", body))
    assert ended["metadata"]["model"] == name
    assert [text_of(one["response"]) for one in responses(ended)] == ["[emulated] 2", "[emulated] v"]
    requests = [{"request": {"content": ask("1")["contents"][0]}}]
    body = {"batch": {"inputConfig": {"requests": {"requests": requests}}}}
    ended = await finished(client, await old.call("POST", f"{name}:asyncBatchEmbedContent", body))
    assert len(responses(ended)[0]["response"]["embedding"]["values"]) == 3072


async def test_it_is_listed_filtered_changed_handed_on_and_deleted(old: Bygone) -> None:
    name: str = (await old.tuned(displayName="Counter", description="Counts on"))["metadata"]["tunedModel"]
    await old.tuned(displayName="Other")
    for words, count in (("", 2), ("counts", 1), ("owner:me", 2), ("readers:everyone", 0), ("owner:me other", 1)):
        listed = await old.call("GET", f"tunedModels?filter={words}")
        assert len(listed.get("tunedModels", [])) == count
    page = await old.call("GET", "tunedModels?pageSize=1")
    assert [one["name"] for one in page["tunedModels"]] == [name]
    changed = await old.call("PATCH", f"{name}?updateMask=description,temperature", {"temperature": 0.5})
    assert (changed["temperature"], changed["displayName"], "description" in changed) == (0.5, "Counter", False)
    assert "cannot be updated" in await old.refused("PATCH", f"{name}?updateMask=state", {"state": "FAILED"})
    assert await old.call("POST", f"{name}:transferOwnership", {"emailAddress": "anna@example.com"}) == {}
    roles = {one["emailAddress"]: one["role"] for one in (await old.call("GET", f"{name}/permissions"))["permissions"]}
    assert roles == {"owner@example.com": "WRITER", "anna@example.com": "OWNER"}
    assert await old.call("DELETE", name) == {}
    assert "was not found" in await old.refused("GET", name, status=404)


async def test_version_one_lists_cancels_and_deletes_operations(old: Bygone) -> None:
    first = await old.tuned(description="[emulate: lasts=90m]")
    second = await old.tuned(description="[emulate: polls=0 outcome=failed code=ABORTED]", ready=False)
    assert len((await old.call("GET", "operations", version="v1"))["operations"]) == 2
    name = first["metadata"]["tunedModel"]
    assert await old.call("POST", f"{first['name']}:cancel", version="v1") == {}
    ended = await old.call("GET", first["name"], version="v1")
    assert (ended["done"], ended["error"]["code"]) == (True, 1)
    assert (await old.call("GET", name))["state"] == "FAILED"
    assert (await old.call("GET", second["name"]))["error"]["code"] == 10
    assert await old.call("GET", f"{name}/operations?filter=done=false", version="v1") == {}
    assert len((await old.call("GET", f"{name}/operations"))["operations"]) == 1
    assert await old.call("DELETE", f"operations/{first['name']}", version="v1") == {}
    assert await old.call("DELETE", f"operations/{second['name'].rpartition('/')[2]}", version="v1") == {}
    assert await old.call("GET", "operations", version="v1") == {}
    assert "was not found" in await old.refused("GET", first["name"], status=404)
    assert await old.gone("GET", "operations")


def order(**fields: Any) -> dict[str, Any]:
    examples = [{"textInput": "1", "output": "2"}]
    return {"baseModel": TUNABLE, "tuningTask": {"trainingData": {"examples": {"examples": examples}}}, **fields}


@pytest.mark.parametrize(
    ("body", "said", "status"),
    [
        (order(tuningTask={}), "examples is required", 400),
        (order(baseModel="gemini"), "a name of the form models/{id}", 400),
        (order(baseModel="models/gemini-3.8-flash"), "is not supported for createTunedModel", 404),
        (order(baseModel=None, tunedModelSource={"tunedModel": "tunedModels/none"}), "was not found", 404),
        (order(tunedModelSource={}), "oneof field 'source_model' is already set", 400),
        (order(displayName="x" * 41), "at most 40 characters", 400),
        (order(temperature=1.5), "temperature must be in the range [0, 1]", 400),
        (order(parent="x"), 'Unknown name "parent"', 400),
    ],
)
async def test_what_cannot_be_tuned_is_refused(old: Bygone, body: dict[str, Any], said: str, status: int) -> None:
    assert said in await old.refused("POST", "tunedModels", body, status=status)
    assert "does not match" in await old.refused("POST", "tunedModels?tunedModelId=Not", order())
