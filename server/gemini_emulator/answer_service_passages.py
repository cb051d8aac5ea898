"""What an answer of AQA can rest on: passages that come with the question, or chunks of a corpus.

Source: `GroundingPassages`, `SemanticRetrieverConfig` and `AttributionSourceId` of the API reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .corpus_document import CorpusDocument
from .corpus_filter import compiled
from .corpus_search import best
from .errors import invalid
from .exchange import Service
from .faults import without_directives
from .legacy_likeness import likeness
from .retrieval_index import Entry
from .search_chunks import Passage
from .wire import Object

_PLACE = "GenerateAnswerRequest"
_SOURCE = re.compile(r"corpora/([^/]+)(?:/documents/([^/]+))?")
_USUAL_CHUNKS = 10
_MOST_CHUNKS = 100


@dataclass(frozen=True)
class Source:
    """A passage, with how well it fits the question.

    Args:
        ident: the `AttributionSourceId`.
        entry: the text.
        score: from 0 to 1.
    """

    ident: Object
    entry: Entry
    score: float

    @property
    def text(self) -> str:
        """What stands in it."""
        return self.entry.passage.text

    def attribution(self) -> Object:
        """The `GroundingAttribution`."""
        return {"sourceId": self.ident, "content": {"parts": [{"text": self.text}]}}


def sources_of(request: Object, question: str, service: Service) -> list[Source]:
    """The sources of a checked request, best first.

    Raises:
        ApiError: 400 for passages or a configuration that cannot be, 404 for a corpus or a document that is not there.
    """
    if "inlinePassages" in request:
        return _inline(request["inlinePassages"].get("passages", []), question)
    if "semanticRetriever" in request:
        return _retrieved(request["semanticRetriever"], service)
    raise invalid(f"* {_PLACE}.grounding_source: one of inline_passages and semantic_retriever must be specified\n")


def _inline(passages: list[Object], question: str) -> list[Source]:
    place = f"* {_PLACE}.inline_passages.passages"
    if not passages:
        raise invalid(f"{place}: passages must not be empty\n")
    sources: list[Source] = []
    for index, passage in enumerate(passages):
        ident, parts = passage.get("id", ""), passage.get("content", {}).get("parts", [])
        if not ident:
            raise invalid(f"{place}[{index}].id: id is required and not specified\n")
        if not parts or not all(part.get("text") for part in parts):
            raise invalid(f"{place}[{index}].content: content must have parts, and all of them text\n")
        for number, part in enumerate(parts):
            entry = Entry(Passage(part["text"]), "")
            name: Object = {"passageId": ident, **({"partIndex": number} if number else {})}
            sources.append(Source({"groundingPassage": name}, entry, likeness(entry, question)))
    return sorted(sources, key=lambda source: -source.score)


def _retrieved(config: Object, service: Service) -> list[Source]:
    place = f"{_PLACE}.semantic_retriever"
    name: str = config.get("source", "")
    documents = _documents(name, place, service)
    parts: list[Object] = config.get("query", {}).get("parts", [])
    query = without_directives(" ".join(part.get("text", "") for part in parts))
    if not query:
        raise invalid(f"* {place}.query: query is required and must have text\n")
    count, least = config.get("maxChunksCount", 0), config.get("minimumRelevanceScore", 0)
    if not 0 <= count <= _MOST_CHUNKS:
        raise invalid(f"* {place}.max_chunks_count: must be in the range [0, {_MOST_CHUNKS}], found {count}\n")
    if not 0 <= least <= 1:
        raise invalid(f"* {place}.minimum_relevance_score: must be in the range [0, 1], found {least}\n")
    test = compiled(config.get("metadataFilters", []), f"{place}.metadata_filters")
    found = best(documents, query, test, count or _USUAL_CHUNKS)
    return [
        Source({"semanticRetrieverChunk": {"source": name, "chunk": one.chunk.name}}, one.chunk.entry, one.score)
        for one in found
        if one.score >= least
    ]


def _documents(name: str, place: str, service: Service) -> list[CorpusDocument]:
    matched = _SOURCE.fullmatch(name)
    if not matched:
        raise invalid(
            f"* {place}.source: {name!r} is not of the form corpora/{{id}} or corpora/{{id}}/documents/{{id}}\n"
        )
    corpus = service.corpora.find(matched[1])
    return [corpus.find(matched[2])] if matched[2] else corpus.documents()
