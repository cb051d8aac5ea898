"""Imagen and Veo for gateways that still serve them, and the operations of Veo."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import date
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image

from gemini_emulator import Emulator, Options, media_output, running

from .conftest import TODAY, Api
from .test_films import shown

pytestmark = pytest.mark.anyio

IMAGEN, VEO = "imagen-4.0-generate-001", "veo-3.1-generate-preview"
LITE, OLD = "veo-3.1-lite-generate-preview", "veo-2.0-generate-001"
SMALL = {"resolution": "720p", "durationSeconds": 4}


@pytest.fixture(scope="module")
async def gateway(anyio_backend: str) -> AsyncIterator[Emulator]:
    async with running(Options(today=TODAY, legacy_media=True, prefix="/gateway")) as started:
        yield started


@pytest.fixture
async def legacy(gateway: Emulator) -> AsyncIterator[Api]:
    gateway.clear_faults()
    gateway.clear_requests()
    headers = {"x-goog-api-key": "test-key"}
    async with httpx2.AsyncClient(base_url=gateway.url, headers=headers, timeout=20) as http:
        yield Api(http)


def request(prompt: str, parameters: dict[str, Any] | None = None, **instance: Any) -> dict[str, Any]:
    return {"instances": [{"prompt": prompt, **instance}], "parameters": parameters or {}}


def image(prompt: str = "a cat") -> dict[str, str]:
    data = media_output.draw(prompt, 160, 90)
    return {"bytesBase64Encoded": base64.b64encode(data).decode(), "mimeType": "image/png"}


async def predictions(legacy: Api, prompt: str, **parameters: Any) -> list[dict[str, Any]]:
    response = await legacy.post("predict", request(prompt, parameters), model=IMAGEN)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json().get("predictions", [])
    return found


async def begun(legacy: Api, body: dict[str, Any], model: str = VEO) -> str:
    response = await legacy.post("predictLongRunning", body, model=model)
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["name"]
    return str(response.json()["name"])


async def ended(legacy: Api, body: dict[str, Any], model: str = VEO) -> dict[str, Any]:
    """The operation once it is done."""
    name = await begun(legacy, body, model)
    for _ in range(20):
        operation = (await legacy.http.get(f"/v1beta/{name}")).json()
        if operation.get("done"):
            return dict(operation)
    raise AssertionError("the operation does not end")


async def videos(legacy: Api, body: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = (await ended(legacy, body))["response"]
    assert response["@type"].endswith("v1beta.PredictLongRunningResponse")
    found: dict[str, Any] = response["generateVideoResponse"]
    return found


@pytest.mark.parametrize(("verb", "model"), [("predict", IMAGEN), ("predictLongRunning", VEO)])
async def test_the_developer_api_serves_neither(api: Api, verb: str, model: str) -> None:
    response = await api.post(verb, request("a cat"), model=model)
    assert response.status_code == 404
    assert f"models/{model} is not found for API version v1beta" in response.json()["error"]["message"]
    assert (await api.http.get(f"/v1beta/models/{model}")).status_code == 404


async def test_a_gateway_lists_and_serves_them(legacy: Api) -> None:
    listed = (await legacy.http.get("/v1beta/models?pageSize=1000")).json()["models"]
    methods = {one["name"]: one["supportedGenerationMethods"] for one in listed}
    assert methods[f"models/{IMAGEN}"] == ["predict"]
    assert methods[f"models/{VEO}"] == ["predictLongRunning"]
    assert (await legacy.http.get(f"/v1beta/models/{OLD}")).status_code == 200
    assert (await legacy.post("predict", request("x"), model="gemini-3.8-flash")).status_code == 404


async def test_before_they_were_shut_down_they_need_no_gateway() -> None:
    async with running(Options(today=date(2026, 8, 1))) as early, httpx2.AsyncClient(base_url=early.url) as http:
        body = request("a cat", {"sampleCount": 1})
        response = await http.post(f"/v1beta/models/{IMAGEN}:predict", json=body, headers={"x-goog-api-key": "k"})
        assert response.status_code == 200


async def test_imagen_draws_as_many_different_pictures_as_it_is_asked_for(legacy: Api) -> None:
    found = await predictions(legacy, "a red boat", sampleCount=3, aspectRatio="16:9")
    pictures = [base64.b64decode(one["bytesBase64Encoded"]) for one in found]
    assert [one["mimeType"] for one in found] == ["image/png"] * 3
    assert len(set(pictures)) == 3
    assert Image.open(BytesIO(pictures[0])).size == (1408, 768)
    assert len(await predictions(legacy, "a red boat")) == 4


async def test_whole_numbers_may_be_written_with_a_point(legacy: Api) -> None:
    body = '{"instances": [{"prompt": "a boat"}], "parameters": {"sampleCount": 2.0}}'
    response = await legacy.http.post(f"/v1beta/models/{IMAGEN}:predict", content=body)
    assert len(response.json()["predictions"]) == 2


async def test_imagen_output_options(legacy: Api) -> None:
    options = {"mimeType": "image/jpeg", "compressionQuality": 30}
    (rough,) = await predictions(
        legacy, "a boat", sampleCount=1, sampleImageSize="2K", personGeneration="ALLOW_ADULT", outputOptions=options
    )
    (fine,) = await predictions(
        legacy, "a boat", sampleCount=1, sampleImageSize="2K", outputOptions={**options, "compressionQuality": 95}
    )
    assert rough["mimeType"] == "image/jpeg"
    assert len(rough["bytesBase64Encoded"]) < len(fine["bytesBase64Encoded"])
    assert Image.open(BytesIO(base64.b64decode(rough["bytesBase64Encoded"]))).size == (2048, 2048)


async def test_imagen_holds_pictures_back_on_request(legacy: Api) -> None:
    some = await predictions(legacy, "x [emulate: filtered=1]", sampleCount=2, includeRaiReason=True)
    assert "raiFilteredReason" in some[0]
    assert "bytesBase64Encoded" in some[1]
    assert await predictions(legacy, "x [emulate: filtered]", sampleCount=2) == []
    assert len(await predictions(legacy, "x [emulate: filtered]", sampleCount=2, includeRaiReason=True)) == 2


async def test_imagen_rates_safety_when_asked(legacy: Api) -> None:
    body = request("a boat", {"sampleCount": 1, "includeSafetyAttributes": True})
    response = (await legacy.post("predict", body, model=IMAGEN)).json()
    assert len(response["predictions"][0]["safetyAttributes"]["scores"]) == 2
    assert response["positivePromptSafetyAttributes"]["contentType"] == "Positive Prompt"


async def test_veo_takes_two_polls_and_then_has_its_film(legacy: Api, gateway: Emulator) -> None:
    name = await begun(legacy, request("a red balloon", SMALL))
    polls = [(await legacy.http.get(f"/v1beta/{name}")).json() for _ in range(4)]
    assert [one.get("done", False) for one in polls] == [False, False, True, True]
    assert polls[0] == {"name": name}
    assert polls[2] == polls[3]
    (sample,) = polls[2]["response"]["generateVideoResponse"]["generatedSamples"]
    assert sample["video"]["uri"].startswith(f"{gateway.url}/v1beta/files/")
    frames, _, seconds = shown((await legacy.http.get(sample["video"]["uri"])).content)
    assert (frames[0].size, seconds) == ((640, 360), 4)


async def test_the_number_of_polls_can_be_set(legacy: Api) -> None:
    name = await begun(legacy, request("x [emulate: polls=0 empty]"))
    assert (await legacy.http.get(f"/v1beta/{name}")).json()["done"]


async def test_operations_are_listed_in_pages(legacy: Api) -> None:
    names = [await begun(legacy, request("x [emulate: polls=50]"), LITE) for _ in range(3)]
    url = f"/v1beta/models/{LITE}/operations"
    first = (await legacy.http.get(url, params={"pageSize": 2})).json()
    rest = (await legacy.http.get(url, params={"pageToken": first["nextPageToken"]})).json()
    assert [one["name"] for one in (*first["operations"], *rest["operations"])] == names
    assert (await legacy.http.get(f"{url}/unknown")).status_code == 404
    assert (await legacy.http.get(f"/v1beta/models/{OLD}/operations")).json() == {"operations": []}


async def test_first_and_last_frames_and_samples(legacy: Api) -> None:
    body = request(
        "day to night", {**SMALL, "sampleCount": 2, "aspectRatio": "9:16"}, image=image(), lastFrame=image("night")
    )
    samples = (await videos(legacy, body))["generatedSamples"]
    assert len(samples) == 2
    frames, _, _ = shown((await legacy.http.get(samples[1]["video"]["uri"])).content)
    assert frames[0].size == (360, 640)


async def test_a_generated_video_is_extended_and_an_unknown_one_refused(legacy: Api) -> None:
    (sample,) = (await videos(legacy, request("a boat", SMALL)))["generatedSamples"]
    body = request("on and on", {"durationSeconds": 8}, video={"uri": sample["video"]["uri"]})
    (longer,) = (await videos(legacy, body))["generatedSamples"]
    _, _, seconds = shown((await legacy.http.get(longer["video"]["uri"])).content)
    assert seconds == 11
    gone = request("x", video={"uri": "https://generativelanguage.googleapis.com/v1beta/files/abc"})
    assert (await legacy.post("predictLongRunning", gone, model=VEO)).status_code == 403


async def test_veo_holds_films_back_on_request(legacy: Api) -> None:
    found = await videos(legacy, request("x [emulate: filtered]", SMALL))
    assert (found["raiMediaFilteredCount"], len(found["raiMediaFilteredReasons"])) == (1, 1)
    assert "generatedSamples" not in found
    both = await videos(legacy, request("x [emulate: filtered=1]", {**SMALL, "sampleCount": 2}))
    assert (both["raiMediaFilteredCount"], len(both["generatedSamples"])) == (1, 1)


async def test_an_operation_may_end_with_nothing(legacy: Api) -> None:
    assert await videos(legacy, request("x [emulate: empty]")) == {}


async def test_an_operation_may_end_with_an_error(legacy: Api) -> None:
    prompt = "x [emulate: outcome=failed code=RESOURCE_EXHAUSTED message=Try_again_later]"
    operation = await ended(legacy, request(prompt))
    assert operation["error"] == {"code": 8, "message": "Try again later"}
    assert "response" not in operation
    assert "error" in await ended(legacy, request("x [emulate: outcome=failed]"))


async def test_a_film_can_be_as_large_as_a_test_wants(legacy: Api) -> None:
    (sample,) = (await videos(legacy, request("x [emulate: bytes=5000000]", SMALL)))["generatedSamples"]
    content = (await legacy.http.get(sample["video"]["uri"])).content
    assert len(content) == 5_000_000
    assert len(shown(content)[0]) == 32


async def test_faults_hit_predictions_too(legacy: Api) -> None:
    response = await legacy.post("predictLongRunning", request("x [emulate: status=429 retry=1s times=1]"), model=VEO)
    assert response.status_code == 429
    assert (
        await legacy.post("predictLongRunning", request("x [emulate: status=429 retry=1s times=1]"), model=VEO)
    ).json()["name"]


async def test_pictures_in_requests_are_logged_as_stubs(legacy: Api, gateway: Emulator) -> None:
    big = {"bytesBase64Encoded": "A" * 100_000, "mimeType": "image/png"}
    await legacy.post("predictLongRunning", request("x [emulate: polls=9]", image=big), model=VEO)
    (entry,) = gateway.requests
    assert entry["body"]["instances"][0]["image"]["bytesBase64Encoded"] == "AAAA"


IMAGEN_REFUSED: list[tuple[str, Any, str]] = [
    ("no instance", {"instances": []}, "Exactly one instance"),
    ("two instances", {"instances": [{"prompt": "a"}, {"prompt": "b"}]}, "Exactly one instance"),
    ("no prompt", {"instances": [{}]}, "A text prompt is required"),
    ("a prompt that is none", {"instances": [{"prompt": 5}]}, "`prompt` needs to be a string"),
    ("an image", request("x", image=image()), "`image` isn't supported by this model"),
    ("five", request("x", {"sampleCount": 5}), "`sampleCount` does not support `5`"),
    ("a count in words", request("x", {"sampleCount": "2"}), "`sampleCount` needs to be a number"),
    ("a ratio", request("x", {"aspectRatio": "21:9"}), "`aspectRatio` does not support `21:9`"),
    ("a size", request("x", {"sampleImageSize": "4K"}), "`sampleImageSize` does not support `4K`"),
    ("people", request("x", {"personGeneration": "nobody"}), "`personGeneration` does not support"),
    ("a seed", request("x", {"seed": 1}), "`seed` isn't supported by this model"),
    ("a negative prompt", request("x", {"negativePrompt": "y"}), "`negativePrompt` isn't supported"),
    ("a format", request("x", {"outputOptions": {"mimeType": "image/gif"}}), "`mimeType` does not support"),
    ("a quality of PNG", request("x", {"outputOptions": {"compressionQuality": 5}}), "`compressionQuality`"),
    ("parameters", {"instances": [{"prompt": "a"}], "parameters": 3}, "`parameters` needs to be an object"),
    ("a field", {**request("x"), "model": "x"}, 'Unknown name "model"'),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "words"), IMAGEN_REFUSED, ids=[case[0] for case in IMAGEN_REFUSED])
async def test_imagen_refuses(legacy: Api, what: str, body: Any, words: str) -> None:
    response = await legacy.post("predict", body, model=IMAGEN)
    assert response.status_code == 400, what
    assert words in response.json()["error"]["message"]


async def test_the_fast_imagen_has_one_size(legacy: Api) -> None:
    body = request("x", {"sampleImageSize": "2K"})
    assert (await legacy.post("predict", body, model="imagen-4.0-fast-generate-001")).status_code == 400


REFERENCE = {"image": image(), "referenceType": "asset"}
VEO_REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("no prompt", VEO, {"instances": [{}]}, "A text prompt is required"),
    ("five seconds", VEO, request("x", {"durationSeconds": 5}), "`durationSeconds` does not support `5`"),
    ("seconds in words", VEO, request("x", {"durationSeconds": "8"}), "`durationSeconds` needs to be a number"),
    ("a square", VEO, request("x", {"aspectRatio": "1:1"}), "`aspectRatio` does not support `1:1`"),
    ("a resolution", VEO, request("x", {"resolution": "480p"}), "`resolution` does not support `480p`"),
    ("4k of Lite", LITE, request("x", {"resolution": "4k"}), "`resolution` does not support `4k`"),
    ("a resolution of Veo 2", OLD, request("x", {"resolution": "720p"}), "`resolution` isn't supported"),
    ("short 1080p", VEO, request("x", {"resolution": "1080p", "durationSeconds": 4}), "needs a `durationSeconds` of 8"),
    ("frames a second", VEO, request("x", {"fps": 24}), "`fps` isn't supported"),
    ("sound", VEO, request("x", {"generateAudio": True}), "`generateAudio` isn't supported"),
    ("too many", VEO, request("x", {"sampleCount": 5}), "`sampleCount`"),
    ("an end without a beginning", VEO, request("x", lastFrame=image()), "`lastFrame` needs an `image`"),
    ("an image without type", VEO, request("x", image={"bytesBase64Encoded": "AAAA"}), "`image` needs"),
    ("an image that is no base64", VEO, request("x", image={**image(), "bytesBase64Encoded": "*"}), "base64"),
    ("an image type", VEO, request("x", image={**image(), "mimeType": "image/bmp"}), "`mimeType` does not support"),
    ("four references", VEO, request("x", referenceImages=[REFERENCE] * 4), "at most 3 images"),
    ("a style", VEO, request("x", referenceImages=[{**REFERENCE, "referenceType": "style"}]), "`referenceType`"),
    ("references and a beginning", VEO, request("x", image=image(), referenceImages=[REFERENCE]), "cannot be combined"),
    ("references of Lite", LITE, request("x", referenceImages=[REFERENCE]), "`referenceImages` isn't supported"),
    ("an extension of Veo 2", OLD, request("x", video={"uri": "x"}), "`video` isn't supported"),
    ("a video from elsewhere", VEO, request("x", video={"uri": "https://example.org/x"}), "that of a generated video"),
    ("a short extension", VEO, request("x", {"durationSeconds": 4}, video={"encodedVideo": "AAAA"}), "durationSeconds"),
    ("a large extension", VEO, request("x", {"resolution": "1080p"}, video={"encodedVideo": "AAAA"}), "`resolution`"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "model", "body", "words"), VEO_REFUSED, ids=[case[0] for case in VEO_REFUSED])
async def test_veo_refuses(legacy: Api, what: str, model: str, body: dict[str, Any], words: str) -> None:
    response = await legacy.post("predictLongRunning", body, model=model)
    assert response.status_code == 400, what
    assert words in response.json()["error"]["message"]
