"""transcribe_audio through the front door: what is said, by whom, when, and as subtitles."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.emulator.drawing import recording
from tests.front.conftest import FakeGemini, Json, Reply, candidate, said, sent, warned
from tests.front.test_attachments import parts, png

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.5-transcribe"
GENERAL = "gemini-3.8-flash"
DURATION = 8.0
HOSTILE = '\x1b[31mred\x1b[0m\u202e\x00 {\\an8} <i onclick="x">hi</i> --> ![x](https://evil.example)\n\n1\n00:00:00,000'


@pytest.fixture(name="connect")
def connect_to_media(connect: Connect) -> Connect:
    """Connect to a server with the media tools, of which only one is on by default."""
    return partial(connect, toolsets=("media",))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A recording of eight seconds: two voices, three stretches, two pauses."""
    file = tmp_path / "allowed" / "talk.wav"
    file.write_bytes(recording(2, 1, 3, 0.5, 1.5))
    return file


async def transcribe(client: Client, audio: str = "talk.wav", **more: Any) -> Json:
    """The structured result, which must succeed."""
    return structured(await client.call_tool("transcribe_audio", {"audio": audio, **more}))


async def refused(client: Client, audio: str = "talk.wav", **more: Any) -> str:
    """The text of a failing call."""
    return error_of(await client.call_tool("transcribe_audio", {"audio": audio, **more}))


def spoken(text: str, start: str | None = None, end: str | None = None, **more: Any) -> Json:
    """A part of a transcription model's answer."""
    times = {name: value for name, value in (("startOffset", start), ("endOffset", end)) if value is not None}
    return {"audioTranscription": {"text": text, **times, **more}}


def heard(*found: Json, **more: Any) -> Reply:
    """The answer of a transcription model, which is streamed."""
    return Reply(events=[candidate(*found, **more)])


def listed(*found: Json, language: str = "en") -> Reply:
    """The answer of a general model, which is streamed."""
    return Reply(events=[said(json.dumps({"language": language, "segments": list(found)}))])


def content_of(artifact: Json) -> str:
    """The text of an artifact's file."""
    return Path(artifact["path"]).read_bytes().decode()


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("model", [None, GENERAL])
async def test_a_recording_becomes_segments_with_speakers_and_times(
    connect: Connect, emulator: Emulator, talk: Path, mode: str, model: str | None
) -> None:
    async with connect(mode=mode) as client:
        found = await transcribe(client, **({"model": model} if model else {}))
    segments = found["segments"]
    spans = [(one["start"], one["end"]) for one in segments]
    assert spans == [pytest.approx(span, abs=0.11) for span in ((0, 2), (3, 6), (6.5, 8))]
    assert all(0 <= start < end <= DURATION for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert len({one["speaker"] for one in segments}) == 2
    assert found["text"] == " ".join(one["text"] for one in segments)
    assert found["model_version"] == f"{model or MODEL}-emulated"
    assert found["untrusted"] == "files"
    assert found["artifacts"] == []
    assert "warnings" not in found
    assert "incomplete" not in found
    assert len(emulator.requests) == 1


async def test_the_transcription_model_gets_its_own_settings(connect: Connect, emulator: Emulator, talk: Path) -> None:
    async with connect(model=GENERAL) as client:
        found = await transcribe(client, language="de, en-US", vocabulary=["gRPC", "Nānā", "gRPC", " "])
    assert emulator.requests[0]["path"].endswith(f"{MODEL}:streamGenerateContent")
    assert sent(emulator)["generationConfig"] == {
        "audioTranscriptionConfig": {
            "languageCodes": ["de", "en-US"],
            "diarization": True,
            "wordTimestamp": True,
            "customVocabulary": ["gRPC", "Nānā"],
        }
    }
    assert [part["inlineData"]["mimeType"] for part in parts(sent(emulator))] == ["audio/wav"]
    assert "gRPC" in found["text"]
    assert "Nānā" in found["text"]
    assert found["language"] in ("de-DE", "en-US")


async def test_what_is_not_wanted_is_not_asked_for(connect: Connect, emulator: Emulator, talk: Path) -> None:
    async with connect() as client:
        found = await transcribe(client, speakers=False, timestamps=False)
    assert sent(emulator)["generationConfig"] == {"audioTranscriptionConfig": {}}
    assert all(one.keys() == {"text"} for one in found["segments"])


async def test_a_general_model_is_asked_by_schema(connect: Connect, emulator: Emulator, talk: Path) -> None:
    async with connect() as client:
        found = await transcribe(client, model=GENERAL, language="de", vocabulary=["Grüezi", "gRPC"])
    body = sent(emulator)
    schema = body["generationConfig"]["responseJsonSchema"]
    assert schema["properties"]["segments"]["items"]["required"] == ["start", "end", "speaker", "text"]
    assert "audioTranscriptionConfig" not in body["generationConfig"]
    assert "Vocabulary: Grüezi, gRPC" in parts(body)[1]["text"]
    assert "Grüezi" in found["text"]


async def test_text_alone_says_who_speaks_when_and_what_it_cost(
    connect: Connect, emulator: Emulator, talk: Path
) -> None:
    async with connect() as client:
        result = await client.call_tool("transcribe_audio", {"audio": "talk.wav"})
    first = structured(result)["segments"][0]
    text = text_of(result)
    assert f"[00:00:00.000 - 00:00:0{first['end']:.3f}] {first['speaker']}: {first['text']}" in text
    assert "<untrusted-" in text
    assert "$" in text


async def test_plain_text_is_a_transcript_without_times(connect: Connect, fake: FakeGemini, talk: Path) -> None:
    fake.stream(said("Hello ", finish=None), said("there."))
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client)
    assert (found["text"], found["segments"]) == ("Hello there.", [])
    fake.stream(said("Hello there."))
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client, format="srt")
    assert found["text"] == "Hello there."
    assert found["incomplete"]
    assert "There are no SRT subtitles" in warned(found)


