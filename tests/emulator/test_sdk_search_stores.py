"""Google's own SDK fills File Search stores and asks them."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from google import genai
from google.genai import errors, types

from gemini_emulator import Emulator, media_output

from .storing import HANDBOOK

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[genai.client.AsyncClient]:
    with warnings.catch_warnings():
        # The SDK's own deprecations are not ours to mend.
        warnings.simplefilter("ignore")
        client = genai.Client(api_key="test", http_options=types.HttpOptions(base_url=emulator.url))
        async with client.aio as aio:
            yield aio


async def new_store(client: genai.client.AsyncClient, embedding_model: str | None = None) -> str:
    fields = types.CreateFileSearchStoreConfig(display_name="Staff handbook", embedding_model=embedding_model)
    return (await client.file_search_stores.create(config=fields)).name or ""


async def uploaded(
    client: genai.client.AsyncClient, store: str, data: bytes, config: types.UploadToFileSearchStoreConfig
) -> str:
    """The document that an upload has made."""
    operation = await client.file_search_stores.upload_to_file_search_store(
        file_search_store_name=store, file=BytesIO(data), config=config
    )
    while not operation.done:
        operation = await client.operations.get(operation)
    assert operation.error is None
    assert operation.response is not None
    return operation.response.document_name or ""


async def asked(client: genai.client.AsyncClient, question: str, search: types.FileSearch) -> types.Candidate:
    config = types.GenerateContentConfig(tools=[types.Tool(file_search=search)])
    response = await client.models.generate_content(model=MODEL, contents=question, config=config)
    (candidate,) = response.candidates or []
    return candidate


async def test_stores_live_and_die(client: genai.client.AsyncClient) -> None:
    name = await new_store(client, embedding_model="gemini-embedding-2")
    store = await client.file_search_stores.get(name=name)
    assert (store.display_name, store.embedding_model) == ("Staff handbook", "models/gemini-embedding-2")
    assert name in [one.name async for one in await client.file_search_stores.list(config={"page_size": 1})]
    await uploaded(client, name, HANDBOOK.encode(), types.UploadToFileSearchStoreConfig(mime_type="text/plain"))
    with pytest.raises(errors.ClientError) as refused:
        await client.file_search_stores.delete(name=name)
    assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")
    await client.file_search_stores.delete(name=name, config={"force": True})
    with pytest.raises(errors.ClientError) as gone:
        await client.file_search_stores.get(name=name)
    assert gone.value.code == 403


async def test_an_upload_is_found_and_cited(client: genai.client.AsyncClient) -> None:
    store = await new_store(client)
    sizes = types.WhiteSpaceConfig(max_tokens_per_chunk=25, max_overlap_tokens=5)
    config = types.UploadToFileSearchStoreConfig(
        display_name="handbook.md",
        mime_type="text/markdown",
        custom_metadata=[types.CustomMetadata(key="year", numeric_value=2026)],
        chunking_config=types.ChunkingConfig(white_space_config=sizes),
    )
    document = await uploaded(client, store, HANDBOOK.encode(), config)
    search = types.FileSearch(file_search_store_names=[store], top_k=1, metadata_filter="year > 2000")
    candidate = await asked(client, "How many vacation days do employees have?", search)
    assert candidate.grounding_metadata is not None
    (chunk,) = candidate.grounding_metadata.grounding_chunks or []
    assert chunk.retrieved_context is not None
    context = chunk.retrieved_context
    assert (context.title, context.file_search_store) == ("handbook.md", store)
    assert context.custom_metadata is not None
    assert (context.custom_metadata[0].key, context.custom_metadata[0].numeric_value) == ("year", 2026)
    assert "28 vacation days" in (context.text or "")
    found = await client.file_search_stores.documents.get(name=document)
    assert (found.state, found.display_name) == (types.DocumentState.STATE_ACTIVE, "handbook.md")


async def test_a_file_is_imported(client: genai.client.AsyncClient) -> None:
    store = await new_store(client)
    upload = types.UploadFileConfig(mime_type="text/markdown", display_name="handbook.md")
    file = await client.files.upload(file=BytesIO(HANDBOOK.encode()), config=upload)
    operation = await client.file_search_stores.import_file(
        file_search_store_name=store,
        file_name=file.name or "",
        config={"custom_metadata": [{"key": "team", "string_value": "people"}]},
    )
    assert not operation.done
    while not operation.done:
        operation = await client.operations.get(operation)
    assert operation.response is not None
    (document,) = [one async for one in await client.file_search_stores.documents.list(parent=store)]
    assert (document.name or "").endswith(operation.response.document_name or "none")
    search = types.FileSearch(file_search_store_names=[store], metadata_filter='team = "people"')
    candidate = await asked(client, "When is the office closed?", search)
    assert "between Christmas and New Year" in str(candidate.content)
    name = document.name or ""
    with pytest.raises(errors.ClientError):
        await client.file_search_stores.documents.delete(name=name)
    await client.file_search_stores.documents.delete(name=name, config={"force": True})
    assert [one async for one in await client.file_search_stores.documents.list(parent=store)] == []


async def test_a_failed_operation_has_its_error(client: genai.client.AsyncClient, emulator: Emulator) -> None:
    store = await new_store(client)
    file = await client.files.upload(file=BytesIO(b"x"), config={"mime_type": "text/plain"})
    emulator.add_fault("outcome=failed message=Unreadable polls=0", path=":importFile")
    operation = await client.file_search_stores.import_file(file_search_store_name=store, file_name=file.name or "")
    operation = await client.operations.get(operation)
    assert operation.done
    assert (operation.error or {})["message"] == "Unreadable"


async def test_a_cited_picture_is_downloaded(client: genai.client.AsyncClient) -> None:
    store = await new_store(client, embedding_model="gemini-embedding-2")
    data = media_output.draw("a red square", 256, 256)
    config = types.UploadToFileSearchStoreConfig(display_name="Company logo", mime_type="image/png")
    await uploaded(client, store, data, config)
    candidate = await asked(client, "Show the logo", types.FileSearch(file_search_store_names=[store]))
    assert candidate.grounding_metadata is not None
    (chunk,) = candidate.grounding_metadata.grounding_chunks or []
    assert chunk.retrieved_context is not None
    assert chunk.retrieved_context.media_id is not None
    assert await client.file_search_stores.download_media(media_id=chunk.retrieved_context.media_id) == data
