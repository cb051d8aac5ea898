"""Caches of the Enterprise platform: those of the Developer API under names that begin with a place.

Source: `projects.locations.cachedContents` of the platform's reference.
"""

from __future__ import annotations

from dataclasses import replace

from . import cache_service
from .enterprise_request import cache_name, found, generate_request, place_of
from .errors import invalid
from .exchange import Call, Handler, Reply, Route, Service
from .schema import camel, check
from .wire import Object, is_object

_COLLECTION = "projects/{project}/locations/{location}/cachedContents"
_ONE = _COLLECTION + "/{cache}"
_PAGES = frozenset({"pageSize", "pageToken", "page_size", "page_token"})
_REQUEST = ("contents", "systemInstruction", "tools", "toolConfig")


def create(service: Service, call: Call) -> Reply:
    """`cachedContents.create`; the model is given with its project and location."""
    place = place_of(service, call)
    body = call.body if is_object(call.body) else {}
    given: Object = {camel(name): value for name, value in body.items() if camel(name) != "encryptionSpec"}
    model = str(given.get("model", ""))
    if not model.startswith((f"{place}/publishers/google/models/", "publishers/google/models/")):
        raise invalid(f"Invalid value for model: {model!r}. It must be {place}/publishers/google/models/…")
    card = found(service, model, "createCachedContent")
    request = generate_request(service, {name: given[name] for name in _REQUEST if name in given}, place)
    reply = cache_service.create_cache(service, _direct(call, {**given, **request, "model": f"models/{card.id}"}))
    service.projects.caches[reply.body["name"].rpartition("/")[2]] = place
    return Reply(_named(reply.body, place))


def list_caches(service: Service, call: Call) -> Reply:
    """`cachedContents.list`: those of this place."""
    place = place_of(service, call)
    reply = cache_service.list_caches(service, call)
    caches: list[Object] = reply.body.pop("cachedContents", [])
    own = [one for one in caches if service.projects.caches.get(one["name"].rpartition("/")[2]) == place]
    return Reply({**reply.body, **({"cachedContents": [_named(one, place) for one in own]} if own else {})})


def _on_one(handler: Handler) -> Handler:
    def served(service: Service, call: Call) -> Reply:
        place = place_of(service, call)
        cache_name(service, f"{place}/cachedContents/{call.names['cache']}", place)
        body = check("CachedContent", {**call.body, "model": None}) if is_object(call.body) else call.body
        if is_object(body):
            body = {name: value for name, value in body.items() if name != "name"}
        reply = handler(service, _direct(call, body))
        return Reply(_named(reply.body, place)) if reply.body else reply

    return served


def _direct(call: Call, body: object) -> Call:
    return replace(call, version="v1beta", body=body)


def _named(cache: Object, place: str) -> Object:
    model = cache["model"].removeprefix("models/")
    return {**cache, "name": f"{place}/{cache['name']}", "model": f"{place}/publishers/google/models/{model}"}


ROUTES = (
    Route("POST", _COLLECTION, create, slow=True),
    Route("GET", _COLLECTION, list_caches, _PAGES),
    Route("GET", _ONE, _on_one(cache_service.get_cache)),
    Route("PATCH", _ONE, _on_one(cache_service.patch_cache), frozenset({"updateMask", "update_mask"})),
    Route("DELETE", _ONE, _on_one(cache_service.delete_cache)),
)
