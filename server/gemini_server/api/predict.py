"""`predict` and `predictLongRunning`: pictures of Imagen and videos of Veo.

Google's Developer API serves no model of either any more (Imagen until 2026-08-17, Veo until 2026-10-22); gateways do.

Source: PredictRequest and PredictLongRunningResponse of the v1beta discovery document, which leaves instances and
parameters open; their members are those that google-genai sends.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from gemini_server.api.config import Written
from gemini_server.api.operations import Operation
from gemini_server.rest.body import InlineMedia
from gemini_server.rest.endpoint import Endpoint, JsonObject, Wire

PersonGeneration = Literal["allow_all", "allow_adult", "dont_allow"]


class ImagenInstance(Written):
    """What a picture shows."""

    prompt: str


class ImageOutput(Written):
    """The file type of pictures; the quality is that of a JPEG, 0 to 100."""

    mime_type: Literal["image/png", "image/jpeg"] | None = None
    compression_quality: int | None = None


class ImagenParameters(Written):
    """How many pictures (up to 4), of which shape (`16:9`) and size (`1K`), and what of filtered ones is told."""

    sample_count: int | None = None
    aspect_ratio: str | None = None
    sample_image_size: str | None = None
    person_generation: PersonGeneration | None = None
    guidance_scale: float | None = None
    safety_setting: str | None = None
    language: str | None = None
    include_rai_reason: bool | None = None
    include_safety_attributes: bool | None = None
    output_options: ImageOutput | None = None


class ImagenRequest(Written):
    """A request for pictures."""

    instances: list[ImagenInstance]
    parameters: ImagenParameters | None = None


class Prediction(Wire):
    """A picture (base64), or why it was filtered; one with safety attributes alone is about the prompt."""

    bytes_base64_encoded: str | None = None
    mime_type: str | None = None
    rai_filtered_reason: str | None = None
    safety_attributes: JsonObject | None = None


class PredictResponse(Wire):
    """What came; nothing at all where everything was filtered and no reason was asked for."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"predictions", "bytesBase64Encoded"})

    predictions: list[Prediction] = []


class VeoImage(Written):
    """A picture: base64, or a source that is encoded while it is sent."""

    bytes_base64_encoded: InlineMedia | str
    mime_type: str


class VeoReference(Written):
    """A picture of something or somebody that is to appear."""

    image: VeoImage
    reference_type: Literal["asset", "style"] = "asset"


class VeoVideo(Written):
    """A video to go on from: where Google has it, or base64 with its type in `encoding`."""

    uri: str | None = None
    encoded_video: InlineMedia | str | None = None
    encoding: str | None = None


class VeoInstance(Written):
    """What a video shows, and what it is made from."""

    prompt: str | None = None
    image: VeoImage | None = None
    last_frame: VeoImage | None = None
    reference_images: list[VeoReference] | None = None
    video: VeoVideo | None = None


class VeoParameters(Written):
    """Shape, size and length (whole seconds) of a video."""

    sample_count: int | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    duration_seconds: int | None = None
    person_generation: PersonGeneration | None = None
    negative_prompt: str | None = None
    enhance_prompt: bool | None = None


class VeoRequest(Written):
    """A request for videos; `webhook_config` says where Google reports the end."""

    instances: list[VeoInstance]
    parameters: VeoParameters | None = None
    webhook_config: JsonObject | None = None


class Video(Wire):
    """Where a video lies, or its bytes in base64."""

    uri: str | None = None
    video: str | None = None
    encoding: str | None = None


class Sample(Wire):
    """One result."""

    video: Video | None = None


class GeneratedVideos(Wire):
    """The videos, and how many were filtered and why."""

    generated_samples: list[Sample] = []
    rai_media_filtered_count: int = 0
    rai_media_filtered_reasons: list[str] | None = None


class PredictLongRunningResponse(Wire):
    """The `response` of a finished operation of `predictLongRunning`."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"generateVideoResponse", "generatedSamples"})

    generate_video_response: GeneratedVideos | None = None


PREDICT = Endpoint("POST", "{version}/{model}:predict", PredictResponse, repeat="foreground")
PREDICT_LONG_RUNNING = Endpoint("POST", "{version}/{model}:predictLongRunning", Operation, repeat="background")
