"""synthesize_speech through the front door: voices, speakers, styles, and files that play."""

from __future__ import annotations

import asyncio
import base64
import json
import wave
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server.api.voices import PREBUILT
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, Reply, candidate, said, sent, warned
from tests.front.test_attachments import parts

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash-tts"
OLDER = "gemini-2.5-flash-preview-tts"
TEXT = "Have a wonderful day, and take an umbrella with you."
DIALOGUE = "Ada: Is it going to rain?\nBen: It may.\nThe sky is grey.\nAda: Then I stay."
SPEAKERS = {"Ada": "Kore", "Ben": "Puck"}
PCM = base64.b64encode(b"\x01\x00" * 8000).decode()


@pytest.fixture(name="connect")
def connect_to_jobs(connect: Connect) -> Connect:
    """Connect to a server whose jobs can be listed."""
    return partial(connect, toolsets=("default", "jobs"))


async def speak(client: Client, text: str = TEXT, **more: Any) -> Json:
    """The structured result, which must succeed."""
    return structured(await client.call_tool("synthesize_speech", {"text": text, **more}))


async def refused(client: Client, text: str = TEXT, **more: Any) -> str:
    """The text of a failing call."""
    return error_of(await client.call_tool("synthesize_speech", {"text": text, **more}))


def spoken(data: str = PCM, mime_type: str = "audio/L16;codec=pcm;rate=16000", **more: Any) -> Json:
    """The answer of a speech model."""
    return candidate({"inlineData": {"mimeType": mime_type, "data": data}}, **more)


def sound_of(artifact: Json) -> tuple[int, int, float]:
    """Rate, channels and seconds of a WAV file, by its own header."""
    with wave.open(artifact["path"]) as sound:
        assert sound.getsampwidth() == 2
        return sound.getframerate(), sound.getnchannels(), sound.getnframes() / sound.getframerate()


@pytest.mark.parametrize("mode", ERAS)
async def test_a_text_becomes_a_wav_file_that_plays(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("synthesize_speech", {"text": TEXT, "voice": "puck", "language": "en-GB"})
    found = structured(result)
    (artifact,) = found["artifacts"]
    rate, channels, seconds = sound_of(artifact)
    assert (rate, channels) == (24_000, 1)
    assert seconds == pytest.approx(artifact["duration_seconds"], abs=0.001)
    assert 1 < seconds < 20
    assert artifact["mime_type"] == "audio/wav"
    assert artifact["path"].endswith(".wav")
    assert artifact["bytes"] == Path(artifact["path"]).stat().st_size
    assert found["usage"]["cost_usd"] > 0
    assert found["model_version"].startswith(MODEL)
    assert "job" not in found
    assert "warnings" not in found
    assert artifact["uri"] in text_of(result)
    (request,) = emulator.requests
    assert request["path"].endswith(f"{MODEL}:generateContent")
    assert request["body"]["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {
            "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}},
            "languageCode": "en-GB",
        },
    }
    assert parts(request["body"]) == [{"text": TEXT}]


