"""Files at Google: uploaded once, used by name, fetched again where Gemini made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gemini_server.api import files as api
from gemini_server.api.files import File, RegisterFilesRequest
from gemini_server.errors import ArgumentError, RequestRefused, SetupError, ToolserverError
from gemini_server.jobs.job import Job, Json, Request
from gemini_server.jobs.uploads import Uploads
from gemini_server.toolkit import files as shared
from gemini_server.toolkit import job_result, jobs, upload_source, uploads
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.completion import complete_id
from gemini_server.toolkit.files import FileOut, file_name, is_absence, not_there, shown
from gemini_server.toolkit.job_result import FetchedFile, Pending
from gemini_server.toolkit.jobs import WaitSeconds
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("files", "Files at Google.")

LISTED = 200
"""Files that one list shows; a project may have thousands."""
PAGE = 100
MOST_URIS = 100

FileName = Annotated[str, Field(description="files/ID")]


class Uploaded(Result):
    """A file that can be used, or the job that brings it there."""

    file: FileOut | None = None
    job: Pending = None
    warnings: list[str] | None = None

    def as_text(self) -> str:
        """The file, or how the job stands."""
        if self.job is not None:
            return self.job.as_text()
        return "\n".join([f"[file] {self.file}", *(f"warning: {warning}" for warning in self.warnings or ())])


class FileList(Result):
    """Files at Google."""

    files: list[FileOut]
    warnings: list[str] | None = None

    def as_text(self) -> str:
        """A line for each."""
        lines = [str(file) for file in self.files] or ["There are no files."]
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings or ())])


class Deleted(Result):
    """What was deleted."""

    deleted: str


async def finish_upload(call: Call, job: Job, warnings: Sequence[str] = ()) -> Uploaded:
    """The file of an upload, or its job while it goes on."""
    return await job_result.finished(call, job, Uploaded, warnings)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, default=True, finish=finish_upload)
async def upload_file(
    call: Call,
    source: Annotated[str, Field(description="path, artifact")],
    display_name: Annotated[str | None, Field(description="label")] = None,
    mime_type: Annotated[str | None, Field(description="else by content")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    reuse: Annotated[bool, Field(description="false: again")] = True,
) -> Uploaded:
    """Upload a file (up to 2 GiB); its name can be used for 48 h. Free."""
    _check_source(source)
    if display_name is not None and len(display_name) > shared.LONGEST_NAME:
        raise ArgumentError(f"display_name has more than {shared.LONGEST_NAME} characters.", "Give a shorter one.")
    kind = uploads.type_of(mime_type) if mime_type else None
    given = await upload_source.given(call.runtime, call.principal, source)
    try:
        asked = await uploads.begin(call, given, mime_type=kind, display_name=display_name, reuse=reuse)
    finally:
        given.bytes.close()
    if asked.job is None:
        return Uploaded(file=asked.file, warnings=_there(asked.file, display_name))
    notes = ["The same file is being uploaded already: this is its job."] if asked.before else []
    if "memory" in given.again:
        notes.append("The bytes came with the call: if this server ends before they are sent, send them again.")
    job = await jobs.wait(call, asked.job, wait_seconds)
    return await finish_upload(call, job, notes if not job.ended else ())


def _check_source(source: str) -> None:
    lowered = source.strip()[:16].lower()
    if lowered.startswith(("http://", "https://")):
        raise ArgumentError(
            "upload_file takes no links: this server fetches nothing from the web.",
            "Give the https:// link to the tool that is to look at it: Google fetches it. Or save the file first.",
        )
    if lowered.startswith("gs://"):
        raise ArgumentError(
            "What lies in Google Cloud Storage is not uploaded.",
            "Give the gs:// URI to the tool that is to look at it, or make a file of it with register_files.",
        )
    if lowered.startswith("files/"):
        raise ArgumentError(
            f"{source[:80]!r} is the name of a file at Google.", f"Use it as it is; ./{source[:80]} is a local path."
        )


def _there(file: FileOut | None, display_name: str | None) -> list[str]:
    notes = ["The same bytes were uploaded before; nothing was sent. reuse=false uploads them again."]
    if file is not None and display_name and file.display_name != display_name:
        notes.append("It keeps the display name that it has.")
    return notes


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True)
async def list_files(
    call: Call, name: Annotated[str | None, Field(description="one file: files/ID")] = None
) -> FileList:
    """The files at Google of this key: uploaded, registered and generated, with state and expiry. Free."""
    if name is not None:
        return FileList(files=[shown(await shared.get(call, file_name(name)))])
    found, more = await _listed(call)
    warnings = [f"There are more than these {len(found)}; ask for one by name."] if more else None
    return FileList(files=[shown(file) for file in found], warnings=warnings)


async def _listed(call: Call) -> tuple[list[File], bool]:
    """The caller's files, and whether there are more."""
    found, more = await call.runtime.client.pages(api.LIST, items="files", cap=LISTED, query={"pageSize": PAGE})
    theirs = await shared.of_others(call, [file.name for file in found])
    return [file for file in found if file.name not in theirs], more


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True)
async def delete_file(call: Call, name: FileName) -> Deleted:
    """Delete a file at Google; what still refers to it fails from then on. Free."""
    named = file_name(name)
    await shared.check_owner(call, named)
    try:
        await call.runtime.client.call(api.DELETE, name=named)
    except ToolserverError as error:
        if is_absence(error):
            raise not_there(named) from None
        raise
    await Uploads(call.runtime.store).deleted(uploads.place_of(call.runtime), named)
    return Deleted(deleted=named)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True)
