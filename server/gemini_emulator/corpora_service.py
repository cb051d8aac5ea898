"""The methods of `corpora`: create, list, get, patch, delete and query, and their operations.

`create`, `list`, `get` and `delete` still have an address, although nothing can be created any more; `patch` and
`query` have lost theirs. `Options.legacy_services` brings all back. Source: `corpora` of the API reference, and the
v1beta protos.
"""

from __future__ import annotations

from .corpus_search import queried, relevant
from .errors import ApiError
from .exchange import Call, Reply, Route, Service
from .legacy_calls import (
    FORCE,
    MASK,
    PAGES,
    beta,
    changes_of,
    check_length,
    chosen_ident,
    mask_of,
    page_of,
    removed,
)
from .schema import check
from .wire import Object

_LARGEST_PAGE = 20
_LONGEST_NAME = 512
_GONE = "Corpora can no longer be created: the Semantic Retriever has been shut down. Use File Search instead."


def create_corpus(service: Service, call: Call) -> Reply:
    """`corpora.create`."""
    given = check("Corpus", call.body if call.body is not None else {}, call.version)
    if not service.options.legacy_services:
        raise ApiError(404, _GONE)
    ident = chosen_ident(given.get("name", ""), "corpora", "CreateCorpusRequest.corpus.name")
    name = _display_name(given, "CreateCorpusRequest.corpus")
    return Reply(service.corpora.add(ident, name).resource())


def list_corpora(service: Service, call: Call) -> Reply:
    """`corpora.list`."""
    return page_of(call, "corpora", [one.resource() for one in service.corpora.all()], largest=_LARGEST_PAGE)


def get_corpus(service: Service, call: Call) -> Reply:
    """`corpora.get`."""
    return Reply(service.corpora.find(call.names["corpus"]).resource())


def patch_corpus(service: Service, call: Call) -> Reply:
    """`corpora.patch`: only the display name can be changed."""
    corpus = service.corpora.find(call.names["corpus"])
    given = check("Corpus", call.body, call.version)
    changes_of(mask_of(call), given, "UpdateCorpusRequest", ("displayName",))
    corpus.rename(_display_name(given, "UpdateCorpusRequest.corpus"))
    return Reply(corpus.resource())


def delete_corpus(service: Service, call: Call) -> Reply:
    """`corpora.delete`."""
    service.corpora.delete(call.names["corpus"], force=call.boolean("force"))
    return Reply()


def query_corpus(service: Service, call: Call) -> Reply:
    """`corpora.query`."""
    corpus = service.corpora.find(call.names["corpus"])
    request = check("QueryCorpusRequest", call.body, call.version)
    directive = call.directive.merged(service.faults.from_prompt([request.get("query", "")], call.path))
    return relevant(queried(corpus.documents(), request, "QueryCorpusRequest", one_document=False), directive)


def get_operation(service: Service, call: Call) -> Reply:
    """`corpora.operations.get`: no method of a corpus takes so long that it begins an operation."""
    corpus = service.corpora.find(call.names["corpus"])
    raise ApiError(404, f"Requested entity was not found: {corpus.name}/operations/{call.names['operation']}")


def _display_name(given: Object, place: str) -> str:
    return check_length(given.get("displayName", ""), _LONGEST_NAME, f"{place}.display_name")


ROUTES = (
    Route("POST", "corpora", beta(create_corpus)),
    Route("GET", "corpora", beta(list_corpora), PAGES),
    Route("GET", "corpora/{corpus}", beta(get_corpus)),
    Route("PATCH", "corpora/{corpus}", removed(patch_corpus), MASK),
    Route("DELETE", "corpora/{corpus}", beta(delete_corpus), FORCE),
    Route("POST", "corpora/{corpus}:query", removed(query_corpus), slow=True),
    Route("GET", "corpora/{corpus}/operations/{operation}", beta(get_operation)),
)
