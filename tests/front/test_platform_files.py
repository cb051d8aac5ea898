"""Files of environments through the front door: listed, sent piece by piece, unpacked, fetched as artifacts."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import Connect
from tests.front.platforming import ON, Json, do, fails

pytestmark = pytest.mark.anyio

NAME = "data/übersicht 1.csv"
LARGE = 3 * 1024 * 1024 + 17


@pytest.fixture(name="client")
async def client_with_everything(connect: Connect) -> AsyncGenerator[Client]:
    async with connect(**ON) as client:
        yield client


@pytest.fixture
async def workspace(client: Client) -> str:
    """The id of an environment with nothing in it."""
    made: str = (await do(client, "create_environment"))["environment"]["id"]
    return made


def paths(listed: Json) -> list[str]:
    return [one["path"] for one in listed["files"]]


async def test_a_file_goes_into_an_environment_is_listed_and_comes_back(
    client: Client, workspace: str, emulator: Emulator, tmp_path: Path
) -> None:
    data = bytes(range(251)) * (LARGE // 251)
    (tmp_path / "allowed" / "table.bin").write_bytes(data)
    made = await do(client, "upload_environment_file", id=workspace, source="table.bin", path=NAME)
    assert paths(made) == [NAME]
    start = next(one for one in emulator.requests if one["headers"].get("x-goog-upload-command") == "start")
    assert start["method"] == "PUT"
    assert start["headers"]["x-goog-upload-header-content-length"] == str(len(data))

    [entry] = (await do(client, "list_environment_files", id=workspace, path=NAME))["files"]
    assert (entry["size_bytes"], entry["type"]) == (len(data), "file")
    assert paths(await do(client, "list_environment_files", id=f"environments/{workspace}")) == ["data"]
    assert paths(await do(client, "list_environment_files", id=workspace, recursive=True)) == [NAME]

    fetched = await do(client, "download_environment_file", id=workspace, path=f"/{NAME}", wait_seconds=20)
    [artifact] = fetched["artifacts"]
    assert Path(artifact["path"]).read_bytes() == data
    again = await do(client, "download_environment_file", id=workspace, path=NAME, wait_seconds=20)
    assert again["artifacts"] == fetched["artifacts"]
    assert again["warnings"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("package.json", '{"error": {"code": 404, "message": "x"}}'), ("index.html", "<!doctype html><p>hi")],
)
async def test_a_file_that_looks_like_an_answer_is_a_file(
    client: Client, workspace: str, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / "allowed" / name).write_text(text)
    await do(client, "upload_environment_file", id=workspace, source=name)
    [artifact] = (await do(client, "download_environment_file", id=workspace, path=name, wait_seconds=20))["artifacts"]
    assert Path(artifact["path"]).read_text() == text


async def test_an_archive_is_unpacked_and_nothing_is_replaced_unless_it_is_said(
    client: Client, workspace: str, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in ("a.txt", "b/c.txt"):
            info = tarfile.TarInfo(name)
            info.size = 2
            archive.addfile(info, io.BytesIO(b"hi"))
    (tmp_path / "allowed" / "code.tar.gz").write_bytes(buffer.getvalue())
    given: Json = {"id": workspace, "source": "code.tar.gz", "path": "src", "extract": True}
    assert paths(await do(client, "upload_environment_file", **given)) == ["src/a.txt", "src/b/c.txt"]
    text = await fails(client, "upload_environment_file", **given)
    assert "overwrite=true replaces it" in text
    assert paths(await do(client, "upload_environment_file", **given, overwrite=True)) == ["src/a.txt", "src/b/c.txt"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("upload_environment_file", {"source": "https://a.example/x"}, "fetches nothing from the web"),
        ("upload_environment_file", {"source": "data:text/plain;base64,aGk="}, "It is not said where the file goes"),
        (
            "upload_environment_file",
            {"source": "data:text/plain;base64,aGk=", "path": "../x"},
            "no path inside a workspace: '../x'",
        ),
        ("list_environment_files", {"path": "a/../../b"}, "no path inside a workspace"),
        ("download_environment_file", {"path": "a\nb"}, "no path inside a workspace"),
        ("list_environment_files", {"path": "nowhere"}, "There is no nowhere in the environment"),
        ("download_environment_file", {"path": "nowhere.txt"}, "There is no nowhere.txt in the environment"),
        ("download_environment_file", {"path": ""}, "is a directory; nothing was fetched"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_to_do(
    client: Client, workspace: str, tool: str, arguments: Json, words: str
) -> None:
    assert words in await fails(client, tool, id=workspace, **arguments)


async def test_an_environment_that_is_not_there_says_where_to_look(client: Client) -> None:
    for tool, arguments in (
        ("list_environment_files", {}),
        ("download_environment_file", {"path": "x"}),
        ("upload_environment_file", {"source": "data:text/plain;base64,aGk=", "path": "x"}),
    ):
        text = await fails(client, tool, id="nobody", **arguments)
        assert "environment nobody" in text
        assert "list_environments shows" in text


async def test_a_cut_on_the_way_costs_only_what_was_lost(
    client: Client, workspace: str, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "x.bin").write_bytes(b"x" * LARGE)
    emulator.add_fault("status=503", path="/upload/", times=1)
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")

    given = {"id": workspace, "source": "x.bin", "path": "x.bin"}
    result = await client.call_tool("upload_environment_file", given, progress_callback=hear)
    assert not result.is_error
    assert any("MiB sent" in one or "trying again" in one for one in heard)
    [entry] = (await do(client, "list_environment_files", id=workspace))["files"]
    assert entry["size_bytes"] == LARGE
