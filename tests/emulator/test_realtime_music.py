"""Lyria RealTime over a real WebSocket."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from array import array
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from gemini_emulator import Emulator, Options, running

pytestmark = pytest.mark.anyio

METHOD = "google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateMusic"
SETUP = {"setup": {"model": "models/lyria-realtime-exp"}}
RATE = 48_000


class Music:
    """A session as a raw client sees it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        raw = await self.socket.recv()
        assert isinstance(raw, bytes)
        return dict(json.loads(raw))

    async def prompt(self, *texts: str, **config: Any) -> None:
        await self.send(clientContent={"weightedPrompts": [{"text": text, "weight": 1.0} for text in texts]})
        if config:
            await self.send(musicGenerationConfig=config)

    async def chunk(self) -> dict[str, Any]:
        """The next chunk of sound."""
        (audio,) = (await self.receive())["serverContent"]["audioChunks"]
        return dict(audio)

    async def sound(self) -> bytes:
        return base64.b64decode((await self.chunk())["data"])

    async def closed(self) -> tuple[int, str]:
        """The code and the reason of the end."""
        with suppress(ConnectionClosed):
            async for _ in self.socket:
                pass
        return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def connected(
    emulator: Emulator, *, key: str = "k", query: str = "", method: str = METHOD
) -> AsyncGenerator[Music]:
    url = f"{emulator.url.replace('http', 'ws')}/ws/{method}{query}"
    headers = {"x-goog-api-key": key} if key else {}
    async with connect(url, additional_headers=headers) as socket:
        yield Music(socket)


@asynccontextmanager
async def ready(emulator: Emulator) -> AsyncGenerator[Music]:
    """A session after its setup."""
    async with connected(emulator) as music:
        await music.send(**SETUP)
        assert await music.receive() == {"setupComplete": {}}
        yield music


def left(sound: bytes) -> array[int]:
    """One channel of a chunk."""
    return array("h", sound)[::2]


