"""What Deep Research hands over: a plan where planning is collaborative, and else a report with its sources.

A plan is a completed interaction whose text is the plan. The next turn goes on from it by `previous_interaction_id`:
with `collaborative_planning` still set it refines the plan, without it the research begins. Source: "Deep Research" of
the Gemini API.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace

from .answers import MARK
from .faults import without_directives
from .interaction_agents import Agent
from .interaction_input import texts_of
from .interaction_outcome import Order, Outcome, forced, prompt_of
from .interaction_usage import of_work
from .media_output import draw
from .prompt import Prompt
from .research_report import Report
from .research_work import Findings, researched
from .wire import Object

_CHART = re.compile(r"(?i)\b(?:charts?|graphs?|graphics?|diagrams?|plots?|visuali[sz]\w+|figures?)\b")
_WIDTH, _HEIGHT = 640, 360


def prepare(order: Order, agent: Agent) -> Callable[[], Outcome]:
    """Check a request; the research is done later.

    Raises:
        InteractionError: for a request that makes no sense.
    """
    config: Object = order.body.get("agent_config", {})
    prompt = prompt_of(order)
    asked = [without_directives(text) for text in texts_of([*order.history, *order.fresh])]
    shown = config.get("thinking_summaries") == "auto"
    if config.get("collaborative_planning"):
        return lambda: forced(order, {}) or _plan(prompt, agent, asked, shown=shown)
    # What is researched is the whole conversation: "Looks good!" alone says nothing.
    whole = replace(order, history=[], fresh=[_said("\n".join(asked)), *_attached(order)]) if order.history else order
    subject = prompt_of(whole)
    visual = config.get("visualization", "auto") == "auto" and any(_CHART.search(text) for text in asked)

    def make() -> Outcome:
        early = forced(order, {})
        return early or _report(subject, order.body.get("tools", []), agent, asked, shown=shown, visual=visual)

    return make


def _said(text: str) -> Object:
    return {"type": "user_input", "content": [{"type": "text", "text": text}]}


def _attached(order: Order) -> list[Object]:
    steps = [step for step in order.fresh if step["type"] == "user_input"]
    kept = [[one for one in step.get("content", []) if one["type"] != "text"] for step in steps]
    return [{"type": "user_input", "content": contents} for contents in kept if contents]


def _plan(prompt: Prompt, agent: Agent, asked: list[str], *, shown: bool) -> Outcome:
    found = Findings()
    found.think("**Drafting a plan**\n\nI list what to look for, and wait for approval.", shown=shown)
    lines = [f"{MARK}Here is a research plan for “{asked[0] if asked else ''}”:", ""]
    lines += [
        f"{number + 1}. Search for {prompt.facts.topic(number)} and compare it with {prompt.facts.topic(number + 1)}."
        for number in range(agent.rounds)
    ]
    lines += [f"{agent.rounds + 1}. Check the sources against each other and write a report."]
    lines += [f"{agent.rounds + 1 + at}. As you asked: {text}" for at, text in enumerate(asked[1:], 1)]
    lines += ["", "Tell me what to change, or approve the plan to begin."]
    text = "\n".join(lines) if prompt.say is None else prompt.say
    return _finished(found, prompt, [{"type": "text", "text": text}])


def _report(
    prompt: Prompt, tools: list[Object], agent: Agent, asked: list[str], *, shown: bool, visual: bool
) -> Outcome:
    found = researched(prompt, tools, agent.rounds, shown=shown)
    if prompt.say is not None:
        sources = tuple(dict.fromkeys(one["url"] for _, cited in found.claims for one in cited if "url" in one))
        report = Report()
        report.say((prompt.say, tuple({"type": "url_citation", "url": url, "title": prompt.say} for url in sources)))
        return _finished(found, prompt, [report.content()])
    report = _written(prompt, found, asked)
    contents = [report.content()]
    if visual:
        picture = base64.b64encode(draw(f"a chart of {prompt.facts.topic()}", _WIDTH, _HEIGHT)).decode()
        contents.append({"type": "image", "mime_type": "image/png", "data": picture})
    return _finished(found, prompt, contents)


def _written(prompt: Prompt, found: Findings, asked: list[str]) -> Report:
    report = Report()
    report.head(f"{MARK}{asked[0] if asked else prompt.facts.topic()}", 1)
    report.head("Executive summary")
    report.say(*found.claims[:2])
    if prompt.instruction:
        report.say((f"I keep to the instruction “{prompt.instruction}”.", ()))
    rest = found.claims[2:]
    for number in range(0, len(rest), 2):
        report.head(f"{prompt.facts.topic(number // 2).capitalize()} – Überblick {number // 2 + 1}")
        report.say(*rest[number : number + 2])
    if prompt.attachments:
        things = "; ".join(media.about for _, media in prompt.media_parts)
        report.say((f"Attached I found {things}.", ()))
    if report.sources:
        report.close()
    return report


def _finished(found: Findings, prompt: Prompt, contents: list[Object]) -> Outcome:
    steps = [*found.steps, {"type": "model_output", "content": contents}]
    usage = of_work(prompt, steps, thoughts=found.thoughts, tool=found.read, tools=found.tools)
    return Outcome(steps=steps, usage=usage)
