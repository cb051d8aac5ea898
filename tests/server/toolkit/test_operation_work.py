"""Operations as jobs, and what Veo's say of its videos."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from gemini_server.errors import BadAnswer, NotFound
from gemini_server.jobs.job import Job, Request, Step
from gemini_server.rest.body import RawJson
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit import work
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.operation import OperationWork

from .works import BASE, job, runtime, say_nothing

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

VEO = "veo-3.1-generate-preview"
NAME = f"models/{VEO}/operations/o1"
NAMES = [
    NAME,
    "tunedModels/t/operations/o1",
    "generatedFiles/f/operations/o1",
    "corpora/c/operations/o1",
    "fileSearchStores/s/operations/o1",
    "fileSearchStores/s/upload/operations/o1",
]


class Kept(OperationWork):
    """A work whose result is its operation's answer."""

    async def finished(self, job: Job, response: JsonObject) -> Step:
        return Step("finished", result=response)


@pytest.fixture
async def server() -> AsyncGenerator[Runtime]:
    made = runtime()
    yield made
    await made.aclose()


def film(**values: Any) -> Job:
    return job(**{"work": "veo", "model": VEO, "operation": NAME, **values})


def done(*samples: Json, **members: Any) -> Json:
    return {
        "name": NAME,
        "done": True,
        "response": {"generateVideoResponse": {"generatedSamples": list(samples), **members}},
    }


def sample(number: int) -> Json:
    return {"video": {"uri": f"{BASE}/files/{number}:download?alt=media"}}


async def polled(server: Runtime, router: respx.Router, answer: Json, **values: Any) -> Step:
    router.get(f"{BASE}/{NAME}").mock(return_value=httpx.Response(200, json=answer))
    return await work.load("veo", server).poll(film(**values), say_nothing)


@pytest.mark.parametrize("name", NAMES)
async def test_every_sort_of_operation_is_asked_for_by_its_name(
    server: Runtime, httpx2_mock: respx.Router, name: str
) -> None:
    route = httpx2_mock.get(f"{BASE}/{name}").mock(
        return_value=httpx.Response(200, json={"name": name, "metadata": {"completedPercent": 25}})
    )
    step = await Kept(server).poll(job(operation=name), say_nothing)
    assert (step.state, step.operation, step.progress) == ("running", name, 0.25)
    route.mock(return_value=httpx.Response(200, json={"name": name, "done": True, "response": {"a": 1}}))
    step = await Kept(server).poll(job(operation=name), say_nothing)
    assert (step.state, step.operation, step.result) == ("finished", name, {"a": 1})


