"""The work behind live music, against a server on loopback that plays what a test says."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from anyio.lowlevel import checkpoint
from websockets.asyncio.server import ServerConnection, serve

from gemini_server.api.realtime_music import AudioChunk, MusicGenerationConfig, WeightedPrompt
from gemini_server.errors import Blocked, MayHaveBeenBilled, ToolserverError
from gemini_server.jobs.job import Job, Request, Step
from gemini_server.rest.body import RawJson
from gemini_server.settings import Settings
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work import realtime_music
from gemini_server.toolkit.work.realtime_music import Change, Performance, RealtimeMusic

pytestmark = pytest.mark.anyio

WANTED = Performance(model="lyria-realtime-exp", seconds=1.0, prompts=[WeightedPrompt(text="harp")])
NOW = datetime(2026, 11, 22, tzinfo=UTC)
JOB = Job(
    "j_1", "local", "music", "compose_music", "realtime_music", WANTED.model, "submitting",
    {}, None, None, "", {}, None, None, None, None, False, NOW, NOW, None, 1,
)  # fmt: skip

Play = Callable[[ServerConnection], Awaitable[None]]


def sound(seconds: float, *, rate: int = 48_000, channels: int = 2, mime_type: str | None = None) -> str:
    """A message with so much sound."""
    data = base64.b64encode(b"\x01\x02" * channels * round(rate * seconds)).decode()
    chunk = {"data": data, "mimeType": mime_type or f"audio/l16;rate={rate};channels={channels}"}
    return json.dumps({"serverContent": {"audioChunks": [chunk]}})


@asynccontextmanager
async def music(play: Play, directory: Path) -> AsyncGenerator[tuple[RealtimeMusic, list[Any]]]:
    """The work, and what the server hears; after PLAY it does what a test says."""
    heard: list[Any] = []

    async def talk(connection: ServerConnection) -> None:
        async for message in connection:
            heard.append(json.loads(message))
            if "setup" in heard[-1]:
                await connection.send(b'{"setupComplete": {}}')
            elif heard[-1].get("playbackControl") == "PLAY":
                await play(connection)

    async with serve(talk, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        runtime = Runtime(Settings(key="k", base_url=f"http://127.0.0.1:{port}", state_dir=directory))
        try:
            yield RealtimeMusic(runtime), heard
        finally:
            await runtime.aclose()


def told(message: str, progress: float | None = None) -> None:
    """Nobody listens."""


def wav_of(step: Step) -> tuple[int, int, int]:
    """Rate, channels and frames of the file that a step brings."""
    (media,) = step.media
    assert media.data is not None
    with wave.open(io.BytesIO(media.data)) as file:
        return file.getframerate(), file.getnchannels(), file.getnframes()


async def test_the_shape_of_the_sound_is_what_it_says_of_itself(tmp_path: Path) -> None:
    async def play(connection: ServerConnection) -> None:
        for _ in range(4):
            await connection.send(sound(0.3, rate=44_100, channels=1))

    async with music(play, tmp_path) as (work, _):
        assert wav_of(await work.submit(JOB, Request(WANTED), told)) == (44_100, 1, 44_100)


@pytest.mark.parametrize("mime_type", [None, "audio/l16", "audio/pcm;rate=0", "audio/l16; rate=x"])
def test_sound_that_does_not_say_its_shape_is_48_khz_in_stereo(mime_type: str | None) -> None:
    assert AudioChunk(mime_type=mime_type).shape() == (48_000, 2)


async def test_a_request_that_was_kept_is_played_like_a_fresh_one(tmp_path: Path) -> None:
    async def play(connection: ServerConnection) -> None:
        await connection.send(sound(2))

    config = MusicGenerationConfig(bpm=80)
    wanted = WANTED.model_copy(update={"config": config, "changes": [Change(at=0.5, prompts=WANTED.prompts)]})
    async with music(play, tmp_path) as (work, heard):
        await work.submit(JOB, Request(wanted), told)
        fresh = list(heard)
        heard.clear()
        kept = RawJson(wanted.model_dump_json(by_alias=True, exclude_none=True).encode())
        step = await work.submit(JOB, Request(kept), told)
    assert fresh[:4] == heard[:4]
    assert heard[2] == {"musicGenerationConfig": {"bpm": 80}}
    assert wav_of(step) == (48_000, 2, 48_000)


async def test_more_than_enough_is_cut_to_length_and_its_end_does_not_matter(tmp_path: Path) -> None:
    async def play(connection: ServerConnection) -> None:
        await connection.send(sound(0.7))
        await connection.send(sound(0.7))
        connection.transport.abort()

    async with music(play, tmp_path) as (work, _):
        step = await work.submit(JOB, Request(WANTED), told)
    assert wav_of(step) == (48_000, 2, 48_000)
    assert "incomplete" not in step.result
    assert "warnings" not in step.result


async def test_progress_is_how_much_has_come(tmp_path: Path) -> None:
    shares: list[float | None] = []

    async def play(connection: ServerConnection) -> None:
        for _ in range(2):
            await connection.send(sound(0.5))

    async with music(play, tmp_path) as (work, _):
        await work.submit(JOB, Request(WANTED), lambda message, progress=None: shares.append(progress))
    assert shares == [None, 0.5, 1.0]


TROUBLES: list[tuple[str, type[ToolserverError], str]] = [
    ('{"serverContent": {"audioChunks": [{"data": "%%%"}]}}', MayHaveBeenBilled, "no valid base64"),
    ("not json", MayHaveBeenBilled, "not what its API describes"),
    ('{"filteredPrompt": {"text": "harp", "filteredReason": "a name"}}', Blocked, "a name"),
    ('{"error": {"code": 400, "message": "Bad bpm.", "status": "INVALID_ARGUMENT"}}', ToolserverError, "Bad bpm"),
]


@pytest.mark.parametrize(("message", "kind", "words"), TROUBLES, ids=[words for _, _, words in TROUBLES])
async def test_what_goes_wrong_before_any_music_is_an_error(
    tmp_path: Path, message: str, kind: type[ToolserverError], words: str
) -> None:
    async def play(connection: ServerConnection) -> None:
        await connection.send(message)

    async with music(play, tmp_path) as (work, _):
        with pytest.raises(kind, match=words):
            await work.submit(JOB, Request(WANTED), told)


async def test_messages_without_end_and_without_music_have_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime_music, "QUIET", 0.2)
    monkeypatch.setattr(realtime_music, "SLOWEST", 0.1)

    async def play(connection: ServerConnection) -> None:
        while True:
            await connection.send("{}")
            await checkpoint()

    async with music(play, tmp_path) as (work, _):
        with pytest.raises(MayHaveBeenBilled, match="too slowly"):
            await work.submit(JOB, Request(WANTED), told)


async def test_bad_sound_in_the_middle_leaves_what_came(tmp_path: Path) -> None:
    async def play(connection: ServerConnection) -> None:
        await connection.send(sound(0.25))
        await connection.send('{"serverContent": {"audioChunks": [{"data": "%%%"}]}}')

    async with music(play, tmp_path) as (work, _):
        step = await work.submit(JOB, Request(WANTED), told)
    assert step.result["incomplete"] is True
    assert wav_of(step)[2] == 12_000
    assert "0.2 of 1 s came" in step.result["warnings"][0]


async def test_what_was_lost_with_its_process_is_not_known_and_nothing_is_stopped_elsewhere(tmp_path: Path) -> None:
    work = RealtimeMusic(Runtime(Settings(state_dir=tmp_path)))
    assert (await work.poll(JOB, told)).state == "unknown"
    stopped = await work.cancel(JOB)
    assert stopped is not None
    assert stopped.state == "cancelled"
