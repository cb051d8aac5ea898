"""The HTTP front without a network: addresses, tokens, Host and Origin, what answers without a token."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gemini_server import app, caller, settings
from gemini_server.bearer import Tokens
from gemini_server.errors import UnsafeSetting
from gemini_server.http import BODY_LIMIT, Readiness, application
from gemini_server.http_address import ENDPOINT, is_loopback, parse_address, security
from gemini_server.http_front import Front
from gemini_server.toolkit.call import LOCAL

pytestmark = pytest.mark.anyio

ALICE, BOB = "alice-token-0123456789", "bob-token-0123456789"
TOKENS = f"# who may call\nalice: {ALICE}\n\nbob:{BOB}\n"
HOST = "127.0.0.1:8765"
DISCOVER: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "server/discover",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
HEADERS = {
    "host": HOST,
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "server/discover",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(TOKENS)
    return path


def chosen(tmp_path: Path, **values: Any) -> settings.Settings:
    return settings.read({}, **{"http": HOST, "key": "test-key", "state_dir": tmp_path / "state", **values})


@asynccontextmanager
async def client(given: settings.Settings, readiness: Readiness | None = None) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of the whole application; nothing is bound."""
    server = app.build(given)
    front = application(given, server, readiness or Readiness())
    transport = httpx2.ASGITransport(app=front)
    async with server.session_manager.run(), httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}") as made:
        yield made


async def discover(made: httpx2.AsyncClient, url: str = ENDPOINT, **headers: str) -> httpx2.Response:
    given = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await made.post(url, json=DISCOVER, headers=given)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:8765", ("127.0.0.1", 8765)),
        (":0", ("127.0.0.1", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_an_address_is_taken_apart(address: str, expected: tuple[str, int]) -> None:
    assert parse_address(address) == expected


@pytest.mark.parametrize("address", ["", "8765", "host:", "host:http", "host:65536", "host:-1", "host:²", "host:١"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UnsafeSetting, match="HOST:PORT"):
        parse_address(address)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("example.com", False),
        ("localhost.evil.example", False), ("2130706433", False), ("127.1", False), ("::ffff:10.0.0.1", False),
    ],
)  # fmt: skip
def test_only_this_machine_counts_as_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_token_tells_its_principal(token_file: Path) -> None:
    tokens = Tokens(token_file)
    assert tokens.principal(f"Bearer {ALICE}") == "alice"
    assert tokens.principal(f"bearer  {BOB} ") == "bob"
    for wrong in ("", ALICE, f"Basic {ALICE}", "Bearer ", f"Bearer {ALICE}x", f"Bearer {ALICE[:-1]}",
                  f"Bearer {ALICE},{BOB}", "Bearer alice", f"Bearer alice:{ALICE}", "Bearer ü"):  # fmt: skip
        assert tokens.principal(wrong) is None, wrong


def test_a_token_without_a_name_keeps_its_principal_when_lines_are_inserted(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{ALICE}\n")
    before = Tokens(file).principal(f"Bearer {ALICE}")
    file.write_text(f"{BOB}\n# a comment\n{ALICE}\n")
    tokens = Tokens(file)
    assert tokens.principal(f"Bearer {ALICE}") == before
    assert tokens.principal(f"Bearer {BOB}") != before
    assert ALICE not in str(before)


def test_a_principal_may_have_two_tokens_while_one_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"alice:{ALICE}\nalice:{BOB}\n")
    tokens = Tokens(tmp_path / "tokens")
    assert tokens.principal(f"Bearer {ALICE}") == tokens.principal(f"Bearer {BOB}") == "alice"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "holds no token"),
        ("# nothing\n", "holds no token"),
        ("alice:short\n", "Line 1"),
        (f"# one\n:{ALICE}\n", "Line 2"),
        ("alice:\n", "Line 1"),
        ("alice:ümläut-0123456789\n", "Line 1"),
        ("alice:with a blank 0123456789\n", "Line 1"),
        (f"alice:{ALICE}\nbob:{ALICE}\n", "Line 2"),
        (f"alice:{ALICE}\nlocal:{BOB}\n", "Line 2 of the token file names the principal local"),
    ],
)
def test_a_bad_token_file_is_refused_without_repeating_a_token(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "tokens").write_text(text)
    with pytest.raises(UnsafeSetting, match=expected) as refused:
        Tokens(tmp_path / "tokens")
    assert "0123456789" not in str(refused.value)


