"""The sections of the demo in which Gemini works by itself, or is spoken with: research with a report, a Live turn."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio

from gemini_server.cli.stage import Stage, check


async def research(stage: Stage) -> None:
    """Research: the agent's steps as progress, then a report with sources. Of Gemini itself only its plan."""
    question = "How do ferries in small harbours save fuel?"
    stage.paper.ask(question)
    plan_only = not stage.emulated  # a report costs dollars, a plan cents
    job = await stage.call("start_research", remarks=True, question=question, plan_only=plan_only, wait_seconds=100)
    while job["status"] in ("submitting", "running", "downloading"):
        stage.paper.say(f"(handed over as job {job['id']}; asking get_job)", "dim")
        job = await stage.call("get_job", remarks=True, job=job["id"], wait_seconds=100)
    check(job["status"] == "done", f"The research is {job['status']}: {job.get('error', {}).get('message', '')}")
    beginning = re.sub(r"\n\s*\n", "\n", job["text"])[:400].rstrip()
    stage.paper.say(f"{beginning} …")
    if plan_only:
        stage.paper.say("[the plan; follow_up_research would go ahead with it]", "dim")
        return
    citations = job["citations"]
    for cited in citations[:2]:
        stage.paper.say(f"[from {cited.get('title') or cited['uri']}: {cited['uri']}]", "dim")
    check(citations, "The report cites nothing.")
    [report] = [one for one in job["artifacts"] if one["mime_type"] == "text/markdown"]
    stage.paper.path(Path(report["path"]))


async def live(stage: Stage) -> None:
    """A spoken conversation of two turns: the second rests on the first."""
    said = "Hello! My name is Ada, and I am on the quay."
    stage.paper.ask(said)
    first = await stage.call("live_turn", text=said, conversation="new")
    stage.paper.say(_transcript(first))
    asked = "When does the next ferry leave?"
    stage.paper.ask(asked)
    second = await stage.call("live_turn", text=asked, conversation=first["conversation"])
    stage.paper.say(_transcript(second))
    [sound] = second["artifacts"]
    check((await anyio.Path(sound["path"]).read_bytes())[:4] == b"RIFF", "The answer is no WAV.")
    stage.paper.say(f"[{sound['mime_type']}, {sound['duration_seconds']:.1f} s]", "dim")
    stage.paper.path(Path(sound["path"]))


def _transcript(turn: dict[str, Any]) -> str:
    said: str = turn.get("transcript") or ""
    check(said, "The answer has no transcript.")
    return said


SECTIONS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("Research, with a report and its sources", research),
    ("A Live conversation", live),
)
