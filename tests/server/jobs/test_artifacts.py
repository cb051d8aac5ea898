"""Produced files: written whole or not at all, never over another, never elsewhere; and their handles."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from gemini_server.errors import LocalError, NotFound
from gemini_server.jobs import names
from gemini_server.jobs.artifacts import Artifact, Artifacts, Traits
from gemini_server.jobs.ledger import Store
from gemini_server.jobs.output_directory import OutputDirectory
from gemini_server.jobs.room import KEEP_FREE
from gemini_server.jobs.store import SqliteStore

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
PNG = Traits("image/png", ".png", 2, 1)
NAME = re.compile(r"plot-\d{8}T\d{6}Z-[0-9a-f]{10}\.png")
FREE = 100 * 2**30
posix = pytest.mark.skipif(os.name != "posix", reason="directory descriptors and signals of POSIX")

CHILD = """
import os, sys
from pathlib import Path
from gemini_server.errors import LocalError
from gemini_server.jobs import room
from gemini_server.jobs.output_directory import OutputDirectory
room.KEEP_FREE = 0
directory = OutputDirectory(Path(sys.argv[1]))
"""


@pytest.fixture
def artifacts(store: Store, tmp_path: Path) -> Artifacts:
    return Artifacts(store, tmp_path / "output")


def child(program: str, directory: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program that has an `OutputDirectory`, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", CHILD + program, str(directory)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
        capture_output=True,
        text=True,
        timeout=30,
        **more,
    )


def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """A disk with so many bytes free."""
    usage = shutil.disk_usage("/")._replace(free=free)

    def told(path: Path) -> object:
        return usage

    monkeypatch.setattr(shutil, "disk_usage", told)


def failing(monkeypatch: pytest.MonkeyPatch, name: str, *numbers: int) -> None:
    """A system call that fails with these errors, one after the other, and then works."""
    real: Callable[..., Any] = getattr(os, name)
    left = list(numbers)

    def call(*args: Any, **more: Any) -> Any:
        if left:
            number = left.pop(0)
            raise OSError(number, os.strerror(number))
        return real(*args, **more)

    monkeypatch.setattr(os, name, call)


async def test_a_saved_file_has_a_name_of_our_own_and_is_private(artifacts: Artifacts, tmp_path: Path) -> None:
    saved = await artifacts.save("local", "plot", b"bytes", PNG)
    assert NAME.fullmatch(saved.name)
    assert saved.id not in saved.name, "who may list the directory must not learn the handle"
    assert [path.name for path in (tmp_path / "output").iterdir()] == [saved.name]
    assert artifacts.path(saved).read_bytes() == b"bytes"
    if os.name == "posix":
        assert artifacts.path(saved).stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "output").stat().st_mode & 0o777 == 0o700


async def test_what_is_saved_is_found_by_its_handle_with_all_its_traits(artifacts: Artifacts) -> None:
    saved = await artifacts.save("local", "plot", b"bytes", Traits("audio/wav", ".wav", duration=1.5))
    found = await artifacts.get("local", saved.id)
    assert (found.id, found.name, found.bytes, found.sha256) == (saved.id, saved.name, 5, saved.sha256)
    assert (found.mime_type, found.width, found.duration) == ("audio/wav", None, 1.5)
    assert await artifacts.read(found, limit=5) == b"bytes"


async def test_a_foreign_handle_and_an_unknown_one_get_the_same_words(artifacts: Artifacts) -> None:
    saved = await artifacts.save("alice", "plot", b"bytes", PNG)
    with pytest.raises(NotFound) as foreign:
        await artifacts.get("bob", saved.id)
    unknown = ("A" if saved.id[0] != "A" else "B") + saved.id[1:]
    with pytest.raises(NotFound) as absent:
        await artifacts.get("bob", unknown)
    assert str(foreign.value).replace(saved.id, "ID") == str(absent.value).replace(unknown, "ID")
    assert await artifacts.recent("bob", limit=9) == []


@pytest.mark.parametrize("handle", ["", "../../etc/passwd", "a\0b", "\udcff", "é", "x" * 5000, "' OR 1=1 --", "\n[31m"])
async def test_a_strange_handle_is_not_found_and_is_shown_short_and_harmless(artifacts: Artifacts, handle: str) -> None:
    with pytest.raises(NotFound) as refused:
        await artifacts.get("local", handle)
    assert len(str(refused.value)) < 200
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("kind", ["", "../x", "a/b", "a\0", "Plot", ".hidden", "a" * 99, "-x", "a.sh"])
async def test_a_kind_that_is_no_plain_word_makes_no_file(artifacts: Artifacts, tmp_path: Path, kind: str) -> None:
    with pytest.raises(ValueError, match="make no name of a file"):
        await artifacts.save("local", kind, b"x", PNG)
    with pytest.raises(ValueError, match="make no name of a file"):
        await artifacts.save("local", "plot", b"x", Traits("text/plain", kind or "./../x"))
    assert not (tmp_path / "output").exists()


async def test_a_taken_name_is_never_overwritten_but_another_is_made(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    handles = iter(["first", "first", "second"])

    def next_handle(size: int) -> str:
        return next(handles)

    monkeypatch.setattr("secrets.token_urlsafe", next_handle)
    monkeypatch.setattr("gemini_server.jobs.artifacts.datetime", _Noon)
    one = await artifacts.save("local", "plot", b"one", PNG)
    two = await artifacts.save("local", "plot", b"two", PNG)
    assert (one.id, two.id) == ("first", "second")
    assert artifacts.path(one).read_bytes() == b"one"
    assert artifacts.path(two).read_bytes() == b"two"
    assert len(list(artifacts.directory.iterdir())) == 2


class _Noon:
    """A clock that stands still; times are read from the ledger with the real one."""

    from datetime import datetime as _real

    @classmethod
    def now(cls, zone: Any) -> Any:
        return cls._real(2026, 11, 22, 12, tzinfo=zone)

    fromtimestamp = _real.fromtimestamp


@pytest.mark.parametrize("taken", ["file", "link", "dangling link", "directory"])
def test_whatever_has_the_name_stays_as_it_is(tmp_path: Path, taken: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    if taken != "dangling link":
        elsewhere.write_bytes(b"precious")
    output = tmp_path / "output"
    output.mkdir()
    place = output / "plot.png"
    if taken == "file":
        place.write_bytes(b"precious")
    elif taken == "directory":
        place.mkdir()
    else:
        place.symlink_to(elsewhere)
    with pytest.raises(FileExistsError):
        OutputDirectory(output).write("plot.png", b"new")
    assert [path.name for path in output.iterdir()] == ["plot.png"]
    assert elsewhere.exists() == (taken != "dangling link")
    if taken in ("file", "link"):
        assert place.read_bytes() == b"precious"


@posix
@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_hard_links_a_file_is_written_whole_and_still_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    directory = OutputDirectory(tmp_path / "output")
    failing(monkeypatch, "link", *[number] * 9)
    directory.write("plot.png", b"first")
    with pytest.raises(FileExistsError):
        directory.write("plot.png", b"second")
    assert [path.read_bytes() for path in (tmp_path / "output").iterdir()] == [b"first"]


@posix
def test_a_rename_that_fails_leaves_no_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "link", errno.EPERM)
    failing(monkeypatch, "replace", errno.ENOSPC)
    with pytest.raises(LocalError) as full:
        OutputDirectory(tmp_path / "output").write("plot.png", b"first")
    assert full.value.code == "disk_full"
    assert list((tmp_path / "output").iterdir()) == []


def test_without_directory_descriptors_the_same_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "DESCRIPTORS", False)
    directory = OutputDirectory(tmp_path / "output")
    directory.write("plot.png", b"first")
    with pytest.raises(FileExistsError):
        directory.write("plot.png", b"second")
    number = directory.open("plot.png")
    assert os.read(number, 99) == b"first"
    os.close(number)
    assert len(list((tmp_path / "output").iterdir())) == 1
    shutil.move(tmp_path / "output", tmp_path / "moved")
    (tmp_path / "output").mkdir()
    with pytest.raises(LocalError, match="was replaced"):
        directory.write("other.png", b"x")
    assert list((tmp_path / "output").iterdir()) == []


@pytest.mark.parametrize("call", ["open", "write", "fsync", "link"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    directory = OutputDirectory(tmp_path / "output")
    directory.check_room(0)
    failing(monkeypatch, call, number)
    with pytest.raises(LocalError) as full:
        directory.write("plot.png", b"x")
    assert full.value.code == "disk_full"
    assert "Free some space" in str(full.value)
    assert list((tmp_path / "output").iterdir()) == []


def test_a_disk_that_would_become_too_full_is_left_alone_and_the_numbers_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(monkeypatch, KEEP_FREE + 1000)
    directory = OutputDirectory(tmp_path / "output")
    directory.write("small.png", b"x" * 1000)
    with pytest.raises(LocalError) as full:
        directory.write("plot.png", b"x" * 1001)
    assert full.value.code == "disk_full"
    assert "64.0 MiB are free, and 64.0 MiB are always left" in str(full.value)
    with pytest.raises(LocalError, match=r"1\.0 GiB are to be saved"):
        directory.check_room(2**30)
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["small.png"]


@posix
def test_a_limit_of_the_system_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    ended = child(
        """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    directory.write("plot.png", bytes(1_000_000))
