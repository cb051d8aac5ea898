"""Attacks on reading, through the front door. After every test four things must hold, see `Stage.check`."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import anyio
import pytest
from mcp_types import CallToolResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from gemini_emulator import Emulator
from tests.conftest import Connect, configured_log, error_of, structured, text_of
from tests.front.processes import CANARY_KEY, Stalled, World, stalled, stdio, texts

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")]

CANARY = b"CANARY-7f3d91c05be24a86-these-bytes-must-never-leave"
INSIDE = "An ordinary file, mark 5b1e77aa."
OUTSIDE = "outside the allowed directories"
SETTING = "--allow-dir"
SENSITIVE = "--allow-sensitive"
QUICK = 2.0
"""Seconds in which a refusal must come, however the path may hang."""


class Spans:
    """A tracer that writes down everything that is said to its spans."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def start_span(self, name: str, **more: Any) -> Span:
        self.said.append(f"{name} {more}")
        return Span(self.said)


class Span(NonRecordingSpan):
    def __init__(self, said: list[str]) -> None:
        super().__init__(SpanContext(0x1234, 0x5678, is_remote=False, trace_flags=TraceFlags(1)))
        self._said = said

    def is_recording(self) -> bool:
        return True

    def set_attribute(self, key: str, value: Any) -> None:
        self._said.append(f"{key}={value}")

    def set_status(self, status: Any, description: str | None = None) -> None:
        self._said.append(f"{getattr(status, 'description', status)} {description}")

    def record_exception(self, exception: BaseException, *_: Any, **more: Any) -> None:
        self._said.append(f"{exception!r} {more}")

    def add_event(self, name: str, *rest: Any, **more: Any) -> None:
        self._said.append(f"{name} {rest} {more}")


def alignments(secret: bytes) -> list[str]:
    """What a secret looks like in the base64 of anything around it."""
    found = [secret.decode(), quote(secret.decode()), secret.hex()]
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + secret).decode()
        certain = whole[(4 if offset else 0) : len(whole) - 4]
        found += [certain, certain.replace("+", "-").replace("/", "_")]
    return found


def tree(top: Path, *besides: Path) -> dict[str, str]:
    """Every entry below a directory with what would show a change; without following links."""
    found: dict[str, str] = {}
    for path in sorted(top.rglob("*")):
        if any(path.is_relative_to(own) for own in besides):
            continue
        about = path.lstat()
        content = ""
        if stat.S_ISLNK(about.st_mode):
            content = str(path.readlink())
        elif stat.S_ISREG(about.st_mode) and about.st_size < 2**24:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        kept = "" if stat.S_ISDIR(about.st_mode) and path in {own.parent for own in besides} else about.st_mtime_ns
        found[str(path.relative_to(top))] = f"{about.st_mode:o} {about.st_size} {kept} {content}"
    return found


