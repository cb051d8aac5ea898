"""JSON that others wrote, taken for what it should be: what is none of that counts as nothing."""

from __future__ import annotations

from typing import Any, cast


def list_of(value: object) -> list[object]:
    """A list; an empty one for what is none."""
    return cast("list[object]", value) if isinstance(value, list) else []


def object_of(value: object) -> dict[str, Any]:
    """An object; an empty one for what is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects_of(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none for what is no list."""
    return [cast("dict[str, Any]", item) for item in list_of(value) if isinstance(item, dict)]
