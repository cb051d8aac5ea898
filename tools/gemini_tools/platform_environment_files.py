"""Files in the workspaces of agents: seen, brought there, fetched from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from gemini_server.api.environments import EnvironmentFile
from gemini_server.errors import ArgumentError
from gemini_server.jobs.job import Job, Json, Request
from gemini_server.toolkit import environment_files, job_result, jobs, resource_view, upload_source, uploads
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.environment_files import environment_of, file_at, link_of, path_of, sent
from gemini_server.toolkit.job_result import FetchedFile
from gemini_server.toolkit.jobs import WaitSeconds
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("platform", "Files in the workspaces of agents.")

EnvironmentId = Annotated[str, Field(description="environment id")]

_TEXTS = ("path", "type", "mime_type", "created", "modified")
_FILE: Json = {"type": "object", "properties": {name: {"type": "string"} for name in _TEXTS}}
_FILE["properties"]["size_bytes"] = {"type": "integer"}


class EnvironmentFiles(Result):
    """Files and directories of a workspace."""

    files: Annotated[list[Any], WithJsonSchema({"type": "array", "items": _FILE})]
    truncated: Annotated[bool | None, Field(description="there are more")] = None


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def list_environment_files(
    call: Call,
    id: EnvironmentId,  # noqa: A002  the name of every identifier
    path: Annotated[str, Field(description="file or directory; default: the root")] = "",
    recursive: Annotated[bool, Field(description="all files below it")] = False,
) -> EnvironmentFiles:
    """List the files in a workspace of agents: path, size, type, times. Free. Returns files."""
    found, more = await environment_files.listing(call, environment_of(id), path_of(path), recursive=recursive)
    return _shown(found, more)


@TOOLSET.tool(read_only=False, destructive=True, idempotent=False, open_world=True)
async def upload_environment_file(
    call: Call,
    id: EnvironmentId,  # noqa: A002  the name of every identifier
    source: Annotated[str, Field(description="path here, gemini://artifacts/ID, data: URI")],
    path: Annotated[str | None, Field(description="path in the workspace; default: its file name, at the root")] = None,
    extract: Annotated[bool, Field(description="unpack a tar or tar.gz into the directory path")] = False,
    overwrite: Annotated[bool, Field(description="replace what is there")] = False,
) -> EnvironmentFiles:
    """Send a file into a workspace of agents, or unpack an archive there. Free. Returns the files that were written."""
    _check_source(source)
    environment = environment_of(id)
    given = await upload_source.given(call.runtime, call.principal, source)
    try:
        target = path_of(path if path is not None else "" if extract else given.name)
        if not target and not extract:
            raise ArgumentError("It is not said where the file goes; nothing was sent.", "Give path, such as data.csv.")
        made = await sent(call, given, environment, target, extract=extract, overwrite=overwrite)
    finally:
        given.bytes.close()
    most = environment_files.LISTED
    return _shown(made[:most], len(made) > most)


async def finish_download(call: Call, job: Job, warnings: Sequence[str] = ()) -> FetchedFile:
    """The file that was fetched, or its job while that goes on."""
    return await job_result.finished(call, job, FetchedFile, warnings)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=True, open_world=True, finish=finish_download)
async def download_environment_file(
    call: Call,
    id: EnvironmentId,  # noqa: A002  the name of every identifier
    path: Annotated[str, Field(description="of one file in the workspace")],
    wait_seconds: WaitSeconds = jobs.WAIT,
) -> FetchedFile:
    """Fetch a file from a workspace of agents, as an artifact. Free."""
    environment, target = environment_of(id), path_of(path)
    file = await file_at(call, environment, target)
    link = link_of(environment, target)
    wish: Json = {"uri": link, "mime_type": file.mime_type or "", "bytes": file.size_bytes, "sha256": None}
    # What an agent has written since is another file.
    same = [uploads.place_of(call.runtime), link, file.modified or "", str(file.size_bytes)]
    new = uploads.free_job(call, "file", "download_environment_file", "download", same, wish)
    job, is_new = await call.runtime.runner.begin(new, Request())
    job = await jobs.wait(call, job, wait_seconds)
    return await finish_download(call, job, () if is_new else ["It was fetched, or its fetching begun, a moment ago."])


def _shown(files: Sequence[EnvironmentFile], more: bool) -> EnvironmentFiles:
    return EnvironmentFiles(files=resource_view.shown(list(files)), truncated=more or None)


def _check_source(source: str) -> None:
    lowered = source.strip()[:16].lower()
    if lowered.startswith(("http://", "https://", "gs://", "files/")):
        raise ArgumentError(
            "upload_environment_file sends what is here: it fetches nothing from the web or from Google.",
            "Save the file first. create_environment takes gs:// and repositories as sources; an agent that may reach "
            "the web can fetch by itself.",
        )
