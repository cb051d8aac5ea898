"""A chat completion as the answer of generateContent: whole, or chunk by chunk.

Read tolerantly: pictures may come in `images`, as parts of the content or as Markdown, thoughts as `reasoning_content`,
`reasoning` or between marks, a stream may bring a whole message. An odd member is left out, never the answer.

Source: "The chat completion object" and "The chat completion chunk object" of OpenAI's API reference.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

from gemini_server.api.answer import GenerateContentResponse
from gemini_server.api.openai import CODE, ChatUsage, Completion
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.dialect.openai_media import answered_part
from gemini_server.toolkit.dialect.openai_text import TextReader
from gemini_server.toolkit.generation.transcript import member

_ENDS = {
    "stop": "STOP", "eos": "STOP", "end_turn": "STOP", "tool_calls": "STOP", "function_call": "STOP",
    "length": "MAX_TOKENS", "max_tokens": "MAX_TOKENS", "content_filter": "SAFETY",
}  # fmt: skip
_NAME = re.compile(r"[A-Z_]{1,60}")
_MALFORMED = "MALFORMED_FUNCTION_CALL"
_LONGEST = 500


@dataclass
class _Called:
    """A call of a function, as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    signature: str = ""


@dataclass
class Folding:
    """Makes one answer of a completion.

    Args:
        google: whether Google's layer answers, which marks thoughts.
        code: whether programs may have run.
    """

    google: bool
    code: bool
    _calls: dict[int, _Called] = field(default_factory=dict[int, _Called])
    _finish: str | None = None
    _refusal: str = ""
    _any: bool = False

    def __post_init__(self) -> None:
        """Nothing has been read."""
        self._reader = TextReader(thoughts=self.google, code=self.code)

    @property
    def began(self) -> bool:
        """Whether anything of an answer has come."""
        return self._any

    def add(self, chunk: Completion) -> GenerateContentResponse:
        """What a chunk, or a whole completion, adds to the answer."""
        choice = next((one for one in chunk.choices if one.index == 0), None)
        made: JsonObject = {"modelVersion": _model(chunk.model), "responseId": chunk.id}
        if chunk.usage is not None and (chunk.usage.total_tokens or chunk.usage.prompt_tokens):
            made["usageMetadata"] = _usage(chunk.usage, chunk.service_tier)
        candidate: JsonObject = {}
        if choice is not None:
            self._any = True
            parts = self._said(choice.delta or choice.message or {})
            if choice.finish_reason:
                parts += self._over()
                candidate |= self._ended(choice.finish_reason)
            candidate["content"] = {"role": "model", "parts": parts}
        made["candidates"] = [{"index": 0, **candidate}] if candidate else None
        return GenerateContentResponse.model_validate({name: one for name, one in made.items() if one is not None})

    def rest(self) -> GenerateContentResponse | None:
        """What was held back when nothing more comes; None where there is nothing."""
        if not self._any:
            # Google's layer has no choice to offer for a prompt that it blocks, and no word for why.
            return GenerateContentResponse.model_validate({"promptFeedback": {"blockReason": "OTHER"}})
        parts = self._over()
        if not parts and not self._finish:
            return None
        candidate: JsonObject = {"content": {"role": "model", "parts": parts}}
        candidate |= {"finishReason": self._finish} if self._finish else {}
        return GenerateContentResponse.model_validate({"candidates": [candidate]})

    def _said(self, message: JsonObject) -> list[JsonObject]:
        parts: list[JsonObject] = []
        thought = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(thought, str) and thought:
            parts.append({"text": thought, "thought": True})
        content = message.get("content")
        if isinstance(content, str):
            parts += self._reader.feed(content)
        for one in _objects(content):
            parts += self._content(one)
        for picture in _list(message.get("images")):
            url = _url(picture)
            parts += [*self._reader.end(), answered_part(url)] if url else []
        for place, one in enumerate(_objects(message.get("tool_calls"))):
            self._call(place, one)
        if isinstance(message.get("refusal"), str):
            self._refusal += message["refusal"]
        signature = _signature(message)
        if signature:
            parts += self._reader.end()
            spoken = parts[-1] if parts and parts[-1].keys() == {"text"} else None
            if spoken is None:
                parts.append(spoken := {"text": ""})
            spoken["thoughtSignature"] = signature
        return parts

    def _content(self, one: JsonObject) -> list[JsonObject]:
        if isinstance(one.get("text"), str):
            return self._reader.feed(one["text"])
        url = _url(one)
        return [*self._reader.end(), answered_part(url)] if url else []

    def _call(self, place: int, told: JsonObject) -> None:
        index = told.get("index")
        place = index if isinstance(index, int) else place
        known, ident = self._calls.get(place), str(told.get("id") or "")
        if known is not None and ident and known.id and ident != known.id:
            place, known = max(self._calls) + 1, None  # some give every call the index 0
        if known is None and not ident and self._calls and index is None:
            known = self._calls[max(self._calls)]
        call = known or self._calls.setdefault(place, _Called())
        function = member(told, "function") or {}
        call.id = call.id or ident
        call.name = call.name or str(function.get("name") or "")
        arguments = function.get("arguments")
        call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        call.signature = call.signature or _signature(told)

    def _over(self) -> list[JsonObject]:
        """Text that was held back, and the calls, which are whole now."""
        parts = self._reader.end()
        for number, (_, call) in enumerate(sorted(self._calls.items()), 1):
            made = self._made(number, call)
            parts += [made] if made else []
        self._calls.clear()
        return parts

    def _made(self, number: int, call: _Called) -> JsonObject | None:
        try:
            arguments: Any = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict) or not call.name:
            self._finish = _MALFORMED
            return None
        given = cast(JsonObject, arguments)
        if self.code and call.name == CODE:  # it has run already, and is nobody's to call
            return {"executableCode": {"language": "PYTHON", "code": str(given.get("code") or "")}}
        part: JsonObject = {"functionCall": {"id": call.id or f"call-{number}", "name": call.name, "args": given}}
        return {**part, "thoughtSignature": call.signature} if call.signature else part

    def _ended(self, reason: str) -> JsonObject:
        if self._finish:
            return {"finishReason": self._finish}
        if self._refusal:
            return {"finishReason": "SAFETY", "finishMessage": self._refusal[:_LONGEST]}
        # Google's layer gives its own reason behind a colon: `content_filter: RECITATION`.
        kind, _, own = reason.partition(":")
        named = own.strip() or _ENDS.get(kind.strip().lower(), kind.strip().upper())
        return {"finishReason": named if _NAME.fullmatch(named) else "OTHER"}


