"""One server, two callers, one key: a file that one uploaded is to the other as if it were not there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from gemini_emulator import Emulator
from gemini_server import settings
from gemini_server.errors import NotFound
from gemini_server.toolkit import media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime
from gemini_tools import files
from tests.front.uploading import noise, small_chunks, started

pytestmark = pytest.mark.anyio


@dataclass
class Callers:
    """Two principals of one process, and its single user."""

    anna: Call
    bert: Call
    local: Call


@pytest.fixture
async def callers(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Callers]:
    small_chunks(monkeypatch)
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "a.bin").write_bytes(noise(5000, "owned"))
    runtime = Runtime(
        settings.read({}, key="test-key", base_url=emulator.url, allow_dirs=(tmp_path / "allowed",), poll=0.02,
                      state_dir=tmp_path / "state", output_dir=tmp_path / "output")
    )  # fmt: skip
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.drive)
        yield Callers(Call(runtime, "anna"), Call(runtime, "bert"), Call(runtime))
        tasks.cancel_scope.cancel()
    await runtime.aclose()


async def uploaded(call: Call) -> str:
    result = await files.upload_file(call, source="a.bin")
    assert isinstance(result, files.Uploaded)
    assert result.file is not None
    return result.file.name


async def words(failing: Callable[[], Awaitable[object]], name: str) -> str:
    with pytest.raises(NotFound) as error:
        await failing()
    return str(error.value).replace(name, "NAME")


async def test_another_callers_file_is_like_one_that_was_never_there(callers: Callers) -> None:
    name, unknown = await uploaded(callers.anna), "files/unknown"
    calls: list[Callable[[str], Awaitable[object]]] = [
        lambda named: files.list_files(callers.bert, name=named),
        lambda named: files.delete_file(callers.bert, name=named),
        lambda named: files.download_file(callers.bert, name=named),
        lambda named: files.file_resource(callers.bert, id=named.removeprefix("files/")),
    ]
    for call in calls:
        assert await words(lambda: call(name), name) == await words(lambda: call(unknown), unknown)  # noqa: B023
    listed = await files.list_files(callers.bert)
    assert isinstance(listed, files.FileList)
    assert name not in [one.name for one in listed.files]
    own = await files.list_files(callers.anna)
    assert isinstance(own, files.FileList)
    assert name in [one.name for one in own.files]


@pytest.mark.parametrize("form", ["{}", "https://generativelanguage.googleapis.com/v1beta/{}"])
async def test_another_callers_file_is_no_attachment(callers: Callers, form: str) -> None:
    name = await uploaded(callers.anna)
    with pytest.raises(NotFound, match="There is no file"):
        async with media.opened([form.format(name)], callers.bert):
            pass
    async with media.opened([form.format(name), "files/unknown"], callers.anna) as parts:
        assert all(part.file_data is not None for part in parts)


async def test_two_callers_upload_the_same_bytes_each_for_himself(callers: Callers, emulator: Emulator) -> None:
    names = {await uploaded(callers.anna), await uploaded(callers.bert), await uploaded(callers.anna)}
    assert len(names) == 2
    assert len(started(emulator)) == 2
