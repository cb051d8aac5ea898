"""Files that calls produce, through the front door: plots of hosted code, what is said of them, reading, using them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    ImageContent,
    ResourceLink,
    ResourceTemplateReference,
    TextResourceContents,
)
from PIL import Image

import gemini_tools
from gemini_emulator import Emulator
from gemini_server import settings
from gemini_server.errors import LocalError
from gemini_server.jobs.room import KEEP_FREE
from gemini_server.toolkit import artifacts as kept
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import ArtifactOut
from gemini_server.toolkit.runtime import Runtime
from tests.conftest import ERAS, Connect, error_of, structured, text_of
from tests.front.conftest import FakeGemini, Json, candidate, refused, warned

pytestmark = pytest.mark.anyio

PLOT: Json = {"prompt": "Plot 3, 1, 2", "use": ["code"]}


def png(width: int = 40, height: int = 20) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def drew(*blobs: bytes, mime_type: str = "image/png", data: str = "") -> Json:
    """An answer of hosted code with pictures."""
    pieces = [data] if data else [base64.b64encode(blob).decode() for blob in blobs]
    parts: list[Json] = [{"text": "Here it is."}, {"executableCode": {"language": "PYTHON", "code": "plot()"}}]
    parts.append({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "done"}})
    return candidate(*parts, *({"inlineData": {"mimeType": mime_type, "data": piece}} for piece in pieces))


async def plotted(client: Client, **more: Any) -> CallToolResult:
    return await client.call_tool("generate_text", {**PLOT, **more})


def of_kind(result: CallToolResult, kind: type[Any]) -> list[Any]:
    return [block for block in result.content if isinstance(block, kind)]


@asynccontextmanager
async def maker(tmp_path: Path, principal: str = "local", **more: Any) -> AsyncGenerator[Call]:
    """What a tool gets, on the same directories as the server of the test, to keep files of all kinds."""
    given = settings.read({}, key="test-key", state_dir=tmp_path / "state", output_dir=tmp_path / "output", **more)
    runtime = Runtime(given)
    try:
        yield Call(runtime, principal)
    finally:
        await runtime.aclose()


async def made(tmp_path: Path, data: bytes, name: str = "", principal: str = "local") -> ArtifactOut:
    async with maker(tmp_path, principal) as call:
        return await kept.keep(call, "made", data, name=name)


async def unreadable(client: Client, uri: str) -> str:
    with pytest.raises(MCPError) as failed:
        await client.read_resource(uri)
    assert failed.value.error.data == {"uri": uri}
    return failed.value.error.message


@pytest.mark.parametrize("mode", ERAS)
async def test_a_plot_becomes_a_file_a_link_and_a_small_picture(connect: Connect, tmp_path: Path, mode: str) -> None:
    async with connect(mode=mode) as client:
        result = await plotted(client)
    (artifact,) = structured(result)["artifacts"]
    path = Path(artifact["path"])
    assert path.parent == tmp_path / "output"
    assert list(path.parent.iterdir()) == [path]
    with Image.open(path) as picture:
        assert (artifact["width"], artifact["height"]) == picture.size
    assert (artifact["mime_type"], artifact["bytes"]) == ("image/png", path.stat().st_size)
    assert artifact["uri"] == f"gemini://artifacts/{artifact['id']}"
    (link,) = of_kind(result, ResourceLink)
    assert (str(link.uri), link.name, link.mime_type, link.size) == (
        artifact["uri"], path.name, "image/png", artifact["bytes"],
    )  # fmt: skip
    (shown,) = of_kind(result, ImageContent)
    assert shown.mime_type == "image/webp"
    assert len(shown.data) <= 200 * 1024
    assert max(Image.open(io.BytesIO(base64.b64decode(shown.data))).size) <= 512
    text = text_of(result)
    for fact in (str(path), artifact["uri"], "image/png", f"{artifact['bytes']} bytes"):
        assert fact in text
    assert shown.data not in json.dumps(result.structured_content)


async def test_an_answer_without_a_picture_has_no_artifacts(connect: Connect, tmp_path: Path) -> None:
    async with connect() as client:
        result = await client.call_tool("generate_text", {"prompt": "Say hello"})
    assert "artifacts" not in structured(result)
    assert not of_kind(result, ResourceLink)
    assert not (tmp_path / "output").exists()


async def test_several_plots_are_several_files(connect: Connect, fake: FakeGemini) -> None:
    fake.say(drew(png(), png(50, 30), png(60, 40)))
    async with connect(base_url=fake.url) as client:
        result = await plotted(client)
    assert [one["width"] for one in structured(result)["artifacts"]] == [40, 50, 60]
    assert len(of_kind(result, ResourceLink)) == len(of_kind(result, ImageContent)) == 3


async def test_the_link_to_a_large_file_is_for_the_user_alone(connect: Connect, fake: FakeGemini) -> None:
    noise = io.BytesIO()
    Image.effect_noise((500, 500), 90).save(noise, "PNG")
    fake.say(drew(png(), noise.getvalue()))
    async with connect(base_url=fake.url) as client:
        small, large = of_kind(await plotted(client), ResourceLink)
    assert small.annotations is None
    assert large.annotations.audience == ["user"]


@pytest.mark.parametrize(
    "lie", [b"<html><body>proxy</body></html>", b"\x7fELF\x02" + bytes(99), b"#!/bin/sh\nrm -rf ~\n", b"%PDF-1.7\n"]
)
async def test_what_comes_as_a_picture_and_is_none_is_kept_unseen(
    connect: Connect, fake: FakeGemini, lie: bytes
) -> None:
    fake.say(drew(lie))
    async with connect(base_url=fake.url) as client:
        result = await plotted(client)
    (artifact,) = structured(result)["artifacts"]
    assert artifact["mime_type"] == "application/octet-stream"
    assert Path(artifact["path"]).suffix == ".bin"
    assert Path(artifact["path"]).read_bytes() == lie
    assert not of_kind(result, ImageContent)
    assert "none" in warned(structured(result))


async def test_a_picture_too_large_to_look_at_is_kept_without_a_preview(connect: Connect, fake: FakeGemini) -> None:
    bomb = png()[:16] + (30_000).to_bytes(4, "big") * 2 + png()[24:]
    fake.say(drew(bomb, png()[:-30]))
    async with connect(base_url=fake.url) as client:
        result = await plotted(client)
        (huge, broken) = structured(result)["artifacts"]
        assert huge["bytes"] == len(bomb)
        assert "width" not in huge
        assert not of_kind(result, ImageContent)
        for one in (huge, broken):
            assert "no preview" in await unreadable(client, f"{one['uri']}/preview")


@pytest.mark.parametrize("data", ["A", "é", "====="])
async def test_a_picture_that_is_no_base64_is_a_warning(connect: Connect, fake: FakeGemini, data: str) -> None:
    fake.say(drew(data=data))
    async with connect(base_url=fake.url) as client:
        result = await plotted(client)
    assert structured(result)["text"] == "Here it is."
    assert "no valid base64" in warned(structured(result))
    assert not of_kind(result, ImageContent)


async def test_an_answer_survives_an_output_directory_that_fails(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    (tmp_path / "output").touch()
    fake.say(drew(png()))
    async with connect(base_url=fake.url) as client:
        result = await plotted(client)
    answer = structured(result)
    assert answer["text"] == "Here it is."
    assert "artifacts" not in answer
    assert "--output-dir" in warned(answer)
    (shown,) = of_kind(result, ImageContent)
    assert base64.b64decode(shown.data) == png(), "where it is kept nowhere, the picture itself is shown"


async def test_an_answer_survives_a_full_disk(
    connect: Connect, fake: FakeGemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemini_server.jobs.room.KEEP_FREE", 2**60)
    fake.say(drew(png()))
    async with connect(base_url=fake.url) as client:
        result = await plotted(client)
        status = structured(await client.call_tool("server_status", {}))
    assert "nearly full" in warned(structured(result))
    assert of_kind(result, ImageContent)
    assert list((tmp_path / "output").iterdir()) == []
    (found,) = [check for check in status["checks"] if check["name"] == "output directory"]
    assert found["status"] == "failed"
    assert "always left" in found["detail"]


async def test_a_dropped_caller_finds_the_plot_in_the_directory(
    connect: Connect, fake: FakeGemini, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun, gone = anyio.Event(), anyio.Event()
    real = kept.keep

    async def slow(*args: Any, **more: Any) -> ArtifactOut:
        begun.set()
        await gone.wait()
        out = await real(*args, **more)
        done.set()
        return out

    done = anyio.Event()
    monkeypatch.setattr(kept, "keep", slow)
    fake.say(drew(png()))
    async with connect(base_url=fake.url) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(plotted, client)
            await begun.wait()
            tasks.cancel_scope.cancel()
        await client.list_tools()  # the cancellation went before it on the same wire
        gone.set()
        with anyio.fail_after(5):
            await done.wait()
    assert len(list((tmp_path / "output").iterdir())) == 1


@pytest.mark.parametrize("mode", ERAS)
async def test_an_artifact_reads_as_its_bytes_and_its_preview(connect: Connect, mode: str) -> None:
    async with connect(mode=mode) as client:
        (artifact,) = structured(await plotted(client))["artifacts"]
        (whole,) = (await client.read_resource(artifact["uri"])).contents
        (small,) = (await client.read_resource(f"{artifact['uri']}/preview")).contents
    assert isinstance(whole, BlobResourceContents)
    assert base64.b64decode(whole.blob) == Path(artifact["path"]).read_bytes()
    assert (str(whole.uri), whole.mime_type) == (artifact["uri"], "image/png")
    assert isinstance(small, BlobResourceContents)
    assert small.mime_type == "image/webp"
    assert Image.open(io.BytesIO(base64.b64decode(small.blob))).format == "WEBP"


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize(
    ("name", "data", "mime_type", "suffix"),
    [
        ("x.srt", b"1\n00:00:01,000 --> 00:00:02,000\nGr\xc3\xbcezi\n", "application/x-subrip", ".srt"),
        ("x.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "text/vtt", ".vtt"),
        ("x.jsonl", b'{"a": 1}\n{"a": 2}\n', "application/jsonl", ".jsonl"),
        ("x.json", b'{"a": 1}\n', "application/json", ".json"),
        ("x.html", b"<style>a{}</style><div>suggestions</div>", "text/html", ".html"),
        ("", b"plain words", "text/plain", ".txt"),
        ("x.png.sh", b"#!/bin/sh\necho", "text/plain", ".txt"),
        ("../../.bashrc", b"alias ls=rm", "text/plain", ".txt"),
        ("x./../../etc/cron.d/y", b"words", "text/plain", ".txt"),
        ("/root/.ssh/authorized_keys", b"words", "text/plain", ".txt"),
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "text/xml", ".svg"),
    ],
)
async def test_text_reads_as_text_and_its_name_never_decides_more_than_it_may(
    connect: Connect, tmp_path: Path, mode: str, name: str, data: bytes, mime_type: str, suffix: str
) -> None:
    out = await made(tmp_path, data, name)
    assert out.path is not None
    assert Path(out.path).parent == tmp_path / "output"
    assert Path(out.path).suffix == suffix
    async with connect(mode=mode) as client:
        (content,) = (await client.read_resource(out.uri)).contents
    assert isinstance(content, TextResourceContents)
    assert (content.text, content.mime_type) == (data.decode(), mime_type)


async def test_what_is_text_by_its_type_only_reads_as_bytes(connect: Connect, tmp_path: Path) -> None:
    data = b"plain words" * 1000 + b"\xff"
    out = await made(tmp_path, data)
    async with connect() as client:
        (content,) = (await client.read_resource(out.uri)).contents
    assert isinstance(content, BlobResourceContents)
    assert base64.b64decode(content.blob) == data


async def test_vectors_keep_their_extension(tmp_path: Path) -> None:
    out = await made(tmp_path, b"\x93NUMPY\x01\x00" + bytes(200))
    assert (Path(str(out.path)).suffix, out.mime_type) == (".npy", "application/octet-stream")


async def test_a_file_too_large_for_one_piece_names_its_path(connect: Connect, tmp_path: Path) -> None:
    out = await made(tmp_path, bytes(8 * 2**20 + 1))
    async with connect() as client:
        message = await unreadable(client, out.uri)
    assert "8 MiB" in message
    assert str(out.path) in message


async def test_there_is_no_preview_of_what_is_no_picture(connect: Connect, tmp_path: Path) -> None:
    out = await made(tmp_path, b"plain words")
    async with connect() as client:
        assert "no preview of this artifact (text/plain, 11 bytes)" in await unreadable(client, f"{out.uri}/preview")


@pytest.mark.parametrize("suffix", ["", "/preview"])
async def test_another_principals_artifact_is_as_unknown_as_none(connect: Connect, tmp_path: Path, suffix: str) -> None:
    out = await made(tmp_path, png(), principal="alice")
    none = ("A" if out.id[0] != "A" else "B") + out.id[1:]
    async with connect() as client:
        foreign = await unreadable(client, out.uri + suffix)
        unknown = await unreadable(client, f"gemini://artifacts/{none}{suffix}")
        as_source = await refused(client, attachments=[out.uri])
        template = ResourceTemplateReference(type="ref/resource", uri="gemini://artifacts/{id}")
        found = await client.complete(template, {"name": "id", "value": ""})
    assert foreign.replace(out.id, none) == unknown
    assert foreign == as_source
    assert found.completion.values == []


async def test_artifacts_are_completed_by_the_start_of_their_id(connect: Connect, tmp_path: Path) -> None:
    out = await made(tmp_path, png())
    template = ResourceTemplateReference(type="ref/resource", uri="gemini://artifacts/{id}")
    async with connect() as client:
        found = await client.complete(template, {"name": "id", "value": out.id[:4]})
    assert found.completion.values == [out.id]


async def test_a_removed_file_says_so(connect: Connect, tmp_path: Path) -> None:
    out = await made(tmp_path, png())
    Path(str(out.path)).unlink()
    async with connect() as client:
        assert "is gone" in await unreadable(client, out.uri)
        assert "is gone" in await refused(client, attachments=[out.uri])


@pytest.mark.parametrize("conversation", [None, "new"])
async def test_an_artifact_is_a_media_source(
    connect: Connect, fake: FakeGemini, tmp_path: Path, conversation: str | None
) -> None:
    noise = io.BytesIO()
    Image.effect_noise((1200, 1200), 90).save(noise, "PNG")
    out = await made(tmp_path, noise.getvalue())
    more = {"conversation": conversation} if conversation else {}
    async with connect(base_url=fake.url, allow_dirs=()) as client:
        result = await client.call_tool("generate_text", {"prompt": "What is it?", "attachments": [out.uri], **more})
    structured(result)
    (blob,) = [part["inlineData"] for part in fake.requests[-1]["contents"][0]["parts"] if "inlineData" in part]
    assert blob["mimeType"] == "image/png"
    assert base64.b64decode(blob["data"]) == noise.getvalue()


async def test_a_caller_on_another_machine_is_told_no_path(tmp_path: Path) -> None:
    async with maker(tmp_path, http="127.0.0.1:0") as call:
        out = await kept.keep(call, "made", bytes(8 * 2**20 + 1))
        assert out.path is None
        assert str(tmp_path) not in str(out)
        read = gemini_tools.load("artifacts").resources["gemini://artifacts/{id}"].function
        with pytest.raises(LocalError) as refused:
            await read(call, id=out.id)
    assert str(tmp_path) not in str(refused.value)
    assert "made-" in str(refused.value)


@pytest.mark.parametrize(
    "source",
    [
        "gemini://artifacts/",
        "gemini://artifacts/unknown",
        "GEMINI://artifacts/unknown",
        "gemini://artifacts/../../etc/passwd",
        "gemini://artifacts/a/preview",
        "gemini://artifacts/a\0b",
        "gemini://artifacts/" + "x" * 5000,
    ],
)
async def test_a_strange_artifact_is_no_media_source(connect: Connect, emulator: Emulator, source: str) -> None:
    async with connect() as client:
        message = await refused(client, attachments=[source])
    assert "There is no artifact" in message
    assert len(message) < 300
    assert not emulator.requests


async def test_another_resource_is_no_media_source(connect: Connect) -> None:
    async with connect() as client:
        assert "cannot be gemini://" in await refused(client, attachments=["gemini://usage"])


async def test_a_file_of_a_type_that_gemini_does_not_take_is_refused(connect: Connect, tmp_path: Path) -> None:
    out = await made(tmp_path, b"\x93NUMPY\x01\x00" + bytes(200))
    async with connect() as client:
        assert "which Gemini does not take" in await refused(client, attachments=[out.uri])


@pytest.mark.parametrize("claimed", [None, 0xFFFFFFFF, 2**31 - 1])
async def test_the_length_of_sound_is_what_there_is_not_what_its_header_claims(
    tmp_path: Path, claimed: int | None
) -> None:
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(24_000)
        sound.writeframes(bytes(48_000))
    data = bytearray(buffer.getvalue())
    if claimed is not None:
        data[4:8] = data[40:44] = claimed.to_bytes(4, "little")
    out = await made(tmp_path, bytes(data))
    assert out.duration_seconds == pytest.approx(1.0, abs=0.01)
    assert (out.mime_type, Path(str(out.path)).suffix) == ("audio/wav", ".wav")


async def test_the_status_names_the_output_directory_and_its_space(connect: Connect, tmp_path: Path) -> None:
    async with connect() as client:
        before = structured(await client.call_tool("server_status", {}))["checks"]
        await plotted(client)
        after = structured(await client.call_tool("server_status", {}))["checks"]
    before, after = (next(one for one in told if one["name"] == "output directory") for told in (before, after))
    assert before["status"] == after["status"] == "ok"
    assert before["detail"].startswith(f"{tmp_path / 'output'} (not made yet, ")
    assert after["detail"].startswith(f"{tmp_path / 'output'} (")
    assert after["detail"].endswith("GiB free)")
    assert KEEP_FREE == 64 * 2**20


async def test_failing_calls_leave_no_files(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_fault("status=400", times=None)
    async with connect() as client:
        error_of(await plotted(client))
    assert not (tmp_path / "output").exists()
