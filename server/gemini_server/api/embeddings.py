"""Embeddings: texts and media as vectors, and how each model is told what they are for.

Source: https://ai.google.dev/api/embeddings and /gemini-api/docs/embeddings. `taskType`, `title` and
`outputDimensionality` are flagged deprecated in the discovery document in favour of `embedContentConfig`, but are what
google-genai 3.4 sends and what every served version takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import FiniteFloat
from pydantic_core import to_json

from gemini_server.api.answer import ModalityTokenCount
from gemini_server.api.catalogue import Catalogue
from gemini_server.api.config import Written
from gemini_server.api.content import Content
from gemini_server.api.packed import PackedFloats, PackedUnit
from gemini_server.rest.body import RawJson
from gemini_server.rest.endpoint import Endpoint, Wire

PackedT = TypeVar("PackedT", bound=PackedFloats)

TaskType = Literal[
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
]

MOST_REQUESTS = 100
"""Items of one batch."""
MOST_DIMENSIONS = 3072

_PREFIXES = {
    "RETRIEVAL_QUERY": "task: search result | query: ",
    "SEMANTIC_SIMILARITY": "task: sentence similarity | query: ",
    "CLASSIFICATION": "task: classification | query: ",
    "CLUSTERING": "task: clustering | query: ",
    "QUESTION_ANSWERING": "task: question answering | query: ",
    "FACT_VERIFICATION": "task: fact checking | query: ",
    "CODE_RETRIEVAL_QUERY": "task: code retrieval | query: ",
}
_TEXT_ONLY = ("gemini-embedding-001", "gemini-embedding-exp", "text-embedding", "embedding-")


class EmbedContentRequest(Written):
    """One item. All parts of its content become one vector together."""

    model: str
    content: Content
    task_type: TaskType | None = None
    title: str | None = None
    output_dimensionality: int | None = None


class BatchEmbedContentsRequest(Written):
    """Up to 100 items, one vector each."""

    requests: list[EmbedContentRequest]


class ContentEmbedding(Wire):
    """A vector."""

    values: list[FiniteFloat] = []


class EmbeddingUsageMetadata(Wire):
    """Tokens of one call."""

    prompt_token_count: int | None = None
    prompt_token_details: list[ModalityTokenCount] | None = None


class EmbedContentResponse(Wire):
    """The vector of one item."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"embedding", "values"})

    embedding: ContentEmbedding
    usage_metadata: EmbeddingUsageMetadata | None = None


class PackedEmbedding(Wire, Generic[PackedT]):
    """A vector of a batch."""

    values: PackedT | None = None


class BatchEmbedContentsResponse(Wire, Generic[PackedT]):
    """The vectors of a batch, in the order of its requests."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"embeddings", "values"})
    numeric: ClassVar[bool] = True

    embeddings: list[PackedEmbedding[PackedT]] = []
    usage_metadata: EmbeddingUsageMetadata | None = None


EMBED = Endpoint("POST", "{version}/{model}:embedContent", EmbedContentResponse, repeat="foreground")
BATCH = Endpoint(
    "POST", "{version}/{model}:batchEmbedContents", BatchEmbedContentsResponse[PackedFloats], repeat="foreground"
)
SCALED_BATCH = Endpoint("POST", BATCH.path, BatchEmbedContentsResponse[PackedUnit], repeat="foreground")
"""The same, its vectors scaled to length 1."""


def batch_of_texts(texts: Iterable[tuple[str, EmbedContentRequest]]) -> RawJson:
    """A batch as it travels.

    Args:
        texts: each with a request that is like its own but for the text. Where one is that of the text before, it is
            not written anew: most batches have but one.
    """
    requests: list[dict[str, Any]] = []
    last: EmbedContentRequest | None = None
    shape: dict[str, Any] = {}
    for text, like in texts:
        if like is not last:
            last, shape = like, like.model_dump(mode="json", by_alias=True, exclude_none=True)
        requests.append({**shape, "content": {**shape["content"], "parts": [{"text": text}]}})
    return RawJson(to_json({"requests": requests}))


def text_only(model: str, catalogue: Catalogue) -> bool:
    """Whether a model is of the older kind: text alone, `taskType` as a field, shortened vectors not of unit length."""
    facts = catalogue.get(model)
    if facts is not None and facts.inputs:
        return facts.inputs == ("text",)
    return model.startswith(_TEXT_ONLY)


def instructed(text: str, task: TaskType, title: str | None = None) -> str:
    """A text with its task before it, in the form that Google documents for models without `taskType`."""
    if task == "RETRIEVAL_DOCUMENT":
        return f"title: {title or 'none'} | text: {text}"
    return _PREFIXES[task] + text
