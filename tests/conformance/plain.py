"""Tools, resources and prompts that say something and are done: every kind of content, errors, progress, changes."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import anyio
from mcp.server.subscriptions import PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    GetPromptRequestParams,
    GetPromptResult,
    ImageContent,
    PromptMessage,
    TextContent,
    TextResourceContents,
)

from gemini_server.errors import ToolserverError
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.jobs import job_out
from tests.conformance.fixtures import Asked, Json, message, prompt, resource, said, tool

STEP_SECONDS = 0.05
"""Between two notifications of one call, so that they reach a client one by one."""


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


PNG = _base64(
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
    + _chunk(b"IEND", b"")
)
"""One red pixel."""
WAV = _base64(
    b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    + b"data" + struct.pack("<IHH", 4, 0, 0)
)  # fmt: skip
"""Two samples of silence."""


def _content(*blocks: ContentBlock) -> CallToolResult:
    return CallToolResult(content=list(blocks))


def _picture() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def _embedded(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, text=text, mime_type=mime_type))


# -- tools -------------------------------------------------------------------------------------------------------------


@tool("Says something simple.")
async def test_simple_text(asked: Asked) -> CallToolResult:
    return said("This is a simple text response for testing.")


@tool("Shows a picture.")
async def test_image_content(asked: Asked) -> CallToolResult:
    return _content(_picture())


@tool("Plays a sound.")
async def test_audio_content(asked: Asked) -> CallToolResult:
    return _content(AudioContent(type="audio", data=WAV, mime_type="audio/wav"))


@tool("Embeds a resource.")
async def test_embedded_resource(asked: Asked) -> CallToolResult:
    return _content(_embedded("test://embedded-resource", "This is an embedded resource content."))


@tool("Says something, shows a picture, embeds a resource.")
async def test_multiple_content_types(asked: Asked) -> CallToolResult:
    data = json.dumps({"test": "data", "value": 123})
    return _content(
        TextContent(type="text", text="Multiple content types test:"),
        _picture(),
        _embedded("test://mixed-content-resource", data, "application/json"),
    )


@tool("Fails.")
async def test_error_handling(asked: Asked) -> CallToolResult:
    raise ToolserverError("This tool intentionally returns an error for testing.")


@tool("Reports how far it is.")
async def test_tool_with_progress(asked: Asked) -> CallToolResult:
    for percent in (0, 50, 100):
        await asked.ctx.session.report_progress(percent, 100, f"{percent} %")
        await anyio.sleep(STEP_SECONDS)
    return said("Reported.")


async def _log(asked: Asked, *lines: str) -> None:
    session: Any = asked.ctx.session  # this method of it is deprecated, and still to be tested
    for line in lines:
        await session.send_log_message("info", line, related_request_id=asked.ctx.request_id)
        await anyio.sleep(STEP_SECONDS)


@tool("Logs what it does.")
async def test_tool_with_logging(asked: Asked) -> CallToolResult:
    await _log(asked, "Tool execution started", "Tool processing data", "Tool execution completed")
    return said("Logged.")


@tool("Logs something, for those who want to hear it.")
async def test_logging_tool(asked: Asked) -> CallToolResult:
    await _log(asked, "A line.")
    return said("Logged.")


@tool("Needs a client that can sample.")
async def test_missing_capability(asked: Asked) -> CallToolResult:
    capabilities = asked.ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        needed: Json = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs a client that can sample.", needed)
    return said("The client can sample.")


@tool("Publishes a change of the list of tools.")
async def test_trigger_tool_change(asked: Asked) -> CallToolResult:
    await asked.bus.publish(ToolsListChanged())
    return said("Published.")


@tool("Publishes a change of the list of prompts.")
async def test_trigger_prompt_change(asked: Asked) -> CallToolResult:
    await asked.bus.publish(PromptsListChanged())
    return said("Published.")


@tool("Takes an argument that is also a header.", {"region": {"type": "string", "x-mcp-header": "Region"}})
async def test_x_mcp_header(asked: Asked) -> CallToolResult:
    return said(f"Region: {asked.arguments.get('region')}")


SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {"$anchor": "addressDef", "type": "object", "properties": {"town": {"type": "string"}}},
    },
    "properties": {
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


@tool("Has a schema with the words of JSON Schema 2020-12.", schema=SCHEMA)
async def json_schema_2020_12_tool(asked: Asked) -> CallToolResult:
    return said(json.dumps(asked.arguments))


# -- resources ---------------------------------------------------------------------------------------------------------


@resource("test://static-text", "text/plain")
async def static_text(call: Call, uri: str) -> TextResourceContents:
    return TextResourceContents(uri=uri, text="The content of the static text.", mime_type="text/plain")


@resource("test://static-binary", "image/png")
async def static_binary(call: Call, uri: str) -> BlobResourceContents:
    return BlobResourceContents(uri=uri, blob=PNG, mime_type="image/png")


@resource("test://template/{id}/data", "application/json")
async def template(call: Call, uri: str, id: str) -> TextResourceContents:  # noqa: A002  the template's name
    data = json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})
    return TextResourceContents(uri=uri, text=data, mime_type="application/json")


@resource("test://watched-resource", "text/plain")
async def watched(call: Call, uri: str) -> TextResourceContents:
    return TextResourceContents(uri=uri, text="Nothing has changed.", mime_type="text/plain")


@resource("gemini://jobs/{id}", "application/json")
async def job(call: Call, uri: str, id: str) -> TextResourceContents:  # noqa: A002  the template's name
    shown = await job_out(call, await call.runtime.jobs.get(call.principal, id))
    return TextResourceContents(uri=uri, text=shown.as_json(), mime_type="application/json")


# -- prompts -----------------------------------------------------------------------------------------------------------


def _messages(*messages: PromptMessage) -> GetPromptResult:
    return GetPromptResult(messages=list(messages))


@prompt("A simple prompt.")
async def test_simple_prompt(params: GetPromptRequestParams) -> GetPromptResult:
    return _messages(message("This is a simple prompt for testing."))


@prompt("A prompt with arguments.", "arg1", "arg2")
async def test_prompt_with_arguments(params: GetPromptRequestParams) -> GetPromptResult:
    given = params.arguments or {}
    return _messages(message(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))


@prompt("A prompt with a resource in it.", "resourceUri")
async def test_prompt_with_embedded_resource(params: GetPromptRequestParams) -> GetPromptResult:
    uri = (params.arguments or {})["resourceUri"]
    embedded = _embedded(uri, "Embedded resource content for testing.")
    return _messages(PromptMessage(role="user", content=embedded), message("Please process the embedded resource."))


@prompt("A prompt with a picture in it.")
async def test_prompt_with_image(params: GetPromptRequestParams) -> GetPromptResult:
    return _messages(PromptMessage(role="user", content=_picture()), message("Please analyze the image above."))
