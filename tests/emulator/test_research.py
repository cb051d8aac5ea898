"""Deep Research: plans, reports with sources, progress that can be seen, streams that can be cut, cancellation."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator

from .conftest import Api
from .delegating import PATH, RESEARCH, begin, finished, kinds_of, refusal
from .interacting import events_of, parsed, streamed_text, text_of
from .storing import create_store, fill

pytestmark = pytest.mark.anyio

SHOWN = {"type": "deep-research", "thinking_summaries": "auto"}


async def test_a_report_cites_its_sources_by_bytes(api: Api) -> None:
    report = await finished(api, (await begin(api))["id"])
    assert (report["agent"], "model" in report) == (RESEARCH, False)
    (content,) = report["steps"][-1]["content"]
    raw = content["text"].encode()
    assert content["text"].startswith("# [emulated] Research the history of tides\n\n## Executive summary")
    cited = [raw[one["start_index"] : one["end_index"]].decode() for one in content["annotations"]]
    assert any("größte" in claim for claim in cited)
    assert all(claim[0].isupper() and claim[-1] in ".🔎✅" for claim in cited)
    assert all(f"({one['url']})" in content["text"] for one in content["annotations"])
    assert report["usage"]["grounding_tool_count"] == [{"type": "google_search", "count": 4}]


async def test_polls_and_the_clock_show_the_work_as_it_grows(emulator: Emulator, api: Api) -> None:
    begun = await begin(api, agent_config=SHOWN)
    polled = [(await api.http.get(f"{PATH}/{begun['id']}")).json() for _ in range(5)]
    assert [one["status"] for one in polled] == [*["in_progress"] * 4, "completed"]
    counts = [len(kinds_of(one)) for one in polled]
    assert counts == sorted(counts)
    assert counts[0] == 0 < counts[1] < counts[3] < counts[4]
    spent = [one["usage"]["total_tokens"] for one in polled[1:]]
    assert spent == sorted(set(spent))
    assert polled[2]["steps"] == polled[4]["steps"][: counts[2]]
    timed = await begin(api, "Research tides [emulate: lasts=200s]")
    emulator.advance(100)
    half = (await api.http.get(f"{PATH}/{timed['id']}")).json()
    assert half["status"] == "in_progress"
    assert "google_search_result" in kinds_of(half)
    left_alone = await begin(api)
    emulator.advance(300)
    assert (await api.http.get(f"{PATH}/{left_alone['id']}")).json()["status"] == "completed"


async def test_the_tools_of_the_request_are_used(api: Api) -> None:
    store = await create_store(api)
    await fill(api, store, "The tide at Fundy rises sixteen metres.", name="fundy.txt")
    tools: list[dict[str, Any]] = [
        {"type": "file_search", "file_search_store_names": [store]},
        {"type": "url_context"},
        {"type": "mcp_server", "name": "sea", "url": "https://mcp.example/x", "allowed_tools": [{"tools": ["ask"]}]},
    ]
    question = "How high is the tide at Fundy? See https://sea.example/tides and https://missing.example/x"
    report = await finished(api, (await begin(api, question, tools=tools))["id"])
    kinds = kinds_of(report)
    assert "google_search_call" not in kinds
    assert [kind for kind in kinds if kind.startswith("mcp")] == ["mcp_server_tool_call", "mcp_server_tool_result"]
    annotations = report["steps"][-1]["content"][0]["annotations"]
    assert next(one for one in annotations if one["type"] == "file_citation")["file_name"] == "fundy.txt"
    assert "“The tide at Fundy rises sixteen metres.”" in text_of(report)
    pages = next(step for step in report["steps"] if step["type"] == "url_context_result")
    assert [one["status"] for one in pages["result"]] == ["success", "error"]


async def test_a_plan_comes_first_and_approval_begins_the_research(api: Api) -> None:
    planning = {**SHOWN, "collaborative_planning": True}
    plan = await finished(api, (await begin(api, "Research tides", agent_config=planning))["id"])
    assert plan["status"] == "completed"
    assert "research plan for “Research tides”" in text_of(plan)
    fields = {"previous_interaction_id": plan["id"]}
    refined = await finished(api, (await begin(api, "Less history", agent_config=planning, **fields))["id"])
    assert "As you asked: Less history" in text_of(refined)
    fields = {"previous_interaction_id": refined["id"]}
    report = await finished(api, (await begin(api, "Looks good!", agent_config=SHOWN, **fields))["id"])
    assert text_of(report).startswith("# [emulated] Research tides\n")
    assert report["steps"][0]["summary"][0]["text"].startswith("**Planning the research**")
    follow_up = await begin(api, "And for lakes?", previous_interaction_id=report["id"])
    assert (await finished(api, follow_up["id"]))["status"] == "completed"


async def test_a_chart_comes_only_when_it_is_wanted(api: Api) -> None:
    asked = "Research tides and draw a chart"
    for visual, count in (("auto", 2), ("off", 1)):
        config = {"type": "deep-research", "visualization": visual}
        report = await finished(api, (await begin(api, asked, agent_config=config))["id"])
        assert len(report["steps"][-1]["content"]) == count


async def test_a_stream_can_be_cut_and_resumed(api: Api) -> None:
    body = {"agent": RESEARCH, "input": "Research tides [emulate: cut=inside after=9]", "background": True}
    received = b""
    async with api.http.stream("POST", PATH, json={**body, "stream": True}) as response:
        with suppress(httpx2.RemoteProtocolError):
            async for chunk in response.aiter_bytes():
                received += chunk
    first = parsed(received.decode().removesuffix("\n\n").split("\n\n"))
    ident, last = first[0]["interaction"]["id"], first[-1]["event_id"]
    halfway = (await api.http.get(f"{PATH}/{ident}")).json()
    assert halfway["status"] == "in_progress"
    assert kinds_of(halfway)
    rest = events_of((await api.http.get(f"{PATH}/{ident}?stream=true&last_event_id={last}")).text)
    assert rest[-1]["interaction"]["agent"] == RESEARCH
    assert streamed_text(first + rest) == text_of(await finished(api, ident))
    spent = [one["metadata"]["total_usage"]["total_tokens"] for one in first + rest if "metadata" in one]
    assert spent == sorted(spent)
    assert spent[0] < spent[-1]


async def test_cancelled_research_keeps_what_it_has_found(emulator: Emulator, api: Api) -> None:
    begun = await begin(api, "Research tides [emulate: lasts=100s]")
    emulator.advance(60)
    cancelled = (await api.http.post(f"{PATH}/{begun['id']}/cancel")).json()
    assert cancelled["status"] == "cancelled"
    assert "google_search_result" in kinds_of(cancelled)
    assert "model_output" not in kinds_of(cancelled)
    emulator.advance(60)
    assert await finished(api, begun["id"]) == cancelled
    whole = await finished(api, (await begin(api, "Research tides"))["id"])
    assert 0 < cancelled["usage"]["total_tokens"] < whole["usage"]["total_tokens"]


@pytest.mark.parametrize("status", ["failed", "incomplete", "budget_exceeded", "requires_action"])
async def test_research_can_end_otherwise(api: Api, status: str) -> None:
    begun = await begin(api, f"Research tides [emulate: outcome={status} polls=1]")
    ended = await finished(api, begun["id"])
    assert ended["status"] == status
    assert ("errors" in ended) == (status == "failed")
    if status == "requires_action":
        call = ended["steps"][-1]
        assert (call["type"], call["name"]) == ("function_call", "ask_user")
        answer = [{"type": "function_result", "call_id": call["id"], "result": "yes"}]
        again = await begin(api, answer, previous_interaction_id=ended["id"])
        assert (await finished(api, again["id"]))["status"] == "completed"


async def test_what_makes_no_sense_is_refused(api: Api) -> None:
    assert "background=true is required" in (await refusal(api, background=None))[1]
    assert "'store' to be true" in (await refusal(api, store=False))[1]
    assert await refusal(api, agent="deep-thought", status=404) == ("not_found", "Agent 'deep-thought' was not found.")
    assert "Only one of 'model' and 'agent'" in (await refusal(api, model="gemini-3.8-flash"))[1]
    assert "'function' is not supported" in (await refusal(api, tools=[{"type": "function", "name": "f"}]))[1]
    assert "type 'antigravity' is not supported" in (await refusal(api, agent_config={"type": "antigravity"}))[1]
    assert (await refusal(api, agent_config={**SHOWN, "depth": 3}))[0] == "parameter_unknown"
    assert "Structured output" in (await refusal(api, response_format={"mime_type": "application/json"}))[1]
    assert "Environments are not supported" in (await refusal(api, environment="remote"))[1]
    assert (await refusal(api, None))[1] == "Missing required parameter 'input'."
