"""Grounded answers: Google Search, Google Maps and URL context.

The text of a grounded answer holds umlauts, CJK characters and an emoji on purpose: segment indices count UTF-8 bytes,
and only such text shows whether a client does too. Source: "Grounding with Google Search", "Grounding with Google Maps"
and "URL context" of the Gemini API.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from urllib.parse import quote_plus, urlsplit

from .prompt import Prompt
from .wire import Object

_SOURCES = ("wiki.example", "zeitung.example", "science.example", "日報.example")
_STATUS = "URL_RETRIEVAL_STATUS_"
_PLACES = ("Café Zürichsee", "Bäckerei Müller", "寿司 Sakura")


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
            metadata["searchEntryPoint"] = {"renderedContent": _chips(self.queries)}
        if self.widget:
            metadata["googleMapsWidgetContextToken"] = self.widget
        return metadata


def search(prompt: Prompt) -> Grounding:
    """The answer to a prompt with `googleSearch`."""
    rng = prompt.rng("search")
    topic, other = prompt.facts.topic(), prompt.facts.topic(1)
    queries = (f"{topic} {other}".strip(), f"{topic} {prompt.today.year}")
    chunks = tuple(
        {
            "web": {
                "uri": f"https://vertexaisearch.cloud.example/grounding-api-redirect/EMU{rng.getrandbits(96):024x}",
                "title": title,
            }
        }
        for title in rng.sample(_SOURCES, 3)
    )
    claims = (
        Claim(f"Searching for “{queries[0]}” found three sources that agree on {topic} 🔎.", (0, 1)),
        Claim(f"The größte of them, from Zürich, dates from {prompt.today.isoformat()}.", (1,)),
        Claim(f"A 日本語 source adds a naïve but useful view of {other}.", (2,)),
    )
    return Grounding(claims, chunks, queries)


def maps(prompt: Prompt) -> Grounding:
    """The answer to a prompt with `googleMaps`."""
    rng = prompt.rng("maps")
    where = prompt.facts.names[0] if prompt.facts.names else "the area"
    chunks: list[Object] = []
    claims: list[Claim] = []
    for index, name in enumerate(_PLACES):
        rating = rng.randint(38, 49) / 10
        chunks.append(
            {
                "maps": {
                    "uri": f"https://maps.example/?cid={rng.getrandbits(60)}",
                    "title": name,
                    "placeId": f"places/emulated{rng.getrandbits(64):016x}",
                    "text": f"{name}, rated {rating}",
                }
            }
        )
        claims.append(Claim(f"{name} near {where} is rated {rating} ⭐.", (index,)))
    asked = (prompt.tool("googleMaps") or {}).get("enableWidget")
    widget = f"widgetcontent/emulated{rng.getrandbits(64):016x}" if asked else ""
    return Grounding(tuple(claims), tuple(chunks), widget=widget)


def url_context(prompt: Prompt) -> tuple[str, Object] | None:
    """A sentence on the pages that the prompt names, and `urlContextMetadata`; None when it names none."""
    urls = prompt.facts.urls[:20]
    if not urls:
        return None
    statuses = [(url, _retrieval(url)) for url in urls]
    sentences = [
        f"The page {url} speaks about {prompt.facts.topic(position)}."
        if status == "SUCCESS"
        else f"The page {url} could not be read ({status.lower()})."
        for position, (url, status) in enumerate(statuses)
    ]
    entries = [{"retrievedUrl": url, "urlRetrievalStatus": _STATUS + status} for url, status in statuses]
    return " ".join(sentences), {"urlMetadata": entries}


def _retrieval(url: str) -> str:
    host = urlsplit(url).hostname or ""
    for word in ("paywall", "unsafe"):
        if word in url.lower():
            return word.upper()
    private = host in ("localhost", "127.0.0.1", "") or host.endswith((".invalid", ".local", ".internal"))
    return "ERROR" if private or "missing" in url else "SUCCESS"


def _chips(queries: tuple[str, ...]) -> str:
    """The search suggestions that a client must show as they are."""
    links = "".join(
        f'<a class="chip" href="https://www.google.example/search?q={quote_plus(query)}">{html.escape(query)}</a>'
        for query in queries
    )
    return f'<style>.chip{{border-radius:16px;padding:4px 12px}}</style><div class="container">{links}</div>'
