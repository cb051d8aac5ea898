"""The composition root: settings and capabilities become an MCP server. The only module that knows everyone."""

from __future__ import annotations

import dataclasses
import difflib
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server import CacheHint, Server, ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplateReference,
)
from pydantic import SecretStr

import gemini_tools
from gemini_server import surface
from gemini_server.errors import ArgumentError, SetupError, ToolserverError
from gemini_server.redaction import redact, remember_secret
from gemini_server.rest.config import ClientConfig
from gemini_server.settings import APP, Settings
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.disk import AllowedDirectories
from gemini_server.toolkit.progress import Progress
from gemini_server.toolkit.runtime import Runtime
from gemini_server.version import package_version

if TYPE_CHECKING:
    from gemini_server.toolkit.exchange import Contents

INSTRUCTIONS = (
    "Google's Gemini models as tools. Media are given as one string: a path, an https:// or gs:// URL, a YouTube link, "
    "files/ID or a data: URI. Results carry usage.cost_usd, and `warnings` where something is worth knowing; "
    "`incomplete` means that part of the answer is missing. server_status tells what is wrong when calls fail."
)
LIST_TTL_MS = 300_000
PRINCIPAL = "gemini_toolserver.principal"
"""Where the HTTP front leaves the caller's name in the request's scope."""
LOCAL = "local"
"""The caller's name where nobody presents a token: over stdio, and over HTTP on loopback."""
COMPLETIONS = 100
"""The protocol's limit of values in one completion."""

_log = logging.getLogger(__name__)

Context = ServerRequestContext[Runtime, Any]


class Published(Server[Runtime]):
    """The MCP server, and how its host ends it.

    Attributes:
        listens: the open subscriptions; closing them tells clients that the end is on purpose.
    """

    listens: ListenHandler


def build(settings: Settings) -> Published:
    """An MCP server for these settings; nothing is opened, connected or imported that a call may not need.

    Raises:
        UnsafeSetting: settings that name tools that do not exist, would leak the key, or could never work.
    """
    return _Publisher(_checked(settings)).server


def _checked(settings: Settings) -> Settings:
    """The settings, refused now if the first call would refuse them."""
    if settings.allow_dirs is None and settings.http is None and _at_the_root():
        # Desktop applications start their servers in /, which is not what "the working directory" is meant to allow.
        settings = dataclasses.replace(settings, allow_dirs=())
    if not settings.emulate:
        key = SecretStr(settings.key) if settings.key else None
        ClientConfig(base_url=settings.base_url, key=key, allow_http=settings.allow_http)
    AllowedDirectories(settings.allow_dirs or ())
    return settings


def _at_the_root() -> bool:
    try:
        where = Path.cwd()
    except OSError:  # it was removed
        return True
    return where == Path(where.anchor)


