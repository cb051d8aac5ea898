"""Files of jobs: a handle before there is a byte, one file however often and wherever the process dies."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from gemini_server.errors import LocalError
from gemini_server.jobs import names
from gemini_server.jobs.artifacts import Artifact, Artifacts, Traits, new_id, part_name, register
from gemini_server.jobs.ledger import Store
from gemini_server.jobs.output_directory import OutputDirectory

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
CREATED = datetime(2026, 11, 22, 10, 30, 5, 700_000, tzinfo=UTC)
MP4 = Traits("video/mp4", ".mp4", 1280, 720, 8.0)
DATA = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(DATA).hexdigest()
ID = "abcdefghijklmnopqrstuv"
NAME = re.compile(r"video-20261122T103005Z-[0-9a-f]{10}\.mp4")
posix = pytest.mark.skipif(os.name != "posix", reason="signals and locks of POSIX")

CHILD = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from gemini_server.jobs import finishing, room
from gemini_server.jobs.artifacts import Traits
from gemini_server.jobs.output_directory import OutputDirectory
room.KEEP_FREE = 0
files = OutputDirectory(Path(sys.argv[1]))
created = datetime(2026, 11, 22, 10, 30, 5, 700_000, tzinfo=UTC)
traits = Traits("video/mp4", ".mp4", 1280, 720, 8.0)
data = bytes(range(256)) * 5000
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def artifacts(store: Store, tmp_path: Path) -> Artifacts:
    return Artifacts(store, tmp_path / "output")


@pytest.fixture
def alone(tmp_path: Path) -> Artifacts:
    """Without a ledger, for what is about files alone."""
    return Artifacts(_NoLedger(), tmp_path / "output")  # type: ignore[arg-type]


class _NoLedger:
    pass


def child(program: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD + program, str(directory)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
        capture_output=True,
        text=True,
        timeout=30,
    )


def listed(artifacts: Artifacts) -> list[str]:
    return sorted(path.name for path in artifacts.directory.iterdir())


async def finish(artifacts: Artifacts) -> Artifact:
    return await artifacts.finish(ID, "video", CREATED, MP4, size=len(DATA), sha256=SHA256)


async def finish_bytes(artifacts: Artifacts) -> Artifact:
    return await artifacts.finish_bytes(ID, "video", CREATED, DATA, MP4)


def test_a_handle_has_128_random_bits_and_the_part_does_not_show_it() -> None:
    handles = {new_id() for _ in range(100)}
    assert len(handles) == 100
    assert all(len(one) == 22 for one in handles)
    part = part_name("video", CREATED, ID)
    assert re.fullmatch(r"\.video-20261122T103005Z-[0-9a-f]{10}\.job\.part", part)
    assert ID not in part


async def test_a_file_is_finished_and_then_registered_in_the_jobs_own_transaction(
    artifacts: Artifacts, store: Store
) -> None:
    made = await finish_bytes(artifacts)
    assert NAME.fullmatch(made.name)
    assert (made.id, made.kind, made.bytes, made.sha256) == (ID, "video", len(DATA), SHA256)
    assert (made.width, made.height, made.duration, made.created) == (1280, 720, 8.0, CREATED.replace(microsecond=0))
    assert artifacts.path(made).read_bytes() == DATA
    if os.name == "posix":
        assert artifacts.path(made).stat().st_mode & 0o777 == 0o600
    assert await artifacts.recent("local", limit=9) == []
    for _ in range(2):  # a transaction may run twice
        await store.run(lambda ledger: register(ledger, "local", made))
    (found,) = await artifacts.recent("local", limit=9)
    assert (found.id, found.name, found.sha256) == (made.id, made.name, made.sha256)
    assert await artifacts.read(found, limit=10_000_000) == DATA


async def test_finishing_twice_leaves_one_file_and_gives_the_same_artifact(alone: Artifacts) -> None:
    assert await alone.finished(ID, "video", CREATED) is None
    first = await finish_bytes(alone)
    assert await finish_bytes(alone) == await finish(alone) == await alone.finished(ID, "video", CREATED) == first
    await alone.forget(ID, "video", CREATED)
    assert listed(alone) == [first.name]
    await alone.forget(ID, "video", CREATED)
    assert await finish_bytes(alone) == first


@posix
@pytest.mark.parametrize(
    ("moment", "times"),
    [("write", 1), ("write", 2), ("fsync", 1), ("fsync", 2), ("replace", 1), ("link", 1), ("unlink", 1)],
)
@pytest.mark.parametrize("after", [False, True])
async def test_a_process_that_dies_anywhere_leaves_nothing_that_cannot_be_finished(
    alone: Artifacts, moment: str, times: int, after: bool
) -> None:
    ended = child(
        f"""
