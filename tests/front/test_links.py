"""Signed links to artifacts, from a server over real sockets: who may follow them, restarts, replicas, slow clients."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from anyio.abc import SocketStream

from gemini_emulator import Emulator
from gemini_server import settings
from gemini_server.jobs.secrets import shared_secret
from gemini_server.toolkit import artifacts
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.links import SECRET, Links
from gemini_server.toolkit.runtime import Runtime
from tests.conftest import ERAS, Connect, structured, text_of
from tests.front.processes import MODERN, Http, World, http, stdio
from tests.front.test_http import ALICE, BOB, connected, raw, request

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

PLOT = {"prompt": "Plot 3, 1, 2", "use": ["code"]}
MIB = 2**20
LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into processes by /proc")

Json = dict[str, Any]


@pytest.fixture
def world(tmp_path: Path, emulator: Emulator) -> World:
    return World(tmp_path, emulator.url)


@pytest.fixture
def tokens(tmp_path: Path) -> tuple[str, str]:
    """The flags of a server that asks for tokens."""
    path = tmp_path / "tokens"
    path.write_text(f"alice:{ALICE}\nbob:{BOB}\n")
    return "--token-file", str(path)


async def plotted(server: Http, era: str = MODERN, token: str = "", **more: Any) -> tuple[Json, str]:
    """The artifact of a plot, and the text that came with it."""
    async with connected(server, era, token) as client:
        result = await client.call_tool("generate_text", {**PLOT, **more})
    (artifact,) = structured(result)["artifacts"]
    return artifact, text_of(result)


def signature(link: str) -> str:
    return parse_qs(urlsplit(link).query)["signature"][0]


def at(server: Http, link: str) -> str:
    """A link as it would be at another server."""
    parts = urlsplit(link)
    return f"{server.base}{parts.path[parts.path.index('/artifacts/') :]}?{parts.query}"


@pytest.mark.parametrize("era", ERAS)
async def test_a_result_over_http_links_its_file_which_is_fetched_without_a_token(
    world: World, tokens: tuple[str, str], era: str
) -> None:
    async with http(world, *tokens, GEMINI_TOOLSERVER_LOG_LEVEL="debug") as server:
        artifact, text = await plotted(server, era, ALICE)
        link = artifact["url"]
        assert link.startswith(f"{server.base}/artifacts/{artifact['id']}?expires=")
        assert "path" not in artifact
        assert f"{link} = {artifact['uri']}" in text, "a client that shows text alone has the link, too"
        async with raw() as bare:
            answer = await bare.get(link)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
            assert hashlib.sha256(answer.content).hexdigest() == artifact["sha256"]
            part = await bare.get(link, headers={"range": "bytes=1-3"})
            assert (part.status_code, part.content) == (206, b"PNG")
            head = await bare.head(link)
            assert (head.status_code, head.headers["content-length"]) == (200, str(artifact["bytes"]))
            for wrong in (link[:-1], link.partition("?")[0], link.replace("expires=1", "expires=2")):
                assert (await bare.get(wrong)).status_code == 403
            assert (await bare.post(server.url, **request("tools/list", era))).status_code == 401
            assert (await bare.get(link.replace("/artifacts/", "/artifacts/../mcp/"))).status_code == 401
            # Bob may follow what Alice shows him; his own token gives him nothing of hers.
            bob = {"authorization": f"Bearer {BOB}"}
            assert (await bare.get(link, headers=bob)).status_code == 200
            assert (await bare.get(link.partition("?")[0], headers=bob)).status_code == 403
    assert signature(link) not in server.stderr
    assert ALICE not in server.stderr


async def test_the_same_call_again_and_the_jobs_resource_have_the_same_link(world: World) -> None:
    async with http(world, "--tools", "list_jobs") as server, connected(server, MODERN) as client:
        begun = structured(await client.call_tool("generate_image", {"prompt": "A lighthouse"}))
        again = structured(await client.call_tool("generate_image", {"prompt": "A lighthouse"}))
        (kept,) = structured(await client.call_tool("list_jobs", {}))["jobs"]
        read = await client.read_resource(f"gemini://jobs/{kept['id']}")
        waited = structured(await client.call_tool("get_job", {"job": kept["id"]}))
        (artifact,) = begun["artifacts"]
        assert again["artifacts"] == waited["artifacts"] == [artifact]
        assert json.loads(getattr(read.contents[0], "text", ""))["artifacts"] == [artifact]
        async with raw() as bare:
            assert len((await bare.get(artifact["url"])).content) == artifact["bytes"]


async def test_over_stdio_a_file_has_a_path_and_no_link(connect: Connect, world: World) -> None:
    async with connect() as client:
        result = await client.call_tool("generate_text", PLOT)
    (artifact,) = structured(result)["artifacts"]
    assert "path" in artifact
    assert "url" not in artifact
    async with stdio(world) as server:
        await server.greet()
        plot = await server.call("generate_text", **PLOT)
        await server.close()
        assert await server.ended() == 0
    assert "url" not in plot["structuredContent"]["artifacts"][0]


async def test_a_link_outlives_the_server_and_is_honoured_by_its_replicas(world: World) -> None:
    async with http(world) as one, http(world) as two, raw() as bare:
        artifact, _ = await plotted(one)
        assert (await bare.get(at(two, artifact["url"]))).status_code == 200
    async with http(world) as later, raw() as bare:
        assert (await bare.get(at(later, artifact["url"]))).status_code == 200
    async with http(world, GEMINI_TOOLSERVER_STATE_DIR=str(world.top / "another")) as stranger, raw() as bare:
        assert (await bare.get(at(stranger, artifact["url"]))).status_code == 403


@pytest.mark.parametrize(
    ("flags", "address", "host", "base"),
    [
        (["--public-url", "https://tools.example/ai"], "127.0.0.1:0", "tools.example", "https://tools.example/ai"),
        (["--public-url", "https://tools.example/mcp"], "127.0.0.1:0", "tools.example", "https://tools.example"),
        (["--allowed-host", "tools.example"], "0.0.0.0:0", "tools.example:{port}", "http://tools.example:{port}"),
    ],
)  # fmt: skip
async def test_a_link_names_the_server_as_its_callers_do(
    world: World, tokens: tuple[str, str], flags: list[str], address: str, host: str, base: str
) -> None:
    async with http(world, *tokens, *flags, address=address) as server, raw() as bare:
        port = urlsplit(server.url).port
        host, base = host.format(port=port), base.format(port=port)
        headers = {"host": host, "authorization": f"Bearer {ALICE}"}
        given = request("tools/call", MODERN, name="generate_text", arguments=PLOT)
        answer = await bare.post(server.url, json=given["json"], headers=given["headers"] | headers)
        (artifact,) = answer.json()["result"]["structuredContent"]["artifacts"]
        assert artifact["url"].startswith(f"{base}/artifacts/{artifact['id']}?")
        assert (await bare.get(at(server, artifact["url"]), headers={"host": host})).status_code == 200
        evil = await bare.get(at(server, artifact["url"]), headers={"host": "evil.example"})
        assert evil.status_code == 421


# -- large files and slow clients --------------------------------------------------------------------------------------


@asynccontextmanager
async def large(world: World, size: int, **env: str) -> AsyncGenerator[tuple[Http, str, Path]]:
    """A server, a link to a large file, and the file."""
    given = settings.read({}, key="k", state_dir=world.state, output_dir=world.output)
    runtime = Runtime(given)
    out = await artifacts.keep(Call(runtime, "local"), "made", b"\x89PNG\r\n\x1a\n" + bytes(size - 8))
    key = await shared_secret(runtime.store, SECRET)
    await runtime.aclose()
    async with http(world, **env) as server:
        yield server, Links(server.base, key).make(f"artifacts/{out.id}"), Path(str(out.path))


@asynccontextmanager
async def asking(server: Http, link: str) -> AsyncGenerator[SocketStream]:
    """A connection over which a file was asked for, whose client takes what a test says."""
    parts = urlsplit(link)
    assert parts.port is not None
    async with await anyio.connect_tcp("127.0.0.1", parts.port) as stream:
        await stream.send(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        yield stream


def opened(server: Http, file: Path) -> int:
    """How many descriptors of the server are open on a file."""
    found = 0
    for number in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(OSError):
            found += number.samefile(file)
    return found


def most_memory(server: Http) -> int:
    """The most memory that the server has had so far, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def until_open(server: Http, file: Path, count: int) -> None:
    """Wait until so many descriptors are open on a file."""
    with anyio.fail_after(20):
        async with raw() as bare:
            while opened(server, file) != count:
                # Each answer of the server lets it notice what else has come.
                assert (await bare.get(f"{server.base}/healthz")).status_code == 200


