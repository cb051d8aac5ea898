"""What an interaction costs, in tokens by modality.

Source: `Usage` of the Interactions API reference; videos by the prices of the Gemini API (a second at 720p is 5,792
tokens), music as sound (32 a second).
"""

from __future__ import annotations

from .prompt import Prompt
from .tokens import of_text
from .wire import Object

VIDEO_TOKENS = {"360p": 2896, "720p": 5792, "1080p": 8688, "4k": 17_376}
SOUND_TOKENS = 32
_PICTURE = 1120


def of_response(metadata: Object, grounding: dict[str, int]) -> Object:
    """The usage of an answer, from its `usageMetadata`.

    Args:
        metadata: what the generateContent machinery counted.
        grounding: how often each grounding tool was used.
    """
    plain = [{"modality": "TEXT", "tokenCount": metadata.get("candidatesTokenCount", 0)}]
    usage = _usage(
        _by_modality(metadata.get("promptTokensDetails", [])),
        _by_modality(metadata.get("candidatesTokensDetails", plain)),
        thoughts=metadata.get("thoughtsTokenCount", 0),
        tool=metadata.get("toolUsePromptTokenCount", 0),
    )
    if grounding:
        usage["grounding_tool_count"] = [{"type": name, "count": count} for name, count in grounding.items()]
    return usage


def of_media(prompt: Prompt, produced: dict[str, int], text: str = "") -> Object:
    """The usage of music or a video.

    Args:
        prompt: the request.
        produced: the tokens of the media by modality.
        text: what was said beside them.
    """
    output = {**({"text": of_text(text)} if text else {}), **produced}
    return _usage(_by_modality(prompt.tally.details()), output, thoughts=0, tool=0)


def of_work(prompt: Prompt, steps: list[Object], *, thoughts: int, tool: int, tools: dict[str, int]) -> Object:
    """The usage of an agent's work.

    Args:
        prompt: the request.
        steps: what it did; the texts of its output are counted.
        thoughts: the tokens of its thinking.
        tool: the tokens of what it read with its tools.
        tools: how often each grounding tool was used.
    """
    contents = [one for step in steps if step["type"] == "model_output" for one in step["content"]]
    text = sum(of_text(one["text"]) for one in contents if one["type"] == "text")
    images = _PICTURE * sum(one["type"] == "image" for one in contents)
    output = {name: count for name, count in (("text", text), ("image", images)) if count}
    usage = _usage(_by_modality(prompt.tally.details()), output, thoughts=thoughts, tool=tool)
    if tools:
        usage["grounding_tool_count"] = [{"type": name, "count": count} for name, count in tools.items()]
    return usage


def partly(usage: Object, share: float) -> Object:
    """The usage after a part of the work; what was read at the beginning has been read.

    Args:
        usage: that of all the work.
        share: how much of it is done, from 0 to 1.
    """
    if not usage:
        return {}
    read: int = usage["total_input_tokens"]
    made = {name: int(usage[f"total_{name}_tokens"] * share) for name in ("output", "tool_use", "thought")}
    part: Object = {**usage, "total_tokens": read + sum(made.values())}
    part |= {f"total_{name}_tokens": count for name, count in made.items()}
    for name in ("output_tokens_by_modality", "tool_use_tokens_by_modality"):
        if name in usage:
            part[name] = [{**one, "tokens": int(one["tokens"] * share)} for one in usage[name]]
    if "grounding_tool_count" in usage:
        counts = [{**one, "count": int(one["count"] * share)} for one in usage["grounding_tool_count"]]
        part["grounding_tool_count"] = counts
    return part


def _by_modality(details: list[Object]) -> dict[str, int]:
    return {detail["modality"].lower(): detail["tokenCount"] for detail in details}


def _usage(read: dict[str, int], output: dict[str, int], *, thoughts: int, tool: int) -> Object:
    inputs, outputs = sum(read.values()), sum(output.values())
    usage: Object = {
        "total_tokens": inputs + outputs + thoughts + tool,
        "total_input_tokens": inputs,
        "input_tokens_by_modality": _listed(read),
        "total_cached_tokens": 0,
        "total_output_tokens": outputs,
        "total_tool_use_tokens": tool,
        "total_thought_tokens": thoughts,
    }
    if outputs:
        usage["output_tokens_by_modality"] = _listed(output)
    if tool:
        usage["tool_use_tokens_by_modality"] = _listed({"text": tool})
    return usage


def _listed(counts: dict[str, int]) -> list[Object]:
    return [{"modality": name, "tokens": count} for name, count in counts.items() if count]
