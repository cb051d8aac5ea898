"""Downloads into a part: resumed wherever they were cut, checked, and never more than the file."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from gemini_server.errors import BadAnswer, ConnectionFailed, LocalError, NotFound, ToolserverError
from gemini_server.jobs import download, finishing
from gemini_server.jobs.artifacts import Traits, part_name
from gemini_server.jobs.download import Fetched, fetch
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.config import ClientConfig
from tests.server.jobs.files import FileServer
from tests.server.rest.loopback import Loopback, hang_up, raw, redirect, reply, reply_json

pytestmark = pytest.mark.anyio

KEY = "AIzaSyCANARYcanaryCANARYcanaryCANARY123"
ROOT = Path(__file__).parents[3]
CREATED = datetime(2026, 11, 22, tzinfo=UTC)
PART = part_name("video", CREATED, "id")
MP4 = Traits("video/mp4", ".mp4")
DATA = random.Random(7).randbytes(3_000_001)
SHA256 = hashlib.sha256(DATA).hexdigest()
posix = pytest.mark.skipif(os.name != "posix", reason="limits and signals of POSIX")

Fetch = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path) -> OutputDirectory:
    return OutputDirectory(tmp_path / "output")


class Pauses:
    """Waits for nothing, and remembers how long it was asked to."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert len(self.slept) < 200, "it never gives up"


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def get(files: OutputDirectory, pauses: Pauses) -> AsyncIterator[Fetch]:
    """Fetches from a server, without waiting."""
    clients: list[GeminiClient] = []

    async def call(server: Loopback, uri: str = "files/a", **options: Any) -> Fetched:
        config = ClientConfig(base_url=server.url, key=SecretStr(KEY), max_attempts=2)
        client = GeminiClient(config, sleep=pauses, random=lambda: 0.5)
        clients.append(client)
        return await fetch(client, files, PART, uri, sleep=pauses, random=lambda: 0.5, **options)

    yield call
    for client in clients:
        await client.aclose()


async def refused(get: Fetch, server: Loopback, **options: Any) -> ToolserverError:
    with pytest.raises(ToolserverError) as error:
        await get(server, **options)
    return error.value


def content(files: OutputDirectory) -> bytes:
    return (files.path / PART).read_bytes()


def listed(files: OutputDirectory) -> list[str]:
    return sorted(path.name for path in files.path.iterdir()) if files.path.exists() else []


async def test_a_file_is_fetched_whole_with_its_sum_and_its_head(files: OutputDirectory, get: Fetch) -> None:
    told: list[tuple[int, int | None]] = []

    def tell(there: int, total: int | None) -> None:
        told.append((there, total))

    async with Loopback(FileServer(DATA)) as server:
        found = await get(server, on_bytes=tell)
    assert content(files) == DATA
    assert (found.bytes, found.sha256, found.mime_type) == (len(DATA), SHA256, "video/mp4")
    assert found.head == DATA[: 64 * 1024]
    assert told[0] == (0, len(DATA))
    assert told[-1] == (len(DATA), len(DATA))
    assert [there for there, _ in told] == sorted(there for there, _ in told)
    if os.name == "posix":
        assert (files.path / PART).stat().st_mode & 0o777 == 0o600


async def test_a_download_that_is_cut_five_times_goes_on_each_time_where_it_was(
    files: OutputDirectory, get: Fetch, pauses: Pauses
) -> None:
    server = FileServer(DATA, cuts=[100_000, 1, 1_048_576, 700_000, 65_535])
    async with Loopback(server) as loopback:
        found = await get(loopback)
    assert content(files) == DATA
    assert found.sha256 == SHA256
    assert server.starts == [0, 100_000, 100_001, 1_148_577, 1_848_577, 1_914_112]
    assert [seen.header("if-range") for seen in loopback.seen] == [None, *['"v1"'] * 5]
    assert len(pauses.slept) == 5


@pytest.mark.parametrize("etag", ['"v1"', 'W/"weak"', ""])
async def test_another_call_goes_on_where_the_first_gave_up(
    files: OutputDirectory, get: Fetch, pauses: Pauses, etag: str
) -> None:
    first = FileServer(DATA, etag, cuts=[1_500_000])
    async with Loopback(first, hang_up()) as server:
        error = await refused(get, server)
    assert isinstance(error, ConnectionFailed)
    assert content(files) == DATA[:1_500_000]
    second = FileServer(DATA, etag)
    async with Loopback(second) as server:
        assert (await get(server)).sha256 == SHA256
    assert second.starts == [1_500_000]
    assert server.seen[0].header("if-range") == (etag if etag.startswith('"') else None)


