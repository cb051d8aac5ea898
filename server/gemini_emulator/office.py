"""Word, Excel and PowerPoint files, as far as a look into the archive tells (Office Open XML)."""

from __future__ import annotations

import html
import io
import re
import zipfile

_OPENXML = "application/vnd.openxmlformats-officedocument."
_KINDS = {
    _OPENXML + "wordprocessingml.document": ("a Word document", "word/document.xml", r"word/document\.xml"),
    _OPENXML + "spreadsheetml.sheet": ("an Excel workbook", "xl/sharedStrings.xml", r"xl/worksheets/sheet\d+\.xml"),
    _OPENXML + "presentationml.presentation": (
        "a PowerPoint presentation", "ppt/slides/slide1.xml", r"ppt/slides/slide\d+\.xml",
    ),
}  # fmt: skip
OFFICE_TYPES = frozenset(_KINDS)
_READ = 200_000


def look_into(mime: str, raw: bytes) -> tuple[str, int, str]:
    """The kind of file in words, its number of pages (sheets, slides), and the beginning of its text."""
    kind, main, page = _KINDS[mime.partition(";")[0]]
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
            pages = max(1, sum(1 for name in names if re.fullmatch(page, name)))
            text = ""
            if main in names:
                with archive.open(main) as file:
                    text = file.read(_READ).decode("utf-8", "replace")
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
        return kind, 1, ""
    plain = html.unescape(re.sub(r"<[^>]*>?", " ", text))
    return f"{kind} of {pages} page{'s' * (pages != 1)}", pages, " ".join(plain.split())
