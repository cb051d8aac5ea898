"""`gemini-toolserver demo`: what a newcomer sees first. Each section calls the server as a client would, and checks it.

A new capability adds a function to `SECTIONS`; the function raises `Failed` when what it shows is not as it should be.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
from mcp import Client
from mcp_types import TextContent
from rich.console import Console
from rich.text import Text

from gemini_server.cli import drawing, peer
from gemini_server.cli.choices import Choices
from gemini_server.cli.progress import Pieces
from gemini_server.cli.shapes import JsonObject
from gemini_server.toolkit.generation import json_answer

CALL_SECONDS = 120.0
ROUNDS = 4
"""How often the model may ask for functions before the demo gives up."""
WIDEST = 96
UNWANTED = tuple(
    f"GEMINI_TOOLSERVER_{name}" for name in ("TOOLSETS", "TOOLS", "EXCLUDE_TOOLS", "READ_ONLY", "LOG_LEVEL")
)
"""Variables that would hide what is to be shown."""


class Failed(Exception):
    """A section did not show what it promises."""


class Paper:
    """What the demo writes: paragraphs with a margin, and text as it streams in. Plain when it is not a terminal."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.width = min(self.console.width, WIDEST)
        self._column = 0
        self._between = ""

    def say(self, text: str | Text, style: str = "", *, margin: int = 3) -> None:
        """A paragraph."""
        shown = text if isinstance(text, Text) else Text(text, style=style)
        for line in shown.wrap(self.console, self.width - margin):
            line.rstrip()
            self.console.print(Text(" " * margin).append_text(line), soft_wrap=True)

    def ask(self, prompt: str) -> None:
        """What is asked of Gemini."""
        self.say(f"> {prompt}", "cyan")

    def flow(self, piece: str) -> None:
        """A piece of streamed text, shown at once; lines break between words where they can."""
        for part in re.findall(r"\s+|\S+", piece):
            if part.isspace():
                self._between += part
                continue
            gap = bool(self._column and self._between)
            if gap and ("\n" in self._between or self._column + 1 + len(part) > self.width - 3):
                self._write("\n")
                self._column, gap = 0, False
            self._write((" " if gap else "" if self._column else "   ") + part)
            self._column += gap + len(part)
            self._between = ""

    def end_flow(self) -> None:
        """The streamed text is complete."""
        if self._column:
            self._write("\n")
        self._column, self._between = 0, ""

    def _write(self, text: str) -> None:
        self.console.file.write(text)
        self.console.file.flush()


@dataclass
class Stage:
    """What the sections work with.

    Attributes:
        client: the connection to the server.
        paper: where they write.
        directory: a temporary directory that the server may read.
        calls: how often each tool was called.
        tokens: what was used so far.
        cost: its price; None as soon as one is unknown.
    """

    client: Client
    paper: Paper
    directory: Path
    calls: Counter[str] = field(default_factory=Counter[str])
    tokens: int = 0
    cost: float | None = 0.0

    async def call(self, tool: str, *, shown: bool = False, **arguments: Any) -> JsonObject:
        """Call a tool and return its structured result.

        Args:
            tool: its name.
            shown: write the text while it comes.
            **arguments: the tool's.

        Raises:
            Failed: the tool did.
        """
        pieces = Pieces()
        streamed = ""

        async def report(progress: float, total: float | None, message: str | None) -> None:
            nonlocal streamed
            if pieces.is_text(progress, total, message) and message:
                streamed += message
                if shown:
                    self.paper.flow(message)

        self.calls[tool] += 1
        result = await self.client.call_tool(tool, arguments, CALL_SECONDS, report)
        self.paper.end_flow()
        if result.is_error:
            text = " ".join(block.text for block in result.content if isinstance(block, TextContent))
            raise Failed(text)
        answer: JsonObject = result.structured_content or {}
        usage: JsonObject | None = answer.get("usage")
        if usage:
            self.tokens += usage["total_tokens"]
            cost = usage["cost_usd"]
            self.cost = None if cost is None or self.cost is None else self.cost + cost
        if shown and streamed.strip() != answer["text"].strip():
            raise Failed("The text that streamed in is not the text of the result.")
        return answer


def check(holds: object, why: str) -> None:
    """Fail the section unless something holds.

    Raises:
        Failed: it does not.
    """
    if not holds:
        raise Failed(why)