@posix
async def test_a_process_that_is_killed_leaves_what_another_one_goes_on_with(
    files: OutputDirectory, get: Fetch
) -> None:
    head = f'HTTP/1.1 200 X\r\ncontent-length: {len(DATA)}\r\ncontent-type: video/mp4\r\netag: "v1"\r\n\r\n'.encode()

    async def stall(seen: object, writer: Any) -> None:
        writer.write(head + DATA[:2_500_000])
        await writer.drain()
        await anyio.sleep_forever()

    async with Loopback(stall) as server:
        command = [sys.executable, "-c", CHILD + RUN, str(files.path), server.url]
        async with await anyio.open_process(command, env=environment()) as child:
            assert child.stdout is not None
            told = b""
            with anyio.move_on_after(30):
                while max([0, *map(int, told.rpartition(b"\n")[0].split())]) < 2_000_000:
                    told += await child.stdout.receive()
            child.kill()
    there = (files.path / PART).stat().st_size
    assert there >= 2_000_000
    other = FileServer(DATA)
    async with Loopback(other) as server:
        assert (await get(server)).sha256 == SHA256
    assert other.starts == [there]


CHILD = f"""
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from gemini_server.errors import LocalError
from gemini_server.jobs import room
from gemini_server.jobs.download import fetch
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.config import ClientConfig
room.KEEP_FREE = 0
def say(there, total):
    print(there, flush=True)
async def main():
    client = GeminiClient(ClientConfig(base_url=sys.argv[2], key=SecretStr("{KEY}")))
    try:
        await fetch(client, OutputDirectory(Path(sys.argv[1])), "{PART}", "files/a", on_bytes=say)
    except LocalError as error:
        print(error.code, error)
    await client.aclose()
"""
RUN = "asyncio.run(main())\n"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "server")}


@posix
async def test_a_full_disk_keeps_the_part_and_a_larger_one_goes_on(files: OutputDirectory, get: Fetch) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, 1_200_000))\n"
    async with Loopback(FileServer(DATA)) as server:
        command = [sys.executable, "-c", CHILD + limit + RUN, str(files.path), server.url]
        ended = await anyio.run_process(command, env=environment())
    assert b"\ndisk_full The disk is full" in ended.stdout, ended.stderr
    assert content(files) == DATA[:1_200_000]
    rest = FileServer(DATA)
    async with Loopback(rest) as server:
        assert (await get(server)).sha256 == SHA256
    assert rest.starts == [1_200_000]