@dataclass
class Stage:
    """An allowed directory with attacks in it, canaries around it, and everything that is watched."""

    top: Path
    emulator: Emulator
    connect: Connect
    output: Callable[[], str]
    sockets: list[str] = field(default_factory=list[str])
    spans: Spans = field(default_factory=Spans)
    shown: list[str] = field(default_factory=list[str])
    before: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def root(self) -> Path:
        return self.top / "allowed"

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.emulator.requests

    def path(self, template: str) -> str:
        return template.replace("{root}", str(self.root)).replace("{top}", str(self.top))

    def settle(self) -> None:
        """Take the files as they are now for what must not change."""
        self.before = tree(self.top, self.top / "state", self.top / "output")

    async def call(self, tool: str, arguments: dict[str, Any], **settings: Any) -> CallToolResult:
        async with self.connect(key=CANARY_KEY, **settings) as client:
            with anyio.fail_after(10):
                result = await client.call_tool(tool, arguments)
        self.shown.append(result.model_dump_json())
        return result

    async def attach(self, *paths: str, tool: str = "count_tokens", **settings: Any) -> CallToolResult:
        return await self.call(tool, {"prompt": "Look at this", "attachments": list(paths)}, **settings)

    def check(self) -> None:
        """The four assertions of the attack list."""
        said = [self.output(), *self.shown, *self.spans.said]
        for text in said:
            assert CANARY_KEY not in text, "1: the key is shown"
            assert quote(CANARY_KEY, safe="") not in text, "1: the key is shown, encoded"
        sent = json.dumps(self.requests)
        for form in alignments(CANARY):
            assert form not in sent, "2: the canary was sent to Gemini"
            assert all(form not in text for text in said), "2: the canary is shown"
        assert tree(self.top, self.top / "state", self.top / "output") == self.before, "3: files have changed"
        port = self.emulator.url.rpartition(":")[2]
        assert set(self.sockets) <= {f"127.0.0.1:{port}"}, "4: a connection to somewhere else"


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def furnish(top: Path) -> None:
    root, outside = top / "allowed", top / "outside"
    secret = write(outside / "secret.txt", CANARY)
    for place in ("home/.ssh/id_rsa", "home/.aws/credentials", "allowed-evil/x", "allowedx", "secret.txt"):
        write(top / place, CANARY)
    for name in ("ok.txt", "sub/deep.txt", "%2e%2e/literal.txt", "[a]*?.txt", "-rf.txt", "ü é.txt"):
        write(root / name, INSIDE)
    for name in (".env", ".env.production", "id_ed25519", "id_rsa", "service-account.json", "tls.pem", "x.key",
                 "aws_credentials.csv", ".netrc", ".npmrc", ".git-credentials", ".ssh/known_hosts", ".aws/config",
                 ".config/gcloud/x.db", "ID_RSA", ".ENV", "ｉｄ_rsa", "id_rsa ", ".ssh /x"):  # fmt: skip
        write(root / name, CANARY)
    write(root / "notes.txt", b"my notes\n-----BEGIN RSA PRIVATE KEY-----\n" + CANARY)
    write(root / "robot.txt", b'{"type": "service_account", "private_key": "' + CANARY + b'"}')
    write(root / "empty.png", b"")
    with (root / "huge.mp4").open("wb") as file:
        file.truncate(2**31 + 1)
    (root / "link.txt").symlink_to("/etc/passwd")
    (root / "link-inside.txt").symlink_to("ok.txt")
    (root / "link-secret.txt").symlink_to(secret)
    (root / "linked").symlink_to(outside)
    (root / "sub/linked").symlink_to("../linked")
    (root / "chain1").symlink_to("chain2")
    (root / "chain2").symlink_to("sub/../chain3")
    (root / "chain3").symlink_to(secret)
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    os.link(root / "ok.txt", root / "hard.txt")


