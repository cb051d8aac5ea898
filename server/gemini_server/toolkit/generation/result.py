"""The result of every tool that lets a model write."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, PrivateAttr

from gemini_server.toolkit.params import AnyJson
from gemini_server.toolkit.results import Picture, Result, Usage


class FunctionCallOut(Result):
    """A function that the model wants called."""

    id: str
    name: str
    arguments: dict[str, Any]


class Citation(Result):
    """What a span of `text` rests on; offsets count characters."""

    start: int
    end: int
    uri: str
    title: str | None = None


class CodeRun(Result):
    """Code that Gemini wrote and ran, and what it printed."""

    code: str
    output: str | None = None
    outcome: str | None = None


class TextResult(Result):
    """An answer in words, JSON or function calls."""

    text: str
    json_: Annotated[AnyJson, Field(alias="json", serialization_alias="json", description="the answer, parsed")] = None
    finish_reason: str
    function_calls: list[FunctionCallOut] | None = None
    citations: Annotated[list[Citation] | None, Field(description="start, end: characters of text")] = None
    code: list[CodeRun] | None = None
    thoughts: str | None = None
    usage: Usage
    model_version: str | None = None
    conversation: Annotated[str | None, Field(description="pass it on to continue")] = None
    continuation: Annotated[str | None, Field(description="pass it on with the same prompt for the rest")] = None
    incomplete: Annotated[bool | None, Field(description="something is missing; see warnings")] = None
    warnings: list[str] | None = None
    retries: int | None = None

    _pictures: list[Picture] = PrivateAttr(default_factory=list[Picture])

    def attach(self, pictures: list[Picture]) -> None:
        """Put pictures beside the text."""
        self._pictures = pictures

    def warn(self, warning: str) -> None:
        """Add a warning."""
        self.warnings = [*(self.warnings or []), warning]

    def pictures(self) -> list[Picture]:
        """Pictures that belong to the answer, such as plots of hosted code."""
        return self._pictures

    def as_blocks(self) -> list[str]:
        """The answer, then everything else that a reader of text alone must know."""
        return [self.text, self.as_text()] if self.text else [self.as_text()]

    def as_text(self) -> str:
        """Everything but the answer itself."""
        lines: list[str] = []
        lines += [
            f"[wants function] {call.name}({json.dumps(call.arguments, ensure_ascii=False)}) id={call.id}"
            for call in self.function_calls or ()
        ]
        lines += [
            f"[code run]\n{run.code}\n[output: {run.outcome or 'none'}]\n{run.output or ''}".rstrip()
            for run in self.code or ()
        ]
        for number, citation in enumerate(self.citations or (), 1):
            lines.append(
                f"[{number}] characters {citation.start}-{citation.end}: {citation.title or ''} {citation.uri}"
            )
        if self.thoughts:
            lines.append(f"[thoughts] {self.thoughts}")
        notes = [f"finish: {self.finish_reason}", f"usage: {self.usage}"]
        if self.incomplete:
            notes.insert(0, "INCOMPLETE")
        if self.model_version:
            notes.append(f"model: {self.model_version}")
        if self.conversation:
            notes.append(f"conversation: {self.conversation}")
        if self.continuation:
            notes.append(f"continuation: {self.continuation}")
        if self.retries:
            notes.append(f"retries: {self.retries}")
        notes += [f"warning: {warning}" for warning in self.warnings or ()]
        return "\n".join([*lines, f"[{'; '.join(notes)}]"])
