"""A generateContent request as a chat completion request.

What the dialect cannot carry is refused: nothing that was asked for is left out in silence. Thought signatures travel
in `extra_content.google`, and go back on the very call or text that they came with. A picture that the model made goes
back at the head of the next user message: an assistant's message has no place for one.

Source: the schema GenerateContentRequest; "Create chat completion" of OpenAI's API reference; for Google's additions
https://ai.google.dev/gemini-api/docs/openai.
"""

from __future__ import annotations

import json
from typing import Any, cast

from gemini_server.api.openai import CODE, ChatRequest
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.dialect.openai_media import content_part
from gemini_server.toolkit.generation.transcript import member

SHOWN = "[picture]"
"""Stands for a picture in what the model said; the picture itself follows in the next message."""

_ELSEWHERE = "Leave it out, or ask over Gemini's own API (GEMINI_DIALECT=google)."
_TOOLS = {
    "googleSearch": "search", "googleSearchRetrieval": "search", "googleMaps": "maps", "urlContext": "urls",
    "fileSearch": "stores", "computerUse": "computer use", "mcpServers": "MCP servers",
}  # fmt: skip
_REQUEST = {
    "model", "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig",
    "cachedContent", "serviceTier", "store",
}  # fmt: skip
_PLAIN = {
    "maxOutputTokens": "max_tokens", "seed": "seed", "temperature": "temperature", "topP": "top_p",
    "candidateCount": "n", "presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty",
    "stopSequences": "stop", "responseLogprobs": "logprobs", "logprobs": "top_logprobs",
}  # fmt: skip
_ELSE = {"responseMimeType", "responseJsonSchema", "responseModalities", "mediaResolution", "thinkingConfig"}
_WORDS = {
    "topK": "sampling top_k", "imageConfig": "aspect_ratio and size of pictures", "speechConfig": "speech",
    "audioTranscriptionConfig": "settings of transcription", "continuationToken": "continuation",
    "safetySettings": "safety", "cachedContent": "cache", "retrievalConfig": "a place to search at",
}  # fmt: skip
_CHOICES = {"AUTO": "auto", "VALIDATED": "auto", "NONE": "none", "ANY": "required"}
_TIERS = {"standard": "default"}


def asked(model: str, request: JsonObject, *, google: bool) -> ChatRequest:
    """The same question as a chat completion request.

    Args:
        model: the model id.
        request: as generateContent takes it.
        google: whether Google's own layer is asked, not a gateway.

    Raises:
        ArgumentError: the dialect cannot carry something of it; nothing was sent.
    """
    config = member(request, "generationConfig") or {}
    _check(request, config)
    resolution = str(config.get("mediaResolution") or "")
    tools, calling = _tools(request, google=google)
    body: JsonObject = {_PLAIN[name]: value for name, value in config.items() if name in _PLAIN}
    body |= _format(config) | _modalities(model, config)
    extra: JsonObject = {}
    body |= _thinking(member(config, "thinkingConfig") or {}, extra, google=google)
    for name, told in (("cachedContent", "cached_content"), ("safetySettings", "safety_settings")):
        if request.get(name):
            if not google:
                raise _refused(name)
            extra[told] = request[name]
    tier = str(request.get("serviceTier") or "").lower()
    return ChatRequest(
        model=model.removeprefix("models/"),
        messages=messages(request, google=google, resolution=resolution),
        tools=tools or None,
        tool_choice=calling if tools else None,
        service_tier=_TIERS.get(tier, tier) or None,
        extra_body={"google": extra} if extra else None,
        **body,
    )


def _refused(name: str) -> ArgumentError:
    return ArgumentError(f"The openai dialect cannot carry {_WORDS.get(name, name)}; nothing was sent.", _ELSEWHERE)


def _check(request: JsonObject, config: JsonObject) -> None:
    settings = member(request, "toolConfig") or {}
    lost = [name for name, value in request.items() if value is not None and name not in _REQUEST]
    lost += [name for name, value in config.items() if value is not None and name not in _ELSE | _PLAIN.keys()]
    lost += ["retrievalConfig"] if settings.get("retrievalConfig") else []
    if lost:
        raise _refused(lost[0])


def _format(config: JsonObject) -> JsonObject:
    if config.get("responseJsonSchema") is not None:
        schema = {"name": "answer", "schema": config["responseJsonSchema"]}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    if config.get("responseMimeType") == "application/json":
        return {"response_format": {"type": "json_object"}}
    return {}


def _modalities(model: str, config: JsonObject) -> JsonObject:
    wanted = cast("list[str]", config.get("responseModalities") or [])
    if {"AUDIO", "VIDEO"} & set(wanted):
        raise ArgumentError("The openai dialect brings no sound and no video; nothing was sent.", _ELSEWHERE)
    # Models for pictures draw unasked, and a gateway may not know the word.
    if "IMAGE" not in wanted or "image" in model:
        return {}
    return {"modalities": [one.lower() for one in wanted]}


def _thinking(thinking: JsonObject, extra: JsonObject, *, google: bool) -> JsonObject:
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    config: JsonObject = {}
    if budget is not None and budget > 0:
        config["thinking_budget"] = budget
    if thinking.get("includeThoughts"):
        config["include_thoughts"] = True
    if config and not google:
        what = "a thinking budget" if "thinking_budget" in config else "include_thoughts"
        raise ArgumentError(
            f"The openai dialect cannot carry {what}; nothing was sent.",
            "Say how much to think by a level (low, medium, high), and take the thoughts that come of themselves.",
        )
    if config:
        extra["thinking_config"] = config
    effort = str(level).lower() if level else "none" if budget == 0 else None
    return {"reasoning_effort": effort} if effort else {}