@pytest.fixture
def stage(
    tmp_path: Path,
    emulator: Emulator,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Generator[Stage]:
    taken: list[str] = []
    logged = io.StringIO()

    def output() -> str:
        taken.extend(capfd.readouterr())
        return "\n".join([*taken, logged.getvalue()])

    made = Stage(tmp_path, emulator, connect, output)
    furnish(tmp_path)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setattr("gemini_server.rest.trace._tracer", made.spans)
    original = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        made.sockets.append(str(address) if isinstance(address, str | bytes) else f"{address[0]}:{address[1]}")
        original(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    with configured_log("debug") as root:
        (handler,) = root.handlers
        assert isinstance(handler, logging.StreamHandler)
        cast("logging.StreamHandler[io.StringIO]", handler).setStream(logged)
        made.settle()
        yield made
    made.check()


ATTACKS: list[tuple[int, str, str]] = [
    (1, "/etc/passwd", OUTSIDE),
    (1, "/etc/passwd", SETTING),
    (1, "{top}/outside/secret.txt", OUTSIDE),
    (1, "{top}/secret.txt", OUTSIDE),
    (2, "../../../../etc/passwd", SETTING),
    (2, "../outside/secret.txt", '".."'),
    (2, "{root}/../outside/secret.txt", '".."'),
    (2, "sub/../ok.txt", '".."'),
    (3, "~/.ssh/id_rsa", "taken literally"),
    (3, "~root/.ssh/id_rsa", "taken literally"),
    (3, "$HOME/.aws/credentials", "taken literally"),
    (3, "${HOME}/.aws/credentials", "taken literally"),
    (3, "%USERPROFILE%/.aws/credentials", "taken literally"),
    (3, "{top}/home/.ssh/id_rsa", OUTSIDE),
    (4, "{root}-evil/x", OUTSIDE),
    (4, "{root}x", OUTSIDE),
    (4, "{root}.", OUTSIDE),
    (5, "link.txt", "symbolic link"),
    (5, "link-secret.txt", "symbolic link"),
    (5, "{root}/link-secret.txt", "symbolic link"),
    (5, "link-inside.txt", "symbolic link"),
    (6, "linked/secret.txt", "symbolic link"),
    (6, "sub/linked/secret.txt", "symbolic link"),
    (7, "chain1", "symbolic link"),
    (7, "loop", "symbolic link"),
    (11, "ok.txt\0/../../x", "NUL"),
    (11, "ok.txt\0", "NUL"),
    (11, "ok.txt\n", "control character"),
    (11, "\u202eok.txt", "no file"),
    (12, "file:///etc/passwd", "is a URL"),
    (12, "file://localhost/etc/passwd", "is a URL"),
    (12, "FILE:///etc/passwd", "is a URL"),
    (12, "file:ok.txt", "is a URL"),
    (12, " file:///etc/passwd", "is a URL"),
    (12, "http://169.254.169.254/latest/meta-data", "cannot be http://"),
    (12, "ftp://evil.example/x", "cannot be ftp://"),
    (12, "jar:file:///etc/passwd", "no file"),
    (13, "%2e%2e/%2fetc/passwd", "no file"),
    (13, "..%2f..%2fetc%2fpasswd", "no file"),
    (14, "．．/secret.txt", "imitate dots"),
    (14, "‥/secret.txt", "imitate dots"),
    (14, "..\\secret.txt", "backslash"),
    (14, "C:\\Windows\\win.ini", "Windows"),
    (14, "\\\\srv\\share\\x", "Windows"),
    (14, "//srv/share/x", "Windows"),
    (14, "C:foo", "Windows"),
    (14, "NUL", "device"),
    (14, "con.png", "device"),
    (14, "sub/COM1.txt", "device"),
    (15, "/proc/self/environ", "system's own tree"),
    (15, "/proc/self/fd/3", "system's own tree"),
    (15, "/proc/self/cwd/ok.txt", "system's own tree"),
    (15, "/dev/zero", "system's own tree"),
    (15, "/dev/stdin", "system's own tree"),
    (15, "/sys/kernel/notes", "system's own tree"),
    (15, "pipe", "named pipe"),
    (15, "sub", "directory"),
    (15, ".", "directory"),
    (15, "{root}", "directory"),
    (15, "/", OUTSIDE),
    (15, "ok.txt/x", "no file"),
    *((16, name, SENSITIVE) for name in (
        ".env", ".env.production", "id_ed25519", "id_rsa", "service-account.json", "tls.pem", "x.key",
        "aws_credentials.csv", ".netrc", ".npmrc", ".git-credentials", ".ssh/known_hosts", ".aws/config",
        ".config/gcloud/x.db", "ID_RSA", ".ENV", "ｉｄ_rsa", "id_rsa ", ".ssh /x", "notes.txt", "robot.txt",
    )),
    (18, "empty.png", "0 bytes"),
    (18, "huge.mp4", "2147483649 bytes"),
    (19, "a/" * 2500, "4096"),
    (19, "a" * 300, "255"),
    (19, "ü" * 128 + ".txt", "255"),
    (19, "", "empty"),
    (19, "   ", "empty"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "path", "expected"), ATTACKS)
async def test_a_path_that_must_not_be_read_is_refused_and_nothing_is_sent(
    stage: Stage, row: int, path: str, expected: str
) -> None:
    with anyio.fail_after(QUICK + 3):
        refused = await stage.attach(stage.path(path))
    assert expected in error_of(refused)
    assert "Traceback" not in error_of(refused)
    assert len(error_of(refused)) < 700
    assert stage.requests == []
    assert row in range(1, 20)


async def test_generate_text_refuses_the_same_and_one_bad_attachment_stops_all(stage: Stage) -> None:
    for path in ("/etc/passwd", "link-secret.txt", ".env", "../outside/secret.txt"):
        error_of(await stage.attach("ok.txt", path, tool="generate_text"))
    error_of(await stage.call("generate_text", {"prompt": "x", "attachments": [".env"], "conversation": "new"}))
    assert stage.requests == []


async def test_a_socket_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stage.root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        stage.settle()
        assert "socket" in error_of(await stage.attach("socket"))


@pytest.mark.parametrize(
    "path",
    ["ok.txt", "sub/deep.txt", "./sub//deep.txt", "{root}/ok.txt", "%2e%2e/literal.txt", "[a]*?.txt", "-rf.txt",
     "ü é.txt"],
)  # fmt: skip
async def test_an_ordinary_file_is_sent_under_each_of_its_plain_spellings(stage: Stage, path: str) -> None:
    structured(await stage.attach(stage.path(path)))
    assert base64.b64encode(INSIDE.encode()).decode() in json.dumps(stage.requests)


async def test_a_hard_link_inside_is_read_and_leaves_a_line_in_the_log(stage: Stage) -> None:
    structured(await stage.attach("hard.txt"))
    assert '"hard.txt"' in stage.output()
    assert "2 link(s)" in stage.output()


@pytest.mark.parametrize("tool", ["generate_text", "count_tokens"])
@pytest.mark.parametrize(
    "text",
    ["{top}/allowed/ok.txt", "@{top}/allowed/ok.txt", "file://{top}/allowed/ok.txt", "ok.txt", "@ok.txt", "{{ok.txt}}",
     "$(cat ok.txt)", "`cat ok.txt`", "!include ok.txt", "{top}/home/.ssh/id_rsa", "/etc/passwd", "-----"],
)  # fmt: skip
async def test_literal_text_never_reads_a_file(stage: Stage, tool: str, text: str) -> None:
    literal = stage.path(text)
    structured(await stage.call(tool, {"prompt": literal, "system": literal}))
    sent = json.dumps([request["body"] for request in stage.requests])
    assert sent.count(json.dumps(literal)) == 2
    assert "mark 5b1e77aa" not in sent
    assert base64.b64encode(INSIDE.encode()).decode()[:20] not in sent


async def test_a_url_is_passed_on_and_never_fetched(stage: Stage) -> None:
    sources = ["https://evil.example/cat.png", "gs://bucket/cat.png", "https://www.youtube.com/watch?v=x"]
    await stage.attach(*sources)
    assert all(source in json.dumps(stage.requests) for source in sources)


async def test_a_url_with_a_password_is_refused(stage: Stage) -> None:
    assert "user name or password" in error_of(await stage.attach("https://user:secret@evil.example/x.png"))
    assert stage.requests == []


@pytest.mark.parametrize("place", ["state_dir", "key_file", "token_file", "config"])
@pytest.mark.parametrize("sensitive", [False, True])
async def test_the_servers_own_files_inside_the_root_are_never_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, place: str, sensitive: bool
) -> None:
    settings: dict[str, Any] = {"allow_sensitive": sensitive}
    name = "own/thing.txt"
    write(stage.root / name, CANARY)
    if place == "config":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(stage.root / "config"))
        name = "config/gemini-toolserver/thing.txt"
        write(stage.root / name, CANARY)
    elif place == "state_dir":
        settings[place] = stage.root / "own"
    else:
        settings[place] = stage.root / name
    os.link(stage.root / name, stage.root / "innocent.txt")
    stage.settle()
    assert "belongs to this server itself" in error_of(await stage.attach(name, **settings))
    if place.endswith("_file"):
        assert "belongs to this server itself" in error_of(await stage.attach("innocent.txt", **settings))
    else:
        # A hard link out of the state directory is the documented residue; remove it again.
        (stage.root / "innocent.txt").unlink()
        stage.settle()
    assert stage.requests == []