except LocalError as error:
    print(error.code, error)
""",
        tmp_path / "output",
    )
    assert ended.stdout.startswith("disk_full The disk is full"), ended.stderr
    assert list((tmp_path / "output").iterdir()) == []


@posix
@pytest.mark.parametrize("moment", ["write", "fsync", "link"])
def test_a_process_killed_in_the_middle_leaves_no_file_under_a_final_name(tmp_path: Path, moment: str) -> None:
    ended = child(
        f"""
import signal
real = os.{moment}
def dying(*args, **more):
    if {moment!r} == "write":
        real(args[0], bytes(args[1])[:10])
    os.kill(os.getpid(), signal.SIGKILL)
os.{moment} = dying
directory.write("plot-20261122T120000Z-0123456789.png", bytes(1000))
""",
        tmp_path / "output",
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    left = list((tmp_path / "output").iterdir())
    assert [path.suffix for path in left] == [".part"]
    # The next process removes it when it is a day old, and nothing that only looks like it.
    foreign = tmp_path / "output" / ".notes.part"
    foreign.touch()
    for path in (*left, foreign):
        os.utime(path, (0, 0))
    directory = OutputDirectory(tmp_path / "output")
    assert directory.look().exists
    directory.write("next.png", b"x")
    assert sorted(path.name for path in (tmp_path / "output").iterdir()) == [".notes.part", "next.png"]


@posix
def test_a_temporary_file_of_a_living_process_is_left_to_it(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / ".plot-20261122T120000Z-0123456789.png.01234567.part").touch()
    OutputDirectory(output).write("next.png", b"x")
    assert len(list(output.iterdir())) == 2


def test_of_two_processes_that_want_one_name_exactly_one_gets_it(tmp_path: Path) -> None:
    program = """
