"""The methods of `credentials`: create, list, get, patch and delete.

Source: the `…Config` and `…UpdateConfig` messages in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

import re

from .exchange import Call, Reply, Route, Service
from .interaction_errors import missing, refused
from .interaction_pages import PAGES, check_ident, listed
from .interaction_schema import check_union
from .interaction_shapes import FIELDS, REQUIRED, UNIONS
from .wire import Object, is_object

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_DOMAIN = re.compile(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_FIXED = ("id", "type")


def create_credential(service: Service, call: Call) -> Reply:
    """`credentials.create`."""
    config = _read("Credential", call.body)
    check_ident(config["id"])
    _check_values(config)
    return Reply(service.credentials.create(config))


def list_credentials(service: Service, call: Call) -> Reply:
    """`credentials.list`."""
    return listed(call, service.credentials.all(), "credentials")


def get_credential(service: Service, call: Call) -> Reply:
    """`credentials.get`."""
    return Reply(service.credentials.get(call.names["id"]))


def update_credential(service: Service, call: Call) -> Reply:
    """`credentials.patch`: the fields of `update_mask`, or without one all that are given."""
    ident = call.names["id"]
    kind = service.credentials.type_of(ident)
    given = _read("CredentialUpdate", call.body)
    if given["type"] != kind:
        raise refused(f"The type of a credential cannot be changed: '{ident}' is of the type '{kind}'.")
    _check_values(given)
    mask = [path.strip() for path in call.query.get("update_mask", "").split(",") if path.strip()]
    fields = set(mask) if mask and mask != ["*"] else given.keys() - set(_FIXED)
    needed = REQUIRED[UNIONS["Credential"][kind]]
    for name in sorted(fields):
        if name in _FIXED or name not in FIELDS[UNIONS["CredentialUpdate"][kind]]:
            raise refused(f"Invalid field '{name}' in update_mask: a credential of the type '{kind}' cannot change it.")
        if name in needed and name not in given:
            raise missing(name)
    if not fields:
        raise refused("Nothing to update: the request names no field.")
    return Reply(service.credentials.update(ident, {name: given.get(name) for name in fields}))


def delete_credential(service: Service, call: Call) -> Reply:
    """`credentials.delete`."""
    service.credentials.delete(call.names["id"])
    return Reply()


def _read(union: str, body: object) -> Object:
    if not is_object(body):
        raise refused("The request body must be a JSON object.")
    return check_union(union, body, "")


def _check_values(config: Object) -> None:
    """Refuse values that no credential can have."""
    for name in ("token", "value", "client_id", "client_secret", "refresh_token", "injection_location"):
        if name in config and not config[name]:
            raise refused(f"'{name}' must not be empty.")
    if not str(config.get("token_url", "https://")).startswith("https://"):
        raise refused("'token_url' must begin with https://.")
    if not _HEADER.fullmatch(config.get("header_name", "Authorization")):
        raise refused(f"Invalid header name '{config['header_name']}' at 'header_name'.")
    for domain in config.get("trusted_domains", []):
        if not _DOMAIN.fullmatch(domain):
            raise refused(f"Invalid domain '{domain}' at 'trusted_domains'.")


ROUTES = (
    Route("POST", "credentials", create_credential),
    Route("GET", "credentials", list_credentials, PAGES),
    Route("GET", "credentials/{id}", get_credential),
    Route("PATCH", "credentials/{id}", update_credential, frozenset({"update_mask"})),
    Route("DELETE", "credentials/{id}", delete_credential),
)
