"""The resource `environments`: workspaces at Google in which agents run code, and the files in them.

Paths of files are relative to the workspace's root. A file is sent by the resumable protocol, whose start is a PUT, and
fetched from its path with `alt=media`. Source: the schemas Environment, CreateEnvironmentRequest, EnvironmentFile and
GetEnvironmentFilesResponse of the Interactions API, November 2026, and google-genai 3.4.0 (`environments.upload`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gemini_server.api.interaction_environment import Egress, Source
from gemini_server.api.interaction_wire import Read, Told
from gemini_server.rest.endpoint import Empty, Endpoint, JsonObject


class NewEnvironment(Told):
    """A workspace that is wanted."""

    from_environment: str | None = Field(None, description="id of the environment that is copied")
    sources: list[Source] | None = Field(None, description="files to begin with")
    network: Egress | Literal["disabled"] | None = Field(
        None, description="what it may reach: disabled (nothing), or {allowlist: [{domain}]}"
    )


class Environment(Read):
    """A workspace as Google has it; `status` is active or expired."""

    id: str | None = None
    status: str | None = None
    created: str | None = None
    updated: str | None = None
    last_accessed: str | None = None
    file_count: int | None = None
    size_bytes: int | None = None
    sources: list[JsonObject] | None = None
    network: JsonObject | str | None = None


class ListEnvironmentsResponse(Read):
    """A page of workspaces."""

    environments: list[Environment] | None = None
    next_page_token: str | None = None


class EnvironmentFile(Read):
    """A file or directory of a workspace; `type` says which."""

    path: str | None = None
    name: str | None = None
    type: str | None = None
    size_bytes: int | None = None
    mime_type: str | None = None
    created: str | None = None
    modified: str | None = None


class GetEnvironmentFilesResponse(Read):
    """What is in a directory, or the one file that was asked for."""

    files: list[EnvironmentFile] | None = None
    next_page_token: str | None = None


# A second create would be a second workspace.
CREATE = Endpoint("POST", "{version}/environments", Environment, repeat="background", family="interactions")
LIST = Endpoint(
    "GET",
    "{version}/environments",
    ListEnvironmentsResponse,
    query=("page_size", "page_token"),
    family="interactions",
)
GET = Endpoint("GET", "{version}/environments/{id}", Environment, family="interactions")
DELETE = Endpoint("DELETE", "{version}/environments/{id}", Empty, family="interactions")
FILES = Endpoint(
    "GET",
    "{version}/environments/{environment}/files/{file}",
    GetEnvironmentFilesResponse,
    query=("page_size", "page_token", "recursive"),
    family="interactions",
)
UPLOAD = Endpoint(
    "PUT",
    "upload/{version}/environments/{environment}/files/{file}",
    GetEnvironmentFilesResponse,
    query=("extract", "overwrite"),
    family="interactions",
)
