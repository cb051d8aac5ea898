"""The check of a body that a caller wrote, against the shape that Google's schema gives it; before it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from gemini_server.api.reference import Method
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.generation.json_answer import within

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

DEEPEST = 64
"""Levels of JSON in a body."""
_SHOWN = 5
_LISTED = 40
_NEWER = "check=false sends a body that is newer than what this server knows."


def check_body(method: Method, body: JsonObject | None) -> None:
    """Refuse a body that Google would refuse.

    Raises:
        ArgumentError: it is missing, or not of the method's shape; the faults are named, their values are not.
    """
    if method.body is None:
        if body:
            raise ArgumentError(f"{method.name} takes no body.", "Leave body out.")
        return
    if body is not None and not within(body, DEEPEST):
        raise ArgumentError(f"The body has more than {DEEPEST} levels.", "Send a flatter one.")
    schema = method.schema()
    if schema is None:
        if body is None:
            raise ArgumentError(f"{method.name} needs a body.")
        return
    faults = _faults(schema, {} if body is None else body, partial=method.verb == "PATCH")
    if faults:
        told = "; ".join(faults[:_SHOWN]) + (f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else "")
        raise ArgumentError(
            f"The body is not what {method.name} takes: {told}. Nothing was sent.",
            f"gemini://endpoints/{method.name} has its schema. {_NEWER}",
        )


def _faults(schema: JsonObject, body: JsonObject, *, partial: bool) -> list[str]:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # An empty registry: nothing is fetched, whatever a schema refers to.
    validator = cast(Any, Draft202012Validator)(schema, registry=cast(Any, Registry)())
    errors = _innermost(cast("Iterable[ValidationError]", validator.iter_errors(body)))
    if partial:
        # An update says what changes: what a new one needs may stay unsaid.
        errors = [error for error in errors if error.validator != "required" or error.absolute_path]
    return list(dict.fromkeys(_said(error) for error in errors))


def _innermost(errors: Iterable[ValidationError]) -> list[ValidationError]:
    """The errors themselves, in place of "none of the alternatives fits": those of the alternative that was meant."""
    found: list[ValidationError] = []
    for error in errors:
        if error.validator not in ("anyOf", "oneOf") or not error.context:
            found.append(error)
            continue
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
        alternatives: list[list[ValidationError]] = [_innermost(branch) for branch in branches.values()]
        meant: list[ValidationError] = min(alternatives, key=_distance)
        found += meant
    return found


def _distance(errors: list[ValidationError]) -> tuple[int, int]:
    # An alternative of another `type` was not meant, however little else is wrong with it.
    other = sum(error.validator == "const" or (error.validator == "type" and not error.path) for error in errors)
    return (other, len(errors))


def _said(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    at = f"{where} " if where else ""
    limit: Any = error.validator_value
    if error.validator == "additionalProperties":
        shape = cast("dict[str, Any]", error.schema)
        known = list(shape.get("properties", {}))
        stranger = [name for name in cast("dict[str, Any]", error.instance) if name not in known]
        listed = ", ".join(known[:_LISTED]) + (" …" if len(known) > _LISTED else "")
        return f"{at}has no {', '.join(name[:60] for name in stranger[:3])} (it has {listed or 'no members'})"
    if error.validator == "required":
        missing = [name for name in limit if name not in cast("dict[str, Any]", error.instance)]
        return f"{at}needs {', '.join(missing)}"
    if error.validator == "type":
        return f"{where or 'the body'} must be {' or '.join([limit] if isinstance(limit, str) else limit)}"
    if error.validator == "enum":
        return f"{where} must be one of {', '.join(map(str, limit[:_LISTED]))}"
    if error.validator == "const":
        return f"{where} must be {limit!r}"
    return f"{where or 'the body'} breaks its rule {error.validator}"
