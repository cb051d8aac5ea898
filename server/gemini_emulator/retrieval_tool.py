"""The `fileSearch` tool of a request: which stores it names, which documents its filter leaves, and what is found.

Source: `FileSearch` of the API reference, and the guide "File Search".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .errors import ApiError, invalid
from .grounding import Grounding
from .prompt import Prompt
from .retrieval import USUAL_TOP, ranked
from .retrieval_answer import grounding_of
from .retrieval_filter import FilterError, Test, compiled, values_of
from .search_document import Document
from .search_store import SearchStore, SearchStores
from .tokens import of_text
from .wire import Object

_PLACE = "GenerateContentRequest.tools[{}].file_search"


@dataclass(frozen=True)
class Retrieved:
    """What a search in the stores came to.

    Args:
        text: what is said about it.
        grounding: the same with its sources; None when nothing was found.
        tokens: those of the chunks, which the model has read.
    """

    text: str
    grounding: Grounding | None = None
    tokens: int = 0


def searched(prompt: Prompt, stores: SearchStores) -> Prompt:
    """The prompt, with what was found for it if it has the tool.

    Raises:
        ApiError: as `check_file_search`.
    """
    documents, top = check_file_search(prompt.request, stores)
    if prompt.tool("fileSearch") is None:
        return prompt
    hits = ranked(documents, prompt.text, top)
    if not hits:
        topic = prompt.facts.topic()
        return replace(prompt, retrieved=Retrieved(f"The file search found nothing about {topic}."))
    grounding = grounding_of(hits, prompt.text)
    tokens = sum(of_text(hit.entry.passage.text) for hit in hits)
    return replace(prompt, retrieved=Retrieved(grounding.text, grounding, tokens))


def check_file_search(request: Object, stores: SearchStores) -> tuple[list[tuple[Document, str]], int]:
    """The active documents that the tool looks at, each with its embedding model, and how many chunks it wants.

    Raises:
        ApiError: 404 for a store that is not there, 400 for a filter that cannot be read or a negative number.
    """
    documents: dict[str, tuple[Document, str]] = {}
    top = USUAL_TOP
    for at, tool in enumerate(request.get("tools", [])):
        search: Object | None = tool.get("fileSearch")
        if search is None:
            continue
        place = f"* {_PLACE.format(at)}"
        top = search.get("topK", 0) or USUAL_TOP
        if top < 0:
            raise invalid(f"{place}.top_k: top_k must not be negative.\n")
        test = _test(search.get("metadataFilter", ""), place)
        for name in search["fileSearchStoreNames"]:
            store = _store(name, stores)
            model = store.embedding_model.removeprefix("models/")
            for document in store.documents():
                if document.state == "ACTIVE" and test(values_of(document.metadata)):
                    documents[document.name] = (document, model)
    return list(documents.values()), top


def _store(name: str, stores: SearchStores) -> SearchStore:
    store = stores.named(name)
    if store is None:
        raise ApiError(404, f"FileSearchStore {name} not found, or you do not have permission to access it.")
    return store


def _test(source: str, place: str) -> Test:
    try:
        return compiled(source)
    except FilterError as broken:
        raise invalid(f"{place}.metadata_filter: Invalid filter: {broken}.\n") from None
