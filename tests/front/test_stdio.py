"""The server as clients start it: a process on stdin and stdout."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, NoReturn

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import JSONRPCError

from gemini_emulator import Emulator
from gemini_server.cli.serve import parser, serve
from gemini_server.stdio import Lines
from tests.conftest import ERAS, structured
from tests.front.processes import CANARY_KEY, MODERN, Stalled, World, command, finished, names, stalled, stdio, texts

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX"),
]

ENDS = {"EOF": 0, "SIGTERM": 0, "SIGINT": 130}


@pytest.fixture
def world(tmp_path: Path, emulator: Emulator) -> World:
    return World(tmp_path, emulator.url)


@pytest.fixture
async def silent() -> AsyncGenerator[Stalled]:
    async with stalled() as gemini:
        yield gemini


async def end(server: Any, how: str) -> None:
    if how == "EOF":
        await server.close()
    else:
        server.signal(signal.Signals[how])


def spent(state: Path) -> list[tuple[str, int]]:
    """Model and calls of the ledger, which must be sound."""
    with sqlite3.connect(state / "ledger.db") as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = ledger.execute("SELECT model, calls FROM spending").fetchall()
    ledger.close()
    return rows


@pytest.mark.parametrize("era", ERAS)
async def test_the_sdks_own_client_lists_calls_and_reads(world: World, era: str) -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "gemini_server", "serve"], env=world.env(), cwd=world.work
    )
    async with Client(parameters, mode=era, read_timeout_seconds=30) as client:
        listed = await client.list_tools()
        assert "generate_text" in [tool.name for tool in listed.tools]
        answer = structured(await client.call_tool("generate_text", {"prompt": "Say hello to Zoë"}))
        assert "Zoë" in answer["text"]
        usage = await client.read_resource("gemini://usage")
    assert '"calls":1' in str(usage)


@pytest.mark.parametrize(
    ("era", "how"), [(ERAS[0], "EOF"), (ERAS[0], "SIGTERM"), (ERAS[0], "SIGINT"), (ERAS[1], "SIGTERM")]
)
async def test_each_end_is_quick_leaves_a_pure_stdout_and_writes_down_what_was_spent(
    world: World, era: str, how: str
) -> None:
    async with stdio(world, era=era) as server:
        await server.greet()
        assert "Zoë" in texts(await server.call("generate_text", prompt="hello Zoë"))
        await end(server, how)
        assert await server.ended() == ENDS[how]
    assert server.stdout.endswith("\n")
    assert len(server.messages) == 2
    assert server.stderr == ""
    assert spent(world.state) == [("gemini-3.8-flash-emulated", 1)] or spent(world.state) == [("gemini-3.8-flash", 1)]


async def test_the_next_process_shows_what_the_last_one_spent(world: World) -> None:
    async with stdio(world) as server:
        await server.call("generate_text", prompt="hi")
        server.signal(signal.SIGTERM)
        await server.ended()
    async with stdio(world) as server:
        await server.call("generate_text", prompt="hi")
        read = await server.ask("resources/read", {"uri": "gemini://usage"})
        (day,) = json.loads(read["result"]["contents"][0]["text"])["days"]
    assert day["calls"] == 2
    assert day["cost_usd"] > 0


@pytest.mark.parametrize("how", ENDS)
async def test_an_end_during_a_call_and_a_subscription_is_quick_and_drops_the_request(
    world: World, silent: Stalled, how: str
) -> None:
    async with stdio(world, GEMINI_BASE_URL=silent.url) as server:
        await server.greet()
        listening = await server.begin("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        await server.heard("notifications/subscriptions/acknowledged")
        call = await server.begin("tools/call", {"name": "generate_text", "arguments": {"prompt": "x"}})
        await silent.wait(arrivals=1)
        await end(server, how)
        assert await server.ended() == ENDS[how]
        await silent.wait(departures=1)
    assert server.stdout.endswith("\n")
    assert {m["id"] for m in server.messages if "result" in m or "error" in m} <= {1, listening, call}
    assert server.stderr == ""


async def test_a_client_that_closed_its_end_cannot_keep_the_server_alive(world: World) -> None:
    reading, writing = os.pipe()
    process = await anyio.open_process(command(), env=world.env(), cwd=world.work, stdout=writing)
    os.close(writing)
    os.close(reading)
    async with process:
        assert process.stdin is not None
        assert process.stderr is not None
        await process.stdin.send(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        with anyio.fail_after(20):
            assert b"".join([piece async for piece in process.stderr]) == b""
            assert await process.wait() == 0


async def test_kill_9_loses_nothing_that_was_written_and_the_next_start_works(world: World) -> None:
    async with stdio(world) as server:
        answer = await server.call("generate_text", prompt="Remember me", conversation="new")
        conversation = answer["structuredContent"]["conversation"]
        # Reading what was spent writes it down.
        await server.ask("resources/read", {"uri": "gemini://usage"})
        server.signal(signal.SIGKILL)
        assert await server.ended() == -signal.SIGKILL
    assert [calls for _, calls in spent(world.state)] == [1]
    async with stdio(world) as server:
        answer = await server.call("generate_text", prompt="Go on", conversation=conversation)
        assert answer["structuredContent"]["conversation"] == conversation
        await server.close()
        assert await server.ended() == 0
    assert [calls for _, calls in spent(world.state)] == [2]


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_key_and_without_a_network_it_starts_lists_and_says_what_is_missing(
    world: World, era: str
) -> None:
    async with stdio(world, era=era, GEMINI_API_KEY=None, GEMINI_BASE_URL=None) as server:
        await server.greet()
        listed = await server.ask("tools/list")
        assert "generate_text" in names(listed["result"]["tools"])
        assert "gemini://usage" in str(await server.ask("resources/list"))
        assert world.sockets == []
        refused = await server.call("generate_text", prompt="x")
        assert refused["isError"] is True
        assert "GEMINI_API_KEY" in texts(refused)
        assert world.sockets == []


async def test_an_unreachable_gemini_is_an_error_of_the_call_and_not_of_the_server(world: World) -> None:
    async with stdio(world, GEMINI_BASE_URL="https://gemini.invalid", GEMINI_TOOLSERVER_TIMEOUT="2") as server:
        refused = await server.call("count_tokens", prompt="x")
        assert refused["isError"] is True
        assert "result" in await server.ask("tools/list")
    assert set(world.sockets) == {"lookup gemini.invalid"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_call_drops_the_request_to_gemini_and_the_server_goes_on(
    world: World, silent: Stalled, era: str
) -> None:
    async with stdio(world, era=era, GEMINI_BASE_URL=silent.url) as server:
        await server.greet()
        call = await server.begin("tools/call", {"name": "generate_text", "arguments": {"prompt": "x"}})
        await silent.wait(arrivals=1)
        await server.send("notifications/cancelled", {"requestId": call, "reason": "no longer wanted"})
        await silent.wait(departures=1)
        assert "result" in await server.ask("tools/list")
        assert call not in [message.get("id") for message in server.messages]
        assert silent.arrivals == 1


GARBAGE = [
    b"this is not JSON",
    b'{"jsonrpc": "2.0", "id": 7, "method": "tools/li',
    b"\xff\xfe\x00\x00",
    b"[" * 100_000,
    b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"tools/list"}',
    b"null",
    b"[]",
    b'{"jsonrpc":"2.0","method":"notifications/nobody/knows"}',
    b'{"jsonrpc":"2.0","id":99,"result":{}}',
    b"",
    b"\r",
]


@pytest.mark.parametrize("era", ERAS)
async def test_garbage_does_not_end_the_server(world: World, era: str) -> None:
    async with stdio(world, era=era) as server:
        await server.write(GARBAGE[0] + b"\n")
        await server.greet()
        for line in GARBAGE:
            await server.write(line + b"\n")
        await server.write(b"x" * (40 * 1024 * 1024) + b"\n")
        assert "result" in await server.ask("tools/list", within=30)
        assert "Zoë" in texts(await server.call("generate_text", prompt="Zoë"))
        await server.close()
        assert await server.ended() == 0
    assert "Traceback" not in server.stderr


@pytest.mark.parametrize("id_last", [False, True])
async def test_a_message_of_50_mb_is_answered_with_an_error_that_says_why(world: World, id_last: bool) -> None:
    async with stdio(world) as server:
        await server.greet()
        params = b'"method":"tools/call","params":{"name":"generate_text","arguments":{"prompt":"%s"}}'
        body = params % (b"a" * 50_000_000)
        head = b'"jsonrpc":"2.0","id":77'
        await server.write(b"{" + (body + b"," + head if id_last else head + b"," + body) + b"}\n")
        answer = await server.answer(77, within=30)
        assert "33554432 are accepted" in answer["error"]["message"]
        assert "path" in answer["error"]["message"]
        assert "result" in await server.ask("tools/list")


@pytest.mark.parametrize("id_last", [False, True])
async def test_a_request_that_is_not_json_is_answered_if_it_has_an_id(world: World, id_last: bool) -> None:
    async with stdio(world) as server:
        await server.greet()
        body = rb'"method":"tools/call","params":{"name":"generate_text","arguments":{"prompt":"half an emoji \ud83d"}}'
        head = b'"jsonrpc":"2.0","id":"cut"'
        await server.write(b"{" + (body + b"," + head if id_last else head + b"," + body) + b"}\n")
        answer = await server.answer("cut")
        assert answer["error"]["code"] == -32700
        assert "not valid JSON" in answer["error"]["message"]


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_method_and_an_unknown_tool_are_answered(world: World, era: str) -> None:
    async with stdio(world, era=era) as server:
        await server.greet()
        assert (await server.ask("tools/explode"))["error"]["code"] == -32601
        refused = await server.call("generate_txet", prompt="x")
        assert refused["isError"] is True
        assert "Did you mean generate_text" in texts(refused)
        wrong = await server.ask("tools/call", {"name": 5})
        assert wrong["error"]["code"] == -32602


UNSAFE: dict[str, tuple[list[str], dict[str, str | None], str]] = {
    "http_beyond_loopback": ([], {"GEMINI_BASE_URL": "http://gateway.example/gemini"}, "GEMINI_TOOLSERVER_ALLOW_HTTP"),
    "no_url": ([], {"GEMINI_BASE_URL": "gateway"}, "GEMINI_BASE_URL"),
    "a_password_in_the_url": ([], {"GEMINI_BASE_URL": "https://u:s3cret@gateway.example"}, "GEMINI_API_KEY"),
    "a_key_with_a_line_break": ([], {"GEMINI_API_KEY": f"{CANARY_KEY}\r\nX-Evil: 1"}, "line break"),
    "a_key_with_a_control_character": ([], {"GEMINI_API_KEY": f"{CANARY_KEY}\x01x"}, "control character"),
    "a_key_with_quotes": ([], {"GEMINI_API_KEY": f"“{CANARY_KEY}”"}, "not ASCII"),
    "an_unknown_toolset": (["--toolsets", "txet"], {}, "There are: "),
    "an_unknown_tool": (["--tools", "generate_txet"], {}, "generate_text"),
    "a_directory_that_is_not_there": (["--allow-dir", "/nowhere/at/all"], {}, "--allow-dir"),
    "the_systems_own_directory": (["--allow-dir", "/proc"], {}, "/proc"),
    "a_number_that_is_none": ([], {"GEMINI_TOOLSERVER_TIMEOUT": "soon"}, "GEMINI_TOOLSERVER_TIMEOUT"),
    "a_key_in_the_wrong_variable": ([], {"GEMINI_AUTH": CANARY_KEY}, "GEMINI_AUTH must be api-key"),
    "a_key_file_that_is_not_there": (
        [],
        {"GEMINI_API_KEY": None, "GEMINI_TOOLSERVER_KEY_FILE": "/nowhere/key"},
        "/nowhere/key",
    ),
}


def refused_line(world: World, returncode: int | None, out: str, err: str, expected: str) -> None:
    assert returncode == 2
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("gemini-toolserver: ")
    assert expected in line
    assert "CANARY" not in line
    assert "s3cret" not in line
    assert world.sockets == []


@pytest.mark.parametrize("case", ["http_beyond_loopback", "a_key_with_a_line_break"])
async def test_unsafe_settings_end_the_process_with_one_clear_line(world: World, case: str) -> None:
    arguments, env, expected = UNSAFE[case]
    refused = await finished(world, *arguments, env=env)
    refused_line(world, refused.process.returncode, refused.stdout, refused.stderr, expected)


@pytest.fixture
def offline(tmp_path: Path) -> World:
    return World(tmp_path, "http://127.0.0.1:9")


@pytest.fixture
def here(offline: World, monkeypatch: pytest.MonkeyPatch) -> Generator[pytest.MonkeyPatch]:
    """The environment of a server, in this process; a server that starts all the same fails the test."""

    def served(*_: object) -> NoReturn:
        raise AssertionError("it served")

    for name in os.environ:
        if name.startswith(("GEMINI", "GOOGLE", "XDG")):
            monkeypatch.delenv(name)
    for name, value in offline.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(anyio, "run", served)
    monkeypatch.setattr(os, "_exit", served)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield monkeypatch
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_settings_are_refused_before_anything_starts(
    offline: World, here: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    arguments, env, expected = UNSAFE[case]
    for name, value in env.items():
        here.delenv(name) if value is None else here.setenv(name, value)
    status = serve(arguments)
    out, err = capfd.readouterr()
    refused_line(offline, status, out, err, expected)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--api-key", CANARY_KEY],
        [f"--key={CANARY_KEY}"],
        [f"--gemini-api-key={CANARY_KEY}"],
        [CANARY_KEY],
        ["--token", "my-own-kind-of-key-0815"],
    ],
)
def test_no_flag_takes_a_key_and_the_refusal_does_not_repeat_it(
    here: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    here.delenv("GEMINI_API_KEY")
    with pytest.raises(SystemExit) as ended:
        serve(arguments)
    out, err = capfd.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert "CANARY" not in err
    assert "0815" not in err
    assert ("GEMINI_API_KEY" in err) == ("key" in arguments[0] and arguments[0].startswith("--"))


def test_every_flag_of_the_server_has_a_purpose_other_than_a_secret() -> None:
    flags = [option for action in parser()._actions for option in action.option_strings]
    assert "--toolsets" in flags
    assert [flag for flag in flags if "key" in flag or "secret" in flag or flag.endswith("-token")] == []


class Pipe:
    """Lines read from a pipe, in this process."""

    def __init__(self, limit: int) -> None:
        reading, self.writing = os.pipe()
        self.reading = reading
        self.refused: list[JSONRPCError] = []
        self.ends = 0
        self.lines = Lines(reading, limit=limit, on_end=self.ended)
        self.lines.refuse = self.refuse

    def ended(self) -> None:
        self.ends += 1

    async def refuse(self, error: JSONRPCError) -> None:
        self.refused.append(error)

    async def read(self, data: bytes) -> list[str]:
        os.write(self.writing, data)
        os.close(self.writing)
        found = [line async for line in self.lines]
        os.close(self.reading)
        return found


async def test_lines_come_whole_in_order_and_without_blank_ones() -> None:
    pipe = Pipe(10)
    sent = '"eins"\n\n  \n"zwei"\r\n"drei ü"\n"12345678"\n{"half\n"rest"'
    assert await pipe.read(sent.encode()) == ['"eins"', '"zwei"\r', '"drei ü"', '"12345678"', '"rest"']
    assert pipe.ends == 1
    assert pipe.refused == []


async def test_a_line_that_is_too_long_is_skipped_and_answered_if_it_has_an_id() -> None:
    pipe = Pipe(60)
    long = b'"params":"%s"' % (b"x" * 3000)
    assert await pipe.read(
        b'{"jsonrpc":"2.0","id":"a-1",%s}\n' % long
        + b'"first"\n'
        + b'{%s,"jsonrpc":"2.0","id":12}\n' % long
        + b"{%s}\n" % long
        + b"1" * 61
        + b'\n"last"\n'
        + b"2" * 100
    ) == ['"first"', '"last"']
    assert [error.id for error in pipe.refused] == ["a-1", 12]


async def test_reading_can_be_ended_while_nothing_comes() -> None:
    pipe = Pipe(60)
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            assert [line async for line in pipe.lines] == []

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        pipe.lines.end()
    assert pipe.ends == 1
    os.close(pipe.writing)
    os.close(pipe.reading)


def test_the_modern_era_is_the_one_that_the_lines_are_written_in() -> None:
    assert ERAS[0] == MODERN
