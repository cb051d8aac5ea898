"""How an interaction is asked for: what is said, in which form the answer is wanted, and of which model.

Source: the schema CreateModelInteraction of the Interactions API, November 2026, without its deprecated members.
`tools`, `system_instruction` and `generation_config` hold for one turn: every turn says them again.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gemini_server.api.interaction_content import Content
from gemini_server.api.interaction_environment import Sandbox
from gemini_server.api.interaction_tools import AllowedTools, InteractionTool, ToolMode
from gemini_server.api.interaction_wire import Told
from gemini_server.rest.endpoint import JsonObject

Delivery = Literal["inline", "uri"]
ThinkingLevel = Literal["minimal", "low", "medium", "high", "xhigh"]
Tier = Literal["flex", "standard", "priority", "deferred"]
HarmType = Literal[
    "hate_speech", "dangerous_content", "harassment", "sexually_explicit", "civic_integrity", "image_hate",
    "image_dangerous_content", "image_harassment", "image_sexually_explicit", "jailbreak",
]  # fmt: skip
VideoTask = Literal["text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale"]
VideoAspectRatio = Literal["16:9", "9:16"]
VideoResolution = Literal["360p", "720p", "1080p", "4k"]


class VideoConfig(Told):
    """What is done: made from nothing but words, from pictures, or from a video."""

    task: VideoTask | None = None


class SpeechConfig(Told):
    """One voice; `speaker` names whose lines it speaks, `language` is BCP 47."""

    voice: str | None = None
    speaker: str | None = None
    language: str | None = None


class TranscriptionConfig(Told):
    """How speech is written down."""

    language_codes: list[str] | None = None
    custom_vocabulary: list[str] | None = None
    mode: JsonObject | Literal["verbatim", "smart"] | None = None


class ToolChoice(Told):
    """Which of the tools may be used."""

    allowed_tools: AllowedTools | None = None


class GenerationConfig(Told):
    """What shapes an answer, whatever its form."""

    max_output_tokens: int | None = None
    thinking_level: ThinkingLevel | None = None
    thinking_summaries: Literal["auto", "none"] | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    tool_choice: ToolChoice | ToolMode | None = None
    speech_config: list[SpeechConfig] | None = None
    transcription_config: TranscriptionConfig | None = None
    video_config: VideoConfig | None = None


class TextFormat(Told):
    """Text, or JSON by a schema."""

    type: Literal["text"] = "text"
    mime_type: Literal["application/json", "text/plain"] | None = None
    # `schema` would shadow a method of pydantic's base class.
    json_schema: Any = Field(default=None, alias="schema")


class ImageFormat(Told):
    """Shape (`16:9`), size (`1K`) and delivery of pictures."""

    type: Literal["image"] = "image"
    aspect_ratio: str | None = None
    image_size: str | None = None
    mime_type: str | None = None
    delivery: Delivery | None = None


class AudioFormat(Told):
    """Container and rates of sound: bits a second, samples a second."""

    type: Literal["audio"] = "audio"
    mime_type: str | None = None
    bit_rate: int | None = None
    sample_rate: int | None = None
    delivery: Delivery | None = None


class VideoFormat(Told):
    """Shape, size and length (`8s`) of a video."""

    type: Literal["video"] = "video"
    aspect_ratio: VideoAspectRatio | None = None
    resolution: VideoResolution | None = None
    duration: str | None = None
    delivery: Delivery | None = None


ResponseFormat = TextFormat | ImageFormat | AudioFormat | VideoFormat


class SafetySetting(Told):
    """From which likelihood, or severity, on a category is blocked."""

    type: HarmType
    threshold: Literal["block_low_and_above", "block_medium_and_above", "block_only_high", "block_none", "off"]
    method: Literal["severity", "probability"] | None = None


class WebhookConfig(Told):
    """Where Google reports the end, and what it says along."""

    uris: list[str] | None = None
    user_metadata: JsonObject | None = None


class Asked(Told):
    """What a turn says, whoever takes it.

    Attributes:
        input: words, content, or steps of earlier turns as the JSON objects that came.
        background: goes on at Google after the answer to this request; needs `store`.
        store: kept at Google, 55 days for projects with billing and a day for others; its default is True.
        previous_interaction_id: the stored turn that this one continues.
        environment: `remote` for a new sandbox, an id, or a description.
        continuation_token: of a turn that ended in `requires_continuation`.
    """

    input: str | list[Content | JsonObject] | None = None
    system_instruction: str | None = None
    tools: list[InteractionTool] | None = None
    response_format: ResponseFormat | list[ResponseFormat] | None = None
    previous_interaction_id: str | None = None
    store: bool | None = None
    background: bool | None = None
    stream: bool | None = None
    service_tier: Tier | None = None
    safety_settings: list[SafetySetting] | None = None
    labels: dict[str, str] | None = None
    environment: Sandbox | str | None = None
    webhook_config: WebhookConfig | None = None
    continuation_token: str | None = None


class CreateInteraction(Asked):
    """A turn for a model."""

    model: str
    generation_config: GenerationConfig | None = None
