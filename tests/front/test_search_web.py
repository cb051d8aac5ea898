"""search_web through the front door: a grounded answer with its sources, by time, with pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gemini_emulator import Emulator
from gemini_server import surface
from tests.conftest import Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, candidate, said, sent, warned
from tests.front.grounded import CLEANED, MESS, QUOTED, spans, supported

pytestmark = pytest.mark.anyio

QUERY = "Which cafés of Zürich are the größten 🔎?"


async def search(connect: Connect, query: str = QUERY, *, settings: Json | None = None, **arguments: Any) -> Json:
    async with connect(**settings or {}) as client:
        return structured(await client.call_tool("search_web", {"query": query, **arguments}))


async def test_the_answer_tells_its_sources_queries_and_cost(connect: Connect) -> None:
    answer = await search(connect)
    found = spans(answer)
    assert len(set(found)) == 3
    assert found[0].startswith("Searching for “")
    assert all(one["uri"].startswith("https://") and one["title"] for one in answer["citations"])
    assert answer["queries"]
    assert answer["untrusted"] == "web"
    assert answer["usage"]["cost_usd"] > 0
    assert not answer.keys() & {"images", "warnings", "incomplete"}


async def test_the_text_face_is_complete_and_bounded(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("search_web", {"query": QUERY, "images": True})
    answer, text = structured(result), text_of(result)
    first = re.fullmatch(r"<(untrusted-[0-9a-f]{8}) from='web'>\n(.*)\n</\1>", text.split("\n<untrusted")[0], re.DOTALL)
    assert first
    assert first[2] == answer["text"]
    told = [*answer["queries"], *(one["uri"] for one in (*answer["citations"], *answer["images"]))]
    assert all(word in text for word in told)
    assert answer["artifacts"][0]["uri"] in text


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", QUOTED)
async def test_a_citation_quotes_exactly_after_cleaning(
    connect: Connect, fake: FakeGemini, kind: str, streamed: bool
) -> None:
    before, quoted = f"Größe {MESS} 日本: ", QUOTED[kind]
    web = {"web": {"uri": "https://s.example/1", "title": "S"}}
    whole, grounding = f"{before}{quoted} {MESS} end", supported(before, quoted, web)
    shown: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        shown.append(message or "")

    if streamed:
        half = len(before) + 3
        fake.stream(candidate({"text": whole[:half]}, finish=None), candidate({"text": whole[half:]}, **grounding))
    else:
        fake.say(candidate({"text": whole}, **grounding))
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("search_web", {"query": "q"}, progress_callback=note if streamed else None)
    answer = structured(result)
    assert spans(answer) == [CLEANED[kind]]
    assert answer["text"].startswith("Größe [x] (https://evil.example/?q=1) ‹b> 日本: ")
    assert bool(shown) is streamed
    assert not re.search("[\x1b\u200b\u202e]", "".join(shown))


RANGES = {
    "day": ("2026-11-21", "2026-11-23"),
    "week": ("2026-11-15", "2026-11-23"),
    "month": ("2026-10-22", "2026-11-23"),
    "year": ("2025-11-22", "2026-11-23"),
    "2026-01-01/2026-03-01": ("2026-01-01", "2026-03-02"),
    "2026-03-01/2026-03-01": ("2026-03-01", "2026-03-02"),
    "2026-01-01/9999-12-31": ("2026-01-01", "2026-11-23"),
    "2024-02-28/2024-02-29": ("2024-02-28", "2024-03-01"),
}


@pytest.mark.parametrize("words", RANGES)
async def test_a_range_of_time_goes_out_in_utc_with_its_last_day(
    connect: Connect, emulator: Emulator, words: str
) -> None:
    answer = await search(connect, time_range=words)
    first, end = RANGES[words]
    [tool] = sent(emulator)["tools"]
    times = {"startTime": f"{first}T00:00:00Z", "endTime": f"{end}T00:00:00Z"}
    assert tool == {"googleSearch": {"timeRangeFilter": times}}
    assert f"between {first} and {end}" in answer["text"]


async def test_nothing_said_about_time_or_pictures_sends_nothing_about_them(
    connect: Connect, emulator: Emulator
) -> None:
    await search(connect)
    assert sent(emulator)["tools"] == [{"googleSearch": {}}]


async def test_pictures_come_with_the_pages_they_stand_on(connect: Connect, emulator: Emulator) -> None:
    answer = await search(connect, images=True)
    assert sent(emulator)["tools"] == [{"googleSearch": {"searchTypes": {"webSearch": {}, "imageSearch": {}}}}]
    assert len(answer["images"]) == 3
    assert all(one["uri"].startswith("https://images.") and one["source"] and one["title"] for one in answer["images"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"query": " \n"}, "query is empty"),
        ({"time_range": "fortnight"}, "time_range is no range"),
        ({"time_range": "2026-13-01/2026-14-01"}, "time_range is no range"),
        ({"time_range": "2026-01-01"}, "time_range is no range"),
        ({"time_range": "20260101/20260201"}, "time_range is no range"),
        ({"time_range": "2026-03-01/2026-01-01"}, "ends before it begins"),
        ({"time_range": "2027-01-01/2027-02-01"}, "begins after today"),
        ({"sites": ["a.example"]}, "no such argument"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in error_of(await client.call_tool("search_web", {"query": QUERY, **arguments}))
    assert not emulator.requests


async def test_search_suggestions_are_a_file_and_never_in_the_result(connect: Connect, tmp_path: Path) -> None:
    async with connect() as client:
        result = await client.call_tool("search_web", {"query": QUERY})
    [artifact] = structured(result)["artifacts"]
    assert artifact["mime_type"] == "text/html"
    page = Path(artifact["path"]).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert 'class="chip"' in page
    assert Path(artifact["path"]).name.startswith("suggestions-")
    assert "chip" not in text_of(result)
    assert "chip" not in str(result.structured_content)


async def test_suggestions_that_cannot_be_kept_cost_no_answer(connect: Connect, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("no directory")
    answer = await search(connect, settings={"output_dir": taken})
    assert answer["citations"]
    assert "artifacts" not in answer
    assert "could not be saved" in warned(answer)


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "java\u200bscript:alert(1)", "data:text/html,x", "//evil.example"]
)
async def test_a_source_that_is_no_web_link_is_left_out_with_a_warning(
    connect: Connect, fake: FakeGemini, uri: str
) -> None:
    bad: Json = {"web": {"uri": uri, "title": "x"}}
    fake.say(candidate({"text": "Grüezi"}, **supported("", "Grüezi", bad)))
    answer = await search(connect, settings={"base_url": fake.url})
    assert "citations" not in answer
    assert "1 sources are left out" in warned(answer)
    assert "evil" not in str(answer)


async def test_a_picture_without_a_web_address_is_left_out(connect: Connect, fake: FakeGemini) -> None:
    chunks = [
        {"image": {"imageUri": "data:image/png;base64,AA", "title": "x"}},
        {"image": {"imageUri": "https://i.example/1"}},
    ]
    fake.say(said("Grüezi", groundingMetadata={"groundingChunks": chunks}))
    answer = await search(connect, settings={"base_url": fake.url}, images=True)
    assert answer["images"] == [{"uri": "https://i.example/1"}]
    assert "1 sources are left out" in warned(answer)


async def test_an_answer_without_metadata_is_marked_all_the_same(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("From the web, says nobody."))
    answer = await search(connect, settings={"base_url": fake.url})
    assert answer["untrusted"] == "web"
    assert not answer.keys() & {"citations", "queries", "artifacts", "warnings"}


async def test_a_stream_that_tells_queries_suggestions_and_sources_in_pieces_loses_none(
    connect: Connect, fake: FakeGemini
) -> None:
    whole = supported("", "Grüezi", {"web": {"uri": "https://s.example/", "title": "S"}})
    entry = {"searchEntryPoint": {"renderedContent": "<p>chips</p>"}}
    fake.stream(
        candidate({"text": "Grü"}, finish=None, groundingMetadata={"webSearchQueries": ["q"], **entry}),
        candidate({"text": "ezi"}, **whole),
    )

    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        return

    async with connect(base_url=fake.url) as client:
        answer = structured(await client.call_tool("search_web", {"query": "q"}, progress_callback=ignore))
    assert spans(answer) == ["Grüezi"]
    assert answer["queries"] == ["q"]
    assert answer["artifacts"]


@pytest.mark.parametrize(
    ("name", "limit"), [("search_web", 600), ("search_maps", 550), ("read_urls", 550), ("run_code", 550)]
)
def test_what_a_model_sees_of_the_tool_is_small(name: str, limit: int) -> None:
    [shown] = [tool.shown for tool in surface.load().tools if tool.name == name]
    schema = json.dumps(shown["inputSchema"], ensure_ascii=False, separators=(",", ":"))
    assert len(f"{name}{shown['description']}{schema}".encode()) <= limit


async def test_a_blocked_search_says_why(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("finish=SAFETY")
    async with connect() as client:
        assert "SAFETY" in error_of(await client.call_tool("search_web", {"query": QUERY}))


async def test_the_fee_for_searches_is_not_hidden_behind_the_price_of_the_tokens(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("search_web", {"query": "Who discovered penicillin?"})
        plain = structured(await client.call_tool("generate_text", {"prompt": "Say hello"}))
    found = structured(result)
    count = len(found["queries"])
    fee = f"Google's fee for {count} search{'es' if count > 1 else ''}"
    assert found["usage"]["not_in_cost"] == fee
    assert f"without {fee}" in text_of(result)
    assert "not_in_cost" not in plain["usage"]
