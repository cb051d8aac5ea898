"""generate_text over either family: the same questions give the same kind of result."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from gemini_emulator import Emulator
from tests.conftest import Connect, error_of, structured
from tests.emulator.drawing import RED, Drawing
from tests.front.conftest import FakeGemini, Json, Reply, ask, ask_in_a_stream, refused, submit, warned

pytestmark = pytest.mark.anyio

WEATHER: Json = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
BOTH = pytest.mark.parametrize("family", ["generate", "interactions"])


def interaction(*steps: Json, status: str = "completed", **more: object) -> Json:
    usage = {"total_input_tokens": 10, "total_output_tokens": 4, "total_tokens": 14}
    return {"id": "v1_x", "status": status, "model": "gemini-3.8-flash", "steps": list(steps), "usage": usage, **more}


def spoke(text: str, *annotations: Json) -> Json:
    return {"type": "model_output", "content": [{"type": "text", "text": text, "annotations": list(annotations)}]}


@pytest.fixture(name="over")
def connect_over(connect: Connect) -> Connect:
    """Connect to a server whose texts are interactions."""
    return partial(connect, text_api="interactions")


def paths(emulator: Emulator) -> list[str]:
    return [request["path"] for request in emulator.requests if request["method"] == "POST"]


@BOTH
async def test_a_text_json_and_thoughts_come_over_both(connect: Connect, emulator: Emulator, family: str) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    async with connect(text_api=family) as client:
        plain = await ask(client, "Say hello", thinking="high", include_thoughts=True, max_output_tokens=2000)
        shaped = await ask_in_a_stream(client, "Name a city", json_schema=schema, system="Be brief.")
    assert plain["text"]
    assert plain["finish_reason"] == "STOP"
    assert plain["thoughts"]
    assert plain["usage"]["cost_usd"] > 0
    assert plain["model_version"].startswith("gemini-3.8-flash")
    assert isinstance(shaped["json"]["city"], str)
    wanted = "/v1beta/interactions" if family == "interactions" else "/v1beta/models/"
    assert all(path.startswith(wanted) for path in paths(emulator))


@BOTH
async def test_functions_and_their_results_come_over_both(connect: Connect, family: str) -> None:
    async with connect(text_api=family) as client:
        first = await ask(client, "What is the weather in Zürich?", functions=[WEATHER])
        [wanted] = first["function_calls"]
        result = {"id": wanted["id"], "name": "get_weather", "response": {"sky": "clear", "degrees": 21}}
        answer = structured(await submit(client, first["conversation"], result))
        again = await ask(client, "And what did I ask first?", conversation=first["conversation"])
    assert wanted["arguments"] == {"city": "Zürich"}
    assert "sky is clear" in answer["text"]
    assert again["text"]


@BOTH
async def test_what_it_rests_on_comes_over_both(connect: Connect, family: str) -> None:
    async with connect(text_api=family) as client:
        found = await ask(client, "Who won the cup in 2026?", use=["search"])
        streamed = await ask_in_a_stream(client, "Who won the cup in 2026?", use=["search"])
    for answer in (found, streamed):
        assert answer["untrusted"] == "web"
        assert answer["citations"]
        for citation in answer["citations"]:
            assert answer["text"][citation["start"] : citation["end"]].strip()
            assert citation["uri"].startswith("https://")


@BOTH
async def test_code_and_pictures_go_over_both(connect: Connect, tmp_path: Path, family: str) -> None:
    async with connect(text_api=family) as client:
        ran = await ask(client, "Compute the sum of 1 to 10 with code", use=["code"])
        file = tmp_path / "allowed" / "red.png"
        file.write_bytes(Drawing(64, 48).paint("box", RED, 8, 8, 30, 30).png())
        seen = await ask(client, "What is on this picture?", attachments=[str(file)])
    assert ran["code"]
    assert seen["text"]


async def test_a_conversation_may_change_the_family_on_its_way(connect: Connect, emulator: Emulator) -> None:
    async with connect(text_api="interactions") as client:
        first = await ask(client, "What is the weather in Bern?", functions=[WEATHER])
    [wanted] = first["function_calls"]
    result = {"id": wanted["id"], "name": "get_weather", "response": {"sky": "grey"}}
    async with connect(text_api="generate") as client:
        answer = structured(await submit(client, first["conversation"], result))
    assert "sky is grey" in answer["text"]
    assert "steps" not in emulator.requests[-1]["body"]["contents"][1]
    async with connect(text_api="interactions") as client:
        assert (await ask(client, "Thank you", conversation=first["conversation"]))["text"]
    kinds = [step["type"] for step in emulator.requests[-1]["body"]["input"]]
    assert kinds[0] == "user_input"
    assert {"function_call", "function_result", "model_output"} <= set(kinds)


async def test_nothing_is_kept_at_google_and_steps_go_back_verbatim(over: Connect, fake: FakeGemini) -> None:
    odd = {"type": "crystal_ball_call", "id": "c1", "signature": "c2ln", "arguments": {"x": 1}}
    thought = {"type": "thought", "signature": "dGg=", "summary": [{"type": "text", "text": "hm"}]}
    fake.say(interaction(thought, odd, spoke("It will rain.")))
    async with over(base_url=fake.url) as client:
        first = await ask(client, "Will it rain?", conversation="new")
        await ask(client, "And tomorrow?", conversation=first["conversation"])
    assert [request["store"] for request in fake.requests] == [False, False]
    assert fake.requests[1]["input"][1:4] == [thought, odd, spoke("It will rain.")]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (interaction(status="failed", errors=[{"code": "safety", "message": "no"}]), "safety filter"),
        (interaction(status="failed", errors=[{"code": "recitation"}]), "known text"),
        (
            interaction(status="failed", errors=[{"code": "content_blocked", "message": "no"}]),
            "did not answer the prompt",
        ),
        (interaction(status="failed", errors=[{"code": 13, "message": "boom"}]), "gemini says: boom"),
        (interaction({"type": "model_output", "error": {"code": 13, "message": "boom"}}, status="failed"), "boom"),
        (interaction(status="cancelled"), "cancelled"),
        (interaction(), "without any content"),
    ],
)
async def test_what_came_to_nothing_says_why(over: Connect, fake: FakeGemini, answer: Json, word: str) -> None:
    fake.say(answer)
    async with over(base_url=fake.url) as client:
        assert word in (await refused(client)).lower()


async def test_an_answer_that_stopped_early_says_so_and_a_continuation_is_followed(
    over: Connect, fake: FakeGemini
) -> None:
    going_on = interaction(spoke("One "), status="requires_continuation", continuation_token="dG9r")
    fake.say(going_on, interaction(spoke("two."), status="incomplete"))
    async with over(base_url=fake.url) as client:
        answer = await ask(client, "Count")
    assert answer["text"] == "One two."
    assert answer["incomplete"]
    assert "1 continuations" in warned(answer)
    assert fake.requests[1]["continuation_token"] == "dG9r"


async def test_a_cut_stream_gives_what_came_and_is_not_asked_again(over: Connect, fake: FakeGemini) -> None:
    start = {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}}
    delta = {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Half an ans"}}
    fake.stream(start, delta, cut=True)
    async with over(base_url=fake.url) as client:
        answer = await ask_in_a_stream(client, "Go on")
    assert answer["text"] == "Half an ans"
    assert answer["incomplete"]
    assert len(fake.requests) == 1


@pytest.mark.parametrize(("arguments", "word"), [({"cache": "cachedContents/x"}, "caches")], ids=["cache"])
async def test_what_it_cannot_carry_is_refused_before_it_is_sent(
    over: Connect, fake: FakeGemini, arguments: Json, word: str
) -> None:
    async with over(base_url=fake.url) as client:
        told = error_of(
            await client.call_tool("generate_text", {"prompt": "x", "model": "gemini-3.8-flash", **arguments})
        )
    assert word in told
    assert not [request for request in fake.requests if "input" in request]


async def test_what_only_shapes_the_answer_is_left_out_with_a_warning(over: Connect, fake: FakeGemini) -> None:
    fake.say(interaction(spoke("hi")))
    async with over(base_url=fake.url) as client:
        answer = await ask(client, model="gemini-2.5-flash-lite", thinking=200, sampling={"temperature": 0.2})
    assert "thinking budget" in warned(answer)
    assert "temperature" in warned(answer)


async def test_a_call_whose_arguments_are_broken_is_no_call(over: Connect, fake: FakeGemini) -> None:
    called: Json = {"type": "function_call", "id": "a", "name": "get_weather", "arguments": '{"city": "Ro'}
    fake.say(interaction(spoke("Let me look."), called, status="requires_action"))
    async with over(base_url=fake.url) as client:
        answer = await ask(client, "What is the weather?", functions=[WEATHER], conversation="new")
    assert (answer["text"], answer["finish_reason"]) == ("Let me look.", "MALFORMED_FUNCTION_CALL")
    assert not answer.keys() & {"function_calls", "conversation"}


async def test_a_refusal_of_that_family_is_explained(over: Connect, fake: FakeGemini) -> None:
    fake.say(Reply({"error": {"code": "payment_required", "message": "No credit left"}}, status=402))
    async with over(base_url=fake.url) as client:
        assert "No credit left" in await refused(client)


async def test_what_failed_on_the_way_says_so_and_is_not_kept(over: Connect, fake: FakeGemini) -> None:
    fake.say(interaction(spoke("Half"), status="failed", errors=[{"code": "api_error", "message": "boom"}]))
    async with over(base_url=fake.url) as client:
        answer = await ask(client, conversation="new")
    assert answer["text"] == "Half"
    assert answer["incomplete"]
    assert "boom" in warned(answer)
    assert "not kept" in warned(answer)


@pytest.mark.parametrize(
    "steps",
    [
        [spoke("Hello", {"type": "place_citation", "url": "https://a.example", "name": "A", "place_id": 7})],
        [spoke("Hello", {"type": "file_citation", "file_name": "f", "page_number": "iv", "source": {"a": 1}})],
        [{"type": "url_context_result", "result": [{"url": 5, "status": None}]}, spoke("Hello")],
        [{"type": "google_search_call", "arguments": {"queries": 5}}, spoke("Hello")],
    ],
    ids=["place", "file", "page", "queries"],
)
async def test_an_odd_member_does_not_cost_the_answer(over: Connect, fake: FakeGemini, steps: list[Json]) -> None:
    fake.say(interaction(*steps))
    async with over(base_url=fake.url) as client:
        answer = await ask(client)
    assert answer["text"] == "Hello"
    assert answer["usage"]["total_tokens"] == 14


def event(kind: str, **members: object) -> Json:
    return {"event_type": kind, **members}


def delta(index: object, **members: object) -> Json:
    return event("step.delta", index=index, delta=members)


ENDED = event("interaction.completed", interaction=interaction())
SPEAKS: Json = {"type": "model_output"}


@pytest.mark.parametrize(
    "events",
    [
        [
            *(event("step.start", index="0", step=SPEAKS), delta("0", type="text", text="Hel")),
            *(event("step.start", index="1", step=SPEAKS), delta("1", type="text", text="lo"), ENDED),
        ],
        [
            event("step.start", index=0, step=SPEAKS),
            delta(0, type="text", text="Hello"),
            delta(0, type="text_annotation_delta", annotations=5),
            ENDED,
        ],
        [
            event("step.start", index=0, step={"type": "thought", "summary": {"type": "text", "text": "hm"}}),
            delta(0, type="thought_summary", content={"type": "text", "text": "hm"}),
            event("step.start", index=1, step=SPEAKS),
            delta(1, type="text", text="Hello"),
            ENDED,
        ],
        [
            event("step.start", index=0, step=SPEAKS),
            {"event_type": {"kind": "new"}, "index": 0},
            {"event_type": None, "index": 0},
            delta(0, type="text", text="Hello"),
            ENDED,
        ],
        [interaction(spoke("Hello"))],
    ],
    ids=["indices as strings", "odd annotations", "odd summary", "odd kinds", "in one piece"],
)
async def test_odd_events_do_not_cost_the_answer(over: Connect, fake: FakeGemini, events: list[Json]) -> None:
    fake.stream(*events)
    async with over(base_url=fake.url) as client:
        answer = await ask_in_a_stream(client)
    assert answer["text"] == "Hello"
    assert answer["usage"]["total_tokens"] == 14
    assert len(fake.requests) == 1