def test_a_token_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSetting, match="cannot be read"):
        Tokens(tmp_path / "nothing")


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.com:1", "127.1:1"])
def test_an_address_that_others_reach_is_refused_without_a_token(tmp_path: Path, address: str) -> None:
    given = chosen(tmp_path, http=address, allowed_hosts=("example.com",))
    with pytest.raises(UnsafeSetting, match="--token-file"):
        application(given, app.build(given), Readiness())


def test_a_wildcard_address_without_a_name_is_refused_because_nobody_could_call(
    tmp_path: Path, token_file: Path
) -> None:
    given = chosen(tmp_path, http="0.0.0.0:1", token_file=token_file)
    with pytest.raises(UnsafeSetting, match="--allowed-host"):
        application(given, app.build(given), Readiness())


@pytest.mark.parametrize("url", ["mcp.example.com", "ftp://mcp.example.com", "https://", "https://u:p@mcp.example.com"])
def test_a_public_url_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnsafeSetting, match="--public-url"):
        security("127.0.0.1", chosen(tmp_path, public_url=url))


SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "token": {"token_file": True},
    "public": {"public_url": "https://mcp.example.com/path", "allowed_hosts": ("inside.example",)},
    "public_and_token": {
        "public_url": "https://mcp.example.com/path", "allowed_hosts": ("inside.example",), "token_file": True,
    },
}  # fmt: skip


@pytest.fixture(params=SETTINGS)
def given(request: pytest.FixtureRequest, tmp_path: Path, token_file: Path) -> settings.Settings:
    values = dict(SETTINGS[request.param])
    if values.pop("token_file", False):
        values["token_file"] = token_file
    return chosen(tmp_path, **values)


WALL: list[tuple[dict[str, str], int]] = [
    ({"host": "evil.example"}, 421),
    ({"host": "evil.example:8765"}, 421),
    ({"host": "127.0.0.1.evil.example"}, 421),
    ({"host": "localhost.evil.example:8765"}, 421),
    ({"host": "mcp.example.com.evil.example"}, 421),
    ({"host": "169.254.169.254"}, 421),
    ({"host": ""}, 421),
    ({"origin": "http://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://127.0.0.1.evil.example"}, 403),
    ({"origin": "http://mcp.example.com"}, 403),
    ({"origin": "file://"}, 403),
    ({"origin": "http://evil.example", "host": "evil.example"}, 421),
    ({"origin": "http://localhost:3000"}, 200),
    ({"origin": "http://127.0.0.1:8765"}, 200),
    ({"host": "localhost:8765"}, 200),
    ({"host": "[::1]:8765"}, 200),
    ({}, 200),
]


async def test_host_and_origin_are_checked_whatever_else_is_set(given: settings.Settings) -> None:
    async with client(given) as made:
        for headers, status in WALL:
            answer = await discover(made, authorization=f"Bearer {ALICE}", **headers)
            assert answer.status_code == status, headers
            # The older protocol revisions have the same wall.
            legacy = {**HEADERS, **headers, "authorization": f"Bearer {ALICE}", "mcp-protocol-version": "2025-11-25"}
            ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            assert (await made.post(ENDPOINT, json=ping, headers=legacy)).status_code == status, headers


