"""What a response costs and who answered: `usageMetadata` and the fields beside it.

Source: `UsageMetadata` in the API reference of `models.generateContent`, and the speech guide for the tokens of sound.
"""

from __future__ import annotations

from collections import Counter

from .candidate import Answer
from .prompt import Prompt
from .spoken import TOKENS_PER_SECOND
from .tokens import of_json, of_text
from .wire import Object

_PLOT = 1120


def finished(response: Object, prompt: Prompt, answers: list[Answer], thoughts: int) -> Object:
    """The response with its usage, its model and its id."""
    tally = prompt.tally
    usage: Object = {"promptTokenCount": tally.total}
    made = _made(answers)
    produced = sum(made.values())
    if produced:
        usage["candidatesTokenCount"] = produced
    tool_tokens = sum(answer.tool_tokens for answer in answers)
    usage["totalTokenCount"] = tally.total + produced + (thoughts if answers else 0) + tool_tokens
    usage["promptTokensDetails"] = tally.details()
    if prompt.cached:
        usage["cachedContentTokenCount"] = prompt.cached.tally.total
        usage["cacheTokensDetails"] = prompt.cached.tally.details()
    if any(answer.media_tokens for answer in answers):
        usage["candidatesTokensDetails"] = [
            {"modality": name, "tokenCount": count} for name, count in made.items() if count
        ]
    if tool_tokens:
        usage["toolUsePromptTokenCount"] = tool_tokens
        usage["toolUsePromptTokensDetails"] = [{"modality": "TEXT", "tokenCount": tool_tokens}]
    if answers and thoughts:
        usage["thoughtsTokenCount"] = thoughts
    usage["serviceTier"] = prompt.request.get("serviceTier", "standard")
    response["usageMetadata"] = usage
    response["modelVersion"] = f"{prompt.serving.id}-emulated"
    response["responseId"] = f"emulated-{prompt.fingerprint.hex()[:20]}"
    if prompt.card.retires:
        response["modelStatus"] = {
            "modelStage": "DEPRECATED",
            "retirementTime": f"{prompt.card.retires.isoformat()}T00:00:00Z",
            "message": f"{prompt.card.title} will be shut down on {prompt.card.retires.isoformat()}.",
        }
    return response


def _made(answers: list[Answer]) -> Counter[str]:
    """The tokens of the visible parts by modality; media that a model made have a price of their own."""
    made: Counter[str] = Counter()
    for answer in answers:
        counted = [part for part in answer.visible() if "text" in part or not answer.media_tokens]
        made["TEXT"] += sum(visible_tokens(part) for part in counted)
        made.update(answer.media_tokens)
    return made


def visible_tokens(part: Object) -> int:
    """Tokens of one part of an answer; thoughts are counted apart, signatures not at all."""
    if part.get("thought"):
        return 0
    if "text" in part:
        return of_text(part["text"])
    if "inlineData" in part:
        return _sound_tokens(part["inlineData"]) or _PLOT
    return of_json({key: value for key, value in part.items() if key != "thoughtSignature"})


def _sound_tokens(blob: Object) -> int:
    """Tokens of raw speech, as the pieces of a stream carry it; 0 for anything else."""
    _, mark, rate = blob["mimeType"].partition(";codec=pcm;rate=")
    return round(len(blob["data"]) * 3 / 8 / int(rate) * TOKENS_PER_SECOND) if mark else 0