async def ready(stage: Stage) -> None:
    """Whether the server finds its key, Gemini and its directories; free."""
    status = await stage.call("server_status")
    faults = [found["detail"] for found in status["checks"] if found["status"] == "failed"]
    check(not faults, " ".join(faults))


async def stream(stage: Stage) -> None:
    """Text while it is written."""
    prompt = "In three sentences: why are lighthouses striped?"
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", shown=True, prompt=prompt)
    check(answer["text"].strip(), "The answer is empty.")
    stage.paper.say(f"by {answer.get('model_version', 'Gemini')}, {answer['usage']['total_tokens']} tokens", "dim")


BOOKING: JsonObject = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "guests": {"type": "integer", "minimum": 1},
        "date": {"type": "string", "format": "date"},
        "email": {"type": "string"},
    },
    "required": ["name", "guests", "date", "email"],
}


async def json_by_schema(stage: Stage) -> None:
    """An answer that a program can use."""
    prompt = "Read the booking: a table for 4 on 2027-03-05, Anna Kowalska, anna@example.com"
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", prompt=prompt, json_schema=BOOKING)
    value, complaint = await json_answer.parse(answer["text"], BOOKING)
    check(complaint is None, complaint or "")
    check(answer.get("json") == value, "The parsed answer is missing from the result.")
    stage.paper.say(json.dumps(value, ensure_ascii=False, indent=2))
    stage.paper.say("valid: everything that the schema requires is there, with the right types", "dim")


async def picture(stage: Stage) -> None:
    """A question about a file on this machine."""
    file = stage.directory / "shapes.png"
    file.write_bytes(drawing.circle_and_square())
    prompt = "Which colours and shapes are in this picture? One sentence."
    stage.paper.say(f"(drawn just now: {file.name}, a red circle and a blue square on white)", "dim")
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", shown=True, prompt=prompt, attachments=[str(file)])
    seen = [colour for colour in ("red", "blue") if colour in answer["text"].lower()]
    check(seen, "The answer names neither of the colours in the picture.")


async def grounded(stage: Stage) -> None:
    """An answer from the web, with its sources."""
    prompt = "Which countries won the most medals at the latest Olympic Games?"
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", prompt=prompt, use=["search"])
    text: str = answer["text"]
    citations: list[JsonObject] = answer.get("citations") or []
    check(citations, "The answer cites nothing.")
    for citation in citations:
        in_range = 0 <= citation["start"] < citation["end"] <= len(text)
        check(in_range and citation["uri"].startswith("http"), "A citation does not point into the text.")
    stage.paper.say(_marked(text, citations))
    last = (-1, -1)
    for number, citation in enumerate(citations, 1):
        span = (citation["start"], citation["end"])
        if span != last:
            stage.paper.say(_quoted(text[slice(*span)]), margin=5)
        stage.paper.say(f"[{number}] {citation.get('title') or citation['uri']}", "dim", margin=7)
        last = span


def _marked(text: str, citations: list[JsonObject]) -> Text:
    """The text, cited characters underlined, with the numbers of the citations behind them."""
    marked = Text(text)
    for citation in citations:
        marked.stylize("underline", citation["start"], citation["end"])
    numbers: dict[int, str] = {}
    for number, citation in enumerate(citations, 1):
        numbers[citation["end"]] = numbers.get(citation["end"], "") + f"[{number}]"
    out = Text()
    last = 0
    for end in sorted(numbers):
        out.append_text(marked[last:end]).append(numbers[end], style="bold")
        last = end
    return out.append_text(marked[last:])


def _quoted(text: str, longest: int = 70) -> str:
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= longest else flat[: longest - 1] + '…'}”"


def get_weather(city: str) -> JsonObject:
    """The function that the model calls: it runs here, in the demo's own process."""
    return {"city": city, "sky": "sunny", "celsius": 17 + len(city)}


