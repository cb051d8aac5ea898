"""How an upload ends: the bytes at Google are the right ones and it can use them, or nothing of them stays there."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime

import anyio

from gemini_server.api import files as api
from gemini_server.api.files import File
from gemini_server.errors import BadAnswer, ToolserverError
from gemini_server.jobs.job import Job, Json, Step
from gemini_server.jobs.uploads import Upload, Uploads
from gemini_server.rest.retry import backoff
from gemini_server.rest.upload import Session
from gemini_server.rest.upload_session import transient
from gemini_server.toolkit import files
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.trouble import trouble

PATIENCE = 24 * 3600.0
"""Seconds after its beginning until which an upload is tried again."""
CLEARING = 2.0
"""Seconds that clearing up at Google may take; what is left there expires by itself."""


def again(job: Job, error: ToolserverError, failures: int) -> Step | None:
    """The step of an upload that goes on after a failure; None where there is no use in that.

    Args:
        job: the upload's.
        error: what it met.
        failures: tries in a row that brought nothing, this one included.
    """
    age = (datetime.now(UTC) - job.created).total_seconds()
    if not transient(error) or age >= PATIENCE:
        return None
    pause = error.retry_after or backoff(failures, random.random)
    note = f"{error.what} It goes on in {pause:.0f} s." if pause >= 1 else error.what
    return Step("running", operation=job.operation, pause=pause, progress=job.progress, message=note)


def compare(upload: Upload, file: File, sha256: str) -> None:
    """See that the file at Google is the one that was read here.

    Args:
        upload: what was to be sent.
        file: what Google has.
        sha256: of the bytes that were read for it, in hex.

    Raises:
        BadAnswer: it is another one.
    """
    theirs, size = file.sha256, file.size_bytes
    ours = upload.sha256 or sha256
    if ours == sha256 and (theirs or ours) == ours and (size or upload.bytes) == upload.bytes:
        return
    raise BadAnswer(
        f"What arrived at Google is not the file: SHA-256 {theirs or 'not given'} and {size} bytes there, {sha256} and "
        f"{upload.bytes} bytes here. It was deleted there.",
        "Upload it again; if it stays, something between this server and Google changes what is sent.",
        code="digest_mismatch",
    )


async def settled(runtime: Runtime, upload: Upload, file: File, *, compared: bool = True) -> Step:
    """What it means for an upload how its file stands at Google.

    Args:
        runtime: whose ledger hears of it.
        upload: the upload.
        file: as Google has it.
        compared: whether Google gave a digest.
    """
    table = Uploads(runtime.store)
    if file.state == "PROCESSING":
        return Step("running", progress=1.0, pause=runtime.settings.poll, message="uploaded; Google processes it")
    if file.state == "FAILED":
        await table.gone(upload.job)
        why = trouble(file.error.code if file.error else None, file.error.message if file.error else None)
        what = f"Google could not process the file {upload.name}: {why.what}"
        return Step("failed", error=type(why)(what, "Check the file, or give its mime_type.", code="file_failed"))
    out = files.shown(file)
    out.uri, out.state = out.uri or f"{files.HOST}{file.name or upload.name}", out.state or "ACTIVE"
    await table.settled(upload.job, out.uri, file.expiration_time.timestamp() if file.expiration_time else None)
    out.bytes, out.mime_type = out.bytes or upload.bytes, out.mime_type or upload.mime_type
    result: Json = {"file": out.structured()}
    if not compared:
        result["warnings"] = ["Google gave no digest, so its copy was not compared with the file."]
    return Step("finished", result=result)


async def drop(runtime: Runtime, upload: Upload) -> None:
    """Leave nothing of an upload at Google, as far as that can be, and say so in the ledger."""
    if upload.session is not None:
        with suppress(ToolserverError), anyio.move_on_after(CLEARING):
            await runtime.client.uploads.cancel(Session(upload.session, upload.granularity))
        runtime.client.uploads.forget(upload.session)
    elif upload.starts:
        await delete(runtime, upload.name)
    await Uploads(runtime.store).gone(upload.job)


async def delete(runtime: Runtime, name: str) -> None:
    """Delete a file at Google, as far as that can be."""
    with suppress(ToolserverError), anyio.move_on_after(CLEARING):
        await runtime.client.call(api.DELETE, name=name)
