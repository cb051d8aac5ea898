"""JSON as this package handles it: plain dictionaries and lists, narrowed by two guards."""

from __future__ import annotations

import hashlib
import json
from typing import Any, TypeAlias, TypeGuard

Object: TypeAlias = dict[str, Any]


def is_object(value: object) -> TypeGuard[Object]:
    """Whether a decoded JSON value is an object; its keys are strings by construction."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a decoded JSON value is an array."""
    return isinstance(value, list)


def dump(value: object) -> str:
    """JSON for the wire: compact, with characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def digest(*values: object) -> bytes:
    """A stable fingerprint of JSON values, from which everything pseudo-random here is drawn."""
    total = hashlib.sha256()
    for value in values:
        total.update(json.dumps(value, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return total.digest()
