"""JSON by schema: check the caller's schema before anything is paid, and the answer against it afterwards."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, cast

import anyio.to_thread

from gemini_server.errors import ArgumentError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

DEPTH = 64
"""Levels of an answer; what is deeper does not survive the parsers and writers between here and a client."""
SCHEMA_DEPTH = 100
"""Levels of a schema, which takes two for each level of the data that it describes."""
THREAD_FROM = 32 * 1024
"""Characters from which an answer is parsed and checked off the event loop."""
STEPS = 50_000
"""Rules that the check of an answer may apply, beside four for each of its characters; about a quarter of a second."""
STEPS_ON_LOOP = 2_000
"""Rules after which a check goes on off the event loop."""
TOO_DEEP = "The answer is JSON that is nested too deeply to be passed on as such; it is in the text."


def check_schema(schema: Any) -> None:
    """Refuse a schema that is none, before it is sent.

    Raises:
        ArgumentError: naming the place that is wrong.
    """
    if not isinstance(schema, dict):
        raise ArgumentError("json_schema must be a JSON Schema object.")
    if not within(schema, SCHEMA_DEPTH):
        raise ArgumentError("json_schema is nested too deeply.", f"{SCHEMA_DEPTH} levels are taken: make it flatter.")
    from jsonschema.exceptions import SchemaError

    try:
        _validator_class().check_schema(schema)
    except SchemaError as error:
        where = "/".join(str(step) for step in error.absolute_path) or "its root"
        raise ArgumentError(f"json_schema is not a valid JSON Schema at {where}: {error.message[:200]}.") from None
    except RecursionError:
        raise ArgumentError("json_schema is nested too deeply.", "Make it flatter.") from None


async def parse(text: str, schema: Any, *, quote: bool = True) -> tuple[Any, str | None]:
    """The answer as JSON, and what is wrong with it: (value, None), (value, complaint) or (None, complaint).

    Args:
        text: the answer.
        schema: what it must match.
        quote: whether the complaint may repeat what the answer says.
    """
    if len(text) < THREAD_FROM:
        with suppress(_TooMuchError):
            return _parse(text, schema, quote, STEPS_ON_LOOP)
    try:
        return await anyio.to_thread.run_sync(_parse, text, schema, quote, STEPS + 4 * len(text))
    except _TooMuchError:
        value, _ = await anyio.to_thread.run_sync(_parse, text, True, quote, STEPS)
        return value, "The answer could not be checked: json_schema has too many nested alternatives."


def _parse(text: str, schema: Any, quote: bool, steps: int) -> tuple[Any, str | None]:
    _steps.set([steps])
    try:
        value = json.loads(_bare(text), parse_constant=refuse_constant, parse_float=_finite)
    except ValueError:
        return None, "The answer is not valid JSON."
    except RecursionError:
        return None, TOO_DEEP
    if not within(value, DEPTH):
        return None, TOO_DEEP
    from referencing.exceptions import Unresolvable

    try:
        fault = _fault(value, schema)
    except (Unresolvable, RecursionError):
        return value, "The answer could not be checked: the schema's references cannot be resolved."
    if fault is None:
        return value, None
    if not quote:
        return value, f"The answer does not match json_schema ({fault.validator})."
    where = "/".join(str(step) for step in fault.absolute_path) or "its root"
    return value, f"The answer does not match json_schema at {where}: {fault.message[:200]}."


def _fault(value: Any, schema: Any) -> ValidationError | None:
    from jsonschema import exceptions
    from referencing import Registry

    # An empty registry: the default one would fetch what `$ref` names.
    validator = _validator_class()(schema, registry=cast(Any, Registry)())
    return cast("ValidationError | None", cast(Any, exceptions).best_match(validator.iter_errors(value)))


def _bare(text: str) -> str:
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```"):
        first, _, rest = stripped.partition("\n")
        if first.strip("`").strip().lower() in ("", "json"):
            return rest[:-3]
    return stripped


def refuse_constant(constant: str) -> NoReturn:
    """For `parse_constant`: NaN and Infinity, which Python reads and no client does, are no JSON."""
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is larger than a number can be")
    return value


def within(value: Any, depth: int) -> bool:
    """Whether JSON has no more levels than this; without recursion, because that is the point."""
    level: list[Any] = [value]
    for _ in range(depth + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += cast("dict[str, Any]", item).values()
            elif isinstance(item, list):
                below += item
        if not below:
            return True
        level = below
    return False


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    import jsonschema.validators
    from jsonschema.validators import Draft202012Validator

    # Patterns are the caller's regular expressions: one that backtracks for ever would stop the whole process.
    rules = {
        name: _counted(rule)
        for name, rule in Draft202012Validator.VALIDATORS.items()
        if name not in ("pattern", "patternProperties")
    }
    return cast(Any, jsonschema.validators).create(meta_schema=Draft202012Validator.META_SCHEMA, validators=rules)


class _TooMuchError(Exception):
    """A schema asks for more work than an answer of that size can need."""


_steps: ContextVar[list[int]] = ContextVar("_steps")
"""What is left of the work that the check of one answer may take."""


def _counted(rule: Callable[..., Any]) -> Callable[..., Any]:
    # Alternatives within alternatives double the work with every level: 20 short lines would take hours.
    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        left = _steps.get(None)
        if left is not None:
            left[0] -= 1
            if left[0] < 0:
                raise _TooMuchError
        return rule(validator, value, instance, schema)

    return counted
