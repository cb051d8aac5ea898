"""Every method of the API as facts: name, verb, path, parameters, and the shape of what is sent.

The facts lie in `reference.json` beside this file; `scripts/reference.py` writes it from Google's own schemas. Shapes
are closed JSON Schemas: what they do not declare, Google refuses.

Names are those of Google's reference, `resource.method`: `models.generateContent`, `fileSearchStores.documents.list`,
`interactions.create`.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject

Family = Literal["google", "interactions", "openai"]
Kind = Literal["read", "change", "destroy", "generate", "background", "upload", "download"]
"""What a method does: `generate` is paid for and ends with the call, `background` goes on after it."""

_FILE = Path(__file__).with_name("reference.json")
_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = re.compile(r'"#/\$defs/(\w+)"')


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API.

    Attributes:
        name: `resource.method`.
        verb: of HTTP.
        path: a template such as `{version}/models/{model}:generateContent`.
        family: whose conventions it has.
        status: `current`; `deprecated`, where Google's schemas say so; `removed`, where only older ones have it.
        kind: what it does.
        query: the query parameters it takes.
        body: the schemas of which its body is one; empty where any JSON goes; None where there is no body.
        answer: the schema of its answer, by name.
        version: the one API version that has it.
    """

    name: str
    verb: str
    path: str
    family: Family
    status: Literal["current", "deprecated", "removed"]
    kind: Kind
    query: tuple[str, ...] = ()
    body: tuple[str, ...] | None = None
    answer: str | None = None
    version: str | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the path."""
        return tuple(name for name in _PARAMETER.findall(self.path) if name != "version")

    def schema(self) -> JsonObject | None:
        """The JSON Schema of the body, complete by itself; None where there is none, or where any JSON goes."""
        if not self.body:
            return None
        shapes = _facts()["schemas"][self.family]
        found: JsonObject = {}
        waiting = list(self.body)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = shapes[name]
                waiting += _REF.findall(json.dumps(shapes[name]))
        refs: list[JsonObject] = [{"$ref": f"#/$defs/{name}"} for name in self.body]
        return {**(refs[0] if len(refs) == 1 else {"anyOf": refs}), "$defs": dict(sorted(found.items()))}


@lru_cache(maxsize=1)
def _facts() -> JsonObject:
    return cast(JsonObject, json.loads(_FILE.read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def methods() -> dict[str, Method]:
    """Every method by its name, in the order of the alphabet."""
    return {fact["name"]: _method(fact) for fact in _facts()["methods"]}


def _method(fact: dict[str, Any]) -> Method:
    body: Any = fact.get("body")
    schemas = None if body is None else (body,) if isinstance(body, str) else tuple(body)
    rest: dict[str, Any] = {**fact, "query": tuple(fact.get("query", ())), "body": schemas}
    return Method(**rest)


def find(name: str) -> Method:
    """A method by its name; upper and lower case are one.

    Raises:
        ArgumentError: there is none of that name; the closest ones are named.
    """
    known = methods()
    wanted = name.strip()
    if wanted in known:
        return known[wanted]
    by_lower = {one.lower(): one for one in known}
    if wanted.lower() in by_lower:
        return known[by_lower[wanted.lower()]]
    ending = [one for one in known if one.lower().endswith("." + wanted.lower())]
    close = ending or [by_lower[one] for one in difflib.get_close_matches(wanted.lower(), by_lower, n=4, cutoff=0.5)]
    hint = f"Did you mean {', '.join(close[:4])}? " if close else ""
    raise ArgumentError(f"There is no endpoint {wanted[:80]!r}.", f"{hint}gemini://endpoints lists all of them.")
