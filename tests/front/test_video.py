"""generate_video through the front door: Gemini Omni's videos as jobs, from the first progress to the file."""

from __future__ import annotations

import base64
import json
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server import surface
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.emulator.drawing import RED, Drawing
from tests.front.conftest import FakeGemini, Json, warned

pytestmark = pytest.mark.anyio

FOX = "A red fox runs through snow at night"
OMNI = "gemini-omni-1.1-flash"
FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"
JOB_FIELDS = {"id", "kind", "status", "created", "artifacts", "cost_usd"}


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    """Connect to a server that asks after its jobs every few milliseconds."""
    return partial(connect, poll=0.01)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """A picture in the allowed directory."""
    (tmp_path / "allowed" / "first.png").write_bytes(Drawing(64, 36).paint("square", RED, 8, 8, 24, 24).png())
    return "first.png"


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """The start of a video in the allowed directory."""
    (tmp_path / "allowed" / "clip.mp4").write_bytes(FILM)
    return "clip.mp4"


async def film(client: Client, **arguments: Any) -> Json:
    """The structured result of generate_video, which must succeed."""
    return structured(await client.call_tool("generate_video", {"prompt": FOX, **arguments}))


async def refused(client: Client, **arguments: Any) -> str:
    """The text of generate_video failing."""
    return error_of(await client.call_tool("generate_video", {"prompt": FOX, **arguments}))


async def job_of(client: Client, job: Json, wait: float = 20) -> Json:
    """get_job, waiting for the end."""
    return structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": wait}))


def asked(emulator: Emulator, method: str, path: str) -> list[Json]:
    """The requests that reached the emulator."""
    return [one for one in emulator.requests if one["method"] == method and one["path"].endswith(path)]


def created(emulator: Emulator) -> list[Json]:
    """The bodies of the interactions that were begun."""
    return [one["body"] for one in asked(emulator, "POST", "/interactions")]


@pytest.mark.parametrize("mode", ERAS)
async def test_words_become_a_film_with_progress_that_only_grows(
    connect: Connect, emulator: Emulator, mode: str
) -> None:
    told: list[tuple[float, str]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message or ""))

    async with connect(mode=mode) as client:
        result = await client.call_tool("generate_video", {"prompt": FOX}, progress_callback=note)
    job = structured(result)
    assert job.keys() >= JOB_FIELDS
    assert (job["status"], job["kind"], job["progress"]) == ("done", "video", 1.0)
    assert job["cost_usd"] == pytest.approx(0.81, abs=0.02)
    assert job["result"]["usage"]["output_tokens"] > 0
    assert not job.keys() & {"next", "error", "warnings", "dry_run"}
    [artifact] = job["artifacts"]
    assert artifact["mime_type"] == "video/mp4"
    assert artifact["duration_seconds"] == pytest.approx(8, abs=0.2)
    assert Path(artifact["path"]).read_bytes()[4:8] == b"ftyp"
    assert artifact["uri"] in text_of(result)
    values = [value for value, _ in told]
    assert values == sorted(set(values))
    assert any("Gemini is at work" in words for _, words in told)
    assert len(created(emulator)) == 1


