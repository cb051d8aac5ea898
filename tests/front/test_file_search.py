"""File Search stores through the front door: made, listed, filled, emptied, deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference, TextResourceContents

from gemini_emulator import Emulator
from gemini_server import surface
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, sent
from tests.front.storing import GONE, HANDBOOK, ON, add, documents, handbook, store_of

pytestmark = pytest.mark.anyio

TOOLS = [tool for tool in surface.load().tools if tool.toolset == "file_search"]


@pytest.mark.parametrize("mode", ERAS)
async def test_a_store_is_made_filled_searched_emptied_and_deleted(connect: Connect, tmp_path: Path, mode: str) -> None:
    async with connect(mode=mode, **ON) as client:
        made = structured(await client.call_tool("create_store", {"display_name": "Staff handbook"}))["store"]
        store = made["name"]
        assert store.startswith("fileSearchStores/staff-handbook-")
        assert (made["display_name"], made["model"], made["documents"]) == ("Staff handbook", "gemini-embedding-2", 0)

        job = await add(client, store, handbook(tmp_path), metadata={"year": 2026, "author": "Ada", "tags": ["a", "b"]})
        assert (job["status"], job["kind"], job["cost_usd"]) == ("done", "document", None)
        document = job["document"]
        assert (document["store"], document["state"], document["display_name"]) == (store, "ACTIVE", "handbook.md")
        assert (document["mime_type"], document["bytes"]) == ("text/markdown", len(HANDBOOK.encode()))
        assert document["metadata"] == {"year": 2026, "author": "Ada", "tags": ["a", "b"]}
        assert await documents(client, store) == [document]
        assert await documents(client, store, name=document["name"]) == [document]
        assert await documents(client, store, name=document["name"].rpartition("/")[2]) == [document]

        [listed] = structured(await client.call_tool("list_stores", {"name": store}))["stores"]
        assert (listed["documents"], listed["bytes"]) == (1, document["bytes"])
        assert listed in structured(await client.call_tool("list_stores", {}))["stores"]

        asked = {"question": "How many vacation days are there?", "stores": [store]}
        assert "28 vacation days" in structured(await client.call_tool("search_stores", asked))["text"]

        text = error_of(await client.call_tool("delete_document", {"name": document["name"]}))
        assert "is not empty; nothing was deleted" in text
        assert "force=true" in text
        gone = structured(await client.call_tool("delete_document", {"name": document["name"], "force": True}))
        assert gone == {"deleted": document["name"]}
        assert await documents(client, store) == []

        assert structured(await client.call_tool("delete_store", {"name": store})) == {"deleted": store}
        text = error_of(await client.call_tool("list_stores", {"name": store}))
        assert f"There is no File Search store {store} for this key" in text


async def test_a_store_that_is_not_empty_is_deleted_by_force_alone(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    async with connect(**ON) as client:
        store = await store_of(client)
        await add(client, store, handbook(tmp_path))
        text = error_of(await client.call_tool("delete_store", {"name": store}))
        assert "is not empty; nothing was deleted. force=true deletes it with all documents in it" in text
        assert "force" not in emulator.requests[-1]["query"]
        assert len(await documents(client, store)) == 1
        assert structured(await client.call_tool("delete_store", {"name": store, "force": True})) == {"deleted": store}
        assert emulator.requests[-1]["query"] == {"force": "true"}
        assert "There is no" in error_of(await client.call_tool("delete_store", {"name": store, "force": True}))


async def test_the_embedding_model_can_be_chosen(connect: Connect, emulator: Emulator) -> None:
    async with connect(**ON) as client:
        arguments = {"display_name": "x", "model": "models/gemini-embedding-001"}
        made = structured(await client.call_tool("create_store", arguments))["store"]
        assert made["model"] == "gemini-embedding-001"
        assert sent(emulator) == {"displayName": "x", "embeddingModel": "models/gemini-embedding-001"}
        text = error_of(await client.call_tool("create_store", {"display_name": "x", "model": "gemini-3.8-flash"}))
    assert "embedding_model" in text


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("create_store", {"display_name": " "}, "display_name is empty"),
        ("create_store", {"display_name": "x" * 513}, "512 characters"),
        ("list_stores", {"name": "handbook"}, "is no File Search store"),
        ("list_stores", {"name": "fileSearchStores/../files"}, "is no File Search store"),
        ("delete_store", {"name": "files/abc"}, "is no File Search store"),
        ("list_documents", {"store": "fileSearchStores/A"}, "is no File Search store"),
        ("list_documents", {"store": "fileSearchStores/a", "name": "fileSearchStores/b/documents/c"}, "no document of"),
        ("list_documents", {"store": "fileSearchStores/a", "name": "b/../c"}, "is no document"),
        ("delete_document", {"name": "fileSearchStores/a"}, "is no document"),
        ("search_stores", {"question": " ", "stores": ["fileSearchStores/a"]}, "question is empty"),
        ("search_stores", {"question": "x", "stores": []}, "stores is empty"),
        ("search_stores", {"question": "x", "stores": ["a"]}, "is no File Search store"),
        ("search_stores", {"question": "x", "stores": ["fileSearchStores/a"], "top_k": 0}, "top_k is at least 1"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, tool: str, arguments: Json, words: str
) -> None:
    async with connect(**ON) as client:
        assert words in error_of(await client.call_tool(tool, arguments))
    assert not emulator.requests


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_stores", {"name": GONE}),
        ("delete_store", {"name": GONE}),
        ("list_documents", {"store": GONE}),
        ("add_to_store", {"store": GONE, "source": "data:text/plain;base64,eA=="}),
        ("add_to_store", {"store": GONE, "source": "files/abc"}),
        ("search_stores", {"question": "x", "stores": [GONE]}),
        ("generate_text", {"prompt": "x", "stores": [GONE]}),
    ],
)
async def test_an_unknown_store_is_said_to_be_none_wherever_it_is_named(
    connect: Connect, tool: str, arguments: Json
) -> None:
    async with connect(**ON) as client:
        text = error_of(await client.call_tool(tool, arguments))
    assert f"There is no File Search store {GONE} for this key" in text
    assert "list_stores" in text


async def test_an_unknown_document_is_said_to_be_none(connect: Connect) -> None:
    async with connect(**ON) as client:
        store = await store_of(client)
        name = f"{store}/documents/nothing"
        for tool, arguments in (
            ("list_documents", {"store": store, "name": name}),
            ("delete_document", {"name": name}),
        ):
            text = error_of(await client.call_tool(tool, arguments))
            assert f"There is no document {name} for this key" in text
            assert f"list_documents shows those of {store}" in text


async def test_more_stores_and_documents_than_one_page_are_all_listed(connect: Connect) -> None:
    async with connect(**ON) as client:
        made = [await store_of(client, f"store {number}") for number in range(23)]
        listed = structured(await client.call_tool("list_stores", {}))["stores"]
        for number in range(23):
            source = f"data:text/plain;base64,{'QUJD' * (number + 1)}"
            await add(client, made[0], source, display_name=f"note {number}")
        found = await documents(client, made[0])
    assert set(made) <= {one["name"] for one in listed}
    assert {one["display_name"] for one in found} == {f"note {number}" for number in range(23)}


async def test_a_create_whose_answer_is_lost_is_not_sent_again(connect: Connect, fake: FakeGemini) -> None:
    fake.say(Reply({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}, status=503))
    async with connect(base_url=fake.url, **ON) as client:
        text = error_of(await client.call_tool("create_store", {"display_name": "x"}))
    assert "It may exist: see list_stores" in text
    assert len(fake.requests) == 1


async def test_a_read_only_server_searches_and_changes_nothing(connect: Connect, emulator: Emulator) -> None:
    async with connect(read_only=True, **ON) as client:
        offered = {tool.name for tool in (await client.list_tools()).tools}
        assert {"list_stores", "list_documents", "search_stores"} <= offered
        assert not offered & {"create_store", "delete_store", "add_to_store", "delete_document"}
        assert "read-only" in error_of(await client.call_tool("delete_store", {"name": GONE}))
    assert not emulator.requests


async def test_stores_and_their_documents_are_resources_whose_ids_are_completed(
    connect: Connect, tmp_path: Path
) -> None:
    async with connect(**ON) as client:
        store = await store_of(client, "Ängste & Nöte")
        document = (await add(client, store, handbook(tmp_path)))["document"]
        ident = store.partition("/")[2]

        async def read(uri: str) -> Json:
            [content] = (await client.read_resource(uri)).contents
            assert isinstance(content, TextResourceContents)
            found: Json = json.loads(content.text)
            return found

        assert store in [one["name"] for one in (await read("gemini://stores"))["stores"]]
        assert await read(f"gemini://stores/{ident}/documents") == {"documents": [document]}
        reference = ResourceTemplateReference(type="ref/resource", uri="gemini://stores/{id}/documents")
        found = await client.complete(reference, {"name": "id", "value": ident[:8]})
        assert ident in found.completion.values
        with pytest.raises(MCPError) as failed:
            await client.read_resource(f"gemini://stores/{GONE.partition('/')[2]}/documents")
    assert "no File Search store" in failed.value.error.message


async def test_the_text_face_tells_what_the_json_tells(connect: Connect, tmp_path: Path) -> None:
    async with connect(**ON) as client:
        result = await client.call_tool("create_store", {"display_name": "Handbook"})
        store = structured(result)["store"]["name"]
        assert f"{store} (Handbook, 0 documents, 0 bytes, gemini-embedding-2)" in text_of(result)
        assert "There are no documents." in text_of(await client.call_tool("list_documents", {"store": store}))
        arguments = {"store": store, "source": handbook(tmp_path), "metadata": {"year": 2026}}
        added = await client.call_tool("add_to_store", arguments)
        document = structured(added)["document"]
        line = f'{document["name"]} (handbook.md, ACTIVE, text/markdown, {document["bytes"]} bytes) {{"year": 2026}}'
        assert line in text_of(added)
        assert line in text_of(await client.call_tool("list_documents", {"store": store}))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_what_a_model_sees_of_a_tool_is_small(tool: surface.ToolEntry) -> None:
    schema = json.dumps(tool.shown["inputSchema"], ensure_ascii=False, separators=(",", ":"))
    assert len(f"{tool.name}{tool.shown['description']}{schema}".encode()) <= 1400
    assert len(json.dumps(tool.shown)) <= 3000


async def test_a_prompt_answers_from_a_store(connect: Connect) -> None:
    arguments = {"store": "fileSearchStores/a", "question": "How many days?"}
    async with connect(**ON) as client:
        text = (await client.get_prompt("answer_from_store", {**arguments, "filter": "year > 2000"})).messages[0]
    async with connect(toolsets=("text",)) as client:
        plain = (await client.get_prompt("answer_from_store", arguments)).messages[0]
    assert "search_stores" in str(text)
    assert "`metadata_filter`" in str(text)
    assert "generate_text" in str(plain)
    assert "search_stores" not in str(plain)
