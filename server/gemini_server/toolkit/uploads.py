"""Uploads as calls see them: begun once for the same bytes, joined while under way, used again while they live.

The bytes of a large file are not read before it is known that they may be there already: only where a file of its size
and type was uploaded before is it hashed first. Otherwise its digest is taken while it is sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import anyio
from pydantic import BaseModel, PrivateAttr

from gemini_server.errors import ArgumentError, ConnectionFailed, FileRefused, RequestRefused, ToolserverError
from gemini_server.jobs.job import Job, Json, Request
from gemini_server.jobs.new_job import WINDOW, NewJob
from gemini_server.jobs.uploads import Upload, Uploads
from gemini_server.toolkit import files, jobs, upload_source
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.files import FileOut
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.upload_source import Given, InMemory, Readable

KIND = WORK = "upload"
TOOL = "upload_file"
FRESH = 300.0
"""Seconds for which an upload that Google has confirmed is taken to be there."""
ALWAYS_HASHED = 16 * 2**20
"""Bytes of a file whose digest is taken before it is known whether that is needed: it takes no time."""
SLICE = 20.0

_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_BARE_TYPES = {"jsonl": "application/jsonl"}


class Carried(BaseModel):
    """A request whose bytes are in this process alone."""

    _bytes: Readable = PrivateAttr()

    @classmethod
    def of(cls, data: Readable) -> Carried:
        """A request with these bytes."""
        made = cls()
        made._bytes = data
        return made

    @property
    def bytes(self) -> Readable:
        """The bytes."""
        return self._bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for an upload.

    Attributes:
        file: where the same bytes are at Google already.
        job: what uploads them, otherwise.
        before: whether they were uploaded, or their upload begun, by an earlier call.
    """

    file: FileOut | None = None
    job: Job | None = None
    before: bool = False


def carried(job: Job, request: Request) -> Readable | None:
    """The bytes that only this process has; None where the work can open them again by itself."""
    return request.body.bytes if isinstance(request.body, Carried) and job.wish["again"].get("memory") else None


def check_place(runtime: Runtime, place: str, remedy: str) -> None:
    """Refuse to go on with an upload that was begun elsewhere.

    Raises:
        FileRefused: its session, and what would come of it, belong to another key.
    """
    if place != place_of(runtime):
        raise FileRefused("This upload was begun with another key or base URL than this server has now.", remedy)


def place_of(runtime: Runtime) -> str:
    """Under which key and base URL this server's files lie, as a digest."""
    settings = runtime.settings
    text = json.dumps([settings.base_url.rstrip("/"), settings.auth, settings.key or settings.project])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def type_of(named: str) -> str:
    """A MIME type as a caller gave it.

    Raises:
        ArgumentError: it is none.
    """
    bare = _BARE_TYPES.get(named.strip().lower(), named.strip())
    if not _TYPE.fullmatch(bare):
        raise ArgumentError(
            f"mime_type is no MIME type: {named[:80]!r}.", "Give one such as video/mp4, or leave it out."
        )
    return bare.lower()


async def begin(
    call: Call, given: Given, *, mime_type: str | None = None, display_name: str | None = None, reuse: bool = True
) -> Asked:
    """Have bytes uploaded; from here on that ends even if the caller goes.

    Args:
        call: the call.
        given: the bytes; they may be closed afterwards.
        mime_type: of the bytes, in place of what they look like.
        display_name: for people, in place of the name of the file.
        reuse: False uploads again what is there already.

    Raises:
        FileRefused: the file was changed while it was looked at.
        LocalError: the ledger cannot be written; nothing is sent.
    """
    runtime, size, kind = call.runtime, given.bytes.size, mime_type or given.mime_type
    table, place, sha256 = Uploads(runtime.store), place_of(runtime), given.sha256
    if reuse:
        alike = await table.alike(call.principal, place, size, kind)
        same = next((one for one in alike if one.origin == given.origin), None)
        if same is not None:
            sha256 = sha256 or same.sha256
        elif sha256 is None and (alike or size <= ALWAYS_HASHED):
            sha256 = await upload_source.sha256_of(given.bytes, lambda position: None)
        for one in alike:
            if one.state == "live" and (one.origin == given.origin or (sha256 and one.sha256 == sha256)):
                there = await _confirmed(runtime, table, one)
                if there is not None:
                    return Asked(file=there, before=True)
    wish: Json = {
        "again": given.again,
        "origin": given.origin,
        "place": place,
        "sha256": sha256,
        "bytes": size,
        "mime_type": kind,
        "display_name": (display_name or given.name)[: files.LONGEST_NAME],
    }
    # What has ended answers by its row, which knows whether it still lives: the window is 0.
    new = free_job(call, KIND, TOOL, WORK, [place, kind, sha256 or given.origin], wish, reuse=reuse, window=0.0)
    carried = Carried.of(given.bytes) if isinstance(given.bytes, InMemory) else None
    job, is_new = await runtime.runner.begin(new, Request(carried or Carried()))
    return Asked(job=job, before=not is_new)


