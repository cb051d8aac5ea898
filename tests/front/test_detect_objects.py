"""detect_objects through the front door: boxes in thousandths and pixels, the drawn picture, masks."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from PIL import Image, ImageDraw, ImageOps

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, said, sent, warned
from tests.front.test_attachments import PDF, parts, wav

pytestmark = pytest.mark.anyio

SIZE = (640, 480)
SHAPES = {
    "red circle": (60, 40, 220, 200),
    "blue square": (400, 100, 520, 220),
    "green triangle": (200, 260, 340, 420),
}
HOSTILE = "\x1b[31mred\x1b[0m\u202e\x00 ![x](https://evil.example/?q)\n<script>alert(1)</script>"


def scene() -> Image.Image:
    """A red circle, a blue square and a green triangle on white."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    x0, y0, x1, y1 = SHAPES["red circle"]
    draw.ellipse((x0, y0, x1 - 1, y1 - 1), fill=(220, 20, 30))
    x0, y0, x1, y1 = SHAPES["blue square"]
    draw.rectangle((x0, y0, x1 - 1, y1 - 1), fill=(20, 40, 220))
    x0, y0, x1, y1 = SHAPES["green triangle"]
    draw.polygon([(x0, y1 - 1), ((x0 + x1) // 2, y0), (x1 - 1, y1 - 1)], fill=(20, 150, 50))
    return picture


def encoded(picture: Image.Image, form: str = "PNG", **more: Any) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **more)
    return buffer.getvalue()


@pytest.fixture(name="connect")
def connect_to_media(connect: Connect) -> Connect:
    """Connect to a server with the media tools, of which only one is on by default."""
    return partial(connect, toolsets=("media",))


@pytest.fixture
def scene_png(tmp_path: Path) -> Path:
    """The scene as a file in the allowed directory."""
    file = tmp_path / "allowed" / "scene.png"
    file.write_bytes(encoded(scene()))
    return file


async def detect(client: Client, image: str = "scene.png", **more: Any) -> Json:
    """The structured result, which must succeed."""
    return structured(await client.call_tool("detect_objects", {"image": image, **more}))


async def refused(client: Client, image: str = "scene.png", **more: Any) -> str:
    """The text of a failing call."""
    return error_of(await client.call_tool("detect_objects", {"image": image, **more}))


def near(box: list[int], expected: tuple[int, ...], size: tuple[int, int] = SIZE) -> bool:
    """Whether a box is right to one percent of the picture."""
    sides = (size[0], size[1], size[0], size[1])
    return all(abs(a - b) <= side / 100 for a, b, side in zip(box, expected, sides, strict=True))


def picture_of(artifact: Json) -> Image.Image:
    """An artifact's file, decoded."""
    picture = Image.open(artifact["path"])
    picture.load()
    return picture


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
async def test_boxes_are_where_the_shapes_were_drawn(
    connect: Connect, emulator: Emulator, scene_png: Path, mode: str, absolute: bool
) -> None:
    async with connect(mode=mode) as client:
        found = await detect(client, str(scene_png) if absolute else "scene.png")
    boxes = {one["label"]: one for one in found["objects"]}
    assert boxes.keys() == SHAPES.keys()
    for name, (x0, y0, x1, y1) in SHAPES.items():
        assert near(boxes[name]["box_px"], (x0, y0, x1, y1)), name
        width, height = SIZE
        expected = (1000 * y0 // height, 1000 * x0 // width, 1000 * y1 // height, 1000 * x1 // width)
        assert near(boxes[name]["box_2d"], expected, (1000, 1000)), name
        assert "mask" not in boxes[name]
    assert found["usage"]["cost_usd"] > 0
    assert found["untrusted"] == "files"
    assert "warnings" not in found
    assert len(emulator.requests) == 1


async def test_only_what_was_asked_for_is_found(connect: Connect, emulator: Emulator, scene_png: Path) -> None:
    async with connect() as client:
        found = await detect(client, what="the blue square")
    assert [one["label"] for one in found["objects"]] == ["blue square"]
    config = sent(emulator)["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"]["items"]["required"] == ["box_2d", "label"]
    assert config["thinkingConfig"] == {"thinkingLevel": "LOW"}


async def test_nothing_found_is_no_failure_and_no_picture(
    connect: Connect, emulator: Emulator, scene_png: Path, tmp_path: Path
) -> None:
    async with connect() as client:
        found = await detect(client, what="a red square")
    assert found["objects"] == found["artifacts"] == []
    assert not list((tmp_path / "output").glob("*"))


async def test_the_boxes_are_drawn_on_a_picture_of_the_same_size(
    connect: Connect, emulator: Emulator, scene_png: Path
) -> None:
    async with connect() as client:
        result = await client.call_tool("detect_objects", {"image": "scene.png"})
    found = structured(result)
    (artifact,) = found["artifacts"]
    assert (artifact["mime_type"], artifact["width"], artifact["height"]) == ("image/png", *SIZE)
    assert Path(artifact["path"]).name.startswith("boxes-")
    drawn, original = picture_of(artifact), scene()
    assert drawn.size == SIZE
    for one in found["objects"]:
        x0, y0, x1, y1 = one["box_px"]
        corners = [(x0, y0), (x1 - 1, y0), (x0, y1 - 1), (x1 - 1, y1 - 1)]
        assert len({drawn.getpixel(corner) for corner in corners}) == 1, one["label"]
        assert drawn.getpixel(corners[3]) not in ((255, 255, 255), original.getpixel(corners[3])), one["label"]
        centre = ((x0 + x1) // 2, (y0 + 2 * y1) // 3)
        assert drawn.getpixel(centre) == original.getpixel(centre)
    assert artifact["uri"] in text_of(result)
    assert any(block.type == "image" for block in result.content)


async def test_text_alone_says_everything(connect: Connect, emulator: Emulator, scene_png: Path) -> None:
    async with connect() as client:
        result = await client.call_tool("detect_objects", {"image": "scene.png", "masks": True})
    found, text = structured(result), text_of(result)
    for one in found["objects"]:
        assert f"{one['label']}: box_2d {one['box_2d']}, box_px {one['box_px']}, mask {one['mask']}" in text
    assert "$" in text


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF", "BMP", "TIFF"])
async def test_other_formats_get_pixels_too(connect: Connect, fake: FakeGemini, tmp_path: Path, form: str) -> None:
    (tmp_path / "allowed" / "x").write_bytes(encoded(scene(), form))
    fake.say(said('[{"box_2d": [0, 0, 500, 1000], "label": "top"}]'))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, "x")
    assert found["objects"][0]["box_px"] == [0, 0, 640, 240]
    (artifact,) = found["artifacts"]
    assert artifact["mime_type"] == ("image/jpeg" if form == "JPEG" else "image/png")
    assert picture_of(artifact).size == SIZE


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_pixels_are_those_of_the_upright_picture(
    connect: Connect, fake: FakeGemini, tmp_path: Path, form: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "allowed" / "x").write_bytes(encoded(scene(), form, exif=exif))
    fake.say(said('[{"box_2d": [0, 0, 1000, 500], "label": "left"}]'))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, "x")
    width, height = SIZE if orientation < 5 else SIZE[::-1]
    assert found["objects"][0]["box_px"] == [0, 0, width // 2, height]
    drawn = picture_of(found["artifacts"][0])
    assert drawn.size == (width, height)
    assert 0x0112 not in drawn.getexif()
    upright = ImageOps.exif_transpose(Image.open(tmp_path / "allowed" / "x")).convert("RGB")
    at = (width * 3 // 4, height // 2)
    shown, expected = drawn.convert("RGB").getpixel(at), upright.getpixel(at)
    assert isinstance(shown, tuple)
    assert isinstance(expected, tuple)
    assert all(abs(a - b) < 12 for a, b in zip(shown, expected, strict=True))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "I;16", "1", "CMYK"])
async def test_pictures_of_any_mode_are_drawn_on(connect: Connect, fake: FakeGemini, tmp_path: Path, mode: str) -> None:
    picture = scene().convert("L").convert("I").convert("I;16") if mode == "I;16" else scene().convert(mode)
    (tmp_path / "allowed" / "x").write_bytes(encoded(picture, "TIFF" if mode == "CMYK" else "PNG"))
    fake.say(said('[{"box_2d": [10, 10, 990, 990], "label": "all"}]'))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, "x")
    assert picture_of(found["artifacts"][0]).size == SIZE


async def test_a_data_uri_and_an_artifact_are_local_too(connect: Connect, emulator: Emulator, scene_png: Path) -> None:
    data = base64.b64encode(scene_png.read_bytes()).decode()
    async with connect() as client:
        first = await detect(client, f"data:image/png;base64,{data}")
        second = await detect(client, first["artifacts"][0]["uri"], what="the blue square")
    assert len(first["objects"]) == 3
    assert near(first["objects"][0]["box_px"], SHAPES["red circle"])
    assert all("box_px" in one for one in second["objects"])
    assert data[:60] not in json.dumps(first)


@pytest.mark.parametrize("source", ["https://a.example/a.png", "https://a.example/page", "files/abc", "gs://b/a.jpg"])
async def test_a_picture_that_only_google_sees_has_no_pixels(connect: Connect, fake: FakeGemini, source: str) -> None:
    fake.say(said('[{"box_2d": [0, 0, 500, 1000], "label": "top"}]'))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, source)
    assert found["objects"] == [{"label": "top", "box_2d": [0, 0, 500, 1000]}]
    assert found["artifacts"] == []
    assert "warnings" not in found


