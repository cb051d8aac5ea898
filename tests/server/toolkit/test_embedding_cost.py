"""What vectors cost: by modality, by the tier that bills them, and unknown where Google counts nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gemini_server import settings
from gemini_server.api.embeddings import EmbeddingUsageMetadata
from gemini_server.toolkit.embedding_cost import embedding_cost
from gemini_server.toolkit.runtime import Runtime

MODEL = "gemini-embedding-2"
MILLION = 1_000_000


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(settings.read({}, key="test-key"))


def usage(tokens: int | None, *details: tuple[str, int]) -> EmbeddingUsageMetadata:
    """Usage as Google tells it."""
    told = [{"modality": modality, "tokenCount": count} for modality, count in details]
    return EmbeddingUsageMetadata.model_validate({"promptTokenCount": tokens, "promptTokenDetails": told})


def cost(runtime: Runtime, told: EmbeddingUsageMetadata | None, tier: str | None = None) -> Decimal | None:
    return embedding_cost(runtime, MODEL, told, service_tier=tier)[0]


def test_media_have_prices_of_their_own(runtime: Runtime) -> None:
    text, audio = cost(runtime, usage(MILLION)), cost(runtime, usage(MILLION, ("AUDIO", MILLION)))
    assert text is not None
    assert audio is not None
    assert audio > text


def test_tokens_of_one_modality_that_are_told_in_two_parts_add_up(runtime: Runtime) -> None:
    parts = usage(MILLION, ("AUDIO", MILLION // 2), ("AUDIO", MILLION // 2))
    assert cost(runtime, parts) == cost(runtime, usage(MILLION, ("AUDIO", MILLION)))


def test_a_batch_is_billed_by_its_own_prices(runtime: Runtime) -> None:
    whole, batch = cost(runtime, usage(MILLION)), cost(runtime, usage(MILLION), "batch")
    assert whole is not None
    assert batch == whole / 2


@pytest.mark.parametrize("told", [None, usage(None)])
def test_without_a_count_the_price_is_unknown(runtime: Runtime, told: EmbeddingUsageMetadata | None) -> None:
    assert embedding_cost(runtime, MODEL, told) == (None, None)
