"""Lyria RealTime: music that is steered while it is made, over a WebSocket of v1alpha.

Source: "Live Music API - WebSockets API reference" and "Real-time music generation with Lyria RealTime"
(ai.google.dev), and the types LiveMusic* of google-genai 3.4. Sound comes as fast as it is made, which is not the time
in which it plays. Google ends a session after ten minutes.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from gemini_server.api.config import Written
from gemini_server.rest.endpoint import Wire

METHOD = "BidiGenerateMusic"
VERSION = "v1alpha"
MODEL = "lyria-realtime-exp"
LONGEST = 600
"""Seconds of a session."""
RATE, CHANNELS = 48_000, 2
"""Of the sound, where it does not say so itself: 16-bit samples, little-endian."""

Scale = Literal[
    "C_MAJOR_A_MINOR", "D_FLAT_MAJOR_B_FLAT_MINOR", "D_MAJOR_B_MINOR", "E_FLAT_MAJOR_C_MINOR",
    "E_MAJOR_D_FLAT_MINOR", "F_MAJOR_D_MINOR", "G_FLAT_MAJOR_E_FLAT_MINOR", "G_MAJOR_E_MINOR",
    "A_FLAT_MAJOR_F_MINOR", "A_MAJOR_G_FLAT_MINOR", "B_FLAT_MAJOR_G_MINOR", "B_MAJOR_A_FLAT_MINOR",
]  # fmt: skip

_RATES, _CHANNELS = range(8_000, 192_001), range(1, 9)
_PARAMETER = re.compile(r";\s*(rate|channels)\s*=\s*(\d{1,6})", re.IGNORECASE)


class Setup(Written):
    """The first message: which model."""

    model: str


class WeightedPrompt(Written):
    """What the music is to be, and how much of it beside the other prompts; the weight is any number but 0."""

    text: str
    weight: float = 1.0


class ClientContent(Written):
    """The prompts from now on."""

    weighted_prompts: list[WeightedPrompt]


class MusicGenerationConfig(Written):
    """How it sounds. A message replaces the one before as a whole."""

    bpm: int | None = None
    scale: Scale | None = None
    density: float | None = None
    brightness: float | None = None
    guidance: float | None = None


class ClientMessage(Written):
    """What this side sends: exactly one of the members."""

    setup: Setup | None = None
    client_content: ClientContent | None = None
    music_generation_config: MusicGenerationConfig | None = None
    playback_control: Literal["PLAY", "PAUSE", "STOP", "RESET_CONTEXT"] | None = None


class AudioChunk(Wire):
    """A piece of sound, base64; its type is `audio/l16;rate=48000;channels=2`."""

    data: str = ""
    mime_type: str | None = None

    def shape(self) -> tuple[int, int]:
        """Frames a second, and channels."""
        said = {name.lower(): int(number) for name, number in _PARAMETER.findall(self.mime_type or "")}
        rate, channels = said.get("rate", RATE), said.get("channels", CHANNELS)
        return rate if rate in _RATES else RATE, channels if channels in _CHANNELS else CHANNELS


class ServerContent(Wire):
    """What was made."""

    audio_chunks: list[AudioChunk] = Field(default_factory=list[AudioChunk])


class FilteredPrompt(Wire):
    """A prompt that is not played, and why."""

    text: str | None = None
    filtered_reason: str | None = None


class ServerMessage(Wire):
    """What Gemini sends."""

    setup_complete: Any = None
    server_content: ServerContent | None = None
    filtered_prompt: FilteredPrompt | None = None
    warning: Any = None