async def test_masks_are_pictures_of_the_whole_picture(connect: Connect, emulator: Emulator, scene_png: Path) -> None:
    async with connect() as client:
        found = await detect(client, masks=True)
    assert "base64" not in json.dumps(found)
    artifacts = {artifact["uri"]: artifact for artifact in found["artifacts"]}
    assert len(artifacts) == 4
    original = scene()
    for one in found["objects"]:
        artifact = artifacts[one["mask"]]
        assert Path(artifact["path"]).name.startswith("mask-")
        mask = picture_of(artifact)
        assert (mask.mode, mask.size) == ("L", SIZE)
        x0, y0, x1, y1 = one["box_px"]
        assert mask.getpixel(((x0 + x1) // 2, (y0 + y1) // 2)) == 255
        left, top, right, bottom = ImageOps.posterize(mask, 1).getbbox() or (0, 0, 0, 0)
        assert near([left, top, right, bottom], (x0, y0, x1, y1)), one["label"]
        shape = original.getpixel(((x0 + x1) // 2, (y0 + y1) // 2))
        inside = sum(n for n, colour in original.getcolors(1000) or [] if colour == shape)
        assert sum(mask.histogram()[128:]) == pytest.approx(inside, rel=0.05), one["label"]


def data_uri(picture: Image.Image, form: str = "PNG") -> str:
    """A picture as a model writes masks."""
    return f"data:image/{form.lower()};base64,{base64.b64encode(encoded(picture, form)).decode()}"


BAD_MASKS = {
    "no base64": "data:image/png;base64,####",
    "words": "the mask",
    "empty": "",
    "no picture": "data:image/png;base64," + base64.b64encode(b"hello").decode(),
    "cut": "data:image/png;base64," + base64.b64encode(encoded(scene())[:200]).decode(),
    "another format": data_uri(scene(), "JPEG"),
    "a bomb": data_uri(Image.new("1", (30_000, 30_000))),
    "tokens": "<start_of_mask><seg_12><seg_99>",
}


@pytest.mark.parametrize("mask", BAD_MASKS.values(), ids=BAD_MASKS.keys())
async def test_a_mask_that_is_none_is_a_warning(connect: Connect, fake: FakeGemini, scene_png: Path, mask: str) -> None:
    good = data_uri(Image.new("L", (8, 8), 255))
    items = [{"box_2d": [0, 0, 500, 500], "label": "a", "mask": mask},
             {"box_2d": [500, 500, 1000, 1000], "label": "b", "mask": good.partition(",")[2]}]  # fmt: skip
    fake.say(said(json.dumps(items)))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, masks=True)
    first, second = found["objects"]
    assert "mask" not in first
    assert second["mask"] in {artifact["uri"] for artifact in found["artifacts"]}
    assert "1 of 2 objects came without a usable mask" in warned(found)


async def test_masks_of_a_picture_that_only_google_sees_cover_their_boxes(connect: Connect, fake: FakeGemini) -> None:
    fake.say(said(json.dumps([{"box_2d": [0, 0, 9, 9], "label": "a", "mask": data_uri(Image.new("L", (8, 6), 200))}])))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, "files/abc", masks=True)
    (artifact,) = found["artifacts"]
    assert (artifact["width"], artifact["height"]) == (8, 6)
    assert "Each mask covers its box" in warned(found)


BAD_BOXES: list[tuple[str, object]] = [
    ("outside", [-1, 0, 500, 500]), ("beyond", [0, 0, 1001, 500]), ("inverted", [500, 0, 100, 500]),
    ("flat", [5, 5, 5, 500]), ("three numbers", [1, 2, 3]), ("five numbers", [1, 2, 3, 4, 5]),
    ("words", ["a", "b", "c", "d"]), ("numbers as text", ["1", "2", "3", "4"]), ("nothing", None),
    ("truths", [True, False, True, True]), ("nested", [[1, 2, 3, 4]]), ("an object", {"y": 1}),
    ("huge", [0, 0, 10**400, 5]),
]  # fmt: skip


@pytest.mark.parametrize("box", [box for _, box in BAD_BOXES], ids=[name for name, _ in BAD_BOXES])
async def test_a_box_that_is_none_is_left_out_with_a_warning(
    connect: Connect, fake: FakeGemini, scene_png: Path, box: object
) -> None:
    fake.say(said(json.dumps([{"box_2d": box, "label": "bad"}, {"box_2d": [0, 0, 10.4, 10], "label": "good"}])))
    async with connect(base_url=fake.url) as client:
        found = await detect(client)
    assert [(one["label"], one["box_2d"]) for one in found["objects"]] == [("good", [0, 0, 10, 10])]
    assert "1 entry of the answer left out" in warned(found)
    assert "incomplete" not in found


ODD_ANSWERS: dict[str, tuple[str, int, bool]] = {
    "fenced": ('```json\n[{"box_2d": [1, 2, 3, 4], "label": "a"}]\n```', 1, False),
    "between words": ('Here they are: [{"box_2d": [1, 2, 3, 4], "label": "a"}] Enjoy!', 1, False),
    "inside an object": ('{"objects": [{"box_2d": [1, 2, 3, 4], "label": "a"}]}', 1, False),
    "a single one": ('{"box_2d": [1, 2, 3, 4], "label": "a"}', 1, False),
    "cut off": ('[{"box_2d": [1, 2, 3, 4], "label": "a"}, {"box_2d": [1, 2', 1, True),
    "no objects in it": ("[1, null, [[]]]", 0, False),
    "the same again": ('[{"box_2d": [1, 2, 3, 4], "label": "a"}, {"box_2d": [1, 2, 3, 4], "label": "a"}]', 1, False),
    "no label": ('[{"box_2d": [1, 2, 3, 4]}, {"box_2d": [1, 2, 3, 5], "label": 7}]', 2, False),
}


@pytest.mark.parametrize(("text", "count", "incomplete"), ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
async def test_an_answer_in_another_form_is_read_all_the_same(
    connect: Connect, fake: FakeGemini, scene_png: Path, text: str, count: int, incomplete: bool
) -> None:
    fake.say(said(text))
    async with connect(base_url=fake.url) as client:
        found = await detect(client)
    assert len(found["objects"]) == count
    assert found.get("incomplete", False) == incomplete


@pytest.mark.parametrize("text", ["I see a cat.", "[", '{"box', "[" * 100_000])
async def test_an_answer_without_a_list_is_a_failure_that_says_so(
    connect: Connect, fake: FakeGemini, scene_png: Path, text: str
) -> None:
    fake.say(said(text))
    async with connect(base_url=fake.url) as client:
        assert "did not answer with a list of boxes" in await refused(client)


async def test_labels_are_cleaned(connect: Connect, emulator: Emulator, scene_png: Path) -> None:
    say = base64.urlsafe_b64encode((HOSTILE + "x" * 500).encode()).decode()
    async with connect() as client:
        result = await client.call_tool("detect_objects", {"image": "scene.png", "what": f"[emulate: say={say}]"})
    for one in structured(result)["objects"]:
        assert one["label"].startswith("red [x] (https://evil.example/?q) ‹script>alert(1)‹/script>")
        assert len(one["label"]) <= 100
    assert "\x1b" not in text_of(result)
    assert "<untrusted-" in text_of(result)


async def test_labels_in_letters_that_no_font_has_do_not_stop_the_drawing(
    connect: Connect, fake: FakeGemini, scene_png: Path
) -> None:
    labels = ["日本語ラベル", "👩‍👧", "عربى", "x" * 99, "ﷺ" * 90]
    items = [{"box_2d": [n * 100, n * 100, n * 100 + 90, 1000], "label": label} for n, label in enumerate(labels)]
    fake.say(said(json.dumps(items)))
    async with connect(base_url=fake.url) as client:
        found = await detect(client)
    assert len(found["objects"]) == 5
    assert picture_of(found["artifacts"][0]).size == SIZE


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 500), (3000, 4)])
async def test_the_smallest_pictures_are_drawn_on(
    connect: Connect, fake: FakeGemini, tmp_path: Path, size: tuple[int, int]
) -> None:
    (tmp_path / "allowed" / "x.png").write_bytes(encoded(Image.new("RGB", size, "red")))
    fake.say(said('[{"box_2d": [0, 0, 1000, 1000], "label": "red"}, {"box_2d": [999, 999, 1000, 1000], "label": "x"}]'))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, "x.png")
    for one in found["objects"]:
        x0, y0, x1, y1 = one["box_px"]
        assert 0 <= x0 < x1 <= size[0]
        assert 0 <= y0 < y1 <= size[1]
    assert picture_of(found["artifacts"][0]).size == size


