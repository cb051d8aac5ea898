"""Computer Use: which action on a screen comes next, and which of them a person has to confirm.

The model plans an action per turn from the words of the goal: it looks at the screen when none was sent, opens the
address that the goal names, types what stands in quotes, scrolls, and clicks; then it says that it is done. It cannot
see, so the places that it clicks are drawn from the request. Models before 3.5 have the older names of the actions.
Source: "Computer Use" of the Gemini API (supported actions, safety policies, acknowledgement).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .answers import MARK
from .computer_use_rules import MODERN_FROM, PREDEFINED, pictured
from .prompt import Prompt
from .turns import calls, current_turn, responses
from .wire import Object

_SEARCH = re.compile(r"(?i)\b(?:search(?:\s+for)?|type|enter|write|look\s+up)\s+([^.,;\n]{2,80})")
_SCROLL = re.compile(r"(?i)\b(?:scroll|bottom|further down|read through)\b")
_UP = re.compile(r"(?i)\b(?:scroll up|top of)\b")
_RISKS = (
    ("FINANCIAL_TRANSACTIONS", r"buy|buys|buying|pay|pays|payment|purchase|checkout|order|transfer|book", "a payment"),
    ("SENSITIVE_DATA_MODIFICATION", r"password|passwords|log ?in|sign ?in|medical|tax|bank", "sensitive data"),
    ("COMMUNICATION_TOOL", r"send|sends|email|e-mail|message|post|reply", "a message to others"),
    ("ACCOUNT_CREATION", r"sign ?up|register|create an? account", "a new account"),
    ("LEGAL_TERMS_AND_AGREEMENTS", r"terms|agreement|contract|licence|license", "a legal agreement"),
    ("USER_CONSENT_MANAGEMENT", r"cookie|cookies|consent|privacy banner", "a question of consent"),
    ("DATA_MODIFICATION", r"delete|deletes|deleting|remove|erase|format|share|upload", "a lasting change"),
)


def next_action(prompt: Prompt) -> list[Object] | str | None:
    """The calls of the next action, or the last words; None for a request without the tool."""
    tool = prompt.tool("computerUse")
    if tool is None:
        return None
    begin = current_turn(prompt.turns)
    done = [call for turn in prompt.turns[begin:] for call in calls(turn) if call["name"] in PREDEFINED]
    if done and _declined(done[-1], prompt):
        return f"{MARK}The action “{done[-1]['name']}” was not confirmed, so I stop here."
    script = _script(prompt, tool)
    if len(done) >= len(script):
        goal = prompt.text if prompt.say is None else prompt.say
        return f"{MARK}The goal “{goal}” is reached after {len(done)} actions." if prompt.say is None else goal
    name, args = script[len(done)]
    ident = prompt.rng(f"action {len(done)}").getrandbits(48)
    return [{"id": f"call_{ident:012x}", "name": name, "args": args}]


def _declined(call: Object, prompt: Prompt) -> bool:
    """Whether an action that had to be confirmed came back without the confirmation."""
    if call.get("args", {}).get("safety_decision", {}).get("decision") != "require_confirmation":
        return False
    answers = [one for one in responses(prompt.turns[-1]) if one.get("id", call.get("id")) == call.get("id")]
    said: object = answers[0].get("response", {}).get("safety_acknowledgement") if answers else None
    return str(said).lower() != "true"


def _script(prompt: Prompt, tool: Object) -> list[tuple[str, Object]]:
    """All actions for the goal, in order; those that the request excludes are left out."""
    modern = prompt.card.generation >= MODERN_FROM
    place = tool.get("environment", "ENVIRONMENT_BROWSER").removeprefix("ENVIRONMENT_")
    goal = prompt.text
    typed = prompt.facts.quoted or [found.strip() for found in _SEARCH.findall(goal)]
    steps: list[tuple[str, Object]] = []
    make = _modern if modern else _legacy
    if not any(pictured(part) for part in prompt.question["parts"]):
        steps += make("look", {}, prompt, place)
    if place == "MOBILE" and modern:
        steps += make("open", {"app_name": prompt.facts.topic()}, prompt, place)
    if prompt.facts.urls:
        steps += make("navigate", {"url": prompt.facts.urls[0]}, prompt, place)
    if typed:
        steps += make("type", {"text": typed[0]}, prompt, place)
    if _SCROLL.search(goal) or _UP.search(goal):
        steps += make("scroll", {"direction": "up" if _UP.search(goal) else "down"}, prompt, place)
    steps += make("click", {}, prompt, place)
    excluded: list[str] = tool.get("excludedPredefinedFunctions", [])
    steps = [(name, args) for name, args in steps if name not in excluded]
    decision = _decision(goal, tool.get("disabledSafetyPolicies", []))
    if steps and decision:
        name, args = steps[-1]
        steps[-1] = (name, {**args, "safety_decision": decision})
    return steps


def _decision(goal: str, disabled: list[str]) -> Object:
    for policy, words, what in _RISKS:
        if policy not in disabled and re.search(rf"(?i)\b(?:{words})\b", goal):
            explanation = f"This step is about {what} ({policy.lower()}), so the user has to confirm it."
            return {"decision": "require_confirmation", "explanation": explanation}
    return {}


def _point(prompt: Prompt, purpose: str) -> Object:
    rng = prompt.rng(f"point {purpose} {prompt.text}")
    return {"x": rng.randint(60, 939), "y": rng.randint(60, 939)}


def _legacy(kind: str, given: Object, prompt: Prompt, place: str) -> list[tuple[str, Object]]:
    made: dict[str, Callable[[], tuple[str, Object]]] = {
        "look": lambda: ("open_web_browser", {}),
        "navigate": lambda: ("navigate", given),
        "type": lambda: (
            "type_text_at",
            {**_point(prompt, "type"), **given, "press_enter": True, "clear_before_typing": True},
        ),
        "scroll": lambda: ("scroll_document", given),
        "click": lambda: ("click_at", _point(prompt, "click")),
    }
    return [made[kind]()]


def _modern(kind: str, given: Object, prompt: Prompt, place: str) -> list[tuple[str, Object]]:
    if kind == "navigate" and place != "BROWSER":
        return _modern("type", {"text": given["url"]}, prompt, place)
    if kind == "scroll" and place == "MOBILE":
        start, end = (700, 300) if given["direction"] == "down" else (300, 700)
        path = {"start_x": 500, "start_y": start, "end_x": 500, "end_y": end}
        return [("drag_and_drop", {**path, "intent": f"Scroll {given['direction']} to see more."})]
    topic = prompt.facts.topic()
    made: dict[str, list[tuple[str, Object]]] = {
        "look": [("take_screenshot", {"intent": "Look at the screen first."})],
        "open": [("open_app", {**given, "intent": f"Open the app for {topic}."})],
        "navigate": [("navigate", {**given, "intent": "Open the page that the goal names."})],
        "type": [
            ("click", {**_point(prompt, "type"), "intent": "Click into the field."}),
            ("type", {**given, "press_enter": True, "intent": "Type what was asked for."}),
        ],
        "scroll": [
            ("scroll", {"x": 500, "y": 500, **given, "magnitude_in_pixels": 600, "intent": "Scroll to see more."})
        ],
        "click": [("click", {**_point(prompt, "click"), "intent": f"Click what leads to {topic}."})],
    }
    return made[kind]
