"""A grounded answer from the chunks that were found: sentences quoted from them, and the metadata that cites them.

Source: "Citations" in the guide "File Search", and `RetrievedContext` of the API reference.
"""

from __future__ import annotations

import re

from .grounding import Claim, Grounding
from .retrieval import Hit
from .retrieval_index import terms
from .wire import Object

_MOST_CLAIMS = 3
_LONGEST = 300
_SENTENCE = re.compile(r"[^\n]+?(?:(?<![.!?])[.!?]++[\"”’)\]]*+(?=\s|$)|[。！？]+|(?=\n|$))")


def grounding_of(hits: list[Hit], question: str) -> Grounding:
    """What is said about the chunks that were found, of which there is at least one."""
    wanted = terms(question)
    claims: list[Claim] = []
    quoted: dict[str, list[int]] = {}
    for number, hit in enumerate(hits):
        sentence = _best(hit, wanted)
        # Chunks overlap: what stands in two of them is quoted once, and has both as its sources.
        if sentence in quoted or len(quoted) < _MOST_CLAIMS:
            quoted.setdefault(sentence, []).append(number)
    for sentence, numbers in quoted.items():
        claims.append(Claim(_told(hits[numbers[0]], sentence), tuple(numbers)))
    return Grounding(tuple(claims), tuple(_chunk(hit) for hit in hits))


def _told(hit: Hit, sentence: str) -> str:
    title = hit.document.display_name or hit.document.ident
    page = f", page {hit.entry.passage.page}" if hit.entry.passage.page else ""
    if hit.entry.passage.picture:
        return f"The picture “{title}” is {sentence}."
    return f"According to “{title}”{page}: “{sentence}”"


def _best(hit: Hit, wanted: frozenset[str]) -> str:
    """The sentence of a chunk that has most to do with the question."""
    text = hit.entry.passage.text
    if hit.entry.passage.picture:
        return text
    sentences = [" ".join(found.split()) for found in _SENTENCE.findall(text)]
    sentences = [sentence for sentence in sentences if sentence] or [" ".join(text.split())]
    best = max(sentences, key=lambda sentence: len(terms(sentence) & wanted))
    return best if len(best) <= _LONGEST else f"{best[: _LONGEST - 1]}…"


def _chunk(hit: Hit) -> Object:
    document, passage = hit.document, hit.entry.passage
    context: Object = {"title": document.display_name or document.ident}
    if not passage.picture:
        context["text"] = passage.text
    context["fileSearchStore"] = document.store
    if passage.page:
        context["pageNumber"] = passage.page
    if passage.picture:
        context["mediaId"] = document.media_id
    if document.metadata:
        context["customMetadata"] = document.metadata
    return {"retrievedContext": context}
