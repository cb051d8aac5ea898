"""What is asked of a music model: a song or a clip, or a performance that is steered while it is played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gemini_server.api import realtime_music
from gemini_server.api.content import Part
from gemini_server.api.interaction_content import Content, ImageContent, TextContent
from gemini_server.api.interaction_request import AudioFormat, CreateInteraction
from gemini_server.api.realtime_music import MusicGenerationConfig, Scale, WeightedPrompt
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.clips import type_of
from gemini_server.toolkit.work.realtime_music import Change, Performance

CLIP = "lyria-3-clip-preview"
"""The model whose music always takes 30 seconds, at half the price of a song."""
CLIP_SECONDS = 30.0
LONGEST_LIVE = 180.0
"""Seconds of live music in one call: 35 MB, which are in memory until they are saved."""
LIVE_SECONDS = 30.0
_LIVE_MODEL = "realtime"
_CLIP_MODEL = "-clip"


class Weighted(BaseModel):
    """One of several prompts, and how much of it; the weight is any number but 0."""

    model_config = ConfigDict(extra="forbid")

    text: str
    weight: Annotated[float, Field(allow_inf_nan=False)] = 1.0


class Steering(BaseModel):
    """Other prompts from a second of the music on."""

    model_config = ConfigDict(extra="forbid")

    at: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    prompts: list[Weighted]


@dataclass(frozen=True, slots=True)
class Music:
    """What is to be made.

    Attributes:
        prompt: what it is to be.
        prompts: several that are mixed, for live music.
        seconds: how long it is to be; None leaves that to the model.
        config: how live music is to sound; None where nothing is said of that.
        steps: how live music changes on the way.
        live: whether it is to be live; None follows from the rest.
        model: the model id; None for the catalogue's.
    """

    prompt: str | None = None
    prompts: Sequence[Weighted] = ()
    seconds: float | None = None
    config: MusicGenerationConfig | None = None
    steps: Sequence[Steering] = field(default_factory=tuple[Steering, ...])
    live: bool | None = None
    model: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether it is played by Lyria RealTime."""
        if self.live is not None:
            return self.live
        named = self.model is not None and _LIVE_MODEL in self.model
        return named or bool(self.prompts or self.config or self.steps)

    @property
    def words(self) -> str:
        """What is to be heard, in one text."""
        return self.prompt or ", ".join(f"{one.text} ({one.weight:g})" for one in self.prompts)

    def chosen(self, default: str) -> str:
        """The model that makes it.

        Args:
            default: the model of songs.
        """
        if self.model is not None:
            return self.model
        if self.is_live:
            return realtime_music.MODEL
        return CLIP if self.seconds is not None and self.seconds <= CLIP_SECONDS else default

    def check(self, *, image: bool) -> None:
        """See whether it can be made.

        Args:
            image: whether a picture is given.

        Raises:
            ArgumentError: nothing is described, or something is that does not go together.
        """
        texts = [self.prompt] if self.prompt is not None else [one.text for one in self.prompts]
        if self.prompt is not None and self.prompts:
            raise ArgumentError("Give either prompt or prompts.", "prompts mixes several, by weight.")
        if not texts or not all(text.strip() for text in texts):
            raise ArgumentError("There is nothing to play: no prompt, or an empty one.", "Describe the music.")
        if not self.is_live:
            if self.model is not None and _LIVE_MODEL in self.model:
                raise ArgumentError(f"{self.model} makes live music alone.", "Leave live or the model out.")
            if self.prompts or self.config or self.steps:
                raise ArgumentError(
                    "prompts, steps, bpm, scale, density, brightness and guidance are for live music alone.",
                    "Leave live out, or say all that in the prompt.",
                )
            return
        if image:
            raise ArgumentError("Live music is made of words, not of a picture.", "Describe the picture in the prompt.")
        if self.model is not None and self.model.startswith("lyria-") and _LIVE_MODEL not in self.model:
            raise ArgumentError(f"{self.model} makes songs, no live music.", "Leave the model out.")
        length = self.seconds or LIVE_SECONDS
        if length > LONGEST_LIVE:
            raise ArgumentError(
                f"Live music takes at most {LONGEST_LIVE:g} seconds in one call, not {length:g}.",
                "Make it in pieces, or leave live out: a song may be longer.",
            )
        mixes = [self.prompts, *(step.prompts for step in self.steps)]
        if any(one.weight == 0 or not one.text.strip() for mix in mixes for one in mix):
            raise ArgumentError("A prompt is empty or has the weight 0.", "Leave it out.")
        if not all(step.prompts for step in self.steps) or any(step.at >= length for step in self.steps):
            raise ArgumentError(
                f"Each step needs prompts, and an `at` within the {length:g} seconds of the music.",
                'For example {"at": 10, "prompts": [{"text": "add drums", "weight": 1}]}.',
            )

    def performance(self, model: str) -> Performance:
        """The request for live music."""
        prompts = self.prompts or [Weighted(text=self.prompt or "")]
        return Performance(
            model=model,
            seconds=self.seconds or LIVE_SECONDS,
            prompts=_weighted(prompts),
            config=self.config,
            changes=[Change(at=step.at, prompts=_weighted(step.prompts)) for step in self.steps],
        )

    def interaction(self, model: str, pictures: Sequence[Part]) -> CreateInteraction:
        """The request for a song or a clip."""
        text = self.prompt or ""
        if self.seconds is not None and _CLIP_MODEL not in model:
            text = f"{text}\nLength: about {self.seconds:g} seconds."
        said: list[Content | JsonObject] = [TextContent(text=text), *map(_picture, pictures)]
        return CreateInteraction(
            model=model,
            input=said if pictures else text,
            response_format=AudioFormat(mime_type="audio/mp3"),
            store=False,  # nothing follows up on a song: it need not be kept at Google
        )

    def warnings(self, model: str) -> list[str]:
        """What is done otherwise than was said."""
        if not self.is_live and _CLIP_MODEL in model and self.seconds not in (None, CLIP_SECONDS):
            return [f"{model} makes clips of {CLIP_SECONDS:g} s, whatever seconds says; live=true is exact."]
        return []


def config(
    bpm: int | None, scale: Scale | None, density: float | None, brightness: float | None, guidance: float | None
) -> MusicGenerationConfig | None:
    """How live music is to sound; None where nothing is said."""
    said = MusicGenerationConfig(bpm=bpm, scale=scale, density=density, brightness=brightness, guidance=guidance)
    return said if said.model_dump(exclude_none=True) else None


def check_picture(parts: Sequence[Part]) -> None:
    """See that a picture is one.

    Raises:
        ArgumentError: it is something else.
    """
    kind = type_of(parts[0]) if parts else ""
    if kind and not kind.startswith("image/"):
        raise ArgumentError(f"image takes a picture; this is {kind}.", "Give a PNG, JPEG or WebP.")


def _picture(part: Part) -> ImageContent:
    if part.inline_data is not None:
        return ImageContent(data=part.inline_data.data, mime_type=part.inline_data.mime_type)
    assert part.file_data is not None  # noqa: S101  a media source is the one or the other
    return ImageContent(uri=part.file_data.file_uri, mime_type=part.file_data.mime_type)


def _weighted(prompts: Sequence[Weighted]) -> list[WeightedPrompt]:
    return [WeightedPrompt(text=one.text, weight=one.weight) for one in prompts]
