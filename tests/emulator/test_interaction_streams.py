"""Streams and background work of interactions: events, resumption, polls, cancellation."""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress
from typing import Any

import anyio
import httpx2
import pytest

from gemini_emulator import Emulator, Options, running

from .conftest import Api
from .interacting import (
    TEXT,
    WEATHER,
    create,
    error_of,
    events_of,
    get,
    parsed,
    post,
    refusal,
    step_of,
    streamed_text,
    text_of,
)

pytestmark = pytest.mark.anyio

PATH = "/v1beta/interactions"


async def streamed(api: Api, given: object = "Explain tides", **fields: Any) -> list[dict[str, Any]]:
    response = await post(api, given, stream=True, **fields)
    assert response.headers["content-type"] == "text/event-stream"
    return events_of(response.text)


async def resumed(api: Api, ident: str, last: str = "") -> list[dict[str, Any]]:
    query = {"stream": "true", **({"last_event_id": last} if last else {})}
    return events_of((await api.http.get(f"{PATH}/{ident}", params=query)).text)


async def cut_after(api: Api, count: int, given: str = "Explain tides", **fields: Any) -> list[dict[str, Any]]:
    """The events that came before the connection broke."""
    return await broken(api, "POST", PATH, f"{given} [emulate: cut=inside after={count}]", **fields)


async def broken(api: Api, method: str, url: str, given: str = "", **fields: Any) -> list[dict[str, Any]]:
    received = bytearray()
    body = {"model": TEXT, "input": given, "stream": True, **fields} if given else None
    async with api.http.stream(method, url, json=body) as response:
        with pytest.raises(httpx2.RemoteProtocolError):
            await collect(response, received)
    return parsed(received.decode().removesuffix("\n\n").split("\n\n"))


async def collect(response: httpx2.Response, received: bytearray) -> None:
    async for chunk in response.aiter_bytes():
        received += chunk


async def test_a_stream_begins_with_created_and_ends_with_completed(api: Api) -> None:
    events = await streamed(api)
    created, update, *_, completed = events
    assert (created["event_type"], created["interaction"]["status"]) == ("interaction.created", "in_progress")
    assert (update["event_type"], update["status"]) == ("interaction.status_update", "in_progress")
    assert (completed["event_type"], completed["interaction"]["status"]) == ("interaction.completed", "completed")
    assert completed["interaction"]["usage"]["total_tokens"] > 0
    assert "steps" not in completed["interaction"]
    assert len({event["event_id"] for event in events}) == len(events)


async def test_the_steps_of_a_stream_are_those_of_the_answer(api: Api) -> None:
    events = await streamed(api)
    whole = await create(api)
    assert streamed_text(events) == text_of(whole)
    starts = [event["step"]["type"] for event in events if event["event_type"] == "step.start"]
    assert starts == [step["type"] for step in whole["steps"]]
    assert [event["index"] for event in events if event["event_type"] == "step.stop"] == [0, 1]
    deltas = [event["delta"] for event in events if event["event_type"] == "step.delta"]
    assert deltas[0] == {"type": "thought_signature", "signature": whole["steps"][0]["signature"]}


async def test_the_arguments_of_a_call_come_in_pieces(api: Api) -> None:
    events = await streamed(api, "What is the weather in Oslo?", tools=[WEATHER])
    start = next(event["step"] for event in events if event.get("step", {}).get("type") == "function_call")
    assert (start["name"], start["arguments"]) == ("get_weather", {})
    deltas = [event["delta"] for event in events if event["event_type"] == "step.delta"]
    pieces = [delta["arguments"] for delta in deltas if delta["type"] == "arguments_delta"]
    assert len(pieces) == 2
    assert json.loads("".join(pieces)) == {"city": "Oslo"}
    assert events[-1]["interaction"]["status"] == "requires_action"


async def test_annotations_and_tools_are_streamed(api: Api) -> None:
    fields = {"tools": [{"type": "google_search"}], "generation_config": {"thinking_summaries": "auto"}}
    events = await streamed(api, "Find the history of tides", **fields)
    kinds = [event["delta"]["type"] for event in events if event["event_type"] == "step.delta"]
    assert kinds[:4] == ["thought_summary", "thought_signature", "google_search_call", "google_search_result"]
    assert kinds[-1] == "text_annotation_delta"


async def test_a_held_back_answer_is_an_error_event(api: Api) -> None:
    events = await streamed(api, "hi [emulate: finish=SAFETY]")
    assert [event["event_type"] for event in events][-1] == "error"
    assert events[-1]["error"]["code"] == "safety"
    ident = events[0]["interaction"]["id"]
    assert (await get(api, ident))["status"] == "failed"


async def test_a_broken_stream_goes_on_after_its_last_event(api: Api) -> None:
    whole = await streamed(api)
    for count in (1, 3, len(whole) - 1):
        first = await cut_after(api, count)
        assert len(first) == count
        rest = await resumed(api, first[0]["interaction"]["id"], first[-1]["event_id"])
        assert [event["event_type"] for event in first + rest] == [event["event_type"] for event in whole]
        assert streamed_text(first + rest) == text_of(await get(api, first[0]["interaction"]["id"]))
        assert rest[0]["event_id"] != first[-1]["event_id"]


