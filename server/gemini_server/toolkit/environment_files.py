"""Files in environments: which there are, how bytes get there, and the job that brings them here."""

from __future__ import annotations

import random
from contextlib import suppress
from urllib.parse import quote

import anyio

from gemini_server.api import environments as api
from gemini_server.api.environments import EnvironmentFile, GetEnvironmentFilesResponse
from gemini_server.errors import ArgumentError, BadAnswer, NotFound, ToolserverError
from gemini_server.rest.config import MIB
from gemini_server.rest.route import FilePath
from gemini_server.rest.upload import Received
from gemini_server.rest.upload_session import Sending
from gemini_server.toolkit import owners
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.resource_names import Name
from gemini_server.toolkit.upload_source import Given, Readable

ENVIRONMENT = Name("id", "environments/*", "environment id")
LISTED = 500
"""The most files that one list shows: a workspace may have thousands."""
PAGE = 100

_EVERY = 1.0
_CLEARING = 2.0
_TAKEN = "already_exists"


def environment_of(given: str) -> str:
    """The id of an environment.

    Raises:
        ArgumentError: it is none.
    """
    return ENVIRONMENT.full(given).rpartition("/")[2]


def path_of(given: str) -> FilePath:
    """A path in a workspace as the API takes it: relative to its root, which is empty."""
    return FilePath("/".join(step for step in given.strip().split("/") if step not in ("", ".")))


async def listing(
    call: Call, environment: str, path: FilePath, *, recursive: bool = False, most: int = LISTED
) -> tuple[list[EnvironmentFile], bool]:
    """What is at a path: the file itself, or what the directory holds; and whether there is more.

    Raises:
        NotFound: there is no such environment, or nothing at the path.
    """
    await _check_owner(call, environment, path)
    query = {"recursive": True if recursive else None, "page_size": min(PAGE, most)}
    found: list[EnvironmentFile]
    try:
        found, more = await call.runtime.client.pages(
            api.FILES,
            items="files",
            cap=most,
            query=query,
            on_retry=call.progress.retry,
            environment=environment,
            file=path,
        )
    except NotFound as error:
        raise _absent(environment, path, error) from None
    return found, more


async def file_at(call: Call, environment: str, path: FilePath) -> EnvironmentFile:
    """The file at a path, which has bytes.

    Raises:
        ArgumentError: it is a directory, or empty.
        NotFound: it is not there.
    """
    found, _ = await listing(call, environment, path, most=2)
    file = next((one for one in found if path_of(one.path or "") == path and one.type != "directory"), None)
    if file is None:
        raise ArgumentError(
            f"{path or 'The root of the workspace'} is a directory; nothing was fetched.",
            "Name one file; list_environment_files shows what is in it.",
        )
    if file.size_bytes == 0:
        raise ArgumentError(f"{path} is empty: there is nothing to fetch.")
    return file


def link_of(environment: str, path: FilePath) -> str:
    """What a download asks for."""
    return f"environments/{environment}/files/{quote(path, safe='/')}"


async def sent(
    call: Call, given: Given, environment: str, path: FilePath, *, extract: bool, overwrite: bool
) -> list[EnvironmentFile]:
    """Send bytes into a workspace; what has arrived before a cut is not sent again.

    Args:
        call: the call; it hears how far it is.
        given: the bytes.
        environment: the id.
        path: of the file, or of the directory that an archive is unpacked into.
        extract: whether it is a tar or tar.gz that is unpacked.
        overwrite: whether files that are there give way.

    Returns:
        What Google has written.

    Raises:
        FileRefused: the bytes were changed meanwhile.
        ArgumentError: something is there already, or Google cannot unpack it.
        ToolserverError: any other of the tree; nothing was written.
    """
    await _check_owner(call, environment, FilePath(""))
    client, size = call.runtime.client, given.bytes.size
    try:
        session = await client.uploads.start(
            api.UPLOAD,
            body=None,
            size=size,
            mime_type=given.mime_type,
            query={"extract": True if extract else None, "overwrite": True if overwrite else None},
            on_retry=call.progress.retry,
            environment=environment,
            file=path,
        )
        try:
            received = await _run(call, Sending(client.uploads, session, size, offset=0), given.bytes)
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEARING), suppress(ToolserverError):
                await client.uploads.cancel(session)
            raise
        finally:
            client.uploads.forget(session.url)
        answer = await client.uploads.parsed(GetEnvironmentFilesResponse, received)
    except NotFound as error:
        raise _absent(environment, FilePath(""), error) from None
    except ToolserverError as error:
        if error.code == _TAKEN:
            error.remedy = "overwrite=true replaces it; or choose another path."
        raise
    if answer is None or answer.files is None:
        found, _ = await listing(call, environment, path)
        if not found:
            raise BadAnswer(f"Google has all bytes of {path}, but the file is not there.", "Upload it again.")
        return found
    return answer.files


async def _run(call: Call, sending: Sending, source: Readable) -> Received:
    """Send all bytes, and say every second how far it is."""
    size, position = source.size, 0
    received: Received | None = None
    error: ToolserverError | None = None

    def on_bytes(at: int) -> None:
        nonlocal position
        position = at

    async def tell() -> None:
        while True:
            await call.progress.note(f"{position / MIB:.1f} of {size / MIB:.1f} MiB sent", value=position, total=size)
            await anyio.sleep(_EVERY)

    async with anyio.create_task_group() as tasks:
        if call.progress.wanted:
            tasks.start_soon(tell)
        try:
            received = await sending.run(source, on_bytes=on_bytes, random=random.random)
        except ToolserverError as failed:
            error = failed
        tasks.cancel_scope.cancel()
    if error is not None:
        raise error
    assert received is not None  # noqa: S101  it is there, or there was an error
    return received


async def _check_owner(call: Call, environment: str, path: FilePath) -> None:
    if await owners.theirs(call, [f"environments/{environment}"]):
        raise _absent(environment, path, NotFound("It is another caller's.", code="not_found", status=404))


def _absent(environment: str, path: FilePath, error: NotFound) -> NotFound:
    what = f"There is no {path} in the environment {environment}" if path else f"There is no environment {environment}"
    return NotFound(
        f"{what} for this key: it was never there, was deleted, or has expired.",
        "list_environments shows the environments, list_environment_files what is in one.",
        code=error.code,
        status=error.status,
    )
