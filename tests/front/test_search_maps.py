"""search_maps through the front door: places near a point, in a language."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, candidate, sent, warned
from tests.front.grounded import CLEANED, MESS, QUOTED, spans, supported

pytestmark = pytest.mark.anyio


async def ask_maps(connect: Connect, *, settings: Json | None = None, **arguments: Any) -> Json:
    async with connect(toolsets=("search",), **settings or {}) as client:
        return structured(await client.call_tool("search_maps", {"query": "Cafés", **arguments}))


async def test_places_come_with_names_links_and_ids(connect: Connect, emulator: Emulator) -> None:
    answer = await ask_maps(connect, latitude=47.37, longitude=8.54, language="de-CH")
    body = sent(emulator)
    assert body["tools"] == [{"googleMaps": {}}]
    assert body["toolConfig"] == {
        "retrievalConfig": {"latLng": {"latitude": 47.37, "longitude": 8.54}, "languageCode": "de-CH"}
    }
    assert [set(place) for place in answer["places"]] == [{"name", "uri", "place_id"}] * 3
    assert all(place["name"] in quoted for place, quoted in zip(answer["places"], spans(answer), strict=True))
    assert "entfernt" in answer["text"]
    assert answer["untrusted"] == "maps"


@pytest.mark.parametrize("point", [(0, 0), (-90, 180), (90.0, -180.0)])
async def test_the_edges_of_the_globe_are_points_on_it(
    connect: Connect, emulator: Emulator, point: tuple[float, float]
) -> None:
    await ask_maps(connect, latitude=point[0], longitude=point[1])
    assert sent(emulator)["toolConfig"]["retrievalConfig"] == {"latLng": {"latitude": point[0], "longitude": point[1]}}


async def test_without_a_point_nothing_is_said_about_one(connect: Connect, emulator: Emulator) -> None:
    await ask_maps(connect)
    assert "toolConfig" not in sent(emulator)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": ""}, "query is empty"),
        ({"latitude": 47.3}, "go together"),
        ({"longitude": 8.5}, "go together"),
        ({"latitude": 91, "longitude": 0}, "not on Earth"),
        ({"latitude": 0, "longitude": -180.5}, "not on Earth"),
        ({"latitude": "nan", "longitude": 0}, "not on Earth"),
        ({"latitude": "inf", "longitude": 0}, "not on Earth"),
        ({"language": "Swiss German"}, "no language code"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect(toolsets=("search",)) as client:
        assert words in error_of(await client.call_tool("search_maps", {"query": "Cafés", **arguments}))
    assert not emulator.requests


@pytest.mark.parametrize("kind", QUOTED)
async def test_a_citation_quotes_exactly_after_cleaning(connect: Connect, fake: FakeGemini, kind: str) -> None:
    before, quoted = f"{MESS}寿司 ", QUOTED[kind]
    place = {"maps": {"uri": "https://maps.example/1", "title": "Café"}}
    fake.say(candidate({"text": f"{before}{quoted}"}, **supported(before, quoted, place)))
    answer = await ask_maps(connect, settings={"base_url": fake.url})
    assert spans(answer) == [CLEANED[kind]]


async def test_one_place_in_several_chunks_is_listed_once_and_a_bad_link_is_left_out(
    connect: Connect, fake: FakeGemini
) -> None:
    good = {"maps": {"uri": "https://maps.example/1", "title": "Café", "placeId": "places/1"}}
    bad = {"maps": {"uri": "javascript:x", "title": "Bar\u202e", "placeId": "places/2"}}
    grounding = supported("", "Gut", good)
    grounding["groundingMetadata"]["groundingChunks"] = [good, good, bad, {"maps": {}}]
    fake.say(candidate({"text": "Gut"}, **grounding))
    async with connect(toolsets=("search",), base_url=fake.url) as client:
        result = await client.call_tool("search_maps", {"query": "x"})
    answer = structured(result)
    assert answer["places"] == [
        {"name": "Café", "uri": "https://maps.example/1", "place_id": "places/1"},
        {"name": "Bar", "place_id": "places/2"},
    ]
    assert "1 sources are left out" in warned(answer)
    assert "[place] Bar (places/2)" in text_of(result)
