"""Citations through the front door: Google counts bytes of parts, readers count characters of the text."""

from __future__ import annotations

from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect
from tests.front.conftest import FakeGemini, Json, ask, ask_in_a_stream, candidate, warned

pytestmark = pytest.mark.anyio

TEXTS = {
    "ascii": ("A plain start. ", "The cited claim.", " The end."),
    "umlauts": ("Größe und Übermut. ", "Zürich ist schöner.", " Ärger."),
    "emoji": ("👋🏽 👨‍👩‍👧 hello. ", "It is 🔎 found 🇨🇭.", " 🎉"),
    "cjk": ("日本語の始まり。", "東京は大きい。", "終わり。"),
    "combining": ("e\u0301a\u0308 start. ", "no\u0308 combining\u20dd.", " o\u0302"),
    "right to left": ("שלום. ", "مرحبا بالعالم.", " סוף"),
}


def metadata(*segments: Json, chunks: int = 1) -> Json:
    """Grounding of segments, each on the chunk of its number or the first."""
    return {
        "groundingMetadata": {
            "groundingChunks": [{"web": {"uri": f"https://s.example/{n}", "title": f"S{n}"}} for n in range(chunks)],
            "groundingSupports": [
                {"segment": segment, "groundingChunkIndices": [min(n, chunks - 1)]}
                for n, segment in enumerate(segments)
            ],
        }
    }


def segment(before: str, quoted: str, **more: Any) -> Json:
    """A segment as Google counts: bytes; a zero is not written."""
    start = len(before.encode())
    made: Json = {"startIndex": start, "endIndex": start + len(quoted.encode()), "text": quoted, **more}
    return {name: value for name, value in made.items() if value}


def spans(answer: Json) -> list[str]:
    """What the citations of an answer stand on."""
    return [answer["text"][one["start"] : one["end"]] for one in answer.get("citations", ())]


@pytest.mark.parametrize("quoted_too", [True, False], ids=["with quotation", "offsets alone"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_a_span_is_placed_in_characters(
    connect: Connect, fake: FakeGemini, text: tuple[str, str, str], quoted_too: bool
) -> None:
    before, quoted, after = text
    where = segment(before, quoted) if quoted_too else segment(before, quoted, text=None)
    first = segment("", before) if quoted_too else segment("", before, text=None)
    answer_parts = {"text": before + quoted + after}
    fake.say(candidate(answer_parts, **metadata(where, first)))
    async with connect(base_url=fake.url) as client:
        plain = await ask(client, use=["search"])
        whole = before + quoted + after
        middle = len(before) + 2
        fake.stream(
            candidate({"text": whole[:middle]}, finish=None),
            candidate({"text": whole[middle:]}, **metadata(where, first)),
        )
        streamed = await ask_in_a_stream(client, use=["search"])
    for answer in (plain, streamed):
        assert spans(answer) == [before, quoted]
        assert answer["citations"][1] == {
            "start": len(before),
            "end": len(before) + len(quoted),
            "uri": "https://s.example/0",
            "title": "S0",
        }
        assert "warnings" not in answer


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("tool", ["search", "maps"])
async def test_the_emulators_claims_are_found_where_it_put_them(
    connect: Connect, emulator: Emulator, stream: bool, tool: str
) -> None:
    asking = ask_in_a_stream if stream else ask
    async with connect() as client:
        answer = await asking(client, "Which cafés of Zürich are the größten 🔎?", use=[tool])
    found = spans(answer)
    assert len(set(found)) == 3
    assert all(span.endswith((".", "⭐", "🔎.")) for span in found), found
    assert all(answer["text"].count(span) == 1 for span in found)
    if tool == "search":
        assert found[0].startswith("Searching for “")
        assert found[0] == found[1], "one claim may rest on two sources"
        assert found[2].startswith("The größte of them")
        assert found[3].startswith("A 日本語 source")
    assert all(one["uri"].startswith("https://") for one in answer["citations"])
    assert "could not be placed" not in warned(answer)


async def test_thoughts_and_code_before_the_text_do_not_shift_a_span(connect: Connect, fake: FakeGemini) -> None:
    parts: list[Json] = [
        {"text": "I wonder", "thought": True},
        {"executableCode": {"code": "print('ü')", "language": "PYTHON"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "ü"}},
        {"text": "Größe. "},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"text": "Zürich ist groß."},
    ]
    places = (
        segment("", "Größe."),
        segment("", "Zürich", partIndex=5),
        segment("Zürich ", "ist groß", partIndex=5),
        segment("Größe. Zürich ", "ist groß."),
    )
    fake.say(candidate(*parts, **metadata(*places, chunks=4)))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, include_thoughts=True, use=["code", "search"])
    assert answer["text"] == "Größe. Zürich ist groß."
    assert spans(answer) == ["Größe.", "Zürich", "ist groß", "ist groß."]
    assert [one["title"] for one in answer["citations"]] == ["S0", "S1", "S2", "S3"]


@pytest.mark.parametrize(
    "where",
    [
        {"startIndex": 1, "endIndex": 9, "text": "nowhere in it"},
        {"startIndex": 0, "endIndex": 999},
        {"startIndex": 5, "endIndex": 5},
        {"startIndex": 9, "endIndex": 2},
        {"startIndex": -4, "endIndex": 2},
        {"startIndex": 3, "endIndex": 9},
        {"startIndex": 0, "endIndex": 3, "text": "Zü"},
        {},
    ],
    ids=["other words", "beyond the end", "empty", "backwards", "negative", "inside a character", "ambiguous", "none"],
)
async def test_what_cannot_be_placed_is_counted_and_never_wrong(
    connect: Connect, fake: FakeGemini, where: Json
) -> None:
    text = "äöüß und Zürich oder Zürich."
    fake.say(candidate({"text": text}, **metadata(where, segment("", "äöüß"))))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, use=["search"])
    assert spans(answer) == ["äöüß"]
    assert "1 citations could not be placed" in warned(answer)
    assert "incomplete" not in answer


