"""compose_music through the front door: songs and clips that play, live music that is as long as it was wanted."""

from __future__ import annotations

import base64
import json
import wave
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import KEY, FakeGemini, Json, warned
from tests.front.test_attachments import png

pytestmark = pytest.mark.anyio

SONG, CLIP, LIVE = "lyria-3.5", "lyria-3-clip-preview", "lyria-realtime-exp"
PROMPT = "A calm tune for a piano and a cello."
SOCKET = "BidiGenerateMusic"
FRAME = base64.b64encode(b"\xff\xfb\x90\x64" + bytes(413)).decode()
"""A moment of silence as MP3."""


@pytest.fixture(name="connect")
def connect_to_music(connect: Connect) -> Connect:
    """Connect to a server with the music tools, which are off by default."""
    return partial(connect, toolsets=("default", "music", "jobs"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is not waited for for long."""
    monkeypatch.setattr("gemini_server.toolkit.work.realtime_music.QUIET", 0.3)


async def compose(client: Client, prompt: str | None = PROMPT, **more: Any) -> Json:
    """The structured result, which must succeed."""
    given = {"prompt": prompt} if prompt is not None else {}
    return structured(await client.call_tool("compose_music", {**given, **more}))


async def refused(client: Client, **arguments: Any) -> str:
    """The text of a failing call."""
    return error_of(await client.call_tool("compose_music", arguments))


def frames(emulator: Emulator) -> list[Json]:
    """What came over WebSockets."""
    return [request["body"] for request in emulator.requests if request["method"] == "FRAME"]


def sound_of(artifact: Json) -> tuple[int, int, int]:
    """Rate, channels and frames of a WAV file, by its own header."""
    with wave.open(artifact["path"]) as sound:
        assert sound.getsampwidth() == 2
        assert len(sound.readframes(10_000_000)) == sound.getnframes() * sound.getnchannels() * 2
        return sound.getframerate(), sound.getnchannels(), sound.getnframes()


def seconds_of_mp3(path: str) -> float:
    """How long an MP3 takes, frame by frame."""
    return sum(_mp3_frames(Path(path).read_bytes()))


def _mp3_frames(data: bytes) -> Iterator[float]:
    rates = (44_100, 48_000, 32_000)
    kilobits = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    at = 10 + int.from_bytes(data[6:10], "big") if data[:3] == b"ID3" else 0
    while at + 4 <= len(data):
        assert data[at] == 0xFF
        assert data[at + 1] & 0xFE == 0xFA, "MPEG-1 Layer III"
        rate = rates[data[at + 2] >> 2 & 3]
        at += 144 * kilobits[data[at + 2] >> 4] * 1000 // rate + (data[at + 2] >> 1 & 1)
        yield 1152 / rate


# -- songs and clips -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ERAS)
async def test_a_song_is_an_mp3_file_that_plays_at_its_price(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("compose_music", {"prompt": PROMPT})
    found = structured(result)
    (artifact,) = found["artifacts"]
    assert artifact["mime_type"] == "audio/mpeg"
    assert artifact["path"].endswith(".mp3")
    assert seconds_of_mp3(artifact["path"]) > 10
    assert found["usage"]["cost_usd"] == 0.08
    assert found["model_version"] == SONG
    assert artifact["uri"] in text_of(result)
    (request,) = emulator.requests
    assert request["path"] == "/v1beta/interactions"
    assert request["body"] == {
        "model": SONG,
        "input": PROMPT,
        "response_format": {"type": "audio", "mime_type": "audio/mp3"},
        "store": False,
    }


async def test_a_short_piece_is_a_clip_at_half_the_price(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        found = await compose(client, seconds=30)
        other = await compose(client, seconds=12, reuse=False)
    assert [request["body"]["model"] for request in emulator.requests] == [CLIP, CLIP]
    assert seconds_of_mp3(found["artifacts"][0]["path"]) == pytest.approx(30, abs=0.5)
    assert found["usage"]["cost_usd"] == 0.04
    assert "warnings" not in found
    assert "clips of 30 s" in warned(other)


async def test_the_length_of_a_song_is_told_in_words(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await compose(client, seconds=90)
    (request,) = emulator.requests
    assert request["body"]["model"] == SONG
    assert request["body"]["input"] == f"{PROMPT}\nLength: about 90 seconds."


@pytest.mark.parametrize("waits", [40, 0])
async def test_a_picture_becomes_a_song(connect: Connect, emulator: Emulator, tmp_path: Path, waits: int) -> None:
    (tmp_path / "allowed" / "sea.png").write_bytes(png())
    async with connect() as client:
        found = await compose(client, image="sea.png", wait_seconds=waits)
        if not waits:
            found = structured(await client.call_tool("get_job", {"job": found["job"]["id"], "wait_seconds": 10}))
    assert seconds_of_mp3(found["artifacts"][0]["path"]) > 10
    (request,) = emulator.requests
    assert request["body"]["input"] == [
        {"type": "text", "text": PROMPT},
        {"type": "image", "data": base64.b64encode(png()).decode(), "mime_type": "image/png"},
    ]


async def test_a_picture_that_google_fetches_goes_by_its_address(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"id": "i1", "status": "completed", "model": SONG, "steps": []})
    async with connect(base_url=fake.url) as client:
        words = await refused(client, prompt=PROMPT, image="https://example.org/a.jpg")
    assert "No music came of it" in words
    assert fake.requests[0]["input"][1] == {
        "type": "image",
        "uri": "https://example.org/a.jpg",
        "mime_type": "image/jpeg",
    }


async def test_the_lyrics_come_with_the_song(connect: Connect, fake: FakeGemini) -> None:
    fake.say(
        {
            "id": "i1",
            "status": "completed",
            "model": SONG,
            "steps": [
                {
                    "type": "model_output",
                    "content": [
                        {"type": "text", "text": "[Verse]\nRain on the roof."},
                        {"type": "audio", "mime_type": "audio/mp3", "data": FRAME},
                    ],
                }
            ],
            "usage": {"total_input_tokens": 9, "total_output_tokens": 100, "total_tokens": 109},
        }
    )  # fmt: skip
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("compose_music", {"prompt": PROMPT})
    found = structured(result)
    assert "Rain on the roof." in found["text"]
    assert "Rain on the roof." in text_of(result)
    assert found["usage"]["cost_usd"] == 0.08


async def test_whoever_does_not_wait_gets_a_job_that_ends_once(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        job = (await compose(client, seconds=30, wait_seconds=0))["job"]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 10}))
        again = await compose(client, seconds=30)
    assert (job["kind"], done["status"], done["cost_usd"]) == ("music", "done", 0.04)
    assert again["artifacts"] == done["artifacts"]
    assert len(emulator.requests) == 1


async def test_nothing_is_sent_for_an_estimate(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        song = await compose(client, dry_run=True)
        clip = await compose(client, dry_run=True, seconds=20)
        live = await compose(client, dry_run=True, live=True)
    assert (song["model"], song["estimated_cost_usd"]) == (SONG, 0.08)
    assert (clip["model"], clip["estimated_cost_usd"]) == (CLIP, 0.04)
    assert live["model"] == LIVE
    assert "estimated_cost_usd" not in live
    assert emulator.requests == []


# -- live ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ERAS)
async def test_live_music_is_as_long_as_it_was_wanted(connect: Connect, emulator: Emulator, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("compose_music", {"prompt": PROMPT, "live": True, "seconds": 6.5})
    found = structured(result)
    (artifact,) = found["artifacts"]
    assert sound_of(artifact) == (48_000, 2, 312_000)
    assert (artifact["mime_type"], artifact["duration_seconds"]) == ("audio/wav", 6.5)
    assert found["usage"]["cost_usd"] is None
    assert found["model_version"] == LIVE
    assert "warnings" not in found
    assert "price unknown" in text_of(result)
    assert frames(emulator) == [
        {"setup": {"model": f"models/{LIVE}"}},
        {"clientContent": {"weightedPrompts": [{"text": PROMPT, "weight": 1.0}]}},
        {"playbackControl": "PLAY"},
        {"playbackControl": "STOP"},
    ]
    opening = emulator.requests[0]
    assert (opening["method"], opening["query"]) == ("GET", {})
    assert opening["path"].endswith(f"v1alpha.GenerativeService.{SOCKET}")
    assert KEY not in json.dumps(frames(emulator))


async def test_what_is_said_of_live_music_is_sent_before_it_plays(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        found = await compose(
            client, None, seconds=2, bpm=90, scale="D_MAJOR_B_MINOR", density=0.2, brightness=0.9, guidance=4.5,
            prompts=[{"text": "harp", "weight": 2}, {"text": "rain"}],
        )  # fmt: skip
    assert sound_of(found["artifacts"][0])[2] == 96_000
    assert frames(emulator)[1:4] == [
        {"clientContent": {"weightedPrompts": [{"text": "harp", "weight": 2.0}, {"text": "rain", "weight": 1.0}]}},
        {
            "musicGenerationConfig": {
                "bpm": 90,
                "scale": "D_MAJOR_B_MINOR",
                "density": 0.2,
                "brightness": 0.9,
                "guidance": 4.5,
            }
        },
        {"playbackControl": "PLAY"},
    ]


async def test_steps_change_the_music_at_their_seconds(connect: Connect, emulator: Emulator) -> None:
    steps = [
        {"at": 7, "prompts": [{"text": "storm", "weight": 1}]},
        {"at": 3, "prompts": [{"text": "harp", "weight": 1}, {"text": "wind", "weight": 0.5}]},
    ]
    async with connect() as client:
        plain = await compose(client, seconds=12, live=True)
        emulator.clear_requests()
        found = await compose(client, seconds=12, steps=steps)
    said = [frame["clientContent"]["weightedPrompts"] for frame in frames(emulator) if "clientContent" in frame]
    assert [[one["text"] for one in prompts] for prompts in said] == [[PROMPT], ["harp", "wind"], ["storm"]]
    assert frames(emulator)[-1] == {"playbackControl": "STOP"}
    one, other = (Path(made["artifacts"][0]["path"]).read_bytes()[44:] for made in (plain, found))
    second = 48_000 * 4
    assert len(one) == len(other) == 12 * second
    assert one[: 3 * second] == other[: 3 * second], "it is the same music until the first step"
    assert one[10 * second :] != other[10 * second :], "and other music after the last"


async def test_a_connection_that_breaks_in_the_middle_leaves_what_came(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("cut=inside after=2", path=SOCKET)
    async with connect() as client:
        result = await client.call_tool("compose_music", {"prompt": PROMPT, "live": True, "seconds": 20})
        again = await compose(client, live=True, seconds=20)
    found = structured(result)
    assert found["incomplete"] is True
    assert sound_of(found["artifacts"][0])[2] == 4 * 48_000
    assert "4.0 of 20 s came" in warned(found)
    assert "INCOMPLETE" in text_of(result)
    assert again["artifacts"] == found["artifacts"], "nothing is played a second time by itself"
    assert len([request for request in emulator.requests if request["method"] == "GET"]) == 1


async def test_silence_in_the_middle_leaves_what_came(connect: Connect, emulator: Emulator, impatient: None) -> None:
    emulator.add_fault("stall=inside after=1", path=SOCKET)
    async with connect() as client:
        found = await compose(client, live=True, seconds=20)
    assert found["incomplete"] is True
    assert "2.0 of 20 s came: Gemini said nothing for 0.3 s" in warned(found)


async def test_a_session_that_gemini_ends_early_leaves_what_came(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("close=1011 after=3 message=Internal_error.", path=SOCKET)
    async with connect() as client:
        found = await compose(client, live=True, seconds=20)
    assert "6.0 of 20 s came" in warned(found)
    assert "Internal error" in warned(found)


async def test_music_that_never_begins_may_have_been_billed(
    connect: Connect, emulator: Emulator, impatient: None
) -> None:
    async with connect() as client:
        words = await refused(client, prompt=f"{PROMPT} [emulate: stall=inside after=0]", live=True)
        (job,) = structured(await client.call_tool("list_jobs", {"kind": "music"}))["jobs"]
    assert "No music had come by then" in words
    assert job["status"] == "unknown"
    assert "reuse=false" in job["next"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("status=429", "rate limit"),
        ("status=503", "overloaded"),
        ("status=400", "refused the request"),
        ("close=1008 message=API_key_not_valid.", "refused the connection"),
        ("cut=before", "nothing was sent"),
    ],
)
async def test_a_session_that_cannot_begin_is_an_error_and_nothing_is_billed(
    connect: Connect, emulator: Emulator, fault: str, words: str
) -> None:
    emulator.add_fault(fault, path=SOCKET, times=None)
    async with connect() as client:
        assert words in await refused(client, prompt=PROMPT, live=True)
        (job,) = structured(await client.call_tool("list_jobs", {"kind": "music"}))["jobs"]
    assert job["status"] == "failed"


async def test_a_key_that_is_not_accepted_is_the_error_that_names_it(connect: Connect, emulator: Emulator) -> None:
    async with connect(key="invalid-key") as client:
        words = await refused(client, prompt=PROMPT, live=True)
    assert "key" in words
    assert "invalid-key" not in words


async def test_a_prompt_that_is_filtered_is_named_and_the_others_are_played(
    connect: Connect, emulator: Emulator
) -> None:
    prompts = [{"text": "harp"}, {"text": "a famous song [emulate: filter]"}]
    async with connect() as client:
        found = await compose(client, None, prompts=prompts, seconds=4)
    assert "does not play the prompt 'a famous song'" in warned(found)
    assert "incomplete" not in found
    assert sound_of(found["artifacts"][0])[2] == 4 * 48_000


async def test_nothing_but_filtered_prompts_is_an_error_that_says_why(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        words = await refused(client, prompt="a famous song [emulate: filter]", live=True)
    assert "a famous song" in words
    assert "other words" in words


async def test_what_gemini_warns_of_is_told(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("warning=Slow_down", path=SOCKET)
    async with connect() as client:
        assert "Gemini warns: Slow down" in warned(await compose(client, live=True, seconds=2))


async def test_a_dropped_call_plays_on_and_ends_in_the_ledger(connect: Connect, emulator: Emulator) -> None:
    heard = anyio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        if message and " of 20 s" in message:
            heard.set()

    arguments = {"prompt": f"{PROMPT} [emulate: pace=0.05]", "live": True, "seconds": 20}
    async with connect() as client:
        async with anyio.create_task_group() as tasks:
            call = partial(client.call_tool, "compose_music", arguments, progress_callback=hear)
            tasks.start_soon(call)
            await heard.wait()
            tasks.cancel_scope.cancel()
        (job,) = structured(await client.call_tool("list_jobs", {"kind": "music"}))["jobs"]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
    assert job["status"] == "submitting"
    assert done["status"] == "done"
    assert sound_of(done["artifacts"][0])[2] == 20 * 48_000
    assert len([frame for frame in frames(emulator) if "setup" in frame]) == 1


async def test_cancelled_music_stops(connect: Connect, emulator: Emulator) -> None:
    slow = f"{PROMPT} [emulate: pace=0.2]"
    async with connect() as client:
        job = (await compose(client, slow, live=True, seconds=100, wait_seconds=0))["job"]
        ended = structured(await client.call_tool("cancel_job", {"job": job["id"]}))
    assert ended["status"] == "cancelled"
    assert "artifacts" not in ended or not ended["artifacts"]


async def test_the_key_goes_as_the_gateway_wants_it_and_never_in_the_address(
    connect: Connect, emulator: Emulator
) -> None:
    for auth, header in (("api-key", "x-goog-api-key"), ("bearer", "authorization"), ("raw", "authorization")):
        emulator.clear_requests()
        async with connect(auth=auth) as client:
            await compose(client, live=True, seconds=2, reuse=False)
        opening = emulator.requests[0]
        assert header in opening["headers"]
        assert KEY not in json.dumps([opening["path"], opening["query"]])


REFUSED: list[tuple[Json, str]] = [
    ({}, "nothing to play"),
    ({"prompt": " "}, "nothing to play"),
    ({"prompts": []}, "nothing to play"),
    ({"prompt": PROMPT, "prompts": [{"text": "harp"}]}, "either prompt or prompts"),
    ({"prompt": PROMPT, "live": False, "bpm": 90}, "for live music alone"),
    ({"prompt": PROMPT, "live": False, "steps": [{"at": 1, "prompts": [{"text": "x"}]}]}, "for live music alone"),
    ({"prompt": PROMPT, "live": True, "image": "sea.png"}, "not of a picture"),
    ({"prompt": PROMPT, "live": True, "seconds": 181}, "at most 180 seconds"),
    ({"prompt": PROMPT, "live": True, "model": SONG}, "makes songs"),
    ({"prompt": PROMPT, "live": False, "model": LIVE}, "makes live music alone"),
    ({"prompts": [{"text": "harp", "weight": 0}]}, "the weight 0"),
    ({"prompts": [{"text": " "}]}, "nothing to play"),
    ({"prompt": PROMPT, "seconds": 10, "steps": [{"at": 10, "prompts": [{"text": "x"}]}]}, "within the 10 seconds"),
    ({"prompt": PROMPT, "steps": [{"at": 1, "prompts": []}]}, "needs prompts"),
    ({"prompt": PROMPT, "steps": [{"at": 0, "prompts": [{"text": "x"}]}]}, "steps.0.at"),
    ({"prompt": PROMPT, "seconds": 0}, "seconds"),
    ({"prompt": PROMPT, "seconds": 601}, "seconds"),
    ({"prompt": PROMPT, "bpm": 300}, "bpm"),
    ({"prompt": PROMPT, "scale": "H_MAJOR"}, "scale"),
    ({"prompt": PROMPT, "density": 2}, "density"),
    ({"prompt": PROMPT, "image": "missing.png"}, "missing.png"),
    ({"prompt": PROMPT, "image": "a.txt"}, "image takes a picture"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[f"{index}" for index, _ in enumerate(REFUSED)])
async def test_what_cannot_be_played_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, tmp_path: Path, arguments: Json, words: str
) -> None:
    (tmp_path / "allowed" / "a.txt").write_text("words")
    (tmp_path / "allowed" / "sea.png").write_bytes(png())
    async with connect() as client:
        assert words in await refused(client, **arguments)
    assert emulator.requests == []


async def test_a_model_that_cannot_do_it_is_not_priced(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("all",)) as client:
        arguments = {"prompt": "hi", "dry_run": True, "model": "gemini-3.8-flash"}
        text = error_of(await client.call_tool("compose_music", arguments))
    assert text.startswith("gemini-3.8-flash makes no music.")
    assert not emulator.requests
