"""The answer of a method that was called by name: small enough to be read, its media and the whole of it as files."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, cast

import anyio.to_thread

from gemini_server.api.answer import UsageMetadata
from gemini_server.errors import BadAnswer
from gemini_server.rest.answer import parse_now
from gemini_server.rest.endpoint import JsonObject
from gemini_server.rest.json_values import objects_of
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.media_answer import decoded
from gemini_server.toolkit.generation.run import book, usage_of
from gemini_server.toolkit.results import ArtifactOut, Usage
from gemini_server.toolkit.saved import saved
from gemini_server.toolkit.untrusted import LONGEST_LABEL, json_value
from gemini_server.toolkit.wav import wrapped

INLINE = 16 * 1024
"""Bytes of an answer that is shown whole."""
_SMALL = 1024
"""Characters of base64 that stay where they are."""
_CUTS = ((1000, 20), (300, 8), (80, 3))
"""Characters of a string and items of a list that stay of a longer answer; the next row where that is not enough."""
_BYTES = ("data", "bytesBase64Encoded", "b64_json", "encodedVideo")
_TYPES = ("mimeType", "mime_type", "encoding")
_MODALITIES = {"prompt": "input", "candidates": "output", "cache": "cached"}
_LEFT_OUT = "…"


class _Counts(UsageMetadata):
    """Counts of which an odd one is left out: the others were paid for."""

    essential: ClassVar[frozenset[str] | None] = frozenset()


class Shaped:
    """An answer as a result shows it.

    Attributes:
        answer: JSON, cut where it is long.
        artifacts: its media, then the whole of a long answer.
    """

    def __init__(self, answer: JsonObject, artifacts: list[ArtifactOut]) -> None:
        self.answer = answer
        self.artifacts = artifacts

    @property
    def events(self) -> list[JsonObject]:
        """The events of a stream; what says how many were left out is one of them."""
        shown = self.answer.get("events")
        items = cast("list[object]", shown) if isinstance(shown, list) else [shown]
        return [cast(JsonObject, item) if isinstance(item, dict) else {_LEFT_OUT: item} for item in items]


async def shaped(call: Call, kind: str, answer: JsonObject, warnings: list[str]) -> Shaped:
    """Put what is large of an answer into files.

    Args:
        call: the call.
        kind: the first word of the names of the files.
        answer: as it came.
        warnings: where to complain about what could not be saved.
    """
    found: list[tuple[JsonObject, str, bytes]] = await anyio.to_thread.run_sync(_media, answer)
    artifacts: list[ArtifactOut] = []
    for holder, member, data in found:
        kept = await saved(call, kind, data, warnings)
        if kept is not None:
            artifacts.append(kept)
            holder[member] = kept.uri
    clean = await anyio.to_thread.run_sync(defanged, answer)
    # Shown to a model it is defanged; in the file it is as it came.
    text = await anyio.to_thread.run_sync(lambda: json.dumps(answer, indent=1).encode())
    if len(text) <= INLINE:
        return Shaped(clean, artifacts)
    whole = await saved(call, kind, text, warnings, name="x.json")
    if whole is not None:
        artifacts.append(whole)
        warnings.append(f"The answer is cut here; the whole of it ({len(text)} bytes) is in {whole.uri}.")
    return Shaped(await anyio.to_thread.run_sync(_cut, clean), artifacts)


def defanged(answer: JsonObject) -> JsonObject:
    """An answer as it may be shown; members that are null are left out, as everywhere in results."""
    return cast(JsonObject, _without_nulls(json_value(answer)))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast(JsonObject, value).items()
        return {name: _without_nulls(item) for name, item in members if item is not None}
    return value


def _media(answer: JsonObject) -> list[tuple[JsonObject, str, bytes]]:
    """The bytes in an answer: the object and member that holds them, and they themselves."""
    found: list[tuple[JsonObject, str, bytes]] = []
    waiting: deque[Any] = deque([answer])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, list):
            # Numbers hold nothing, and there may be very many of them.
            waiting += [item for item in cast("list[object]", value) if isinstance(item, dict | list)]
        if not isinstance(value, dict):
            continue
        holder = cast(JsonObject, value)
        waiting += holder.values()
        for member in _BYTES:
            text = holder.get(member)
            announced = next((str(holder[name]) for name in _TYPES if name in holder), "")
            if not isinstance(text, str) or len(text) <= _SMALL or not (announced or member != "data"):
                continue
            data = decoded(text)
            if data:
                data, _ = wrapped(data, announced)
                found.append((holder, member, data))
    return found


def _cut(answer: JsonObject) -> JsonObject:
    for longest, most in _CUTS:
        cut = cast(JsonObject, _shorter(answer, longest, most))
        if len(json.dumps(cut, ensure_ascii=False).encode()) <= INLINE:
            return cut
    return {_cut_name(name): f"… ({type(value).__name__})" for name, value in list(answer.items())[:50]}


def _cut_name(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else f"{name[:LONGEST_LABEL]}…"


def _shorter(value: Any, longest: int, most: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}… ({len(value)} characters)"
    if isinstance(value, list):
        items = cast("Sequence[Any]", value)
        kept = [_shorter(item, longest, most) for item in items[:most]]
        return kept if len(items) <= most else [*kept, f"… {len(items) - most} more"]
    if isinstance(value, dict):
        members = list(cast(JsonObject, value).items())
        cut = {_cut_name(name): _shorter(item, longest, most) for name, item in members[: most * 10]}
        return cut if len(members) <= most * 10 else {**cut, _LEFT_OUT: f"{len(members) - most * 10} more"}
    return value


def booked(call: Call, model: str, answers: list[JsonObject]) -> Usage | None:
    """What the answers of one call cost, written down; None where they do not count tokens.

    Args:
        call: the call.
        model: what is billed.
        answers: the one answer, or all events of a stream: their counts grow, so that the last one counts.
    """
    for answer in reversed(answers):
        tokens = _tokens(answer)
        if tokens is None:
            continue
        tier = answer.get("service_tier")
        usage = usage_of(call.runtime, model, [tokens], tier if isinstance(tier, str) else None)
        book(call, model, usage)
        return usage
    return None


def _tokens(answer: JsonObject) -> UsageMetadata | None:
    told = answer.get("usageMetadata")
    if isinstance(told, dict):
        return _read(cast(JsonObject, told))
    inner = answer.get("interaction")
    told = cast(JsonObject, inner).get("usage") if isinstance(inner, dict) else answer.get("usage")
    if not isinstance(told, dict):
        return None
    usage = cast(JsonObject, told)
    if "total_input_tokens" not in usage and "total_output_tokens" not in usage:
        return _read({
            "promptTokenCount": usage.get("prompt_tokens") or 0,
            "candidatesTokenCount": usage.get("completion_tokens") or 0,
            "totalTokenCount": usage.get("total_tokens") or 0,
        }) if "total_tokens" in usage else None  # fmt: skip
    details = {
        f"{mine}TokensDetails": [
            {"modality": str(one.get("modality", "")).upper(), "tokenCount": one.get("tokens") or 0}
            for one in objects_of(usage.get(f"{theirs}_tokens_by_modality"))
        ]
        for mine, theirs in _MODALITIES.items()
    }
    return _read({
        "promptTokenCount": usage.get("total_input_tokens") or 0,
        "candidatesTokenCount": usage.get("total_output_tokens") or 0,
        "thoughtsTokenCount": usage.get("total_thought_tokens") or 0,
        "cachedContentTokenCount": usage.get("total_cached_tokens") or 0,
        "toolUsePromptTokenCount": usage.get("total_tool_use_tokens") or 0,
        "totalTokenCount": usage.get("total_tokens") or 0,
        **{name: counts for name, counts in details.items() if counts},
    })  # fmt: skip


def _read(told: JsonObject) -> UsageMetadata | None:
    try:
        return parse_now(_Counts, json.dumps(told).encode(), billed=True)
    except BadAnswer:
        return None
