"""Links to artifacts without a network: signatures, ranges, what is answered to whom, descriptors, the base URL."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import anyio
import anyio.lowlevel
import httpx2
import pytest
from starlette.types import Message

from gemini_server import app, downloads, settings
from gemini_server.downloads import span
from gemini_server.http import Readiness, application
from gemini_server.http_address import base_url
from gemini_server.http_front import Front
from gemini_server.jobs.artifacts import Artifact, Traits
from gemini_server.toolkit.links import DOWNLOAD_SECONDS, Links
from gemini_server.toolkit.runtime import Runtime
from tests.postgres import postgres as postgres
from tests.postgres import postgres_url as postgres_url

pytestmark = pytest.mark.anyio

TOKEN = "alice-token-0123456789"
HOST = "127.0.0.1:8765"
BASE = f"http://{HOST}"
DATA = bytes(range(256)) * 1000
WAV = Traits("audio/wav", ".wav")
PATH = "artifacts/0123456789abcdefghijkl"
NOON = 1_800_000_000.0
"""A full hour."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# -- signatures --------------------------------------------------------------------------------------------------------


def parts(link: str) -> tuple[str, str, str]:
    """Path, expiry and signature of a link."""
    split = urlsplit(link)
    query = parse_qs(split.query)
    return split.path.removeprefix("/"), query["expires"][0], query["signature"][0]


def test_a_link_is_good_for_its_path_until_it_expires(clock: Clock) -> None:
    links = Links(BASE, b"k" * 32, clock)
    path, expires, signature = parts(links.make(PATH))
    assert path == PATH
    assert NOON + DOWNLOAD_SECONDS <= int(expires) <= NOON + DOWNLOAD_SECONDS + 3600
    assert len(signature) == 32
    assert links.good(path, expires, signature)
    clock.now = int(expires) - 1
    assert links.good(path, expires, signature)
    clock.now = int(expires)
    assert not links.good(path, expires, signature)


def test_a_short_link_lasts_as_long_as_was_said(clock: Clock) -> None:
    clock.now += 0.5
    _, expires, _ = parts(Links(BASE, b"k" * 32, clock).make(PATH, 600))
    assert int(expires) == NOON + 601


def test_within_an_hour_a_file_has_one_link_which_clients_can_cache_by(clock: Clock) -> None:
    links = Links(BASE, b"k" * 32, clock)
    clock.now += 1
    first = links.make(PATH)
    clock.now += 3000
    assert links.make(PATH) == first
    clock.now += 3600
    assert links.make(PATH) != first


def changed(text: str) -> list[str]:
    """The text with each character replaced, one cut off, one added, and nothing at all."""
    other = [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(len(text))]
    return [*other, text[:-1], text[1:], f"{text}A", f"{text}=", f" {text}", f"{text}\n", text.swapcase(), ""]


def test_no_change_of_a_link_is_accepted(clock: Clock) -> None:
    links = Links(BASE, b"k" * 32, clock)
    path, expires, signature = parts(links.make(PATH))
    for wrong in changed(path):
        assert not links.good(wrong, expires, signature), wrong
    for wrong in changed(signature):
        assert not links.good(path, expires, wrong), wrong
    longer = str(int(expires) + 3600)
    for wrong in (longer, f"0{expires}", f"+{expires}", f"{expires} ", f"{expires}.0", "9" * 13, "9" * 5000, "-1",
                  "١٢٣٤", "²", "nan", "", "1e12", "\ud800"):  # fmt: skip
        assert not links.good(path, wrong, signature), wrong
    assert not links.good(path, expires, "é" * 32)
    assert not links.good(path, expires, "\ud800" * 32)
    # The line between expiry and path cannot be moved.
    assert not links.good(f"{expires[-1]}\n{path}", expires[:-1], signature)


def test_another_key_signs_otherwise_and_a_key_is_not_shown(clock: Clock) -> None:
    links = Links(BASE, b"k" * 32, clock)
    other = Links(BASE, b"l" * 32, clock)
    assert not other.good(*parts(links.make(PATH)))
    assert "kkk" not in repr(links)


