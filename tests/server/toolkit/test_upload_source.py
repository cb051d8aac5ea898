"""Sources of uploads: opened twice, the same or not at all; and their digest, however they are read."""

from __future__ import annotations

import base64
import hashlib
import random
import threading
from pathlib import Path

import pytest

from gemini_server import settings
from gemini_server.api.files import File
from gemini_server.errors import FileRefused
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.upload_source import Digest, Hashed, InMemory, given, opened_again, sha256_of

pytestmark = pytest.mark.anyio

DATA = random.Random(5).randbytes(3_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    (tmp_path / "a.bin").write_bytes(DATA)
    return Runtime(settings.read({}, key="k", allow_dirs=(tmp_path,), state_dir=tmp_path / "state"))


async def test_a_file_is_opened_again_as_long_as_it_is_the_same(runtime: Runtime, tmp_path: Path) -> None:
    first = await given(runtime, "anna", "a.bin")
    first.bytes.close()
    again = await opened_again(runtime, "anna", first.again)
    assert again.read(10, 20) == DATA[10:30]
    again.close()
    (tmp_path / "a.bin").touch()
    with pytest.raises(FileRefused, match="was changed"):
        await opened_again(runtime, "anna", first.again)
    second = await given(runtime, "anna", "a.bin")
    second.bytes.close()
    assert second.origin != first.origin


async def test_a_copy_is_another_origin(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "b.bin").write_bytes(DATA)
    found = [await given(runtime, "anna", name) for name in ("a.bin", "b.bin", "a.bin")]
    for one in found:
        one.bytes.close()
    assert found[0].origin == found[2].origin != found[1].origin


async def test_bytes_in_memory_are_not_opened_again(runtime: Runtime) -> None:
    found = await given(runtime, "anna", "data:text/plain;base64,aGk=")
    assert (found.bytes.read(0, 2), found.mime_type, found.sha256) == (
        b"hi",
        "text/plain",
        hashlib.sha256(b"hi").hexdigest(),
    )
    with pytest.raises(FileRefused, match="in memory"):
        await opened_again(runtime, "anna", found.again)


async def test_the_digest_is_right_however_the_bytes_are_read(runtime: Runtime) -> None:
    fair = random.Random(7)
    source, digest = InMemory(DATA), Digest()
    hashed = Hashed(source, digest)
    position = 0
    while position < len(DATA):
        start = fair.randint(max(0, position - 500_000), position)
        size = min(fair.randint(1, 700_000), len(DATA) - start)
        assert hashed.read(start, size) == DATA[start : start + size]
        position = max(position, start + size)
    assert (digest.position, digest.hexdigest()) == (len(DATA), SHA256)
    assert await sha256_of(source, lambda position: None) == SHA256


async def test_a_gap_is_not_hashed_over(runtime: Runtime) -> None:
    digest, said = Digest(), list[int]()
    Hashed(InMemory(DATA), digest).read(1_000_000, 500)
    assert digest.position == 0
    await digest.catch_up(InMemory(DATA), 1_500_000, said.append)
    assert digest.position == said[-1] == 1_500_000
    Hashed(InMemory(DATA), digest).read(1_400_000, len(DATA) - 1_400_000)
    assert digest.hexdigest() == SHA256


def test_reads_that_cross_do_not_disturb_the_digest() -> None:
    digest = Digest()
    hashed = Hashed(InMemory(DATA), digest)

    def read() -> None:
        for at in range(0, len(DATA), 10_000):
            hashed.read(at, min(10_000, len(DATA) - at))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (digest.position, digest.hexdigest()) == (len(DATA), SHA256)


@pytest.mark.parametrize(
    "spelled",
    [
        SHA256,
        SHA256.upper(),
        base64.b64encode(SHA256.encode()).decode(),
        base64.b64encode(bytes.fromhex(SHA256)).decode(),
        base64.urlsafe_b64encode(bytes.fromhex(SHA256)).decode().rstrip("="),
    ],
)
def test_every_spelling_of_googles_digest_is_read(spelled: str) -> None:
    assert File.model_validate({"sha256Hash": spelled}).sha256 == SHA256


@pytest.mark.parametrize("spelled", [None, "", "abc", "?" * 44, base64.b64encode(b"x" * 31).decode()])
def test_what_is_no_digest_is_none(spelled: str | None) -> None:
    assert File.model_validate({"sha256Hash": spelled}).sha256 is None
