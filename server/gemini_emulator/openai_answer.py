"""A GenerateContentResponse as a chat completion, whole or in chunks.

Source: "The chat completion object" and "The chat completion chunk object" of OpenAI's API reference. The thoughts of
Google's layer stand between `<thought>` marks; a gateway gives them as `reasoning_content`. Code that Gemini ran is
fenced, and so is its output; pictures are Markdown images with data URLs, or entries of `images`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .openai_manner import Manner
from .wire import Object, dump

PictureForm: TypeAlias = Literal["markdown", "images"]

_CALLS = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE")
_PIECE = 32 * 1024
_ARGUMENTS = 12


@dataclass(frozen=True)
class Teller:
    """What turns responses into completions.

    Args:
        manner: whose completions they are.
        pictures: how they show pictures.
        created: when, in seconds since 1970.
    """

    manner: Manner
    pictures: PictureForm
    created: int

    def completion(self, response: Object) -> Object:
        """The whole completion."""
        choices = [self._choice(one) for one in response.get("candidates", [])] or self._blocked(response)
        return {**self._head(response, "chat.completion"), "choices": choices, "usage": self.usage(response)}

    def chunks(self, events: list[Object], *, usage: bool) -> list[Object]:
        """The chunks of a stream.

        Args:
            events: those of streamGenerateContent.
            usage: whether a last chunk, without choices, says what it cost.
        """
        made: list[Object] = []
        telling = _Telling(self)
        for event in events:
            head = self._head(event, "chat.completion.chunk")
            candidates: list[Object] = event.get("candidates", [])
            for candidate in candidates:
                index = candidate.get("index", 0)
                for part in candidate.get("content", {}).get("parts", []):
                    made += [{**head, "choices": [_delta(index, delta)]} for delta in telling.deltas(index, part)]
                if "finishReason" in candidate:
                    reason = self.reason(candidate["finishReason"], called=index in telling.called)
                    rest: Object = {"content": telling.rest(index)} if telling.thinking.get(index) else {}
                    made.append({**head, "choices": [_delta(index, rest, reason)]})
            if not candidates:
                made += [{**head, "choices": [_delta(0, {}, one["finish_reason"])]} for one in self._blocked(event)]
        if usage:
            head = self._head(events[-1], "chat.completion.chunk")
            made.append({**head, "choices": [], "usage": self.usage(events[-1])})
        return made

    def usage(self, response: Object) -> Object:
        """What a response cost; Google leaves the thoughts out of `completion_tokens`, though not out of the total."""
        counts: Object = response.get("usageMetadata", {})
        thoughts = counts.get("thoughtsTokenCount", 0)
        shown = counts.get("candidatesTokenCount", 0)
        return {
            "prompt_tokens": counts.get("promptTokenCount", 0) + counts.get("toolUsePromptTokenCount", 0),
            "completion_tokens": shown if self.manner.google else shown + thoughts,
            "total_tokens": counts.get("totalTokenCount", 0),
            "prompt_tokens_details": {"cached_tokens": counts.get("cachedContentTokenCount", 0)},
            "completion_tokens_details": {"reasoning_tokens": thoughts},
        }

    def reason(self, finish: str, *, called: bool) -> str:
        """The `finish_reason` of a `finishReason`."""
        if finish == "STOP":
            return "tool_calls" if called else "stop"
        if finish in ("MAX_TOKENS", "CONTINUATION"):
            return "length"
        if not self.manner.google:
            return "stop" if finish in _CALLS else "content_filter"
        return f"{'function_call_filter' if finish in _CALLS else 'content_filter'}: {finish}"

    def _head(self, response: Object, kind: str) -> Object:
        ident, model = response.get("responseId", ""), response.get("modelVersion", "")
        return {"id": ident, "object": kind, "created": self.created, "model": model}

    def _blocked(self, response: Object) -> list[Object]:
        """Google has no choice to offer for a prompt that it blocks; a gateway has one that is empty."""
        if self.manner.google:
            return []
        message = {"role": "assistant", "content": None}
        reason = "content_filter" if "promptFeedback" in response else "stop"
        return [{"index": 0, "message": message, "finish_reason": reason}]

    def _choice(self, candidate: Object) -> Object:
        telling = _Telling(self, whole=True)
        index = candidate.get("index", 0)
        message: Object = {"role": "assistant", "content": ""}
        for part in candidate.get("content", {}).get("parts", []):
            for delta in telling.deltas(index, part):
                _add(message, delta)
        message["content"] += telling.rest(index)
        called = index in telling.called
        if not message["content"]:
            message["content"] = None
        return {
            "index": index,
            "message": message,
            "finish_reason": self.reason(candidate["finishReason"], called=called),
        }


@dataclass
class _Telling:
    """One completion while it is told.

    Args:
        whole: whether calls and pictures come in one piece.
    """

    teller: Teller
    whole: bool = False
    called: dict[int, int] = field(default_factory=dict[int, int])
    thinking: dict[int, bool] = field(default_factory=dict[int, bool])
    begun: set[int] = field(default_factory=set[int])

    def deltas(self, index: int, part: Object) -> Iterator[Object]:
        """What a part adds to the message of a candidate."""
        for delta in self._deltas(index, part):
            first: Object = {} if index in self.begun and not self.teller.manner.google else {"role": "assistant"}
            self.begun.add(index)
            yield {**first, **delta}

    def rest(self, index: int) -> str:
        """What closes thoughts that nothing followed."""
        return "</thought>" if self.thinking.pop(index, False) else ""

    def _deltas(self, index: int, part: Object) -> Iterator[Object]:
        if part.get("thought"):
            yield from self._thought(index, part)
        elif "functionCall" in part:
            if closing := self.rest(index):
                yield {"content": closing}
            yield from self._call(index, part)
        elif "inlineData" in part:
            yield from self._picture(index, part["inlineData"])
        elif part.get("text") or self._extra(part):
            yield {"content": self.rest(index) + part.get("text", ""), **self._extra(part)}
        elif "executableCode" in part:
            code: Object = part["executableCode"]
            yield {"content": f"{self.rest(index)}```{code['language'].lower()}\n{code['code']}\n```\n"}
        elif "codeExecutionResult" in part:
            yield {"content": f"```output\n{part['codeExecutionResult'].get('output', '').rstrip()}\n```\n"}

    def _thought(self, index: int, part: Object) -> Iterator[Object]:
        if "text" not in part:
            return
        if not self.teller.manner.google:
            yield {"reasoning_content": part["text"]}
            return
        mark = "" if self.thinking.get(index) else "<thought>"
        self.thinking[index] = True
        yield {"content": mark + part["text"], "extra_content": {"google": {"thought": True}}}

    def _picture(self, index: int, blob: Object) -> Iterator[Object]:
        url = f"data:{blob['mimeType']};base64,{blob['data']}"
        if self.teller.pictures == "images":
            yield {"images": [{"type": "image_url", "image_url": {"url": url}}]}
            return
        text = f"{self.rest(index)}{chr(10) if index in self.begun else ''}![image]({url})\n"
        size = len(text) if self.whole else _PIECE
        for at in range(0, len(text), size):
            yield {"content": text[at : at + size]}

    def _call(self, index: int, part: Object) -> Iterator[Object]:
        call: Object = part["functionCall"]
        place = self.called.get(index, 0)
        self.called[index] = place + 1
        arguments = dump(call.get("args", {}))
        within: Object = {} if self.whole else {"index": place}
        first: Object = {**within, "id": call["id"], "type": "function", **self._extra(part)}
        if self.whole or not self.teller.manner.in_pieces:
            yield {"tool_calls": [{**first, "function": {"name": call["name"], "arguments": arguments}}]}
            return
        yield {"tool_calls": [{**first, "function": {"name": call["name"], "arguments": ""}}]}
        for at in range(0, len(arguments), _ARGUMENTS):
            yield {"tool_calls": [{**within, "function": {"arguments": arguments[at : at + _ARGUMENTS]}}]}

    def _extra(self, part: Object) -> Object:
        if not self.teller.manner.google or "thoughtSignature" not in part:
            return {}
        return {"extra_content": {"google": {"thought_signature": part["thoughtSignature"]}}}


def _delta(index: int, delta: Object, reason: str | None = None) -> Object:
    return {"index": index, "delta": delta, "finish_reason": reason}


def _add(message: Object, delta: Object) -> None:
    """Put a delta into a whole message."""
    thought = delta.get("extra_content", {}).get("google", {}).get("thought", False)
    for name, value in delta.items():
        if name in ("content", "reasoning_content"):
            message[name] = message.get(name, "") + value
        elif name in ("tool_calls", "images"):
            message[name] = [*message.get(name, []), *value]
        elif name == "extra_content" and not thought:
            message[name] = value
