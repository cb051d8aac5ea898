from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gemini_server.api.catalogue import Catalogue
from gemini_server.api.model_facts import ModelFacts
from gemini_server.api.thinking import Level
from gemini_server.errors import ArgumentError

TODAY = date(2026, 11, 22)
CATALOGUE = Catalogue.load()
IDS = [model.id for model in CATALOGUE.models]


def dollars(model: str, on: date = TODAY, **counts: Any) -> Decimal | None:
    return CATALOGUE.cost(model, on=on, **counts)[0]


# ---------------------------------------------------------------- the file


def test_the_catalogue_is_read_once() -> None:
    assert Catalogue.load() is CATALOGUE


def test_ids_are_unique_and_every_family_is_the_longest_prefix() -> None:
    assert len(set(IDS)) == len(IDS)
    for model in CATALOGUE.models:
        assert model.family == CATALOGUE.family(model.id).prefix


@pytest.mark.parametrize("model", CATALOGUE.models, ids=IDS)
def test_a_model_is_consistent_in_itself(model: ModelFacts) -> None:
    assert set(model.capabilities) <= {
        "text", "image", "video", "speech", "transcription", "live", "embedding", "music", "research", "agent", "open",
    }  # fmt: skip
    assert model.capabilities
    assert set(model.inputs) <= {"text", "image", "audio", "video", "pdf"}
    assert set(model.service_tiers) <= {"standard", "flex", "batch", "priority"}
    assert (model.rerouted_to is None) == (model.rerouted_from is None)
    if model.shutdown or model.deprecated:
        assert model.replacement
    days = [price.valid_from for price in model.prices]
    assert days == sorted(set(days))
    for price in model.prices:
        amounts = [price.input, price.output, price.cached_input, price.per_song, *price.per_image.values()]
        assert all(amount is None or amount >= 0 for amount in amounts)
        assert (price.cached_input or 0) <= (price.input or 0)
        assert set(price.above) <= {"tokens", "input", "output", "cached_input"}
        assert set(price.cached_by_tier) <= set(model.service_tiers)


@pytest.mark.parametrize("rules", CATALOGUE.families, ids=lambda rules: rules.prefix)
def test_a_family_is_consistent_in_itself(rules: Any) -> None:
    assert rules.thinking.style in ("level", "budget", "none")
    assert rules.sampling in ("accepted", "deprecated", "rejected")
    assert bool(rules.thinking.levels) == (rules.thinking.style == "level")
    assert (rules.thinking.maximum > rules.thinking.minimum) == (rules.thinking.style == "budget")
    assert rules.thinking.default is None or rules.thinking.default in rules.thinking.levels
    assert rules.candidate_count != ("candidateCount" in rules.rejects) or not rules.prefix
    if rules.sampling == "rejected":
        assert {"temperature", "topP", "topK"} <= set(rules.rejects)


@pytest.mark.parametrize("day", [TODAY, TODAY + timedelta(days=30)])
def test_no_replacement_is_itself_gone(day: date) -> None:
    for id in [*IDS, "imagen-9", "veo-9"]:  # noqa: A001
        end = CATALOGUE.retirement(id, day)
        for other in (end.replacement, end.rerouted_to) if end else ():
            if other is None:
                continue
            assert CATALOGUE.get(other) is not None
            next_end = CATALOGUE.retirement(other, day)
            assert next_end is None or not next_end.past, f"{id} -> {other}"


def test_the_defaults_are_known_models_that_answer_and_can_do_it() -> None:
    for capability in ("text", "image", "embedding", "speech", "transcription", "video", "music", "live", "research"):
        facts = CATALOGUE.get(CATALOGUE.default(capability))
        assert facts is not None
        assert capability in facts.capabilities
        assert CATALOGUE.retirement(facts.id, TODAY) is None
        assert capability in CATALOGUE.default_for(f"models/{facts.id}")
    assert CATALOGUE.default() == "gemini-3.8-flash"
    assert CATALOGUE.default_for("gemini-2.0-flash") == []
    with pytest.raises(ArgumentError, match="speech"):
        CATALOGUE.default("smell")


