"""The permissions of corpora and of tuned models: create, list, get, patch and delete.

Source: `corpora.permissions` and `tunedModels.permissions` of the API reference.
"""

from __future__ import annotations

import re

from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .legacy_calls import MASK, PAGES, beta, changes_of, mask_of, page_of
from .permission_store import Permissions
from .schema import check

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PLACE = "* CreatePermissionRequest.permission"


def create_permission(service: Service, call: Call) -> Reply:
    """`permissions.create`."""
    permissions = _of(service, call)
    given = check("Permission", call.body, call.version)
    kind, email = given.get("granteeType", ""), given.get("emailAddress", "")
    role = _role(given.get("role"), _PLACE)
    if kind not in ("USER", "GROUP", "EVERYONE"):
        raise invalid(f"{_PLACE}.grantee_type: must be one of USER, GROUP and EVERYONE\n")
    if kind == "EVERYONE" and email:
        raise invalid(f"{_PLACE}.email_address: must not be set when grantee_type is EVERYONE\n")
    if kind == "EVERYONE" and role != "READER":
        raise invalid(f"{_PLACE}.role: everyone can be no more than READER\n")
    if kind != "EVERYONE":
        check_email(email, f"{_PLACE}.email_address")
    return Reply(permissions.create(kind, email, role))


def list_permissions(service: Service, call: Call) -> Reply:
    """`permissions.list`."""
    return page_of(call, "permissions", _of(service, call).all())


def get_permission(service: Service, call: Call) -> Reply:
    """`permissions.get`."""
    return Reply(_of(service, call).get(call.names["permission"]))


def patch_permission(service: Service, call: Call) -> Reply:
    """`permissions.patch`: only the role can be changed."""
    permissions = _of(service, call)
    given = check("Permission", call.body, call.version)
    permissions.get(call.names["permission"])
    changes = changes_of(mask_of(call), given, "UpdatePermissionRequest", ("role",))
    role = _role(changes["role"], "* UpdatePermissionRequest.permission")
    return Reply(permissions.change(call.names["permission"], role))


def delete_permission(service: Service, call: Call) -> Reply:
    """`permissions.delete`."""
    _of(service, call).delete(call.names["permission"])
    return Reply()


def check_email(email: str, place: str) -> None:
    """Refuse what is no address.

    Raises:
        ApiError: 400 for that.
    """
    if not _EMAIL.fullmatch(email):
        raise invalid(f"{place}: an email address is required, found {email!r}\n")


def _role(role: object, place: str) -> str:
    if role == "OWNER":
        raise invalid(f"{place}.role: a permission cannot make an owner; transfer the ownership instead\n")
    if role not in ("WRITER", "READER"):
        raise invalid(f"{place}.role: role is required and must be WRITER or READER\n")
    return str(role)


def _of(service: Service, call: Call) -> Permissions:
    if "corpus" in call.names:
        return service.corpora.find(call.names["corpus"]).permissions
    return service.tuned_models.find(call.names["tuned"]).permissions


ROUTES = tuple(
    route
    for parent in ("corpora/{corpus}", "tunedModels/{tuned}")
    for route in (
        Route("POST", f"{parent}/permissions", beta(create_permission)),
        Route("GET", f"{parent}/permissions", beta(list_permissions), PAGES),
        Route("GET", f"{parent}/permissions/{{permission}}", beta(get_permission)),
        Route("PATCH", f"{parent}/permissions/{{permission}}", beta(patch_permission), MASK),
        Route("DELETE", f"{parent}/permissions/{{permission}}", beta(delete_permission)),
    )
)
