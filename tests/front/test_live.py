"""live_turn and create_live_token through the front door: what is heard, what is kept, what a token opens."""

from __future__ import annotations

import array
import base64
import io
import json
import logging
import math
import sqlite3
import wave
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import ConnectionClosed

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.emulator.living import BRIEF, MODEL, SAID
from tests.front.conftest import KEY, Json, warned
from tests.front.test_attachments import png

pytestmark = pytest.mark.anyio

SOCKET = "BidiGenerateContent"
WEATHER: Json = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
IN_LISBON = "What is the weather in Lisbon?"
RESULT: Json = {"name": "get_weather", "response": {"temperature": 21}}


@pytest.fixture(name="connect")
def connect_to_live(connect: Connect) -> Connect:
    """Connect to a server with the Live tools, which are off by default."""
    return partial(connect, toolsets=("default", "text", "live", "jobs"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is not waited for for long."""
    monkeypatch.setattr("gemini_server.toolkit.live_talk.QUIET", 0.3)


def recorded(seconds: float, rate: int = 44_100, channels: int = 2) -> bytes:
    """A WAV file with a tone."""
    samples = array.array(
        "h", (int(9_000 * math.sin(at // channels / 9)) for at in range(int(seconds * rate) * channels))
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())
    return file.getvalue()


async def talk(client: Client, text: str | None = f"Hello {BRIEF}", **more: Any) -> Json:
    """The structured result, which must succeed."""
    given = {"text": text} if text is not None else {}
    return structured(await client.call_tool("live_turn", {**given, **more}))


async def refused(client: Client, **arguments: Any) -> str:
    """The text of a failing call."""
    return error_of(await client.call_tool("live_turn", arguments))


def frames(emulator: Emulator, name: str) -> list[Json]:
    """What came over WebSockets, of one kind."""
    sent = [request["body"] for request in emulator.requests if request["method"] == "FRAME"]
    return [frame[name] for frame in sent if name in frame]


def sockets(emulator: Emulator) -> int:
    """How many connections there were."""
    return sum(request["method"] == "GET" for request in emulator.requests)


def seconds_of(artifact: Json) -> float:
    """How long a file plays, by its own header."""
    with wave.open(artifact["path"]) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)
        return float(sound.getnframes() / 24_000)


def in_the_ledger(tmp_path: Path, statement: str) -> list[Any]:
    """What a statement brings, or does."""
    with sqlite3.connect(tmp_path / "state" / "ledger.db") as ledger:
        found = ledger.execute(statement).fetchall()
    ledger.close()
    return found


# -- a turn ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ERAS)
async def test_a_text_is_answered_in_sound_with_its_transcript(connect: Connect, emulator: Emulator, mode: str) -> None:
    more = {"voice": "puck", "language": "en-GB", "system": "Be kind."}
    async with connect(mode=mode) as client:
        result = await client.call_tool("live_turn", {"text": f"Greet me {BRIEF}", **more})
    found = structured(result)
    (artifact,) = found["artifacts"]
    assert found["transcript"] == SAID
    assert seconds_of(artifact) == pytest.approx(artifact["duration_seconds"], abs=0.001) == pytest.approx(1.8, rel=0.3)
    assert artifact["path"].endswith(".wav")
    assert found["usage"]["cost_usd"] > 0
    assert found["model_version"] == MODEL.removeprefix("models/")
    assert not {"conversation", "incomplete", "warnings", "job", "untrusted", "input_transcript"} & found.keys()
    assert text_of(result).startswith(SAID)
    assert artifact["uri"] in text_of(result)
    assert frames(emulator, "setup") == [
        {
            "model": MODEL,
            "generationConfig": {
                "responseModalities": ["AUDIO"],
                "speechConfig": {
                    "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}},
                    "languageCode": "en-GB",
                },
            },
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "sessionResumption": {},
            "contextWindowCompression": {"slidingWindow": {}},
            "inputAudioTranscription": {},
            "outputAudioTranscription": {},
        }
    ]
    assert frames(emulator, "realtimeInput") == [{"text": f"Greet me {BRIEF}"}]


async def test_a_recording_is_one_turn_whatever_pauses_it_has(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    pause = recorded(1)[:44] + bytes(4 * 44_100)
    spoken = recorded(0.6)[44:] + pause[44:] + recorded(0.4)[44:]
    (tmp_path / "allowed" / "said.wav").write_bytes(recorded(2)[:44] + spoken)
    async with connect() as client:
        found = await talk(client, BRIEF, audio="said.wav", conversation="new")
        kept = await client.read_resource(f"gemini://conversations/{found['conversation']}")
    assert found["transcript"] == SAID
    assert len(found["input_transcript"].split()) > 1
    assert found["untrusted"] == "files"
    assert found["input_transcript"] in getattr(kept.contents[0], "text", "")
    said = frames(emulator, "realtimeInput")
    assert said[0] == {"activityStart": {}}
    assert said[-2:] == [{"text": BRIEF}, {"activityEnd": {}}]
    assert [one["audio"] for one in said[1:-2]] == [
        {"mimeType": "audio/pcm;rate=16000", "data": f"<{size} bytes>"} for size in (32_000, 32_000)
    ]


async def test_pictures_are_shown_before_what_is_said_about_them(connect: Connect, emulator: Emulator) -> None:
    picture = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    async with connect() as client:
        found = await talk(client, "What do you see?", images=[picture, picture])
    assert "image" in found["transcript"]
    assert found["untrusted"] == "files"
    assert [next(iter(one)) for one in frames(emulator, "realtimeInput")] == ["video", "video", "text"]


async def test_progress_tells_how_much_has_been_said(connect: Connect, emulator: Emulator) -> None:
    told: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message or "")

    async with connect() as client:
        given = {"text": "Name 3 rivers [emulate: pace=20ms]"}
        structured(await client.call_tool("live_turn", given, progress_callback=hear))
    assert any("characters so far" in message for message in told)


async def test_a_call_that_does_not_wait_has_its_turn_in_a_job(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        begun = await talk(client, wait_seconds=0)
        done = structured(await client.call_tool("get_job", {"job": begun["job"]["id"], "wait_seconds": 20}))
    assert done["status"] == "done"
    assert done["result"]["transcript"] == SAID
    assert seconds_of(done["artifacts"][0]) > 1


# -- conversations -----------------------------------------------------------------------------------------------------


async def test_a_conversation_goes_on_with_its_handle_in_another_process_too(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    async with connect() as client:
        first = await talk(client, "My name is Ada.", conversation="new", voice="Kore")
    async with connect() as client:
        again = await talk(client, "What is my name?", conversation=first["conversation"])
        third = await talk(client, "What was my first question?", conversation=first["conversation"])
        (listed,) = structured(await client.call_tool("list_conversations", {}))["conversations"]
    assert "Your name is Ada." in again["transcript"]
    assert "warnings" not in again
    assert "My name is Ada" in third["transcript"]
    setups = frames(emulator, "setup")
    handles = [setup["sessionResumption"].get("handle") for setup in setups]
    assert handles[0] is None
    assert len(set(handles)) == 3
    assert all("speechConfig" in setup["generationConfig"] for setup in setups), "the voice is kept"
    assert frames(emulator, "clientContent") == []
    assert listed["turns"] == 6
    assert len(in_the_ledger(tmp_path, "SELECT handle FROM live_sessions")) == 1
    for result in (first, again, third):
        assert not any(handle in json.dumps(result) for handle in handles[1:])


async def test_three_turns_with_sound_go_on_over_cut_connections(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "hello.wav").write_bytes(recorded(1))
    async with connect() as client:
        first = await talk(client, None, audio="hello.wav", conversation="new")
        kept = first["conversation"]
        emulator.add_fault("cut=before", path=SOCKET)
        second = await talk(client, "My name is Ada.", conversation=kept)
        emulator.add_fault("cut=inside after=2", path=SOCKET)
        cut = await talk(client, "What is my name?", conversation=kept)
        third = await talk(client, "What is my name?", conversation=kept)
    assert cut["incomplete"] is True
    assert "Your name is Ada." in third["transcript"]
    for turn in (first, second, third):
        assert seconds_of(turn["artifacts"][0]) > 1
        assert "incomplete" not in turn


@pytest.mark.parametrize("change", ["expires = 0", "handle = 'unknown'", "turns = 1", "place = 'elsewhere'"])
async def test_a_session_that_is_gone_is_told_again_from_its_transcripts(
    connect: Connect, emulator: Emulator, tmp_path: Path, change: str
) -> None:
    async with connect() as client:
        first = await talk(client, "My name is Ada.", conversation="new")
        in_the_ledger(tmp_path, f"UPDATE live_sessions SET {change}")
        emulator.clear_requests()
        again = await talk(client, "What is my name?", conversation=first["conversation"])
        third = await talk(client, "What was my first question?", conversation=first["conversation"])
    assert "Your name is Ada." in again["transcript"]
    assert "told again from its transcripts" in warned(again)
    (told,) = frames(emulator, "clientContent")
    assert [turn["role"] for turn in told["turns"]] == ["user", "model"]
    assert told["turnComplete"] is True
    setups = frames(emulator, "setup")
    assert setups[-2]["historyConfig"] == {"initialHistoryInClientContent": True}
    assert "warnings" not in third
    assert "handle" in setups[-1]["sessionResumption"]


async def test_a_deleted_conversation_leaves_no_handle(connect: Connect, tmp_path: Path) -> None:
    async with connect() as client:
        first = await talk(client, conversation="new")
        structured(await client.call_tool("delete_conversation", {"id": first["conversation"]}))
        assert "no conversation" in await refused(client, text="x", conversation=first["conversation"])
    assert in_the_ledger(tmp_path, "SELECT * FROM live_sessions") == []


async def test_a_conversation_in_writing_goes_on_by_voice(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        written = await client.call_tool("generate_text", {"prompt": "My name is Ada.", "conversation": "new"})
        found = await talk(client, "What is my name?", conversation=structured(written)["conversation"])
    assert "Your name is Ada." in found["transcript"]
    assert found["model_version"] == "gemini-3.8-live"


async def test_a_turn_in_writing_leaves_the_voice_and_the_functions(connect: Connect, emulator: Emulator) -> None:
    live = "gemini-3.8-live-extended-thinking"
    async with connect() as client:
        first = await talk(
            client,
            "My name is Ada.",
            conversation="new",
            voice="Kore",
            language="en-GB",
            functions=[WEATHER],
            model=live,
        )
        for prompt in ("What is my name?", "And again?"):
            more = {"prompt": prompt, "conversation": first["conversation"]}
            written = structured(await client.call_tool("generate_text", more))
        found = await talk(client, "What is my name?", conversation=first["conversation"])
    assert "live" not in written["model_version"]
    assert "Ada" in found["transcript"]
    assert found["model_version"] == live
    before, after = frames(emulator, "setup")
    for member in ("generationConfig", "tools"):
        assert after[member] == before[member]
    assert "was in writing" in warned(found)
    assert "does not have this conversation any more" not in warned(found)


async def test_another_live_model_is_told_what_was_said(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await talk(client, "My name is Ada.", conversation="new")
        more = {"conversation": first["conversation"], "model": "gemini-3.8-live-extended-thinking"}
        found = await talk(client, "What is my name?", **more)
    assert "Ada" in found["transcript"]
    assert "with another model" in warned(found)


async def test_functions_are_called_and_their_results_go_on_in_the_same_session(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        asked = await client.call_tool("live_turn", {"text": IN_LISBON, "functions": [WEATHER]})
        found = structured(asked)
        (called,) = found["function_calls"]
        waiting = await refused(client, text="And?", conversation=found["conversation"])
        wrong = await refused(
            client, function_results=[{"name": "x", "response": 1}], conversation=found["conversation"]
        )
        answer = await talk(client, None, function_results=[RESULT], conversation=found["conversation"])
        later = await talk(client, "What was my first question?", conversation=found["conversation"])
        again = await refused(client, function_results=[RESULT], conversation=found["conversation"])
    assert (called["name"], called["arguments"]) == ("get_weather", {"city": "Lisbon"})
    assert "[wants function] get_weather" in text_of(asked)
    assert "waits for the results of get_weather" in waiting
    assert "No open call matches" in wrong
    assert "temperature is 21" in answer["transcript"]
    assert "warnings" not in answer
    assert answer["usage"]["cost_usd"] > 0
    assert IN_LISBON in later["transcript"]
    assert "waits for some" in again
    assert sockets(emulator) == 2


async def test_results_that_come_to_another_process_are_told_in_words(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        found = await talk(client, IN_LISBON, functions=[WEATHER])
    async with connect() as client:
        # The emulator would call again: what it was told in words is no response to it.
        more: Json = {"functions": [], "function_results": [RESULT]}
        answer = await talk(client, None, conversation=found["conversation"], **more)
    assert "told in words" in warned(answer)
    assert answer["transcript"]
    (said,) = frames(emulator, "realtimeInput")[1:]
    assert 'get_weather returned {"temperature": 21}' in said["text"]
    assert sockets(emulator) == 2


# -- what goes wrong ---------------------------------------------------------------------------------------------------


async def test_an_answer_that_is_cut_is_incomplete_and_never_asked_for_twice(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        first = await talk(client, "My name is Ada.", conversation="new")
        emulator.add_fault("cut=inside after=2", path=SOCKET)
        result = await client.call_tool("live_turn", {"text": "Name 3 rivers", "conversation": first["conversation"]})
        again = await talk(client, "What is my name?", conversation=first["conversation"])
    cut = structured(result)
    assert cut["incomplete"] is True
    assert 0.5 < seconds_of(cut["artifacts"][0]) < 4
    assert cut["transcript"]
    assert "broke off after" in warned(cut)
    assert "is not kept" in warned(cut)
    assert "INCOMPLETE" in text_of(result)
    assert cut["usage"]["cost_usd"] is None
    assert "Your name is Ada." in again["transcript"]
    assert "warnings" not in again, "the session goes on from where it was before"
    assert [one["text"] for one in frames(emulator, "realtimeInput")].count("Name 3 rivers") == 1


@pytest.mark.parametrize("fault", ["goaway=30s", "goaway=30s after=1", "close=1011 after=9 message=Gone."])
async def test_a_connection_that_is_about_to_end_is_used_to_its_end(
    connect: Connect, emulator: Emulator, fault: str
) -> None:
    emulator.add_fault(fault, path=SOCKET)
    async with connect() as client:
        found = await talk(client)
    assert found["transcript"] == SAID
    assert "incomplete" not in found


async def test_what_is_never_answered_may_have_been_billed(
    connect: Connect, emulator: Emulator, impatient: None
) -> None:
    async with connect() as client:
        words = await refused(client, text="Hello [emulate: stall=inside after=0]")
        (job,) = structured(await client.call_tool("list_jobs", {"kind": "live"}))["jobs"]
    assert "nothing of an answer had come" in words
    assert job["status"] == "unknown"
    assert sockets(emulator) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("status=429", "rate limit"),
        ("status=503", "overloaded"),
        ("close=1008 message=API_key_not_valid.", "refused the connection"),
    ],
)
async def test_a_session_that_cannot_begin_is_an_error_and_nothing_is_billed(
    connect: Connect, emulator: Emulator, fault: str, words: str
) -> None:
    emulator.add_fault(fault, path=SOCKET, times=None)
    async with connect() as client:
        assert words in await refused(client, text="Hello")
        (job,) = structured(await client.call_tool("list_jobs", {"kind": "live"}))["jobs"]
    assert job["status"] == "failed"


async def test_a_lost_handshake_is_tried_again(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("cut=before", path=SOCKET, times=2)
    async with connect() as client:
        assert (await talk(client))["transcript"] == SAID
    assert sockets(emulator) == 3


async def test_a_model_that_is_no_live_model_is_named(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        assert "gemini-3.8-flash" in await refused(client, text="Hello", model="gemini-3.8-flash")
        retired = await refused(client, text="Hello", model="gemini-2.0-flash-live-001")
    assert "gemini-3.8-live" in retired


REFUSED: list[tuple[Json, str]] = [
    ({}, "neither text nor audio"),
    ({"text": "  "}, "neither text nor audio"),
    ({"images": ["sea.png"]}, "neither text nor audio"),
    ({"text": "x", "voice": "Cory"}, "Kore"),
    ({"text": "x", "language": "klingonese!"}, "language"),
    ({"text": "x", "images": ["a.txt"]}, "images takes pictures"),
    ({"text": "x", "images": ["https://a.example/x.png"]}, "from this machine"),
    ({"text": "x", "images": ["files/abc"]}, "from this machine"),
    ({"text": "x", "images": ["sea.png"] * 11}, "at most 10 pictures"),
    ({"audio": "a.txt"}, "WAV files alone"),
    ({"audio": "long.wav"}, "hears at most 10"),
    ({"audio": "empty.wav"}, "is empty"),
    ({"audio": "missing.wav"}, "missing.wav"),
    ({"function_results": [RESULT]}, "waits for some"),
    ({"text": "x", "function_results": [RESULT]}, "go alone"),
    ({"text": "x", "conversation": "c_unknown"}, "no conversation"),
    ({"text": "x", "functions": [{"description": "x"}]}, "functions.0.name"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[f"{index}" for index, _ in enumerate(REFUSED)])
async def test_what_cannot_be_said_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, tmp_path: Path, arguments: Json, words: str
) -> None:
    allowed = tmp_path / "allowed"
    (allowed / "a.txt").write_text("words")
    (allowed / "sea.png").write_bytes(png())
    (allowed / "empty.wav").write_bytes(recorded(0))
    short = recorded(0.01, 1_000, 1)
    (allowed / "long.wav").write_bytes(short[:40] + (2_000_000).to_bytes(4, "little") + bytes(2_000_000))
    async with connect() as client:
        assert words in await refused(client, **arguments)
    assert emulator.requests == []


# -- tokens ------------------------------------------------------------------------------------------------------------

CONSTRAINTS: Json = {"voice": "Kore", "system": BRIEF, "modalities": ["AUDIO"], "transcripts": True}


async def token(client: Client, **arguments: Any) -> Json:
    """A new token."""
    made: Json = structured(await client.call_tool("create_live_token", arguments))["token"]
    return made


async def opened(made: Json, **setup: Any) -> str:
    """What the model says in a session that a token opens, or why it opens none."""
    headers = {"Authorization": f"Token {made['name']}"}
    async with connect_socket(made["url"], additional_headers=headers) as socket:
        try:
            await socket.send(json.dumps({"setup": setup}))
            assert json.loads(await socket.recv()) == {"setupComplete": {}}
            await socket.send(json.dumps({"realtimeInput": {"text": "Hello"}}))
            said: str = ""
            while True:
                content = json.loads(await socket.recv()).get("serverContent", {})
                said += str(content.get("outputTranscription", {}).get("text", ""))
                if content.get("turnComplete"):
                    return said
        except ConnectionClosed as closed:
            return str(closed.rcvd.reason) if closed.rcvd else "cut"


async def test_a_token_opens_a_session_with_its_constraints_and_nothing_else(
    connect: Connect, emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with connect() as client:
        await talk(client)
        made = await token(client, constraints=CONSTRAINTS, uses=1, expires=600, new_session_seconds=120)
        echoed = await refused(client, text="x", conversation=made["name"])
    name = made["name"].partition("/")[2]
    assert made["uses"] == 1
    assert made["expires"] > made["new_session_expires"]
    assert (
        await opened(made, model="models/gemini-3.5-transcribe-live", systemInstruction={"parts": [{"text": "x"}]})
        == SAID
    )
    assert "no uses left" in await opened(made, model=MODEL)
    async with httpx2.AsyncClient(base_url=emulator.url) as http:
        for headers in ({"x-goog-api-key": made["name"]}, {"authorization": f"Bearer {made['name']}"}):
            answer = await http.post(
                "/v1beta/models/gemini-3.8-flash:generateContent",
                json={"contents": [{"parts": [{"text": "x"}]}]},
                headers=headers,
            )
            assert answer.status_code in (400, 401)
            assert (await http.get("/v1beta/models", headers=headers)).status_code in (400, 401)
    assert name not in echoed
    assert name not in "".join(record.getMessage() for record in caplog.records if "gemini" in record.name)
    kept = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert kept
    assert not any(name.encode() in data for data in kept), "a token is kept nowhere"
    assert KEY not in json.dumps(made)


async def test_a_token_fixes_what_is_named_or_everything(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await token(client, constraints={"voice": "Kore", "functions": [WEATHER]}, model="gemini-3.8-live")
        await token(client, lock_everything=True, uses=0, expires=7200)
        short = await token(client, expires=30)
    assert short["new_session_expires"] == short["expires"], "nothing begins after the end"
    named, whole, _ = (request["body"] for request in emulator.requests)
    assert named["fieldMask"] == "model,generationConfig.speechConfig,tools"
    assert named["bidiGenerateContentSetup"]["model"] == MODEL
    assert "uses" not in named
    assert "fieldMask" not in whole
    assert whole["uses"] == 0
    assert emulator.requests[0]["path"] == "/v1alpha/auth_tokens"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"expires": "soon"}, "expires is no time"),
        ({"expires": 0}, "in the future"),
        ({"expires": 72_000}, "less than 20 hours"),
        ({"expires": 0.4}, "in the future"),
        ({"expires": 30, "new_session_seconds": 60}, "goes beyond expires"),
        ({"new_session_seconds": 3600}, "goes beyond expires"),
        ({"expires": "2020-01-01T00:00:00Z"}, "in the future"),
        ({"new_session_seconds": 1e300}, "new_session_seconds is no time"),
        ({"constraints": {"voice": "Cory"}}, "There is no voice"),
        ({"constraints": {"colour": "red"}}, "no such argument"),
        ({"uses": -1}, "uses"),
    ],
)
async def test_a_token_that_makes_no_sense_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in error_of(await client.call_tool("create_live_token", arguments))
    assert emulator.requests == []