# -- ranges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("", 10, None),
        ("bytes=0-9", 10, range(10)),
        ("bytes=0-0", 10, range(1)),
        ("bytes=3-5", 10, range(3, 6)),
        ("bytes=3-", 10, range(3, 10)),
        ("bytes=3-999", 10, range(3, 10)),
        ("bytes=-4", 10, range(6, 10)),
        ("bytes=-999", 10, range(10)),
        ("Bytes=3-5", 10, range(3, 6)),
        (" bytes= 3-5 ", 10, range(3, 6)),
        (f"bytes=3-{'9' * 300}", 10, range(3, 10)),
        (f"bytes=-{'9' * 300}", 10, range(10)),
        # All that is asked for lies outside.
        ("bytes=10-", 10, range(0)),
        ("bytes=10-20", 10, range(0)),
        ("bytes=-0", 10, range(0)),
        ("bytes=0-", 0, range(0)),
        ("bytes=-1", 0, range(0)),
        (f"bytes={'9' * 300}-", 10, range(0)),
        # Not served: the whole file is.
        ("bytes=-", 10, None),
        ("bytes=5-3", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("bytes=0-1, -1", 10, None),
        ("lines=0-1", 10, None),
        ("bytes=a-b", 10, None),
        ("bytes=0x1-2", 10, None),
        ("bytes=+1-2", 10, None),
        ("bytes=1.5-2", 10, None),
        ("bytes=١-٢", 10, None),
        ("bytes=--1", 10, None),
        ("bytes 0-1", 10, None),
        (f"bytes={'9' * 5000}-", 10, None),
    ],
)
def test_a_range_is_read_as_the_rfc_says(header: str, size: int, expected: range | None) -> None:
    found = span(header, size)
    assert (found is None) == (expected is None)
    assert list(found or ()) == list(expected or ())


# -- over the application ----------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """The application with one artifact."""

    front: Front
    http: httpx2.AsyncClient
    runtime: Runtime
    artifact: Artifact
    clock: Clock

    @property
    def link(self) -> str:
        """A link to the artifact."""
        assert self.runtime.links is not None
        return self.runtime.links.make(f"artifacts/{self.artifact.id}")

    @property
    def file(self) -> Path:
        """Where the artifact lies."""
        return self.runtime.artifacts.path(self.artifact)

    async def get(self, link: str = "", **headers: str) -> httpx2.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.get(link or self.link, headers=given)


@asynccontextmanager
async def staged(tmp_path: Path, data: bytes = DATA, traits: Traits = WAV, **values: Any) -> AsyncGenerator[Stage]:
    (tmp_path / "tokens").write_text(f"alice:{TOKEN}\n")
    given = settings.read(
        {},
        **{
            "http": HOST, "key": "test-key", "token_file": tmp_path / "tokens", "state_dir": tmp_path / "state",
            "output_dir": tmp_path / "output", **values,
        },
    )  # fmt: skip
    server = app.build(given)
    server.base = BASE
    front = application(given, server, Readiness())
    transport = httpx2.ASGITransport(app=front)
    async with server.session_manager.run(), httpx2.AsyncClient(transport=transport, base_url=BASE) as made:
        runtime = server.runtime
        assert runtime is not None
        assert runtime.links is not None
        clock = Clock()
        runtime.links = replace(runtime.links, wall=clock)
        artifact = await runtime.artifacts.save("alice", "speech", data, traits)
        yield Stage(front, made, runtime, artifact, clock)
    assert server.runtime is None


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with staged(tmp_path) as made:
        yield made


async def test_a_link_gives_the_file_without_a_token_and_nothing_else_does(stage: Stage) -> None:
    answer = await stage.get()
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert re.fullmatch('inline; filename="speech-[0-9]{8}[^"/]*[.]wav"', answer.headers["content-disposition"])
    assert (await stage.get(stage.link.partition("?")[0])).status_code == 403
    assert (await stage.get("/mcp")).status_code == 401


async def test_head_says_what_get_would_without_the_bytes(stage: Stage) -> None:
    head, whole = await stage.http.head(stage.link), await stage.get()
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers
    # A range is one of GET's alone.
    ranged = await stage.http.head(stage.link, headers={"range": "bytes=0-1"})
    assert (ranged.status_code, ranged.headers["content-length"]) == (200, str(len(DATA)))


