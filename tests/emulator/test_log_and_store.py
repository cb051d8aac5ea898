"""The request log, and the store that later services build on."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from gemini_emulator import ApiError, Emulator, Options, running
from gemini_emulator.store import Store

from .conftest import Api, ask

pytestmark = pytest.mark.anyio


async def test_requests_are_logged_without_secrets(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url) as http:
        await http.get("/v1/models?pageSize=2&key=secret-1", headers={"Authorization": "Bearer secret-2"})
        await http.get("/v1/models", headers={"x-goog-api-key": "secret-3", "authorization": "secret-4"})
    first, second = emulator.requests
    assert (first["method"], first["path"], first["query"]) == ("GET", "/v1/models", {"pageSize": "2"})
    assert first["headers"]["authorization"] == "Bearer ***"
    assert second["headers"]["authorization"] == "***"
    assert second["headers"]["x-goog-api-key"] == "***"
    assert "secret" not in json.dumps(emulator.requests)


async def test_bodies_are_logged_as_sent_or_as_their_size(emulator: Emulator, api: Api) -> None:
    await api.generate("hi", generation_config={"max_output_tokens": 400})
    await api.http.post("/v1beta/models/gemini-3.8-flash:generateContent", content=b"\x00\x01")
    first, second = (await api.http.get("/emulator/requests")).json()["requests"]
    assert first["body"]["generation_config"] == {"max_output_tokens": 400}
    assert second["body"] == "<2 bytes>"
    await api.http.delete("/emulator/requests")
    assert emulator.requests == []


@pytest.mark.parametrize("path", ["/v1beta/models/gemini-3.8-flash:generateContent", "/upload/v1beta/files"])
async def test_a_request_that_came_in_while_the_log_was_cleared_stays_forgotten(emulator: Emulator, path: str) -> None:
    body = json.dumps(ask("hi")).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    port = int(emulator.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n"), "the emulator waits for the body"
    emulator.clear_requests()
    writer.write(body)
    assert b"HTTP/1.1 " in await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert emulator.requests == []


async def test_long_data_is_logged_as_a_valid_stub(emulator: Emulator, api: Api) -> None:
    data = "A" * 100_000
    await api.post("generateContent", ask("look", {"inlineData": {"mimeType": "image/png", "data": data}}))
    (entry,) = emulator.requests
    assert entry["body"]["contents"][0]["parts"][1]["inlineData"]["data"] == "AAAA"
    assert entry["x_truncated"] is True


async def test_the_log_goes_to_a_file_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    async with running(Options(log=path, kept_requests=1)) as emulator:
        async with httpx2.AsyncClient(base_url=emulator.url) as http:
            await http.get("/v1/models")
            await http.get("/v1beta/models")
        lines = path.read_text().splitlines()
        assert [json.loads(line)["path"] for line in lines] == ["/v1/models", "/v1beta/models"]
        assert [entry["path"] for entry in emulator.requests] == ["/v1beta/models"]


async def test_health_needs_no_key(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url) as http:
        assert (await http.get("/emulator/health")).json()["status"] == "ok"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def test_a_store_creates_gets_and_deletes() -> None:
    store = Store("files")
    created = store.create({"displayName": "a"}, ident="one")
    assert created["name"] == "files/one"
    assert created["createTime"].endswith("Z")
    created["displayName"] = "changed outside"
    assert store.get("files/one")["displayName"] == "a"
    with pytest.raises(ApiError) as twice:
        store.create({}, ident="one")
    assert (twice.value.status, twice.value.name) == (409, "ALREADY_EXISTS")
    store.delete("files/one")
    with pytest.raises(ApiError) as gone:
        store.get("files/one")
    assert gone.value.status == 404
    assert len(store) == 0


async def test_a_store_can_hide_whether_something_exists() -> None:
    with pytest.raises(ApiError) as hidden:
        Store("files", missing=403).get("files/none")
    assert hidden.value.status == 403


async def test_a_store_lists_in_pages() -> None:
    store = Store("batches", largest_page=4)
    names = [store.create({})["name"] for _ in range(10)]
    first, token = store.list_page(100)
    second, next_token = store.list_page(4, token)
    third, last = store.list_page(4, next_token)
    assert [one["name"] for one in (*first, *second, *third)] == names
    assert last == ""
    with pytest.raises(ApiError):
        store.list_page(-1)


async def test_a_store_patches_by_mask() -> None:
    clock = Clock()
    store = Store("cachedContents", clock=clock)
    name = store.create({"displayName": "a", "meta": {"x": 1, "y": 2}, "ttl": "60s"})["name"]
    clock.now += timedelta(seconds=1)
    patched = store.patch(name, {"displayName": "b", "meta": {"x": 5}}, "meta.x, ttl")
    assert patched["meta"] == {"x": 5, "y": 2}
    assert patched["displayName"] == "a"
    assert "ttl" not in patched
    assert patched["updateTime"] > patched["createTime"]
    assert store.patch(name, {"displayName": "c"})["displayName"] == "c"
    with pytest.raises(ApiError):
        store.patch(name, {"displayName": "d"}, "display_name", allowed=frozenset({"ttl"}))
    with pytest.raises(ApiError):
        store.patch(name, {"name": "other"})


async def test_what_has_expired_is_gone() -> None:
    clock = Clock()
    store = Store("files", clock=clock)
    name = store.create({"expirationTime": "2026-11-24T00:00:00.000000Z"})["name"]
    store.set(name, state="ACTIVE")
    assert store.get(name)["state"] == "ACTIVE"
    clock.now += timedelta(days=3)
    with pytest.raises(ApiError):
        store.get(name)