async def test_a_picture_that_is_too_large_to_decode_has_pixel_boxes_but_no_drawing(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "x.png").write_bytes(encoded(Image.new("1", (20_000, 20_000))))
    fake.say(said('[{"box_2d": [0, 0, 500, 1000], "label": "top"}]'))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, "x.png")
    assert found["objects"][0]["box_px"] == [0, 0, 20_000, 10_000]
    assert found["artifacts"] == []
    assert "not drawn" in warned(found)


def broken_pictures() -> Iterator[tuple[str, bytes, bool]]:
    """Pictures that cannot be decoded, and whether their header can be read."""
    whole = encoded(scene())
    yield "cut", whole[:-200], True
    yield "a header alone", whole[:60], True
    yield "no header", whole[:16], False
    yield "HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200, False


@pytest.mark.parametrize(
    ("name", "data", "header"), list(broken_pictures()), ids=[name for name, _, _ in broken_pictures()]
)
async def test_a_broken_picture_costs_the_drawing_and_nothing_else(
    connect: Connect, fake: FakeGemini, tmp_path: Path, name: str, data: bytes, header: bool
) -> None:
    (tmp_path / "allowed" / "x").write_bytes(data)
    fake.say(said('[{"box_2d": [0, 0, 500, 1000], "label": "top"}]'))
    async with connect(base_url=fake.url) as client:
        found = await detect(client, "x")
    assert ("box_px" in found["objects"][0]) == header
    assert found["artifacts"] == []
    assert ("not drawn" if header else "No pixels") in warned(found)


