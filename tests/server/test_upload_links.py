"""Links to send a file to, without a network: signatures, sizes, second uploads, slow clients, room, the ledger."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.types import Message

from gemini_server import uploads
from gemini_server.errors import LocalError, NotFound
from gemini_server.jobs.artifacts import Artifact
from gemini_server.jobs.schema import CLOCK
from gemini_server.jobs.upload_links import KEPT_SECONDS, UploadLink, UploadLinks
from gemini_server.toolkit.links import UPLOAD_SECONDS
from tests.postgres import postgres as postgres
from tests.postgres import postgres_url as postgres_url
from tests.server.test_links import BASE, HOST, TOKEN, Stage, changed, parts, staged

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400
MIB = 2**20


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with staged(tmp_path) as made:
        yield made


async def announced(
    stage: Stage, size: int = len(PNG), mime_type: str = "image/png", name: str = "", principal: str = "alice"
) -> tuple[UploadLink, str]:
    """A link that was made for a file, and its URL."""
    links = stage.runtime.links
    assert links is not None
    made = await UploadLinks(stage.runtime.store).make(principal, mime_type, size, name, seconds=UPLOAD_SECONDS)
    return made, links.until(made.path, links.ends(UPLOAD_SECONDS), made.terms)


def output(stage: Stage) -> list[str]:
    """The names of what was sent, or is being sent."""
    return sorted(one.name for one in stage.file.parent.iterdir() if one.name.lstrip(".").startswith("upload-"))


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    """A body of no announced length."""
    for one in given:
        yield one


async def without_end() -> AsyncIterator[bytes]:
    while True:
        yield bytes(64 * 1024)


class Sender:
    """A client of the bare application that sends what a test gives it, and nothing more until it is told to."""

    def __init__(self, stage: Stage, url: str, *sent: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        path, _, query = url.removeprefix(BASE).partition("?")
        self._front = stage.front
        self._scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(b"host", HOST.encode()), *headers], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8765),
        }  # fmt: skip
        self._sent = list(sent)
        self.status = 0
        self.body = b""
        self.waiting = anyio.Event()
        self.go_on = anyio.Event()
        self.gone = anyio.Event()

    async def run(self) -> None:
        await self._front(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._sent:
            return {"type": "http.request", "body": self._sent.pop(0), "more_body": True}
        self.waiting.set()
        await self.go_on.wait()
        if self.gone.is_set():
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


async def test_what_is_sent_to_a_link_is_an_artifact_of_who_made_it(stage: Stage) -> None:
    made, url = await announced(stage)
    with pytest.raises(NotFound, match="is not there yet: nothing has been sent to its link"):
        await stage.runtime.artifacts.get("alice", made.id)
    answer = await stage.http.post(url, content=PNG)
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "uri": f"gemini://artifacts/{made.id}",
            "bytes": len(PNG),
            "sha256": hashlib.sha256(PNG).hexdigest(),
            "mime_type": "image/png",
        },
    )
    assert answer.headers["cache-control"] == "no-store"
    artifact = await stage.runtime.artifacts.get("alice", made.id)
    assert (artifact.kind, artifact.bytes, artifact.mime_type) == ("upload", len(PNG), "image/png")
    assert stage.runtime.artifacts.path(artifact).read_bytes() == PNG
    assert output(stage) == [artifact.name], "nothing is left beside it"
    with pytest.raises(NotFound, match="There is no artifact"):
        await stage.runtime.artifacts.get("bob", made.id)


async def test_before_and_after_its_end_only_who_made_a_link_learns_of_it(stage: Stage) -> None:
    made, _ = await announced(stage)
    with pytest.raises(NotFound) as foreign:
        await stage.runtime.artifacts.get("bob", made.id)
    with pytest.raises(NotFound) as unknown:
        await stage.runtime.artifacts.get("bob", "A" * 22)
    assert str(foreign.value).replace(made.id, "ID") == str(unknown.value).replace("A" * 22, "ID")
    await stage.runtime.store.run(lambda ledger: ledger.execute(f"UPDATE upload_links SET expires = {CLOCK} - 1"))
    with pytest.raises(NotFound, match=r"its link has ended.* Make another one with create_upload_link"):
        await stage.runtime.artifacts.get("alice", made.id)


async def test_a_second_upload_is_refused_and_says_what_is_there(stage: Stage) -> None:
    _, url = await announced(stage)
    first = await stage.http.post(url, content=PNG)
    for content in (PNG, bytes(len(PNG)), pieces(PNG)):
        again = await stage.http.post(url, content=content)
        assert again.status_code == 409
        assert first.json().items() <= again.json().items()
    assert len(output(stage)) == 1


@pytest.mark.parametrize("size", [0, 1, len(PNG) - 1, len(PNG) + 1, 2 * MIB])
@pytest.mark.parametrize("measured", [True, False])
async def test_a_body_of_another_size_leaves_nothing_and_the_link_good(stage: Stage, size: int, measured: bool) -> None:
    made, url = await announced(stage)
    body = (PNG * 30)[:size]
    answer = await stage.http.post(url, content=body if measured else pieces(body[:100], body[100:]))
    assert answer.status_code == (413 if size > len(PNG) else 400)
    assert str(len(PNG)) in answer.json()["error"]
    assert answer.headers["connection"] == "close"
    assert output(stage) == []
    assert (await stage.http.post(url, content=PNG)).status_code == 201
    assert (await stage.runtime.artifacts.get("alice", made.id)).bytes == len(PNG)


async def test_a_body_without_end_is_cut_where_the_file_would_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LINGER_SECONDS", 0.02)
    _, url = await announced(stage, 3 * MIB)
    path, _, query = url.removeprefix(BASE).partition("?")
    sender = Sender(stage, f"{path}?{query}", *[bytes(64 * 1024)] * 100)
    with anyio.fail_after(10):
        await sender.run()
    assert sender.status == 413
    assert output(stage) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-encoding": "gzip"}, 415),
        ({"content-encoding": "identity"}, 201),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 201),
        ({"content-type": "text/html"}, 201),
        ({"content-length": "9" * 30}, 413),
        ({"content-length": str(len(PNG) + 1)}, 413),
        ({"content-length": "5"}, 400),
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": f"http://{HOST}"}, 201),
    ],
)
async def test_headers_are_checked_before_the_first_byte(stage: Stage, headers: dict[str, str], status: int) -> None:
    _, url = await announced(stage)
    answer = await stage.http.post(url, content=PNG, headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
    assert len(output(stage)) == (1 if status == 201 else 0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_link_is_for_sending(stage: Stage, method: str) -> None:
    _, url = await announced(stage)
    assert (await stage.http.request(method, url)).status_code == 401
    with_token = await stage.http.request(method, url, headers={"authorization": f"Bearer {TOKEN}"})
    assert with_token.status_code == 405
    assert "access-control-allow-origin" not in with_token.headers


async def test_no_change_of_a_link_is_accepted(stage: Stage) -> None:
    made, url = await announced(stage)
    other, _ = await announced(stage)
    path, expires, signature = parts(url)
    download = stage.link
    tampered = [url.replace(made.id, other.id), url.replace(made.id, "A" * 22), url.partition("?")[0],
                url.replace(f"expires={expires}", f"expires={int(expires) + 900}"),
                f"/{path}?expires={expires}", f"/{path}?signature={signature}",
                f"/{path}?{download.partition('?')[2]}",
                f"/{path}?expires={expires}&signature={signature}&signature=",
                *[f"/{path}?expires={expires}&signature={one}" for one in changed(signature)[:8]]]  # fmt: skip
    for one in tampered:
        answer = await stage.http.post(one, content=PNG)
        assert (answer.status_code, answer.json()) == (403, {"error": "This link is not valid, or no longer."}), one
    assert (await stage.get(f"/artifacts/{made.id}?expires={expires}&signature={signature}")).status_code == 403
    assert output(stage) == []
    assert (await stage.http.post(url, content=PNG)).status_code == 201


@pytest.mark.parametrize("change", ["principal = 'bob'", "bytes = 5", "mime_type = 'text/html'"])
async def test_a_link_is_signed_for_this_size_type_and_principal(stage: Stage, change: str) -> None:
    _, url = await announced(stage)
    await stage.runtime.store.run(lambda ledger: ledger.execute(f"UPDATE upload_links SET {change}"))
    assert (await stage.http.post(url, content=PNG)).status_code == 403


TRICKS = ["/uploads/", "/uploads", "//uploads/{id}", "/uploads//{id}", "/uploads/{id}/", "/uploads/../mcp",
          "/uploads/%2e%2e/mcp", "/uploads/..%2fmcp", "/uploads/{id}%00", "/uploads/{id}%0A", "/uploads/{id}x",
          "/UPLOADS/{id}", "/x/uploads/{id}", "/uploads/{id};/mcp", "/mcp/uploads/{id}", "/mcp"]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
async def test_no_path_but_the_links_own_is_let_past_the_token(stage: Stage, trick: str) -> None:
    made, url = await announced(stage)
    answer = await stage.http.post(f"{trick.format(id=made.id)}?{url.partition('?')[2]}", content=PNG)
    assert answer.status_code == 401
    assert output(stage) == []


async def test_a_link_ends_after_a_quarter_of_an_hour_to_the_second(stage: Stage) -> None:
    _, one = await announced(stage)
    _, other = await announced(stage)
    stage.clock.now += UPLOAD_SECONDS - 1
    assert (await stage.http.post(one, content=PNG)).status_code == 201
    stage.clock.now += 1
    for ended in (one, other):
        assert (await stage.http.post(ended, content=PNG)).status_code == 403


async def test_what_was_announced_long_ago_is_forgotten_and_what_came_stays(stage: Stage) -> None:
    made, url = await announced(stage)
    never, _ = await announced(stage)
    await stage.http.post(url, content=PNG)
    late = f"UPDATE upload_links SET expires = {CLOCK} - {KEPT_SECONDS + 1}"
    await stage.runtime.store.run(lambda ledger: ledger.execute(late))
    await announced(stage)
    assert await UploadLinks(stage.runtime.store).find(never.id) is None
    with pytest.raises(NotFound, match="There is no artifact"):
        await stage.runtime.artifacts.get("alice", never.id)
    assert (await stage.runtime.artifacts.get("alice", made.id)).bytes == len(PNG)


# -- types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "mime_type", "name", "kept", "extension"),
    [
        (PNG, "", "", "image/png", ".png"),
        (PNG, "text/plain", "x.txt", "image/png", ".png"),
        (b"<html><script>fetch('/mcp')</script>", "image/png", "x.png", "application/octet-stream", ".bin"),
        (b"\x7fELF" + bytes(200), "image/png", "", "application/octet-stream", ".bin"),
        (b"\x7fELF" + bytes(200), "", "x.png.sh", "application/octet-stream", ".bin"),
        (b"a,b\n1,2\n", "text/csv", "", "text/csv", ".csv"),
        (b"# Heading\n", "", "notes.md", "text/markdown", ".md"),
        (b'{"a": 1}\n', "application/jsonl", "lines", "application/jsonl", ".jsonl"),
        (b"#!/bin/sh\n", "application/x-sh", "../../x.sh", "text/plain", ".txt"),
        (b"plain words", "", "../../../etc/cron.d/x", "text/plain", ".txt"),
    ],
)
async def test_the_type_is_by_the_bytes_and_the_name_is_this_servers(
    stage: Stage, data: bytes, mime_type: str, name: str, kept: str, extension: str
) -> None:
    made, url = await announced(stage, len(data), mime_type, name)
    answer = await stage.http.post(url, content=data)
    assert (answer.status_code, answer.json()["mime_type"]) == (201, kept)
    artifact = await stage.runtime.artifacts.get("alice", made.id)
    assert Path(artifact.name).suffix == extension
    assert artifact.name.startswith("upload-")
    assert "etc" not in artifact.name
    assert output(stage) == sorted([artifact.name, *([f"{artifact.name}.json"] if name else [])])


# -- clients that come twice, stop, or go ------------------------------------------------------------------------------


async def test_a_connection_that_is_cut_leaves_nothing_and_the_link_good(stage: Stage) -> None:
    made, url = await announced(stage, 3 * MIB)
    sender = Sender(stage, url, bytes(MIB), bytes(MIB + 5))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.run)
        await sender.waiting.wait()
        assert len(output(stage)) == 1, "what came is there, under no final name"
        with pytest.raises(NotFound, match="not there yet"):
            await stage.runtime.artifacts.get("alice", made.id)
        sender.gone.set()
        sender.go_on.set()
    assert output(stage) == []
    assert (await stage.http.post(url, content=bytes(3 * MIB))).status_code == 201


async def test_who_sends_again_takes_the_place_and_the_room_of_his_first_connection(tmp_path: Path) -> None:
    async with staged(tmp_path, output_quota=3 * MIB) as stage:
        _, url = await announced(stage, 2 * MIB)
        first = Sender(stage, url, PNG)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first.run)
            await first.waiting.wait()
            first.gone.set()
            assert (await stage.http.post(url, content=bytes(2 * MIB))).status_code == 201
            first.go_on.set()
        assert first.status == 409
        assert len(output(stage)) == 1


async def test_who_sends_again_while_the_file_is_being_kept_hears_that_it_is_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = await announced(stage)
    arrive = UploadLinks.arrive
    keeping, go_on = anyio.Event(), anyio.Event()

    async def slowly(self: UploadLinks, link: UploadLink, artifact: Artifact) -> Artifact | None:
        keeping.set()
        await go_on.wait()
        return await arrive(self, link, artifact)

    monkeypatch.setattr(UploadLinks, "arrive", slowly)
    statuses: list[int] = []
    again = Sender(stage, url)

    async def send() -> None:
        statuses.append((await stage.http.post(url, content=PNG)).status_code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await keeping.wait()
        again.go_on.set()
        tasks.start_soon(again.run)
        await anyio.wait_all_tasks_blocked()
        go_on.set()
    assert (statuses, again.status) == ([201], 409)
    assert b"gemini://artifacts/" in again.body
    assert len(output(stage)) == 1


@pytest.mark.parametrize("sent", [b"", b"x", bytes(uploads.PACE + 5)])
async def test_a_client_that_stops_is_told_so_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(uploads, "STALL_SECONDS", 0.05)
    monkeypatch.setattr(uploads, "LINGER_SECONDS", 0.05)
    _, url = await announced(stage, MIB)
    sender = Sender(stage, url, *([sent] if sent else []))
    with anyio.fail_after(10):
        await sender.run()
    assert sender.status == 408
    assert output(stage) == []


async def test_a_server_that_ends_throws_an_upload_away_and_says_so(stage: Stage) -> None:
    made, url = await announced(stage, MIB)
    sender = Sender(stage, url, bytes(1000))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.run)
        await sender.waiting.wait()
        await stage.front.end(0)
    assert sender.status == 503
    assert output(stage) == []
    with pytest.raises(NotFound, match="not there yet"):
        await stage.runtime.artifacts.get("alice", made.id)


@pytest.mark.parametrize(("limit", "others"), [("AT_ONCE", 1), ("AT_ONCE_EACH", 0)])
async def test_beyond_what_is_taken_at_once_a_client_is_sent_away_for_a_while(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, limit: str, others: int
) -> None:
    monkeypatch.setattr(uploads, limit, 2)
    senders = [Sender(stage, (await announced(stage))[1], PNG[:10]) for _ in range(2)]
    bobs = (await announced(stage, principal="bob"))[1]
    _, url = await announced(stage)
    async with anyio.create_task_group() as tasks:
        for sender in senders:
            tasks.start_soon(sender.run)
            await sender.waiting.wait()
        refused = await stage.http.post(url, content=PNG)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert (await stage.http.post(bobs, content=PNG)).status_code == (503 if others else 201)
        for sender in senders:
            sender.gone.set()
            sender.go_on.set()
    assert (await stage.http.post(url, content=PNG)).status_code == 201


# -- room and the ledger -----------------------------------------------------------------------------------------------


async def test_a_file_beyond_the_quota_is_refused_before_its_first_byte(tmp_path: Path) -> None:
    async with staged(tmp_path, output_quota=2 * MIB) as stage:
        _, fits = await announced(stage, MIB)
        _, large = await announced(stage, MIB + MIB // 2)
        sender = Sender(stage, fits, bytes(10))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sender.run)
            await sender.waiting.wait()
            other = Sender(stage, large)
            other.gone.set()
            other.go_on.set()
            await other.run()
            assert other.status == 507, "what is being sent counts in full"
            assert str(tmp_path) not in other.body.decode()
            sender.gone.set()
            sender.go_on.set()
        assert (await stage.http.post(large, content=bytes(MIB + MIB // 2))).status_code == 201


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
async def test_into_an_exchanged_directory_nothing_is_written(stage: Stage, tmp_path: Path) -> None:
    _, url = await announced(stage)
    (tmp_path / "output").rename(tmp_path / "was")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "output").symlink_to(tmp_path / "elsewhere")
    answer = await stage.http.post(url, content=PNG)
    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(("code", "left"), [("local_error", 0), ("ledger_unsure", 1)])
async def test_a_ledger_that_fails_at_the_end_leaves_no_file_that_nobody_knows(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, code: str, left: int
) -> None:
    _, url = await announced(stage)

    async def fail(*_: object) -> None:
        raise LocalError("The ledger is gone.", code=code)

    with monkeypatch.context() as patched:
        patched.setattr(UploadLinks, "arrive", fail)
        assert (await stage.http.post(url, content=PNG)).status_code == 503
    assert len([name for name in output(stage) if not name.startswith(".")]) == left
    assert (await stage.http.post(url, content=PNG)).status_code == 201


async def test_of_two_attempts_that_end_together_one_is_kept_and_the_other_leaves_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as one, staged(tmp_path) as two:
        made, url = await announced(one)
        senders = [Sender(stage, url, PNG) for stage in (one, two)]
        async with anyio.create_task_group() as tasks:
            for sender in senders:
                tasks.start_soon(sender.run)
                await sender.waiting.wait()
            for sender in senders:
                sender.go_on.set()
        assert sorted(sender.status for sender in senders) == [201, 409]
        artifact = await one.runtime.artifacts.get("alice", made.id)
        assert output(one) == [artifact.name]


async def test_replicas_on_one_postgresql_ledger_take_each_others_uploads_once(
    tmp_path: Path, postgres_url: str
) -> None:
    async with staged(tmp_path, ledger=postgres_url) as one, staged(tmp_path, ledger=postgres_url) as two:
        made, url = await announced(one)
        assert (await two.http.post(url, content=PNG)).status_code == 201
        assert (await one.http.post(url, content=PNG)).status_code == 409
        artifact = await one.runtime.artifacts.get("alice", made.id)
        assert one.runtime.artifacts.path(artifact).read_bytes() == PNG
        late, _ = await announced(one)
        with pytest.raises(NotFound, match="not there yet"):
            await two.runtime.artifacts.get("alice", late.id)
        async with staged(tmp_path) as elsewhere:
            assert (await elsewhere.http.post(url, content=PNG)).status_code == 403


async def test_without_its_ledger_a_server_takes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, url = await announced(stage)

    async def fail(*_: object) -> None:
        raise LocalError("The ledger is gone.")

    with monkeypatch.context() as patched:
        patched.setattr(UploadLinks, "find", fail)
        assert (await stage.http.post(url, content=PNG)).status_code == 503
    links, stage.runtime.links = stage.runtime.links, None
    assert (await stage.http.post(url, content=PNG)).status_code == 403
    stage.runtime.links = links
    assert (await stage.http.post(url, content=PNG)).status_code == 201