async def test_what_is_sent_says_everything_that_is_paid_for(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        await film(client, aspect_ratio="9:16", resolution="1080p", duration_seconds=4)
    assert created(emulator) == [
        {
            "model": OMNI,
            "input": [{"type": "text", "text": FOX}],
            "generation_config": {"video_config": {"task": "text_to_video"}},
            "response_format": {
                "type": "video", "aspect_ratio": "9:16", "resolution": "1080p", "duration": "4s", "delivery": "uri",
            },
            "store": True,
            "background": True,
        }
    ]  # fmt: skip


async def test_without_waiting_there_is_a_job_that_get_job_finishes(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        job = await film(client, wait_seconds=0)
        assert job["status"] in ("submitting", "running")
        assert f'get_job with job="{job["id"]}"' in job["next"]
        assert job["next"].startswith("Do not start it again")
        assert job["artifacts"] == []
        done = await job_of(client, job)
    assert (done["id"], done["status"]) == (job["id"], "done")
    assert done["artifacts"][0]["mime_type"] == "video/mp4"
    assert len(created(emulator)) == 1


async def test_frames_go_inline_and_in_their_order(
    connect: Connect, emulator: Emulator, picture: str, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "last.png").write_bytes(Drawing(64, 36).png())
    async with connect() as client:
        job = await film(client, first_frame=picture, last_frame="last.png")
    assert job["status"] == "done"
    [body] = created(emulator)
    assert body["generation_config"]["video_config"]["task"] == "image_to_video"
    _, first, last = body["input"]
    assert (first["type"], first["mime_type"], last["type"]) == ("image", "image/png", "image")
    assert first["data"] != last["data"]


async def test_references_may_be_pictures_and_clips_and_links(
    connect: Connect, emulator: Emulator, picture: str
) -> None:
    sources = [picture, "https://a.example/b.jpg", "https://a.example/c.mp4", "files/abc123"]
    async with connect() as client:
        assert "File abc123" in await refused(client, references=sources)
    [body] = created(emulator)
    assert body["generation_config"]["video_config"]["task"] == "reference_to_video"
    contents = [(one["type"], one.get("uri")) for one in body["input"][1:]]
    assert contents == [
        ("image", None),
        ("image", "https://a.example/b.jpg"),
        ("video", "https://a.example/c.mp4"),
        ("image", "https://generativelanguage.googleapis.com/v1beta/files/abc123"),
    ]


async def test_a_film_made_here_is_edited_by_its_job(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await film(client, duration_seconds=4)
        job = await film(client, prompt="Make it dawn", video=first["id"])
        longer = await film(client, prompt="It sits down", video=job["id"], task="extend", duration_seconds=3)
    assert job["status"] == longer["status"] == "done"
    assert job["artifacts"][0]["id"] != first["artifacts"][0]["id"]
    before, edit, extension = created(emulator)
    assert "previous_interaction_id" not in before
    assert edit["generation_config"]["video_config"]["task"] == "edit"
    assert edit["response_format"] == {"type": "video", "delivery": "uri"}
    assert extension["generation_config"]["video_config"]["task"] == "extend"
    assert extension["response_format"]["duration"] == "3s"
    names = [edit["previous_interaction_id"], extension["previous_interaction_id"]]
    assert len(set(names)) == 2
    assert all(asked(emulator, "GET", f"/interactions/{name}") for name in names)


async def test_a_film_of_ones_own_is_edited_and_its_length_is_guessed(
    connect: Connect, emulator: Emulator, clip: str
) -> None:
    async with connect() as client:
        found = await film(client, prompt="Make it dawn", video=clip, dry_run=True)
        assert "estimated for 10 s" in warned(found)
        assert found["estimated_cost_usd"] == pytest.approx(1.0)
    assert not emulator.requests


async def test_upscaling_needs_no_words(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await film(client, duration_seconds=3)
        await film(client, prompt="", video=first["id"], task="upscale")
    body = created(emulator)[1]
    assert body["input"] == [{"type": "text", "text": "Upscale the video."}]
    assert body["response_format"]["resolution"] == "1080p"


async def test_what_is_to_be_avoided_goes_into_the_prompt_and_says_so(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        job = await film(client, negative_prompt="people, text")
    assert created(emulator)[0]["input"][0]["text"] == f"{FOX}\nAvoid: people, text"
    assert "no negative prompt" in warned(job)


WRONG: dict[str, tuple[Json, str]] = {
    "no words": ({"prompt": "  "}, "prompt is empty"),
    "last frame alone": ({"last_frame": "first.png"}, "last_frame is given without first_frame"),
    "frames and references": ({"first_frame": "first.png", "references": ["first.png"]}, "takes first_frame and last"),
    "frame and video": ({"first_frame": "first.png", "video": "clip.mp4"}, "The task edit takes video and references"),
    "words with a picture": ({"task": "text_to_video", "first_frame": "first.png"}, "takes no media"),
    "edit of nothing": ({"task": "edit"}, "The task edit needs video"),
    "extend nothing": ({"task": "extend"}, "The task extend needs video"),
    "no references": ({"task": "reference_to_video"}, "needs references"),
    "upscale small": ({"task": "upscale", "video": "clip.mp4", "resolution": "720p"}, "Give resolution 1080p or 4k"),
    "too long": ({"duration_seconds": 11}, "3 to 10 seconds"),
    "too short": ({"duration_seconds": 2}, "3 to 10 seconds"),
    "square": ({"aspect_ratio": "1:1"}, "aspect_ratio: input should be '16:9' or '9:16'"),
    "huge": ({"resolution": "8k"}, "resolution: input should be"),
    "unknown task": ({"task": "colourize"}, "task: input should be"),
    "a film as frame": ({"first_frame": "clip.mp4"}, "first_frame is no picture"),
    "a picture as film": ({"video": "first.png"}, "video is no video"),
    "YouTube": ({"video": "https://youtu.be/abc"}, "YouTube"),
    "seven references": ({"references": ["first.png"] * 7}, "more than 6 references"),
    "an empty reference": ({"references": ["first.png", ""]}, "path is empty"),
    "a text as reference": ({"references": ["data:text/plain;base64,aGk="]}, "A reference is text/plain"),
    "another model": ({"model": "gemini-3.8-flash"}, "gemini-3.8-flash makes no videos"),
    "unknown job": ({"video": "j_0123456789012345678901"}, "There is no job"),
    "no such file": ({"video": "none.mp4"}, "none.mp4"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_makes_no_sense_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, picture: str, clip: str, name: str
) -> None:
    arguments, words = WRONG[name]
    async with connect() as client:
        assert words in await refused(client, **arguments)
    assert not emulator.requests


async def test_a_dry_run_tells_the_price_and_begins_nothing(connect: Connect, emulator: Emulator, picture: str) -> None:
    async with connect() as client:
        found = await film(client, first_frame=picture, duration_seconds=5, dry_run=True)
        unknown = await film(client, model="gemini-omni-9", dry_run=True)
        said = text_of(await client.call_tool("generate_video", {"prompt": FOX, "dry_run": True}))
    assert said == f"[dry run with {OMNI}, nothing was sent: about $0.8000]"  # what a client without structure shows
    assert found == {
        "artifacts": [], "cost_usd": None, "dry_run": True, "estimated_cost_usd": 0.5, "model": OMNI,
    }  # fmt: skip
    assert "estimated_cost_usd" not in unknown
    assert "No price is known" in warned(unknown)
    assert not emulator.requests


FAILED = {
    "outcome=failed code=prohibited_content message=Not_this.": "may be prohibited: Not this.",
    "outcome=failed code=api_error message=Broken.": "it failed (api_error): Broken.",
    "block=SAFETY": "safety filter objected",
    "nocontent": "I cannot make this.",
    "empty": "No video came of it.",
    "outcome=incomplete": "stopped before it was finished",
    "outcome=budget_exceeded": "stopped at the budget",
}


@pytest.mark.parametrize("directive", FAILED)
async def test_a_film_that_came_to_nothing_says_why_in_both_tools(
    connect: Connect, emulator: Emulator, directive: str
) -> None:
    async with connect() as client:
        emulator.add_fault(directive, path="/interactions")
        words = await refused(client)
        assert FAILED[directive] in words
        job = words.partition("(job ")[2].partition(")")[0]
        shown = structured(await client.call_tool("get_job", {"job": job}))
    assert shown["status"] == "failed"
    assert FAILED[directive] in shown["error"]["message"]
    assert "next" not in shown


async def test_a_refused_request_begins_nothing_and_can_be_repeated(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("status=400", method="POST", path="/interactions")
        assert "Gemini refused the request" in await refused(client)
        assert (await film(client))["status"] == "done"
    assert len(created(emulator)) == 2


async def test_a_request_whose_end_is_unknown_is_not_sent_again_by_itself(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("status=503", method="POST", path="/interactions", times=None)
        assert "reuse=false" in await refused(client)
        emulator.clear_faults()
        assert "reuse=false" in await refused(client)
        assert (await film(client, reuse=False))["status"] == "done"
    assert len(created(emulator)) == 2


async def test_cancelling_on_the_way_asks_google_to_stop(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("polls=1000", method="POST", path="/interactions")
        job = await film(client, wait_seconds=0.2)
        assert job["status"] == "running"
        stopped = structured(await client.call_tool("cancel_job", {"job": job["id"]}))
        assert stopped["status"] == "cancelled"
        assert (await job_of(client, job))["status"] == "cancelled"
    assert len(asked(emulator, "POST", "/cancel")) == 1


async def test_the_same_call_is_the_same_film(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await film(client)
        again = await film(client, wait_seconds=3)
        assert again["id"] == first["id"]
        assert "nothing was made or billed anew" in warned(again)
        assert (await film(client, reuse=False))["id"] != first["id"]
        assert (await film(client, duration_seconds=9))["id"] != first["id"]
    assert len(created(emulator)) == 3


async def test_parallel_identical_calls_make_one_film(connect: Connect, emulator: Emulator, picture: str) -> None:
    found: list[Json] = []
    async with connect() as client, anyio.create_task_group() as tasks:

        async def ask(source: str) -> None:
            found.append(await film(client, first_frame=source))

        for _ in range(10):
            tasks.start_soon(ask, picture)
    assert len({one["id"] for one in found}) == 1
    assert len(created(emulator)) == 1


async def test_a_download_that_is_redirected_carries_no_key_to_the_other_host(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        emulator.add_fault("redirect=cdn:localhost", path=":download")
        job = await film(client)
    assert job["status"] == "done"
    [elsewhere] = [one for one in emulator.requests if "/emulator-cdn/" in one["path"]]
    assert "x-goog-api-key" not in {name.lower() for name in elsewhere["headers"]}


async def test_an_interaction_that_google_forgot_is_a_failure_with_a_clear_word(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        emulator.add_fault("status=404", method="GET", path="/interactions/", times=None)
        assert "Google does not know this job any more" in await refused(client)


async def test_trouble_while_asking_is_no_failure(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("status=500", method="GET", path="/interactions/", times=3)
        assert (await film(client))["status"] == "done"
    assert len(created(emulator)) == 1


async def test_a_film_that_comes_inline_is_a_file_too(connect: Connect, fake: FakeGemini) -> None:
    content = {"type": "video", "mime_type": "video/mp4", "data": base64.b64encode(FILM).decode()}
    step = {"type": "model_output", "content": [content, {"type": "text", "text": "Here.\u202e <b>"}]}
    fake.say({"id": "v1_x", "status": "completed", "model": OMNI, "steps": [step]})
    async with connect(base_url=fake.url) as client:
        job = await film(client)
    assert Path(job["artifacts"][0]["path"]).read_bytes() == FILM
    assert job["text"] == "Here. ‹b>"
    assert job["cost_usd"] == pytest.approx(0.8)


async def test_a_dropped_call_leaves_a_film_that_ends(connect: Connect, emulator: Emulator, picture: str) -> None:
    arguments = {"prompt": FOX, "first_frame": picture}
    async with connect() as client:
        with anyio.CancelScope() as scope:

            async def drop(progress: float, total: float | None, message: str | None) -> None:
                scope.cancel()

            await client.call_tool("generate_video", arguments, progress_callback=drop)
        assert scope.cancelled_caught
        again = await film(client, first_frame=picture)
    assert again["status"] == "done"
    assert "The same call" in warned(again)
    assert len(created(emulator)) == 1


def test_what_a_model_sees_of_the_tool_is_small() -> None:
    [shown] = [tool.shown for tool in surface.load().tools if tool.name == "generate_video"]
    schema = json.dumps(shown["inputSchema"], ensure_ascii=False, separators=(",", ":"))
    assert len(f"generate_video{shown['description']}{schema}".encode()) <= 1500
    assert len(shown["description"]) <= 450


async def test_a_model_that_google_has_shut_down_names_another_and_nothing_is_sent(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect(base_url="https://generativelanguage.googleapis.com") as client:
        words = await refused(client, model="veo-3.1-generate-preview")
    assert "gemini-omni-1.1-flash" in words
    assert not emulator.requests


async def test_an_empty_reference_is_refused_as_a_path(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        text = error_of(await client.call_tool("generate_video", {"prompt": FOX, "references": [""]}))
    assert "The path is empty." in text
    assert not emulator.requests


async def test_a_dry_run_uploads_nothing_however_large_the_clip(
    connect: Connect, emulator: Emulator, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemini_server.toolkit.media.INLINE_LIMIT", 8)
    async with connect() as client:
        told = await film(client, prompt="at dawn", video=clip, dry_run=True)
        text = error_of(await client.call_tool("generate_video", {"prompt": FOX, "first_frame": clip, "dry_run": True}))
    assert told["dry_run"] is True
    assert "first_frame is no picture, but video/mp4." in text
    assert not emulator.requests