async def test_a_directory_that_cannot_be_written_costs_the_file_and_not_the_answer(
    connect: Connect, emulator: Emulator, scene_png: Path, tmp_path: Path
) -> None:
    (tmp_path / "output").write_text("in the way")
    async with connect() as client:
        found = await detect(client)
    assert len(found["objects"]) == 3
    assert found["artifacts"] == []
    assert "could not be saved" in warned(found)


@pytest.mark.parametrize(
    ("image", "more", "words"),
    [
        ("talk.wav", {}, "looks at pictures; this is audio/wav"),
        ("a.pdf", {}, "looks at pictures; this is application/pdf"),
        ("https://youtu.be/x", {}, "looks at pictures"),
        ("https://a.example/a.mp4", {}, "looks at pictures"),
        ("missing.png", {}, "missing.png"),
        ("gemini://artifacts/none", {}, "no artifact"),
        ("scene.png", {"what": "x" * 2001}, "more than 2000 characters"),
        ("scene.png", {"masks": "perhaps"}, "masks"),
    ],
)
async def test_what_is_wrong_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, scene_png: Path, image: str, more: Json, words: str
) -> None:
    (scene_png.parent / "talk.wav").write_bytes(wav())
    (scene_png.parent / "a.pdf").write_bytes(PDF)
    async with connect() as client:
        assert words in await refused(client, image, **more)
    assert emulator.requests == []