async def test_a_disk_that_is_nearly_full_is_noticed_before_the_first_byte(
    files: OutputDirectory, get: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage("/")._replace(free=64 * 2**20 + len(DATA) - 1)

    def told(path: Path) -> object:
        return usage

    monkeypatch.setattr(shutil, "disk_usage", told)
    async with Loopback(FileServer(DATA)) as server:
        error = await refused(get, server)
    assert (type(error), error.code) == (LocalError, "disk_full")
    assert content(files) == b""


async def test_the_quota_is_looked_at_before_the_first_byte(tmp_path: Path, pauses: Pauses) -> None:
    files = OutputDirectory(tmp_path / "output", quota=len(DATA) - 1)
    async with Loopback(FileServer(DATA)) as server:
        client = GeminiClient(ClientConfig(base_url=server.url, key=SecretStr(KEY)))
        with pytest.raises(LocalError) as error:
            await fetch(client, files, PART, "files/a", sleep=pauses)
        assert error.value.code == "quota"
        assert (files.path / PART).read_bytes() == b""
        larger = OutputDirectory(tmp_path / "output", quota=len(DATA))
        assert (await fetch(client, larger, PART, "files/a", sleep=pauses)).sha256 == SHA256
        await client.aclose()


@pytest.mark.parametrize("if_range", [True, False])
@pytest.mark.parametrize("larger", [0, 5000])
async def test_a_file_that_has_changed_is_fetched_from_its_beginning(
    files: OutputDirectory, get: Fetch, if_range: bool, larger: int
) -> None:
    async with Loopback(FileServer(DATA, cuts=[1_000_000]), hang_up()) as server:
        await refused(get, server)
    new = random.Random(8).randbytes(len(DATA) + larger)
    changed = FileServer(new, '"v2"', if_range=if_range)
    async with Loopback(changed) as server:
        found = await get(server)
    assert content(files) == new
    assert found.sha256 == hashlib.sha256(new).hexdigest()
    assert changed.starts == ([0] if if_range else [1_000_000, 0])


async def test_a_server_that_knows_no_ranges_sends_it_all_again(files: OutputDirectory, get: Fetch) -> None:
    server = FileServer(DATA, cuts=[2_000_000, 1_000_000], ranges=False)
    async with Loopback(server) as loopback:
        assert (await get(loopback)).sha256 == SHA256
    assert content(files) == DATA
    assert server.starts == [0, 0, 0]


async def test_a_server_that_never_gets_to_the_end_is_given_up(files: OutputDirectory, get: Fetch) -> None:
    server = FileServer(DATA, cuts=[1_000_000] * 500, ranges=False)
    async with Loopback(server) as loopback:
        assert isinstance(await refused(get, loopback), ConnectionFailed)
    assert len(server.starts) < 20
    drop = FileServer(DATA, cuts=[1] * 500)
    async with Loopback(drop) as loopback:
        assert isinstance(await refused(get, loopback), ConnectionFailed)
    assert len(drop.starts) < 20
    assert (files.path / PART).read_bytes()


async def test_what_nothing_speaks_for_is_not_put_together(files: OutputDirectory, get: Fetch) -> None:
    server = FileServer(DATA, "", cuts=[1_000_000], sized=False)
    async with Loopback(server) as loopback:
        assert (await get(loopback)).sha256 == SHA256
    assert server.starts == [0, 1_000_000, 0]
    files.remove_part(PART)
    server = FileServer(DATA, "", cuts=[1_000_000], sized=False)
    async with Loopback(server) as loopback:
        assert (await get(loopback, sha256=SHA256)).sha256 == SHA256
    assert server.starts == [0, 1_000_000]


async def test_a_part_of_which_nothing_is_known_is_begun_again(files: OutputDirectory, get: Fetch) -> None:
    files.write_part(PART, b"whatever this is")
    server = FileServer(DATA)
    async with Loopback(server) as loopback:
        assert (await get(loopback)).sha256 == SHA256
    assert server.starts == [0]


async def test_what_is_there_whole_is_not_asked_for_again(files: OutputDirectory, get: Fetch) -> None:
    async with Loopback(FileServer(DATA)) as server:
        first = await get(server)
    async with Loopback(reply_json({"error": {"code": 404}}, 404)) as gone:
        assert await get(gone) == first
        finishing.finish(files, "id", "video", CREATED, MP4, first.bytes, first.sha256)
        assert not (files.path / PART).exists()
        again = await get(gone)
        assert (again.bytes, again.sha256, again.head) == (first.bytes, first.sha256, first.head)
        made = finishing.finish(files, "id", "video", CREATED, MP4, first.bytes, first.sha256)
    assert gone.seen == []
    assert (files.path / made.name).read_bytes() == DATA


async def test_a_part_whose_last_byte_came_just_before_the_end_of_its_process_is_whole(
    files: OutputDirectory, get: Fetch
) -> None:
    (files.path).mkdir()
    (files.path / PART).write_bytes(DATA)
    (files.path / f"{PART}.note").write_text(f'{{"etag": "\\"v1\\"", "size": {len(DATA)}, "mime_type": "video/mp4"}}')
    async with Loopback(reply_json({"error": {"code": 404}}, 404)) as gone:
        assert (await get(gone)).sha256 == SHA256
    assert gone.seen == []


@pytest.mark.parametrize("known", [True, False])
async def test_nothing_beyond_the_end_means_that_all_is_there(files: OutputDirectory, get: Fetch, known: bool) -> None:
    server = FileServer(DATA, sized=False, cuts=[len(DATA)])
    async with Loopback(server) as loopback:
        found = await get(loopback, expected_bytes=len(DATA) if known else None)
    assert (found.sha256, content(files)) == (SHA256, DATA)
    assert server.starts == [0, len(DATA)]


async def test_more_there_than_the_file_has_means_that_it_is_begun_again(files: OutputDirectory, get: Fetch) -> None:
    async with Loopback(FileServer(DATA, cuts=[1_000_000]), hang_up()) as server:
        await refused(get, server)
    (files.path / PART).write_bytes(DATA + DATA)
    server_ = FileServer(DATA)
    async with Loopback(server_) as loopback:
        assert (await get(loopback)).sha256 == SHA256
    assert server_.starts == [2 * len(DATA), 0]


@pytest.mark.parametrize("spelling", ["hex", "upper", "base64", "base64 of hex", "url-safe"])
async def test_the_sum_is_compared_in_whatever_spelling_google_gives_it(get: Fetch, spelling: str) -> None:
    raw_sum = bytes.fromhex(SHA256)
    spelled = {
        "hex": SHA256,
        "upper": SHA256.upper(),
        "base64": base64.b64encode(raw_sum).decode(),
        "base64 of hex": base64.b64encode(SHA256.encode()).decode(),
        "url-safe": base64.urlsafe_b64encode(raw_sum).decode().rstrip("="),
    }[spelling]
    async with Loopback(FileServer(DATA), FileServer(DATA[:-1] + b"!")) as server:
        assert (await get(server, sha256=spelled)).sha256 == SHA256


@pytest.mark.parametrize("how", ["sha256", "md5", "expected", "beyond"])
async def test_bytes_that_are_proven_wrong_are_removed(files: OutputDirectory, get: Fetch, how: str) -> None:
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    headers = {"x-goog-hash": f"crc32c=AAAAAA==,md5={wrong}"} if how == "md5" else {}
    options: dict[str, Any] = {}
    if how == "sha256":
        options["sha256"] = hashlib.sha256(b"other").hexdigest()
    elif how != "md5":
        options["expected_bytes"] = len(DATA) - 5
    async with Loopback(FileServer(DATA, headers=headers, sized=how != "beyond")) as server:
        error = await refused(get, server, **options)
    assert isinstance(error, BadAnswer)
    assert error.code == ("wrong_digest" if how in ("sha256", "md5") else "wrong_size")
    assert listed(files) == []
    async with Loopback(FileServer(DATA)) as server:
        assert (await get(server)).sha256 == SHA256


async def test_the_md5_of_the_whole_file_is_compared_after_a_cut_too(files: OutputDirectory, get: Fetch) -> None:
    headers = {"X-Goog-Hash": f"md5={base64.b64encode(hashlib.md5(DATA).digest()).decode()}"}
    async with Loopback(FileServer(DATA, cuts=[1_000_000, 1_000_000], headers=headers)) as server:
        assert (await get(server)).sha256 == SHA256
    files.remove_part(PART)
    other = FileServer(DATA[:2_000_000] + b"!" * 1_000_001, cuts=[1_000_000], headers=headers)
    async with Loopback(other) as server:
        assert (await refused(get, server)).code == "wrong_digest"


async def test_a_body_without_end_is_left_at_the_size_that_was_announced(files: OutputDirectory, get: Fetch) -> None:
    async def endless(seen: object, writer: Any) -> None:
        head = b"HTTP/1.1 206 X\r\ncontent-range: bytes 1000000-1999999/2000000\r\ncontent-type: video/mp4\r\n"
        writer.write(head + b'etag: "v1"\r\n\r\n')
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async with Loopback(FileServer(DATA[:2_000_000], cuts=[1_000_000]), endless) as server:
        error = await refused(get, server)
    assert error.code == "wrong_size"
    assert listed(files) == []


async def test_a_body_without_end_and_size_is_left_at_the_most_that_is_fetched(
    files: OutputDirectory, get: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST", 2_500_000)
    async with Loopback(FileServer(DATA, sized=False)) as server:
        assert (await refused(get, server)).code == "wrong_size"
    async with Loopback(FileServer(DATA)) as server:
        assert (await refused(get, server)).code == "wrong_size"
    assert listed(files) == []


async def test_an_empty_answer_is_no_file(files: OutputDirectory, get: Fetch) -> None:
    async with Loopback(FileServer(b"")) as server:
        assert (await refused(get, server)).code == "wrong_size"
    assert listed(files) == []


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(404, b'{"error": {"code": 404, "message": "x"}}', NotFound), (200, b"<html>Sign in</html>", BadAnswer)],
)
async def test_what_is_no_file_is_not_saved_and_a_part_stays(
    files: OutputDirectory, get: Fetch, status: int, body: bytes, kind: type[Exception]
) -> None:
    async with Loopback(FileServer(DATA, cuts=[1_000_000]), reply(body, status, "text/html")) as server:
        assert isinstance(await refused(get, server), kind)
    assert content(files) == DATA[:1_000_000]


