"""Attachments through the front door: what each kind of media source becomes in the request."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from pathlib import Path

import pytest

from gemini_emulator import Emulator
from tests.conftest import ERAS, Connect, structured
from tests.front.conftest import FakeGemini, Json, ask, refused, sent

pytestmark = pytest.mark.anyio


def png(width: int = 3, height: int = 2) -> bytes:
    """A red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xdc\x1e\x1e" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def wav(seconds: int = 1) -> bytes:
    """Silence."""
    data = b"\0\0" * 8000 * seconds
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return head + struct.pack("<4sI", b"data", len(data)) + data


PDF = b"%PDF-1.4\n1 0 obj << /Type /Page >> endobj\n%%EOF\n"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 64


def parts(body: Json) -> list[Json]:
    """The parts of the last turn."""
    found: list[Json] = body["contents"][-1]["parts"]
    return found


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("a.png", png(), "image/png"),
        ("wrong.txt", png(), "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 20, "image/jpeg"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 16, "image/webp"),
        ("a.wav", wav(), "audio/wav"),
        ("a.mp3", b"\xff\xfb\x90\x64" + b"\0" * 400, "audio/mpeg"),
        ("a.mp4", MP4, "video/mp4"),
        ("a.pdf", PDF, "application/pdf"),
        ("a.txt", "Grüße".encode(), "text/plain"),
        ("a.md", b"# Title", "text/markdown"),
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
        ("a.py", b"print(1)\n", "text/x-python"),
        ("a.json", b'{"a": 1}', "application/json"),
        ("a.html", b"<!doctype html><p>hi", "text/html"),
        ("no extension", b"plain words", "text/plain"),
    ],
)
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
async def test_a_file_goes_inline_with_the_type_of_its_content(
    connect: Connect, fake: FakeGemini, tmp_path: Path, name: str, content: bytes, mime_type: str, absolute: bool
) -> None:
    file = tmp_path / "allowed" / name
    file.write_bytes(content)
    async with connect(base_url=fake.url) as client:
        await ask(client, "What is this?", attachments=[str(file) if absolute else name])
    assert parts(fake.requests[0]) == [
        {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(content).decode()}},
        {"text": "What is this?"},
    ]


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("https://example.org/a.png", {"fileUri": "https://example.org/a.png", "mimeType": "image/png"}),
        (
            "https://example.org/A.JPEG?size=2",
            {"fileUri": "https://example.org/A.JPEG?size=2", "mimeType": "image/jpeg"},
        ),
        ("https://example.org/page", {"fileUri": "https://example.org/page"}),
        ("https://www.youtube.com/watch?v=9hE5-98ZeCg", {"fileUri": "https://www.youtube.com/watch?v=9hE5-98ZeCg"}),
        ("https://youtu.be/9hE5-98ZeCg", {"fileUri": "https://youtu.be/9hE5-98ZeCg"}),
        ("gs://bucket/clip.mp4", {"fileUri": "gs://bucket/clip.mp4", "mimeType": "video/mp4"}),
        ("gs://bucket/object", {"fileUri": "gs://bucket/object"}),
        ("files/abc-123", {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc-123"}),
        (
            "https://generativelanguage.googleapis.com/v1beta/files/abc-123",
            {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc-123"},
        ),
    ],
)
async def test_a_link_is_passed_on_and_never_fetched(
    connect: Connect, fake: FakeGemini, source: str, part: Json
) -> None:
    async with connect(base_url=fake.url) as client:
        await ask(client, "What is this?", attachments=[source])
    assert parts(fake.requests[0]) == [{"fileData": part}, {"text": "What is this?"}]
    assert len(fake.requests) == 1


async def test_a_link_to_this_machine_is_not_fetched_either(
    connect: Connect, emulator: Emulator, fake: FakeGemini
) -> None:
    source = fake.url.replace("http:", "https:") + "/a.png"
    async with connect() as client:
        await client.call_tool("generate_text", {"prompt": "x", "attachments": [source]})
    assert fake.requests == []
    assert parts(sent(emulator))[0] == {"fileData": {"fileUri": source, "mimeType": "image/png"}}


@pytest.mark.parametrize(
    ("source", "blob"),
    [
        ("data:text/plain;base64,aGk=", {"mimeType": "text/plain", "data": "aGk="}),
        ("data:text/plain;charset=utf-8;base64,aGk=", {"mimeType": "text/plain", "data": "aGk="}),
        ("data:text/plain;base64,aGk", {"mimeType": "text/plain", "data": "aGk="}),
        ("data:text/plain;base64,aGk%3D", {"mimeType": "text/plain", "data": "aGk="}),
        ("data:image/png;base64,-_8=", {"mimeType": "image/png", "data": "+/8="}),
        ("data:text/plain;base64,aGkg\r\naGkg\n", {"mimeType": "text/plain", "data": "aGkgaGkg"}),
        ("DATA:IMAGE/PNG;BASE64,AAAA", {"mimeType": "image/png", "data": "AAAA"}),
        ("data:image/jpg;base64,AAAA", {"mimeType": "image/jpeg", "data": "AAAA"}),
        ("data:audio/x-wav;base64,AAAA", {"mimeType": "audio/wav", "data": "AAAA"}),
        ("data:audio/L16;rate=24000;base64,AAAA", {"mimeType": "audio/l16;rate=24000", "data": "AAAA"}),
        ("data:video/quicktime;base64,AAAA", {"mimeType": "video/mov", "data": "AAAA"}),
    ],
)
async def test_a_data_uri_goes_inline_in_geminis_spelling(
    connect: Connect, fake: FakeGemini, source: str, blob: Json
) -> None:
    async with connect(base_url=fake.url) as client:
        await ask(client, "What?", attachments=[source])
    assert parts(fake.requests[0])[0] == {"inlineData": blob}


async def test_media_come_in_their_order_and_before_the_question(
    connect: Connect, fake: FakeGemini, tmp_path: Path
) -> None:
    (tmp_path / "allowed" / "a.txt").write_text("one")
    sources = ["gs://b/2.png", "a.txt", "data:text/plain;base64,aGk=", "files/four"]
    async with connect(base_url=fake.url) as client:
        await ask(client, "Compare", attachments=sources)
        await ask(client, "", attachments=sources[:1])
    assert [next(iter(part)) for part in parts(fake.requests[0])] == [
        "fileData",
        "inlineData",
        "inlineData",
        "fileData",
        "text",
    ]
    assert parts(fake.requests[1]) == [{"fileData": {"fileUri": "gs://b/2.png", "mimeType": "image/png"}}]


@pytest.mark.parametrize("mode", ERAS)
async def test_what_gemini_sees_of_a_picture_is_the_picture(
    connect: Connect, emulator: Emulator, tmp_path: Path, mode: str
) -> None:
    (tmp_path / "allowed" / "a.png").write_bytes(png(40, 30))
    async with connect(mode=mode) as client:
        answer = await ask(client, "What is this?", attachments=["a.png"], media_resolution="low")
    assert "40×30" in answer["text"].replace("x", "×").replace(" × ", "×")
    assert "mostly red" in answer["text"]
    assert answer["usage"]["input_tokens"] >= 258


async def test_twenty_megabytes_arrive_whole(connect: Connect, fake: FakeGemini, tmp_path: Path) -> None:
    content = PDF + bytes(range(256)) * (20 * 4096)
    (tmp_path / "allowed" / "big.pdf").write_bytes(content)
    async with connect(base_url=fake.url) as client:
        await ask(client, "Summarise", attachments=["big.pdf"])
    data = base64.b64decode(parts(fake.requests[0])[0]["inlineData"]["data"])
    assert len(data) == len(content) > 20 * 2**20
    assert hashlib.sha256(data).digest() == hashlib.sha256(content).digest()


async def test_what_is_too_large_for_one_request_is_uploaded(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    with (tmp_path / "allowed" / "a.mp4").open("wb") as file:
        file.write(MP4)
        file.truncate(70 * 2**20 + 1)
    async with connect(poll=0.02) as client:
        await ask(client, "What?", attachments=["a.mp4"])
    assert [next(iter(part)) for part in parts(sent(emulator))] == ["fileData", "text"]
    sizes = [
        int(one["headers"]["content-length"]) for one in emulator.requests if one["body"] and "<" in str(one["body"])
    ]
    assert sum(sizes) == 70 * 2**20 + 1


async def test_a_pdf_that_gemini_would_not_read_is_refused(
    connect: Connect, emulator: Emulator, tmp_path: Path
) -> None:
    with (tmp_path / "allowed" / "a.pdf").open("wb") as file:
        file.write(PDF)
        file.truncate(50 * 2**20 + 1)
    async with connect() as client:
        assert "larger than the 50 MB" in await refused(client, attachments=["a.pdf"])
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("program", "of the type application/octet-stream, which Gemini does not take"),
        ("archive.zip", "of the type application/zip, which Gemini does not take"),
        ("missing.png", "missing.png"),
        ("data:application/zip;base64,AAAA", "of the type application/zip"),
        ("data:text/plain,hello", "not of the form data:TYPE;base64,DATA"),
        ("data:;base64,AAAA", "not of the form data:TYPE;base64,DATA"),
        ("data:text/plain;base64,", "is empty"),
        ("data:text/plain;base64,a", "not valid base64"),
        ("data:text/plain;base64,ä===", "not valid base64"),
        ("http://example.org/a.png", "cannot be http://"),
        ("s3://bucket/a.png", "cannot be s3://"),
        ("https://user:secret@example.org/a.png", "without a user name or password"),
        ("", "The path is empty"),
    ],
)
async def test_a_source_that_cannot_be_sent_is_refused_before_anything_is(
    connect: Connect, emulator: Emulator, tmp_path: Path, source: str, what: str
) -> None:
    (tmp_path / "allowed" / "program").write_bytes(b"\x7fELF\x02\x01\x01\0" * 8)
    (tmp_path / "allowed" / "archive.zip").write_bytes(b"PK\x03\x04" + b"\0" * 60)
    async with connect() as client:
        text = await refused(client, attachments=[source])
    assert what in text
    assert "secret" not in text
    assert emulator.requests == []


async def test_an_unknown_file_is_refused_by_google_in_words_that_help(connect: Connect, emulator: Emulator) -> None:
    async with connect() as client:
        text = await refused(client, attachments=["files/abc"])
    assert "expires after 48 h" in text
    assert "API key may not do this" not in text


async def test_attachments_are_counted_by_modality(connect: Connect, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "allowed" / "a.png").write_bytes(png())
    (tmp_path / "allowed" / "a.wav").write_bytes(wav(2))
    async with connect() as client:
        result = await client.call_tool(
            "count_tokens",
            {"prompt": "What are these?", "attachments": ["a.png", "a.wav", "data:text/plain;base64,aGk="]},
        )
    counted = structured(result)
    assert counted["by_modality"] == {"IMAGE": 258, "AUDIO": 64, "TEXT": 5}
    assert counted["total_tokens"] == 258 + 64 + 5
    assert [next(iter(part)) for part in parts(sent(emulator))] == ["inlineData"] * 3 + ["text"]
