"""What an interaction says in words: its text, and what the spans of that rest on."""

from __future__ import annotations

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
            spans += [
                (len(raw) + start, len(raw) + end, annotation)
                for annotation in notes
                if annotation.type in _CITING
                for start, end in [_characters(text, annotation)]
            ]
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


def _characters(text: str, annotation: Annotation) -> tuple[int, int]:
    """A span in characters; Google counts UTF-8 bytes."""
    data = text.encode("utf-8", "surrogatepass")
    start, end = annotation.start_index or 0, annotation.end_index
    return _length(data, start), len(text) if end is None else _length(data, max(start, end))


def _length(data: bytes, size: int) -> int:
    return len(data[: max(0, size)].decode("utf-8", "ignore"))