def beats(sound: bytes) -> list[int]:
    """Where the drum is heard, as samples."""
    loud = [at for at, value in enumerate(left(sound)) if abs(value) > 6_000]
    return [at for before, at in zip([-RATE, *loud], loud, strict=False) if at - before > RATE // 10]


async def test_a_session_is_set_up_and_plays(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.prompt("minimal techno", bpm=120, temperature=1.1)
        await music.send(playbackControl="PLAY")
        chunk = await music.chunk()
        assert chunk["mimeType"] == "audio/l16;rate=48000;channels=2"
        assert len(base64.b64decode(chunk["data"])) == 2 * RATE * 2 * 2
        prompts = chunk["sourceMetadata"]["clientContent"]["weightedPrompts"]
        assert prompts == [{"text": "minimal techno", "weight": 1.0}]
        assert chunk["sourceMetadata"]["musicGenerationConfig"]["bpm"] == 120
        assert await music.sound() != base64.b64decode(chunk["data"])


async def test_the_key_may_be_in_the_query_and_names_in_snake_case(emulator: Emulator) -> None:
    async with connected(emulator, key="", query="?key=k") as music:
        await music.send(**SETUP)
        await music.receive()
        await music.send(client_content={"weighted_prompts": [{"text": "piano", "weight": 2}]})
        await music.send(music_generation_config={"only_bass_and_drums": True, "scale": "SCALE_UNSPECIFIED"})
        await music.send(playback_control="PLAY")
        assert len(await music.sound()) == 2 * RATE * 2 * 2


async def test_music_comes_faster_than_it_is_played(emulator: Emulator) -> None:
    began = time.monotonic()
    async with ready(emulator) as music:
        await music.prompt("piano")
        await music.send(playbackControl="PLAY")
        for _ in range(3):
            await music.sound()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("bpm", [60, 90, 150])
async def test_the_tempo_can_be_heard(emulator: Emulator, bpm: int) -> None:
    async with ready(emulator) as music:
        await music.prompt("techno", bpm=bpm, onlyBassAndDrums=True)
        await music.send(playbackControl="PLAY")
        found = beats(await music.sound() + await music.sound())
    gaps = [after - before for before, after in itertools.pairwise(found)]
    assert len(gaps) >= 2
    assert gaps == pytest.approx([60 * RATE / bpm] * len(gaps), abs=RATE / 50)


async def test_music_follows_its_prompts_and_their_weights(emulator: Emulator) -> None:
    async def played(*prompts: tuple[str, float]) -> bytes:
        async with ready(emulator) as music:
            weighted = [{"text": text, "weight": weight} for text, weight in prompts]
            await music.send(clientContent={"weightedPrompts": weighted})
            await music.send(playbackControl="PLAY")
            return await music.sound()

    techno = await played(("techno", 1))
    assert techno == await played(("techno", 3))
    assert len({techno, await played(("harp", 1)), await played(("harp", 1), ("techno", 2))}) == 3


async def test_a_prompt_changes_the_music_while_it_plays(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.prompt("techno")
        await music.send(playbackControl="PLAY")
        await music.chunk()
        await music.prompt("harp")
        while True:
            prompts = (await music.chunk())["sourceMetadata"]["clientContent"]["weightedPrompts"]
            if prompts[0]["text"] == "harp":
                break


async def test_drums_and_bass_can_be_muted(emulator: Emulator) -> None:
    async def loudness(**config: bool) -> int:
        async with ready(emulator) as music:
            await music.prompt("techno", **config)
            await music.send(playbackControl="PLAY")
            return max(left(await music.sound()))

    assert await loudness(muteDrums=True, muteBass=True) < await loudness(muteDrums=True) < await loudness()


async def test_stop_begins_anew_and_pause_does_not(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.prompt("techno [emulate: pace=400ms]")
        await music.send(playbackControl="PLAY")
        first = await music.sound()
        await music.send(playbackControl="STOP")
        await music.send(playbackControl="PLAY")
        assert await music.sound() == first
        await music.send(playbackControl="PAUSE")
        await music.send(playbackControl="PLAY")
        assert await music.sound() != first


async def test_a_new_tempo_waits_for_a_new_context(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.prompt("techno [emulate: pace=400ms]", bpm=60, onlyBassAndDrums=True)
        await music.send(playbackControl="PLAY")
        slow = await music.sound()
        await music.send(musicGenerationConfig={"bpm": 120, "onlyBassAndDrums": True})
        assert len(beats(await music.sound())) == len(beats(slow)) == 2
        await music.send(playbackControl="RESET_CONTEXT")
        assert len(beats(await music.sound())) == 4


async def test_nothing_plays_without_a_prompt(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.send(playbackControl="PLAY")
        await music.prompt("techno")
        assert await music.sound()


async def test_an_unsafe_prompt_is_filtered(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.prompt("a famous voice [emulate: filter]", "harp")
        filtered = (await music.receive())["filteredPrompt"]
        assert filtered["text"] == "a famous voice"
        assert filtered["filteredReason"]
        await music.send(playbackControl="PLAY")
        prompts = (await music.chunk())["sourceMetadata"]["clientContent"]["weightedPrompts"]
        assert prompts == [{"text": "harp", "weight": 1.0}]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"musicGenerationConfig": {"bpm": 59}}, "bpm must be in the range [60, 200]"),
        ({"musicGenerationConfig": {"bpm": 99.5}}, "music_generation_config.bpm"),
        ({"musicGenerationConfig": {"density": 1.1}}, "density must be in the range [0, 1]"),
        ({"musicGenerationConfig": {"brightness": -1}}, "brightness must be in the range [0, 1]"),
        ({"musicGenerationConfig": {"guidance": 7}}, "guidance must be in the range [0, 6]"),
        ({"musicGenerationConfig": {"scale": "H_MAJOR"}}, "music_generation_config.scale"),
        ({"musicGenerationConfig": {"muteBass": 1}}, "music_generation_config.muteBass"),
        ({"musicGenerationConfig": {"swing": 1}}, 'Unknown name "swing"'),
        ({"clientContent": {"weightedPrompts": []}}, "must not be empty"),
        ({"clientContent": {"weightedPrompts": [{"text": "x", "weight": 0}]}}, "weight must not be 0"),
        ({"clientContent": {"weightedPrompts": [{"weight": 1}]}}, "text is required"),
        ({"playbackControl": "REWIND"}, "playback_control"),
        ({"setup": {"model": "x"}}, 'Unknown name "setup"'),
        ({}, "exactly one of the fields"),
    ],
)
async def test_a_message_that_makes_no_sense_ends_the_session(
    emulator: Emulator, message: dict[str, Any], words: str
) -> None:
    async with ready(emulator) as music:
        await music.send(**message)
        code, reason = await music.closed()
    assert code == 1007
    assert words in reason


async def test_a_frame_that_is_no_json_ends_the_session(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.socket.send("{")
        assert (await music.closed())[0] == 1007


@pytest.mark.parametrize(
    ("setup", "code", "words"),
    [
        ({"playbackControl": "PLAY"}, 1007, "Unknown name"),
        ({"setup": {"model": "lyria-realtime-exp"}}, 1007, "unexpected model name"),
        ({"setup": {"model": "models/lyria-realtime-exp", "key": 1}}, 1007, "no field but model"),
        ({"setup": {"model": "models/gemini-3.8-live"}}, 1008, "not supported for bidiGenerateMusic"),
    ],
)
async def test_a_setup_that_makes_no_sense_is_refused(
    emulator: Emulator, setup: dict[str, Any], code: int, words: str
) -> None:
    async with connected(emulator) as music:
        await music.send(**setup)
        found, reason = await music.closed()
    assert found == code
    assert words in reason


async def test_a_caller_without_a_good_key_is_closed_with_the_reason(emulator: Emulator) -> None:
    async with connected(emulator, key="invalid") as music:
        assert await music.closed() == (1007, "API key not valid. Please pass a valid API key.")
    async with connected(emulator, key="") as music:
        assert (await music.closed())[0] == 1008


async def test_an_unknown_method_is_not_found(emulator: Emulator) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connected(emulator, method=METHOD.replace("Music", "Noise")):
            pass
    assert refused.value.response.status_code == 404


async def test_faults_before_and_inside_a_session(emulator: Emulator) -> None:
    emulator.add_fault("status=429", path="BidiGenerateMusic")
    with pytest.raises(InvalidStatus) as refused:
        async with connected(emulator):
            pass
    assert refused.value.response.status_code == 429
    emulator.add_fault("cut=before", path="BidiGenerateMusic")
    with pytest.raises(InvalidMessage):
        async with connected(emulator):
            pass
    emulator.add_fault("close=1011 message=no_room", path="BidiGenerateMusic")
    async with connected(emulator) as music:
        await music.send(**SETUP)
        assert await music.closed() == (1011, "no room")
    emulator.add_fault("warning=be_brief", path="BidiGenerateMusic")
    async with ready(emulator) as music:
        assert await music.receive() == {"warning": "be brief"}


@pytest.mark.parametrize(("directive", "code"), [("close=1011 after=2", 1011), ("cut=inside after=2", 1006)])
async def test_a_session_can_break_after_some_chunks(emulator: Emulator, directive: str, code: int) -> None:
    async with ready(emulator) as music:
        await music.prompt(f"techno [emulate: {directive}]")
        await music.send(playbackControl="PLAY")
        for _ in range(2):
            await music.sound()
        assert (await music.closed())[0] == code


async def test_a_broken_frame_can_be_asked_for(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.prompt("techno [emulate: broken_json after=1]")
        await music.send(playbackControl="PLAY")
        await music.sound()
        with pytest.raises(ValueError, match=r".+"):
            await music.receive()
        await music.sound()


async def test_handshake_and_frames_are_logged_without_the_key(emulator: Emulator) -> None:
    async with ready(emulator) as music:
        await music.prompt("techno")
        await music.send(playbackControl="PAUSE")
        await music.send(nonsense=1)
        await music.closed()
    handshake, *frames = emulator.requests
    assert (handshake["method"], handshake["headers"]["x-goog-api-key"]) == ("GET", "***")
    assert {frame["method"] for frame in frames} == {"FRAME"}
    assert frames[0]["body"] == SETUP
    assert frames[2]["body"] == {"playbackControl": "PAUSE"}


async def test_music_can_come_in_real_time_and_behind_a_prefix() -> None:
    async with running(Options(real_time=True, prefix="/gateway")) as emulator, ready(emulator) as music:
        await music.prompt("techno")
        await music.send(playbackControl="PLAY")
        await music.sound()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(music.sound(), 0.3)


async def test_it_stops_within_a_second_with_an_open_session() -> None:
    async with running(Options()) as emulator:
        url = f"{emulator.url.replace('http', 'ws')}/ws/{METHOD}?key=k"
        music = Music(await connect(url))
        await music.send(**SETUP)
        await music.prompt("techno")
        await music.send(playbackControl="PLAY")
        await music.receive()
        began = time.monotonic()
    assert time.monotonic() - began < 1
    await music.socket.close()
