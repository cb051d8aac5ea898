"""next_computer_action through the front door: pixels, decisions, and a conversation whose signatures survive."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.emulator.drawing import RED, Drawing
from tests.front.conftest import FakeGemini, Json, candidate, said, warned
from tests.front.test_attachments import parts

pytestmark = pytest.mark.anyio

WIDTH, HEIGHT = 320, 200
GOAL = "Open the settings"
PICTURE = Drawing(WIDTH, HEIGHT).paint("square", RED, 10, 10, 30, 30).png()
SCREEN = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
OTHER = f"data:image/png;base64,{base64.b64encode(Drawing(40, 40).png()).decode()}"
CONFIRM: Json = {"decision": "require_confirmation", "explanation": "It buys something."}


@pytest.fixture(name="connect")
def connect_to_computer_use(connect: Connect) -> Connect:
    """Connect to a server with the tool, which is off by default."""
    return partial(connect, toolsets=("default", "text", "computer_use"))


async def ask(client: Client, **more: Any) -> Json:
    """The structured result, which must succeed."""
    return structured(await client.call_tool("next_computer_action", {"goal": GOAL, "screenshot": SCREEN, **more}))


async def refused(client: Client, **more: Any) -> str:
    """The text of a failing call."""
    return error_of(await client.call_tool("next_computer_action", {"goal": GOAL, "screenshot": SCREEN, **more}))


def wants(name: str, **args: Any) -> Json:
    """A part that calls an action, signed."""
    return {"functionCall": {"id": f"call_{name}", "name": name, "args": args}, "thoughtSignature": "c2lnbmVk"}


@pytest.mark.parametrize("mode", ERAS)
async def test_places_are_pixels_of_the_screenshot(connect: Connect, fake: FakeGemini, mode: str) -> None:
    click = wants("click", x=500, y=999, intent="Click the \u202egear.")
    drag = wants("drag_and_drop", start_x=0, start_y=1000, end_x=250, end_y=5)
    older = wants("drag_and_drop", x=1, y=2, destination_x=750, destination_y=500)
    fake.say(
        candidate({"text": "I see it."}, click, drag, older, wants("wait", seconds=5), wants("click", x="left", y=2000))
    )
    async with connect(base_url=fake.url, mode=mode) as client:
        result = await client.call_tool("next_computer_action", {"goal": GOAL, "screenshot": SCREEN})
    found = structured(result)
    first, second, third, wait, odd = found["actions"]
    assert first == {
        "id": "call_click",
        "name": "click",
        "arguments": {"x": 500, "y": 999},
        "x": 160,
        "y": 199,
        "description": "Click the gear.",
    }
    assert [second[name] for name in ("x", "y", "end_x", "end_y")] == [0, 199, 80, 1]
    assert [third[name] for name in ("x", "y", "end_x", "end_y")] == [0, 0, 240, 100]
    assert "x" not in wait
    assert "x" not in odd
    assert found["safety"] == {"decision": "regular"}
    assert (found["text"], found["done"], found["untrusted"]) == ("I see it.", False, "files")
    assert found["usage"]["total_tokens"] == 14
    assert "1. click at 160,199 id=call_click: Click the gear." in text_of(result)
    (body,) = fake.requests
    assert body["tools"] == [{"computerUse": {"environment": "ENVIRONMENT_BROWSER"}}]
    assert [next(iter(part)) for part in parts(body)] == ["text", "inlineData"]


async def test_a_conversation_brings_the_next_screen_and_keeps_the_signatures(
    connect: Connect, fake: FakeGemini
) -> None:
    fake.say(candidate(wants("navigate", url="https://a.example"), wants("click", x=1, y=2)), said("It is done."))
    async with connect(base_url=fake.url) as client:
        first = await ask(client, environment="desktop", excluded_actions=["drag_and_drop"], detect_injection=True)
        history = [{"action": "navigate", "url": "https://a.example/home"}, {"name": "click", "result": {"ok": True}}]
        last = await ask(client, conversation=first["conversation"], history=history, screenshot=OTHER)
        listed = structured(await client.call_tool("list_conversations", {}))["conversations"]
        kept = await client.read_resource(f"gemini://conversations/{first['conversation']}")
    assert "https://a.example/home" in getattr(kept.contents[0], "text", "")
    assert OTHER.partition(",")[2] not in getattr(kept.contents[0], "text", "")
    assert (last["done"], last["actions"], last["text"]) == (True, [], "It is done.")
    assert last["conversation"] == first["conversation"]
    assert [one["turns"] for one in listed] == [4]
    assert fake.requests[0]["tools"][0]["computerUse"] == {
        "environment": "ENVIRONMENT_DESKTOP",
        "excludedPredefinedFunctions": ["drag_and_drop"],
        "enablePromptInjectionDetection": True,
    }
    model, user = fake.requests[1]["contents"][1:]
    assert [part["thoughtSignature"] for part in model["parts"]] == ["c2lnbmVk", "c2lnbmVk"]
    assert [part["functionCall"] for part in model["parts"]] == [
        {"id": "call_navigate", "name": "navigate", "args": {"url": "https://a.example"}},
        {"id": "call_click", "name": "click", "args": {"x": 1, "y": 2}},
    ]
    screen = {"inlineData": {"mimeType": "image/png", "data": OTHER.partition(",")[2]}}
    assert [part["functionResponse"] for part in user["parts"]] == [
        {"id": "call_navigate", "name": "navigate", "response": {"url": "https://a.example/home"}, "parts": [screen]},
        {"id": "call_click", "name": "click", "response": {"ok": True}, "parts": [screen]},
    ]


async def test_what_needs_agreement_goes_on_only_when_a_person_was_asked(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(wants("wait"), wants("click", x=1, y=2, safety_decision=CONFIRM)), said("Bought."))
    async with connect(base_url=fake.url) as client:
        first = await ask(client)
        conversation = first["conversation"]
        words = await refused(client, conversation=conversation)
        assert len(fake.requests) == 1
        yes = [{"action": "wait"}, {"action": "click", "confirmed": True}]
        assert (await ask(client, conversation=conversation, history=yes))["text"] == "Bought."
    assert first["safety"] == CONFIRM
    assert [one.get("safety") for one in first["actions"]] == [None, "require_confirmation"]
    assert first["actions"][1]["arguments"] == {"x": 1, "y": 2}
    assert "needs the agreement of a person (It buys something.)" in words
    response = parts(fake.requests[1])[1]["functionResponse"]["response"]
    assert response == {"safety_acknowledgement": "true"}


async def test_what_a_person_refused_is_told_so(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(wants("click", x=1, y=2, safety_decision=CONFIRM)), said("Then not."))
    async with connect(base_url=fake.url) as client:
        first = await ask(client)
        await ask(client, conversation=first["conversation"], history=[{"action": "click", "confirmed": False}])
    response = parts(fake.requests[1])[0]["functionResponse"]["response"]
    assert "did not confirm" in response["error"]
    assert "safety_acknowledgement" not in response


@pytest.mark.parametrize(
    ("said_of_it", "decision"),
    [("allowed", "regular"), ("BLOCK", "blocked"), ("something new", "require_confirmation")],
)
async def test_a_decision_that_is_not_known_is_a_question(
    connect: Connect, fake: FakeGemini, said_of_it: str, decision: str
) -> None:
    fake.say(candidate(wants("click", x=1, y=2, safety_decision={"decision": said_of_it})))
    async with connect(base_url=fake.url) as client:
        assert (await ask(client))["safety"]["decision"] == decision


@pytest.mark.parametrize(
    ("given", "decision"),
    [
        ({"safety_decision": "block"}, "blocked"),
        ({"safety_decision": "require_confirmation"}, "require_confirmation"),
        ({"safety_decision": ["block"]}, "require_confirmation"),
        ({"safety_decision": True}, "require_confirmation"),
        ({"safety_decision": {"explanation": "It pays."}}, "require_confirmation"),
        ({"safetyDecision": {"decision": "blocked"}}, "blocked"),
        ({"safety_decision": None}, "regular"),
        ({"safety_decision": {}}, "regular"),
    ],
)
async def test_a_decision_of_an_odd_form_is_no_leave_to_act(
    connect: Connect, fake: FakeGemini, given: Json, decision: str
) -> None:
    fake.say(candidate(wants("click", x=1, y=2, **given)))
    async with connect(base_url=fake.url) as client:
        found = await ask(client)
        if decision == "require_confirmation":
            assert "needs the agreement" in await refused(client, conversation=found["conversation"])
    assert found["safety"]["decision"] == decision
    assert found["actions"][0]["arguments"] == {"x": 1, "y": 2}


async def test_what_is_blocked_is_not_done_whatever_a_person_says(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(wants("click", x=1, y=2, safety_decision={"decision": "blocked"})), said("Then not."))
    async with connect(base_url=fake.url) as client:
        conversation = (await ask(client))["conversation"]
        yes = [{"action": "click", "confirmed": True}]
        words = await refused(client, conversation=conversation, history=yes)
        assert (await ask(client, conversation=conversation))["text"] == "Then not."
    assert "is blocked" in words
    assert "is blocked" in parts(fake.requests[1])[0]["functionResponse"]["response"]["error"]


@pytest.mark.parametrize(
    "given", [{"x": 1200, "y": 5}, {"x": "5", "y": "5"}, {"x": 5}, {"x": 1, "y": 2, "end_x": -1, "end_y": 5}]
)
async def test_a_place_that_is_none_on_the_screen_is_said_and_shown(
    connect: Connect, fake: FakeGemini, given: Json
) -> None:
    fake.say(candidate(wants("drag", **given), wants("click", x=1, y=2)))
    async with connect(base_url=fake.url) as client:
        result = await client.call_tool("next_computer_action", {"goal": GOAL, "screenshot": SCREEN})
    assert "A place of call_drag is none on the screen" in warned(structured(result))
    odd = {name: value for name, value in given.items() if "end_x" not in given or name.startswith("end")}
    assert all(f'"{name}": {value!r}'.replace("'", '"') in text_of(result) for name, value in odd.items())


async def test_a_screen_that_gemini_blocks_is_a_decision_with_its_reason(connect: Connect, fake: FakeGemini) -> None:
    usage = {"promptTokenCount": 10, "totalTokenCount": 10}
    fake.say({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage})
    async with connect(base_url=fake.url) as client:
        found = await ask(client)
    assert found["safety"]["decision"] == "blocked"
    assert "PROHIBITED_CONTENT" in found["safety"]["explanation"]
    assert (found["actions"], found["done"]) == ([], False)
    assert found["usage"]["total_tokens"] == 10


async def test_history_without_a_conversation_is_told_in_words(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said("done"))
    history: list[Json] = [
        {"action": "navigate", "arguments": {"url": "https://a.example"}, "screenshot": OTHER},
        {"action": "click", "arguments": {"x": 5, "y": 6}, "result": "nothing happened", "url": "https://a.example/b"},
    ]
    async with connect(base_url=fake.url) as client:
        found = await ask(client, history=history)
    assert "conversation" not in found, "nothing is left to go on with"
    text, before, now = parts(fake.requests[0])
    assert '1. navigate {"url": "https://a.example"}' in text["text"]
    assert '2. click {"x": 5, "y": 6} -> "nothing happened" (at https://a.example/b)' in text["text"]
    assert before["inlineData"]["data"] == OTHER.partition(",")[2]
    assert now["inlineData"]["data"] == SCREEN.partition(",")[2]


async def test_without_the_bytes_there_are_no_pixels(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(wants("click", x=500, y=500)))
    async with connect(base_url=fake.url) as client:
        found = await ask(client, screenshot="https://a.example/screen.png")
        words = await refused(client, screenshot="https://a.example/b.png", conversation=found["conversation"])
    (action,) = found["actions"]
    assert "x" not in action
    assert action["arguments"] == {"x": 500, "y": 500}
    assert "0-999" in warned(found)
    assert "on this machine" in words


async def test_a_goal_that_changes_is_said_beside_the_screen(connect: Connect, fake: FakeGemini) -> None:
    fake.say(candidate(wants("click", x=1, y=2)), candidate(wants("wait")), said("done"), said("more"))
    async with connect(base_url=fake.url) as client:
        conversation = (await ask(client))["conversation"]
        await ask(client, conversation=conversation, goal="Close the settings")
        await ask(client, conversation=conversation, goal="Close the settings")
        await ask(client, conversation=conversation, goal="Open them again")
    assert parts(fake.requests[1])[1] == {"text": "Close the settings"}
    assert len(parts(fake.requests[2])) == 1
    assert [next(iter(part)) for part in parts(fake.requests[3])] == ["text", "inlineData"]


REFUSED: list[tuple[Json, str]] = [
    ({"goal": " "}, "no goal"),
    ({"screenshot": "data:text/plain;base64,aGk="}, "A screenshot is a picture"),
    ({"screenshot": "missing.png"}, "missing.png"),
    ({"conversation": "c_unknown"}, "no conversation"),
    ({"environment": "fridge"}, "environment"),
    ({"history": [{"action": "click", "confirmed": "perhaps"}]}, "history.0.confirmed"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[f"{index}" for index, _ in enumerate(REFUSED)])
async def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    connect: Connect, fake: FakeGemini, arguments: Json, words: str
) -> None:
    async with connect(base_url=fake.url) as client:
        assert words in await refused(client, **arguments)
    assert fake.requests == []


async def test_a_history_of_other_actions_and_a_conversation_of_another_kind_are_refused(
    connect: Connect, fake: FakeGemini
) -> None:
    fake.say(candidate(wants("click", x=1, y=2)), said("hello"))
    async with connect(base_url=fake.url) as client:
        conversation = (await ask(client))["conversation"]
        wrong = await refused(client, conversation=conversation, history=[{"action": "navigate"}])
        other = structured(await client.call_tool("generate_text", {"prompt": "x", "conversation": "new"}))
        foreign = await refused(client, conversation=other["conversation"])
    assert "waits for: click" in wrong
    assert "no conversation of next_computer_action" in foreign


@pytest.mark.parametrize("api", ["generate", "interactions"])
async def test_a_goal_is_reached_step_by_step(connect: Connect, emulator: Emulator, tmp_path: Path, api: str) -> None:
    (tmp_path / "allowed" / "screen.png").write_bytes(PICTURE)
    goal = "Open https://shop.example, search for 'red shoes' and pay."
    done: list[Json] = []
    async with connect(text_api=api) as client:
        step = await ask(client, goal=goal, screenshot="screen.png")
        while not step["done"] and len(done) < 10:
            done += step["actions"]
            history = [{**one, "confirmed": True} if "safety" in one else one for one in step["actions"]]
            more = {"conversation": step["conversation"], "history": history}
            step = await ask(client, goal=goal, screenshot="screen.png", **more)
    assert [one["name"] for one in done] == ["navigate", "click", "type", "click"]
    assert "confirmed" not in step["text"]
    assert all(0 <= one["x"] < WIDTH and 0 <= one["y"] < HEIGHT for one in done if "x" in one)
    assert done[-1]["safety"] == "require_confirmation"
