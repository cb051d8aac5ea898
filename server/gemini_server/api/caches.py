"""The resource `cachedContents`: the beginning of many prompts, kept at Google for one model and billed by the hour.

A cache takes the system instruction, tools and contents that all requests begin with; nothing of it can be changed
later but when it ends. Source: https://ai.google.dev/api/caching and the v1beta discovery document of August 2026.
"""

from __future__ import annotations

from typing import ClassVar

from gemini_server.api.config import Written
from gemini_server.api.content import Content
from gemini_server.rest.endpoint import Empty, Endpoint, Wire


class CachedContentUsage(Wire):
    """How large a cache is."""

    total_token_count: int | None = None


class CachedContent(Wire):
    """A cache as Google describes it; what is in it never comes back."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"name"})

    name: str = ""
    model: str = ""
    display_name: str | None = None
    create_time: str | None = None
    update_time: str | None = None
    expire_time: str | None = None
    usage_metadata: CachedContentUsage | None = None


class NewCachedContent(Written):
    """A cache that is wanted: `ttl` is a duration such as `3600s`, `expire_time` a moment; an hour without either."""

    model: str
    display_name: str | None = None
    contents: list[Content] | None = None
    system_instruction: Content | None = None
    ttl: str | None = None
    expire_time: str | None = None


class Lifetime(Written):
    """Another end for a cache: one of these."""

    ttl: str | None = None
    expire_time: str | None = None


class ListCachedContentsResponse(Wire):
    """A page of caches."""

    cached_contents: list[CachedContent] = []
    next_page_token: str | None = None


# A second create would be a second cache, stored and billed beside the first.
CREATE = Endpoint("POST", "{version}/cachedContents", CachedContent, repeat="background")
LIST = Endpoint("GET", "{version}/cachedContents", ListCachedContentsResponse, query=("pageSize", "pageToken"))
GET = Endpoint("GET", "{version}/{name}", CachedContent)
UPDATE = Endpoint("PATCH", "{version}/{name}", CachedContent, query=("updateMask",))
DELETE = Endpoint("DELETE", "{version}/{name}", Empty)
