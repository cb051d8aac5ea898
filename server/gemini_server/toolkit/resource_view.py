"""What Google says of a resource, as tools show it: the declared members alone, every string cleaned and bounded.

What is not declared is left out, because nobody has looked at it: a secret might be among it. Members that carry
credentials (`headers`, `transform`, `env`) show their names and hide their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel, Field, SecretStr, WithJsonSchema, create_model

from gemini_server.api.interaction_wire import DISCLOSED
from gemini_server.redaction import HIDDEN, redact
from gemini_server.toolkit import schema
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.untrusted import clean, link

LONGEST_TEXT = 4000
"""Characters of one string: instructions for agents are long, and nobody reads them in a list."""
LONGEST_LISTED = 300
"""The same where several are shown: asked for by its name, one is shown whole."""
LONGEST_SECRET = 4000
DEEPEST = 12
"""Levels of JSON that are shown: what is deeper is not for people."""

_CREDENTIALS = frozenset({"headers", "transform", "env"})


class Deleted(Result):
    """What was deleted."""

    deleted: str


def shown(value: Any, *, longest: int = LONGEST_TEXT) -> Any:
    """A value of an answer as JSON that may be shown: no nulls, nothing undeclared, nothing that acts.

    Args:
        value: what came.
        longest: the characters of one string.
    """
    return _shown(value, DEEPEST, longest)


def _shown(value: Any, depth: int, longest: int) -> Any:
    if isinstance(value, BaseModel):
        return {
            name: made
            for name, info in type(value).model_fields.items()
            if not info.exclude and (made := _member(value, name, info.metadata, depth, longest)) is not None
        }
    if isinstance(value, str):
        return text(value, longest)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float) and not isfinite(value):
        return None  # JSON has no such number
    if not isinstance(value, Mapping | list | tuple):
        return None if isinstance(value, SecretStr) else value
    if depth <= 0:
        return None
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value).items()
        return {
            text(str(name), longest): made
            for name, item in members
            if (made := _named(name, item, depth - 1, longest)) is not None
        }
    items = cast("list[object]", value)
    return [made for item in items if (made := _shown(item, depth - 1, longest)) is not None]


def _member(value: BaseModel, name: str, metadata: list[Any], depth: int, longest: int) -> Any:
    item = getattr(value, name)
    if DISCLOSED in metadata and isinstance(item, str):
        return clean(item[:LONGEST_SECRET]).text
    return _named(name, item, depth, longest)


def _named(name: Any, item: Any, depth: int, longest: int) -> Any:
    return _hidden(item) if name in _CREDENTIALS else _shown(item, depth, longest)


def _hidden(value: Any) -> Any:
    """The names of a mapping, or of several; no value."""
    if isinstance(value, Mapping):
        return {text(str(name)): HIDDEN for name in cast("Mapping[object, object]", value)}
    if isinstance(value, list):
        return [_hidden(item) for item in cast("list[object]", value)]
    return None if value is None else HIDDEN


def text(raw: str, longest: int = LONGEST_TEXT) -> str:
    """A string as it may be shown: what is invisible or would act is gone, known secrets too, and it ends somewhere."""
    if raw.startswith(("https://", "http://", "gs://")) and (address := link(raw)) is not None:
        return redact(address)
    made = redact(clean(raw[: LONGEST_TEXT * 2]).text)
    return made if len(made) <= longest else f"{made[: longest - 1]}…"


def has_members(answer: type[BaseModel]) -> bool:
    """Whether an answer says anything."""
    return any(not info.exclude for info in answer.model_fields.values())


def of_one(tool: str, member: str, answer: type[BaseModel]) -> type[Result]:
    """The type of a result with one resource: `{"agent": {…}}`."""
    return _result(tool, {member: (_typed(_free(schema.of(answer, "serialization"))), ...)})


def of_many(tool: str, member: str, answer: type[BaseModel]) -> type[Result]:
    """The type of a result with several: `{"agents": [{…}], "truncated": true}` where there are more."""
    more = (Annotated[bool | None, Field(description="there are more")], None)
    return _result(tool, {member: (_typed(_array(answer)), ...), "truncated": more})


def of_value(tool: str, member: str, kind: Any) -> type[Result]:
    """The type of a result with one member of an answer: a list, or a value."""
    if (item := _item_of(kind)) is not None:
        return _result(tool, {member: (_typed(_array(item)), ...)})
    return _result(tool, {member: (kind, ...)})


def is_list(answer: type[BaseModel], member: str) -> bool:
    """Whether a member of an answer is a list."""
    return _item_of(answer.model_fields[member].annotation) is not None


def _item_of(kind: Any) -> Any:
    """What a list, or an optional one, holds; None for everything else."""
    return next((get_args(part)[0] for part in (kind, *get_args(kind)) if get_origin(part) is list), None)


def of_name(tool: str, member: str) -> type[Result]:
    """The type of a result that names what something was done to: `{"pinged": "…"}`."""
    return _result(tool, {member: (str, ...)})


def _result(tool: str, members: dict[str, Any]) -> type[Result]:
    return create_model(f"{tool}_result", __base__=Result, **members)


def _typed(made: schema.Schema) -> Any:
    return Annotated[Any, WithJsonSchema(made)]


def _array(item: Any) -> schema.Schema:
    if not (isinstance(item, type) and issubclass(item, BaseModel)):
        return {"type": "array"}
    answer: type[BaseModel] = item
    return {"type": "array", "items": _free(schema.of(answer, "serialization"))}


def _free(node: Any) -> Any:
    """A schema that asks for nothing: whatever Google leaves out is left out."""
    if isinstance(node, list):
        return [_free(item) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    members = cast("schema.Schema", node).items()
    return {name: _free(value) for name, value in members if not (name == "required" and isinstance(value, list))}
