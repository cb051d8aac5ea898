"""What Gemini answers: candidates, why they ended, what they rest on, what they cost.

Source: the schema GenerateContentResponse of the v1beta discovery document, with CONTINUATION and JAILBREAK of
google-genai 3.4. Read tolerantly. A candidate's `content` stays the JSON object that came: it goes back verbatim in the
next turn, and thought signatures do not survive a rewrite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gemini_server.api.metadata import CustomMetadata
from gemini_server.rest.endpoint import JsonObject, Wire


class ModalityTokenCount(Wire):
    """Tokens of one modality: TEXT, IMAGE, VIDEO, AUDIO, DOCUMENT."""

    modality: str | None = None
    token_count: int = 0


def tokens_of(details: Sequence[ModalityTokenCount] | None, modality: str) -> int:
    """The tokens of one modality."""
    return sum(detail.token_count for detail in details or () if detail.modality == modality)


class UsageMetadata(Wire):
    """Tokens of one call. In a stream the counts are cumulative: the last ones count."""

    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    cached_content_token_count: int = 0
    total_token_count: int = 0
    service_tier: str | None = None
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    candidates_tokens_details: list[ModalityTokenCount] | None = None
    cache_tokens_details: list[ModalityTokenCount] | None = None
    tool_use_prompt_tokens_details: list[ModalityTokenCount] | None = None


class SafetyRating(Wire):
    """How likely a category is, and whether that blocked."""

    category: str | None = None
    probability: str | None = None
    blocked: bool | None = None


class PromptFeedback(Wire):
    """Why a prompt was not answered."""

    block_reason: str | None = None
    block_reason_message: str | None = None
    safety_ratings: list[SafetyRating] | None = None


class CitationSource(Wire):
    """A passage that stands elsewhere; byte offsets."""

    start_index: int | None = None
    end_index: int | None = None
    uri: str | None = None
    title: str | None = None
    license: str | None = None


class CitationMetadata(Wire):
    """The recited passages of an answer."""

    citation_sources: list[CitationSource] | None = None


class ImageChunk(Wire):
    """A picture that grounds an answer."""

    image_uri: str | None = None
    source_uri: str | None = None
    title: str | None = None
    domain: str | None = None


class WebChunk(Wire):
    """A page that grounds an answer; the URI is a redirect link of Google's."""

    uri: str | None = None
    title: str | None = None


class RetrievedContext(Wire):
    """A passage of a stored document."""

    uri: str | None = None
    title: str | None = None
    text: str | None = None
    file_search_store: str | None = None
    page_number: int | None = None
    media_id: str | None = None
    custom_metadata: list[CustomMetadata] | None = None


class MapsChunk(Wire):
    """A place that grounds an answer."""

    uri: str | None = None
    title: str | None = None
    text: str | None = None
    place_id: str | None = None


class GroundingChunk(Wire):
    """A source: exactly one member."""

    web: WebChunk | None = None
    image: ImageChunk | None = None
    retrieved_context: RetrievedContext | None = None
    maps: MapsChunk | None = None


class Segment(Wire):
    """A span of the answer, in UTF-8 bytes of the part `part_index`."""

    part_index: int = 0
    start_index: int = 0
    end_index: int = 0
    text: str | None = None


class GroundingSupport(Wire):
    """Which sources a span rests on."""

    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None
    confidence_scores: list[float] | None = None


class SearchEntryPoint(Wire):
    """HTML with search suggestions that Google wants shown to people."""

    rendered_content: str | None = None


class GroundingMetadata(Wire):
    """What an answer rests on."""

    web_search_queries: list[str] | None = None
    image_search_queries: list[str] | None = None
    search_entry_point: SearchEntryPoint | None = None
    grounding_chunks: list[GroundingChunk] | None = None
    grounding_supports: list[GroundingSupport] | None = None
    google_maps_widget_context_token: str | None = None


class UrlMetadata(Wire):
    """Whether Google could read a page."""

    retrieved_url: str | None = None
    url_retrieval_status: str | None = None


class UrlContextMetadata(Wire):
    """The pages that Google read."""

    url_metadata: list[UrlMetadata] | None = None


class ModelStatus(Wire):
    """The stage of the model that answered, and when it goes."""

    model_stage: str | None = None
    retirement_time: str | None = None
    message: str | None = None


class Candidate(Wire):
    """One answer. A blocked or empty one has no content, or content without parts."""

    content: JsonObject | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int = 0
    safety_ratings: list[SafetyRating] | None = None
    citation_metadata: CitationMetadata | None = None
    grounding_metadata: GroundingMetadata | None = None
    url_context_metadata: UrlContextMetadata | None = None
    continuation_token: str | None = None
    token_count: int | None = None
    avg_logprobs: float | None = None
    logprobs_result: JsonObject | None = None


class GenerateContentResponse(Wire):
    """One answer, or one event of a stream of them."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"candidates", "content"})

    candidates: list[Candidate] = []
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    model_status: ModelStatus | None = None
    response_id: str | None = None


class CountTokensResponse(Wire):
    """How many tokens a request holds."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"totalTokens"})

    total_tokens: int = 0
    cached_content_token_count: int = 0
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    cache_tokens_details: list[ModalityTokenCount] | None = None
