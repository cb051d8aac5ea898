"""Keys, versions, prefixes and models."""

from __future__ import annotations

from datetime import date

import httpx2
import pytest

from gemini_emulator import Emulator, Options, running

from .conftest import TODAY, Api, ask

pytestmark = pytest.mark.anyio

MODELS = "/v1beta/models"


@pytest.mark.parametrize(
    "headers",
    [{"x-goog-api-key": "k"}, {"authorization": "Bearer k"}, {"authorization": "k"}],
    ids=["key header", "bearer", "raw authorization"],
)
async def test_a_key_may_come_in_any_of_the_headers(emulator: Emulator, headers: dict[str, str]) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url, headers=headers) as http:
        assert (await http.get(MODELS)).status_code == 200


async def test_a_key_may_come_in_the_query(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url) as http:
        assert (await http.get(f"{MODELS}?key=k")).status_code == 200


async def test_no_key_is_403(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url) as http:
        response = await http.get(MODELS)
    assert response.status_code == 403
    assert response.json()["error"]["status"] == "PERMISSION_DENIED"


async def test_a_bad_key_is_400_with_its_reason(emulator: Emulator) -> None:
    async with httpx2.AsyncClient(base_url=emulator.url) as http:
        response = await http.get(MODELS, headers={"x-goog-api-key": "invalid-key"})
        bearer = await http.get(MODELS, headers={"authorization": "Bearer invalid"})
    error = response.json()["error"]
    assert (response.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][0]["reason"] == "API_KEY_INVALID"
    assert bearer.status_code == 401


async def test_only_the_accepted_keys_open_the_door() -> None:
    async with (
        running(Options(keys=frozenset({"good"}))) as emulator,
        httpx2.AsyncClient(base_url=emulator.url) as http,
    ):
        assert (await http.get(MODELS, headers={"x-goog-api-key": "good"})).status_code == 200
        assert (await http.get(MODELS, headers={"x-goog-api-key": "other"})).status_code == 400


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_all_versions_are_served_and_marked(api: Api, version: str) -> None:
    response = await api.post("generateContent", ask("hi"), version=version)
    assert response.status_code == 200
    assert response.headers["x-gemini-emulator"] == "1"


async def test_a_prefix_stands_in_front_of_everything() -> None:
    async with running(Options(prefix="gateway/gemini/")) as emulator:
        assert emulator.url.endswith("/gateway/gemini")
        async with httpx2.AsyncClient(headers={"x-goog-api-key": "k"}) as http:
            assert (await http.get(f"{emulator.url}{MODELS}")).status_code == 200
            outside = emulator.url.removesuffix("/gateway/gemini") + MODELS
            assert (await http.get(outside)).status_code == 404
        assert emulator.requests[0]["path"] == MODELS


async def test_unknown_paths_get_a_page_not_json(api: Api) -> None:
    response = await api.http.get("/v1beta/nothing")
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")


async def test_models_come_in_pages(api: Api) -> None:
    names: list[str] = []
    token = ""
    while True:
        page = (await api.http.get(f"{MODELS}?pageSize=7&pageToken={token}")).json()
        assert len(page["models"]) <= 7
        names += [model["name"] for model in page["models"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert len(names) == len(set(names))
    assert {"models/gemini-3.8-flash", "models/gemini-4-argon", "models/gemini-embedding-2"} <= set(names)
    assert "models/gemini-2.0-flash" not in names


async def test_a_page_token_that_was_never_given_out_is_refused(api: Api) -> None:
    assert (await api.http.get(f"{MODELS}?pageToken=bogus")).status_code == 400
    assert (await api.http.get(f"{MODELS}?pageSize=many")).status_code == 400


async def test_a_model_resource_looks_real(api: Api) -> None:
    model = (await api.http.get(f"{MODELS}/gemini-3.8-flash")).json()
    assert model["inputTokenLimit"] == 1_048_576
    assert model["thinking"] is True
    assert "generateContent" in model["supportedGenerationMethods"]


@pytest.mark.parametrize(
    "model", ["gemini-99", "gemini-2.0-flash", "gemini-embedding-2", "gemini-3.1-flash-tts-preview"]
)
async def test_a_model_that_is_unknown_gone_or_unable_is_404(api: Api, model: str) -> None:
    message = await api.refusal(ask("hi"), model=model, status=404)
    assert message.startswith(f"models/{model} is not found for API version v1beta")
    assert "Call ListModels" in message


async def test_a_model_is_back_on_an_earlier_date() -> None:
    headers = {"x-goog-api-key": "k"}
    async with (
        running(Options(today=date(2026, 5, 1))) as emulator,
        httpx2.AsyncClient(base_url=emulator.url, headers=headers) as http,
    ):
        assert (await http.get(f"{MODELS}/gemini-2.0-flash")).status_code == 200


@pytest.mark.parametrize(
    ("called", "answered"),
    [("gemini-3.7-flash", "gemini-3.8-flash"), ("gemini-3.5-flash", "gemini-3.6-flash"),
     ("gemini-3.8-flash", "gemini-3.8-flash"), ("gemini-2.5-pro", "gemini-2.5-pro")],
)  # fmt: skip
async def test_silent_reroutes_show_in_the_model_version(api: Api, called: str, answered: str) -> None:
    assert (await api.generate("hi", model=called))["modelVersion"] == f"{answered}-emulated"


async def test_latest_aliases_exist_in_v1beta_only(api: Api) -> None:
    assert (await api.post("generateContent", ask("hi"), model="gemini-flash-latest")).status_code == 200
    assert (await api.post("generateContent", ask("hi"), model="gemini-flash-latest", version="v1")).status_code == 404


async def test_a_retiring_model_says_so(api: Api) -> None:
    status = (await api.generate("hi", model="gemini-2.5-flash"))["modelStatus"]
    assert status["modelStage"] == "DEPRECATED"
    assert status["retirementTime"] == "2026-12-01T00:00:00Z"


async def test_the_date_can_be_set_and_is_today_otherwise() -> None:
    assert Options(today=TODAY).date() == TODAY
    assert Options().date() >= TODAY