@pytest.mark.parametrize("answer", [heard(finish="STOP"), heard({"text": ""}), heard(spoken(" "))])
@pytest.mark.parametrize("form", ["text", "vtt"])
async def test_silence_is_an_empty_transcript(
    connect: Connect, fake: FakeGemini, talk: Path, answer: Reply, form: str
) -> None:
    fake.say(answer)
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client, format=form)
    assert (found["text"], found["segments"], found["artifacts"]) == ("", [], [])
    assert "Nobody was heard" in warned(found)


async def test_a_general_model_that_hears_nobody_says_so(connect: Connect, fake: FakeGemini, talk: Path) -> None:
    fake.say(listed())
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client, model=GENERAL)
    assert (found["text"], found["segments"]) == ("", [])
    assert "Nobody was heard" in warned(found)


async def test_a_blocked_transcript_is_a_failure_that_says_why(connect: Connect, fake: FakeGemini, talk: Path) -> None:
    fake.say(heard(finish="PROHIBITED_CONTENT"))
    async with connect(base_url=fake.url) as client:
        assert "PROHIBITED_CONTENT" in await refused(client)


@pytest.mark.parametrize("text", ["Hello there.", "", "[1, 2"])
async def test_an_answer_that_is_no_transcript_is_a_failure_that_says_so(
    connect: Connect, fake: FakeGemini, talk: Path, text: str
) -> None:
    fake.say(Reply(events=[said(text or "{}{")]))
    async with connect(base_url=fake.url) as client:
        words = await refused(client, model=GENERAL) if text else ""
    assert not text or "did not answer with a transcript" in words


async def test_a_transcript_that_breaks_off_is_kept_as_far_as_it_came(
    connect: Connect, fake: FakeGemini, talk: Path
) -> None:
    whole = json.dumps({"language": "en", "segments": [{"start": "0", "end": "1", "text": "One."}] * 2})
    fake.stream(said(whole[:-30], finish="MAX_TOKENS"))
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client, model=GENERAL)
    assert found["text"] == "One."
    assert found["incomplete"]
    assert "cut at max_output_tokens" in warned(found)


