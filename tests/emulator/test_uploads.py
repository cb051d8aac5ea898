"""Resumable uploads, command by command: what counts, what is refused, and who may speak."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest

from gemini_emulator import Emulator, Options, running

from .conftest import Api
from .uploading import GRANULE, PATH, Session, begin, digest_of, noise, read, session_of, upload

pytestmark = pytest.mark.anyio

DATA = noise(3 * GRANULE + 1000)


async def sent_in(api: Api, size: int) -> dict[str, object]:
    """The file of an upload in chunks of a size."""
    session = await session_of(api, len(DATA))
    for at in range(0, len(DATA) - size, size):
        answer = await session.upload(DATA[at : at + size], at)
        assert (answer.status_code, answer.headers["x-goog-upload-status"]) == (200, "active")
        assert answer.headers["x-goog-upload-size-received"] == str(at + size)
    rest = len(DATA) % size
    finished = await session.upload(DATA[-rest:], len(DATA) - rest, last=True)
    assert finished.headers["x-goog-upload-status"] == "final"
    return dict(finished.json()["file"])


async def test_the_start_gives_an_address_and_a_granularity(api: Api, emulator: Emulator) -> None:
    started = await begin(api, 5)
    assert (started.status_code, started.headers["x-goog-upload-chunk-granularity"]) == (200, "262144")
    url = started.headers["x-goog-upload-url"]
    assert url == started.headers["x-goog-upload-control-url"]
    assert url.startswith(f"{emulator.url}{PATH}?upload_id=")
    assert started.content == b""


async def test_a_small_file_takes_one_chunk(api: Api) -> None:
    file = await upload(api, b"hello", displayName="Greeting")
    assert file["displayName"] == "Greeting"
    assert (file["mimeType"], file["sizeBytes"], file["source"]) == ("text/plain", "5", "UPLOADED")
    assert file["sha256Hash"] == digest_of(b"hello")
    assert "downloadUri" not in file


@pytest.mark.parametrize("granules", [1, 2])
async def test_a_larger_file_comes_in_whole_granules_but_for_the_last_chunk(api: Api, granules: int) -> None:
    file = await sent_in(api, granules * GRANULE)
    assert (file["sizeBytes"], file["sha256Hash"]) == (str(len(DATA)), digest_of(DATA))


async def test_a_query_tells_what_has_arrived(api: Api) -> None:
    session = await session_of(api, len(DATA))
    assert await session.received() == 0
    await session.upload(DATA[:GRANULE], 0)
    assert await session.received() == GRANULE


async def test_a_chunk_at_another_place_is_refused_with_the_right_one(api: Api) -> None:
    session = await session_of(api, len(DATA))
    await session.upload(DATA[:GRANULE], 0)
    for offset in (0, 2 * GRANULE):
        refused = await session.upload(DATA[:GRANULE], offset)
        assert (refused.status_code, refused.headers["x-goog-upload-status"]) == (409, "active")
        assert refused.headers["x-goog-upload-size-received"] == str(GRANULE)
        assert str(GRANULE) in refused.text
    assert await session.received() == GRANULE


async def test_a_chunk_that_is_no_whole_granule_does_not_count(api: Api) -> None:
    session = await session_of(api, len(DATA))
    refused = await session.upload(DATA[: GRANULE + 1], 0)
    assert refused.status_code == 400
    assert refused.headers["content-type"].startswith("text/plain")
    assert f"The received request contained {GRANULE + 1} bytes" in refused.text
    assert await session.received() == 0


async def test_the_last_chunk_may_come_without_the_word_that_it_is_the_last(api: Api) -> None:
    session = await session_of(api, GRANULE + 7)
    await session.upload(DATA[:GRANULE], 0)
    assert (await session.upload(DATA[GRANULE : GRANULE + 7], GRANULE)).headers["x-goog-upload-status"] == "active"
    finished = await session.send("finalize")
    assert finished.json()["file"]["sha256Hash"] == digest_of(DATA[: GRANULE + 7])


async def test_fewer_bytes_than_announced_are_no_file(api: Api) -> None:
    session = await session_of(api, 10)
    for answer in (await session.upload(b"12345", 0, last=True), await session.send("finalize")):
        assert (answer.status_code, answer.headers["x-goog-upload-status"]) == (400, "active")
        assert "X-Goog-Upload-Header-Content-Length" in answer.text
    finished = await session.upload(b"67890", 5, last=True)
    assert finished.json()["file"]["sizeBytes"] == "10"


async def test_more_bytes_than_announced_do_not_count(api: Api) -> None:
    session = await session_of(api, 10)
    refused = await session.upload(b"1" * 11, 0, last=True)
    assert (refused.status_code, refused.headers["x-goog-upload-size-received"]) == (400, "0")


async def test_the_length_need_not_be_announced(api: Api) -> None:
    session = await session_of(api, None)
    assert (await session.upload(DATA[:GRANULE], 0)).status_code == 200
    assert (await session.upload(DATA[GRANULE:], GRANULE, last=True)).json()["file"]["sizeBytes"] == str(len(DATA))


async def test_an_empty_file_is_a_file_without_a_size(api: Api) -> None:
    for command in ("upload, finalize", "finalize"):
        session = await session_of(api, 0)
        finished = await session.send(command, offset=0)
        file = finished.json()["file"]
        assert "sizeBytes" not in file
        assert (file["state"], file["sha256Hash"]) == ("ACTIVE", digest_of(b""))


async def test_what_has_ended_takes_no_more_bytes_and_still_tells_its_result(api: Api) -> None:
    session = await session_of(api, 5)
    finished = await session.upload(b"hello", 0, last=True)
    again = await session.upload(b"hello", 0, last=True)
    assert (again.status_code, again.text) == (400, "Upload has already been terminated.")
    assert again.headers["x-goog-upload-status"] == "final"
    asked = await session.send("query")
    assert (asked.headers["x-goog-upload-status"], asked.json()) == ("final", finished.json())
    assert (await session.send("cancel")).status_code == 400


async def test_a_cancelled_upload_is_over(api: Api) -> None:
    session = await session_of(api, 5)
    for _ in range(2):
        cancelled = await session.send("cancel")
        assert (cancelled.status_code, cancelled.headers["x-goog-upload-status"]) == (200, "cancelled")
    refused = await session.upload(b"hello", 0, last=True)
    assert (refused.status_code, refused.headers["x-goog-upload-status"]) == (400, "cancelled")
    assert (await session.send("query")).status_code == 410


async def test_an_address_works_until_it_expires(served: Emulator) -> None:
    async with running(Options()) as emulator, httpx2.AsyncClient(base_url=emulator.url, verify=False) as http:
        http.headers["x-goog-api-key"] = "k"
        session = await session_of(Api(http), 5)
        emulator.advance(6 * 24 * 3600)
        assert await session.received() == 0
        emulator.advance(2 * 24 * 3600)
        assert (await session.send("query")).status_code == 410
        assert (await session.upload(b"hello", 0, last=True)).status_code == 410


async def test_an_unknown_address_is_404(api: Api) -> None:
    session = await session_of(api, 5)
    others = ("/upload/v1/files", f"{PATH}/x", f"{PATH}?upload_id=&x=")
    for other in (session.url.replace(PATH, one) for one in others):
        assert (await Session(other).upload(b"hello", 0, last=True)).status_code == 404
    assert await session.received() == 0


async def test_the_address_is_a_secret_and_not_logged(api: Api, emulator: Emulator) -> None:
    session = await session_of(api, 5)
    await session.upload(b"hello", 0, last=True)
    start, chunk = emulator.requests
    assert (start["path"], start["body"]) == (PATH, {"file": {}})
    assert (chunk["path"], chunk["query"], chunk["body"]) == (PATH, {"upload_protocol": "resumable"}, "<5 bytes>")
    assert chunk["headers"]["x-goog-upload-command"] == "upload, finalize"
    assert urlsplit(session.url).query.split("=")[1][:20] not in json.dumps(emulator.requests)


async def test_the_start_needs_a_key(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url, verify=False) as http:
        assert (await begin(Api(http), 5)).status_code == 403
        http.headers["x-goog-api-key"] = "invalid"
        assert (await begin(Api(http), 5)).status_code == 400


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_all_versions_take_uploads(api: Api, version: str) -> None:
    started = await begin(api, 5, path=f"/upload/{version}/files")
    finished = await Session(started.headers["x-goog-upload-url"]).upload(b"hello", 0, last=True)
    assert f"/{version}/files/" in finished.json()["file"]["uri"]


async def test_a_prefix_is_part_of_the_address() -> None:
    async with (
        running(Options(prefix="gateway")) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, verify=False) as http,
    ):
        http.headers["x-goog-api-key"] = "k"
        api = Api(http)
        session = Session((await begin(api, 5)).headers["x-goog-upload-url"])
        assert session.url.startswith(f"{emulator.url}/upload/")
        file = (await session.upload(b"hello", 0, last=True)).json()["file"]
        assert file["uri"].startswith(f"{emulator.url}/v1beta/files/")
        outside = emulator.url.removesuffix("/gateway") + PATH
        assert (await http.post(outside)).status_code == 404


async def test_what_is_no_start_is_refused(api: Api) -> None:
    headers = {"X-Goog-Upload-Protocol": "resumable"}
    assert (await api.http.post(PATH, headers=headers, json={})).status_code == 400
    headers["X-Goog-Upload-Command"] = "start"
    assert (await api.http.post(PATH, headers=headers, content=b"{")).status_code == 400
    assert (await api.http.post("/upload/v1beta/nothing", headers=headers)).status_code == 404
    assert (await api.http.put(PATH, headers=headers)).status_code == 404
    assert (await begin(api, 5, sizes=5)).status_code == 400
    headers["X-Goog-Upload-Header-Content-Length"] = "many"
    assert (await api.http.post(PATH, headers=headers)).status_code == 400
    unknown = await api.http.post(PATH, headers={"X-Goog-Upload-Protocol": "pigeon"}, content=b"x")
    assert (unknown.status_code, "pigeon" in unknown.text) == (400, True)


@pytest.mark.parametrize("command", ["", "start", "upload, cancel", "finalise"])
async def test_what_is_no_command_is_refused(api: Api, command: str) -> None:
    session = await session_of(api, 5)
    refused = await session.send(command, b"hello", offset=0)
    assert (refused.status_code, refused.headers["x-goog-upload-status"]) == (400, "active")


async def test_a_chunk_says_where_it_belongs(api: Api) -> None:
    session = await session_of(api, 5)
    assert (await session.send("upload, finalize", b"hello")).status_code == 400
    assert await session.received() == 0


async def test_a_start_needs_no_body(api: Api) -> None:
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    started = await api.http.post(PATH, headers=headers)
    finished = await Session(started.headers["x-goog-upload-url"]).upload(b"hello", 0, last=True)
    assert "mimeType" not in finished.json()["file"]


@pytest.mark.parametrize("name", ["files/my-file", "my-file-2"])
async def test_a_name_may_be_given_and_is_taken_once(api: Api, name: str) -> None:
    file = await upload(api, b"hello", name=name)
    assert file["name"] == f"files/{name.removeprefix('files/')}"
    session = await session_of(api, 5, name=name)
    refused = await session.upload(b"hello", 0, last=True)
    assert (refused.status_code, refused.headers["x-goog-upload-status"]) == (409, "final")
    assert refused.json()["error"]["status"] == "ALREADY_EXISTS"
    assert refused.json()["error"]["message"] == f"{name.removeprefix('files/')} already exists."
    assert (await session.send("query")).status_code == 409
    await api.http.delete(f"/v1beta/{file['name']}")
    await upload(api, b"hello", name=name)
    await api.http.delete(f"/v1beta/{file['name']}")


@pytest.mark.parametrize("name", ["files/My", "-a", "a-", "files/", "a_b", "a" * 41])
async def test_a_name_that_cannot_be_is_refused_at_once(api: Api, name: str) -> None:
    refused = await begin(api, 5, name=name)
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "file.name" in refused.json()["error"]["message"]


async def test_a_display_name_has_512_characters_at_most(api: Api) -> None:
    assert (await begin(api, 5, displayName="ü" * 512)).status_code == 200
    assert (await begin(api, 5, displayName="ü" * 513)).status_code == 400


async def test_a_file_and_all_files_together_have_a_largest_size() -> None:
    limits = Options(largest_file=GRANULE, file_storage=GRANULE + 10)
    async with running(limits) as emulator, httpx2.AsyncClient(base_url=emulator.url, verify=False) as http:
        http.headers["x-goog-api-key"] = "k"
        api = Api(http)
        refused = await begin(api, GRANULE + 1)
        assert (refused.status_code, str(GRANULE) in refused.text) == (400, True)
        unannounced = await session_of(api, None)
        assert (await unannounced.upload(DATA[: GRANULE + 1], 0, last=True)).status_code == 413
        file = await upload(api, DATA[:GRANULE])
        session = await session_of(api, 11)
        full = await session.upload(b"hello world", 0, last=True)
        assert (full.status_code, full.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
        await http.delete(f"/v1beta/{file['name']}")
        await upload(api, b"hello world")


async def test_a_client_that_leaves_leaves_whole_granules(api: Api) -> None:
    session = await session_of(api, len(DATA))
    address = urlsplit(session.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(DATA)}\r\n"
        "X-Goog-Upload-Command: upload, finalize\r\nX-Goog-Upload-Offset: 0\r\n\r\n"
    )
    writer.write(head.encode() + DATA[: 2 * GRANULE + 500])
    await writer.drain()
    writer.close()
    received = 0
    with anyio.fail_after(5):
        while received < 2 * GRANULE:
            received = await session.received()
    assert received == 2 * GRANULE
    finished = await session.upload(DATA[2 * GRANULE :], 2 * GRANULE, last=True)
    assert finished.json()["file"]["sha256Hash"] == digest_of(DATA)


async def test_a_newer_request_takes_over(api: Api) -> None:
    session = await session_of(api, len(DATA))
    halfway, go_on = anyio.Event(), anyio.Event()

    async def hesitating() -> AsyncIterator[bytes]:
        yield DATA[:1000]
        halfway.set()
        await go_on.wait()
        yield DATA[1000:]

    slow = asyncio.create_task(session.send("upload, finalize", hesitating(), offset=0))
    await halfway.wait()
    finished = await session.upload(DATA, 0, last=True)
    go_on.set()
    assert finished.json()["file"]["sha256Hash"] == digest_of(DATA)
    assert (await slow).status_code in (400, 409)


async def test_the_file_is_there_for_others(api: Api) -> None:
    file = await upload(api, b"hello")
    assert await read(api, file) == file
    listed = (await api.http.get("/v1beta/files?pageSize=100")).json()["files"]
    assert file in listed
