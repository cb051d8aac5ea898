"""Google's own SDK runs batches without knowing where."""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from google import genai
from google.genai import errors, types

from gemini_emulator import Emulator

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


def question(text: str, key: str) -> types.InlinedRequest:
    return types.InlinedRequest(
        contents=[types.Content(role="user", parts=[types.Part(text=text)])],
        metadata={"key": key},
        config=types.GenerateContentConfig(max_output_tokens=500, system_instruction="Be brief."),
    )


async def ended(client: genai.client.AsyncClient, job: types.BatchJob) -> types.BatchJob:
    while not job.done:
        assert job.name is not None
        job = await client.batches.get(name=job.name)
    return job


async def test_an_inline_batch(client: genai.client.AsyncClient) -> None:
    source = [question("Explain tides", "a"), question("x [emulate: status=429]", "b")]
    job = await client.batches.create(model=MODEL, src=source, config={"display_name": "seas"})
    assert (job.state, job.display_name) == (types.JobState.JOB_STATE_PENDING, "seas")
    job = await ended(client, job)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert job.dest is not None
    good, bad = job.dest.inlined_responses or []
    assert good.response is not None
    assert (good.response.text or "").startswith("[emulated]")
    assert (good.metadata, bad.metadata) == ({"key": "a"}, {"key": "b"})
    assert bad.error is not None
    assert bad.error.code == 8


async def test_a_batch_from_a_file(client: genai.client.AsyncClient) -> None:
    lines = [{"key": key, "request": {"contents": [{"parts": [{"text": key}]}]}} for key in ("tides", "ebb", "flood")]
    data = "\n".join(json.dumps(line) for line in lines).encode()
    file = await client.files.upload(file=BytesIO(data), config={"mime_type": "application/jsonl"})
    job = await ended(client, await client.batches.create(model=MODEL, src=file.name or ""))
    assert job.dest is not None
    assert job.dest.file_name is not None
    responses = (await client.files.download(file=job.dest.file_name)).decode().splitlines()
    assert {json.loads(line)["key"] for line in responses} == {"tides", "ebb", "flood"}


async def test_batches_are_listed_cancelled_and_deleted(client: genai.client.AsyncClient) -> None:
    jobs = [await client.batches.create(model=MODEL, src=[question("a", "a")]) for _ in range(3)]
    names = [job.name or "" for job in jobs]
    listed = [job.name async for job in await client.batches.list(config={"page_size": 2})]
    assert listed[:3] == names[::-1]
    await client.batches.cancel(name=names[0])
    assert (await client.batches.get(name=names[0])).state == types.JobState.JOB_STATE_CANCELLED
    await client.batches.delete(name=names[0])
    with pytest.raises(errors.ClientError) as gone:
        await client.batches.get(name=names[0])
    assert gone.value.code == 404


async def test_a_failed_batch(client: genai.client.AsyncClient) -> None:
    config = types.CreateBatchJobConfig(display_name="[emulate: outcome=failed message=Gone polls=0]")
    job = await ended(client, await client.batches.create(model=MODEL, src=[question("a", "a")], config=config))
    assert job.state == types.JobState.JOB_STATE_FAILED


async def test_a_batch_of_embeddings(client: genai.client.AsyncClient) -> None:
    contents = [types.Content(role="user", parts=[types.Part(text=text)]) for text in ("a cat", "a train")]
    config = types.EmbedContentConfig(output_dimensionality=8)
    source = types.EmbeddingsBatchJobSource(inlined_requests=types.EmbedContentBatch(contents=contents, config=config))
    job = await ended(client, await client.batches.create_embeddings(model="gemini-embedding-001", src=source))
    assert job.dest is not None
    found = job.dest.inlined_embed_content_responses or []
    direct = await client.models.embed_content(model="gemini-embedding-001", contents=contents, config=config)
    vectors = [one.response.embedding.values for one in found if one.response and one.response.embedding]
    assert vectors == [one.values for one in direct.embeddings or []]
