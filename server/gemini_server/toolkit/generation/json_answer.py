"""JSON by schema: check the caller's schema before anything is paid, and the answer against it afterwards."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, cast

import anyio.to_thread

from gemini_server.errors import ArgumentError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

THREAD_FROM = 32 * 1024
"""Characters from which an answer is parsed and checked off the event loop."""


def check_schema(schema: Any) -> None:
    """Refuse a schema that is none, before it is sent.

    Raises:
        ArgumentError: naming the place that is wrong.
    """
    if not isinstance(schema, dict):
        raise ArgumentError("json_schema must be a JSON Schema object.")
    from jsonschema.exceptions import SchemaError

    try:
        _validator_class().check_schema(schema)
    except SchemaError as error:
        where = "/".join(str(step) for step in error.absolute_path) or "its root"
        raise ArgumentError(f"json_schema is not a valid JSON Schema at {where}: {error.message[:200]}.") from None
    except RecursionError:
        raise ArgumentError("json_schema is nested too deeply.") from None


async def parse(text: str, schema: Any) -> tuple[Any, str | None]:
    """The answer as JSON, and what is wrong with it: (value, None), (value, complaint) or (None, complaint)."""
    if len(text) < THREAD_FROM:
        return _parse(text, schema)
    return await anyio.to_thread.run_sync(_parse, text, schema)


def _parse(text: str, schema: Any) -> tuple[Any, str | None]:
    try:
        value = json.loads(_bare(text), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None, "The answer is not valid JSON."
    from referencing.exceptions import Unresolvable

    try:
        fault = _fault(value, schema)
    except (Unresolvable, RecursionError):
        return value, "The answer could not be checked: the schema's references cannot be resolved."
    if fault is None:
        return value, None
    where = "/".join(str(step) for step in fault.absolute_path) or "its root"
    return value, f"The answer does not match json_schema at {where}: {fault.message[:200]}."


def _fault(value: Any, schema: Any) -> ValidationError | None:
    from jsonschema.exceptions import best_match
    from referencing import Registry

    # An empty registry: the default one would fetch what `$ref` names.
    validator = _validator_class()(schema, registry=cast(Any, Registry)())
    return cast("ValidationError | None", cast(Any, best_match)(validator.iter_errors(value)))


def _bare(text: str) -> str:
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```"):
        first, _, rest = stripped.partition("\n")
        if first.strip("`").strip().lower() in ("", "json"):
            return rest[:-3]
    return stripped


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    import jsonschema.validators
    from jsonschema.validators import Draft202012Validator

    # Patterns are the caller's regular expressions: one that backtracks for ever would stop the whole process.
    rules = {
        name: rule
        for name, rule in Draft202012Validator.VALIDATORS.items()
        if name not in ("pattern", "patternProperties")
    }
    return cast(Any, jsonschema.validators).create(meta_schema=Draft202012Validator.META_SCHEMA, validators=rules)
