"""The method `models.generateAnswer`: attributed question answering (AQA), which Google marks as deprecated.

The answer rests on given passages alone, or on chunks of a corpus, and says how sure the model is that they answer the
question. It counts no tokens. Source: https://ai.google.dev/api/question-answering and the v1beta discovery document
of January 2026.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from gemini_server.api.config import SafetySetting, Written
from gemini_server.api.content import Content
from gemini_server.api.corpora import MetadataFilter
from gemini_server.rest.endpoint import Endpoint, JsonObject, Wire

MODEL = "aqa"

AnswerStyle = Literal["ABSTRACTIVE", "EXTRACTIVE", "VERBOSE"]


class GroundingPassage(Written):
    """A passage that an answer may rest on."""

    id: str
    content: Content


class GroundingPassages(Written):
    """Several of them."""

    passages: list[GroundingPassage]


class SemanticRetrieverConfig(Written):
    """The corpus or document in which passages are looked for."""

    source: str
    query: Content
    metadata_filters: list[MetadataFilter] | None = None
    max_chunks_count: int | None = None
    minimum_relevance_score: float | None = None


class GenerateAnswerRequest(Written):
    """A question, and where its answer is: in passages, or in a corpus."""

    contents: list[Content]
    answer_style: AnswerStyle
    inline_passages: GroundingPassages | None = None
    semantic_retriever: SemanticRetrieverConfig | None = None
    temperature: float | None = None
    safety_settings: list[SafetySetting] | None = None


class GroundingPassageId(Wire):
    """A part of a passage that was given."""

    passage_id: str | None = None
    part_index: int | None = None


class SemanticRetrieverChunk(Wire):
    """A chunk, and the corpus or document that was searched."""

    source: str | None = None
    chunk: str | None = None


class AttributionSourceId(Wire):
    """Where something stands."""

    grounding_passage: GroundingPassageId | None = None
    semantic_retriever_chunk: SemanticRetrieverChunk | None = None


class GroundingAttribution(Wire):
    """What an answer rests on."""

    source_id: AttributionSourceId | None = None
    content: JsonObject | None = None


class AnswerCandidate(Wire):
    """The answer."""

    content: JsonObject | None = None
    finish_reason: str | None = None
    grounding_attributions: list[GroundingAttribution] | None = None


class InputFeedback(Wire):
    """Why there is no answer: SAFETY or OTHER."""

    block_reason: str | None = None


class GenerateAnswerResponse(Wire):
    """The answer, and how likely it is that the passages answer the question, 0 to 1."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"answer", "content"})

    answer: AnswerCandidate | None = None
    answerable_probability: float | None = None
    input_feedback: InputFeedback | None = None


GENERATE = Endpoint("POST", "{version}/{model}:generateAnswer", GenerateAnswerResponse, repeat="foreground")
