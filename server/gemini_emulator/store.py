"""Resources in memory: the part that files, caches, batches and stores have in common.

Follows Google's API improvement proposals: standard methods (AIP-131 to 135), pages (AIP-158), field masks (AIP-134).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime

from .errors import ApiError, invalid
from .schema import camel
from .wire import Object, is_object

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real clock; tests put their own in its place."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """RFC 3339 with microseconds, as Google writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Store:
    """A collection of resources (`files`, `cachedContents`, …), each a JSON object with a `name`.

    Args:
        collection: the first segment of every name; a nested collection has its parent in front.
        clock: what `createTime` and expiry go by.
        missing: the status of an unknown name; Google answers 403 for files, so as not to tell whether they exist.
        largest_page: the page size that a larger request is cut down to.
    """

    def __init__(
        self, collection: str, *, clock: Clock = utc_now, missing: int = 404, largest_page: int = 1000
    ) -> None:
        self.collection = collection
        self._clock = clock
        self._missing = missing
        self._largest_page = largest_page
        self._items: dict[str, Object] = {}

    def __len__(self) -> int:
        self._expire()
        return len(self._items)

    def create(self, resource: Object, *, ident: str = "") -> Object:
        """Add a resource; its name, `createTime` and `updateTime` are filled in."""
        name = f"{self.collection}/{ident or secrets.token_hex(6)}"
        if name in self._items:
            raise ApiError(409, f"Requested entity already exists: {name}", name="ALREADY_EXISTS")
        now = timestamp(self._clock())
        self._items[name] = {"name": name, **deepcopy(resource), "createTime": now, "updateTime": now} | {"name": name}
        return deepcopy(self._items[name])

    def names(self) -> set[str]:
        """The names of all resources."""
        self._expire()
        return set(self._items)

    def get(self, name: str) -> Object:
        """A copy of a resource."""
        return deepcopy(self._find(name))

    def list_page(
        self, page_size: int | None = None, page_token: str = "", *, default: int = 10
    ) -> tuple[list[Object], str]:
        """One page, oldest first, and the token of the next; the token is empty on the last page."""
        self._expire()
        return page(list(self._items.values()), page_size, page_token, default=default, largest=self._largest_page)

    def patch(self, name: str, changes: Object, mask: str = "", *, allowed: frozenset[str] | None = None) -> Object:
        """Change the fields of a mask (`displayName,metadata.key`); without one, all fields that are given.

        Args:
            name: the resource.
            changes: the new values.
            mask: the paths to change, in either spelling; a path without a value removes the field.
            allowed: the top-level fields that may change; None allows all but `name`.
        """
        resource = self._find(name)
        paths = [[camel(step) for step in path.strip().split(".")] for path in mask.split(",") if path.strip()]
        paths = paths or [[key] for key in changes]
        for path in paths:
            if path[0] == "name" or (allowed is not None and path[0] not in allowed):
                raise invalid(f"Field {'.'.join(path)} in update_mask cannot be updated.")
        for path in paths:
            _assign(resource, path, _at(changes, path))
        resource["updateTime"] = timestamp(self._clock())
        return deepcopy(resource)

    def set(self, name: str, **fields: object) -> Object:
        """Change fields from the inside (state, sizes); no mask and no restrictions."""
        resource = self._find(name)
        resource.update(fields)
        return deepcopy(resource)

    def delete(self, name: str) -> None:
        """Remove a resource."""
        del self._items[self._find(name)["name"]]

    def _find(self, name: str) -> Object:
        self._expire()
        if name not in self._items:
            what = self.collection.rsplit("/", 1)[-1]
            if self._missing == 403:
                raise ApiError(403, f"You do not have permission to access {name} or it may not exist.")
            raise ApiError(self._missing, f"Requested entity was not found in {what}: {name}")
        return self._items[name]

    def _expire(self) -> None:
        now = timestamp(self._clock())
        for name, item in list(self._items.items()):
            # Files say expirationTime, caches expireTime; what has neither stays.
            expiry = item.get("expirationTime") or item.get("expireTime")
            if expiry and expiry <= now:
                del self._items[name]


def page(
    items: list[Object], size: int | None, token: str, *, default: int = 50, largest: int = 1000
) -> tuple[list[Object], str]:
    """One page of a list and the token of the next (AIP-158).

    Raises:
        ApiError: 400 for a negative size, or a token that no page gave out.
    """
    if size is not None and size < 0:
        raise invalid("The page_size must not be negative.")
    start = _offset(token) if token else 0
    end = start + min(size or default, largest)
    return items[start:end], _token(end) if end < len(items) else ""


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(b"page:%d" % offset).decode().rstrip("=")


def _offset(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        return int(text.removeprefix("page:")) if text.startswith("page:") else _bad_token(token)
    except (binascii.Error, ValueError):
        return _bad_token(token)


def _bad_token(token: str) -> int:
    raise invalid(f"Page token is invalid: {token}")


def _at(value: Object, path: list[str]) -> object:
    current: object = value
    for step in path:
        if not is_object(current) or step not in current:
            return None
        current = current[step]
    return current


def _assign(resource: Object, path: list[str], value: object) -> None:
    *parents, last = path
    for step in parents:
        resource = resource.setdefault(step, {})
    if value is None:
        resource.pop(last, None)
    else:
        resource[last] = value
