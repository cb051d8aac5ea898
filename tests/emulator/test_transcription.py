"""Transcripts: times inside of the recording, around its pauses, by speaker and language."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import jsonschema
import pytest

from .conftest import Api, ask, text_of
from .drawing import inline, recording

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.5-transcribe"
TALK = inline("audio/wav", recording(2, 1, 3, 0.5, 1.5))


async def parts(api: Api, part: dict[str, Any] | None = None, **config: Any) -> list[dict[str, Any]]:
    body = {**ask(part or TALK), "generationConfig": {"audioTranscriptionConfig": config}}
    response = await api.post("generateContent", body, model=MODEL)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["candidates"][0]["content"]["parts"]
    return found


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


async def test_a_transcript_has_its_text_and_a_part_for_each_segment(api: Api) -> None:
    text, *segments = await parts(api, diarization=True, wordTimestamp=True)
    found = [one["audioTranscription"] for one in segments]
    assert text["text"] == " ".join(one["text"] for one in found)
    assert [one["speakerLabel"] for one in found] == ["spk_1", "spk_2", "spk_1"]
    spans = [(seconds(one["startOffset"]), seconds(one["endOffset"])) for one in found]
    assert spans == [pytest.approx(span, abs=0.11) for span in ((0, 2), (3, 6), (6.5, 8))]
    assert {one["languageCode"] for one in found} == {"en-US"}


async def test_words_have_times_inside_of_their_segment(api: Api) -> None:
    _, *segments = await parts(api, wordTimestamp=True)
    for one in (segment["audioTranscription"] for segment in segments):
        assert "speakerLabel" not in one
        assert " ".join(word["word"] for word in one["words"]) == one["text"]
        times = [seconds(word[name]) for word in one["words"] for name in ("startOffset", "endOffset")]
        assert times == sorted(times)
        assert seconds(one["startOffset"]) == times[0]
        assert times[-1] <= seconds(one["endOffset"]) + 1e-9


@pytest.mark.parametrize(("code", "expected"), [("de", "de-DE"), ("ja-JP", "ja-JP"), ("en-GB", "en-GB")])
async def test_the_language_is_kept(api: Api, code: str, expected: str) -> None:
    text, *segments = await parts(api, languageCodes=[code])
    assert {one["audioTranscription"]["languageCode"] for one in segments} == {expected}
    if code != "en-GB":
        assert text["text"] != (await parts(api))[0]["text"]


async def test_vocabulary_appears(api: Api) -> None:
    words = ["Zürcher Kantonalbank", "gRPC", "Kubernetes", "Nānā"]
    text, *_ = await parts(api, customVocabulary=words)
    assert all(word in text["text"] for word in words)


async def test_smart_mode_is_text_alone(api: Api) -> None:
    found = await parts(api, mode="SMART")
    assert [set(part) - {"thoughtSignature"} for part in found] == [{"text"}]


async def test_a_transcription_model_transcribes_without_being_asked(api: Api) -> None:
    response = (await api.post("generateContent", ask(TALK), model=MODEL)).json()
    assert text_of(response)
    assert "audioTranscription" in response["candidates"][0]["content"]["parts"][-1]


async def test_the_transcript_streams(api: Api) -> None:
    body = ask(TALK)
    response = await api.post("streamGenerateContent", body, model=MODEL)
    assert "".join(text_of(event) for event in response.json()) == text_of(
        (await api.post("generateContent", body, model=MODEL)).json()
    )


REFUSED: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("a general model", "gemini-3.8-flash", TALK, {}, "not supported for this model"),
    ("SMART with speakers", MODEL, TALK, {"mode": "SMART", "diarization": True}, "incompatible with mode SMART"),
    ("SMART with times", MODEL, TALK, {"mode": "SMART", "wordTimestamp": True}, "incompatible with mode SMART"),
    ("a source text alone", MODEL, TALK, {"sourceText": "x"}, "only allowed with mode SMART"),
    ("a language that is none", MODEL, TALK, {"languageCodes": ["Klingon please"]}, "BCP-47"),
    ("a dictionary", MODEL, TALK, {"customVocabulary": ["x"] * 1001}, "at most 1000 phrases"),
    ("no recording", MODEL, {"text": "hi"}, {}, "requires an audio input"),
]


@pytest.mark.parametrize(("what", "model", "part", "config", "words"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_a_transcription_is_refused(
    api: Api, what: str, model: str, part: dict[str, Any], config: dict[str, Any], words: str
) -> None:
    body = {**ask(part), "generationConfig": {"audioTranscriptionConfig": config}}
    assert words in await api.refusal(body, model=model), what


def schema(**times: Any) -> dict[str, Any]:
    time = times or {"type": "number"}
    properties = {"start": time, "end": time, "speaker": {"type": "string"}, "text": {"type": "string"}}
    items = {"type": "object", "properties": properties, "required": ["start", "end", "text"]}
    return {
        "type": "object",
        "properties": {"language": {"type": "string"}, "segments": {"type": "array", "items": items}},
        "required": ["segments"],
    }


async def segments_of(api: Api, prompt: str, part: dict[str, Any], form: dict[str, Any]) -> list[dict[str, Any]]:
    config = {"responseMimeType": "application/json", "responseJsonSchema": form}
    value = json.loads(await api.text("", contents=ask(part, prompt)["contents"], generationConfig=config))
    jsonschema.validate(value, form)
    found: list[dict[str, Any]] = value["segments"]
    return found


@pytest.mark.parametrize(
    "part",
    [TALK, inline("audio/wav", recording(31)), inline("audio/mp3", b"\xff\xfb" + b"\0" * 320_000),
     inline("audio/wav", recording(0, 12))],
    ids=["with pauses", "one long speech", "an MP3", "silence"],
)  # fmt: skip
async def test_segments_are_ordered_and_inside_of_the_recording(api: Api, part: dict[str, Any]) -> None:
    found = await segments_of(api, "Transcribe this", part, schema())
    raw = len(part["inlineData"]["data"]) * 3 // 4
    duration = raw / 16_000
    assert len(found) >= 3
    assert all(0 <= one["start"] < one["end"] <= duration + 0.01 for one in found)
    assert all(one["end"] <= other["start"] for one, other in pairwise(found))
    assert {one["speaker"] for one in found} == {"Speaker 1", "Speaker 2"}


async def test_the_prompt_names_speakers_language_and_vocabulary(api: Api) -> None:
    prompt = "Transcribe in German. Speakers: Ada, Ben\nVocabulary: Grüezi, gRPC"
    found = await segments_of(api, prompt, TALK, schema())
    assert {one["speaker"] for one in found} == {"Ada", "Ben"}
    text = " ".join(one["text"] for one in found)
    assert "Grüezi" in text
    assert "gRPC" in text
    assert "Und dann ist da noch" in text


@pytest.mark.parametrize(
    ("times", "end"),
    [({"type": "string"}, "00:02"), ({"type": "string", "description": "HH:MM:SS.mmm"}, "00:00:02.000"),
     ({"type": "string", "pattern": r"^\d+(\.\d+)?s$"}, "2s"), ({"type": "integer"}, 2),
     ({"type": "string", "description": "in seconds"}, "2")],
)  # fmt: skip
async def test_times_come_in_the_form_that_is_asked_for(api: Api, times: dict[str, Any], end: object) -> None:
    found = await segments_of(api, "Transcribe", TALK, schema(**times))
    assert found[0]["end"] == end


async def test_a_section_of_the_recording_is_kept_to(api: Api) -> None:
    part = {**TALK, "audioMetadata": {"startOffset": "3.5s", "endOffset": "7s"}}
    found = await segments_of(api, "Transcribe", part, schema())
    assert found[0]["start"] >= 3.5
    assert found[-1]["end"] <= 7
