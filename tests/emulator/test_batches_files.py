"""Batches whose requests come in a file, and whose responses go into one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gemini_emulator import Emulator

from .batching import EMBEDDING, counts, create, finished, get, refusal, state
from .conftest import Api, ask, text_of
from .storing import new_file, pdf

pytestmark = pytest.mark.anyio


async def input_file(api: Api, *lines: object, name: str = "requests.jsonl") -> str:
    """The name of a file with these lines, given as text or as JSON."""
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    return str((await new_file(api, "\n".join(texts), "application/jsonl", displayName=name))["name"])


def of_file(name: str, **batch: Any) -> dict[str, Any]:
    return {"batch": {"inputConfig": {"fileName": name}, **batch}}


def numbered(*prompts: str) -> list[dict[str, Any]]:
    return [{"key": f"k{at}", "request": ask(prompt)} for at, prompt in enumerate(prompts)]


async def output(api: Api, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of the file with the responses."""
    name = operation["metadata"]["output"]["responsesFile"]
    assert operation["response"]["responsesFile"] == name
    file = await get(api, name)
    assert (file["source"], file["state"]) == ("GENERATED", "ACTIVE")
    text = (await api.http.get(f"/v1beta/{name}:download?alt=media")).text
    assert text.endswith("\n")
    # Guides have this address.
    assert (await api.http.get(f"/download/v1beta/{name}:download?alt=media")).text == text
    return [json.loads(line) for line in text.splitlines()]


async def test_the_responses_are_in_a_file_in_another_order(api: Api) -> None:
    prompts = [f"Explain tide number {number} 🌊" for number in range(6)]
    name = await input_file(api, *numbered(*prompts))
    begun = await create(api, of_file(name, displayName="seas"))
    assert begun["metadata"]["inputConfig"] == {"fileName": name}
    assert counts(begun) == (6, 0, 0, 6)
    ended = await finished(api, begun)
    assert ended["metadata"]["output"] == {"responsesFile": f"files/batch-{begun['name'].removeprefix('batches/')}"}
    assert "inlinedResponses" not in ended["response"]
    lines = await output(api, ended)
    keys = [line["key"] for line in lines]
    assert sorted(keys) == [f"k{at}" for at in range(6)]
    assert keys != sorted(keys)
    for line in lines:
        assert line["response"] == await api.generate(prompts[int(line["key"][1:])])


@pytest.mark.parametrize("count", [2, 3, 4])
async def test_even_few_lines_change_their_order(api: Api, count: int) -> None:
    name = await input_file(api, *numbered(*"abcd"[:count]))
    lines = await output(api, await finished(api, await create(api, of_file(name))))
    assert [line["key"] for line in lines] != [f"k{at}" for at in range(count)]


async def test_a_line_may_fail_alone(api: Api) -> None:
    odd: dict[str, Any] = {"key": "odd", "request": {"contents": []}}
    lines = [*numbered("Explain tides", "x [emulate: status=500]"), odd]
    ended = await finished(api, await create(api, of_file(await input_file(api, *lines))))
    assert (state(ended), counts(ended)) == ("SUCCEEDED", (3, 1, 2, 0))
    found = {line.pop("key"): line for line in await output(api, ended)}
    assert text_of(found["k0"]["response"]) == await api.text("Explain tides")
    assert found["k1"]["error"]["code"] == 13
    assert found["odd"]["error"]["code"] == 3
    assert set(found["k1"]) == {"error"}


async def test_blank_lines_snake_case_and_a_missing_key_are_taken(api: Api) -> None:
    request = {"system_instruction": {"parts": [{"text": "Be brief."}]}, **ask("Explain tides")}
    name = await input_file(api, "", {"request": request}, "  ", numbered("Explain ebb")[0], "")
    lines = await output(api, await finished(api, await create(api, of_file(name))))
    assert {line.get("key") for line in lines} == {None, "k0"}


async def test_a_batch_of_embeddings_comes_in_a_file_too(api: Api) -> None:
    requests = [
        {"key": text, "request": {"content": {"parts": [{"text": text}]}, "output_dimensionality": 4}}
        for text in ("cat", "dog", "train")
    ]
    body = of_file(await input_file(api, *requests))
    ended = await finished(api, await create(api, body, verb="asyncBatchEmbedContent", model=EMBEDDING))
    for line in await output(api, ended):
        direct = {"content": {"parts": [{"text": line["key"]}]}, "outputDimensionality": 4}
        assert line["response"] == (await api.post("embedContent", direct, model=EMBEDDING)).json()


