"""The resource `generatedFiles`: what models have made, as a list of its own without bytes.

The bytes are those of the file of the same id under `files`, the work is `generatedFiles/ID/operations/ID`. Source:
`generatedFiles` of the v1beta discovery documents; `get` stands in that of January 2026 alone.
"""

from __future__ import annotations

from gemini_server.api.operations import Status
from gemini_server.rest.endpoint import Endpoint, Wire


class GeneratedFile(Wire):
    """A file that a model makes: its state is GENERATING, GENERATED or FAILED."""

    name: str = ""
    mime_type: str | None = None
    state: str | None = None
    error: Status | None = None


class ListGeneratedFilesResponse(Wire):
    """A page of generated files."""

    generated_files: list[GeneratedFile] = []
    next_page_token: str | None = None


LIST = Endpoint("GET", "{version}/generatedFiles", ListGeneratedFilesResponse, query=("pageSize", "pageToken"))
GET = Endpoint("GET", "{version}/{name}", GeneratedFile)
