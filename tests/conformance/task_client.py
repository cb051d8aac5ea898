"""The `mcp` client with the Tasks extension, as an agent would have it: a task is polled until it has a result."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from socket import create_server
from typing import Any, Literal

import anyio
import httpx2
import uvicorn
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, NotificationBinding, ResultClaim
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.shared.memory import create_client_server_memory_streams
from mcp_types import CallToolResult, NotificationParams, Request, RequestParams, Result
from pydantic import ConfigDict

from gemini_server import app, http, settings
from gemini_server.http_address import ENDPOINT
from gemini_server.tasks import IDENTIFIER
from tests.conformance.application import build

MODERN = "2026-07-28"
Json = dict[str, Any]


class TaskRequestParams(RequestParams):
    """What the methods of the extension take."""

    model_config = ConfigDict(extra="allow")


class TaskRequest(Request[TaskRequestParams, str]):
    """`tasks/get`, `tasks/update` or `tasks/cancel`."""

    name_param = "taskId"


class Task(Result):
    """A task, or an acknowledgement, as it comes."""

    model_config = ConfigDict(extra="allow")

    @property
    def shown(self) -> Json:
        """What it says."""
        return dict(self.model_extra or {})


class Created(Task):
    """What a call is answered with instead of its result."""

    result_type: Literal["task"] = "task"


class Changed(NotificationParams):
    """What `notifications/tasks` brings."""

    model_config = ConfigDict(extra="allow")


Answer = Callable[[Json], Json]
"""Answers the requests of a task that waits for input, by their keys."""


async def ask(session: ClientSession, method: str, task_id: str, **params: Any) -> Json:
    """Call a method of the extension."""
    given = TaskRequestParams.model_validate({"taskId": task_id, **params})
    answer = await session.send_request(TaskRequest(method=method, params=given), Task)
    return answer.shown


class Tasks(ClientExtension):
    """Follows tasks to their end.

    Args:
        answer: answers what they ask.
    """

    identifier = IDENTIFIER

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer
        self.created: list[Json] = []
        self.changes: list[Json] = []
        self._news = anyio.Event()

    def claims(self) -> Sequence[ResultClaim[Any]]:
        """The result that is a task."""
        return (ResultClaim(result_type="task", model=Created, resolve=self.resolve),)

    def notifications(self) -> Sequence[NotificationBinding[Any]]:
        """Changes of tasks."""
        return (NotificationBinding(method="notifications/tasks", params_type=Changed, handler=self._changed),)

    async def _changed(self, params: Changed) -> None:
        self.changes.append(dict(params.model_extra or {}))
        self._news.set()

    async def change(self, wanted: Callable[[Json], bool]) -> Json:
        """Wait for a change."""
        with anyio.fail_after(10):
            while not (found := [change for change in self.changes if wanted(change)]):
                self._news = anyio.Event()
                await self._news.wait()
        return found[0]

    async def resolve(self, created: Created, ctx: ClaimContext) -> CallToolResult:
        """Poll a task until it has ended."""
        self.created.append(created.shown)
        return await self.follow(ctx.session, created.shown["taskId"])

    async def follow(self, session: ClientSession, task_id: str) -> CallToolResult:
        """The result of a task, when it has one.

        Raises:
            MCPError: the error of one that failed.
        """
        with anyio.fail_after(20):
            while True:
                task = await ask(session, "tasks/get", task_id)
                match task["status"]:
                    case "completed":
                        return CallToolResult.model_validate(task["result"])
                    case "failed":
                        raise MCPError(task["error"]["code"], task["error"]["message"])
                    case "cancelled":
                        raise MCPError(-1, "cancelled")
                    case "input_required" if self._answer is not None:
                        answers = self._answer(task["inputRequests"])
                        await ask(session, "tasks/update", task_id, inputResponses=answers)
                    case _:
                        await anyio.sleep(0.02)


@asynccontextmanager
async def in_memory(server: app.Published, mode: str = MODERN, **more: Any) -> AsyncGenerator[Client]:
    """A client of a server in this process, with the framing of stdio between them."""

    @asynccontextmanager
    async def transport() -> AsyncGenerator[Any]:
        async with (
            create_client_server_memory_streams() as (client_side, server_side),
            anyio.create_task_group() as group,
        ):
            group.start_soon(lambda: server.run(*server_side, server.create_initialization_options()))
            yield client_side
            group.cancel_scope.cancel()

    async with Client(transport(), mode=mode, read_timeout_seconds=20, **more) as client:
        yield client


class _Uvicorn(uvicorn.Server):
    """Without signal handlers, which are the tests' own."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class OverHttp:
    """The whole HTTP application, without a network.

    Args:
        given: the settings in force.
    """

    def __init__(self, given: settings.Settings) -> None:
        self.server = build(given)
        self.front = http.application(given, self.server, http.Readiness())
        self.url = "http://127.0.0.1:8765"

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[OverHttp]:
        """Serve without a network."""
        async with self.server.session_manager.run():
            yield self

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[str]:
        """Serve at a socket, for what streams; gives the URL."""
        socket = create_server(("127.0.0.1", 0))
        uvicorn_server = _Uvicorn(uvicorn.Config(self.front, log_config=None, lifespan="on", ws="none"))
        async with anyio.create_task_group() as group:
            group.start_soon(uvicorn_server.serve, [socket])
            yield f"http://127.0.0.1:{socket.getsockname()[1]}{ENDPOINT}"
            self.server.subscriptions.close()
            uvicorn_server.should_exit = True

    def raw(self, token: str = "") -> httpx2.AsyncClient:
        """A client that sends whatever it is told to."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self.front)
        return httpx2.AsyncClient(transport=transport, base_url=self.url, headers=headers, timeout=20)

    @asynccontextmanager
    async def client(self, mode: str = MODERN, *, token: str = "", **more: Any) -> AsyncGenerator[Client]:
        """The SDK's client."""
        async with self.raw(token) as http_client:
            over = streamable_http_client(f"{self.url}{ENDPOINT}", http_client=http_client)
            async with Client(over, mode=mode, read_timeout_seconds=20, **more) as client:
                yield client


@asynccontextmanager
async def over_network(url: str, token: str, **more: Any) -> AsyncGenerator[Client]:
    """The SDK's client of a server at a socket."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20, trust_env=False) as http_client:
        over = streamable_http_client(url, http_client=http_client)
        async with Client(over, mode=MODERN, read_timeout_seconds=20, **more) as client:
            yield client


def token_file(directory: Path, **tokens: str) -> Path:
    """A file of bearer tokens by principal."""
    path = directory / "tokens"
    path.write_text("".join(f"{principal}:{token}\n" for principal, token in tokens.items()))
    return path
