"""What is said to an interaction: words and media as its content, results of functions as its steps."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import anyio.to_thread
from pydantic import TypeAdapter, ValidationError

from gemini_server.api.content import Part
from gemini_server.api.interaction_content import (
    AudioContent,
    Content,
    DocumentContent,
    ImageContent,
    TextContent,
    VideoContent,
)
from gemini_server.errors import ArgumentError
from gemini_server.rest.body import BytesSource, InlineMedia
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.clips import type_of
from gemini_server.toolkit.files import HOST, look
from gemini_server.toolkit.generation import json_answer

Said = list[Content | JsonObject]

_MEDIA: dict[str, type[ImageContent | AudioContent | VideoContent]] = {
    "image": ImageContent,
    "audio": AudioContent,
    "video": VideoContent,
}
_DOCUMENTS = ("application/pdf", "text/csv", "application/msword", "application/vnd.")
"""Documents that the Interactions API takes as such; other texts go as words."""
_CONTENTS = ("text", "image", "audio", "video", "document")


async def contents_of(call: Call, parts: Sequence[Part]) -> list[Content]:
    """Opened media as content; bytes must be held in memory, or stay open until the request is over.

    Raises:
        ArgumentError: a text file is no UTF-8.
    """
    return [await _content(call, part) for part in parts]


async def _content(call: Call, part: Part) -> Content:
    mime_type = type_of(part)
    if part.file_data is not None and not mime_type:
        mime_type = await _type_at_google(call, part.file_data.file_uri)
    kind = _MEDIA.get(mime_type.partition("/")[0])
    given = None if mime_type.endswith("/*") else mime_type or None
    if part.inline_data is not None:
        data = part.inline_data.data
        if kind is not None:
            return kind(data=data, mime_type=mime_type)
        if mime_type.startswith(_DOCUMENTS):
            return DocumentContent(data=data, mime_type=mime_type)
        return TextContent(text=await _text(data))
    assert part.file_data is not None  # noqa: S101  a media source is the one or the other
    uri = part.file_data.file_uri
    if kind is not None:
        return kind(uri=uri, mime_type=given)
    # The API names no other types of documents; of a file without one Google knows it.
    return DocumentContent(uri=uri, mime_type=given if mime_type.startswith(_DOCUMENTS) else None)


async def _type_at_google(call: Call, uri: str) -> str:
    if not uri.startswith(HOST):
        return ""
    file = await look(call.runtime, uri.removeprefix(HOST))
    return (file.mime_type if file else None) or ""


async def _text(data: InlineMedia | str) -> str:
    if isinstance(data, InlineMedia):
        source = data.source
        raw = source.data if isinstance(source, BytesSource) else b"".join([x async for x in source.chunks(192 * 1024)])
    else:
        raw = await anyio.to_thread.run_sync(base64.b64decode, data)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ArgumentError("A text file among the attachments is no UTF-8.", "Convert it first.") from None


def turn(words: str | None, contents: Sequence[Content], results: Said) -> str | Said | None:
    """The input of a turn: plain words where there is nothing else, content, or steps.

    Args:
        words: literal text.
        contents: media, which come before the words, as Google recommends.
        results: steps with results of functions, which come first.
    """
    said: Said = [*contents, *([TextContent(text=words)] if words else [])]
    if not results:
        return words if words and not contents else said or None
    spoken = [one.model_dump(mode="json", exclude_none=True) for one in cast("list[Content]", said)]
    return [*results, *([{"type": "user_input", "content": spoken}] if spoken else [])]


def results_of(given: Sequence[dict[str, Any]]) -> Said:
    """Results of functions as steps.

    Raises:
        ArgumentError: one names no call, or is nested too deeply.
    """
    steps: Said = []
    for one in given:
        if not one.get("id"):
            raise ArgumentError("A function result names no call.", "Give the id that function_calls has.")
        response = one.get("response")
        if not json_answer.within(response, json_answer.SCHEMA_DEPTH):
            raise ArgumentError(f"The result of the call {one['id']!r} is nested too deeply.", "Flatten it.")
        step: JsonObject = {"type": "function_result", "call_id": one["id"]}
        step |= {"name": one["name"]} if one.get("name") else {}
        step["result"] = response if isinstance(response, dict | str) else {"result": response}
        step |= {"is_error": True} if one.get("is_error") else {}
        steps.append(step)
    return steps


def checked(raw: Sequence[Any]) -> Said:
    """Content or steps as the API has them, which a caller wrote out.

    Content is checked member by member. Steps are what came before and goes back as it is: only their kind is needed.

    Raises:
        ArgumentError: naming the item that is neither, or that is wrong.
    """
    said: Said = []
    for number, item in enumerate(raw):
        kind = cast(JsonObject, item).get("type") if isinstance(item, dict) else None
        if not isinstance(kind, str):
            raise ArgumentError(f"input[{number}] has no type.", "Give text, or content or steps as the API has them.")
        if kind not in _CONTENTS:
            said.append(cast(JsonObject, item))
            continue
        try:
            said.append(_content_adapter().validate_python(item))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"][1:]))
            raise ArgumentError(f"input[{number}].{where}: {first['msg'].lower()}.") from None
    kinds = {isinstance(item, dict) for item in said}
    if len(kinds) > 1:
        raise ArgumentError("input mixes content and steps.", "Put content into a step of the type user_input.")
    return said


@cache
def _content_adapter() -> TypeAdapter[Content]:
    from typing import Annotated

    from pydantic import Field

    return TypeAdapter(Annotated[Content, Field(discriminator="type")])