async def test_the_key_does_not_go_to_another_host_and_the_ranges_do(files: OutputDirectory, get: Fetch) -> None:
    server_ = FileServer(DATA, cuts=[1_000_000])
    async with Loopback(server_) as other, Loopback(redirect(302, f"{other.url}/signed?s=1")) as server:
        assert (await get(server)).sha256 == SHA256
    assert server_.starts == [0, 1_000_000]
    assert all(seen.header("x-goog-api-key") == KEY for seen in server.seen)
    assert KEY not in str(other.seen)


@posix
async def test_two_processes_do_not_write_one_part(files: OutputDirectory, get: Fetch) -> None:
    number = files.open_part(PART, append=True)
    try:
        async with Loopback(FileServer(DATA)) as server:
            error = await refused(get, server)
    finally:
        os.close(number)
    assert (type(error), error.code, server.seen) == (LocalError, "busy", [])


async def test_a_caller_who_goes_keeps_what_came(files: OutputDirectory, get: Fetch) -> None:
    head = f'HTTP/1.1 200 X\r\ncontent-length: {len(DATA)}\r\ncontent-type: video/mp4\r\netag: "v1"\r\n\r\n'.encode()
    scope = anyio.CancelScope()

    def there(have: int, total: int | None) -> None:
        if have:
            scope.cancel()

    async def stall(seen: object, writer: Any) -> None:
        writer.write(head + DATA[:2_000_000])
        await writer.drain()
        await anyio.sleep_forever()

    async with Loopback(stall) as server:
        with scope:
            await get(server, on_bytes=there)
    assert scope.cancelled_caught
    kept = content(files)
    assert len(kept) >= 1_000_000
    assert DATA.startswith(kept)
    rest = FileServer(DATA)
    async with Loopback(rest) as server:
        assert (await get(server)).sha256 == SHA256
    assert rest.starts == [len(kept)]