async def test_two_speakers_have_their_turns_each_in_a_part_with_its_name(connect: Connect, fake: FakeGemini) -> None:
    fake.say(spoken())
    async with connect(base_url=fake.url) as client:
        found = await speak(client, DIALOGUE, speakers=SPEAKERS, style="worried")
    assert sound_of(found["artifacts"][0])[2] == 0.5
    (body,) = fake.requests
    assert body["generationConfig"]["speechConfig"] == {
        "multiSpeakerVoiceConfig": {
            "speakerVoiceConfigs": [
                {"speaker": name, "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
                for name, voice in SPEAKERS.items()
            ]
        }
    }
    assert parts(body) == [
        {"text": "Is it going to rain?", "speechMetadata": {"speaker": "Ada", "style": "worried"}},
        {"text": "It may.\nThe sky is grey.", "speechMetadata": {"speaker": "Ben", "style": "worried"}},
        {"text": "Then I stay.", "speechMetadata": {"speaker": "Ada", "style": "worried"}},
    ]


async def test_a_dialogue_of_two_plays(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        found = await speak(client, DIALOGUE, speakers=SPEAKERS, style="worried")
    rate, channels, seconds = sound_of(found["artifacts"][0])
    assert (rate, channels) == (24_000, 1)
    assert seconds > 2
    assert len(emulator.requests) == 1


async def test_a_style_goes_beside_the_text_which_is_read_word_for_word(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await speak(client, style="cheerful, fast")
    assert parts(sent(emulator)) == [{"text": TEXT, "speechMetadata": {"style": "cheerful, fast"}}]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, TEXT),
        ({"style": "cheerfully"}, f"Say cheerfully: {TEXT}"),
        ({"style": "Whisper sadly:"}, f"Whisper sadly: {TEXT}"),
        (
            {"text": DIALOGUE, "speakers": SPEAKERS, "style": "worried"},
            f"TTS the following conversation between Ada and Ben, worried:\n{DIALOGUE}",
        ),
    ],
)
async def test_the_older_models_take_style_and_names_in_the_text(
    connect: Connect, fake: FakeGemini, arguments: Json, text: str
) -> None:
    fake.say(spoken())
    async with connect(base_url=fake.url) as client:
        await speak(client, **{"text": TEXT, "model": OLDER, **arguments})
    assert parts(fake.requests[0]) == [{"text": text}]


async def test_sound_without_a_header_gets_one_by_its_announced_rate(connect: Connect, fake: FakeGemini) -> None:
    fake.say(spoken())
    async with connect(base_url=fake.url) as client:
        found = await speak(client)
    assert sound_of(found["artifacts"][0]) == (16_000, 1, 0.5)


@pytest.mark.parametrize("voice", ["voice_abc-123", "voices/voice_abc-123"])
async def test_a_voice_of_ones_own_goes_by_its_id(connect: Connect, fake: FakeGemini, voice: str) -> None:
    fake.say(spoken())
    async with connect(base_url=fake.url) as client:
        await speak(client, voice=voice)
    config = fake.requests[0]["generationConfig"]["speechConfig"]
    assert config == {"voiceConfig": {"voice": "voice_abc-123"}}


