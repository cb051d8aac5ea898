"""What a JSON value is, said so that type checkers understand it."""

from __future__ import annotations

from typing import Any, TypeGuard

JsonObject = dict[str, Any]

_KINDS: dict[str, str] = {
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "str": "string",
    "list": "array",
    "dict": "object",
}


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def kind(value: object) -> str:
    """The JSON Schema type of a value."""
    return _KINDS.get(value.__class__.__name__, "null")
