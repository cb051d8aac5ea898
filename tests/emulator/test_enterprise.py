"""The Enterprise platform: its paths, its credentials, and where it differs from the Developer API."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from gemini_emulator import Emulator, Options, running
from gemini_emulator.enterprise_store import CloudObject

from .conftest import TODAY, ask, text_of

pytestmark = pytest.mark.anyio

PLACE = "projects/acme/locations/us-central1"
MODELS = f"{PLACE}/publishers/google/models"
FLASH, VEO, IMAGEN = "gemini-3.8-flash", "veo-3.1-generate-001", "imagen-4.0-fast-generate-001"
LONG = "An otter swims in the river and eats fish. " * 500


@pytest.fixture(scope="module")
async def platform(anyio_backend: str) -> AsyncIterator[Emulator]:
    options = Options(today=TODAY, dialect="enterprise", enterprise=("acme", "us-central1"))
    async with running(options) as started:
        yield started


class Platform:
    """The platform as a raw client sees it."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def post(self, path: str, body: object, status: int = 200) -> Any:
        response = await self.http.post(f"/v1/{path}", json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def get(self, path: str, status: int = 200) -> Any:
        response = await self.http.get(f"/v1/{path}")
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
async def api(platform: Emulator) -> AsyncIterator[Platform]:
    headers = {"Authorization": "Bearer token", "x-goog-user-project": "acme"}
    async with httpx2.AsyncClient(base_url=platform.url, headers=headers, timeout=20) as http:
        yield Platform(http)


async def test_generation_takes_what_the_platform_has_and_refuses_what_it_lacks(
    api: Platform, platform: Emulator
) -> None:
    beyond = {"labels": {"team": "a"}, "generationConfig": {"seed": 7, "audioTimestamp": True}, "modelArmorConfig": {}}
    answer = await api.post(f"{MODELS}/{FLASH}:generateContent", {**ask("Say only 'hi'"), **beyond})
    assert text_of(answer) == "[emulated] hi"
    assert answer["usageMetadata"]["trafficType"] == "ON_DEMAND"
    stream = await api.http.post(f"/v1beta1/{MODELS}/{FLASH}:streamGenerateContent?alt=sse", json=ask("Say only 'hi'"))
    assert "[emulated] hi" in stream.text
    platform.objects["gs://acme/note.txt"] = lying("An otter eats fish.")
    part = {"fileData": {"fileUri": "gs://acme/note.txt", "mimeType": "text/plain"}}
    read = await api.post(f"{MODELS}/{FLASH}:generateContent", ask("What is this?", part))
    assert "An otter eats fish" in text_of(read)
    counted = await api.post(f"{MODELS}/{FLASH}:countTokens", {**ask("a b c"), "systemInstruction": None})
    assert (counted["totalTokens"], counted["totalBillableCharacters"]) == (2, 3)
    file = {"fileData": {"fileUri": f"{platform.url}/v1beta/files/abc", "mimeType": "image/png"}}
    for body, words in (
        ({"contents": [{"parts": [{"text": "no role"}]}]}, "valid role"),
        ({**ask("Hello"), "store": True}, 'Unknown name "store"'),
        (ask("Hello", file), "Unsupported file URI"),
    ):
        refused = await api.post(f"{MODELS}/{FLASH}:generateContent", body, 400)
        assert words in refused["error"]["message"]
    missing = await api.post(f"{MODELS}/gemini-9:generateContent", ask("Hello"), 404)
    assert f"Publisher Model `{MODELS}/gemini-9`" in missing["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "missing required authentication credential"),
        ({"x-goog-api-key": "key"}, "API keys are not supported"),
        ({"Authorization": "Bearer invalid"}, "invalid authentication credentials"),
    ],
)
async def test_only_a_token_opens_it(platform: Emulator, headers: dict[str, str], words: str) -> None:
    async with httpx2.AsyncClient(base_url=platform.url, headers=headers) as http:
        response = await http.get("/v1/publishers/google/models")
    assert response.status_code == 401
    assert words in response.json()["error"]["message"]


async def test_other_places_and_the_developer_api_are_not_there(api: Platform) -> None:
    other = MODELS.replace("acme", "other")
    assert (await api.post(f"{other}/{FLASH}:generateContent", ask("a"), 403))["error"]["status"] == "PERMISSION_DENIED"
    await api.post(f"{MODELS.replace('central', 'east')}/{FLASH}:generateContent", ask("a"), 404)
    for path in ("/v1beta/models", "/v1/files", f"/v1/{PLACE}/files", "/v1/models/gemini-3.8-flash"):
        assert (await api.http.get(path)).status_code == 404


