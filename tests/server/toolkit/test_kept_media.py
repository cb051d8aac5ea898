"""Turns whose pictures are files: a pointer is kept, the same bytes are sent."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from gemini_server.api.content import Blob, Content, FileData, Part, text_part
from gemini_server.api.models import GenerateContentRequest
from gemini_server.errors import ArgumentError, NotFound
from gemini_server.jobs.artifacts import Traits
from gemini_server.rest.body import BytesSource, InlineMedia, encode
from gemini_server.toolkit import identity, kept_media, media
from gemini_server.toolkit.runtime import Runtime
from tests.server.toolkit.working import Gemini, Json, inline, runtime_for

pytestmark = pytest.mark.anyio

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
TRAITS = Traits("image/png", ".png", 1, 1)


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return runtime_for(Gemini(), tmp_path)


def source(data: bytes) -> Part:
    return Part(inline_data=Blob(mime_type="image/png", data=InlineMedia(BytesSource(data))))


async def sent(turns: list[Json]) -> str:
    """A request with these turns as it travels."""
    body = encode(GenerateContentRequest(contents=cast(Any, turns)))
    return b"".join([chunk async for chunk in body.chunks()]).decode()


async def test_an_artifact_that_a_turn_points_to_is_sent_as_the_bytes_it_stands_for(runtime: Runtime) -> None:
    artifact = await runtime.artifacts.save("local", "image", PICTURE, TRAITS)
    came = {"role": "model", "parts": [{"text": "x"}, inline(PICTURE, thoughtSignature="c2ln")], "odd": 1}
    kept = kept_media.pointed(came, {1: f"gemini://artifacts/{artifact.id}"})
    assert base64.b64encode(PICTURE).decode() not in str(kept)
    assert kept["odd"] == 1
    (again,) = await kept_media.picked_up(runtime, "local", [kept])
    travels = await sent([again])
    assert base64.b64encode(PICTURE).decode() in travels
    assert '"thoughtSignature":"c2ln"' in travels
    assert '"mimeType":"image/png"' in travels


async def test_turns_without_pointers_stay_as_they_are(runtime: Runtime) -> None:
    turns: list[Json] = [
        {"role": "user", "parts": [{"text": "gemini://artifacts/x"}, inline(PICTURE), {"fileData": {"fileUri": "u"}}]},
        {"role": "model"},
    ]
    assert await kept_media.picked_up(runtime, "local", turns) == turns


@pytest.mark.parametrize("pointer", ["gemini://artifacts/none", "gemini://jobs/j_none/0"])
async def test_a_picture_that_is_gone_says_how_to_go_on(runtime: Runtime, pointer: str) -> None:
    turn = kept_media.pointed({"role": "user", "parts": [inline(b"")]}, {0: pointer})
    with pytest.raises(NotFound, match="earlier turn is gone"):
        await kept_media.picked_up(runtime, "local", [turn])


async def test_a_picture_of_somebody_else_is_gone_too(runtime: Runtime) -> None:
    artifact = await runtime.artifacts.save("alice", "image", PICTURE, TRAITS)
    turn = kept_media.pointed({"role": "user", "parts": [inline(b"")]}, {0: f"gemini://artifacts/{artifact.id}"})
    with pytest.raises(NotFound):
        await kept_media.picked_up(runtime, "local", [turn])


async def test_more_pictures_than_one_request_takes_are_refused(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_media, "INLINE_LIMIT", 2 * len(PICTURE))
    artifact = await runtime.artifacts.save("local", "image", PICTURE, TRAITS)
    turn = kept_media.pointed({"role": "user", "parts": [inline(b"")]}, {0: f"gemini://artifacts/{artifact.id}"})
    assert len(await kept_media.picked_up(runtime, "local", [turn, turn])) == 2
    with pytest.raises(ArgumentError, match="last picture in references"):
        await kept_media.picked_up(runtime, "local", [turn, turn, turn])


async def test_what_a_user_says_is_kept_with_small_files_in_it_and_artifacts_pointed_to() -> None:
    turn = Content(
        role="user",
        parts=[source(PICTURE), source(b"x"), Part(file_data=FileData(file_uri="gs://b/o")), text_part("hi")],
    )
    kept = await kept_media.said(turn, {1: "gemini://artifacts/a"})
    assert kept == {
        "role": "user",
        "parts": [
            inline(PICTURE),
            {"inlineData": {"mimeType": "image/png", "data": "gemini://artifacts/a"}},
            {"fileData": {"fileUri": "gs://b/o"}},
            {"text": "hi"},
        ],
    }


async def test_files_that_are_too_large_to_be_kept_are_refused_unless_they_are_artifacts() -> None:
    large = source(bytes(media.KEPT_LIMIT + 1))
    turn = Content(role="user", parts=[large])
    with pytest.raises(ArgumentError, match="8 MiB that one turn"):
        await kept_media.said(turn, {})
    assert await kept_media.said(turn, {0: "gemini://artifacts/a"})


async def test_the_same_bytes_are_the_same_wherever_they_come_from() -> None:
    text = Part(inline_data=Blob(mime_type="image/png", data=base64.b64encode(PICTURE).decode()))
    one, two, other, remote = await identity.of_parts(
        [source(PICTURE), text, source(b"x"), Part(file_data=FileData(file_uri="gs://b/o"))]
    )
    assert one == two != other
    assert remote == "uri gs://b/o"


async def test_what_is_held_is_in_memory() -> None:
    class Once:
        size = len(PICTURE)
        opened = True

        async def chunks(self, size: int) -> AsyncIterator[bytes]:
            assert self.opened
            for start in range(0, len(PICTURE), size):
                yield PICTURE[start : start + size]

    file = Once()
    remote = Part(file_data=FileData(file_uri="gs://b/o"))
    opened = Part(inline_data=Blob(mime_type="image/png", data=InlineMedia(file)))
    (held, same) = await identity.held([opened, remote])
    file.opened = False
    assert same is remote
    assert base64.b64encode(PICTURE).decode() in await sent(
        [{"parts": [held.model_dump(by_alias=True, exclude_none=True)]}]
    )
