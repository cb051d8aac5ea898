"""What an emulator does by itself, without being asked: triggers run at their time, ends of work are announced.

It looks after each request and whenever the clock is put forward; in between it waits for the next thing to come due.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from anyio import to_thread

from .exchange import Service
from .trigger_runs import catch_up
from .webhook_delivery import News, deliver
from .webhook_news import Ended, ended, next_end
from .webhook_store import Webhook

_LONGEST = timedelta(days=1)


@asynccontextmanager
async def clockwork(service: Service) -> AsyncGenerator[None]:
    """Go on until the block ends; deliveries that are still on their way then are given up."""
    works = _Clockwork(service)
    running = asyncio.create_task(works.run(), name="gemini-emulator-clockwork")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await works.stop()


class _Clockwork:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        while True:
            due = self._step()
            await self._service.clock.wait(due)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _step(self) -> datetime:
        """Do what is due; when to look again at the latest. Nothing is awaited here, so that no waking is missed."""
        service = self._service
        more = [catch_up(service)]
        for one in ended(service):
            if one.uris or any(service.webhooks.subscribers(kind) for kind in one.kinds):
                self._start(self._announce(one))
        more.append(next_end(service))
        return min((moment for moment in more if moment), default=service.clock() + _LONGEST)

    async def _announce(self, one: Ended) -> None:
        for news in await to_thread.run_sync(one.tell, abandon_on_cancel=True):
            for webhook in self._service.webhooks.subscribers(news.kind):
                self._start(self._tell_subscriber(webhook, replace(news, metadata={})))
            for uri in one.uris:
                self._start(self._tell_caller(uri, news))

    async def _tell_subscriber(self, webhook: Webhook, news: News) -> None:
        clock = self._service.clock
        if not await deliver(clock, webhook.uri, news, webhook.keys(clock())):
            webhook.state = "disabled_due_to_failed_deliveries"
            self._service.webhooks.touch(webhook)

    async def _tell_caller(self, uri: str, news: News) -> None:
        await deliver(self._service.clock, uri, news, None)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