real, left = os.{moment}, {times}
def dying(*args, **more):
    global left
    left -= 1
    if left:
        return real(*args, **more)
    if {after}:
        real(*args, **more)
    elif {moment!r} == "write":
        real(args[0], bytes(args[1])[:1000])
    die()
os.{moment} = dying
finishing.finish_bytes(files, "{ID}", "video", created, data, traits)
""",
        alone.directory,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    whole = [path for path in alone.directory.iterdir() if not path.name.startswith(".")]
    assert [path.read_bytes() for path in whole] in ([], [DATA]), "half a file under a final name"
    found = await alone.finished(ID, "video", CREATED)
    assert (found is not None) == bool(whole), "what is there whole is found"
    made = await finish_bytes(alone)
    assert found in (None, made)
    assert alone.path(made).read_bytes() == DATA
    await alone.forget(ID, "video", CREATED)
    assert [name for name in listed(alone) if not re.search(r"note\.[0-9a-f]{8}$", name)] == [made.name]


@posix
async def test_a_process_that_dies_without_hard_links_leaves_no_name_taken(
    alone: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = child(
        f"""
def no_links(*args, **more):
    raise PermissionError(1, "no links here")
os.link = no_links
real = os.replace
def dying(old, new, **more):
    if new.endswith(".mp4"):
        die()
    real(old, new, **more)