async def test_names_that_were_allowed_are_accepted(tmp_path: Path) -> None:
    async with client(chosen(tmp_path, **SETTINGS["public"])) as made:
        for headers in (
            {"host": "mcp.example.com", "origin": "https://mcp.example.com"},
            {"host": "inside.example:8765"},
            {"host": "inside.example", "origin": "http://inside.example:9"},
        ):
            assert (await discover(made, **headers)).status_code == 200


PATHS = ["/mcp", "/mcp/", "//mcp", "/MCP", "/mcp%0A", "/%6dcp", "/mcp?token={token}", "/mcp?access_token={token}",
         "/mcp;x", "/./mcp", "/healthz/../mcp", "/", "/metrics", "/sse", "/openapi.json", "/.well-known/x"]  # fmt: skip


@pytest.mark.parametrize("authorization", [None, "Bearer wrong-token-0123456789", f"Basic {ALICE}", "Bearer", ALICE])
async def test_without_a_good_token_every_path_is_401(
    tmp_path: Path, token_file: Path, authorization: str | None
) -> None:
    async with client(chosen(tmp_path, token_file=token_file)) as made:
        headers = {} if authorization is None else {"authorization": authorization}
        for path in PATHS:
            answer = await discover(made, path.format(token=ALICE), **headers)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "gemini-toolserver" not in answer.text
            assert ALICE not in answer.text
            for method in ("GET", "DELETE", "OPTIONS", "HEAD", "PUT"):
                assert (await made.request(method, path.format(token=ALICE), headers=headers)).status_code == 401, path


async def test_with_the_right_token_it_answers(tmp_path: Path, token_file: Path) -> None:
    async with client(chosen(tmp_path, token_file=token_file)) as made:
        assert (await discover(made, authorization=f"Bearer {ALICE}")).json()["result"]["supportedVersions"]


async def seen_by(tokens: Tokens | None, path: str, headers: list[tuple[bytes, bytes]]) -> str:
    """For whom a request arrives behind the front: a principal, `401`, or `nobody`."""
    arrived: list[str] = []

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        arrived.append(str(scope.get(caller.PRINCIPAL, "nobody")))

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            arrived.append(str(message["status"]))

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    front: ASGIApp = Front(behind, tokens, settings.read({}))
    await front({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    return arrived[0]


@pytest.mark.parametrize("path", ["/mcp", "/mcp\n", "/mcp/", "/anything", "", "/healthz/", "/healthz\n"])
async def test_no_spelling_of_a_path_leads_around_the_token(token_file: Path, path: str) -> None:
    # Starlette's routes match "/mcp\n" as well: the pattern of a route ends in $.
    tokens = Tokens(token_file)
    assert await seen_by(tokens, path, []) == "401"
    assert await seen_by(tokens, path, [(b"authorization", f"Bearer {BOB}".encode())]) == "bob"
    assert await seen_by(None, path, []) == LOCAL


async def test_two_authorization_headers_are_none(token_file: Path) -> None:
    both = [(b"authorization", f"Bearer {ALICE}".encode()), (b"authorization", f"Bearer {BOB}".encode())]
    assert await seen_by(Tokens(token_file), "/mcp", both) == "401"
    assert await seen_by(Tokens(token_file), "/mcp", both[:1]) == "alice"


async def test_a_request_that_came_around_the_front_has_no_principal_and_fails(tmp_path: Path) -> None:
    given = chosen(tmp_path, toolsets=("all",))
    server = app.build(given)
    bare = server.streamable_http_app(transport_security=security("127.0.0.1", given), stateless_http=True)
    call = {**DISCOVER, "method": "tools/call"}
    call["params"] = {**DISCOVER["params"], "name": "list_conversations", "arguments": {}}
    headers = {**HEADERS, "mcp-method": "tools/call", "mcp-name": "list_conversations"}
    transport = httpx2.ASGITransport(app=bare)
    async with (
        server.session_manager.run(),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as made,
    ):
        answer = await made.post(ENDPOINT, json=call, headers=headers)
    assert "error" in answer.json()
    assert "conversations" not in str(answer.json().get("result"))


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_answer_without_a_token_and_tell_nothing(given: settings.Settings, path: str) -> None:
    async with client(given) as made:
        answer = await made.get(path)
        assert answer.status_code == 200
        assert answer.text in ("ok\n", "ready\n")
        assert set(answer.headers) == {"content-length", "content-type"}
        assert (await made.post(path, json=DISCOVER, headers=HEADERS)).status_code == 405
        assert (await made.get(f"{path}?token={ALICE}")).text == answer.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8765"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": "10.1.2.3:8765"}, 200),
        ({"host": "[fd00::1]:8765"}, 200),
        ({"host": "10.1.2.3:8765", "origin": "http://10.1.2.3:8765"}, 421),
        ({"host": "localhost:8765", "origin": "http://evil.example"}, 403),
        ({"host": "localhost:8765"}, 200),
    ],
)
async def test_probes_are_called_by_address_or_by_a_known_name(
    tmp_path: Path, path: str, headers: dict[str, str], status: int
) -> None:
    async with client(chosen(tmp_path)) as made:
        assert (await made.get(path, headers=headers)).status_code == status