got = 0
for number in range(200):
    try:
        directory.write(f"plot-{number}.png", f"{os.getpid()}".encode() * 500)
        got += 1
    except FileExistsError:
        pass
print(got)
"""
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(child, program, tmp_path / "output") for _ in range(2)]
        ended = [one.result() for one in both]
    assert sum(int(one.stdout) for one in ended) == 200, [one.stderr for one in ended]
    files = list((tmp_path / "output").iterdir())
    assert len(files) == 200
    for path in files:
        data = path.read_bytes()
        assert data == data[: len(data) // 500] * 500, "half of one and half of the other"


async def test_many_calls_at_once_keep_all_their_files(artifacts: Artifacts) -> None:
    saved: list[Artifact] = []

    async def save(number: int) -> None:
        saved.append(await artifacts.save("local", "plot", str(number).encode(), PNG))

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(save, number)
    assert len({one.name for one in saved}) == len(list(artifacts.directory.iterdir())) == 40
    assert len(await artifacts.recent("local", limit=99)) == 40


async def test_a_dropped_caller_still_has_its_file(artifacts: Artifacts) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await artifacts.save("local", "plot", b"paid for", PNG)
    (kept,) = await artifacts.recent("local", limit=9)
    assert await artifacts.read(kept, limit=99) == b"paid for"


@posix
async def test_a_link_as_output_directory_is_resolved_once_and_shown(store: Store, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    artifacts = Artifacts(store, tmp_path / "link")
    assert (await artifacts.look()).path == tmp_path / "real"
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    saved = await artifacts.save("local", "plot", b"x", PNG)
    assert artifacts.path(saved).parent == tmp_path / "real"
    assert list((tmp_path / "other").iterdir()) == []


@posix
@pytest.mark.parametrize("what", ["directory", "parent"])
@pytest.mark.parametrize("by", ["link", "directory"])
async def test_a_directory_that_is_exchanged_later_is_refused(store: Store, tmp_path: Path, what: str, by: str) -> None:
    outer = tmp_path / "outer"
    artifacts = Artifacts(store, outer / "output")
    saved = await artifacts.save("local", "plot", b"x", PNG)
    (tmp_path / "evil" / "output").mkdir(parents=True)
    victim, bait = (outer, tmp_path / "evil") if what == "parent" else (outer / "output", tmp_path / "evil" / "output")
    victim.rename(tmp_path / "moved")
    if by == "link":
        victim.symlink_to(bait)
    else:
        shutil.copytree(bait, victim)
    with pytest.raises(LocalError, match=r"was replaced|cannot be used"):
        await artifacts.save("local", "plot", b"y", PNG)
    with pytest.raises(LocalError, match=r"was replaced|cannot be used"):
        await artifacts.read(saved, limit=99)
    assert (await artifacts.look()).problem
    assert list((tmp_path / "evil" / "output").iterdir()) == []
    assert list((outer / "output").iterdir()) == []


@posix
def test_a_parent_that_flips_to_a_link_meanwhile_never_leads_outside(tmp_path: Path) -> None:
    outer, evil, aside = tmp_path / "outer", tmp_path / "evil", tmp_path / "aside"
    (evil / "output").mkdir(parents=True)
    directory = OutputDirectory(outer / "output")
    directory.write("first.png", b"x")
    going = True

    def flip() -> None:
        while going:
            # Each may fail: in the gap between two of them, the directory may have been made again.
            for step in (lambda: outer.rename(aside), lambda: outer.symlink_to(evil), outer.unlink):
                with suppress(OSError):
                    step()
            try:
                aside.rename(outer)
            except OSError:
                shutil.rmtree(aside, ignore_errors=True)

    written = refused = 0
    with ThreadPoolExecutor() as pool:
        flipping = pool.submit(flip)
        for number in range(2000):
            try:
                directory.write(f"plot-{number}.png", b"x")
                written += 1
            except LocalError:
                refused += 1
        going = False
        flipping.result()
    assert written + refused == 2000
    assert list((evil / "output").iterdir()) == []


@posix
async def test_a_directory_that_was_tidied_away_is_made_again(artifacts: Artifacts) -> None:
    lost = await artifacts.save("local", "plot", b"x", PNG)
    shutil.rmtree(artifacts.directory)
    with pytest.raises(NotFound, match="is gone"):
        await artifacts.read(lost, limit=99)
    kept = await artifacts.save("local", "plot", b"y", PNG)
    assert await artifacts.read(kept, limit=99) == b"y"


@pytest.mark.parametrize("how", ["removed", "shorter", "longer", "other bytes", "link", "pipe", "directory"])
async def test_a_file_that_is_no_longer_what_was_produced_is_not_shown(
    artifacts: Artifacts, tmp_path: Path, how: str
) -> None:
    saved = await artifacts.save("local", "plot", b"bytes", PNG)
    path = artifacts.path(saved)
    (tmp_path / "secret").write_bytes(b"bytes")
    path.unlink()
    match how:
        case "shorter" | "longer" | "other bytes":
            path.write_bytes({"shorter": b"byte", "longer": b"bytes!", "other bytes": b"BYTES"}[how])
        case "link":
            path.symlink_to(tmp_path / "secret")
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case _:
            pass
    for use in (artifacts.read, artifacts.open):
        with pytest.raises(NotFound) as refused:
            await use(saved, limit=99)
        assert "gone" in str(refused.value) or "changed" in str(refused.value)


async def test_a_file_above_the_limit_is_not_even_opened(artifacts: Artifacts) -> None:
    saved = await artifacts.save("local", "plot", b"bytes", PNG)
    artifacts.path(saved).unlink()
    with pytest.raises(LocalError, match=saved.name):
        await artifacts.read(saved, limit=4)


async def test_a_ledger_that_fails_does_not_lose_the_file(tmp_path: Path) -> None:
    (tmp_path / "state" / "ledger.db").mkdir(parents=True)
    store = SqliteStore(tmp_path / "state")
    artifacts = Artifacts(store, tmp_path / "output")
    with pytest.raises(LocalError) as failed:
        await artifacts.save("local", "plot", b"paid for", PNG)
    (kept,) = (tmp_path / "output").iterdir()
    assert kept.name in str(failed.value)
    assert kept.read_bytes() == b"paid for"
    await store.aclose()


@pytest.mark.parametrize("wrong", ["a file", "below a file", "not writable"])
async def test_a_directory_that_cannot_be_used_is_named_with_the_setting(
    store: Store, tmp_path: Path, wrong: str
) -> None:
    if wrong == "not writable" and (os.name != "posix" or os.geteuid() == 0):
        pytest.skip("root may write everywhere")
    place = tmp_path / "place"
    if wrong == "not writable":
        place.mkdir(mode=0o500)
    else:
        place.touch()
    artifacts = Artifacts(store, place / "output" if wrong != "a file" else place)
    room = await artifacts.look()
    assert "--output-dir" in room.problem
    with pytest.raises(LocalError, match="--output-dir"):
        await artifacts.save("local", "plot", b"x", PNG)


async def test_looking_at_the_directory_makes_nothing_and_tells_the_space(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(monkeypatch, FREE)
    room = await artifacts.look()
    assert (room.exists, room.free, room.problem) == (False, FREE, "")
    assert not (tmp_path / "output").exists()
    disk(monkeypatch, 1000)
    assert "always left" in (await artifacts.look()).problem
    disk(monkeypatch, FREE)
    await artifacts.save("local", "plot", b"x", PNG)
    assert (await artifacts.look()).exists