async def test_a_range_is_served_and_one_outside_is_refused_with_the_size(stage: Stage) -> None:
    answer = await stage.get(range="bytes=1000-70999")
    assert (answer.status_code, answer.content) == (206, DATA[1000:71000])
    assert answer.headers["content-range"] == f"bytes 1000-70999/{len(DATA)}"
    assert answer.headers["content-length"] == "70000"
    outside = await stage.get(range=f"bytes={len(DATA)}-")
    assert (outside.status_code, outside.content) == (416, b"")
    assert outside.headers["content-range"] == f"bytes */{len(DATA)}"
    several = await stage.get(range="bytes=0-0,5-5")
    assert (several.status_code, several.content) == (200, DATA)


async def test_a_broken_download_goes_on_where_it_stopped(stage: Stage) -> None:
    etag = (await stage.http.head(stage.link)).headers["etag"]
    assert etag == f'"{hashlib.sha256(DATA).hexdigest()}"'
    begun = await stage.get(range="bytes=0-999", if_range=etag)
    rest = await stage.get(range="bytes=1000-", if_range=etag)
    assert begun.content + rest.content == DATA
    for other in ('"other"', f"W/{etag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        assert (await stage.get(range="bytes=1000-", if_range=other)).status_code == 200


@pytest.mark.parametrize(
    ("named", "status"),
    [("{}", 304), ("W/{}", 304), ("*", 304), ('"a", {}', 304), ('"a"', 200), ("", 200)],
)
async def test_what_a_client_has_already_is_not_sent_again(stage: Stage, named: str, status: int) -> None:
    etag = (await stage.http.head(stage.link)).headers["etag"]
    answer = await stage.get(if_none_match=named.format(etag), range="bytes=0-1" if status == 304 else "")
    assert answer.status_code == status
    assert answer.headers["etag"] == etag
    assert answer.content == (b"" if status == 304 else DATA)


@pytest.mark.parametrize("header", [None, "bytes=0-", "bytes=-1"])
async def test_an_empty_file_is_served_too(tmp_path: Path, header: str | None) -> None:
    async with staged(tmp_path, b"", Traits("text/plain", ".txt")) as stage:
        answer = await stage.get(**({"range": header} if header else {}))
    assert answer.content == b""
    assert answer.status_code == (416 if header else 200)
    if header is None:
        assert answer.headers["content-length"] == "0"


@pytest.mark.parametrize(
    ("traits", "shown"),
    [
        (Traits("image/png", ".png"), True),
        (Traits("video/mp4", ".mp4"), True),
        (Traits("text/plain", ".txt"), True),
        (Traits("text/html", ".html"), False),
        (Traits("text/xml", ".svg"), False),
        (Traits("image/svg+xml", ".svg"), False),
        (Traits("application/pdf", ".pdf"), False),
        (Traits("application/json", ".json"), False),
        (Traits("application/octet-stream", ".bin"), False),
    ],
)
async def test_what_a_browser_could_run_is_saved_and_not_shown(tmp_path: Path, traits: Traits, shown: bool) -> None:
    page = b"<html><script>fetch('/mcp')</script></html>"
    async with staged(tmp_path, page, traits) as stage:
        answer = await stage.get()
    assert answer.content == page
    assert answer.headers["content-disposition"].startswith("inline; " if shown else "attachment; ")
    policy = answer.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert not [rule for rule in policy if "script" in rule]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"].startswith(traits.mime_type)


async def test_a_link_ends_when_it_expires(stage: Stage) -> None:
    link = stage.link
    stage.clock.now += DOWNLOAD_SECONDS - 1
    assert (await stage.get(link)).status_code == 200
    stage.clock.now += 1
    answer = await stage.get(link)
    assert (answer.status_code, answer.text) == (403, "This link is not valid, or no longer.\n")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_link_opens_its_own_file_alone(stage: Stage) -> None:
    other = await stage.runtime.artifacts.save("bob", "speech", b"a secret", WAV)
    link = stage.link
    path, expires, signature = parts(link)
    foreign = link.replace(stage.artifact.id, other.id)
    unknown = link.replace(stage.artifact.id, "A" * 22)
    tampered = [foreign, unknown, f"/{path}", f"/{path}?expires={expires}", f"/{path}?signature={signature}",
                f"/{path}?expires={int(expires) + 3600}&signature={signature}",
                f"/{path}?expires={expires}&signature={signature[:-1]}",
                f"/{path}?expires={expires}&signature={signature}&signature=",
                f"/{path}?expires={expires}&signature={signature}%00",
                f"/{path}?expires={expires}%0A&signature={signature}"]  # fmt: skip
    answers = [await stage.get(one) for one in tampered]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (403, "This link is not valid, or no longer.\n")
    }
    assert (await stage.get(link)).status_code == 200