WEATHER: JsonObject = {
    "name": "get_weather",
    "description": "The weather in a city right now.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def function_calls(stage: Stage) -> None:
    """The model calls a function of this program."""
    prompt = "What is the weather in Lisbon right now? Name the temperature."
    stage.paper.ask(prompt)
    answer = await stage.call("generate_text", prompt=prompt, functions=[WEATHER], conversation="new")
    check(answer.get("function_calls"), "The model called no function.")
    temperatures: list[int] = []
    for _ in range(ROUNDS):
        calls: list[JsonObject] = answer.get("function_calls") or []
        if not calls:
            break
        results: list[JsonObject] = []
        for call in calls:
            check(call["name"] == "get_weather", f"The model called {call['name']}, which there is not.")
            response = get_weather(**cast("dict[str, str]", call["arguments"]))
            temperatures.append(response["celsius"])
            results.append({"id": call["id"], "name": call["name"], "response": response})
            stage.paper.say(
                f"Gemini calls  get_weather({', '.join(f'{k}={v!r}' for k, v in call['arguments'].items())})"
            )
            stage.paper.say(f"it returns    {json.dumps(response)}")
        conversation: str = answer["conversation"]
        answer = await stage.call("submit_function_results", shown=True, conversation=conversation, results=results)
    told = any(str(temperature) in answer["text"] for temperature in temperatures)
    check(told, "The answer does not use what the function returned.")


Section = Callable[[Stage], Awaitable[None]]

SECTIONS: tuple[tuple[str, Section], ...] = (
    ("Text, while it is written", stream),
    ("JSON by schema", json_by_schema),
    ("A question about a picture", picture),
    ("An answer from the web, with sources", grounded),
    ("A function call, there and back", function_calls),
)


def run(*, emulate: bool) -> int:
    """Show everything; the exit status."""
    return anyio.run(_run, emulate)


async def _run(emulate: bool) -> int:
    settings = Choices(emulate=emulate).settings()
    emulated = settings.emulate or not settings.key
    paper = Paper()
    paper.say("gemini-toolserver demo", "bold", margin=0)
    if emulated:
        why = "as asked" if settings.emulate else "no GEMINI_API_KEY and no key file"
        paper.say(f"Against the embedded emulator ({why}): no network, no cost, made-up answers.", margin=0)
    else:
        paper.say(
            f"Against Gemini at {settings.base_url} (key from {settings.key_source}): it costs a cent or less.",
            margin=0,
        )
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gemini-toolserver-demo-") as name:
        directory = Path(name)
        (directory / "files").mkdir()
        choices = Choices(
            emulate=emulated,
            allow_dirs=(directory / "files",),
            state_dir=directory / "state",
            output_dir=directory / "output",
        )
        async with peer.started(choices, without=UNWANTED) as client:
            stage = Stage(client, paper, directory / "files")
            failed = await _sections(stage)
    _close(stage, failed, time.monotonic() - begun, emulated=emulated, keyless=not settings.key)
    return 1 if failed else 0


async def _sections(stage: Stage) -> list[str]:
    """Every section in turn; the titles of those that failed."""
    failed: list[str] = []
    try:
        await ready(stage)
    except Failed as error:
        # Without a key that works, every section would fail alike.
        stage.paper.say(f"It did not work: {error}", "red", margin=0)
        return [title for title, _ in SECTIONS]
    for number, (title, section) in enumerate(SECTIONS, 1):
        stage.paper.say(f"\n{number}. {title}", "bold", margin=0)
        try:
            await section(stage)
        except Failed as error:
            stage.paper.end_flow()
            stage.paper.say(f"It did not work: {error}", "red")
            failed.append(title)
    return failed


def _close(stage: Stage, failed: list[str], seconds: float, *, emulated: bool, keyless: bool) -> None:
    paper = stage.paper
    worked = len(SECTIONS) - len(failed)
    used = ", ".join(f"{name} ×{count}" for name, count in stage.calls.items())
    price = "price unknown" if stage.cost is None else f"${stage.cost:.4f}"
    spent = f"{price} had it been Gemini" if emulated else price
    paper.say("", margin=0)
    paper.say(
        f"{worked} of {len(SECTIONS)} worked in {seconds:.1f} s: {used}; {stage.tokens} tokens, {spent}.",
        "bold",
        margin=0,
    )
    if failed:
        print(
            f"gemini-toolserver: did not work: {', '.join(failed)}. `gemini-toolserver doctor` looks further.",
            file=sys.stderr,
        )
        return
    paper.say(
        "Next: add it to your client with gemini-toolserver print-config CLIENT (claude-desktop, claude-code, …).",
        margin=0,
    )
    if emulated and keyless:
        paper.say(
            "With a key (https://aistudio.google.com/apikey) in GEMINI_API_KEY, the same demo asks Gemini.", margin=0
        )
