"""What a call has brought so far: one plain answer, the events of a stream, or several hops of a long answer."""

from __future__ import annotations

from typing import Any, cast

from gemini_server.api.answer import (
    CitationMetadata,
    GenerateContentResponse,
    GroundingMetadata,
    ModelStatus,
    PromptFeedback,
    SafetyRating,
    UrlContextMetadata,
    UsageMetadata,
)
from gemini_server.rest.json_values import objects_of

_MERGEABLE = ({"text"}, {"text", "thought"})


def member(part: dict[str, Any], name: str) -> dict[str, Any] | None:
    """An object inside a part; None when it is missing or no object."""
    value = part.get(name)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _spoken(part: dict[str, Any]) -> str:
    text = (member(part, "audioTranscription") or {}).get("text")
    return text if isinstance(text, str) else ""


class Transcript:
    """Gathers answers into one model turn; parts stay as they came, but pieces of plain text are joined."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        self._tail: list[str] = []
        self.events = 0
        self.requests = 0
        self.finish_reason: str | None = None
        self.finish_message: str | None = None
        self.safety_ratings: list[SafetyRating] = []
        self.feedback: PromptFeedback | None = None
        self.grounding: GroundingMetadata | None = None
        self.recited: CitationMetadata | None = None
        self.pages: UrlContextMetadata | None = None
        self.model_version: str | None = None
        self.model_status: ModelStatus | None = None
        self.continuation_token: str | None = None
        self.usage: list[UsageMetadata] = []
        self.retries = 0
        self._open_usage = False
        self._writes = False
        self._steps: list[Any] = []

    def begin(self) -> None:
        """A further request starts: its usage is counted beside that of the ones before."""
        self._open_usage = False
        self.events = 0
        self.requests += 1
        self.continuation_token = None
        self.finish_reason = self.finish_message = None

    def forget_turn(self) -> None:
        """Drop the turn so far but keep what it cost: the answer was unusable and is asked for again."""
        self.begin()
        self.requests = 0
        self._parts = []
        self._tail = []
        self._steps = []
        self.grounding = self.recited = self.pages = None

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The parts of the turn."""
        if self._tail:
            self._parts[-1] = {**self._parts[-1], "text": self._parts[-1]["text"] + "".join(self._tail)}
            self._tail.clear()
        return self._parts

    @property
    def plain(self) -> bool:
        """Whether it is one answer in one piece, so that the numbers of its parts are Gemini's."""
        return self.events == self.requests == 1

    def add(self, response: GenerateContentResponse) -> str:
        """Take in an answer or an event; returns the new text that a reader sees."""
        if response.usage_metadata is not None:
            # The counts of a stream are cumulative: the last ones stand for the request.
            if self._open_usage:
                self.usage[-1] = response.usage_metadata
            else:
                self.usage.append(response.usage_metadata)
                self._open_usage = True
        self.model_version = response.model_version or self.model_version
        self.model_status = response.model_status or self.model_status
        self.feedback = response.prompt_feedback or self.feedback
        if not response.candidates:
            return ""
        candidate = response.candidates[0]
        self.finish_reason = candidate.finish_reason or self.finish_reason
        self.finish_message = candidate.finish_message or self.finish_message
        self.safety_ratings = candidate.safety_ratings or self.safety_ratings
        self.grounding = _joined(self.grounding, candidate.grounding_metadata)
        self.recited = candidate.citation_metadata or self.recited
        self.pages = candidate.url_context_metadata or self.pages
        self.continuation_token = candidate.continuation_token or self.continuation_token
        content = candidate.content or {}
        self._steps += objects_of(content.get("steps"))
        new = objects_of(content.get("parts"))
        self.events += 1
        for number, part in enumerate(new):
            self._append(part, goes_on=number == 0 and self.events > 1)
        text = "".join(part["text"] for part in new if isinstance(part.get("text"), str) and not part.get("thought"))
        if text or self._writes:
            self._writes = True
            return text
        return "".join(f"{spoken} " for spoken in map(_spoken, new) if spoken)

    def _append(self, part: dict[str, Any], *, goes_on: bool) -> None:
        # Only what a stream has cut is put together again; the parts of one answer stay apart: their numbers count.
        last = self._parts[-1] if goes_on and self._parts else None
        if (
            last is not None
            and last.keys() == part.keys()
            and last.keys() in _MERGEABLE
            and last.get("thought") == part.get("thought")
            and isinstance(part["text"], str)
            and isinstance(last["text"], str)
        ):
            self._tail.append(part["text"])
        else:
            self._parts = self.parts
            self._parts.append(part)

    @property
    def turn(self) -> dict[str, Any]:
        """The model's turn for the next request."""
        return {"role": "model", "parts": self.parts, **({"steps": self._steps} if self._steps else {})}

    @property
    def text(self) -> str:
        """The text that a reader sees; that of the transcribed segments where there is none beside them."""
        return self._written or " ".join(spoken for spoken in map(_spoken, self.parts) if spoken)

    @property
    def _written(self) -> str:
        return "".join(p["text"] for p in self.parts if isinstance(p.get("text"), str) and not p.get("thought"))

    @property
    def thoughts(self) -> str:
        """The thought summaries."""
        return "".join(p["text"] for p in self.parts if isinstance(p.get("text"), str) and p.get("thought"))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The functions that the model wants called."""
        return [call for part in self.parts if (call := member(part, "functionCall")) is not None]

    @property
    def thought_tokens(self) -> int:
        """Tokens spent on thinking."""
        return sum(usage.thoughts_token_count for usage in self.usage)


def _joined(old: GroundingMetadata | None, new: GroundingMetadata | None) -> GroundingMetadata | None:
    """What several events say an answer rests on. Some repeat and complete the earlier ones, others only add."""
    if old is None or new is None:
        return new or old
    before, after = old.grounding_chunks or [], new.grounding_chunks or []
    if after[: len(before)] == before:
        chunks, shift = after, 0
    elif before[: len(after)] == after:
        chunks, shift = before, 0
    else:
        chunks, shift = before + after, len(before)
    supports = list(old.grounding_supports or [])
    for support in new.grounding_supports or []:
        indices = [index + shift for index in support.grounding_chunk_indices or ()]
        moved = support.model_copy(update={"grounding_chunk_indices": indices}) if shift else support
        if moved not in supports:
            supports.append(moved)
    missing = {name: value for name, value in old if not getattr(new, name, None)}
    return new.model_copy(
        update={**missing, "grounding_chunks": chunks or None, "grounding_supports": supports or None}
    )
