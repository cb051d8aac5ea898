"""Research through the front door: reports, plans and questions about them, as jobs whose events are followed."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, warned

pytestmark = pytest.mark.anyio

AGENT = "deep-research-preview-04-2026"
QUESTION = "How do foxes live in towns?"


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    """Connect to a server that asks after its jobs every few milliseconds."""
    return partial(connect, poll=0.01, toolsets=("default", "research", "jobs"))


async def research(client: Client, question: str = QUESTION, *, heard: list[str] | None = None, **more: Any) -> Json:
    """The structured result of start_research, which must succeed."""

    async def note(progress: float, total: float | None, message: str | None) -> None:
        (heard if heard is not None else []).append(message or "")

    arguments = {"question": question, "wait_seconds": 20, **more}
    return structured(await client.call_tool("start_research", arguments, progress_callback=note))


async def follow_up(client: Client, job: Json, question: str, **more: Any) -> Json:
    """The structured result of follow_up_research, which must succeed."""
    arguments = {"job": job["id"], "question": question, "wait_seconds": 20, **more}
    return structured(await client.call_tool("follow_up_research", arguments))


def bodies(emulator: Emulator) -> list[Json]:
    """The bodies of the interactions that were begun."""
    return [one["body"] for one in emulator.requests if one["path"].endswith("/interactions")]


def looks(emulator: Emulator) -> list[str]:
    """How the interaction was asked for, in order: `heard`, `heard on` after an event, or `asked`."""
    found: list[str] = []
    for one in emulator.requests:
        if one["method"] == "GET" and "/interactions/" in one["path"]:
            query = str(one["query"])
            found.append("heard on" if "last_event_id" in query else "heard" if "stream" in query else "asked")
    return found


@pytest.mark.parametrize("mode", ERAS)
async def test_a_question_becomes_a_report_with_its_sources(connect: Connect, emulator: Emulator, mode: str) -> None:
    heard: list[str] = []
    emulator.add_fault("pace=20ms", method="GET", path="/interactions/")
    async with connect(mode=mode) as client:
        job = await research(client, heard=heard)
        again = structured(await client.call_tool("get_job", {"job": job["id"]}))
    assert (job["status"], job["kind"], job["untrusted"]) == ("done", "research", "web+pages")
    assert job["cost_usd"] > 0
    assert all(job["text"][one["start"] : one["end"]].strip() for one in job["citations"])
    assert {name: again[name] for name in ("text", "citations", "artifacts")} == {
        name: job[name] for name in ("text", "citations", "artifacts")
    }
    [report] = job["artifacts"]
    assert report["mime_type"] == "text/markdown"
    written = Path(report["path"]).read_text("utf-8")
    _, heading, sources = written.partition("\n## Sources\n")
    assert heading
    assert re.search(r"^1\. .*https://", sources, re.MULTILINE)
    assert "[1]" in written
    assert any("Planning the research" in one for one in heard)
    assert any("google search" in one for one in heard)
    assert looks(emulator) == ["heard", "asked"]
    assert bodies(emulator) == [
        {
            "agent": AGENT,
            "input": QUESTION,
            "agent_config": {"type": "deep-research", "thinking_summaries": "auto"},
            "background": True,
            "store": True,
        }
    ]


async def test_where_it_looks_and_what_it_reads_is_said(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "a.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    server = {"name": "archive", "url": "https://mcp.example/", "headers": {"Authorization": "Bearer s3cret-token"}}
    async with connect() as client:
        job = await research(
            client, sources=["https://a.example/fox", "a.pdf"], mcp_servers=[server], visualization=False
        )
        off = await client.call_tool("start_research", {"question": "x", "web": False})
        odd = await client.call_tool("start_research", {"question": "x", "mcp_servers": [{**server, "url": "ftp://x"}]})
    assert "nowhere to look" in error_of(off)
    assert "no https:// address" in error_of(odd)
    assert job["status"] == "done"
    assert "s3cret" not in str(job)
    [body] = bodies(emulator)
    document, words = body["input"]
    assert (document["type"], document["mime_type"]) == ("document", "application/pdf")
    assert words["text"].startswith(QUESTION)
    assert "- https://a.example/fox" in words["text"]
    assert [tool["type"] for tool in body["tools"]] == ["google_search", "url_context", "code_execution", "mcp_server"]
    assert body["tools"][-1]["headers"] == server["headers"]
    assert body["agent_config"]["visualization"] == "off"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("cut=inside after=4", ["heard", "asked", "heard on", "asked"]),
        ("status=400 message=No_stream", ["heard", "asked", "asked"]),
    ],
)
async def test_events_that_break_are_taken_up_or_done_without(
    connect: Connect, emulator: Emulator, fault: str, expected: list[str]
) -> None:
    emulator.add_fault(fault, method="GET", path="/interactions/", times=1)
    async with connect() as client:
        job = await research(client, f"{QUESTION} [emulate: polls=2]")
    assert (job["status"], len(job["artifacts"])) == ("done", 1)
    assert len(bodies(emulator)) == 1
    assert looks(emulator)[: len(expected)] == expected


async def test_a_plan_is_changed_and_approved(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        plan = await research(client, plan_only=True)
        assert "follow_up_research" in warned(plan)
        assert plan["artifacts"] == []
        changed = await follow_up(client, plan, "Leave out the suburbs.", plan_only=True)
        report = await follow_up(client, changed, "Go ahead.")
        answer = await follow_up(client, report, "What do they eat?")
        odd = await client.call_tool("follow_up_research", {"job": report["id"], "question": "x", "plan_only": True})
    assert "no plan to change" in error_of(odd)
    assert len(report["artifacts"]) == 1
    assert answer["text"]
    first, second, third, fourth = bodies(emulator)
    planning = [body["agent_config"].get("collaborative_planning") for body in (first, second, third)]
    assert planning == [True, True, False]
    assert [body.get("previous_interaction_id") for body in (second, third, fourth)] == [
        job["result"]["id"] for job in (plan, changed, report)
    ]
    assert (fourth["model"], fourth["input"]) == ("gemini-3.8-flash", "What do they eat?")


async def test_a_long_report_is_cut_in_the_result_and_whole_in_its_file(connect: Connect, fake: FakeGemini) -> None:
    text = "".join(f"Paragraph {number} of the report.\n\n" for number in range(2000))
    cited = [
        {"type": "url_citation", "start_index": at, "end_index": at + 9, "url": f"https://s.example/{at}"}
        for at in (0, 60_000)
    ]
    said = {"type": "text", "text": text, "annotations": cited}
    step: Json = {"type": "model_output", "content": [said]}
    done: Json = {"id": "v1_a", "status": "completed", "agent": AGENT, "steps": [step]}
    going = {"event_type": "interaction.status_update", "event_id": "e1", "status": "in_progress"}
    fake.replies = [Reply({"id": "v1_a", "status": "in_progress"}), Reply(events=[going]), Reply(done)]
    async with connect(base_url=fake.url) as client:
        job = await research(client)
    assert job["status"] == "done"
    assert len(job["text"]) < 16_100
    assert "the artifact" in warned(job).lower()
    assert [one["uri"] for one in job["citations"]] == ["https://s.example/0"]
    whole = Path(job["artifacts"][0]["path"]).read_text("utf-8")
    assert "Paragraph 1999 of the report." in whole
    assert whole.startswith(f"# {QUESTION}\n\nParagraph [1] 0 of")
    assert whole.endswith("1. https://s.example/0\n2. https://s.example/60000\n")


async def test_what_is_followed_is_stopped_at_once_and_says_what_was_spent(connect: Connect, fake: FakeGemini) -> None:
    head: Json = {"id": "v1_a", "status": "in_progress"}
    usage = {"total_input_tokens": 10_000, "total_output_tokens": 1_000, "total_tokens": 11_000}
    fake.replies = [
        Reply(head),
        Reply(events=[], gate=(gate := asyncio.Event())),
        Reply({**head, "status": "cancelled"}),
        Reply({**head, "status": "cancelled", "usage": usage}),
    ]
    async with connect(base_url=fake.url) as client:
        job = await research(client, wait_seconds=0)
        await fake.wait_for(2)
        with anyio.fail_after(5):
            stopped = structured(await client.call_tool("cancel_job", {"job": job["id"]}))
        gate.set()
    assert stopped["status"] == "cancelled"
    assert "11,000 tokens" in stopped["message"]
    assert stopped["cost_usd"] == pytest.approx(0.032)
    assert sum(path.endswith("/cancel") for path in fake.paths) == 1


async def test_research_that_fails_says_why(connect: Connect, emulator: Emulator) -> None:
    said = f"{QUESTION} [emulate: outcome=failed code=quota_exceeded message=Enough_for_today]"
    async with connect() as client:
        told = error_of(await client.call_tool("start_research", {"question": said, "wait_seconds": 20}))
        retired = await client.call_tool(
            "start_research", {"question": "x", "model": "gemini-3.8-flash", "wait_seconds": 0}
        )
    assert "Enough for today" in told
    assert "does no research" in error_of(retired)
    assert len(bodies(emulator)) == 1


async def test_what_it_may_cost_is_told_without_asking_for_it(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        dry = await research(client, dry_run=True)
        result = await client.call_tool("start_research", {"question": QUESTION, "dry_run": True, "plan_only": True})
    assert dry["estimated_cost_usd"] == pytest.approx(1.22)
    assert structured(result)["estimated_cost_usd"] < 0.1
    assert "searches are billed on top" in text_of(result)
    assert emulator.requests == []


async def test_what_was_kept_off_the_web_stays_off_it_when_its_plan_goes_ahead(
    connect: Connect, fake: FakeGemini
) -> None:
    step: Json = {"type": "model_output", "content": [{"type": "text", "text": "A plan."}]}
    fake.say({"id": "v1_a", "status": "completed", "agent": AGENT, "steps": [step]})
    stores = ["fileSearchStores/foxes"]
    async with connect(base_url=fake.url) as client:
        plan = await research(client, stores=stores, web=False, plan_only=True)
        await follow_up(client, plan, "Go ahead.", stores=stores)
        told = error_of(await client.call_tool("follow_up_research", {"job": plan["id"], "question": "Go ahead."}))
    begun = [body for body in fake.requests if "input" in body]
    assert [[tool["type"] for tool in body["tools"]] for body in begun] == [["file_search"], ["file_search"]]
    assert "Give stores or mcp_servers" in told


async def test_a_dry_run_refuses_sources_that_are_not_there(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("research",)) as client:
        arguments = {"question": "Why?", "sources": ["gone.pdf"], "dry_run": True}
        assert "There is no file" in error_of(await client.call_tool("start_research", arguments))
    assert not emulator.requests
