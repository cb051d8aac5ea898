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

_MERGEABLE = ({"text"}, {"text", "thought"})


def member(part: dict[str, Any], name: str) -> dict[str, Any] | None:
    """An object inside a part; None when it is missing or no object."""
    value = part.get(name)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


class Transcript:
    """Gathers answers into one model turn; parts stay as they came, but pieces of plain text are joined."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
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

    def begin(self) -> None:
        """A further request starts: its usage is counted beside that of the ones before."""
        self._open_usage = False
        self.continuation_token = None
        self.finish_reason = self.finish_message = None

    def forget_turn(self) -> None:
        """Drop the turn so far but keep what it cost: the answer was unusable and is asked for again."""
        self.begin()
        self.parts = []
        self.grounding = self.recited = self.pages = None

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
        parts = (candidate.content or {}).get("parts")
        new = [cast("dict[str, Any]", part) for part in cast("list[Any]", parts or []) if isinstance(part, dict)]
        for part in new:
            self._append(part)
        return "".join(part["text"] for part in new if isinstance(part.get("text"), str) and not part.get("thought"))

    def _append(self, part: dict[str, Any]) -> None:
        last = self.parts[-1] if self.parts else None
        if (
            last is not None
            and last.keys() == part.keys()
            and last.keys() in _MERGEABLE
            and last.get("thought") == part.get("thought")
            and isinstance(part["text"], str)
            and isinstance(last["text"], str)
        ):
            self.parts[-1] = {**last, "text": last["text"] + part["text"]}
        else:
            self.parts.append(part)

    @property
    def turn(self) -> dict[str, Any]:
        """The model's turn for the next request."""
        return {"role": "model", "parts": self.parts}

    @property
    def text(self) -> str:
        """The text that a reader sees."""
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
    if old is None or new is None:
        return new or old
    # Later events of a stream repeat the earlier metadata or complete it; whichever knows more sources is the whole.
    if len(new.grounding_chunks or ()) >= len(old.grounding_chunks or ()):
        return new.model_copy(update={"grounding_supports": new.grounding_supports or old.grounding_supports})
    return old.model_copy(update={"grounding_supports": old.grounding_supports or new.grounding_supports})
