"""The Semantic Retriever and AQA through the front door: every method of theirs, and what is left of them today."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server import surface
from gemini_server.settings import Settings
from tests.conftest import ERAS, Connect
from tests.front.conftest import FakeGemini, Json, sent
from tests.front.legacy import connect_old as connect_old
from tests.front.legacy import old as old
from tests.front.legacy import reached
from tests.front.legacy import standing_old as standing_old
from tests.front.platforming import do, fails

pytestmark = pytest.mark.anyio

VACATION = "Every employee has 28 vacation days a year."
LAPTOPS = "Laptops are replaced after four years."
DOCUMENT = "corpora/office/documents/handbook"
ANNA: Json = {"grantee_type": "USER", "email_address": "anna@example.com", "role": "READER"}


@pytest.fixture
async def corpus(connect_old: Connect) -> None:
    """A corpus with a document; both may be there already."""
    async with connect_old() as client:
        await client.call_tool("delete_corpus", {"name": "office", "force": True})
        made = await do(client, "create_corpus", name="office", display_name="Office")
        kind = [{"key": "kind", "string_value": "rules"}]
        named = {"corpus": "office", "name": "handbook", "display_name": "Handbook"}
        document = await do(client, "create_corpus_document", **named, custom_metadata=kind)
    assert (made["corpus"]["name"], document["document"]["name"]) == ("corpora/office", DOCUMENT)


async def _corpora(client: Client) -> None:
    assert (await do(client, "create_corpus", display_name="Other"))["corpus"]["name"].startswith("corpora/other-")
    listed = (await do(client, "list_corpus"))["corpora"]
    assert [one["display_name"] for one in listed] == ["Office", "Other"]
    assert await do(client, "list_corpus", name="office") == {"corpora": [listed[0]]}
    changed = await do(client, "update_corpus", name="corpora/office", display_name="The office")
    assert changed["corpus"]["display_name"] == "The office"
    assert await do(client, "query_corpus", name="office", query="vacation") == {"relevant_chunks": []}
    assert "non-empty" in await fails(client, "delete_corpus", name="office")
    for one in listed:
        assert await do(client, "delete_corpus", name=one["name"], force=True) == {"deleted": one["name"]}


async def _documents(client: Client) -> None:
    await do(client, "create_chunks", document=DOCUMENT, chunks=[VACATION, LAPTOPS])
    [listed] = (await do(client, "list_corpus_document", corpus="office"))["documents"]
    assert listed["custom_metadata"] == [{"key": "kind", "string_value": "rules"}]
    one = await do(client, "list_corpus_document", corpus="office", name="handbook")
    assert one == {"documents": [listed]}
    changed = await do(client, "update_corpus_document", name=DOCUMENT, display_name="The handbook")
    assert changed["document"]["display_name"] == "The handbook"
    query: Json = {"query": "When are computers replaced?", "results_count": 1}
    [found] = (await do(client, "query_corpus_document", name=DOCUMENT, **query))["relevant_chunks"]
    assert (found["chunk"]["data"]["string_value"], found["document"]["display_name"]) == (LAPTOPS, "The handbook")
    rule = {"key": "document.custom_metadata.kind", "conditions": [{"operation": "EQUAL", "string_value": "menu"}]}
    none = await do(client, "query_corpus", name="office", query="laptops", metadata_filters=[rule])
    assert none == {"relevant_chunks": []}
    assert await do(client, "delete_corpus_document", name=DOCUMENT, force=True) == {"deleted": DOCUMENT}


async def _chunks(client: Client) -> None:
    [one] = (await do(client, "create_chunks", document=DOCUMENT, chunks=[VACATION]))["chunks"]
    year = [{"key": "year", "numeric_value": 2026}]
    more: list[Json] = [
        {"name": "laptops", "data": {"string_value": LAPTOPS}, "custom_metadata": year},
        {"data": {"string_value": "x"}},
    ]
    two = (await do(client, "create_chunks", document=DOCUMENT, chunks=more))["chunks"]
    assert two[0]["name"] == f"{DOCUMENT}/chunks/laptops"
    names = [chunk["name"] for chunk in (one, *two)]
    assert [chunk["name"] for chunk in (await do(client, "list_chunks", document=DOCUMENT))["chunks"]] == names
    [shown] = (await do(client, "list_chunks", document=DOCUMENT, name="laptops"))["chunks"]
    assert (shown["state"], shown["custom_metadata"]) == ("STATE_ACTIVE", year)
    [changed] = (
        await do(client, "update_chunks", document=DOCUMENT, chunks=[{"name": names[2], "data": {"string_value": "y"}}])
    )["chunks"]
    assert changed["data"]["string_value"] == "y"
    both = [{"name": "laptops", "data": {"string_value": "z"}}, {"name": names[0], "custom_metadata": year}]
    changed, other = (await do(client, "update_chunks", document=DOCUMENT, chunks=both))["chunks"]
    assert (changed["data"]["string_value"], other["custom_metadata"]) == ("z", year)
    assert other["data"]["string_value"] == VACATION
    assert await do(client, "delete_chunks", document=DOCUMENT, names=["laptops"]) == {"deleted": [names[1]]}
    rest = [names[0], names[2]]
    assert await do(client, "delete_chunks", document=DOCUMENT, names=rest) == {"deleted": rest}
    for count in (0, 101):
        assert "Give 1 to 100" in await fails(client, "create_chunks", document=DOCUMENT, chunks=["x"] * count)
    assert "no name" in await fails(
        client, "update_chunks", document=DOCUMENT, chunks=[{"data": {"string_value": "x"}}]
    )
    foreign = "corpora/office/documents/menu/chunks/soup"
    assert f"is not in {DOCUMENT}" in await fails(client, "delete_chunks", document=DOCUMENT, names=[foreign])


async def _permissions(client: Client) -> None:
    made = (await do(client, "create_corpus_permission", corpus="office", **ANNA))["permission"]
    assert {name: made[name] for name in ANNA} == ANNA
    listed = (await do(client, "list_corpus_permissions", corpus="office"))["permissions"]
    assert [one["role"] for one in listed] == ["OWNER", "READER"]
    assert await do(client, "list_corpus_permissions", corpus="office", name=made["name"]) == {"permissions": [made]}
    changed = await do(client, "update_corpus_permission", name=made["name"], role="WRITER")
    assert changed["permission"]["role"] == "WRITER"
    assert await do(client, "delete_corpus_permission", name=made["name"]) == {"deleted": made["name"]}


async def _answers(client: Client) -> None:
    passages = [VACATION, {"id": "it", "text": LAPTOPS}]
    asked: Json = {"question": "How long until laptops are replaced?", "answer_style": "extractive"}
    answer = await do(client, "generate_answer", **asked, passages=passages)
    assert answer["text"].endswith(LAPTOPS)
    assert answer["attributions"] == [{"passage": "it", "quote": LAPTOPS}]
    assert answer["answerable_probability"] > 0.6
    assert (answer["usage"]["cost_usd"], answer["untrusted"]) == (None, "files")
    [chunk] = (await do(client, "create_chunks", document=DOCUMENT, chunks=[VACATION]))["chunks"]
    answer = await do(client, "generate_answer", question="How many vacation days?", corpus=DOCUMENT)
    assert answer["attributions"][0]["chunk"] == chunk["name"]
    assert answer["untrusted"] == "store"
    assert "withheld" in await fails(client, "generate_answer", question="x [emulate: block=SAFETY]", corpus="office")
    assert "passages or on a corpus" in await fails(client, "generate_answer", question="x")


CRUD = ("create", "delete", "get", "list", "patch")
BATCHES = ("batchCreate", "batchDelete", "batchUpdate")


@pytest.mark.usefixtures("corpus")
@pytest.mark.parametrize(
    ("scenario", "methods"),
    [
        (_corpora, {f"corpora.{name}" for name in (*CRUD, "query")}),
        (_documents, {f"corpora.documents.{name}" for name in (*CRUD, "query")}),
        (_chunks, {f"corpora.documents.chunks.{name}" for name in (*CRUD, *BATCHES)}),
        (_permissions, {f"corpora.permissions.{name}" for name in CRUD}),
        (_answers, {"models.generateAnswer"}),
    ],
)  # fmt: skip
async def test_every_method_is_reached_by_its_tool(
    connect_old: Connect, old: Emulator, scenario: object, methods: set[str]
) -> None:
    async with connect_old() as client:
        await scenario(client)  # type: ignore[operator]  # one of those above
    assert methods <= reached(old)


async def test_an_answer_is_held_against_the_cap(connect_old: Connect, old: Emulator) -> None:
    async with connect_old(daily_cap=Decimal(0)) as client:
        assert "daily cap" in await fails(client, "generate_answer", question="x", passages=["y"])
    assert old.requests == []


@pytest.mark.parametrize("mode", ERAS)
async def test_today_the_tools_say_what_has_taken_their_place(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode, toolsets=("retrieval",)) as client:
        for tool, arguments in (
            ("create_corpus", {"display_name": "x"}),
            ("list_corpus", {"name": "office"}),
            ("query_corpus", {"name": "office", "query": "x"}),
            ("create_chunks", {"document": DOCUMENT, "chunks": ["x", "y"]}),
            ("list_corpus_permissions", {"corpus": "office"}),
        ):
            text = await fails(client, tool, **arguments)
            assert "Google has shut the Semantic Retriever down; File Search replaces it: create_store" in text, tool
        assert await do(client, "list_corpus") == {"corpora": []}
        assert "Google has shut AQA down" in await fails(client, "generate_answer", question="x", passages=["y"])
    assert sent(emulator)["answerStyle"] == "ABSTRACTIVE"


def test_without_changes_only_tools_that_read_are_left_and_what_deletes_says_so() -> None:
    entries = {entry.name: entry for entry in surface.load().enabled(Settings(toolsets=("retrieval",)))}
    kept = surface.load().enabled(Settings(toolsets=("retrieval",), read_only=True))
    assert {entry.name for entry in kept} == {
        "generate_answer", "list_chunks", "list_corpus", "list_corpus_document", "list_corpus_permissions",
        "query_corpus", "query_corpus_document",
    }  # fmt: skip
    destructive = {name for name, entry in entries.items() if entry.shown["annotations"]["destructiveHint"]}
    assert destructive == {name for name in entries if name.startswith(("delete_", "update_"))}
    assert all("Google has shut" in entry.shown["description"] for entry in entries.values())


async def test_odd_answers_are_read_and_metadata_can_be_emptied(connect: Connect, fake: FakeGemini) -> None:
    answer: Json = {"content": {"parts": [{"text": "28 days."}, "odd", None]}, "finishReason": "STOP"}
    fake.say({"answer": answer, "answerableProbability": "NaN"})
    async with connect(base_url=fake.url, toolsets=("retrieval",)) as client:
        said = await do(client, "generate_answer", question="How many?", passages=[VACATION])
        fake.say({"name": f"{DOCUMENT}/chunks/k"})
        await do(client, "update_chunks", document=DOCUMENT, chunks=[{"name": "k", "custom_metadata": []}])
    assert said["text"] == "28 days."
    assert "answerable_probability" not in said
    assert fake.requests[-1]["customMetadata"] == []
    assert "updateMask=customMetadata" in fake.paths[-1]
