"""Vectors on the Enterprise backend: newer models as on the Developer API, the older ones by `predict`, one at a time.

Source: "Text embeddings API" and `publishers.models.batchEmbedContents` in the reference of the platform.
"""

from __future__ import annotations

from typing import Any, ClassVar, Generic

from gemini_server.api.embeddings import (
    MOST_REQUESTS,
    BatchEmbedContentsResponse,
    EmbeddingUsageMetadata,
    PackedEmbedding,
    PackedT,
)
from gemini_server.api.enterprise_place import Place
from gemini_server.api.enterprise_requests import plain
from gemini_server.api.packed import PackedFloats, PackedUnit
from gemini_server.rest.endpoint import JsonObject, Wire

_OLDER = ("gemini-embedding-001", "text-embedding", "text-multilingual-embedding")


class Statistics(Wire):
    """What a text came to."""

    token_count: float = 0


class Embedded(Wire, Generic[PackedT]):
    """A vector, and the tokens of its text."""

    values: PackedT | None = None
    statistics: Statistics | None = None


class Predicted(Wire, Generic[PackedT]):
    """The prediction for one instance."""

    embeddings: Embedded[PackedT]


class Predictions(Wire, Generic[PackedT]):
    """The answer of `predict`."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"predictions", "embeddings", "values"})
    numeric: ClassVar[bool] = True

    predictions: list[Predicted[PackedT]] = []


PREDICTIONS: dict[Any, type[Wire]] = {
    BatchEmbedContentsResponse[PackedFloats]: Predictions[PackedFloats],
    BatchEmbedContentsResponse[PackedUnit]: Predictions[PackedUnit],
}
"""The type in which the answer is read, by the one that the caller has; both keep the form of the vectors."""


def by_predict(model: str) -> bool:
    """Whether a model has its vectors by `predict`."""
    return model.rpartition("models/")[2].startswith(_OLDER)


def at_once(model: str) -> int:
    """How many items one request takes."""
    return 1 if by_predict(model) else MOST_REQUESTS


def requests(place: Place, name: str, body: JsonObject) -> JsonObject:
    """The requests of a batch; the model is in the path."""
    return {"requests": [plain(place, name, one) for one in body.get("requests") or ()]}


def instance(place: Place, name: str, body: JsonObject) -> JsonObject:
    """The one request of a batch as an instance of `predict`."""
    [one] = body["requests"]
    text = "".join(part.get("text", "") for part in one["content"]["parts"])
    made: JsonObject = {"content": text}
    made |= {key: one[given] for key, given in (("task_type", "taskType"), ("title", "title")) if one.get(given)}
    dimensions = one.get("outputDimensionality")
    return {"instances": [made], "parameters": {"outputDimensionality": dimensions} if dimensions else {}}


def vectors(place: Place, told: Predictions[Any]) -> BatchEmbedContentsResponse[Any]:
    """The answer as that of a batch."""
    found = [one.embeddings for one in told.predictions]
    tokens = sum(int(one.statistics.token_count) for one in found if one.statistics)
    embeddings = [PackedEmbedding[Any].model_construct(values=one.values) for one in found]
    usage = EmbeddingUsageMetadata(prompt_token_count=tokens)
    return BatchEmbedContentsResponse[Any].model_construct(embeddings=embeddings, usage_metadata=usage)
