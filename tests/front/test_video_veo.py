"""generate_video with Veo, which gateways serve for longer than Google does: operations instead of interactions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client

from gemini_emulator import Emulator, Options, running
from tests.conftest import LOG, Connect, error_of, structured
from tests.emulator.drawing import RED, Drawing
from tests.front.conftest import TODAY, Json

pytestmark = pytest.mark.anyio

VEO = "veo-3.1-generate-preview"
FOX = "A red fox runs through snow at night"


@pytest.fixture(scope="module", name="standing_emulator")
def gateway() -> Iterator[Emulator]:
    """An emulator that still serves Veo."""
    options = Options(log=Path(LOG) if LOG else None, today=TODAY, legacy_media=True)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(options)) as started:
        yield started


@pytest.fixture(name="connect")
def connect_in_a_hurry(connect: Connect) -> Connect:
    return partial(connect, poll=0.01)


@pytest.fixture
def picture(tmp_path: Path) -> str:
    (tmp_path / "allowed" / "first.png").write_bytes(Drawing(64, 36).paint("square", RED, 8, 8, 24, 24).png())
    return "first.png"


async def film(client: Client, **arguments: Any) -> Json:
    return structured(await client.call_tool("generate_video", {"prompt": FOX, "model": VEO, **arguments}))


async def refused(client: Client, **arguments: Any) -> str:
    return error_of(await client.call_tool("generate_video", {"prompt": FOX, "model": VEO, **arguments}))


def begun(emulator: Emulator) -> list[Json]:
    """The bodies of the operations that were begun."""
    return [one["body"] for one in emulator.requests if one["path"].endswith(":predictLongRunning")]


async def test_words_become_a_film_that_costs_its_seconds(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        job = await film(client, negative_prompt="people", aspect_ratio="9:16", duration_seconds=4)
    assert (job["status"], job["cost_usd"]) == ("done", 1.6)
    [artifact] = job["artifacts"]
    assert artifact["mime_type"] == "video/mp4"
    assert artifact["duration_seconds"] == pytest.approx(4, abs=0.2)
    assert "warnings" not in job
    assert begun(emulator) == [
        {
            "instances": [{"prompt": FOX}],
            "parameters": {
                "sampleCount": 1, "aspectRatio": "9:16", "resolution": "720p", "durationSeconds": 4,
                "negativePrompt": "people",
            },
        }
    ]  # fmt: skip


async def test_frames_and_references_go_inline(connect: Connect, emulator: Emulator, picture: str) -> None:
    async with connect() as client:
        assert (await film(client, first_frame=picture, last_frame=picture))["status"] == "done"
        assert (await film(client, references=[picture]))["status"] == "done"
    framed, referred = (body["instances"][0] for body in begun(emulator))
    assert framed["image"]["mimeType"] == framed["lastFrame"]["mimeType"] == "image/png"
    [reference] = referred["referenceImages"]
    assert reference["referenceType"] == "asset"
    assert reference["image"]["bytesBase64Encoded"] == framed["image"]["bytesBase64Encoded"]


async def test_a_film_of_veo_goes_on_from_where_google_has_it(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await film(client)
        longer = await film(client, video=first["id"], task="extend")
    assert longer["status"] == "done"
    video = begun(emulator)[1]["instances"][0]["video"]
    assert "/files/" in video["uri"]
    assert "encodedVideo" not in video


async def test_gemini_omni_edits_the_file_of_a_film_of_veo(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        first = await film(client)
        edited = await film(client, model="gemini-omni-1.1-flash", prompt="Make it dawn", video=first["id"])
    assert edited["status"] == "done"
    [body] = [one["body"] for one in emulator.requests if one["path"].endswith("/interactions")]
    assert "previous_interaction_id" not in body
    assert body["input"][1]["mime_type"] == "video/mp4"


async def test_a_film_that_was_filtered_says_why(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("filtered", path=":predictLongRunning")
        words = await refused(client)
    assert "Veo held the video back" in words
    assert "because of Google's rules for content: " in words
    assert "Rephrase the prompt" in words


async def test_a_failed_operation_tells_googles_words(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("outcome=failed", path=":predictLongRunning")
        assert "Gemini began the work, and it failed (" in await refused(client)


async def test_an_operation_that_google_forgot_is_a_failure_with_a_clear_word(
    connect: Connect, emulator: Emulator
) -> None:
    async with connect() as client:
        emulator.add_fault("status=404", method="GET", path="/operations/", times=None)
        assert "Google does not know this job any more" in await refused(client)


async def test_a_film_that_cannot_be_stopped_says_that_it_is_billed(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        emulator.add_fault("polls=1000", path=":predictLongRunning")
        job = await film(client, wait_seconds=0.2)
        assert job["status"] == "running"
        with anyio.move_on_after(0.5):  # nobody waits longer than that for what cannot be stopped
            await client.call_tool("cancel_job", {"job": job["id"]})
        shown = structured(await client.call_tool("get_job", {"job": job["id"]}))
    assert shown["status"] == "running"
    assert "Google cannot stop this sort of work: it goes on, and is billed" in shown["message"]
    assert not [one for one in emulator.requests if "cancel" in one["path"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"duration_seconds": 5}, "4, 6 or 8 seconds"),
        ({"resolution": "360p"}, "does not make 360p"),
        ({"resolution": "4k", "duration_seconds": 4}, "With resolution 1080p and 4k"),
        ({"references": ["first.png"], "duration_seconds": 6}, "With references"),
        ({"references": ["first.png"] * 4}, "3 references at most"),
        ({"video": "first.png", "task": "edit"}, "has no task edit"),
        ({"first_frame": "https://a.example/x.png"}, "Veo takes no link as first_frame"),
        ({"references": ["data:video/mp4;base64,AAAA"]}, "Veo takes no video/mp4 as references"),
    ],
)
async def test_what_veo_does_not_take_is_refused_and_nothing_is_sent(
    connect: Connect, emulator: Emulator, picture: str, arguments: Json, words: str
) -> None:
    async with connect() as client:
        assert words in await refused(client, **arguments)
    assert not emulator.requests


async def test_a_dry_run_knows_the_price_of_veo(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        found = await film(client, resolution="4k", dry_run=True)
    assert found["estimated_cost_usd"] == pytest.approx(4.8)
    assert not emulator.requests
