"""What tools return: typed, small, complete by itself both as JSON and as text.

Some clients show the model only `structuredContent`, others only the text, so `as_text()` leaves nothing important out.
Members that are not there are absent, never null; `cost_usd` alone is null when no price is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue

_KINDS = ("input_tokens", "output_tokens", "thought_tokens", "cached_tokens", "tool_tokens")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that goes beside the text of a result; base64."""

    mime_type: str
    data: str


class Blob(BaseModel):
    """The value of a resource that is no JSON: bytes of a type; what is text by its type is shown as text."""

    data: bytes
    mime_type: str


class Result(BaseModel):
    """Base of every tool's result."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    _pictures: list[Picture] = PrivateAttr(default_factory=list[Picture])

    def structured(self) -> dict[str, Any]:
        """The result as JSON for `structuredContent`."""
        return self.model_dump(mode="json", exclude_none=True)

    def as_json(self) -> str:
        """The result as JSON text."""
        return json.dumps(self.structured(), ensure_ascii=False, separators=(",", ":"))

    def attach(self, pictures: list[Picture]) -> None:
        """Put pictures beside the text, in place of those that are there."""
        self._pictures = pictures

    def pictures(self) -> list[Picture]:
        """Pictures that are shown beside the text: previews of artifacts, for one."""
        return self._pictures

    def artifacts_shown(self) -> list[ArtifactOut]:
        """The artifacts among the members, alone or in lists: each is linked beside the text."""
        found: list[ArtifactOut] = []
        for value in self.__dict__.values():
            values = cast("list[object]", value) if isinstance(value, list) else [value]
            found += [item for item in values if isinstance(item, ArtifactOut)]
        return found

    def as_blocks(self) -> list[str]:
        """The text in blocks: what was asked for stands alone in the first, so that it can be used as it is."""
        return [self.as_text()]

    def as_text(self) -> str:
        """The result as text for a model that does not see the JSON; by default the same JSON."""
        return self.as_json()


def shortened(names: tuple[str, ...]) -> Callable[[JsonSchemaValue], None]:
    """Leaves only these members in the schema of a part of many results: all of them each time would be half of it."""

    def shorten(schema: JsonSchemaValue) -> None:
        schema["properties"] = {name: schema["properties"][name] for name in names}
        schema.pop("required", None)

    return shorten


class ArtifactOut(Result):
    """A file that a call produced. Made by `toolkit.artifacts`."""

    model_config = ConfigDict(json_schema_extra=shortened(("uri", "path", "mime_type")))

    id: str
    uri: str
    path: str | None = None
    url: str | None = None
    mime_type: str
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None

    def __str__(self) -> str:
        facts = [self.mime_type, f"{self.bytes} bytes"]
        if self.width and self.height:
            facts.append(f"{self.width}x{self.height}")
        if self.duration_seconds is not None:
            facts.append(f"{self.duration_seconds:g} s")
        place = " = ".join(filter(None, (self.path, self.url, self.uri)))
        return f"{place} ({', '.join(facts)})"


class Usage(Result):
    """Tokens of a call and their price in US dollars."""

    model_config = ConfigDict(json_schema_extra=shortened(("total_tokens", "cost_usd")))

    input_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    cached_tokens: int = 0
    tool_tokens: int = 0
    total_tokens: int = 0
    cost_usd: Annotated[float | None, WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]})] = None
    price_date: str | None = None
    not_in_cost: Annotated[str | None, Field(description="what is billed beside the tokens")] = None

    @model_serializer(mode="wrap")
    def _keep_unknown_cost(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # An unknown price must not look like a free call.
        return {**dump(self), "cost_usd": self.cost_usd}

    @property
    def counts(self) -> dict[str, int]:
        """The tokens by kind, without their total, as the books have them."""
        return {name: getattr(self, name) for name in _KINDS}

    @property
    def cost(self) -> Decimal | None:
        """The price as the books have it."""
        return None if self.cost_usd is None else Decimal(str(self.cost_usd))

    def __str__(self) -> str:
        parts = [f"{self.input_tokens} in", f"{self.output_tokens} out"]
        if self.thought_tokens:
            parts.append(f"{self.thought_tokens} thought")
        cost = "price unknown" if self.cost_usd is None else f"${self.cost_usd:.6f}".rstrip("0").rstrip(".")
        beside = f" without {self.not_in_cost}" if self.not_in_cost else ""
        return f"{', '.join(parts)} tokens; {cost}{beside}"
