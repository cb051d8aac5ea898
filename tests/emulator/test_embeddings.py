"""Embeddings: both models, their rules, and vectors whose likeness means something."""

from __future__ import annotations

import math
import struct
import time
import zipfile
from io import BytesIO
from typing import Any

import pytest

from .conftest import Api
from .drawing import BLUE, RED, Drawing, inline, picture

pytestmark = pytest.mark.anyio

V1, V2 = "gemini-embedding-001", "gemini-embedding-2"


def content(*parts: str | dict[str, Any]) -> dict[str, Any]:
    return {"parts": [{"text": one} if isinstance(one, str) else one for one in parts]}


async def embed(api: Api, *parts: str | dict[str, Any], model: str = V2, **fields: Any) -> list[float]:
    response = await api.post("embedContent", {"content": content(*parts), **fields}, model=model)
    assert response.status_code == 200, response.text
    values: list[float] = response.json()["embedding"]["values"]
    return values


async def refused(api: Api, body: object, *, model: str = V2, verb: str = "embedContent", status: int = 400) -> str:
    response = await api.post(verb, body, model=model)
    assert response.status_code == status, response.text
    return str(response.json()["error"]["message"])


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


@pytest.mark.parametrize("model", [V1, V2])
async def test_a_vector_has_3072_dimensions_and_unit_length_and_is_the_same_each_time(api: Api, model: str) -> None:
    first, again = [await embed(api, "The tides of Brittany", model=model) for _ in range(2)]
    assert len(first) == 3072
    assert first == again
    assert math.hypot(*first) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("where", ["top", "config"])
