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
_EITHER = ("anyOf", "oneOf")
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
        if error.validator not in _EITHER or not error.context:
            found.append(error)
            continue
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
        alternatives: list[list[ValidationError]] = [_innermost(branch) for branch in branches.values()]
        if all(_is_of_another_type(one, error) for branch in alternatives for one in branch):
            found.append(error)
            continue
        if tag := _tag(alternatives, error):
            found.append(tag)
            continue
        depth = len(error.absolute_path)
        meant: list[ValidationError] = min(alternatives, key=lambda branch: _distance(branch, depth))
        found += meant
    return found


def _is_of_another_type(one: ValidationError, error: ValidationError) -> bool:
    return one.absolute_path == error.absolute_path and (one.validator == "type" or one.validator in _EITHER)


def _is_member(one: ValidationError, depth: int) -> bool:
    """Whether an error is about a member of what stands at a depth, or of an item there."""
    return sum(isinstance(step, str) for step in list(one.absolute_path)[depth:]) == 1


def _tag(alternatives: list[list[ValidationError]], error: ValidationError) -> ValidationError | None:
    """The error about the member that tells the alternatives apart, where it is none of them: it names all values."""
    from jsonschema.exceptions import ValidationError

    where = len(error.absolute_path) + 1
    tags = [
        next((one for one in branch if one.validator in ("const", "enum") and len(one.absolute_path) == where), None)
        for branch in alternatives
    ]
    first = tags[0]
    if first is None or any(tag is None or tag.absolute_path != first.absolute_path for tag in tags):
        return None
    values: list[object] = []
    for tag in tags:
        limit: Any = tag and tag.validator_value
        values += cast("list[object]", limit) if isinstance(limit, list) else [limit]
    return ValidationError(
        first.message, validator="enum", path=first.path, validator_value=values, parent=first.parent
    )


def _types(error: ValidationError) -> list[str]:
    """The types that are taken where none of the alternatives fits."""
    if error.validator in _EITHER:
        return list(dict.fromkeys(name for inner in error.context or () for name in _types(inner)))
    limit: Any = error.validator_value
    return [limit] if isinstance(limit, str) else list(limit)


def _distance(errors: list[ValidationError], depth: int) -> tuple[int, int, int]:
    """How far what was said is from an alternative, which stands at a depth.

    One of another `type` was not meant, however little else is wrong with it; then one whose own members are right.
    """
    other = sum(
        (one.validator in ("const", "enum") and _is_member(one, depth))
        or (one.validator == "type" and len(one.absolute_path) == depth)
        for one in errors
    )
    return (other, sum(len(one.absolute_path) == depth for one in errors), len(errors))


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
    if error.validator == "type" or error.validator in _EITHER:
        return f"{where or 'the body'} must be {' or '.join(_types(error))}"
    if error.validator == "enum":
        return f"{where} must be one of {', '.join(map(str, limit[:_LISTED]))}"
    if error.validator == "const":
        return f"{where} must be {limit!r}"
    return f"{where or 'the body'} breaks its rule {error.validator}"
