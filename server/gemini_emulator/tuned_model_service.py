"""The methods of `tunedModels`: create, list, get, patch, delete and transferOwnership.

Google serves no model that can be tuned any more, so that nothing can be created; `Options.legacy_services` brings such
models back. Source: `tunedModels` of the API reference.
"""

from __future__ import annotations

from .exchange import Call, Reply, Route, Service
from .legacy_calls import MASK, PAGES, beta, changes_of, mask_of, page_of
from .permission_service import check_email
from .permission_store import CREATOR
from .schema import check
from .tuned_model import TunedModel
from .tuned_model_request import CHANGEABLE, check_fields, ordered

_ROLES = {"owner": ("OWNER",), "writers": ("OWNER", "WRITER"), "readers": ("OWNER", "WRITER", "READER")}


def create_tuned_model(service: Service, call: Call) -> Reply:
    """`tunedModels.create`: an operation that ends with the model."""
    model = ordered(service, call)
    service.tuned_models.add(model)
    return Reply(model.operation())


def list_tuned_models(service: Service, call: Call) -> Reply:
    """`tunedModels.list`."""
    words = call.query.get("filter", "").split()
    resources = [model.resource() for model in service.tuned_models.all() if _passes(model, words)]
    return page_of(call, "tunedModels", resources)


def get_tuned_model(service: Service, call: Call) -> Reply:
    """`tunedModels.get`, which is a read of the operation that makes it too."""
    model = service.tuned_models.find(call.names["tuned"])
    model.look()
    return Reply(model.resource())


def patch_tuned_model(service: Service, call: Call) -> Reply:
    """`tunedModels.patch`: what describes a model and how it samples can be changed."""
    model = service.tuned_models.find(call.names["tuned"])
    given = check("TunedModel", call.body, call.version)
    changes = changes_of(mask_of(call), given, "UpdateTunedModelRequest", CHANGEABLE, required=False)
    check_fields(given, "UpdateTunedModelRequest.tuned_model")
    model.change(changes)
    return Reply(model.resource())


def delete_tuned_model(service: Service, call: Call) -> Reply:
    """`tunedModels.delete`."""
    service.tuned_models.delete(call.names["tuned"])
    return Reply()


def transfer_ownership(service: Service, call: Call) -> Reply:
    """`tunedModels.transferOwnership`: who owned it becomes a writer."""
    model = service.tuned_models.find(call.names["tuned"])
    email: str = check("TransferOwnershipRequest", call.body, call.version).get("emailAddress", "")
    check_email(email, "* TransferOwnershipRequest.email_address")
    model.permissions.transfer(email)
    return Reply()


def _passes(model: TunedModel, words: list[str]) -> bool:
    """Whether a model has all the words of a filter in its name or description, and is whose it says."""
    text = f"{model.fields.get('displayName', '')} {model.fields.get('description', '')}".lower()
    for word in words:
        relation, _, who = word.partition(":")
        if relation in _ROLES and who in ("me", "everyone"):
            if not _has_role(model, _ROLES[relation], who):
                return False
        elif word.lower() not in text:
            return False
    return True


def _has_role(model: TunedModel, roles: tuple[str, ...], who: str) -> bool:
    mine = who == "me"
    return any(
        one["role"] in roles and (one.get("emailAddress") == CREATOR if mine else one["granteeType"] == "EVERYONE")
        for one in model.permissions.all()
    )


ROUTES = (
    Route("POST", "tunedModels", beta(create_tuned_model), frozenset({"tunedModelId", "tuned_model_id"})),
    Route("GET", "tunedModels", beta(list_tuned_models), PAGES | {"filter"}),
    Route("GET", "tunedModels/{tuned}", beta(get_tuned_model)),
    Route("PATCH", "tunedModels/{tuned}", beta(patch_tuned_model), MASK),
    Route("DELETE", "tunedModels/{tuned}", beta(delete_tuned_model)),
    Route("POST", "tunedModels/{tuned}:transferOwnership", beta(transfer_ownership)),
)
