"""What tools return: typed, small, complete by itself both as JSON and as text.

Some clients show the model only `structuredContent`, others only the text, so `as_text()` leaves nothing important out.
Members that are not there are absent, never null; `cost_usd` alone is null when no price is known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, WithJsonSchema, model_serializer


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that goes beside the text of a result; base64."""

    mime_type: str
    data: str


class Result(BaseModel):
    """Base of every tool's result."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    def structured(self) -> dict[str, Any]:
        """The result as JSON for `structuredContent`."""
        return self.model_dump(mode="json", exclude_none=True)

    def as_json(self) -> str:
        """The result as JSON text."""
        return json.dumps(self.structured(), ensure_ascii=False, separators=(",", ":"))

    def pictures(self) -> list[Picture]:
        """Pictures that are shown beside the text."""
        return []

    def as_blocks(self) -> list[str]:
        """The text in blocks: what was asked for stands alone in the first, so that it can be used as it is."""
        return [self.as_text()]

    def as_text(self) -> str:
        """The result as text for a model that does not see the JSON; by default the same JSON."""
        return self.as_json()


class Usage(Result):
    """Tokens of a call and their price in US dollars."""

    input_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0
    cached_tokens: int = 0
    tool_tokens: int = 0
    total_tokens: int = 0
    cost_usd: Annotated[float | None, WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]})] = None
    price_date: str | None = None

    @model_serializer(mode="wrap")
    def _keep_unknown_cost(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # An unknown price must not look like a free call.
        return {**dump(self), "cost_usd": self.cost_usd}

    def __str__(self) -> str:
        parts = [f"{self.input_tokens} in", f"{self.output_tokens} out"]
        if self.thought_tokens:
            parts.append(f"{self.thought_tokens} thought")
        cost = "price unknown" if self.cost_usd is None else f"${self.cost_usd:.6f}".rstrip("0").rstrip(".")
        return f"{', '.join(parts)} tokens; {cost}"
