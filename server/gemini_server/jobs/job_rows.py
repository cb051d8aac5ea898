"""A row of the job ledger becomes a `Job`, and what a job holds becomes columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gemini_server.errors import NotFound, ToolserverError
from gemini_server.jobs.job import ENDED, Job, Json, Stored
from gemini_server.jobs.ledger import Ledger
from gemini_server.jobs.money import from_nanos

COLUMNS = (
    "id, principal, kind, tool, work, model, state, wish, operation, progress, message, result, error, inputs, "
    "answers, cost_nanos, cancelling, created, updated, expires, version, place"
)
ENDED_STATES = ", ".join(f"'{state}'" for state in sorted(ENDED))


def error_json(error: ToolserverError) -> Json:
    """An error as a job keeps it."""
    shown = {"what": error.what, "remedy": error.remedy, "code": error.code, "status": error.status}
    return {name: value for name, value in shown.items() if value not in (None, "")}


def find_job(ledger: Ledger, where: str, *values: object) -> Job | None:
    """The job that a condition holds for; None without one."""
    row = ledger.execute(f"SELECT {COLUMNS} FROM jobs WHERE {where}", values).fetchone()  # noqa: S608
    return None if row is None else job_of(ledger, row)


def known_job(job: Job | None, identifier: str) -> Job:
    """A job that must be there.

    Raises:
        NotFound: it is not.
    """
    if job is None:
        # The same words for an unknown and a foreign one: a handle must not tell that somebody else has it.
        raise NotFound(f"There is no job {identifier[:64]!a}.", "list_jobs shows the jobs that are kept.")
    return job


def job_of(ledger: Ledger, row: Any) -> Job:
    """The job of a row of `COLUMNS`."""
    (id_, principal, kind, tool, work, model, state, wish, operation, progress, message, result, error, inputs,
     answers, nanos, cancelling, created, updated, expires, version, place) = row  # fmt: skip
    media = ledger.execute(
        "SELECT artifact, kind, mime_type, uri, bytes, sha256, saved FROM job_media WHERE job = ? ORDER BY position",
        (id_,),
    ).fetchall()
    return Job(
        id=id_, principal=principal, kind=kind, tool=tool, work=work, model=model, state=state,
        wish=json.loads(wish), operation=operation, progress=progress, message=message, result=json.loads(result),
        error=_decode(error), inputs=_decode(inputs), answers=_decode(answers),
        cost_usd=None if nanos is None else from_nanos(nanos), cancelling=bool(cancelling),
        created=datetime.fromtimestamp(created, UTC), updated=datetime.fromtimestamp(updated, UTC),
        expires=None if expires is None else datetime.fromtimestamp(expires, UTC), version=version,
        media=tuple(map(_stored, media)), place=place,
    )  # fmt: skip


def put_media(ledger: Ledger, job: str, media: Sequence[Stored]) -> None:
    """Write down the files of a job."""
    ledger.executemany(
        "INSERT INTO job_media (job, position, artifact, kind, mime_type, uri, bytes, sha256, saved)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (job, n, file.artifact, file.kind, file.mime_type, file.uri, file.bytes, file.sha256, int(file.saved))
            for n, file in enumerate(media)
        ],
    )


def _stored(row: Any) -> Stored:
    artifact, kind, mime_type, uri, size, sha256, saved = row
    return Stored(artifact, kind, mime_type, uri, size, sha256, bool(saved))


def encode(value: Json) -> str:
    """JSON as a column holds it."""
    return json.dumps(value, separators=(",", ":"))


def _decode(text: str | None) -> Json | None:
    return None if text is None else json.loads(text)
