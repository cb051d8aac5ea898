"""A query to a corpus or to one of its documents: the chunks that fit it best, with their scores.

Source: `corpora.query` and `corpora.documents.query` of the v1beta protos.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .corpus_document import CorpusChunk, CorpusDocument
from .corpus_filter import Test, compiled
from .errors import invalid
from .exchange import Reply
from .faults import Directive, without_directives
from .legacy_likeness import likeness
from .wire import Object

_USUAL = 10
_MOST = 100


@dataclass(frozen=True)
class Found:
    """A chunk that was found.

    Args:
        score: how well it fits, from 0 to 1.
        chunk: the chunk.
        document: where it stands.
    """

    score: float
    chunk: CorpusChunk
    document: CorpusDocument

    def resource(self) -> Object:
        """The `RelevantChunk`."""
        shown: Object = {"chunk": self.chunk.resource(), "document": self.document.resource()}
        return {"chunkRelevanceScore": self.score, **shown} if self.score else shown


def queried(documents: list[CorpusDocument], request: Object, message: str, *, one_document: bool) -> list[Found]:
    """What a query finds, best first.

    Args:
        documents: where it looks.
        request: the checked request.
        message: its name, for refusals.
        one_document: whether it was put to a document, and so cannot filter documents.

    Raises:
        ApiError: 400 without a query, and for a count or a filter that cannot be.
    """
    query = without_directives(request.get("query", ""))
    if not query:
        raise invalid(f"* {message}.query: query is required and not specified\n")
    count = request.get("resultsCount", 0)
    if not 0 <= count <= _MOST:
        raise invalid(f"* {message}.results_count: must be in the range [0, {_MOST}], found {count}\n")
    filters: list[Object] = request.get("metadataFilters", [])
    test = compiled(filters, f"{message}.metadata_filters", documents=not one_document)
    return best(documents, query, test, count or _USUAL)


def best(documents: Iterable[CorpusDocument], query: str, test: Test, count: int) -> list[Found]:
    """The chunks that pass a test and fit a query best, the best of all first."""
    found = [
        Found(likeness(chunk.entry, query), chunk, document)
        for document in documents
        for chunk in document.chunks()
        if test(document, chunk)
    ]
    return sorted(found, key=lambda one: -one.score)[:count]


def relevant(found: list[Found], directive: Directive) -> Reply:
    """The answer to a query."""
    return Reply({"relevantChunks": [one.resource() for one in found]} if found else {}, directive=directive)
