"""Generated files: their resources, and downloads whole, in part, elsewhere, and in trouble."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest

from gemini_emulator import Emulator, media_output
from gemini_emulator.generated_files import CHUNK, Content

from .conftest import Api, ask

pytestmark = pytest.mark.anyio

PROMPT = "A boat"
DATA = media_output.draw(PROMPT, 1024, 1024)


@pytest.fixture
async def uri(api: Api, emulator: Emulator) -> str:
    """Where a picture is to be had."""
    config = {"responseModalities": ["IMAGE"], "responseFormat": {"image": {"delivery": "URI"}}}
    response = await api.generate(PROMPT, model="gemini-nano-banana-2.1", generationConfig=config)
    emulator.clear_requests()
    return str(response["candidates"][0]["content"]["parts"][0]["fileData"]["fileUri"])


def name_of(uri: str) -> str:
    return urlsplit(uri).path.removesuffix(":download")


async def fetched(api: Api, uri: str, **headers: str) -> httpx2.Response:
    return await api.http.get(uri, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def received(api: Api, uri: str, **headers: str) -> bytes:
    """What arrives before the connection breaks."""
    got = bytearray()
    async with api.http.stream("GET", uri, headers=headers) as response:
        with pytest.raises(httpx2.RemoteProtocolError):
            await _collect(response, got)
    return bytes(got)


async def _collect(response: httpx2.Response, got: bytearray) -> None:
    async for chunk in response.aiter_bytes():
        got += chunk


async def test_a_generated_file_describes_itself(api: Api, uri: str) -> None:
    file = (await api.http.get(name_of(uri))).json()
    assert (file["source"], file["state"], file["mimeType"]) == ("GENERATED", "ACTIVE", "image/png")
    assert file["sizeBytes"] == str(len(DATA))
    assert base64.b64decode(file["sha256Hash"]).decode() == hashlib.sha256(DATA).hexdigest()
    assert file["downloadUri"] == uri
    assert file["expirationTime"] > file["createTime"]
    assert file["name"] in [one["name"] for one in (await api.http.get("/v1beta/files?pageSize=100")).json()["files"]]


async def test_the_whole_file(api: Api, uri: str) -> None:
    for address in (uri, f"{name_of(uri)}?alt=media"):
        response = await fetched(api, address)
        assert (response.status_code, response.content) == (200, DATA)
        assert response.headers["content-type"] == "image/png"
        assert response.headers["content-length"] == str(len(DATA))
        assert response.headers["accept-ranges"] == "bytes"
        assert response.headers["etag"].startswith('"')


async def test_without_alt_media_there_are_no_bytes(api: Api, uri: str) -> None:
    assert (await api.http.get(uri.partition("?")[0])).json() == {}


async def test_a_download_needs_a_key(emulator: Emulator, uri: str) -> None:
    async with httpx2.AsyncClient() as http:
        assert (await http.get(uri)).status_code == 403


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=100-199", 100, 200), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("bytes=0-99999999", 0, None),
     ("bytes=0-0", 0, 1)],
)  # fmt: skip
async def test_a_part(api: Api, uri: str, header: str, start: int, end: int | None) -> None:
    response = await fetched(api, uri, range=header)
    assert (response.status_code, response.content) == (206, DATA[start:end])
    first, last, _ = slice(start, end).indices(len(DATA))
    assert response.headers["content-range"] == f"bytes {first}-{last - 1}/{len(DATA)}"
    assert response.headers["content-length"] == str(last - first)


@pytest.mark.parametrize("header", ["bytes=5-3", "bytes=-", "bytes=a-b", "pages=1-2", "bytes=0-1,5-6", "nonsense"])
async def test_a_range_that_cannot_be_read_is_ignored(api: Api, uri: str, header: str) -> None:
    assert (await fetched(api, uri, range=header)).status_code == 200


@pytest.mark.parametrize("header", [f"bytes={len(DATA)}-", "bytes=-0", "bytes=99999999-"])
async def test_a_range_behind_the_end_is_refused(api: Api, uri: str, header: str) -> None:
    response = await fetched(api, uri, range=header)
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(DATA)}"


async def test_a_range_of_another_version_gets_the_whole_file(api: Api, uri: str, emulator: Emulator) -> None:
    tag = (await fetched(api, uri)).headers["etag"]
    assert (await fetched(api, uri, range="bytes=5-", if_range=tag)).status_code == 206
    assert (await fetched(api, uri, range="bytes=5-", if_range='"other"')).status_code == 200
    emulator.add_fault("changed", path=":download")
    changed = await fetched(api, uri, range="bytes=5-", if_range=tag)
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


async def test_the_log_has_the_range(api: Api, uri: str, emulator: Emulator) -> None:
    await fetched(api, uri, range="bytes=5-9")
    (entry,) = emulator.requests
    assert (entry["method"], entry["headers"]["range"], entry["body"]) == ("GET", "bytes=5-9", None)
    assert entry["query"] == {"alt": "media"}


async def test_files_expire_and_are_deleted(api: Api, uri: str, emulator: Emulator) -> None:
    emulator.advance(47 * 3600)
    assert (await fetched(api, uri)).status_code == 200
    emulator.advance(2 * 3600)
    for address in (uri, name_of(uri)):
        response = await fetched(api, address)
        assert response.status_code == 403
        assert "may not exist" in response.json()["error"]["message"]


async def test_a_deleted_file_is_gone(api: Api, uri: str) -> None:
    assert (await api.http.delete(name_of(uri))).json() == {}
    assert (await fetched(api, uri)).status_code == 403


async def test_a_download_breaks_off_again_and_again_and_is_taken_up(api: Api, uri: str, emulator: Emulator) -> None:
    emulator.add_fault("cut=inside after=20000", path=":download", times=2)
    got = await received(api, uri)
    assert got == DATA[:20_000]
    got += await received(api, uri, range=f"bytes={len(got)}-")
    assert got == DATA[:40_000]
    got += (await fetched(api, uri, range=f"bytes={len(got)}-")).content
    assert got == DATA


async def test_a_download_stalls(api: Api, uri: str, emulator: Emulator) -> None:
    emulator.add_fault("stall=inside after=1000", path=":download")
    got = bytearray()
    async with api.http.stream("GET", uri, timeout=0.3) as response:
        with pytest.raises(httpx2.ReadTimeout):
            await _collect(response, got)
    assert got == DATA[:1000]


async def test_a_redirect_leads_to_bytes_without_a_key(api: Api, uri: str, emulator: Emulator) -> None:
    emulator.add_fault("redirect=cdn", path=":download", times=None)
    moved = await fetched(api, uri)
    assert (moved.status_code, moved.content) == (302, b"")
    location = moved.headers["location"]
    assert urlsplit(location).path.startswith("/emulator-cdn/")
    async with httpx2.AsyncClient() as http:
        assert (await http.get(location)).content == DATA
        part = await http.get(location, headers={"Range": "bytes=7-"})
        assert (part.status_code, part.content) == (206, DATA[7:])
        assert (await http.get(location.partition("?")[0])).status_code == 403
    assert "x-goog-api-key" not in emulator.requests[-1]["headers"]


async def test_a_redirect_can_lead_to_another_host(api: Api, uri: str, emulator: Emulator) -> None:
    port = urlsplit(emulator.url).port
    emulator.add_fault("redirect=cdn:localhost", path=":download")
    assert (await fetched(api, uri)).headers["location"].startswith(f"http://localhost:{port}/emulator-cdn/")
    emulator.add_fault("redirect=cdn:elsewhere.example:81", path=":download")
    assert (await fetched(api, uri)).headers["location"].startswith("http://elsewhere.example:81/emulator-cdn/")


async def test_the_second_address_fails_on_request(api: Api, uri: str, emulator: Emulator) -> None:
    emulator.add_fault("redirect=cdn", path=":download")
    location = (await fetched(api, uri)).headers["location"]
    emulator.add_fault("status=503", path="/emulator-cdn/")
    emulator.add_fault("cut=inside after=10", path="/emulator-cdn/")
    assert (await api.http.get(location)).status_code == 503
    assert await received(api, location) == DATA[:10]
    assert (await api.http.get(location)).content == DATA


async def test_wrong_types_and_errors_in_place_of_bytes(api: Api, uri: str, emulator: Emulator) -> None:
    for directive in (
        "content_type=text/html",
        "error_body message=Quota_is_gone",
        "corrupt",
        "no_length",
        "status=403",
    ):
        emulator.add_fault(directive, path=":download")
    typed = await fetched(api, uri)
    assert (typed.headers["content-type"], typed.content) == ("text/html", DATA)
    error = await fetched(api, uri)
    assert (error.status_code, error.json()["error"]["message"]) == (200, "Quota is gone")
    corrupt = (await fetched(api, uri)).content
    assert (corrupt[0], corrupt[1:]) == (DATA[0] ^ 1, DATA[1:])
    chunked = await fetched(api, uri)
    assert ("content-length" in chunked.headers, chunked.content) == (False, DATA)
    assert (await fetched(api, uri)).status_code == 403


async def test_ranges_can_be_switched_off(api: Api, uri: str, emulator: Emulator) -> None:
    emulator.add_fault("no_range", path=":download")
    response = await fetched(api, uri, range="bytes=5-")
    assert (response.status_code, response.headers["accept-ranges"], response.content) == (200, "none", DATA)


async def test_a_file_grows_and_stays_that_large(api: Api, uri: str, emulator: Emulator) -> None:
    size = 3 * CHUNK + 17
    emulator.add_fault(f"bytes={size} cut=inside after=300000", path=":download")
    got = await received(api, uri)
    got += (await fetched(api, uri, range=f"bytes={len(got)}-")).content
    whole = (await fetched(api, uri)).content
    file = (await api.http.get(name_of(uri))).json()
    assert got == whole
    assert (len(whole), whole[: len(DATA)], file["sizeBytes"]) == (size, DATA, str(size))
    assert base64.b64decode(file["sha256Hash"]).decode() == hashlib.sha256(whole).hexdigest()


async def test_half_a_gigabyte_is_never_held(api: Api, uri: str, emulator: Emulator) -> None:
    size = 500_000_000
    emulator.add_fault(f"bytes={size}", path="/files/")
    assert (await api.http.get(name_of(uri))).json()["sizeBytes"] == str(size)
    tail = await fetched(api, uri, range="bytes=-100000")
    assert tail.headers["content-range"] == f"bytes {size - 100_000}-{size - 1}/{size}"
    assert tail.content == Content(DATA, size).part(size - 100_000, size)


async def test_any_part_of_a_grown_file_is_that_part_of_the_whole() -> None:
    for data in (b"12345", b"\0\0\0\x18ftypisom1234"):
        content = Content(data, 200_000)
        whole = b"".join(content.chunks(0, content.size))
        assert len(whole) == content.size
        assert hashlib.sha256(whole).hexdigest() == content.sha256()
        for start, end in ((0, 3), (0, 200_000), (4, 30), (65_530, 65_545), (199_999, 200_000), (150_000, 300_000)):
            assert content.part(start, end) == whole[start:end]


async def test_many_read_a_large_file_at_once(api: Api, uri: str, emulator: Emulator) -> None:
    emulator.add_fault("bytes=4000000", path="/files/")
    await api.http.get(name_of(uri))
    digests: list[str] = []

    async def read() -> None:
        digests.append(hashlib.sha256((await fetched(api, uri)).content).hexdigest())

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(read)
    assert set(digests) == {Content(DATA, 4_000_000).sha256()}


async def test_directives_that_cannot_be_read_are_refused(api: Api) -> None:
    for directive in ("bytes=many", "filtered=x", "polls=-1"):
        response = await api.http.post("/emulator/faults", json={"directive": directive})
        assert response.status_code == 400
    body: Any = ask("x [emulate: bytes=lots]")
    assert "takes a number" in await api.refusal(body)
