"""What calls to the legacy services have in common: in which version they exist, pages, masks and names.

Source: `google.api.http` of the v1beta protos, the v1 reference, and AIP-134 and AIP-158.
"""

from __future__ import annotations

import re

from .errors import invalid
from .exchange import Call, Handler, Reply, Service
from .schema import camel
from .store import page
from .wire import Object

PAGES = frozenset({"pageSize", "pageToken", "page_size", "page_token"})
MASK = frozenset({"updateMask", "update_mask"})
FORCE = frozenset({"force"})
_IDENT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_IDENT_RULE = "at most 40 lower-case letters, digits or dashes, and no dash at either end"


def beta(handler: Handler) -> Handler:
    """A method that version v1 does not have."""

    def gated(service: Service, call: Call) -> Reply:
        if call.version == "v1":
            raise LookupError(call.path)
        return handler(service, call)

    return gated


def v1(handler: Handler) -> Handler:
    """A method that version v1 alone has."""

    def gated(service: Service, call: Call) -> Reply:
        if call.version != "v1":
            raise LookupError(call.path)
        return handler(service, call)

    return gated


def removed(handler: Handler) -> Handler:
    """A method of v1beta whose address Google has taken away; only `Options.legacy_services` brings it back."""

    def gated(service: Service, call: Call) -> Reply:
        if not service.options.legacy_services:
            raise LookupError(call.path)
        return handler(service, call)

    return beta(gated)


def page_of(call: Call, kind: str, resources: list[Object], *, default: int = 10, largest: int = 1000) -> Reply:
    """The page of a list that a call asks for.

    Args:
        call: the request.
        kind: the field of the answer that holds the resources.
        resources: all of them, in their order.
        default: the page size when none is asked for.
        largest: what a larger page size is cut down to.

    Raises:
        ApiError: 400 for a page size or a token that cannot be.
    """
    token = call.query.get("pageToken", call.query.get("page_token", ""))
    shown, following = page(resources, call.integer("pageSize", "page_size"), token, default=default, largest=largest)
    return Reply({**({kind: shown} if shown else {}), **({"nextPageToken": following} if following else {})})


def mask_of(call: Call) -> str:
    """The update mask of the query."""
    return call.query.get("updateMask", call.query.get("update_mask", ""))


def changes_of(
    mask: str, given: Object, message: str, fields: tuple[str, ...], *, required: bool = True
) -> dict[str, object]:
    """The top-level fields that an update changes, with None for one that it takes away.

    Args:
        mask: the update mask; `*` stands for all fields that can be changed.
        given: the resource of the request.
        message: the request, for the refusal.
        fields: the paths that can be changed.
        required: whether there must be a mask; without one, the fields that are given are changed.

    Raises:
        ApiError: 400 without a mask that is required, and for a path that cannot be changed.
    """
    paths = [".".join(camel(step) for step in path.strip().split(".")) for path in mask.split(",") if path.strip()]
    if not paths and required:
        raise invalid(f"* {message}.update_mask: update_mask is required and not specified\n")
    if not paths:
        paths = [field for field in fields if field in given]
    if paths == ["*"]:
        paths = list(fields)
    for path in paths:
        if path not in fields:
            raise invalid(f"Field {path} in update_mask cannot be updated.")
    names = [path.partition(".")[0] for path in paths]
    return {name: given.get(name) for name in names}


def chosen_ident(name: str, collection: str, place: str) -> str:
    """The id in a name that the client chose for what it creates; empty when it chose none.

    Raises:
        ApiError: 400 for a name that is not one of the collection.
    """
    if not name:
        return ""
    head, _, ident = name.rpartition("/")
    if head != collection or not _IDENT.fullmatch(ident):
        raise invalid(f"* {place}: {name} is not of the form {collection}/{{id}}, where the id has {_IDENT_RULE}\n")
    return ident


def check_length(text: str, longest: int, place: str) -> str:
    """A text, unless it is too long.

    Raises:
        ApiError: 400 for one that is.
    """
    if len(text) > longest:
        raise invalid(f"* {place}: at most {longest} characters are allowed, found {len(text)}\n")
    return text


def check_model(given: Object, name: str, place: str) -> None:
    """Refuse a body that names another model than the path.

    Raises:
        ApiError: 400 for that.
    """
    if given.get("model", name) != name:
        raise invalid(f"* {place}.model: {given['model']} does not match the model of the request, {name}\n")


def check_between(given: Object, name: str, low: float, high: float, place: str) -> None:
    """Refuse a number out of its range.

    Raises:
        ApiError: 400 for that.
    """
    value = given.get(name)
    if value is not None and not low <= value <= high:
        field = re.sub(r"([A-Z])", r"_\1", name).lower()
        raise invalid(f"* {place}.{field}: {field} must be in the range [{low:g}, {high:g}].\n")
