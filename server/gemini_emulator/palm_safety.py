"""Safety as PaLM has it: categories of its own, ratings of each answer, and what is said when something is blocked.

Source: `SafetySetting`, `ContentFilter` and `SafetyFeedback` in the discovery document of January 2026.
"""

from __future__ import annotations

from .errors import invalid
from .faults import Directive
from .wire import Object

_CATEGORIES = tuple(
    f"HARM_CATEGORY_{name}" for name in ("DEROGATORY", "TOXICITY", "VIOLENCE", "SEXUAL", "MEDICAL", "DANGEROUS")
)


def ratings(probability: str = "NEGLIGIBLE") -> list[Object]:
    """`safetyRatings`, the first of them with a given probability."""
    first, *others = _CATEGORIES
    rated: list[Object] = [{"category": first, "probability": probability}]
    return [*rated, *({"category": name, "probability": "NEGLIGIBLE"} for name in others)]


def check_settings(settings: list[Object], place: str) -> None:
    """Refuse settings for a category that PaLM does not know, and two for one category.

    Raises:
        ApiError: 400 for that.
    """
    named: list[str] = []
    for index, one in enumerate(settings):
        if one["category"] not in _CATEGORIES:
            known = ", ".join(f"HarmCategory.{name}" for name in _CATEGORIES)
            here = f"{place}.safety_settings[{index}]"
            raise invalid(f"* {here}: element predicate failed: $.category in ({known})\n")
        if one["category"] in named:
            raise invalid(f"* {place}.safety_settings: {one['category']} is given more than once\n")
        named.append(one["category"])


def filters(directive: Directive) -> Object:
    """`filters`, when a test wants the prompt to be blocked; with `block=OTHER`, for another reason than safety."""
    reason = "OTHER" if directive.get("block") == "OTHER" else "SAFETY"
    return {"filters": [{"reason": reason}]}


def feedback(settings: list[Object]) -> Object:
    """`safetyFeedback` of a prompt that was blocked for its safety."""
    category = settings[0]["category"] if settings else _CATEGORIES[0]
    threshold = settings[0]["threshold"] if settings else "BLOCK_LOW_AND_ABOVE"
    rating: Object = {"category": category, "probability": "HIGH"}
    return {"safetyFeedback": [{"rating": rating, "setting": {"category": category, "threshold": threshold}}]}
