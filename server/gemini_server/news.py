"""What one open subscription still has to be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import anyio
from mcp.shared.subscriptions import ServerEvent, event_matches
from mcp_types import Notification, NotificationParams, SubscriptionFilter
from pydantic import ConfigDict


class TaskNotificationParams(NotificationParams):
    """A task as `tasks/get` gives it."""

    model_config = ConfigDict(extra="allow")


class TaskNotification(Notification[TaskNotificationParams, Literal["notifications/tasks"]]):
    """A task has changed."""

    method: Literal["notifications/tasks"] = "notifications/tasks"
    params: TaskNotificationParams


@dataclass(eq=False)
class News:
    """An open subscription, and the news that its client has not got yet.

    Attributes:
        honoured: what was acknowledged.
        uris: the resources, as they are published and as the client wrote them.
        tasks: the tasks, by the URI under which their jobs are published.
    """

    honoured: SubscriptionFilter
    uris: dict[str, str]
    tasks: dict[str, str]
    _news: dict[ServerEvent, None] = field(default_factory=dict[ServerEvent, None])
    _wake: anyio.Event = field(default_factory=anyio.Event)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._published = frozenset((*self.uris, *self.tasks))

    def hear(self, event: ServerEvent) -> None:
        """Keep an event that this client wants, until it is fetched."""
        if event_matches(self.honoured, self._published, event):
            self._news[event] = None
            self._wake.set()

    def close(self) -> None:
        """End it, after what is still to be told."""
        self._closed = True
        self._wake.set()

    async def next(self) -> ServerEvent | None:
        """The next event; None at the end."""
        while not self._news:
            if self._closed:
                return None
            self._wake = anyio.Event()
            await self._wake.wait()
        event = next(iter(self._news))
        del self._news[event]
        return event