async def test_the_ledger_inside_the_root_is_not_read_while_it_is_in_use(stage: Stage) -> None:
    state = stage.root / "kept"
    async with stage.connect(key=CANARY_KEY, state_dir=state, allow_sensitive=True) as client:
        await client.call_tool("generate_text", {"prompt": "hi", "conversation": "new"})
        assert (state / "ledger.db").exists()
        for name in ("kept/ledger.db", "kept/ledger.db-wal", "kept/../kept/ledger.db"):
            refused = await client.call_tool("count_tokens", {"attachments": [name]})
            stage.shown.append(error_of(refused))
    assert len(stage.requests) == 1
    stage.settle()


async def test_credentials_are_read_when_the_operator_says_so_and_the_rest_stays_refused(stage: Stage) -> None:
    write(stage.root / ".env", "MODE=harmless")
    stage.settle()
    assert SENSITIVE in error_of(await stage.attach(".env"))
    structured(await stage.attach(".env", allow_sensitive=True))
    assert base64.b64encode(b"MODE=harmless").decode() in json.dumps(stage.requests)
    for path in ("/etc/passwd", "link-secret.txt", "/proc/self/environ", "pipe"):
        error_of(await stage.attach(path, allow_sensitive=True))
    assert len(stage.requests) == 1


@pytest.mark.parametrize("tool", ["generate_text", "count_tokens"])
async def test_no_caller_can_allow_credentials_or_directories_by_an_argument(stage: Stage, tool: str) -> None:
    for name in ("allow_sensitive", "allow_dirs", "allow-sensitive", "state_dir", "base_url", "key", "_meta"):
        refused = await stage.call(tool, {"prompt": "x", "attachments": [".env"], name: True})
        assert f"{name}: there is no such argument" in error_of(refused)
    assert stage.requests == []


