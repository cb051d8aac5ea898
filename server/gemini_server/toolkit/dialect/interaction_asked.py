"""A generateContent request as an interaction: turns become steps, settings go by their names there.

The steps of an answer are kept beside the parts that were made of them (`STEPS`), so that they go back verbatim in the
next turn. Turns that came from generateContent are made into steps: thought signatures become thoughts of their own.

Source: the schemas GenerateContentRequest and CreateModelInteraction.
"""

from __future__ import annotations

from typing import Any, cast

from gemini_server.api.config import GenerationConfig as Config
from gemini_server.api.config import SafetySetting
from gemini_server.api.content import Content
from gemini_server.api.interaction_request import (
    CreateInteraction,
    GenerationConfig,
    TextFormat,
    ToolChoice,
)
from gemini_server.api.interaction_request import SafetySetting as Setting
from gemini_server.api.models import GenerateContentRequest
from gemini_server.api.tools import FunctionCallingConfig, Tool, ToolConfig
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.generation.transcript import member

STEPS = "steps"
"""The member of a kept turn that has its steps as they came."""

_KINDS = ("image", "audio", "video")
_HARM = {
    "HATE_SPEECH", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT", "CIVIC_INTEGRITY", "IMAGE_HATE",
    "IMAGE_DANGEROUS_CONTENT", "IMAGE_HARASSMENT", "IMAGE_SEXUALLY_EXPLICIT", "JAILBREAK",
}  # fmt: skip
_ELSEWHERE = "Leave it out, or ask over generateContent (GEMINI_TEXT_API=generate)."


def asked(model: str, request: GenerateContentRequest, *, stream: bool) -> tuple[CreateInteraction, list[str]]:
    """The interaction that asks the same, kept by nobody, and warnings about what it cannot say.

    Raises:
        ArgumentError: it cannot be asked there at all; nothing was sent.
    """
    if request.cached_content:
        raise ArgumentError("Interactions take no caches; nothing was sent.", _ELSEWHERE)
    warnings: list[str] = []
    config = request.generation_config or Config()
    resolution = str(config.media_resolution or "").removeprefix("MEDIA_RESOLUTION_").lower()
    steps = [step for turn in request.contents for step in _steps(turn, resolution)]
    return (
        CreateInteraction(
            model=model.removeprefix("models/"),
            input=cast(Any, steps),
            system_instruction=_text(request.system_instruction),
            tools=cast(Any, _tools(request.tools or [], request.tool_config)),
            generation_config=_generation(config, request.tool_config, warnings),
            response_format=_format(config),
            safety_settings=_safety(request.safety_settings or [], warnings),
            service_tier=cast(Any, str(request.service_tier).lower() if request.service_tier else None),
            labels=request.labels,
            continuation_token=request.continuation_token,
            store=False,
            stream=True if stream else None,
        ),
        warnings,
    )


def _text(content: Content | None) -> str | None:
    return "\n".join(part.text for part in content.parts if part.text) or None if content else None


def _steps(turn: Content | JsonObject, resolution: str) -> list[JsonObject]:
    if isinstance(turn, Content):
        said: JsonObject = turn.model_dump(by_alias=True, exclude_none=True)
    else:
        said = turn
        if isinstance(turn.get(STEPS), list):
            return cast("list[JsonObject]", turn[STEPS])
    steps: list[JsonObject] = []
    role = "model_output" if said.get("role") == "model" else "user_input"
    for part in cast("list[JsonObject]", said.get("parts") or []):
        _add(steps, role, part, resolution)
    return steps


def _add(steps: list[JsonObject], role: str, part: JsonObject, resolution: str) -> None:
    signature = part.get("thoughtSignature")
    if part.get("thought"):
        summary = [{"type": "text", "text": part["text"]}] if part.get("text") else None
        thought = {"type": "thought", "signature": signature, "summary": summary}
        steps.append({name: value for name, value in thought.items() if value is not None})
        return
    if signature and not (steps and steps[-1].get("signature") == signature):
        steps.append({"type": "thought", "signature": signature})
    step = _of_tool(part)
    if step is not None:
        steps.append(step)
        return
    content = _content(part, resolution)
    if content is None:
        return
    if steps and steps[-1]["type"] == role:
        steps[-1]["content"].append(content)
    else:
        steps.append({"type": role, "content": [content]})


def _of_tool(part: JsonObject) -> JsonObject | None:
    """The step of a function or of code; None for what is said or shown."""
    if call := member(part, "functionCall"):
        name = str(call.get("name") or "")
        return {
            "type": "function_call",
            "id": call.get("id") or name,
            "name": name,
            "arguments": call.get("args") or {},
        }
    if answer := member(part, "functionResponse"):
        name = str(answer.get("name") or "")
        result = {"type": "function_result", "call_id": answer.get("id") or name, "name": name}
        return {**result, "result": answer.get("response") or {}}
    if code := member(part, "executableCode"):
        arguments = {"code": code.get("code") or "", "language": "python"}
        return {"type": "code_execution_call", "id": code.get("id") or "code", "arguments": arguments}
    if ran := member(part, "codeExecutionResult"):
        failed = ran.get("outcome") not in (None, "OUTCOME_OK")
        step = {"type": "code_execution_result", "call_id": ran.get("id") or "code", "result": ran.get("output") or ""}
        return {**step, **({"is_error": True} if failed else {})}
    return None


