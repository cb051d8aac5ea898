"""Files: their states, their pages, their end, and who may have their bytes."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from gemini_emulator import Emulator, Options, media_output, running

from .conftest import TODAY, Api
from .uploading import active, digest_of, read, session_of, upload

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.4\n1 0 obj<</Type/Page>>endobj\n%%EOF"
MP4 = media_output.film("a red ball", 1, "16:9", "720p")


@pytest.fixture
async def alone(anyio_backend: str) -> AsyncIterator[tuple[Api, Emulator]]:
    """An emulator whose clock and files belong to one test."""
    async with (
        running(Options(today=TODAY)) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, verify=False) as http,
    ):
        http.headers["x-goog-api-key"] = "k"
        yield Api(http), emulator


def wide_film(seconds: int) -> bytes:
    """An MP4 with 64-bit sizes and times, its index behind the media."""
    header = struct.pack(">4sIQQIQ", b"mvhd", 1 << 24, 0, 0, 600, seconds * 600) + bytes(80)
    index = struct.pack(">I", len(header) + 4) + header
    media = struct.pack(">I4sQ", 1, b"mdat", 16 + 5000) + bytes(5000)
    return struct.pack(">I4s8x", 16, b"ftyp") + media + struct.pack(">I4s", 8 + len(index), b"moov") + index


@pytest.mark.parametrize(("mime_type", "data"), [("video/mp4", MP4), ("audio/wav", b"RIFF"), ("application/pdf", PDF)])
async def test_what_takes_time_is_processing_for_one_read(api: Api, mime_type: str, data: bytes) -> None:
    file = await upload(api, data, mime_type)
    states = [file["state"], *[(await read(api, file))["state"] for _ in range(3)]]
    assert states == ["PROCESSING", "PROCESSING", "ACTIVE", "ACTIVE"]


@pytest.mark.parametrize("mime_type", ["text/plain", "image/png", "application/json", "application/octet-stream"])
async def test_the_rest_is_active_at_once(api: Api, mime_type: str) -> None:
    assert (await upload(api, b"{}", mime_type))["state"] == "ACTIVE"


@pytest.mark.parametrize("polls", [0, 3])
async def test_a_directive_says_for_how_many_reads(api: Api, emulator: Emulator, polls: int) -> None:
    emulator.add_fault(f"polls={polls}", path="#upload")
    for file in (
        await upload(api, b"hello"),
        await upload(api, b"hello", displayName=f"x [emulate: polls={polls}]"),
    ):
        states = [file["state"], *[(await read(api, file))["state"] for _ in range(polls + 1)]]
        assert states == (["PROCESSING"] * (polls + 1) + ["ACTIVE"] if polls else ["ACTIVE"] * 2)


async def test_looking_at_the_list_is_no_read(api: Api) -> None:
    file = await upload(api, PDF, "application/pdf")
    for _ in range(3):
        (listed,) = [one for one in await everything(api) if one["name"] == file["name"]]
        assert listed["state"] == "PROCESSING"


async def test_waiting_does_as_well_as_reading(alone: tuple[Api, Emulator]) -> None:
    api, emulator = alone
    file = await upload(api, MP4, "video/mp4")
    slow = await upload(api, MP4, "video/mp4", displayName="[emulate: polls=5]")
    emulator.advance(11)
    assert (await read(api, file))["state"] == "ACTIVE"
    assert (await read(api, slow))["state"] == "PROCESSING"


async def test_a_file_may_fail_and_says_why(api: Api) -> None:
    name = "[emulate: outcome=failed code=3 message=The_film_is_broken.]"
    file = await upload(api, MP4, "video/mp4", displayName=name)
    assert file["state"] == "PROCESSING"
    await read(api, file)
    failed = await read(api, file)
    assert (failed["state"], failed["error"]) == ("FAILED", {"code": 3, "message": "The film is broken."})
    at_once = await upload(api, b"hello", displayName="[emulate: outcome=failed polls=0]")
    assert (at_once["state"], at_once["error"]["code"]) == ("FAILED", 13)


@pytest.mark.parametrize(("film", "expected"), [(MP4, "1s"), (wide_film(75), "75s")])
async def test_a_film_tells_its_duration_once_it_is_active(api: Api, film: bytes, expected: str) -> None:
    file = await upload(api, film, "video/mp4")
    assert "videoMetadata" not in file
    assert (await active(api, film, "video/mp4"))["videoMetadata"] == {"videoDuration": expected}


@pytest.mark.parametrize("data", [b"no film", MP4[:40], b"\0\0\0\x08moov", b"\0\0\0\x10moovmvhd\0\0\0\0" * 2])
async def test_a_film_that_cannot_be_read_has_no_duration(api: Api, data: bytes) -> None:
    assert "videoMetadata" not in await active(api, data, "video/mp4")


async def test_a_file_describes_itself(api: Api, emulator: Emulator) -> None:
    file = await upload(api, b"hello", "text/markdown", name="files/described", displayName="Greeting")
    assert file == {
        "name": "files/described",
        "displayName": "Greeting",
        "mimeType": "text/markdown",
        "sizeBytes": "5",
        "createTime": file["createTime"],
        "updateTime": file["updateTime"],
        "expirationTime": file["expirationTime"],
        "sha256Hash": digest_of(b"hello"),
        "uri": f"{emulator.url}/v1beta/files/described",
        "state": "ACTIVE",
        "source": "UPLOADED",
    }
    await api.http.delete("/v1beta/files/described")


async def test_the_type_may_stand_in_the_description(api: Api) -> None:
    session = await session_of(api, 5, "", mimeType="text/csv")
    assert (await session.upload(b"a,b,c", 0, last=True)).json()["file"]["mimeType"] == "text/csv"


async def test_a_description_alone_is_a_file_without_bytes(api: Api) -> None:
    made = await api.http.post("/v1beta/files", json={"file": {"displayName": "Nothing", "mimeType": "text/plain"}})
    file = made.json()["file"]
    assert (file["displayName"], file["source"], "sizeBytes" in file) == ("Nothing", "UPLOADED", False)
    assert (await api.http.post("/v1beta/files", json={"file": {"name": file["name"]}})).status_code == 409


async def everything(api: Api, size: int = 100) -> list[dict[str, Any]]:
    """All files, page by page."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = (await api.http.get("/v1beta/files", params={"pageSize": size, "pageToken": token})).json()
        assert len(page.get("files", [])) <= min(size or 10, 100)
        found += page.get("files", [])
        token = page.get("nextPageToken", "")
        if not token:
            return found


