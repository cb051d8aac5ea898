"""Files that agents on other machines send: create_upload_link, then a POST over real sockets, then any tool."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from anyio.abc import SocketStream
from mcp import Client
from mcp.shared.exceptions import MCPError

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.emulator.drawing import RED, Drawing
from tests.front.processes import MODERN, Http, World, http
from tests.front.test_http import ALICE, BOB, END, connected, raw
from tests.front.test_links import MIB, most_memory, signature
from tests.front.test_links import tokens as tokens

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

TOOLS = ("--toolsets", "all")
PICTURE = Drawing(40, 40).paint("square", RED, 10, 10, 30, 30).png()
LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into processes by /proc")

Json = dict[str, Any]


@pytest.fixture
def world(tmp_path: Path, emulator: Emulator) -> World:
    return World(tmp_path, emulator.url)


async def linked(client: Client, size: int, **more: Any) -> Json:
    """What create_upload_link gives."""
    return structured(await client.call_tool("create_upload_link", {"bytes": size, **more}))


def at(server: Http, link: str) -> str:
    """A link as it would be at another server."""
    parts = urlsplit(link)
    return f"{server.base}{parts.path}?{parts.query}"


def files(world: World) -> list[str]:
    """What is in the output directory."""
    return sorted(one.name for one in world.output.iterdir()) if world.output.exists() else []


@asynccontextmanager
async def sending(link: str, *headers: str) -> AsyncGenerator[SocketStream]:
    """A connection over which a file is being sent, as a test says."""
    parts = urlsplit(link)
    assert parts.port is not None
    async with await anyio.connect_tcp("127.0.0.1", parts.port) as stream:
        lines = [f"POST {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", ""]
        await stream.send("\r\n".join(lines).encode())
        yield stream


async def answer(stream: SocketStream) -> str:
    """All that comes until the server closes the connection."""
    got = b""
    with anyio.fail_after(20):
        try:
            while True:
                got += await stream.receive()
        except anyio.EndOfStream:
            return got.decode()


async def until(server: Http, world: World, count: int) -> None:
    """Wait until so many files are in the output directory."""
    with anyio.fail_after(20):
        async with raw() as bare:
            while len(files(world)) != count:
                # Each answer of the server lets it notice what else has come.
                assert (await bare.get(f"{server.base}/healthz")).status_code == 200


async def body(size: int) -> AsyncIterator[bytes]:
    """A body of no announced length."""
    for start in range(0, size, MIB):
        yield bytes(min(MIB, size - start))


@pytest.mark.parametrize("era", ERAS)
async def test_what_was_sent_to_a_link_is_a_media_source_of_every_tool(
    world: World, tokens: tuple[str, str], emulator: Emulator, era: str
) -> None:
    async with (
        http(world, *tokens, *TOOLS, GEMINI_TOOLSERVER_LOG_LEVEL="debug") as server,
        connected(server, era, ALICE) as alice,
        connected(server, era, BOB) as bob,
        raw() as bare,
    ):
        result = await alice.call_tool(
            "create_upload_link", {"bytes": len(PICTURE), "mime_type": "image/png", "display_name": "square.png"}
        )
        link, text = structured(result), text_of(result)
        assert link["url"].startswith(f"{server.base}/uploads/")
        assert (link["method"], link["bytes"]) == ("POST", len(PICTURE))
        for told in (link["url"], link["source"], link["expires"], str(len(PICTURE))):
            assert told in text, "a client that shows text alone knows what to do, too"
        asked = {"prompt": "What is it?", "attachments": [link["source"]]}
        early = error_of(await alice.call_tool("generate_text", asked))
        assert "is not there yet" in early
        assert "POST the bytes to the link" in early
        assert "There is no artifact" in error_of(await bob.call_tool("generate_text", asked))
        assert emulator.requests == []

        sent = await bare.post(link["url"], content=PICTURE)
        assert sent.status_code == 201
        assert sent.json() == {
            "uri": link["source"],
            "bytes": len(PICTURE),
            "sha256": hashlib.sha256(PICTURE).hexdigest(),
            "mime_type": "image/png",
        }
        for tool, arguments in (
            ("generate_text", asked),
            ("analyze_media", {"media": [link["source"]], "question": "What is it?"}),
            ("detect_objects", {"image": link["source"]}),
            ("generate_image", {"prompt": "The same in blue", "references": [link["source"]]}),
            ("upload_file", {"source": link["source"]}),
            ("count_tokens", {"attachments": [link["source"]]}),
        ):
            structured(await alice.call_tool(tool, arguments))
        assert "There is no artifact" in error_of(await bob.call_tool("generate_text", asked))
        read = await alice.read_resource(link["source"])
        assert read.contents[0].mime_type == "image/png"
        with pytest.raises(MCPError, match="There is no artifact"):
            await bob.read_resource(link["source"])
        assert (await bare.post(link["url"], content=PICTURE)).status_code == 409
    about = json.loads(next(world.output.glob("upload-*.json")).read_text())
    assert about["display_name"] == "square.png"
    assert signature(link["url"]) not in server.stderr
    assert ALICE not in server.stderr


async def test_lines_that_were_sent_are_a_batch(world: World) -> None:
    lines = b"".join(
        json.dumps({"key": str(n), "request": {"contents": [{"parts": [{"text": f"Say {n}"}]}]}}).encode() + b"\n"
        for n in range(3)
    )
    async with http(world, *TOOLS) as server, connected(server, MODERN) as client, raw() as bare:
        link = await linked(client, len(lines), mime_type="application/jsonl")
        assert (await bare.post(link["url"], content=lines)).json()["mime_type"] == "application/jsonl"
        structured(await client.call_tool("create_batch", {"source": link["source"]}))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"bytes": 0}, "1 to 2147483648 bytes"),
        ({"bytes": -1}, "1 to 2147483648 bytes"),
        ({"bytes": 2 * 1024 * MIB + 1}, "1 to 2147483648 bytes"),
        ({"bytes": 2**200}, "1 to 2147483648 bytes"),
        ({"bytes": 5, "mime_type": "image"}, "no MIME type"),
        ({"bytes": 5, "mime_type": "image/png\r\nx: y"}, "no MIME type"),
        ({"bytes": 5, "display_name": "x" * 5000}, "display_name has more than"),
        ({"bytes": 64 * MIB}, "quota"),
        ({}, "it is needed"),
    ],
)
async def test_a_link_that_could_not_be_used_is_not_made(world: World, arguments: Json, expected: str) -> None:
    async with (
        http(world, *TOOLS, GEMINI_TOOLSERVER_OUTPUT_QUOTA=str(32 * MIB)) as server,
        connected(server, MODERN) as client,
    ):
        assert expected in error_of(await client.call_tool("create_upload_link", arguments))


async def test_over_stdio_the_answer_is_to_give_a_path(connect: Connect) -> None:
    async with connect(tools=("create_upload_link",)) as client:
        refused = error_of(await client.call_tool("create_upload_link", {"bytes": 5}))
    assert "over stdio" in refused
    assert "Give the path of the file" in refused


@LINUX
@pytest.mark.parametrize("measured", [True, False])
async def test_a_large_file_costs_little_memory(world: World, measured: bool) -> None:
    size = 96 * MIB + 7
    async with http(world, *TOOLS) as server, connected(server, MODERN) as client, raw() as bare:
        small = await linked(client, 10)
        assert (await bare.post(small["url"], content=bytes(10))).status_code == 201
        link = await linked(client, size)
        before = most_memory(server)
        headers = {"content-length": str(size)} if measured else {}
        sent = await bare.post(link["url"], content=body(size), headers=headers)
        assert sent.status_code == 201
        assert most_memory(server) - before < 24 * MIB
        digest = hashlib.sha256()
        for _ in range(96):
            digest.update(bytes(MIB))
        digest.update(bytes(7))
        assert sent.json()["sha256"] == digest.hexdigest()


@pytest.mark.parametrize(
    ("headers", "sent", "status"),
    [
        (("Content-Length: 4194305",), b"", 413),
        (("Content-Length: 4194305", "Expect: 100-continue"), b"", 413),
        (("Content-Length: 3",), b"abc", 400),
        (("Transfer-Encoding: chunked",), b"3\r\nabc\r\n0\r\n\r\n", 400),
        (("Content-Length: 5", "Content-Encoding: gzip"), b"hello", 415),
        (("Content-Length: 5", "Origin: http://evil.example"), b"hello", 403),
    ],
)
async def test_a_refusal_reaches_who_is_still_sending(
    world: World, headers: tuple[str, ...], sent: bytes, status: int
) -> None:
    async with http(world, *TOOLS) as server, connected(server, MODERN) as client, raw() as bare:
        link = await linked(client, 5)
        async with sending(link["url"], *headers, "Connection: close") as stream:
            await stream.send(sent)
            assert (await answer(stream)).startswith(f"HTTP/1.1 {status} ")
        assert [name for name in files(world) if "upload" in name] == []
        assert (await bare.post(link["url"], content=b"hello")).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: -5",),
        ("Content-Length: 5, 5",),
        ("Content-Length: 0x5",),
        ("Content-Length: 5", "Transfer-Encoding: gzip"),
        ("Content-Length : 5",),
    ],
)
async def test_a_request_that_proxies_could_read_otherwise_brings_nothing(
    world: World, headers: tuple[str, ...]
) -> None:
    async with http(world, *TOOLS) as server, connected(server, MODERN) as client, raw() as bare:
        link = await linked(client, 6)
        async with sending(link["url"], *headers, "Connection: close") as stream:
            await stream.send(b"hello!")
            with suppress(anyio.BrokenResourceError):  # the connection may end before all was read
                assert " 201 " not in await answer(stream)
        await until(server, world, 0)
        assert (await bare.post(link["url"], content=b"hello!")).status_code == 201


async def test_a_chunked_body_without_end_is_cut_at_the_announced_size(world: World) -> None:
    async with http(world, *TOOLS) as server, connected(server, MODERN) as client:
        link = await linked(client, 6 * MIB)
        async with sending(link["url"], "Transfer-Encoding: chunked") as stream:
            got = ""

            async def pour() -> None:
                with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    while True:
                        await stream.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(pour)
                with anyio.fail_after(20):
                    got = (await stream.receive()).decode()
                    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                        while await stream.receive():
                            pass  # it ends, though the client would go on for ever
                tasks.cancel_scope.cancel()
        assert got.startswith("HTTP/1.1 413 ")
        await until(server, world, 0)
        assert server.process.returncode is None


async def test_a_connection_that_drops_leaves_nothing_and_the_file_can_be_sent_again(world: World) -> None:
    async with http(world, *TOOLS) as server, connected(server, MODERN) as client, raw() as bare:
        link = await linked(client, 5 * MIB)
        for sent in (0, 1, MIB, 5 * MIB - 1):
            async with sending(link["url"], f"Content-Length: {5 * MIB}") as stream:
                await stream.send(bytes(sent))
                await until(server, world, 1)
            await until(server, world, 0)
        asked = {"attachments": [link["source"]]}
        assert "is not there yet" in error_of(await client.call_tool("count_tokens", asked))
        assert (await bare.post(link["url"], content=body(5 * MIB))).status_code == 201
        assert len(files(world)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_soon_with_an_upload_open_which_can_be_made_again(
    world: World, number: signal.Signals
) -> None:
    async with http(world, *TOOLS) as server:
        async with connected(server, MODERN) as client:
            link = await linked(client, MIB)
        async with sending(link["url"], f"Content-Length: {MIB}") as stream:
            await stream.send(bytes(1000))
            await until(server, world, 1)
            server.signal(number)
            assert await server.ended(END) == 0
            assert (await answer(stream)).startswith("HTTP/1.1 503 ")
        assert "Traceback" not in server.stderr
        assert "ERROR" not in server.stderr
    assert files(world) == []
    async with http(world, *TOOLS) as later, raw() as bare:
        assert (await bare.post(at(later, link["url"]), content=bytes(MIB))).status_code == 201


async def test_replicas_take_each_others_uploads_and_of_two_at_once_one(world: World) -> None:
    async with (
        http(world, *TOOLS) as one,
        http(world, *TOOLS) as two,
        connected(one, MODERN) as client,
        connected(two, MODERN) as other,
        raw() as bare,
    ):
        link = await linked(client, MIB)
        assert (await bare.post(at(two, link["url"]), content=bytes(MIB))).status_code == 201
        assert (await bare.post(link["url"], content=bytes(MIB))).status_code == 409
        both = await linked(other, MIB)
        statuses: list[int] = []

        async def send(server: Http, content: bytes) -> None:
            statuses.append((await bare.post(at(server, both["url"]), content=content)).status_code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, one, b"1" * MIB)
            tasks.start_soon(send, two, b"2" * MIB)
        assert sorted(statuses) == [201, 409]
        kept = await client.read_resource(both["source"])
        assert getattr(kept.contents[0], "text", "") in ("1" * MIB, "2" * MIB)
        assert len(files(world)) == 2
    async with http(world, GEMINI_TOOLSERVER_STATE_DIR=str(world.top / "another")) as stranger, raw() as bare:
        assert (await bare.post(at(stranger, link["url"]), content=bytes(MIB))).status_code == 403


async def test_a_web_page_cannot_send_to_a_link(world: World) -> None:
    async with http(world, *TOOLS) as server, connected(server, MODERN) as client, raw() as bare:
        link = await linked(client, 5)
        for method, headers, status in (
            ("OPTIONS", {"origin": "http://evil.example", "access-control-request-method": "POST"}, (401, 403, 405)),
            ("POST", {"origin": "http://evil.example", "content-type": "text/plain"}, (403,)),
            ("POST", {"origin": "null"}, (403,)),
            ("POST", {"host": "evil.example"}, (421,)),
        ):
            found = await bare.request(method, link["url"], content=b"hello", headers=headers)
            assert found.status_code in status
            assert not [name for name in found.headers if name.startswith("access-control")]