async def test_a_large_download_takes_little_memory(tmp_path: Path) -> None:
    program = """
import asyncio, resource, sys, time
from pathlib import Path
from pydantic import SecretStr
from gemini_server.jobs.download import fetch
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.rest.client import GeminiClient
from gemini_server.rest.config import ClientConfig
async def main():
    client = GeminiClient(ClientConfig(base_url=sys.argv[2], key=SecretStr("k")))
    files = OutputDirectory(Path(sys.argv[1]))
    await fetch(client, files, ".small.job.part", "files/small")
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await fetch(client, files, ".large.job.part", "files/large")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle)
asyncio.run(main())
"""
    piece = random.Random(9).randbytes(1_000_000)

    async def play(seen: Any, writer: Any) -> None:
        times = 100 if "large" in seen.target else 1
        writer.write(f"HTTP/1.1 200 X\r\ncontent-length: {times * len(piece)}\r\n\r\n".encode())
        for _ in range(times):
            writer.write(piece)
            await writer.drain()

    async with Loopback(play) as server:
        ended = await anyio.run_process(
            [sys.executable, "-c", program, str(tmp_path / "output"), server.url], env=environment(), check=False
        )
    assert ended.returncode == 0, ended.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(ended.stdout) * unit < 32 * 2**20


@posix
async def test_after_a_kill_between_the_bytes_and_the_name_nothing_is_asked_again(
    files: OutputDirectory, get: Fetch
) -> None:
    async with Loopback(FileServer(DATA)) as server:
        first = await get(server)
    program = f"""
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from gemini_server.jobs import finishing
from gemini_server.jobs.artifacts import Traits
from gemini_server.jobs.output_directory import OutputDirectory
def die(*args, **more):
    os.kill(os.getpid(), signal.SIGKILL)
os.unlink = die
created = datetime(2026, 11, 22, tzinfo=UTC)
traits = Traits("video/mp4", ".mp4")
finishing.finish(OutputDirectory(Path(sys.argv[1])), "id", "video", created, traits, {first.bytes}, "{SHA256}")
"""
    ended = await anyio.run_process([sys.executable, "-c", program, str(files.path)], env=environment(), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len({(files.path / name).stat().st_ino for name in listed(files) if not name.endswith("note")}) == 1
    async with Loopback(raw()) as gone:
        again = await get(gone)
    assert gone.seen == []
    made = finishing.finish(files, "id", "video", CREATED, MP4, again.bytes, again.sha256)
    assert (files.path / made.name).read_bytes() == DATA
    assert listed(files) == sorted([made.name, f"{PART}.note"])
