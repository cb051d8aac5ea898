"""Google's own SDK manages agents, environments, voices, decisions and credentials without knowing the emulator."""

from __future__ import annotations

import base64
import importlib
import io
import tarfile
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gemini_emulator import Emulator

pytestmark = pytest.mark.anyio

SOUND = {"data": base64.b64encode(b"RIFF some recording").decode(), "mime_type": "audio/wav"}


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Any]:
    with warnings.catch_warnings():
        # The SDK's own deprecations and experiments are not ours to mend.
        warnings.simplefilter("ignore")
        genai = importlib.import_module("google.genai")
        client = genai.Client(api_key="test", http_options={"base_url": emulator.url})
        async with client.aio as aio:
            yield aio


async def test_agents_and_credentials(client: Any) -> None:
    created = await client.credentials.create(type="bearer_token", id="sdk", token="s3cret")
    changed = await client.credentials.update("sdk", type="bearer_token", token="s3cret too", update_mask="token")
    assert (created.status, changed.type, changed.create_time) == ("active", "bearer_token", created.create_time)
    rule = {"domain": "api.example.com", "credential": "sdk"}
    agent = await client.agents.create(
        id="sdk-agent",
        base_agent="antigravity-preview-09-2026",
        base_environment={"type": "remote", "network": {"allowlist": [rule]}},
        agent_config={"type": "antigravity", "max_total_tokens": 5000},
        tools=[{"type": "code_execution"}],
    )
    assert (agent.id, agent.agent_config.max_total_tokens, agent.tools[0].type) == ("sdk-agent", 5000, "code_execution")
    assert [one.id for one in (await client.agents.list(page_size=5)).agents] == ["sdk-agent"]
    await client.agents.delete("sdk-agent")
    await client.credentials.delete("sdk")
    with pytest.raises(Exception, match="'sdk-agent' was not found"):
        await client.agents.get("sdk-agent")
    assert not (await client.credentials.list()).credentials


async def test_an_environment_with_its_files(client: Any) -> None:
    sources = [{"type": "inline", "content": "hello", "target": "notes/hello.txt"}]
    environment = await client.environments.create(sources=sources, network="disabled")
    assert (environment.file_count, environment.size_bytes, environment.status) == (1, 5, "active")
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("empty.txt"), io.BytesIO())
    done = await client.environments.files.upload(
        environment=environment.id, path="unpacked", file=raw.getvalue(), extract=True
    )
    assert [one.path for one in done.files] == ["unpacked/empty.txt"]
    await client.environments.files.upload(environment=environment.id, path="data/a b.txt", file=b"one")
    data = await client.environments.files.download(environment=environment.id, path="data/a b.txt")
    assert data == b"one"
    listed = await client.environments.files.list(environment.id, "notes/hello.txt")
    assert (listed.files[0].size_bytes, listed.files[0].mime_type) == (5, "text/plain")
    copy = await client.environments.create(from_environment=environment.id)
    assert (await client.environments.get(copy.id)).file_count == 3
    await client.environments.delete(environment.id)
    assert [one.id for one in (await client.environments.list()).environments] == [copy.id]


async def test_voices(client: Any) -> None:
    designed = await client.voices.create(
        voice={"type": "prompted", "prompted": {"input": "A warm old man"}, "display_name": "Old man"}, store=True
    )
    copied = await client.voices.create(
        voice={"type": "replicated", "replicated": {"source_audio": SOUND, "consent_audio": SOUND}}
    )
    assert (designed.type, copied.id, copied.key[:9]) == ("prompted", None, "voicekey_")
    found = await client.voices.list(type_=["prompted", "replicated"], search="old")
    assert [one.id for one in found.voices] == [designed.id]
    speech = {"speech_config": [{"voice": designed.id}]}
    spoken = await client.interactions.create(
        model="gemini-3.8-flash-tts", input="Good morning", generation_config=speech
    )
    assert spoken.output_audio.data
    await client.voices.delete(designed.id)
    with pytest.raises(Exception, match="was not found"):
        await client.voices.get(designed.id)


async def test_a_decision(client: Any) -> None:
    decision = await client.decisions.create(
        model="models/gemini-3.8-flash",
        input="I want my money back.",
        questions={
            "refund": {"type": "noul", "instructions": "Does the customer want money back?"},
            "tone": {"type": "score", "instructions": "How polite?", "criteria": ["rude", "polite"]},
        },
    )
    assert decision.answers["refund"].noul > 0.5
    assert 0 <= decision.answers["tone"].score <= 1
    assert decision.usage.total_tokens > 0
