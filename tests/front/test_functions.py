"""Function calling through the front door: one call, several at once, several steps, and what may be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from inline_snapshot import snapshot

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured
from tests.front.conftest import FakeGemini, Json, ask, ask_in_a_stream, candidate, refused, said, sent, submit

pytestmark = pytest.mark.anyio

WEATHER: Json = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def call(name: str = "f", identifier: str | None = "1", **args: Any) -> Json:
    """A part in which the model calls a function."""
    made: Json = {"name": name, "args": args}
    return {"functionCall": {**made, "id": identifier} if identifier else made, "thoughtSignature": "c2ln"}


@pytest.mark.parametrize("mode", ERAS)
async def test_a_call_and_its_result_make_an_answer(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        first = await ask(client, "What is the weather in Zürich?", functions=[WEATHER])
        wanted = first["function_calls"][0]
        assert wanted["name"] == "get_weather"
        assert wanted["arguments"] == {"city": "Zürich"}
        result = await submit(
            client,
            first["conversation"],
            {"id": wanted["id"], "name": "get_weather", "response": {"sky": "clear", "degrees": 21}},
        )
    answer = structured(result)
    assert "sky is clear, degrees is 21" in answer["text"]
    assert "function_calls" not in answer
    assert answer["conversation"] == first["conversation"]
    turns = sent(emulator)["contents"]
    assert turns[1]["parts"][0]["functionCall"] == {
        "id": wanted["id"],
        "name": "get_weather",
        "args": {"city": "Zürich"},
    }
    assert turns[1]["parts"][0]["thoughtSignature"]
    assert turns[2] == {
        "role": "user",
        "parts": [
            {
                "functionResponse": {
                    "id": wanted["id"],
                    "name": "get_weather",
                    "response": {"sky": "clear", "degrees": 21},
                }
            }
        ],
    }


@pytest.mark.parametrize("stream", [False, True])
async def test_calls_in_parallel_are_answered_in_any_order(connect: Connect, emulator: Emulator, stream: bool) -> None:
    asking = ask_in_a_stream if stream else ask
    async with connect() as client:
        first = await asking(client, "Compare the weather in Zürich and in Lisbon", functions=[WEATHER])
        calls = first["function_calls"]
        assert [one["arguments"]["city"] for one in calls] == ["Zürich", "Lisbon"]
        results = [{"id": one["id"], "response": one["arguments"]["city"].upper()} for one in reversed(calls)]
        answer = structured(await submit(client, first["conversation"], *results))
    assert "get_weather for Zürich: ZÜRICH" in answer["text"]
    assert "get_weather for Lisbon: LISBON" in answer["text"]
    responses = [part["functionResponse"] for part in sent(emulator)["contents"][2]["parts"]]
    assert [response["id"] for response in responses] == [one["id"] for one in calls]


async def test_several_steps_keep_every_signature(connect: Connect, fake: FakeGemini) -> None:
    steps = [candidate({**call("f", str(n), n=n), "thoughtSignature": f"sig{n}"}) for n in range(3)]
    fake.say(*steps, said("done"))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, functions=[{"name": "f"}])
        for n in range(3):
            assert answer["function_calls"] == [{"id": str(n), "name": "f", "arguments": {"n": n}}]
            result = await submit(client, answer["conversation"], {"id": str(n), "response": {"got": n}})
            answer = structured(result)
    assert answer["text"] == "done"
    turns = fake.requests[-1]["contents"]
    assert [turn["role"] for turn in turns] == ["user", "model", "user", "model", "user", "model", "user"]
    assert [turn["parts"][0].get("thoughtSignature") for turn in turns[1::2]] == ["sig0", "sig1", "sig2"]
    assert all(request["tools"] == fake.requests[0]["tools"] for request in fake.requests)


NULLS: Json = {"a": None, "b": [None, {"c": None, "d": []}], "e": {}, "f": False, "g": 0, "h": ""}


@pytest.mark.parametrize("mode", ERAS)
async def test_nulls_survive_in_schemas_arguments_and_results(connect: Connect, fake: FakeGemini, mode: str) -> None:
    fake.say(candidate(call("f", "1", **NULLS)), said("done"))
    function: Json = {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": ["string", "null"], "default": None, "enum": ["x", None]}},
        },
    }
    schema: Json = {"type": ["object", "null"], "const": None, "examples": [None, {"a": None}]}
    async with connect(base_url=fake.url, mode=mode) as client:
        first = await ask(client, functions=[function], json_schema=schema)
        assert first["function_calls"][0]["arguments"] == NULLS
        structured(await submit(client, first["conversation"], {"id": "1", "response": NULLS}))
    for request in fake.requests:
        declared = request["tools"][0]["functionDeclarations"][0]
        assert declared["parametersJsonSchema"] == function["parameters"]
        assert request["generationConfig"]["responseJsonSchema"] == schema
    turns = fake.requests[1]["contents"]
    assert turns[1]["parts"][0]["functionCall"]["args"] == NULLS
    assert turns[2]["parts"][0]["functionResponse"]["response"] == NULLS


@pytest.mark.parametrize(
    ("response", "wrapped"),
    [
        ("sunny", {"result": "sunny"}),
        (21, {"result": 21}),
        (0, {"result": 0}),
        (False, {"result": False}),
        ("", {"result": ""}),
        (None, {"result": None}),
        ([], {"result": []}),
        ([1, None], {"result": [1, None]}),
        ({}, {}),
        ({"result": None}, {"result": None}),
        ({"error": "no such city"}, {"error": "no such city"}),
    ],
)
async def test_a_bare_value_is_wrapped_and_an_object_is_not(
    connect: Connect, fake: FakeGemini, response: Any, wrapped: Json
) -> None:
    fake.say(candidate(call()), said("done"))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, functions=[{"name": "f"}])
        structured(await submit(client, first["conversation"], {"id": "1", "response": response}))
    assert fake.requests[1]["contents"][2]["parts"] == [
        {"functionResponse": {"name": "f", "response": wrapped, "id": "1"}}
    ]


@pytest.mark.parametrize(
    ("results", "what"),
    [
        ([], "Results are missing for f (id 1), f (id 2), g (id 3)"),
        ([{"id": "1", "response": 1}, {"id": "2", "response": 1}], "Results are missing for g (id 3)"),
        ([{"id": "9", "response": 1}], "No open call matches the result with id '9' and name None. Open calls: f (id"),
        ([{"id": "1", "name": "g", "response": 1}], "with id '1' and name 'g'"),
        ([{"name": "f", "response": 1}], "with id None and name 'f'"),
        ([{"response": 1}], "with id None and name None"),
        ([{"id": "1", "response": 1}, {"id": "1", "response": 2}], "with id '1' and name None"),
        ([{"id": "1"}], "results.0.response: it is needed"),
        ([{"id": "1", "output": 1}], "results.0.output: there is no such argument"),
    ],
)
async def test_results_that_do_not_fit_are_refused_before_anything_is_sent(
    connect: Connect, fake: FakeGemini, results: list[Json], what: str
) -> None:
    fake.say(candidate(call("f", "1"), call("f", "2"), call("g", "3")))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, functions=[{"name": "f"}, {"name": "g"}])
        text = error_of(await submit(client, first["conversation"], *results))
    assert what in text
    assert len(fake.requests) == 1


async def test_calls_without_ids_are_told_apart_by_name_and_made_up_ids(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(call("f", None), call("g", None), call("f", None)), said("done"))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, functions=[{"name": "f"}, {"name": "g"}])
        assert [one["id"] for one in first["function_calls"]] == ["call-1", "call-2", "call-3"]
        await submit(
            client,
            first["conversation"],
            {"id": "call-3", "response": 3},
            {"name": "g", "response": 2},
            {"name": "f", "response": 1},
        )
    assert [part["functionResponse"] for part in fake.requests[1]["contents"][2]["parts"]] == [
        {"name": "f", "response": {"result": 1}},
        {"name": "g", "response": {"result": 2}},
        {"name": "f", "response": {"result": 3}},
    ]


async def test_a_prompt_while_results_are_awaited_is_refused(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(call("f"), call("g", "2")))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, functions=[{"name": "f"}, {"name": "g"}])
        text = await refused(client, "And now?", conversation=first["conversation"])
    assert "waits for the results of f, g" in text
    assert "submit_function_results" in text
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("conversation", "what"), [("new", "not 'new'"), ("", "There is no conversation"), ("kept", "does not wait")]
)
async def test_results_that_nobody_waits_for_are_refused(
    connect: Connect, fake: FakeGemini, conversation: str, what: str
) -> None:
    async with connect(base_url=fake.url) as client:
        kept = await ask(client, conversation="new")
        name = kept["conversation"] if conversation == "kept" else conversation
        text = error_of(await submit(client, name, {"name": "f", "response": 1}))
    assert what in text
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("said_of_functions", "after"),
    [
        ({"function_mode": "any"}, {"mode": "AUTO"}),
        ({"allowed_functions": ["get_weather"]}, {"mode": "VALIDATED", "allowedFunctionNames": ["get_weather"]}),
        (
            {"function_mode": "any", "allowed_functions": ["get_weather"]},
            {"mode": "VALIDATED", "allowedFunctionNames": ["get_weather"]},
        ),
        ({"function_mode": "validated"}, {"mode": "VALIDATED"}),
    ],
)
async def test_a_mode_that_forces_calls_does_not_force_them_for_ever(
    connect: Connect, emulator: Emulator, said_of_functions: Json, after: Json
) -> None:
    async with connect() as client:
        first = await ask(client, "The weather in Zürich", functions=[WEATHER], **said_of_functions)
        identifier = first["conversation"]
        answer = structured(await submit(client, identifier, {"response": "clear"}))
        assert "function_calls" not in answer
        assert "clear" in answer["text"]
        again = await ask(client, "And the weather in Lisbon", conversation=identifier)
    assert sent(emulator, 1)["toolConfig"]["functionCallingConfig"] == after
    assert sent(emulator, 2)["toolConfig"] == sent(emulator, 0)["toolConfig"], "a later turn is forced again"
    assert again["function_calls"]


async def test_functions_beside_search_bring_the_built_in_steps_back_verbatim(
    connect: Connect, fake: FakeGemini
) -> None:
    parts: list[Json] = [
        {"toolCall": {"id": "t1", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["a", None]}}},
        {"toolResponse": {"id": "t1", "toolType": "GOOGLE_SEARCH_WEB", "response": {"hits": [None]}, "extra": None}},
        call("f", "1", a=None),
    ]
    fake.say(candidate(*parts), said("done"))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, functions=[{"name": "f"}], use=["search"])
        structured(await submit(client, first["conversation"], {"id": "1", "response": {"ok": True}}))
    for request in fake.requests:
        assert request["toolConfig"] == {"includeServerSideToolInvocations": True}
        assert request["tools"] == [{"googleSearch": {}}, {"functionDeclarations": [{"name": "f"}]}]
    assert fake.requests[1]["contents"][1] == {"role": "model", "parts": parts}


@pytest.mark.parametrize("levels", [120, 300])
async def test_parameters_and_results_nested_too_deeply_are_refused_before_sending(
    connect: Connect, fake: FakeGemini, levels: int
) -> None:
    deep = "{" + '"a": {' * levels + "}" * levels + "}"
    fake.say(candidate(call()))
    async with connect(base_url=fake.url) as client:
        text = await refused(client, functions=f'[{{"name": "f", "parameters": {deep}}}]')
        assert "The parameters of 'f' are nested too deeply" in text
        first = await ask(client, functions=[{"name": "f"}])
        result = await client.call_tool(
            "submit_function_results",
            {"conversation": first["conversation"], "results": f'[{{"id": "1", "response": {deep}}}]'},
        )
        assert "The response of 'f' is nested too deeply" in error_of(result)
    assert len(fake.requests) == 1


async def test_results_may_come_as_a_json_string(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(call()), said("done"))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, functions=[{"name": "f"}])
        result = await client.call_tool(
            "submit_function_results",
            {"conversation": first["conversation"], "results": '[{"id": "1", "response": {"a": null}}]'},
        )
    structured(result)
    assert fake.requests[1]["contents"][2]["parts"][0]["functionResponse"]["response"] == {"a": None}


async def test_the_request_with_results_is_pinned(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate({"text": "hm", "thought": True}, call("f", "1", a=1)), said("done"))
    async with connect(base_url=fake.url) as client:
        first = await ask(
            client, "go", functions=[{"name": "f", "description": "does it"}], function_mode="any", thinking="low"
        )
        await submit(client, first["conversation"], {"id": "1", "name": "f", "response": "ok"})
    assert fake.requests[1] == snapshot(
        {
            "contents": [
                {"role": "user", "parts": [{"text": "go"}]},
                {
                    "role": "model",
                    "parts": [
                        {"text": "hm", "thought": True},
                        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "1"}, "thoughtSignature": "c2ln"},
                    ],
                },
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"name": "f", "response": {"result": "ok"}, "id": "1"}}],
                },
            ],
            "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}},
            "tools": [{"functionDeclarations": [{"name": "f", "description": "does it"}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        }
    )


async def test_two_calls_of_one_id_are_answered_in_their_order(connect: Connect, fake: FakeGemini) -> None:
    calls: list[Json] = [{"functionCall": {"id": "x", "name": "f", "args": {"n": n}}} for n in (1, 2)]
    fake.say(candidate(*calls), candidate({"text": "done"}))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, functions=[{"name": "f"}])
        results: list[Json] = [{"id": "x", "name": "f", "response": {"n": n}} for n in (1, 2)]
        structured(await submit(client, answer["conversation"], *results))
    responses = [part["functionResponse"] for part in fake.requests[-1]["contents"][-1]["parts"]]
    assert [response["response"] for response in responses] == [{"n": 1}, {"n": 2}]


async def test_functions_that_are_not_given_are_named_in_few_words(connect: Connect, emulator: Emulator) -> None:
    names = ["\u202eevil", "long" * 2000, *(f"f{number}" for number in range(1000))]
    async with connect() as client:
        text = await refused(client, functions=[{"name": "g"}], allowed_functions=names)
    assert "names functions that are not given: f0, f1, " in text
    assert "\u202e" not in text
    assert len(text) < 1000
    assert not emulator.requests