UNREADABLE: list[tuple[str, object, str]] = [
    ("no JSON", '{"key": "k", "request": {', "Error on line 2: invalid JSON, near column 26"),
    ("no object", "[1, 2]", "unexpected character: '['; expected '{'"),
    ("a field that does not exist", {"key": "k", "request": {**ask("a"), "thinking_config": {}}},
     "no such field: 'thinking_config'"),
    ("a field in the wrong place", {"key": "k", "request": {**ask("a"), "generationConfig": {"cachedContent": "c"}}},
     "no such field: 'cachedContent'"),
    ("a list for a message", {"key": "k", "request": {**ask("a"), "systemInstruction": ["Be brief."]}},
     "unexpected character: '['; expected '{'"),
    ("another word for the request", {"key": "k", "body": ask("a")}, "no such field: 'body'"),
    ("a key that is a number", {"key": 7, "request": ask("a")}, "'key' (TYPE_STRING)"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), [one[1:] for one in UNREADABLE], ids=[one[0] for one in UNREADABLE])
async def test_a_line_that_cannot_be_read_refuses_the_whole_file(api: Api, line: object, message: str) -> None:
    refused = await refusal(api, of_file(await input_file(api, numbered("a")[0], line)))
    assert refused.startswith("Error on line 2: invalid JSON, near column ")
    assert message in refused


async def test_the_column_is_that_of_the_field(api: Api) -> None:
    refused = await refusal(api, of_file(await input_file(api, '{"key":"k","speed":1}')))
    assert refused == "Error on line 1: invalid JSON, near column 12: no such field: 'speed'"


async def test_bytes_that_are_no_text_are_refused(api: Api) -> None:
    file = await new_file(api, b'{"key": "\xff"}\n', "application/jsonl")
    assert "invalid UTF-8" in await refusal(api, of_file(file["name"]))


async def test_a_file_without_requests_is_refused(api: Api) -> None:
    for lines in ([""], ["", "  "], [{"key": "k"}]):
        assert "request" in await refusal(api, of_file(await input_file(api, *lines)))


async def test_a_file_that_is_not_ready_is_refused(api: Api) -> None:
    file = await new_file(api, pdf("x"), "application/pdf", displayName="x [emulate: polls=5]")
    assert "is not in an ACTIVE state" in await refusal(api, of_file(file["name"]))


async def test_the_input_may_be_deleted_once_the_batch_is_there(api: Api) -> None:
    name = await input_file(api, *numbered("a", "b"))
    begun = await create(api, of_file(name))
    await api.http.delete(f"/v1beta/{name}")
    assert len(await output(api, await finished(api, begun))) == 2


async def test_a_cancelled_batch_has_a_file_with_what_was_done(api: Api) -> None:
    begun = await create(api, of_file(await input_file(api, *numbered(*"abcd")), displayName="[emulate: polls=3]"))
    while counts(begun)[1] < 1:
        begun = await get(api, begun["name"])
    await api.http.post(f"/v1beta/{begun['name']}:cancel")
    ended = await get(api, begun["name"])
    lines = await output(api, ended)
    assert state(ended) == "CANCELLED"
    assert len([line for line in lines if "response" in line]) == counts(begun)[1]
    assert {line["error"]["code"] for line in lines if "error" in line} == {1}


async def test_the_file_with_the_responses_expires(api: Api, emulator: Emulator) -> None:
    ended = await finished(api, await create(api, of_file(await input_file(api, *numbered("a")))))
    name = ended["metadata"]["output"]["responsesFile"]
    emulator.advance(49 * 3600)
    assert (await api.http.get(f"/v1beta/{name}:download?alt=media")).status_code == 403
    # The batch itself stays as it ended.
    assert state(await get(api, ended["name"])) == "SUCCEEDED"


async def test_a_failed_batch_has_no_file(api: Api) -> None:
    name = await input_file(api, *numbered("a"))
    ended = await finished(api, await create(api, of_file(name, displayName="[emulate: outcome=failed]")))
    assert (state(ended), "output" in ended["metadata"]) == ("FAILED", False)