def free_job(
    call: Call,
    kind: str,
    tool: str,
    work: str,
    same: Sequence[str],
    wish: Json,
    *,
    reuse: bool = True,
    window: float = WINDOW,
) -> NewJob:
    """A job that costs nothing, and so is begun whatever was spent today.

    Args:
        call: the call.
        kind: what it makes.
        tool: the tool's own name.
        work: the module of `toolkit.work` that does it; one that `resumes`.
        same: what makes two calls the same.
        wish: what its work and its result need to know, JSON.
        reuse: False makes anew what the same call made before.
        window: seconds in which an ended job still answers for the same call.
    """
    identity = json.dumps([call.principal, tool, work, *same])
    return NewJob(
        principal=call.principal,
        kind=kind,
        tool=tool,
        work=work,
        model="",
        identity=hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest(),
        wish=wish,
        request="{}",
        estimate=Decimal(0),
        reuse=reuse,
        window=window,
    )


async def _confirmed(runtime: Runtime, table: Uploads, upload: Upload) -> FileOut | None:
    """A live upload as results show it, after a look whether it is still there."""
    if upload.age is not None and 0 <= upload.age < FRESH:
        expires = datetime.fromtimestamp(upload.expires, UTC).isoformat(timespec="seconds") if upload.expires else None
        return FileOut(
            name=upload.name, uri=upload.uri, mime_type=upload.mime_type, bytes=upload.bytes, sha256=upload.sha256,
            state="ACTIVE", expires=expires, display_name=upload.display_name or None,
        )  # fmt: skip
    found = await files.look(runtime, upload.name)
    if found is None or found.state not in ("ACTIVE", None):
        await table.gone(upload.job)
        return None
    await table.confirmed(upload.job)
    return files.shown(found)


async def uploaded(call: Call, given: Sequence[Given], *, mime_type: str | None = None) -> list[FileOut]:
    """Have bytes uploaded and wait until Google can use them; several at a time.

    A caller who goes does not end the uploads. One who stays hears how far they are.

    Args:
        call: the call.
        given: what to upload; it may be closed afterwards.
        mime_type: of all of it, in place of what it looks like.

    Raises:
        RequestRefused: this server is read-only.
        ConnectionFailed: an upload does not get on; it goes on trying.
        ToolserverError: an upload came to nothing.
    """
    if call.runtime.settings.read_only:
        raise RequestRefused(
            "What is given is too large to go inline, and this server is read-only: it uploads nothing.",
            "Give smaller files, or https://, gs:// or files/ID, which Google fetches.",
            code="read_only",
        )
    asked = [await begin(call, one, mime_type=mime_type) for one in given]
    return [one.file or await _arrived(call, one.job) for one in asked if one.file or one.job]


async def _arrived(call: Call, job: Job | None) -> FileOut:
    assert job is not None  # noqa: S101  what is not there is under way
    own = replace(call, as_task=False)  # the task will be what the file is for
    share, since = job.progress, anyio.current_time()
    while not job.ended:
        job = await jobs.wait(own, job, SLICE)
        if job.progress != share:
            share, since = job.progress, anyio.current_time()
        elif anyio.current_time() - since > call.runtime.settings.timeout and not job.ended:
            raise ConnectionFailed(
                f"The upload does not get on: {job.message or 'nothing arrives'}. It is tried further (job {job.id}).",
                "Call again later: what has arrived is not sent again.",
                code="upload_slow",
            )
    return of_job(job)


def of_job(job: Job) -> FileOut:
    """The file of an upload that has ended.

    Raises:
        ToolserverError: it came to nothing.
    """
    error = jobs.failure(job)
    if error is None and "file" not in job.result:
        error = ToolserverError(f"The upload {job.id} has left no file.", "Call again.")
    if error is not None:
        raise error
    return FileOut.model_validate(job.result["file"])
