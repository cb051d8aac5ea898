"""Cached contents in memory: what was said once and is used by many prompts, until it expires.

Source: "Context caching" of the Gemini API, `cachedContents` of the API reference, and the answers of the live service:
they never show what is cached, and a cache that is gone is 403 like one that belongs to somebody else.
"""

from __future__ import annotations

import base64
import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from .errors import ApiError
from .store import Clock, Store, timestamp, utc_now
from .tokens import Tally
from .wire import Object

_ALPHABET = string.ascii_lowercase + string.digits
_IDENT_LENGTH = 40
_LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Cached:
    """What a cache holds.

    Args:
        model: the model that it was made for (`models/…`).
        contents: what was said, with the data of all files.
        shared: `systemInstruction`, `tools` and `toolConfig`, as far as it has them.
        tally: the tokens of all of it.
    """

    model: str
    contents: list[Object]
    shared: Object
    tally: Tally

    def user_parts(self) -> list[Object]:
        """What the user said in it; a text comes as a text file, which is how a prompt with a cache sees it."""
        parts = [
            part for content in self.contents if content.get("role") != "model" for part in content.get("parts", [])
        ]
        return [_as_file(part["text"]) if part.get("text") else part for part in parts]


class Caches:
    """The caches of one emulator.

    Args:
        clock: what their expiry goes by.
    """

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self._store = Store("cachedContents", clock=clock, largest_page=_LARGEST_PAGE)
        self._held: dict[str, Cached] = {}
        self._lock = Lock()

    def create(self, held: Cached, display_name: str, expires: datetime) -> Object:
        """Keep a cache; its `CachedContent` resource."""
        ident = "".join(secrets.choice(_ALPHABET) for _ in range(_IDENT_LENGTH))
        resource: Object = {
            "model": held.model,
            "displayName": display_name,
            "expireTime": timestamp(expires),
            "usageMetadata": {"totalTokenCount": held.tally.total},
        }
        with self._lock:
            created = self._store.create(resource, ident=ident)
            self._held[created["name"]] = held
            for name in self._held.keys() - self._store.names():
                del self._held[name]
            return created

    def get(self, name: str) -> Object:
        """The resource of `cachedContents/…`.

        Raises:
            ApiError: 403 for a cache that is unknown or has expired.
        """
        with self._lock:
            return self._find(name)

    def held(self, name: str) -> Cached:
        """What a cache holds.

        Raises:
            ApiError: as `get`.
        """
        with self._lock:
            return self._held[self._find(name)["name"]]

    def prolong(self, name: str, expires: datetime) -> Object:
        """Give a cache another end.

        Raises:
            ApiError: as `get`.
        """
        with self._lock:
            self._find(name)
            now = timestamp(self.clock())
            return self._store.set(name, expireTime=timestamp(expires), updateTime=now)

    def list_page(self, page_size: int | None, page_token: str) -> tuple[list[Object], str]:
        """One page of resources, and the token of the next."""
        with self._lock:
            return self._store.list_page(page_size, page_token)

    def delete(self, name: str) -> None:
        """Remove a cache.

        Raises:
            ApiError: as `get`.
        """
        with self._lock:
            self._find(name)
            self._store.delete(name)
            del self._held[name]

    def _find(self, name: str) -> Object:
        try:
            return self._store.get(name)
        except ApiError:
            raise ApiError(403, "CachedContent not found (or permission denied)") from None


def _as_file(text: str) -> Object:
    return {"inlineData": {"mimeType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}
