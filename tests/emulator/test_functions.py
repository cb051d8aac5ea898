"""Function calling: when, with what, in which order, and with which signatures."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api, ask, text_of

pytestmark = pytest.mark.anyio

WEATHER = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING"}, "unit": {"type": "STRING", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
    },
}
MAIL = {
    "name": "send_email",
    "description": "Sends a message to an address",
    "parametersJsonSchema": {
        "type": "object",
        "properties": {"to": {"type": "string", "format": "email"}, "copies": {"type": "integer", "maximum": 3}},
        "required": ["to", "copies"],
    },
}
TOOLS: dict[str, Any] = {"tools": [{"functionDeclarations": [WEATHER, MAIL]}]}


def calls(response: dict[str, Any]) -> list[dict[str, Any]]:
    parts = response["candidates"][0]["content"]["parts"]
    return [part["functionCall"] for part in parts if "functionCall" in part]


def answered(first: dict[str, Any], *, strip: str = "", **changes: Any) -> list[dict[str, Any]]:
    """The model's turn and the responses to its calls."""
    content = first["candidates"][0]["content"]
    if strip:
        content = {**content, "parts": [{k: v for k, v in part.items() if k != strip} for part in content["parts"]]}
    responses = [
        {"functionResponse": {"id": one["id"], "name": one["name"], "response": {"degrees": 21}} | changes}
        for one in calls(first)
    ]
    return [content, {"role": "user", "parts": responses}]


async def test_a_related_prompt_is_a_call_with_an_id_and_a_signature(api: Api) -> None:
    response = await api.generate("What's the weather in Oslo, in fahrenheit?", **TOOLS)
    (call,) = calls(response)
    assert call["name"] == "get_weather"
    assert call["args"] == {"city": "Oslo", "unit": "fahrenheit"}
    assert call["id"]
    assert response["candidates"][0]["content"]["parts"][0]["thoughtSignature"]


async def test_several_cities_are_parallel_calls_of_which_the_first_is_signed(api: Api) -> None:
    response = await api.generate("Compare the weather in Oslo, Lima and São Paulo", **TOOLS)
    assert [call["args"]["city"] for call in calls(response)] == ["Oslo", "Lima", "São Paulo"]
    assert len({call["id"] for call in calls(response)}) == 3
    parts = response["candidates"][0]["content"]["parts"]
    assert ["thoughtSignature" in part for part in parts] == [True, False, False]


async def test_arguments_come_from_the_prompt_and_fit_the_schema(api: Api) -> None:
    (call,) = calls(await api.generate("Send an email to bob@example.org with 2 copies", **TOOLS))
    assert call["args"] == {"to": "bob@example.org", "copies": 2}


async def test_both_ends_of_a_journey_are_one_call(api: Api) -> None:
    properties = {name: {"type": "string"} for name in ("origin", "destination", "date")}
    flights = {"name": "search_flights", "parametersJsonSchema": {"type": "object", "properties": properties}}
    prompt = "Search flights from Berlin to Madrid on 2026-12-24"
    (call,) = calls(await api.generate(prompt, tools=[{"functionDeclarations": [flights]}]))
    assert call["args"] == {"origin": "Berlin", "destination": "Madrid", "date": "2026-12-24"}


async def test_an_unrelated_prompt_is_answered_in_text(api: Api) -> None:
    assert text_of(await api.generate("Tell a joke about otters", **TOOLS)).startswith("[emulated]")


@pytest.mark.parametrize(("mode", "called"), [("ANY", True), ("NONE", False), ("VALIDATED", True)])
async def test_modes_are_obeyed(api: Api, mode: str, called: bool) -> None:
    config = {"functionCallingConfig": {"mode": mode}}
    response = await api.generate("weather in Oslo", toolConfig=config, **TOOLS)
    assert bool(calls(response)) is called


async def test_any_stays_within_the_allowed_functions(api: Api) -> None:
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["send_email"]}}
    response = await api.generate("weather in Oslo", toolConfig=config, **TOOLS)
    assert [call["name"] for call in calls(response)] == ["send_email"]


async def test_the_answer_uses_the_response(api: Api) -> None:
    first = await api.generate("weather in Oslo", **TOOLS)
    body = {"contents": [*ask("weather in Oslo")["contents"], *answered(first)], **TOOLS}
    response = (await api.post("generateContent", body)).json()
    assert "get_weather for Oslo: degrees is 21" in text_of(response)


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    (
        "no signature",
        {"strip": "thoughtSignature"},
        "Function call is missing a thought_signature in functionCall parts.",
    ),
    ("no id", {"id": None}, "id is required"),
    ("another id", {"id": "call_other"}, "id of the function call"),
    ("no name", {"name": ""}, "Name cannot be empty"),
    ("another name", {"name": "send_email"}, "name of the function call"),
    ("no response", {"response": None}, "response must be specified"),
]


@pytest.mark.parametrize(("what", "changes", "words"), BROKEN, ids=[one[0] for one in BROKEN])
async def test_a_broken_round_trip_is_refused(api: Api, what: str, changes: dict[str, Any], words: str) -> None:
    first = await api.generate("weather in Oslo", **TOOLS)
    body = {"contents": [*ask("weather in Oslo")["contents"], *answered(first, **changes)], **TOOLS}
    assert words in await api.refusal(body), what


async def test_an_altered_signature_is_refused_and_the_documented_escape_is_not(api: Api) -> None:
    first = await api.generate("weather in Oslo", **TOOLS)
    turns = answered(first)
    body = {"contents": [*ask("weather in Oslo")["contents"], *turns], **TOOLS}
    signature = turns[0]["parts"][0]["thoughtSignature"]
    turns[0]["parts"][0]["thoughtSignature"] = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert "Corrupted thought signature" in await api.refusal(body)
    turns[0]["parts"][0]["thoughtSignature"] = "skip_thought_signature_validator"
    assert (await api.post("generateContent", body)).status_code == 200


async def test_signatures_are_not_demanded_for_earlier_turns_nor_by_older_models(api: Api) -> None:
    first = await api.generate("weather in Oslo", **TOOLS)
    history = [*ask("weather in Oslo")["contents"], *answered(first, strip="thoughtSignature")]
    older = await api.post("generateContent", {"contents": history, **TOOLS}, model="gemini-2.5-flash")
    assert older.status_code == 200
    history += [{"role": "model", "parts": [{"text": "21 degrees"}]}, *ask("Thanks!")["contents"]]
    assert (await api.post("generateContent", {"contents": history, **TOOLS})).status_code == 200


async def test_every_call_needs_its_response(api: Api) -> None:
    first = await api.generate("weather in Oslo and Lima", **TOOLS)
    turns = answered(first)
    turns[1]["parts"].pop()
    contents = ask("weather in Oslo and Lima")["contents"]
    assert "number of function response parts" in await api.refusal({"contents": [*contents, *turns], **TOOLS})
    assert "number of function response parts" in await api.refusal({"contents": [*contents, turns[0]], **TOOLS})
    assert "immediately after a function call turn" in await api.refusal({"contents": [turns[1]], **TOOLS})


async def test_calls_arrive_in_a_stream_too(api: Api) -> None:
    url = "/v1beta/models/gemini-3.8-flash:streamGenerateContent"
    events = (await api.http.post(url, json={**ask("weather in Oslo and Lima"), **TOOLS})).json()
    assert [call["args"]["city"] for event in events for call in calls(event)] == ["Oslo", "Lima"]