async def test_a_file_that_keeps_turning_into_a_link_never_yields_what_the_link_points_to(stage: Stage) -> None:
    flipping = write(stage.root / "flip.txt", INSIDE)
    spare_file, spare_link = write(stage.top / "spare.txt", INSIDE), stage.top / "spare.lnk"
    spare_link.symlink_to(stage.top / "outside/secret.txt")
    done = threading.Event()

    def flip() -> None:
        turn = stage.top / "turn"
        while not done.is_set():
            for source in (spare_link, spare_file):
                turn.unlink(missing_ok=True)
                os.link(source, turn, follow_symlinks=False)
                turn.replace(flipping)

    thread = threading.Thread(target=flip)
    thread.start()
    outcomes: set[bool] = set()
    try:
        async with stage.connect(key=CANARY_KEY) as client:
            for _ in range(120):
                result = await client.call_tool("count_tokens", {"attachments": ["flip.txt"]})
                outcomes.add(result.is_error is True)
                stage.shown.append(text_of(result))
    finally:
        done.set()
        thread.join()
    stage.settle()
    assert True in outcomes, "the link was never seen: the loop proves nothing"


async def test_a_directory_that_keeps_turning_into_a_link_never_yields_what_is_behind_it(stage: Stage) -> None:
    write(stage.root / "dir/secret.txt", INSIDE)
    away = stage.root / "away"
    done = threading.Event()

    def flip() -> None:
        while not done.is_set():
            (stage.root / "dir").rename(away)
            (stage.root / "dir").symlink_to(stage.top / "outside")
            (stage.root / "dir").unlink()
            away.rename(stage.root / "dir")

    thread = threading.Thread(target=flip)
    thread.start()
    outcomes: set[bool] = set()
    try:
        async with stage.connect(key=CANARY_KEY) as client:
            for _ in range(120):
                result = await client.call_tool("count_tokens", {"attachments": ["dir/secret.txt"]})
                outcomes.add(result.is_error is True)
                stage.shown.append(text_of(result))
    finally:
        done.set()
        thread.join()
    stage.settle()
    assert True in outcomes


@pytest.mark.parametrize("name", ["swap.txt", "swapped/secret.txt"])
async def test_a_link_that_takes_the_place_between_the_look_and_the_opening_is_not_followed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first = name.split("/")[0]
    write(stage.root / name, INSIDE)
    original = os.open
    swapped = 0

    def late(path: Any, *args: Any, **more: Any) -> int:
        nonlocal swapped
        if path == first and not swapped:
            swapped += 1
            (stage.root / first).rename(stage.root / "away")
            (stage.root / first).symlink_to(stage.top / "outside" / ("" if "/" in name else "secret.txt"))
        return original(path, *args, **more)

    monkeypatch.setattr(os, "open", late)
    refused = error_of(await stage.attach(name))
    assert "symbolic link" in refused or "no file" in refused
    assert swapped == 1
    assert stage.requests == []
    stage.settle()


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"and more")


