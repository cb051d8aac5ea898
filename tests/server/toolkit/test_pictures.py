"""What may be asked of a model for pictures, which models are refused, and what fits beside a result."""

from __future__ import annotations

import base64
import io
import random
from datetime import date
from pathlib import Path
from typing import cast, get_args

import pytest
from PIL import Image

from gemini_server.api.catalogue import Catalogue
from gemini_server.api.content import Blob, FileData, Part
from gemini_server.errors import ArgumentError, NotFound
from gemini_server.settings import Settings
from gemini_server.toolkit import artifacts, pictures
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.exchange import PICTURE_LIMIT
from gemini_server.toolkit.pictures import Mode, Shape
from gemini_server.toolkit.results import ArtifactOut
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.served import check_served
from tests.server.toolkit.working import TODAY, Gemini, runtime_for

pytestmark = pytest.mark.anyio

CATALOGUE = Catalogue.load()
NANO = "gemini-nano-banana-2.1"
LITE = "gemini-3.1-flash-lite-image"
IMAGEN = "imagen-4.0-generate-001"


def shape(model: str, ratio: str | None, size: str | None) -> Shape:
    return pictures.shape_of(CATALOGUE, model, TODAY, ratio, size)


@pytest.mark.parametrize(
    ("model", "ratio", "size", "sent"),
    [
        (NANO, None, None, (None, None)),
        (NANO, "16:9", "4K", ("16:9", "4K")),
        (NANO, " 16x9", "2k ", ("16:9", "2K")),
        (NANO, "8:1", "1K", ("8:1", "1K")),
        ("models/gemini-3-pro-image", "21:9", "4K", ("21:9", "4K")),
        ("gemini-3.1-flash-image", "1:4", "512px", ("1:4", "512")),
        (LITE, "1:8", "1K", ("1:8", None)),
        (IMAGEN, "3:4", "2K", ("3:4", "2K")),
        ("imagen-3.0-generate-002", None, "1K", (None, None)),
        ("somebodys-model", "7:3", "8K", ("7:3", "8K")),
    ],
)
def test_what_a_model_takes_is_spelled_as_it_wants_it(
    model: str, ratio: str | None, size: str | None, sent: tuple[str | None, str | None]
) -> None:
    assert shape(model, ratio, size) == sent


@pytest.mark.parametrize(
    ("model", "ratio", "size", "known"),
    [
        (NANO, None, "512", "It makes 1K, 2K, 4K."),
        (LITE, None, "2K", "It makes 1K."),
        ("gemini-2.5-flash-image", None, "4K", "It makes 1K."),
        ("imagen-4.0-fast-generate-001", None, "2K", "It makes 1K."),
        ("gemini-3-pro-image", "1:8", None, "It takes 1:1, 2:3"),
        (IMAGEN, "2:3", None, "It takes 1:1, 3:4, 4:3, 9:16, 16:9."),
        (NANO, "16:10", None, "21:9"),
        ("somebodys-model", "wide", None, "a ratio such as 16:9"),
        ("somebodys-model", None, "large", "a size such as 1K"),
    ],
)
def test_what_a_model_does_not_take_is_refused_with_what_it_takes(
    model: str, ratio: str | None, size: str | None, known: str
) -> None:
    with pytest.raises(ArgumentError) as refusal:
        shape(model, ratio, size)
    assert known in str(refusal.value)


def test_a_price_by_the_picture_is_of_a_size_that_the_model_makes() -> None:
    for model in CATALOGUE.models:
        sizes = {size for price in model.prices for size in price.per_image}
        assert sizes <= set(CATALOGUE.family(model.id).image_sizes), model.id


def test_models_that_make_no_pictures_are_refused_and_unknown_ones_are_asked() -> None:
    with pytest.raises(ArgumentError, match=r"makes no pictures\. Use gemini-nano-banana-2\.1"):
        pictures.check_model(CATALOGUE, "gemini-3.8-flash")
    pictures.check_model(CATALOGUE, NANO)
    pictures.check_model(CATALOGUE, "somebodys-model")


@pytest.mark.parametrize(
    ("model", "kind", "taken"),
    [(NANO, "image/png", True), (NANO, "audio/wav", False), (NANO, "application/pdf", True), (NANO, "video/mp4", True),
     ("gemini-3-pro-image", "application/pdf", False), ("somebodys-model", "audio/wav", False)],
)  # fmt: skip
def test_a_reference_is_something_that_the_model_can_look_at(model: str, kind: str, taken: bool) -> None:
    part = Part(inline_data=Blob(mime_type=kind, data="AA=="))
    unknown = Part(file_data=FileData(file_uri="https://x.example/y"))
    pictures.check_references(CATALOGUE, model, [unknown])
    if taken:
        pictures.check_references(CATALOGUE, model, [part])
    else:
        with pytest.raises(ArgumentError, match=f"takes no {kind}"):
            pictures.check_references(CATALOGUE, model, [part])


