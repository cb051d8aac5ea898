"""Options of search, maps and URL context, and what is refused about them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from .conftest import Api, ask, text_of

pytestmark = pytest.mark.anyio


async def grounded(api: Api, prompt: str, tool: dict[str, Any], **fields: Any) -> tuple[str, dict[str, Any]]:
    response = await api.generate(prompt, tools=[tool], **fields)
    metadata: dict[str, Any] = response["candidates"][0]["groundingMetadata"]
    raw = text_of(response).encode()
    for support in metadata["groundingSupports"]:
        segment = support["segment"]
        assert raw[segment.get("startIndex", 0) : segment["endIndex"]].decode() == segment["text"]
        assert max(support["groundingChunkIndices"]) < len(metadata["groundingChunks"])
    return text_of(response), metadata


async def test_results_are_from_the_range_of_time(api: Api) -> None:
    interval = {"startTime": "2019-03-01T00:00:00Z", "endTime": "2019-04-01T00:00:00+02:00"}
    text, metadata = await grounded(api, "News on tides", {"googleSearch": {"timeRangeFilter": interval}})
    assert "between 2019-03-01 and 2019-04-01" in text
    found = re.search(r"dates from (\d{4}-\d\d-\d\d)", text)
    assert found
    assert date(2019, 3, 1) <= date.fromisoformat(found[1]) < date(2019, 4, 1)
    assert "2026" not in text
    assert any("2019" in query for query in metadata["webSearchQueries"])


@pytest.mark.parametrize("with_web", [True, False])
async def test_pictures_are_searched_for(api: Api, with_web: bool) -> None:
    kinds: dict[str, Any] = {"imageSearch": {}, **({"webSearch": {}} if with_web else {})}
    _, metadata = await grounded(api, "Pictures of otters", {"googleSearch": {"searchTypes": kinds}})
    images = [chunk["image"] for chunk in metadata["groundingChunks"] if "image" in chunk]
    assert len(images) == 3
    assert all(set(image) == {"imageUri", "sourceUri", "title", "domain"} for image in images)
    assert all(image["sourceUri"].startswith(f"https://{image['domain']}/") for image in images)
    assert metadata["imageSearchQueries"]
    assert ("webSearchQueries" in metadata) is with_web
    assert any("web" in chunk for chunk in metadata["groundingChunks"]) is with_web
    assert metadata["searchEntryPoint"]["renderedContent"].startswith("<style>")


@pytest.mark.parametrize(
    ("language", "word"), [("de-CH", "entfernt"), ("ja", "評価"), ("en", "rated"), ("xx", "rated")]
)
async def test_places_are_near_the_point_and_in_the_language(api: Api, language: str, word: str) -> None:
    retrieval = {"latLng": {"latitude": 47.37, "longitude": 8.54}, "languageCode": language}
    text, metadata = await grounded(
        api, "good bakeries here", {"googleMaps": {}}, toolConfig={"retrievalConfig": retrieval}
    )
    assert word in text
    for chunk in (chunk["maps"] for chunk in metadata["groundingChunks"]):
        assert set(chunk) == {"uri", "title", "placeId", "text"}
        assert word in chunk["text"]
        assert f"hl={language}" in chunk["uri"]
        found = re.search(r"(-?\d+\.\d+), (-?\d+\.\d+)", chunk["text"])
        assert found
        assert abs(float(found[1]) - 47.37) < 0.02
        assert abs(float(found[2]) - 8.54) < 0.02


async def test_a_point_across_the_date_line_stays_on_the_globe(api: Api) -> None:
    retrieval = {"latLng": {"latitude": -90, "longitude": 180}}
    _, metadata = await grounded(api, "shops", {"googleMaps": {}}, toolConfig={"retrievalConfig": retrieval})
    for chunk in metadata["groundingChunks"]:
        found = re.search(r"(-?\d+\.\d+), (-?\d+\.\d+)", chunk["maps"]["text"])
        assert found
        assert abs(float(found[1])) <= 90
        assert abs(float(found[2])) <= 180


async def test_every_page_has_a_status_by_its_host_and_is_named(api: Api) -> None:
    urls = {
        "https://a.example/tides-of-brittany.html": "SUCCESS",
        "https://missing.example/x": "ERROR",
        "https://paywall.example/": "PAYWALL",
        "https://very-unsafe.example/y?z=1": "UNSAFE",
        "https://b.example/missing": "SUCCESS",
        "http://127.0.0.1/private": "ERROR",
    }
    response = await api.generate("Compare " + " and ".join(urls), tools=[{"urlContext": {}}])
    entries = response["candidates"][0]["urlContextMetadata"]["urlMetadata"]
    assert {one["retrievedUrl"]: one["urlRetrievalStatus"].rpartition("_")[2] for one in entries} == urls
    assert all(url in text_of(response) for url in urls)
    assert "“Tides of brittany”" in text_of(response)


async def test_twenty_pages_are_read_and_no_more(api: Api) -> None:
    prompt = " ".join(f"https://site{number}.example/page" for number in range(25))
    response = await api.generate(prompt, tools=[{"urlContext": {}}])
    assert len(response["candidates"][0]["urlContextMetadata"]["urlMetadata"]) == 20


def search(**options: Any) -> dict[str, Any]:
    return {**ask("x"), "tools": [{"googleSearch": options}]}


def near(**point: float) -> dict[str, Any]:
    return {**ask("x"), "tools": [{"googleMaps": {}}], "toolConfig": {"retrievalConfig": {"latLng": point}}}


JAN, FEB = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("a start without an end", search(timeRangeFilter={"startTime": JAN}), "gemini-3.8-flash", "must both be set"),
    ("an end before the start", search(timeRangeFilter={"startTime": FEB, "endTime": JAN}), "gemini-3.8-flash",
     "less than or equal"),
    ("a month that is none", search(timeRangeFilter={"startTime": "2026-13-01T00:00:00Z", "endTime": FEB}),
     "gemini-3.8-flash", "Invalid time"),
    ("pictures on 2.5", search(searchTypes={"imageSearch": {}}), "gemini-2.5-flash", "not supported for this model"),
    ("a latitude of 91", near(latitude=91), "gemini-3.8-flash", "latitude: must be in the range [-90.0, +90.0]"),
    ("a longitude of -181", near(longitude=-181), "gemini-3.8-flash", "longitude: must be in the range"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "model", "words"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_the_option_is_refused(api: Api, what: str, body: dict[str, Any], model: str, words: str) -> None:
    assert words in await api.refusal(body, model=model), what
