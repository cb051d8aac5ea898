"""The methods of `cachedContents`: create, list, get, patch and delete.

Source: "Context caching" of the Gemini API, and `cachedContents` of the API reference.
"""

from __future__ import annotations

from .cache_rules import check_display_name, end_of, held_by
from .errors import invalid
from .exchange import Call, Reply, Route, Service
from .file_references import opened
from .schema import camel, check

_PAGE = 50
_CHANGING = frozenset({"ttl", "expireTime"})
_ECHOED = frozenset({"name", "model", "createTime", "updateTime", "usageMetadata"})
_PLACE = "* CreateCachedContentRequest.cached_content.model"


def create_cache(service: Service, call: Call) -> Reply:
    """`cachedContents.create`."""
    cache = check("CachedContent", call.body, call.version)
    model: str = cache.get("model", "")
    if not model:
        raise invalid(f"{_PLACE}: model is not specified\n")
    if not model.startswith("models/"):
        raise invalid(f"{_PLACE}: unexpected model name format\n")
    card = service.catalogue.get(model, call.version, "createCachedContent")
    check_display_name(cache)
    end = end_of(cache, service.clock())
    contents = opened(cache.get("contents", []), service.files)
    held = held_by({**cache, **({"contents": contents} if contents else {})}, card)
    return Reply(service.caches.create(held, cache.get("displayName", ""), end))


def list_caches(service: Service, call: Call) -> Reply:
    """`cachedContents.list`."""
    caches, token = service.caches.list_page(
        call.integer("pageSize", "page_size") or _PAGE, call.query.get("pageToken", call.query.get("page_token", ""))
    )
    return Reply({**({"cachedContents": caches} if caches else {}), **({"nextPageToken": token} if token else {})})


def get_cache(service: Service, call: Call) -> Reply:
    """`cachedContents.get`."""
    return Reply(service.caches.get(_name(call)))


def patch_cache(service: Service, call: Call) -> Reply:
    """`cachedContents.patch`: only the end of a cache can be changed."""
    given = check("CachedContent", call.body, call.version)
    service.caches.get(_name(call))
    mask = call.query.get("updateMask", call.query.get("update_mask", ""))
    # Without a mask, what a client got from the service may stand in the body again.
    fields = {camel(path.strip()) for path in mask.split(",") if path.strip()} or given.keys() - _ECHOED
    frozen = sorted(fields - _CHANGING)
    if frozen:
        raise invalid(f"Only expiration can be updated; {', '.join(frozen)} cannot.")
    changes = {name: given[name] for name in fields & _CHANGING if name in given}
    if not changes:
        raise invalid("Either ttl or expire_time must be set to update a CachedContent.")
    return Reply(service.caches.prolong(_name(call), end_of(changes, service.clock())))


def delete_cache(service: Service, call: Call) -> Reply:
    """`cachedContents.delete`."""
    service.caches.delete(_name(call))
    return Reply()


def _name(call: Call) -> str:
    return f"cachedContents/{call.names['cache']}"


ROUTES = (
    Route("POST", "cachedContents", create_cache),
    Route("GET", "cachedContents", list_caches, frozenset({"pageSize", "pageToken", "page_size", "page_token"})),
    Route("GET", "cachedContents/{cache}", get_cache),
    Route("PATCH", "cachedContents/{cache}", patch_cache, frozenset({"updateMask", "update_mask"})),
    Route("DELETE", "cachedContents/{cache}", delete_cache),
)