@LINUX
async def test_slow_clients_cost_little_memory_and_those_that_vanish_leave_nothing(world: World) -> None:
    async with large(world, 64 * MIB) as (server, link, file), raw() as bare:
        assert (await bare.get(link, headers={"range": "bytes=0-9"})).status_code == 206
        before = most_memory(server)
        async with anyio.create_task_group() as tasks:

            async def stand_there() -> None:
                async with asking(server, link) as stream:
                    assert (await stream.receive(12)).startswith(b"HTTP/1.1 200")
                    await anyio.sleep_forever()

            for _ in range(8):
                tasks.start_soon(stand_there)
            await until_open(server, file, 8)
            # Nobody waits for them, and they get the whole file where they take it.
            whole = 0
            async with bare.stream("GET", link) as answer:
                async for piece in answer.aiter_raw():
                    whole += len(piece)
            assert whole == 64 * MIB
            tasks.cancel_scope.cancel()
        await until_open(server, file, 0)
        assert most_memory(server) - before < 24 * MIB


@LINUX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_soon_with_a_download_open(world: World, number: signal.Signals) -> None:
    async with large(world, 64 * MIB) as (server, link, file):
        async with asking(server, link) as stream:
            head = await stream.receive(4096)
            assert f"content-length: {64 * MIB}".encode() in head.lower()
            await until_open(server, file, 1)
            server.signal(number)
            assert await server.ended() == 0
            got = len(head)
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while True:
                    got += len(await stream.receive())
            assert got < 64 * MIB, "what was cut must not look whole"
        assert "ERROR" not in server.stderr
        assert "Traceback" not in server.stderr
        assert "ASGI" not in server.stderr
        assert signature(link) not in server.stderr
