"""Interactions as jobs: what each state and each odd answer becomes."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from gemini_server.api.interaction_request import CreateInteraction
from gemini_server.errors import BadAnswer, NotFound, RequestRefused, ToolserverError
from gemini_server.jobs.job import Request, Step
from gemini_server.rest.body import RawJson
from gemini_server.toolkit import work
from gemini_server.toolkit.runtime import Runtime

from .works import BASE, OMNI, job, runtime, say_nothing

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

URL = f"{BASE}/interactions"
MP4 = b"\0\0\0\x18ftypisom film"
USAGE = {
    "total_input_tokens": 20,
    "total_output_tokens": 46_336,
    "total_thought_tokens": 0,
    "total_tokens": 46_356,
    "output_tokens_by_modality": [{"modality": "video", "tokens": 46_336}],
}


@pytest.fixture
async def server() -> AsyncGenerator[Runtime]:
    made = runtime()
    yield made
    await made.aclose()


def output(*contents: Json) -> Json:
    return {"type": "model_output", "content": list(contents)}


def video(**members: Any) -> Json:
    return {"type": "video", "mime_type": "video/mp4", "uri": f"{BASE}/files/x:download?alt=media", **members}


def interaction(status: str = "completed", *steps: Json, **members: Any) -> Json:
    return {"id": "v1_abc", "object": "interaction", "status": status, "model": OMNI, "steps": list(steps), **members}


async def polled(server: Runtime, router: respx.Router, answer: Json, **values: Any) -> Step:
    router.get(f"{URL}/v1_abc").mock(return_value=httpx.Response(200, json=answer))
    return await work.load("interaction", server).poll(job(**values), say_nothing)


async def test_a_film_is_begun_once_and_named_by_its_interaction(server: Runtime, httpx2_mock: respx.Router) -> None:
    route = httpx2_mock.post(URL).mock(return_value=httpx.Response(200, json=interaction("in_progress")))
    body = CreateInteraction(model=OMNI, input="a fox", background=True, store=True)
    step = await work.load("interaction", server).submit(job(operation=None), Request(body), say_nothing)
    assert (step.state, step.operation, step.media) == ("running", "v1_abc", [])
    assert route.calls.last.request.content == (
        b'{"input":"a fox","store":true,"background":true,"model":"gemini-omni-1.1-flash"}'
    )


async def test_a_request_that_was_kept_goes_out_as_it_was(server: Runtime, httpx2_mock: respx.Router) -> None:
    route = httpx2_mock.post(URL).mock(return_value=httpx.Response(200, json=interaction("queued")))
    step = await work.load("interaction", server).submit(job(), Request(RawJson(b'{"model":"m"}')), say_nothing)
    assert step.message == "waits in Gemini's queue"
    assert route.calls.last.request.content == b'{"model":"m"}'


@pytest.mark.parametrize("status", [500, 503, 504])
async def test_work_in_the_background_is_not_begun_twice(
    server: Runtime, httpx2_mock: respx.Router, status: int
) -> None:
    error = {"error": {"code": "api_error", "message": "no"}}
    route = httpx2_mock.post(URL).mock(return_value=httpx.Response(status, json=error))
    with pytest.raises(Exception, match="no"):
        await work.load("interaction", server).submit(job(), Request(RawJson(b"{}")), say_nothing)
    assert route.call_count == 1


async def test_work_without_a_name_may_have_been_billed(server: Runtime, httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(URL).mock(return_value=httpx.Response(200, json={"status": "in_progress"}))
    with pytest.raises(BadAnswer, match="no name"):
        await work.load("interaction", server).submit(job(operation=None), Request(RawJson(b"{}")), say_nothing)


async def test_a_finished_film_is_a_file_with_its_cost(server: Runtime, httpx2_mock: respx.Router) -> None:
    asked: Json = {"type": "user_input", "content": [video(uri="https://x.example/mine.mp4")]}
    step = await polled(server, httpx2_mock, interaction("completed", asked, output(video()), usage=USAGE))
    assert step.state == "finished"
    [file] = step.media
    assert (file.kind, file.mime_type, file.uri, file.data) == ("video", "video/mp4", video()["uri"], None)
    assert step.spent is not None
    assert step.spent.cost_usd == Decimal(20) * Decimal("1.5") / 10**6 + Decimal(46336) * Decimal("17.5") / 10**6
    assert step.spent.tokens["output_tokens"] == 46_336
    assert step.result["usage"]["cost_usd"] == pytest.approx(0.81091)
    assert step.result["model_version"] == OMNI
    assert "warnings" not in step.result


async def test_a_film_without_a_breakdown_of_its_tokens_costs_what_was_estimated(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    usage = {"total_output_tokens": 46_336, "total_tokens": 46_336}
    step = await polled(server, httpx2_mock, interaction("completed", output(video()), usage=usage))
    assert step.spent is not None
    assert step.spent.cost_usd == Decimal("0.8")


@pytest.mark.parametrize("alphabet", ["standard", "of URLs", "without padding"])
async def test_bytes_that_come_with_the_answer_are_taken_off_it(
    server: Runtime, httpx2_mock: respx.Router, alphabet: str
) -> None:
    data = MP4 + bytes(range(256))
    encoded = base64.urlsafe_b64encode(data) if alphabet == "of URLs" else base64.b64encode(data)
    text = encoded.decode().rstrip("=" if alphabet == "without padding" else "")
    step = await polled(server, httpx2_mock, interaction("completed", output(video(uri=None, data=text))))
    assert [file.data for file in step.media] == [data]


async def test_broken_bytes_are_a_warning_beside_a_good_file_and_a_failure_alone(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    bad = video(uri=None, data="§§")
    step = await polled(server, httpx2_mock, interaction("completed", output(bad, video())))
    assert len(step.media) == 1
    assert "no valid base64" in step.result["warnings"][0]
    step = await polled(server, httpx2_mock, interaction("completed", output(bad)))
    assert step.state == "failed"
    assert step.error is not None
    assert "no valid base64" in step.error.what


async def test_a_film_that_did_not_come_says_what_the_model_said(server: Runtime, httpx2_mock: respx.Router) -> None:
    text = {"type": "text", "text": "I cannot make\u202e this."}
    step = await polled(server, httpx2_mock, interaction("completed", output(text), usage=USAGE))
    assert step.state == "failed"
    assert step.error is not None
    assert step.error.code == "no_media"
    assert "Gemini says: I cannot make this." in step.error.what
    assert step.spent is not None


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        ({"errors": [{"code": "safety", "message": "Unsafe."}]}, "safety", "safety filter objected: Unsafe."),
        ({"errors": [{"code": "prohibited_content"}]}, "prohibited_content", "may be prohibited."),
        ({"errors": [{"code": "video_other", "message": "x"}]}, "video_other", "a filter objected: x."),
        ({"errors": [{"code": "quota_exceeded", "message": "Enough."}]}, "quota_exceeded", "Enough."),
        ({"errors": [{"code": "api_error", "message": "Internal"}]}, "api_error", "it failed (api_error): Internal."),
        ({"steps": [{"type": "model_output", "error": {"code": 13, "message": "Bang"}}]}, "INTERNAL", "Bang."),
        ({"steps": [{"type": "model_output", "error": {"code": 3}}]}, "INVALID_ARGUMENT", "it failed"),
        ({}, "no reason given", "it failed (no reason given)."),
    ],
)
async def test_what_failed_says_why(
    server: Runtime, httpx2_mock: respx.Router, members: Json, code: str, words: str
) -> None:
    step = await polled(server, httpx2_mock, interaction("failed", **members))
    assert step.state == "failed"
    assert step.error is not None
    assert step.error.code == code
    assert words in step.error.what
    assert step.error.remedy
    assert step.spent is None


@pytest.mark.parametrize("status", ["incomplete", "budget_exceeded", "requires_continuation"])
async def test_what_stopped_early_is_kept_with_a_warning(
    server: Runtime, httpx2_mock: respx.Router, status: str
) -> None:
    step = await polled(server, httpx2_mock, interaction(status, output(video())))
    assert step.state == "finished"
    assert "Gemini stopped" in step.result["warnings"][0]
    step = await polled(server, httpx2_mock, interaction(status))
    assert step.state == "failed"
    assert step.error is not None
    assert "Gemini stopped" in step.error.what


async def test_media_never_wait_for_a_function_and_other_work_does(server: Runtime, httpx2_mock: respx.Router) -> None:
    call = {"type": "function_call", "id": "c1", "name": "look", "arguments": {"at": 1}}
    step = await polled(server, httpx2_mock, interaction("requires_action", call))
    assert step.state == "failed"
    step = await polled(server, httpx2_mock, interaction("requires_action", call), kind="research")
    assert (step.state, step.result["status"]) == ("finished", "requires_action")
    assert step.result["function_calls"] == [{"id": "c1", "name": "look", "arguments": {"at": 1}}]
    assert 'previous="v1_abc"' in step.result["warnings"][0]


async def test_what_goes_on_says_what_it_thinks_of(server: Runtime, httpx2_mock: respx.Router) -> None:
    summary = [{"type": "text", "text": "**Choosing a lens**\nThe fox is small."}]
    thought: Json = {"type": "thought", "signature": "x", "summary": summary}
    step = await polled(server, httpx2_mock, interaction("in_progress", {"type": "user_input"}, thought))
    assert (step.state, step.message) == ("running", "Choosing a lens")
    step = await polled(server, httpx2_mock, interaction("in_progress", thought, {"type": "google_search_call"}))
    assert step.message == "google search"
    step = await polled(server, httpx2_mock, interaction("dreaming"))
    assert (step.state, step.message) == ("running", "Gemini says: dreaming")


async def test_a_state_that_is_new_is_an_end_when_nothing_changes_any_more(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    text: Json = {"type": "text", "text": "Foxes dig."}
    going = [interaction("dreaming", output(text), usage={"total_tokens": n}) for n in (1, 1, 1, 1, 2)]
    still = going[-1:] * 4
    found = [httpx.Response(200, json=answer) for answer in (*going, *still)]
    httpx2_mock.get(f"{URL}/v1_abc").mock(side_effect=found)
    doing = work.load("interaction", server)
    steps = [await doing.poll(job(kind="interaction"), say_nothing) for _ in (*going, *still)]
    assert [step.state for step in steps] == ["running"] * 8 + ["finished"]
    assert (steps[-1].result["text"], steps[-1].result["status"]) == ("Foxes dig.", "dreaming")
    assert "'dreaming', which this server does not know" in steps[-1].result["warnings"][0]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (interaction("dreaming"), "running"),
        (interaction("dreaming", output({"type": "text", "text": "Soon."})), "running"),
        (interaction("dreaming", output(video())), "finished"),
        (interaction("dreaming", errors=[{"code": "api_error", "message": "Bang"}]), "failed"),
        (interaction("in_progress", output(video())), "running"),
    ],
    ids=["nothing", "a text beside", "a film", "an error", "a state that is known"],
)
async def test_a_film_waits_for_its_film_in_a_state_that_is_new(
    server: Runtime, httpx2_mock: respx.Router, answer: Json, state: str
) -> None:
    httpx2_mock.get(f"{URL}/v1_abc").mock(return_value=httpx.Response(200, json=answer))
    doing = work.load("interaction", server)
    steps = [await doing.poll(job(), say_nothing) for _ in range(5)]
    assert [step.state for step in steps] == [*["running"] * 4, state]


async def test_kinds_of_steps_and_content_that_are_new_pass(server: Runtime, httpx2_mock: respx.Router) -> None:
    new: Json = {"type": "hologram_call", "arguments": {"deep": [1]}, "odd": None}
    contents = ({"type": "hologram", "data": "AAAA", "waves": 3}, video())
    step = await polled(server, httpx2_mock, interaction("completed", new, output(*contents), new_member={"a": 1}))
    assert step.state == "finished"
    assert len(step.media) == 1


async def test_sound_without_a_header_gets_one(server: Runtime, httpx2_mock: respx.Router) -> None:
    pcm = {
        "type": "audio",
        "mime_type": "audio/l16",
        "sample_rate": 16_000,
        "data": base64.b64encode(bytes(32_000)).decode(),
    }
    step = await polled(server, httpx2_mock, interaction("completed", output(pcm)), kind="speech")
    [file] = step.media
    assert (file.kind, file.mime_type) == ("speech", "audio/wav")
    with wave.open(io.BytesIO(file.data or b"")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (16_000, 16_000)


async def test_songs_have_a_price_each(server: Runtime, httpx2_mock: respx.Router) -> None:
    song = {"type": "audio", "mime_type": "audio/mp3", "data": base64.b64encode(b"ID3").decode()}
    answer = interaction("completed", output(song, {"type": "text", "text": "La"}), model="lyria-3.5", usage=USAGE)
    step = await polled(server, httpx2_mock, answer, kind="music", model="lyria-3.5", cost_usd=None)
    assert step.spent is not None
    assert step.spent.cost_usd == Decimal("0.08")
    assert step.result["text"] == "La"


async def test_text_is_joined_and_its_citations_are_placed_in_characters(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    said = "Größe: 3 m"
    cite = {
        "type": "url_citation",
        "start_index": 0,
        "end_index": len("Größe".encode()),
        "url": "https://s.example/",
        "title": "S",
    }
    bad = {**cite, "url": "javascript:alert(1)"}
    first = output({"type": "text", "text": "One. "}, {"type": "text", "text": said, "annotations": [cite, bad]})
    answer = interaction("completed", first, output({"type": "text", "text": "Two."}))
    step = await polled(server, httpx2_mock, answer, kind="research", wish={"sources": ["web"]})
    assert step.result["text"] == f"One. {said}\n\nTwo."
    [citation] = step.result["citations"]
    assert step.result["text"][citation["start"] : citation["end"]] == "Größe"
    assert citation["title"] == "S"
    assert step.result["untrusted"] == "web"
    assert "1 sources are left out" in step.result["warnings"][0]


async def test_a_model_that_google_rerouted_is_told(server: Runtime, httpx2_mock: respx.Router) -> None:
    step = await polled(server, httpx2_mock, interaction("completed", output(video()), model="gemini-omni-1.2-flash"))
    assert "gemini-omni-1.2-flash answered" in step.result["warnings"][0]


async def test_stopping_takes_what_google_says(server: Runtime, httpx2_mock: respx.Router) -> None:
    film = work.load("interaction", server)
    route = httpx2_mock.post(f"{URL}/v1_abc/cancel")
    route.mock(return_value=httpx.Response(200, json=interaction("cancelled")))
    step = await film.cancel(job())
    assert step is not None
    assert step.state == "cancelled"
    route.mock(return_value=httpx.Response(200, json=interaction("in_progress")))
    assert await film.cancel(job()) is None
    route.mock(return_value=httpx.Response(200, json=interaction("completed", output(video()))))
    step = await film.cancel(job())
    assert step is not None
    assert step.state == "finished"
    over = {"error": {"code": "failed_precondition", "message": "It has ended."}}
    route.mock(return_value=httpx.Response(400, json=over))
    assert await film.cancel(job()) is None
    assert await film.cancel(job(operation=None)) is None


async def test_an_interaction_that_is_gone_says_what_else_can_be_given(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    gone = {"error": {"code": "not_found", "message": "Interaction v1_old was not found."}}
    httpx2_mock.post(URL).mock(return_value=httpx.Response(404, json=gone))
    with pytest.raises(NotFound) as told:
        await work.load("interaction", server).submit(job(), Request(RawJson(b"{}")), say_nothing)
    assert "gemini://artifacts/ID" in told.value.remedy


async def test_a_refusal_begins_nothing(server: Runtime, httpx2_mock: respx.Router) -> None:
    bad = {"error": {"code": "parameter_unknown", "message": "Unknown parameter 'x'."}}
    httpx2_mock.post(URL).mock(return_value=httpx.Response(400, json=bad))
    with pytest.raises(RequestRefused, match="Unknown parameter"):
        await work.load("interaction", server).submit(job(), Request(RawJson(b"{}")), say_nothing)


async def test_an_answer_that_is_waited_for_is_asked_again_when_gemini_is_overloaded(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    busy = httpx.Response(503, json={"error": {"code": "overloaded", "message": "later"}}, headers={"retry-after": "0"})
    good = httpx.Response(200, json=interaction("completed", output(video())))
    route = httpx2_mock.post(URL).mock(side_effect=[busy, good])
    now = work.load("interaction_now", server)
    step = await now.submit(job(operation=None), Request(RawJson(b"{}")), say_nothing)
    assert (now.background, step.state, route.call_count) == (False, "finished", 2)


@pytest.mark.parametrize(
    "usage", [{"total_tokens": "many"}, {"total_tokens": 1.5}, {"output_tokens_by_modality": 5}, [], "none"]
)
async def test_a_misshapen_count_does_not_cost_the_video(
    server: Runtime, httpx2_mock: respx.Router, usage: Any
) -> None:
    step = await polled(server, httpx2_mock, interaction("completed", output(video()), usage=usage))
    assert step.state == "finished"
    assert [one.uri for one in step.media] == [video()["uri"]]


async def test_what_has_ended_is_taken_though_google_fails_to_stop_it(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    httpx2_mock.post(f"{URL}/v1_abc/cancel").mock(return_value=httpx.Response(403, json={"error": {"code": "x"}}))
    route = httpx2_mock.get(f"{URL}/v1_abc")
    film = work.load("interaction", server)
    route.mock(return_value=httpx.Response(200, json=interaction("in_progress")))
    with pytest.raises(ToolserverError):
        await film.cancel(job())
    route.mock(return_value=httpx.Response(200, json=interaction("completed", output(video()), usage=USAGE)))
    step = await film.cancel(job())
    assert step is not None
    assert step.state == "finished"
