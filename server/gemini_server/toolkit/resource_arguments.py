"""The arguments of a tool from the types of what it sends, and what is sent from the arguments of a call.

The members of a body's type are arguments with their types and descriptions. One of the type `Secret` is hidden
wherever text is redacted as soon as it comes; a `Literal` of one value is sent as it is, and is no argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from gemini_server.errors import ArgumentError
from gemini_server.redaction import remember_secret
from gemini_server.toolkit.resource_names import Name

Given = dict[str, Any]
"""The arguments of a call by name, without those that are None."""


def body_of(body: type[BaseModel], given: Given, *, but: type[BaseModel] | None = None) -> Any:
    """The body that the arguments of a call make.

    Args:
        body: its type.
        given: arguments by name; those that it does not have are passed over.
        but: whose members go elsewhere.

    Raises:
        ArgumentError: they do not fit together.
    """
    elsewhere = but.model_fields if but else {}
    members = {name: given[name] for name in body.model_fields if given.get(name) is not None and name not in elsewhere}
    try:
        return body.model_validate(members)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise ArgumentError(f"{f'{where}: ' if where else ''}{what}. Nothing was sent.") from None


def query_of(queries: type[BaseModel] | None, given: Given) -> dict[str, Any]:
    """The query that the arguments of a call make, by the names of the wire."""
    if queries is None:
        return {}
    members = queries.model_fields.items()
    return {info.alias or name: given[name] for name, info in members if given.get(name) is not None}


def naming(name: Name | None, *, optional: bool = False) -> list[inspect.Parameter]:
    """The argument that takes a name, if there is one."""
    if name is None:
        return []
    if optional:
        return [_parameter(name.argument, str | None, f"only this one: {name.description}", None)]
    return [_parameter(name.argument, str, name.description)]


def members_of(model: type[BaseModel] | None) -> list[inspect.Parameter]:
    """The arguments that the members of a type make.

    Raises:
        TypeError: a member has no description.
    """
    made: list[inspect.Parameter] = []
    for name, info in (model.model_fields if model else {}).items():
        if _constant(info):
            continue
        if not info.description:
            raise TypeError(f"{model}.{name} has no description")
        kind: Any = info.annotation
        for one in info.metadata:
            kind = Annotated[kind, one]
        required = info.is_required()
        made.append(_parameter(name, kind, info.description, inspect.Parameter.empty if required else None))
    return made


def _constant(info: FieldInfo) -> bool:
    return not info.is_required() and get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1


def _parameter(name: str, kind: Any, described: str, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    annotation = Annotated[kind, Field(description=described)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def takes(body: type[BaseModel], but: tuple[str, ...]) -> str:
    """What to do when nothing was given that a body takes."""
    names = [name for name, info in body.model_fields.items() if name not in but and not _constant(info)]
    return f"Give {', '.join(names[:-1])} or {names[-1]}." if len(names) > 1 else f"Give {names[0]}."


def remember(values: Sequence[object]) -> None:
    """Hide the secrets among arguments wherever text is redacted, from now on."""
    for value in values:
        if isinstance(value, SecretStr):
            remember_secret(value.get_secret_value())
        elif isinstance(value, BaseModel):
            remember(list(value.__dict__.values()))
        elif isinstance(value, list):
            remember(cast("list[object]", value))
        elif isinstance(value, Mapping):
            remember(list(cast("Mapping[object, object]", value).values()))
