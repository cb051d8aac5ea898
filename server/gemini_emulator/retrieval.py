"""The search itself: which chunks of which documents have to do with a question, best first.

A chunk counts when it has some of the question's words, in any form or as another word for the same thing; rare words
count more. Among those the vectors of the store's embedding model decide as well. Source: "How it works" in the guide
"File Search"; the weights are the emulator's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .retrieval_index import Entry, terms
from .search_document import Document

USUAL_TOP = 5
_CANDIDATES = 24
_TITLE = 0.3
_LIKENESS = 0.4
_RELEVANT = 0.15
_BESIDE_THE_BEST = 0.35
# Words that a question has about files of any content.
_GENERAL = terms("document documents file files store stores content contents text texts upload uploaded information")


@dataclass(frozen=True)
class Hit:
    """A chunk that was found.

    Args:
        document: where it stands.
        entry: the chunk.
        score: how well it fits; only the order means anything.
    """

    document: Document
    entry: Entry
    score: float


def ranked(documents: Iterable[tuple[Document, str]], question: str, top: int) -> list[Hit]:
    """The best chunks, the best of all first; none when nothing fits.

    Args:
        documents: active documents, each with the embedding model of its store.
        question: what is asked.
        top: at most how many.
    """
    pairs = [(document, model, entry) for document, model in documents for entry in document.entries]
    wanted = terms(question) - _GENERAL
    if not wanted:
        # A question about "the document" is one about its beginning.
        return [Hit(document, entry, 1) for document, _, entry in _firsts(pairs)[:top]]
    weights = _weights(wanted, [entry for _, _, entry in pairs])
    scored = [(_coverage(entry, weights), document, model, entry) for document, model, entry in pairs]
    near = sorted((one for one in scored if one[0] >= _RELEVANT), key=lambda one: -one[0])[:_CANDIDATES]
    hits = [
        Hit(document, entry, (1 - _LIKENESS) * coverage + _LIKENESS * entry.likeness(question, model))
        for coverage, document, model, entry in near
    ]
    hits.sort(key=lambda hit: -hit.score)
    return [hit for hit in hits[:top] if hit.score >= _BESIDE_THE_BEST * hits[0].score]


def _firsts(pairs: list[tuple[Document, str, Entry]]) -> list[tuple[Document, str, Entry]]:
    """The first chunk of each document, then the second of each, and so on."""
    numbers: dict[str, int] = {}
    turns: list[int] = []
    for document, _, _ in pairs:
        turns.append(numbers.get(document.name, 0))
        numbers[document.name] = turns[-1] + 1
    return [pairs[at] for at in sorted(range(len(pairs)), key=lambda at: turns[at])]


def _weights(wanted: frozenset[str], entries: list[Entry]) -> dict[str, float]:
    """What each word is worth: the more the fewer chunks have it, and together one."""
    having = {term: sum(term in entry.terms or term in entry.title_terms for entry in entries) for term in wanted}
    raw = {term: math.log(1 + len(entries) / (count or 1)) for term, count in having.items()}
    total = sum(raw.values()) or 1
    return {term: weight / total for term, weight in raw.items()}


def _coverage(entry: Entry, weights: dict[str, float]) -> float:
    inside = sum(weights[term] for term in weights.keys() & entry.terms)
    return inside + _TITLE * sum(weights[term] for term in weights.keys() & entry.title_terms)
