"""Google's own SDK reads embeddings, transcripts, grounding and plots."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google import genai
from google.genai import types

from gemini_emulator import Emulator

from .drawing import recording

pytestmark = pytest.mark.anyio


@pytest.fixture
async def models(emulator: Emulator) -> AsyncIterator[Any]:
    with warnings.catch_warnings():
        # The SDK's own deprecations are not ours to mend.
        warnings.simplefilter("ignore")
        client = genai.Client(api_key="test", http_options=types.HttpOptions(base_url=emulator.url))
        async with client.aio as aio:
            yield aio.models


async def test_embeddings(models: Any) -> None:
    config = types.EmbedContentConfig(output_dimensionality=64, task_type="RETRIEVAL_QUERY")
    old = await models.embed_content(model="gemini-embedding-001", contents=["a", "b"], config=config)
    assert [len(one.values) for one in old.embeddings] == [64, 64]
    # Known of this SDK: for the second model, a list becomes one content, and so one vector.
    new = await models.embed_content(model="gemini-embedding-2", contents=["a", "b"])
    assert [len(one.values) for one in new.embeddings] == [3072]


async def test_a_transcript(models: Any) -> None:
    audio = types.Part.from_bytes(data=recording(1, 1, 1), mime_type="audio/wav")
    config = types.GenerateContentConfig(
        audio_transcription_config=types.AudioTranscriptionConfig(diarization=True, word_timestamp=True)
    )
    response = await models.generate_content(model="gemini-3.5-transcribe", contents=[audio], config=config)
    first = response.candidates[0].content.parts[1].audio_transcription
    assert (first.speaker_label, first.start_offset, first.end_offset) == ("spk_1", "0s", "1s")
    assert first.words[0].word


async def test_grounding_and_plots(models: Any) -> None:
    kinds = types.SearchTypes(image_search=types.ImageSearch())
    config = types.GenerateContentConfig(tools=[types.Tool(google_search=types.GoogleSearch(search_types=kinds))])
    response = await models.generate_content(model="gemini-3.8-flash", contents="otters", config=config)
    metadata = response.candidates[0].grounding_metadata
    assert metadata.image_search_queries
    assert metadata.grounding_chunks[0].image.domain
    config = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])
    response = await models.generate_content(model="gemini-3.8-flash", contents="Plot 1, 2, 3", config=config)
    assert response.candidates[0].content.parts[1].inline_data.data.startswith(b"\x89PNG")