def shrink(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(b"changed!")


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
@pytest.mark.parametrize("tool", ["generate_text", "count_tokens"])
async def test_a_file_that_changes_while_it_is_sent_never_arrives_as_complete(
    stage: Stage, change: Callable[[Path], None], tool: str
) -> None:
    path = write(stage.root / "long.txt", b"a line of text\n" * 2_000_000)
    results: list[CallToolResult] = []
    async with stalled() as gemini, stage.connect(key=CANARY_KEY, base_url=gemini.url) as client:
        gemini.reading.clear()

        async def call() -> None:
            results.append(await client.call_tool(tool, {"prompt": "x", "attachments": ["long.txt"]}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await gemini.wait(arrivals=1)
            change(path)
            gemini.reading.set()
        await gemini.wait(departures=1)
        (head,) = gemini.heads
        announced = int(next(line for line in head.split("\r\n") if line.startswith("content-length:")).split(":")[1])
        assert 0 < len(gemini.bodies[0]) < announced
        assert gemini.arrivals == 1
        stage.sockets = [seen for seen in stage.sockets if seen not in gemini.url]
    assert "changed while" in error_of(results[0])
    stage.settle()


@pytest.mark.parametrize("tool", ["generate_text", "count_tokens"])
@pytest.mark.parametrize("form", ["{key}", "?key={key}&x=1", "x-goog-api-key:{key}", "{key}{key}"])
async def test_a_key_that_gemini_echoes_in_an_error_is_hidden(stage: Stage, tool: str, form: str) -> None:
    stage.emulator.add_fault(f"status=400 message=No_such_{form.format(key=CANARY_KEY)}", times=None)
    refused = await stage.call(tool, {"prompt": "x"})
    assert "[hidden]" in error_of(refused)
    assert "No such" in error_of(refused)


async def test_a_key_of_another_shape_is_hidden_too(stage: Stage) -> None:
    key = "gateway-licence-0815-4711"
    stage.emulator.add_fault(f"status=400 message=Licence_{key}_has_expired", times=None)
    async with stage.connect(key=key, auth="raw") as client:
        refused = await client.call_tool("count_tokens", {"prompt": "x"})
    for text in (error_of(refused), stage.output(), *stage.spans.said):
        assert key not in text


async def test_a_key_in_an_address_that_gemini_redirects_to_is_hidden_and_nothing_is_followed(stage: Stage) -> None:
    stage.emulator.add_fault(f"redirect=https://evil.example/x?key={CANARY_KEY}", times=None)
    error_of(await stage.call("count_tokens", {"prompt": "x"}))


async def test_a_key_in_a_page_or_a_broken_answer_is_hidden(stage: Stage) -> None:
    for directive in ("html", "broken_json", "cut=before", "cut=inside", "status=418", "error_array status=500"):
        stage.emulator.clear_faults()
        stage.emulator.add_fault(directive, times=None)
        async with stage.connect(key=CANARY_KEY, timeout=1.0) as client:
            for tool in ("count_tokens", "generate_text"):
                result = await client.call_tool(tool, {"prompt": f"key={CANARY_KEY}"})
                stage.shown.append(text_of(result))
                assert result.is_error


async def test_our_own_key_that_the_model_echoes_is_hidden_in_the_answer(stage: Stage) -> None:
    async with stage.connect(key=CANARY_KEY) as client:
        result = await client.call_tool("generate_text", {"prompt": f"Repeat {CANARY_KEY}"})
    assert CANARY_KEY not in result.model_dump_json()


async def test_status_and_usage_name_where_the_key_came_from_and_never_the_key(stage: Stage) -> None:
    async with stage.connect(key=CANARY_KEY, key_source="GEMINI_API_KEY") as client:
        checks = structured(await client.call_tool("server_status", {}))
        stage.shown += [json.dumps(checks), str(await client.read_resource("gemini://usage"))]
    assert "found in GEMINI_API_KEY" in json.dumps(checks)


async def test_a_netrc_in_the_home_sends_nothing_along(stage: Stage) -> None:
    write(stage.home / ".netrc", "default login me password netrc-secret")
    stage.settle()
    structured(await stage.call("count_tokens", {"prompt": "x"}))
    assert "authorization" not in stage.requests[0]["headers"]


@pytest.fixture
def world(tmp_path: Path, emulator: Emulator) -> Generator[World]:
    """Processes, with the same assertions afterwards."""
    made = World(tmp_path, emulator.url)
    write(made.work / "hello.txt", INSIDE)
    write(made.home / ".ssh/id_rsa", CANARY)
    yield made
    assert set(made.sockets) <= {f"connect {emulator.url.removeprefix('http://')}"}
    sent = json.dumps(emulator.requests)
    assert all(form not in sent for form in alignments(CANARY))


def hushed(server: Any) -> None:
    """Neither the key nor a canary is in what a process wrote."""
    for text in (server.stdout, server.stderr):
        assert CANARY_KEY not in text
        assert all(form not in text for form in alignments(CANARY))


async def test_over_stdio_the_working_directory_may_be_read_and_nothing_else(world: World, emulator: Emulator) -> None:
    for name in ("link.txt", ".env"):
        write(world.work / ".env", CANARY)
        with suppress(FileExistsError):
            (world.work / "link.txt").symlink_to(world.home / ".ssh/id_rsa")
        assert (world.work / name).exists()
    os.mkfifo(world.work / "pipe")
    before = tree(world.top, world.state, world.sockets_file, world.top / "guard")
    async with stdio(world, GEMINI_TOOLSERVER_LOG_LEVEL="debug") as server:
        await server.greet()
        assert "structuredContent" in await server.call("count_tokens", attachments=["hello.txt"])
        assert "structuredContent" in await server.call("count_tokens", attachments=[str(world.work / "hello.txt")])
        for path, expected in {
            "/etc/passwd": OUTSIDE,
            "../home/.ssh/id_rsa": SETTING,
            str(world.home / ".ssh/id_rsa"): OUTSIDE,
            "~/.ssh/id_rsa": "taken literally",
            "link.txt": "symbolic link",
            ".env": SENSITIVE,
            "/proc/self/environ": "system's own tree",
            "/proc/self/fd/0": "system's own tree",
            "pipe": "named pipe",
            "hello.txt\0": "NUL",
        }.items():
            refused = await server.call("count_tokens", attachments=[path])
            assert refused["isError"] is True
            assert expected in texts(refused)
        # Half a pair of surrogates cannot even be said in JSON; it is answered all the same.
        body = b'{"name":"count_tokens","arguments":{"attachments":["a\\udcff"]}}'
        await server.write(b'{"jsonrpc":"2.0","id":900,"method":"tools/call","params":' + body + b"}\n")
        assert "error" in await server.answer(900)
        await server.close()
        assert await server.ended() == 0
    hushed(server)
    assert "opened for reading" in server.stderr
    assert len(emulator.requests) == 2
    assert tree(world.top, world.state, world.sockets_file, world.top / "guard") == before


async def test_a_server_that_is_started_in_the_root_of_the_file_system_reads_nothing(world: World) -> None:
    async with stdio(world, cwd=Path("/")) as server:
        refused = await server.call("count_tokens", attachments=[str(world.work / "hello.txt")])
        assert "no directory is allowed" in texts(refused)
    hushed(server)


async def test_a_file_env_in_a_cloned_project_does_not_redirect_the_key(world: World, emulator: Emulator) -> None:
    evil = "GEMINI_BASE_URL=http://evil.example\nGEMINI_TOOLSERVER_ALLOW_HTTP=1\nGEMINI_TOOLSERVER_ALLOW_DIRS=/\n"
    for name in (".env", "pyproject.toml", "gemini-toolserver.toml", ".gemini/.env", "sitecustomize.py", "mcp.json"):
        write(world.work / name, evil if "py" not in name else f"# {evil.splitlines()[0]}")
    async with stdio(world) as server:
        assert "structuredContent" in await server.call("count_tokens", prompt="x")
        assert OUTSIDE in texts(await server.call("count_tokens", attachments=["/etc/passwd"]))
    assert len(emulator.requests) == 1


async def test_what_a_library_prints_during_a_call_does_not_reach_the_wire(world: World) -> None:
    async with stdio(world, TEST_NOISE="1") as server:
        await server.greet()
        assert "structuredContent" in await server.call("count_tokens", prompt="x")
        await server.close()
        assert await server.ended() == 0
    assert len(server.messages) == 2
    assert server.stdout.endswith("}\n")
    assert "printed" not in server.stdout
    assert "a library printed this" in server.stderr
    assert "this went to the descriptor" in server.stderr


async def test_a_read_only_server_reads_and_asks_but_changes_nothing(stage: Stage) -> None:
    structured(await stage.attach("ok.txt", tool="generate_text", read_only=True))
    refused = await stage.call("delete_conversation", {"id": "c-0"}, read_only=True, toolsets=("all",))
    assert "read-only" in error_of(refused)


def test_the_harness_sees_a_secret_at_every_alignment() -> None:
    for before in range(7):
        sent = base64.b64encode(b"x" * before + CANARY + b"tail").decode()
        assert any(form in sent for form in alignments(CANARY))
    assert not any(form in base64.b64encode(b"x" * 200).decode() for form in alignments(CANARY))
    assert Stalled().departures == 0
