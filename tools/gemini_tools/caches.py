"""Caches: what many prompts begin with, kept at Google for one model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, WithJsonSchema, model_serializer

from gemini_server.api import caches as api
from gemini_server.api.caches import CachedContent, Lifetime, NewCachedContent
from gemini_server.api.content import Content, text_part
from gemini_server.errors import ArgumentError, NotFound, ToolserverError
from gemini_server.toolkit import media, owners
from gemini_server.toolkit.caches import (
    PREFIX,
    cache_name,
    check_owner,
    explained,
    get,
    model_of,
    refused,
    remember,
)
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.completion import complete_id
from gemini_server.toolkit.generation.options import model_id, request_model, user_turn
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.results import Result, shortened
from gemini_server.toolkit.served import check_served
from gemini_server.toolkit.toolset import Toolset
from gemini_server.toolkit.untrusted import label

TOOLSET = Toolset("caches", "Caches of what many prompts begin with.")

LISTED = 1000
LONGEST_LABEL = 128
"""Characters of a display name that Google takes."""
LONGEST_LIFE = 315_576_000_000
"""Seconds that the API's type for spans of time holds: ten thousand years."""

CacheName = Annotated[str, Field(description="cachedContents/ID")]
Expires = Annotated[str | None, Field(description="RFC 3339")]


class CacheOut(Result):
    """A cache."""

    model_config = ConfigDict(json_schema_extra=shortened(("name", "model", "tokens", "expires", "cost_usd_per_hour")))

    name: str
    model: str
    tokens: int | None = None
    expires: str | None = None
    created: str | None = None
    display_name: str | None = None
    cost_usd_per_hour: Annotated[float | None, WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]})] = None

    @model_serializer(mode="wrap")
    def _keep_unknown_cost(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Storage is billed: a price that is not known must not look like none.
        return {**dump(self), "cost_usd_per_hour": self.cost_usd_per_hour}

    def __str__(self) -> str:
        facts = [f"{self.tokens} tokens" if self.tokens is not None else "size unknown", self.model]
        facts += [f"until {self.expires}"] if self.expires else []
        facts += [self.display_name] if self.display_name else []
        facts.append("storage is billed, its price is not known")
        return f"{self.name}: {'; '.join(facts)}"


class CacheResult(Result):
    """One cache."""

    cache: CacheOut

    def as_text(self) -> str:
        """The cache in a line."""
        return str(self.cache)


class CacheList(Result):
    """Caches."""

    caches: list[CacheOut]
    truncated: Annotated[bool | None, Field(description="there are more")] = None

    def as_text(self) -> str:
        """A line for each."""
        return "\n".join(map(str, self.caches)) or "There are no caches."


class DeletedCache(Result):
    """What was deleted."""

    deleted: str


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, default=True)
async def create_cache(
    call: Call,
    contents: Annotated[list[str] | None, Field(description="media")] = None,
    text: Annotated[str | None, Field(description="literal")] = None,
    system: Annotated[str | None, Field(description="instruction")] = None,
    ttl_seconds: Annotated[int | None, Field(description="default 3600")] = None,
    expires: Expires = None,
    display_name: Annotated[str | None, Field(description="label")] = None,
    model: Annotated[str | None, Field(description="id")] = None,
) -> CacheResult:
    """Cache 4096 tokens or more that prompts to one model begin with. Billed by the hour. Returns its name."""
    runtime = call.runtime
    chosen = model_id(runtime.text_model(model))
    if not (contents or text or system):
        raise ArgumentError("There is nothing to cache.", "Give contents (media), text or system.")
    if display_name and len(display_name) > LONGEST_LABEL:
        raise ArgumentError(f"A display_name has at most {LONGEST_LABEL} characters.", "Give a shorter one.")
    ends = _ends(ttl_seconds, expires)
    rules = runtime.catalogue.family(chosen)
    if rules.caching == "implicit":
        default = runtime.catalogue.default("text")
        raise ArgumentError(
            f"{chosen} takes no caches: it caches beginnings that repeat by itself. Nothing was sent.",
            f"Send the content at the beginning of each prompt, or create the cache for {default}.",
        )
    check_served(call, chosen)
    await runtime.may_spend(call.principal)
    async with media.opened(contents or (), call) as parts:
        body = NewCachedContent(
            model=request_model(chosen),
            display_name=display_name,
            contents=[user_turn(text or "", parts)] if parts or text else None,
            system_instruction=Content(parts=[text_part(system)]) if system else None,
            ttl=ends.ttl,
            expire_time=ends.expire_time,
        )
        try:
            async with runtime.slot():
                made = (await runtime.client.call(api.CREATE, body=body, on_retry=call.progress.retry)).value
        except NotFound as error:
            raise with_replacement(runtime, chosen, error) from None
        except ToolserverError as error:
            raise refused(error, rules.cache_minimum, chosen) from None
    remember(call, made)
    await owners.claim(call, made.name)
    return CacheResult(cache=_shown(made, chosen))


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True, default=True)
async def delete_cache(call: Call, name: CacheName) -> DeletedCache:
    """Delete a cache. Free."""
    known = cache_name(name)
    await check_owner(call, known)
    try:
        await call.runtime.client.call(api.DELETE, name=known)
    except ToolserverError as error:
        raise explained(error, known) from None
    return DeletedCache(deleted=known)


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def list_caches(
    call: Call, name: Annotated[str | None, Field(description="only this one: cachedContents/ID")] = None
) -> CacheList:
    """List the caches of this key's project: model, tokens, when each expires. Free."""
    if name is not None:
        return CacheList(caches=[_shown(await get(call, cache_name(name)))])
    found, more = await _all(call)
    return CacheList(caches=[_shown(one) for one in found], truncated=more or None)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=True, open_world=True)
