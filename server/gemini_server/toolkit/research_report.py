"""The report of research: all of it as a file with numbered sources, and as much of it as a result takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gemini_server.jobs.job import Json
from gemini_server.toolkit.untrusted import label

SHOWN = 16_000
"""Characters of a report that a result shows."""
MOST_CITATIONS = 200
"""Citations that a result shows; the file has all sources."""

_HEADING = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]*|\*\*)(?:sources|references|works cited)\b.*$", re.IGNORECASE | re.MULTILINE
)
_ENTRY = re.compile(r"^[ \t]*(\d{1,4})[.)][ \t].*?((?:https?|gs)://\S+)", re.MULTILINE)
_MARK = re.compile(r"\[(?:cite:[ ]*)?\d{1,4}(?:,[ ]*\d{1,4})*\]")


def report(question: str, text: str, citations: Sequence[Mapping[str, Any]]) -> str:
    """The report as Markdown: what was asked, the text with the numbers of its sources, and the sources.

    Numbers and a list that the report has itself are kept; what they leave out is added.

    Args:
        question: what was asked.
        text: as it may be shown.
        citations: the spans of it, with `end`, `uri` and perhaps `title`; one source has one number.
    """
    numbers, titles = _listed(text), dict[str, str]()
    own, last = set(numbers), max(numbers.values(), default=0)
    marks: dict[int, list[int]] = {}
    for one in citations:
        uri: str = one["uri"]
        if uri not in numbers:
            numbers[uri] = last = last + 1
        number = numbers[uri]
        titles[uri] = titles.get(uri) or str(one.get("title") or "")
        here = marks.setdefault(min(int(one["end"]), len(text)), [])
        if number not in here:
            here.append(number)
    body = text if _MARK.search(text) else _marked(text, marks)
    title = label(question, 200)
    head = "" if not title or body.lstrip().startswith("# ") else f"# {title}\n\n"
    more = "".join(
        f"{number}. {f'{titles[uri]}: ' if titles[uri] else ''}{uri}\n"
        for uri, number in numbers.items()
        if uri not in own
    )
    heading = "## Further sources" if own else "## Sources"
    return f"{head}{body.strip()}\n" + (f"\n{heading}\n\n{more}" if more else "")


def _listed(text: str) -> dict[str, int]:
    """The sources that a report lists itself, by their addresses."""
    headings = list(_HEADING.finditer(text))
    found: dict[str, int] = {}
    for entry in _ENTRY.finditer(text, headings[-1].end()) if headings else ():
        found.setdefault(entry[2].rstrip(").,;"), int(entry[1]))
    return found


def _marked(text: str, marks: Mapping[int, Sequence[int]]) -> str:
    pieces: list[str] = []
    done = 0
    for at in sorted(marks):
        pieces += [text[done:at], " ", *(f"[{number}]" for number in sorted(marks[at]))]
        done = at
    return "".join([*pieces, text[done:]])


def shortened(result: Json) -> None:
    """Cut the text of a result where it is too long, at the end of a paragraph; its file has all of it."""
    text: str = result["text"]
    citations: list[Json] = result.get("citations") or []
    warnings: list[str] = []
    if len(text) > SHOWN:
        cut = text.rfind("\n\n", SHOWN // 2, SHOWN)
        cut = SHOWN if cut < 0 else cut
        result["text"] = text[:cut].rstrip() + "\n\n[…]"
        citations = [one for one in citations if one["end"] <= cut]
        warnings.append(
            f"The report has {len(text):,} characters; text shows the first {cut:,}. The artifact of the type "
            "text/markdown has all of it, with its sources."
        )
    if len(citations) > MOST_CITATIONS:
        warnings.append(f"{len(citations) - MOST_CITATIONS} citations are left out here; the artifact has all sources.")
    if "citations" in result:
        result["citations"] = citations[:MOST_CITATIONS]
    if warnings:
        result["warnings"] = [*result.get("warnings", ()), *warnings]
