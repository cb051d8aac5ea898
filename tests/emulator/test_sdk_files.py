"""Google's own SDK uploads, registers and caches against the emulator without knowing it."""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gemini_emulator import Emulator, Options, media_output, running

from .conftest import TODAY
from .uploading import digest_of, noise

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"
STORY = "The lighthouse of Ystad was painted green in 1911. " + "The keeper wrote letters. " * 700


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Any]:
    with warnings.catch_warnings():
        # The SDK's own deprecations and experiments are not ours to mend.
        warnings.simplefilter("ignore")
        genai = importlib.import_module("google.genai")
        client = genai.Client(api_key="test", http_options={"base_url": emulator.url})
        async with client.aio as aio:
            yield aio


async def test_a_small_file(client: Any, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(STORY)
    file = await client.files.upload(file=path, config={"display_name": "Notes", "name": "sdk-notes"})
    assert (file.name, file.display_name, file.state.name) == ("files/sdk-notes", "Notes", "ACTIVE")
    assert (file.size_bytes, file.mime_type, file.source.name) == (len(STORY), "text/plain", "UPLOADED")
    start, chunk = emulator.requests
    assert start["body"]["file"]["display_name"] == "Notes"
    assert "x-goog-api-key" not in chunk["headers"] or chunk["headers"]["x-goog-api-key"] == "***"
    response = await client.models.generate_content(model=MODEL, contents=[file, "What is in it?"])
    assert "The lighthouse of Ystad" in response.text
    await client.files.delete(name=file.name)
    with pytest.raises(Exception, match="do not have permission") as gone:
        await client.files.get(name=file.name)
    assert gone.value.args


async def test_a_file_of_more_than_one_chunk(client: Any, emulator: Emulator) -> None:
    data = noise(9 * 1024 * 1024 + 5)
    file = await client.files.upload(file=io.BytesIO(data), config={"mime_type": "application/octet-stream"})
    assert file.sha256_hash == digest_of(data)
    assert [one["body"] for one in emulator.requests[1:]] == [
        f"<{8 * 1024 * 1024} bytes>",
        f"<{1024 * 1024 + 5} bytes>",
    ]


async def test_a_film_is_waited_for(client: Any) -> None:
    film = io.BytesIO(media_output.film("a red ball", 1, "16:9", "720p"))
    file = await client.files.upload(file=film, config={"mime_type": "video/mp4"})
    assert file.state.name == "PROCESSING"
    with pytest.raises(Exception, match="is not in an ACTIVE state"):
        await client.models.generate_content(model=MODEL, contents=[file, "What is it?"])
    while file.state.name == "PROCESSING":
        file = await client.files.get(name=file.name)
    assert file.video_metadata == {"videoDuration": "1s"}
    assert (await client.models.generate_content(model=MODEL, contents=[file, "What is it?"])).text


async def test_an_empty_file(client: Any) -> None:
    file = await client.files.upload(file=io.BytesIO(b""), config={"mime_type": "text/plain"})
    assert (file.state.name, file.size_bytes) == ("ACTIVE", None)


async def test_files_are_listed_over_pages(client: Any) -> None:
    names = set[str]()
    for _ in range(5):
        names.add((await client.files.upload(file=io.BytesIO(b"x"), config={"mime_type": "text/plain"})).name)
    listed = [file.name async for file in await client.files.list(config={"page_size": 2})]
    assert names <= set(listed)
    assert len(listed) == len(set(listed))


async def test_an_uploaded_file_cannot_be_downloaded(client: Any) -> None:
    file = await client.files.upload(file=io.BytesIO(b"x"), config={"mime_type": "text/plain"})
    with pytest.raises(Exception, match=r"download"):
        await client.files.download(file=file)


async def test_an_error_on_the_start_and_on_the_name_is_raised(client: Any, emulator: Emulator) -> None:
    emulator.add_fault("status=503", path="#start")
    with pytest.raises(Exception, match="503"):
        await client.files.upload(file=io.BytesIO(b"x"), config={"mime_type": "text/plain"})
    with pytest.raises(Exception, match="lowercase"):
        await client.files.upload(file=io.BytesIO(b"x"), config={"mime_type": "text/plain", "name": "No_Good"})


def credentials() -> Any:
    module = importlib.import_module("google.oauth2.credentials")
    return module.Credentials(token="ya29.token", quota_project_id="my-project")


async def test_registering_sends_key_and_token_which_the_service_refuses_together(client: Any) -> None:
    with pytest.raises(Exception, match="OVERLOADED_CREDENTIALS"):
        await client.files.register_files(auth=credentials(), uris=["gs://bucket/film.mp4"])


async def test_registering_works_where_both_are_taken() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        genai = importlib.import_module("google.genai")
        async with running(Options(today=TODAY, key_beside_token=True)) as lenient:
            client = genai.Client(api_key="test", http_options={"base_url": lenient.url})
            async with client.aio as aio:
                made = await aio.files.register_files(auth=credentials(), uris=["gs://bucket/film.mp4"])
            (file,) = made.files
            assert (file.source.name, file.mime_type) == ("REGISTERED", "video/mp4")
            assert lenient.requests[0]["headers"]["x-goog-user-project"] == "my-project"


async def test_caches_from_their_beginning_to_their_end(client: Any) -> None:
    config = {"contents": STORY, "system_instruction": "Be brief.", "display_name": "Story", "ttl": "3600s"}
    cache = await client.caches.create(model=MODEL, config=config)
    assert (cache.model, cache.display_name) == (f"models/{MODEL}", "Story")
    assert cache.usage_metadata.total_token_count > 4096
    assert (await client.caches.get(name=cache.name)).expire_time == cache.expire_time
    assert cache.name in [one.name async for one in await client.caches.list(config={"page_size": 1})]
    later = await client.caches.update(name=cache.name, config={"ttl": "7200s"})
    assert later.expire_time > cache.expire_time
    response = await client.models.generate_content(
        model=MODEL, contents="What colour is the lighthouse?", config={"cached_content": cache.name}
    )
    assert "painted green in 1911" in response.text
    assert response.usage_metadata.cached_content_token_count == cache.usage_metadata.total_token_count
    await client.caches.delete(name=cache.name)
    with pytest.raises(Exception, match="CachedContent not found"):
        await client.caches.get(name=cache.name)


async def test_a_cache_of_an_uploaded_file(client: Any) -> None:
    file = await client.files.upload(file=io.BytesIO(STORY.encode()), config={"mime_type": "text/plain"})
    cache = await client.caches.create(model=MODEL, config={"contents": [file], "expire_time": "2099-01-02T03:04:05Z"})
    assert cache.expire_time.year == 2099
    with pytest.raises(Exception, match=r"too small\. total_token_count=1, min_total_token_count=4096"):
        await client.caches.create(model=MODEL, config={"contents": "x"})
