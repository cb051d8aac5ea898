"""Interactions with text models: answers, tools, history, refusals."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest

from gemini_emulator import Emulator

from .conftest import Api
from .interacting import WEATHER, contents_of, create, error_of, get, post, refusal, step_of, text_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_a_text_is_answered_in_steps(api: Api, version: str) -> None:
    interaction = await create(api, version=version)
    assert interaction["id"].startswith("v1_")
    assert (interaction["object"], interaction["status"]) == ("interaction", "completed")
    assert [step["type"] for step in interaction["steps"]] == ["thought", "model_output"]
    assert interaction["steps"][0]["signature"]
    assert "summary" not in interaction["steps"][0]
    assert text_of(interaction).startswith("[emulated] You asked: “Explain tides”.")


async def test_both_families_give_the_same_answer(api: Api) -> None:
    parts = (await api.generate("Explain tides"))["candidates"][0]["content"]["parts"]
    assert text_of(await create(api)) == parts[0]["text"]


async def test_the_model_that_answers_is_named(api: Api) -> None:
    assert (await create(api, model="gemini-flash-latest"))["model"] == "gemini-3.8-flash"
    assert (await refusal(api, model="gemini-flash-latest", version="v1", status=404))[0] == "model_not_found"


async def test_usage_adds_up_and_has_modalities(api: Api) -> None:
    usage = (await create(api))["usage"]
    assert usage["input_tokens_by_modality"] == [{"modality": "text", "tokens": 4}]
    kinds = ("input", "output", "thought", "tool_use")
    assert usage["total_tokens"] == sum(usage[f"total_{kind}_tokens"] for kind in kinds)
    assert usage["total_cached_tokens"] == 0


@pytest.mark.parametrize(
    "given",
    [
        {"type": "text", "text": "Explain tides"},
        [{"type": "text", "text": "Explain tides"}],
        [{"type": "user_input", "content": [{"type": "text", "text": "Explain tides"}]}],
    ],
)
async def test_an_input_may_be_a_content_contents_or_steps(api: Api, given: object) -> None:
    assert text_of(await create(api, given)) == text_of(await create(api))


async def test_thoughts_are_summarised_when_asked_for(api: Api) -> None:
    config = {"thinking_summaries": "auto", "thinking_level": "high"}
    thought = step_of(await create(api, generation_config=config), "thought")
    assert thought["summary"][0]["text"].startswith("**Considering tides**")


async def test_an_attached_picture_is_seen(api: Api) -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8) + (5).to_bytes(4, "big") + (7).to_bytes(4, "big")).decode()
    given = [{"type": "text", "text": "What is it?"}, {"type": "image", "data": png, "mime_type": "image/png"}]
    interaction = await create(api, given)
    assert "PNG image of 5×7 pixels" in text_of(interaction)
    assert {"modality": "image", "tokens": 258} in interaction["usage"]["input_tokens_by_modality"]


async def test_a_schema_is_kept(api: Api) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    form = {"type": "text", "mime_type": "application/json", "schema": schema}
    assert text_of(await create(api, "Name a city, Oslo", response_format=form)).startswith('{"city":')


async def test_a_function_is_called_and_its_result_told(api: Api) -> None:
    first = await create(api, "What is the weather in Oslo?", tools=[WEATHER])
    assert first["status"] == "requires_action"
    call = step_of(first, "function_call")
    assert (call["name"], call["arguments"]) == ("get_weather", {"city": "Oslo"})
    result = {"type": "function_result", "call_id": call["id"], "name": "get_weather", "result": {"degrees": 21}}
    second = await create(api, [result], previous_interaction_id=first["id"], tools=[WEATHER])
    assert second["status"] == "completed"
    assert "According to get_weather for Oslo: degrees is 21." in text_of(second)


async def test_a_history_may_be_sent_instead_of_stored(api: Api) -> None:
    question = {"type": "user_input", "content": [{"type": "text", "text": "What is the weather in Oslo?"}]}
    first = await create(api, [question], tools=[WEATHER], store=False)
    call = step_of(first, "function_call")
    result = {"type": "function_result", "call_id": call["id"], "result": "21 degrees"}
    steps = [question, *first["steps"], result]
    assert "21 degrees" in text_of(await create(api, steps, tools=[WEATHER], store=False))
    without = [question, call, result]
    assert (await refusal(api, without, tools=[WEATHER], store=False))[0] == "missing_thought_signature"


async def test_a_result_without_a_call_is_refused(api: Api) -> None:
    result = {"type": "function_result", "call_id": "c1", "result": "x"}
    assert "does not answer any function call" in (await refusal(api, [result]))[1]


async def test_a_search_is_a_pair_of_steps_with_citations_in_bytes(api: Api) -> None:
    interaction = await create(api, "Find the history of tides", tools=[{"type": "google_search"}])
    call, result = step_of(interaction, "google_search_call"), step_of(interaction, "google_search_result")
    assert call["arguments"]["queries"]
    assert result["call_id"] == call["id"]
    assert "<div" in result["result"][0]["search_suggestions"]
    (content,) = contents_of(interaction)
    raw = content["text"].encode()
    cited = [raw[one["start_index"] : one["end_index"]].decode() for one in content["annotations"]]
    assert any(text.startswith("The größte of them") for text in cited)
    assert {one["type"] for one in content["annotations"]} == {"url_citation"}
    assert interaction["usage"]["grounding_tool_count"] == [{"type": "google_search", "count": 2}]


async def test_maps_pages_and_code_leave_their_steps(api: Api) -> None:
    places = await create(api, "Cafés near me", tools=[{"type": "google_maps", "latitude": 47.4, "longitude": 8.5}])
    assert step_of(places, "google_maps_result")["result"][0]["places"][0]["place_id"].startswith("places/")
    assert contents_of(places)[0]["annotations"][0]["type"] == "place_citation"
    page = await create(api, "Read https://example.com/moon-tides", tools=[{"type": "url_context"}])
    assert step_of(page, "url_context_result")["result"] == [
        {"url": "https://example.com/moon-tides", "status": "success"}
    ]
    code = await create(api, "What is 6 * 7?", tools=[{"type": "code_execution"}])
    assert step_of(code, "code_execution_call")["arguments"]["language"] == "python"
    assert step_of(code, "code_execution_result")["result"] == "42\n"


async def test_a_recording_is_transcribed_word_by_word(api: Api) -> None:
    sound = base64.b64encode(bytes(32_000)).decode()
    mode = {"type": "verbatim", "diarization_mode": "speaker", "timestamp_granularities": ["word"]}
    interaction = await create(
        api,
        [{"type": "audio", "data": sound, "mime_type": "audio/mp3"}],
        model="gemini-3.5-transcribe",
        generation_config={"transcription_config": {"mode": mode, "language_codes": ["de-DE"]}},
    )
    (content,) = contents_of(interaction)
    first = content["annotations"][0]
    raw = content["text"].encode()
    assert first["type"] == "word_info"
    assert raw[first["start_index"] : first["end_index"]].decode() == first["text"]
    assert (first["speaker"], first["start_offset"]) == ("spk_1", "0s")


async def test_a_conversation_is_remembered(api: Api) -> None:
    first = await create(api, "My name is Ada.")
    second = await create(api, "What is my name?", previous_interaction_id=first["id"])
    assert "Your name is Ada." in text_of(second)
    third = await create(api, "And my name was?", previous_interaction_id=second["id"])
    assert "Your name is Ada." in text_of(third)
    assert third["previous_interaction_id"] == second["id"]


async def test_the_limit_of_tokens_makes_an_answer_incomplete(api: Api) -> None:
    interaction = await create(api, generation_config={"max_output_tokens": 20})
    assert interaction["status"] == "incomplete"


async def test_continuation_tokens_lead_to_the_whole_answer(api: Api) -> None:
    prompt = "Explain tides [emulate: continuation=2 length=900]"
    whole = text_of(await create(api, "Explain tides [emulate: length=900]", model="gemini-4-argon"))
    hop = await create(api, prompt, model="gemini-4-argon")
    texts = [text_of(hop)]
    while hop["status"] == "requires_continuation":
        token = hop["continuation_token"]
        fields: dict[str, Any] = {"continuation_token": token, "previous_interaction_id": hop["id"]}
        hop = await create(api, None, model="gemini-4-argon", **fields)
        texts.append(text_of(hop))
    assert len(texts) == 3
    assert len("".join(texts)) == pytest.approx(len(whole), abs=50)
    told = await create(api, "Go on about tides", model="gemini-4-argon", previous_interaction_id=hop["id"])
    assert "Earlier you said: “Explain tides”." in text_of(told)


async def test_an_answer_that_is_not_stored_is_continued_with_its_input(api: Api) -> None:
    prompt = "Explain tides [emulate: continuation=1 length=400]"
    first = await create(api, prompt, model="gemini-4-argon", store=False)
    token = first["continuation_token"]
    second = await create(api, prompt, model="gemini-4-argon", store=False, continuation_token=token)
    assert second["status"] == "completed"
    assert (await refusal(api, "Another question", continuation_token=token))[0] == "invalid_request"


async def test_a_foreign_continuation_token_is_refused(api: Api) -> None:
    first = await create(api)
    code, _ = await refusal(api, None, previous_interaction_id=first["id"], continuation_token="AAAA")
    assert code == "failed_precondition"


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"colour": "red"}, "parameter_unknown", "'colour'"),
        ({"generation_config": {"top_k": 3}}, "parameter_unknown", "'top_k' at 'generation_config'"),
        (
            {"tools": [{"type": "telepathy"}]},
            "invalid_request",
            "'telepathy' is not supported for 'type' at 'tools[0]'",
        ),
        ({"tools": [{"type": "google_search", "depth": 2}]}, "parameter_unknown", "'depth' at 'tools[0]'"),
        ({"store": "yes"}, "invalid_request", "expected a boolean"),
        ({"service_tier": "cheap"}, "invalid_request", "'cheap' is not supported for 'service_tier'"),
        ({"generation_config": {"thinking_level": "minimal"}}, "invalid_request", "MINIMAL is not supported"),
        ({"generation_config": {"temperature": 3}}, "invalid_request", "temperature must be in the range"),
        ({"generation_config": {"video_config": {}}}, "invalid_request", "'video_config' is not supported"),
        ({"response_format": {"type": "image"}}, "invalid_request", "does not support the response format 'image'"),
        ({"response_format": {"type": "text", "schema": {}}}, "invalid_request", "'application/json'"),
        ({"labels": {"Nope": "x"}}, "invalid_request", "Invalid label 'Nope'"),
        ({"tools": [WEATHER, WEATHER]}, "invalid_request", "Duplicate function"),
        ({"tools": [{"type": "file_search", "file_search_store_names": ["fileSearchStores/x"]}]}, "not_found", "x"),
        ({"background": True, "store": False}, "invalid_request", "must be stored"),
        ({"previous_interaction_id": "nonsense"}, "invalid_request", "Invalid interaction name"),
        ({"model": "gemini-99"}, "model_not_found", "models/gemini-99"),
        ({"model": "gemini-embedding-2"}, "model_not_found", "not supported for interactions"),
        ({"agent": "deep-research-preview-04-2026"}, "invalid_request", "Only one of"),
    ],
)
async def test_what_the_api_refuses_is_refused_with_its_code(
    api: Api, fields: dict[str, Any], code: str, words: str
) -> None:
    response = await post(api, **fields)
    found, message = error_of(response, 404 if "not_found" in code else 400)
    assert found == code
    assert words in message


@pytest.mark.parametrize("given", ["", [], None])
async def test_an_empty_input_is_refused(api: Api, given: object) -> None:
    assert await refusal(api, given) == ("invalid_request", "Missing required parameter 'input'.")


async def test_media_without_data_and_mixed_inputs_are_refused(api: Api) -> None:
    assert "Exactly one of" in (await refusal(api, [{"type": "image"}]))[1]
    assert "'mime_type'" in (await refusal(api, [{"type": "image", "data": "AAAA"}]))[1]
    assert "base64" in (await refusal(api, [{"type": "image", "data": "?", "mime_type": "image/png"}]))[1]
    mixed: list[dict[str, Any]] = [{"type": "text", "text": "hi"}, {"type": "user_input", "content": []}]
    assert "either all content or all steps" in (await refusal(api, mixed))[1]


async def test_a_body_that_is_no_json_is_refused_in_the_words_of_the_family(api: Api) -> None:
    response = await api.http.post("/v1beta/interactions", content=b"{")
    assert error_of(response, 400)[0] == "invalid_request"
    response = await api.http.post("/v1beta/interactions?colour=red", json={})
    assert error_of(response, 400)[0] == "parameter_unknown"


async def test_a_bad_key_is_refused_by_the_front_end(api: Api) -> None:
    response = await api.http.post("/v1beta/interactions", json={}, headers={"x-goog-api-key": "invalid"})
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"


async def test_the_input_is_returned_when_asked_for(api: Api) -> None:
    first = await create(api)
    assert "input" not in await get(api, first["id"])
    assert (await get(api, first["id"], include_input="true"))["input"] == "Explain tides"


async def test_what_is_not_stored_cannot_be_fetched(api: Api) -> None:
    first = await create(api, store=False)
    response = await api.http.get(f"/v1beta/interactions/{first['id']}")
    assert error_of(response, 404)[0] == "not_found"
    assert (await refusal(api, previous_interaction_id=first["id"], status=404))[0] == "not_found"


async def test_a_deleted_interaction_is_gone(api: Api) -> None:
    first = await create(api)
    path = f"/v1beta/interactions/{first['id']}"
    assert (await api.http.delete(path)).json() == {}
    assert (await api.http.get(path)).status_code == 404
    assert (await api.http.delete(path)).status_code == 404


async def test_interactions_are_kept_for_their_days(emulator: Emulator, api: Api) -> None:
    first = await create(api)
    emulator.advance(54 * 86_400)
    await get(api, first["id"])
    response = await api.http.post("/emulator/clock", json={"advance": 2 * 86_400})
    assert response.json()["time"] > "2027"
    assert (await api.http.get(f"/v1beta/interactions/{first['id']}")).status_code == 404
    assert (await api.http.post("/emulator/clock", json={"advance": "soon"})).status_code == 400
    ahead = datetime.fromisoformat(response.json()["time"])
    response = await api.http.delete("/emulator/clock")
    assert ahead - datetime.fromisoformat(response.json()["time"]) > timedelta(days=55)


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII"])
async def test_a_held_back_answer_is_an_error_with_its_code(api: Api, reason: str) -> None:
    assert (await refusal(api, f"hi [emulate: finish={reason}]"))[0] == reason.lower()
    assert (await refusal(api, f"hi [emulate: block={reason}]"))[0] == reason.lower()


async def test_a_malformed_call_is_an_error_with_its_code(api: Api) -> None:
    assert (await refusal(api, "hi [emulate: malformed_function_call]"))[0] == "malformed_function_call"


async def test_outcomes_on_request(api: Api) -> None:
    failed = await create(api, "hi [emulate: outcome=failed code=image_safety message=Not_this]")
    assert (failed["status"], failed["errors"]) == ("failed", [{"code": "image_safety", "message": "Not this"}])
    spent = await create(api, "Explain tides [emulate: outcome=budget_exceeded]")
    assert spent["status"] == "budget_exceeded"
    assert 0 < len(text_of(spent)) < len(text_of(await create(api)))
    empty = await create(api, "hi [emulate: empty]")
    assert (empty["status"], empty["steps"]) == ("completed", [])
    assert (await post(api, "hi [emulate: outcome=splendid]")).status_code == 400


async def test_a_failed_interaction_cannot_be_continued(api: Api) -> None:
    failed = await create(api, "hi [emulate: outcome=failed]")
    assert (await refusal(api, previous_interaction_id=failed["id"]))[0] == "failed_precondition"


async def test_faults_come_in_the_words_of_the_family(emulator: Emulator, api: Api) -> None:
    for directive, code in (("status=429 retry_after=2", "rate_limit_exceeded"), ("status=503", "overloaded")):
        response = await post(api, f"hi [emulate: {directive}]")
        assert error_of(response, response.status_code)[0] == code
    assert (await refusal(api, "hi [emulate: status=429 quota=PerDay]", status=429))[0] == "quota_exceeded"
    emulator.add_fault("status=500 retry_after=3", method="POST", path="interactions")
    response = await post(api)
    assert (error_of(response, 500)[0], response.headers["retry-after"]) == ("api_error", "3")
