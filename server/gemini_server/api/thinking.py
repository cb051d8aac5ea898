"""How a wish to think is said to a family: a level, or a budget of tokens."""

from __future__ import annotations

from typing import Any, Literal

from gemini_server.api.model_facts import Thinking

Level = Literal["minimal", "low", "medium", "high"]

_ORDER = ("minimal", "low", "medium", "high")
# Google's own table for `reasoning_effort`, with 0 for the least; it also tells how far a budget is from a level.
_BUDGETS = {"minimal": 0, "low": 1_024, "medium": 8_192, "high": 24_576}
_AUTOMATIC = -1


def as_budget(model: str, rules: Thinking, wanted: Level | int) -> tuple[dict[str, Any], list[str]]:
    """`thinkingConfig` for a family that takes a budget, and what was changed."""
    budget = _BUDGETS[wanted] if isinstance(wanted, str) else wanted
    taken = budget
    if budget != _AUTOMATIC and not (budget == 0 and rules.can_disable):
        taken = min(max(budget, rules.minimum), rules.maximum)
    changed = taken != budget and isinstance(wanted, int)
    allowed = f"{rules.minimum} to {rules.maximum}{' or 0' if rules.can_disable else ''}"
    warnings = [f"{model} thinks with {allowed} tokens; {taken} was sent instead of {budget}."] if changed else []
    return {"thinkingBudget": taken}, warnings


def as_level(model: str, rules: Thinking, wanted: Level | int) -> tuple[dict[str, Any], list[str]]:
    """`thinkingConfig` for a family that takes a level, and what was changed."""
    if isinstance(wanted, int):
        if wanted == _AUTOMATIC:
            return {}, [f"{model} takes a thinking level and no budget; its default is used."]
        level = min(rules.levels, key=lambda level: abs(_BUDGETS[level] - wanted))
        return {"thinkingLevel": level.upper()}, [f"{model} takes a thinking level; {wanted} tokens became {level}."]
    # Of two that are equally near, the lower one: it comes first, and costs less.
    level = min(rules.levels, key=lambda level: abs(_ORDER.index(level) - _ORDER.index(wanted)))
    warnings = [] if level == wanted else [f"{model} does not take the thinking level {wanted}; {level} was used."]
    return {"thinkingLevel": level.upper()}, warnings
