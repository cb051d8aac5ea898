"""Parameters that several tools share, worded once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

ModelName = Annotated[str | None, Field(description="model id, see list_models")]
Attachments = Annotated[
    list[str] | None,
    Field(description="media: path, URL (YouTube too), files/ID, data: URI"),
]
JsonSchema = Annotated[dict[str, Any] | None, Field(description="JSON Schema of the answer")]
AnyJson = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": kind} for kind in ("object", "array", "string", "number", "boolean")]})
]
"""Any JSON value, spelled out for clients that refuse a schema without a type."""
ConversationName = Annotated[str, Field(description="conversation id")]
