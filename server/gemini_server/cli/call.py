"""`gemini-toolserver call`: one tool, from a shell, through a real MCP client."""

from __future__ import annotations

import difflib
import json
import os
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import anyio
from mcp import Client
from mcp_types import CallToolResult, ResourceLink, TextContent, Tool

from gemini_server import surface
from gemini_server.cli import arguments, peer
from gemini_server.cli.choices import Choices
from gemini_server.cli.progress import display
from gemini_server.errors import ArgumentError, SetupError

Shape = Literal["text", "json", "raw"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    tool: str
    pairs: tuple[str, ...]
    json: str
    shape: Shape
    choices: Choices
    url: str = ""
    token_file: Path | None = None


def run(wanted: Wanted) -> int:
    """Call the tool and print what it returned; the exit status."""
    try:
        return anyio.run(_run, wanted)
    except peer.Gone as gone:
        if gone.code != peer.LOST:
            raise
        print(f"gemini-toolserver: {gone}", file=sys.stderr)
        return 1


async def _run(wanted: Wanted) -> int:
    async with _client(wanted) as client:
        tool = await _tool(client, wanted.tool)
        given = arguments.parse(tool.name, tool.input_schema, wanted.pairs, wanted.json, _stdin)
        with display(tool.name) as shown:
            result = await client.call_tool(tool.name, given, progress_callback=shown.report)
    _show(result, wanted.shape)
    return 1 if result.is_error else 0


def _client(wanted: Wanted) -> AbstractAsyncContextManager[Client]:
    if wanted.url:
        if wanted.choices.given():
            raise ArgumentError(
                "--url calls a server that runs already, with its own settings.",
                "Leave out --emulate, --allow-dir, --output-dir and --state-dir.",
            )
        return peer.reached(wanted.url, peer.token_for(wanted.token_file, os.environ))
    known = [tool.name for tool in surface.load().tools]
    if wanted.tool not in known:
        raise _no_tool(wanted.tool, known)
    # Whoever names a tool wants it on, whatever the preset; whoever types a relative path means it, wherever they are.
    directories = wanted.choices.allow_dirs
    if not directories and not os.environ.get("GEMINI_TOOLSERVER_ALLOW_DIRS"):
        directories = (Path.cwd(),)
    return peer.started(replace(wanted.choices, tools=(wanted.tool,), allow_dirs=directories))


async def _tool(client: Client, name: str) -> Tool:
    tools: list[Tool] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    for tool in tools:
        if tool.name == name:
            return tool
    if name in (tool.name for tool in surface.load().tools):
        raise SetupError(
            f"{name} is not switched on in this server.",
            f"Start it with --tools {name}; where that is said already, GEMINI_TOOLSERVER_READ_ONLY or "
            "GEMINI_TOOLSERVER_EXCLUDE_TOOLS hides it.",
        )
    raise _no_tool(name, [tool.name for tool in tools])


def _no_tool(name: str, known: list[str]) -> ArgumentError:
    # What is on by default is meant more often than what few have use for.
    preset = [tool.name for tool in surface.load().tools if tool.default and tool.name in known]
    close = difflib.get_close_matches(name, preset, n=2) or difflib.get_close_matches(name, known, n=2)
    listing = f"Did you mean {' or '.join(close)}?" if close else "`gemini-toolserver tools --toolsets all` lists them."
    return ArgumentError(f"There is no tool {name!r}.", listing)


def _stdin() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _show(result: CallToolResult, shape: Shape) -> None:
    if shape == "raw":
        print(result.model_dump_json(by_alias=True, exclude_none=True))
        return
    out = sys.stderr if result.is_error else sys.stdout
    if shape == "json" and not result.is_error and result.structured_content is not None:
        print(json.dumps(result.structured_content, ensure_ascii=False, indent=2))
        return
    for block in result.content:
        if isinstance(block, TextContent):
            print(block.text, file=out)
        elif isinstance(block, ResourceLink):
            print(f"{block.name}: {block.uri}", file=out)
        else:
            print(f"[{block.type}: not shown here; --raw prints it]", file=sys.stderr)