async def test_a_shortened_vector_is_the_beginning_and_only_the_second_model_scales_it(api: Api, where: str) -> None:
    asked: dict[str, Any] = {"outputDimensionality": 256}
    fields: dict[str, Any] = asked if where == "top" else {"embedContentConfig": asked}
    whole, old = await embed(api, "hello", model=V1), await embed(api, "hello", model=V1, **fields)
    assert old == whole[:256]
    assert math.hypot(*old) < 0.6
    new = await embed(api, "hello", **fields)
    assert len(new) == 256
    assert math.hypot(*new) == pytest.approx(1, abs=1e-5)
    assert likeness(new, (await embed(api, "hello"))[:256]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("model", [V1, V2])
async def test_related_texts_are_closer_than_unrelated_ones(api: Api, model: str) -> None:
    question = await embed(api, "How do I feed a young cat?", model=model)
    close = await embed(api, "Feeding your kitten in the first weeks", model=model)
    foreign = await embed(api, "Futter für die junge Katze", model=model)
    far = await embed(api, "Quarterly revenue of the steel industry", model=model)
    assert likeness(question, close) > likeness(question, foreign) > likeness(question, far) + 0.1
    car, auto, kuruma = [await embed(api, word, model=model) for word in ("car", "Auto", "車")]
    assert min(likeness(car, auto), likeness(car, kuruma)) > 0.4


async def test_the_spaces_of_the_two_models_have_nothing_in_common(api: Api) -> None:
    assert abs(likeness(await embed(api, "cat", model=V1), await embed(api, "cat"))) < 0.1


async def test_words_are_close_to_the_picture_that_they_describe(api: Api) -> None:
    red = picture(Drawing(80, 80).paint("circle", RED, 20, 20, 60, 60))
    blue = picture(Drawing(80, 80).paint("square", BLUE, 20, 20, 60, 60))
    words = await embed(api, "a red circle")
    assert likeness(words, await embed(api, red)) > likeness(words, await embed(api, blue)) + 0.3


async def test_several_parts_of_one_content_make_one_vector(api: Api) -> None:
    both, one = await embed(api, "cats", "volcanoes"), await embed(api, "cats")
    assert len(both) == 3072
    assert 0.3 < likeness(both, one) < 0.95
    assert both == await embed(api, "cats volcanoes")


async def test_every_modality_is_embedded_and_counted(api: Api) -> None:
    parts = [
        picture(Drawing(20, 20)), inline("audio/wav", b"RIFF0000"), inline("video/mp4", b"mp4"),
        inline("application/pdf", b"%PDF-1.7 /Type /Page (Tides of Brittany) Tj"), {"text": "hi"},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://files.example/cat.png"}},
    ]  # fmt: skip
    response = (await api.post("embedContent", {"content": content(*parts)}, model=V2)).json()
    details = {one["modality"]: one["tokenCount"] for one in response["usageMetadata"]["promptTokenDetails"]}
    assert set(details) == {"IMAGE", "AUDIO", "VIDEO", "DOCUMENT", "TEXT"}
    assert response["usageMetadata"]["promptTokenCount"] == sum(details.values())
    pdf = await embed(api, parts[3])
    assert likeness(pdf, await embed(api, "tides of brittany")) > 0.4


async def test_the_task_type_changes_vectors_of_the_first_model_only(api: Api) -> None:
    plain, query = await embed(api, "cat", model=V1), await embed(api, "cat", model=V1, taskType="RETRIEVAL_QUERY")
    assert plain != query
    assert likeness(plain, query) > 0.7
    assert await embed(api, "cat") == await embed(api, "cat", taskType="RETRIEVAL_QUERY", title="Animals")
    titled = await embed(api, "cat", model=V1, taskType="RETRIEVAL_DOCUMENT", title="Animals")
    assert titled != await embed(api, "cat", model=V1, taskType="RETRIEVAL_DOCUMENT")


async def test_a_batch_keeps_its_order(api: Api) -> None:
    words = [f"topic {number}" for number in range(100)]
    requests = [{"model": f"models/{V2}", "content": content(word), "outputDimensionality": 32} for word in words]
    response = (await api.post("batchEmbedContents", {"requests": requests}, model=V2)).json()
    vectors = [one["values"] for one in response["embeddings"]]
    assert len(vectors) == 100
    assert vectors[57] == await embed(api, "topic 57", outputDimensionality=32)
    assert response["usageMetadata"]["promptTokenCount"] == sum(-(-len(word) // 4) for word in words)


async def test_1200_texts_take_less_than_a_few_seconds(api: Api) -> None:
    began = time.process_time()
    for batch in range(12):
        requests = [
            {"model": f"models/{V2}", "content": content(f"note {batch * 100 + at} on the weather in town {at}")}
            for at in range(100)
        ]
        assert (await api.post("batchEmbedContents", {"requests": requests}, model=V2)).status_code == 200
    # Two seconds on an idle machine, client included; more where others are at work.
    assert time.process_time() - began < 6


async def test_a_long_text_is_truncated_unless_that_is_forbidden(api: Api) -> None:
    body: dict[str, Any] = {"content": content("word " * 4000)}
    response = (await api.post("embedContent", body, model=V1)).json()
    assert response["usageMetadata"]["promptTokenCount"] == 2048
    body["embedContentConfig"] = {"autoTruncate": False}
    assert "exceeds the maximum number of tokens allowed (2048)" in await refused(api, body, model=V1)
    assert (await api.post("embedContent", body, model=V2)).status_code == 200


async def test_an_error_can_be_asked_for_inside_of_a_batch(api: Api) -> None:
    requests = [
        {"model": f"models/{V2}", "content": content(text)} for text in ("a", "b [emulate: status=503 times=1]")
    ]
    assert (await api.post("batchEmbedContents", {"requests": requests}, model=V2)).status_code == 503
    assert (await api.post("batchEmbedContents", {"requests": requests}, model=V2)).status_code == 200


def pages(count: int) -> bytes:
    return b"%PDF-1.7 " + b"/Type /Page " * count


def film(seconds: int) -> bytes:
    return b"\0" * 8 + b"mvhd" + b"\0" * 12 + struct.pack(">II", 1, seconds) + b"\0" * 16


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("an unknown task", V1, {"content": content("x"), "taskType": "POETRY"}, 'TaskType), "POETRY"'),
    ("no content", V2, {}, "content is not specified"),
    ("no parts", V2, {"content": {}}, "parts must not be empty"),
    ("an empty text", V2, {"content": content("")}, "empty Part"),
    ("no dimensions", V2, {"content": content("x"), "outputDimensionality": 0}, "in the range [1, 3072]"),
    ("too many dimensions", V1, {"content": content("x"), "outputDimensionality": 3073}, "in the range [1, 3072]"),
    ("another model", V2, {"content": content("x"), "model": f"models/{V1}"}, "does not match"),
    ("a bare model name", V2, {"content": content("x"), "model": V2}, "unexpected model name format"),
    ("a picture for the first model", V1, {"content": content(picture(Drawing(4, 4)))}, "only supports text"),
    ("a title for a query", V1, {"content": content("x"), "title": "T", "taskType": "RETRIEVAL_QUERY"}, "title"),
    ("seven pictures", V2, {"content": content(*[picture(Drawing(4, 4))] * 7)}, "At most 6 images"),
    ("a GIF", V2, {"content": content(inline("image/gif", b"GIF89a"))}, "Unsupported MIME type"),
    ("a long PDF", V2, {"content": content(inline("application/pdf", pages(7)))}, "7 pages"),
    ("a long film", V2, {"content": content(inline("video/mp4", film(121)))}, "too long"),
    ("an unknown field", V2, {"content": content("x"), "dimensions": 5}, 'Unknown name "dimensions"'),
]  # fmt: skip


@pytest.mark.parametrize(("what", "model", "body", "words"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_an_embedding_is_refused(api: Api, what: str, model: str, body: dict[str, Any], words: str) -> None:
    assert words in await refused(api, body, model=model), what


async def test_a_batch_is_refused_when_it_is_empty_too_large_or_for_another_model(api: Api) -> None:
    one = {"model": f"models/{V2}", "content": content("x")}
    verb = "batchEmbedContents"
    assert "must not be empty" in await refused(api, {"requests": []}, verb=verb)
    assert "at most 100 requests can be in one batch" in await refused(api, {"requests": [one] * 101}, verb=verb)
    other = {**one, "model": f"models/{V1}"}
    assert "requests[1].model" in await refused(api, {"requests": [one, other]}, verb=verb)
    nameless = {"content": content("x")}
    assert "unexpected model name format" in await refused(api, {"requests": [nameless]}, verb=verb)


async def test_models_do_either_embeddings_or_answers(api: Api) -> None:
    body = {"content": content("x")}
    assert "not supported for embedContent" in await refused(api, body, model="gemini-3.8-flash", status=404)
    question = {"contents": [content("x")]}
    assert "not supported for" in await refused(api, question, verb="generateContent", status=404)


async def test_an_office_file_is_embedded_by_its_text(api: Api) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w:p><w:t>Volcanoes of Iceland</w:t></w:p>")
    mime = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    vector = await embed(api, inline(mime, buffer.getvalue()))
    assert likeness(vector, await embed(api, "volcanoes of Iceland")) > 0.4
