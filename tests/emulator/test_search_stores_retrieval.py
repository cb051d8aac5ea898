"""Answers from File Search stores: what is found, how it is cited, and which documents are looked at."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gemini_emulator import Emulator, media_output

from .batching import create as create_batch
from .batching import finished, inline, responses
from .conftest import Api, ask, text_of
from .interacting import contents_of, create, post, step_of
from .storing import HANDBOOK, MODEL, answer, contexts, create_store, fill, metadata, pdf, refusal, tool, upload

pytestmark = pytest.mark.anyio

LIBRARY: dict[str, dict[str, Any]] = {
    "claudius": {"author": "Robert Graves", "year": 1934, "tags": ["novel", "history"], "status": "final"},
    "goodbye": {"author": "Robert Graves", "year": 1929, "tags": ["memoir"], "status": "final"},
    "orlando": {"author": "Virginia Woolf", "year": 1928, "tags": ["novel"], "status": "draft"},
    "notes": {"status": "draft", "shelf": "7"},
}


@pytest.fixture
async def handbook(api: Api) -> str:
    """A store with the handbook in it."""
    store = await create_store(api)
    await fill(api, store, HANDBOOK)
    return store


@pytest.fixture
async def library(api: Api) -> str:
    store = await create_store(api, "Library")
    for name, values in LIBRARY.items():
        await fill(api, store, f"The book {name} tells of emperors.", name, customMetadata=metadata(**values))
    return store


def words(count: int) -> str:
    """Different words, some of them rare."""
    return " ".join(f"word{number}" for number in range(count))


async def test_the_answer_quotes_what_was_found_and_cites_it_by_bytes(api: Api, handbook: str) -> None:
    found = await answer(api, "How many vacation days do employees have?", handbook)
    text = found["content"]["parts"][0]["text"]
    assert "“Every employee has 28 vacation days a year.”" in text
    (chunk,) = contexts(found)
    assert chunk["title"] == "handbook.md"
    assert chunk["fileSearchStore"] == handbook
    assert chunk["text"] == HANDBOOK.strip()
    (support,) = found["groundingMetadata"]["groundingSupports"]
    segment = support["segment"]
    assert text.encode()[segment["startIndex"] : segment["endIndex"]].decode() == segment["text"]
    assert "28 vacation days" in segment["text"]
    assert support["groundingChunkIndices"] == [0]


async def test_the_chunks_that_were_read_are_tokens_of_the_tool(api: Api, handbook: str) -> None:
    response = await api.generate("Vacation days?", tools=tool(handbook))
    assert response["usageMetadata"]["toolUsePromptTokenCount"] == -(-len(HANDBOOK.strip()) // 4)


async def test_other_words_for_the_same_thing_find_it(api: Api) -> None:
    store = await create_store(api)
    await fill(api, store, "The kitten sleeps on the sofa.", "pets")
    await fill(api, store, "The invoice is due in March.", "money")
    found = await answer(api, "Wo schläft die Katze?", store)
    assert [one["title"] for one in contexts(found)] == ["pets"]
    assert [one["title"] for one in contexts(await answer(api, "猫はどこ?", store))] == ["pets"]


async def test_texts_without_blanks_are_found(api: Api) -> None:
    store = await create_store(api)
    await fill(api, store, "東京タワーは高さ333メートルです。京都には寺が多い。", "towers")
    found = await answer(api, "東京タワーの高さは?", store)
    assert "“東京タワーは高さ333メートルです。”" in found["content"]["parts"][0]["text"]


async def test_when_nothing_is_found_the_answer_says_so_and_cites_nothing(api: Api, handbook: str) -> None:
    found = await answer(api, "What is the capital of France?", handbook)
    assert "found nothing about capital" in found["content"]["parts"][0]["text"]
    assert "groundingMetadata" not in found
    empty = await create_store(api)
    assert "found nothing" in await api.text("Vacation?", tools=tool(empty))


async def test_a_question_about_the_document_itself_is_answered_from_its_beginning(api: Api, handbook: str) -> None:
    found = await answer(api, "Summarise the documents", handbook)
    assert contexts(found)[0]["text"].startswith("Every employee")


async def test_documents_that_are_not_ready_are_not_searched(api: Api) -> None:
    store = await create_store(api)
    begun = await upload(api, store, HANDBOOK)
    assert contexts(await answer(api, "Vacation days?", store)) == []
    for _ in range(3):
        await api.http.get(f"/v1beta/{begun['name']}")
    assert len(contexts(await answer(api, "Vacation days?", store))) == 1


async def test_several_stores_are_searched_together(api: Api) -> None:
    stores = [await create_store(api, name) for name in ("one", "two")]
    for number, store in enumerate(stores):
        await fill(api, store, f"Vacation rule number {number}.", f"rule {number}")
    found = await answer(api, "Vacation rule?", *stores)
    assert {one["fileSearchStore"] for one in contexts(found)} == set(stores)
    assert [one["fileSearchStore"] for one in contexts(await answer(api, "Vacation rule?", stores[1]))] == stores[1:]


async def test_texts_are_cut_into_chunks_that_overlap(api: Api) -> None:
    store = await create_store(api)
    sizes = {"whiteSpaceConfig": {"maxTokensPerChunk": 30, "maxOverlapTokens": 5}}
    await fill(api, store, words(100), "words", chunkingConfig=sizes)
    (first,) = contexts(await answer(api, "word3 word4", store))
    assert first["text"].split() == [f"word{number}" for number in range(30)]
    # What two chunks have is quoted once, and cites both.
    found = await answer(api, "word26 word27", store)
    assert [one["text"].split()[0] for one in contexts(found)] == ["word0", "word25"]
    (last,) = contexts(await answer(api, "word99", store))
    assert last["text"].split()[0] == "word75"


async def test_a_sentence_in_two_chunks_is_quoted_once(api: Api) -> None:
    store = await create_store(api)
    text = f"{words(20)}.\nVacation is 28 days.\n{' '.join(f'later{number}' for number in range(20))}"
    sizes = {"whiteSpaceConfig": {"maxTokensPerChunk": 26, "maxOverlapTokens": 10}}
    await fill(api, store, text, "words", chunkingConfig=sizes)
    found = await answer(api, "How long is vacation?", store)
    (support,) = found["groundingMetadata"]["groundingSupports"]
    assert support["groundingChunkIndices"] == [0, 1]


@pytest.mark.parametrize(("options", "count"), [({}, 5), ({"topK": 0}, 5), ({"topK": 2}, 2), ({"topK": 50}, 9)])
async def test_top_k_limits_the_chunks(api: Api, options: dict[str, int], count: int) -> None:
    store = await create_store(api)
    for number in range(9):
        await fill(api, store, f"Vacation rule of team {number}.", f"team {number}")
    found = await answer(api, "Vacation rule?", store, **options)
    assert len(contexts(found)) == count
    indices = [at for one in found["groundingMetadata"]["groundingSupports"] for at in one["groundingChunkIndices"]]
    assert set(indices) <= set(range(count))


async def test_a_pdf_is_cited_by_page(api: Api) -> None:
    store = await create_store(api)
    for packed in (True, False):
        name = f"rules-{packed}.pdf"
        pages = ("Contents and preface", "Vacation is 28 days (net)", "Laptops are replaced")
        await fill(api, store, pdf(*pages, packed=packed), name, "application/pdf")
    found = await answer(api, "How long is vacation?", store)
    assert [(one["title"], one["pageNumber"]) for one in contexts(found)] == [
        ("rules-True.pdf", 2),
        ("rules-False.pdf", 2),
    ]
    assert contexts(found)[0]["text"] == "Vacation is 28 days (net)"
    assert "page 2: “Vacation is 28 days (net)”" in found["content"]["parts"][0]["text"]


async def test_a_picture_is_found_by_what_it_shows_and_can_be_fetched(api: Api) -> None:
    store = await create_store(api, embeddingModel="models/gemini-embedding-2")
    data = media_output.draw("a red square", 256, 256)
    await fill(api, store, data, "Company logo", "image/png")
    await fill(api, store, HANDBOOK)
    found = await answer(api, "Show me the logo", store)
    (context,) = contexts(found)
    assert (context["title"], "text" in context) == ("Company logo", False)
    assert context["mediaId"].startswith(f"{store}/media/")
    assert "256×256" in found["content"]["parts"][0]["text"]
    media = await api.http.get(f"/v1beta/{context['mediaId']}?alt=media")
    assert (media.content, media.headers["content-type"]) == (data, "image/png")
    assert (await api.http.get(f"/v1beta/{context['mediaId']}")).json() == {}
    assert (await api.http.get(f"/v1beta/{store}/media/none?alt=media")).status_code == 404


async def test_custom_metadata_come_with_the_citation(api: Api, library: str) -> None:
    found = await answer(api, "Which emperors?", library, metadataFilter="year = 1934")
    (context,) = contexts(found)
    assert context["customMetadata"] == metadata(**LIBRARY["claudius"])


FILTERS = [
    ('author = "Robert Graves"', {"claudius", "goodbye"}),
    ("author=Robert Graves", {"claudius", "goodbye"}),
    ('author != "Robert Graves"', {"orlando"}),
    ('NOT author = "Robert Graves"', {"orlando", "notes"}),
    ('-author = "Robert Graves"', {"orlando", "notes"}),
    ("author = 'Virg*'", {"orlando"}),
    ('author = "*Graves"', {"claudius", "goodbye"}),
    ("year > 1929", {"claudius"}),
    ("year >= 1929", {"claudius", "goodbye"}),
    ("year < 1929", {"orlando"}),
    ("year<=1929", {"goodbye", "orlando"}),
    ("year = 1929.0", {"goodbye"}),
    ('year = "1934"', {"claudius"}),
    ("year = soon", set[str]()),
    ("shelf = 7", {"notes"}),
    ("tags:novel", {"claudius", "orlando"}),
    ('tags:"history" AND year > 1930', {"claudius"}),
    ("tags = novel", set[str]()),
    ("author:graves", {"claudius", "goodbye"}),
    ("year:*", {"claudius", "goodbye", "orlando"}),
    ("NOT year:*", {"notes"}),
    ("status = draft AND year < 1930", {"orlando"}),
    ("status = draft year < 1930", {"orlando"}),
    ("year = 1928 OR year = 1929", {"orlando", "goodbye"}),
    # OR binds closer than AND.
    ("status = final AND year = 1928 OR year = 1929", {"goodbye"}),
    ("(status = final AND year = 1934) OR status = draft", {"claudius", "orlando", "notes"}),
    ("NOT (tags:novel OR tags:memoir)", {"notes"}),
    ("colour = red", set[str]()),
    ("  ", {"claudius", "goodbye", "orlando", "notes"}),
]


@pytest.mark.parametrize(("written", "titles"), FILTERS, ids=[one[0] for one in FILTERS])
async def test_a_filter_says_which_documents_are_looked_at(
    api: Api, library: str, written: str, titles: set[str]
) -> None:
    found = await answer(api, "Which emperors?", library, metadataFilter=written)
    assert {one["title"] for one in contexts(found)} == titles


@pytest.mark.parametrize(
    ("written", "why"),
    [("author", "expected a comparison after 'author'"), ("author =", "expected a value"), ("= 3", "unexpected '='"),
     ("(year = 3", "parenthesis is not closed"), ("year = 3)", "unexpected ')'"), ('a = "x', "quotation mark"),
     ("a = 1 AND", "ends too early"), ("a = 1 and b = 2", "'and' must be in capitals"), ("a == 1", "expected a value"),
     ("NOT", "ends too early"), ("a ! 3", "unexpected character '!'"), ("(" * 60 + "a=1" + ")" * 60, "too deeply")],
)  # fmt: skip
async def test_a_filter_that_cannot_be_read_is_refused(api: Api, written: str, why: str) -> None:
    store = await create_store(api)
    message = await refusal(api, store, metadataFilter=written)
    assert message.startswith("* GenerateContentRequest.tools[0].file_search.metadata_filter: Invalid filter")
    assert why in message


async def test_stores_and_numbers_that_make_no_sense_are_refused(api: Api, handbook: str) -> None:
    assert "fileSearchStores/none not found" in await refusal(api, handbook, "fileSearchStores/none", status=404)
    assert "Invalid file search store name" in await refusal(api, "my store")
    assert "must not be negative" in await refusal(api, handbook, topK=-1)
    assert "required" in await refusal(api)


async def test_counting_tokens_looks_at_the_stores_too(api: Api, handbook: str) -> None:
    request = {**ask("Vacation?"), "model": f"models/{MODEL}"}
    for stores, status in (([handbook], 200), (["fileSearchStores/none"], 404)):
        body = {"generateContentRequest": {**request, "tools": tool(*stores)}}
        assert (await api.post("countTokens", body)).status_code == status


async def test_a_stream_carries_the_citations(api: Api, handbook: str) -> None:
    body = {**ask("Vacation days?"), "tools": tool(handbook)}
    response = await api.http.post(f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse", json=body)
    assert response.text.count('"retrievedContext"') == 1


async def test_what_is_to_be_said_is_said_on_all_chunks(api: Api, handbook: str) -> None:
    said = base64.urlsafe_b64encode("Grüße 🏔".encode()).decode()
    found = await answer(api, f"Vacation days? [emulate: say={said}]", handbook)
    assert found["content"]["parts"][0]["text"] == "Grüße 🏔"
    assert contexts(found)[0]["text"] == "Grüße 🏔"


async def test_a_batch_searches_too(api: Api, handbook: str) -> None:
    body = inline("Vacation days?")
    body["batch"]["inputConfig"]["requests"]["requests"][0]["request"]["tools"] = tool(handbook)
    (one,) = responses(await finished(api, await create_batch(api, body)))
    assert "28 vacation days" in text_of(one["response"])


async def test_an_interaction_searches_and_cites(api: Api, handbook: str, library: str) -> None:
    search = {"type": "file_search", "file_search_store_names": [handbook, library], "metadata_filter": "NOT a = 1"}
    made = await create(api, "How many vacation days do employees have?", tools=[search])
    call, result = step_of(made, "file_search_call"), step_of(made, "file_search_result")
    assert result["call_id"] == call["id"]
    (text,) = contents_of(made)
    (citation,) = text["annotations"]
    assert (citation["type"], citation["file_name"]) == ("file_citation", "handbook.md")
    cited = text["text"].encode()[citation["start_index"] : citation["end_index"]].decode()
    assert "28 vacation days" in cited
    assert made["usage"]["grounding_tool_count"] == [{"type": "retrieval", "count": 1}]
    books = await create(api, "Which emperors?", tools=[{**search, "metadata_filter": "year = 1934"}])
    (citation,) = contents_of(books)[0]["annotations"]
    assert citation["custom_metadata"] == LIBRARY["claudius"]
    # What an interaction said can be sent back as it is.
    asked = {"type": "user_input", "content": [{"type": "text", "text": "And now?"}]}
    again = await post(api, [asked, *made["steps"], asked])
    assert again.status_code == 200, again.text


async def test_an_interaction_that_finds_nothing_cites_nothing(api: Api, handbook: str) -> None:
    search = {"type": "file_search", "file_search_store_names": [handbook]}
    made = await create(api, "What is the capital of France?", tools=[search])
    assert step_of(made, "file_search_result")
    (text,) = contents_of(made)
    assert "annotations" not in text


async def test_a_streamed_interaction_shows_the_search(api: Api, handbook: str, emulator: Emulator) -> None:
    search = {"type": "file_search", "file_search_store_names": [handbook]}
    response = await post(api, "Vacation days?", tools=[search], stream=True)
    for piece in ('"type":"file_search_call","id"', '"type":"file_search_result","result":[]', '"file_citation"'):
        assert piece in response.text
    assert emulator.requests[-1]["body"]["stream"] is True
