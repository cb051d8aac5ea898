"""Batch prediction jobs of the Enterprise backend, in the terms of the Developer API's batches.

Their requests are lines of JSON in Cloud Storage, and so are their answers. Source:
`projects.locations.batchPredictionJobs` of the platform's reference, and its guide to batch inference with Gemini.
"""

from __future__ import annotations

from typing import ClassVar

from gemini_server.api.batches import (
    Batch,
    BatchInput,
    BatchOperation,
    BatchOutput,
    BatchStats,
    ListBatchesResponse,
)
from gemini_server.api.enterprise_place import Place
from gemini_server.api.operations import Status
from gemini_server.errors import ArgumentError
from gemini_server.rest.endpoint import JsonObject, Wire

__all__ = ["BatchOperation", "Job", "Jobs", "ListBatchesResponse", "listed", "operation", "request"]

_STATES = {
    "QUEUED": "PENDING",
    "UPDATING": "RUNNING",
    "PAUSED": "RUNNING",
    "CANCELLING": "RUNNING",
    "PARTIALLY_SUCCEEDED": "SUCCEEDED",
}
"""States that the Developer API has under another name."""
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")


class Source(Wire):
    """Where the requests lie."""

    uris: list[str] = []


class Input(Wire):
    """The requests."""

    gcs_source: Source | None = None


class Output(Wire):
    """Where the answers lie."""

    gcs_output_directory: str | None = None


class Counts(Wire):
    """How many requests have come to what."""

    successful_count: int = 0
    failed_count: int = 0
    incomplete_count: int = 0


class Job(Wire):
    """A job as the platform describes it."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"name"})

    name: str = ""
    display_name: str | None = None
    model: str = ""
    state: str = ""
    create_time: str | None = None
    update_time: str | None = None
    end_time: str | None = None
    input_config: Input | None = None
    output_info: Output | None = None
    completion_stats: Counts | None = None
    error: Status | None = None


class Jobs(Wire):
    """A page of jobs."""

    batch_prediction_jobs: list[Job] = []
    next_page_token: str | None = None


def request(place: Place, name: str, body: JsonObject) -> JsonObject:
    """The job that a request for a batch means.

    Raises:
        ArgumentError: its requests are not in Cloud Storage, or it has a priority.
    """
    batch: JsonObject = body.get("batch") or {}
    source: JsonObject = batch.get("inputConfig") or {}
    uri = str(source.get("fileName") or "")
    if not uri.startswith("gs://"):
        raise ArgumentError(
            "The Enterprise backend takes the requests of a batch from Cloud Storage alone; nothing was sent.",
            'Put them there as lines {"request": {…}} and give source="gs://bucket/requests.jsonl".',
            code="not_on_backend",
        )
    if batch.get("priority"):
        raise ArgumentError("The Enterprise backend has no priority of batches; nothing was sent.", "Leave it out.")
    folder = place.storage or uri.rpartition("/")[0]
    return {
        "displayName": batch.get("displayName", ""),
        "model": f"publishers/google/{name}",
        "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [uri]}},
        "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": f"{folder}/"}},
    }


def operation(place: Place, job: Job) -> BatchOperation:
    """A job as a batch."""
    named = job.state.removeprefix("JOB_STATE_")
    state = _STATES.get(named, named)
    given = job.input_config.gcs_source if job.input_config else None
    metadata = Batch(
        name=place.short(job.name),
        model=place.short(job.model),
        display_name=job.display_name,
        state=f"BATCH_STATE_{state}",
        create_time=job.create_time,
        update_time=job.update_time,
        end_time=job.end_time,
        input_config=BatchInput(file_name=given.uris[0]) if given and given.uris else None,
        batch_stats=_stats(job.completion_stats),
        output=_output(job),
    )
    return BatchOperation(name=place.short(job.name), done=state in _ENDED, metadata=metadata, error=job.error)


def listed(place: Place, told: Jobs) -> ListBatchesResponse:
    """A page of jobs as batches."""
    found = [operation(place, one) for one in told.batch_prediction_jobs]
    return ListBatchesResponse(operations=found, next_page_token=told.next_page_token)


def _stats(counts: Counts | None) -> BatchStats | None:
    if counts is None:
        return None
    # A negative count is one that the platform does not know.
    good, bad, left = (max(0, n) for n in (counts.successful_count, counts.failed_count, counts.incomplete_count))
    return BatchStats(
        request_count=good + bad + left,
        successful_request_count=good,
        failed_request_count=bad,
        pending_request_count=left,
    )


def _output(job: Job) -> BatchOutput | None:
    folder = job.output_info.gcs_output_directory if job.output_info else None
    return BatchOutput(responses_file=f"{folder.rstrip('/')}/predictions.jsonl") if folder else None
