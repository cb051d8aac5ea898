"""What a server publishes, and how each of it is done: the packaged capabilities, or others in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
)

import gemini_tools
from gemini_server import surface
from gemini_server.caller import Context
from gemini_server.surface import PromptEntry, ResourceEntry, Surface, ToolEntry
from gemini_server.toolkit.call import Call

if TYPE_CHECKING:
    from gemini_server.jobs.job import Job
    from gemini_server.toolkit.exchange import Contents


class Capabilities(Protocol):
    """What is published, and how it is done; which of it is on, who may see it and how it travels is the server's.

    Every method may raise a `ToolserverError`, which callers read, and an `MCPError`, which is sent as it is.
    """

    @property
    def surface(self) -> Surface:
        """What can be published."""
        ...

    async def call_tool(
        self, entry: ToolEntry, call: Call, ctx: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Run a tool.

        Raises:
            HandedOver: in task mode, when its job is in the ledger.
        """
        ...

    async def finish(self, entry: ToolEntry, call: Call, job: Job) -> CallToolResult:
        """What the tool that began a job would have answered, now that the job has ended."""
        ...

    async def read_resource(self, entry: ResourceEntry, call: Call, parameters: dict[str, str], uri: str) -> Contents:
        """Read a resource."""
        ...

    async def get_prompt(
        self, entry: PromptEntry, call: Call, params: GetPromptRequestParams
    ) -> GetPromptResult | InputRequiredResult:
        """Fill a prompt."""
        ...

    async def complete(self, entry: ResourceEntry | PromptEntry, call: Call, argument: str, value: str) -> list[str]:
        """What an argument of a resource or prompt can be, given how it begins; nothing where nothing is known."""
        ...


class Packaged:
    """The capabilities of `gemini_tools`; each is imported when it is first used."""

    def __init__(self) -> None:
        self.surface = surface.load()

    async def call_tool(
        self, entry: ToolEntry, call: Call, ctx: Context, params: CallToolRequestParams
    ) -> CallToolResult:
        """Run a tool."""
        from gemini_server.toolkit import exchange

        tool = gemini_tools.load(entry.module).tools[entry.name]
        return await exchange.call_tool(tool, call, params.arguments or {})

    async def finish(self, entry: ToolEntry, call: Call, job: Job) -> CallToolResult:
        """The result of a job."""
        from gemini_server.toolkit import exchange

        tool = gemini_tools.load(entry.module).tools[entry.name]
        return await exchange.finish_tool(tool, call, job)

    async def read_resource(self, entry: ResourceEntry, call: Call, parameters: dict[str, str], uri: str) -> Contents:
        """Read a resource."""
        from gemini_server.toolkit import exchange

        resource = gemini_tools.load(entry.module).resources[entry.uri]
        return await exchange.read_resource(resource, call, parameters, uri)

    async def get_prompt(self, entry: PromptEntry, call: Call, params: GetPromptRequestParams) -> GetPromptResult:
        """Fill a prompt."""
        from gemini_server.toolkit import exchange

        prompt = gemini_tools.load(entry.module).prompts[entry.name]
        return await exchange.get_prompt(prompt, call, params.arguments or {})

    async def complete(self, entry: ResourceEntry | PromptEntry, call: Call, argument: str, value: str) -> list[str]:
        """What an argument can be."""
        toolset = gemini_tools.load(entry.module)
        if isinstance(entry, ResourceEntry):
            completions = toolset.resources[entry.uri].complete
        else:
            completions = toolset.prompts[entry.name].complete
        function = completions.get(argument)
        return [] if function is None else await function(call, value)
