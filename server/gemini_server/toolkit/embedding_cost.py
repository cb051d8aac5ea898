"""What vectors cost, by the tokens that Google says were read for them."""

from __future__ import annotations

from decimal import Decimal

from gemini_server.api.answer import tokens_of
from gemini_server.api.embeddings import EmbeddingUsageMetadata
from gemini_server.toolkit.runtime import Runtime


def embedding_cost(
    runtime: Runtime, model: str, usage: EmbeddingUsageMetadata | None, *, service_tier: str | None = None
) -> tuple[Decimal | None, str | None]:
    """US dollars by the prices of today, and since when these are valid.

    Args:
        runtime: for the catalogue and the day.
        model: the model id.
        usage: what Google says; without a count of tokens, the price is unknown.
        service_tier: by whose prices it is billed, such as `batch`.
    """
    if usage is None or usage.prompt_token_count is None:
        return None, None
    return runtime.catalogue.cost(
        model,
        on=runtime.today(),
        input_tokens=usage.prompt_token_count,
        audio_input_tokens=tokens_of(usage.prompt_token_details, "AUDIO"),
        image_input_tokens=tokens_of(usage.prompt_token_details, "IMAGE"),
        video_input_tokens=tokens_of(usage.prompt_token_details, "VIDEO"),
        service_tier=service_tier,
    )
