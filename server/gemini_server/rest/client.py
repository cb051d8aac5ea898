"""The client: calls, streams and pages of any endpoint, with retries inside one deadline."""

from __future__ import annotations

import random as random_module
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self, cast

import anyio
import httpx2
from opentelemetry.trace import Span
from pydantic import BaseModel
from pydantic_core import to_json

from gemini_server.errors import BadAnswer, ToolserverError

from . import answer, backend, connection, failure, trace
from .attempts import Attempts, OnRetry
from .backend import Asked
from .body import Body, RawJson, encode, rewritten
from .complaint import complaint_of
from .config import ClientConfig
from .download import OpenDownload
from .downloads import Downloads
from .endpoint import AnswerT, Empty, Endpoint, Reply
from .exchange import Exchange, Order
from .link import Links
from .retry import AttemptError, Fault
from .route import QueryValue, Routes
from .stream import EventStream
from .upload import Uploads

Query = Mapping[str, QueryValue]

_MAX_PAGES = 1000
_DOWNLOAD = Endpoint("GET", "{link}:download", Empty)  # the name of the span, nothing else


class GeminiClient:
    """One client per process: one connection pool, one retry budget.

    Args:
        config: where Gemini is, the key, the limits.
        transport: what sends instead of the network (tests).
        clock: monotonic seconds, for deadlines and the retry budget.
        sleep: waits between attempts.
        random: 0 to 1, for the jitter.
        wall: seconds since 1970, for dates in headers and for the reset of daily quotas.

    Attributes:
        config: as given.
        backend: whose API is at the base URL.
        in_flight: how many calls and open streams there are at the moment.
        uploads: sends files.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        random: Callable[[], float] = random_module.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.in_flight = 0
        self._clock = clock
        self._wall = wall
        self.host = config.url.host
        self.backend = backend.of(config)
        self._routes = Routes(config.url, config.api_version, self.backend.version)
        self._exchange = Exchange(config, transport)
        self._attempts = Attempts(config, self._exchange, clock=clock, sleep=sleep, random=random, wall=wall)
        links = Links(config.url, self._routes, self.backend.storage)
        self._downloads = Downloads(config, links, self._exchange, self._attempts, wall)
        self.uploads = Uploads(config, self._routes, self._exchange, self._attempts, wall)

    async def call(
        self,
        endpoint: Endpoint[AnswerT],
        *,
        body: BaseModel | RawJson | None = None,
        query: Query | None = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
        **path: str,
    ) -> Reply[AnswerT]:
        """Calls an endpoint and reads its whole answer.

        Args:
            endpoint: what to call.
            body: the request; unset fields are not sent. `RawJson` goes as it is.
            query: parameters that the endpoint knows; None is left out, a bool becomes `true` or `false`.
            timeout: seconds for the call with all its retries, if less than the client's.
            on_retry: is told before each wait.
            **path: the values of the path template, such as `model="models/gemini-3.8-flash"`.

        Raises:
            ToolserverError: any of the tree; `retries` says how many further attempts were made.
        """
        return await self._call(endpoint, body, query, timeout, on_retry, path)

    async def _call(
        self,
        endpoint: Endpoint[AnswerT],
        body: BaseModel | RawJson | None,
        query: Query | None,
        timeout: float | None,
        on_retry: OnRetry | None,
        path: Mapping[str, str],
    ) -> Reply[AnswerT]:
        asked = self.backend.asked(endpoint, path, query)

        async def take(response: httpx2.Response, deadline: float) -> Any:
            return await self._read(response, asked.endpoint)

        with _Watch(self, endpoint, path) as watch:
            order = await self._order(asked, body, watch.span, sse=False)
            value, watch.retries = await self._attempts.run(order, take, timeout, on_retry)
            return Reply(value if asked.answered is None else asked.answered(value), watch.retries)

    def stream(
        self,
        endpoint: Endpoint[AnswerT],
        *,
        body: BaseModel | RawJson | None = None,
        query: Query | None = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
        **path: str,
    ) -> AbstractAsyncContextManager[EventStream[AnswerT]]:
        """Calls an endpoint whose answer is a stream of events.

        Entering waits for the first event, and retries until then; nothing is repeated after it. Leaving early drops
        the connection. `alt=sse` is added for the generateContent family; an Interactions request says `stream` in its
        body.

        Args:
            endpoint: what to call; its answer type is that of one event.
            body: as for `call`.
            query: as for `call`.
            timeout: seconds for the whole stream with all retries, if less than the client's.
            on_retry: as for `call`.
            **path: as for `call`.

        Raises:
            ToolserverError: on entering, any of the tree; while iterating see `EventStream`.
        """
        return self._stream(endpoint, body, query, timeout, on_retry, path)

    @asynccontextmanager
    async def _stream(
        self,
        endpoint: Endpoint[AnswerT],
        body: BaseModel | RawJson | None,
        query: Query | None,
        timeout: float | None,
        on_retry: OnRetry | None,
        path: Mapping[str, str],
    ) -> AsyncGenerator[EventStream[AnswerT]]:
        asked = self.backend.asked(endpoint, path, query)

        async def take(response: httpx2.Response, deadline: float) -> EventStream[AnswerT]:
            events = EventStream(response, endpoint, self.config, deadline=deadline, clock=self._clock, wall=self._wall)
            await events.begin()
            return events

        with _Watch(self, endpoint, path) as watch:
            order = await self._order(asked, body, watch.span, sse=True)
            events, watch.retries = await self._attempts.run(order, take, timeout, on_retry)
            events.retries = watch.retries
            try:
                yield events
            finally:
                await events.aclose()

    async def pages(
        self,
        endpoint: Endpoint[Any],
        *,
        items: str,
        cap: int = 1000,
        query: Query | None = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
        **path: str,
    ) -> tuple[list[Any], bool]:
        """All items of a list endpoint, page after page.

        Args:
            endpoint: a list method that takes `pageToken` (of the Interactions family: `page_token`); its answer has
                `next_page_token` and the field `items`.
            items: the Python name of the field that holds the items.
            cap: the most items that are returned.
            query: as for `call`; a `pageToken` in it is the first page.
            timeout: seconds for each page, if less than the client's.
            on_retry: as for `call`.
            **path: as for `call`.

        Returns:
            The items, and whether there are more than these. A token that comes a second time ends the list.

        Raises:
            ToolserverError: as for `call`.
        """
        found: list[Any] = []
        asked: dict[str, QueryValue] = dict(query or {})
        tokens: set[str] = set()
        for _ in range(_MAX_PAGES):
            reply = await self._call(endpoint, None, asked, timeout, on_retry, path)
            found += cast("list[Any] | None", getattr(reply.value, items, None)) or ()
            token = cast("str | None", getattr(reply.value, "next_page_token", None))
            if len(found) >= cap:
                return found[:cap], len(found) > cap or bool(token)
            if not token:
                return found, False
            if token in tokens:
                break
            tokens.add(token)
            asked["page_token" if "page_token" in endpoint.query else "pageToken"] = token
        return found, True

    def follows(self, uri: str) -> bool:
        """Whether a link that an answer named is one that `open_download` follows; nothing is sent."""
        return self._downloads.follows(uri)

    @asynccontextmanager
    async def open_download(
        self,
        uri: str,
        *,
        offset: int = 0,
        if_range: str | None = None,
        timeout: float | None = None,
        on_retry: OnRetry | None = None,
    ) -> AsyncGenerator[OpenDownload]:
        """Asks for the file behind a link that an answer named; entering waits for its first bytes.

        The key goes only to the base URL's own origin, and hosts that are not Google's are refused before anything is
        connected (see `redirect`). A link of the API itself is asked of the base URL (see `link`).

        Args:
            uri: a URL or a resource name.
            offset: from which byte on; the server may begin at 0 all the same (see `Download.offset`).
            if_range: the `etag` of the bytes that are there: the server begins at 0 when it has another version.
            timeout: seconds until the first byte with all retries, if less than the client's. After it only silence for
                the idle timeout ends the download.
            on_retry: as for `call`.

        Raises:
            BadAnswer: the link is not one to follow, or what came is not a file.
            NotFound: the link has expired, or never led anywhere.
            ToolserverError: any other of the tree; `retries` says how many further attempts were made.
        """
        with _Watch(self, _DOWNLOAD, {}) as watch:
            headers = trace.headers(watch.span)
            async with self._downloads.open(uri, offset, if_range, timeout, on_retry, headers) as opened:
                watch.retries = opened.about.retries
                yield opened

    async def aclose(self) -> None:
        """Closes the connections; a later call opens new ones."""
        await self._exchange.aclose()

    async def _order(self, asked: Asked, body: BaseModel | RawJson | None, span: Span, *, sse: bool) -> Order:
        self._exchange.require_key()
        endpoint = asked.endpoint
        if asked.body is not None:
            sent: Body | None = encode(RawJson(to_json(asked.body)))
        elif body is None or asked.rewrite is None:
            sent = None if body is None else encode(body)
        else:
            sent = await rewritten(body, asked.rewrite)
        return Order(
            method=endpoint.method,
            url=self._routes.url(endpoint, asked.names, asked.query, sse=sse and endpoint.family == "google"),
            body=sent,
            repeat=endpoint.repeat,
            headers=trace.headers(span),
            sse=sse,
        )

    async def _read(self, response: httpx2.Response, endpoint: Endpoint[AnswerT]) -> AnswerT:
        """The answer of a good response."""
        config, repeat = self.config, endpoint.repeat
        try:
            data = await answer.read(response, cap=config.max_answer_bytes, idle=config.idle_timeout)
        except answer.CutError as exc:
            raise AttemptError(connection.cut(exc, response.status_code, repeat)) from exc
        error = answer.refusal(endpoint.answer, data)
        if error is not None:
            fault = failure.fault_of(complaint_of(error), response.headers, repeat=repeat, wall=self._wall)
            raise AttemptError(failure.under_way(fault, endpoint))
        try:
            billed = endpoint.billed or repeat != "read"
            return await answer.parse(endpoint.answer, data, response.status_code, billed=billed)
        except BadAnswer as exc:
            if repeat != "read":
                # A good status: the work was done, whatever became of its result.
                exc.remedy = f"It may have been billed. {exc.remedy}"
            raise AttemptError(Fault(exc, again=repeat == "read")) from exc.__cause__


class _Watch:
    """Counts a call as in flight, and keeps its span."""

    __slots__ = ("_client", "retries", "span")

    def __init__(self, client: GeminiClient, endpoint: Endpoint[Any], path: Mapping[str, str]) -> None:
        self._client = client
        self.retries = 0
        self.span = trace.begin(endpoint, path.get("model"), client.host)

    def __enter__(self) -> Self:
        self._client.in_flight += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.in_flight -= 1
        retries = error.retries if isinstance(error, ToolserverError) else self.retries
        trace.end(self.span, retries, error)
