"""Pictures, speech, music and videos through interactions."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from .conftest import Api
from .interacting import contents_of, create, error_of, events_of, get, post, refusal, text_of

pytestmark = pytest.mark.anyio

OMNI = "gemini-omni-1.1-flash"
IMAGE = "gemini-nano-banana-2.1"
SHORT = {"type": "video", "duration": "3s", "resolution": "360p"}


def bytes_of(content: dict[str, Any]) -> bytes:
    return base64.b64decode(content["data"])


def png() -> dict[str, str]:
    """A picture as an input; what is in it does not matter."""
    raw = b"\x89PNG\r\n\x1a\n" + bytes(8) + (5).to_bytes(4, "big") + (7).to_bytes(4, "big")
    return {"type": "image", "data": base64.b64encode(raw).decode(), "mime_type": "image/png"}


def mp4(seconds: int) -> dict[str, str]:
    """A video as an input, of which only the duration is there."""
    head = b"mvhd" + bytes(12) + (1000).to_bytes(4, "big") + (1000 * seconds).to_bytes(4, "big") + bytes(16)
    raw = (len(head) + 4).to_bytes(4, "big") + head
    return {"type": "video", "data": base64.b64encode(raw).decode(), "mime_type": "video/mp4"}


async def video(api: Api, given: object, **fields: Any) -> dict[str, Any]:
    """The one content of a video interaction."""
    (content,) = contents_of(await create(api, given, model=OMNI, response_format=SHORT, **fields))
    assert (content["type"], content["mime_type"]) == ("video", "video/mp4")
    return content


def task(name: str) -> dict[str, Any]:
    return {"generation_config": {"video_config": {"task": name}}}


async def test_an_image_model_answers_with_text_and_a_picture(api: Api) -> None:
    form = {"type": "image", "aspect_ratio": "16:9"}
    both = await create(api, "a red house", model=IMAGE)
    assert [one["type"] for one in contents_of(both)] == ["text", "image"]
    only = await create(api, "a red house", model=IMAGE, response_format=form)
    (picture,) = contents_of(only)
    assert picture["mime_type"] == "image/jpeg"
    assert bytes_of(picture).startswith(b"\xff\xd8\xff")
    assert only["usage"]["output_tokens_by_modality"] == [{"modality": "image", "tokens": 1120}]


async def test_a_picture_is_edited_in_the_next_turn(api: Api) -> None:
    form = {"type": "image"}
    first = await create(api, "a red house", model=IMAGE, response_format=form)
    alone = await create(api, "add a tree", model=IMAGE, response_format=form)
    edit = await create(api, "add a tree", model=IMAGE, response_format=form, previous_interaction_id=first["id"])
    assert contents_of(edit)[0]["data"] != contents_of(alone)[0]["data"]


async def test_a_sketch_may_come_with_the_thoughts(api: Api) -> None:
    config = {"thinking_summaries": "auto", "thinking_level": "high"}
    made = await create(api, "a red house", model=IMAGE, generation_config=config)
    (thought,) = [step for step in made["steps"] if step["type"] == "thought"]
    assert "image" in {one["type"] for one in thought["summary"]}
    told = await create(api, "a red house [emulate: text_instead]", model=IMAGE, response_format={"type": "image"})
    assert [one["type"] for one in contents_of(told)] == ["text"]


async def test_sizes_that_a_model_does_not_draw_are_refused(api: Api) -> None:
    form = {"type": "image", "image_size": "512"}
    assert "must be one of 1K, 2K, 4K" in (await refusal(api, "x", model=IMAGE, response_format=form))[1]
    form = {"type": "image", "image_size": "2K"}
    assert (await refusal(api, "x", model="gemini-3.1-flash-lite-image", response_format=form))[0] == "invalid_request"


async def test_a_picture_can_be_delivered_as_a_file(api: Api) -> None:
    form = {"type": "image", "delivery": "uri"}
    (picture,) = contents_of(await create(api, "a red house", model=IMAGE, response_format=form))
    assert "data" not in picture
    assert (await api.http.get(picture["uri"])).content.startswith(b"\xff\xd8\xff")


async def test_speech_is_raw_sound_with_its_rate(api: Api) -> None:
    voices = [{"voice": "Kore", "language": "en-US"}]
    fields: dict[str, Any] = {"model": "gemini-3.8-flash-tts", "generation_config": {"speech_config": voices}}
    (sound,) = contents_of(await create(api, "Say: hello there, my friend", **fields))
    assert (sound["mime_type"], sound["sample_rate"], sound["channels"]) == ("audio/l16", 24_000, 1)
    assert len(bytes_of(sound)) % 2 == 0
    form = {"type": "audio", "mime_type": "audio/wav", "sample_rate": 16_000}
    (wave,) = contents_of(await create(api, "Say: hello", response_format=form, **fields))
    assert bytes_of(wave)[:4] == b"RIFF"
    assert int.from_bytes(bytes_of(wave)[24:28], "little") == 16_000


async def test_speech_is_streamed_in_pieces_that_add_up(api: Api) -> None:
    given = "Say: " + "hello there, my friend. " * 20
    response = await post(api, given, model="gemini-3.8-flash-tts", stream=True)
    deltas = [event["delta"] for event in events_of(response.text) if event["event_type"] == "step.delta"]
    assert len(deltas) > 1
    (whole,) = contents_of(await create(api, given, model="gemini-3.8-flash-tts"))
    assert b"".join(bytes_of(delta) for delta in deltas) == bytes_of(whole)


async def test_what_speech_cannot_do_is_refused(api: Api) -> None:
    tts = "gemini-3.8-flash-tts"
    voices = {"speech_config": {"speakers": [{"voice": "Kore"}, {"voice": "Puck"}]}}
    assert "needs a 'speaker'" in (await refusal(api, "hi", model=tts, generation_config=voices))[1]
    three = {"speech_config": [{"voice": "Kore", "speaker": str(one)} for one in range(3)]}
    assert "at most 2 speakers" in (await refusal(api, "hi", model=tts, generation_config=three))[1]
    assert "only supports text" in (await refusal(api, [png()], model=tts))[1]
    form = {"type": "audio", "mime_type": "audio/ogg_opus"}
    assert (await refusal(api, "hi", model=tts, response_format=form, status=501))[0] == "not_implemented"


async def test_a_clip_lasts_half_a_minute(api: Api) -> None:
    form = {"type": "audio", "mime_type": "audio/l16"}
    (sound,) = contents_of(await create(api, "calm jazz", model="lyria-3-clip-preview", response_format=form))
    assert len(bytes_of(sound)) == 30 * sound["sample_rate"] * 2 * sound["channels"]


async def test_a_song_comes_with_its_words(api: Api) -> None:
    song = await create(api, [png(), {"type": "text", "text": "a sailor's song"}], model="lyria-3.5")
    assert [one["type"] for one in contents_of(song)] == ["text", "audio"]
    assert "[Chorus]" in text_of(song)
    assert contents_of(song)[1]["mime_type"] == "audio/mp3"
    assert "takes text and images only" in (await refusal(api, [mp4(3)], model="lyria-3.5"))[1]


async def test_a_video_comes_inline_or_as_a_file(api: Api) -> None:
    inline = await video(api, "a red ball")
    assert bytes_of(inline)[4:8] == b"ftyp"
    made = await create(api, "a red ball", model=OMNI, response_format={**SHORT, "delivery": "uri"})
    (content,) = contents_of(made)
    assert content["uri"].endswith(":download?alt=media")
    assert (await api.http.get(content["uri"])).content == bytes_of(inline)
    assert contents_of(await get(api, made["id"])) == [content]


async def test_a_file_of_the_emulator_is_a_source_and_an_unknown_one_is_not(api: Api) -> None:
    made = await create(api, "a red ball", model=OMNI, response_format={**SHORT, "delivery": "uri"})
    uri = contents_of(made)[0]["uri"]
    given = [
        {"type": "document", "uri": uri.partition(":download")[0]},
        {"type": "text", "text": "Continue the scene."},
    ]
    longer = await create(api, given, model=OMNI, response_format=SHORT)
    assert longer["usage"]["total_output_tokens"] == pytest.approx(6 * 2896, rel=0.1)
    given = [{"type": "image", "uri": "files/unknown"}, {"type": "text", "text": "What is it?"}]
    assert (await refusal(api, given, status=403))[0] == "permission_denied"


async def test_a_video_in_the_background_takes_its_polls(api: Api) -> None:
    begun = await create(api, "a red ball [emulate: polls=1]", model=OMNI, response_format=SHORT, background=True)
    statuses = [(await get(api, begun["id"]))["status"] for _ in range(2)]
    assert statuses == ["in_progress", "completed"]


async def test_seconds_of_video_cost_by_their_resolution(api: Api) -> None:
    for resolution, tokens in (("360p", 8688), ("720p", 17_376)):
        form = {**SHORT, "resolution": resolution}
        usage = (await create(api, "a red ball", model=OMNI, response_format=form))["usage"]
        assert usage["output_tokens_by_modality"] == [{"modality": "video", "tokens": tokens}]


async def test_a_video_is_edited_and_extended_in_the_next_turn(api: Api) -> None:
    first = await create(api, "a red ball", model=OMNI, response_format=SHORT)
    before = {"previous_interaction_id": first["id"]}
    edited = await create(api, "make the ball blue", model=OMNI, **before)
    longer = await create(api, "extend this video", model=OMNI, response_format=SHORT, **before)
    assert edited["usage"]["total_output_tokens"] == first["usage"]["total_output_tokens"]
    assert longer["usage"]["total_output_tokens"] == 2 * first["usage"]["total_output_tokens"]
    assert await video(api, "x", **before, **task("upscale"))


async def test_a_video_cannot_grow_beyond_forty_seconds(api: Api) -> None:
    long = {"type": "video", "duration": "10s", "resolution": "360p"}
    ident = (await create(api, "a ball [emulate: nocontent]", model=OMNI))["id"]
    without = await refusal(api, "extend it", model=OMNI, previous_interaction_id=ident, **task("extend"))
    assert "has no video" in without[1]
    ident = (await create(api, "a ball", model=OMNI, response_format=long))["id"]
    for _ in range(3):
        fields: dict[str, Any] = {"model": OMNI, "response_format": long, "previous_interaction_id": ident}
        ident = (await create(api, "extend it", **fields))["id"]
    fields = {"model": OMNI, "response_format": SHORT, "previous_interaction_id": ident}
    assert "the limit is 40" in (await refusal(api, "extend it", **fields))[1]


async def test_images_are_frames_or_references(api: Api) -> None:
    words = {"type": "text", "text": "the ball rolls"}
    assert await video(api, [png(), words], **task("image_to_video"))
    assert await video(api, [png(), png(), words])
    assert await video(api, [png(), png(), png(), words])
    assert await video(api, [png(), mp4(3), words], **task("reference_to_video"))
    assert await video(api, [mp4(5), words], **task("edit"))


@pytest.mark.parametrize(
    ("given", "fields", "words"),
    [
        ([png()], task("text_to_video"), "takes no images"),
        ([png()] * 3, task("image_to_video"), "takes 1 to 2 images"),
        ([], task("image_to_video"), "takes 1 to 2 images"),
        ([png()] * 7, task("reference_to_video"), "up to 6 images"),
        ([mp4(4)], task("reference_to_video"), "3 seconds or less"),
        ([], task("edit"), "needs a video"),
        ([mp4(11)], task("edit"), "10 seconds or less"),
        ([mp4(2), mp4(2)], task("edit"), "multiple videos"),
        ([], task("dream"), "'dream' is not supported for 'task'"),
        ([], {"response_format": {"type": "video", "duration": "11s"}}, "between 3 and 10 seconds"),
        ([], {"response_format": {"type": "video", "duration": "eight"}}, "expected a duration"),
        ([], {"response_format": {"type": "video", "duration": 8}}, "expected a string"),
        ([], {"response_format": {"type": "video", "resolution": "480p"}}, "'480p' is not supported"),
        ([], {"response_format": {"type": "video", "gcs_uri": "gs://x/y"}}, "Enterprise"),
        ([], {"response_format": {"type": "text"}}, "does not support the response format 'text'"),
        ([], {"system_instruction": "be brief"}, "System instructions are not supported"),
        ([], {"generation_config": {"temperature": 1}}, "'temperature' is not supported"),
        ([], {"tools": [{"type": "google_search"}]}, "Tools are not supported"),
        ([{"type": "audio", "data": "AAAA", "mime_type": "audio/wav"}], {}, "Audio references"),
        ([{"type": "video", "uri": "https://youtu.be/x"}], {}, "YouTube"),
    ],
)
async def test_what_omni_refuses(api: Api, given: list[Any], fields: dict[str, Any], words: str) -> None:
    code, message = await refusal(api, [*given, {"type": "text", "text": "a ball"}], model=OMNI, **fields)
    assert code == "invalid_request"
    assert words in message


async def test_a_refusal_may_be_a_text_in_place_of_a_video(api: Api) -> None:
    told = await create(api, "a ball [emulate: nocontent]", model=OMNI, response_format=SHORT)
    assert told["status"] == "completed"
    assert [one["type"] for one in contents_of(told)] == ["text"]
    assert (await refusal(api, "a ball [emulate: finish=IMAGE_SAFETY]", model=OMNI))[0] == "image_safety"


async def test_the_clip_model_is_found_in_the_stable_version_too(api: Api) -> None:
    response = await post(api, "jazz [emulate: empty]", model="lyria-3-clip-preview", version="v1")
    assert response.status_code == 200
    assert error_of(await post(api, "x", model="gemini-omni-9"), 404)[0] == "model_not_found"