os.replace = dying
finishing.finish_bytes(files, "{ID}", "video", created, data, traits)
""",
        alone.directory,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr

    def no_links(*args: Any, **more: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    made = await finish(alone)
    assert alone.path(made).read_bytes() == DATA
    assert await finish(alone) == made
    assert len([name for name in listed(alone) if not name.startswith(".")]) == 1


async def test_another_file_of_that_name_is_never_overwritten(alone: Artifacts) -> None:
    made = await finish_bytes(alone)
    alone.path(made).write_bytes(b"changed by somebody")
    assert await alone.finished(ID, "video", CREATED) is None
    with pytest.raises(LocalError, match="not overwritten"):
        await finish_bytes(alone)
    assert alone.path(made).read_bytes() == b"changed by somebody"


@pytest.mark.parametrize("there", [None, DATA[:-1], DATA + b"!"])
async def test_a_part_that_is_not_whole_is_not_published(alone: Artifacts, there: bytes | None) -> None:
    if there is not None:
        alone.files.write_part(part_name("video", CREATED, ID), there)
    with pytest.raises(LocalError) as gone:
        await finish(alone)
    assert gone.value.code == "part_gone"
    assert not any(name.endswith(".mp4") for name in listed(alone))


@posix
async def test_a_part_that_somebody_writes_is_not_published(alone: Artifacts) -> None:
    part = part_name("video", CREATED, ID)
    alone.files.write_part(part, DATA)
    number = alone.files.open_part(part, append=True)
    try:
        with pytest.raises(LocalError) as busy:
            await finish(alone)
        with pytest.raises(LocalError):
            alone.files.open_part(part, append=False)
    finally:
        os.close(number)
    assert busy.value.code == "busy"
    assert alone.path(await finish(alone)).read_bytes() == DATA


@posix
def test_a_part_that_was_published_is_not_written_to_any_more(tmp_path: Path) -> None:
    files = OutputDirectory(tmp_path / "output")
    files.write_part(".x.job.part", DATA)
    os.link(tmp_path / "output" / ".x.job.part", tmp_path / "output" / "final.mp4")
    number = files.open_part(".x.job.part", append=True)
    os.write(number, b"new")
    os.close(number)
    assert (tmp_path / "output" / "final.mp4").read_bytes() == DATA
    assert (files.path / ".x.job.part").read_bytes() == b"new"


@posix
@pytest.mark.parametrize("what", ["link", "pipe", "directory"])
def test_nothing_but_a_file_of_its_own_is_opened_as_a_part(tmp_path: Path, what: str) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (tmp_path / "precious").write_bytes(b"precious")
    place = output / ".x.job.part"
    if what == "link":
        place.symlink_to(tmp_path / "precious")
    elif what == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    files = OutputDirectory(output)
    with pytest.raises(LocalError):
        files.open_part(".x.job.part", append=False)
    assert not stat.S_ISREG(place.lstat().st_mode)
    assert (tmp_path / "precious").read_bytes() == b"precious"


@posix
def test_parts_and_notes_are_cleared_up_after_three_days_and_not_before(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    part = part_name("video", CREATED, ID)
    ours = [part, f"{part}.note", f"{part}.note.0123abcd"]
    foreign = [".x.job.part", f"{part}.txt", ".video-20261122T103005Z-0123456789.mp4.job.part"]
    now = datetime.now(UTC).timestamp()
    for age, left in ((names.STALE_PART_SECONDS - 600, ours), (names.STALE_PART_SECONDS + 600, [])):
        for name in (*ours, *foreign):
            (output / name).touch()
            os.utime(output / name, (now - age, now - age))
        OutputDirectory(output).write("next.png", b"x")
        assert sorted(path.name for path in output.iterdir()) == sorted((*left, *foreign, "next.png"))
        (output / "next.png").unlink()


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b'{"size": "1"}', b'{"name": 5}', b'{"size": true}', b"[" * 9000, bytes(50_000)]
)
async def test_a_broken_note_is_none(alone: Artifacts, note: bytes) -> None:
    await finish_bytes(alone)
    (alone.directory / f"{part_name('video', CREATED, ID)}.note").write_bytes(note)
    assert await alone.finished(ID, "video", CREATED) is None
    assert (await finish_bytes(alone)).sha256 == SHA256


async def test_a_note_cannot_name_a_file_elsewhere(alone: Artifacts, tmp_path: Path) -> None:
    await finish_bytes(alone)
    (tmp_path / "secret.mp4").write_bytes(DATA)
    note = {"size": len(DATA), "sha256": SHA256, "mime_type": "video/mp4", "name": "../secret.mp4"}
    (alone.directory / f"{part_name('video', CREATED, ID)}.note").write_text(json.dumps(note))
    assert await alone.finished(ID, "video", CREATED) is None


async def test_a_dropped_caller_still_has_its_file(alone: Artifacts) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await finish_bytes(alone)
    assert await alone.finished(ID, "video", CREATED) is not None


@pytest.mark.parametrize("kind", ["", "../x", "a/b", "Video"])
async def test_a_kind_that_is_no_plain_word_makes_no_file(alone: Artifacts, kind: str) -> None:
    with pytest.raises(ValueError, match="make no name of a file"):
        await alone.finish_bytes(ID, kind, CREATED, DATA, MP4)
    with pytest.raises(ValueError, match="make no name of a file"):
        await alone.finish(ID, "video", CREATED, Traits("video/mp4", kind or "mp4"), size=1, sha256="")
    assert not alone.directory.exists()


async def test_what_a_file_is_stands_beside_it(alone: Artifacts) -> None:
    made = await finish_bytes(alone)
    about = {
        "model": "gemini-omni-1.1-flash",
        "prompt": "Ein Zug, Zürich \ud800",
        "cost_usd": Decimal("0.80"),
        "job": None,
    }
    assert await alone.write_sidecar(made, about) == ""
    assert await alone.write_sidecar(made, {}) == "", "it is written once"
    place = alone.directory / f"{made.name}.json"
    assert json.loads(place.read_text(encoding="utf-8")) == {
        "model": "gemini-omni-1.1-flash",
        "prompt": "Ein Zug, Zürich ?",
        "cost_usd": 0.8,
        "kind": "video",
        "created": "2026-11-22T10:30:05Z",
        "bytes": len(DATA),
        "sha256": SHA256,
        "mime_type": "video/mp4",
    }
    if os.name == "posix":
        assert place.stat().st_mode & 0o777 == 0o600


async def test_a_description_that_cannot_be_written_is_a_warning(
    alone: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await finish_bytes(alone)

    def full(*args: Any, **more: Any) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    assert "disk is full" in await alone.write_sidecar(made, {"model": "m"})
    monkeypatch.undo()
    assert f"{made.name}.json" not in listed(alone)


async def test_descriptions_can_be_switched_off(tmp_path: Path) -> None:
    artifacts = Artifacts(_NoLedger(), tmp_path, sidecars=False)  # type: ignore[arg-type]
    made = await finish_bytes(artifacts)
    assert await artifacts.write_sidecar(made, {"model": "m"}) == ""
    assert f"{made.name}.json" not in listed(artifacts)