def test_reading_it_needs_no_pydantic() -> None:
    code = "import sys, gemini_server.api.catalogue as c; c.Catalogue.load(); sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


# ---------------------------------------------------------------- finding


def test_a_model_is_found_with_and_without_its_prefix() -> None:
    assert CATALOGUE.get("models/gemini-3.8-flash") is CATALOGUE.get("gemini-3.8-flash") is not None
    assert CATALOGUE.get("gemini-9") is None


@pytest.mark.parametrize(
    ("id", "prefix"),
    [
        ("gemini-3.8-flash-002", "gemini-3.8-flash"),
        ("gemini-3.9-flash", "gemini-"),
        ("gemini-4-neon", "gemini-4"),
        ("gemini-5-ultra", "gemini-"),
        ("gemini-2.5-flash-001", "gemini-2.5-flash"),
        ("models/gemini-2.5-pro-x", "gemini-2.5-pro"),
        ("gemma-5-1b-it", "gemma"),
        ("imagen-5.0", "imagen"),
        ("tunedModels/mine", ""),
        ("", ""),
    ],
)
def test_an_unknown_id_passes_with_the_rules_of_the_longest_prefix(id: str, prefix: str) -> None:  # noqa: A002
    assert CATALOGUE.family(id).prefix == prefix
    assert CATALOGUE.get(id) is None
    assert CATALOGUE.cost(id, on=TODAY, input_tokens=1) == (None, None)
    CATALOGUE.thinking(id, "minimal")
    CATALOGUE.thinking(id, 1)
    CATALOGUE.sampling(id, {"temperature": 1})
    CATALOGUE.suggest(id)


def test_close_names_are_suggested_but_none_that_is_gone() -> None:
    assert "gemini-3.8-flash" in CATALOGUE.suggest("gemini-3.8-flsh", on=TODAY)
    assert "gemini-2.0-flash" not in CATALOGUE.suggest("gemini-2.0-flsh", on=TODAY)
    assert CATALOGUE.suggest("zzz", on=TODAY) == []


def test_completions_begin_with_what_was_typed_and_leave_out_what_is_gone() -> None:
    found = CATALOGUE.complete("gemini-3.", on=TODAY)
    assert found[0] == "gemini-3.8-flash"
    assert all(id.startswith("gemini-3.") for id in found)  # noqa: A001
    assert not {"gemini-3.5-flash", "gemini-3.1-flash-lite-preview"} & set(found)
    assert CATALOGUE.complete("models/gemma-4", on=TODAY) == ["gemma-4-31b-it", "gemma-4-26b-a4b-it"]
    assert CATALOGUE.complete("gemini-2.5-pro", on=date(2026, 11, 30)) == ["gemini-2.5-pro"]
    assert CATALOGUE.complete("gemini-2.5-pro", on=date(2026, 12, 1)) == []


# ---------------------------------------------------------------- money


