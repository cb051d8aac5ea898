"""What a file is, judged by its first bytes."""

from __future__ import annotations

import io
import time
import wave
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_server.toolkit.mime_types import EXTENSION, SUPPORTED
from gemini_server.toolkit.sniff import HEAD_BYTES, UNKNOWN, by_name, extension_for, sniff, supported

OOXML = "application/vnd.openxmlformats-officedocument"
ODF = "application/vnd.oasis.opendocument"
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")


def base_media(major: bytes, *others: bytes) -> bytes:
    box = b"ftyp" + major + bytes(4) + b"".join(others)
    return (len(box) + 4).to_bytes(4, "big") + box + b"\0\0\0\x08free"


def archive(*names: str, stored: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            packed.writestr(zipfile.ZipInfo(name), stored or "<x/>" * 50, compress_type=method)
    return file.getvalue()


def wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(24_000)
        sound.writeframes(bytes(100))
    return file.getvalue()


def id3(frames: bytes) -> bytes:
    return b"ID3\x04\0\0\0\0\x01\x00" + bytes(128) + frames


BYTES = [
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
    (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
    (b"GIF89a\1\0\1\0", "image/gif"),
    (b"GIF87a\1\0\1\0", "image/gif"),
    (b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0", "image/bmp"),
    (b"II*\0\x08\0\0\0", "image/tiff"),
    (b"MM\0*\0\0\0\x08", "image/tiff"),
    (base_media(b"heic", b"mif1", b"heic"), "image/heic"),
    (base_media(b"mif1", b"mif1", b"heic"), "image/heic"),
    (base_media(b"mif1", b"mif1"), "image/heif"),
    (base_media(b"mif1", b"avif"), "image/avif"),
    (base_media(b"avif", b"mif1", b"miaf"), "image/avif"),
    (wav(), "audio/wav"),
    (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
    (b"\xff\xfb\x90\x64\0\0", "audio/mpeg"),
    (b"\xff\xf3\x84\xc4\0\0", "audio/mpeg"),
    (id3(b"\xff\xfb\x90\x64"), "audio/mpeg"),
    (id3(b"\xff\xf1\x50\x80"), "audio/aac"),
    (id3(b"fLaC"), "audio/flac"),
    (b"ID3\x04\0\0\0\x7f\x7f\x7f picture", "audio/mpeg"),
    (b"FORM\0\0\0\x10AIFFCOMM", "audio/aiff"),
    (b"FORM\0\0\0\x10AIFCFVER", "audio/aiff"),
    (b"\xff\xf1\x50\x80\x02\x1f", "audio/aac"),
    (b"\xff\xf9\x50\x80\x02\x1f", "audio/aac"),
    (b"OggS\0\2" + bytes(22) + b"\1\x13OpusHead", "audio/ogg"),
    (b"fLaC\0\0\0\x22", "audio/flac"),
    (base_media(b"M4A ", b"M4A ", b"mp42"), "audio/m4a"),
    (base_media(b"isom", b"isom", b"avc1"), "video/mp4"),
    (base_media(b"mp42"), "video/mp4"),
    (base_media(b"qt  ", b"qt  "), "video/mov"),
    (b"\0\0\x10\0moovlmvhd", "video/mov"),
    (base_media(b"3gp4", b"isom"), "video/3gpp"),
    (b"\0\0\1\xba\x44\0", "video/mpeg"),
    (b"\0\0\1\xb3\x14\0", "video/mpeg"),
    (b"RIFF\x24\0\0\0AVI LIST", "video/avi"),
    (b"FLV\1\5\0\0\0\x09", "video/x-flv"),
    (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm\x42\x87V_VP9 A_OPUS", "video/webm"),
    (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm\x42\x87A_OPUS", "audio/webm"),
    (b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska", "video/x-matroska"),
    (ASF + bytes(50) + ASF_VIDEO, "video/wmv"),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "application/pdf"),
    (b"\xef\xbb\xbf\r\n%PDF-1.7\n", "application/pdf"),
    (b"{\\rtf1\\ansi hello}", "text/rtf"),
    (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), f"{OOXML}.wordprocessingml.document"),
    (archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), f"{OOXML}.spreadsheetml.sheet"),
    (archive("_rels/.rels", "docProps/app.xml", "ppt/slides/s.xml"), f"{OOXML}.presentationml.presentation"),
    (archive("mimetype", stored=f"{ODF}.text"), f"{ODF}.text"),
    (archive("mimetype", stored=f"{ODF}.spreadsheet"), f"{ODF}.spreadsheet"),
    (archive("mimetype", stored="application/epub+zip"), "application/zip"),
    (archive("word/notes.txt"), "application/zip"),
    (b"<!DOCTYPE html>\n<p>hi", "text/html"),
    (b"<!-- a --><!-- b --> <HTML lang=en>", "text/html"),
    (b"<?xml version='1.0'?><a/>", "text/xml"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/xml"),
    ("Grüße, 世界".encode(), "text/plain"),
    (b"\x7fELF\2\1\1\0", UNKNOWN),
    (b"MZ\x90\0\3\0", UNKNOWN),
    (b"\x1f\x8b\x08\0", UNKNOWN),
    (b"SQLite format 3\0", UNKNOWN),
    ("UTF-16 text".encode("utf-16"), UNKNOWN),
    (b"caf\xe9 au lait", UNKNOWN),
    (b"BM is how this sentence begins", "text/plain"),
    (b"", UNKNOWN),
]


@pytest.mark.parametrize(("content", "expected"), BYTES)
def test_the_bytes_say_what_a_file_is_whatever_it_is_called(content: bytes, expected: str) -> None:
    assert sniff(content) == expected
    if not expected.startswith("text/") or expected == "text/rtf":
        assert sniff(content, "holiday.png") == expected
        assert sniff(content, "notes.md") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "text/plain"),
        ("a.rs", "text/plain"),
        ("a.ts", "text/plain"),
        ("Makefile", "text/plain"),
        ("a.png", "text/plain"),
        ("a.html", "text/html"),
        ("a.CSS", "text/css"),
        ("a.js", "text/javascript"),
        ("a.py", "text/x-python"),
        ("a.csv", "text/csv"),
        ("a.tsv", "text/plain"),
        ("a.md", "text/markdown"),
        ("a.json", "application/json"),
        ("a.xml", "text/xml"),
        ("a.svg", "text/xml"),
    ],
)
def test_the_name_says_what_kind_of_text_it_is(name: str, expected: str) -> None:
    assert sniff(b"some, words\n", name) == expected
    assert supported(expected)


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (base_media(b"isom"), "a.m4a", "audio/m4a"),
        (ASF, "a.wma", "audio/x-ms-wma"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "application/vnd.ms-excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.msi", UNKNOWN),
        (archive("[Content_Types].xml", "docProps/thumbnail.jpeg"), "a.pptx", f"{OOXML}.presentationml.presentation"),
        (archive("[Content_Types].xml", "word/a.xml"), "a.dotx", f"{OOXML}.wordprocessingml.template"),
        (archive("a.txt"), "a.docx", "application/zip"),
    ],
)
def test_the_name_decides_what_the_bytes_leave_open(content: bytes, name: str, expected: str) -> None:
    assert sniff(content, name) == expected