async def test_vectors_come_by_predict_and_by_embed_content(api: Platform) -> None:
    one = {"content": "a cat", "task_type": "RETRIEVAL_QUERY"}
    body: dict[str, Any] = {"instances": [one], "parameters": {"outputDimensionality": 8, "autoTruncate": True}}
    answer = await api.post(f"{MODELS}/gemini-embedding-001:predict", body)
    [prediction] = answer["predictions"]
    assert len(prediction["embeddings"]["values"]) == 8
    assert prediction["embeddings"]["statistics"] == {"truncated": False, "token_count": 2}
    two = await api.post(f"{MODELS}/gemini-embedding-001:predict", {"instances": [one, one]}, 400)
    assert "exactly one instance" in two["error"]["message"]
    content = {"content": {"parts": [{"text": "a cat"}]}, "embedContentConfig": {"outputDimensionality": 8}}
    vector = await api.post(f"{MODELS}/gemini-embedding-2:embedContent", content)
    assert len(vector["embedding"]["values"]) == 8
    assert vector["usageMetadata"]["promptTokenCount"] == 2


async def test_pictures_come_inline_or_go_into_cloud_storage(api: Platform, platform: Emulator) -> None:
    body: dict[str, Any] = {
        "instances": [{"prompt": "a house"}],
        "parameters": {"sampleCount": 1, "seed": 1, "addWatermark": False},
    }
    [first] = (await api.post(f"{MODELS}/{IMAGEN}:predict", body))["predictions"]
    body["parameters"] |= {"seed": 2, "storageUri": "gs://acme/out"}
    [second] = (await api.post(f"{MODELS}/{IMAGEN}:predict", body))["predictions"]
    assert second["gcsUri"].startswith("gs://acme/out/")
    stored = platform.objects[second["gcsUri"]]
    assert stored.data != base64.b64decode(first["bytesBase64Encoded"])
    del body["parameters"]["addWatermark"]
    assert "watermark" in (await api.post(f"{MODELS}/{IMAGEN}:predict", body, 400))["error"]["message"]


async def test_a_video_is_fetched_by_its_operation(api: Platform, platform: Emulator) -> None:
    body: dict[str, Any] = {
        "instances": [{"prompt": "a boat"}],
        "parameters": {"durationSeconds": 4, "generateAudio": True, "storageUri": "gs://acme/films/"},
    }
    name = (await api.post(f"{MODELS}/{VEO}:predictLongRunning", body))["name"]
    assert name.startswith(f"{MODELS}/{VEO}/operations/")
    operation: dict[str, Any] = {}
    for _ in range(4):
        operation = await api.post(f"{MODELS}/{VEO}:fetchPredictOperation", {"operationName": name})
    [video] = operation["response"]["videos"]
    assert platform.objects[video["gcsUri"]].data[4:8] == b"ftyp"
    assert "must be a Long" in (await api.get(name, 400))["error"]["message"]
    cancelled = (await api.post(f"{MODELS}/{VEO}:predictLongRunning", body))["name"]
    await api.post(f"{cancelled}:cancel", {})
    ended = await api.get(f"{PLACE}/operations/{cancelled.rpartition('/')[2]}")
    assert (ended["done"], ended["error"]["code"]) == (True, 1)


async def test_a_cache_belongs_to_its_place(api: Platform) -> None:
    model = f"{MODELS}/{FLASH}"
    cache = await api.post(f"{PLACE}/cachedContents", {"model": model, "ttl": "600s", **ask(LONG)})
    assert cache["name"].startswith(f"{PLACE}/cachedContents/")
    assert cache["model"] == model
    answer = await api.post(f"{model}:generateContent", {**ask("What swims?"), "cachedContent": cache["name"]})
    assert answer["usageMetadata"]["cachedContentTokenCount"] == cache["usageMetadata"]["totalTokenCount"]
    patched = await api.http.patch(f"/v1/{cache['name']}?updateMask=ttl", json={"ttl": "900s"})
    assert patched.json()["expireTime"] > cache["expireTime"]
    assert cache["name"] in [one["name"] for one in (await api.get(f"{PLACE}/cachedContents"))["cachedContents"]]
    assert (await api.http.delete(f"/v1/{cache['name']}")).json() == {}
    gone = await api.post(f"{model}:generateContent", {**ask("a"), "cachedContent": "cachedContents/short"}, 404)
    assert "cached content metadata" in gone["error"]["message"]


