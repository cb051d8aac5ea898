"""The WebSocket client against a server on loopback: where the key goes, what is refused, what an end means."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from gemini_server.api.config import Written
from gemini_server.errors import (
    BadAnswer,
    ConnectionFailed,
    KeyMissing,
    KeyRefused,
    NotFound,
    Overloaded,
    RateLimited,
    RequestRefused,
    ToolserverError,
)
from gemini_server.rest import credentials, websocket
from gemini_server.rest.config import ClientConfig
from gemini_server.rest.endpoint import Wire
from gemini_server.rest.socket_end import SocketClosed
from gemini_server.rest.websocket import Socket

pytestmark = pytest.mark.anyio

KEY = "test-key-of-a-websocket"
SOON = 5.0


class Sent(Written):
    """What goes."""

    first_word: str | None = None
    unset: str | None = None


class Heard(Wire):
    """What comes."""

    answer: str = ""


Talk = Callable[[ServerConnection], Awaitable[None]]
Answer = Callable[[ServerConnection, Request], Response | None]


@dataclass
class Stage:
    """A server that does what a test says, and what it saw."""

    url: str
    requests: list[Request] = field(default_factory=list[Request])

    def config(self, **more: Any) -> ClientConfig:
        given: dict[str, Any] = {"base_url": self.url, "key": SecretStr(KEY), **more}
        return ClientConfig(**given)

    @asynccontextmanager
    async def connected(self, **more: Any) -> AsyncGenerator[Socket[Sent, Heard]]:
        async with websocket.connect(
            self.config(**more), "BidiGenerateMusic", version="v1alpha", sends=Sent, hears=Heard
        ) as connection:
            yield connection


@asynccontextmanager
async def stage(talk: Talk, answer: Answer | None = None) -> AsyncGenerator[Stage]:
    made = Stage("")

    def look(connection: ServerConnection, request: Request) -> Response | None:
        made.requests.append(request)
        return answer(connection, request) if answer else None

    async with serve(talk, "127.0.0.1", 0, process_request=look, close_timeout=0.1) as server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(json.dumps({"answer": str(json.loads(message))}).encode())


def closing(code: int, reason: str) -> Talk:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(code, reason)

    return talk


def answering(status: HTTPStatus, body: str = "", **headers: str) -> Answer:
    def answer(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(status, body)
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    return answer


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("api-key", "x-goog-api-key", KEY), ("bearer", "authorization", f"Bearer {KEY}"), ("raw", "authorization", KEY)],
)
async def test_a_message_goes_and_one_comes_and_the_key_is_in_one_header_alone(
    auth: str, header: str, value: str
) -> None:
    async with stage(echo) as made, made.connected(auth=auth) as connection:
        await connection.send(Sent(first_word="hello"))
        heard = await connection.receive(SOON)
    assert heard.answer == "{'firstWord': 'hello'}"
    (request,) = made.requests
    assert request.path == "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateMusic"
    assert request.headers[header] == value
    assert [name for name, text in request.headers.raw_items() if KEY in text] == [header]
    assert request.headers["user-agent"].startswith("gemini-toolserver/")


async def test_the_prefix_of_a_gateway_stays_and_its_version_does_not() -> None:
    async with stage(echo) as made:
        made.url += "/gateway/v1beta"
        async with made.connected():
            pass
    assert made.requests[0].path.startswith("/gateway/ws/google.ai.generativelanguage.v1alpha.")


async def test_without_a_key_nothing_is_sent() -> None:
    async with stage(echo) as made:
        with pytest.raises(KeyMissing, match="GEMINI_API_KEY"):
            async with made.connected(key=None):
                pass
    assert made.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    async with stage(echo) as other:
        redirect = answering(HTTPStatus(status), "", Location=other.url.replace("http", "ws"))
        async with stage(echo, redirect) as made:
            with pytest.raises(BadAnswer, match="redirect"):
                async with made.connected():
                    pass
    assert other.requests == []
    assert len(made.requests) == 1


REFUSALS: list[tuple[HTTPStatus, Any, type[ToolserverError]]] = [
    (HTTPStatus.BAD_REQUEST, {"code": 400, "message": "Bad.", "status": "INVALID_ARGUMENT"}, RequestRefused),
    (HTTPStatus.UNAUTHORIZED, {"code": 401, "message": "No.", "status": "UNAUTHENTICATED"}, KeyRefused),
    (HTTPStatus.NOT_FOUND, {"code": 404, "message": "No such method.", "status": "NOT_FOUND"}, NotFound),
    (HTTPStatus.TOO_MANY_REQUESTS, {"code": 429, "message": "Slow.", "status": "RESOURCE_EXHAUSTED"}, RateLimited),
    (HTTPStatus.SERVICE_UNAVAILABLE, {"code": 503, "message": "Full.", "status": "UNAVAILABLE"}, Overloaded),
    (HTTPStatus.OK, {"code": 200, "message": "A page."}, BadAnswer),
]


@pytest.mark.parametrize(("status", "error", "kind"), REFUSALS, ids=[status.name for status, _, _ in REFUSALS])
async def test_a_refused_handshake_is_the_same_error_as_a_refused_request(
    status: HTTPStatus, error: Any, kind: type[ToolserverError]
) -> None:
    async with stage(echo, answering(status, json.dumps({"error": error}))) as made:
        with pytest.raises(kind) as failure:
            async with made.connected():
                pass
    assert failure.value.status == status
    assert error["message"].rstrip(".") in str(failure.value)


ENDS: list[tuple[int, str, type[ToolserverError]]] = [
    (1007, "Request contains an invalid argument.", RequestRefused),
    (1008, "API key not valid. Please pass a valid API key.", KeyRefused),
    (1008, "models/x is not found for API version v1alpha", NotFound),
    (1011, "Internal error encountered.", SocketClosed),
    (1011, "You exceeded your current quota, please check your plan.", RateLimited),
    (1000, "", SocketClosed),
]


@pytest.mark.parametrize(("code", "reason", "kind"), ENDS, ids=[f"{code} {reason[:12]}" for code, reason, _ in ENDS])
async def test_the_code_and_the_reason_of_an_end_say_what_to_do(
    code: int, reason: str, kind: type[ToolserverError]
) -> None:
    async with stage(closing(code, reason)) as made, made.connected() as connection:
        with pytest.raises(kind) as failure:
            await connection.receive(SOON)
    assert reason.rstrip(".") in str(failure.value)
    assert failure.value.remedy


async def test_a_connection_that_breaks_says_so_to_the_one_who_listens_and_to_the_one_who_talks() -> None:
    async def drop(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with stage(drop) as made, made.connected() as connection:
        with pytest.raises(SocketClosed, match="broke"):
            await connection.receive(SOON)
        with pytest.raises(SocketClosed, match="broke"):
            await connection.send(Sent(first_word="hello"))


async def test_silence_has_an_end() -> None:
    async with stage(echo) as made, made.connected() as connection:
        with pytest.raises(Overloaded, match=r"nothing for 0\.05 s"):
            await connection.receive(0.05)
        await connection.send(Sent(first_word="still there"))
        assert "still there" in (await connection.receive(SOON)).answer


@pytest.mark.parametrize("frame", [b"", b"{", b"[]", b'"x"', b'{"answer": 5}', b"\xff\xfe", b"[" * 100_000])
async def test_a_frame_that_is_no_message_is_an_answer_that_cannot_be_read(frame: bytes) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(frame)
        await connection.wait_closed()

    async with stage(talk) as made, made.connected() as connection:
        with pytest.raises(BadAnswer, match="not what its API describes"):
            await connection.receive(SOON)


async def test_an_error_in_a_frame_is_that_error() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"error": {"code": 429, "message": "Daily limit.", "status": "X"}}))
        await connection.wait_closed()

    async with stage(talk) as made, made.connected() as connection:
        with pytest.raises(ToolserverError, match="Daily limit"):
            await connection.receive(SOON)


async def test_a_frame_larger_than_the_limit_is_not_read() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"answer": "x" * 5000}))
        await connection.wait_closed()

    async with stage(talk) as made, made.connected(max_event_bytes=4096) as connection:
        with pytest.raises(BadAnswer, match="larger"):
            await connection.receive(SOON)


async def test_a_large_message_comes_whole() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"answer": "x" * 500_000}))
        await connection.wait_closed()

    async with stage(talk) as made, made.connected() as connection:
        assert len((await connection.receive(SOON)).answer) == 500_000


async def test_a_sender_who_is_faster_than_the_reader_waits() -> None:
    sent = 0
    stuck = anyio.Event()

    async def talk(connection: ServerConnection) -> None:
        nonlocal sent
        while not stuck.is_set():
            with anyio.move_on_after(0.5) as patience:
                await connection.send(json.dumps({"answer": "x" * 100_000}))
                sent += 1
            if patience.cancelled_caught:
                stuck.set()

    async with stage(talk) as made, made.connected() as connection:
        await connection.receive(SOON)
        with anyio.fail_after(SOON):
            await stuck.wait()
    assert sent < 500


async def test_nobody_there_means_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = Stage(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ConnectionFailed, match="nothing was sent"):
            async with nobody.connected():
                pass


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        made = Stage(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ConnectionFailed):
            async with made.connected(connect_timeout=0.1):
                pass


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with stage(echo) as made, made.connected() as connection:
        await connection.send(Sent(first_word="direct"))
        assert "direct" in (await connection.receive(SOON)).answer


async def test_the_key_is_in_no_log_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with stage(echo) as made, made.connected() as connection:
        await connection.send(Sent(first_word="hello"))
        await connection.receive(SOON)
    ours = [record for record in caplog.records if not record.name.startswith("websockets.server")]
    assert all(KEY not in record.getMessage() for record in ours)


async def test_a_key_that_was_rotated_opens_the_connection_and_a_refused_one_names_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}-new")

    def look(connection: ServerConnection, request: Request) -> Response | None:
        good = request.headers["x-goog-api-key"] == f"{KEY}-new"
        return None if good else connection.respond(HTTPStatus.UNAUTHORIZED, "")

    async with stage(echo, look) as made:
        async with made.connected(credential=credentials.from_file("api-key", KEY, file)):
            pass
        assert len(made.requests) == 2
        file.write_text(f"{KEY}-other")
        with pytest.raises(KeyRefused, match="put a valid key into the key file"):
            async with made.connected(credential=credentials.from_file("api-key", KEY, file)):
                pass
        assert len(made.requests) == 4
