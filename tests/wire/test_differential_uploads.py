"""A file uploaded by Google's own SDK and by this server: the same requests, but for what is better here on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, structured
from tests.front.uploading import film, noise, uploads

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

Json = dict[str, Any]
SDK_CHUNK = 8 * 1024 * 1024
CAMEL: dict[str, str] = {"display_name": "displayName", "mime_type": "mimeType", "size_bytes": "sizeBytes"}


def described(one: Json) -> Json:
    """A description in Google's documented spelling: camelCase, and numbers of 64 bits as strings."""
    given: Json = one["body"]["file"]
    named = ((CAMEL.get(name, name), value) for name, value in given.items())
    return {name: str(value) for name, value in named}


def chunks(requests: list[Json]) -> list[tuple[str, int, int]]:
    return [
        (
            one["headers"]["x-goog-upload-command"],
            int(one["headers"]["x-goog-upload-offset"]),
            int(one["headers"]["content-length"]),
        )
        for one in requests[1:]
    ]


async def both(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], path: Path, mime_type: str
) -> tuple[list[Json], list[Json], Json, Json]:
    """The requests of both, and the file that each made."""
    client, types = sdk
    config = types.UploadFileConfig(display_name="A name", mime_type=mime_type)
    theirs = await client.aio.files.upload(file=str(path), config=config)
    sdk_requests = uploads(emulator)
    emulator.clear_requests()
    async with connect(poll=0.02) as own:
        arguments = {"source": path.name, "display_name": "A name", "mime_type": mime_type}
        ours = structured(await own.call_tool("upload_file", arguments))
    return sdk_requests, uploads(emulator), json.loads(theirs.model_dump_json()), ours["file"]


async def test_a_small_file_goes_the_same_way(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Path
) -> None:
    path = tmp_path / "allowed" / "notes.txt"
    path.write_text("A few words.\n")
    theirs, ours, their_file, our_file = await both(connect, emulator, sdk, path, "text/plain")
    assert [(one["method"], one["path"]) for one in ours] == [(one["method"], one["path"]) for one in theirs]
    assert chunks(ours) == chunks(theirs) == [("upload, finalize", 0, 13)]
    start, begin = theirs[0], ours[0]
    for name in ("protocol", "command", "header-content-length", "header-content-type"):
        header = f"x-goog-upload-{name}"
        assert begin["headers"][header] == start["headers"][header]
    own = described(begin)
    # The name is chosen here, so that the file is found whatever answer is lost.
    assert own.pop("name") == our_file["name"]
    assert own == described(start)
    for name, member in (("mime_type", "mime_type"), ("state", "state"), ("display_name", "display_name")):
        assert our_file[name] == their_file[member]
    # The address of the session is enough; the SDK's key goes there too where a base URL is set.
    assert "x-goog-api-key" not in ours[1]["headers"]


async def test_a_large_file_goes_in_fewer_chunks(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Path
) -> None:
    path = tmp_path / "allowed" / "film.mp4"
    path.write_bytes(film(SDK_CHUNK, "wire") + noise(1000))
    size = SDK_CHUNK + 1000
    theirs, ours, their_file, our_file = await both(connect, emulator, sdk, path, "video/mp4")
    assert chunks(theirs) == [("upload", 0, SDK_CHUNK), ("upload, finalize", SDK_CHUNK, 1000)]
    assert chunks(ours) == [("upload, finalize", 0, size)]
    assert their_file["sha256_hash"]
    assert our_file["bytes"] == their_file["size_bytes"] == size


async def test_one_reset_of_the_connection_is_the_end_there_and_nothing_here(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Path
) -> None:
    path = tmp_path / "allowed" / "film.mp4"
    path.write_bytes(film(SDK_CHUNK, "reset"))
    client, _ = sdk
    emulator.add_fault("cut=inside after=1000000", path="#upload,finalize")
    with pytest.raises(Exception):  # noqa: B017  whatever its HTTP library says
        await client.aio.files.upload(file=str(path))
    emulator.clear_requests()
    emulator.add_fault("cut=inside after=1000000", path="#upload,finalize")
    async with connect(poll=0.02) as own:
        structured(await own.call_tool("upload_file", {"source": "film.mp4"}))
    assert [one["headers"]["x-goog-upload-command"] for one in uploads(emulator)] == [
        "start", "upload, finalize", "query", "upload, finalize",
    ]  # fmt: skip
