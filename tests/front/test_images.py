"""generate_image through the front door: what is made, what is shown, what is paid."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from pathlib import Path

import anyio
import pytest
from PIL import Image

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Reply, warned
from tests.front.picturing import (
    IMAGEN,
    MODEL,
    drawn,
    file_of,
    inline,
    job,
    make,
    making,
    noise,
    on_the_wire,
    refused,
    requests,
    shown,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ERAS)
async def test_words_become_a_picture_with_its_file_its_preview_and_its_price(
    connect: Connect, emulator: Emulator, mode: str
) -> None:
    async with connect(mode=mode) as client:
        result = await making(client, "A red fox at dawn in the mountains")
    made = structured(result)
    (artifact,) = made["artifacts"]
    picture = Image.open(io.BytesIO(file_of(artifact)))
    assert picture.size == (artifact["width"], artifact["height"])
    assert artifact["mime_type"] in ("image/png", "image/jpeg")
    assert Path(artifact["path"]).name.startswith("image-")
    assert made["usage"]["cost_usd"] >= 0.0336
    assert made["model_version"].startswith(MODEL)
    assert not made.keys() & {"job", "conversation", "warnings", "dry_run", "untrusted"}
    (body,) = requests(emulator)
    assert body["contents"] == [{"role": "user", "parts": [{"text": "A red fox at dawn in the mountains"}]}]
    assert body["generationConfig"] == {"responseModalities": ["TEXT", "IMAGE"]}
    (preview,) = shown(result)
    assert Image.open(io.BytesIO(preview)).format == "WEBP"
    assert any(block.type == "resource_link" and str(block.uri) == artifact["uri"] for block in result.content)
    assert artifact["path"] in text_of(result)


async def test_base64_never_gets_into_structured_content(connect: Connect, fake: FakeGemini) -> None:
    picture = noise(100)
    fake.say(drawn({"text": "There."}, inline(picture, thoughtSignature="c2lnbmF0dXJl")))
    async with connect(base_url=fake.url) as client:
        results = [await making(client, preview=preview) for preview in ("none", "thumbnail", "full")]
    for result in results:
        faces = json.dumps(structured(result)) + text_of(result)
        assert base64.b64encode(picture).decode()[:40] not in faces
        assert "c2lnbmF0dXJl" not in faces


async def test_aspect_ratio_and_size_reach_gemini(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        (artifact,) = (await make(client, aspect_ratio="16:9", size="2k"))["artifacts"]
    (body,) = requests(emulator)
    assert body["generationConfig"]["imageConfig"] == {"aspectRatio": "16:9", "imageSize": "2K"}
    assert artifact["width"] / artifact["height"] == pytest.approx(16 / 9, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": "512"}, "It makes 1K, 2K, 4K."),
        ({"aspect_ratio": "16:10"}, "It takes 1:1, 2:3, 3:2"),
        ({"size": "2K", "model": "gemini-3.1-flash-lite-image"}, "It makes 1K."),
        ({"aspect_ratio": "2:3", "model": IMAGEN}, "It takes 1:1, 3:4, 4:3, 9:16, 16:9."),
        ({"count": 5}, "One call makes 1 to 4 pictures, not 5."),
        ({"count": 0}, "One call makes 1 to 4 pictures, not 0."),
        ({"count": 2, "conversation": "new"}, "A turn of a conversation makes one picture."),
        ({"conversation": "c_none"}, "There is no conversation 'c_none'."),
        ({"model": "gemini-3.8-flash"}, "gemini-3.8-flash makes no pictures. Use gemini-nano-banana-2.1"),
        ({"prompt": "  "}, "prompt is empty"),
        ({"preview": "huge"}, "preview"),
        ({"references": ["data:audio/wav;base64,AAAA"]}, "takes no audio/wav as a reference"),
        ({"references": ["missing.png"]}, "missing.png"),
        ({"references": ["data:image/png;base64,AAAA"], "model": IMAGEN}, "takes no references"),
        ({"conversation": "new", "model": IMAGEN}, "has no conversations"),
    ],
)
async def test_what_cannot_be_made_is_refused_before_anything_is_sent(
    connect: Connect, emulator: Emulator, arguments: dict[str, object], words: str
) -> None:
    async with connect() as client:
        assert words in error_of(await client.call_tool("generate_image", {"prompt": "A fox", **arguments}))
    assert not emulator.requests


# ---------------------------------------------------------------- references


async def test_references_go_before_the_words_and_mark_what_is_said_about_them(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "fox.png").write_bytes(noise(20))
    fake.say(drawn({"text": "It is\u202e brighter."}, inline(noise(30))))
    async with connect(base_url=fake.url) as client:
        made = await make(client, "Brighter", references=["fox.png", "https://pictures.example/x.jpg"])
        (artifact,) = made["artifacts"]
        await make(client, "Darker", references=[artifact["uri"]])
    parts = fake.requests[0]["contents"][0]["parts"]
    assert parts == [
        inline(noise(20)),
        {"fileData": {"fileUri": "https://pictures.example/x.jpg", "mimeType": "image/jpeg"}},
        {"text": "Brighter"},
    ]
    assert fake.requests[1]["contents"][0]["parts"][0] == inline(noise(30))
    assert (made["text"], made["untrusted"]) == ("It is brighter.", "files")


async def test_an_edit_starts_from_the_reference(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        (first,) = (await make(client))["artifacts"]
        (edited,) = (await make(client, "Make it brighter", references=[first["uri"]]))["artifacts"]
    assert file_of(first) != file_of(edited)
    assert len(requests(emulator)) == 2


async def test_the_same_picture_from_another_place_is_the_same_call(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / "allowed" / name).write_bytes(noise(20))
    fake.say(drawn(inline(noise(30))))
    async with connect(base_url=fake.url) as client:
        one = await make(client, references=["a.png"])
        two = await make(client, references=["b.png"])
        (tmp_path / "allowed" / "b.png").write_bytes(noise(21))
        three = await make(client, references=["b.png"])
    assert one["artifacts"] == two["artifacts"] != three["artifacts"]
    assert len(fake.requests) == 2


async def test_a_job_has_its_references_also_when_its_caller_has_gone(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    large = noise(1800)  # more than what is kept of a request until it is sent
    (tmp_path / "allowed" / "large.png").write_bytes(large)
    fake.say(drawn(inline(noise(30))))
    async with connect(base_url=fake.url) as client:
        begun = (await make(client, references=["large.png"], wait_seconds=0))["job"]
        assert (await job(client, begun["id"]))["status"] == "done"
    assert fake.requests[0]["contents"][0]["parts"][0] == inline(large)


# ---------------------------------------------------------------- several pictures, previews


async def test_several_pictures_are_several_requests_of_one_job(connect: Connect, fake: FakeGemini) -> None:
    fake.say(*(drawn(inline(noise(side))) for side in (30, 31, 32)))
    async with connect(base_url=fake.url) as client:
        made = await make(client, count=3)
    assert {artifact["width"] for artifact in made["artifacts"]} == {30, 31, 32}
    assert made["usage"]["output_tokens"] == 3 * 1120
    assert made["usage"]["cost_usd"] == pytest.approx(3 * 0.033615)
    assert len(fake.requests) == 3


async def test_what_came_of_several_is_kept_when_one_is_held_back(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn(inline(noise(30))), drawn(finish="IMAGE_SAFETY"))
    async with connect(base_url=fake.url) as client:
        made = await make(client, count=2)
    assert len(made["artifacts"]) == 1
    assert "1 of 2 came" in warned(made)


async def test_a_thumbnail_is_small_whatever_the_picture_weighs(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn(inline(noise(520))))
    async with connect(base_url=fake.url) as client:
        one = await making(client)
        three = await making(client, count=3)
    (preview,) = shown(one)
    assert len(preview) <= 150 * 1024
    assert max(Image.open(io.BytesIO(preview)).size) <= 512
    assert len(shown(three)) == 3
    assert on_the_wire(three) <= 200 * 1024 + 8 * 1024
    assert sum(len(base64.b64encode(data)) for data in shown(three)) <= 200 * 1024


async def test_a_full_preview_is_the_picture_itself_where_it_fits(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn(inline(noise(200))), drawn(inline(noise(600))))
    async with connect(base_url=fake.url) as client:
        small = await making(client, preview="full")
        large = await making(client, "Another", preview="full")
    assert shown(small) == [noise(200)]
    assert "warnings" not in structured(small)
    assert len(shown(large)[0]) <= 150 * 1024
    assert "too large to be shown whole" in warned(structured(large))


async def test_without_a_preview_a_result_is_two_kilobytes_at_most(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drawn({"text": "Here is the fox at dawn that you asked for."}, inline(noise(900))))
    async with connect(base_url=fake.url) as client:
        result = await making(client, preview="none", conversation="new")
    assert not shown(result)
    assert on_the_wire(result) <= 2048


# ---------------------------------------------------------------- paying once


async def test_a_dry_run_tells_the_price_and_sends_nothing(connect: Connect, emulator: Emulator) -> None:
    async with connect(toolsets=("all",)) as client:
        result = await making(client, size="2K", count=3, dry_run=True)
        dry = structured(result)
        unknown = await make(client, model="somebodys-model", dry_run=True)
        assert structured(await client.call_tool("list_jobs", {})) == {"jobs": []}
    assert dry == {"dry_run": True, "model": MODEL, "estimated_cost_usd": pytest.approx(3 * 0.0504)}
    assert unknown.keys() == {"dry_run", "model", "warnings"}
    assert "No price is known" in warned(unknown)
    assert "nothing was sent: about $0.1512" in text_of(result)
    assert not emulator.requests


async def test_the_same_call_again_is_the_same_picture_and_one_request(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        one = await make(client)
        two = await make(client, preview="none", wait_seconds=5)
        other = await make(client, "A cat")
    assert one["artifacts"] == two["artifacts"] != other["artifacts"]
    assert "nothing was made or billed anew" in warned(two)
    assert len(requests(emulator)) == 2


async def test_calls_at_the_same_time_are_one_request(connect: Connect, fake: FakeGemini) -> None:
    gate = asyncio.Event()
    fake.say(Reply(drawn(inline(noise(30))), gate=gate))
    made: list[object] = []
    async with connect(base_url=fake.url) as client, anyio.create_task_group() as tasks:

        async def one() -> None:
            made.append((await make(client))["artifacts"])

        for _ in range(3):
            tasks.start_soon(one)
        await fake.wait_for(1)
        gate.set()
    assert len(made) == 3
    assert made[0] == made[1] == made[2]
    assert len(fake.requests) == 1


async def test_a_picture_that_was_deleted_meanwhile_is_said_to_be_gone(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        one = await make(client)
        Path(one["artifacts"][0]["path"]).unlink()
        two = await make(client)
    assert "is gone" in warned(two)
    assert len(requests(emulator)) == 1


async def test_another_one_is_made_when_that_is_wanted(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        one = await make(client)
        two = await make(client, reuse=False)
    assert one["artifacts"][0]["id"] != two["artifacts"][0]["id"]
    assert len(requests(emulator)) == 2


async def test_a_slow_picture_is_handed_over_as_a_job_and_get_job_delivers_it(
    connect: Connect, fake: FakeGemini
) -> None:
    gate = asyncio.Event()
    fake.say(Reply(drawn({"text": "There."}, inline(noise(30))), gate=gate))
    async with connect(base_url=fake.url) as client:
        result = await making(client, wait_seconds=0)
        begun = structured(result)["job"]
        assert begun["status"] in ("submitting", "running")
        assert begun["kind"] == "image"
        assert "Do not start it again" in begun["next"]
        assert begun["id"] in text_of(result)
        gate.set()
        done = await job(client, begun["id"])
        again = await make(client)
    assert (done["status"], done["text"]) == ("done", "There.")
    assert done["result"]["usage"]["cost_usd"] == done["cost_usd"] == 0.033615
    assert file_of(done["artifacts"][0]) == noise(30)
    assert again["artifacts"] == done["artifacts"]
    assert len(fake.requests) == 1


async def test_a_disk_that_cannot_be_written_delays_the_picture_and_does_not_lose_it(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    fake.say(drawn(inline(noise(30))))
    blocked = tmp_path / "output"
    blocked.write_text("no directory")
    async with connect(base_url=fake.url, poll=0.05) as client:
        begun = (await make(client, wait_seconds=0))["job"]
        state = begun
        with anyio.fail_after(20):
            while not state.get("message", "").startswith("Its files could not be saved yet"):
                state = await job(client, begun["id"], wait=0.05)
        assert state["status"] == "downloading"
        blocked.unlink()
        done = await job(client, begun["id"])
    assert done["status"] == "done"
    assert file_of(done["artifacts"][0]) == noise(30)
    assert len(fake.requests) == 1


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (drawn(finish="NO_IMAGE"), "no picture came of it"),
        (drawn(finish="IMAGE_SAFETY"), "held back by the safety filter"),
        (drawn({"text": "I cannot draw that."}), "in words instead of a picture: I cannot draw that."),
        ({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10},
          "modelVersion": MODEL}, "Gemini did not answer the prompt (SAFETY)"),
    ],
)  # fmt: skip
async def test_no_picture_is_an_error_that_says_why_and_what_it_cost(
    connect: Connect, fake: FakeGemini, answer: dict[str, object], words: str
) -> None:
    fake.say(answer)
    async with connect(base_url=fake.url) as client:
        result = await making(client)
        assert result.is_error
        assert words in text_of(result)
        assert "It used 10 in" in text_of(result)
        facts = (result.meta or {})["gemini-toolserver/error"]
        assert facts["usage"]["input_tokens"] == 10
        await making(client)
    assert len(fake.requests) == 2, "what has failed is tried again when it is asked for again"


async def test_a_model_that_google_has_shut_down_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect(base_url="https://generativelanguage.googleapis.com", toolsets=("all",)) as client:
        for model in (IMAGEN, "gemini-3.1-flash-image-preview"):
            said = await refused(client, model=model)
            assert "nothing was sent" in said
            assert "Use gemini-nano-banana-2.1 instead." in said
        assert structured(await client.call_tool("list_jobs", {})) == {"jobs": []}
    assert not emulator.requests


async def test_a_retired_model_is_asked_of_another_backend(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"predictions": [{"bytesBase64Encoded": base64.b64encode(noise(30)).decode(), "mimeType": "image/png"}]})
    async with connect(base_url=fake.url) as client:
        made = await make(client, model=IMAGEN, count=2, aspect_ratio="3:4", size="1K")
    assert fake.paths == [f"/v1beta/models/{IMAGEN}:predict"]
    assert fake.requests == [
        {
            "instances": [{"prompt": "A fox at dawn"}],
            "parameters": {
                "sampleCount": 2,
                "aspectRatio": "3:4",
                "sampleImageSize": "1K",
                "includeRaiReason": True,
            },
        }
    ]
    assert file_of(made["artifacts"][0]) == noise(30)
    assert made["usage"]["cost_usd"] == 0.04


async def test_pictures_that_imagen_filters_are_an_error_with_its_reason(connect: Connect, fake: FakeGemini) -> None:
    fake.say({"predictions": [{"raiFilteredReason": "All images were filtered out: people."}]})
    async with connect(base_url=fake.url) as client:
        said = await refused(client, model=IMAGEN)
    assert "All images were filtered out: people." in said
    assert "Rephrase" in said


# ---------------------------------------------------------------- the other API family


async def test_pictures_come_through_the_interactions_api_where_that_is_set(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "fox.png").write_bytes(noise(20))
    async with connect(image_api="interactions") as client:
        made = await make(client, "Brighter", references=["fox.png"], aspect_ratio="16:9", size="1K")
        assert "one picture a call" in await refused(client, count=2)
        assert "without a conversation" in await refused(client, conversation="new")
    (request,) = [one for one in emulator.requests if one["method"] == "POST"]
    assert request["path"] == "/v1beta/interactions"
    body = request["body"]
    assert (body["model"], body["store"]) == (MODEL, False)
    assert body["response_format"] == {"type": "image", "aspect_ratio": "16:9", "image_size": "1K"}
    assert [content["type"] for content in body["input"]] == ["text", "image"]
    (artifact,) = made["artifacts"]
    assert Image.open(io.BytesIO(file_of(artifact))).size == (artifact["width"], artifact["height"])
    assert made["usage"]["cost_usd"] > 0


@pytest.mark.parametrize(("references", "told"), [([""], "The path is empty."), (["gone.png"], "There is no file")])
async def test_a_dry_run_refuses_references_that_the_call_would_refuse(
    connect: Connect, emulator: Emulator, references: list[str], told: str
) -> None:
    async with connect() as client:
        arguments = {"prompt": "a fox", "references": references, "dry_run": True}
        assert told in error_of(await client.call_tool("generate_image", arguments))
    assert not emulator.requests
