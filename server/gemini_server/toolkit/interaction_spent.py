"""What an interaction cost: its tokens by modality, at the prices of the day."""

from __future__ import annotations

from decimal import Decimal

from gemini_server.api.interactions import Interaction, ModalityTokens
from gemini_server.api.interactions import Usage as Tokens
from gemini_server.jobs.job import Job, Json, Spent
from gemini_server.toolkit.generation.grounding import fees_of
from gemini_server.toolkit.results import Usage
from gemini_server.toolkit.runtime import Runtime


def usage_of(runtime: Runtime, model: str, interaction: Interaction, *, songs: int | None = None) -> Usage:
    """The tokens of an interaction, and their price today; null where no price is known."""
    tokens = interaction.usage or Tokens()
    cost, price_date = _cost(runtime, model, interaction, tokens, songs) if interaction.usage else (None, None)
    return Usage(
        input_tokens=tokens.total_input_tokens,
        output_tokens=tokens.total_output_tokens,
        thought_tokens=tokens.total_thought_tokens,
        cached_tokens=tokens.total_cached_tokens,
        tool_tokens=tokens.total_tool_use_tokens,
        total_tokens=tokens.total_tokens,
        cost_usd=None if cost is None else round(float(cost), 9),
        price_date=price_date,
        not_in_cost=_fees(tokens),
    )


def _fees(tokens: Tokens) -> str | None:
    counts = {used.type: used.count for used in tokens.grounding_tool_count or ()}
    return fees_of(counts.get("google_search", 0), maps=counts.get("google_maps", 0) > 0)


def spent_on(runtime: Runtime, job: Job, interaction: Interaction, *, songs: int | None = None) -> tuple[Spent, Json]:
    """What is booked for a job, and its usage as results show it.

    Where the tokens have no price by themselves (an answer without a breakdown of its media), the estimate that the job
    began with stands.

    Args:
        runtime: for the catalogue and the day.
        job: what was asked for.
        interaction: what came.
        songs: pieces of music that came, which have a price each.
    """
    usage = usage_of(runtime, job.model, interaction, songs=songs)
    cost = usage.cost
    if cost is None and job.cost_usd is not None:
        cost = job.cost_usd
        usage.cost_usd = round(float(cost), 9)
    return Spent(job.model, cost, usage.counts), usage.structured()


def _cost(
    runtime: Runtime, model: str, interaction: Interaction, tokens: Tokens, songs: int | None
) -> tuple[Decimal | None, str | None]:
    read, made = tokens.input_tokens_by_modality, tokens.output_tokens_by_modality
    return runtime.catalogue.cost(
        model,
        on=runtime.today(),
        input_tokens=tokens.total_input_tokens,
        output_tokens=tokens.total_output_tokens,
        thought_tokens=tokens.total_thought_tokens,
        cached_tokens=tokens.total_cached_tokens,
        tool_tokens=tokens.total_tool_use_tokens,
        audio_input_tokens=_of(read, "audio") or 0,
        image_input_tokens=_of(read, "image") or 0,
        video_input_tokens=_of(read, "video") or 0,
        cached_audio_tokens=_of(tokens.cached_tokens_by_modality, "audio") or 0,
        image_output_tokens=_of(made, "image"),
        audio_output_tokens=_of(made, "audio"),
        video_output_tokens=_of(made, "video"),
        songs=songs,
        service_tier=interaction.service_tier,
    )


def _of(counts: list[ModalityTokens] | None, modality: str) -> int | None:
    """Tokens of a modality; None where there is no breakdown."""
    return sum(count.tokens for count in counts if (count.modality or "").lower() == modality) if counts else None
