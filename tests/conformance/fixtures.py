"""The capabilities that the official conformance suites call by name, in the place of Gemini's.

They are published, found, listed, called, handed over as tasks and kept as jobs by the server's own code: only what a
tool does, and what a resource or prompt says, is made up here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    PromptMessage,
    TextContent,
)

from gemini_server import surface
from gemini_server.caller import Context
from gemini_server.errors import ToolserverError
from gemini_server.jobs.job import Job
from gemini_server.surface import PromptEntry, ResourceEntry, ToolEntry
from gemini_server.toolkit import exchange, jobs, work
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.exchange import Contents

Json = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

MODULE = "conformance"
WORK = Path(__file__).with_name("work")


@dataclass(frozen=True)
class Asked:
    """One call of a fixture.

    Attributes:
        ctx: the request, with the session for what is sent back meanwhile.
        call: as a packaged tool gets it.
        params: what was sent.
        bus: where changes are published.
    """

    ctx: Context
    call: Call
    params: CallToolRequestParams
    bus: InMemorySubscriptionBus

    @property
    def arguments(self) -> Json:
        """The arguments of the call."""
        return self.params.arguments or {}


ToolFunction = Callable[[Asked], Awaitable[CallToolResult | InputRequiredResult]]
Finish = Callable[[Call, Job], Awaitable[CallToolResult]]
ReadFunction = Callable[..., Awaitable[Contents]]
PromptFunction = Callable[[GetPromptRequestParams], Awaitable[GetPromptResult | InputRequiredResult]]

TOOLS: dict[str, tuple[Json, ToolFunction, Finish | None]] = {}
RESOURCES: dict[str, tuple[Json, ReadFunction]] = {}
PROMPTS: dict[str, tuple[Json, PromptFunction]] = {}


def tool(
    description: str,
    properties: Json | None = None,
    *,
    required: tuple[str, ...] = (),
    schema: Json | None = None,
    finish: Finish | None = None,
) -> Callable[[ToolFunction], ToolFunction]:
    """Publish a function, under its own name, as a tool; with `finish`, as one that may be had as a task."""

    def register(function: ToolFunction) -> ToolFunction:
        name = str(getattr(function, "__name__", ""))
        given = schema or {"type": "object", "properties": properties or {}, "required": list(required)}
        shown = {"name": name, "description": description, "inputSchema": given}
        TOOLS[name] = (shown, function, finish)
        return function

    return register


def resource(uri: str, mime_type: str) -> Callable[[ReadFunction], ReadFunction]:
    """Publish a function of the URI and its parameters as a resource."""

    def register(function: ReadFunction) -> ReadFunction:
        name = str(getattr(function, "__name__", ""))
        key = "uriTemplate" if "{" in uri else "uri"
        shown = {key: uri, "name": name, "description": f"The fixture {name}.", "mimeType": mime_type}
        RESOURCES[uri] = (shown, function)
        return function

    return register


def prompt(description: str, *arguments: str) -> Callable[[PromptFunction], PromptFunction]:
    """Publish a function, under its own name, as a prompt whose arguments are all needed."""

    def register(function: PromptFunction) -> PromptFunction:
        name = str(getattr(function, "__name__", ""))
        needed = [{"name": one, "description": f"The argument {one}.", "required": True} for one in arguments]
        PROMPTS[name] = ({"name": name, "description": description, "arguments": needed}, function)
        return function

    return register


def said(text: str, *, is_error: bool = False) -> CallToolResult:
    """A result of plain words."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)


def message(text: str) -> PromptMessage:
    """What a user says."""
    return PromptMessage(role="user", content=TextContent(type="text", text=text))


class Fixtures:
    """The fixtures as `Capabilities`.

    Attributes:
        surface: everything that is published.
        bus: where changes are published; the server's own, once there is one.
    """

    def __init__(self) -> None:
        for module in ("plain", "questions", "background"):
            import_module(f"tests.conformance.{module}")  # which publishes what is in it
        if str(WORK) not in work.__path__:
            work.__path__.append(str(WORK))
        self.bus = InMemorySubscriptionBus()
        self.surface = surface.parse(
            {
                "tools": [
                    {"module": MODULE, "toolset": MODULE, "default": True, "shown": shown, "task": finish is not None}
                    for shown, _, finish in TOOLS.values()
                ],
                "resources": [
                    {"module": MODULE, "uri": uri, "shown": shown, "completes": []}
                    for uri, (shown, _) in RESOURCES.items()
                ],
                "prompts": [{"module": MODULE, "tools": [], "shown": shown} for shown, _ in PROMPTS.values()],
            }
        )

    async def call_tool(
        self, entry: ToolEntry, call: Call, ctx: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Run a fixture."""
        _, function, _ = TOOLS[entry.name]
        try:
            return await function(Asked(ctx, call, params, self.bus))
        except ToolserverError as error:
            return exchange.failure(error)

    async def finish(self, entry: ToolEntry, call: Call, job: Job) -> CallToolResult:
        """The result of a fixture's job."""
        _, _, finish = TOOLS[entry.name]
        assert finish is not None
        return await finish(call, job)

    async def read_resource(self, entry: ResourceEntry, call: Call, parameters: dict[str, str], uri: str) -> Contents:
        """Read a fixture."""
        _, function = RESOURCES[entry.uri]
        return await function(call, uri, **parameters)

    async def get_prompt(
        self, entry: PromptEntry, call: Call, params: GetPromptRequestParams
    ) -> GetPromptResult | InputRequiredResult:
        """Fill a fixture."""
        _, function = PROMPTS[entry.name]
        return await function(params)

    async def complete(self, entry: ResourceEntry | PromptEntry, call: Call, argument: str, value: str) -> list[str]:
        """Some words."""
        return [word for word in ("paris", "park", "party") if word.startswith(value)]


async def ended(call: Call, job: Job) -> CallToolResult:
    """What a job brought, as its tool says it."""
    error = jobs.failure(job)
    return said(str(job.result["text"])) if error is None else exchange.failure(error)
