"""What is asked of the Live API: what is said and shown in a turn, how the session is set up, what came before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from gemini_server.api import voices
from gemini_server.api.catalogue import Catalogue
from gemini_server.api.config import AudioTranscriptionConfig, GenerationConfig, SpeechConfig
from gemini_server.api.content import Content, FunctionResponse, text_part
from gemini_server.api.live import (
    AutomaticActivityDetection,
    ContextWindowCompression,
    HistoryConfig,
    RealtimeInputConfig,
    SessionResumption,
    Setup,
    SlidingWindow,
)
from gemini_server.api.tools import Tool
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.generation.options import Options, build, request_model
from gemini_server.toolkit.generation.transcript import member
from gemini_server.toolkit.params import AnyJson
from gemini_server.toolkit.segments import is_language

HISTORY = 200_000
"""Characters of earlier turns that are told again; the oldest are left out."""
_OLDER = ("gemini-2", "gemini-live-2")
"""Models that take what is said as turns; those from 3.1 on take turns for the history alone."""


class FunctionIn(BaseModel):
    """A function that the caller can run."""

    model_config = ConfigDict(extra="forbid")

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = Field(default=None, description="JSON Schema")


class FunctionResultIn(BaseModel):
    """What a function returned."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    name: str | None = None
    response: AnyJson


class Manner(BaseModel):
    """How the model is to talk; a conversation keeps it."""

    model_config = ConfigDict(extra="ignore")

    voice: str | None = None
    language: str | None = None
    system: str | None = None
    functions: list[dict[str, Any]] | None = None

    def speech(self) -> SpeechConfig | None:
        """Voice and language.

        Raises:
            ArgumentError: there is no such voice, or the language is none.
        """
        if self.language is not None and not is_language(self.language):
            raise ArgumentError("language is no language tag.", "Give one such as de-DE, or leave it out.")
        if self.voice is None and self.language is None:
            return None
        voice = None if self.voice is None else voices.config(self.voice)
        if self.voice is not None and voice is None:
            close = voices.nearest(self.voice)
            hint = f"Did you mean {' or '.join(close)}?" if close else "Kore, Puck, Charon and Zephyr are some."
            raise ArgumentError(f"There is no voice {self.voice[:60]!r}.", hint)
        return SpeechConfig(voice_config=voice, language_code=self.language)

    def tools(self, model: str, catalogue: Catalogue) -> list[Tool] | None:
        """The functions.

        Raises:
            ArgumentError: one of them is not described well.
        """
        if not self.functions:
            return None
        return build(model, [], Options(functions=self.functions), catalogue)[0].tools


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is shown."""

    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user says: a text, a recording or both, and pictures beside it; or what functions returned.

    Attributes:
        text: in words.
        sound: 16-bit PCM, mono, 16 kHz.
        pictures: shown before anything is said.
        results: of the functions that the model called.
    """

    text: str = ""
    sound: bytes = field(default=b"", repr=False)
    pictures: tuple[Picture, ...] = ()
    results: tuple[FunctionResponse, ...] = ()


def setup_of(model: str, manner: Manner, turn: Turn, catalogue: Catalogue) -> Setup:
    """How the session of a turn is set up; the handle and what it knows of earlier turns are said when it is opened.

    Raises:
        ArgumentError: as `Manner`.
    """
    # A recording is one turn whatever pauses it has, so this side says where it begins and ends.
    marked = AutomaticActivityDetection(disabled=True)
    return Setup(
        model=request_model(model),
        generation_config=GenerationConfig(response_modalities=["AUDIO"], speech_config=manner.speech()),
        system_instruction=Content(parts=[text_part(manner.system)]) if manner.system else None,
        tools=manner.tools(model, catalogue),
        realtime_input_config=RealtimeInputConfig(automatic_activity_detection=marked) if turn.sound else None,
        context_window_compression=ContextWindowCompression(sliding_window=SlidingWindow()),
        input_audio_transcription=AudioTranscriptionConfig(),
        output_audio_transcription=AudioTranscriptionConfig(),
    )


def opening(setup: Setup, handle: str | None, *, seeded: bool) -> Setup:
    """The setup of one connection.

    Args:
        setup: of the session.
        handle: of the conversation that goes on.
        seeded: whether what came before is told first.
    """
    update: dict[str, Any] = {"session_resumption": SessionResumption(handle=handle)}
    if seeded:
        update["history_config"] = HistoryConfig(initial_history_in_client_content=True)
    return setup.model_copy(update=update)


def takes_turns(model: str) -> bool:
    """Whether a model takes what is said as turns."""
    return model.removeprefix("models/").startswith(_OLDER)


def history_of(turns: Sequence[JsonObject]) -> list[Content]:
    """Kept turns in words: what was heard and seen is not there any more, and neither are open calls."""
    told: list[Content] = []
    room = HISTORY
    for turn in reversed(turns):
        words = "\n".join(filter(None, map(_words, cast("list[JsonObject]", turn.get("parts") or []))))
        if not words:
            continue
        room -= len(words)
        if room < 0:
            break
        told.append(Content(role="model" if turn.get("role") == "model" else "user", parts=[text_part(words)]))
    return told[::-1]


def _words(part: JsonObject) -> str:
    called, returned = member(part, "functionCall"), member(part, "functionResponse")
    if called is not None:
        return f"[called {called.get('name')}({_json(called.get('args') or {})})]"
    if returned is not None:
        return f"[{returned.get('name')} returned {_json(returned.get('response'))}]"
    if part.get("inlineData") or part.get("fileData"):
        return "[a file]"
    text = part.get("text")
    return text if isinstance(text, str) and not part.get("thought") else ""


def results_in_words(turn: Turn) -> Turn:
    """The results of functions as something that is said, for a session that did not wait for them."""
    lines = [f"{one.name} returned {_json(one.response)}" for one in turn.results]
    return Turn(text="\n".join(["These are the results of the functions. Go on with them.", *lines]))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