async def test_a_resumed_stream_can_break_again(emulator: Emulator, api: Api) -> None:
    first = await cut_after(api, 3)
    ident, last = first[0]["interaction"]["id"], first[-1]["event_id"]
    emulator.add_fault("cut=inside after=2", method="GET", path="interactions/")
    second = await broken(api, "GET", f"{PATH}/{ident}?stream=true&last_event_id={last}")
    third = await resumed(api, ident, second[-1]["event_id"])
    assert streamed_text(first + second + third) == text_of(await get(api, ident))


async def test_a_finished_interaction_is_streamed_from_the_start(api: Api) -> None:
    first = await create(api)
    assert streamed_text(await resumed(api, first["id"])) == text_of(first)
    last = (await resumed(api, first["id"]))[-1]["event_id"]
    assert await resumed(api, first["id"], last) == []


async def test_a_foreign_event_id_is_refused(api: Api) -> None:
    first, second = await create(api), await create(api)
    foreign = (await resumed(api, second["id"]))[0]["event_id"]
    for token in (foreign, "nonsense"):
        response = await api.http.get(f"{PATH}/{first['id']}?stream=true&last_event_id={token}")
        assert error_of(response, 400)[0] == "invalid_request"
    response = await api.http.get(f"{PATH}/{first['id']}?last_event_id={foreign}")
    assert "only be used if 'stream' is true" in error_of(response, 400)[1]


async def test_an_error_can_come_in_the_middle_of_a_stream(api: Api) -> None:
    response = await post(api, "hi [emulate: error_in_stream status=504 after=2]", stream=True)
    events = parsed(response.text.removesuffix("\n\n").split("\n\n"))
    assert events[-1] == {
        "event_type": "error",
        "error": {"code": "deadline_exceeded", "message": "Deadline expired before operation could complete."},
    }
    assert len(events) == 3


async def test_a_stream_can_stall_and_be_paced(api: Api) -> None:
    received = bytearray()
    body = {"model": TEXT, "input": "hi [emulate: stall=inside after=2]", "stream": True}
    async with api.http.stream("POST", PATH, json=body, timeout=0.2) as response:
        with pytest.raises(httpx2.ReadTimeout):
            await collect(response, received)
    assert received.count(b"event: ") == 2
    began = time.monotonic()
    events = await streamed(api, "hi [emulate: pace=10ms]")
    assert time.monotonic() - began >= 0.01 * (len(events) - 1)


async def test_background_work_takes_two_polls(api: Api) -> None:
    begun = await create(api, background=True)
    assert begun["status"] == "in_progress"
    assert "steps" not in begun
    polled = [await get(api, begun["id"]) for _ in range(3)]
    assert [one["status"] for one in polled] == ["in_progress", "in_progress", "completed"]
    assert text_of(polled[-1]) == text_of(await create(api))


async def test_polls_can_be_asked_for(api: Api) -> None:
    begun = await create(api, "hi [emulate: polls=1 queued]", background=True)
    assert begun["status"] == "queued"
    assert [(await get(api, begun["id"]))["status"] for _ in range(2)] == ["queued", "completed"]
    assert (await create(api, "hi [emulate: polls=0]", background=True))["status"] == "completed"


async def test_background_work_can_last_by_the_emulators_clock(emulator: Emulator, api: Api) -> None:
    begun = await create(api, "hi [emulate: lasts=5m]", background=True)
    for _ in range(4):
        assert (await get(api, begun["id"]))["status"] == "in_progress"
    emulator.advance(299)
    assert (await get(api, begun["id"]))["status"] == "in_progress"
    emulator.advance(1)
    assert (await get(api, begun["id"]))["status"] == "completed"


async def test_background_work_can_fail(api: Api) -> None:
    begun = await create(api, "hi [emulate: finish=PROHIBITED_CONTENT polls=1]", background=True)
    assert begun["status"] == "in_progress"
    await get(api, begun["id"])
    failed = await get(api, begun["id"])
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", "prohibited_content")


async def test_a_stream_drives_background_work(api: Api) -> None:
    first = await cut_after(api, 4, background=True)
    ident = first[0]["interaction"]["id"]
    assert (await get(api, ident))["status"] == "in_progress"
    rest = await resumed(api, ident, first[-1]["event_id"])
    assert streamed_text(first + rest) == text_of(await get(api, ident))


class Follower:
    """A stream that is read while something else happens."""

    def __init__(self, api: Api, ident: str) -> None:
        self._api = api
        self._path = f"{PATH}/{ident}?stream=true"
        self._came = anyio.Event()
        self.received = bytearray()

    async def follow(self) -> None:
        async with self._api.http.stream("GET", self._path) as response:
            async for chunk in response.aiter_bytes():
                self.received += chunk
                self._came.set()
                self._came = anyio.Event()

    async def arrived(self, count: int) -> None:
        """Wait until so many events have come."""
        while self.received.count(b"event: ") < count:
            await self._came.wait()


