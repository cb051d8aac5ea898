"""Grounded answers: what they share, and Google Search.

The text of a grounded answer holds umlauts, CJK characters and an emoji on purpose: segment indices count UTF-8 bytes,
and only such text shows whether a client does too. Source: "Grounding with Google Search" of the Gemini API.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote_plus

from .prompt import Prompt
from .wire import Object

_SOURCES = ("wiki.example", "zeitung.example", "science.example", "日報.example")
_IMAGES = 3


@dataclass(frozen=True)
class Claim:
    """A sentence of the answer and the chunks that support it."""

    text: str
    chunks: tuple[int, ...]


@dataclass(frozen=True)
class Grounding:
    """What a grounded answer says, and its metadata once the final text is known."""

    claims: tuple[Claim, ...]
    chunks: tuple[Object, ...]
    queries: tuple[str, ...] = ()
    image_queries: tuple[str, ...] = ()
    widget: str = ""

    @property
    def text(self) -> str:
        """All claims, as they stand in the answer."""
        return " ".join(claim.text for claim in self.claims)

    def metadata(self, answer: str) -> Object:
        """`groundingMetadata` for an answer that contains the claims; those cut off are left out."""
        metadata: Object = {"groundingChunks": list(self.chunks)}
        supports: list[Object] = []
        for claim in self.claims:
            at = answer.find(claim.text)
            if at < 0:
                continue
            start = len(answer[:at].encode())
            segment: Object = {"endIndex": start + len(claim.text.encode()), "text": claim.text}
            # A zero is the default of the field, and defaults are not written.
            supports.append(
                {
                    "segment": {"startIndex": start, **segment} if start else segment,
                    "groundingChunkIndices": list(claim.chunks),
                }
            )
        metadata["groundingSupports"] = supports
        if self.queries:
            metadata["webSearchQueries"] = list(self.queries)
        if self.image_queries:
            metadata["imageSearchQueries"] = list(self.image_queries)
        if self.queries or self.image_queries:
            metadata["searchEntryPoint"] = {"renderedContent": _chips(self.queries or self.image_queries)}
        if self.widget:
            metadata["googleMapsWidgetContextToken"] = self.widget
        return metadata

    def saying(self, text: str) -> Grounding:
        """The same with one text for everything that is said: the answer is one claim, on all chunks."""
        chunks = tuple({kind: _said(chunk, text) for kind, chunk in one.items()} for one in self.chunks)
        queries = (text,) if self.queries else ()
        images = (text,) if self.image_queries else ()
        return Grounding((Claim(text, tuple(range(len(chunks)))),), chunks, queries, images, self.widget)


def search(prompt: Prompt) -> Grounding:
    """The answer to a prompt with `googleSearch`."""
    rng = prompt.rng("search")
    tool = prompt.tool("googleSearch") or {}
    kinds: Object = tool.get("searchTypes") or {"webSearch": {}}
    topic, other = prompt.facts.topic(), prompt.facts.topic(1)
    day, window = _day(tool.get("timeRangeFilter", {}), prompt.today)
    queries = (f"{topic} {other}".strip(), f"{topic} {day.year}")
    chunks: list[Object] = []
    claims: list[Claim] = []
    if "webSearch" in kinds:
        chunks += [
            {
                "web": {
                    "uri": f"https://vertexaisearch.cloud.example/grounding-api-redirect/EMU{rng.getrandbits(96):024x}",
                    "title": title,
                }
            }
            for title in rng.sample(_SOURCES, 3)
        ]
        claims += [
            Claim(f"Searching for “{queries[0]}”{window} found three sources that agree on {topic} 🔎.", (0, 1)),
            Claim(f"The größte of them, from Zürich, dates from {day.isoformat()}.", (1,)),
            Claim(f"A 日本語 source adds a naïve but useful view of {other}.", (2,)),
        ]
    if "imageSearch" in kinds:
        first = len(chunks)
        for index, site in enumerate(rng.sample(_SOURCES, _IMAGES)):
            name = f"{topic} {index + 1}"
            chunks.append(
                {
                    "image": {
                        "imageUri": f"https://images.{site}/{rng.getrandbits(48):012x}.jpg",
                        "sourceUri": f"https://{site}/{quote_plus(topic)}/{index + 1}",
                        "title": name,
                        "domain": site,
                    }
                }
            )
        found = tuple(range(first, len(chunks)))
        claims.append(Claim(f"Three pictures show {topic}{window}, the newest from {day.isoformat()} 🖼.", found))
    return Grounding(
        tuple(claims),
        tuple(chunks),
        queries if "webSearch" in kinds else (),
        (f"{topic} pictures",) if "imageSearch" in kinds else (),
    )


def _day(interval: Object, today: date) -> tuple[date, str]:
    """A day inside an interval for results to be from, and the words for the interval."""
    if not interval:
        return today, ""
    start, end = moment(interval["startTime"]), moment(interval["endTime"])
    # The end is exclusive.
    last = max(start, end - timedelta(seconds=1))
    day = max(start, min(last, start + (last - start) / 2)).date()
    return day, f" between {start.date().isoformat()} and {end.date().isoformat()}"


def moment(timestamp: str) -> datetime:
    """A protobuf timestamp."""
    return datetime.fromisoformat(timestamp.upper())


def _said(chunk: Object, text: str) -> Object:
    return {name: text if name in ("title", "text") else value for name, value in chunk.items()}


def _chips(queries: tuple[str, ...]) -> str:
    """The search suggestions that a client must show as they are."""
    links = "".join(
        f'<a class="chip" href="https://www.google.example/search?q={quote_plus(query)}">{html.escape(query)}</a>'
        for query in queries
    )
    return f'<style>.chip{{border-radius:16px;padding:4px 12px}}</style><div class="container">{links}</div>'
