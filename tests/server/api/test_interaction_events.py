"""Events joined to the interaction that they tell of: pieces of every sort, odd ones, missing ones."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gemini_server.api.interaction_events import Event, Folding

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def folded(*events: Json) -> Json:
    """The interaction of some events, as JSON."""
    folding = Folding()
    for number, event in enumerate(events):
        folding.add(Event.model_validate({"event_id": f"e{number}", **event}))
    assert folding.last_event_id == f"e{len(events) - 1}"
    return (await folding.interaction()).model_dump(exclude_unset=True)


def step(kind: str, *deltas: Json, index: int = 0, **shell: Any) -> list[Json]:
    """The events of a step."""
    return [
        {"event_type": "step.start", "index": index, "step": {"type": kind, **shell}},
        *({"event_type": "step.delta", "index": index, "delta": delta} for delta in deltas),
        {"event_type": "step.stop", "index": index},
    ]


def sound(data: bytes, *, padded: bool = True) -> Json:
    """A slice of sound."""
    text = base64.b64encode(data).decode()
    return {"type": "audio", "mime_type": "audio/l16", "data": text if padded else text.rstrip("=")}


async def test_words_their_annotations_and_pictures_keep_their_order() -> None:
    note: Json = {"type": "url_citation", "start_index": 0, "end_index": 5, "url": "https://a.example"}
    picture: Json = {"type": "image", "mime_type": "image/png", "data": "AAAA"}
    found = await folded(
        *step(
            "model_output",
            {"type": "text", "text": "Hel"},
            {"type": "text", "text": "lo"},
            {"type": "text_annotation_delta", "annotations": [note]},
            picture,
            picture,
            {"type": "text", "text": "Bye"},
        )
    )
    hello: Json = {"type": "text", "text": "Hello", "annotations": [note]}
    assert found["steps"][0]["content"] == [hello, picture, picture, {"type": "text", "text": "Bye"}]


@pytest.mark.parametrize("padded", [True, False])
async def test_slices_of_sound_are_one_sound_however_they_are_padded(padded: bool) -> None:
    slices = [sound(b"abcd", padded=padded), sound(b"efghij", padded=padded), sound(b"k", padded=padded)]
    found = await folded(*step("model_output", *slices))
    [content] = found["steps"][0]["content"]
    assert base64.b64decode(content["data"] + "==") == b"abcdefghijk"


async def test_calls_and_thoughts_come_in_pieces() -> None:
    found = await folded(
        *step(
            "thought",
            {"type": "thought_summary", "content": {"type": "text", "text": "Hm."}},
            {"type": "thought_signature", "signature": "s"},
        ),
        *step(
            "function_call",
            {"type": "arguments_delta", "arguments": '{"city": '},
            {"type": "arguments_delta", "arguments": '"Rome"}'},
            index=1, id="c", name="weather", arguments={},
        ),
        *step(
            "google_search_call",
            {"type": "google_search_call", "arguments": {"queries": ["a"]}},
            index=2, id="g", arguments={},
        ),
        *step(
            "code_execution_result", {"type": "code_execution_result", "result": "4\n"}, index=3, call_id="x", result=[]
        ),
    )  # fmt: skip
    thought, call, search, result = found["steps"]
    assert (thought["summary"][0]["text"], thought["signature"]) == ("Hm.", "s")
    assert (call["name"], call["arguments"]) == ("weather", {"city": "Rome"})
    assert search["arguments"] == {"queries": ["a"]}
    assert (result["call_id"], result["result"]) == ("x", "4\n")


async def test_what_is_odd_costs_nothing_else() -> None:
    head: Json = {"id": "v1_a", "status": "in_progress"}
    found = await folded(
        {"event_type": "interaction.created", "interaction": head},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "without a start"}},
        {"event_type": "step.delta", "index": "one", "delta": 7},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "smell", "of": "rain"}},
        *step("function_call", {"type": "arguments_delta", "arguments": "{"}, index=1, arguments={"kept": 1}),
        *step("hologram", {"type": "light", "waves": [1]}, index=2),
        *step("thought", index=3, summary="no list"),
        {"event_type": "interaction.status_update", "status": "completed", "usage": {"total_tokens": 3}},
        {"event_type": "something.new", "depth": 4},
    )
    assert (found["id"], found["status"], found["usage"]["total_tokens"]) == ("v1_a", "completed", 3)
    first, call, hologram, thought = found["steps"]
    assert [content["type"] for content in first["content"]] == ["text", "smell"]
    assert call["arguments"] == "{", "what is broken is shown, not what was there before"
    assert hologram["deltas"] == [{"type": "light", "waves": [1]}]
    assert thought["type"] == "thought"


async def test_the_last_event_may_bring_all_steps() -> None:
    whole = [{"type": "model_output", "content": [{"type": "text", "text": "all"}]}]
    found = await folded(
        *step("model_output", {"type": "text", "text": "al"}),
        {"event_type": "interaction.completed", "interaction": {"id": "v", "status": "completed", "steps": whole}},
    )
    assert found["steps"] == whole


async def test_members_that_are_null_are_as_if_they_were_not_there() -> None:
    thought = {"type": "text", "text": "Hm."}
    found = await folded(
        *step("thought", {"type": "thought_summary", "content": thought}, summary=None, signature=None),
        *step(
            "model_output",
            {"type": "text", "text": "Hello"},
            {"type": "text_annotation_delta", "annotations": None},
            {"type": "text_annotation_delta", "annotations": 5},
            index=1, content=None,
        ),
    )  # fmt: skip
    assert found["steps"][0]["summary"] == [thought]
    assert [said["text"] for said in found["steps"][1]["content"]] == ["Hello"]


@pytest.mark.parametrize("written", [{0: "0", 1: "1"}, {}], ids=["as strings", "not at all"])
async def test_steps_stay_apart_however_their_index_is_written(written: Json) -> None:
    events = [
        *step("thought", {"type": "thought_signature", "signature": "c2ln"}),
        *step("model_output", {"type": "text", "text": "Hello"}, index=1),
    ]
    found = await folded(*({**event, "index": written.get(event["index"])} for event in events))
    assert [one["type"] for one in found["steps"]] == ["thought", "model_output"]
    assert found["steps"][1]["content"] == [{"type": "text", "text": "Hello"}]