TRICKS = ["/artifacts/", "/artifacts", "//artifacts/{id}", "/artifacts//{id}", "/artifacts/{id}/", "/artifacts/{id}/.",
          "/artifacts/../artifacts/{id}", "/artifacts/%2e%2e/mcp", "/artifacts/../mcp", "/artifacts/..%2fmcp",
          "/artifacts/{id}%00", "/artifacts/{id}%0A", "/artifacts/{id}%2f..%2f..%2fmcp", "/artifacts/{id}x",
          "/artifacts/{name}", "/artifacts/..%2f..%2fstate%2fledger.db", "/ARTIFACTS/{id}", "/x/artifacts/{id}",
          "/artifacts/{id};/mcp", "/artifacts/%252e%252e", "/mcp/artifacts/{id}"]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
async def test_no_path_but_the_links_own_is_let_past_the_token(stage: Stage, trick: str) -> None:
    path = trick.format(id=stage.artifact.id, name=stage.artifact.name)
    stranger = Visitor(stage, path=path)
    stranger.gone.set()
    await stranger.run()
    assert stranger.status in (401, 403), path
    # Even who has a token comes no further than the routes there are.
    alice = Visitor(stage, path=path, headers=[(b"authorization", f"Bearer {TOKEN}".encode())])
    alice.gone.set()
    await alice.run()
    assert alice.status in (307, 400, 403, 404, 405, 406), path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_a_link_is_for_reading(stage: Stage, method: str) -> None:
    assert (await stage.http.request(method, stage.link)).status_code == 401
    with_token = await stage.http.request(method, stage.link, headers={"authorization": f"Bearer {TOKEN}"})
    assert with_token.status_code == 405
    assert stage.file.read_bytes() == DATA


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": ""}, 421),
        ({"origin": "http://evil.example", "host": HOST}, 403),
        ({"origin": "null"}, 403),
        ({"host": "localhost:1"}, 200),
        ({"origin": f"http://{HOST}"}, 200),
    ],
)
async def test_host_and_origin_are_checked_as_everywhere(stage: Stage, headers: dict[str, str], status: int) -> None:
    assert (await stage.get(**headers)).status_code == status


async def test_an_error_page_shows_nothing_of_what_was_sent(stage: Stage) -> None:
    for link in (f"{stage.link}x", stage.link.replace("artifacts", "artefacts")):
        answer = await stage.get(link, authorization="Bearer a-secret-token-0123456789", cookie="session=a-secret")
        shown = answer.text + str(answer.headers)
        for secret in ("a-secret", TOKEN, stage.artifact.id, parts(stage.link)[2]):
            assert secret not in shown


def replaced_by_a_link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def replaced_by_a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replaced_by_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def made_shorter(file: Path) -> None:
    file.write_bytes(DATA[:-1])


def made_longer(file: Path) -> None:
    file.write_bytes(DATA + b"x")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")
@pytest.mark.parametrize(
    "change",
    [
        Path.unlink,
        replaced_by_a_link,
        replaced_by_a_directory,
        replaced_by_a_pipe,
        made_shorter,
        made_longer,
    ],
    ids=["removed", "a link", "a directory", "a pipe", "shorter", "longer"],
)
async def test_a_file_that_is_not_there_any_more_is_not_served(stage: Stage, change: Callable[[Path], None]) -> None:
    change(stage.file)
    answer = await stage.get()
    assert (answer.status_code, answer.text) == (404, "The file is gone.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
async def test_a_link_in_the_place_of_a_file_leads_nowhere(stage: Stage, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * len(DATA))
    stage.file.unlink()
    stage.file.symlink_to(secret)
    assert (await stage.get()).status_code == 404


@pytest.mark.skipif(sys.platform == "win32", reason="an open directory is not renamed")
async def test_an_exchanged_directory_is_not_read(stage: Stage, tmp_path: Path) -> None:
    assert (await stage.get()).status_code == 200
    (tmp_path / "output").rename(tmp_path / "was")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / stage.artifact.name).write_bytes(DATA)
    answer = await stage.get()
    assert (answer.status_code, answer.text) == (503, "The file cannot be read at the moment.\n")


