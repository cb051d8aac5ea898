"""What is known of Gemini's models, by date: limits, prices, ends, and what each family accepts.

The facts lie in `catalogue.json` beside this file (with their sources) and hold for the Developer API. Nothing here
refuses a model: an id that is not listed gets the rules of the longest prefix that fits, and no price.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from gemini_server.api.bill import Bill
from gemini_server.api.model_facts import FamilyRules, ModelFacts, family_of, model_of
from gemini_server.api.thinking import Level, as_budget, as_level
from gemini_server.errors import ArgumentError

_MILLION = 1_000_000
_SAMPLING = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}


@dataclass(frozen=True, slots=True)
class Retirement:
    """The end of a model: `shutdown` is None for one that is deprecated without a date.

    `past` says whether the model itself answers no more on the day asked about: shut down, or `rerouted_to` another.
    """

    id: str
    shutdown: date | None
    past: bool
    replacement: str | None
    rerouted_to: str | None
    rerouted_from: date | None


class Catalogue:
    """All models and families; get it with `Catalogue.load()`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.as_of = date.fromisoformat(document["as_of"])
        self._defaults: dict[str, str] = document["defaults"]
        self._tiers: dict[str, float] = document["service_tiers"]
        self.families = tuple(family_of(prefix, facts) for prefix, facts in document["families"].items())
        self.models = tuple(model_of(facts) for facts in document["models"])
        self._by_length = sorted(self.families, key=lambda rules: len(rules.prefix), reverse=True)
        self._models = {model.id: model for model in self.models}

    @classmethod
    def load(cls) -> Catalogue:
        """The packaged catalogue, read once."""
        return _packaged()

    def default(self, capability: str = "text") -> str:
        """The model that is used for a capability when none is named.

        Raises:
            ArgumentError: there is no such capability.
        """
        if capability not in self._defaults:
            raise ArgumentError(f"No model is known for {capability!r}.", f"Use one of {', '.join(self._defaults)}.")
        return self._defaults[capability]

    def default_for(self, id: str) -> list[str]:  # noqa: A002 - the word of the API, here and below
        """The capabilities whose default model this is."""
        return [capability for capability, model in self._defaults.items() if model == _bare(id)]

    def get(self, id: str) -> ModelFacts | None:  # noqa: A002
        """What is known of a model (`x` or `models/x`), None for one that is not listed."""
        return self._models.get(_bare(id))

    def family(self, id: str) -> FamilyRules:  # noqa: A002
        """The rules of the longest prefix that fits; there always is one."""
        bare = _bare(id)
        return next(rules for rules in self._by_length if bare.startswith(rules.prefix))

    def retirement(self, id: str, on: date) -> Retirement | None:  # noqa: A002
        """The end of a model, past or to come; None when none is known."""
        facts, rules = self.get(id), self.family(id)
        if facts is None or not (facts.shutdown or facts.deprecated or facts.rerouted_to):
            if rules.shutdown is None:
                return None
            return Retirement(_bare(id), rules.shutdown, rules.shutdown <= on, rules.replacement, None, None)
        ends = [day for day in (facts.shutdown, facts.rerouted_from) if day is not None]
        past = any(day <= on for day in ends)
        return Retirement(facts.id, facts.shutdown, past, facts.replacement, facts.rerouted_to, facts.rerouted_from)

    def cost(
        self,
        id: str,  # noqa: A002
        *,
        on: date,
        input_tokens: int = 0,
        output_tokens: int = 0,
        thought_tokens: int = 0,
        cached_tokens: int = 0,
        tool_tokens: int = 0,
        audio_input_tokens: int = 0,
        image_input_tokens: int = 0,
        video_input_tokens: int = 0,
        cached_audio_tokens: int = 0,
        image_output_tokens: int | None = None,
        audio_output_tokens: int | None = None,
        video_output_tokens: int | None = None,
        images: int | None = None,
        image_size: str = "1K",
        seconds: float | None = None,
        resolution: str = "720p",
        songs: int | None = None,
        service_tier: str | None = None,
    ) -> tuple[Decimal | None, str | None]:
        """What a call costs in US dollars by the prices of a day, and since when these are valid.

        Grounding (per query) and the storage of caches are not in it. A model that is rerouted on that day is billed as
        the one that answers.

        Args:
            id: the model.
            on: the day.
            input_tokens: the whole prompt, cached tokens included.
            output_tokens: the answer without thoughts, media included.
            thought_tokens: billed as output.
            cached_tokens: those of the input that came from a cache; at the full price where no cached one is known.
            tool_tokens: what built-in tools put into the prompt, billed as input.
            audio_input_tokens: those of the input that are audio; likewise for images and video.
            image_input_tokens: see above.
            video_input_tokens: see above.
            cached_audio_tokens: those of the cached tokens that are audio.
            image_output_tokens: those of the output that are pictures; likewise for audio and video. Where such tokens
                have a price of their own and this is not given, the cost is unknown.
            audio_output_tokens: see above.
            video_output_tokens: see above.
            images: how many pictures, for an estimate without their tokens.
            image_size: of these pictures.
            seconds: how much video, likewise.
            resolution: of this video.
            songs: how many songs or clips, where they have a price each.
            service_tier: standard, flex, batch or priority, in any case.

        Returns:
            (None, None) when any part of the price is unknown: unknown is never 0.
        """
        facts = self.get(self.answering(id, on))
        price = facts.price(on) if facts else None
        tier = (service_tier or "standard").lower().replace("unspecified", "standard")
        if facts is None or price is None or tier not in facts.service_tiers:
            return None, None
        share = Decimal(str(self._tiers[tier]))
        token, cached_token = share / _MILLION, price.share_of_cached(tier, share) / _MILLION
        above: Mapping[str, float] = {}
        if price.above and input_tokens > price.above["tokens"]:
            above = price.above
        plain, cached = above.get("input", price.input), above.get("cached_input", price.cached_input)
        bill = Bill()

        fresh_audio = max(0, audio_input_tokens - cached_audio_tokens)
        fresh_media = fresh_audio + image_input_tokens + video_input_tokens
        bill.add(max(0, input_tokens - cached_tokens - fresh_media) + tool_tokens, token, plain)
        bill.add(fresh_audio, token, price.audio_input, plain)
        bill.add(image_input_tokens, token, price.image_input, plain)
        bill.add(video_input_tokens, token, price.video_input, plain)
        bill.add(cached_tokens - cached_audio_tokens, cached_token, cached, plain)
        bill.add(cached_audio_tokens, cached_token, price.cached_audio_input, cached, price.audio_input, plain)

        if images is not None and image_output_tokens is None:
            bill.add(images, share, price.per_image.get(image_size))
            image_output_tokens = 0
        if seconds is not None and video_output_tokens is None:
            bill.add(seconds, share, price.per_second.get(resolution))
            video_output_tokens = 0
        if price.per_song is not None:
            bill.add(1 if songs is None else songs, share, None if songs is None else price.per_song)
        text_output = output_tokens
        for tokens, rate in (
            (image_output_tokens, price.image_output),
            (audio_output_tokens, price.audio_output),
            (video_output_tokens, price.video_output),
        ):
            if rate is not None:
                bill.add(output_tokens if tokens is None else tokens, token, None if tokens is None else rate)
                text_output -= tokens or 0
        bill.add(max(0, text_output) + thought_tokens, token, above.get("output", price.output))
        return (None, None) if bill.total is None else (bill.total, price.valid_from.isoformat())

    def thinking(
        self,
        id: str,  # noqa: A002
        wanted: Level | int,
        *,
        on: date | None = None,
    ) -> tuple[dict[str, Any], list[str]]:
        """Translates a wish to think into what the model takes.

        Args:
            id: the model; one that is rerouted is asked for what the answering one takes.
            wanted: a level, or a budget in tokens (0 for none, -1 to leave it to the model).
            on: the day, today in UTC by default.

        Returns:
            `generationConfig.thinkingConfig` (empty to leave the model's default), and what was changed.
        """
        rules = self.family(self.answering(id, on or _today())).thinking
        if rules.style == "none":
            return {}, [f"{_bare(id)} takes no thinking setting; it was left out."]
        if rules.style == "budget":
            return as_budget(_bare(id), rules, wanted)
        return as_level(_bare(id), rules, wanted)

    def sampling(
        self,
        id: str,  # noqa: A002
        sampling: Mapping[str, float | None],
        *,
        on: date | None = None,
    ) -> tuple[dict[str, float], list[str]]:
        """Translates temperature, top_p and top_k into what the model takes.

        Returns:
            The accepted ones as fields of generationConfig, and what became of them.

        Raises:
            ArgumentError: another name was given.
        """
        unknown = sampling.keys() - _SAMPLING.keys()
        if unknown:
            raise ArgumentError(f"sampling takes {', '.join(_SAMPLING)}, not {', '.join(sorted(unknown))}.")
        given = {name: value for name, value in sampling.items() if value is not None}
        rule = self.family(self.answering(id, on or _today())).sampling
        if not given:
            return {}, []
        if rule == "rejected":
            return {}, [f"{_bare(id)} rejects {', '.join(given)}; left out."]
        warnings: list[str] = []
        if rule == "deprecated":
            warnings.append(f"{', '.join(given)}: deprecated since 2026-07-21, {_bare(id)} may ignore it.")
        return {_SAMPLING[name]: value for name, value in given.items()}, warnings

    def answering(self, id: str, on: date) -> str:  # noqa: A002
        """The id of the model that answers on a day: the named one, or where Google reroutes it."""
        facts = self.get(id)
        if facts and facts.rerouted_to and facts.rerouted_from and facts.rerouted_from <= on:
            return facts.rerouted_to
        return _bare(id)

    def suggest(self, id: str, *, on: date | None = None) -> list[str]:  # noqa: A002
        """Up to three models with a name like this one that still answer."""
        import difflib

        return difflib.get_close_matches(_bare(id).lower(), self._answering_ids(on), n=3)

    def complete(self, prefix: str, *, on: date | None = None) -> list[str]:
        """The ids that begin like this and still answer, in the catalogue's order."""
        return [id for id in self._answering_ids(on) if id.startswith(_bare(prefix))]  # noqa: A001

    def _answering_ids(self, on: date | None) -> list[str]:
        ends = ((model.id, self.retirement(model.id, on or _today())) for model in self.models)
        return [id for id, end in ends if end is None or not end.past]  # noqa: A001


def _bare(id: str) -> str:  # noqa: A002
    # The Enterprise backend's own names, of a project or without one, are of the same models at the same prices.
    return id.rpartition("publishers/google/")[2].removeprefix("models/")


def _today() -> date:
    return datetime.now(UTC).date()


@cache
def _packaged() -> Catalogue:
    return Catalogue(json.loads(Path(__file__).with_name("catalogue.json").read_text("utf-8")))
