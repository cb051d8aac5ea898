"""Questions about images, audio, video, PDFs and other documents."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from gemini_server.errors import ArgumentError
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.clips import Clip
from gemini_server.toolkit.generation.dialogue import ask
from gemini_server.toolkit.generation.options import Options, PartResolution
from gemini_server.toolkit.generation.result import TextResult
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("media", "Questions about media, boxes around objects, transcripts.")

Moment = Annotated[str | float | None, WithJsonSchema({"type": "string"})]
"""Numbers are taken too; a schema that says so costs every context fifty bytes a time."""


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True, default=True)
async def analyze_media(
    call: Call,
    media: Annotated[list[str], Field(description="paths, URLs, YouTube, files/ID")],
    question: Annotated[str, Field(description="text")],
    json_schema: Annotated[dict[str, Any] | None, Field(description="of the answer")] = None,
    start: Annotated[Moment, Field(description="of a clip: 90, 1:30.5")] = None,
    end: Annotated[Moment, Field(description="likewise")] = None,
    fps: Annotated[float | None, Field(description="frames/s")] = None,
    media_resolution: Annotated[PartResolution | None, Field(description="detail")] = None,
    model: Annotated[str | None, Field(description="model id")] = None,
) -> TextResult:
    """Ask about images, audio, video, PDFs, documents. Billed by token."""
    if not media:
        raise ArgumentError("media is empty.", "Give at least one media source; generate_text answers without any.")
    if not question.strip():
        raise ArgumentError("question is empty; nothing was sent.", "Say what is to be found out.")
    return await ask(
        call,
        model=model,
        prompt=question,
        attachments=media,
        options=Options(json_schema=json_schema, part_resolution=media_resolution),
        clip=Clip.of(start, end, fps),
    )
