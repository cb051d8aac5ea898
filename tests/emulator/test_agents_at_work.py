"""Agents with an environment, a user's own agents, and functions that wait for their results."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import pytest

from gemini_emulator import Emulator

from .conftest import Api
from .delegating import ANTIGRAVITY, RESEARCH, begin, finished, kinds_of, refusal, worked
from .interacting import WEATHER, create, post, step_of, text_of
from .interacting import refusal as model_refusal

pytestmark = pytest.mark.anyio

QUESTION = "What is the weather in Oslo?"


async def test_an_environment_is_made_and_kept_over_turns(api: Api) -> None:
    first = await worked(api)
    ident = first["environment_id"]
    assert kinds_of(first)[:2] == ["code_execution_call", "code_execution_result"]
    kept = await api.http.get(f"/v1beta/environments/{ident}/files/answer.md?alt=media")
    assert kept.text == text_of(first)
    second = await worked(api, "And in lakes?", environment=None, previous_interaction_id=first["id"])
    assert second["environment_id"] == ident
    assert "answer.md" in second["steps"][1]["result"]
    source = {"type": "inline", "content": "tides,2", "target": "data.csv"}
    third = await worked(api, environment={"type": "remote", "sources": [source]})
    assert third["environment_id"] != ident
    assert "data.csv" in third["steps"][1]["result"]
    assert (await worked(api, environment=ident))["environment_id"] == ident
    antigravity: dict[str, Any] = {"agent": ANTIGRAVITY, "background": None}
    assert (await refusal(api, **antigravity, environment="env_0", status=404))[0] == "not_found"
    assert (await refusal(api, **antigravity, environment={"type": "local"}))[0] == "invalid_request"


async def test_a_budget_of_tokens_ends_the_work(api: Api) -> None:
    spent = await worked(api, agent_config={"type": "antigravity", "max_total_tokens": 20})
    whole = await worked(api, agent_config={"type": "antigravity", "max_total_tokens": 20_000})
    assert (spent["status"], whole["status"]) == ("budget_exceeded", "completed")
    assert 0 < len(text_of(spent)) < len(text_of(whole))
    assert spent["usage"]["total_tokens"] < whole["usage"]["total_tokens"]


async def test_an_agent_of_the_user_brings_its_instruction_and_tools(api: Api) -> None:
    agent = {"id": "forecaster", "base_agent": ANTIGRAVITY, "system_instruction": "Be brief.", "tools": [WEATHER]}
    assert (await api.http.post("/v1beta/agents", json=agent)).status_code == 200
    try:
        asked = await worked(api, QUESTION, agent="forecaster")
        assert (asked["agent"], asked["status"]) == ("forecaster", "requires_action")
        told = await worked(api, "Explain tides", agent="forecaster", tools=[{"type": "google_search"}])
        assert "I keep to the instruction “Be brief.”" in text_of(told)
    finally:
        await api.http.delete("/v1beta/agents/forecaster")
    assert (await refusal(api, agent="forecaster", status=404))[0] == "not_found"


@pytest.mark.parametrize("background", [None, True])
async def test_an_agent_waits_for_the_result_of_a_function(api: Api, background: bool | None) -> None:
    fields: dict[str, Any] = {"agent": ANTIGRAVITY, "background": background, "tools": [WEATHER]}
    begun = await begin(api, QUESTION, **fields)
    asked = await finished(api, begun["id"]) if background else begun
    assert asked["status"] == "requires_action"
    call = step_of(asked, "function_call")
    assert (call["name"], call["arguments"]) == ("get_weather", {"city": "Oslo"})
    result = {"type": "function_result", "call_id": call["id"], "name": call["name"], "result": {"degrees": 21}}
    again = await begin(api, [result], previous_interaction_id=asked["id"], **fields)
    answered = await finished(api, again["id"]) if background else again
    assert answered["status"] == "completed"
    assert "degrees is 21" in text_of(answered)
    wrong = {**result, "call_id": "call_0", "name": "get_news"}
    assert (await refusal(api, [wrong], previous_interaction_id=asked["id"], **fields))[0] == "invalid_request"


async def test_a_call_can_be_forced(api: Api) -> None:
    for ask in (create, worked):
        forced = await ask(api, "Hello [emulate: outcome=requires_action]", tools=[WEATHER])
        assert forced["status"] == "requires_action"
        assert forced["steps"][-1]["name"] == "get_weather"
    bare = await create(api, "Hello [emulate: outcome=requires_action]")
    assert (bare["status"], bare["steps"][-1]["name"]) == ("requires_action", "ask_user")


async def test_long_work_is_continued_with_a_token(api: Api) -> None:
    first = await worked(api, "Explain tides [emulate: continuation=1 length=900]")
    assert first["status"] == "requires_continuation"
    fields = {"previous_interaction_id": first["id"], "continuation_token": first["continuation_token"]}
    second = await worked(api, None, **fields, environment=None)
    assert second["status"] == "completed"
    assert kinds_of(second)[0] != "code_execution_call"
    assert 850 <= len(text_of(first) + text_of(second)) <= 900
    other: dict[str, Any] = {**fields, "agent": "antigravity-preview-05-2026", "background": None}
    assert "must keep its agent" in (await refusal(api, None, **other))[1]


async def test_a_history_without_the_signature_of_its_thought_is_refused(api: Api) -> None:
    first = await create(api, QUESTION, tools=[WEATHER], store=False)
    call = step_of(first, "function_call")
    result = {"type": "function_result", "call_id": call["id"], "result": {"degrees": 21}}
    said = {"type": "user_input", "content": [{"type": "text", "text": QUESTION}]}
    whole = await create(api, [said, *first["steps"], result], tools=[WEATHER], store=False)
    assert "degrees is 21" in text_of(whole)
    code, _ = await model_refusal(api, [said, call, result], tools=[WEATHER], store=False)
    assert code == "missing_thought_signature"
    forged = [{**step, "signature": "QUJD"} if step["type"] == "thought" else step for step in first["steps"]]
    assert (await model_refusal(api, [said, *forged, result], tools=[WEATHER]))[0] == "missing_thought_signature"
    response = await post(api, [said, *first["steps"], {**result, "result": {"degrees": 9}, "is_error": True}])
    assert response.status_code == 200


async def test_googles_sdk_has_agents_triggers_and_webhooks(emulator: Emulator) -> None:
    with warnings.catch_warnings():
        # The SDK's own deprecations and experiments are not ours to mend.
        warnings.simplefilter("ignore")
        genai = importlib.import_module("google.genai")
        async with genai.Client(api_key="test", http_options={"base_url": emulator.url}).aio as client:
            await research_with(client)
            await triggers_with(client)
            await webhooks_with(client)


async def research_with(client: Any) -> None:
    config = {"type": "deep-research", "thinking_summaries": "auto"}
    fields = {"agent": RESEARCH, "input": "Research tides", "background": True, "agent_config": config}
    begun = await client.interactions.create(**fields)
    seen = [begun]
    while seen[-1].status == "in_progress":
        seen.append(await client.interactions.get(begun.id))
    assert seen[-1].status == "completed"
    assert seen[-1].output_text.startswith("# [emulated]")
    assert any(one.steps for one in seen[:-1])
    assert not any(getattr(step, "is_unknown", False) for step in seen[-1].steps)
    first: list[Any] = []
    async for event in await client.interactions.create(**fields, stream=True):
        first.append(event)
        if len(first) == 9:
            break
    ident = first[0].interaction.id
    rest = await client.interactions.get(ident, stream=True, last_event_id=first[-1].event_id)
    events: list[Any] = [*first, *[event async for event in rest]]
    assert not any(getattr(event, "is_unknown", False) for event in events)
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    assert not any(getattr(delta, "is_unknown", False) for delta in deltas)
    assert "".join(one.text for one in deltas if one.type == "text") == seen[-1].output_text
    gone = await client.interactions.create(**fields)
    assert (await client.interactions.cancel(gone.id)).status == "cancelled"


async def triggers_with(client: Any) -> None:
    interaction = {"agent": ANTIGRAVITY, "input": "Explain tides", "environment": "remote"}
    made = await client.triggers.create(interaction=interaction, schedule="0 9 * * 1-5", time_zone="Europe/Berlin")
    assert made.next_run_time.tzinfo is not None
    assert made.status == "active"
    assert (await client.triggers.update(made.id, status="paused")).status == "paused"
    assert made.id in [one.id for one in (await client.triggers.list()).triggers]
    run = await client.triggers.run(made.id)
    found = (await client.triggers.list_executions(made.id)).trigger_executions
    assert [(one.id, one.status) for one in found] == [(run.id, "in_progress")]
    assert (await client.triggers.get(made.id)).previous_interaction_id == run.interaction_id
    await client.triggers.delete(made.id)


async def webhooks_with(client: Any) -> None:
    made = await client.webhooks.create(uri="https://mine.example/x", subscribed_events=["batch.succeeded"], name="n")
    assert made.new_signing_secret.startswith("whsec_")
    changed = await client.webhooks.update(made.id, state="disabled", update_mask="state")
    assert (changed.state, changed.new_signing_secret) == ("disabled", None)
    assert (await client.webhooks.rotate_signing_secret(made.id)).secret != made.new_signing_secret
    assert len((await client.webhooks.get(made.id)).signing_secrets) == 2
    assert made.id in [one.id for one in (await client.webhooks.list()).webhooks]
    await client.webhooks.delete(made.id)
