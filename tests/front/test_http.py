"""The server over Streamable HTTP: a process of its own, real sockets, several callers, several replicas."""

from __future__ import annotations

import itertools
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from gemini_emulator import Emulator
from tests.conftest import ERAS, error_of, structured
from tests.front.processes import CANARY_KEY, MODERN, Http, World, finished, http, names, stalled

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

ALICE, BOB = "alice-token-0123456789", "bob-token-0123456789"
END = 4.0 + 2.5
"""Two seconds for open calls, two for the ledger, and something for a busy machine."""


@pytest.fixture
def world(tmp_path: Path, emulator: Emulator) -> World:
    return World(tmp_path, emulator.url)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"alice:{ALICE}\nbob:{BOB}\n")
    return path


@asynccontextmanager
async def connected(
    server: Http, era: str, token: str = "", transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncGenerator[Client]:
    """The SDK's own client, with a token where one is needed."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with AsyncExitStack() as stack:
        http_client = await stack.enter_async_context(
            httpx2.AsyncClient(headers=headers, timeout=30, transport=transport, trust_env=False)
        )
        over = streamable_http_client(server.url, http_client=http_client)
        yield await stack.enter_async_context(Client(over, mode=era, read_timeout_seconds=30))


def request(method: str, era: str, **params: Any) -> dict[str, Any]:
    """The arguments of a raw POST."""
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    if era == MODERN:
        headers |= {"mcp-protocol-version": MODERN, "mcp-method": method}
        if "name" in params:
            headers["mcp-name"] = params["name"]
        body["params"]["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return {"json": body, "headers": headers}


def raw() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=20, trust_env=False)


async def test_both_eras_list_call_read_and_hear_progress_on_one_server(world: World) -> None:
    async with http(world) as server:
        lists: list[list[str]] = []
        for era in ERAS:
            heard: list[str] = []

            async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                heard.append(message or "")  # noqa: B023  called in this round only

            async with connected(server, era) as client:
                lists.append([tool.name for tool in (await client.list_tools()).tools])
                assert "generate_text" in lists[-1]
                plain = structured(await client.call_tool("generate_text", {"prompt": "Say hello to Zoë"}))
                assert "Zoë" in plain["text"]
                streamed = structured(
                    await client.call_tool(
                        "generate_text",
                        {"prompt": "[emulate: length=900] Tell me of Zürich"},
                        progress_callback=on_progress,
                    )
                )
                assert "".join(heard) == streamed["text"]
                assert len(heard) > 1
                usage = str(await client.read_resource("gemini://usage"))
                assert '"calls"' in usage
                with pytest.raises(MCPError):
                    await client.read_resource("gemini://nothing")
        async with Client(server.url) as client:
            lists.append([tool.name for tool in (await client.list_tools()).tools])
        assert lists[0] == lists[1] == lists[2]
        assert server.stdout == ""
    assert CANARY_KEY not in server.stderr


@pytest.mark.parametrize("era", ERAS)
async def test_principals_are_separated_and_a_foreign_handle_reads_like_an_unknown_one(
    world: World, token_file: Path, era: str
) -> None:
    async with http(world, "--token-file", str(token_file), "--toolsets", "all") as server:
        async with raw() as bare:
            for headers in ({}, {"authorization": "Bearer wrong-token-0123456789"}):
                given = request("tools/list", era)
                answer = await bare.post(server.url, json=given["json"], headers=given["headers"] | headers)
                assert answer.status_code == 401
            answer = await bare.post(f"{server.url}?access_token={ALICE}&token={ALICE}", **request("tools/list", era))
            assert answer.status_code == 401
            assert (await bare.get(f"{server.base}/healthz")).text == "ok\n"
            assert (await bare.get(f"{server.base}/readyz")).text == "ready\n"
            assert (await bare.get(f"{server.base}/healthz", headers={"host": "evil.example"})).status_code == 421
        async with connected(server, era, ALICE) as alice, connected(server, era, BOB) as bob:
            begun = structured(await alice.call_tool("generate_text", {"prompt": "My secret", "conversation": "new"}))
            handle = begun["conversation"]
            unknown = handle[:-1] + ("a" if handle[-1] != "a" else "b")
            for tool, name in (("generate_text", "conversation"), ("delete_conversation", "id")):
                more = {"prompt": "Tell me"} if tool == "generate_text" else {}
                foreign = error_of(await bob.call_tool(tool, {name: handle, **more}))
                guessed = error_of(await bob.call_tool(tool, {name: unknown, **more}))
                assert foreign.replace(handle, "ID") == guessed.replace(unknown, "ID")
            texts: list[str] = []
            for one in (handle, unknown):
                with pytest.raises(MCPError) as missing:
                    await bob.read_resource(f"gemini://conversations/{one}")
                texts.append(str(missing.value).replace(one, "ID"))
            assert texts[0] == texts[1]
            assert structured(await bob.call_tool("list_conversations", {}))["conversations"] == []
            assert '"days":[]' in str(await bob.read_resource("gemini://usage"))
            assert '"calls":1' in str(await alice.read_resource("gemini://usage"))
            kept = structured(await alice.call_tool("list_conversations", {}))["conversations"]
            assert [item["id"] for item in kept] == [handle]
            again = structured(await alice.call_tool("generate_text", {"prompt": "And now?", "conversation": handle}))
            assert again["conversation"] == handle
        server.signal(signal.SIGTERM)
        assert await server.ended(END) == 0
    for token in (ALICE, BOB, "wrong-token", CANARY_KEY):
        assert token not in server.stderr


async def test_interleaved_callers_never_get_each_others_answers(world: World, token_file: Path) -> None:
    wrong: list[str] = []

    async def ask(client: Client, whose: str, number: int) -> None:
        mark = f"{whose}-{number}"
        answer = structured(await client.call_tool("generate_text", {"prompt": f"Say hello to {mark}"}))
        if mark not in answer["text"]:
            wrong.append(answer["text"])

    async with (
        http(world, "--token-file", str(token_file)) as server,
        connected(server, ERAS[0], ALICE) as alice,
        connected(server, ERAS[1], BOB) as bob,
    ):
        async with anyio.create_task_group() as tasks:
            for number in range(25):
                tasks.start_soon(ask, alice, "Alice", number)
                tasks.start_soon(ask, bob, "Bob", number)
        assert wrong == []
        assert '"calls":25' in str(await alice.read_resource("gemini://usage"))
        assert '"calls":25' in str(await bob.read_resource("gemini://usage"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--http", "0.0.0.0:0"], "--token-file"),
        (["--http", "[::]:0", "--allowed-host", "x"], "nobody would have to present a token"),
        (["--http", "8765"], "HOST:PORT"),
        (["--http", "127.0.0.1:0", "--token-file", "/nowhere/tokens"], "/nowhere/tokens"),
    ],
)
async def test_an_unsafe_front_ends_with_one_clear_line(world: World, arguments: list[str], expected: str) -> None:
    refused = await finished(world, *arguments, env={})
    assert refused.process.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert expected in line


async def test_beyond_loopback_it_serves_those_who_have_a_token_and_use_its_name(
    world: World, token_file: Path, tmp_path: Path
) -> None:
    async with http(
        world, "--token-file", str(token_file), "--allowed-host", "tools.example", address="0.0.0.0:0"
    ) as server:
        async with raw() as bare:
            for host, token, status in (
                ("tools.example", ALICE, 200),
                ("tools.example:8765", BOB, 200),
                ("tools.example", "wrong", 401),
                ("evil.example", ALICE, 421),
                ("127.0.0.1:1", ALICE, 421),
            ):
                given = request("tools/list", MODERN)
                given["headers"] |= {"host": host, "authorization": f"Bearer {token}"}
                assert (await bare.post(server.url, **given)).status_code == status, host
        taken = await finished(world, "--http", server.base.removeprefix("http://"), env={})
    assert taken.process.returncode == 2
    assert "cannot be bound" in taken.stderr
    assert str(tmp_path) not in taken.stderr


@pytest.mark.parametrize("era", ERAS)
async def test_a_caller_who_leaves_stops_the_request_to_gemini_and_nobody_else(world: World, era: str) -> None:
    async with stalled() as gemini, http(world, GEMINI_BASE_URL=gemini.url) as server, raw() as bare:
        with anyio.CancelScope() as leaving:
            async with anyio.create_task_group() as tasks:
                given = request("tools/call", era, name="generate_text", arguments={"prompt": "x"})
                tasks.start_soon(lambda: bare.post(server.url, **given))
                await gemini.wait(arrivals=1)
                leaving.cancel()
        await gemini.wait(departures=1)
        assert (await bare.post(server.url, **request("tools/list", era))).status_code == 200
        assert gemini.arrivals == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_soon_with_a_listening_stream_and_a_call_open(
    world: World, number: signal.Signals
) -> None:
    async with stalled() as gemini, http(world, GEMINI_BASE_URL=gemini.url) as server, raw() as bare:
        heard = anyio.Event()
        ends: list[str] = []

        async def listen() -> None:
            given = request("subscriptions/listen", MODERN, notifications={"toolsListChanged": True})
            async with bare.stream("POST", server.url, **given) as stream:
                async for line in stream.aiter_lines():
                    if "acknowledged" in line:
                        heard.set()
                    elif line.startswith("data:"):
                        ends.append(line)

        async def call() -> None:
            given = request("tools/call", MODERN, name="generate_text", arguments={"prompt": "x"})
            ends.append(str((await bare.post(server.url, **given)).status_code))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            tasks.start_soon(call)
            with anyio.fail_after(20):
                await heard.wait()
            await gemini.wait(arrivals=1)
            server.signal(number)
            assert await server.ended(END) == 0
            await gemini.wait(departures=1)
    subscription, status = ends
    assert "resultType" in subscription, "the subscription ends on purpose, with its result"
    assert status == "503"
    assert "Traceback" not in server.stderr
    assert "ERROR" not in server.stderr
    assert server.stdout == ""


async def test_an_answer_that_is_nearly_there_is_still_delivered_and_written_down(world: World) -> None:
    async with http(world) as server, raw() as bare:
        answers: list[httpx2.Response] = []

        async def ask() -> None:
            prompt = "[emulate: slow=700ms] hello Zoë"
            given = request("tools/call", MODERN, name="generate_text", arguments={"prompt": prompt})
            answers.append(await bare.post(server.url, **given))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            given = request("tools/call", MODERN, name="server_status", arguments={})
            await bare.post(server.url, **given)
            server.signal(signal.SIGTERM)
            assert await server.ended(END) == 0
    assert "Zoë" in answers[0].json()["result"]["structuredContent"]["text"]
    async with http(world) as server, connected(server, MODERN) as client:
        assert '"calls":1' in str(await client.read_resource("gemini://usage"))


class Alternating(httpx2.AsyncBaseTransport):
    """A balancer: each request goes to the next replica."""

    def __init__(self, *servers: Http) -> None:
        self._ports = itertools.cycle([httpx2.URL(server.url).port for server in servers])
        self._inner = httpx2.AsyncHTTPTransport()
        self.ports: list[int | None] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        port = next(self._ports)
        self.ports.append(port)
        request.url = request.url.copy_with(port=port)
        request.headers["host"] = f"127.0.0.1:{port}"
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_replicas_that_share_a_state_serve_one_conversation_in_both_eras(world: World) -> None:
    async with http(world) as one, http(world) as two:
        for era in ERAS:
            balancer = Alternating(one, two)
            async with connected(one, era, transport=balancer) as client:
                assert "generate_text" in names([tool.model_dump() for tool in (await client.list_tools()).tools])
                handle = "new"
                for turn in range(4):
                    given = {"prompt": f"Turn {turn} of {era}", "conversation": handle}
                    handle = structured(await client.call_tool("generate_text", given))["conversation"]
                read = await client.read_resource(f"gemini://conversations/{handle}")
            turns = json.loads(json.loads(read.model_dump_json())["contents"][0]["text"])["turns"]
            assert len(turns) == 8
            assert len(set(balancer.ports)) == 2
        async with connected(one, MODERN) as first, connected(two, MODERN) as second:
            # Reading writes down what a replica has not written yet; a second later it would have by itself.
            await second.read_resource("gemini://usage")
            assert '"calls":8' in str(await first.read_resource("gemini://usage"))
            assert '"calls":8' in str(await second.read_resource("gemini://usage"))


async def test_no_directory_may_be_read_by_default_and_one_that_is_allowed_may(
    world: World, emulator: Emulator
) -> None:
    (world.work / "hello.txt").write_text("hello")
    async with http(world) as server, connected(server, MODERN) as client:
        for path in ("hello.txt", str(world.work / "hello.txt"), "/etc/passwd"):
            refused = error_of(await client.call_tool("count_tokens", {"attachments": [path]}))
            assert "no directory is allowed" in refused
    assert emulator.requests == []
    async with http(world, "--allow-dir", str(world.work)) as server, connected(server, MODERN) as client:
        structured(await client.call_tool("count_tokens", {"attachments": ["hello.txt"]}))


async def test_many_slow_calls_do_not_hold_up_a_small_request(world: World, emulator: Emulator) -> None:
    slow = 32
    finished_calls = 0
    async with http(world) as server, raw() as bare:

        async def ask(number: int) -> None:
            nonlocal finished_calls
            prompt = f"[emulate: slow=2s] hello {number}"
            given = request("tools/call", MODERN, name="generate_text", arguments={"prompt": prompt})
            answer = await bare.post(server.url, **given)
            assert answer.status_code == 200
            assert "isError" not in answer.json()["result"] or not answer.json()["result"]["isError"]
            finished_calls += 1

        # What is made at the first call is made now, so that the order below is about waiting alone.
        await ask(0)
        async with anyio.create_task_group() as tasks:
            for number in range(1, slow + 1):
                tasks.start_soon(ask, number)
            with anyio.fail_after(20):
                while len(emulator.requests) < 1 + slow // 2:
                    # Each answer of the server lets it take further calls in between.
                    assert (await bare.get(f"{server.base}/healthz")).status_code == 200
            before = finished_calls
            for method in ("tools/list", "server/discover"):
                assert (await bare.post(server.url, **request(method, MODERN))).status_code == 200
            assert (await bare.get(f"{server.base}/readyz")).status_code == 200
            assert finished_calls - before < slow // 2, "the small requests waited for the slow ones"
        assert finished_calls == slow + 1
