"""The work `predict`: pictures of Imagen, priced by the piece, and what its filters hold back."""

from __future__ import annotations

import base64
from decimal import Decimal
from pathlib import Path

import pytest

from gemini_server.api.predict import ImagenInstance, ImagenRequest
from gemini_server.errors import Blocked, NotFound
from gemini_server.jobs.job import Job, Request, Step
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.work.predict import Predict
from tests.server.toolkit.working import Gemini, Json, job_for, quiet, runtime_for, usage_in

pytestmark = pytest.mark.anyio

MODEL = "imagen-4.0-generate-001"
REQUEST = ImagenRequest(instances=[ImagenInstance(prompt="a fox")])
PICTURE = b"\x89PNG\r\n\x1a\nnot much of a picture"


def made(data: bytes = PICTURE, mime_type: str | None = "image/png") -> Json:
    prediction: Json = {"bytesBase64Encoded": base64.b64encode(data).decode()}
    return prediction if mime_type is None else {**prediction, "mimeType": mime_type}


def filtered(reason: str) -> Json:
    return {"raiFilteredReason": reason}


@pytest.fixture
def gemini() -> Gemini:
    return Gemini([{"predictions": [made()]}])


@pytest.fixture
def runtime(gemini: Gemini, tmp_path: Path) -> Runtime:
    return runtime_for(gemini, tmp_path)


async def submit(runtime: Runtime, job: Job | None = None) -> Step:
    return await Predict(runtime).submit(job or job_for(model=MODEL), Request(REQUEST), quiet)


async def test_pictures_come_with_a_price_each(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [{"predictions": [made(), made(mime_type="image/jpeg"), made(mime_type=None)]}]
    step = await submit(runtime)
    assert [(one.kind, one.mime_type) for one in step.media] == [
        ("image", "image/png"), ("image", "image/jpeg"), ("image", "image/png"),
    ]  # fmt: skip
    assert step.spent is not None
    assert step.spent.cost_usd == Decimal("0.12")
    assert usage_in(step)["cost_usd"] == 0.12
    assert step.result.keys() == {"usage"}
    assert gemini.paths == [{"model": f"models/{MODEL}"}]


async def test_a_size_without_a_price_costs_nobody_knows_what(runtime: Runtime) -> None:
    step = await submit(runtime, job_for(model=MODEL, size="8K"))
    assert usage_in(step)["cost_usd"] is None


async def test_what_the_filter_held_back_is_said_once_and_not_billed(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [{"predictions": [made(), filtered("A person."), filtered("A person."), {"safetyAttributes": {}}]}]
    step = await submit(runtime)
    assert (step.state, len(step.media)) == ("finished", 1)
    assert step.result["warnings"] == ["A picture was filtered: A person."]
    assert usage_in(step)["cost_usd"] == 0.04


FILTERED: list[tuple[Json, str]] = [
    ({"predictions": [filtered("All were filtered out. Try\x1b[31m again.")]}, "All were filtered out. Try again."),
    ({"predictions": [{"safetyAttributes": {}}]}, "gives no reason"),
    ({}, "gives no reason"),
]


@pytest.mark.parametrize(("answer", "words"), FILTERED)
async def test_nothing_but_filtered_pictures_is_a_failure_that_costs_nothing(
    runtime: Runtime, gemini: Gemini, answer: Json, words: str
) -> None:
    gemini.replies = [answer]
    step = await submit(runtime)
    assert step.state == "failed"
    assert isinstance(step.error, Blocked)
    assert (step.error.code, usage_in(step)["cost_usd"]) == ("IMAGE_SAFETY", 0)
    assert words in str(step.error)


async def test_what_cannot_be_decoded_is_lost(runtime: Runtime, gemini: Gemini) -> None:
    broken = {"bytesBase64Encoded": "!!!"}
    gemini.replies = [{"predictions": [broken, made()]}]
    step = await submit(runtime)
    assert len(step.media) == 1
    assert "no valid base64" in step.result["warnings"][0]
    gemini.replies = [{"predictions": [broken]}]
    step = await submit(runtime)
    assert step.error is not None
    assert "cannot be decoded" in step.error.what
    assert usage_in(step)["cost_usd"] == 0.04


async def test_a_backend_without_the_model_is_told_what_replaces_it(runtime: Runtime, gemini: Gemini) -> None:
    gemini.replies = [NotFound(f"models/{MODEL} is not found.", status=404)]
    with pytest.raises(NotFound, match=r"Use gemini-nano-banana-2\.1 instead"):
        await submit(runtime)
