"""What the API refuses, the emulator refuses, in the same words."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api, ask

pytestmark = pytest.mark.anyio

WEATHER = {"name": "get_weather", "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}


def configured(**config: Any) -> dict[str, Any]:
    return {**ask("hi"), "generationConfig": config}


def with_tools(*tools: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**ask("hi"), "tools": list(tools), **fields}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown field", {**ask("hi"), "foo": 1}, 'Unknown name "foo": Cannot find field.'),
    ("an unknown field inside", configured(bar=1), "Unknown name \"bar\" at 'generation_config': Cannot find field."),
    ("an unknown field of a part", ask({"txt": "x"}), "Unknown name \"txt\" at 'contents[0].parts[0]'"),
    ("a wrong type", configured(maxOutputTokens="many"), "'generation_config.max_output_tokens' (TYPE_INT32)"),
    ("a number for a text", ask({"text": 5}), "'contents[0].parts[0].text' (TYPE_STRING), 5"),
    ("a boolean as text", {**ask("hi"), "store": "yes"}, "'store' (TYPE_BOOL)"),
    ("a fraction for an integer", configured(maxOutputTokens=1.5), "TYPE_INT32"),
    ("an integer beyond 32 bits", configured(seed=2**40), "TYPE_INT32"),
    ("a text for an object", {"contents": "hi"}, "google.ai.generativelanguage.v1beta.Content"),
    ("a list for an object", {**ask("hi"), "generationConfig": []}, "Proto field is not repeating"),
    ("an object for a text", ask({"text": {}}), "Proto field is not a message"),
    ("a bad enum value", configured(mediaResolution="HUGE"), 'MediaResolution), "HUGE"'),
    ("a duration without unit",
     ask({"videoMetadata": {"startOffset": "3"}, "fileData": {"fileUri": "https://a.example/v"}}),
     "Illegal duration format"),
    ("a bad timestamp", with_tools({"googleSearch": {"timeRangeFilter": {"startTime": "yesterday"}}}), "time format"),
    ("bad base64", ask({"inlineData": {"mimeType": "image/png", "data": "***"}}), "Base64 decoding failed"),
    ("both spellings", {**ask("hi"), "generationConfig": {}, "generation_config": {}}, "set more than once"),
    ("two kinds of data in a part", ask({"text": "a", "inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
     "oneof field 'data' is already set"),
    ("no contents", {}, "contents is not specified"),
    ("an empty part", ask({}), "required oneof field 'data' must have one initialized field"),
    ("a content without parts", {"contents": [{"role": "user"}]}, "contents.parts must not be empty"),
    ("a strange role", {"contents": [{"role": "system", "parts": [{"text": "x"}]}]}, "valid role: user, model"),
    ("six stop sequences", configured(stopSequences=list("abcdef")), "at most 5 stop sequences"),
    ("two candidates on Gemini 3", configured(candidateCount=2), "Multiple candidates"),
    ("a level and a budget", configured(thinkingConfig={"thinkingLevel": "LOW", "thinkingBudget": 5}), "only one of"),
    ("a budget on 3.8", configured(thinkingConfig={"thinkingBudget": 512}), "use thinking level"),
    ("MINIMAL on 3.8", configured(thinkingConfig={"thinkingLevel": "MINIMAL"}), "level MINIMAL is not supported"),
    ("a temperature of 3", configured(temperature=3), "temperature must be in the range"),
    ("more output than the model has", configured(maxOutputTokens=100_000), "max_output_tokens must be in the range"),
    ("a schema without JSON", configured(responseJsonSchema={}), "only allowed with a response mime type"),
    ("an unknown response type", configured(responseMimeType="text/html"), "allowed mimetypes are"),
    ("an array schema without items", configured(responseMimeType="application/json", responseSchema={"type": "ARRAY"}),
     "items: missing field"),
    ("two schemas", configured(responseMimeType="application/json", responseSchema={"type": "STRING"},
                               responseJsonSchema={"type": "string"}), "Only one of response_schema"),
    ("a modality that the model lacks", configured(responseModalities=["IMAGE"]), "combination of response modalities"),
    ("a MIME type that nobody reads", ask({"inlineData": {"mimeType": "application/zip", "data": "AAAA"}}),
     "Unsupported MIME type: application/zip"),
    ("a function name with a blank", with_tools({"functionDeclarations": [{"name": "get weather"}]}),
     "Invalid function name"),
    ("the same function twice", with_tools({"functionDeclarations": [WEATHER, WEATHER]}), "Duplicate function"),
    ("ANY without functions", {**ask("hi"), "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
     "set without function_declarations"),
    ("an allowed function that is not declared", with_tools(
        {"functionDeclarations": [WEATHER]},
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["other"]}}), "not among"),
    ("search beside functions without consent", with_tools({"googleSearch": {}}, {"functionDeclarations": [WEATHER]}),
     "include_server_side_tool_invocations"),
    ("a cache beside tools", with_tools({"googleSearch": {}}, cachedContent="cachedContents/a"),
     "CachedContent can not be used"),
    ("a prefilled model turn", {"contents": [*ask("hi")["contents"], {"role": "model", "parts": [{"text": "So"}]}]},
     "last turn is a user turn"),
    ("an image in the system instruction",
     {**ask("hi"), "systemInstruction": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
     "only supports text"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "words"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_the_request_is_refused(api: Api, what: str, body: dict[str, Any], words: str) -> None:
    assert words in await api.refusal(body), what


async def test_every_finding_is_a_field_violation(api: Api) -> None:
    response = await api.post("generateContent", {**configured(bar=1, seed="x"), "foo": 1})
    error = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    violations = error["details"][0]["fieldViolations"]
    assert {one.get("field") for one in violations} == {None, "generation_config", "generation_config.seed"}
    assert error["message"] == "\n".join(one["description"] for one in violations)


async def test_snake_case_and_lower_case_enums_are_accepted(api: Api) -> None:
    body = {
        **ask("hi"),
        "generation_config": {"max_output_tokens": 500, "thinking_config": {"thinking_level": "low"}},
        "safety_settings": [{"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"}],
    }
    assert (await api.post("generateContent", body)).status_code == 200


async def test_numbers_may_be_strings_and_nulls_are_absent(api: Api) -> None:
    body = configured(maxOutputTokens="500", temperature=None)
    assert (await api.post("generateContent", body)).status_code == 200


async def test_url_safe_base64_without_padding_is_accepted(api: Api) -> None:
    data = {"inlineData": {"mimeType": "image/png", "data": "-_-_-w"}}
    assert (await api.post("generateContent", ask("look", data))).status_code == 200


async def test_broken_json_is_refused_as_such(api: Api) -> None:
    url = "/v1beta/models/gemini-3.8-flash:generateContent"
    response = await api.http.post(url, content=b'{"contents": ', headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("Invalid JSON payload received.")


async def test_nesting_without_end_is_refused(api: Api) -> None:
    schema: dict[str, Any] = {"type": "STRING"}
    for _ in range(700):
        schema = {"type": "ARRAY", "items": schema}
    body = configured(responseMimeType="application/json", responseSchema=schema)
    assert "Invalid JSON payload received." in await api.refusal(body)


async def test_half_a_surrogate_pair_is_refused(api: Api) -> None:
    url = "/v1beta/models/gemini-3.8-flash:generateContent"
    response = await api.http.post(url, content=b'{"contents": [{"parts": [{"text": "\\ud83d"}]}]}')
    assert response.status_code == 400


async def test_a_body_that_is_no_object_is_refused(api: Api) -> None:
    assert "Root element must be a message" in await api.refusal([1])


async def test_unknown_query_parameters_are_refused(api: Api) -> None:
    response = await api.http.get("/v1beta/models?page=2")
    assert response.status_code == 400
    assert 'Unknown name "page": Cannot bind query parameter' in response.json()["error"]["message"]


async def test_unknown_files_and_caches_answer_403_and_stores_404(api: Api) -> None:
    file = {
        "fileData": {"mimeType": "image/png", "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}
    }
    assert "File abc or it may not exist" in await api.refusal(ask("look", file), status=403)
    assert "CachedContent not found" in await api.refusal({**ask("x"), "cachedContent": "cachedContents/x"}, status=403)
    store = {"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/none"]}}
    assert "fileSearchStores/none" in await api.refusal(with_tools(store), status=404)


async def test_a_budget_is_fine_on_gemini_2_5_and_a_level_is_not(api: Api) -> None:
    await api.generate("hi", model="gemini-2.5-flash", generationConfig={"thinkingConfig": {"thinkingBudget": 0}})
    body = configured(thinkingConfig={"thinkingLevel": "LOW"})
    assert "Thinking level is not supported" in await api.refusal(body, model="gemini-2.5-flash")


async def test_a_request_over_100_megabytes_is_refused(api: Api) -> None:
    url = "/v1beta/models/gemini-3.8-flash:generateContent"
    response = await api.http.post(url, content=b" " * (100 * 1024 * 1024 + 1), timeout=30)
    assert response.status_code == 400
    assert "Request payload size exceeds the limit: 104857600 bytes." in response.text


async def test_more_input_than_the_model_takes_is_refused(api: Api) -> None:
    assert "exceeds the maximum number of tokens allowed (262144)" in await api.refusal(
        ask("word " * 220_000), model="gemma-4-31b-it"
    )