async def register_files(call: Call, uris: Annotated[list[str], Field(description="gs://bucket/object")]) -> FileList:
    """Make files of objects in Google Cloud Storage, without sending them. Needs OAuth (GEMINI_AUTH=bearer). Free."""
    wrong = [uri for uri in uris if not uri.startswith("gs://") or not uri[5:].partition("/")[2]]
    if wrong or not uris or len(uris) > MOST_URIS:
        what = f"{wrong[0][:80]!r} is no object in Google Cloud Storage" if wrong else f"{len(uris)} URIs are given"
        raise ArgumentError(f"{what}.", f"Give 1 to {MOST_URIS} URIs of the form gs://bucket/object.")
    if call.runtime.settings.auth == "api-key":
        raise SetupError(
            "Google registers files only for OAuth, and this server has an API key; nothing was sent.",
            "The person who runs this server sets GEMINI_AUTH=bearer and an access token as GEMINI_API_KEY. Tools take "
            "gs:// URIs as media as they are.",
            code="oauth_needed",
        )
    reply = await call.runtime.client.call(api.REGISTER, body=RegisterFilesRequest(uris=uris))
    return FileList(files=[shown(file) for file in reply.value.files])


async def finish_download(call: Call, job: Job, warnings: Sequence[str] = ()) -> FetchedFile:
    """The file that was fetched, or its job while that goes on."""
    return await job_result.finished(call, job, FetchedFile, warnings)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=True, open_world=True, finish=finish_download)
async def download_file(call: Call, name: FileName, wait_seconds: WaitSeconds = jobs.WAIT) -> FetchedFile:
    """Fetch a file that Gemini generated, as an artifact; files that were uploaded cannot be had back. Free."""
    file = await shared.get(call, file_name(name))
    if file.download_uri is None and file.source != "GENERATED":
        raise RequestRefused(
            f"{file.name} was {(file.source or 'uploaded').lower()}: Google gives back only what Gemini generated.",
            "Use the file where it came from.",
            code="not_downloadable",
        )
    wish: Json = {
        "uri": file.download_uri or f"{file.name}:download",
        "mime_type": file.mime_type or "",
        "bytes": file.size_bytes,
        "sha256": file.sha256,
    }
    same = [uploads.place_of(call.runtime), file.name]
    new = uploads.free_job(call, "file", "download_file", "download", same, wish)
    job, is_new = await call.runtime.runner.begin(new, Request())
    job = await jobs.wait(call, job, wait_seconds)
    return await finish_download(call, job, () if is_new else ["It was fetched, or its fetching begun, a moment ago."])


async def _ids(call: Call, prefix: str) -> list[str]:
    return sorted(await complete_id(call, prefix, _listed, lambda file: file.name, collection="files/"))


@TOOLSET.resource("gemini://files", description="The files at Google of this key.")
async def files(call: Call) -> FileList:
    """All files."""
    found, _ = await _listed(call)
    return FileList(files=[shown(file) for file in found])


@TOOLSET.resource("gemini://files/{id}", description="A file at Google: state, size, expiry.", complete={"id": _ids})
async def file_resource(call: Call, id: str) -> FileOut:  # noqa: A002  the template's name
    """One file."""
    return shown(await shared.get(call, file_name(id)))
