"""Computer Use: actions with normalised places, decisions on safety, screenshots that have to come back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gemini_emulator.png import encode

from .conftest import Api, ask, text_of
from .interacting import create, refusal
from .interacting import text_of as said

pytestmark = pytest.mark.anyio

SCREEN = base64.b64encode(encode(8, 8, bytes(8 * 8 * 3))).decode()
PICTURE = {"inlineData": {"mimeType": "image/png", "data": SCREEN}}
TOOL = {"type": "computer_use", "environment": "browser"}
LEGACY = "gemini-3-flash-preview"


def goal(text: str, *, screen: bool = True) -> list[dict[str, Any]]:
    picture = {"type": "image", "mime_type": "image/png", "data": SCREEN}
    return [{"type": "text", "text": text}, *([picture] if screen else [])]


def acted(call: dict[str, Any], *, screen: bool = True, **told: Any) -> list[dict[str, Any]]:
    """The result of an action, as the guide writes it."""
    result: list[dict[str, Any]] = [{"type": "text", "text": json.dumps({"url": "https://shop.example", **told})}]
    result += [{"type": "image", "mime_type": "image/png", "data": SCREEN}] if screen else []
    return [{"type": "function_result", "name": call["name"], "call_id": call["id"], "result": result}]


async def actions(api: Api, text: str, *, screen: bool = True, **fields: Any) -> tuple[list[dict[str, Any]], str]:
    """All actions for a goal when each of them is carried out, and the last words."""
    options: dict[str, Any] = {"tools": [TOOL], **fields}
    turn = await create(api, goal(text, screen=screen), **options)
    calls: list[dict[str, Any]] = []
    while turn["status"] == "requires_action":
        calls.append(turn["steps"][-1])
        given = acted(calls[-1], safety_acknowledgement=True)
        turn = await create(api, given, **options, previous_interaction_id=turn["id"])
    return calls, said(turn)


async def test_actions_come_one_by_one_until_the_goal_is_reached(api: Api) -> None:
    calls, end = await actions(api, 'Open https://shop.example, type "red shoes" and scroll down', screen=False)
    assert [call["name"] for call in calls] == ["take_screenshot", "navigate", "click", "type", "scroll", "click"]
    assert calls[1]["arguments"]["url"] == "https://shop.example"
    assert calls[3]["arguments"]["text"] == "red shoes"
    places = [call["arguments"][axis] for call in calls for axis in "xy" if axis in call["arguments"]]
    assert all(0 <= place <= 999 for place in places)
    assert len(places) == 6
    assert all(call["arguments"]["intent"] for call in calls)
    assert end.endswith("is reached after 6 actions.")


async def test_older_models_have_the_older_names(api: Api) -> None:
    text = 'Open https://shop.example, type "red shoes" and scroll down'
    calls, _ = await actions(api, text, screen=False, model=LEGACY)
    names = ["open_web_browser", "navigate", "type_text_at", "scroll_document", "click_at"]
    assert [call["name"] for call in calls] == names
    assert {"x", "y", "text", "press_enter", "clear_before_typing"} == set(calls[2]["arguments"])


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("Buy the red shoes", "financial_transactions"),
        ("Change my password", "sensitive_data_modification"),
        ("Send the letter", "communication_tool"),
        ("Delete all files", "data_modification"),
    ],
)
async def test_what_is_risky_has_to_be_confirmed(api: Api, text: str, policy: str) -> None:
    turn = await create(api, goal(text), tools=[TOOL])
    call = turn["steps"][-1]
    assert call["arguments"]["safety_decision"]["decision"] == "require_confirmation"
    assert policy in call["arguments"]["safety_decision"]["explanation"]
    fields: dict[str, Any] = {"tools": [TOOL], "previous_interaction_id": turn["id"]}
    assert "was not confirmed" in said(await create(api, acted(call), **fields))
    assert "is reached" in said(await create(api, acted(call, safety_acknowledgement="true"), **fields))
    bold = await create(api, goal(text), tools=[{**TOOL, "disabled_safety_policies": [policy]}])
    assert "safety_decision" not in bold["steps"][-1]["arguments"]


async def test_what_is_excluded_is_not_done(api: Api) -> None:
    tool = {**TOOL, "environment": "mobile", "excluded_predefined_functions": ["click"]}
    calls, _ = await actions(api, "Open the clock and scroll down", tools=[tool])
    assert [call["name"] for call in calls] == ["open_app", "drag_and_drop"]


async def test_an_action_without_a_screenshot_is_refused(api: Api) -> None:
    turn = await create(api, goal("Look around"), tools=[TOOL])
    given = acted(turn["steps"][-1], screen=False)
    code, message = await refusal(api, given, tools=[TOOL], previous_interaction_id=turn["id"])
    assert code == "invalid_request"
    assert "must contain a screenshot" in message
    code, message = await refusal(api, goal("Look around"), tools=[TOOL], model="gemini-2.5-flash")
    assert "Computer Use is not supported" in message


@pytest.mark.parametrize(("model", "name"), [("gemini-3.8-flash", "click"), (LEGACY, "click_at")])
async def test_generate_content_has_the_tool_too(api: Api, model: str, name: str) -> None:
    tools: list[dict[str, Any]] = [{"computerUse": {"environment": "ENVIRONMENT_BROWSER"}}]
    asked = ask("Pay the bill", PICTURE)
    response = await api.post("generateContent", {**asked, "tools": tools}, model=model)
    content = response.json()["candidates"][0]["content"]
    call = content["parts"][0]["functionCall"]
    assert (call["name"], call["args"]["safety_decision"]["decision"]) == (name, "require_confirmation")
    answer = {"id": call["id"], "name": name, "response": {"url": "x", "safety_acknowledgement": True}}
    reply = {"role": "user", "parts": [{"functionResponse": {**answer, "parts": [PICTURE]}}]}
    history = {"contents": [*asked["contents"], content, reply], "tools": tools}
    assert "is reached" in text_of((await api.post("generateContent", history, model=model)).json())
    bare = {"role": "user", "parts": [{"functionResponse": answer}]}
    refused = await api.refusal({"contents": [*asked["contents"], content, bare], "tools": tools}, model=model)
    assert "must contain a screenshot" in refused
