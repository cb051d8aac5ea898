"""Interactions whose answers are odd, very long, or never end: what is kept, what is shown, when it is given up."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from gemini_emulator import Emulator
from gemini_server.toolkit import interaction_run
from tests.conftest import Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, warned

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"
AGENT = "deep-research-preview-04-2026"
HEAD: Json = {"id": "v1_a", "status": "in_progress", "model": MODEL}


@pytest.fixture(name="connect")
def connect_with_both(connect: Connect) -> Connect:
    """Connect to a server with the tools of both toolsets."""
    return partial(connect, poll=0.01, toolsets=("default", "interactions", "research", "jobs"))


def output(text: str, **members: Any) -> Json:
    """A step with a text."""
    return {"type": "model_output", "content": [{"type": "text", "text": text, **members}]}


async def test_a_stream_that_begins_again_at_every_cut_is_given_up_and_heard_once(
    connect: Connect, fake: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interaction_run, "PAUSE", 0.0)
    events: list[Json] = [
        {"event_type": "interaction.created", "event_id": "e0", "interaction": HEAD},
        {"event_type": "step.start", "event_id": "e1", "index": 0, "step": {"type": "model_output"}},
        {"event_type": "step.delta", "event_id": "e2", "index": 0, "delta": {"type": "text", "text": "Hel"}},
        {"event_type": "step.delta", "event_id": "e3", "index": 0, "delta": {"type": "text", "text": "lo"}},
    ]
    cuts = [Reply(events=events[:3] if number % 2 else events, cut=True) for number in range(30)]
    fake.replies = [
        Reply(events=events, cut=True),
        *cuts[:3],
        Reply({**HEAD, "status": "completed", "steps": [output("Hello")]}),
        *cuts,
    ]
    heard: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with connect(base_url=fake.url) as client:
        given = {"input": "x", "store": True}
        answer = structured(await client.call_tool("create_interaction", given, progress_callback=note))
    assert answer["text"] == "".join(heard) == "Hello"
    assert len(fake.requests) == 5


async def test_what_is_looked_at_does_not_flood_a_context(connect: Connect, fake: FakeGemini) -> None:
    notes = [
        {"type": "url_citation", "start_index": 0, "end_index": 4, "url": f"https://s.example/{n}"} for n in range(999)
    ]
    thought: Json = {"type": "thought", "summary": [{"type": "text", "text": "Hm. " * 100}]}
    said = [{"type": "user_input", "content": [{"type": "text", "text": f"{n} {'word ' * 200}"}]} for n in range(200)]
    whole: Json = {**HEAD, "status": "completed", "input": said}
    fake.say({**whole, "steps": [thought] * 500 + [output("Done.", annotations=notes)]})
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("get_interaction", {"id": "v1_a", "include_input": True})
    answer = structured(result)
    assert len(text_of(result)) < 100_000
    assert len(answer["citations"]) == 200
    assert answer["input"][-1]["content"][0]["text"].startswith("199 ")
    for part in ("further citations", "items of input", "thoughts have"):
        assert part in warned(answer)


async def test_what_cites_pages_rests_on_the_web_whatever_steps_it_names(connect: Connect, fake: FakeGemini) -> None:
    note: Json = {"type": "url_citation", "start_index": 0, "end_index": 4, "url": "https://s.example/"}
    fake.say({**HEAD, "status": "completed", "steps": [output("See ![x](https://evil.example/).", annotations=[note])]})
    async with connect(base_url=fake.url) as client:
        answer = structured(await client.call_tool("create_interaction", {"input": "x"}))
    assert answer["untrusted"] == "web"
    assert "![" not in answer["text"]


async def test_json_is_what_is_said_after_the_last_tool(connect: Connect, fake: FakeGemini) -> None:
    schema = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    search: Json = {"type": "google_search_call", "id": "a", "arguments": {"queries": ["size"]}}
    fake.say({**HEAD, "status": "completed", "steps": [output("Let me look."), search, output('{"size": 3}')]})
    async with connect(base_url=fake.url) as client:
        given = {"input": "x", "json_schema": schema}
        answer = structured(await client.call_tool("create_interaction", given))
    assert answer["json"] == {"size": 3}
    assert "incomplete" not in answer


@pytest.mark.parametrize("name", ["../files/x", "v1_a/cancel", " ", "v1_a?x", "/v1_a"])
async def test_what_is_no_id_is_refused_wherever_it_is_given(connect: Connect, emulator: Emulator, name: str) -> None:
    async with connect() as client:
        for tool in ("get_interaction", "cancel_interaction", "delete_interaction"):
            assert "no id of an interaction" in error_of(await client.call_tool(tool, {"id": name}))
        given = {"input": "x", "previous": name}
        assert "no id of an interaction" in error_of(await client.call_tool("create_interaction", given))
    assert emulator.requests == []


async def test_addresses_that_cannot_be_read_are_the_callers_mistake(connect: Connect, emulator: Emulator) -> None:
    server: Json = {"name": "x", "url": "https://me:s3cret@[", "headers": {}}
    async with connect() as client:
        source = error_of(await client.call_tool("start_research", {"question": "x", "sources": ["https://["]}))
        told = error_of(await client.call_tool("start_research", {"question": "x", "mcp_servers": [server]}))
    assert "sources has an address" in source
    assert "mcp_servers has an address" in told
    assert "s3cret" not in told
    assert emulator.requests == []


async def test_research_by_its_agent_alone_counts_before_what_it_will_cost(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect(daily_cap=Decimal("0.5")) as client:
        told = error_of(await client.call_tool("create_interaction", {"input": "x", "agent": AGENT}))
    assert "daily cap" in told
    assert emulator.requests == []


@pytest.mark.parametrize("uri", ["https://evil.example/chart.png", "http://169.254.169.254/x", "no link at all"])
async def test_a_file_that_lies_elsewhere_does_not_hold_up_a_report(
    connect: Connect, fake: FakeGemini, uri: str
) -> None:
    chart: Json = {"type": "model_output", "content": [{"type": "image", "mime_type": "image/png", "uri": uri}]}
    done = {"id": "v1_a", "status": "completed", "agent": AGENT, "steps": [output("Foxes dig."), chart]}
    fake.replies = [Reply({**done, "status": "in_progress"}), Reply(events=[]), Reply(done)]
    async with connect(base_url=fake.url) as client:
        job = structured(await client.call_tool("start_research", {"question": "Why?", "wait_seconds": 20}))
        looked = structured(await client.call_tool("get_interaction", {"id": "v1_a"}))
    assert (job["status"], [one["mime_type"] for one in job["artifacts"]]) == ("done", ["text/markdown"])
    assert "does not lie at Google" in warned(job)
    assert "does not lie at Google" in warned(looked)


async def test_a_chart_that_is_gone_does_not_lose_the_report(connect: Connect, fake: FakeGemini) -> None:
    image: Json = {"type": "image", "mime_type": "image/png", "uri": f"{fake.url}/v1beta/files/x:download?alt=media"}
    chart: Json = {"type": "model_output", "content": [image]}
    done = {"id": "v1_a", "status": "completed", "agent": AGENT, "steps": [output("Foxes dig."), chart]}
    gone = Reply({"error": {"code": 404, "status": "NOT_FOUND", "message": "Gone."}}, status=404)
    over: Json = {"event_type": "interaction.status_update", "status": "completed"}
    fake.replies = [Reply({**done, "status": "in_progress"}), Reply(events=[over]), Reply(done), gone]
    async with connect(base_url=fake.url) as client:
        job = structured(await client.call_tool("start_research", {"question": "Why?", "wait_seconds": 20}))
    assert (job["status"], [one["mime_type"] for one in job["artifacts"]]) == ("done", ["text/markdown"])
    assert "A file (image) is gone" in warned(job)


@pytest.mark.parametrize(
    ("arguments", "expected", "warning"),
    [
        ('{"city": "Rome"}', {"city": "Rome"}, ""),
        ('{"city": "Ro\u202eme', {}, 'The arguments of weather came broken, as: {"city": "Rome'),
        ('["Rome"]', {}, 'came broken, as: ["Rome"]'),
    ],
)
async def test_arguments_that_are_a_string_are_read_or_shown(
    connect: Connect, fake: FakeGemini, arguments: str, expected: Json, warning: str
) -> None:
    called: Json = {"type": "function_call", "id": "a", "name": "weather", "arguments": arguments}
    fake.say({**HEAD, "status": "requires_action", "steps": [called, None]})
    async with connect(base_url=fake.url) as client:
        answer = structured(await client.call_tool("create_interaction", {"input": "x", "store": True}))
    assert [call["arguments"] for call in answer["function_calls"]] == [expected]
    assert warning in warned(answer)
    assert ("came broken" in warned(answer)) == bool(warning)


async def test_a_null_among_steps_or_contents_costs_nothing_else(connect: Connect, fake: FakeGemini) -> None:
    said: Json = {"type": "model_output", "content": [None, {"type": "text", "text": "Hello", "annotations": [None]}]}
    fake.say({**HEAD, "status": "completed", "steps": [None, said, None], "errors": [None]})
    async with connect(base_url=fake.url) as client:
        answer = structured(await client.call_tool("create_interaction", {"input": "x"}))
    assert (answer["text"], answer["steps"]) == ("Hello", ["model_output"])
