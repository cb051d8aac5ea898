"""The resource `operations`: work at Google that goes on after the call, of models, tuned models, stores and files.

Names are `models/m/operations/o`, `tunedModels/t/operations/o`, `generatedFiles/f/operations/o`,
`corpora/c/operations/o`, `fileSearchStores/s/operations/o` and `fileSearchStores/s/upload/operations/o`.

Source: google.longrunning.Operation in the v1beta discovery document; the methods without a collection, and `cancel`
(of tuned models alone), are those of v1.
"""

from __future__ import annotations

from typing import ClassVar

from gemini_server.rest.endpoint import Empty, Endpoint, JsonObject, Wire


class Status(Wire):
    """A google.rpc.Status: the number of a google.rpc.Code, and Google's words."""

    code: int = 0
    message: str = ""
    details: list[JsonObject] | None = None


class Operation(Wire):
    """How it stands; once it is done there is an `error` or a `response`."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"name", "done", "response"})

    name: str = ""
    done: bool = False
    metadata: JsonObject | None = None
    response: JsonObject | None = None
    error: Status | None = None


class ListOperationsResponse(Wire):
    """A page of operations."""

    operations: list[Operation] = []
    next_page_token: str | None = None


_PAGE = ("filter", "pageSize", "pageToken", "returnPartialSuccess")

GET = Endpoint("GET", "{version}/{name}", Operation, billed=True)
LIST = Endpoint("GET", "{version}/{parent}/operations", ListOperationsResponse, query=_PAGE)
LIST_ALL = Endpoint("GET", "{version}/operations", ListOperationsResponse, query=_PAGE, version="v1")
CANCEL = Endpoint("POST", "{version}/{name}:cancel", Empty, version="v1")
DELETE = Endpoint("DELETE", "{version}/{name}", Empty, version="v1")
