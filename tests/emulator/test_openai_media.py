"""Google's OpenAI compatibility layer beyond chat: vectors, pictures, videos, batches and models."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image

from gemini_emulator import Emulator, Options, running

from .chatting import Chat, chat
from .conftest import TODAY

pytestmark = pytest.mark.anyio

VEO = "veo-3.1-generate-preview"


@pytest.fixture(scope="module")
async def started(anyio_backend: str) -> AsyncIterator[Emulator]:
    async with running(Options(today=TODAY, legacy_media=True)) as emulator:
        yield emulator


@pytest.fixture
async def layer(started: Emulator) -> AsyncIterator[Chat]:
    headers = {"Authorization": "Bearer test-key"}
    async with httpx2.AsyncClient(base_url=started.url, headers=headers, timeout=20) as http:
        yield Chat(http, "/v1beta/openai")


async def test_texts_become_vectors_as_numbers_or_packed(layer: Chat) -> None:
    body: dict[str, Any] = {"model": "gemini-embedding-001", "input": ["a cat", "a dog"], "dimensions": 8}
    plain = (await layer.post("/embeddings", body)).json()
    assert [one["index"] for one in plain["data"]] == [0, 1]
    assert plain["usage"]["total_tokens"] == plain["usage"]["prompt_tokens"] > 0
    packed = (await layer.post("/embeddings", {**body, "encoding_format": "base64"})).json()
    numbers = struct.unpack("<8f", base64.b64decode(packed["data"][1]["embedding"]))
    assert numbers == pytest.approx(plain["data"][1]["embedding"], abs=1e-6)


@pytest.mark.parametrize("model", ["gemini-3.1-flash-lite-image", "imagen-4.0-fast-generate-001"])
async def test_pictures_are_drawn_and_what_is_not_known_is_ignored(layer: Chat, model: str) -> None:
    body = {"model": model, "prompt": "a red house", "n": 2, "size": "1792x1024", "quality": "hd", "style": "vivid"}
    response = await layer.post("/images/generations", body)
    assert response.status_code == 200, response.text
    pictures = [base64.b64decode(one["b64_json"]) for one in response.json()["data"]]
    assert pictures[0] != pictures[1]
    with Image.open(BytesIO(pictures[0])) as picture:
        assert picture.width > 1.6 * picture.height


async def test_a_video_is_a_job_from_a_form_to_its_bytes(layer: Chat) -> None:
    fields = {"model": VEO, "prompt": "a boat", "size": "720x1280", "seconds": "4"}
    files = {"input_reference": ("first.png", _png(), "image/png")}
    job = (await layer.http.post("/v1beta/openai/videos", data=fields, files=files)).json()
    assert (job["object"], job["status"], job["seconds"]) == ("video", "processing", "4")
    for _ in range(5):
        job = (await layer.http.get(f"/v1beta/openai/videos/{job['id']}")).json()
    assert job["status"] == "completed"
    video = await layer.http.get(job["url"])
    assert video.content[4:8] == b"ftyp"
    [unknown] = (await layer.http.get("/v1beta/openai/videos/none")).json()
    assert unknown["error"]["code"] == 404


async def test_without_veo_there_are_no_videos(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url, headers={"Authorization": "Bearer k"}) as http:
        response = await http.post("/v1beta/openai/videos", json={"model": VEO, "prompt": "a boat"})
        assert response.status_code == 404
        assert "not supported for predictLongRunning" in response.json()[0]["error"]["message"]


async def test_a_batch_answers_the_lines_of_a_file(layer: Chat) -> None:
    lines = [
        {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": chat("Say only 'hi'")},
        {"custom_id": "two", "method": "POST", "url": "/v1/chat/completions", "body": chat("Hello", store=True)},
    ]
    start = {"X-Goog-Upload-Protocol": "raw", "Content-Type": "application/jsonl"}
    raw = "\n".join(json.dumps(line) for line in lines).encode()
    file = (await layer.http.post("/upload/v1beta/files", content=raw, headers=start)).json()["file"]
    wanted = {"input_file_id": file["name"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = (await layer.post("/batches", wanted)).json()
    assert (batch["object"], batch["status"]) == ("batch", "validating")
    for _ in range(5):
        batch = (await layer.http.get(f"/v1beta/openai/batches/{batch['id']}")).json()
    assert batch["status"] == "completed"
    assert batch["request_counts"] == {"total": 2, "completed": 1, "failed": 1}
    output = await layer.http.get(f"/v1beta/{batch['output_file_id']}:download?alt=media")
    answers = {line["custom_id"]: line for line in map(json.loads, output.text.splitlines())}
    assert answers["one"]["response"]["body"]["choices"][0]["message"]["content"] == "[emulated] hi"
    assert answers["one"]["error"] is None
    assert "store" in answers["two"]["error"]["message"]


async def test_models_are_listed_and_found_by_either_name(layer: Chat) -> None:
    listed = (await layer.http.get("/v1beta/openai/models")).json()
    assert "models/gemini-3.8-flash" in [one["id"] for one in listed["data"]]
    for name in ("gemini-3.8-flash", "models/gemini-3.8-flash"):
        model = (await layer.http.get(f"/v1beta/openai/models/{name}")).json()
        assert (model["id"], model["object"]) == ("models/gemini-3.8-flash", "model")


def _png() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 64), "blue").save(out, "PNG")
    return out.getvalue()
