"""The operations that make tuned models: get and list, and in version v1 cancel, delete and list all.

Source: `tunedModels.operations` and `operations` of the API reference, the latter of version v1 alone; `Operations` of
google.longrunning for what deleting and cancelling mean.
"""

from __future__ import annotations

from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .legacy_calls import PAGES, page_of, v1
from .retrieval_filter import FilterError, Test, compiled
from .tuned_model import TunedModel
from .wire import Object

_LIST = PAGES | {"filter", "returnPartialSuccess", "return_partial_success"}


def list_model_operations(service: Service, call: Call) -> Reply:
    """`tunedModels.operations.list`."""
    model = service.tuned_models.find(call.names["tuned"])
    return _listed(call, [one for one in service.tuned_models.operations() if one is model])


def list_operations(service: Service, call: Call) -> Reply:
    """`operations.list`."""
    return _listed(call, service.tuned_models.operations())


def get_operation(service: Service, call: Call) -> Reply:
    """`tunedModels.operations.get`."""
    model = service.tuned_models.operation(_name(call))
    model.look()
    return Reply(model.operation())


def cancel_operation(service: Service, call: Call) -> Reply:
    """`tunedModels.operations.cancel`."""
    service.tuned_models.operation(_name(call)).cancel()
    return Reply()


def delete_operation(service: Service, call: Call) -> Reply:
    """`operations.delete`, by the whole name of the operation behind `operations/`, or by its id alone."""
    wanted = call.names["name"]
    known = [f"{one.name}/operations/{one.operation_id}" for one in service.tuned_models.operations()]
    name = next((one for one in known if one == wanted or one.endswith(f"/operations/{wanted}")), None)
    service.tuned_models.forget(name or f"operations/{wanted}")
    return Reply()


def _name(call: Call) -> str:
    return f"tunedModels/{call.names['tuned']}/operations/{call.names['operation']}"


def _listed(call: Call, models: list[TunedModel]) -> Reply:
    test = _test(call.query.get("filter", ""))
    operations = [model.operation() for model in models]
    return page_of(call, "operations", [one for one in operations if test(_values(one))])


def _test(source: str) -> Test:
    try:
        return compiled(source)
    except FilterError as broken:
        raise invalid(f"* ListOperationsRequest.filter: Invalid filter: {broken}.\n") from None


def _values(operation: Object) -> dict[str, object]:
    return {"name": operation["name"], "done": "true" if operation.get("done") else "false"}


ROUTES = (
    Route("GET", "tunedModels/{tuned}/operations", list_model_operations, _LIST),
    Route("GET", "tunedModels/{tuned}/operations/{operation}", get_operation),
    Route("POST", "tunedModels/{tuned}/operations/{operation}:cancel", v1(cancel_operation)),
    Route("GET", "operations", v1(list_operations), _LIST),
    Route("DELETE", "operations/{name=**}", v1(delete_operation)),
)
