"""Ephemeral tokens for Live sessions: what one fixes, how long it lasts, where it opens something."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from gemini_server.api import auth_tokens
from gemini_server.api.auth_tokens import LONGEST, USUAL, USUAL_SESSIONS, CreateAuthToken
from gemini_server.api.catalogue import Catalogue
from gemini_server.api.config import AudioTranscriptionConfig, GenerationConfig
from gemini_server.api.content import Content, text_part
from gemini_server.api.live import CONSTRAINED, SessionResumption, Setup
from gemini_server.errors import ArgumentError, BadAnswer
from gemini_server.rest import websocket
from gemini_server.rest.config import ClientConfig
from gemini_server.rest.json_values import object_of
from gemini_server.toolkit.generation.options import request_model
from gemini_server.toolkit.live_request import FunctionIn, Manner

_TOKEN = re.compile(r"auth_tokens/[\w.~-]{1,1000}", re.ASCII)


class Constraints(BaseModel):
    """What a token fixes."""

    model_config = ConfigDict(extra="forbid")

    voice: str | None = None
    language: str | None = None
    system: str | None = None
    modalities: list[Literal["AUDIO", "TEXT"]] | None = None
    functions: list[FunctionIn] | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)
    transcripts: bool | None = Field(default=None, description="of both sides")
    resumption: bool | None = Field(default=None, description="the session may be resumed")

    def setup(self, model: str, catalogue: Catalogue) -> Setup:
        """The part of a session's setup that they are.

        Raises:
            ArgumentError: an unknown voice, a broken function.
        """
        functions = [one.model_dump(exclude_none=True) for one in self.functions or ()]
        manner = Manner(voice=self.voice, language=self.language, functions=functions)
        config = GenerationConfig(
            response_modalities=cast(Any, self.modalities),
            speech_config=manner.speech(),
            max_output_tokens=self.max_output_tokens,
        )
        transcription = AudioTranscriptionConfig() if self.transcripts else None
        return Setup(
            model=request_model(model),
            generation_config=config if config.model_dump(exclude_none=True) else None,
            system_instruction=Content(parts=[text_part(self.system)]) if self.system else None,
            tools=manner.tools(model, catalogue),
            session_resumption=SessionResumption() if self.resumption else None,
            input_audio_transcription=transcription,
            output_audio_transcription=transcription,
        )


def checked(name: str) -> str:
    """The token of an answer.

    Raises:
        BadAnswer: it is none.
    """
    if not _TOKEN.fullmatch(name):
        raise BadAnswer("Gemini answered without a token.", "Call again.")
    return name


def mask(setup: Setup) -> str:
    """The paths of the fields of a setup, as deep as google-genai writes them: two levels."""
    paths: list[str] = []
    for name, value in setup.model_dump(mode="json", by_alias=True, exclude_none=True).items():
        inner = object_of(value)
        paths += [f"{name}.{member}" for member in inner] or [name]
    return ",".join(paths)


def wanted(
    setup: Setup, uses: int | None, expires: str | float | None, sessions: float | None, now: datetime, *, whole: bool
) -> CreateAuthToken:
    """The request for a token.

    Args:
        setup: what it fixes.
        uses: how many sessions it opens.
        expires: in how many seconds, or when, it ends.
        sessions: for how many seconds it opens new sessions.
        now: the time.
        whole: whether everything else is fixed too, as it is where nothing is said.

    Raises:
        ArgumentError: a time that Google does not take.
    """
    end = None if expires is None else _end("expires", expires, now)
    last = None if sessions is None else _end("new_session_seconds", sessions, now)
    if last is not None and last > (end or now + timedelta(seconds=USUAL)):
        raise ArgumentError(
            "new_session_seconds goes beyond expires: a session that begins after the token's end hears nothing.",
            "Give a later expires, or fewer new_session_seconds.",
        )
    return CreateAuthToken(
        uses=uses,
        expire_time=None if end is None else _written(end),
        new_session_expire_time=None if last is None else _written(last),
        bidi_generate_content_setup=setup,
        field_mask=None if whole else mask(setup),
    )


def ends(request: CreateAuthToken, now: datetime) -> tuple[str, str]:
    """When a token ends, and when it opens no session any more; by this machine's clock where Google was not told."""
    end = request.expire_time or _written(now + timedelta(seconds=USUAL))
    return end, request.new_session_expire_time or min(end, _written(now + timedelta(seconds=USUAL_SESSIONS)))


def url(config: ClientConfig) -> str:
    """Where a token opens a session."""
    return websocket.address(config, CONSTRAINED, auth_tokens.VERSION)


def _end(name: str, given: str | float, now: datetime) -> datetime:
    try:
        end = _moment(given, now)
    except (ValueError, OverflowError):
        raise ArgumentError(
            f"{name} is no time.", "Give seconds from now, or an RFC 3339 time such as 2026-12-01T12:00:00Z."
        ) from None
    seconds = (end - now).total_seconds()
    if not 1 <= seconds < LONGEST:  # times are told in whole seconds
        raise ArgumentError(f"{name} must be in the future, and less than {LONGEST // 3600} hours from now.")
    return end


def _moment(given: str | float, now: datetime) -> datetime:
    if isinstance(given, str):
        try:
            given = float(given)
        except ValueError:
            end = datetime.fromisoformat(str(given))
            return end.astimezone(UTC) if end.tzinfo else end.replace(tzinfo=UTC)
    return now + timedelta(seconds=given)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
