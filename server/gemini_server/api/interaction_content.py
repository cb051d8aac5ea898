"""What is said in an interaction: content, and the steps that it comes in.

Written content is one type for each kind, strict. Read content and steps are one open type each: a kind that Google
adds tomorrow is read like any other, and goes back verbatim as the JSON object that came.

Source: the schemas Content and Step of the Interactions API, November 2026.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import BeforeValidator

from gemini_server.api.interaction_wire import Read, Told
from gemini_server.rest.body import InlineMedia
from gemini_server.rest.endpoint import JsonObject

T = TypeVar("T")
Resolution = Literal["low", "medium", "high", "ultra_high"]


def _there(value: object) -> object:
    """A list without its nulls, which must not cost what is beside them."""
    return [one for one in cast("list[object]", value) if one is not None] if isinstance(value, list) else value


def _read(value: object) -> object:
    """The object of which a string is the JSON; a string that is none stays what it is."""
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            found: object = json.loads(value)
            return cast(JsonObject, found) if isinstance(found, dict) else value
    return value or None


ListOf = Annotated[list[T], BeforeValidator(_there)]
"""A list of Google's, in which a null is nothing."""
Arguments = Annotated[JsonObject | str | None, BeforeValidator(_read)]
"""What a tool is given. A string is one that is broken."""


class TextContent(Told):
    """Words."""

    type: Literal["text"] = "text"
    text: str


class _Media(Told):
    """Bytes (base64 text, or a source that is encoded while it is sent) or the URI where Google finds them."""

    data: InlineMedia | str | None = None
    uri: str | None = None
    mime_type: str | None = None


class ImageContent(_Media):
    """A picture."""

    type: Literal["image"] = "image"
    resolution: Resolution | None = None


class AudioContent(_Media):
    """Sound. The sample rate is in Hz, for types without a header."""

    type: Literal["audio"] = "audio"
    channels: int | None = None
    sample_rate: int | None = None
    processing: JsonObject | Literal["static"] | None = None


class DocumentContent(_Media):
    """A PDF, table, slides or text document."""

    type: Literal["document"] = "document"
    resolution: Resolution | None = None
    processing: JsonObject | Literal["static"] | None = None


class VideoContent(_Media):
    """A video; the model may speak of it by its `name`."""

    type: Literal["video"] = "video"
    name: str | None = None
    resolution: Resolution | None = None
    processing: JsonObject | Literal["static", "agentic"] | None = None


Content = TextContent | ImageContent | AudioContent | DocumentContent | VideoContent


class Annotation(Read):
    """What a span of a text rests on, or how it was spoken. Offsets are UTF-8 bytes of its text, the end exclusive."""

    type: str = ""
    start_index: int | None = None
    end_index: int | None = None
    url: str | None = None
    title: str | None = None
    document_uri: str | None = None
    file_name: str | None = None
    name: str | None = None


class Said(Read):
    """Content of an answer: `type` says which of the others are there."""

    type: str = ""
    text: str | None = None
    annotations: ListOf[Annotation] | None = None
    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    channels: int | None = None
    sample_rate: int | None = None


class Trouble(Read):
    """Why a step or an interaction failed: a string code of the family, or the number of a google.rpc.Code."""

    code: str | int | None = None
    message: str | None = None


class Step(Read):
    """One step: `user_input`, `thought`, `model_output`, a call of a tool or its result, or a kind yet unknown."""

    type: str = ""
    content: ListOf[Said] | None = None
    error: Trouble | None = None
    summary: ListOf[Said] | None = None
    id: str | None = None
    name: str | None = None
    arguments: Arguments = None
    call_id: str | None = None
    result: Any = None
    is_error: bool | None = None

    @property
    def given(self) -> JsonObject:
        """The arguments, as far as they can be read."""
        return self.arguments if isinstance(self.arguments, dict) else {}
