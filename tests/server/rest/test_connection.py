"""Connections that break, and what that means for the bill."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
import pytest

from gemini_server.errors import BadAnswer, Busy, ConnectionFailed, MayHaveBeenBilled, RequestRefused
from gemini_server.rest.body import InlineMedia
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.endpoint import Endpoint

from .conftest import FakeTime, MakeClient
from .hanging import Hanging
from .loopback import Loopback, Seen, hang_up, raw, redirect, reply, reply_json, response, stall
from .shapes import GENERATE, GET, MODEL, START, Prompt, Said

pytestmark = pytest.mark.anyio

DONE = reply(b'{"text":"done"}')


@dataclass
class Zeros:
    size: int

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        for start in range(0, self.size, size):
            yield bytes(min(size, self.size - start))


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def arguments(endpoint: Endpoint[Any]) -> dict[str, Any]:
    if endpoint is GET:
        return {"name": "files/x"}
    sent: dict[str, Any] = {"body": Prompt(text="hi")}
    return sent | {"model": MODEL} if endpoint is GENERATE else sent


async def test_a_read_is_repeated_after_the_connection_died(make_client: MakeClient) -> None:
    async with Loopback(hang_up(), DONE) as server:
        answer = await make_client(server.url).call(GET, name="files/x")
    assert (answer.value.text, answer.retries, len(server.seen)) == ("done", 1, 2)


async def test_a_generation_is_not_repeated_after_its_body_left(make_client: MakeClient, fake_time: FakeTime) -> None:
    async with Loopback(hang_up(), DONE) as server:
        with pytest.raises(MayHaveBeenBilled, match="Call it again to repeat it on purpose") as lost:
            await make_client(server.url).call(GENERATE, **arguments(GENERATE))
    assert len(server.seen) == 1
    assert fake_time.slept == []
    assert lost.value.code == "may_have_been_billed"
    assert lost.value.status is None


async def test_a_start_of_background_work_is_unknown_after_its_body_left(make_client: MakeClient) -> None:
    async with Loopback(hang_up(), DONE) as server:
        with pytest.raises(MayHaveBeenBilled, match="Look whether the job exists") as lost:
            await make_client(server.url).call(START, **arguments(START))
    assert len(server.seen) == 1
    assert lost.value.code == "unknown"


@pytest.mark.parametrize("endpoint", [GET, GENERATE, START])
async def test_what_could_not_connect_is_repeated_whatever_it_is(
    make_client: MakeClient, fake_time: FakeTime, endpoint: Endpoint[Any]
) -> None:
    client = make_client(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ConnectionFailed, match="nothing was sent or billed") as failed:
        await client.call(endpoint, **arguments(endpoint))
    assert failed.value.retries == 4
    assert fake_time.slept == [0.5, 1, 2, 4]


@pytest.mark.parametrize("endpoint", [GENERATE, START])
@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("slow"),
        httpx2.PoolTimeout("full"),
        httpx2.ProxyError("407"),
        httpx2.WriteError("the headers could not be written"),
        httpx2.ReadError("closed before the body was asked for"),
    ],
)
async def test_a_failure_before_the_body_was_asked_for_is_repeated(
    make_client: MakeClient, endpoint: Endpoint[Any], failure: httpx2.TransportError
) -> None:
    attempts = 0

    class Transport(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            nonlocal attempts
            attempts += 1
            if attempts == 1:
                raise failure
            await request.aread()
            return httpx2.Response(200, content=b'{"text":"done"}')

    answer = await make_client(transport=Transport()).call(endpoint, **arguments(endpoint))
    assert (answer.value.text, answer.retries) == ("done", 1)


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ReadError("reset"),
        httpx2.RemoteProtocolError("gone"),
        httpx2.ReadTimeout("silent"),
        httpx2.WriteError("reset"),
        httpx2.WriteTimeout("stuck"),
    ],
)
async def test_a_failure_after_the_body_was_handed_over_is_not(
    make_client: MakeClient, failure: httpx2.TransportError
) -> None:
    class Transport(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await request.aread()
            raise failure

    with pytest.raises(MayHaveBeenBilled) as lost:
        await make_client(transport=Transport()).call(GENERATE, **arguments(GENERATE))
    assert lost.value.retries == 0


@pytest.mark.parametrize("endpoint", [GENERATE, START])
async def test_a_cut_in_the_middle_of_a_streamed_body_is_repeated_from_the_start(
    make_client: MakeClient, endpoint: Endpoint[Any]
) -> None:
    size = 64 * 1024 * 1024  # far more than the buffers of a socket hold
    async with Loopback(DONE, reset_after=[100_000]) as server:
        sent = arguments(endpoint)
        sent["body"] = Prompt(data=InlineMedia(Zeros(size)))
        answer = await make_client(server.url).call(endpoint, **sent)
    first, second = server.seen
    assert answer.retries == 1
    assert len(first.body) == 100_000
    assert len(second.body) == int(second.header("content-length") or 0)


async def test_an_early_refusal_while_the_body_is_still_going_out_is_read(make_client: MakeClient) -> None:
    class Early(Loopback):
        async def _one(self, reader: Any, writer: Any) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                response(b'{"error":{"code":413,"message":"too large","status":"X"}}', 413, connection="close")
            )
            await writer.drain()
            while await reader.read(65536):
                pass
            writer.close()

    large = Prompt(data=InlineMedia(Zeros(3_000_000)))
    async with Early() as server:
        with pytest.raises(RequestRefused, match="too large"):
            await make_client(server.url).call(GENERATE, body=large, model=MODEL)


async def test_a_kept_connection_that_the_server_closed_is_replaced_before_anything_is_sent(
    make_client: MakeClient,
) -> None:
    async with Loopback(raw(response(b'{"text":"one"}')), DONE) as server:
        client = make_client(server.url)
        await client.call(GENERATE, **arguments(GENERATE))
        answer = await client.call(GENERATE, **arguments(GENERATE))
    assert (answer.value.text, answer.retries, server.connections) == ("done", 0, 2)


async def test_connections_are_kept_and_used_again(make_client: MakeClient) -> None:
    async with Loopback(DONE) as server:
        client = make_client(server.url)
        for _ in range(5):
            await client.call(GENERATE, **arguments(GENERATE))
    assert server.connections == 1


HALF = b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"text":"ha'


async def test_an_answer_that_is_cut_off_was_billed_and_is_not_asked_for_again(make_client: MakeClient) -> None:
    async with Loopback(raw(HALF), DONE) as server:
        with pytest.raises(MayHaveBeenBilled, match="was cut off") as lost:
            await make_client(server.url).call(GENERATE, **arguments(GENERATE))
    assert len(server.seen) == 1
    assert (lost.value.code, lost.value.status) == ("answer_cut", 200)


async def test_an_answer_to_a_read_that_is_cut_off_is_asked_for_again(make_client: MakeClient) -> None:
    async with Loopback(raw(HALF), DONE) as server:
        answer = await make_client(server.url).call(GET, name="files/x")
    assert (answer.value.text, answer.retries) == ("done", 1)
    async with Loopback(raw(HALF)) as server:
        with pytest.raises(BadAnswer, match="was cut off") as cut:
            await make_client(server.url, max_attempts=2).call(GET, name="files/x")
    assert (cut.value.retries, len(server.seen)) == (1, 2)


async def test_a_status_counts_even_when_its_body_is_cut_off(make_client: MakeClient) -> None:
    broken = b"HTTP/1.1 503 Busy\r\ncontent-length: 100\r\n\r\n{"
    async with Loopback(raw(broken), DONE) as server:
        answer = await make_client(server.url).call(GENERATE, **arguments(GENERATE))
    assert answer.retries == 1


async def test_a_silent_server_ends_with_the_idle_timeout_for_a_read(make_client: MakeClient) -> None:
    async with Loopback(stall(), DONE) as server:
        answer = await make_client(server.url, idle_timeout=0.3).call(GET, name="files/x")
    assert answer.retries >= 1


async def test_a_billed_answer_may_be_silent_until_the_deadline_and_then_may_have_been_billed(
    make_client: MakeClient,
) -> None:
    client = make_client(transport=Hanging(), idle_timeout=0.01)
    with pytest.raises(MayHaveBeenBilled, match=r"within 0\.1 s") as lost:
        await client.call(GENERATE, timeout=0.1, **arguments(GENERATE))
    assert lost.value.code == "deadline_exceeded"
    with pytest.raises(MayHaveBeenBilled) as unknown:
        await client.call(START, timeout=0.05, **arguments(START))
    assert unknown.value.code == "unknown"
    assert client.in_flight == 0


async def test_a_read_that_took_too_long_was_not_billed(make_client: MakeClient) -> None:
    with pytest.raises(ConnectionFailed, match="Nothing was billed") as late:
        await make_client(transport=Hanging()).call(GET, timeout=0.05, name="files/x")
    assert late.value.code == "deadline_exceeded"


async def test_an_answer_that_stops_in_the_middle_ends_with_the_idle_timeout(make_client: MakeClient) -> None:
    client = make_client(transport=Hanging(b'{"text":"ha'), idle_timeout=0.05)
    with pytest.raises(MayHaveBeenBilled, match="stopped in the middle"):
        await client.call(GENERATE, **arguments(GENERATE))


async def test_a_request_cancelled_by_its_caller_leaves_nothing_behind(make_client: MakeClient) -> None:
    async with Loopback(stall()) as server:
        client = make_client(server.url)
        with anyio.move_on_after(0.05) as scope:
            await client.call(GENERATE, **arguments(GENERATE))
        assert scope.cancelled_caught
        assert client.in_flight == 0


async def test_an_untrusted_certificate_is_not_tried_again(make_client: MakeClient) -> None:
    class Transport(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            try:
                raise ssl.SSLCertVerificationError(1, "self-signed certificate")
            except ssl.SSLError as exc:
                raise httpx2.ConnectError(str(exc)) from exc

    with pytest.raises(ConnectionFailed, match="certificate") as failed:
        await make_client(transport=Transport()).call(GET, name="files/x")
    assert (failed.value.retries, failed.value.code) == (0, "certificate")
    assert "SSL_CERT_FILE" in failed.value.remedy


async def test_the_answer_types_are_those_of_the_endpoint(make_client: MakeClient) -> None:
    async with Loopback(reply_json({"text": "x", "newField": 1})) as server:
        answer = await make_client(server.url).call(GET, name="files/x")
    assert isinstance(answer.value, Said)
    assert answer.value.model_extra == {"newField": 1}


class Holding:
    """Keeps every request waiting, and tells when there are so many."""

    def __init__(self, requests: int) -> None:
        self.missing = requests
        self.all = anyio.Event()

    async def play(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        self.missing -= 1
        if not self.missing:
            self.all.set()
        await anyio.sleep_forever()

    async def occupy(self, client: GeminiClient) -> None:
        await client.call(GENERATE, **arguments(GENERATE))


async def test_connections_that_are_all_in_use_are_not_blamed_on_the_network(make_client: MakeClient) -> None:
    holding = Holding(1)
    async with Loopback(holding.play) as server, anyio.create_task_group() as group:
        client = make_client(server.url, max_connections=1, connect_timeout=0.1, max_attempts=1)
        group.start_soon(holding.occupy, client)
        await holding.all.wait()
        with pytest.raises(Busy, match="in use by its own calls; nothing was sent or billed") as busy:
            await client.call(GENERATE, **arguments(GENERATE))
        assert "network" not in str(busy.value)
        group.cancel_scope.cancel()


async def test_more_connections_than_two_hundred_are_possible(make_client: MakeClient) -> None:
    holding = Holding(205)
    async with Loopback(holding.play) as server, anyio.create_task_group() as group:
        client = make_client(server.url, max_connections=205)
        for _ in range(205):
            group.start_soon(holding.occupy, client)
        with anyio.fail_after(20):
            await holding.all.wait()
        group.cancel_scope.cancel()


async def test_a_redirect_target_that_cannot_be_reached_is_named(make_client: MakeClient) -> None:
    port = free_port()
    async with Loopback(redirect(307, f"http://127.0.0.1:{port}/there")) as server:
        with pytest.raises(ConnectionFailed) as failed:
            await make_client(server.url.replace("127.0.0.1", "localhost")).call(GENERATE, **arguments(GENERATE))
    assert f"No connection to 127.0.0.1:{port} (where localhost points to)" in failed.value.what
