"""Who hears of which change: `subscriptions/listen` of 2026-07-28, and `resources/subscribe` of the revisions before.

What changes while the server runs are jobs: a subscriber to `gemini://jobs/{id}` is told to read it again, and one to
the task of that id gets the task itself. Only a caller's own jobs can be subscribed to; a foreign one and an unknown
one are treated alike. What happens again before a slow client was told of it is told once: nothing grows meanwhile.

The SDK's `ListenHandler` accepts every URI from everybody and knows nothing of tasks; hence this one, on the SDK's bus.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import anyio
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY, InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import event_to_notification
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    EmptyResult,
    ServerNotification,
    SubscribeRequestParams,
    SubscriptionFilter,
    SubscriptionsAcknowledgedNotification,
    SubscriptionsAcknowledgedNotificationParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from gemini_server import tasks
from gemini_server.caller import Context, call_of
from gemini_server.errors import NotFound, ToolserverError
from gemini_server.news import News, TaskNotification, TaskNotificationParams
from gemini_server.redaction import redact

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

STREAMS = 1024
"""Subscriptions that are open at once."""
URIS = 256
"""Resources, and tasks, in one subscription; what is beyond is not acknowledged."""
RHYTHM = 0.25
"""Seconds between two rounds of news: a download says many times a second how far it is."""

_JOBS = "gemini://jobs/"

_log = logging.getLogger(__name__)


class Subscriptions:
    """The open subscriptions of a server.

    Args:
        known: whether there is such a resource.
        extension: gives tasks to those who follow them.

    Attributes:
        bus: where changes are published.
    """

    def __init__(self, known: Callable[[str], bool], extension: tasks.Tasks) -> None:
        self.bus = InMemorySubscriptionBus()
        self._known = known
        self._extension = extension
        self._streams: set[News] = set()
        self._legacy: dict[tuple[str, str], tuple[ServerSession, str]] = {}

    # -- changes -------------------------------------------------------------------------------------------------------

    async def follow(self, changes: AsyncIterator[tuple[str, str]]) -> None:
        """Publish the changes of jobs, given as principal and id, for as long as they come."""
        changed: set[str] = set()
        wake = anyio.Event()

        async def collect() -> None:
            try:
                async for _, job in changes:
                    changed.add(job)
                    wake.set()
            except ToolserverError as error:
                _log.warning("subscribers hear of no job any more: %s", error)

        async with anyio.create_task_group() as group:
            group.start_soon(collect)
            while True:
                await wake.wait()
                wake = anyio.Event()
                now, changed = changed, set[str]()
                for job in now:
                    await self._publish(f"{_JOBS}{job}")
                await anyio.sleep(RHYTHM)

    async def _publish(self, uri: str) -> None:
        await self.bus.publish(ResourceUpdated(uri))
        for key, (session, written) in list(self._legacy.items()):
            if key[1] == uri:
                try:
                    await session.send_resource_updated(written)
                except Exception as error:  # noqa: BLE001  whatever a connection that has gone says
                    _log.info("a subscriber has gone: %s", type(error).__name__)
                    self._legacy.pop(key, None)

    def close(self) -> None:
        """End every subscription; their clients hear that it is on purpose."""
        self._legacy.clear()
        for stream in self._streams:
            stream.close()

    # -- 2026-07-28 ----------------------------------------------------------------------------------------------------

    async def listen(self, ctx: Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """Serve one `subscriptions/listen`: its response is the stream, until the client or the server ends it."""
        number = ctx.request_id
        if number is None:
            raise MCPError(INVALID_REQUEST, "subscriptions/listen needs a request id.")
        if len(self._streams) >= STREAMS:
            raise _full()
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: number}
        stream = await self._stream(ctx, params.notifications)

        async def send(notification: ServerNotification) -> None:
            await ctx.session.send_notification(notification, related_request_id=number)

        # Before the acknowledgement, so that nothing is lost while that is on its way.
        unsubscribe = self.bus.subscribe(stream.hear)
        self._streams.add(stream)
        try:
            acknowledged = SubscriptionsAcknowledgedNotificationParams(notifications=stream.honoured, _meta=meta)
            await send(SubscriptionsAcknowledgedNotification(params=acknowledged))
            for task in stream.tasks.values():
                # It may have ended before anybody listened: then nothing more would ever come.
                for notification in await self._task(ctx, task, meta):
                    await send(notification)
            while (event := await stream.next()) is not None:
                for notification in await self._notifications(ctx, stream, event, meta):
                    await send(notification)
        finally:
            unsubscribe()
            self._streams.discard(stream)
        return SubscriptionsListenResult(_meta=meta)

    async def _stream(self, ctx: Context, asked: SubscriptionFilter) -> News:
        """What a client asked for, without what it may not have."""
        wanted_tasks: object = (asked.model_extra or {}).get("taskIds")
        if wanted_tasks is not None:
            tasks.require(ctx)
        uris: dict[str, str] = {}
        for uri in (asked.resource_subscriptions or ())[:URIS]:
            if (published := await self._published(ctx, uri)) is not None:
                uris[published] = uri
        followed: dict[str, str] = {}
        for task in _names(wanted_tasks)[:URIS]:
            if await _owns(ctx, task):
                followed[f"{_JOBS}{task}"] = task
        honoured: dict[str, Any] = {
            "toolsListChanged": asked.tools_list_changed or None,
            "promptsListChanged": asked.prompts_list_changed or None,
            "resourcesListChanged": asked.resources_list_changed or None,
            "resourceSubscriptions": list(uris.values()) or None,
        }
        if followed:
            honoured["taskIds"] = list(followed.values())
        return News(SubscriptionFilter.model_validate(honoured), uris, followed)

    async def _notifications(
        self, ctx: Context, stream: News, event: ServerEvent, meta: dict[str, Any]
    ) -> list[ServerNotification]:
        if not isinstance(event, ResourceUpdated):
            return [event_to_notification(event, meta)]
        told: list[ServerNotification] = []
        if event.uri in stream.uris:
            told.append(event_to_notification(ResourceUpdated(stream.uris[event.uri]), meta))
        if event.uri in stream.tasks:
            told += await self._task(ctx, stream.tasks[event.uri], meta)
        return told

    async def _task(self, ctx: Context, task: str, meta: dict[str, Any]) -> list[ServerNotification]:
        try:
            detailed = await self._extension.detailed(ctx, task)
        except ToolserverError as error:
            _log.warning("the follower of job %s could not be told of it: %s", task, error.what)
            return []
        params = TaskNotificationParams.model_validate({**detailed, "_meta": meta})
        # The SDK's type is the closed list of the protocol's own notifications; an extension has more.
        return [cast("ServerNotification", TaskNotification(params=params))]

    # -- before 2026-07-28 ---------------------------------------------------------------------------------------------

    async def subscribe(self, ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
        """Serve `resources/subscribe`, for as long as the connection lasts."""
        uri = str(params.uri)
        published = await self._published(ctx, uri)
        if published is None:
            raise MCPError(INVALID_PARAMS, f"There is no resource {uri}.", {"uri": uri})
        if len(self._legacy) >= STREAMS:
            raise _full()
        self._legacy[_connection(ctx), published] = (ctx.session, uri)
        return EmptyResult()

    async def unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        """Serve `resources/unsubscribe`."""
        uri = str(params.uri)
        self._legacy.pop((_connection(ctx), _canonical(uri)), None)
        return EmptyResult()

    # -- who may hear of what ------------------------------------------------------------------------------------------

    async def _published(self, ctx: Context, uri: str) -> str | None:
        """The URI under which a resource's changes are published; None when this caller has no such resource."""
        if not self._known(uri):
            return None
        job = _job(uri)
        return None if job is not None and not await _owns(ctx, job) else _canonical(uri)


async def _owns(ctx: Context, job: str) -> bool:
    try:
        await ctx.lifespan_context.jobs.get(call_of(ctx).principal, job)
    except NotFound:
        return False
    except ToolserverError as error:
        raise MCPError(INTERNAL_ERROR, redact(str(error))) from None
    return True


def _job(uri: str) -> str | None:
    """The job that a URI is of."""
    return unquote(uri.removeprefix(_JOBS)) if uri.startswith(_JOBS) else None


def _canonical(uri: str) -> str:
    job = _job(uri)
    return uri if job is None else f"{_JOBS}{job}"


def _connection(ctx: Context) -> str:
    """Which connection a request came over: there is one over stdio, and one for each session over HTTP."""
    headers = getattr(ctx.request, "headers", None)
    return "" if headers is None else str(headers.get("mcp-session-id"))


def _names(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) for name in cast("list[object]", value)):
        raise MCPError(INVALID_PARAMS, "notifications.taskIds is not a list of task ids.")
    return cast("list[str]", value)


def _full() -> MCPError:
    return MCPError(INTERNAL_ERROR, "This server has as many subscriptions open as it takes.")
