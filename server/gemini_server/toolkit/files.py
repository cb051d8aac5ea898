"""Files at Google as tools see them: their names, how they are shown, and whose they are.

All files of a project belong to its key. Where one server works for several callers, a file that one of them uploaded
through it is to the others as if it were not there; what came there in another way is everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import ConfigDict

from gemini_server.api import files as api
from gemini_server.api.files import File
from gemini_server.errors import ArgumentError, NotFound, RequestRefused, ToolserverError
from gemini_server.jobs.owners import Owners
from gemini_server.jobs.uploads import Uploads
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.results import Result, shortened
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.untrusted import label, link

_NAME = re.compile(
    r"(?:https://generativelanguage\.googleapis\.com/(?:download/)?v\d\w*/)?(?:files/)?([a-z0-9][a-z0-9-]{0,62})"
)
_VERB = re.compile(r"(?::download)?(?:\?alt=media)?\Z")
_FORBIDDEN = 403
HOST = "https://generativelanguage.googleapis.com/v1beta/"
"""File URIs name Google's own host, also where the API is reached through a gateway."""
LONGEST_NAME = api.LONGEST_DISPLAY_NAME


class FileOut(Result):
    """A file at Google."""

    model_config = ConfigDict(
        json_schema_extra=shortened(("name", "uri", "mime_type", "bytes", "sha256", "state", "expires"))
    )

    name: str
    uri: str | None = None
    mime_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    state: str | None = None
    expires: str | None = None
    display_name: str | None = None
    created: str | None = None
    source: str | None = None
    duration: str | None = None
    error: str | None = None

    def __str__(self) -> str:
        facts = [self.mime_type or "type unknown"]
        facts += [f"{self.bytes} bytes"] if self.bytes is not None else []
        facts += [part for part in (self.state, self.source, self.duration, self.display_name, self.error) if part]
        facts += [f"until {self.expires}"] if self.expires else []
        return f"{self.name} ({', '.join(facts)})"


def shown(file: File) -> FileOut:
    """A file as results show it; names and words of others are made harmless."""
    expires, created = file.expiration_time, file.create_time
    duration = file.video_metadata.video_duration if file.video_metadata else None
    return FileOut(
        name=label(file.name),
        uri=link(file.uri) if file.uri else None,
        mime_type=label(file.mime_type) if file.mime_type else None,
        bytes=file.size_bytes,
        sha256=file.sha256,
        state=label(file.state) if file.state else None,
        expires=expires.isoformat(timespec="seconds") if expires else None,
        display_name=label(file.display_name) if file.display_name else None,
        created=created.isoformat(timespec="seconds") if created else None,
        source=label(file.source) if file.source else None,
        duration=label(duration) if duration else None,
        error=label(file.error.message) if file.error else None,
    )


def file_name(named: str) -> str:
    """The resource name of a file, from its name, its id or its URI.

    Raises:
        ArgumentError: it is none.
    """
    found = _NAME.fullmatch(_VERB.sub("", named.strip(), count=1))
    if found is None:
        raise ArgumentError(f"{named[:80]!r} is no file at Google.", "Give a name as list_files has it: files/ID.")
    return f"files/{found[1]}"


async def get(call: Call, name: str) -> File:
    """A file as it stands.

    Raises:
        NotFound: there is none of the name for this caller.
    """
    await check_owner(call, name)
    found = await look(call.runtime, name)
    if found is None:
        raise not_there(name)
    return found


async def look(runtime: Runtime, name: str) -> File | None:
    """A file as Google has it; None where there is none, which Google says as if it were somebody else's."""
    try:
        return (await runtime.client.call(api.GET, name=name)).value
    except ToolserverError as error:
        if is_absence(error):
            return None
        raise


def is_absence(error: ToolserverError) -> bool:
    """Whether an error says that there is no such file."""
    return isinstance(error, NotFound) or (isinstance(error, RequestRefused) and error.status == _FORBIDDEN)


async def check_owner(call: Call, name: str) -> None:
    """See that a file is not another caller's.

    Raises:
        NotFound: it is; the same is said of one that is not there.
    """
    if await of_others(call, [name]):
        raise not_there(name)


async def of_others(call: Call, names: Sequence[str]) -> set[str]:
    """Those of some files that another caller has uploaded, or had Gemini generate."""
    runtime = call.runtime
    theirs = await Uploads(runtime.store).of_others(call.principal, names)
    return theirs | await Owners(runtime.store, runtime.place).of_others(call.principal, names)


async def check_use(call: Call, name: str) -> None:
    """As `check_owner`, where there may be other callers: what a single user asks does not need the ledger.

    Raises:
        NotFound: it is another caller's.
    """
    if call.has_others:
        await check_owner(call, name)


def not_there(name: str) -> NotFound:
    """The error for a file that is not there, or another caller's."""
    return NotFound(
        f"There is no file {name} for this key: it was never there, was deleted, or has expired after 48 h.",
        "list_files shows what is there; otherwise upload it again.",
    )
