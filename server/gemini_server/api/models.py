"""The resource `models`: what it is, what can be asked of it.

Source: https://ai.google.dev/api/models, /api/generate-content, /api/tokens.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import SkipValidation

from gemini_server.api.answer import CountTokensResponse, GenerateContentResponse
from gemini_server.api.config import GenerationConfig, SafetySetting, Written
from gemini_server.api.content import Content
from gemini_server.api.tools import Tool, ToolConfig
from gemini_server.rest.endpoint import Endpoint, JsonObject, Wire

ServiceTier = Literal["standard", "flex", "priority"]


class Model(Wire):
    """A model that the key can use. Limits are tokens."""

    name: str
    base_model_id: str | None = None
    version: str | None = None
    display_name: str | None = None
    description: str | None = None
    input_token_limit: int | None = None
    output_token_limit: int | None = None
    supported_generation_methods: list[str] | None = None
    thinking: bool | None = None
    temperature: float | None = None
    max_temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


class ListModelsResponse(Wire):
    """A page of models."""

    models: list[Model] = []
    next_page_token: str | None = None


Turn = Annotated[Content | JsonObject, SkipValidation]
"""A turn of ours, or one of Gemini's as the very JSON object that came."""


class GenerateContentRequest(Written):
    """A request for an answer. `contents` may hold verbatim turns of earlier answers as plain JSON objects."""

    model: str | None = None
    contents: list[Turn]
    system_instruction: Content | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    cached_content: str | None = None
    store: bool | None = None
    service_tier: ServiceTier | None = None
    labels: dict[str, str] | None = None
    continuation_token: str | None = None


class CountTokensRequest(Written):
    """What to count: bare contents, or a whole request with its system instruction and tools."""

    contents: list[Turn] | None = None
    generate_content_request: GenerateContentRequest | None = None


LIST = Endpoint("GET", "{version}/models", ListModelsResponse, query=("pageSize", "pageToken"))
GET = Endpoint("GET", "{version}/{model}", Model)
GENERATE = Endpoint("POST", "{version}/{model}:generateContent", GenerateContentResponse, repeat="foreground")
STREAM = Endpoint("POST", "{version}/{model}:streamGenerateContent", GenerateContentResponse, repeat="foreground")
COUNT = Endpoint("POST", "{version}/{model}:countTokens", CountTokensResponse, repeat="foreground")


def resource_name(model: str) -> str:
    """The resource name of a model id: `models/x` for `x`; names with a collection (`tunedModels/y`) stay."""
    return model if "/" in model else f"models/{model}"