async def update_cache(
    call: Call,
    name: CacheName,
    ttl_seconds: Annotated[int | None, Field(description="from now on")] = None,
    expires: Expires = None,
) -> CacheResult:
    """Let a cache expire at another time; nothing else of it can change. Billed by the hour until then. Returns the
    cache.
    """
    known = cache_name(name)
    if ttl_seconds is None and expires is None:
        raise ArgumentError("It is not said when the cache is to expire.", "Give ttl_seconds or expires.")
    ends = _ends(ttl_seconds, expires)
    await check_owner(call, known)
    await call.runtime.may_spend(call.principal)
    try:
        changed = await call.runtime.client.call(api.UPDATE, body=ends, name=known)
    except ToolserverError as error:
        raise explained(error, known) from None
    return CacheResult(cache=_shown(changed.value))


def _ends(ttl_seconds: int | None, expires: str | None) -> Lifetime:
    """When a cache is to end.

    Raises:
        ArgumentError: it is said twice, is no moment or is too far away.
    """
    if ttl_seconds is not None and expires is not None:
        raise ArgumentError("Both ttl_seconds and expires say when the cache ends.", "Give one of them.")
    if ttl_seconds is not None and ttl_seconds < 1:
        raise ArgumentError("ttl_seconds must be at least 1.", "delete_cache ends a cache at once.")
    if ttl_seconds is not None and ttl_seconds > LONGEST_LIFE:
        raise ArgumentError(f"ttl_seconds is at most {LONGEST_LIFE}.", "A cache is billed by the hour until it ends.")
    if expires is None:
        return Lifetime(ttl=None if ttl_seconds is None else f"{ttl_seconds}s")
    try:
        moment = datetime.fromisoformat(expires.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ArgumentError(
            f"expires is no moment in RFC 3339: {expires[:40]!r}.",
            "Give one with its offset, such as 2026-11-22T18:00:00Z, or ttl_seconds.",
        )
    return Lifetime(expire_time=f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


def _shown(cache: CachedContent, model: str = "") -> CacheOut:
    return CacheOut(
        name=label(cache.name),
        model=model_of(cache) or model,
        tokens=cache.usage_metadata.total_token_count if cache.usage_metadata else None,
        expires=label(cache.expire_time or "", 40) or None,
        created=label(cache.create_time or "", 40) or None,
        display_name=label(cache.display_name or "", LONGEST_LABEL) or None,
    )


async def _all(call: Call) -> tuple[list[CachedContent], bool]:
    found, more = await call.runtime.client.pages(
        api.LIST, items="cached_contents", cap=LISTED, query={"pageSize": LISTED}
    )
    theirs = await owners.theirs(call, [one.name for one in found])
    return [one for one in found if one.name not in theirs], more


async def _ids(call: Call, prefix: str) -> list[str]:
    return await complete_id(call, prefix, _all, lambda one: label(one.name), collection=PREFIX)


@TOOLSET.resource("gemini://caches", description="The caches of this key's project.")
async def caches(call: Call) -> CacheList:
    """All caches."""
    found, more = await _all(call)
    return CacheList(caches=[_shown(one) for one in found], truncated=more or None)


@TOOLSET.resource("gemini://caches/{id}", description="One cache: model, tokens, end.", complete={"id": _ids})
async def cache_resource(call: Call, id: str) -> CacheOut:  # noqa: A002  the template's name
    """One cache."""
    return _shown(await get(call, cache_name(PREFIX + id)))
