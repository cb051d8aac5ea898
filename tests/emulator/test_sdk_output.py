"""Google's own SDK gets pictures and speech, and downloads what was made."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google import genai
from google.genai import types

from gemini_emulator import Emulator, media_output

from .conftest import Api

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[genai.client.AsyncClient]:
    with warnings.catch_warnings():
        # The SDK's own deprecations are not ours to mend.
        warnings.simplefilter("ignore")
        client = genai.Client(api_key="test", http_options=types.HttpOptions(base_url=emulator.url))
        async with client.aio as aio:
            yield aio


async def test_a_picture(client: genai.client.AsyncClient) -> None:
    config = types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(aspect_ratio="16:9", image_size="2K")
    )
    response = await client.models.generate_content(model="gemini-nano-banana-2.1", contents="A fox", config=config)
    assert response.parts is not None
    (picture,) = [part.as_image() for part in response.parts if part.inline_data]
    assert picture is not None
    assert response.usage_metadata is not None
    (_, image) = response.usage_metadata.candidates_tokens_details or []
    assert (image.modality, image.token_count) == (types.MediaModality.IMAGE, 1680)


async def test_a_conversation_in_two_voices(client: genai.client.AsyncClient) -> None:
    def speaker(name: str, voice: str) -> types.SpeakerVoiceConfig:
        prebuilt = types.PrebuiltVoiceConfig(voice_name=voice)
        return types.SpeakerVoiceConfig(speaker=name, voice_config=types.VoiceConfig(prebuilt_voice_config=prebuilt))

    speakers = types.MultiSpeakerVoiceConfig(speaker_voice_configs=[speaker("Joe", "Kore"), speaker("Jane", "Puck")])
    config = types.GenerateContentConfig(
        response_modalities=["AUDIO"], speech_config=types.SpeechConfig(multi_speaker_voice_config=speakers)
    )
    text = "Joe: How are you?\nJane: Fine."
    parts = [
        types.Part(text=said, speech_metadata=types.SpeechMetadata(speaker=name))
        for name, said in (("Joe", "How are you?"), ("Jane", "Fine."))
    ]
    response = await client.models.generate_content(
        model="gemini-3.8-flash-tts", contents=types.Content(role="user", parts=parts), config=config
    )
    assert response.parts is not None
    blob = response.parts[0].inline_data
    assert blob is not None
    assert (blob.mime_type, blob.data) == (
        "audio/L16;codec=pcm;rate=24000",
        media_output.speak(text, ["Kore", "Puck"]),
    )


async def test_a_download(client: genai.client.AsyncClient, api: Api, tmp_path: Path) -> None:
    # The delivery is in Google's discovery document, but not yet in its SDK.
    config = {"responseModalities": ["IMAGE"], "responseFormat": {"image": {"delivery": "URI"}}}
    await api.generate("A fox", model="gemini-nano-banana-2.1", generationConfig=config)
    files = [file async for file in await client.files.list()]
    file = files[-1]
    assert (file.source, file.state) == (types.FileSource.GENERATED, types.FileState.ACTIVE)
    target = tmp_path / "fox.png"
    await client.files.download(file=file, destination=str(target))
    assert target.read_bytes() == media_output.draw("A fox", 1024, 1024)