MENDED: dict[str, tuple[list[Json], list[tuple[float, float]], str]] = {
    "clock times": (
        [{"start": "00:01.500", "end": "00:00:02,250", "text": "a"}, {"start": "2.5s", "end": 3, "text": "b"}],
        [(1.5, 2.25), (2.5, 3.0)],
        "",
    ),
    "beyond the end": (
        [{"start": "0:00", "end": "0:09", "text": "a"}, {"start": "1:00", "end": "1:10", "text": "b"}],
        [(0.0, 7.9), (7.9, 8.0)],
        "2 outside the recording",
    ),
    "out of order": (
        [{"start": "4", "end": "5", "text": "b"}, {"start": "1", "end": "2", "text": "a"}],
        [(1.0, 2.0), (4.0, 5.0)],
        "out of order",
    ),
    "inverted": (
        [{"start": "4", "end": "3", "text": "a"}, {"start": "4.5", "end": "5", "text": "b"}],
        [(4.0, 4.5), (4.5, 5.0)],
        "ending before they start",
    ),
    "overlapping": (
        [{"start": "1", "end": "3", "text": "a"}, {"start": "2", "end": "4", "text": "b"}],
        [(1.0, 2.0), (2.0, 4.0)],
        "overlapping",
    ),
    "missing": (
        [{"start": "1", "text": "a"}, {"end": "4", "text": "b"}, {"start": "soon", "end": [], "text": "c"}],
        [(1.0, 2.0), (2.0, 4.0), (4.0, 5.0)],
        "3 missing",
    ),
}


@pytest.mark.parametrize(("given", "spans", "words"), MENDED.values(), ids=MENDED.keys())
async def test_times_that_cannot_be_are_mended_and_told(
    connect: Connect, fake: FakeGemini, talk: Path, given: list[Json], spans: list[tuple[float, float]], words: str
) -> None:
    fake.say(listed(*given))
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client, model=GENERAL)
    assert [(one["start"], one["end"]) for one in found["segments"]] == spans
    assert words in warned(found)
    assert bool(words) == bool(found.get("warnings"))


async def test_odd_members_are_left_out(connect: Connect, fake: FakeGemini, talk: Path) -> None:
    odd: list[Any] = [7, None, [], {"text": 5}, {"text": " "}, {"start": 1, "end": 2, "speaker": 1, "text": "One"}]
    fake.say(listed(*odd, language="no language at all"))
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client, model=GENERAL)
    assert found["segments"] == [{"start": 1.0, "end": 2.0, "speaker": "Speaker 1", "text": "One"}]
    assert "language" not in found


async def test_a_whole_talk_in_one_part_is_cut_at_its_sentences(connect: Connect, fake: FakeGemini, talk: Path) -> None:
    sentence = "These are some words of a talk."
    words = [
        {"word": word, "startOffset": f"{n * 0.1:.1f}s", "endOffset": f"{n * 0.1 + 0.1:.1f}s"}
        for n, word in enumerate(" ".join([sentence] * 10).split())
    ]
    fake.say(heard(spoken(" ".join([sentence] * 10), words=words, speakerLabel="spk_1")))
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client)
    assert [one["text"] for one in found["segments"]] == [sentence] * 10
    assert [one["start"] for one in found["segments"]] == pytest.approx([n * 0.7 for n in range(10)])
    assert {one["speaker"] for one in found["segments"]} == {"spk_1"}


SEGMENTS = [
    spoken("Good morning & welcome.", "0s", "1.5s", speakerLabel="Ada"),
    spoken("Thank you. I will say so much that it does not fit into two lines of a screen, which is why it is cut "
           "into several cues that follow each other.", "1.5s", "7.25s", speakerLabel="Ben"),
]  # fmt: skip

SRT = """\
1
00:00:00,000 --> 00:00:01,500
Ada: Good morning & welcome.

2
00:00:01,500 --> 00:00:04,334
Ben: Thank you. I will say so much that it
does not fit into two lines of a

3
00:00:04,334 --> 00:00:07,250
Ben: screen, which is why it is cut into
several cues that follow each other.
"""

VTT = """\
WEBVTT

00:00:00.000 --> 00:00:01.500
<v Ada>Good morning &amp; welcome.

00:00:01.500 --> 00:00:04.909
<v Ben>Thank you. I will say so much that it does
not fit into two lines of a screen, which

00:00:04.909 --> 00:00:07.250
<v Ben>is why it is cut into several cues that
follow each other.
"""


