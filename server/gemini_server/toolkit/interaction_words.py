"""What an interaction says in words: its text, and what the spans of that rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gemini_server.api.interaction_content import Annotation, Said, Step
from gemini_server.toolkit.generation.sources import Sources
from gemini_server.toolkit.untrusted import label, link

_CITING = ("url_citation", "file_citation", "place_citation")
_BETWEEN = "\n\n"


@dataclass
class Words:
    """A text as it may be shown, with its citations as JSON: `start`, `end` (characters of it), `uri`, `title`."""

    text: str = ""
    citations: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refused: int = 0
    """Sources whose addresses are no web links."""


def answered(steps: list[Step] | None) -> list[list[Said]]:
    """What the model put out in this turn, step by step; a stored interaction may begin with what the user said."""
    found: list[list[Said]] = []
    for step in steps or ():
        if step.type == "user_input":
            found.clear()
        elif step.type == "model_output" and step.content:
            found.append(step.content)
    return found


def words_of(outputs: list[list[Said]], sources: Sources) -> Words:
    """The text of what came, contents of one step put end to end, and steps apart.

    Args:
        outputs: as `answered` gives it.
        sources: what the model could read, by which the text is made safe to show.
    """
    raw = ""
    spans: list[tuple[int, int, Annotation]] = []
    for contents in outputs:
        texts = [(said.text, said.annotations or []) for said in contents if said.type == "text" and said.text]
        if texts and raw:
            raw += _BETWEEN
        for text, notes in texts:
            citing = [annotation for annotation in notes if annotation.type in _CITING]
            places = zip(_characters(text, citing), citing, strict=True)
            spans += [(len(raw) + start, len(raw) + end, annotation) for (start, end), annotation in places]
            raw += text
    cleaned = sources.clean(raw)
    words = Words(cleaned.text)
    for start, end, annotation in spans:
        source = annotation.url or annotation.document_uri or annotation.file_name
        uri = link(source) if source else None
        if uri is None:
            words.refused += 1
            continue
        title = label(annotation.title or annotation.name or annotation.file_name or "")
        cited: dict[str, Any] = {"start": cleaned.position(start), "end": cleaned.position(end), "uri": uri}
        words.citations.append({**cited, "title": title} if title else cited)
    return words


def _characters(text: str, annotations: Sequence[Annotation]) -> list[tuple[int, int]]:
    """Spans in characters; Google counts UTF-8 bytes. The text is gone through once, however many spans there are."""
    if not annotations:
        return []
    data = text.encode("utf-8", "surrogatepass")
    spans: list[tuple[int, int]] = []
    for one in annotations:
        start = _between(one.start_index or 0, data)
        spans.append((start, len(data) if one.end_index is None else max(start, _between(one.end_index, data))))
    characters, before, passed = dict[int, int](), 0, 0
    for at in sorted({at for span in spans for at in span}):
        passed += len(data[before:at].decode("utf-8", "surrogatepass"))
        characters[at] = passed
        before = at
    return [(characters[start], characters[end]) for start, end in spans]


def _between(at: int, data: bytes) -> int:
    """An offset that lies in the text, and before a character and not within one."""
    at = max(0, min(at, len(data)))
    while at < len(data) and data[at] & 0xC0 == 0x80:  # a byte that goes on with a character
        at -= 1
    return at
