"""One candidate of a response: its parts, how it ended, and what else is known about it.

Source: `Candidate` and `FinishReason` in the API reference of `models.generateContent`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .faults import Directive
from .grounding import Grounding
from .prompt import Prompt
from .wire import Object

_EXCLUDED = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "LANGUAGE", "OTHER")
_CATEGORIES = ("SEXUALLY_EXPLICIT", "HATE_SPEECH", "HARASSMENT", "DANGEROUS_CONTENT")


@dataclass
class Answer:
    """What one candidate consists of, before tokens are counted.

    Args:
        parts: in their order, thoughts included.
        finish: the `finishReason`.
        message: the `finishMessage`.
        extra: further fields of the candidate.
        grounding: what a search found.
        tool_tokens: what the built-in tools read and wrote.
        media_tokens: those of pictures and speech that the model made, by modality.
    """

    parts: list[Object] = field(default_factory=list[Object])
    finish: str = "STOP"
    message: str = ""
    extra: Object = field(default_factory=dict[str, object])
    grounding: Grounding | None = None
    tool_tokens: int = 0
    media_tokens: dict[str, int] = field(default_factory=dict[str, int])

    def visible(self) -> list[Object]:
        """The parts that are not thoughts."""
        return [part for part in self.parts if not part.get("thought")]


def candidate_of(answer: Answer, index: int, prompt: Prompt, directive: Directive) -> Object:
    """The `Candidate` of an answer."""
    candidate: Object = {}
    if answer.finish not in _EXCLUDED and "nocontent" not in directive and answer.finish != "MALFORMED_FUNCTION_CALL":
        candidate["content"] = {"parts": answer.parts, "role": "model"} if answer.parts else {"role": "model"}
    candidate |= {"finishReason": answer.finish, "index": index}
    if answer.message:
        candidate["finishMessage"] = answer.message
    if answer.finish == "SAFETY":
        candidate["safetyRatings"] = ratings("HIGH")
    if answer.grounding and candidate.get("content"):
        texts = [part["text"] for part in answer.visible() if "text" in part]
        candidate["groundingMetadata"] = answer.grounding.metadata(texts[-1] if texts else "")
    if prompt.config.get("responseLogprobs") and "content" in candidate:
        candidate["avgLogprobs"] = -0.25
    return candidate | answer.extra


def ratings(probability: str) -> list[Object]:
    """Safety ratings, the first of them with a probability that blocks."""
    blocked, *others = _CATEGORIES
    first: Object = {"category": f"HARM_CATEGORY_{blocked}", "probability": probability, "blocked": True}
    return [first, *({"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"} for name in others)]