class _Publisher:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        published = surface.load()
        self.all_tools = {tool.name: tool for tool in published.tools}
        self.tools = {tool.name: tool for tool in published.enabled(settings)}
        self.resources = published.resources
        self.prompts = {prompt.name: prompt for prompt in published.prompts if prompt.fits(self.tools)}
        self.listens = ListenHandler(InMemorySubscriptionBus())
        if settings.key:
            remember_secret(settings.key)
        listed = CacheHint(ttl_ms=LIST_TTL_MS, scope="public")
        self.server = Published(
            APP,
            version=package_version(),
            title="Gemini",
            instructions=INSTRUCTIONS,
            lifespan=self.lifespan,
            cache_hints={
                "tools/list": listed,
                "resources/list": listed,
                "resources/templates/list": listed,
                "prompts/list": listed,
                "server/discover": listed,
            },
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_list_resources=self.list_resources,
            on_list_resource_templates=self.list_templates,
            on_read_resource=self.read_resource,
            on_list_prompts=self.list_prompts,
            on_get_prompt=self.get_prompt,
            on_completion=self.complete,
            on_subscriptions_listen=self.listens,
        )
        self.server.listens = self.listens

    @asynccontextmanager
    async def lifespan(self, _: Server[Runtime]) -> AsyncGenerator[Runtime]:
        settings = self.settings
        async with AsyncExitStack() as stack:
            if settings.emulate:
                from gemini_emulator import Options, running

                emulator = await stack.enter_async_context(running(Options()))
                settings = dataclasses.replace(
                    settings,
                    base_url=emulator.url,
                    # A key is a secret, and is hidden wherever it appears: it must be no word.
                    key="emulator-needs-no-key",
                    auth="api-key",
                    # What an emulator said must not mix with what Gemini said and cost.
                    state_dir=settings.resolved_state_dir() / "emulated",
                )
            runtime = Runtime(settings, version=package_version(), enabled=tuple(self.tools))
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(runtime.keep_books)
                    yield runtime
                    tasks.cancel_scope.cancel()
            finally:
                self.listens.close()
                with anyio.move_on_after(2.0, shield=True):
                    await runtime.aclose()

    async def list_tools(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult.model_validate({"tools": [tool.shown for tool in self.tools.values()]})

    async def call_tool(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        from gemini_server.toolkit import exchange

        entry = self.tools.get(params.name)
        if entry is None:
            return exchange.failure(self.no_tool(params.name))
        tool = gemini_tools.load(entry.module).tools[entry.name]
        return await exchange.call_tool(tool, _call(ctx), params.arguments or {})

    def no_tool(self, name: str) -> ToolserverError:
        known = self.all_tools.get(name)
        if known is None:
            close = difflib.get_close_matches(name, self.tools, n=2)
            listing = f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(self.tools)}."
            return ArgumentError(f"There is no tool {name!r}.", listing)
        if self.settings.read_only and not known.read_only:
            return SetupError(
                f"{name} changes something, and this server is read-only.", "Start it without --read-only."
            )
        return SetupError(
            f"{name} is switched off.", f"Start the server with --tools {name} or --toolsets {known.toolset}."
        )

    async def list_resources(self, ctx: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        return ListResourcesResult.model_validate({"resources": [r.shown for r in self.resources if not r.is_template]})

    async def list_templates(self, ctx: Context, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult.model_validate(
            {"resourceTemplates": [r.shown for r in self.resources if r.is_template]}
        )

    async def read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        for entry in self.resources:
            parameters = entry.match(uri)
            if parameters is not None:
                return ReadResourceResult(contents=[await _read(entry, _call(ctx), parameters, uri)])
        raise MCPError(INVALID_PARAMS, f"There is no resource {uri}.", {"uri": uri})

    async def list_prompts(self, ctx: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
        return ListPromptsResult.model_validate({"prompts": [prompt.shown for prompt in self.prompts.values()]})

    async def get_prompt(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        from gemini_server.toolkit import exchange

        entry = self.prompt(params.name)
        prompt = gemini_tools.load(entry.module).prompts[entry.name]
        try:
            return await exchange.get_prompt(prompt, _call(ctx), params.arguments or {})
        except ToolserverError as error:
            code = INVALID_PARAMS if isinstance(error, ArgumentError) else INTERNAL_ERROR
            raise MCPError(code, redact(str(error)), {"name": entry.name}) from None

    def prompt(self, name: str) -> surface.PromptEntry:
        entry = self.prompts.get(name)
        if entry is None:
            listing = f"There are: {', '.join(self.prompts)}." if self.prompts else "No prompt's tools are switched on."
            raise MCPError(INVALID_PARAMS, f"There is no prompt {name[:80]!r}. {listing}")
        return entry

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        values: list[str] = []
        if isinstance(params.ref, ResourceTemplateReference):
            entry = next((r for r in self.resources if r.uri == str(params.ref.uri)), None)
            if entry is None:
                raise MCPError(INVALID_PARAMS, f"There is no resource template {params.ref.uri}.")
            function = gemini_tools.load(entry.module).resources[entry.uri].complete.get(params.argument.name)
        else:
            prompt = self.prompt(params.ref.name)
            function = gemini_tools.load(prompt.module).prompts[prompt.name].complete.get(params.argument.name)
        if function is not None:
            try:
                values = await function(_call(ctx), params.argument.value)
            except ToolserverError as error:
                # Completions are a convenience: their failure is no error of the caller's.
                _log.info("no completions: %s", error.what)
        more = len(values) > COMPLETIONS
        return CompleteResult(completion=Completion(values=values[:COMPLETIONS], total=len(values), has_more=more))


async def _read(entry: surface.ResourceEntry, call: Call, parameters: dict[str, str], uri: str) -> Contents:
    from gemini_server.toolkit import exchange

    resource = gemini_tools.load(entry.module).resources[entry.uri]
    try:
        return await exchange.read_resource(resource, call, parameters, uri)
    except ToolserverError as error:
        code = INVALID_PARAMS if isinstance(error, ArgumentError) else INTERNAL_ERROR
        raise MCPError(code, redact(str(error)), {"uri": uri}) from None


def _call(ctx: Context) -> Call:
    wanted = ctx.meta is not None and "progress_token" in ctx.meta
    scope = getattr(ctx.request, "scope", None)
    # A request that came around the front has no name in it: better a crash than somebody else's conversations.
    principal = LOCAL if scope is None else scope[PRINCIPAL]
    return Call(ctx.lifespan_context, principal, Progress(ctx.session.report_progress if wanted else None))