@pytest.mark.parametrize(
    ("form", "golden", "mime_type"), [("srt", SRT, "application/x-subrip"), ("vtt", VTT, "text/vtt")]
)
async def test_subtitles_are_a_file(
    connect: Connect, fake: FakeGemini, talk: Path, form: str, golden: str, mime_type: str
) -> None:
    fake.say(heard(*SEGMENTS))
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("transcribe_audio", {"audio": "talk.wav", "format": form})
    found = structured(result)
    (artifact,) = found["artifacts"]
    assert content_of(artifact) == golden
    assert Path(artifact["path"]).suffix == f".{form}"
    assert artifact["mime_type"] == mime_type
    assert artifact["uri"] in text_of(result)
    assert len(found["segments"]) == 2


TIMES = {"srt": re.compile(r"(\d\d):([0-5]\d):([0-5]\d),(\d{3}) --> (\d\d):([0-5]\d):([0-5]\d),(\d{3})"),
         "vtt": re.compile(r"(\d\d):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d\d):([0-5]\d):([0-5]\d)\.(\d{3})")}  # fmt: skip


def checked(text: str, form: str) -> list[tuple[float, float, list[str]]]:
    """The cues of subtitles that are valid to the letter."""
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    blocks = text.removesuffix("\n").split("\n\n")
    if form == "vtt":
        assert blocks.pop(0) == "WEBVTT"
    cues: list[tuple[float, float, list[str]]] = []
    for number, block in enumerate(blocks, 1):
        lines = block.split("\n")
        assert form == "vtt" or lines.pop(0) == str(number)
        found = TIMES[form].fullmatch(lines.pop(0))
        assert found, block
        h1, m1, s1, f1, h2, m2, s2, f2 = map(int, found.groups())
        start, end = h1 * 3600 + m1 * 60 + s1 + f1 / 1000, h2 * 3600 + m2 * 60 + s2 + f2 / 1000
        assert start < end, block
        assert lines
        assert all(line.strip() and "-->" not in line for line in lines)
        cues.append((start, end, lines))
    return cues


@pytest.mark.parametrize("form", ["srt", "vtt"])
@pytest.mark.parametrize("model", [MODEL, GENERAL])
async def test_hostile_words_stay_words(
    connect: Connect, emulator: Emulator, talk: Path, form: str, model: str
) -> None:
    say = base64.urlsafe_b64encode(HOSTILE.encode()).decode()
    emulator.add_fault(f"say={say}")
    async with connect() as client:
        result = await client.call_tool("transcribe_audio", {"audio": "talk.wav", "format": form, "model": model})
    found = structured(result)
    subtitles = content_of(found["artifacts"][0])
    cues = checked(subtitles, form)
    assert len(cues) >= 3
    assert all(0 <= start < end <= DURATION for start, end, _ in cues)
    marked = subtitles.replace("<v spk_1>", "").replace("<v spk_2>", "")
    marked = marked.replace("<v Speaker 1>", "").replace("<v Speaker 2>", "")
    for text in (found["text"], text_of(result), subtitles):
        assert not set(text) & {"\x1b", "\u202e", "\x00"}
        assert "<i" not in text
        assert "![" not in text
    assert not set(marked) & {"<", "{", "}"}


async def test_a_directory_that_cannot_be_written_costs_the_file_and_not_the_transcript(
    connect: Connect, emulator: Emulator, talk: Path, tmp_path: Path
) -> None:
    (tmp_path / "output").write_text("in the way")
    async with connect() as client:
        found = await transcribe(client, format="srt")
    assert len(found["segments"]) == 3
    assert found["artifacts"] == []
    assert found["incomplete"]
    assert "could not be saved" in warned(found)


async def test_progress_says_how_much_has_come(connect: Connect, fake: FakeGemini, talk: Path) -> None:
    heard_: list[str] = []
    gate = asyncio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard_.append(message or "")
        gate.set()

    fake.say(Reply(events=[candidate(spoken("One.", "0s", "1s"), spoken("Two.", "1s", "2s"))], gate=gate))
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("transcribe_audio", {"audio": "talk.wav"}, progress_callback=hear)
    assert structured(result)["text"] == "One. Two."
    assert heard_
    assert all(message.startswith("transcript: ") for message in heard_)
    assert not any("One." in message for message in heard_), "what a recording says is data, and no progress"


