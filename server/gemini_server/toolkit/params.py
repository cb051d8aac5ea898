"""Parameters that several tools share, worded once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

ModelName = Annotated[str | None, Field(description="model id; list_models names them")]
Attachments = Annotated[
    list[str] | None,
    Field(description="media: path, https:// or gs:// URL, YouTube link, files/ID, data: URI"),
]
JsonSchema = Annotated[dict[str, Any] | None, Field(description="JSON Schema that the answer must match")]
ConversationName = Annotated[str, Field(description="conversation id")]
