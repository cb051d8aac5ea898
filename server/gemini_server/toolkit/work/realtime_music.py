"""Music of Lyria RealTime: played into memory for so many seconds, steered on the way, and kept as a WAV file.

A session ends when enough has come, whatever it takes: the sound comes as fast as it is made. What came before the
connection broke is kept; nothing is played a second time by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from pydantic import BaseModel

from gemini_server.api.realtime_music import (
    METHOD,
    VERSION,
    AudioChunk,
    ClientContent,
    ClientMessage,
    FilteredPrompt,
    MusicGenerationConfig,
    ServerMessage,
    Setup,
    WeightedPrompt,
)
from gemini_server.errors import (
    Blocked,
    GeminiError,
    MayHaveBeenBilled,
    NotFound,
    Overloaded,
    ToolserverError,
)
from gemini_server.jobs.job import Job, Json, Media, Request, Spent, Step, Tell
from gemini_server.rest import websocket
from gemini_server.rest.body import RawJson
from gemini_server.rest.websocket import Socket
from gemini_server.toolkit import wav
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.sound_chunk import SAMPLE, decoded
from gemini_server.toolkit.untrusted import label
from gemini_server.toolkit.work.foreground import Foreground

QUIET = 30.0
"""Seconds without a message after which nothing more is expected."""
SLOWEST = 3.0
"""Seconds that a second of music may take."""


class Change(BaseModel):
    """Other prompts from a second of the music on."""

    at: float
    prompts: list[WeightedPrompt]


class Performance(BaseModel):
    """What is to be played: the request of a job of this work."""

    model: str
    seconds: float
    prompts: list[WeightedPrompt]
    config: MusicGenerationConfig | None = None
    changes: list[Change] = []


@dataclass
class _Recording:
    """What came so far.

    Attributes:
        sound: 16-bit samples, interleaved.
        rate: frames a second; 0 until the first sound has come.
        channels: of the sound.
        filtered: prompts that are not played.
        warnings: what else Gemini says.
    """

    sound: bytearray = field(default_factory=bytearray)
    rate: int = 0
    channels: int = 0
    filtered: list[FilteredPrompt] = field(default_factory=list[FilteredPrompt])
    warnings: list[str] = field(default_factory=list[str])

    @property
    def seconds(self) -> float:
        """How much music there is."""
        return len(self.sound) / (self.rate * self.channels * SAMPLE) if self.rate else 0.0

    def room(self, seconds: float) -> int:
        """Bytes that are missing to so many seconds."""
        return max(0, round(seconds * self.rate) * self.channels * SAMPLE - len(self.sound))

    async def add(self, chunk: AudioChunk, seconds: float) -> None:
        """Take a piece of sound, as much of it as is wanted."""
        data = await decoded(chunk.data)
        if not self.rate:
            self.rate, self.channels = chunk.shape()
        self.sound += data[: self.room(seconds)]

    def told(self) -> list[str]:
        """What was filtered and warned of, in words."""
        found = [
            f"Gemini does not play the prompt {label(one.text or '', 80)!r}: "
            f"{label(one.filtered_reason or 'it gave no reason', 200)}."
            for one in self.filtered
        ]
        return list(dict.fromkeys([*found, *self.warnings]))


class RealtimeMusic(Foreground):
    """Plays a `Performance`."""

    async def submit(self, job: Job, request: Request, tell: Tell) -> Step:
        """Play it.

        Raises:
            ToolserverError: there is no music at all.
        """
        wanted = _wanted(request)
        recording = _Recording()
        try:
            async with self.runtime.slot():
                trouble = await self._play(wanted, recording, tell)
        except NotFound as error:
            raise with_replacement(self.runtime, job.model, error) from None
        if not recording.sound:
            raise trouble or Blocked("Gemini made no music of this.", "Describe it in other words.")
        warnings = recording.told()
        result: Json = {"model_version": job.model, "usage": Usage().structured()}
        if trouble is not None:
            result["incomplete"] = True
            warnings.append(f"{recording.seconds:.1f} of {wanted.seconds:g} s came: {trouble.what}")
        if warnings:
            result["warnings"] = warnings
        data = await anyio.to_thread.run_sync(_wav, recording)
        # No price is known: the model is an experiment of Google's.
        return Step("finished", result=result, media=[Media("music", wav.WAV, data=data)], spent=Spent(job.model))

    async def _play(self, wanted: Performance, recording: _Recording, tell: Tell) -> ToolserverError | None:
        """Play until there is enough; why there is not, where something came before it ended.

        Raises:
            ToolserverError: it ended before anything came.
        """
        played = False
        try:
            async with websocket.connect(
                self.runtime.client.config, METHOD, version=VERSION, sends=ClientMessage, hears=ServerMessage
            ) as socket:
                tell("connected")
                await _set_up(socket, wanted, recording)
                await socket.send(ClientMessage(playback_control="PLAY"))
                played = True
                await _listen(socket, wanted, recording, tell)
                await socket.send(ClientMessage(playback_control="STOP"))
        except ToolserverError as error:
            if not recording.room(wanted.seconds) and recording.sound:
                return None  # there is enough: how it ended does not matter
            if recording.sound:
                return error
            if recording.filtered and not isinstance(error, Blocked):
                what = " ".join(recording.told())
                raise Blocked(f"{what} There is no music.", "Describe it in other words.") from error
            if played and isinstance(error, GeminiError):
                raise MayHaveBeenBilled(f"{error.what} No music had come by then.", code=error.code) from error
            raise
        return None


async def _set_up(socket: Socket[ClientMessage, ServerMessage], wanted: Performance, recording: _Recording) -> None:
    await socket.send(ClientMessage(setup=Setup(model=request_model(wanted.model))))
    while (message := await socket.receive(QUIET)).setup_complete is None:
        _note(message, recording)
    await socket.send(ClientMessage(client_content=ClientContent(weighted_prompts=wanted.prompts)))
    if wanted.config is not None:
        await socket.send(ClientMessage(music_generation_config=wanted.config))


async def _listen(
    socket: Socket[ClientMessage, ServerMessage], wanted: Performance, recording: _Recording, tell: Tell
) -> None:
    """Take sound until there is enough, and change the prompts at their seconds of the music."""
    changes = sorted(wanted.changes, key=lambda change: change.at)
    with anyio.move_on_after(QUIET + wanted.seconds * SLOWEST):
        while not recording.rate or recording.room(wanted.seconds):
            while changes and changes[0].at <= recording.seconds:
                content = ClientContent(weighted_prompts=changes.pop(0).prompts)
                await socket.send(ClientMessage(client_content=content))
            message = await socket.receive(QUIET)
            _note(message, recording)
            if not recording.sound and len(recording.filtered) >= len(wanted.prompts):
                raise Blocked(
                    " ".join([*recording.told(), "Nothing is left to be played."]), "Describe it in other words."
                )
            for chunk in message.server_content.audio_chunks if message.server_content else ():
                await recording.add(chunk, wanted.seconds)
            tell(f"{recording.seconds:.0f} of {wanted.seconds:g} s", recording.seconds / wanted.seconds)
        return
    raise Overloaded("Gemini makes the music too slowly.", "Call again later.", code="deadline_exceeded")


def _note(message: ServerMessage, recording: _Recording) -> None:
    if message.filtered_prompt is not None:
        recording.filtered.append(message.filtered_prompt)
    if message.warning:
        recording.warnings.append(f"Gemini warns: {label(str(message.warning), 300)}")


def _wanted(request: Request) -> Performance:
    if isinstance(request.body, RawJson):
        return Performance.model_validate_json(request.body.data)
    if not isinstance(request.body, Performance):
        raise TypeError("this work plays a Performance")
    return request.body


def _wav(recording: _Recording) -> bytes:
    return wav.header(len(recording.sound), recording.rate, recording.channels) + bytes(recording.sound)


WORK = RealtimeMusic
