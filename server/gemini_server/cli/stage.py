"""What the sections of the demo work with: paper to write on, and a server to call."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client
from mcp_types import TextContent
from rich.console import Console
from rich.text import Text

from gemini_server.cli.progress import Pieces
from gemini_server.cli.shapes import JsonObject

CALL_SECONDS = 120.0
WIDEST = 96


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
            before = " " * margin if line.plain else ""
            self.console.print(Text(before).append_text(line), soft_wrap=True)

    def ask(self, prompt: str) -> None:
        """What is asked of Gemini."""
        self.say(f"> {prompt}", "cyan")

    def path(self, path: Path, before: str = "   ") -> None:
        """Where something lies, in one line that can be copied."""
        self.console.print(Text(before).append(str(path), "green"), soft_wrap=True)

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
        emulated: whether the emulator answers.
        calls: how often each tool was called.
        tokens: what was used so far.
        cost: its price; None as soon as one is unknown.
    """

    client: Client
    paper: Paper
    directory: Path
    emulated: bool
    calls: Counter[str] = field(default_factory=Counter[str])
    tokens: int = 0
    cost: float | None = 0.0

    async def call(self, tool: str, *, shown: bool = False, remarks: bool = False, **arguments: Any) -> JsonObject:
        """Call a tool and return its structured result.

        Args:
            tool: its name.
            shown: write the text while it comes.
            remarks: write what the server says it is doing.
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
            elif remarks and message:
                self.paper.say(f"… {message}{f' ({progress / total:.0%})' if total else ''}", "dim")

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
            self._pay(cost)
        elif "cost_usd" in answer and answer.get("status") == "done":
            self._pay(answer["cost_usd"])
        if shown and not answer.get("untrusted") and streamed.strip() != answer["text"].strip():
            raise Failed("The text that streamed in is not the text of the result.")
        return answer

    def _pay(self, cost: float | None) -> None:
        self.cost = None if cost is None or self.cost is None else self.cost + cost


def check(holds: object, why: str) -> None:
    """Fail the section unless something holds.

    Raises:
        Failed: it does not.
    """
    if not holds:
        raise Failed(why)
