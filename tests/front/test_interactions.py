"""create_interaction and its sisters through the front door: what is sent, what comes back, how it goes on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server import settings
from gemini_server.errors import NotFound
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.sources import Sources
from gemini_server.toolkit.interaction_known import found, remember
from gemini_server.toolkit.runtime import Runtime
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.emulator.drawing import RED, Drawing
from tests.front.conftest import FakeGemini, Json, Reply, warned
from tests.front.grounded import spans

pytestmark = pytest.mark.anyio

MODEL = "gemini-3.8-flash"
WEATHER: Json = {
    "name": "weather",
    "description": "the weather in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
IN_ROME = "What is the weather in Rome?"


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    """Connect to a server that asks after its jobs every few milliseconds."""
    return partial(connect, poll=0.01, toolsets=("default", "interactions", "jobs"))


async def interact(
    client: Client, said: Any = "Say hello", *, heard: list[str] | None = None, **arguments: Any
) -> Json:
    """The structured result of create_interaction, which must succeed."""

    async def note(progress: float, total: float | None, message: str | None) -> None:
        (heard if heard is not None else []).append(message or "")

    given = {"input": said, **arguments} if said is not None else arguments
    if heard is None:
        return structured(await client.call_tool("create_interaction", given))
    return structured(await client.call_tool("create_interaction", given, progress_callback=note))


async def refused(client: Client, said: Any = "Say hello", **arguments: Any) -> str:
    """The text of create_interaction failing."""
    given = {"input": said, **arguments} if said is not None else arguments
    return error_of(await client.call_tool("create_interaction", given))


def asked(emulator: Emulator, method: str = "POST") -> list[Json]:
    """The requests to the resource."""
    return [one for one in emulator.requests if one["method"] == method and "/interactions" in one["path"]]


def bodies(emulator: Emulator) -> list[Json]:
    """The bodies of the interactions that were begun."""
    return [one["body"] for one in asked(emulator) if one["path"].endswith("/interactions")]


@pytest.mark.parametrize("mode", ERAS)
async def test_one_turn_is_not_kept_at_google_unless_somebody_wants_it(
    connect: Connect, emulator: Emulator, mode: str
) -> None:
    async with connect(mode=mode) as client:
        result = await client.call_tool("create_interaction", {"input": "Say hello", "thinking": "low", "seed": 7})
        kept = await interact(client, store=True, labels={"team": "blue"}, service_tier="flex")
    answer = structured(result)
    assert (answer["status"], answer["model_version"]) == ("completed", MODEL)
    assert answer["usage"]["cost_usd"] > 0
    assert not answer.keys() & {"id", "untrusted", "incomplete", "warnings", "job"}
    assert answer["text"] in text_of(result)
    assert kept["id"].startswith("v1_")
    config = {"thinking_level": "low", "seed": 7}
    assert bodies(emulator) == [
        {"model": MODEL, "input": "Say hello", "generation_config": config, "store": False},
        {
            "model": MODEL, "input": "Say hello", "store": True, "labels": {"team": "blue"}, "service_tier": "flex",
        },
    ]  # fmt: skip


async def test_whoever_asks_for_progress_hears_the_answer_as_it_comes(connect: Connect, emulator: Emulator) -> None:
    heard: list[str] = []
    async with connect() as client:
        plain = await interact(client, "What is new in Zürich?", tools=["google_search"])
        streamed = await interact(client, "What is new in Zürich?", tools=["search"], heard=heard)
    assert heard[0] == "google search"
    assert "".join(heard[1:]) == streamed["text"]
    usage = ("usage", "price_date")
    assert {name: value for name, value in streamed.items() if name not in usage} == {
        name: value for name, value in plain.items() if name not in usage
    }
    assert streamed["untrusted"] == "web"
    assert all(span.strip() and span in streamed["text"] for span in spans(streamed))
    assert [body.get("stream") for body in bodies(emulator)] == [None, True]


async def test_functions_are_called_and_answered_in_turns_that_google_keeps(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        first = await interact(client, IN_ROME, tools=[WEATHER])
        (call,) = first["function_calls"]
        assert (first["status"], call["name"], call["arguments"]) == ("requires_action", "weather", {"city": "Rome"})
        assert f'previous="{first["id"]}"' in warned(first)
        results = [{"id": call["id"], "response": {"celsius": 20}}]
        second = await interact(client, None, previous=first["id"], function_results=results, tools=[WEATHER])
    assert second["status"] == "completed"
    assert "celsius is 20" in second["text"]
    assert "untrusted" not in second, "the caller's own function said it"
    sent = bodies(emulator)[1]
    assert sent["input"] == [{"type": "function_result", "call_id": call["id"], "result": {"celsius": 20}}]
    assert (sent["previous_interaction_id"], sent["store"]) == (first["id"], True)


async def test_a_job_that_asks_for_results_says_how_it_goes_on(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        begun = await interact(client, IN_ROME, tools=[WEATHER], background=True, wait_seconds=0)
        handle = begun["job"]["id"]
        job = structured(await client.call_tool("get_job", {"job": handle, "wait_seconds": 20}))
        (call,) = job["result"]["function_calls"]
        assert (job["status"], call["arguments"]) == ("input_required", {"city": "Rome"})
        assert f'create_interaction(previous="{job["result"]["id"]}"' in job["next"]
        listed = structured(await client.call_tool("list_jobs", {"status": "input_required"}))["jobs"]
        assert [one["id"] for one in listed] == [handle]
        results = [{"id": call["id"], "name": "weather", "response": "sunny"}]
        done = await interact(
            client, "In one word.", previous=handle, function_results=results, tools=[WEATHER], background=True
        )
    assert done["status"] == "completed"
    result, said = bodies(emulator)[1]["input"]
    assert result == {"type": "function_result", "call_id": call["id"], "name": "weather", "result": "sunny"}
    assert said == {"type": "user_input", "content": [{"type": "text", "text": "In one word."}]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"background": True, "store": False}, "store=false does not go with background"),
        ({"previous": "v1_x", "store": False}, "store=false does not go with previous"),
        ({"agent": "antigravity-preview-09-2026", "model": MODEL}, "either model or agent"),
        ({"agent": "antigravity-preview-09-2026", "thinking": "low"}, "An agent takes no thinking"),
        ({"agent": "deep-research-preview-04-2026", "background": False}, "in the background alone"),
        ({"agent_config": {"type": "antigravity"}}, "agent_config is for agents"),
        ({"agent": "antigravity-preview-09-2026", "agent_config": {"colour": 1}}, "agent_config.antigravity.colour"),
        ({"input": " "}, "There is nothing to say"),
        ({"function_results": [{"id": "c", "response": 1}]}, "none is named"),
        ({"tools": ["telepathy"]}, "Types: function, google_search"),
        ({"tools": [{"type": "google_search", "depth": 3}]}, "depth: there is no such member"),
        ({"tools": [{"type": "file_search"}]}, "names no stores"),
        ({"tools": [WEATHER, WEATHER]}, "same name"),
        ({"tool_choice": "any"}, "tool_choice needs tools"),
        ({"environment": {"type": "remote", "disk": "large"}}, "environment.disk"),
        ({"safety": {"boredom": "off"}}, "safety.boredom.type"),
        ({"webhook": {"url": "https://x.example"}, "background": True}, "webhook.url"),
        ({"webhook": {"uris": []}}, "work in the background"),
        ({"json_schema": {"type": "object"}, "response_format": {"type": "text"}}, "either json_schema"),
        ({"response_format": {"type": "hologram"}}, "response_format"),
        ({"input": [{"type": "text", "text": "a"}, {"type": "thought"}]}, "mixes content and steps"),
        ({"input": [{"type": "image", "date": "x"}]}, "input[0]"),
        ({"previous": "j_0123456789012345678901"}, "no job"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
async def test_what_contradicts_itself_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in await refused(
            client, arguments.get("input", "Say hello"), **{k: v for k, v in arguments.items() if k != "input"}
        )
    assert emulator.requests == []


async def test_a_stored_one_is_looked_at_and_deleted_by_its_id_or_its_jobs(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        done = await interact(client, background=True)
        [job] = structured(await client.call_tool("list_jobs", {}))["jobs"]
        for name in (done["id"], job["id"]):
            seen = structured(await client.call_tool("get_interaction", {"id": name, "include_input": True}))
            assert (seen["id"], seen["text"], seen["input"]) == (done["id"], done["text"], "Say hello")
        with_query = asked(emulator, "GET")[-1]["query"]
        cancelled = error_of(await client.call_tool("cancel_interaction", {"id": done["id"]}))
        assert "get_interaction says how it stands" in cancelled
        deleted = structured(await client.call_tool("delete_interaction", {"id": done["id"]}))
        gone = error_of(await client.call_tool("get_interaction", {"id": done["id"]}))
    assert "include_input" in str(with_query)
    assert deleted == {"deleted": done["id"]}
    assert "55 days" in gone
    assert len(bodies(emulator)) == 1


async def test_another_callers_is_as_if_it_were_not_there_for_another_replica_too(tmp_path: Path) -> None:
    chosen = settings.read({}, key="test-key", state_dir=tmp_path)
    first, other = Runtime(chosen), Runtime(chosen)
    await remember(Call(first, "alice"), "v1_secret", Sources())
    for runtime in (first, other):
        assert (await found(Call(runtime, "alice"), "v1_secret")).id == "v1_secret"
        with pytest.raises(NotFound, match="no interaction"):
            await found(Call(runtime, "bob"), "v1_secret")
        await runtime.aclose()


async def test_what_is_under_way_is_stopped(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        begun = await interact(client, "Say hello [emulate: lasts=60s]", background=True, wait_seconds=0)
        stopped = structured(await client.call_tool("cancel_interaction", {"id": begun["job"]["id"]}))
        job = structured(await client.call_tool("get_job", {"job": begun["job"]["id"]}))
    assert stopped["status"] == job["status"] == "cancelled"
    begun_there = len(bodies(emulator))
    assert sum(one["path"].endswith("/cancel") for one in asked(emulator)) == begun_there
    assert "message" not in job or job["message"].startswith("Cancelled.")


@pytest.mark.parametrize("cuts", [1, 3])
async def test_a_stream_that_is_cut_is_heard_to_its_end_where_google_keeps_the_turn(
    connect: Connect, emulator: Emulator, cuts: int
) -> None:
    heard: list[str] = []
    async with connect() as client:
        whole = await interact(client, store=True)
        emulator.add_fault("cut=inside after=5", method="POST", path="/interactions$")
        if cuts > 1:
            emulator.add_fault("cut=inside after=1", method="GET", path="/interactions/", times=cuts - 1)
        answer = await interact(client, store=True, heard=heard)
    assert answer["text"] == whole["text"] == "".join(heard)
    assert not answer.keys() & {"incomplete", "warnings"}
    assert len(bodies(emulator)) == 2
    resumed = asked(emulator, "GET")
    assert len(resumed) == cuts
    assert all("last_event_id" in str(one["query"]) for one in resumed)


async def test_without_its_events_a_stored_turn_is_asked_for(connect: Connect, emulator: Emulator) -> None:
    emulator.add_fault("cut=inside after=5", method="POST", path="/interactions$")
    emulator.add_fault("status=400 message=No_resuming", method="GET", path="/interactions/")
    async with connect() as client:
        answer = await interact(client, store=True, heard=[])
    assert (answer["status"], "incomplete" in answer) == ("completed", False)
    assert len(bodies(emulator)) == 1


async def test_a_cut_stream_that_google_does_not_keep_gives_what_came(connect: Connect, emulator: Emulator) -> None:
    heard: list[str] = []
    emulator.add_fault("cut=inside after=9", method="POST", path="/interactions$")
    async with connect() as client:
        answer = await interact(client, heard=heard)
    assert answer["text"] == "".join(heard) != ""
    assert answer["incomplete"] is True
    assert "Google keeps none of it" in warned(answer)
    assert [one["method"] for one in asked(emulator)] == ["POST"]


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("status", ["incomplete", "budget_exceeded"])
async def test_what_stopped_early_says_why(connect: Connect, status: str, background: bool) -> None:
    async with connect() as client:
        answer = await interact(client, f"Say hello [emulate: outcome={status}]", background=background)
    assert (answer["status"], answer["incomplete"]) == (status, True)
    assert answer["text"]
    assert f"`{status}`" in warned(answer)


async def test_a_long_answer_goes_on_with_its_token(connect: Connect, emulator: Emulator) -> None:
    said = "Count [emulate: continuation=1]"
    async with connect() as client:
        first = await interact(client, said, store=True)
        assert (first["status"], first["incomplete"]) == ("requires_continuation", True)
        assert "`continuation`" in warned(first)
        rest = await interact(client, None, continuation=first["continuation"], previous=first["id"])
    assert rest["status"] == "completed"
    assert bodies(emulator)[1]["continuation_token"] == first["continuation"]


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        ("outcome=failed code=api_error message=It_broke", "It broke"),
        ("block=PROHIBITED_CONTENT", "prohibited"),
        ("status=429 quota=PerDay", "quota"),
        ("status=402 message=Pay", "credit"),
    ],
)
@pytest.mark.parametrize("background", [False, True])
async def test_a_failure_is_one_of_the_tree_with_google_s_words(
    connect: Connect, emulator: Emulator, directive: str, words: str, background: bool
) -> None:
    async with connect() as client:
        assert words in await refused(client, f"Say hello [emulate: {directive}]", background=background)
    assert len(bodies(emulator)) == 1


async def test_media_are_content_of_their_kind_and_texts_are_words(
    connect: Connect, emulator: Emulator, tmp_path: Any
) -> None:
    allowed = tmp_path / "allowed"
    (allowed / "a.png").write_bytes(Drawing(64, 36).paint("square", RED, 8, 8, 24, 24).png())
    (allowed / "b.txt").write_text("Grüße", encoding="utf-8")
    sources = ["a.png", "b.txt", "https://youtu.be/abc"]
    async with connect() as client:
        answer = await interact(client, "What is this?", attachments=sources)
    picture, words, film, question = bodies(emulator)[0]["input"]
    assert (picture["type"], picture["mime_type"]) == ("image", "image/png")
    assert words == {"type": "text", "text": "Grüße"}
    assert film == {"type": "video", "uri": "https://youtu.be/abc"}
    assert question == {"type": "text", "text": "What is this?"}
    assert answer["untrusted"] == "files"


async def test_json_is_parsed_and_pictures_are_files(connect: Connect, emulator: Emulator) -> None:
    schema = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    async with connect() as client:
        answer = await interact(client, "How large?", json_schema=schema)
        drawn = await interact(
            client, "A red square", model="gemini-nano-banana-2.1", response_format={"type": "image"}
        )
    assert isinstance(answer["json"]["size"], int)
    assert bodies(emulator)[0]["response_format"] == {"type": "text", "mime_type": "application/json", "schema": schema}
    [artifact] = drawn["artifacts"]
    assert artifact["mime_type"].startswith("image/")


ANTIGRAVITY: Json = {"agent": "antigravity-preview-09-2026", "environment": "remote"}


@pytest.mark.parametrize(
    ("more", "later"),
    [
        ({}, True),
        ({"background": True}, True),
        ({"background": False, "store": True}, False),
        ({"store": False}, False),
    ],
    ids=["by itself", "later", "kept", "once"],
)
async def test_an_agent_works_in_a_sandbox_that_is_gone_on_in(
    connect: Connect, emulator: Emulator, more: Json, later: bool
) -> None:
    async with connect() as client:
        first = await interact(client, "Write a file", heard=[], **ANTIGRAVITY, **more)
        again = {**ANTIGRAVITY, "environment": first["environment"]}
        second = await interact(client, "Write another", **again)
        unknown = await refused(client, "x", agent="nobody", **more)
    assert (first["agent"], first["code"][0]["outcome"]) == (ANTIGRAVITY["agent"], "OK")
    assert second["environment"] == first["environment"]
    assert "list_agents" in unknown
    assert bodies(emulator)[0] | {"stream": None} == {
        "input": "Write a file", "store": more.get("store", True), "stream": None, **ANTIGRAVITY,
        **({"background": True} if later else {}),
    }  # fmt: skip


async def test_functions_without_a_kept_turn_cannot_be_answered_and_that_is_said(connect: Connect) -> None:
    async with connect() as client:
        answer = await interact(client, IN_ROME, tools=[WEATHER], store=False)
    assert answer["status"] == "requires_action"
    assert "store=true" in warned(answer)
    assert "id" not in answer


def event(kind: str, number: int, **members: Any) -> Json:
    """An event of a stream."""
    return {"event_type": kind, "event_id": f"e{number}", **members}


async def test_events_steps_and_deltas_that_are_new_pass(connect: Connect, fake: FakeGemini) -> None:
    head: Json = {"id": "v1_a", "status": "in_progress", "model": MODEL}
    fake.stream(
        event("interaction.created", 0, interaction=head),
        event("interaction.dreaming", 1, depth=3),
        event("step.start", 2, index=0, step={"type": "hologram_call", "id": "h"}),
        event("step.delta", 3, index=0, delta={"type": "light", "waves": [1]}),
        event("step.start", 4, index=1, step={"type": "model_output"}),
        event("step.delta", 5, index=1, delta={"type": "text", "text": "Hel"}),
        event("step.delta", 6, index=1, delta={"type": "smell", "of": "rain"}),
        event("step.delta", 7, index=1, delta={"type": "text", "text": "lo"}),
        event("step.stop", 8, index=1, usage={"total_tokens": 5}),
        event("interaction.completed", 9, interaction={**head, "status": "completed", "usage": {"total_tokens": 9}}),
    )
    async with connect(base_url=fake.url) as client:
        answer = await interact(client, heard=[])
    assert (answer["status"], answer["text"]) == ("completed", "Hello")
    assert answer["steps"] == ["hologram_call", "model_output"]
    assert answer["usage"]["total_tokens"] == 9


async def test_an_error_in_the_stream_is_the_answers_own(connect: Connect, fake: FakeGemini) -> None:
    head: Json = {"id": "v1_a", "status": "in_progress", "model": MODEL}
    broken = {"code": "quota_exceeded", "message": "Enough for today."}
    fake.replies = [
        Reply(events=[event("interaction.created", 0, interaction=head), event("error", 1, error=broken)]),
    ]
    async with connect(base_url=fake.url) as client:
        given = {"input": "x"}

        async def note(progress: float, total: float | None, message: str | None) -> None:
            return

        told = error_of(await client.call_tool("create_interaction", given, progress_callback=note))
    assert "Enough for today." in told
    assert len(fake.requests) == 1


async def test_an_agent_that_takes_long_is_a_job_before_its_client_gives_up(connect: Connect) -> None:
    async with connect() as client:
        begun = await interact(client, "Write a file [emulate: polls=9]", wait_seconds=0, **ANTIGRAVITY)
        done = structured(await client.call_tool("get_job", {"job": begun["job"]["id"], "wait_seconds": 20}))
    assert (done["status"], done["result"]["agent"]) == ("done", ANTIGRAVITY["agent"])


async def test_an_empty_continuation_is_none(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("interactions",)) as client:
        arguments = {"input": "Say hello", "continuation": ""}
        found = structured(await client.call_tool("create_interaction", arguments))
    assert found["status"] == "completed"
    assert "continuation_token" not in emulator.requests[-1]["body"]


async def test_a_blank_agent_is_refused_before_anything_is_sent(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("interactions",)) as client:
        text = error_of(await client.call_tool("create_interaction", {"input": "hi", "agent": "  "}))
    assert "agent is blank" in text
    assert not emulator.requests


async def test_the_fee_for_searches_is_told_beside_the_price_of_the_tokens(connect: Connect) -> None:
    async with connect(toolsets=("interactions",)) as client:
        arguments = {"input": "Who discovered penicillin?", "tools": ["google_search"]}
        result = await client.call_tool("create_interaction", arguments)
    fee = structured(result)["usage"]["not_in_cost"]
    assert fee.startswith("Google's fee for ")
    assert fee in text_of(result)
