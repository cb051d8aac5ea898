"""One Live turn against a server on loopback that ends connections where a test says."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve

from gemini_server.api.content import Content, FunctionResponse, text_part
from gemini_server.api.live import Setup
from gemini_server.errors import MayHaveBeenBilled, NotFound, RequestRefused, ToolserverError
from gemini_server.rest.config import ClientConfig
from gemini_server.toolkit import live_talk, live_waiting
from gemini_server.toolkit.live_request import Turn
from gemini_server.toolkit.live_talk import Talk

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
MODEL = "gemini-3.8-live"
SOUND = bytes(2 * 24_000)
RECORDING = b"\x01\x02" * 40_000
HISTORY = (Content(role="user", parts=[text_part("My name is Ada")]), Content(role="model", parts=[text_part("Hi")]))


def content(**members: Any) -> Json:
    return {"serverContent": members}


def sound(data: bytes = SOUND, mime_type: str = "audio/pcm;rate=24000") -> Json:
    blob = {"mimeType": mime_type, "data": base64.b64encode(data).decode()}
    return content(modelTurn={"parts": [{"inlineData": blob}]})


def words(text: str) -> Json:
    return content(outputTranscription={"text": text})


def update(handle: str, resumable: bool = True) -> Json:
    return {"sessionResumptionUpdate": {"newHandle": handle, "resumable": resumable}}


DONE: tuple[Json, ...] = (
    {"serverContent": {"generationComplete": True}},
    {"serverContent": {"turnComplete": True}, "usageMetadata": {"promptTokenCount": 3, "responseTokenCount": 4}},
    update("after"),
)


@dataclass
class Line:
    """One connection.

    Attributes:
        connection: of the library.
        heard: what has come over it.
    """

    connection: ServerConnection
    heard: list[Json] = field(default_factory=list[Json])

    async def next(self) -> Json:
        self.heard.append(json.loads(await self.connection.recv()))
        return self.heard[-1]

    async def say(self, *messages: Json) -> None:
        for message in messages:
            await self.connection.send(json.dumps(message).encode())

    async def begin(self) -> None:
        """The setup."""
        await self.next()
        await self.say({"setupComplete": {}})

    def cut(self) -> None:
        self.connection.transport.abort()


Play = Callable[[Line], Awaitable[None]]


@asynccontextmanager
async def gemini(*plays: Play) -> AsyncGenerator[tuple[ClientConfig, list[Line]]]:
    """A server whose connections go as they are told, one after the other."""
    lines: list[Line] = []

    async def talk(connection: ServerConnection) -> None:
        lines.append(Line(connection))
        await plays[len(lines) - 1](lines[-1])
        await connection.wait_closed()

    async with serve(talk, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        yield ClientConfig(base_url=f"http://127.0.0.1:{port}", key=SecretStr("k")), lines


async def quiet(text: str) -> None:
    """Nobody listens."""


def talk_of(config: ClientConfig, turn: Turn, **more: Any) -> Talk:
    model = more.pop("model", MODEL)
    given: Json = {"hear": quiet, **more}
    return Talk(config, model, Setup(model=f"models/{model}"), turn, **given)


async def answered(line: Line) -> None:
    await line.begin()
    await line.next()
    await line.say(sound(), words("Hi."), *DONE)


async def test_a_recording_is_said_again_where_the_connection_was_cut_before_its_end() -> None:
    async def cut(line: Line) -> None:
        await line.begin()
        await line.say({"goAway": {"timeLeft": "0.1s"}})
        assert await line.next() == {"realtimeInput": {"activityStart": {}}}
        await line.next()
        line.cut()

    async def whole(line: Line) -> None:
        await line.begin()
        while "activityEnd" not in (await line.next())["realtimeInput"]:
            pass
        await line.say(content(inputTranscription={"text": "Hello"}), sound(), words("Hi."), *DONE)

    # Enough of it that it cannot all be on its way before the cut is noticed.
    async with gemini(cut, whole) as (config, lines):
        talk = talk_of(config, Turn(sound=RECORDING * 60, text="?"), handle="before")
        assert await talk.hold() is None
    assert (talk.heard.transcript, talk.heard.asked, talk.heard.handle) == ("Hi.", ["Hello"], "after")
    assert [line.heard[0]["setup"]["sessionResumption"] for line in lines] == [{"handle": "before"}] * 2
    sent = b"".join(
        base64.b64decode(message["realtimeInput"]["audio"]["data"])
        for message in lines[1].heard[1:]
        if "audio" in message["realtimeInput"]
    )
    assert sent == RECORDING * 60


async def test_a_text_is_said_again_where_the_connection_was_gone_before_it() -> None:
    gone = asyncio.Event()

    async def cut(line: Line) -> None:
        await line.begin()
        line.cut()
        gone.set()

    class Slow(Talk):
        async def _set_up(self, socket: live_waiting.LiveSocket) -> None:
            await super()._set_up(socket)
            if len(lines) == 1:
                await gone.wait()
                with pytest.raises(ToolserverError):
                    await socket.receive(5)

    async with gemini(cut, answered) as (config, lines):
        talk = Slow(config, MODEL, Setup(model=f"models/{MODEL}"), Turn(text="Hello"), hear=quiet)
        assert await talk.hold() is None
    assert talk.heard.transcript == "Hi."
    assert [len(line.heard) for line in lines] == [1, 2]


async def test_an_answer_goes_on_with_a_handle_that_came_in_the_middle_of_it() -> None:
    async def cut(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say(sound(), words("One, "), update("middle"))
        await asyncio.sleep(0)
        await line.connection.close(1011, "Deadline expired.")

    async def rest(line: Line) -> None:
        await line.begin()
        await line.say(sound(), words("two."), *DONE)

    async with gemini(cut, rest) as (config, lines):
        talk = talk_of(config, Turn(text="Count"))
        assert await talk.hold() is None
    assert talk.heard.transcript == "One, two."
    assert talk.heard.seconds == 2
    assert [line.heard[0]["setup"]["sessionResumption"] for line in lines] == [{}, {"handle": "middle"}]
    assert len(lines[1].heard) == 1, "nothing is said a second time"


async def test_an_answer_that_does_not_go_on_is_what_came_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_talk, "GOES_ON", 0.05)

    async def cut(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say(sound(), words("One, "), update("middle"))
        await line.connection.close(1011, "Deadline expired.")

    async def silent(line: Line) -> None:
        await line.begin()

    async with gemini(cut, silent) as (config, lines):
        talk = talk_of(config, Turn(text="Count"))
        trouble = await talk.hold()
    assert isinstance(trouble, ToolserverError)
    assert "Deadline expired" in trouble.what
    assert talk.heard.transcript == "One, "
    assert len(lines) == 2


async def test_an_answer_without_a_handle_is_not_asked_for_again() -> None:
    async def cut(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say(update("", resumable=False))
        line.cut()

    async with gemini(cut) as (config, lines):
        with pytest.raises(MayHaveBeenBilled, match="nothing of an answer had come"):
            await talk_of(config, Turn(text="Count"), handle="before").hold()
    assert len(lines) == 1


@pytest.mark.parametrize(("code", "reason"), [(1008, "session not found"), (1007, "Invalid handle"), (1011, "x")])
async def test_a_handle_that_is_not_known_any_more_gives_way_to_the_history(code: int, reason: str) -> None:
    async def unknown(line: Line) -> None:
        await line.next()
        await line.connection.close(code, reason)

    async def told(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.next()
        await line.say(sound(), words("Hi."), *DONE)

    async with gemini(unknown, told) as (config, lines):
        talk = talk_of(config, Turn(text="Hello"), handle="old", history=HISTORY)
        assert await talk.hold() is None
    assert talk.forgotten
    setup, history, said = lines[1].heard
    assert setup["setup"]["historyConfig"] == {"initialHistoryInClientContent": True}
    assert [turn["role"] for turn in history["clientContent"]["turns"]] == ["user", "model"]
    assert said == {"realtimeInput": {"text": "Hello"}}


async def test_a_model_that_is_not_found_is_no_forgotten_session() -> None:
    async def unknown(line: Line) -> None:
        await line.next()
        await line.connection.close(1008, "models/x is not found")

    async with gemini(unknown, unknown) as (config, _):
        with pytest.raises(NotFound, match="models/x"):
            await talk_of(config, Turn(text="Hello"), handle="old").hold()


@pytest.mark.parametrize("recording", [b"", RECORDING])
async def test_an_older_model_takes_what_is_said_as_turns(recording: bytes) -> None:
    async def older(line: Line) -> None:
        await line.begin()
        while "clientContent" not in (message := await line.next()) or recording:
            if "activityEnd" in message.get("realtimeInput", {}):
                break
        await line.say(sound(), words("Hi."), *DONE)

    async with gemini(older) as (config, lines):
        turn = Turn(text="Hello", sound=recording)
        talk = talk_of(config, turn, model="gemini-2.5-flash-native-audio-latest", history=HISTORY)
        assert await talk.hold() is None
    told = lines[0].heard[1]["clientContent"]
    assert "historyConfig" not in lines[0].heard[0]["setup"]
    if recording:
        assert told["turnComplete"] is False
        assert len(told["turns"]) == 2
    else:
        assert told["turns"][-1] == {"role": "user", "parts": [{"text": "Hello"}]}
        assert told["turnComplete"] is True


async def test_what_is_heard_of_is_told_while_it_is_being_said() -> None:
    pieces: list[str] = []

    async def hear(text: str) -> None:
        pieces.append(text)

    async with gemini(answered) as (config, _):
        talk = talk_of(config, Turn(text="Hello"), hear=hear)
        assert await talk.hold() is None
    assert pieces == ["Hi."]
    assert talk.heard.usage is not None
    assert talk.heard.usage.usual().candidates_token_count == 4
    assert talk.heard.wav()[:4] == b"RIFF"


async def test_the_end_of_the_playing_is_not_waited_for_when_all_has_come() -> None:
    async def fast(line: Line) -> None:
        await line.begin()
        await line.next()
        usage = {"usageMetadata": {"totalTokenCount": 5}}
        await line.say(sound(SOUND * 60), words("Long."), DONE[0], usage, update("h"))

    async with gemini(fast) as (config, _):
        talk = talk_of(config, Turn(text="Hello"))
        assert await talk.hold() is None
    assert (talk.heard.seconds, talk.heard.handle, talk.heard.complete) == (60, "h", False)


async def test_a_function_call_keeps_the_connection_and_its_result_goes_on_with_it() -> None:
    async def calls(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say({"toolCall": {"functionCalls": [{"id": "1", "name": "f", "args": {}}]}})
        await line.next()
        await line.say(sound(), words("Done."), *DONE)

    waiting = live_waiting.Waiting()
    async with gemini(calls) as (config, lines):
        talk = talk_of(config, Turn(text="Call f"))
        assert await talk.hold() is None
        assert talk.socket is not None
        waiting.hold("c", 2, talk.socket)
        socket = waiting.take("c", 2)
        assert waiting.take("c", 2) is None
        assert socket is not None
        results = (FunctionResponse(id="1", name="f", response={"ok": True}),)
        again = talk_of(config, Turn(results=results), history=HISTORY)
        assert await again.hold(socket) is None
    assert again.heard.transcript == "Done."
    assert again.socket is None
    assert len(lines) == 1
    assert lines[0].heard[-1]["toolResponse"]["functionResponses"] == [
        {"id": "1", "name": "f", "response": {"ok": True}}
    ]


async def test_sessions_that_wait_end_with_their_time_their_number_or_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_waiting, "MOST", 1)
    over = asyncio.Event()

    async def calls(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say({"toolCall": {"functionCalls": [{"id": "1", "name": "f"}]}})
        await line.connection.wait_closed()
        over.set()

    waiting = live_waiting.Waiting()

    async def held(config: ClientConfig, name: str) -> None:
        talk = talk_of(config, Turn(text="Call f"))
        await talk.hold()
        assert talk.socket is not None
        waiting.hold(name, 2, talk.socket)

    async with gemini(calls, calls, calls) as (config, _):
        await held(config, "a")
        await held(config, "b")
        await over.wait()
        assert waiting.take("a", 2) is None, "the oldest gives way"
        over.clear()
        await waiting.aclose()
        await over.wait()
        over.clear()
        monkeypatch.setattr(live_waiting, "PATIENCE", 0.0)
        await held(config, "c")
        await over.wait()
        assert waiting.take("c", 2) is None


async def test_a_session_that_gemini_ended_meanwhile_is_no_more() -> None:
    async def calls(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say({"toolCall": {"functionCalls": [{"id": "1", "name": "f"}]}})
        await line.connection.close(1001, "Going away")

    waiting = live_waiting.Waiting()
    async with gemini(calls) as (config, _):
        talk = talk_of(config, Turn(text="Call f"))
        await talk.hold()
        assert talk.socket is not None
        waiting.hold("c", 2, talk.socket)
        with pytest.raises(ToolserverError):
            await talk.socket.receive(5)
        assert waiting.take("c", 2) is None
        await waiting.aclose()


async def test_an_answer_that_is_broken_into_says_so() -> None:
    async def interrupted(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say(sound(), words("Well"), content(interrupted=True), *DONE[1:])

    async with gemini(interrupted) as (config, _):
        talk = talk_of(config, Turn(text="Hello"))
        assert await talk.hold() is None
    assert (talk.heard.interrupted, talk.heard.generated, talk.heard.transcript) == (True, False, "Well")


@pytest.mark.parametrize(
    ("message", "words_of"),
    [
        (content(modelTurn={"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "?"}}]}), "base64"),
        (content(turnComplete="never"), "not what its API describes"),
    ],
)
async def test_an_answer_that_is_none_may_have_been_billed(message: Json, words_of: str) -> None:
    async def broken(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say(message)

    async with gemini(broken) as (config, _):
        with pytest.raises(MayHaveBeenBilled, match=words_of):
            await talk_of(config, Turn(text="Hello")).hold()


async def test_a_turn_that_is_refused_is_the_callers_error() -> None:
    async def refuses(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.connection.close(1007, "Unsupported MIME type")

    async with gemini(refuses) as (config, lines):
        with pytest.raises(RequestRefused, match="Unsupported MIME type"):
            await talk_of(config, Turn(text="Hello")).hold()
    assert len(lines) == 1


async def test_an_answer_that_does_not_end_is_cut_at_its_length_and_at_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def endless(line: Line) -> None:
        await line.begin()
        await line.next()
        await line.say(sound(), sound())

    monkeypatch.setattr("gemini_server.toolkit.live_heard.LONGEST", 1)
    async with gemini(endless) as (config, _):
        talk = talk_of(config, Turn(text="Hello"))
        trouble = await talk.hold()
    assert "longer than" in (trouble.what if trouble else "")
    assert talk.heard.seconds == 1
    monkeypatch.setattr("gemini_server.toolkit.live_heard.LONGEST", 10)
    monkeypatch.setattr(live_talk, "DEADLINE", 0.2)
    async with gemini(endless) as (config, _):
        talk = talk_of(config, Turn(text="Hello"))
        trouble = await talk.hold()
    assert "takes longer than" in (trouble.what if trouble else "")
    assert talk.heard.seconds == 2
