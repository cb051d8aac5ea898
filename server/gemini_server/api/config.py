"""How Gemini is to answer: GenerationConfig and its members, safety settings.

Source: the schema GenerationConfig of the v1beta discovery document, with `XHIGH` of google-genai 3.4. These types are
only written, so they take no field that the API does not know.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from gemini_server.rest.endpoint import Wire

Modality = Literal["TEXT", "IMAGE", "AUDIO", "VIDEO"]
ConfigResolution = Literal["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"]
Delivery = Literal["INLINE", "URI"]

HarmCategory = Literal[
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
    "HARM_CATEGORY_JAILBREAK",
    "HARM_CATEGORY_IMAGE_HATE",
    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
    "HARM_CATEGORY_IMAGE_HARASSMENT",
    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DEROGATORY",
    "HARM_CATEGORY_TOXICITY",
    "HARM_CATEGORY_VIOLENCE",
    "HARM_CATEGORY_SEXUAL",
    "HARM_CATEGORY_MEDICAL",
    "HARM_CATEGORY_DANGEROUS",
]
HarmThreshold = Literal["BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"]


class Written(Wire):
    """A type that only this side writes: an unknown field is a mistake here, not news from Google."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", protected_namespaces=(), defer_build=True
    )


class SafetySetting(Written):
    """From which likelihood on a category is blocked."""

    category: HarmCategory
    threshold: HarmThreshold


class ThinkingConfig(Written):
    """How much the model thinks: a level for Gemini 3 and later, a token budget for 2.5; never both."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"] | None = None


class PrebuiltVoiceConfig(Written):
    """A voice by name, such as `Kore`."""

    voice_name: str


class ReplicatedVoiceConfig(Written):
    """A voice cloned from a sample; base64 audio with the speaker's recorded consent."""

    mime_type: str | None = None
    voice_sample_audio: str | None = None
    consent_audio: str | None = None
    voice_consent_signature: dict[str, str] | None = None


class VoiceConfig(Written):
    """The voice to use: prebuilt, a stored voice's id, or a replicated one."""

    prebuilt_voice_config: PrebuiltVoiceConfig | None = None
    voice: str | None = None
    replicated_voice_config: ReplicatedVoiceConfig | None = None


class SpeakerVoiceConfig(Written):
    """The voice of one speaker of a dialogue."""

    speaker: str
    voice_config: VoiceConfig


class MultiSpeakerVoiceConfig(Written):
    """The voices of a dialogue; at most two speakers."""

    speaker_voice_configs: list[SpeakerVoiceConfig]


class SpeechConfig(Written):
    """How speech sounds; `language_code` is BCP 47."""

    voice_config: VoiceConfig | None = None
    multi_speaker_voice_config: MultiSpeakerVoiceConfig | None = None
    language_code: str | None = None


class ImageConfig(Written):
    """Shape and size of a generated picture: `16:9`, `1K`."""

    aspect_ratio: str | None = None
    image_size: str | None = None


class TextResponseFormat(Written):
    """Text or JSON by schema."""

    mime_type: Literal["APPLICATION_JSON", "TEXT_PLAIN"] | None = None
    # `schema` would shadow a method of pydantic's base class.
    json_schema: Any = None

    model_config = ConfigDict(
        alias_generator=lambda name: "schema" if name == "json_schema" else to_camel(name),
        populate_by_name=True,
        extra="forbid",
        protected_namespaces=(),
        defer_build=True,
    )


class ImageResponseFormat(Written):
    """Shape, size and delivery of generated pictures."""

    aspect_ratio: str | None = None
    image_size: str | None = None
    mime_type: str | None = None
    delivery: Delivery | None = None


class AudioResponseFormat(Written):
    """Container, rates and delivery of generated sound. Bit rate in bit/s, sample rate in Hz."""

    mime_type: str | None = None
    bit_rate: int | None = None
    sample_rate: int | None = None
    delivery: Delivery | None = None


class ResponseFormat(Written):
    """The newer form of the response settings, one member per modality."""

    text: TextResponseFormat | None = None
    image: ImageResponseFormat | None = None
    audio: AudioResponseFormat | None = None


class AudioTranscriptionConfig(Written):
    """How speech is transcribed."""

    language_codes: list[str] | None = None
    diarization: bool | None = None
    word_timestamp: bool | None = None
    custom_vocabulary: list[str] | None = None
    mode: Literal["VERBATIM", "SMART"] | None = None


class TranslationConfig(Written):
    """Live translation."""

    target_language_code: str | None = None
    echo_target_language: bool | None = None


class GenerationConfig(Written):
    """Everything that shapes an answer. temperature, top_p and top_k are deprecated since 2026-07-21."""

    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    seed: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    candidate_count: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    response_mime_type: str | None = None
    response_json_schema: Any = None
    response_format: ResponseFormat | None = None
    response_modalities: list[Modality] | None = None
    media_resolution: ConfigResolution | None = None
    speech_config: SpeechConfig | None = None
    image_config: ImageConfig | None = None
    thinking_config: ThinkingConfig | None = None
    audio_transcription_config: AudioTranscriptionConfig | None = None
    translation_config: TranslationConfig | None = None
    enable_enhanced_civic_answers: bool | None = None
    enable_affective_dialog: bool | None = None