# -- descriptors, slow clients, memory ---------------------------------------------------------------------------------


def descriptors(file: Path) -> int:
    """How many descriptors of this process are open on a file."""
    found = 0
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += number.samefile(file)
    return found


LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors by /proc")


class Visitor:
    """A client of the bare application, which takes as much as a test wants."""

    def __init__(
        self,
        stage: Stage,
        takes: float = float("inf"),
        *,
        path: str = "",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        link = urlsplit(stage.link)
        path = path or link.path
        self._front = stage.front
        self._scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": unquote(path), "raw_path": path.encode(), "query_string": link.query.encode(), "root_path": "",
            "headers": [(b"host", HOST.encode()), *headers], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8765),
        }  # fmt: skip
        self._takes = takes
        self.status = 0
        self.pieces: list[int] = []
        self.ended = False
        self.hung_up = 0
        self.between: Callable[[], None] = lambda: None
        self.full = anyio.Event()
        self.gone = anyio.Event()

    async def run(self) -> None:
        def hang_up(_: object) -> None:
            self.hung_up += 1
            self.gone.set()

        self._front.hang_up = hang_up
        await self._front(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if len(self.pieces) >= self._takes:
            self.full.set()
            await anyio.sleep_forever()
        self.pieces.append(len(message.get("body", b"")))
        self.ended = not message.get("more_body")
        self.between()


@LINUX
async def test_a_file_is_read_in_small_pieces_and_closed(tmp_path: Path) -> None:
    async with staged(tmp_path, DATA * 20) as stage:
        visitor = Visitor(stage)
        await visitor.run()
        assert visitor.ended
        assert sum(visitor.pieces) == len(DATA) * 20
        assert max(visitor.pieces) <= 64 * 1024
        assert descriptors(stage.file) == 0
        assert not visitor.hung_up


@LINUX
async def test_the_descriptor_of_a_client_that_vanishes_is_given_back(tmp_path: Path) -> None:
    async with staged(tmp_path, DATA * 20) as stage:
        visitor = Visitor(stage, takes=2)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(visitor.run)
                await visitor.full.wait()
                assert descriptors(stage.file) == 1
                visitor.gone.set()
        assert not visitor.ended
        assert descriptors(stage.file) == 0


@LINUX
@pytest.mark.parametrize("takes", [0, 2])
async def test_a_client_that_takes_nothing_any_more_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, takes: int
) -> None:
    monkeypatch.setattr(downloads, "STALL_SECONDS", 0.02)
    async with staged(tmp_path, DATA * 20) as stage:
        visitor = Visitor(stage, takes)
        with anyio.fail_after(10):
            await visitor.run()
        assert (len(visitor.pieces), visitor.ended, visitor.hung_up) == (takes, False, 1)
        assert descriptors(stage.file) == 0


@LINUX
async def test_a_server_that_ends_cuts_a_download_rather_than_passing_it_off_as_whole(tmp_path: Path) -> None:
    async with staged(tmp_path, DATA * 20) as stage:
        visitor = Visitor(stage, takes=2)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(visitor.run)
                await visitor.full.wait()
                await stage.front.end(0)
        assert (visitor.ended, visitor.hung_up) == (False, 1)
        assert descriptors(stage.file) == 0


async def test_a_file_that_is_cut_while_it_is_sent_ends_the_connection(tmp_path: Path) -> None:
    async with staged(tmp_path, DATA * 20) as stage:
        visitor = Visitor(stage)
        visitor.between = lambda: os.truncate(stage.file, 100_000)
        await visitor.run()
        assert sum(visitor.pieces) < 100_000
        assert (visitor.ended, visitor.hung_up) == (False, 1)


