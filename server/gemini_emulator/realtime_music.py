"""Lyria RealTime (`BidiGenerateMusic`): music without end, steered while it plays.

Source: the Live Music API reference and the guide to real-time music generation of the Gemini API. A new configuration
replaces the old one as a whole; tempo and key change only with the context, which STOP and RESET_CONTEXT throw away.
Music comes faster than it is played, unless `Options.real_time` is set.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field

from anyio import to_thread

from .errors import ApiError, invalid
from .faults import Directive, without_directives
from .realtime import Session, one_of
from .realtime_music_rules import SCALES, Prompt, config_of, control_of, prompts_of
from .realtime_sound import CHANNELS, RATE, SECONDS, Mix, chunk
from .wire import Object

_MIME = f"audio/l16;rate={RATE};channels={CHANNELS}"
_PACE = 0.02
_MESSAGES = ("clientContent", "musicGenerationConfig", "playbackControl")
_FILTERED = "The prompt was filtered by the emulator because a directive asked for it."


@dataclass
class _Desk:
    """The state of one session."""

    prompts: list[Prompt] = field(default_factory=list[Prompt])
    config: Object = field(default_factory=dict[str, object])
    playing: bool = False
    position: int = 0
    context: Object = field(default_factory=dict[str, object])
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def control(self, signal: str) -> None:
        """Play, pause, stop or begin anew."""
        if signal != "RESET_CONTEXT":
            self.playing = signal == "PLAY"
        if signal in ("STOP", "RESET_CONTEXT"):
            self.position = 0
        self.begin()
        self.moved.set()

    def begin(self) -> None:
        """Take tempo and key from the configuration, at the beginning of a context only."""
        if not self.position:
            self.context = {name: self.config[name] for name in ("bpm", "scale") if name in self.config}

    def mix(self) -> Mix:
        """What is to be heard now."""
        total = sum(abs(prompt.weight) for prompt in self.prompts)
        config = self.config
        only = config.get("onlyBassAndDrums", False)
        return Mix(
            tuple((prompt.text, abs(prompt.weight) / total) for prompt in self.prompts),
            bpm=self.context.get("bpm", Mix.bpm),
            key=SCALES.index(self.context.get("scale", SCALES[0])),
            density=config.get("density", Mix.density),
            brightness=config.get("brightness", Mix.brightness),
            seed=config.get("seed", Mix.seed),
            bass=only or not config.get("muteBass", False),
            drums=only or not config.get("muteDrums", False),
            others=not only,
        )

    def source(self) -> Object:
        """`sourceMetadata` of what is heard now."""
        weighted = [{"text": prompt.text, "weight": prompt.weight} for prompt in self.prompts]
        return {"clientContent": {"weightedPrompts": weighted}, "musicGenerationConfig": self.config}


async def serve(session: Session) -> None:
    """Serve one session until the client leaves, or does what cannot be done.

    Raises:
        ApiError: for a message that is refused.
    """
    _check(session, await session.setup())
    await session.connection.send({"setupComplete": {}})
    if "warning" in session.connection.directive:
        words = session.connection.directive.get("warning", "The emulator was asked to warn.").replace("_", " ")
        await session.connection.send({"warning": words})
    desk = _Desk()
    tasks = [asyncio.create_task(_listen(session, desk)), asyncio.create_task(_play(session, desk))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _check(session: Session, setup: Object) -> None:
    model: object = setup.get("model")
    if not isinstance(model, str) or not model.startswith("models/"):
        raise invalid("* BidiGenerateMusicSetup.model: unexpected model name format")
    if len(setup) > 1:
        raise invalid("Invalid JSON payload received. BidiGenerateMusicSetup has no field but model.")
    card = session.service.catalogue.get(model, session.version)
    if session.version == "v1" or not card.id.startswith("lyria-realtime"):
        raise ApiError(
            404,
            f"{model} is not found for API version {session.version}, or is not supported for bidiGenerateMusic.",
        )


async def _listen(session: Session, desk: _Desk) -> None:
    while True:
        name, value = one_of(await session.connection.receive(), _MESSAGES)
        match name:
            case "clientContent":
                await _prompt(session, desk, prompts_of(value))
            case "musicGenerationConfig":
                desk.config = config_of(value)
                desk.begin()
            case _:
                desk.control(control_of(value))


async def _prompt(session: Session, desk: _Desk, prompts: list[Prompt]) -> None:
    """Take new prompts, without those that are filtered."""
    kept: list[Prompt] = []
    for prompt in prompts:
        directive = Directive.in_text(prompt.text)
        text = without_directives(prompt.text)
        if "filter" in directive:
            await session.connection.send({"filteredPrompt": {"text": text, "filteredReason": _FILTERED}})
        else:
            session.connection.directive = session.connection.directive.merged(directive)
            kept.append(Prompt(text, prompt.weight))
    if kept:
        desk.prompts = kept
    desk.moved.set()


async def _play(session: Session, desk: _Desk) -> None:
    options = session.service.options
    while True:
        desk.moved.clear()
        if not desk.playing or not desk.prompts:
            await desk.moved.wait()
            continue
        number, mix, source = desk.position, desk.mix(), desk.source()
        sound = await to_thread.run_sync(chunk, mix, number)
        if not desk.playing:
            continue
        audio: Object = {"data": base64.b64encode(sound).decode(), "mimeType": _MIME, "sourceMetadata": source}
        await session.connection.send({"serverContent": {"audioChunks": [audio]}}, chunk=True)
        if desk.position == number:
            desk.position += 1
        pace = SECONDS if options.real_time else _PACE
        await asyncio.sleep(session.connection.directive.seconds("pace") or pace)
