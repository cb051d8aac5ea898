"""generate_text through the front door."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from inline_snapshot import snapshot

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, ask, ask_in_a_stream, candidate, refused, said, sent, warned

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ERAS)
async def test_a_question_is_answered_in_text_and_in_structured_content(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("generate_text", {"prompt": "Say hello to Zoë"})
    answer = structured(result)
    assert "Zoë" in answer["text"]
    assert answer["text"] in text_of(result)
    assert answer["finish_reason"] == "STOP"
    assert answer["model_version"] == "gemini-3.8-flash-emulated"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] + usage["thought_tokens"]
    assert usage["cost_usd"] > 0
    assert "incomplete" not in answer
    assert None not in answer.values()


@pytest.mark.parametrize("mode", ERAS)
async def test_text_streams_as_progress_to_a_caller_who_asked_for_it(
    connect: Connect, emulator: Emulator, mode: str
) -> None:
    seen: list[tuple[float, str]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, message or ""))

    async with connect(mode=mode) as client:
        result = await client.call_tool(
            "generate_text", {"prompt": "[emulate: length=900] Tell me of Zürich"}, progress_callback=on_progress
        )
    answer = structured(result)
    assert "".join(message for _, message in seen) == answer["text"]
    assert all(len(message) <= 200 for _, message in seen)
    values = [value for value, _ in seen]
    assert values == sorted(set(values))
    assert emulator.requests[-1]["path"].endswith(":streamGenerateContent")


async def test_without_a_progress_token_one_plain_call_is_made(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await client.call_tool("generate_text", {"prompt": "hi"})
    assert [request["path"] for request in emulator.requests] == ["/v1beta/models/gemini-3.8-flash:generateContent"]


async def test_json_by_schema_comes_back_parsed_and_valid(connect: Connect) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 1}},
        "required": ["city", "people"],
    }
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "Describe Zürich", "json_schema": schema})
    answer = structured(result)
    assert isinstance(answer["json"]["city"], str)
    assert answer["json"]["people"] >= 1


async def test_a_schema_that_is_none_is_refused_before_anything_is_sent(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "x", "json_schema": {"type": "strong"}})
    assert "not a valid JSON Schema" in error_of(result)
    assert emulator.requests == []


async def test_an_unknown_argument_is_named_and_nothing_is_sent(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "x", "temprature": 1})
    assert "temprature: there is no such argument" in error_of(result)
    assert emulator.requests == []


FUNCTION: Json = {
    "name": "set_light",
    "description": "Sets the light",
    "parameters": {"type": "object", "properties": {"brightness": {"type": ["integer", "null"], "default": None}}},
}


FIELDS: list[tuple[Json, Json]] = [
    ({"system": "Be brief."}, {"systemInstruction": {"parts": [{"text": "Be brief."}]}}),
    ({"max_output_tokens": 300}, {"generationConfig": {"maxOutputTokens": 300}}),
    ({"stop": ["END", "."]}, {"generationConfig": {"stopSequences": ["END", "."]}}),
    ({"seed": 0}, {"generationConfig": {"seed": 0}}),
    ({"media_resolution": "low"}, {"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}}),
    ({"service_tier": "flex"}, {"serviceTier": "flex"}),
    ({"use": ["search"]}, {"tools": [{"googleSearch": {}}]}),
    ({"use": ["maps"]}, {"tools": [{"googleMaps": {}}]}),
    ({"use": ["urls"]}, {"tools": [{"urlContext": {}}]}),
    ({"use": ["code"]}, {"tools": [{"codeExecution": {}}]}),
    ({"use": ["code", "search"]}, {"tools": [{"googleSearch": {}}, {"codeExecution": {}}]}),
    ({"use": []}, {}),
    (
        {"include_thoughts": True, "thinking": "low"},
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True}}},
    ),
    ({"include_thoughts": False}, {}),
    (
        {"json_schema": {"type": "object", "properties": {"a": {"default": None}}}},
        {
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object", "properties": {"a": {"default": None}}},
            }
        },
    ),
    (
        {"functions": [FUNCTION]},
        {
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "name": "set_light",
                            "description": "Sets the light",
                            "parametersJsonSchema": FUNCTION["parameters"],
                        }
                    ]
                }
            ]
        },
    ),
    (
        {"functions": [{"name": "f"}], "function_mode": "validated"},
        {
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}},
        },
    ),
    (
        {"functions": [{"name": "f"}, {"name": "g"}], "function_mode": "any", "allowed_functions": ["g"]},
        {
            "tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}},
        },
    ),
    (
        {"functions": [{"name": "f"}], "function_mode": "none"},
        {
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "NONE"}},
        },
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), FIELDS, ids=lambda value: json.dumps(value)[:60])
async def test_an_argument_reaches_gemini_as_its_field_and_nothing_else_does(
    connect: Connect, emulator: Emulator, arguments: Json, expected: Json
) -> None:
    async with connect() as client:
        await ask(client, "hi", **arguments)
    body = dict(sent(emulator))
    assert body.pop("contents") == [{"role": "user", "parts": [{"text": "hi"}]}]
    assert body == expected


@pytest.mark.parametrize(
    ("model", "thinking", "expected", "warning"),
    [
        ("gemini-3.8-flash", "low", {"thinkingLevel": "LOW"}, ""),
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "LOW"}, "does not take the thinking level minimal"),
        ("gemini-3.8-flash", 900, {"thinkingLevel": "LOW"}, "900 tokens became low"),
        ("models/gemini-3.8-flash", "high", {"thinkingLevel": "HIGH"}, ""),
        ("gemini-3.6-flash", "minimal", {"thinkingLevel": "MINIMAL"}, ""),
        ("gemini-2.5-pro", "high", {"thinkingBudget": 24576}, ""),
        ("gemini-2.5-flash", 5000, {"thinkingBudget": 5000}, ""),
        ("gemini-2.5-flash", 0, {"thinkingBudget": 0}, ""),
        ("gemini-2.5-pro", 5, {"thinkingBudget": 128}, "128 was sent instead of 5"),
        ("gemini-2.5-flash-lite", "1024", {"thinkingBudget": 1024}, ""),
        ("gemma-4-31b-it", "high", None, "takes no thinking setting"),
    ],
)
async def test_thinking_is_translated_for_the_family_and_a_change_is_told(
    connect: Connect, emulator: Emulator, model: str, thinking: str | int, expected: Json | None, warning: str
) -> None:
    async with connect() as client:
        answer = await ask(client, model=model, thinking=thinking)
    assert sent(emulator).get("generationConfig", {}).get("thinkingConfig") == expected
    assert warning in warned(answer)
    assert ("think" in warned(answer)) == bool(warning)


async def test_thoughts_are_not_asked_of_a_family_that_has_none(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        answer = await ask(client, model="gemma-4-31b-it", include_thoughts=True)
    assert "generationConfig" not in sent(emulator)
    assert "thoughts" in warned(answer)


async def test_thoughts_come_beside_the_text_and_not_in_it(connect: Connect) -> None:
    async with connect() as client:
        plain = await ask(client, "Explain tides", include_thoughts=True)
        streamed = await ask_in_a_stream(client, "Explain tides", include_thoughts=True)
    for answer in (plain, streamed):
        assert answer["thoughts"].startswith("**Considering")
        assert "**Considering" not in answer["text"]
        assert answer["usage"]["thought_tokens"] > 0
    assert plain["text"] == streamed["text"]
    assert plain["usage"] == streamed["usage"]


@pytest.mark.parametrize(
    ("model", "expected", "warning"),
    [
        ("gemini-2.5-flash-lite", {"temperature": 0.5, "topP": 0.9, "topK": 40}, ""),
        ("gemini-3.8-flash", {"temperature": 0.5, "topP": 0.9, "topK": 40}, "deprecated since 2026-07-21"),
        ("gemini-nano-banana-2.1", None, "rejects temperature, top_p, top_k; left out"),
    ],
)
async def test_sampling_is_sent_warned_about_or_dropped_by_family(
    connect: Connect, emulator: Emulator, model: str, expected: Json | None, warning: str
) -> None:
    async with connect() as client:
        answer = await ask(client, model=model, sampling={"temperature": 0.5, "top_p": 0.9, "top_k": 40})
    assert sent(emulator).get("generationConfig") == expected
    assert warning in warned(answer)
    assert ("top_p" in warned(answer)) == bool(warning)


@pytest.mark.parametrize(
    ("category", "threshold"),
    [
        ("HARM_CATEGORY_HATE_SPEECH", "BLOCK_ONLY_HIGH"),
        ("hate_speech", "block_only_high"),
        ("Hate-Speech", "Block-Only-High"),
        ("hate speech", "block only high"),
    ],
)
async def test_safety_is_understood_however_it_is_spelled(
    connect: Connect, emulator: Emulator, category: str, threshold: str
) -> None:
    async with connect() as client:
        await ask(client, safety={category: threshold})
    assert sent(emulator)["safetySettings"] == [
        {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_ONLY_HIGH"}
    ]


@pytest.mark.parametrize("model", ["gemini-3.6-flash", "models/gemini-3.6-flash", " gemini-3.6-flash "])
@pytest.mark.parametrize("tool", ["generate_text", "count_tokens"])
async def test_a_model_may_be_named_with_and_without_its_collection(
    connect: Connect, emulator: Emulator, model: str, tool: str
) -> None:
    async with connect() as client:
        answer = structured(await client.call_tool(tool, {"prompt": "hi", "model": model}))
    assert emulator.requests[-1]["path"].startswith("/v1beta/models/gemini-3.6-flash:")
    assert "warnings" not in answer
    assert answer.get("model_version", "gemini-3.6-flash-emulated") == "gemini-3.6-flash-emulated"


async def test_the_configured_model_is_the_default_and_an_argument_wins(connect: Connect, emulator: Emulator) -> None:
    async with connect(model="gemini-3.5-flash-lite") as client:
        await ask(client)
        await ask(client, model="gemini-3.6-flash")
    assert [request["path"].rpartition("/")[2] for request in emulator.requests] == [
        "gemini-3.5-flash-lite:generateContent",
        "gemini-3.6-flash:generateContent",
    ]


@pytest.mark.parametrize("model", ["gemini-4-argon", "models/gemini-4-argon"])
async def test_a_model_of_long_answers_is_streamed_without_being_asked(
    connect: Connect, emulator: Emulator, model: str
) -> None:
    async with connect() as client:
        await ask(client, model=model)
    assert emulator.requests[-1]["path"].endswith(":streamGenerateContent")
    assert emulator.requests[-1]["query"] == {"alt": "sse"}


@pytest.mark.parametrize(("limit", "method"), [(8192, "generateContent"), (8193, "streamGenerateContent")])
async def test_an_answer_that_may_be_long_is_streamed(
    connect: Connect, emulator: Emulator, limit: int, method: str
) -> None:
    async with connect() as client:
        await ask(client, max_output_tokens=limit)
    assert emulator.requests[-1]["path"].endswith(f":{method}")


CONTRADICTIONS: list[tuple[Json, str]] = [
    ({"prompt": ""}, "nothing to ask"),
    ({"max_output_tokens": 0}, "max_output_tokens must be at least 1"),
    ({"stop": list("abcdef")}, "at most 5 stop sequences"),
    ({"safety": {"POLITICS": "OFF"}}, "'POLITICS' is no safety category. Use one of HARASSMENT"),
    ({"safety": {"HARASSMENT": "SOME"}}, "'SOME' is no safety threshold. Use one of BLOCK_LOW_AND_ABOVE"),
    ({"use": ["file_search"]}, "file_search needs stores"),
    ({"use": ["telepathy"]}, "use.0: input should be 'search', 'maps', 'urls', 'code' or 'file_search'"),
    ({"cache": "mine"}, "'mine' is no cache"),
    ({"cache": "cachedContents/a", "system": "x"}, "cannot be combined"),
    ({"cache": "cachedContents/a", "use": ["search"]}, "cannot be combined"),
    ({"cache": "cachedContents/a", "functions": [{"name": "f"}]}, "cannot be combined"),
    ({"function_mode": "any"}, "needs functions"),
    ({"allowed_functions": ["f"]}, "functions that are not given: f"),
    ({"functions": [{"name": "f"}], "allowed_functions": ["g"]}, "functions that are not given: g"),
    (
        {"functions": [{"name": "f"}], "allowed_functions": ["f"], "function_mode": "auto"},
        "allowed_functions goes with function_mode any or validated",
    ),
    ({"functions": [{"description": "nameless"}]}, "functions.0.name: it is needed"),
    ({"functions": [{"name": ""}]}, "Every function needs a name"),
    ({"functions": [{"name": "f", "paramters": {}}]}, "functions.0.paramters: there is no such argument"),
    ({"sampling": {"temprature": 1}}, "sampling.temprature: there is no such argument"),
    ({"thinking": "deep"}, "thinking"),
    ({"conversation": "c_unknown"}, "There is no conversation 'c_unknown'"),
    ({"json_schema": {"properties": {"a": {"type": 5}}}}, "not a valid JSON Schema at properties/a/type"),
]


@pytest.mark.parametrize(("arguments", "what"), CONTRADICTIONS, ids=lambda value: json.dumps(value)[:50])
async def test_a_contradiction_is_refused_with_its_name_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, what: str
) -> None:
    async with connect() as client:
        assert what in await refused(client, **{"prompt": "hi", **arguments})
    assert emulator.requests == []


async def test_lists_and_objects_may_come_as_json_strings(connect: Connect, emulator: Emulator) -> None:
    plain: Json = {
        "stop": ["END"],
        "sampling": {"temperature": 0.5},
        "safety": {"HARASSMENT": "OFF"},
        "use": ["code"],
        "json_schema": {"type": "object", "properties": {"a": {"type": "string"}}},
        "functions": [{"name": "f", "parameters": {"type": "object"}}],
        "attachments": ["data:text/plain;base64,aGk="],
        "max_output_tokens": 900,
        "include_thoughts": True,
    }
    async with connect() as client:
        await ask(client, **plain)
        await ask(client, **{name: json.dumps(value) for name, value in plain.items()})
    assert sent(emulator, 0) == sent(emulator, 1)


async def test_a_prompt_that_looks_like_json_stays_text(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await ask(client, '["a", {"b": 1}]', system='{"role": "pirate"}')
    assert sent(emulator)["contents"][0]["parts"] == [{"text": '["a", {"b": 1}]'}]
    assert sent(emulator)["systemInstruction"]["parts"] == [{"text": '{"role": "pirate"}'}]


@pytest.mark.parametrize("mode", ERAS)
async def test_null_for_an_optional_argument_means_absent(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        tools = (await client.list_tools()).tools
        schema = next(tool for tool in tools if tool.name == "generate_text").input_schema
        nothing = {name: None for name in schema["properties"] if name not in schema["required"]}
        assert len(nothing) > 20
        await ask(client, "hi", **nothing)
    assert sent(emulator) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


async def test_requests_are_pinned_to_the_byte_of_their_json(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await ask(client, "hi")
        await ask(
            client,
            "Compare these",
            attachments=["data:text/plain;base64,aGk=", "https://example.org/a.png"],
            system="Be brief.",
            thinking="low",
            max_output_tokens=500,
            stop=["END"],
            seed=7,
            safety={"HARASSMENT": "OFF"},
            service_tier="priority",
            media_resolution="high",
        )
        await ask(client, "Light on", functions=[FUNCTION], use=["search"], function_mode="auto")
    assert sent(emulator, 0) == snapshot({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    assert sent(emulator, 1) == snapshot(
        {
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {"inlineData": {"mimeType": "text/plain", "data": "aGk="}},
                        {"fileData": {"fileUri": "https://example.org/a.png", "mimeType": "image/png"}},
                        {"text": "Compare these"},
                    ],
                }
            ],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "generationConfig": {
                "maxOutputTokens": 500,
                "stopSequences": ["END"],
                "seed": 7,
                "mediaResolution": "MEDIA_RESOLUTION_HIGH",
                "thinkingConfig": {"thinkingLevel": "LOW"},
            },
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
            "serviceTier": "priority",
        }
    )
    assert sent(emulator, 2) == snapshot(
        {
            "contents": [{"role": "user", "parts": [{"text": "Light on"}]}],
            "tools": [
                {"googleSearch": {}},
                {
                    "functionDeclarations": [
                        {
                            "name": "set_light",
                            "description": "Sets the light",
                            "parametersJsonSchema": {
                                "type": "object",
                                "properties": {"brightness": {"type": ["integer", "null"], "default": None}},
                            },
                        }
                    ]
                },
            ],
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}, "includeServerSideToolInvocations": True},
        }
    )
    headers = emulator.requests[0]["headers"]
    assert headers["x-goog-api-key"] == "***"
    assert "authorization" not in headers
    assert emulator.requests[0]["query"] == {}


async def test_a_file_search_store_is_named_in_the_request(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        text = await refused(client, stores=["fileSearchStores/handbook"])
    assert sent(emulator)["tools"] == [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/handbook"]}}]
    assert "fileSearchStores/handbook" in text
    assert "Did you mean gemini" not in text, "the model is not what was not found"


async def test_a_cache_is_named_in_the_request(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        text = await refused(client, cache="cachedContents/handbook", model="gemini-3.8-flash")
    assert sent(emulator)["cachedContent"] == "cachedContents/handbook"
    assert "Google has no cache cachedContents/handbook any more" in text


# --- JSON by schema


CITY: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": ["integer", "null"]}},
    "required": ["city", "people"],
}


@pytest.mark.parametrize(
    "text",
    [
        '{"city": "Zürich", "people": null}',
        '```json\n{"city": "Zürich", "people": null}\n```',
        '```\n{"city": "Zürich", "people": null}\n```\n',
        '```JSON\r\n{"city": "Zürich", "people": null}\r\n```',
        ' \n{"city": "Zürich", "people": null}',
    ],
)
async def test_json_is_read_with_and_without_a_code_fence_and_keeps_its_nulls(
    connect: Connect, fake: FakeGemini, text: str
) -> None:
    fake.say(said(text))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, json_schema=CITY)
    assert answer["json"] == {"city": "Zürich", "people": None}
    assert answer["text"] == text
    assert "incomplete" not in answer
    assert "warnings" not in answer


@pytest.mark.parametrize(
    ("text", "value", "warning"),
    [
        ('{"city": 5, "people": 1}', {"city": 5, "people": 1}, "does not match json_schema at city: 5 is not of type"),
        ('{"city": "Bern"}', {"city": "Bern"}, "does not match json_schema at its root: 'people' is a required"),
        ("I would rather not.", ..., "not valid JSON"),
        ('{"city": NaN, "people": 1}', ..., "not valid JSON"),
        ('{"city": "Bern", "people": 1e999}', ..., "not valid JSON"),
        ('{"city": "Bern", "peo', ..., "not valid JSON"),
        ("[" * 300 + "]" * 300, ..., "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, ..., "nested too deeply"),
    ],
    ids=["type", "missing", "prose", "NaN", "infinity", "cut", "deep", "deeper"],
)
@pytest.mark.parametrize("mode", ERAS)
async def test_json_that_does_not_fit_is_kept_as_text_and_the_place_is_named(
    connect: Connect, fake: FakeGemini, text: str, value: Any, warning: str, mode: str
) -> None:
    fake.say(said(text))
    async with connect(base_url=fake.url, mode=mode) as client:
        result = await client.call_tool("generate_text", {"prompt": "x", "json_schema": CITY})
    answer = structured(result)
    assert answer["text"] == text
    assert answer.get("json", ...) == value
    assert answer["incomplete"] is True
    assert warning in warned(answer)
    assert "INCOMPLETE" in text_of(result)


async def test_json_cut_by_the_token_limit_says_both(connect: Connect) -> None:
    schema: Json = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(60)}}
    schema["required"] = list(schema["properties"])
    async with connect() as client:
        answer = await ask(client, json_schema=schema, max_output_tokens=250)
    assert answer["finish_reason"] == "MAX_TOKENS"
    assert "json" not in answer
    assert "max_output_tokens" in warned(answer)
    assert "not valid JSON" in warned(answer)


async def test_local_references_of_a_schema_are_followed(connect: Connect, fake: FakeGemini) -> None:
    schema: Json = {
        "$defs": {"person": {"type": "object", "properties": {"boss": {"$ref": "#/$defs/person"}}, "required": ["n"]}},
        "$ref": "#/$defs/person",
    }
    fake.say(said('{"n": 1, "boss": {"n": 2, "boss": {}}}'))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, json_schema=schema)
    assert "does not match json_schema at boss/boss" in warned(answer)
    assert fake.requests[0]["generationConfig"]["responseJsonSchema"] == schema


@pytest.mark.parametrize("reference", ["{url}/schema.json", "file:///etc/passwd", "#/nowhere"])
async def test_a_reference_out_of_the_schema_is_never_fetched(
    connect: Connect, fake: FakeGemini, reference: str
) -> None:
    fake.say(said('{"a": 1}'))
    schema = {"properties": {"a": {"$ref": reference.format(url=fake.url)}}}
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, json_schema=schema)
    assert len(fake.requests) == 1, "the schema's URL was fetched"
    assert answer["json"] == {"a": 1}
    assert answer["incomplete"] is True
    assert "references cannot be resolved" in warned(answer)


async def test_a_pattern_that_backtracks_for_ever_is_not_tried(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said(json.dumps({"a": "a" * 60 + "!"})))
    schema: Json = {
        "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}},
        "patternProperties": {"^(a+)+$": {"type": "string"}},
    }
    begun = time.monotonic()
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, json_schema=schema)
    assert time.monotonic() - begun < 5
    assert answer["json"]["a"].startswith("aaa")


def nested(levels: int) -> Json:
    """A schema of so many objects inside one another."""
    schema: Json = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


async def test_a_schema_of_thirty_levels_is_taken(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        answer = await ask(client, json_schema=nested(30))
    assert "json" in answer
    assert sent(emulator)["generationConfig"]["responseJsonSchema"] == nested(30)


@pytest.mark.parametrize("levels", [90, 125])
async def test_a_schema_nested_too_deeply_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, levels: int
) -> None:
    async with connect() as client:
        text = await refused(client, json_schema=json.dumps(nested(levels)))
    assert "nested too deeply" in text
    assert emulator.requests == []


# --- what text-only clients see


async def test_the_text_alone_says_everything_that_the_structure_says(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool(
            "generate_text",
            {
                "prompt": "[emulate: length=2000 finish=MAX_TOKENS] Who won in Zürich",
                "use": ["search"],
                "conversation": "new",
            },
        )
    answer, text = structured(result), text_of(result)
    assert answer["text"] in text
    assert answer["conversation"] in text
    assert answer["model_version"] in text
    assert "finish: MAX_TOKENS" in text
    assert "INCOMPLETE" in text
    assert all(warning in text for warning in answer["warnings"])
    assert all(citation["uri"] in text for citation in answer["citations"])
    assert f"{answer['usage']['input_tokens']} in" in text
    assert re.search(r"\$0\.0\d+", text)


async def test_function_calls_are_json_in_the_text(connect: Connect, fake: FakeGemini) -> None:
    call = {"id": "1", "name": "f", "args": {"on": True, "who": None, "where": "Zürich"}}
    fake.say({**said(""), "candidates": [{"content": {"parts": [{"functionCall": call}]}, "finishReason": "STOP"}]})
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("generate_text", {"prompt": "x", "functions": [{"name": "f"}]})
    assert '{"on":true,"who":null,"where":"Zürich"}' in text_of(result).replace(", ", ",").replace(": ", ":")
    assert structured(result)["function_calls"][0]["arguments"] == call["args"]


async def test_code_that_gemini_ran_comes_with_what_it_printed(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "What is 17 * 23?", "use": ["code"]})
    run = structured(result)["code"][0]
    assert run["outcome"] == "OK"
    assert "391" in run["output"]
    assert run["code"] in text_of(result)
    assert structured(result)["usage"]["tool_tokens"] > 0


async def test_our_own_key_is_hidden_in_streamed_progress_too(connect: Connect, fake: FakeGemini) -> None:
    key = "AIzaSyCANARY-canary-CANARY-canary-12345"
    seen: list[str] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append(message or "")

    fake.stream(
        candidate({"text": f"The key is {key[:9]}"}, finish=None),
        candidate({"text": key[9:30]}, finish=None),
        candidate({"text": f"{key[30:]} and AIza is its begin. AIzaSyCAN"}),
    )
    async with connect(base_url=fake.url, key=key) as client:
        result = await client.call_tool("generate_text", {"prompt": "x"}, progress_callback=on_progress)
    assert "".join(seen) == structured(result)["text"] == "The key is [hidden] and AIza is its begin. AIzaSyCAN"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"prompt": " \n"}, "There is nothing to ask"),
        ({"stop": ["END", ""]}, "A stop sequence is empty"),
        ({"seed": 2**31}, "seed is a number from -2147483648 to 2147483647"),
        ({"max_output_tokens": 2**31}, "max_output_tokens is at most 2147483647"),
    ],
)
@pytest.mark.parametrize("tool", ["generate_text", "create_interaction"])
async def test_values_that_no_model_takes_are_not_sent(
    connect: Connect, emulator: Emulator, tool: str, arguments: Json, told: str
) -> None:
    named = {("input" if tool == "create_interaction" else "prompt"): arguments.get("prompt", "Say hello")}
    rest = {name: value for name, value in arguments.items() if name != "prompt"}
    async with connect(toolsets=("text", "interactions")) as client:
        text = error_of(await client.call_tool(tool, {**named, **rest}))
    assert told.replace("ask", "say" if tool == "create_interaction" else "ask") in text
    assert not emulator.requests


@pytest.mark.parametrize("model", [" ", "a b", "a\0b", "x" * 300_000])
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("generate_text", {"prompt": "hi"}),
        ("generate_image", {"prompt": "hi", "dry_run": True}),
        ("generate_video", {"prompt": "hi", "dry_run": True}),
        ("synthesize_speech", {"text": "hi", "dry_run": True}),
        ("compose_music", {"prompt": "hi", "dry_run": True}),
        ("create_batch", {"requests": [{"prompt": "hi"}], "dry_run": True}),
        ("create_interaction", {"input": "hi"}),
        ("create_store", {"display_name": "hi"}),
        ("start_research", {"question": "hi", "dry_run": True}),
    ],
)
async def test_what_can_be_no_model_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, tool: str, arguments: Json, model: str
) -> None:
    async with connect(toolsets=("all",)) as client:
        text = error_of(await client.call_tool(tool, {**arguments, "model": model}))
    assert "model is no model id" in text
    assert len(text) < 300
    assert not emulator.requests


async def test_a_missing_argument_is_not_told_as_one_too_many(connect: Connect) -> None:
    async with connect() as client:
        missing = error_of(await client.call_tool("get_job", {}))
        surplus = error_of(await client.call_tool("server_status", {"deep": True}))
    assert missing == "get_job was called with wrong arguments: job: it is needed. It takes: job, wait_seconds."
    assert surplus.endswith("It takes: none.")
