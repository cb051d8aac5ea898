"""Operations of the Enterprise platform: get and cancel.

An operation of a model is asked for by `fetchPredictOperation`; `operations.get` does not know its name, and says so in
a way that has puzzled many. Below the location it is found by its number. Source: `projects.locations.operations`.
"""

from __future__ import annotations

from .enterprise_request import place_of
from .errors import invalid
from .exchange import Call, Reply, Route, Service

_OF_MODEL = "projects/{project}/locations/{location}/publishers/google/models/{model}/operations/{operation}"
_OF_PLACE = "projects/{project}/locations/{location}/operations/{operation}"


def get_operation(service: Service, call: Call) -> Reply:
    """`operations.get`: one poll."""
    place = place_of(service, call)
    name = service.projects.operations.full_name(place, call.names["operation"])
    return Reply(service.projects.operations.poll(name))


def get_operation_of_model(service: Service, call: Call) -> Reply:
    """`operations.get` with the name of a model's operation, which the platform refuses."""
    place_of(service, call)
    raise invalid(
        f"The operation ID must be a Long of an operation of the location, but was instead: {call.names['operation']}. "
        "Use fetchPredictOperation."
    )


def cancel_operation(service: Service, call: Call) -> Reply:
    """`operations.cancel`, by either name."""
    place = place_of(service, call)
    service.projects.operations.cancel(service.projects.operations.full_name(place, call.names["operation"]))
    return Reply()


ROUTES = (
    Route("GET", _OF_PLACE, get_operation, slow=True),
    Route("GET", _OF_MODEL, get_operation_of_model),
    Route("POST", _OF_PLACE + ":cancel", cancel_operation),
    Route("POST", _OF_MODEL + ":cancel", cancel_operation),
)
