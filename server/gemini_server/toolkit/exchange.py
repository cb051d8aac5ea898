"""Between MCP and the capabilities: results and errors become protocol objects in this one place."""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from mcp_types import (
    Annotations,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    GetPromptResult,
    ImageContent,
    PromptMessage,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from gemini_server.errors import ToolserverError
from gemini_server.redaction import hide_known, redact
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.jobs import HandedOver
from gemini_server.toolkit.results import ArtifactOut, Blob, Result
from gemini_server.toolkit.toolset import Prompt, Resource, Tool

if TYPE_CHECKING:
    from gemini_server.jobs.job import Job

_log = logging.getLogger(__name__)

ERROR_META = "gemini-toolserver/error"
"""Where programs find an error's code, status and retry_after; the model reads the text."""
PICTURE_LIMIT = 700 * 1024
"""Base64 characters of pictures in one result: clients refuse events above 1 MiB."""
LINK_FOR_ALL = 64 * 1024
"""Bytes of a linked file above which the link is for the user alone: some clients read links into the context."""

_TEXTS = ("application/json", "application/jsonl", "application/x-subrip")
"""Types beside text/* whose bytes are shown as text."""

JSON = "application/json"

Contents = TextResourceContents | BlobResourceContents


async def call_tool(tool: Tool, call: Call, arguments: dict[str, Any]) -> CallToolResult:
    """Run a tool; every anticipated failure is a result that says what, why and what to do next.

    Raises:
        HandedOver: in task mode, when the tool's job is in the ledger.
    """

    async def run() -> Result:
        return await tool.function(call=call, **tool.parse(arguments))

    return await _answer(tool, run())


async def finish_tool(tool: Tool, call: Call, job: Job) -> CallToolResult:
    """What a tool would have answered had its caller waited: the result of a job that has ended, or how it failed."""
    if tool.finish is None:
        raise TypeError(f"{tool.name} begins no jobs")
    return await _answer(tool, tool.finish(call, job))


async def _answer(tool: Tool, work: Awaitable[Result]) -> CallToolResult:
    try:
        result = await work
        # The SDK checks every result when it is written: checking it here as well would be work for nothing.
        return CallToolResult.model_construct(
            content=_blocks(result), structured_content=hide_known(result.structured()), is_error=False
        )
    except HandedOver:
        raise
    except ToolserverError as error:
        _log.info("%s failed: %s", tool.name, error.what)
        return failure(error)
    except Exception:  # noqa: BLE001  a crash of one call must not end the others; the log has the traceback
        _log.exception("%s crashed", tool.name)
        return refusal(
            f"{tool.name} failed because of a fault in this server; the details are in its log (stderr). "
            "Other tools may still work. If a paid request was under way, it may have been billed."
        )


def _blocks(result: Result) -> list[ContentBlock]:
    texts = result.as_blocks()
    artifacts = result.artifacts_shown()
    unnamed = [f"[artifact] {artifact}" for artifact in artifacts if not any(artifact.uri in text for text in texts)]
    if unnamed:
        texts = [*texts, "\n".join(unnamed)]
    blocks: list[ContentBlock] = [TextContent(type="text", text=hide_known(text)) for text in texts]
    room = PICTURE_LIMIT
    for picture in result.pictures():
        if len(picture.data) <= room:
            room -= len(picture.data)
            blocks.append(ImageContent(type="image", data=picture.data, mime_type=picture.mime_type))
        else:
            size = len(picture.data) * 3 // 4
            blocks.append(
                TextContent(type="text", text=f"[a picture of {size} bytes ({picture.mime_type}) is left out]")
            )
    return [*blocks, *map(_link, artifacts)]


def _link(artifact: ArtifactOut) -> ResourceLink:
    name = PurePath(artifact.path).name if artifact.path else artifact.id
    return ResourceLink(
        type="resource_link",
        uri=artifact.uri,
        name=name,
        mime_type=artifact.mime_type,
        size=artifact.bytes,
        annotations=Annotations(audience=["user"]) if artifact.bytes > LINK_FOR_ALL else None,
    )


def failure(error: ToolserverError) -> CallToolResult:
    """An error result: the sentence for the model, the facts for programs."""
    facts = {
        "code": error.code,
        "status": error.status,
        "retry_after": error.retry_after,
        "retries": error.retries,
        "usage": error.usage,
    }
    shown = {name: value for name, value in facts.items() if value not in (None, 0)}
    return CallToolResult(
        content=[TextContent(type="text", text=redact(str(error)))], is_error=True, _meta={ERROR_META: shown}
    )


def refusal(text: str) -> CallToolResult:
    """An error result of plain words."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


async def read_resource(resource: Resource, call: Call, parameters: dict[str, str], uri: str) -> Contents:
    """Read a resource: JSON, text, or bytes.

    Raises:
        ToolserverError: an anticipated failure; `NotFound` when there is no such thing.
    """
    value = await resource.function(call, **parameters)
    if isinstance(value, Blob):
        return await anyio.to_thread.run_sync(_contents, value, uri)
    if isinstance(value, Result):
        value = value.as_json()
    elif not isinstance(value, str):
        value = value.model_dump_json(exclude_none=True)
    return TextResourceContents(uri=uri, text=value, mime_type=JSON)


def _contents(blob: Blob, uri: str) -> Contents:
    if blob.mime_type.startswith("text/") or blob.mime_type in _TEXTS:
        try:
            text = blob.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
        else:
            return TextResourceContents(uri=uri, text=hide_known(text), mime_type=blob.mime_type)
    data = base64.b64encode(blob.data).decode("ascii")
    return BlobResourceContents(uri=uri, blob=data, mime_type=blob.mime_type)


async def get_prompt(prompt: Prompt, call: Call, arguments: dict[str, str]) -> GetPromptResult:
    """Fill a prompt: what to ask an agent, and links to the files it is about.

    Raises:
        ToolserverError: an anticipated failure; `ArgumentError` for arguments that it does not take.
    """
    asked = await prompt.function(call=call, **prompt.parse(arguments))
    contents: list[ContentBlock] = [TextContent(type="text", text=hide_known(asked.text))]
    contents += map(_link, asked.artifacts)
    messages = [PromptMessage(role="user", content=content) for content in contents]
    return GetPromptResult(description=prompt.description, messages=messages)
