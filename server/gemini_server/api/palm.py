"""The methods of PaLM: text, messages, vectors and counts. deprecated, and no model is left.

None of the answers counts tokens. Source: https://ai.google.dev/api/palm and the v1beta discovery document of January
2026.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from gemini_server.api.answer import CitationMetadata
from gemini_server.api.config import Written
from gemini_server.rest.endpoint import Endpoint, Wire

TEXT_MODEL, CHAT_MODEL, EMBEDDING_MODEL = "text-bison-001", "chat-bison-001", "embedding-gecko-001"
MOST_TEXTS = 100
"""Texts that one request embeds."""

PalmCategory = Literal["DEROGATORY", "TOXICITY", "VIOLENCE", "SEXUAL", "MEDICAL", "DANGEROUS"]
PalmThreshold = Literal["BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE"]


class PalmSafetySetting(Written):
    """From which likelihood on a category is blocked."""

    category: str
    threshold: str


class TextPrompt(Written):
    """A prompt."""

    text: str


class GenerateTextRequest(Written):
    """What is to be written."""

    prompt: TextPrompt
    temperature: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    safety_settings: list[PalmSafetySetting] | None = None
    stop_sequences: list[str] | None = None


class CountTextTokensRequest(Written):
    """What is to be counted."""

    prompt: TextPrompt


class Message(Written):
    """What somebody says; two authors take turns."""

    content: str
    author: str | None = None


class Example(Written):
    """What is said, and what is to be answered."""

    input: Message
    output: Message


class MessagePrompt(Written):
    """A conversation so far, the last message to be answered."""

    messages: list[Message]
    context: str | None = None
    examples: list[Example] | None = None


class GenerateMessageRequest(Written):
    """What is to be answered."""

    prompt: MessagePrompt
    temperature: float | None = None
    candidate_count: int | None = None
    top_p: float | None = None
    top_k: int | None = None


class CountMessageTokensRequest(Written):
    """What is to be counted."""

    prompt: MessagePrompt


class EmbedTextRequest(Written):
    """What is to be embedded."""

    text: str


class BatchEmbedTextRequest(Written):
    """Several texts that are to be embedded."""

    texts: list[str]


class ContentFilter(Wire):
    """Why something was held back: SAFETY or OTHER."""

    reason: str | None = None
    message: str | None = None


class TextCompletion(Wire):
    """One answer."""

    output: str = ""
    citation_metadata: CitationMetadata | None = None


class GenerateTextResponse(Wire):
    """The answers, or why there are none."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"candidates", "output"})

    candidates: list[TextCompletion] = []
    filters: list[ContentFilter] | None = None


class Said(Wire):
    """One message of an answer."""

    author: str | None = None
    content: str = ""
    citation_metadata: CitationMetadata | None = None


class GenerateMessageResponse(Wire):
    """The answers; `messages` are those of the conversation that the model had room for."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"candidates", "content"})

    candidates: list[Said] = []
    messages: list[Said] | None = None
    filters: list[ContentFilter] | None = None


class TokenCount(Wire):
    """How many tokens."""

    token_count: int = 0


class Embedding(Wire):
    """A vector."""

    value: list[float] = []


class EmbedTextResponse(Wire):
    """The vector of a text."""

    embedding: Embedding = Embedding()


class BatchEmbedTextResponse(Wire):
    """The vectors of several texts, in their order."""

    embeddings: list[Embedding] = []


GENERATE_TEXT = Endpoint("POST", "{version}/{model}:generateText", GenerateTextResponse, repeat="foreground")
GENERATE_MESSAGE = Endpoint("POST", "{version}/{model}:generateMessage", GenerateMessageResponse, repeat="foreground")
EMBED_TEXT = Endpoint("POST", "{version}/{model}:embedText", EmbedTextResponse, repeat="foreground")
BATCH_EMBED_TEXT = Endpoint("POST", "{version}/{model}:batchEmbedText", BatchEmbedTextResponse, repeat="foreground")
COUNT_TEXT = Endpoint("POST", "{version}/{model}:countTextTokens", TokenCount)
COUNT_MESSAGES = Endpoint("POST", "{version}/{model}:countMessageTokens", TokenCount)
