"""Voices and decisions through the front door."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect
from tests.emulator.drawing import RED, Drawing, recording
from tests.front.conftest import FakeGemini, sent
from tests.front.platforming import ON, Json, do, fails

pytestmark = pytest.mark.anyio

TEXT = "data:text/plain;base64,aGk="
QUESTIONS: Json = {
    "tone": {
        "type": "choice", "instructions": "Which tone has it?",
        "criteria": {"angry": "the writer is angry", "happy": "the writer is happy"},
    },
    "urgency": {"type": "score", "instructions": "How urgent is it?", "criteria": ["not at all", "soon", "now"]},
    "refund": {
        "type": "noul", "instructions": "Is money to be given back?", "criteria": {"true_description": "it says so"},
    },
}  # fmt: skip


async def test_a_designed_voice_is_heard_listed_spoken_with_and_deleted(connect: Connect, emulator: Emulator) -> None:
    async with connect(**ON) as client:
        given = {"prompt": "A deep, calm narrator", "display_name": "Nora", "language_code": "en-GB"}
        made = await do(client, "create_voice", **given)
        voice = made["voice"]
        assert sent(emulator) == {
            "voice": {
                "type": "prompted", "prompted": {"input": "A deep, calm narrator"}, "display_name": "Nora",
                "language_code": "en-GB",
            },
            "store": True,
        }  # fmt: skip
        assert (voice["type"], voice["display_name"]) == ("prompted", "Nora")
        assert "sample_audio" not in voice
        assert made["artifacts"][0]["mime_type"].startswith("audio/")
        assert made["usage"]["total_tokens"] > 0
        assert voice in (await do(client, "list_voices", type=["prompted"]))["voices"]
        assert (await do(client, "list_voices", id=f"voices/{voice['id']}"))["voices"] == [voice]
        for named in (voice["id"], f"voices/{voice['id']}"):
            spoken = await do(client, "synthesize_speech", text="Hello there", voice=named, reuse=False)
            assert spoken["artifacts"]
            config = sent(emulator)["generationConfig"]["speechConfig"]
            assert config == {"voiceConfig": {"voice": voice["id"]}}
        other = (await do(client, "create_voice", prompt="Brighter", base_voice=f"voices/{voice['id']}"))["voice"]
        assert sent(emulator)["voice"]["prompted"]["base_voice"] == voice["id"]
        for one in (voice, other):
            assert await do(client, "delete_voice", id=one["id"]) == {"deleted": one["id"]}


async def test_a_replicated_voice_comes_as_a_key_that_speaks(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    for name in ("speaker.wav", "consent.wav"):
        (tmp_path / "allowed" / name).write_bytes(recording(1, 1, 1))
    async with connect(**ON) as client:
        given = {"source_audio": "speaker.wav", "consent_audio": "consent.wav", "store": False}
        voice = (await do(client, "create_voice", **given))["voice"]
        replicated = sent(emulator)["voice"]["replicated"]
        assert replicated["source_audio"]["mime_type"] == "audio/wav"
        assert base64.b64decode(replicated["consent_audio"]["data"]) == recording(1, 1, 1)
        assert voice["key"].startswith("voicekey_")
        assert (await do(client, "synthesize_speech", text="Hello there", voice=voice["key"]))["artifacts"]


async def test_all_filters_of_voices_are_sent_and_several_values_are_alternatives(
    connect: Connect, fake: FakeGemini
) -> None:
    fake.say({"voices": [{"id": "Kore", "type": "prebuilt", "gender": "female"}]})
    filters: Json = {
        "type": ["prebuilt"], "search": "warm", "language_code": ["en-GB", "de-DE"], "region_code": ["GB"],
        "accent": ["British"], "gender": ["female"], "persona": ["Narrator"], "context": ["News"], "pitch": ["low"],
    }  # fmt: skip
    async with connect(base_url=fake.url, **ON) as client:
        found = await do(client, "list_voices", **filters)
    assert found == {"voices": [{"id": "Kore", "type": "prebuilt", "gender": "female"}]}
    for name, value in filters.items():
        for one in [value] if isinstance(value, str) else value:
            assert f"{name}={one}" in fake.paths[0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "It is not said how the voice is to sound"),
        ({"prompt": "x", "source_audio": "a.wav"}, "not both"),
        ({"source_audio": "a.wav"}, "consent_audio is missing"),
        ({"prompt": "x", "store": False}, "A designed voice is always stored"),
        ({"prompt": "x", "base_voice": "Korre"}, "There is no voice 'Korre'"),
        ({"source_audio": "files/x", "consent_audio": "files/y"}, "The bytes of source_audio have to be here"),
        ({"source_audio": TEXT, "consent_audio": TEXT}, "source_audio is no sound"),
    ],
)
async def test_a_voice_that_cannot_be_is_refused_before_sending(
    connect: Connect, emulator: Emulator, given: Json, words: str
) -> None:
    async with connect(**ON) as client:
        assert words in await fails(client, "create_voice", **given)
    assert not [one for one in emulator.requests if one["method"] == "POST"]


async def test_questions_of_all_kinds_are_answered_with_probabilities_and_booked(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect(**ON) as client:
        made = await do(client, "create_decision", input="I want my money back, now!", questions=QUESTIONS)
        assert sent(emulator) == {
            "model": "models/gemini-3.8-flash", "input": "I want my money back, now!", "questions": QUESTIONS,
        }  # fmt: skip
        picture = Drawing(40, 40).paint("square", RED, 10, 10, 30, 30).png()
        media = [f"data:image/png;base64,{base64.b64encode(picture).decode()}"]
        await do(client, "create_decision", input="What of this?", media=media, questions=QUESTIONS)
        assert [one["type"] for one in sent(emulator)["input"]] == ["image", "text"]
        books = await client.read_resource("gemini://usage")
    answers = made["answers"]
    assert answers["tone"]["choice"] in ("angry", "happy")
    assert sum(answers["tone"]["probabilities"].values()) == pytest.approx(1, abs=0.01)
    assert 0 <= answers["urgency"]["score"] <= 2
    assert 0 <= answers["refund"]["noul"] <= 1
    assert made["usage"]["cost_usd"] > 0
    assert '"calls":2' in getattr(books.contents[0], "text", "").replace(" ", "")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"input": "x", "questions": {}}, "There are no questions"),
        ({"questions": QUESTIONS}, "There is nothing to judge"),
        ({"input": "x", "questions": {"a": {"type": "choice", "instructions": "?", "criteria": {"one": "x"}}}},
         "questions.a.choice.criteria: dictionary should have at least 2 items"),
        ({"input": "x", "questions": {"a": {"type": "text", "instructions": "?"}}}, "questions.a: input tag 'text'"),
    ],
)  # fmt: skip
async def test_questions_that_are_none_are_refused_before_sending(
    connect: Connect, emulator: Emulator, given: dict[str, Any], words: str
) -> None:
    async with connect(**ON) as client:
        assert words in await fails(client, "create_decision", **given)
    assert not emulator.requests


async def test_what_gemini_declines_to_judge_says_so_with_its_price(connect: Connect, fake: FakeGemini) -> None:
    feedback = {"block_reason": "prohibited_content", "block_reason_message": "no"}
    fake.say({"prompt_feedback": feedback, "usage": {"total_input_tokens": 10, "total_tokens": 10}})
    async with connect(base_url=fake.url, **ON) as client:
        text = await fails(client, "create_decision", input="x", questions=QUESTIONS)
    assert "Gemini declined to judge this (prohibited_content): no" in text


@pytest.mark.parametrize(
    ("sample", "kept"),
    [
        ({"data": "@@@", "mime_type": "audio/wav"}, None),
        ({"data": "AAAA" * 100, "mime_type": "audio/L16;rate=24000"}, "audio/wav"),
    ],
)
async def test_a_sample_is_sound_that_can_be_played_or_it_is_said_to_be_lost(
    fake: FakeGemini, connect: Connect, sample: Json, kept: str | None
) -> None:
    fake.say({"id": "voice_1", "type": "prompted", "sample_audio": sample})
    async with connect(**ON, base_url=fake.url) as client:
        made = await do(client, "create_voice", prompt="Calm")
    assert made["voice"]["id"] == "voice_1"
    assert [one["mime_type"] for one in made.get("artifacts", ())] == ([kept] if kept else [])
    assert bool(made.get("warnings")) == (kept is None)


async def test_the_key_of_a_voice_is_whole_in_a_list_too(fake: FakeGemini, connect: Connect) -> None:
    key = "voicekey_" + "x" * 900
    fake.say({"voices": [{"key": key, "description": "d" * 900}]})
    async with connect(**ON, base_url=fake.url) as client:
        [voice] = (await do(client, "list_voices"))["voices"]
    assert voice["key"] == key
    assert len(voice["description"]) == 300
