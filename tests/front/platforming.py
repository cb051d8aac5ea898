"""What the tests of the platform's tools share: calls that must succeed, or fail, and what went out."""

from __future__ import annotations

import re
from typing import Any

from mcp import Client

from tests.conftest import error_of, structured

Json = dict[str, Any]

ON: Json = {"toolsets": ("all",), "poll": 0.02}


async def do(client: Client, tool: str, **arguments: Any) -> Json:
    """The result of a tool."""
    return structured(await client.call_tool(tool, arguments))


async def fails(client: Client, tool: str, **arguments: Any) -> str:
    """The text of a tool failing."""
    return error_of(await client.call_tool(tool, arguments))


def unnamed(path: str) -> str:
    """A path with the ids left out that the emulator made."""
    return re.sub(r"/(environment|trigger|webhook|voice)s/[^/:]+", r"/\1s/ID", path)
