"""What is asked of Computer Use: the goal and the screen, then what became of each action, with a screen again.

A conversation keeps the model's turns word for word, so that its thought signatures survive. What was done without one
is told in words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from gemini_server.api.content import (
    Content,
    FunctionResponse,
    FunctionResponseBlob,
    FunctionResponsePart,
    Part,
    text_part,
)
from gemini_server.api.tools import ComputerUse
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.computer_actions import decision_of
from gemini_server.toolkit.generation.json_answer import SCHEMA_DEPTH, within
from gemini_server.toolkit.generation.transcript import member
from gemini_server.toolkit.params import AnyJson

Environment = Literal["browser", "mobile", "desktop"]

ROOM = 48 * 1024 * 1024
"""Characters of base64 that the screens of earlier turns may take in a request; the oldest are left out."""
_BLOCKED = "This action is blocked, so it was not carried out."
_NOT_CONFIRMED = "The user did not confirm this action, so it was not carried out."


class Past(BaseModel):
    """Something that was done."""

    # An action may be given back as it came, with its pixels and its description.
    model_config = ConfigDict(extra="ignore")

    action: str | None = Field(default=None, description="its name")
    name: str | None = Field(default=None, description="the same")
    id: str | None = None
    arguments: dict[str, Any] | None = None
    result: AnyJson = None
    url: str | None = None
    confirmed: bool | None = Field(default=None, description="what the person said, where that was asked")
    screenshot: str | None = Field(default=None, description="after it; default: the present one")

    @property
    def named(self) -> str:
        """Which action it was."""
        return self.action or self.name or ""


def tool_of(environment: Environment, excluded: Sequence[str], *, detect_injection: bool | None) -> ComputerUse:
    """The tool."""
    return ComputerUse(
        environment=cast(Any, f"ENVIRONMENT_{environment.upper()}"),
        excluded_predefined_functions=list(excluded) or None,
        enable_prompt_injection_detection=detect_injection,
    )


def first_turn(goal: str, history: Sequence[Past], screens: Sequence[Part]) -> Content:
    """The turn with which a goal begins.

    Args:
        goal: what is to be reached.
        history: what was done before, without a conversation.
        screens: pictures after some of these, then the present one.
    """
    words = goal
    if history:
        lines = [f"{number}. {_told(one)}" for number, one in enumerate(history, 1)]
        words = "\n".join([goal, "", "What was done so far:", *lines, "", "The last picture is the screen now."])
    return Content(role="user", parts=[text_part(words), *screens])


def next_turn(waiting: Sequence[JsonObject], history: Sequence[Past], screens: Sequence[Part]) -> Content:
    """The turn that says what became of the actions of the one before.

    Args:
        waiting: the calls.
        history: what became of each, in their order (see `of_calls`).
        screens: a picture for each.

    Raises:
        ArgumentError: an action waits for a person, or a picture is not here.
    """
    parts = [
        Part(function_response=_response(call, one, screen))
        for call, one, screen in zip(waiting, history, screens, strict=True)
    ]
    return Content(role="user", parts=parts)


def of_calls(waiting: Sequence[JsonObject], history: Sequence[Past]) -> list[Past]:
    """What became of each call; without a word of it, it was done.

    Raises:
        ArgumentError: the history ends with other actions.
    """
    names = [str(call.get("name")) for call in waiting]
    if not history:
        return [Past(action=name) for name in names]
    latest = list(history[-len(names) :])
    if [one.named for one in latest] != names:
        raise ArgumentError(
            f"history does not end with the actions that the conversation waits for: {', '.join(names)}.",
            "Give one entry for each, in their order; or leave history out where all was done as wanted.",
        )
    return latest


def _response(call: JsonObject, past: Past, screen: Part) -> FunctionResponse:
    name = str(call.get("name"))
    if past.result is not None and not within(past.result, SCHEMA_DEPTH):
        raise ArgumentError(f"The result of {name} is nested too deeply.", "Flatten it.")
    response: JsonObject = {"url": past.url} if past.url else {}
    if past.result is not None:
        response |= member({"result": past.result}, "result") or {"result": past.result}
    safety = decision_of(member(call, "args") or {})
    if safety.decision == "blocked":
        if past.confirmed:
            raise ArgumentError(
                f"The action {name} is blocked: nobody's agreement changes that, and it must not be done.",
                f'Give history=[{{"action": "{name}", "confirmed": false}}], or leave history out.',
            )
        response |= {"error": _BLOCKED}
    elif safety.decision != "regular":
        if past.confirmed is None:
            why = f" ({safety.explanation})" if safety.explanation else ""
            raise ArgumentError(
                f"The action {name} needs the agreement of a person{why}, and nothing is said of it.",
                f'Ask, then give history=[{{"action": "{name}", "confirmed": true}}]; false if it was not done.',
            )
        response |= {"safety_acknowledgement": "true"} if past.confirmed else {"error": _NOT_CONFIRMED}
    blob = screen.inline_data
    if blob is None:
        raise ArgumentError(
            "A conversation goes on with a screenshot that is on this machine: it goes into the request itself.",
            "Give a path, gemini://artifacts/ID or a data: URI of at most 8 MiB.",
        )
    picture = FunctionResponseBlob(mime_type=blob.mime_type, data=str(blob.data))
    return FunctionResponse(
        id=call.get("id"), name=name, response=response, parts=[FunctionResponsePart(inline_data=picture)]
    )


def lightened(turns: Sequence[JsonObject]) -> list[JsonObject]:
    """Turns without the oldest screens, where all of them are too much for one request."""
    room = ROOM
    sent: list[JsonObject] = []
    for turn in reversed(turns):
        parts: list[JsonObject] = []
        for part in cast("list[JsonObject]", turn.get("parts") or []):
            response = member(part, "functionResponse")
            size = len(json.dumps(response.get("parts"))) if response is not None else 0
            room -= size
            if response is not None and size and room < 0:
                kept = {name: value for name, value in response.items() if name != "parts"}
                parts.append({**part, "functionResponse": kept})
            else:
                parts.append(part)
        sent.append({**turn, "parts": parts} if "parts" in turn else turn)
    return sent[::-1]


def _told(past: Past) -> str:
    given = f" {json.dumps(past.arguments, ensure_ascii=False)}" if past.arguments else ""
    came = f" -> {json.dumps(past.result, ensure_ascii=False)}" if past.result is not None else ""
    where = f" (at {past.url})" if past.url else ""
    refused = " (not confirmed by the user, not done)" if past.confirmed is False else ""
    return f"{past.named or 'an action'}{given}{came}{where}{refused}"
