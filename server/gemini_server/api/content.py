"""What is said: `Content` with its `Part`s, the same in requests and answers.

Source: the schemas Content and Part of the v1beta discovery document, with the part metadata of google-genai 3.4.
Read tolerantly (unknown members are kept, enum values are strings); `thoughtSignature` stays the very string that came.
"""

from __future__ import annotations

from typing import Literal

from gemini_server.rest.body import InlineMedia
from gemini_server.rest.endpoint import JsonObject, Wire

MediaResolution = Literal[
    "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH", "MEDIA_RESOLUTION_ULTRA_HIGH"
]


class Blob(Wire):
    """Media inside the request: `data` is base64 text, or a source that is encoded while it is sent."""

    mime_type: str
    data: InlineMedia | str


class FileData(Wire):
    """Media that Google fetches: a File API URI, a `gs://` object, a public URL, a YouTube link."""

    file_uri: str
    mime_type: str | None = None


class FunctionCall(Wire):
    """A call that the model asks for; `id` pairs it with its response."""

    name: str = ""
    args: JsonObject | None = None
    id: str | None = None


class FunctionResponseBlob(Wire):
    """Media inside a function response; base64."""

    mime_type: str
    data: str


class FunctionResponsePart(Wire):
    """One medium of a function response."""

    inline_data: FunctionResponseBlob


class FunctionResponse(Wire):
    """What a called function returned. Gemini 3.8 wants `id` and `name` on every one."""

    name: str
    response: JsonObject
    id: str | None = None
    parts: list[FunctionResponsePart] | None = None
    will_continue: bool | None = None
    scheduling: str | None = None


class ExecutableCode(Wire):
    """Code that Gemini wrote and ran."""

    code: str = ""
    language: str | None = None
    id: str | None = None


class CodeExecutionResult(Wire):
    """What that code printed. `outcome` is OUTCOME_OK, OUTCOME_FAILED or OUTCOME_DEADLINE_EXCEEDED."""

    outcome: str | None = None
    output: str | None = None
    id: str | None = None


class ToolCall(Wire):
    """A built-in tool that ran at Google; returned verbatim in the next turn."""

    id: str | None = None
    args: JsonObject | None = None
    tool_name: str | None = None
    tool_type: str | None = None


class ToolResponse(Wire):
    """What that built-in tool answered; returned verbatim in the next turn."""

    id: str | None = None
    response: JsonObject | None = None
    tool_type: str | None = None


class VideoMetadata(Wire):
    """The clip of a video that is looked at. Offsets are durations such as `1.5s`; fps is frames per second."""

    start_offset: str | None = None
    end_offset: str | None = None
    fps: float | None = None


class PartResolution(Wire):
    """How finely this part is looked at, where the family allows it per part."""

    level: MediaResolution | str


class Part(Wire):
    """One piece of a turn: exactly one of text, media, a function call or response, code, or a built-in tool's step."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: ExecutableCode | None = None
    code_execution_result: CodeExecutionResult | None = None
    tool_call: ToolCall | None = None
    tool_response: ToolResponse | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    video_metadata: VideoMetadata | None = None
    media_resolution: PartResolution | None = None
    media_processing: str | None = None
    part_metadata: JsonObject | None = None
    audio_transcription: JsonObject | None = None
    speech_metadata: JsonObject | None = None
    document_metadata: JsonObject | None = None
    spreadsheet_metadata: JsonObject | None = None
    audio_metadata: JsonObject | None = None


class Content(Wire):
    """One turn. `role` is `user` or `model`; a system instruction has none."""

    role: Literal["user", "model"] | None = None
    parts: list[Part] = []

    def as_json(self) -> JsonObject:
        """The turn as a conversation keeps it: what Google would see."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def text_part(text: str) -> Part:
    """A part of plain text."""
    return Part(text=text)