async def test_readiness_ends_before_the_process_does(tmp_path: Path) -> None:
    readiness = Readiness()
    async with client(chosen(tmp_path), readiness) as made:
        assert (await made.get("/readyz")).status_code == 200
        readiness.ready = False
        assert (await made.get("/readyz")).status_code == 503
        assert (await made.get("/healthz")).status_code == 200


async def test_a_body_above_the_limit_is_413_with_and_without_a_length(tmp_path: Path) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(1000):
            yield b"x" * 65536
        raise AssertionError("the server reads without end")

    async with client(chosen(tmp_path)) as made:
        headers = {**HEADERS, "content-type": "application/json"}
        assert (await made.post(ENDPOINT, content=b"x" * (BODY_LIMIT + 1), headers=headers)).status_code == 413
        assert (await made.post(ENDPOINT, content=endless(), headers=headers)).status_code == 413
        assert (await made.post(ENDPOINT, content=b"x" * BODY_LIMIT, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"mcp-method": "tools/call"}, 400),
        ({"mcp-protocol-version": "2099-01-01"}, 400),
        ({"content-type": "text/plain"}, 400),
        ({"mcp-name": "x"}, 200),
    ],
)
async def test_headers_that_contradict_the_body_are_refused(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with client(chosen(tmp_path)) as made:
        content = httpx2.Request("POST", f"http://{HOST}", json=DISCOVER).content
        given = {**HEADERS, "content-type": "application/json", **headers}
        assert (await made.post(ENDPOINT, content=content, headers=given)).status_code == status


async def test_a_tool_named_otherwise_in_the_header_is_refused(tmp_path: Path) -> None:
    body: dict[str, Any] = {**DISCOVER, "method": "tools/call"}
    body["params"] = {**body["params"], "name": "delete_conversation", "arguments": {"id": "x"}}
    headers = {**HEADERS, "mcp-method": "tools/call", "mcp-name": "list_conversations"}
    async with client(chosen(tmp_path)) as made:
        answer = await made.post(ENDPOINT, json=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32020


async def test_half_an_emoji_in_a_body_is_a_clean_refusal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"x":"\\ud83d"}}'
    with caplog.at_level(logging.ERROR):
        async with client(chosen(tmp_path)) as made:
            headers = {**HEADERS, "content-type": "application/json"}
            assert (await made.post(ENDPOINT, content=body, headers=headers)).status_code == 400
    assert caplog.text == ""


async def test_no_directory_may_be_read_over_http_unless_one_is_allowed(tmp_path: Path) -> None:
    from gemini_server.toolkit.runtime import Runtime

    assert Runtime(chosen(tmp_path)).disk.roots == ()
    assert Runtime(chosen(tmp_path, allow_dirs=(tmp_path,))).disk.roots == (tmp_path,)
