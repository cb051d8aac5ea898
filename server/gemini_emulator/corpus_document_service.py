"""The methods of `corpora.documents`: create, list, get, patch, delete and query.

Google has taken their addresses away; `Options.legacy_services` brings them back. Source: the v1beta protos.
"""

from __future__ import annotations

from .corpora_store import Corpus
from .corpus_document import CorpusDocument
from .corpus_search import queried, relevant
from .exchange import Call, Reply, Route, Service
from .legacy_calls import FORCE, MASK, PAGES, changes_of, check_length, chosen_ident, mask_of, page_of, removed
from .schema import check
from .search_import_service import checked_metadata

_LARGEST_PAGE = 20
_LONGEST_NAME = 512


def create_document(service: Service, call: Call) -> Reply:
    """`corpora.documents.create`."""
    corpus, place = _corpus(service, call), "CreateDocumentRequest.document"
    given = check("CorpusDocument", call.body if call.body is not None else {}, call.version)
    ident = chosen_ident(given.get("name", ""), f"{corpus.name}/documents", f"{place}.name")
    name = check_length(given.get("displayName", ""), _LONGEST_NAME, f"{place}.display_name")
    return Reply(corpus.add(ident, name, checked_metadata(given, place)).resource())


def list_documents(service: Service, call: Call) -> Reply:
    """`corpora.documents.list`."""
    resources = [document.resource() for document in _corpus(service, call).documents()]
    return page_of(call, "documents", resources, largest=_LARGEST_PAGE)


def get_document(service: Service, call: Call) -> Reply:
    """`corpora.documents.get`."""
    return Reply(_document(service, call).resource())


def patch_document(service: Service, call: Call) -> Reply:
    """`corpora.documents.patch`: the display name and the metadata can be changed."""
    document, place = _document(service, call), "UpdateDocumentRequest"
    given = check("CorpusDocument", call.body, call.version)
    changes = changes_of(mask_of(call), given, place, ("displayName", "customMetadata"))
    name = check_length(given.get("displayName", ""), _LONGEST_NAME, f"{place}.document.display_name")
    metadata = checked_metadata(given, f"{place}.document")
    if "displayName" in changes:
        document.display_name = name
    if "customMetadata" in changes:
        document.metadata = metadata
    document.touch()
    return Reply(document.resource())


def delete_document(service: Service, call: Call) -> Reply:
    """`corpora.documents.delete`."""
    _corpus(service, call).delete(call.names["document"], force=call.boolean("force"))
    return Reply()


def query_document(service: Service, call: Call) -> Reply:
    """`corpora.documents.query`."""
    document = _document(service, call)
    request = check("QueryDocumentRequest", call.body, call.version)
    directive = call.directive.merged(service.faults.from_prompt([request.get("query", "")], call.path))
    return relevant(queried([document], request, "QueryDocumentRequest", one_document=True), directive)


def _corpus(service: Service, call: Call) -> Corpus:
    return service.corpora.find(call.names["corpus"])


def _document(service: Service, call: Call) -> CorpusDocument:
    return _corpus(service, call).find(call.names["document"])


_ONE = "corpora/{corpus}/documents/{document}"

ROUTES = (
    Route("POST", "corpora/{corpus}/documents", removed(create_document)),
    Route("GET", "corpora/{corpus}/documents", removed(list_documents), PAGES),
    Route("GET", _ONE, removed(get_document)),
    Route("PATCH", _ONE, removed(patch_document), MASK),
    Route("DELETE", _ONE, removed(delete_document), FORCE),
    Route("POST", f"{_ONE}:query", removed(query_document), slow=True),
)
