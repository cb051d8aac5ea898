"""Caches as calls use them: their names, the model that each is bound to, and what Google's refusals of them mean."""

from __future__ import annotations

import re
from weakref import WeakKeyDictionary

from gemini_server.api import caches
from gemini_server.api.caches import CachedContent
from gemini_server.errors import (
    ArgumentError,
    BadAnswer,
    MayHaveBeenBilled,
    NotFound,
    Overloaded,
    RequestRefused,
    ToolserverError,
)
from gemini_server.toolkit import owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.untrusted import label

PREFIX = "cachedContents/"
_FORBIDDEN = 403
"""What Google says of a cache that is not there."""
REMEMBERED = 1000
"""Caches whose model is remembered; it never changes."""

_NAME = re.compile(r"cachedContents/[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)
_ABOUT_CACHES = re.compile(r"cached[ _]?contents?", re.IGNORECASE)
_TOO_SMALL = re.compile(r"too small|min_total_token_count|minimum token count", re.IGNORECASE)
_HAS = re.compile(r"\btotal_token_count\D{0,3}(\d+)")
_LEAST = re.compile(r"min_total_token_count\D{0,3}(\d+)")

_models: WeakKeyDictionary[Runtime, dict[str, str]] = WeakKeyDictionary()


def cache_name(named: str) -> str:
    """The resource name of a cache as a caller gave it.

    Raises:
        ArgumentError: it is none.
    """
    name = named.strip()
    if not _NAME.fullmatch(name):
        raise ArgumentError(
            f"{named[:80]!r} is no cache.", "Give a name as create_cache returns it: cachedContents/ID."
        )
    return name


async def get(call: Call, name: str) -> CachedContent:
    """A cache as it stands.

    Args:
        call: for whom.
        name: its resource name.

    Raises:
        NotFound: there is none any more.
    """
    await check_owner(call, name)
    try:
        reply = await call.runtime.client.call(caches.GET, name=name)
    except ToolserverError as error:
        raise explained(error, name) from None
    remember(call, reply.value)
    return reply.value


async def check_owner(call: Call, name: str) -> None:
    """See that a cache is not another caller's.

    Raises:
        NotFound: it is; the same is said of one that is not there.
    """
    if await owners.theirs(call, [name]):
        raise _gone(name, _FORBIDDEN)


def remember(call: Call, cache: CachedContent) -> None:
    """Remember the model of a cache: it is asked with every use, and never changes."""
    known = _models.setdefault(call.runtime, {})
    if len(known) >= REMEMBERED:
        known.clear()
    if cache.name and cache.model:
        known[cache.name] = model_of(cache)


def model_of(cache: CachedContent) -> str:
    """The id of a cache's model."""
    return label(cache.model.removeprefix("models/"))


async def model_for(call: Call, name: str, wanted: str | None) -> str:
    """The model that a call with a cache is for: the cache's.

    Args:
        call: the call.
        name: the cache's resource name.
        wanted: the model that the caller named, if any.

    Raises:
        ArgumentError: the cache is known to be another model's; nothing was sent.
        NotFound: there is no such cache any more.
    """
    await check_owner(call, name)
    known = _models.get(call.runtime, {}).get(name)
    if wanted is None:
        return known or model_of(await get(call, name)) or call.runtime.text_model(None)
    if known is not None and wanted.strip().removeprefix("models/") != known:
        raise ArgumentError(
            f"The cache {name} was made for {known} and works with no other model; nothing was sent.",
            "Leave model out: it is taken from the cache. Or create the cache again for the model you want.",
        )
    return wanted


def explained(error: ToolserverError, name: str, *, kept: bool = False) -> ToolserverError:
    """The error of a call with a cache; where it means that the cache is gone, it says so.

    Args:
        error: what the call ended in.
        name: the cache's resource name.
        kept: whether a conversation keeps it for all its turns.
    """
    if error.status != 404 and not (error.status == 403 and _ABOUT_CACHES.search(error.what)):
        return error
    if error.status == 404 and not (_ABOUT_CACHES.search(error.what) or name.removeprefix(PREFIX) in error.what):
        return error
    gone = _gone(name, error.status)
    if kept:
        gone.remedy += ' This conversation keeps it: give another as cache, or cache="" to go on without.'
    return gone


def _gone(name: str, status: int | None) -> NotFound:
    return NotFound(
        f"Google has no cache {name} any more: it has expired, was deleted, or is another project's ({status}).",
        "Create it again with create_cache; list_caches shows those that there are.",
        code="cache_gone",
        status=status,
    )


def refused(error: ToolserverError, least: int | None, model: str) -> ToolserverError:
    """The error of creating a cache, in words that say what to do about it.

    Args:
        error: what Google says.
        least: the smallest cache in tokens as far as it is known here.
        model: the model that it was to be for.
    """
    if isinstance(error, Overloaded | MayHaveBeenBilled | BadAnswer):
        error.remedy = "It may exist, and be billed until it expires: see list_caches before you create it again."
        return error
    if not isinstance(error, RequestRefused) or not _TOO_SMALL.search(error.what):
        return error
    has, named = _HAS.search(error.what), _LEAST.search(error.what)
    minimum = f"{int(named[1])}" if named else f"{least}" if least else "a minimum of"
    return ArgumentError(
        f"This is too small for a cache{f': {has[1]} tokens' if has else ''}. {model} caches {minimum} tokens or more. "
        "Nothing was created or billed.",
        "Put more into it, or send it with each call instead: beginnings that repeat are cached by themselves.",
        code="cache_too_small",
        status=error.status,
    )
