"""Actions on a screen as a model calls for them: where in pixels, why, and whether a person has to agree first.

Places are numbers from 0 to 999 across the picture and down it, whatever its size. Models from 3.5 on give each action
an `intent`; both generations give a `safety_decision` with one that a person has to confirm. Source: "Computer Use" of
the Gemini API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from gemini_server.toolkit.generation.result import FunctionCallOut
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.untrusted import json_text, json_value, label

GRID = 1000
DECISION = "safety_decision"
"""The argument that says whether a person has to confirm an action."""
_SAID = (DECISION, "safetyDecision")
INTENT = "intent"

Decision = Literal["regular", "require_confirmation", "blocked"]

_DECISIONS: dict[str, Decision] = {
    "": "regular", "regular": "regular", "allow": "regular", "allowed": "regular",
    "block": "blocked", "blocked": "blocked", "deny": "blocked", "denied": "blocked",
}  # fmt: skip
_STRICTER: tuple[Decision, ...] = ("regular", "require_confirmation", "blocked")
_FIRST = (("x", "y"), ("start_x", "start_y"))
_LAST = (("end_x", "end_y"), ("destination_x", "destination_y"))


def _names(pairs: Sequence[tuple[str, str]]) -> frozenset[str]:
    return frozenset(name for pair in pairs for name in pair)


PLACES = _names((*_FIRST, *_LAST))
"""Arguments that are places."""


class Safety(Result):
    """Whether it may be done: regular, require_confirmation (ask the person first), blocked (do not do it)."""

    decision: Decision = "regular"
    explanation: str | None = None


class Action(Result):
    """Something to do on the screen; x, y, end_x and end_y are pixels of the screenshot."""

    id: str
    name: str
    arguments: Annotated[dict[str, Any], Field(description="as they came; places are 0-999")]
    x: int | None = None
    y: int | None = None
    end_x: int | None = None
    end_y: int | None = None
    description: str | None = None
    safety: Decision | None = None

    def __str__(self) -> str:
        place = "" if self.x is None else f" at {self.x},{self.y}"
        end = "" if self.end_x is None else f" to {self.end_x},{self.end_y}"
        why = f": {self.description}" if self.description else ""
        agreed = f" [{self.safety}]" if self.safety else ""
        # Where there are pixels, the other numbers would only be taken for them.
        hidden = _names(_FIRST if self.x is not None else ()) | _names(_LAST if self.end_x is not None else ())
        given = {name: value for name, value in self.arguments.items() if name not in hidden}
        return f"{self.name}{place}{end}{f' {json_text(given)}' if given else ''} id={self.id}{agreed}{why}"

    @property
    def displaced(self) -> bool:
        """Whether it names a place that is none on the screen, so that there are no pixels of it."""
        given = self.arguments.keys()
        return (self.x is None and bool(_names(_FIRST) & given)) or (self.end_x is None and bool(_names(_LAST) & given))


def actions_of(calls: Sequence[FunctionCallOut], size: tuple[int, int] | None) -> tuple[list[Action], Safety]:
    """What is to be done, and the strictest decision on it.

    Args:
        calls: as the model made them.
        size: width and height of the screenshot; None where they are not known.
    """
    found: list[Action] = []
    strictest = Safety()
    for call in calls:
        safety = decision_of(call.arguments)
        if _STRICTER.index(safety.decision) > _STRICTER.index(strictest.decision):
            strictest = safety
        intent = call.arguments.get(INTENT)
        x, y = _place(call.arguments, _FIRST, size)
        end_x, end_y = _place(call.arguments, _LAST, size)
        action = Action(
            id=label(call.id),
            name=call.name,
            arguments=_shown(call.arguments),
            x=x,
            y=y,
            end_x=end_x,
            end_y=end_y,
            description=label(intent) or None if isinstance(intent, str) else None,
            safety=None if safety.decision == "regular" else safety.decision,
        )
        found.append(action)
    return found, strictest


def _shown(arguments: Mapping[str, Any]) -> dict[str, Any]:
    # Text to be typed may be HTML; what is invisible in it was put there by what is on the screen.
    cleaned: dict[str, Any] = json_value(dict(arguments), markup=True)
    return {name: value for name, value in cleaned.items() if name not in (*_SAID, INTENT)}


def decision_of(arguments: Mapping[str, Any]) -> Safety:
    """The decision on an action; one that is not known here, or has an odd form, is a question to the person."""
    given = next((arguments[name] for name in _SAID if arguments.get(name) is not None), None)
    said = cast("dict[str, Any]", given) if isinstance(given, dict) else {"decision": given}
    explanation = said.get("explanation")
    word = said.get("decision") or ("unknown" if explanation else "")
    decision = _DECISIONS.get(str(word).lower(), "require_confirmation")
    return Safety(decision=decision, explanation=label(explanation) or None if isinstance(explanation, str) else None)


def _place(
    arguments: Mapping[str, Any], names: Sequence[tuple[str, str]], size: tuple[int, int] | None
) -> tuple[int | None, int | None]:
    for across, down in names:
        x, y = arguments.get(across), arguments.get(down)
        if size is not None and _is_place(x) and _is_place(y):
            return _pixel(x, size[0]), _pixel(y, size[1])
    return None, None


def _is_place(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= GRID


def _pixel(value: Any, length: int) -> int:
    return min(int(value * length / GRID), length - 1)
