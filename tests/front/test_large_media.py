"""Media that do not fit into a request: uploaded once by whoever needs them, and passed on by their URI."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from gemini_emulator import Emulator
from gemini_server.toolkit import media
from tests.conftest import Connect, error_of, structured
from tests.emulator.drawing import RED, Drawing, recording
from tests.front.conftest import ask, refused, warned
from tests.front.uploading import CHUNK, GRANULE, commands, film, noise, small_chunks, started, uploads

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    small_chunks(monkeypatch)


@pytest.fixture
def allowed(connect: Connect, tmp_path: Path) -> Path:
    return tmp_path / "allowed"


def asked(emulator: Emulator, method: str = ":generateContent") -> list[Json]:
    """The parts of the last request of a method."""
    bodies = [one["body"] for one in emulator.requests if one["path"].endswith(method)]
    found: list[Json] = bodies[-1]["contents"][-1]["parts"]
    return found


def text(size: int, mark: str = "") -> bytes:
    """A text that does not repeat."""
    lines = "".join(f"{mark} line {number}\n" for number in range(size // 8))
    return lines.encode()[:size]


async def test_what_does_not_fit_is_uploaded_and_the_rest_goes_inline(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "small.txt").write_bytes(b"small")
    (allowed / "large.mp4").write_bytes(film(3 * CHUNK, "large"))
    (allowed / "fits.txt").write_bytes(text(GRANULE - 100))
    (allowed / "over.txt").write_bytes(text(200, "over"))
    sources = ["small.txt", "large.mp4", "fits.txt", "over.txt", "gs://bucket/x.png"]
    async with connect(poll=0.02) as client:
        await ask(client, "What are these?", attachments=sources)
    found = asked(emulator)
    assert [next(iter(part)) for part in found] == [
        "inlineData",
        "fileData",
        "inlineData",
        "fileData",
        "fileData",
        "text",
    ]
    names = {one["displayName"]: one["name"] for one in started(emulator)}
    assert names.keys() == {"large.mp4", "over.txt"}
    for part, name in ((found[1], "large.mp4"), (found[3], "over.txt")):
        assert part["fileData"]["fileUri"].endswith(f"/v1beta/{names[name]}")
    assert [found[1]["fileData"]["mimeType"], found[3]["fileData"]["mimeType"]] == ["video/mp4", "text/plain"]
    assert found[4]["fileData"]["fileUri"] == "gs://bucket/x.png"


async def test_a_film_is_used_only_once_google_has_processed_it(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.mp4").write_bytes(film(CHUNK, "processed"))
    said: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        said.append(message or "")

    async with connect(poll=0.02) as client:
        arguments = {"prompt": "What happens?", "attachments": ["a.mp4"]}
        answer = structured(await client.call_tool("generate_text", arguments, progress_callback=hear))
    assert answer["text"]
    paths = [one["path"] for one in emulator.requests]
    assert paths.index(paths[-1]) == len(paths) - 1
    assert any("/files/" in path for path in paths)
    assert any(one.startswith("upload: ") for one in said)


@pytest.mark.parametrize("tool", ["analyze_media", "count_tokens", "embed", "transcribe_audio"])
async def test_every_tool_that_takes_media_takes_large_ones(
    connect: Connect, emulator: Emulator, allowed: Path, tool: str
) -> None:
    (allowed / "a.wav").write_bytes(recording(9, 9, 1))
    assert (allowed / "a.wav").stat().st_size > GRANULE
    arguments: dict[str, Json] = {
        "analyze_media": {"media": ["a.wav"], "question": "What is said?"},
        "count_tokens": {"attachments": ["a.wav"]},
        "embed": {"media": ["a.wav"]},
        "transcribe_audio": {"audio": "a.wav"},
    }
    async with connect(poll=0.02, toolsets=("all",)) as client:
        structured(await client.call_tool(tool, arguments[tool]))
    assert len(started(emulator)) == 1
    assert any("fileData" in str(one["body"]) for one in emulator.requests)


async def test_pictures_and_interactions_take_large_references(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    picture = Drawing(400, 300).paint("square", RED, 10, 10, 30, 30).png() + noise(GRANULE, "picture")
    (allowed / "a.png").write_bytes(picture)
    async with connect(poll=0.02) as client:
        structured(await client.call_tool("generate_image", {"prompt": "Make it blue", "references": ["a.png"]}))
        film = {"prompt": "It moves", "first_frame": "a.png", "duration_seconds": 3, "wait_seconds": 60}
        assert structured(await client.call_tool("generate_video", film))["status"] == "done"
    assert len(started(emulator)) == 1
    assert "fileData" in str(asked(emulator))
    [interaction] = [one["body"] for one in emulator.requests if one["path"].endswith("/interactions")]
    uri = next(content["uri"] for content in interaction["input"] if content["type"] == "image")
    assert uri.endswith(started(emulator)[0]["name"])


async def test_the_same_file_is_uploaded_once_for_many_calls_at_a_time(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.mp4").write_bytes(film(2 * CHUNK, "many"))

    async def call(client: Client, number: int) -> None:
        await ask(client, f"Question {number}", attachments=["a.mp4"])

    async with connect(poll=0.02) as one, connect(poll=0.02) as two:
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(call, (one, two)[number % 2], number)
        structured(await one.call_tool("upload_file", {"source": "a.mp4"}))
    assert len(started(emulator)) == 1


async def test_an_upload_whose_caller_has_gone_is_there_for_the_next_one(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "a.mp4").write_bytes(film(3 * CHUNK, "gone"))
    emulator.add_fault("slow=0.5s", path=f"#upload@{CHUNK}")
    async with connect(poll=0.02, toolsets=("all",)) as client:
        with anyio.move_on_after(0.3):
            await ask(client, "Look", attachments=["a.mp4"])
        assert not any(one["path"].endswith("generateContent") for one in emulator.requests)
        [job] = structured(await client.call_tool("list_jobs", {"kind": "upload"}))["jobs"]
        done = structured(await client.call_tool("get_job", {"job": job["id"], "wait_seconds": 20}))
        assert done["status"] == "done"
        count = len(uploads(emulator))
        await ask(client, "Look", attachments=["a.mp4"])
    assert len(uploads(emulator)) == count


async def test_what_google_cannot_process_is_told_and_nothing_is_asked(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    (allowed / "[emulate: outcome=failed message=No_picture_in_it] a.mp4").write_bytes(film(CHUNK, "failed"))
    async with connect(poll=0.02) as client:
        said = await refused(client, attachments=["[emulate: outcome=failed message=No_picture_in_it] a.mp4"])
    assert "No picture in it" in said
    assert not any(one["path"].endswith("generateContent") for one in emulator.requests)


async def test_a_file_that_is_replaced_after_the_upload_is_uploaded_anew(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    async with connect(poll=0.02) as client:
        for seed in ("first", "second"):
            (allowed / "a.mp4").write_bytes(film(CHUNK, seed))
            await ask(client, "Look", attachments=["a.mp4"])
    assert len(started(emulator)) == 2


async def test_in_a_conversation_large_media_are_kept_as_links(
    connect: Connect, emulator: Emulator, allowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "KEPT_LIMIT", 1000)
    (allowed / "a.txt").write_bytes(text(900))
    (allowed / "b.txt").write_bytes(text(1100))
    async with connect(poll=0.02) as client:
        first = await ask(client, "Read", attachments=["a.txt", "b.txt"], conversation="new")
        assert "48 hours" in warned(first)
        again = await ask(client, "Again", conversation=first["conversation"])
        assert "48 hours" not in warned(again)
    [turn] = [one for one in emulator.requests[-1]["body"]["contents"] if "fileData" in str(one)]
    assert [next(iter(part)) for part in turn["parts"]] == ["inlineData", "fileData", "text"]


async def test_data_and_artifacts_that_do_not_fit_are_uploaded_too(
    connect: Connect, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(poll=0.02) as client:
        made = structured(await client.call_tool("generate_image", {"prompt": "a red kite over a field"}))
        [artifact] = made["artifacts"]
        monkeypatch.setattr(media, "INLINE_LIMIT", 1000)
        emulator.clear_requests()
        first = f"data:text/plain;base64,{base64.b64encode(text(600)).decode()}"
        second = f"data:text/plain;base64,{base64.b64encode(text(700)).decode()}"
        await ask(client, "Look", attachments=[artifact["uri"], first, second])
    assert [next(iter(part)) for part in asked(emulator)] == ["fileData", "inlineData", "fileData", "text"]
    assert commands(emulator).count("start") == 2


async def test_a_read_only_server_uploads_nothing(connect: Connect, emulator: Emulator, allowed: Path) -> None:
    (allowed / "a.mp4").write_bytes(film(CHUNK))
    async with connect(read_only=True) as client:
        said = await refused(client, attachments=["a.mp4"])
    assert "read-only" in said
    assert emulator.requests == []


async def test_what_is_larger_than_google_keeps_is_refused_with_the_numbers(
    connect: Connect, emulator: Emulator, allowed: Path
) -> None:
    with (allowed / "huge.mp4").open("wb") as file:
        file.write(film(100))
        file.truncate(2**31 + 1)
    async with connect() as client:
        for said in (
            await refused(client, attachments=["huge.mp4"]),
            error_of(await client.call_tool("upload_file", {"source": "huge.mp4"})),
        ):
            assert "2147483649 bytes" in said
            assert "2147483648 are accepted" in said
    assert emulator.requests == []