@pytest.mark.parametrize(
    ("model", "day", "counts", "expected"),
    [
        # input 1,000 x 0.75 + output 200 x 3.75 + thoughts 300 x 3.75, per million
        ("gemini-3.8-flash", TODAY, {"input_tokens": 1000, "output_tokens": 200, "thought_tokens": 300}, "0.002625"),
        ("gemini-3.8-flash", date(2026, 12, 31), {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "4.5"),
        ("gemini-3.8-flash", date(2027, 1, 1), {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "9"),
        ("gemini-4-argon", date(2026, 11, 30), {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "12"),
        ("gemini-4-argon", date(2026, 12, 1), {"input_tokens": 1_000_000, "output_tokens": 1_000_000}, "24"),
        # 900 x 0.75 + 100 cached x 0.075 + 50 of a tool x 0.75
        ("gemini-3.8-flash", TODAY, {"input_tokens": 1000, "cached_tokens": 100, "tool_tokens": 50}, "0.00072"),
        # at 200,000 still the lower price, above it everything at the higher one
        ("gemini-3.1-pro-preview", TODAY, {"input_tokens": 200_000, "output_tokens": 1000}, "0.412"),
        ("gemini-3.1-pro-preview", TODAY, {"input_tokens": 200_001, "output_tokens": 1000}, "0.818004"),
        ("gemini-3.1-pro-preview", TODAY, {"input_tokens": 300_000, "cached_tokens": 100_000}, "0.84"),
        # audio costs more: 600 x 0.30 + 400 x 1.00
        ("gemini-2.5-flash", TODAY, {"input_tokens": 1000, "audio_input_tokens": 400}, "0.00058"),
        # a picture of 1,120 tokens x 30, 100 of text x 7.5, and by its size
        ("gemini-nano-banana-2.1", TODAY, {"output_tokens": 1220, "image_output_tokens": 1120}, "0.03435"),
        ("gemini-nano-banana-2.1", TODAY, {"images": 2, "image_size": "2K"}, "0.1008"),
        ("gemini-omni-1.1-flash", TODAY, {"seconds": 8}, "0.8"),
        ("gemini-omni-1.1-flash", TODAY, {"output_tokens": 40_000, "video_output_tokens": 40_000}, "0.7"),
        ("lyria-3.5", TODAY, {"input_tokens": 50, "songs": 2}, "0.16"),
        ("gemini-3.8-flash-tts", TODAY, {"input_tokens": 100, "output_tokens": 1000}, "0.00905"),
        ("gemini-embedding-2", TODAY, {"input_tokens": 1_000_000}, "0.2"),
        ("gemma-4-31b-it", TODAY, {"input_tokens": 5000, "output_tokens": 5000, "thought_tokens": 9}, "0"),
        ("gemini-3.8-flash", TODAY, {}, "0"),
    ],
)
def test_a_call_costs_what_the_price_list_says(model: str, day: date, counts: dict[str, Any], expected: str) -> None:
    assert dollars(model, day, **counts) == Decimal(expected)


@pytest.mark.parametrize(
    ("tier", "expected"),
    [(None, "3"), ("standard", "3"), ("STANDARD", "3"), ("unspecified", "3"), ("flex", "1.5"), ("batch", "1.5"),
     ("PRIORITY", "5.4"), ("deferred", None)],
)  # fmt: skip
def test_a_service_tier_changes_the_price(tier: str | None, expected: str | None) -> None:
    cost = dollars("gemini-3.6-flash", input_tokens=4_000_000, service_tier=tier)
    assert cost == (expected and Decimal(expected))


def test_a_tier_that_a_model_is_not_known_to_have_has_no_price() -> None:
    assert dollars("gemini-3.8-live", input_tokens=1, service_tier="flex") is None


def test_cached_tokens_have_their_own_price_in_a_tier() -> None:
    all_cached: dict[str, Any] = {"input_tokens": 1_000_000, "cached_tokens": 1_000_000}
    assert dollars("gemini-2.5-flash-lite", **all_cached) == Decimal("0.01")
    assert dollars("gemini-2.5-flash-lite", **all_cached, service_tier="flex") == Decimal("0.01")
    assert dollars("gemini-2.5-flash-lite", **all_cached, service_tier="priority") == Decimal("0.018")
    assert dollars("gemini-3.8-flash", **all_cached, service_tier="flex") == Decimal("0.0375")
    rounded = dollars("gemini-3.5-flash-lite", **all_cached, service_tier="flex")
    assert rounded is not None
    assert round(rounded, 9) == Decimal("0.02")


def test_cached_tokens_are_never_cheaper_than_is_known() -> None:
    assert dollars("gemini-nano-banana-2.1", input_tokens=1_000_000, cached_tokens=1_000_000) == Decimal("1.5")


@pytest.mark.parametrize(
    ("model", "counts"),
    [
        ("gemini-4-carbon", {"input_tokens": 1}),
        ("gemini-omni-1.2-flash", {"input_tokens": 1}),
        ("lyria-realtime-exp", {"songs": 1}),
        ("lyria-3.5", {"input_tokens": 1}),  # how many songs?
        ("gemini-nano-banana-2.1", {"input_tokens": 1, "output_tokens": 1200}),  # how many of them a picture?
        ("gemini-nano-banana-2.1", {"images": 1, "image_size": "512"}),
        ("gemini-3.8-live", {"input_tokens": 1, "output_tokens": 100}),  # how many of them speech?
        ("veo-3.1-generate-001", {"seconds": 8, "resolution": "8k"}),
        ("text-embedding-004", {"input_tokens": 1}),
    ],
)
def test_what_is_not_known_is_unknown_and_never_nothing(model: str, counts: dict[str, Any]) -> None:
    assert CATALOGUE.cost(model, on=TODAY, **counts) == (None, None)


def test_the_price_names_the_day_since_which_it_holds() -> None:
    assert CATALOGUE.cost("gemini-3.8-flash", on=TODAY, input_tokens=1)[1] == "2026-09-02"
    assert CATALOGUE.cost("models/gemini-3.8-flash", on=date(2027, 3, 1), input_tokens=1)[1] == "2027-01-01"
    assert CATALOGUE.cost("gemini-3.8-flash", on=date(2026, 9, 1), input_tokens=1) == (None, None)


def test_an_alias_has_no_price_after_its_introductory_one() -> None:
    assert dollars("gemini-flash-latest", date(2026, 12, 31), input_tokens=1_000_000) == Decimal("0.75")
    assert dollars("gemini-flash-latest", date(2027, 1, 1), input_tokens=1_000_000) is None


def test_a_rerouted_model_is_billed_as_the_one_that_answers() -> None:
    million: dict[str, Any] = {"input_tokens": 1_000_000}
    assert dollars("gemini-2.5-pro", date(2026, 11, 30), **million) == Decimal("2.5")  # a prompt above 200,000
    assert dollars("gemini-2.5-pro", date(2026, 12, 1), **million) == Decimal("0.75")
    assert dollars("gemini-3.5-flash", date(2026, 10, 7), **million) == Decimal("1.5")
    assert dollars("gemini-3.5-flash", date(2026, 10, 8), **million) == Decimal("0.75")
    assert CATALOGUE.answering("models/gemini-2.5-flash", date(2026, 12, 1)) == "gemini-3.5-flash-lite"


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize(
    ("id", "shutdown", "past", "replacement"),
    [
        ("gemini-2.0-flash", "2026-06-01", True, "gemini-3.6-flash"),
        ("models/gemini-2.0-flash-lite", "2026-06-01", True, "gemini-3.5-flash-lite"),
        ("gemini-2.5-flash", "2026-12-01", False, "gemini-3.5-flash-lite"),
        ("gemini-2.5-pro", "2026-12-01", False, "gemini-3.8-flash"),
        ("gemini-3-pro-preview", "2026-03-09", True, "gemini-3.1-pro-preview"),
        ("gemini-3-flash-preview", None, False, "gemini-3.6-flash"),
        ("gemini-3.7-flash", None, True, "gemini-3.8-flash"),
        ("gemini-3.1-flash-lite", "2027-05-07", False, "gemini-3.5-flash-lite"),
        ("gemini-embedding-001", "2028-05-14", False, "gemini-embedding-2"),
        ("gemini-2.5-flash-preview-tts", "2026-11-17", True, "gemini-3.8-flash-tts"),
        ("deep-research-pro-preview-12-2025", "2026-10-23", True, "deep-research-preview-04-2026"),
        ("imagen-4.0-generate-001", "2026-08-17", True, "gemini-nano-banana-2.1"),
        ("imagen-4.0-something-new", "2026-08-17", True, "gemini-nano-banana-2.1"),
        ("veo-3.1-generate-preview", "2026-10-22", True, "gemini-omni-1.1-flash"),
        ("veo-3.0-generate-001", "2026-06-30", True, "gemini-omni-1.1-flash"),
    ],
)
def test_the_end_of_a_model_is_known(id: str, shutdown: str | None, past: bool, replacement: str) -> None:  # noqa: A002
    end = CATALOGUE.retirement(id, TODAY)
    assert end is not None
    assert (str(end.shutdown) if end.shutdown else None, end.past, end.replacement) == (shutdown, past, replacement)


@pytest.mark.parametrize("id", ["gemini-3.8-flash", "gemini-2.5-flash-lite", "lyria-realtime-exp", "gemini-9", "x"])
def test_a_model_without_an_end_has_none(id: str) -> None:  # noqa: A002
    assert CATALOGUE.retirement(id, TODAY) is None


def test_an_end_to_come_is_past_on_its_day() -> None:
    before = CATALOGUE.retirement("gemini-2.5-pro", date(2026, 11, 30))
    after = CATALOGUE.retirement("gemini-2.5-pro", date(2026, 12, 1))
    assert before is not None
    assert after is not None
    assert (before.past, after.past) == (False, True)
    assert (after.rerouted_to, after.rerouted_from) == ("gemini-3.8-flash", date(2026, 12, 1))


# ---------------------------------------------------------------- thinking and sampling

_LEVELS: tuple[Level, ...] = ("minimal", "low", "medium", "high")


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("gemini-4-argon", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-4-unknown", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3.8-flash", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3.7-flash", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3.6-flash", ("MINIMAL", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3.5-flash", ("MINIMAL", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3.5-flash-lite", ("MINIMAL", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3.1-pro-preview", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3.1-flash-lite", ("MINIMAL", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3-flash-preview", ("MINIMAL", "LOW", "MEDIUM", "HIGH")),
        ("gemini-3-pro-preview", ("LOW!", "LOW", "MEDIUM", "HIGH")),  # answered by 3.1 Pro
        ("gemini-3.9-flash", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-flash-latest", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-nano-banana-2.1", ("MINIMAL", "MINIMAL!", "MEDIUM", "HIGH")),
        ("gemini-omni-1.1-flash", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-robotics-er-2-preview", ("LOW!", "LOW", "MEDIUM", "HIGH")),
        ("gemini-2.5-pro", (128, 1024, 8192, 24576)),
        ("gemini-2.5-flash", (0, 1024, 8192, 24576)),
        ("gemini-2.5-flash-lite", (0, 1024, 8192, 24576)),
        ("gemini-2.5-unknown", (128, 1024, 8192, 24576)),
        *((model, (None, None, None, None)) for model in ("gemini-2.0-flash", "gemini-3.8-flash-tts", "lyria-3.5",
          "gemini-embedding-2", "gemma-4-31b-it", "gemini-3.8-live", "gemini-3-pro-image", "veo-3.1-generate-001",
          "imagen-4.0-generate-001", "deep-research-preview-04-2026", "gemini-3.5-transcribe", "my-own-model")),
    ],
)  # fmt: skip
def test_a_level_becomes_what_the_family_takes(model: str, sent: tuple[str | int | None, ...]) -> None:
    for wanted, expected in zip(_LEVELS, sent, strict=True):
        config, warnings = CATALOGUE.thinking(model, wanted, on=TODAY)
        if expected is None:
            assert (config, len(warnings)) == ({}, 1)
        elif isinstance(expected, int):
            assert (config, warnings) == ({"thinkingBudget": expected}, [])
        else:
            assert config == {"thinkingLevel": expected.rstrip("!")}
            assert len(warnings) == expected.endswith("!")


@pytest.mark.parametrize(
    ("model", "budget", "config", "warned"),
    [
        ("gemini-2.5-pro", 5000, {"thinkingBudget": 5000}, False),
        ("gemini-2.5-pro", -1, {"thinkingBudget": -1}, False),
        ("gemini-2.5-pro", 0, {"thinkingBudget": 128}, True),
        ("gemini-2.5-pro", 99_999, {"thinkingBudget": 32_768}, True),
        ("gemini-2.5-flash", 0, {"thinkingBudget": 0}, False),
        ("gemini-2.5-flash", 1, {"thinkingBudget": 1}, False),
        ("gemini-2.5-flash", 30_000, {"thinkingBudget": 24_576}, True),
        ("gemini-2.5-flash-lite", 0, {"thinkingBudget": 0}, False),
        ("gemini-2.5-flash-lite", 100, {"thinkingBudget": 512}, True),
        ("gemini-3.8-flash", 0, {"thinkingLevel": "LOW"}, True),
        ("gemini-3.8-flash", 4000, {"thinkingLevel": "LOW"}, True),
        ("gemini-3.8-flash", 8192, {"thinkingLevel": "MEDIUM"}, True),
        ("gemini-3.8-flash", 100_000, {"thinkingLevel": "HIGH"}, True),
        ("gemini-3.8-flash", -1, {}, True),
        ("gemini-3.6-flash", 100, {"thinkingLevel": "MINIMAL"}, True),
        ("gemini-nano-banana-2.1", 1024, {"thinkingLevel": "MINIMAL"}, True),
        ("gemini-2.0-flash", 1024, {}, True),
    ],
)
def test_a_budget_becomes_what_the_family_takes(model: str, budget: int, config: dict[str, Any], warned: bool) -> None:
    sent, warnings = CATALOGUE.thinking(model, budget, on=TODAY)
    assert (sent, bool(warnings)) == (config, warned)


def test_a_rerouted_model_is_asked_in_the_words_of_the_one_that_answers() -> None:
    assert CATALOGUE.thinking("gemini-2.5-pro", "low", on=date(2026, 12, 1))[0] == {"thinkingLevel": "LOW"}
    assert CATALOGUE.sampling("gemini-2.5-pro", {"top_k": 3}, on=date(2026, 12, 1))[1]


@pytest.mark.parametrize(
    ("model", "accepted", "warned"),
    [
        ("gemini-2.5-flash", {"temperature": 0.5, "topP": 0.9, "topK": 40}, False),
        ("gemma-4-31b-it", {"temperature": 0.5, "topP": 0.9, "topK": 40}, False),
        ("gemini-3.8-flash", {"temperature": 0.5, "topP": 0.9, "topK": 40}, True),
        ("gemini-6", {"temperature": 0.5, "topP": 0.9, "topK": 40}, True),
        ("gemini-nano-banana-2.1", {}, True),
    ],
)
def test_sampling_is_sent_warned_of_or_left_out(model: str, accepted: dict[str, float], warned: bool) -> None:
    sent, warnings = CATALOGUE.sampling(model, {"temperature": 0.5, "top_p": 0.9, "top_k": 40}, on=TODAY)
    assert (sent, len(warnings)) == (accepted, int(warned))


def test_sampling_without_values_is_silent_and_other_names_are_refused() -> None:
    assert CATALOGUE.sampling("gemini-nano-banana-2.1", {"temperature": None}) == ({}, [])
    with pytest.raises(ArgumentError, match="temperature, top_p, top_k, not seed"):
        CATALOGUE.sampling("gemini-3.8-flash", {"seed": 1})


def test_warnings_are_one_short_sentence() -> None:
    for id in [*IDS, "other"]:  # noqa: A001
        for wanted in (*_LEVELS, -1, 0, 50, 99_999):
            for warning in CATALOGUE.thinking(id, wanted, on=TODAY)[1]:
                assert warning.endswith(".")
                assert len(warning) < 140


def test_what_a_family_rejects_is_known() -> None:
    assert "seed" in CATALOGUE.family("gemini-nano-banana-2.1").rejects
    assert not CATALOGUE.family("gemini-3.8-flash").candidate_count
    assert CATALOGUE.family("gemini-2.5-flash").candidate_count
    assert CATALOGUE.family("gemini-3.8-flash").cache_minimum == 4096
    assert CATALOGUE.family("gemini-2.5-pro").cache_minimum == 2048
    assert CATALOGUE.family("gemini-4-argon").caching == "implicit"
    assert CATALOGUE.family("gemini-3.6-flash").media_resolution_per_part
    assert not CATALOGUE.family("gemini-2.5-flash").media_resolution_per_part
