"""The operations of models: get and list.

Source: `models.operations` of the API reference; version v1 has no operations of models of its own.
"""

from __future__ import annotations

from .exchange import Call, Reply, Route, Service


def get_operation(service: Service, call: Call) -> Reply:
    """`models.operations.get`."""
    return Reply(service.operations.poll(call.names["model"], call.names["operation"]))


def list_operations(service: Service, call: Call) -> Reply:
    """`models.operations.list`."""
    operations, token = service.operations.list_page(
        call.names["model"],
        call.integer("pageSize", "page_size"),
        call.query.get("pageToken", call.query.get("page_token", "")),
    )
    return Reply({"operations": operations, **({"nextPageToken": token} if token else {})})


_LIST = frozenset({"pageSize", "pageToken", "page_size", "page_token", "filter", "returnPartialSuccess"})

ROUTES = (
    Route("GET", "models/{model}/operations", list_operations, _LIST),
    Route("GET", "models/{model}/operations/{operation}", get_operation, slow=True),
)
