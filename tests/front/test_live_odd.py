"""live_turn against a Gemini that is odd: messages in other orders and forms, and ends at other moments."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from mcp import Client
from websockets.asyncio.server import ServerConnection, serve

from tests.conftest import Connect, error_of, structured
from tests.front.conftest import Json, warned
from tests.front.test_live import recorded

pytestmark = pytest.mark.anyio

SPOKEN: Json = {
    "serverContent": {
        "modelTurn": {
            "parts": [
                {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(bytes(4_800)).decode()}}
            ]
        }
    }
}
WORDS: Json = {"serverContent": {"outputTranscription": {"text": "Hi."}}}
USAGE: Json = {"usageMetadata": {"promptTokenCount": 10, "responseTokenCount": 20, "totalTokenCount": 30}}
HANDLE: Json = {"sessionResumptionUpdate": {"newHandle": "h", "resumable": True}}
GENERATED: Json = {"serverContent": {"generationComplete": True}}
OVER: Json = {"serverContent": {"turnComplete": True}}
END = (GENERATED, OVER, USAGE, HANDLE)
READY: Json = {"setupComplete": {}}
CALLED: Json = {"toolCall": {"functionCalls": [{"id": "1", "name": "look"}]}}
CALLED_AGAIN: Json = {"toolCall": {"functionCalls": [{"id": "2", "name": "listen"}]}}
LOOK: Json = {"name": "look"}
LISTEN: Json = {"name": "listen"}


class Said:
    """Waits until a turn has been said."""


Script = Sequence[Json | type[Said] | asyncio.Event]
"""What is sent, a turn that is waited for, and what is waited for besides."""


@asynccontextmanager
async def gemini(*scripts: Script) -> AsyncGenerator[tuple[str, list[list[Json]]]]:
    """The address of a server whose connections follow scripts, and what each of them heard after its setup."""
    heard: list[list[Json]] = []

    async def talk(connection: ServerConnection) -> None:
        mine: list[Json] = []
        heard.append(mine)
        script = scripts[len(heard) - 1]
        await connection.recv()
        for step in script:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif step is Said:
                while True:
                    mine.append(json.loads(await connection.recv()))
                    said = mine[-1].get("realtimeInput", mine[-1])
                    if said.keys() & {"text", "activityEnd", "toolResponse"}:
                        break
            else:
                await connection.send(json.dumps(step).encode())
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, close_timeout=0.1) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


@pytest.fixture(name="connect")
def connect_to_live(connect: Connect) -> Connect:
    """Connect to a server with the Live tools, which are off by default."""
    return partial(connect, toolsets=("default", "text", "live", "jobs"))


async def talk(client: Client, **arguments: Any) -> Json:
    """The structured result, which must succeed."""
    return structured(await client.call_tool("live_turn", arguments))


async def test_transcripts_that_come_last_are_waited_for(connect: Connect) -> None:
    late: Json = {"serverContent": {"inputTranscription": {"text": "Hello?"}}}
    wav = f"data:audio/wav;base64,{base64.b64encode(recorded(0.2)).decode()}"
    async with gemini([READY, Said, SPOKEN, *END, late, WORDS]) as (url, _), connect(base_url=url) as client:
        found = await talk(client, audio=wav)
    assert (found["transcript"], found["input_transcript"]) == ("Hi.", "Hello?")
    assert "warnings" not in found


async def test_a_transcript_that_never_comes_is_not_waited_for_for_ever(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemini_server.toolkit.live_talk.AFTERWARDS", 0.1)
    async with gemini([READY, Said, SPOKEN, *END]) as (url, _), connect(base_url=url) as client:
        found = await talk(client, text="Hello")
    assert "There is no transcript" in warned(found)
    assert found["usage"]["total_tokens"] == 30


ODD: list[Json] = [
    {"serverContent": {"modelTurn": {"parts": None}, "inputTranscription": {"text": None}}},
    {"usageMetadata": {"promptTokenCount": "many"}, "goAway": "soon"},
    {"serverContent": {"outputTranscription": [1]}, "somethingNew": {"a": [None]}},
]


@pytest.mark.parametrize("odd", ODD, ids=["nulls", "usage", "transcription"])
async def test_what_is_odd_beside_the_sound_does_not_lose_it(connect: Connect, odd: Json) -> None:
    async with gemini([READY, Said, odd, SPOKEN, WORDS, *END]) as (url, _), connect(base_url=url) as client:
        found = await talk(client, text="Hello")
    assert found["transcript"] == "Hi."
    assert found["artifacts"][0]["duration_seconds"] == 0.1
    assert not {"incomplete", "warnings"} & found.keys()


async def test_a_rate_that_is_none_is_not_taken(connect: Connect) -> None:
    spoken = json.loads(json.dumps(SPOKEN).replace("rate=24000", "rate=0000"))
    async with gemini([READY, Said, spoken, WORDS, *END]) as (url, _), connect(base_url=url) as client:
        found = await talk(client, text="Hello")
    assert found["artifacts"][0]["duration_seconds"] == 0.1


@pytest.mark.parametrize("after", [(USAGE,), (GENERATED, OVER, USAGE, HANDLE)], ids=["tokens", "an end"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_what_comes_while_functions_run_is_not_the_answer_to_their_results(
    connect: Connect, after: Script, at_once: bool
) -> None:
    results: Json = {"function_results": [{"name": "look", "response": {"seen": 1}}]}
    running = asyncio.Event()
    if at_once:
        running.set()
    first = [READY, Said, CALLED, running, *after, Said, SPOKEN, WORDS, *END]
    async with gemini(first, [READY, Said, SPOKEN, WORDS, *END]) as (url, _), connect(base_url=url) as client:
        asked = await talk(client, text="Look", functions=[LOOK])
        running.set()
        await client.call_tool("list_jobs", {})  # long enough for it to arrive
        found = await talk(client, conversation=asked["conversation"], **results)
        usage = await client.read_resource("gemini://usage")
    (day,) = json.loads(getattr(usage.contents[0], "text", ""))["days"]
    assert found["transcript"] == "Hi."
    assert "incomplete" not in found
    assert (day["input_tokens"], day["output_tokens"]) == (20, 40), "the tokens of the call are counted, once"


async def test_calls_that_come_in_several_messages_are_answered_together(connect: Connect) -> None:
    script: Script = [READY, Said, CALLED, CALLED_AGAIN, Said, SPOKEN, WORDS, *END]
    async with gemini(script) as (url, heard), connect(base_url=url) as client:
        asked = await talk(client, text="Look and listen", functions=[LOOK, LISTEN])
        results = [{"name": one["name"], "response": 1} for one in asked["function_calls"]]
        found = await talk(client, conversation=asked["conversation"], function_results=results)
    assert [one["name"] for one in asked["function_calls"]] == ["look", "listen"]
    assert found["transcript"] == "Hi."
    assert [one["id"] for one in heard[0][-1]["toolResponse"]["functionResponses"]] == ["1", "2"]


async def test_calls_that_were_withdrawn_are_answered_in_a_new_session(connect: Connect) -> None:
    withdrawn: Json = {"toolCallCancellation": {"ids": ["1"]}}
    scripts: list[Script] = [[READY, Said, CALLED, withdrawn], [READY, Said, SPOKEN, WORDS, *END]]
    async with gemini(*scripts) as (url, heard), connect(base_url=url) as client:
        asked = await talk(client, text="Look", functions=[LOOK])
        results = [{"name": "look", "response": {"seen": 1}}]
        found = await talk(client, conversation=asked["conversation"], function_results=results)
    assert found["transcript"] == "Hi."
    assert "told in words" in warned(found)
    assert 'look returned {"seen": 1}' in heard[1][-1]["realtimeInput"]["text"]


async def test_a_session_that_waits_in_one_process_is_over_when_another_has_gone_on(connect: Connect) -> None:
    asks: Script = [READY, Said, CALLED, Said]
    asks_again: Script = [READY, Said, CALLED_AGAIN, Said]
    answers: Script = [READY, Said, SPOKEN, WORDS, *END]
    async with gemini(asks, asks_again, answers) as (url, heard), connect(base_url=url) as one:
        first = await talk(one, text="Look, then listen", functions=[LOOK, LISTEN])
        async with connect(base_url=url) as other:
            seen = [{"name": "look", "response": 1}]
            again = await talk(other, conversation=first["conversation"], function_results=seen)
            listened = [{"name": "listen", "response": 2}]
            found = await talk(one, conversation=first["conversation"], function_results=listened)
    assert [one["name"] for one in again["function_calls"]] == ["listen"]
    assert found["transcript"] == "Hi."
    assert "told in words" in warned(found)
    assert not any("toolResponse" in message for connection in heard for message in connection)


async def test_a_quota_that_is_used_up_is_named_whatever_its_spelling(connect: Connect) -> None:
    opened = 0

    async def refuses(connection: ServerConnection) -> None:
        nonlocal opened
        opened += 1
        await connection.recv()
        await connection.close(1011, "RESOURCE_EXHAUSTED")

    async with serve(refuses, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with connect(base_url=url) as client:
            words = error_of(await client.call_tool("live_turn", {"text": "Hello"}))
    assert "rate limit" in words
    assert opened == 1


async def test_a_conversation_by_voice_goes_on_in_writing(connect: Connect) -> None:
    async with connect() as client:
        spoken = await talk(client, text="My name is Ada.", conversation="new")
        more = {"prompt": "What is my name?", "conversation": spoken["conversation"]}
        written = structured(await client.call_tool("generate_text", more))
    assert "Ada" in written["text"]
    assert "live" not in written["model_version"]
