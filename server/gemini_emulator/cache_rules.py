"""What the API refuses about caches, in its words.

Source: "Context caching" of the Gemini API and the messages of the live service. The least size is that of the guides:
4,096 tokens for Gemini 3, 2,048 for Gemini 2.5.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .cached_contents import Cached, Caches
from .errors import invalid
from .models import ModelCard
from .refusals import check_request
from .tokens import of_prompt
from .wire import Object

SHARED = ("systemInstruction", "tools", "toolConfig")
_USUAL_LIFE = timedelta(hours=1)
_LEAST = {True: 4_096, False: 2_048}
_LONGEST_DISPLAY_NAME = 128
_FOLLOWING: Object = {"role": "user", "parts": [{"text": "And so on."}]}
_PLACE = "* CreateCachedContentRequest.cached_content"


def check_display_name(cache: Object) -> None:
    """Refuse a name that is too long."""
    if len(cache.get("displayName", "")) > _LONGEST_DISPLAY_NAME:
        raise invalid(f"{_PLACE}.display_name: must be at most {_LONGEST_DISPLAY_NAME} Unicode characters\n")


def held_by(cache: Object, card: ModelCard) -> Cached:
    """What a new cache holds.

    Args:
        cache: the `CachedContent` that was sent, with the data of its files.
        card: its model.

    Raises:
        ApiError: 400 for contents that a prompt could not have, or that are too few or too many.
    """
    contents: list[Object] = cache.get("contents", [])
    shared = {name: cache[name] for name in SHARED if name in cache}
    # A cache is the beginning of prompts: it is checked as if one of them followed.
    check_request({**shared, "contents": [*contents, _FOLLOWING]}, card)
    tally = of_prompt({**shared, "contents": contents}, card)
    least = _LEAST[card.generation >= 3]
    if tally.total < least:
        raise invalid(f"Cached content is too small. total_token_count={tally.total}, min_total_token_count={least}")
    if tally.total > card.inputs:
        raise invalid(
            f"The input token count ({tally.total}) exceeds the maximum number of tokens allowed ({card.inputs})."
        )
    return Cached(f"models/{card.id}", contents, shared, tally)


def end_of(cache: Object, now: datetime) -> datetime:
    """When a cache expires, an hour from now unless it says.

    Raises:
        ApiError: 400 for an end that has passed.
    """
    if "expireTime" in cache:
        end = datetime.fromisoformat(cache["expireTime"].upper()).astimezone(UTC)
    else:
        try:
            life = timedelta(seconds=float(cache["ttl"].removesuffix("s"))) if "ttl" in cache else _USUAL_LIFE
            end = now + life
        except OverflowError:
            raise invalid(f"{_PLACE}.ttl: ttl is too large\n") from None
        if life <= timedelta():
            raise invalid(f"{_PLACE}.ttl: ttl must be positive\n")
    if end <= now:
        raise invalid(f"{_PLACE}.expire_time: expire_time must be in the future\n")
    return end


def cache_of(request: Object, card: ModelCard, caches: Caches) -> Cached | None:
    """The cache that a generateContent request goes on from, if there is one.

    Raises:
        ApiError: 400 for what cannot stand beside a cache, or another model; 403 for a cache that is gone.
    """
    name: str | None = request.get("cachedContent")
    if not name:
        return None
    if any(field in request for field in SHARED):
        raise invalid(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
            "tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request."
        )
    if not re.fullmatch(r"cachedContents/[^/]+", name):
        raise invalid("* GenerateContentRequest.cached_content: unexpected cached content name format\n")
    held = caches.held(name)
    if held.model != f"models/{card.id}":
        raise invalid(
            f"Model used by GenerateContent request (models/{card.id}) and CachedContent ({held.model}) has to be the "
            "same."
        )
    return held


def with_cache(request: Object, cached: Cached | None) -> Object:
    """A request with what its cache says beside the contents; those are kept apart."""
    if cached is None:
        return request
    return {**{name: value for name, value in request.items() if name != "cachedContent"}, **cached.shared}
