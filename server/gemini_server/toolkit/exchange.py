"""Between MCP and the capabilities: results and errors become protocol objects in this one place."""

from __future__ import annotations

import logging
from typing import Any

from mcp_types import CallToolResult, ContentBlock, ImageContent, TextContent

from gemini_server.errors import ToolserverError
from gemini_server.redaction import hide_known, redact
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Resource, Tool

_log = logging.getLogger(__name__)

ERROR_META = "gemini-toolserver/error"
"""Where programs find an error's code, status and retry_after; the model reads the text."""
PICTURE_LIMIT = 700 * 1024
"""Base64 characters of pictures in one result: clients refuse events above 1 MiB."""


async def call_tool(tool: Tool, call: Call, arguments: dict[str, Any]) -> CallToolResult:
    """Run a tool; every anticipated failure is a result that says what, why and what to do next."""
    try:
        result = await tool.function(call=call, **tool.parse(arguments))
        return CallToolResult(content=_blocks(result), structured_content=hide_known(result.structured()))
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
    blocks: list[ContentBlock] = [TextContent(type="text", text=hide_known(text)) for text in result.as_blocks()]
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
    return blocks


def failure(error: ToolserverError) -> CallToolResult:
    """An error result: the sentence for the model, the facts for programs."""
    facts = {"code": error.code, "status": error.status, "retry_after": error.retry_after, "retries": error.retries}
    shown = {name: value for name, value in facts.items() if value not in (None, 0)}
    return CallToolResult(
        content=[TextContent(type="text", text=redact(str(error)))], is_error=True, _meta={ERROR_META: shown}
    )


def refusal(text: str) -> CallToolResult:
    """An error result of plain words."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


async def read_resource(resource: Resource, call: Call, parameters: dict[str, str]) -> str:
    """Read a resource as JSON.

    Raises:
        ToolserverError: an anticipated failure; `NotFound` when there is no such thing.
    """
    value = await resource.function(call, **parameters)
    if isinstance(value, str):
        return value
    return value.as_json() if isinstance(value, Result) else value.model_dump_json(exclude_none=True)