REFUSED: list[tuple[Json, str]] = [
    ({"text": " \n"}, "nothing to say"),
    ({"voice": "Kora"}, "Did you mean Kore (firm)"),
    ({"voice": "warm"}, "Sulafat (warm)"),
    ({"voice": "Xyzzy"}, "Zubenelgenubi"),
    ({"voice": "a b"}, "no voice 'a b'"),
    ({"voice": ""}, "no voice ''"),
    ({"language": "German please"}, "no language tag"),
    ({"text": DIALOGUE, "speakers": {"Ada": "Kore"}}, "two names with a voice each, not 1"),
    ({"text": DIALOGUE, "speakers": {**SPEAKERS, "Cy": "Orus"}}, "not 3"),
    ({"text": DIALOGUE, "speakers": {"Ada": "Kore", "Ben": "Pukc"}}, "Did you mean Puck"),
    ({"text": DIALOGUE, "speakers": SPEAKERS, "voice": "Kore"}, "either voice or speakers"),
    ({"text": DIALOGUE, "speakers": {"Ada": "Kore", "Bob": "Puck"}}, "Bob says nothing in the text"),
    ({"text": "Ada: Hello.\nBen:  ", "speakers": SPEAKERS}, "Ben says nothing"),
    ({"text": f"Once upon a time.\n{DIALOGUE}", "speakers": SPEAKERS}, '"Ada: …\\nBen: …"'),
    ({"text": DIALOGUE, "speakers": {" ": "Kore", "Ben": "Puck"}}, "has no name"),
    ({"text": "word " * 8000}, "Split the text"),
    ({"speakers": "Ada"}, "speakers"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[words[:24] for _, words in REFUSED])
async def test_what_cannot_be_said_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in await refused(client, **arguments)
    assert emulator.requests == []


def test_there_are_thirty_voices_and_each_has_a_character() -> None:
    assert len(PREBUILT) == 30
    assert all(PREBUILT.values())


async def test_a_voice_that_answers_in_writing_is_asked_once_more(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("I would say that warmly."), spoken())
    async with connect(base_url=fake.url) as client:
        found = await speak(client)
    assert sound_of(found["artifacts"][0])[2] == 0.5
    assert "second time" in warned(found)
    assert found["usage"]["total_tokens"] == 28
    assert len(fake.requests) == 2
    assert fake.requests[0] == fake.requests[1]


async def test_a_voice_that_only_writes_is_an_error_that_says_so(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("No."))
    async with connect(base_url=fake.url) as client:
        assert "instead of speech" in await refused(client)
    assert len(fake.requests) == 2


async def test_a_text_that_takes_longer_than_the_model_speaks_is_warned_of(connect: Connect, fake: FakeGemini) -> None:
    fake.say(spoken(finish="MAX_TOKENS"))
    async with connect(base_url=fake.url) as client:
        found = await speak(client, "Many words are said. " * 700)
    assert "the end may be missing" in warned(found)
    assert found["incomplete"]


async def test_nothing_is_sent_for_an_estimate(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        result = await client.call_tool("synthesize_speech", {"text": "word " * 300, "dry_run": True})
        unknown = await speak(client, dry_run=True, model="gemini-9-tts")
    found = structured(result)
    assert found["dry_run"] is True
    assert found["estimated_cost_usd"] == pytest.approx(0.0227, abs=0.001)
    assert found["model"] == MODEL
    assert "about $0.02" in text_of(result)
    assert "estimated_cost_usd" not in unknown
    assert emulator.requests == []


async def test_a_dropped_call_ends_in_the_ledger_with_one_request(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    fake.say(Reply(spoken(), gate=gate))
    async with connect(base_url=fake.url) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "synthesize_speech", {"text": TEXT})
            await fake.wait_for(1)
            tasks.cancel_scope.cancel()
        (job,) = structured(await client.call_tool("list_jobs", {"kind": "speech"}))["jobs"]
        assert job["status"] == "submitting"
        gate.set()
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
        again = await speak(client)
    assert done["status"] == "done"
    assert sound_of(done["artifacts"][0])[2] == 0.5
    assert again["artifacts"] == done["artifacts"]
    assert "nothing was made or billed anew" in warned(again)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("mode", ERAS)
async def test_whoever_does_not_wait_gets_a_job(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("synthesize_speech", {"text": TEXT, "wait_seconds": 0})
        job = structured(result)["job"]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
    assert job["kind"] == "speech"
    assert job["id"] in job["next"]
    assert "Do not start it again" in text_of(result)
    assert done["status"] == "done"
    assert sound_of(done["artifacts"][0])[2] > 1
    assert done["cost_usd"] > 0
    assert len(emulator.requests) == 1


async def test_the_same_call_is_made_once_unless_it_is_wanted_twice(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await speak(client)
        second = await speak(client, wait_seconds=30)
        third = await speak(client, reuse=False)
        other = await speak(client, voice="Puck")
    assert second["artifacts"] == first["artifacts"]
    assert third["artifacts"][0]["id"] != first["artifacts"][0]["id"]
    assert other["artifacts"][0]["id"] != first["artifacts"][0]["id"]
    assert len(emulator.requests) == 3


async def test_progress_is_told_while_it_is_made(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")
        gate.set()

    fake.say(Reply(spoken(), gate=gate))
    async with connect(base_url=fake.url) as client:
        arguments = {"text": TEXT}
        structured(await client.call_tool("synthesize_speech", arguments, progress_callback=hear))
    assert any("speech" in message for message in heard)


async def test_a_text_is_no_part_of_a_log_or_an_error(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("status=400")
    async with connect() as client:
        words = await refused(client, "A secret text.")
    assert "A secret text" not in words
    assert json.dumps(emulator.requests).count("A secret text") == 1


async def test_a_model_that_cannot_do_it_is_not_priced(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("all",)) as client:
        arguments = {"text": "hi", "dry_run": True, "model": "gemini-3.8-flash"}
        text = error_of(await client.call_tool("synthesize_speech", arguments))
    assert text.startswith("gemini-3.8-flash does not speak.")
    assert not emulator.requests