async def test_progress_shows_labels_and_no_masks(connect: Connect, emulator: Emulator, scene_png: Path) -> None:
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with connect() as client:
        arguments = {"image": "scene.png", "masks": True}
        structured(await client.call_tool("detect_objects", arguments, progress_callback=hear))
    said_so = "".join(heard)
    assert "red circle" in said_so
    assert "base64" not in said_so
    assert "box_2d" not in said_so


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("gemini-3.8-flash", {"thinkingLevel": "LOW"}),
        ("gemini-3.5-flash-lite", {"thinkingLevel": "MINIMAL"}),
        ("gemini-2.5-flash-lite", {"thinkingBudget": 0}),
    ],
)
async def test_looking_needs_no_thinking(
    connect: Connect, emulator: Emulator, scene_png: Path, model: str, thinking: Json
) -> None:
    async with connect() as client:
        await detect(client, model=model)
    body = sent(emulator)
    assert body["generationConfig"]["thinkingConfig"] == thinking
    assert parts(body)[0]["inlineData"]["mimeType"] == "image/png"


async def test_many_masks_are_named_beside_their_objects_and_not_again(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "scene.png").write_bytes(encoded(scene()))
    mask = "data:image/png;base64," + base64.b64encode(encoded(Image.new("L", (8, 8), 255))).decode()
    objects = [{"box_2d": [0, 0, 100 + n, 100 + n], "mask": mask, "label": f"leaf {n}"} for n in range(30)]
    fake.say(said(json.dumps(objects)))
    async with connect(base_url=fake.url, toolsets=("media",)) as client:
        result = await client.call_tool("detect_objects", {"image": "scene.png", "masks": True})
    found = structured(result)
    assert len(found["artifacts"]) == 31
    masks = [one["mask"] for one in found["objects"]]
    assert all(text_of(result).count(one) == 1 for one in masks)
    links = [str(block.uri) for block in result.content if block.type == "resource_link"]
    assert links == [found["artifacts"][0]["uri"]], "the drawn picture alone"
    assert len(text_of(result)) < 5000
