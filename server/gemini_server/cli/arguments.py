"""`KEY=VALUE` as arguments of a tool, by what the tool's input schema says of KEY."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from typing import Any

from gemini_server.cli import shapes
from gemini_server.cli.shapes import JsonObject
from gemini_server.errors import ArgumentError

ReadStdin = Callable[[], str]


def parse(tool: str, schema: JsonObject, pairs: Sequence[str], json_text: str, read_stdin: ReadStdin) -> JsonObject:
    """The arguments of a call.

    Args:
        tool: its name, for messages.
        schema: its inputSchema.
        pairs: `KEY=VALUE`; they win over the JSON.
        json_text: a JSON object, `-` for stdin, or nothing.
        read_stdin: reads stdin, once.

    Raises:
        ArgumentError: a parameter that the tool does not have, one that is missing, or a value of the wrong kind.
    """
    if [json_text, *(pair.partition("=")[2] for pair in pairs)].count("-") > 1:
        raise ArgumentError("Only one argument can be read from stdin.")
    arguments = _object(read_stdin() if json_text == "-" else json_text) if json_text else {}
    texts: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ArgumentError(f"{pair!r} is not KEY=VALUE.", _takes(tool, schema))
        texts.setdefault(key, []).append(read_stdin().removesuffix("\n") if value == "-" else value)
    properties: JsonObject = schema.get("properties", {})
    for key in [*arguments, *texts]:
        if key not in properties:
            close = difflib.get_close_matches(key, properties, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise ArgumentError(f"{tool} has no parameter {key!r}.", hint + _takes(tool, schema))
    arguments |= {key: _value(key, _resolved(properties[key], schema), given, schema) for key, given in texts.items()}
    missing = [key for key in schema.get("required", ()) if key not in arguments]
    if missing:
        raise ArgumentError(f"{tool} needs {', '.join(missing)}.", _takes(tool, schema))
    return arguments


def _object(text: str) -> JsonObject:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"--json is not valid JSON ({error}).", "Quote it for the shell: --json '{…}'.") from None
    if not shapes.is_object(value):
        raise ArgumentError("--json must be a JSON object.", """For example --json '{"prompt": "Hello"}'.""")
    return value


def _takes(tool: str, schema: JsonObject) -> str:
    required = schema.get("required", ())
    listed = [f"{key} (needed)" if key in required else key for key in schema.get("properties", {})]
    return f"{tool} takes: {', '.join(listed)}." if listed else f"{tool} takes no arguments."


def _resolved(schema: JsonObject, root: JsonObject) -> JsonObject:
    reference: str = schema.get("$ref", "")
    if not reference.startswith("#/"):
        return schema
    found: JsonObject = root
    for step in reference[2:].split("/"):
        found = found[step]
    return found


def _kinds(schema: JsonObject, root: JsonObject) -> set[str]:
    """The JSON types that a schema admits; empty when it says nothing."""
    schema = _resolved(schema, root)
    kinds: set[str] = set()
    declared: Any = schema.get("type")
    if declared:
        kinds |= {declared} if isinstance(declared, str) else set(declared)
    elif "enum" in schema or "const" in schema:
        values: list[Any] = schema.get("enum") or [schema["const"]]
        kinds |= {shapes.kind(value) for value in values}
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        kinds |= _kinds(branch, root)
    return kinds


def _value(key: str, schema: JsonObject, given: list[str], root: JsonObject) -> Any:
    kinds = _kinds(schema, root)
    if "array" in kinds and "string" not in kinds:
        whole = _loaded(given[0]) if len(given) == 1 and given[0].lstrip().startswith("[") else None
        if shapes.is_list(whole):
            return whole
        branches: list[JsonObject] = [schema, *schema.get("anyOf", ())]
        items: JsonObject = next((branch["items"] for branch in branches if "items" in branch), JsonObject())
        return [_single(key, _kinds(items, root), text) for text in given]
    if len(given) > 1:
        raise ArgumentError(f"{key} is given {len(given)} times, and it is no list.", "Give it once.")
    return _single(key, kinds, given[0])


def _single(key: str, kinds: set[str], text: str) -> Any:
    if kinds == {"string"}:
        return text
    value = _loaded(text)
    kind = shapes.kind(value)
    if value is not _NOT_JSON and (not kinds or kind in kinds or (kind == "integer" and "number" in kinds)):
        return value
    if not kinds or "string" in kinds:
        return text
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    raise ArgumentError(f"{key}={shown} is not what {key} takes: {' or '.join(sorted(kinds))}, written as JSON.")


_NOT_JSON = object()


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_JSON
