"""The Live API: a conversation by voice over a WebSocket, as messages.

Source: "Live API - WebSockets API reference" and the guides to capabilities and session management (ai.google.dev), the
schema BidiGenerateContentSetup of the v1beta discovery document of August 2026, and the types Live* of google-genai
3.4. A connection lasts ten minutes, which `goAway` announces; what was said before goes on with a handle.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from gemini_server.api.answer import ModalityTokenCount, UsageMetadata
from gemini_server.api.config import AudioTranscriptionConfig, GenerationConfig, Written
from gemini_server.api.content import Blob, Content, FunctionCall, FunctionResponse, Part
from gemini_server.api.tools import Tool
from gemini_server.rest.endpoint import JsonObject, Wire

METHOD = "BidiGenerateContent"
CONSTRAINED = "BidiGenerateContentConstrained"
"""The method that takes an ephemeral token in place of a key."""
HEARD_RATE = 16_000
"""Samples a second of the sound that the model hears: 16-bit PCM, mono, little-endian."""
SPOKEN_RATE = 24_000
"""Likewise of what it says."""
RESUMABLE = 7200.0
"""Seconds for which a handle is good."""


class SessionResumption(Written):
    """Asks for handles, and goes on with the conversation of one."""

    handle: str | None = Field(default=None, repr=False)


class SlidingWindow(Written):
    """The oldest turns are forgotten; int64 as text."""

    target_tokens: str | None = None


class ContextWindowCompression(Written):
    """How a conversation that grows too long is shortened."""

    trigger_tokens: str | None = None
    sliding_window: SlidingWindow | None = None


class HistoryConfig(Written):
    """Whether the first `clientContent` is what was said before, to which nothing is answered."""

    initial_history_in_client_content: bool | None = None


class AutomaticActivityDetection(Written):
    """How Gemini hears where a turn begins and ends; disabled, the client says so."""

    disabled: bool | None = None


class RealtimeInputConfig(Written):
    """How what comes in becomes turns."""

    automatic_activity_detection: AutomaticActivityDetection | None = None


class Setup(Written):
    """The first message: the model, and all that holds for the connection. A token fixes the same members."""

    model: str | None = None
    generation_config: GenerationConfig | None = None
    system_instruction: Content | None = None
    tools: list[Tool] | None = None
    realtime_input_config: RealtimeInputConfig | None = None
    session_resumption: SessionResumption | None = None
    context_window_compression: ContextWindowCompression | None = None
    input_audio_transcription: AudioTranscriptionConfig | None = None
    output_audio_transcription: AudioTranscriptionConfig | None = None
    history_config: HistoryConfig | None = None


class Activity(Written):
    """Marks where the user begins, or has ended."""


class RealtimeInput(Written):
    """What the user says or shows: one of the members at a time. A picture is a frame of a video."""

    audio: Blob | None = None
    video: Blob | None = None
    text: str | None = None
    activity_start: Activity | None = None
    activity_end: Activity | None = None


class ClientContent(Written):
    """Turns as they are: what was said before, and on models before 3.1 also what is said now."""

    turns: list[Content]
    turn_complete: bool | None = None


class ToolResponse(Written):
    """What called functions returned."""

    function_responses: list[FunctionResponse]


class ClientMessage(Written):
    """What this side sends: exactly one of the members."""

    setup: Setup | None = None
    client_content: ClientContent | None = None
    realtime_input: RealtimeInput | None = None
    tool_response: ToolResponse | None = None


class Transcription(Wire):
    """A piece of what was heard or said, in words."""

    text: str = ""


class ModelTurn(Wire):
    """A piece of the answer: sound, or text from a model that writes."""

    parts: list[Part] = Field(default_factory=list[Part])


class ServerContent(Wire):
    """What the model says, and how far it is. Between the last sound and the end of the turn its playing may pass."""

    model_turn: ModelTurn | None = None
    input_transcription: Transcription | None = None
    output_transcription: Transcription | None = None
    generation_complete: bool = False
    interrupted: bool = False
    turn_complete: bool = False
    turn_complete_reason: str | None = None


class FunctionCalls(Wire):
    """Functions to call, after which the model waits for what they return."""

    function_calls: list[FunctionCall] = Field(default_factory=list[FunctionCall])


class GoAway(Wire):
    """The connection ends in so long, such as `50s`."""

    time_left: str | None = None


class SessionResumptionUpdate(Wire):
    """The handle of the conversation as it is at this moment; there is none while the model is at work."""

    new_handle: str | None = Field(default=None, repr=False)
    resumable: bool = False


class LiveUsage(Wire):
    """Tokens of a turn."""

    prompt_token_count: int = 0
    response_token_count: int = 0
    thoughts_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    cached_content_token_count: int = 0
    total_token_count: int = 0
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    response_tokens_details: list[ModalityTokenCount] | None = None
    cache_tokens_details: list[ModalityTokenCount] | None = None

    def usual(self) -> UsageMetadata:
        """The same in the words of generateContent."""
        return UsageMetadata(
            prompt_token_count=self.prompt_token_count,
            candidates_token_count=self.response_token_count,
            thoughts_token_count=self.thoughts_token_count,
            tool_use_prompt_token_count=self.tool_use_prompt_token_count,
            cached_content_token_count=self.cached_content_token_count,
            total_token_count=self.total_token_count,
            prompt_tokens_details=self.prompt_tokens_details,
            candidates_tokens_details=self.response_tokens_details,
            cache_tokens_details=self.cache_tokens_details,
        )


class ServerMessage(Wire):
    """What Gemini sends."""

    essential: ClassVar[frozenset[str] | None] = frozenset(
        {"serverContent", "modelTurn", "parts", "inlineData", "data", "turnComplete", "generationComplete"}
        | {"toolCall", "functionCalls"}
    )

    setup_complete: Any = None
    server_content: ServerContent | None = None
    tool_call: FunctionCalls | None = None
    tool_call_cancellation: JsonObject | None = None
    go_away: GoAway | None = None
    session_resumption_update: SessionResumptionUpdate | None = None
    usage_metadata: LiveUsage | None = None