def answered(completion: Completion, *, google: bool, code: bool) -> GenerateContentResponse:
    """A whole completion in the terms of generateContent."""
    folding = Folding(google, code)
    made, rest = folding.add(completion), folding.rest()
    if rest is None:
        return made
    if not rest.candidates:
        return made.model_copy(update={"prompt_feedback": rest.prompt_feedback})
    # It did not say that it had ended.
    candidate, more = made.candidates[0], rest.candidates[0]
    parts = [*(candidate.content or {}).get("parts", []), *(more.content or {})["parts"]]
    ended = {"content": {"role": "model", "parts": parts}, "finish_reason": more.finish_reason}
    return made.model_copy(update={"candidates": [candidate.model_copy(update=ended)]})


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _objects(value: object) -> list[JsonObject]:
    return [cast(JsonObject, item) for item in _list(value) if isinstance(item, dict)]


def _url(one: object) -> str:
    """The URL of a picture, in whatever wrapping."""
    if not isinstance(one, dict):
        return one if isinstance(one, str) else ""
    made = cast(JsonObject, one)
    inner = made.get("image_url") or made.get("url")
    if isinstance(inner, str):
        return inner
    if isinstance(inner, dict):
        return str(cast(JsonObject, inner).get("url") or "")
    data = made.get("b64_json")
    return f"data:{made.get('mime_type') or 'image/png'};base64,{data}" if isinstance(data, str) else ""


def _signature(owner: JsonObject) -> str:
    google = member(member(owner, "extra_content") or {}, "google") or {}
    return str(google.get("thought_signature") or "")


def _model(name: str | None) -> str | None:
    return name.rpartition("/")[2] or None if name else None


def _usage(usage: ChatUsage, tier: str | None) -> JsonObject:
    prompt, shown = usage.prompt_tokens, usage.completion_tokens
    out = usage.completion_tokens_details or {}
    thoughts = _count(out, "reasoning_tokens")
    apart = usage.total_tokens - prompt - shown
    if apart > 0:
        thoughts = max(thoughts, apart)  # Google leaves thoughts out of `completion_tokens`, not out of the total
    elif thoughts:
        shown = max(0, shown - thoughts)
    made: JsonObject = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": shown,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": _count(usage.prompt_tokens_details or {}, "cached_tokens"),
        "totalTokenCount": usage.total_tokens or prompt + shown + thoughts,
    }
    for name, told, details in (
        ("promptTokensDetails", usage.prompt_tokens_details, ("audio", "image", "video")),
        ("candidatesTokensDetails", out, ("audio", "image")),
    ):
        counts = [(kind, _count(told or {}, f"{kind}_tokens")) for kind in details]
        found = [{"modality": kind.upper(), "tokenCount": count} for kind, count in counts if count]
        made |= {name: found} if found else {}
    return {**made, **({"serviceTier": tier} if tier in ("flex", "priority") else {})}


def _count(details: JsonObject, name: str) -> int:
    value = details.get(name)
    return value if isinstance(value, int) else 0
