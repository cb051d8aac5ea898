"""The answers of a Live session: what the model says, in pieces of sound and text, and what it costs.

The words are those that generateContent would write to the same conversation. Speech is not understood: what the user
is taken to have said is drawn from the sound, as in `transcription`, and is what the answer goes by.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date

from .answers import MARK
from .faults import Directive
from .generate import respond
from .live_setup import Plan
from .media import describe
from .media_output import speak
from .models import ModelCard
from .prompt import Prompt
from .spoken import TOKENS_PER_SECOND
from .tokens import Tally, of_json, of_text
from .transcription import segments
from .wire import Object

RATE = 24_000
CHUNK = 1.0
_PIECES = 4
_ASKED_BACK = re.compile(r"(?i)\b(first|last|previous)\b[^.?!\n]{0,40}\b(?:question|message|thing|said|say|asked?)\b")
_REASONS = {"MALFORMED_FUNCTION_CALL": "MALFORMED_FUNCTION_CALL", "STOP": "", "MAX_TOKENS": ""}


@dataclass(frozen=True)
class Piece:
    """A piece of an answer: its words, and how they sound; without sound in a session that writes."""

    text: str
    sound: bytes = b""

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.sound) / 2 / RATE

    def tokens(self) -> tuple[str, int]:
        """The modality and the tokens."""
        return (
            ("AUDIO", max(1, round(self.seconds * TOKENS_PER_SECOND))) if self.sound else ("TEXT", of_text(self.text))
        )


@dataclass
class Answer:
    """What the model does about a turn.

    Args:
        pieces: what it says.
        calls: the functions that it calls instead.
        grounding: `groundingMetadata`.
        reason: `turnCompleteReason`, when something is wrong with it.
    """

    pieces: list[Piece] = field(default_factory=list[Piece])
    calls: list[Object] = field(default_factory=list[Object])
    grounding: Object | None = None
    reason: str = ""


@dataclass
class Bill:
    """`usageMetadata` of one turn, over all answers in it."""

    prompt: Tally = field(default_factory=Tally)
    made: Counter[str] = field(default_factory=Counter[str])

    def add(self, kind: str, tokens: int) -> None:
        """Count what was made."""
        self.made[kind] += tokens

    def calls(self, calls: list[Object]) -> None:
        """Count function calls."""
        self.add("TEXT", of_json(calls))

    def usage(self) -> Object:
        """The message."""
        made = sum(self.made.values())
        usage: Object = {"promptTokenCount": self.prompt.total}
        if made:
            usage["responseTokenCount"] = made
        usage["totalTokenCount"] = self.prompt.total + made
        usage["promptTokensDetails"] = self.prompt.details()
        if made:
            details = [{"modality": name, "tokenCount": count} for name, count in self.made.items() if count]
            usage["responseTokensDetails"] = details
        return usage


def prompt_of(plan: Plan, history: list[Object], today: date) -> Prompt:
    """A conversation as generateContent would get it."""
    request: Object = {"contents": history, "generationConfig": plan.config}
    request |= {name: plan.setup[name] for name in ("systemInstruction", "tools") if name in plan.setup}
    card: ModelCard = replace(plan.card, modalities=("TEXT",))
    return Prompt(request, card, card, today)


def answer(plan: Plan, prompt: Prompt, directive: Directive) -> Answer:
    """The answer to a conversation; takes a moment, as it may be spoken."""
    if plan.card.transcribes:
        return Answer()
    if "say" in directive:
        prompt = replace(prompt, say=directive.said())
    elif not prompt.function_responses:
        prompt = replace(prompt, say=_looked_back(plan, prompt))
    response = respond(prompt, directive)
    candidates: list[Object] = response.get("candidates", [])
    if not candidates:
        return Answer(reason="PROHIBITED_INPUT_CONTENT")
    candidate = candidates[0]
    parts: list[Object] = candidate.get("content", {}).get("parts", [])
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    if calls:
        return Answer(calls=calls)
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    return Answer(
        _pieces(plan, text),
        grounding=candidate.get("groundingMetadata"),
        reason=_REASONS.get(candidate.get("finishReason", "STOP"), "RESPONSE_REJECTED"),
    )


def heard(plan: Plan, parts: list[Object], today: date) -> str:
    """What the user is taken to have said in the sound of a turn; empty without sound."""
    config: Object = {"audioTranscriptionConfig": plan.setup.get("inputAudioTranscription", {})}
    said: list[str] = []
    for part in parts:
        blob: Object = part.get("inlineData", {})
        if blob.get("mimeType", "").startswith("audio/"):
            alone: Object = {"contents": [{"role": "user", "parts": [part]}], "generationConfig": config}
            recordings = [(part, describe(blob["mimeType"], blob["data"]))]
            said += [one.text for one in segments(Prompt(alone, plan.card, plan.card, today), recordings)]
    return " ".join(said)


def _looked_back(plan: Plan, prompt: Prompt) -> str | None:
    """What is said to a question about an earlier one, and as a translation; None where nothing special is."""
    if "translationConfig" in plan.config:
        target = plan.config["translationConfig"]["targetLanguageCode"]
        return f"{MARK}({target}) {prompt.text}"
    asked = _ASKED_BACK.search(prompt.text)
    if not asked or not prompt.earlier:
        return None
    first = asked[1].lower() == "first"
    return f"{MARK}Your {asked[1].lower()} question was: “{prompt.earlier[0 if first else -1]}”."


def _pieces(plan: Plan, text: str) -> list[Piece]:
    if not text:
        return []
    if not plan.speaks:
        return [Piece(words) for words in split(text, _PIECES)]
    sound = speak(text, [plan.voice], RATE)
    count = max(2, round(len(sound) / 2 / RATE / CHUNK))
    words = split(text, count)
    size = -(-len(sound) // 2 // count) * 2
    return [Piece(words[at] if at < len(words) else "", sound[at * size : (at + 1) * size]) for at in range(count)]


def split(text: str, count: int) -> list[str]:
    """A text in at most so many pieces, cut between words; together they are the text."""
    words = re.findall(r"\s*\S+\s*$|\s*\S+", text)
    size = -(-len(words) // count) or 1
    return ["".join(words[at : at + size]) for at in range(0, len(words), size)]