def _tools(request: JsonObject, *, google: bool) -> tuple[list[JsonObject], str | JsonObject | None]:
    settings = member(member(request, "toolConfig") or {}, "functionCallingConfig") or {}
    allowed = cast("list[str]", settings.get("allowedFunctionNames") or [])
    made: list[JsonObject] = []
    for tool in cast("list[JsonObject]", request.get("tools") or []):
        hosted = next((word for name, word in _TOOLS.items() if tool.get(name) is not None), "")
        if hosted:
            raise ArgumentError(
                f"The openai dialect has no {hosted}; nothing was sent. Of Gemini's own tools it carries code alone.",
                _ELSEWHERE,
            )
        if tool.get(CODE) is not None:
            made.append(code_tool(google=google))
        declared = cast("list[JsonObject]", tool.get("functionDeclarations") or [])
        # What may not be called is not offered: of several names the dialect's `tool_choice` knows only one.
        made += [_declared(one) for one in declared if not allowed or one["name"] in allowed]
    mode = str(settings.get("mode") or "")
    if mode == "ANY" and len(allowed) == 1:
        return made, {"type": "function", "function": {"name": allowed[0]}}
    return made, _CHOICES.get(mode)


def code_tool(*, google: bool) -> JsonObject:
    """The tool that lets a gateway run Python.

    Raises:
        ArgumentError: Google's layer has none.
    """
    if google:
        raise ArgumentError("Google's OpenAI layer runs no code; nothing was sent.", "Use run_code or generate_text.")
    return {"type": "function", "function": {"name": CODE}}


def _declared(function: JsonObject) -> JsonObject:
    if function["name"] == CODE:
        raise ArgumentError(
            f"A function may not be named {CODE} over the openai dialect: the gateway would run it itself.",
            "Rename it.",
        )
    told = {"name": function["name"], "description": function.get("description")}
    told |= {"parameters": function.get("parametersJsonSchema")}
    return {"type": "function", "function": {name: value for name, value in told.items() if value is not None}}


def messages(request: JsonObject, *, google: bool, resolution: str = "") -> list[JsonObject]:
    """The turns of a request as messages, the system instruction first.

    Raises:
        ArgumentError: a medium that the dialect cannot carry; nothing was sent.
    """
    made: list[JsonObject] = []
    system = _parts(member(request, "systemInstruction") or {})
    text = "\n".join(str(part["text"]) for part in system if part.get("text"))
    if text:
        made.append({"role": "system", "content": text})
    shown: list[JsonObject] = []
    for turn in cast("list[JsonObject]", request.get("contents") or []):
        if turn.get("role") == "model":
            said, shown = _said(_parts(turn))
            made += [said] if said else []
            continue
        parts = [*shown, *_parts(turn)]
        shown = []
        made += [_result(answer) for part in parts if (answer := member(part, "functionResponse"))]
        contents = [one for part in parts if (one := content_part(part, google=google, resolution=resolution))]
        if contents:
            alone = contents[0]["text"] if len(contents) == 1 and contents[0]["type"] == "text" else None
            made.append({"role": "user", "content": contents if alone is None else alone})
    return made


def _parts(turn: JsonObject) -> list[JsonObject]:
    parts: list[Any] = turn.get("parts") or []
    return [cast(JsonObject, part) for part in parts if isinstance(part, dict)]


def _said(parts: list[JsonObject]) -> tuple[JsonObject | None, list[JsonObject]]:
    """What the model said, as its message, and the pictures that it made."""
    text, signature = "", ""
    calls: list[JsonObject] = []
    shown: list[JsonObject] = []
    for part in parts:
        if part.get("thought"):
            continue
        if call := member(part, "functionCall"):
            calls.append(_called(call, str(part.get("thoughtSignature") or "")))
        elif member(part, "inlineData"):
            shown.append({"inlineData": part["inlineData"]})
        elif code := member(part, "executableCode"):
            text += f"```python\n{code.get('code') or ''}\n```\n"
        elif ran := member(part, "codeExecutionResult"):
            text += f"```output\n{ran.get('output') or ''}\n```\n"
        else:
            text += str(part.get("text") or "")
            signature = str(part.get("thoughtSignature") or signature)
    message: JsonObject = {"role": "assistant"}
    if text or (shown and not calls):
        message["content"] = text or SHOWN
    if signature and text:
        message["extra_content"] = {"google": {"thought_signature": signature}}
    if calls:
        message["tool_calls"] = calls
    return (message if len(message) > 1 else None), shown


def _called(call: JsonObject, signature: str) -> JsonObject:
    name = str(call.get("name") or "")
    arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
    made: JsonObject = {"id": str(call.get("id") or name), "type": "function"}
    if signature:
        made["extra_content"] = {"google": {"thought_signature": signature}}
    return {**made, "function": {"name": name, "arguments": arguments}}


def _result(answer: JsonObject) -> JsonObject:
    content = json.dumps(answer.get("response") or {}, ensure_ascii=False)
    return {"role": "tool", "tool_call_id": str(answer.get("id") or answer.get("name") or ""), "content": content}