# ---------------------------------------------------------------- models that are gone

GOOGLE = "https://generativelanguage.googleapis.com"


def runtime_at(base_url: str, *, emulate: bool = False) -> Runtime:
    return Runtime(Settings(base_url=base_url, emulate=emulate), today=lambda: TODAY)


@pytest.mark.parametrize("model", [IMAGEN, "veo-3.1-generate-preview", "gemini-3-pro-image-preview"])
@pytest.mark.parametrize("where", [runtime_at(GOOGLE), runtime_at("http://127.0.0.1:1", emulate=True)])
def test_a_model_that_google_has_shut_down_is_refused_with_its_replacement(where: Runtime, model: str) -> None:
    with pytest.raises(NotFound, match=r"nothing was sent\. Use gemini-\S+ instead") as refusal:
        check_served(where, model)
    assert refusal.value.code == "model_retired"
    with pytest.raises(NotFound):
        check_served(Call(where), f"models/{model}")


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1", "https://gateway.example/gemini"])
def test_another_backend_may_serve_what_google_does_not(base_url: str) -> None:
    check_served(runtime_at(base_url), IMAGEN)


@pytest.mark.parametrize("model", [NANO, "gemini-3.7-flash", "gemini-2.5-flash-image", "somebodys-model"])
def test_a_model_that_answers_or_is_answered_for_is_no_failure(model: str) -> None:
    check_served(runtime_at(GOOGLE), model)


def test_a_model_is_gone_from_its_last_day_on() -> None:
    before = Runtime(Settings(base_url=GOOGLE), today=lambda: date(2026, 8, 16))
    check_served(before, IMAGEN)
    with pytest.raises(NotFound):
        check_served(Runtime(Settings(base_url=GOOGLE), today=lambda: date(2026, 8, 17)), IMAGEN)


# ---------------------------------------------------------------- previews


def noise(side: int, form: str = "PNG") -> bytes:
    picture = Image.frombytes("RGB", (side, side), random.Random(side).randbytes(3 * side * side))
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return Call(runtime_for(Gemini(), tmp_path))


async def kept(call: Call, *files: bytes) -> list[ArtifactOut]:
    return [await artifacts.keep(call, "image", data) for data in files]


async def beside(call: Call, mode: Mode, *files: bytes) -> tuple[list[tuple[str, bytes]], list[str]]:
    shown, warnings = await pictures.beside(call, await kept(call, *files), mode)
    return [(picture.mime_type, base64.b64decode(picture.data)) for picture in shown], warnings


async def test_a_thumbnail_is_a_small_webp(call: Call) -> None:
    [(kind, data)], warnings = await beside(call, "thumbnail", noise(700))
    assert (kind, warnings) == ("image/webp", [])
    assert len(data) <= 150 * 1024
    assert max(Image.open(io.BytesIO(data)).size) == 512


async def test_the_thumbnails_of_several_pictures_share_the_room(call: Call) -> None:
    shown, warnings = await beside(call, "thumbnail", *(noise(side) for side in (512, 513, 514)))
    assert (len(shown), warnings) == (3, [])
    assert sum((len(data) + 2) // 3 * 4 for _, data in shown) <= 200 * 1024


async def test_a_picture_is_shown_whole_where_it_fits(call: Call) -> None:
    small, large = noise(100), noise(600)
    assert len(large) > PICTURE_LIMIT
    assert await beside(call, "full", small) == ([("image/png", small)], [])
    [(kind, data)], [warning] = await beside(call, "full", large)
    assert (kind, len(data) < 150 * 1024) == ("image/webp", True)
    assert "too large to be shown whole" in warning


async def test_whole_pictures_and_small_copies_together_stay_within_the_limit(call: Call) -> None:
    shown, warnings = await beside(call, "full", *(noise(side) for side in (300, 301, 600, 601)))
    assert (len(shown), len(warnings)) == (4, 3)
    assert sum((len(data) + 2) // 3 * 4 for _, data in shown) <= PICTURE_LIMIT


async def test_nothing_is_shown_when_nothing_is_wanted_or_there_is_nothing_to_see(call: Call) -> None:
    assert await beside(call, "none", noise(100)) == ([], [])
    shown, [warning] = await beside(call, "thumbnail", b"no picture at all")
    assert (shown, "is not shown" in warning) == ([], True)


def test_the_modes_are_those_of_the_contract() -> None:
    assert set(get_args(cast(object, Mode))) == {"none", "thumbnail", "full"}