async def test_a_stream_follows_work_that_is_still_running(emulator: Emulator, api: Api) -> None:
    begun = await create(api, "Explain tides [emulate: lasts=100s]", background=True)
    stream = Follower(api, begun["id"])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.follow)
        await stream.arrived(1)
        assert stream.received.count(b"event: ") == 1
        emulator.advance(50)
        await stream.arrived(3)
        assert b"interaction.completed" not in stream.received
        assert (await get(api, begun["id"]))["status"] == "in_progress"
        emulator.advance(50)
    assert streamed_text(events_of(stream.received.decode())) == text_of(await get(api, begun["id"]))


async def test_running_work_can_be_cancelled(api: Api) -> None:
    begun = await create(api, background=True)
    path = f"{PATH}/{begun['id']}/cancel"
    cancelled = (await api.http.post(path)).json()
    assert cancelled["status"] == "cancelled"
    assert "steps" not in cancelled
    assert [(await get(api, begun["id"]))["status"] for _ in range(3)] == ["cancelled"] * 3
    assert error_of(await api.http.post(path), 400)[0] == "failed_precondition"
    assert (await refusal(api, previous_interaction_id=begun["id"]))[0] == "failed_precondition"


async def test_only_background_work_that_runs_can_be_cancelled(api: Api) -> None:
    for ident in ((await create(api))["id"], (await create(api, "hi [emulate: polls=0]", background=True))["id"]):
        response = await api.http.post(f"{PATH}/{ident}/cancel")
        assert error_of(response, 400)[0] == "failed_precondition"


async def test_a_stream_ends_with_the_cancellation(api: Api) -> None:
    begun = await create(api, "hi [emulate: lasts=100s]", background=True)
    stream = Follower(api, begun["id"])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.follow)
        await stream.arrived(1)
        await api.http.post(f"{PATH}/{begun['id']}/cancel")
    events = events_of(stream.received.decode())
    assert events[-1]["interaction"]["status"] == "cancelled"
    assert not streamed_text(events)


async def test_a_running_interaction_cannot_be_continued(api: Api) -> None:
    begun = await create(api, background=True)
    assert (await refusal(api, previous_interaction_id=begun["id"]))[0] == "failed_precondition"


def number_of(interaction: dict[str, Any]) -> int:
    """How many interactions there had been, which an id of the emulator tells."""
    raw = interaction["id"].removeprefix("v1_")
    return int(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).split(b":")[1])


async def test_a_request_that_fails_creates_nothing_and_one_that_is_cut_inside_does(api: Api) -> None:
    before = number_of(await create(api))
    for directive in ("cut=before", "status=503"):
        with suppress(httpx2.RemoteProtocolError):
            await post(api, f"hi [emulate: {directive}]", background=True)
    between = number_of(await create(api))
    assert between == before + 1
    with pytest.raises(httpx2.RemoteProtocolError):
        await post(api, "hi [emulate: cut=inside]", background=True)
    assert number_of(await create(api)) == between + 2


async def test_a_stream_that_broke_before_the_cancellation_can_still_be_ended(api: Api) -> None:
    first = await cut_after(api, 3, background=True)
    ident = first[0]["interaction"]["id"]
    await api.http.post(f"{PATH}/{ident}/cancel")
    (last,) = await resumed(api, ident, first[-1]["event_id"])
    assert (last["event_type"], last["interaction"]["status"]) == ("interaction.completed", "cancelled")


async def test_polls_can_be_set_from_outside(emulator: Emulator, api: Api) -> None:
    emulator.add_fault("polls=1 outcome=incomplete", method="POST", path="interactions")
    begun = await create(api, background=True)
    assert [(await get(api, begun["id"]))["status"] for _ in range(2)] == ["in_progress", "incomplete"]


async def test_it_stops_within_a_second_while_a_stream_waits() -> None:
    async with anyio.create_task_group() as tasks:
        async with running(Options()) as emulator:
            headers = {"x-goog-api-key": "k"}
            waits = anyio.Event()

            async def follow() -> None:
                body = {"model": TEXT, "input": "hi [emulate: lasts=100s]", "background": True, "stream": True}
                async with (
                    httpx2.AsyncClient(base_url=emulator.url, headers=headers, timeout=None) as http,
                    http.stream("POST", PATH, json=body) as response,
                ):
                    waits.set()
                    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
                        await response.aread()

            tasks.start_soon(follow)
            await waits.wait()
            began = time.monotonic()
        assert time.monotonic() - began < 1


async def test_the_result_of_a_function_can_be_streamed(api: Api) -> None:
    first = await create(api, "What is the weather in Oslo?", tools=[WEATHER])
    call = step_of(first, "function_call")
    result = {"type": "function_result", "call_id": call["id"], "result": {"degrees": 21}}
    events = await streamed(api, [result], previous_interaction_id=first["id"])
    assert "degrees is 21" in streamed_text(events)
