"""Where in the answer a source belongs. Google counts UTF-8 bytes of one part; readers count characters of the text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from gemini_server.api.answer import CitationMetadata, GroundingChunk, GroundingMetadata, Segment
from gemini_server.rest.complaint import clean
from gemini_server.toolkit.generation.result import Citation

LONGEST_URI = 4000
LONGEST_TITLE = 300


class Placement:
    """Turns byte spans of parts into character spans of the text that the reader sees.

    Args:
        parts: the parts of the model's turn as they came; the text is that of the parts that are not thoughts.
    """

    def __init__(self, parts: Sequence[dict[str, Any]]) -> None:
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
        uri = context.uri or context.file_search_store or context.title
        return (uri, context.title) if uri else None
    return None


def cited(
    placement: Placement, grounding: GroundingMetadata | None, recited: CitationMetadata | None
) -> tuple[list[Citation], int]:
    """The citations of an answer in the order of the text, and how many could not be placed."""
    citations: list[Citation] = []
    lost = 0
    chunks = (grounding.grounding_chunks if grounding else None) or []
    for support in (grounding.grounding_supports if grounding else None) or []:
        span = placement.span(support.segment) if support.segment else None
        for index in support.grounding_chunk_indices or ():
            source = source_of(chunks[index]) if 0 <= index < len(chunks) else None
            if span is None or source is None or len(source[0]) > LONGEST_URI:
                lost += 1
            else:
                title = clean(source[1], LONGEST_TITLE) if source[1] else None
                citations.append(Citation(start=span[0], end=span[1], uri=source[0], title=title))
    for passage in (recited.citation_sources if recited else None) or []:
        span = placement.span(Segment(start_index=passage.start_index or 0, end_index=passage.end_index or 0))
        if span and passage.uri and len(passage.uri) <= LONGEST_URI:
            title = passage.title or passage.license
            citations.append(Citation(start=span[0], end=span[1], uri=passage.uri, title=title))
        elif passage.uri:
            lost += 1
    citations.sort(key=lambda citation: (citation.start, citation.end))
    return citations, lost
