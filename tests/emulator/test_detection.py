"""Object detection: boxes and masks of what really is in the picture."""

from __future__ import annotations

import base64
import json
from typing import Any

import jsonschema
import pytest

from .conftest import Api, ask, text_of
from .drawing import BLUE, GREEN, RED, Drawing, grey_png, inline, picture

pytestmark = pytest.mark.anyio

BOX = {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}


def schema(**more: Any) -> dict[str, Any]:
    properties = {"box_2d": BOX, "label": {"type": "string"}, **more}
    return {"type": "array", "items": {"type": "object", "properties": properties, "required": list(properties)}}


def scene() -> Drawing:
    """A red circle, a blue square and a green triangle."""
    drawing = Drawing(300, 200).paint("circle", RED, 30, 20, 110, 100).paint("square", BLUE, 180, 40, 240, 100)
    return drawing.paint("triangle", GREEN, 100, 120, 150, 180)


async def objects(api: Api, prompt: str, part: dict[str, Any], form: dict[str, Any] | None = None) -> Any:
    form = form or schema()
    config = {"responseMimeType": "application/json", "responseJsonSchema": form}
    response = await api.generate("", contents=ask(part, prompt)["contents"], generationConfig=config)
    value = json.loads(text_of(response))
    jsonschema.validate(value, form)
    return value


@pytest.mark.parametrize("kind", [2, 3, 6])
@pytest.mark.parametrize("filters", [0, 5])
async def test_boxes_are_where_the_things_are_and_the_largest_comes_first(api: Api, kind: int, filters: int) -> None:
    part = inline("image/png", scene().png(filters=filters, kind=kind))
    found = await objects(api, "Detect all objects. Give box_2d bounding boxes.", part)
    assert [one["label"] for one in found] == ["red circle", "blue square", "green triangle"]
    assert [one["box_2d"] for one in found] == [[100, 100, 500, 367], [200, 600, 500, 800], [605, 333, 900, 500]]


async def test_grey_pictures_are_read_too(api: Api) -> None:
    drawing = Drawing(100, 100).paint("square", (0, 0, 0), 10, 10, 50, 50)
    found = await objects(api, "Detect things", inline("image/png", drawing.png(kind=0, filters=4)))
    assert found == [{"box_2d": [100, 100, 500, 500], "label": "black square"}]


async def test_soft_edges_are_no_things_of_their_own(api: Api) -> None:
    found = await objects(api, "Detect all objects", picture(scene().soft()))
    assert [one["label"] for one in found] == ["red circle", "blue square", "green triangle"]
    for one, expected in zip(found, [[100, 100, 500, 367], [200, 600, 500, 800], [605, 333, 900, 500]], strict=True):
        assert all(abs(a - b) <= 7 for a, b in zip(one["box_2d"], expected, strict=True))


async def test_a_line_of_one_pixel_is_found(api: Api) -> None:
    drawing = scene().paint("line", (0, 0, 0), 10, 110, 290, 111)
    found = await objects(api, "Detect the lines", picture(drawing))
    assert found == [{"box_2d": [550, 33, 555, 967], "label": "black line"}]


async def test_large_pictures_are_right_to_a_few_thousandths(api: Api) -> None:
    drawing = Drawing(1500, 1000, (250, 250, 240))
    for y in range(331, 777):
        drawing.rows[y][203:911] = [RED] * 708
    found = await objects(api, "Detect the rectangle", inline("image/png", drawing.png()))
    expected = [331, 135.3, 777, 607.3]
    assert all(abs(a - b) <= 3 for a, b in zip(found[0]["box_2d"], expected, strict=True))


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [
        ("Detect the red circle", ["red circle"]),
        ("Find circles and squares", ["red circle", "blue square"]),
        ("Detect every blue or green thing in the image", ["blue square", "green triangle"]),
        ("Finde das grüne Dreieck", ["green triangle"]),
        ("Detect the red square", []),
        ("Detect everything, one line for each, with bounding boxes as box_2d", ["red circle", "blue square",
                                                                                 "green triangle"]),
    ],
)  # fmt: skip
async def test_only_what_was_asked_for_is_found(api: Api, prompt: str, labels: list[str]) -> None:
    assert [one["label"] for one in await objects(api, prompt, picture(scene()))] == labels


async def test_a_mask_is_a_picture_of_the_box(api: Api) -> None:
    form = schema(mask={"type": "string"})
    found = await objects(api, "Segmentation mask of the red circle", picture(scene()), form)
    prefix, _, data = found[0]["mask"].partition(",")
    assert prefix == "data:image/png;base64"
    width, height, rows = grey_png(base64.b64decode(data))
    assert (width, height) == (80, 80)
    assert rows[40][40] == 255
    assert rows[0][0] == 0
    assert sum(value > 127 for row in rows for value in row) == pytest.approx(3.14159 * 40 * 40, rel=0.03)


async def test_the_list_may_be_inside_of_an_object_and_labels_an_enum(api: Api) -> None:
    label = {"type": "string", "enum": ["circle", "square", "other"]}
    inner = schema(label=label, confidence={"type": "number", "maximum": 1})
    form = {"type": "object", "properties": {"summary": {"type": "string"}, "objects": inner}, "required": ["objects"]}
    found = await objects(api, "Detect all shapes", picture(scene()), form)
    assert [one["label"] for one in found["objects"]] == ["circle", "square", "circle"]
    assert found["summary"]


async def test_without_a_json_mode_the_list_is_fenced(api: Api) -> None:
    prompt = "Detect the blue square and return a JSON list of box_2d and label."
    text = await api.text("", contents=ask(picture(scene()), prompt)["contents"])
    body = text.removeprefix("```json\n").removesuffix("\n```")
    assert json.loads(body) == [{"box_2d": [200, 600, 500, 800], "label": "blue square"}]


@pytest.mark.parametrize(
    ("mime", "data"),
    [("image/jpeg", b"\xff\xd8\xff\xc0\0\x11\x08\0\x30\0\x40" + b"\0" * 20), ("image/png", b"\x89PNG broken")],
)
async def test_pictures_that_cannot_be_read_get_one_plausible_box(api: Api, mime: str, data: bytes) -> None:
    found = await objects(api, "Detect the dog", inline(mime, data), schema(mask={"type": "string"}))
    assert len(found) == 1
    top, left, bottom, right = found[0]["box_2d"]
    assert 0 <= top < bottom <= 1000
    assert 0 <= left < right <= 1000
    assert found[0]["label"] == "dog"


async def test_an_empty_picture_has_nothing_in_it(api: Api) -> None:
    assert await objects(api, "Detect all objects", picture(Drawing(30, 30))) == []