def _content(part: JsonObject, resolution: str) -> JsonObject | None:
    if isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]} if part["text"] else None
    blob, file = member(part, "inlineData"), member(part, "fileData")
    source = blob or file
    if source is None:
        return None
    mime_type = str(source.get("mimeType") or "")
    kind = mime_type.partition("/")[0]
    uri = str(source.get("fileUri") or "")
    if not mime_type and ("youtube.com/" in uri or "youtu.be/" in uri):
        kind = "video"
    content: JsonObject = {"type": kind if kind in _KINDS else "document"}
    content |= {"data": blob["data"]} if blob else {"uri": uri}
    if mime_type:
        content["mime_type"] = mime_type
    level = str((member(part, "mediaResolution") or {}).get("level") or "").removeprefix("MEDIA_RESOLUTION_").lower()
    if (level or resolution) and content["type"] != "audio":
        content["resolution"] = level or resolution
    if part.get("videoMetadata"):
        raise ArgumentError("Interactions take no section of a video; nothing was sent.", _ELSEWHERE)
    return content


def _tools(tools: list[Tool], config: ToolConfig | None) -> list[JsonObject] | None:
    found: list[JsonObject] = []
    for tool in tools:
        for function in tool.function_declarations or ():
            declared = {"type": "function", "name": function.name, "description": function.description}
            found.append(_set({**declared, "parameters": function.parameters_json_schema}))
        if tool.google_search is not None:
            if tool.google_search.time_range_filter is not None:
                raise ArgumentError("Interactions search without a time range; nothing was sent.", _ELSEWHERE)
            types = tool.google_search.search_types
            wanted = [
                name
                for name, given in (
                    ("web_search", types and types.web_search is not None),
                    ("image_search", types and types.image_search is not None),
                )
                if given
            ]
            found.append(_set({"type": "google_search", "search_types": wanted or None}))
        if tool.google_maps is not None:
            point = config.retrieval_config.lat_lng if config and config.retrieval_config else None
            near = {"latitude": point.latitude, "longitude": point.longitude} if point else {}
            found.append({"type": "google_maps", **near})
        if tool.url_context is not None:
            found.append({"type": "url_context"})
        if tool.code_execution is not None:
            found.append({"type": "code_execution"})
        if tool.file_search is not None:
            search = tool.file_search
            names = {"type": "file_search", "file_search_store_names": search.file_search_store_names}
            found.append(_set({**names, "top_k": search.top_k, "metadata_filter": search.metadata_filter}))
    return found or None


def _generation(config: Config, tools: ToolConfig | None, warnings: list[str]) -> GenerationConfig | None:
    left_out = [name for name in ("temperature", "top_p", "top_k") if getattr(config, name) is not None]
    thinking = config.thinking_config
    if thinking is not None and thinking.thinking_budget is not None:
        left_out.append("a thinking budget")
    if left_out:
        warnings.append(f"Interactions take no {', '.join(left_out)}; left out.")
    made = {
        "max_output_tokens": config.max_output_tokens,
        "stop_sequences": config.stop_sequences,
        "seed": config.seed,
        "thinking_level": thinking.thinking_level.lower() if thinking and thinking.thinking_level else None,
        "thinking_summaries": "auto" if thinking and thinking.include_thoughts else None,
        "tool_choice": _choice(tools.function_calling_config if tools else None),
    }
    made = _set(made)
    return GenerationConfig.model_validate(made) if made else None


def _choice(calling: FunctionCallingConfig | None) -> ToolChoice | str | None:
    if calling is None or calling.mode is None:
        return None
    mode = calling.mode.lower()
    if not calling.allowed_function_names:
        return mode
    return ToolChoice.model_validate({"allowed_tools": {"mode": mode, "tools": calling.allowed_function_names}})


def _format(config: Config) -> TextFormat | None:
    if config.response_json_schema is None:
        return None
    return TextFormat.model_validate({"mime_type": "application/json", "schema": config.response_json_schema})


def _safety(settings: list[SafetySetting], warnings: list[str]) -> list[Setting] | None:
    found: list[Setting] = []
    for setting in settings:
        category = setting.category.removeprefix("HARM_CATEGORY_")
        if category in _HARM:
            found.append(Setting.model_validate({"type": category.lower(), "threshold": setting.threshold.lower()}))
        else:
            warnings.append(f"Interactions know no safety category {category.lower()}; left out.")
    return found or None


def _set(members: JsonObject) -> JsonObject:
    return {name: value for name, value in members.items() if value is not None}
