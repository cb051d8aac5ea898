"""What File Search sends is what google-genai sends: stores, uploads, imports, documents, questions."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import Connect, structured
from tests.front.storing import HANDBOOK, ON, add, documents, handbook, store_of
from tests.wire.test_differential import essence

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore")]

MODEL = "gemini-3.8-flash"
HEADERS = ("x-goog-upload-protocol", "x-goog-upload-command", "x-goog-upload-header-content-length",
           "x-goog-upload-header-content-type", "x-goog-upload-offset")  # fmt: skip

Json = dict[str, Any]


def said(request: Json, *stores: str) -> Json:
    """The essence of a request, with stores and what is in them named alike."""
    found = essence(request)
    path, query = str(found["path"]), dict(found["query"])
    for store in stores:
        path = path.replace(store, "STORE")
    if "/documents/" in path or "/operations/" in path:
        path = path.rpartition("/")[0]
    query.pop("upload_id", None)
    return {**found, "path": path, "query": {name: str(value).lower() for name, value in query.items()}}


def uploads(emulator: Emulator, *stores: str) -> list[tuple[Json, Json]]:
    """The requests of the last upload, with the headers of its start; later ones repeat these in the SDK."""
    found = [one for one in emulator.requests if one["path"].startswith("/upload/")]
    shown: list[tuple[Json, Json]] = []
    for one in found:
        start = one["headers"]["x-goog-upload-command"] == "start"
        names = HEADERS if start else ("x-goog-upload-command", "x-goog-upload-offset")
        shown.append((said(one, *stores), {name: one["headers"].get(name) for name in names}))
    return shown


@pytest.mark.parametrize("model", [None, "gemini-embedding-001"])
async def test_a_store_is_created_listed_and_deleted_as_by_the_sdk(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], model: str | None
) -> None:
    client, _ = sdk
    stores = client.aio.file_search_stores
    # This server says which model is its default; the SDK leaves that to Google.
    config = {"display_name": "Staff", "embedding_model": f"models/{model or 'gemini-embedding-2'}"}
    theirs = await stores.create(config=config)
    await stores.get(name=theirs.name)
    await stores.delete(name=theirs.name, config={"force": True})
    expected = [said(one, theirs.name) for one in emulator.requests]
    emulator.clear_requests()
    async with connect(**ON) as ours:
        name = await store_of(ours, "Staff", **({"model": model} if model else {}))
        await ours.call_tool("list_stores", {"name": name})
        await ours.call_tool("delete_store", {"name": name, "force": True})
    assert [said(one, name) for one in emulator.requests] == expected


async def test_an_upload_is_the_one_of_the_sdk(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Any
) -> None:
    client, types = sdk
    theirs = (await client.aio.file_search_stores.create(config={"display_name": "Staff"})).name
    emulator.clear_requests()
    config = types.UploadToFileSearchStoreConfig(
        display_name="handbook.md",
        mime_type="text/markdown",
        custom_metadata=[
            types.CustomMetadata(key="author", string_value="Ada"),
            types.CustomMetadata(key="year", numeric_value=2026),
            types.CustomMetadata(key="tags", string_list_value=types.StringList(values=["a", "b"])),
        ],
        chunking_config=types.ChunkingConfig(
            white_space_config=types.WhiteSpaceConfig(max_tokens_per_chunk=25, max_overlap_tokens=5)
        ),
    )
    await client.aio.file_search_stores.upload_to_file_search_store(
        file_search_store_name=theirs, file=BytesIO(HANDBOOK.encode()), config=config
    )
    expected = uploads(emulator, theirs)
    async with connect(**ON) as ours:
        store = await store_of(ours)
        emulator.clear_requests()
        await add(
            ours, store, handbook(tmp_path), metadata={"author": "Ada", "year": 2026, "tags": ["a", "b"]},
            chunking={"max_tokens": 25, "overlap": 5},
        )  # fmt: skip
    assert uploads(emulator, store) == expected


async def _file(ours: Client, tmp_path: Any) -> str:
    name: str = structured(await ours.call_tool("upload_file", {"source": handbook(tmp_path)}))["file"]["name"]
    return name


async def test_an_import_and_its_documents_are_those_of_the_sdk(
    connect: Connect, emulator: Emulator, sdk: tuple[Any, Any], tmp_path: Any
) -> None:
    client, types = sdk
    stores = client.aio.file_search_stores
    theirs = (await stores.create(config={"display_name": "Staff"})).name
    async with connect(**ON) as ours:
        file, store = await _file(ours, tmp_path), await store_of(ours)
        emulator.clear_requests()
        config = types.ImportFileConfig(custom_metadata=[types.CustomMetadata(key="year", numeric_value=2026)])
        operation = await stores.import_file(file_search_store_name=theirs, file_name=file, config=config)
        while not operation.done:
            operation = await client.aio.operations.get(operation)
        [document] = [one async for one in await stores.documents.list(parent=theirs, config={"page_size": 20})]
        await stores.documents.get(name=document.name)
        await stores.documents.delete(name=document.name, config={"force": True})
        expected = [said(one, theirs) for one in emulator.requests]
        emulator.clear_requests()
        job = await add(ours, store, file, metadata={"year": 2026})
        await documents(ours, store)
        await documents(ours, store, name=job["document"]["name"])
        await ours.call_tool("delete_document", {"name": job["document"]["name"], "force": True})
    found = [said(one, store) for one in emulator.requests]
    # This server looks at the store before, and at the document when it is there.
    assert found[0]["path"] == "/v1beta/STORE"
    assert [one for one in found[1:] if one in expected] == found[1:]
    assert [one for one in expected if one not in found] == []


async def test_a_question_is_the_one_of_the_sdk(connect: Connect, emulator: Emulator, sdk: tuple[Any, Any]) -> None:
    client, types = sdk
    async with connect(**ON) as ours:
        stores = [await store_of(ours) for _ in range(2)]
        search = types.FileSearch(file_search_store_names=stores, top_k=3, metadata_filter='author = "Ada"')
        config = types.GenerateContentConfig(tools=[types.Tool(file_search=search)])
        await client.aio.models.generate_content(model=MODEL, contents="How many days?", config=config)
        theirs = emulator.requests[-1]
        arguments = {"question": "How many days?", "stores": stores, "top_k": 3, "metadata_filter": 'author = "Ada"'}
        structured(await ours.call_tool("search_stores", arguments))
    assert essence(emulator.requests[-1]) == essence(theirs)