async def test_a_dropped_call_ends_in_the_ledger_with_its_transcript(
    connect: Connect, fake: FakeGemini, talk: Path
) -> None:
    gate = asyncio.Event()
    fake.say(Reply(events=[candidate(spoken("Still here.", "0s", "1s"))], gate=gate))
    async with connect(base_url=fake.url, toolsets=("default", "media", "jobs")) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "transcribe_audio", {"audio": "talk.wav"})
            await fake.wait_for(1)
            tasks.cancel_scope.cancel()
        (job,) = structured(await client.call_tool("list_jobs", {"kind": "transcript"}))["jobs"]
        gate.set()
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
    assert done["text"] == "Still here."
    assert len(fake.requests) == 1


@pytest.mark.parametrize("form", ["text", "srt"])
@pytest.mark.parametrize("mode", ERAS)
async def test_get_job_delivers_what_the_plain_call_gives(
    connect: Connect, emulator: Emulator, talk: Path, mode: str, form: str
) -> None:
    arguments = {"audio": "talk.wav", "format": form}
    async with connect(mode=mode, toolsets=("default", "media")) as client:
        plain = await transcribe(client, **{**arguments, "audio": "talk.wav"})
        pending = await client.call_tool("transcribe_audio", {**arguments, "wait_seconds": 0})
        job = structured(pending)["job"]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
    assert structured(pending).keys() == {"job"}
    assert "Do not start it again" in text_of(pending)
    assert done["status"] == "done"
    assert done["text"] == plain.pop("text")
    assert done["untrusted"] == plain.pop("untrusted")
    artifacts = plain.pop("artifacts")
    assert done["result"] == plain
    assert [content_of(one) for one in done["artifacts"]] == [content_of(one) for one in artifacts]
    assert [one["mime_type"] for one in done["artifacts"]] == [one["mime_type"] for one in artifacts]


async def test_a_transcript_that_the_ledger_does_not_take_is_a_file(
    connect: Connect, emulator: Emulator, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect() as client:
        plain = await transcribe(client)
        monkeypatch.setattr("gemini_server.toolkit.performed.LARGEST", len(json.dumps(plain["segments"])))
        found = await transcribe(client, speakers=True)
    (artifact,) = found["artifacts"]
    whole = json.loads(content_of(artifact))
    assert whole["segments"] == plain["segments"]
    assert found["text"] == plain["text"]
    assert "segments" not in found
    assert artifact["uri"] in warned(found)


async def test_a_failure_that_was_billed_says_what_it_used(connect: Connect, fake: FakeGemini, talk: Path) -> None:
    fake.say(heard(finish="PROHIBITED_CONTENT"))
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("transcribe_audio", {"audio": "talk.wav"})
    assert result.meta is not None
    assert result.meta["gemini-toolserver/error"]["usage"]["total_tokens"] == 14


REFUSED: list[tuple[str, Json, str]] = [
    ("a.png", {}, "listens to recordings; this is image/png"),
    ("https://a.example/a.pdf", {}, "listens to recordings; this is application/pdf"),
    ("missing.wav", {}, "missing.wav"),
    ("gemini://artifacts/none", {}, "no artifact"),
    ("talk.wav", {"language": "German please"}, "no language tag"),
    ("talk.wav", {"language": "x"}, "no language tag"),
    ("talk.wav", {"vocabulary": [f"w{n}" for n in range(1001)]}, "at most 1000 phrases"),
    ("talk.wav", {"vocabulary": ["x" * 300]}, "at most 200 characters"),
    ("talk.wav", {"format": "ass"}, "format"),
    ("talk.wav", {"speakers": "three"}, "speakers"),
]


@pytest.mark.parametrize(("audio", "more", "words"), REFUSED, ids=[f"{a} {list(m)}" for a, m, _ in REFUSED])
async def test_what_is_wrong_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, talk: Path, audio: str, more: Json, words: str
) -> None:
    (talk.parent / "a.png").write_bytes(png())
    async with connect() as client:
        assert words in await refused(client, audio, **more)
    assert emulator.requests == []


@pytest.mark.parametrize("source", ["https://a.example/a.mp3", "https://youtu.be/x", "gs://b/a.flac", "files/abc"])
async def test_a_recording_that_only_google_hears_is_passed_on(connect: Connect, fake: FakeGemini, source: str) -> None:
    fake.say(heard(spoken("Far away.", "100s", "101s")))
    async with connect(base_url=fake.url) as client:
        found = await transcribe(client, source)
    assert found["segments"] == [{"start": 100.0, "end": 101.0, "text": "Far away."}]
    assert "fileData" in parts(fake.requests[0])[0]
