"""The Tasks extension (`io.modelcontextprotocol/tasks`): jobs of the ledger as tasks that a client asks after.

The server decides. A tool that begins a job answers with a task where the request declares the extension, and waits for
its job otherwise. A task's id is the job's: it cannot be guessed, and is looked up among the caller's own jobs each
time, so that a foreign id and an unknown one give the same answer. A job that came to nothing is a task that is
`completed` with the tool's error: `failed` is for errors of the protocol alone.

Source: the extension's specification for 2026-07-28 (ext-tasks).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import HEADER_MISMATCH, INTERNAL_ERROR, INVALID_PARAMS, CallToolRequestParams, RequestParams
from mcp_types.methods import serialize_server_result
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from gemini_server.caller import Context, call_of
from gemini_server.capabilities import Capabilities
from gemini_server.errors import ArgumentError, NotFound, ToolserverError
from gemini_server.redaction import redact
from gemini_server.surface import ToolEntry

if TYPE_CHECKING:
    from gemini_server.jobs.job import Job

IDENTIFIER = "io.modelcontextprotocol/tasks"
MODERN = frozenset(MODERN_PROTOCOL_VERSIONS)
TTL_MS_LIMIT = 2**31 - 1
"""The longest time, 24 days, for which a timer of JavaScript can be set; a longer one would go off at once."""
POLL_MS = (1_000, 5_000)
"""How soon and how late a client should ask again: a tenth of a job's age, between these."""

_STATUS = {
    "input_required": "input_required",
    "done": "completed",
    "failed": "completed",
    "unknown": "completed",
    "cancelled": "cancelled",
}

_log = logging.getLogger(__name__)

Json = dict[str, Any]


class TaskParams(RequestParams):
    """Names a task."""

    task_id: str


class TaskUpdateParams(TaskParams):
    """Answers what a task waits for, by the keys of its `inputRequests`."""

    input_responses: dict[str, Json]


def declared(ctx: Context) -> bool:
    """Whether a request says that its client can handle tasks."""
    capabilities = ctx.session.client_capabilities
    return ctx.protocol_version in MODERN and capabilities is not None and IDENTIFIER in (capabilities.extensions or {})


def takes_task(ctx: Context, entry: ToolEntry) -> bool:
    """Whether a call of a tool is to be answered with a task."""
    return entry.task and declared(ctx)


def require(ctx: Context) -> None:
    """Refuse a client that did not declare the extension.

    Raises:
        MCPError: -32021, naming the extension.
    """
    require_client_extension(ctx, IDENTIFIER)


