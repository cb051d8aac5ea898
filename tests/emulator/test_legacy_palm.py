"""PaLM: text, messages, vectors and counts; and the few addresses that hardly anybody uses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .batching import finished
from .bygone import Bygone, bygone
from .conftest import Api, ask, text_of
from .storing import new_file

pytestmark = pytest.mark.anyio

TEXT, CHAT, GECKO = "models/text-bison-001", "models/chat-bison-001", "models/embedding-gecko-001"


def text(prompt: str, **fields: Any) -> dict[str, Any]:
    return {"prompt": {"text": prompt}, **fields}


def messages(*texts: str, **fields: Any) -> dict[str, Any]:
    return {"prompt": {"messages": [{"content": one} for one in texts], **fields}}


async def test_the_models_are_listed_and_served_with_the_option_alone(old: Bygone) -> None:
    listed = (await old.call("GET", "models?pageSize=1000"))["models"]
    methods = {one["name"]: one["supportedGenerationMethods"] for one in listed}
    assert methods[CHAT] == ["generateMessage", "countMessageTokens"]
    assert {"models/aqa", TEXT, GECKO} <= methods.keys()
    assert (await old.call("GET", TEXT))["temperature"] == 0.7
    async with bygone(legacy=False) as today:
        assert not {TEXT, CHAT, GECKO} & {one["name"] for one in (await today.call("GET", "models"))["models"]}
        for verb, model in (("generateText", TEXT), ("generateMessage", CHAT), ("embedText", GECKO)):
            said = await today.refused("POST", f"{model}:{verb}", {}, status=404)
            assert f"{model} is not found for API version v1beta" in said


async def test_text_is_written_about_the_prompt_and_within_its_limits(old: Bygone) -> None:
    body = text("Explain tides", candidateCount=2)
    one, other = (await old.call("POST", f"{TEXT}:generateText", body))["candidates"]
    assert one["output"].startswith("[emulated] ")
    assert "tides" in one["output"]
    assert one["output"] != other["output"]
    assert {rating["category"] for rating in one["safetyRatings"]} >= {"HARM_CATEGORY_TOXICITY"}
    short = await old.call("POST", f"{TEXT}:generateText", text("Explain tides", maxOutputTokens=4))
    assert short["candidates"][0]["output"] == one["output"][:16]
    stopped = await old.call("POST", f"{TEXT}:generateText", text("Explain tides", stopSequences=["tides"]))
    assert "tides" not in stopped["candidates"][0]["output"]
    blocked = await old.call("POST", f"{TEXT}:generateText", text("Explain [emulate: block=SAFETY]"))
    assert blocked["filters"] == [{"reason": "SAFETY"}]
    assert "candidates" not in blocked
    assert await old.call("POST", f"{TEXT}:countTextTokens", text("x" * 40)) == {"tokenCount": 10}


async def test_a_conversation_goes_on_with_the_other_author(old: Bygone) -> None:
    said = messages("My name is Anna.", "Hello!", "What is my name?")
    answer = await old.call("POST", f"{CHAT}:generateMessage", said)
    assert [one["author"] for one in answer["messages"]] == ["0", "1", "0"]
    assert answer["candidates"][0]["author"] == "1"
    assert "Your name is Anna." in answer["candidates"][0]["content"]
    example = {"input": {"content": "What time is it?"}, "output": {"content": "Time for tea."}}
    primed = messages("What time is it", context="Be silly.", examples=[example])
    answer = await old.call("POST", f"{CHAT}:generateMessage", primed)
    assert answer["candidates"][0]["content"] == "[emulated] Time for tea."
    assert (await old.call("POST", f"{CHAT}:countMessageTokens", primed))["tokenCount"] == 3 + 4 + 4 + 4
    long = await old.call("POST", f"{CHAT}:generateMessage", messages("x" * 20_000, "y", "z"))
    assert [one["content"] for one in long["messages"]] == ["y", "z"]


async def test_vectors_have_768_dimensions_and_lie_close_for_like_texts(old: Bygone) -> None:
    one = (await old.call("POST", f"{GECKO}:embedText", {"text": "a cat"}))["embedding"]["value"]
    assert len(one) == 768
    many = await old.call("POST", f"{GECKO}:batchEmbedText", {"texts": ["a cat", "two cats", "tax law"]})
    same, near, far = (sum(a * b for a, b in zip(one, other["value"], strict=True)) for other in many["embeddings"])
    assert same > 0.999 > near > far + 0.2
    requests = [{"model": GECKO, "text": "a cat"}]
    assert (await old.call("POST", f"{GECKO}:batchEmbedText", {"requests": requests}))["embeddings"][0]["value"] == one


@pytest.mark.parametrize(
    ("method", "body", "said"),
    [
        (f"{TEXT}:generateText", {}, "prompt.text: text is required"),
        (f"{TEXT}:generateText", text("x", model=CHAT), "does not match the model of the request"),
        (f"{TEXT}:generateText", text("x", candidateCount=9), "candidate_count must be in the range [1, 8]"),
        (f"{TEXT}:generateText", text("x", temperature=1.1), "temperature must be in the range [0, 1]"),
        (f"{TEXT}:generateText", text("x", contents=[]), 'Unknown name "contents"'),
        (
            f"{TEXT}:generateText",
            text("x", safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]),
            "element predicate failed",
        ),
        (f"{CHAT}:generateMessage", messages(), "messages is required"),
        (f"{CHAT}:generateMessage", {"prompt": {"messages": [{"content": "x", "author": "a b"}]}}, "not alphanumeric"),
        (f"{CHAT}:generateMessage", {"prompt": {"messages": [{"content": "x", "author": "a"}] * 2}}, "alternate"),
        (f"{GECKO}:embedText", {"text": ""}, "text is required"),
        (f"{GECKO}:batchEmbedText", {}, "exactly one of texts and requests"),
        (f"{GECKO}:batchEmbedText", {"texts": ["x"] * 101}, "at most 100 texts"),
        (f"{GECKO}:batchEmbedText", {"requests": [{"text": "x"}]}, "model is required"),
    ],
)
async def test_what_makes_no_sense_is_refused(old: Bygone, method: str, body: dict[str, Any], said: str) -> None:
    assert said in await old.refused("POST", method, body)


async def test_dynamic_names_are_ids_of_models(old: Bygone) -> None:
    direct = await old.call("POST", "models/gemini-3.8-flash:generateContent", ask("Explain tides"))
    assert await old.call("POST", "dynamic/gemini-3.8-flash:generateContent", ask("Explain tides")) == direct
    streamed = await old.http.post("/v1beta/dynamic/gemini-3.8-flash:streamGenerateContent", json=ask("Explain tides"))
    assert "".join(text_of(one) for one in streamed.json()) == text_of(direct)
    assert await old.refused("POST", "dynamic/none:generateContent", ask("Explain tides"), status=404)


async def test_generated_files_are_listed_beside_the_files(old: Bygone) -> None:
    assert await old.call("GET", "generatedFiles") == {}
    client = Api(old.http)
    lines = await new_file(client, json.dumps({"key": "a", "request": ask("Explain tides")}), "application/jsonl")
    body = {"batch": {"displayName": "[emulate: polls=0]", "inputConfig": {"fileName": lines["name"]}}}
    ended = await finished(client, await old.call("POST", "models/gemini-3.8-flash:batchGenerateContent", body))
    ident = ended["response"]["responsesFile"].removeprefix("files/")
    made = {"name": f"generatedFiles/{ident}", "mimeType": "application/jsonl", "state": "GENERATED"}
    assert await old.call("GET", "generatedFiles") == {"generatedFiles": [made]}
    assert await old.call("GET", made["name"]) == made
    operation = await old.call("GET", f"{made['name']}/operations/{ident}")
    assert (operation["done"], operation["response"]["name"]) == (True, made["name"])
    for path in (f"generatedFiles/{lines['name'][6:]}", f"{made['name']}/operations/none"):
        assert await old.refused("GET", path, status=404)