async def test_wrong_offsets_are_mended_by_a_quotation_that_stands_there_once(
    connect: Connect, fake: FakeGemini
) -> None:
    # Seen with models that count characters, or bytes before a change of the text.
    fake.say(
        candidate({"text": "äöü Zürich liegt da."}, **metadata({"startIndex": 4, "endIndex": 10, "text": "Zürich"}))
    )
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, use=["search"])
    assert spans(answer) == ["Zürich"]


async def test_a_source_that_is_missing_is_counted(connect: Connect, fake: FakeGemini) -> None:
    grounding = metadata(segment("", "Grüezi"))
    grounding["groundingMetadata"]["groundingSupports"][0]["groundingChunkIndices"] = [0, 7]
    fake.say(candidate({"text": "Grüezi mitenand"}, **grounding))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, use=["search"])
    assert spans(answer) == ["Grüezi"]
    assert "1 citations could not be placed" in warned(answer)


async def test_recited_passages_are_cited_too(connect: Connect, fake: FakeGemini) -> None:
    sources = [
        {
            "startIndex": len("Ä: ".encode()),
            "endIndex": len("Ä: to be".encode()),
            "uri": "https://b.example",
            "license": "mit",
        },
        {"endIndex": 2, "uri": "https://a.example"},
    ]
    fake.say(candidate({"text": "Ä: to be or not"}, citationMetadata={"citationSources": sources}))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client)
    assert spans(answer) == ["Ä", "to be"]
    assert answer["citations"][1]["title"] == "mit"


@pytest.mark.parametrize(
    ("chunk", "uri"),
    [
        ({"maps": {"uri": "https://maps.example/1", "title": "Café"}}, "https://maps.example/1"),
        ({"image": {"imageUri": "https://i.example/p.png", "sourceUri": "https://i.example/p"}}, "https://i.example/p"),
        ({"retrievedContext": {"uri": "gs://b/o", "title": "Café"}}, "gs://b/o"),
        ({"retrievedContext": {"fileSearchStore": "fileSearchStores/x", "title": "Café"}}, "fileSearchStores/x"),
    ],
)
async def test_every_kind_of_source_has_its_link(connect: Connect, fake: FakeGemini, chunk: Json, uri: str) -> None:
    grounding = metadata(segment("", "Grüezi"))
    grounding["groundingMetadata"]["groundingChunks"] = [chunk]
    fake.say(candidate({"text": "Grüezi mitenand"}, **grounding))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client)
    assert [one["uri"] for one in answer["citations"]] == [uri]


async def test_a_source_with_a_title_as_long_as_a_book_stays_small(connect: Connect, fake: FakeGemini) -> None:
    grounding = metadata(segment("", "Grüezi"))
    grounding["groundingMetadata"]["groundingChunks"] = [{"web": {"uri": "https://a.example", "title": "x" * 9000}}]
    fake.say(candidate({"text": "Grüezi mitenand"}, **grounding))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client)
    assert answer["citations"][0]["title"].startswith("xxx")


async def test_a_stream_that_tells_its_sources_late_or_twice_is_put_together(
    connect: Connect, fake: FakeGemini
) -> None:
    whole = metadata(segment("", "Grüezi"), segment("Grüezi ", "mitenand"), chunks=2)
    part = metadata(segment("", "Grüezi"))
    fake.stream(
        candidate({"text": "Grüezi "}, finish=None, **part),
        candidate({"text": "mitenand"}, finish=None, **whole),
        candidate({"text": ""}, groundingMetadata={"webSearchQueries": ["q"]}),
    )
    async with connect(base_url=fake.url) as client:
        answer = await ask_in_a_stream(client, use=["search"])
    assert spans(answer) == ["Grüezi", "mitenand"]
    assert [one["uri"][-1] for one in answer["citations"]] == ["0", "1"]


async def test_a_part_is_counted_as_gemini_counts_it_when_nothing_is_quoted(connect: Connect, fake: FakeGemini) -> None:
    where = segment("", "Zweitens", text=None, partIndex=2)
    thought: Json = {"text": "hm", "thought": True}
    fake.say(candidate(thought, {"text": "Größe zuerst. "}, {"text": "Zweitens Länge."}, **metadata(where)))
    async with connect(base_url=fake.url) as client:
        answer = await ask(client, use=["search"])
    assert answer["text"] == "Größe zuerst. Zweitens Länge."
    assert spans(answer) == ["Zweitens"]


async def test_events_with_sources_of_their_own_keep_them_all(connect: Connect, fake: FakeGemini) -> None:
    first, second = metadata(segment("", "Grüezi")), metadata(segment("Grüezi ", "mitenand"))
    second["groundingMetadata"]["groundingChunks"] = [{"web": {"uri": "https://s.example/other", "title": "O"}}]
    fake.stream(candidate({"text": "Grüezi "}, finish=None, **first), candidate({"text": "mitenand"}, **second))
    async with connect(base_url=fake.url) as client:
        answer = await ask_in_a_stream(client, use=["search"])
    assert spans(answer) == ["Grüezi", "mitenand"]
    assert [one["uri"] for one in answer["citations"]] == ["https://s.example/0", "https://s.example/other"]
