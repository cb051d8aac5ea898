"""Uploads in one request: multipart, and bare bytes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from gemini_emulator import ApiError, Emulator, Options, running
from gemini_emulator.multipart import Multipart

from .conftest import Api
from .uploading import PATH, digest_of, noise

pytestmark = pytest.mark.anyio

RELATED = 'multipart/related; boundary="xyz"'
TRICKY = b"\r\n--xy\r\n--xyz-not\r\n\r\n--\r\n" + noise(3000)


def multipart(description: object, data: bytes, mime_type: str = "image/png") -> bytes:
    head = f"--xyz\r\nContent-Type: application/json\r\n\r\n{json.dumps(description)}\r\n--xyz\r\n"
    return f"{head}Content-Type: {mime_type}\r\n\r\n".encode() + data + b"\r\n--xyz--\r\n"


async def sent(api: Api, body: bytes, content_type: str = RELATED, *, query: str = "") -> httpx2.Response:
    headers = {"X-Goog-Upload-Protocol": "multipart", "Content-Type": content_type}
    return await api.http.post(f"{PATH}{query}", content=body, headers=headers)


@pytest.mark.parametrize("protocol", ["X-Goog-Upload-Protocol", "uploadType"])
async def test_multipart_brings_a_description_and_bytes(api: Api, protocol: str) -> None:
    data = noise(300_000)
    headers = {"Content-Type": RELATED} | ({protocol: "multipart"} if protocol != "uploadType" else {})
    query = "?uploadType=multipart" if protocol == "uploadType" else ""
    body = multipart({"file": {"display_name": "Noise"}}, data)
    finished = await api.http.post(f"{PATH}{query}", content=body, headers=headers)
    assert finished.headers["x-goog-upload-status"] == "final"
    file = finished.json()["file"]
    assert (file["displayName"], file["mimeType"], file["sizeBytes"]) == ("Noise", "image/png", "300000")
    assert file["sha256Hash"] == digest_of(data)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
async def test_a_boundary_may_come_in_pieces_and_look_alikes_are_bytes(size: int) -> None:
    body = b"preamble\r\n" + multipart({"a": 1}, TRICKY)

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    parts = Multipart(RELATED, pieces())
    assert await parts.headers() == {"content-type": "application/json"}
    assert b"".join([piece async for piece in parts.body()]) == b'{"a": 1}'
    assert await parts.headers() == {"content-type": "image/png"}
    # The delimiter of this text is a beginning of the real one only.
    assert b"".join([piece async for piece in parts.body()]) == TRICKY[: TRICKY.index(b"\r\n--xyz-not")]


async def test_an_empty_part_is_empty(api: Api) -> None:
    file = (await sent(api, multipart({}, b""))).json()["file"]
    assert "sizeBytes" not in file


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart({}, b"x"), "multipart/related"),
        (multipart({}, b"x"), "text/plain"),
        (multipart({}, b"x")[:-9], RELATED),
        (b"--xyz\r\nContent-Type: application/json\r\n\r\n{}\r\n--xyz--\r\n", RELATED),
        (b"nothing at all", RELATED),
        (multipart({}, b"x").replace(b"{}", b"{"), RELATED),
        (multipart({"file": {"unknown": 1}}, b"x"), RELATED),
        (multipart({"file": {"name": "files/NO"}}, b"x"), RELATED),
    ],
    ids=["no boundary", "no multipart", "no end", "one part", "no part", "no json", "unknown field", "bad name"],
)
async def test_what_cannot_be_taken_apart_is_refused(api: Api, body: bytes, content_type: str) -> None:
    refused = await sent(api, body, content_type)
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


async def test_a_boundary_without_quotes_is_one() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield multipart({}, b"x")

    assert await Multipart("Multipart/Form-Data; charset=x; boundary=xyz", pieces()).headers()
    with pytest.raises(ApiError):
        Multipart("multipart/related; boundary=", pieces())


@pytest.mark.parametrize("how", ["nothing", "raw", "media"])
async def test_bare_bytes_are_a_file_of_the_type_of_the_request(api: Api, how: str) -> None:
    headers = {"Content-Type": "text/markdown"} | ({"X-Goog-Upload-Protocol": "raw"} if how == "raw" else {})
    query = "?uploadType=media" if how == "media" else ""
    finished = await api.http.post(f"{PATH}{query}", content=b"# Hello", headers=headers)
    file = finished.json()["file"]
    assert (file["mimeType"], file["sizeBytes"]) == ("text/markdown", "7")


async def test_a_request_without_a_key_brings_nothing(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url, verify=False) as http:
        assert (await sent(Api(http), multipart({}, noise(300_000)))).status_code == 403
    assert emulator.requests[0]["body"].startswith("<300")


async def test_one_request_has_the_same_limit_as_many() -> None:
    async with (
        running(Options(largest_file=1000)) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, verify=False) as http,
    ):
        http.headers["x-goog-api-key"] = "k"
        refused = await sent(Api(http), multipart({}, noise(100_000)))
        assert (refused.status_code, "1000" in refused.text) == (400, True)
        assert (await sent(Api(http), multipart({}, noise(1000)))).status_code == 200


async def test_the_log_has_the_description(api: Api, emulator: Emulator) -> None:
    await sent(api, multipart({"file": {"displayName": "Noise"}}, b"x"))
    assert emulator.requests[0]["body"] == {"file": {"displayName": "Noise"}}