async def test_a_batch_reads_and_writes_cloud_storage(api: Platform, platform: Emulator) -> None:
    lines = [{"request": ask("Say only 'hi'")}, {"request": {"contents": [{"parts": [{"text": "no role"}]}]}}]
    stored = {"uri": "gs://acme/in.jsonl", "text": "\n".join(json.dumps(line) for line in lines)}
    assert (await api.http.post("/emulator/objects", json=stored)).status_code == 200
    body = job("gs://acme/in.jsonl")
    made = await api.post(f"{PLACE}/batchPredictionJobs", body)
    assert (made["state"], made["displayName"]) == ("JOB_STATE_PENDING", "nightly")
    states = [(await api.get(made["name"]))["state"] for _ in range(3)]
    assert states == ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    done = await api.get(made["name"])
    assert done["completionStats"] == {"successfulCount": "1", "failedCount": "1"}
    output = platform.objects[f"{done['outputInfo']['gcsOutputDirectory']}/predictions.jsonl"].data
    answers = [json.loads(line) for line in output.splitlines()]
    good = next(line for line in answers if not line["status"])
    assert text_of(good["response"]) == "[emulated] hi"
    assert "valid role" in next(line["status"] for line in answers if line["status"])
    lost = await api.post(f"{PLACE}/batchPredictionJobs", job("gs://acme/none.jsonl"))
    refused = await api.http.delete(f"/v1/{lost['name']}")
    assert refused.json()["error"]["status"] == "FAILED_PRECONDITION"
    for _ in range(3):
        lost = await api.get(lost["name"])
    assert (lost["state"], lost["error"]["code"]) == ("JOB_STATE_FAILED", 5)
    assert (await api.http.delete(f"/v1/{made['name']}")).json()["done"]
    await api.get(made["name"], 404)


async def test_the_official_sdk_in_enterprise_mode_is_served(platform: Emulator) -> None:
    with warnings.catch_warnings():
        # The SDK's own deprecations are not ours to mend.
        warnings.simplefilter("ignore")
        credentials: Any = Credentials
        client: Any = genai.Client(
            enterprise=True,
            project="acme",
            location="us-central1",
            credentials=credentials(token="token"),
            http_options=types.HttpOptions(base_url=platform.url),
        )
        async with client.aio as aio:
            answer = await aio.models.generate_content(model=FLASH, contents="Say only 'hi'")
            assert answer.text == "[emulated] hi"
            vectors = await aio.models.embed_content(model="gemini-embedding-2", contents=["a"])
            assert len(vectors.embeddings[0].values) == 3072
            pictures = await aio.models.generate_images(model=IMAGEN, prompt="a house")
            assert pictures.generated_images[0].image.image_bytes
            config = types.GenerateVideosConfig(duration_seconds=4)
            operation = await aio.models.generate_videos(model=VEO, prompt="a boat", config=config)
            for _ in range(4):
                operation = await aio.operations.get(operation)
            assert operation.response.generated_videos[0].video.video_bytes[4:8] == b"ftyp"
            caching = types.CreateCachedContentConfig(contents=LONG)
            cache = await aio.caches.create(model=FLASH, config=caching)
            assert cache.name.startswith(f"{PLACE}/cachedContents/")
            used = types.GenerateContentConfig(cached_content=cache.name)
            assert (await aio.models.generate_content(model=FLASH, contents="What swims?", config=used)).text
            platform.objects["gs://acme/sdk.jsonl"] = lying(json.dumps({"request": ask("Hello")}))
            batch = await aio.batches.create(
                model=FLASH, src="gs://acme/sdk.jsonl", config=types.CreateBatchJobConfig(dest="gs://acme/answers")
            )
            for _ in range(3):
                batch = await aio.batches.get(name=batch.name)
            assert batch.state == types.JobState.JOB_STATE_SUCCEEDED


def job(uri: str) -> dict[str, Any]:
    return {
        "displayName": "nightly",
        "model": f"publishers/google/models/{FLASH}",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [uri]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://acme/answers"}},
    }


def lying(text: str) -> CloudObject:
    return CloudObject(text.encode(), "text/plain")