class Tasks(Extension):
    """The extension.

    Args:
        capabilities: the tools, which make the results of their jobs.
    """

    identifier = IDENTIFIER

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._entries = {entry.name: entry for entry in capabilities.surface.tools}

    def methods(self) -> Sequence[MethodBinding]:
        """The methods that the extension adds, in the revisions that it belongs to."""
        return (
            MethodBinding("tasks/get", TaskParams, self.get, MODERN),
            MethodBinding("tasks/update", TaskUpdateParams, self.update, MODERN),
            MethodBinding("tasks/cancel", TaskParams, self.cancel, MODERN),
        )

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Context, call_next: CallNext
    ) -> HandlerResult:
        """Answer with a task where the tool has begun a job that nobody waits for."""
        entry = self._entries.get(params.name)
        if entry is None or not takes_task(ctx, entry):
            return await call_next(ctx)
        from gemini_server.toolkit.jobs import HandedOver

        try:
            return await call_next(ctx)
        except HandedOver as handed:
            return {"resultType": "task", **_task(ctx, handed.job)}

    async def get(self, ctx: Context, params: TaskParams) -> Json:
        """`tasks/get`: how a task stands, with its result when it has one."""
        async with _checked(ctx, params):
            return await self.detailed(ctx, params.task_id)

    async def update(self, ctx: Context, params: TaskUpdateParams) -> Json:
        """`tasks/update`: answer what a task waits for; what it does not wait for is passed over."""
        async with _checked(ctx, params):
            job = await _job(ctx, params.task_id)
            asked = _outstanding(job)
            answers = {key: answer for key, answer in params.input_responses.items() if key in asked}
            if answers:
                try:
                    await ctx.lifespan_context.runner.answer(job.principal, job.id, answers)
                except NotFound:
                    raise
                except ArgumentError as error:
                    # It has gone on since: an answer that comes too late is no fault of the client's.
                    _log.info("an answer for job %s was not wanted any more: %s", job.id, error.what)
            return {}

    async def cancel(self, ctx: Context, params: TaskParams) -> Json:
        """`tasks/cancel`: ask for a task to be stopped; one that has ended stays as it is."""
        async with _checked(ctx, params):
            await ctx.lifespan_context.runner.cancel(call_of(ctx).principal, params.task_id)
            return {}

    async def detailed(self, ctx: Context, task_id: str) -> Json:
        """A task with what its status brings: its result, its error, or what it waits for.

        Raises:
            NotFound: it is unknown, or not this caller's.
        """
        job = await _job(ctx, task_id)
        task = _task(ctx, job)
        if task["status"] == "input_required":
            task["inputRequests"] = _outstanding(job)
        elif task["status"] == "completed":
            task |= await self._outcome(ctx, job)
        return task

    async def _outcome(self, ctx: Context, job: Job) -> Json:
        entry = self._entries.get(job.tool)
        try:
            if entry is None or not entry.task:
                raise MCPError(INTERNAL_ERROR, f"This server has no tool {job.tool} that could give the result.")
            result = await self._capabilities.finish(entry, call_of(ctx), job)
            dumped = result.model_dump(by_alias=True, mode="json", exclude_none=True)
            return {"result": serialize_server_result("tools/call", ctx.protocol_version, dumped)}
        except MCPError as error:
            code, message = error.error.code, redact(error.error.message)
        except ValidationError:
            _log.exception("the result of job %s (%s) is no result of a tool", job.id, job.tool)
            code, message = (
                INTERNAL_ERROR,
                "The tool's result is invalid; the details are in the server's log (stderr).",
            )
        return {"status": "failed", "statusMessage": message, "error": {"code": code, "message": message}}


@asynccontextmanager
async def _checked(ctx: Context, params: TaskParams) -> AsyncGenerator[None]:
    """Refuses what may not be asked, and says what went wrong in the words of the protocol."""
    headers = getattr(ctx.request, "headers", None)
    if headers is not None and decode_header_value(headers.get(MCP_NAME_HEADER)) != params.task_id:
        raise MCPError(HEADER_MISMATCH, f"The {MCP_NAME_HEADER} header is not the request's taskId.")
    require(ctx)
    try:
        yield
    except NotFound:
        raise MCPError(INVALID_PARAMS, f"There is no task {params.task_id[:64]!a}.") from None
    except ToolserverError as error:
        raise MCPError(INTERNAL_ERROR, redact(str(error))) from None


async def _job(ctx: Context, task_id: str) -> Job:
    return await ctx.lifespan_context.jobs.get(call_of(ctx).principal, task_id)


def _outstanding(job: Job) -> Json:
    """What a job still waits for."""
    if job.state != "input_required":
        return {}
    return {key: request for key, request in (job.inputs or {}).items() if key not in (job.answers or {})}


def _task(ctx: Context, job: Job) -> Json:
    status = _STATUS.get(job.state, "working")
    if status == "input_required" and not _outstanding(job):
        status = "working"  # it has been answered, and not gone on yet
    age = max(0.0, (datetime.now(UTC) - job.created).total_seconds())
    soon, late = POLL_MS
    task: Json = {
        "taskId": job.id,
        "status": status,
        "createdAt": _time(job.created),
        "lastUpdatedAt": _time(job.updated),
        # A job is kept for so long after it has ended; so nothing is promised that is not kept.
        "ttlMs": min(ctx.lifespan_context.settings.keep_days * 86_400_000, TTL_MS_LIMIT),
        "pollIntervalMs": min(max(soon, int(age * 100)), late),
    }
    said, _ = ctx.lifespan_context.runner.note(job.id)
    failure = job.failure()
    message = said or job.message or ("" if failure is None else failure.what)
    if message:
        task["statusMessage"] = redact(message)
    return task


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
