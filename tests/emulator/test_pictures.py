"""Pictures of the image models: drawn, sized, edited, held back, refused."""

from __future__ import annotations

import base64
import time
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops

from gemini_emulator import media_output

from .conftest import Api, ask
from .drawing import inline

pytestmark = pytest.mark.anyio

BANANA = "gemini-nano-banana-2.1"
PRO = "gemini-3-pro-image"
FLASH = "gemini-3.1-flash-image"
OLD = "gemini-2.5-flash-image"
RED, BLUE = (214, 48, 49), (41, 98, 220)


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def parts_of(response: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response["candidates"][0]["content"]["parts"]
    return found


def picture_of(response: dict[str, Any]) -> bytes:
    """The picture of an answer, without those in its thoughts."""
    (part,) = [part for part in parts_of(response) if "inlineData" in part and not part.get("thought")]
    return base64.b64decode(part["inlineData"]["data"])


def share_of(image: Image.Image, colour: tuple[int, int, int], reach: int = 70) -> float:
    """How much of a picture is near a colour."""
    pixels = image.resize((96, 96)).tobytes()  # pyright: ignore[reportUnknownMemberType]
    near = [
        all(abs(pixels[at + channel] - colour[channel]) < reach for channel in range(3))
        for at in range(0, len(pixels), 3)
    ]
    return sum(near) / len(near)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures of one size, from 0 to 255."""
    band = ImageChops.difference(one, other).convert("L").tobytes()
    return sum(band) / len(band)


def drawn(prompt: str, side: int = 256, **more: Any) -> bytes:
    return media_output.draw(prompt, side, side, **more)


async def test_a_picture_follows_from_its_arguments_alone() -> None:
    assert drawn("A red balloon over the sea") == drawn("A red balloon over the sea")
    assert drawn("A red balloon over the sea") != drawn("A red balloon over the city")


async def test_what_the_prompt_names_can_be_seen() -> None:
    red, blue = opened(drawn("a red balloon")), opened(drawn("a blue balloon"))
    assert share_of(red, RED) > 3 * share_of(blue, RED)
    assert share_of(blue, BLUE) > share_of(red, BLUE)
    day, night = opened(drawn("mountains")), opened(drawn("mountains at night"))
    assert sum(day.convert("L").tobytes()) > 1.5 * sum(night.convert("L").tobytes())
    grey = opened(drawn("a red balloon in black and white"))
    assert difference(grey, grey.convert("L").convert("RGB")) < 3


async def test_one_and_three_boats_are_not_the_same_picture() -> None:
    one, three = opened(drawn("a red boat at sea")), opened(drawn("three red boats at sea"))
    assert difference(one, three) > 3


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "Ein Bild vom Frühling",
        "猫と犬",
        "🙂" * 300,
        "a" * 3000,
        'a sign says "' + "W" * 39 + '"',
        "9999999 cats",
        "two",
    ],
)
async def test_any_prompt_makes_a_picture(prompt: str) -> None:
    assert opened(drawn(prompt, 96)).size == (96, 96)


async def test_everything_that_can_be_named_can_be_drawn() -> None:
    from gemini_emulator.gallery import FIGURES
    from gemini_emulator.scene import scene_of

    for kind in FIGURES:
        assert [subject.kind for subject in scene_of(f"a {'lemon' if kind == 'fruit' else kind}").subjects] == [kind]
        assert opened(drawn(kind, 64)).size == (64, 64)


@pytest.mark.parametrize(
    "place", ["city", "alps", "beach", "sea", "forest", "desert", "snow", "meadow", "hills", "kitchen", "space", "reef"]
)
@pytest.mark.parametrize("light", ["", "at night", "at sunset", "at dawn", "in a storm"])
async def test_every_place_has_every_light(place: str, light: str) -> None:
    assert opened(drawn(f"{place} {light}", 64)).size == (64, 64)


async def test_pictures_say_who_made_them() -> None:
    assert b"made by an emulator" in drawn("x", 64)
    assert b"made by an emulator" in drawn("x", 64, mime_type="image/jpeg")


async def test_an_edit_is_a_changed_version_of_its_picture() -> None:
    base = drawn("a cottage in a meadow")
    for prompt in ("Make it night", "Add a red balloon", "blur it", "make it sepia", "turn it blue", "nicer please"):
        edited = opened(drawn(prompt, references=[base]))
        assert 2 < difference(edited, opened(base)) < difference(opened(drawn("a rocket in space")), opened(base))


async def test_a_picture_that_cannot_be_read_is_replaced_by_a_new_one() -> None:
    assert opened(drawn("a cat", references=[b"not a picture"])).size == (256, 256)
    assert drawn("a cat", references=[b"not a picture"]) != drawn("a cat")


@pytest.mark.parametrize(
    ("ratio", "size", "sides"),
    [("1:1", "1K", (1024, 1024)), ("16:9", "1K", (1376, 768)), ("9:16", "2K", (1536, 2752)), (None, None, (1024, 1024)),
     ("21:9", "1K", (1584, 672)), ("1:8", "512", (192, 1536)), ("4:1", "1K", (2048, 512)), ("1:1", "4K", (4096, 4096))],
)  # fmt: skip
async def test_sizes_are_those_of_the_guide(ratio: str | None, size: str | None, sides: tuple[int, int]) -> None:
    assert media_output.size_of_picture(ratio, size) == sides


async def test_an_image_model_answers_with_text_and_a_picture(api: Api) -> None:
    response = await api.generate("Draw a fox in the snow", model=BANANA)
    text, picture = parts_of(response)
    assert text["text"].startswith("[emulated] ")
    assert picture["inlineData"]["mimeType"] == "image/png"
    assert opened(picture_of(response)).size == (1024, 1024)


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [(BANANA, "1K", 1120), (BANANA, "2K", 1680), (PRO, "2K", 1120), (FLASH, "512", 747), (OLD, None, 1290)],
)
async def test_a_picture_costs_image_tokens_by_its_size(api: Api, model: str, size: str | None, tokens: int) -> None:
    image = {"imageConfig": {"imageSize": size}} if size else {}
    config = {"responseModalities": ["IMAGE"], **image}
    response = await api.generate("A boat", model=model, generationConfig=config)
    usage = response["usageMetadata"]
    assert [set(part) - {"thoughtSignature"} for part in parts_of(response)] == [{"inlineData"}]
    assert usage["candidatesTokenCount"] == tokens
    assert usage["candidatesTokensDetails"] == [{"modality": "IMAGE", "tokenCount": tokens}]
    thoughts = usage.get("thoughtsTokenCount", 0)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + tokens + thoughts


async def test_the_other_spelling_asks_for_the_same(api: Api) -> None:
    image = {
        "aspectRatio": "ASPECT_RATIO_SIXTEEN_BY_NINE",
        "imageSize": "IMAGE_SIZE_FIVE_TWELVE",
        "mimeType": "IMAGE_JPEG",
    }
    response = await api.generate("A boat", model=FLASH, generationConfig={"responseFormat": {"image": image}})
    assert parts_of(response)[-1]["inlineData"]["mimeType"] == "image/jpeg"
    assert picture_of(response).startswith(b"\xff\xd8")
    assert opened(picture_of(response)).size == (688, 384)


async def test_text_alone_is_to_be_had(api: Api) -> None:
    response = await api.generate("A boat?", model=BANANA, generationConfig={"responseModalities": ["TEXT"]})
    assert [set(part) - {"thoughtSignature"} for part in parts_of(response)] == [{"text"}]
    assert "candidatesTokensDetails" not in response["usageMetadata"]


async def test_references_are_edited_and_choose_the_shape(api: Api) -> None:
    wide = media_output.draw("a cottage in a meadow", 320, 180)
    body = ask("Add a red balloon", inline("image/png", wide))
    response = await api.generate("", model=BANANA, contents=body["contents"])
    edited = opened(picture_of(response))
    assert edited.size == (1376, 768)
    small = edited.resize((320, 180))  # pyright: ignore[reportUnknownMemberType]
    assert difference(small, opened(wide)) < difference(small, opened(media_output.draw("a rocket", 320, 180)))


async def test_what_the_model_drew_before_is_edited_next(api: Api) -> None:
    first = await api.generate("A cottage in a meadow", model=BANANA)
    question = {"role": "user", "parts": [{"text": "Now make it sepia"}]}
    history = [*ask("A cottage in a meadow")["contents"], first["candidates"][0]["content"], question]
    second = await api.generate("", model=BANANA, contents=history)
    assert 5 < difference(opened(picture_of(second)), opened(picture_of(first))) < 70


async def test_thoughts_come_with_a_sketch(api: Api) -> None:
    config = {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}}
    response = await api.generate("A boat", model=BANANA, generationConfig=config)
    parts = parts_of(response)
    assert [(bool(part.get("thought")), "inlineData" in part) for part in parts] == [
        (True, False), (True, True), (False, False), (False, True),
    ]  # fmt: skip
    assert opened(picture_of(response)).size == (1024, 1024)
    assert response["usageMetadata"]["thoughtsTokenCount"] > 0
    plain = await api.generate("A boat", model=BANANA, generationConfig={"thinkingConfig": {"thinkingLevel": "HIGH"}})
    assert not any(part.get("thought") for part in parts_of(plain))


async def test_the_first_part_and_the_picture_are_signed(api: Api) -> None:
    response = await api.generate("A boat", model=PRO)
    assert all("thoughtSignature" in part for part in parts_of(response))
    question = {"role": "user", "parts": [{"text": "And now?"}]}
    history = [*ask("A boat")["contents"], response["candidates"][0]["content"], question]
    assert (await api.post("generateContent", {"contents": history}, model=PRO)).status_code == 200


@pytest.mark.parametrize(
    "reason", ["IMAGE_SAFETY", "NO_IMAGE", "IMAGE_OTHER", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"]
)
async def test_a_picture_is_held_back_on_request(api: Api, reason: str) -> None:
    response = await api.generate(f"A boat [emulate: finish={reason}]", model=BANANA)
    (candidate,) = response["candidates"]
    assert (candidate["finishReason"], candidate["content"]) == (reason, {"role": "model"})
    assert "generated image" in candidate["finishMessage"]
    assert "candidatesTokenCount" not in response["usageMetadata"]


async def test_text_comes_instead_of_a_picture_on_request(api: Api) -> None:
    prompt = "A boat [emulate: text_instead times=1]"
    assert "text" in parts_of(await api.generate(prompt, model=BANANA))[-1]
    assert picture_of(await api.generate(prompt, model=BANANA))


async def test_too_few_tokens_leave_no_picture(api: Api) -> None:
    config = {"maxOutputTokens": 500}
    (candidate,) = (await api.generate("A boat", model=BANANA, generationConfig=config))["candidates"]
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert not any("inlineData" in part for part in candidate["content"]["parts"])


async def test_a_picture_comes_as_a_file_when_a_uri_is_asked_for(api: Api) -> None:
    config = {"responseFormat": {"image": {"delivery": "URI"}}}
    response = await api.generate("A boat", model=BANANA, generationConfig=config)
    data = parts_of(response)[-1]["fileData"]
    assert data["mimeType"] == "image/png"
    assert opened((await api.http.get(data["fileUri"])).content).size == (1024, 1024)


async def test_the_stream_of_a_picture_ends_with_it(api: Api) -> None:
    response = await api.http.post(f"/v1beta/models/{BANANA}:streamGenerateContent?alt=sse", json=ask("A boat"))
    events = response.text.strip().split("\r\n\r\n")
    assert len(events) > 1
    assert ["inlineData" in event for event in events].count(True) == 1
    assert "inlineData" in events[-1]
    assert "candidatesTokensDetails" in events[-1]


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("an unknown ratio", BANANA, {"imageConfig": {"aspectRatio": "7:5"}}, "aspect_ratio: must be one of 1:1"),
    ("a long ratio of an older model", PRO, {"imageConfig": {"aspectRatio": "1:8"}}, "aspect_ratio: must be one of"),
    ("an unknown size", BANANA, {"imageConfig": {"imageSize": "3K"}}, "image_size: must be one of 1K, 2K, 4K"),
    ("a size in small letters", BANANA, {"imageConfig": {"imageSize": "1k"}}, "image_size"),
    ("512 of Nano Banana 2.1", BANANA, {"imageConfig": {"imageSize": "512"}}, "image_size"),
    ("2K of Lite", "gemini-3.1-flash-lite-image", {"imageConfig": {"imageSize": "2K"}}, "must be one of 1K"),
    ("a size of 2.5", OLD, {"imageConfig": {"imageSize": "1K"}}, "Image size is not enabled"),
    ("a temperature", BANANA, {"temperature": 1}, "temperature is not supported"),
    ("top_p", BANANA, {"topP": 0.5}, "top_p is not supported"),
    ("a seed", BANANA, {"seed": 7}, "seed is not supported"),
    ("candidates", BANANA, {"candidateCount": 2}, "Multiple candidates"),
    ("JSON", PRO, {"responseMimeType": "application/json"}, "JSON mode is not enabled"),
    ("both spellings", PRO, {"imageConfig": {}, "responseFormat": {"image": {}}}, "Only one of image_config"),
    ("speech", BANANA, {"speechConfig": {}}, "Speech generation is not enabled"),
    ("a video", BANANA, {"responseModalities": ["VIDEO"]}, "response modalities"),
    ("a picture of a text model", "gemini-3.8-flash", {"responseFormat": {"image": {}}}, "Image generation is not"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "model", "config", "words"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_refused(api: Api, what: str, model: str, config: dict[str, Any], words: str) -> None:
    assert words in await api.refusal({**ask("A boat"), "generationConfig": config}, model=model), what


async def test_functions_and_too_many_pictures_are_refused(api: Api) -> None:
    tools = [{"functionDeclarations": [{"name": "f", "description": "x"}]}]
    assert "Function calling is not enabled" in await api.refusal({**ask("A boat"), "tools": tools}, model=PRO)
    many = ask("Mix", *[inline("image/png", drawn("x", 8))] * 15)
    assert "fewer than 15 images" in await api.refusal(many, model=PRO)
    search: dict[str, Any] = {**ask("A boat"), "tools": [{"googleSearch": {}}]}
    assert (await api.post("generateContent", search, model=PRO)).status_code == 200


async def test_the_other_image_models_still_sample(api: Api) -> None:
    response = await api.generate("A boat", model=PRO, generationConfig={"temperature": 1, "seed": 3})
    assert picture_of(response)


async def test_music_is_not_to_be_had_here(api: Api) -> None:
    for verb in ("generateContent", "streamGenerateContent"):
        response = await api.post(verb, ask("A song"), model="lyria-3.5")
        assert response.status_code == 404


@pytest.mark.parametrize(
    "text", ["\n" * 20_000, "a" * 20_000, "b" * 20_000, "x: " * 6000, '"' * 9000, "cat " * 6000, "-" * 20_000]
)
async def test_no_prompt_keeps_the_makers_busy(text: str) -> None:
    began = time.process_time()
    media_output.draw(text, 64, 64)
    media_output.speak(text, ["Kore", "Puck"])
    media_output.compose(text, 0.1, rate=8000)
    media_output.film(text, 0.5, "16:9", "360p")
    assert time.process_time() - began < 3