async def test_only_operations_of_tuned_models_can_be_stopped_and_the_others_say_so(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    name = "tunedModels/t/operations/o1"
    url = f"{BASE.replace('v1beta', 'v1')}/{name}:cancel"
    route = httpx2_mock.post(url).mock(return_value=httpx.Response(200, json={}))
    assert await Kept(server).cancel(job(operation=name)) is None
    assert route.call_count == 1
    assert await Kept(server).cancel(film()) is None
    step = await polled(server, httpx2_mock, {"name": NAME}, cancelling=True)
    assert "it goes on, and is billed" in step.message
    ended = {"name": NAME, "done": True, "error": {"code": 1, "message": "cancelled"}}
    assert (await polled(server, httpx2_mock, ended)).state == "cancelled"


async def test_a_film_is_begun_by_its_model_and_named_by_its_operation(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    url = f"{BASE}/models/{VEO}:predictLongRunning"
    httpx2_mock.post(url).mock(return_value=httpx.Response(200, json={"name": NAME}))
    step = await work.load("veo", server).submit(film(operation=None), Request(RawJson(b"{}")), say_nothing)
    assert (step.state, step.operation) == ("running", NAME)
    httpx2_mock.post(url).mock(return_value=httpx.Response(200, json={}))
    with pytest.raises(BadAnswer, match="no name"):
        await work.load("veo", server).submit(film(operation=None), Request(RawJson(b"{}")), say_nothing)


async def test_a_model_that_is_gone_names_its_replacement(server: Runtime, httpx2_mock: respx.Router) -> None:
    gone = {"error": {"code": 404, "message": f"models/{VEO} is not found", "status": "NOT_FOUND"}}
    httpx2_mock.post(f"{BASE}/models/{VEO}:predictLongRunning").mock(return_value=httpx.Response(404, json=gone))
    with pytest.raises(NotFound) as told:
        await work.load("veo", server).submit(film(), Request(RawJson(b"{}")), say_nothing)
    assert "gemini-omni-1.1-flash" in told.value.remedy


async def test_the_videos_come_as_links_and_cost_what_was_estimated(server: Runtime, httpx2_mock: respx.Router) -> None:
    step = await polled(server, httpx2_mock, done(sample(1), sample(2)), cost_usd=Decimal("3.2"))
    assert [file.uri for file in step.media] == [sample(n)["video"]["uri"] for n in (1, 2)]
    assert step.spent is not None
    assert step.spent.cost_usd == Decimal("3.2")


async def test_a_video_may_come_with_the_answer(server: Runtime, httpx2_mock: respx.Router) -> None:
    inline = {"video": {"video": base64.b64encode(b"film").decode(), "encoding": "video/mp4"}}
    step = await polled(server, httpx2_mock, done(inline, {"video": {"video": "§"}}, {}))
    assert [file.data for file in step.media] == [b"film"]


async def test_videos_that_are_all_filtered_have_failed_for_the_reasons_given(
    server: Runtime, httpx2_mock: respx.Router
) -> None:
    reasons = ["The prompt names\u202e a celebrity. ", "x"]
    step = await polled(server, httpx2_mock, done(raiMediaFilteredCount=1, raiMediaFilteredReasons=reasons))
    assert step.state == "failed"
    assert step.error is not None
    assert step.error.code == "filtered"
    assert "The prompt names a celebrity; x." in step.error.what
    assert step.error.remedy
    step = await polled(server, httpx2_mock, done(raiMediaFilteredCount=1))
    assert step.error is not None
    assert "without a reason given." in step.error.what


async def test_some_that_are_filtered_are_a_warning(server: Runtime, httpx2_mock: respx.Router) -> None:
    step = await polled(server, httpx2_mock, done(sample(1), raiMediaFilteredCount=1, raiMediaFilteredReasons=["r"]))
    assert step.state == "finished"
    assert step.result["warnings"] == ["1 more of the videos were held back because of Google's rules for content: r."]


async def test_an_odd_count_or_link_does_not_cost_the_other_videos(server: Runtime, httpx2_mock: respx.Router) -> None:
    odd: Json = {"raiMediaFilteredCount": {"new": 1}, "raiMediaFilteredReasons": "none"}
    step = await polled(server, httpx2_mock, done({"video": {"uri": 5}}, sample(1), **odd))
    assert (step.state, [one.uri for one in step.media]) == ("finished", [sample(1)["video"]["uri"]])


async def test_a_document_whose_import_is_told_oddly_is_there(server: Runtime, httpx2_mock: respx.Router) -> None:
    name, document = "fileSearchStores/s/operations/o1", "fileSearchStores/s/documents/d"
    told = {"documentName": document, "mimeType": {"new": 1}, "sizeBytes": "many"}
    httpx2_mock.get(f"{BASE}/{name}").mock(
        return_value=httpx.Response(200, json={"name": name, "done": True, "response": told})
    )
    httpx2_mock.get(f"{BASE}/{document}").mock(
        return_value=httpx.Response(404, json={"error": {"code": 404, "message": "Not found."}})
    )
    importing = job(work="store_import", operation=name, wish={"store": "fileSearchStores/s"})
    step = await work.load("store_import", server).poll(importing, say_nothing)
    assert step.state == "finished"
    assert step.result["document"]["name"] == document


@pytest.mark.parametrize(
    "answer",
    [done(), {"name": NAME, "done": True}, {"name": NAME, "done": True, "response": {"generateVideoResponse": 7}}],
)
async def test_a_film_that_is_finished_without_a_file_has_failed(
    server: Runtime, httpx2_mock: respx.Router, answer: Json
) -> None:
    step = await polled(server, httpx2_mock, answer)
    assert step.state == "failed"
    assert step.error is not None
    assert step.error.code == "no_media"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ({"code": 3, "message": "Bad image"}, 400, "(INVALID_ARGUMENT): Bad image."),
        ({"code": 8, "message": "Too much!"}, 429, "(RESOURCE_EXHAUSTED): Too much!"),
        ({"code": 13, "message": ""}, 500, "(INTERNAL)."),
        ({"code": 99}, None, "(99)."),
    ],
)
async def test_an_error_inside_a_good_answer_is_told(
    server: Runtime, httpx2_mock: respx.Router, error: Json, status: int | None, words: str
) -> None:
    step = await polled(server, httpx2_mock, {"name": NAME, "done": True, "error": error})
    assert step.state == "failed"
    assert step.error is not None
    assert step.error.status == status
    assert words in step.error.what
