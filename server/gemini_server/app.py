"""The composition root: settings and capabilities become an MCP server. The only module that knows everyone."""

from __future__ import annotations

import dataclasses
import difflib
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
from mcp.server import CacheHint, Server
from mcp.server.context import HandlerResult
from mcp.server.extension import MethodBinding, RequestHandler, compose_tool_call_handler
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
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

from gemini_server.caller import Context, call_of
from gemini_server.capabilities import Capabilities, Packaged
from gemini_server.errors import ArgumentError, SetupError, ToolserverError
from gemini_server.redaction import redact, remember_secret
from gemini_server.rest.config import ClientConfig
from gemini_server.settings import APP, Settings
from gemini_server.subscriptions import Subscriptions
from gemini_server.surface import PromptEntry, ResourceEntry
from gemini_server.tasks import Tasks, takes_task
from gemini_server.toolkit.disk import AllowedDirectories
from gemini_server.toolkit.runtime import Runtime
from gemini_server.version import package_version

INSTRUCTIONS = (
    "Google's Gemini models as tools. Media are given as one string: a path, an https:// or gs:// URL, a YouTube link, "
    "files/ID or a data: URI. Results carry usage.cost_usd, and `warnings` where something is worth knowing; "
    "`incomplete` means that part of the answer is missing. server_status tells what is wrong when calls fail."
)
LIST_TTL_MS = 300_000
COMPLETIONS = 100
"""The protocol's limit of values in one completion."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Published(Server[Runtime]):
    """The MCP server, and how its host ends it.

    Attributes:
        subscriptions: the open ones; closing them tells clients that the end is on purpose.
        base: the URL under which callers reach it, set by an HTTP host before it serves; artifacts have links then.
        runtime: what its calls share, while it runs.
    """

    subscriptions: Subscriptions
    base: str | None = None
    runtime: Runtime | None = None


def build(settings: Settings, capabilities: Capabilities | None = None, *, lasting: bool | None = None) -> Published:
    """An MCP server for these settings; nothing is opened, connected or imported that a call may not need.

    Args:
        settings: the settings in force.
        capabilities: what is published; the packaged tools, resources and prompts when None.
        lasting: whether clients of the older revisions have a connection over which they can hear of changes later;
            when None, over stdio they have, and over HTTP, where they have no sessions, they have not.

    Raises:
        UnsafeSetting: settings that name tools that do not exist, would leak the key, or could never work.
    """
    settings = _checked(settings)
    lasting = settings.http is None if lasting is None else lasting
    return _Publisher(settings, capabilities or Packaged(), lasting=lasting).server


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
    def __init__(self, settings: Settings, capabilities: Capabilities, *, lasting: bool) -> None:
        self.settings = settings
        self.capabilities = capabilities
        published = capabilities.surface
        self.all_tools = {tool.name: tool for tool in published.tools}
        self.tools = {tool.name: tool for tool in published.enabled(settings)}
        self.resources = published.resources
        self.prompts = {prompt.name: prompt for prompt in published.prompts if prompt.fits(self.tools)}
        extension = Tasks(capabilities)
        self.subscriptions = Subscriptions(self.known, extension)
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
            on_list_resources=self.list_resources,
            on_list_resource_templates=self.list_templates,
            on_read_resource=self.read_resource,
            on_subscribe_resource=self.subscriptions.subscribe if lasting else None,
            on_unsubscribe_resource=self.subscriptions.unsubscribe if lasting else None,
            on_list_prompts=self.list_prompts,
            on_get_prompt=self.get_prompt,
            on_completion=self.complete,
            on_subscriptions_listen=self.subscriptions.listen,
        )
        self.server.subscriptions = self.subscriptions
        self.extend(extension)

    def extend(self, extension: Tasks) -> None:
        """Apply an extension, as the SDK's `MCPServer` does, which this server's low-level one leaves to its owner."""
        for method in extension.methods():
            self.server.add_request_handler(method.method, method.params_type, _in_its_revisions(method))
        self.server.extensions[extension.identifier] = extension.settings()
        call_tool = compose_tool_call_handler((extension,), self.call_tool)
        self.server.add_request_handler("tools/call", CallToolRequestParams, call_tool)

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
                    poll=min(settings.poll, 0.25),
                )
            runtime = Runtime(settings, version=package_version(), enabled=tuple(self.tools))
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(runtime.keep_books)
                    tasks.start_soon(runtime.drive)
                    tasks.start_soon(self.subscriptions.follow, runtime.changes())
                    if self.server.base is not None:
                        tasks.start_soon(runtime.sign_links, self.server.base)
                        await runtime.signs_links()
                    self.server.runtime = runtime
                    yield runtime
                    tasks.cancel_scope.cancel()
            finally:
                self.server.runtime = None
                self.subscriptions.close()
                with anyio.move_on_after(2.0, shield=True):
                    await runtime.aclose()

    async def list_tools(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult.model_validate({"tools": [tool.shown for tool in self.tools.values()]})

    async def call_tool(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        entry = self.tools.get(params.name)
        if entry is not None:
            call = call_of(ctx, as_task=takes_task(ctx, entry))
            return await self.capabilities.call_tool(entry, call, ctx, params)
        from gemini_server.toolkit import exchange

        return exchange.failure(self.no_tool(params.name))

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

    def known(self, uri: str) -> bool:
        """Whether there is such a resource."""
        return any(entry.match(uri) is not None for entry in self.resources)

    async def read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        for entry in self.resources:
            parameters = entry.match(uri)
            if parameters is not None:
                reading = self.capabilities.read_resource(entry, call_of(ctx), parameters, uri)
                return ReadResourceResult(contents=[await _translated(reading, {"uri": uri})])
        raise MCPError(INVALID_PARAMS, f"There is no resource {uri}.", {"uri": uri})

    async def list_prompts(self, ctx: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
        return ListPromptsResult.model_validate({"prompts": [prompt.shown for prompt in self.prompts.values()]})

    async def get_prompt(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
        entry = self.prompt(params.name)
        return await _translated(self.capabilities.get_prompt(entry, call_of(ctx), params), {"name": entry.name})

    def prompt(self, name: str) -> PromptEntry:
        entry = self.prompts.get(name)
        if entry is None:
            listing = f"There are: {', '.join(self.prompts)}." if self.prompts else "No prompt's tools are switched on."
            raise MCPError(INVALID_PARAMS, f"There is no prompt {name[:80]!r}. {listing}")
        return entry

    def template(self, uri: str) -> ResourceEntry:
        entry = next((r for r in self.resources if r.uri == uri), None)
        if entry is None:
            raise MCPError(INVALID_PARAMS, f"There is no resource template {uri}.")
        return entry

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        values: list[str] = []
        ref, argument = params.ref, params.argument
        entry = self.template(str(ref.uri)) if isinstance(ref, ResourceTemplateReference) else self.prompt(ref.name)
        try:
            values = await self.capabilities.complete(entry, call_of(ctx), argument.name, argument.value)
        except ToolserverError as error:
            # Completions are a convenience: their failure is no error of the caller's.
            _log.info("no completions: %s", error.what)
        more = len(values) > COMPLETIONS
        return CompleteResult(completion=Completion(values=values[:COMPLETIONS], total=len(values), has_more=more))


async def _translated(work: Awaitable[T], data: dict[str, str]) -> T:
    """What the work gives; a failure that was anticipated is an error of the protocol."""
    try:
        return await work
    except ToolserverError as error:
        code = INVALID_PARAMS if isinstance(error, ArgumentError) else INTERNAL_ERROR
        raise MCPError(code, redact(str(error)), data) from None


def _in_its_revisions(method: MethodBinding) -> RequestHandler:
    """The method, unknown in the revisions of the protocol to which it does not belong."""

    async def handle(ctx: Context, params: Any) -> HandlerResult:
        if method.protocol_versions is not None and ctx.protocol_version not in method.protocol_versions:
            raise MCPError(METHOD_NOT_FOUND, "Method not found", method.method)
        return await method.handler(ctx, params)

    return handle
