"""One server, two callers, one key: a file that one uploaded is to the other as if it were not there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from gemini_emulator import Emulator
from gemini_server import settings
from gemini_server.api import reference
from gemini_server.errors import NotFound
from gemini_server.toolkit import media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.endpoint_call import Asked
from gemini_server.toolkit.endpoint_owner import without_others
from gemini_server.toolkit.interaction_result import InteractionOut
from gemini_server.toolkit.runtime import Runtime
from gemini_tools import files
from gemini_tools.endpoints import Answered, call_endpoint
from gemini_tools.interactions import create_interaction
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


async def called(call: Call, endpoint: str, **arguments: Any) -> Answered:
    """The result of call_endpoint."""
    made = await call_endpoint(call, endpoint=endpoint, **arguments)
    assert isinstance(made, Answered)
    return made


FILES = "https://generativelanguage.googleapis.com/v1beta/"


async def test_another_callers_file_is_not_there_for_a_method_by_name_either(
    callers: Callers, emulator: Emulator
) -> None:
    name = await uploaded(callers.anna)
    emulator.clear_requests()
    said = {"contents": [{"parts": [{"fileData": {"fileUri": FILES + name, "mimeType": "text/plain"}}]}]}
    for endpoint, path, body in (
        ("files.get", name, None),
        ("files.download", name, None),
        ("files.delete", {"file": name.removeprefix("files/")}, None),
        ("models.generateContent", "gemini-3.8-flash", said),
        ("fileSearchStores.importFile", "fileSearchStores/s", {"fileName": name}),
    ):
        with pytest.raises(NotFound, match="There is no file"):
            await call_endpoint(callers.bert, endpoint=endpoint, path=path, body=body)
    assert emulator.requests == []
    listing = Asked(reference.find("files.list"), {}, {}, None)
    for caller, kept in ((callers.bert, ["files/other"]), (callers.anna, [name, "files/other"])):
        answer: dict[str, Any] = {"files": [{"name": name}, {"name": "files/other"}]}
        await without_others(caller, listing, answer)
        assert [one["name"] for one in answer["files"]] == kept


async def test_another_callers_interaction_is_not_there_for_a_method_by_name_either(
    callers: Callers, emulator: Emulator
) -> None:
    waited = await create_interaction(callers.anna, input="Say hello", model="gemini-3.8-flash", store=True)
    begun = await create_interaction(
        callers.anna, input="Say hello", model="gemini-3.8-flash", background=True, wait_seconds=20
    )
    said = {"model": "gemini-3.8-flash", "input": "Say hello"}
    plain = (await called(callers.anna, "interactions.create", body=said)).answer
    streamed = (await called(callers.anna, "interactions.create", body={**said, "stream": True})).events
    assert plain
    assert streamed
    assert isinstance(waited, InteractionOut)
    assert isinstance(begun, InteractionOut)
    emulator.clear_requests()
    for interaction in (waited.id, begun.id, plain["id"], streamed[0]["interaction"]["id"]):
        assert interaction
        for endpoint in ("interactions.get", "interactions.cancel", "interactions.delete"):
            with pytest.raises(NotFound, match="There is no interaction"):
                await call_endpoint(callers.bert, endpoint=endpoint, path=f"interactions/{interaction}")
        with pytest.raises(NotFound, match="There is no interaction"):
            await call_endpoint(
                callers.bert,
                endpoint="interactions.create",
                body={"model": "gemini-3.8-flash", "input": "x", "previous_interaction_id": interaction},
            )
    assert emulator.requests == []
    assert (await called(callers.anna, "interactions.get", path=f"interactions/{waited.id}")).answer


async def test_another_callers_batch_is_not_there_for_a_method_by_name_either(
    callers: Callers, emulator: Emulator
) -> None:
    requests = {"requests": {"requests": [{"request": {"contents": [{"parts": [{"text": "x"}]}]}}]}}
    body = {"batch": {"displayName": "b", "inputConfig": requests}}
    path = "gemini-3.8-flash"
    await call_endpoint(callers.anna, endpoint="models.batchGenerateContent", path=path, body=body, wait_seconds=20)
    [job] = await callers.anna.runtime.jobs.list("anna")
    name = job.operation or ""
    assert name in str((await called(callers.anna, "batches.get", path=name)).answer)
    emulator.clear_requests()
    for endpoint in ("batches.get", "batches.cancel", "batches.delete"):
        with pytest.raises(NotFound, match="There is no batches/"):
            await call_endpoint(callers.bert, endpoint=endpoint, path=name)
    assert emulator.requests == []
    assert name not in str((await called(callers.bert, "batches.list")).answer)