async def test_files_are_listed_in_pages(alone: tuple[Api, Emulator]) -> None:
    api, _ = alone
    assert (await api.http.get("/v1beta/files")).json() == {}
    names = [f"files/n{number:03d}" for number in range(103)]
    for name in names:
        assert (await api.http.post("/v1beta/files", json={"file": {"name": name}})).status_code == 200
    for size in (0, 7, 100, 1000):
        assert [one["name"] for one in await everything(api, size)] == names
    assert (await api.http.get("/v1beta/files?pageToken=nonsense")).status_code == 400
    assert (await api.http.get("/v1beta/files?pageSize=-1")).status_code == 400


async def test_a_deleted_file_is_gone_like_one_that_never_was(api: Api) -> None:
    file = await upload(api, b"hello")
    assert (await api.http.delete(f"/v1beta/{file['name']}")).json() == {}
    ident = file["name"].removeprefix("files/")
    for answer in (
        await api.http.get(f"/v1beta/{file['name']}"),
        await api.http.delete(f"/v1beta/{file['name']}"),
        await api.http.get(f"/v1beta/{file['name']}:download?alt=media"),
    ):
        assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
        words = f"You do not have permission to access the File {ident} or it may not exist."
        assert answer.json()["error"]["message"] == words


async def test_a_file_lives_for_48_hours(alone: tuple[Api, Emulator]) -> None:
    api, emulator = alone
    file = await upload(api, b"hello", name="mortal")
    emulator.advance(48 * 3600 - 60)
    assert (await read(api, file))["name"] == "files/mortal"
    emulator.advance(61)
    assert (await api.http.get("/v1beta/files/mortal")).status_code == 403
    assert (await api.http.get("/v1beta/files")).json() == {}
    await upload(api, b"hello", name="mortal")


async def test_an_uploaded_file_is_not_handed_out(api: Api) -> None:
    file = await upload(api, b"hello")
    for address in (f"/v1beta/{file['name']}:download?alt=media", f"/v1beta/{file['name']}?alt=media"):
        refused = await api.http.get(address)
        assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


async def test_the_digest_may_be_that_of_the_reference() -> None:
    async with (
        running(Options(raw_digest=True)) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, verify=False) as http,
    ):
        http.headers["x-goog-api-key"] = "k"
        file = await upload(Api(http), b"hello")
        assert file["sha256Hash"] == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="


OAUTH = {"authorization": "Bearer ya29.token", "x-goog-user-project": "my-project"}
URIS = {"uris": ["gs://bucket/a/film.mp4", "gs://bucket/notes"]}


async def registered(
    emulator: Emulator, body: object = None, *, query: str = "", without: str = "", key: str = ""
) -> httpx2.Response:
    sent = {name: value for name, value in OAUTH.items() if name != without}
    if key:
        sent["x-goog-api-key"] = key
    async with httpx2.AsyncClient(base_url=emulator.url, verify=False) as http:
        return await http.post(f"/v1beta/files:register{query}", json=URIS if body is None else body, headers=sent)


async def test_objects_of_cloud_storage_are_registered(api: Api, emulator: Emulator) -> None:
    files = (await registered(emulator)).json()["files"]
    assert [one.get("mimeType") for one in files] == ["video/mp4", None]
    assert {(one["source"], one["state"]) for one in files} == {("REGISTERED", "ACTIVE")}
    assert (await read(api, files[0]))["uri"] == files[0]["uri"]


async def test_registering_needs_somebodys_token_and_no_key(emulator: Emulator) -> None:
    key_only = await registered(emulator, without="authorization", key="k")
    assert key_only.status_code == 401
    assert key_only.json()["error"]["message"].startswith("API keys are not supported by this API. Expected OAuth2")
    assert key_only.json()["error"]["details"][0]["reason"] == "CREDENTIALS_MISSING"
    for both in (await registered(emulator, key="k"), await registered(emulator, query="?key=k")):
        assert (both.status_code, both.json()["error"]["details"][0]["reason"]) == (401, "OVERLOADED_CREDENTIALS")
    no_project = await registered(emulator, without="x-goog-user-project")
    assert (no_project.status_code, "quota project" in no_project.text) == (403, True)
    async with running(Options(key_beside_token=True)) as lenient:
        assert (await registered(lenient, key="k")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"uris": []}, {"uris": ["gs://bucket/a", "https://example.com/a"]}, {"uris": ["gs://bucket"]}, {"uri": "x"}],
)
async def test_one_bad_address_registers_nothing(alone: tuple[Api, Emulator], body: object) -> None:
    api, emulator = alone
    refused = await registered(emulator, body)
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert await everything(api) == []
