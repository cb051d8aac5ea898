"""Filling a caller's schema with findings: its shape and its order are kept, only the list in it is ours."""

from __future__ import annotations

from collections.abc import Callable

from .json_instance import InstanceBuilder
from .prompt import Prompt
from .wire import Object, is_list, is_object

Fill = Callable[[Object, InstanceBuilder], list[object]]
"""Writes the list for items of a schema."""
Suits = Callable[[Object], bool]
"""Whether the properties of an item are those of a finding."""

_DEEPEST = 5


class Filler:
    """Builds an instance of the schema of a prompt, in which one kind of list holds findings.

    Args:
        prompt: the request.
        suits: recognises the schema of an item by its properties.
        fill: writes the items.
    """

    def __init__(self, prompt: Prompt, suits: Suits, fill: Fill) -> None:
        self._builder = InstanceBuilder(prompt.schema, prompt.facts, prompt.rng("json"), prompt.today, say=prompt.say)
        self._schema = prompt.schema
        self._suits = suits
        self._fill = fill

    @property
    def applies(self) -> bool:
        """Whether there is such a list, or such an item, in the schema."""
        return self._holds(self._schema, 0)

    def build(self) -> object:
        """The instance."""
        return self._value(self._schema, "value", 0)

    def _read(self, schema: object) -> Object:
        if not is_object(schema):
            return {}
        schema = self._builder.resolved(schema)
        branches = schema.get("anyOf") or schema.get("oneOf")
        if is_list(branches):
            usable = [one for one in branches if is_object(one) and str(one.get("type", "")).lower() != "null"]
            return self._read(usable[0]) if usable else {}
        return schema

    def _item(self, schema: Object) -> bool:
        properties = schema.get("properties")
        return is_object(properties) and self._suits(properties)

    def _holds(self, schema: object, depth: int) -> bool:
        read = self._read(schema)
        if depth > _DEEPEST or not read:
            return False
        if self._item(read):
            return True
        properties: Object = read.get("properties") or {}
        inner: list[object] = [read.get("items"), *properties.values()]
        return any(self._holds(one, depth + 1) for one in inner)

    def _value(self, schema: object, name: str, depth: int) -> object:
        read = self._read(schema)
        if not self._holds(read, depth):
            return self._builder.value(schema, name, depth)
        if self._item(read):
            found = self._fill(read, self._builder)
            return found[0] if found else self._builder.value(schema, name, depth)
        items = self._read(read.get("items"))
        if self._item(items):
            found = self._fill(items, self._builder)
            least, most = int(read.get("minItems") or 0), int(read.get("maxItems") or len(found))
            return [*found, *(found[-1:] * max(0, least - len(found)))][: max(most, least)]
        if "items" in read:
            return [self._value(read["items"], name, depth + 1)]
        properties: Object = read.get("properties") or {}
        ordering: list[str] = read.get("propertyOrdering") or []
        order = [one for one in ordering if one in properties]
        names = [*order, *(one for one in properties if one not in order)]
        return {one: self._value(properties[one], one, depth + 1) for one in names}


def item(schema: Object, builder: InstanceBuilder, known: Callable[[str, Object], object]) -> Object:
    """One finding in the form of a schema.

    Args:
        schema: the schema of the item.
        builder: writes what the finding does not know.
        known: the value of a property that it does know, else None.
    """
    properties: Object = schema.get("properties") or {}
    required: list[str] = schema.get("required") or []
    ordering: list[str] = schema.get("propertyOrdering") or []
    order = [one for one in ordering if one in properties]
    result: Object = {}
    for name in [*order, *(one for one in properties if one not in order)]:
        kind = properties[name]
        value = known(name, kind if is_object(kind) else {})
        if value is not None:
            result[name] = value
        elif name in required or not order:
            result[name] = builder.value(kind, name, 2)
    return result
