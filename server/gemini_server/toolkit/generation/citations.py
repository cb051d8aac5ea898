"""Where in the answer a source belongs. Google counts UTF-8 bytes of one part; readers count characters of the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from gemini_server.api.answer import CitationMetadata, GroundingChunk, GroundingMetadata, Segment
from gemini_server.toolkit.file_search_view import metadata_out
from gemini_server.toolkit.generation.result import Citation
from gemini_server.toolkit.untrusted import Cleaned, label, link

QUOTE = 500
"""Characters of a passage that are shown."""


class Placement:
    """Turns byte spans of parts into character spans of the text that the reader sees.

    Args:
        parts: the parts of the model's turn as they came; the text is that of the parts that are not thoughts.
        plain: the parts are those of one answer in one piece, so that their numbers are Gemini's.
        pieced: the text was put together from several requests, whose offsets begin anew.
    """

    def __init__(self, parts: Sequence[dict[str, Any]], *, plain: bool = True, pieced: bool = False) -> None:
        self._plain = plain
        self._pieced = pieced
        texts = [(n, part.get("text")) for n, part in enumerate(parts) if not part.get("thought")]
        visible = [(n, text) for n, text in texts if isinstance(text, str) and text]
        self.text = "".join(text for _, text in visible)
        offsets = [0, *accumulate(len(text) for _, text in visible)]
        self._by_index = {n: (text.encode(), offset) for (n, text), offset in zip(visible, offsets, strict=False)}
        self._visible = [(text.encode(), offset) for (_, text), offset in zip(visible, offsets, strict=False)]
        self._whole = (self.text.encode(), 0)

    def span(self, segment: Segment) -> tuple[int, int] | None:
        """The characters of a segment, or None when it cannot be placed.

        The part index counts all parts in a plain answer, but streams and merged parts shift it; the quoted text, where
        Google gives it, says which reading is right.
        """
        if segment.text is None:
            readings = self._unquoted(segment)
        else:
            readings = [self._by_index.get(segment.part_index), self._whole]
            if segment.part_index < len(self._visible):
                readings.insert(1, self._visible[segment.part_index])
        for reading in readings:
            if reading is None:
                continue
            placed = _characters(reading[0], reading[1], segment)
            if placed is not None:
                return placed
        # The offsets are wrong, but the quotation may tell the place, if there is but one such place.
        if segment.text and self.text.count(segment.text) == 1:
            found = self.text.find(segment.text)
            return found, found + len(segment.text)
        return None

    def _unquoted(self, segment: Segment) -> list[tuple[bytes, int] | None]:
        """How a segment can be read that quotes nothing: only where there is no doubt."""
        if self._pieced:
            return []
        if not self._plain:
            return [self._whole]
        counted = self._by_index.get(segment.part_index)
        return [counted] if counted else [self._whole] if segment.part_index == 0 else []


def _characters(raw: bytes, offset: int, segment: Segment) -> tuple[int, int] | None:
    if not 0 <= segment.start_index < segment.end_index <= len(raw):
        return None
    try:
        before = raw[: segment.start_index].decode()
        quoted = raw[segment.start_index : segment.end_index].decode()
    except UnicodeDecodeError:
        return None
    if segment.text is not None and segment.text != quoted:
        return None
    start = offset + len(before)
    return start, start + len(quoted)


def source_of(chunk: GroundingChunk) -> tuple[str, str | None] | None:
    """The link and title of a grounding chunk."""
    if chunk.web and chunk.web.uri:
        return chunk.web.uri, chunk.web.title
    if chunk.maps and chunk.maps.uri:
        return chunk.maps.uri, chunk.maps.title
    if chunk.image and (chunk.image.source_uri or chunk.image.image_uri):
        return chunk.image.source_uri or chunk.image.image_uri or "", chunk.image.title
    if chunk.retrieved_context:
        context = chunk.retrieved_context
        # A title is no address; its colons would make it look like one.
        uri = context.uri or context.file_search_store or (context.title or "").replace(":", "%3A")
        return (uri, context.title) if uri else None
    return None


def passage_of(chunk: GroundingChunk) -> dict[str, Any]:
    """What is known of a passage of a stored document, by the members of a citation; empty for other chunks."""
    context = chunk.retrieved_context
    if context is None:
        return {}
    known = {
        "store": label(context.file_search_store or ""),
        "page": context.page_number,
        "quote": label(context.text or "", QUOTE),
        "metadata": metadata_out(context.custom_metadata),
        "media": label(context.media_id or ""),
    }
    return {name: value for name, value in known.items() if value}


@dataclass
class Cited:
    """The citations of an answer.

    Attributes:
        citations: in the order of the text.
        lost: how many could not be placed.
        refused: how many were left out because of their addresses.
    """

    citations: list[Citation] = field(default_factory=list[Citation])
    lost: int = 0
    refused: int = 0

    def add(self, span: tuple[int, int] | None, uri: str, title: str | None, **passage: Any) -> None:
        """Take in a source for a span of the text, with what `passage_of` says of it."""
        shown = link(uri)
        if shown is None:
            self.refused += 1
        elif span is None or span[0] == span[1]:
            self.lost += 1
        else:
            title = label(title) if title else None
            self.citations.append(Citation(start=span[0], end=span[1], uri=shown, title=title or None, **passage))


def cited(
    placement: Placement, cleaned: Cleaned, grounding: GroundingMetadata | None, recited: CitationMetadata | None
) -> Cited:
    """The citations of an answer.

    Args:
        placement: where segments stand in the text as it came.
        cleaned: the text as it is shown.
        grounding: what the answer rests on.
        recited: what it repeats.
    """
    found = Cited()
    chunks = (grounding.grounding_chunks if grounding else None) or []
    for support in (grounding.grounding_supports if grounding else None) or []:
        span = _shown(placement.span(support.segment), cleaned) if support.segment else None
        for index in support.grounding_chunk_indices or ():
            source = source_of(chunks[index]) if 0 <= index < len(chunks) else None
            if source is None:
                found.lost += 1
            else:
                found.add(span, *source, **passage_of(chunks[index]))
    for passage in (recited.citation_sources if recited else None) or []:
        segment = Segment(start_index=passage.start_index or 0, end_index=passage.end_index or 0)
        if passage.uri:
            found.add(_shown(placement.span(segment), cleaned), passage.uri, passage.title or passage.license)
    found.citations.sort(key=lambda citation: (citation.start, citation.end))
    return found


def _shown(span: tuple[int, int] | None, cleaned: Cleaned) -> tuple[int, int] | None:
    return span and (cleaned.position(span[0]), cleaned.position(span[1]))
