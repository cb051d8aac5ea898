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

from pydantic_core import from_json

from gemini_server.api.answer import GenerateContentResponse
from gemini_server.api.openai import CODE, ChatUsage, Completion
from gemini_server.rest.endpoint import JsonObject
from gemini_server.rest.json_values import list_of, objects_of
from gemini_server.toolkit.dialect.openai_media import answered_part, is_picture
from gemini_server.toolkit.dialect.openai_text import TextReader
from gemini_server.toolkit.generation.transcript import member

_ENDS = {
    "stop": "STOP", "eos": "STOP", "end_turn": "STOP", "tool_calls": "STOP", "function_call": "STOP",
    "length": "MAX_TOKENS", "max_tokens": "MAX_TOKENS", "content_filter": "SAFETY",
}  # fmt: skip
_NAME = re.compile(r"[A-Z_]{1,60}")
_MALFORMED = "MALFORMED_FUNCTION_CALL"
_LONGEST = 500
_WRAPPINGS = ("image_url", "url", "inline_data", "inlineData", "source")
_BYTES = ("b64_json", "data", "image_base64")
_TYPES = ("mime_type", "mimeType", "media_type")
"""Where gateways put a picture that is a part of the content: OpenAI's members, Gemini's and others'."""


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
                ended = self._ended(choice.finish_reason)
                parts += self._over(cut=ended["finishReason"] == "MAX_TOKENS")
                candidate |= {"finishReason": self._finish} if self._finish else ended
            candidate["content"] = {"role": "model", "parts": parts}
        made["candidates"] = [{"index": 0, **candidate}] if candidate else None
        return GenerateContentResponse.model_validate({name: one for name, one in made.items() if one is not None})

    def rest(self) -> GenerateContentResponse | None:
        """What was held back when nothing more comes; None where there is nothing."""
        if not self._any:
            # Google's layer has no choice to offer for a prompt that it blocks, and no word for why.
            return GenerateContentResponse.model_validate({"promptFeedback": {"blockReason": "OTHER"}})
        parts = self._over(cut=True)
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
        for one in list_of(content) or [content]:
            parts += self._content(one)
        for picture in list_of(message.get("images")):
            url = _url(picture)
            parts += [*self._reader.end(), answered_part(url)] if url else []
        for one in objects_of(message.get("tool_calls")):
            self._call(one)
        if called := member(message, "function_call"):  # what there was before `tool_calls`
            self._call({"index": 0, "function": called})
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

    def _content(self, one: object) -> list[JsonObject]:
        if isinstance(one, str):
            # A picture alone, of a gateway that has no other place for it.
            return [*self._reader.end(), answered_part(one)] if is_picture(one) else self._reader.feed(one)
        if not isinstance(one, dict):
            return []
        part = cast(JsonObject, one)
        if isinstance(part.get("text"), str):
            return self._reader.feed(part["text"])
        if isinstance(part.get("refusal"), str):
            self._refusal += part["refusal"]
        url = _url(part)
        return [*self._reader.end(), answered_part(url)] if url else []

    def _call(self, told: JsonObject) -> None:
        function = member(told, "function") or {}
        index, ident, name = told.get("index"), str(told.get("id") or ""), str(function.get("name") or "")
        last = max(self._calls, default=-1)
        if isinstance(index, int):
            known = self._calls.get(index)
            if known is not None and name and ident and known.id and ident != known.id:
                index, known = last + 1, None  # some give every call the index 0
        else:
            known = next((call for call in self._calls.values() if ident and call.id == ident), None)
            # What has no number goes on with the last one, unless it begins another.
            known = known or (None if name else self._calls.get(last))
            index = last + 1
        call = known or self._calls.setdefault(index, _Called())
        call.id = call.id or ident
        call.name = call.name or name
        arguments = function.get("arguments")
        call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        call.signature = call.signature or _signature(told)

    def _over(self, *, cut: bool) -> list[JsonObject]:
        """Text that was held back, and the calls, which are whole now; of an answer that was cut, those that are."""
        parts = self._reader.end()
        for number, (_, call) in enumerate(sorted(self._calls.items()), 1):
            made = self._made(number, call)
            parts += [made] if made else []
            if made is None and not cut:
                self._finish = _MALFORMED
        self._calls.clear()
        return parts

    def _made(self, number: int, call: _Called) -> JsonObject | None:
        arguments = _arguments(call.arguments)
        if not isinstance(arguments, dict) or not call.name:
            return None
        given = cast(JsonObject, arguments)
        if self.code and call.name == CODE:  # it has run already, and is nobody's to call
            return {"executableCode": {"language": "PYTHON", "code": str(given.get("code") or "")}}
        part: JsonObject = {"functionCall": {"id": call.id or f"call-{number}", "name": call.name, "args": given}}
        return {**part, "thoughtSignature": call.signature} if call.signature else part

    def _ended(self, reason: str) -> JsonObject:
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


def _arguments(told: str) -> Any:
    """The arguments of a call; None where they are no JSON, or nobody could pass them on: nested too deeply."""
    try:
        # Twice: Python mends half characters and what is no number, the other parser has a limit to its depth.
        given = "{}" if told.strip() in ("", "null") else told
        plain = json.dumps(json.loads(given, parse_constant=lambda _: None), ensure_ascii=False)
        return from_json(plain.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _url(one: object) -> str:
    """The URL of a picture, in whatever wrapping."""
    if not isinstance(one, dict):
        return one if isinstance(one, str) else ""
    made = cast(JsonObject, one)
    inner = next((made[name] for name in _WRAPPINGS if made.get(name)), None)
    if isinstance(inner, str):
        return inner
    if isinstance(inner, dict):
        return _url(cast(JsonObject, inner))
    data = next((value for name in _BYTES if isinstance(value := made.get(name), str)), "")
    mime_type = next((value for name in _TYPES if isinstance(value := made.get(name), str)), "image/png")
    return data if data.startswith("data:") or not data else f"data:{mime_type};base64,{data}"


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
