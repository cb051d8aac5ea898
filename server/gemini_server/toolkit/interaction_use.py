"""The tools of an interaction as callers name them: by a word, as a function, or as the API has them; checked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from gemini_server.api.interaction_tools import TYPES, FileSearch, Function, InteractionTool
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject
from gemini_server.toolkit.file_search_names import store_names
from gemini_server.toolkit.generation import json_answer

WORDS = {
    "search": "google_search",
    "maps": "google_maps",
    "urls": "url_context",
    "code": "code_execution",
}
"""What other tools of this server call them."""
_KNOWN = "google_search, google_maps, url_context, code_execution, computer_use, tool_search"


def tools_of(given: Sequence[Any]) -> list[InteractionTool] | None:
    """Tools, strict; None where there are none.

    Args:
        given: words (`google_search`), functions ({name, description, parameters}), or objects with a `type`.

    Raises:
        ArgumentError: naming what is wrong with which.
    """
    found = [_tool(number, one) for number, one in enumerate(given)]
    names = [one.name for one in found if isinstance(one, Function)]
    if len(set(names)) < len(names):
        raise ArgumentError("Two functions of `tools` have the same name.", "Name them differently.")
    return found or None


def declares(tools: Sequence[InteractionTool] | None) -> bool:
    """Whether the caller's functions are among them, whose results make a further turn."""
    return any(one.type in ("function", "computer_use") for one in tools or ())


def _tool(number: int, given: Any) -> InteractionTool:
    raw: JsonObject
    if isinstance(given, str):
        raw = {"type": WORDS.get(given.strip(), given.strip())}
    elif isinstance(given, dict):
        raw = cast(JsonObject, given)
        raw = raw if "type" in raw else {"type": "function", **raw}
    else:
        raise ArgumentError(f"tools[{number}] is no tool.", f"Give one of {_KNOWN}, or an object.")
    kind = raw["type"]
    if kind not in TYPES:
        raise ArgumentError(f"tools[{number}] is of no known type: {str(kind)[:60]!r}.", f"Types: {', '.join(TYPES)}.")
    if not json_answer.within(raw, json_answer.SCHEMA_DEPTH):
        raise ArgumentError(f"tools[{number}] is nested too deeply.", "Make it flatter.")
    try:
        tool = _adapter().validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"][1:])
        why = "there is no such member" if first["type"] == "extra_forbidden" else first["msg"]
        raise ArgumentError(f"tools[{number}] ({kind}): {where}: {why}.") from None
    if isinstance(tool, FileSearch):
        if not tool.file_search_store_names:
            raise ArgumentError(
                f"tools[{number}]: file_search names no stores.",
                'Give {"type": "file_search", "file_search_store_names": ["fileSearchStores/ID"]}.',
            )
        tool.file_search_store_names = store_names(tool.file_search_store_names)
    if isinstance(tool, Function) and not tool.parameters:
        tool.parameters = None  # an object schema without properties is refused
    return tool


@cache
def _adapter() -> TypeAdapter[InteractionTool]:
    return TypeAdapter(InteractionTool)
