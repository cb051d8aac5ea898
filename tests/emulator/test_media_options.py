"""Attachments: the section that is asked for, the resolution of a part, several at once, and office files."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

import pytest

from .conftest import Api, ask
from .drawing import Drawing, inline, picture, recording

pytestmark = pytest.mark.anyio

FILM: dict[str, Any] = inline("video/mp4", b"\0" * 100)
SOUND = inline("audio/wav", recording(1))
PDF = inline("application/pdf", b"%PDF-1.7 /Type /Page ")
FLASH = "gemini-3.8-flash"


async def test_the_section_of_a_film_is_reflected(api: Api) -> None:
    part = {**FILM, "videoMetadata": {"startOffset": "1.5s", "endOffset": "10s", "fps": 1}}
    text = await api.text("", contents=ask("What happens?", part)["contents"])
    assert "from 1.5 s to 10 s at 1 fps" in text
    part = {**FILM, "videoMetadata": {"startOffset": "90s"}}
    assert "from 90 s to the end" in await api.text("", contents=ask("What happens?", part)["contents"])


async def test_sections_of_sounds_and_documents_are_reflected(api: Api) -> None:
    sound = {**SOUND, "audioMetadata": {"startOffset": "0.2s", "endOffset": "0.8s"}}
    pdf = {**PDF, "documentMetadata": {"startPage": 2, "endPage": 4}}
    text = await api.text("", contents=ask("Compare", sound, pdf)["contents"])
    assert "from 0.2 s to 0.8 s" in text
    assert "from page 2 to 4" in text


async def test_several_attachments_are_mentioned_in_their_order(api: Api) -> None:
    parts = [picture(Drawing(7, 9)), FILM, SOUND, PDF, inline("text/markdown", b"# Title"), picture(Drawing(3, 2))]
    text = await api.text("", contents=ask("Compare these", *parts)["contents"])
    marks = [
        "(1) a PNG image of 7×9",
        "(2) a video",
        "(3) an audio",
        "(4) a PDF",
        "(5) a text",
        "(6) a PNG image of 3×2",
    ]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


@pytest.mark.parametrize("level", ["LOW", "MEDIUM", "HIGH", "ULTRA_HIGH"])
async def test_the_resolution_of_a_part_is_for_gemini_3(api: Api, level: str) -> None:
    body = ask("Look", {**picture(Drawing(4, 4)), "mediaResolution": {"level": f"MEDIA_RESOLUTION_{level}"}})
    for model in (FLASH, "gemini-3.1-pro-preview", "gemini-3-flash-preview"):
        assert (await api.post("generateContent", body, model=model)).status_code == 200
    assert "media resolution is not supported" in await api.refusal(body, model="gemini-2.5-flash")


@pytest.mark.parametrize(
    ("kind", "name", "content", "words"),
    [
        ("wordprocessingml.document", "word/document.xml", "<w:t>Tides &amp; moons</w:t>", "a Word document of 1 page"),
        ("spreadsheetml.sheet", "xl/sharedStrings.xml", "<t>Tides &amp; moons</t>", "an Excel workbook"),
        ("presentationml.presentation", "ppt/slides/slide1.xml", "<a:t>Tides &amp; moons</a:t>", "a PowerPoint"),
    ],
)
async def test_office_files_are_read(api: Api, kind: str, name: str, content: str, words: str) -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    mime = f"application/vnd.openxmlformats-officedocument.{kind}"
    text = await api.text("", contents=ask("Summary?", inline(mime, buffer.getvalue()))["contents"])
    assert words in text
    assert "Tides & moons" in text
    broken = await api.text("", contents=ask("Summary?", inline(mime, b"PK\3\4 broken"))["contents"])
    assert words.split(" of ")[0] in broken


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("no frames", {**FILM, "videoMetadata": {"fps": 0}}, "fps: must be in the range (0, 24]"),
    ("25 frames", {**FILM, "videoMetadata": {"fps": 25}}, "fps: must be in the range (0, 24]"),
    ("an end before the start", {**FILM, "videoMetadata": {"startOffset": "9s", "endOffset": "3s"}}, "end_offset"),
    ("a start before the start", {**FILM, "videoMetadata": {"startOffset": "-1s"}}, "must not be negative"),
    ("frames of a picture", {**picture(Drawing(4, 4)), "videoMetadata": {"fps": 1}}, "only allowed with video"),
    ("frames of a text", {"text": "x", "videoMetadata": {"fps": 1}}, "only allowed with video"),
    ("pages of a film", {**FILM, "documentMetadata": {"startPage": 1}}, "only allowed with a document"),
    ("page nought", {**PDF, "documentMetadata": {"startPage": 0}}, "pages count from 1"),
    ("pages backwards", {**PDF, "documentMetadata": {"startPage": 3, "endPage": 2}}, "pages count from 1"),
    ("a section of a document", {**PDF, "audioMetadata": {"startOffset": "1s"}}, "only allowed with audio"),
]


@pytest.mark.parametrize(("what", "part", "words"), REFUSED, ids=[case[0] for case in REFUSED])
async def test_the_section_is_refused(api: Api, what: str, part: dict[str, Any], words: str) -> None:
    assert words in await api.refusal(ask("Look", part)), what