def test_text_cut_within_a_character_is_still_text() -> None:
    assert sniff(("x" * (HEAD_BYTES - 1) + "é" * 10).encode()) == "text/plain"
    assert sniff("日本語".encode()[:-1]) == "text/plain"


@pytest.mark.parametrize(
    ("mime_type", "extension"),
    [
        ("image/png", ".png"),
        ("IMAGE/JPG", ".jpg"),
        ("audio/mpeg", ".mp3"),
        ("audio/mp3", ".mp3"),
        ("audio/L16;codec=pcm;rate=24000", ".pcm"),
        ("video/quicktime", ".mov"),
        ("text/plain; charset=utf-8", ".txt"),
        ("application/x-unheard-of", ".bin"),
        ("", ".bin"),
    ],
)
def test_every_type_has_an_extension(mime_type: str, extension: str) -> None:
    assert extension_for(mime_type) == extension


def test_what_gemini_takes_is_known_in_every_spelling() -> None:
    for mime_type in ("image/jpg", "audio/x-wav", "audio/mp3", "video/quicktime", "application/xml", "TEXT/PLAIN; a=b"):
        assert supported(mime_type)
    for mime_type in ("image/avif", "image/svg+xml", "application/zip", "video/x-matroska", UNKNOWN, ""):
        assert not supported(mime_type)


def test_the_tables_agree_with_each_other() -> None:
    for mime_type in EXTENSION:
        assert extension_for(by_name(f"x{extension_for(mime_type)}")) == extension_for(mime_type)
    assert all(mime_type == mime_type.lower() for mime_type in SUPPORTED)
    assert by_name("https://example.org/a/film.MOV") == "video/mov"
    assert by_name("README") == ""


@settings(database=None, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_and_any_name_have_a_type(content: bytes, name: str) -> None:
    assert "/" in sniff(content, name)


@pytest.mark.parametrize("piece", [b"<!---->", b"<!--", b"PK\3\4", b"ID3\4\0\0\0\0\0\0", b"<?xml "])
def test_a_file_made_to_be_slow_is_judged_at_once(piece: bytes) -> None:
    start = time.monotonic()
    sniff(piece * 1_000_000)
    assert time.monotonic() - start < 0.5