@LINUX
async def test_a_file_that_is_replaced_while_it_is_sent_is_not_mixed_with_the_other(tmp_path: Path) -> None:
    async with staged(tmp_path, DATA * 20) as stage, stage.http.stream("GET", stage.link) as answer:
        stage.file.unlink()
        stage.file.write_bytes(bytes(len(DATA) * 20))
        assert await answer.aread() == DATA * 20


@LINUX
@pytest.mark.parametrize(
    "headers", [{"range": "bytes=9999999-"}, {"if_none_match": "*"}, {"range": "bytes=0-1"}, {}], ids=str
)
async def test_no_answer_keeps_a_descriptor(stage: Stage, headers: dict[str, str]) -> None:
    for _ in range(20):
        await stage.get(**headers)
        await stage.http.head(stage.link)
    assert descriptors(stage.file) == 0


# -- where links come from ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "values", "expected"),
    [
        ("127.0.0.1", {}, "http://127.0.0.1:8765"),
        ("::1", {}, "http://[::1]:8765"),
        ("localhost", {"allowed_hosts": ("tools.example",)}, "http://localhost:8765"),
        ("0.0.0.0", {"allowed_hosts": ("tools.example", "b")}, "http://tools.example:8765"),
        ("::", {"allowed_hosts": ("tools.example:80",)}, "http://tools.example:80"),
        ("::", {"allowed_hosts": ("fd00::1",)}, "http://[fd00::1]:8765"),
        ("::", {"allowed_hosts": ("[fd00::1]",)}, "http://[fd00::1]:8765"),
        ("::", {"allowed_hosts": ("[fd00::1]:80",)}, "http://[fd00::1]:80"),
        ("0.0.0.0", {}, "http://127.0.0.1:8765"),
        ("0.0.0.0", {"public_url": "https://x.example/"}, "https://x.example"),
        ("127.0.0.1", {"public_url": "https://x.example/gemini/"}, "https://x.example/gemini"),
        ("127.0.0.1", {"public_url": "https://x.example/gemini/mcp"}, "https://x.example/gemini"),
    ],
)
def test_the_base_of_links_is_where_callers_reach_the_server(host: str, values: dict[str, Any], expected: str) -> None:
    assert base_url(settings.read({}, key="k", **values), host, 8765) == expected


async def test_over_stdio_there_are_no_links_and_no_ledger_is_made_for_them(tmp_path: Path) -> None:
    server = app.build(settings.read({}, key="test-key", state_dir=tmp_path / "state"))
    async with server.lifespan(server) as runtime:
        assert runtime.links is None
    assert not (tmp_path / "state").exists()


async def test_without_its_ledger_a_server_has_no_links_until_it_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemini_server.toolkit.runtime.LEDGER_AGAIN", 0.01)
    (tmp_path / "state").touch()
    given = settings.read({}, http=HOST, key="test-key", state_dir=tmp_path / "state", output_dir=tmp_path / "output")
    server = app.build(given)
    server.base = BASE
    front = application(given, server, Readiness())
    async with (
        server.session_manager.run(),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=front), base_url=BASE) as made,
    ):
        assert server.runtime is not None
        assert server.runtime.links is None
        assert (await made.get(f"/artifacts/{'A' * 22}?expires=9&signature=x")).status_code == 403
        assert (await made.get("/healthz")).text == "ok\n"
        (tmp_path / "state").unlink()
        with anyio.fail_after(10):
            while server.runtime.links is None:
                assert (await made.get("/readyz")).text == "ready\n"
                await anyio.lowlevel.checkpoint()


async def test_replicas_on_one_postgresql_ledger_honour_each_others_links(tmp_path: Path, postgres_url: str) -> None:
    async with (
        staged(tmp_path, ledger=postgres_url) as one,
        staged(tmp_path, ledger=postgres_url) as two,
    ):
        assert (await two.get(one.link)).content == DATA
        link = one.link
    async with staged(tmp_path, ledger=postgres_url) as later:
        assert (await later.get(link)).content == DATA
    async with staged(tmp_path) as elsewhere:
        assert (await elsewhere.get(link)).status_code == 403
