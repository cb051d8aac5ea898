"""What the schemas of files and caches allow is taken, and nothing else: every field once, and every field wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from .conftest import Api, ask
from .uploading import PATH

pytestmark = pytest.mark.anyio

MOMENT = "2099-01-02T03:04:05.123456789Z"
FILE: dict[str, Any] = {
    "name": "files/contract",
    "displayName": "All fields",
    "mimeType": "text/plain",
    "sizeBytes": "5",
    "createTime": MOMENT,
    "updateTime": MOMENT,
    "expirationTime": MOMENT,
    "sha256Hash": "AAAA",
    "uri": "https://example.com/v1beta/files/x",
    "downloadUri": "https://example.com/v1beta/files/x:download",
    "state": "ACTIVE",
    "source": "UPLOADED",
    "error": {"code": 3, "message": "None.", "details": [{"@type": "type.googleapis.com/google.rpc.Help"}]},
    "videoMetadata": {"videoDuration": "1.5s"},
}
CACHE: dict[str, Any] = {
    "name": "cachedContents/x",
    "model": "models/gemini-3.8-flash",
    "displayName": "All fields",
    **ask("x" * 20_000),
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [{"functionDeclarations": [{"name": "get_weather", "description": "Weather"}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "ttl": "60.5s",
    "createTime": MOMENT,
    "updateTime": MOMENT,
    "usageMetadata": {"totalTokenCount": 5},
}


def snake(body: dict[str, Any]) -> Any:
    """The same with names in the other spelling."""
    return json.loads(re.sub(r'"\w+":', lambda name: re.sub("([A-Z])", r"_\1", name[0]).lower(), json.dumps(body)))


async def started(api: Api, body: object) -> int:
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    return (await api.http.post(PATH, headers=headers, json=body)).status_code


async def cached(api: Api, body: object) -> int:
    return (await api.http.post("/v1beta/cachedContents", json=body)).status_code


@pytest.mark.parametrize("body", [FILE, snake(FILE)], ids=["camelCase", "snake_case"])
async def test_a_file_may_have_all_its_fields(api: Api, body: object) -> None:
    assert await started(api, {"file": body}) == 200


@pytest.mark.parametrize("body", [CACHE, snake(CACHE)], ids=["camelCase", "snake_case"])
async def test_a_cache_may_have_all_its_fields(api: Api, body: object) -> None:
    assert await cached(api, body) == 200


WRONG: tuple[Any, ...] = ([], True)


@pytest.mark.parametrize("field", FILE)
async def test_no_field_of_a_file_takes_what_it_is_not(api: Api, field: str) -> None:
    for wrong in WRONG:
        assert await started(api, {"file": {**FILE, field: wrong}}) == 400
    assert await started(api, {"file": {f"{field}s": FILE[field]}}) == 400


@pytest.mark.parametrize("field", CACHE)
async def test_no_field_of_a_cache_takes_what_it_is_not(api: Api, field: str) -> None:
    for wrong in ("no", True):
        # A name, a model and a display name are texts.
        if wrong is True or field not in ("name", "displayName"):
            assert await cached(api, {**CACHE, field: wrong}) == 400
    assert await cached(api, {**CACHE, f"{field}x": CACHE[field]}) == 400


async def test_nothing_stands_beside_a_file(api: Api) -> None:
    assert await started(api, {"file": FILE, "files": []}) == 400
    assert await started(api, [FILE]) == 400
    assert (await api.http.post("/v1beta/files", json={"displayName": "x"})).status_code == 400
    assert (await api.http.post("/v1beta/cachedContents?force=true", json=CACHE)).status_code == 400
