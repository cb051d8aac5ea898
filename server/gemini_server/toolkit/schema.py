"""JSON Schemas as small as they can be: what a model must read before every call.

No titles, no class docstrings, no `anyOf null` (an optional member is absent, never null), no `$ref` (some clients do
not follow it). Measured on the default preset, this halves pydantic's own output.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from gemini_server.rest.endpoint import Wire

Schema = dict[str, Any]

_DEFS = "#/$defs/"
_DEPTH = 12
"""References deeper than this belong to a recursive type, which no tool here has."""


class _Compact(GenerateJsonSchema):
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        # A default that a caller should know stands in the description.
        made = super().default_schema(schema)
        made.pop("default", None)
        return made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        # A type of the wire takes its members by their own names too, which are those of all other arguments.
        before, self.by_alias = self.by_alias, self.by_alias and not issubclass(schema["cls"], Wire)
        try:
            made = super().model_schema(schema)
        finally:
            self.by_alias = before
        made.pop("title", None)
        made.pop("description", None)
        return made

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        # The tag is a constant of each: no client needs to be told where it stands.
        made = super().tagged_union_schema(schema)
        made.pop("discriminator", None)
        return {"anyOf": made.pop("oneOf"), **made} if "oneOf" in made else made

    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        # A serializer of ours changes which members are left out, never their types.
        return None

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def of(model: type[BaseModel], mode: JsonSchemaMode) -> Schema:
    """The compact JSON Schema of a model: `validation` for arguments, `serialization` for results."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Compact, mode=mode)
    definitions: Schema = schema.pop("$defs", {})
    return cast(Schema, _inlined(schema, definitions, 0))


def _inlined(node: Any, definitions: Schema, depth: int) -> Any:
    if depth > _DEPTH * 4:
        raise ValueError("a tool's schema must not be recursive")
    if isinstance(node, list):
        return [_inlined(item, definitions, depth + 1) for item in cast(list[object], node)]
    if not isinstance(node, dict):
        return node
    mapping = cast(Schema, node)
    reference = mapping.get("$ref")
    if isinstance(reference, str) and reference.startswith(_DEFS):
        merged = copy.deepcopy(cast(Schema, definitions[reference.removeprefix(_DEFS)]))
        merged.update({key: value for key, value in mapping.items() if key != "$ref"})
        return _inlined(merged, definitions, depth + 1)
    return {
        key: _inlined(value, definitions, depth + 1)
        for key, value in mapping.items()
        # What JSON Schema means anyway.
        if not (key == "additionalProperties" and value is True)
    }
