"""Vectors of texts in the OpenAI dialect: a batchEmbedContents request as its embeddings request, and back."""

from __future__ import annotations

from typing import Any, cast

from gemini_server.api.embeddings import BatchEmbedContentsResponse, EmbeddingUsageMetadata, PackedEmbedding
from gemini_server.api.openai import EmbeddingList, EmbeddingsRequest
from gemini_server.errors import ArgumentError, BadAnswer
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.generation.transcript import member


def asked(model: str, body: JsonObject) -> EmbeddingsRequest:
    """The texts of a batchEmbedContents request.

    Args:
        model: the model id.
        body: as batchEmbedContents takes it.

    Raises:
        ArgumentError: the dialect cannot carry something of it; nothing was sent.
    """
    texts: list[str] = []
    sizes: set[int | None] = set()
    for request in cast("list[JsonObject]", body.get("requests") or []):
        parts = cast("list[JsonObject]", (member(request, "content") or {}).get("parts") or [])
        if any(not isinstance(part.get("text"), str) for part in parts):
            raise ArgumentError("The openai dialect embeds texts alone; nothing was sent.", "Leave the media out.")
        if request.get("taskType") or request.get("title"):
            raise ArgumentError(
                "The openai dialect tells an embedding model of this kind no task_type and no title; nothing was sent.",
                "Leave them out, or use gemini-embedding-2, which is told in the text itself.",
            )
        texts.append("".join(part["text"] for part in parts))
        sizes.add(request.get("outputDimensionality"))
    return EmbeddingsRequest(model=model.removeprefix("models/"), input=texts, dimensions=next(iter(sizes), None))


def answered(found: EmbeddingList[Any], count: int) -> BatchEmbedContentsResponse[Any]:
    """The vectors as batchEmbedContents gives them.

    Args:
        found: what came.
        count: how many there should be.

    Raises:
        BadAnswer: there are others.
    """
    return BatchEmbedContentsResponse[Any](
        embeddings=[PackedEmbedding[Any](values=values) for values in _in_order(found, count)],
        usage_metadata=_usage(found),
    )


def _in_order(found: EmbeddingList[Any], count: int) -> list[Any]:
    places = [one.index if one.index is not None else place for place, one in enumerate(found.data)]
    if len(set(places)) == 1:  # some number none of them, or all of them 0
        places = list(range(len(places)))
    if sorted(places) != list(range(count)):
        raise BadAnswer(
            f"The gateway gave {len(places)} vectors for {count} texts.", "It may have been billed. Call again later."
        )
    return [one.embedding for _, one in sorted(zip(places, found.data, strict=True), key=lambda pair: pair[0])]


def _usage(found: EmbeddingList[Any]) -> EmbeddingUsageMetadata | None:
    usage = found.usage
    return EmbeddingUsageMetadata(prompt_token_count=usage.prompt_tokens or usage.total_tokens) if usage else None
