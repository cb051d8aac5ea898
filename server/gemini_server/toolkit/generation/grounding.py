"""What an answer found on its way: queries, pictures, places, pages, and the suggestions that Google wants shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from gemini_server.api.answer import GroundingMetadata, UrlContextMetadata
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.untrusted import label, link

MOST = 50
"""Queries, pictures and places of one answer that are shown."""

PageStatus = Literal["success", "error", "paywall", "unsafe"]


class FoundImage(Result):
    """A picture on the web, and the page that it stands on."""

    uri: str
    source: str | None = None
    title: str | None = None


class FoundPlace(Result):
    """A place on the map."""

    name: str
    uri: str | None = None
    place_id: str | None = None


class ReadPage(Result):
    """A page, and whether Google could read it."""

    url: str
    status: PageStatus


@dataclass(frozen=True, slots=True)
class Grounding:
    """What an answer rests on beside its citations; every word is cleaned.

    Attributes:
        queries: what was searched for.
        images: pictures that were found.
        places: places that were found.
        pages: pages that were to be read.
        suggestions: HTML that Google wants shown to people; as it came.
        dropped: how many pictures and links were left out because of their addresses.
    """

    queries: list[str] = field(default_factory=list[str])
    images: list[FoundImage] = field(default_factory=list[FoundImage])
    places: list[FoundPlace] = field(default_factory=list[FoundPlace])
    pages: list[ReadPage] = field(default_factory=list[ReadPage])
    suggestions: str = ""
    dropped: int = 0


def fees_of(searches: int, *, maps: bool) -> str | None:
    """What Google bills for an answer beside its tokens; how much depends on what a project has left for the month."""
    counted = [f"{searches} search{'es' if searches > 1 else ''}"] if searches else []
    named = [*counted, *(["Google Maps"] if maps else [])]
    return f"Google's fee for {' and '.join(named)}" if named else None


def grounding_of(metadata: GroundingMetadata | None, pages: UrlContextMetadata | None) -> Grounding:
    """The view of what came."""
    metadata = metadata or GroundingMetadata()
    images: dict[str, FoundImage] = {}
    places: dict[str, FoundPlace] = {}
    dropped = 0
    for chunk in metadata.grounding_chunks or ():
        if chunk.image and chunk.image.image_uri:
            uri = link(chunk.image.image_uri)
            if uri is None:
                dropped += 1
                continue
            source, title = link(chunk.image.source_uri or ""), label(chunk.image.title or "")
            images.setdefault(uri, FoundImage(uri=uri, source=source, title=title or None))
        elif chunk.maps:
            uri = link(chunk.maps.uri or "")
            dropped += bool(chunk.maps.uri) and uri is None
            name, place_id = label(chunk.maps.title or ""), label(chunk.maps.place_id or "")
            key = place_id or uri or name
            if key:
                places.setdefault(key, FoundPlace(name=name or key, uri=uri, place_id=place_id or None))
    queries = [*(metadata.web_search_queries or ()), *(metadata.image_search_queries or ())]
    entry = metadata.search_entry_point
    return Grounding(
        queries=[shown for query in queries[:MOST] if (shown := label(query))],
        images=list(images.values())[:MOST],
        places=list(places.values())[:MOST],
        pages=_pages(pages),
        suggestions=(entry.rendered_content if entry else None) or "",
        dropped=dropped,
    )


def _pages(metadata: UrlContextMetadata | None) -> list[ReadPage]:
    pages: dict[str, ReadPage] = {}
    for page in (metadata.url_metadata if metadata else None) or ():
        url = link(page.retrieved_url or "")
        if url:
            word = (page.url_retrieval_status or "").removeprefix("URL_RETRIEVAL_STATUS_").lower()
            # A status that Google adds tomorrow is no success.
            pages[url] = ReadPage(url=url, status=cast(PageStatus, word if word in get_args(PageStatus) else "error"))
    return list(pages.values())
