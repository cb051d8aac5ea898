"""What is known of a model and of a family, as values; `catalogue.json` holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Price:
    """A price list from `valid_from` on: US dollars per million tokens, or per picture, second of video, or song.

    An absent price is not known. `above` replaces input, output and cached_input for prompts of more than `tokens`;
    `cached_by_tier` names cached prices that are not the tier's share of the standard one.
    """

    valid_from: date
    valid_until: date | None = None
    input: float | None = None
    output: float | None = None
    cached_input: float | None = None
    audio_input: float | None = None
    image_input: float | None = None
    video_input: float | None = None
    cached_audio_input: float | None = None
    image_output: float | None = None
    audio_output: float | None = None
    video_output: float | None = None
    per_image: Mapping[str, float] = field(default_factory=dict[str, float])
    per_second: Mapping[str, float] = field(default_factory=dict[str, float])
    per_song: float | None = None
    above: Mapping[str, float] = field(default_factory=dict[str, float])
    cached_by_tier: Mapping[str, float] = field(default_factory=dict[str, float])

    def units(self) -> dict[str, float]:
        """US dollars by what else is counted than tokens of text: pictures, seconds, songs, tokens of media."""
        found = {f"image {size}": price for size, price in self.per_image.items()}
        found |= {f"second {resolution}": price for resolution, price in self.per_second.items()}
        found |= {"song": self.per_song} if self.per_song is not None else {}
        tokens = {
            "audio tokens in": self.audio_input,
            "image tokens in": self.image_input,
            "video tokens in": self.video_input,
            "audio tokens out": self.audio_output,
            "image tokens out": self.image_output,
            "video tokens out": self.video_output,
        }
        return found | {f"million {kind}": price for kind, price in tokens.items() if price is not None}

    def share_of_cached(self, tier: str, share: Decimal) -> Decimal:
        """What part of the standard cached price a tier costs, where `share` is that of its other tokens."""
        if self.cached_input and tier in self.cached_by_tier:
            return Decimal(str(self.cached_by_tier[tier])) / Decimal(str(self.cached_input))
        return share


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a family is told to think: by `levels`, by a budget of `minimum` to `maximum` tokens, or not at all."""

    style: Literal["level", "budget", "none"]
    levels: tuple[str, ...] = ()
    default: str | None = None
    can_disable: bool = False
    minimum: int = 0
    maximum: int = 0


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """What the models of a prefix accept.

    `rejects` are fields of generationConfig that end in an error; `sampling` says what becomes of temperature, top_p
    and top_k; `cache_minimum` is the smallest cache in tokens; `caching` is "implicit" where no cache can be created.
    `aspect_ratios` and `image_sizes` are those of the pictures that it makes; empty where they are not known.
    """

    prefix: str
    thinking: Thinking
    sampling: Literal["accepted", "deprecated", "rejected"]
    candidate_count: bool
    media_resolution_per_part: bool
    rejects: tuple[str, ...] = ()
    cache_minimum: int | None = None
    caching: str | None = None
    aspect_ratios: tuple[str, ...] = ()
    image_sizes: tuple[str, ...] = ()
    shutdown: date | None = None
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of one model; an absent fact is not known.

    `tools` are the built-in tools it is known to take, which does not say that it refuses others. `existing_users_only`
    is the day since which only projects that used it before may call it.
    """

    id: str
    family: str
    capabilities: tuple[str, ...]
    input_limit: int | None = None
    output_limit: int | None = None
    inputs: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()
    service_tiers: tuple[str, ...] = ("standard",)
    tools: tuple[str, ...] = ()
    alias: bool = False
    deprecated: bool = False
    shutdown: date | None = None
    replacement: str | None = None
    rerouted_to: str | None = None
    rerouted_from: date | None = None
    existing_users_only: date | None = None
    paid_only: bool = False
    unconfirmed: bool = False
    note: str = ""

    def price(self, on: date) -> Price | None:
        """The price list of a day, None when none is known for it."""
        known = [price for price in self.prices if price.valid_from <= on]
        latest = max(known, key=lambda price: price.valid_from, default=None)
        return None if latest is None or (latest.valid_until is not None and latest.valid_until < on) else latest


def family_of(prefix: str, facts: Mapping[str, Any]) -> FamilyRules:
    """The rules of a prefix, from JSON."""
    typed = _typed(facts)
    typed["thinking"] = Thinking(**_typed(facts["thinking"]))
    return FamilyRules(prefix=prefix, **typed)


def model_of(facts: Mapping[str, Any]) -> ModelFacts:
    """The facts of a model, from JSON."""
    typed = _typed(facts)
    typed["prices"] = tuple(Price(**_typed(price)) for price in facts.get("prices", ()))
    return ModelFacts(**typed)


_DATES = {"valid_from", "valid_until", "shutdown", "rerouted_from", "existing_users_only"}


def _typed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as tuples and its days as dates."""
    typed = dict(facts)
    for name, value in facts.items():
        if name in _DATES:
            typed[name] = date.fromisoformat(value)
        elif isinstance(value, list):
            typed[name] = tuple(facts[name])
    return typed
