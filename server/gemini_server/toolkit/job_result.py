"""The result of a tool whose work a job does: what came of it, or the job while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import Field, WithJsonSchema

from gemini_server.errors import NotFound
from gemini_server.jobs.job import Job
from gemini_server.toolkit import artifacts, jobs
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.jobs import JobOut
from gemini_server.toolkit.results import ArtifactOut, Result

Pending = Annotated[
    JobOut | None,
    # Its members are those of get_job: said again for every tool, they would take more room than the tool itself.
    WithJsonSchema({"type": "object"}),
    Field(description="as of get_job, while it goes on"),
]


class EstimatedJob(JobOut):
    """A job, or what it would cost."""

    dry_run: bool | None = None
    estimated_cost_usd: float | None = None
    model: str | None = None

    def as_text(self) -> str:
        """The job; of a dry run, which has none, what it would cost."""
        if not self.dry_run:
            return super().as_text()
        cost = "price unknown" if self.estimated_cost_usd is None else f"about ${self.estimated_cost_usd:.4f}"
        lines = [f"[dry run with {self.model}, nothing was sent: {cost}]"]
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings or ())])


class FetchedFile(Result):
    """A file that was fetched, or the job that does it."""

    artifacts: list[ArtifactOut] | None = None
    job: Pending = None
    warnings: list[str] | None = None

    def as_text(self) -> str:
        """The file, or how the job stands."""
        if self.job is not None:
            return self.job.as_text()
        lines = [f"[artifact] {artifact}" for artifact in self.artifacts or ()]
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings or ())])


async def shown(call: Call, job: Job, warnings: Sequence[str] = ()) -> JobOut:
    """A job as far as it has come, for a tool whose result it is.

    Raises:
        ToolserverError: it came to nothing.
    """
    error = jobs.failure(job)
    if error is not None:
        raise error
    return await jobs.job_out(call, job, warnings)


ResultT = TypeVar("ResultT", bound=Result)


async def finished(call: Call, job: Job, kind: type[ResultT], warnings: Sequence[str] = ()) -> ResultT:
    """The result of a tool, from its job as far as that has come.

    Args:
        call: the call.
        job: the tool's.
        kind: of the result; its members have the names of those that the work gave, and `job` is for one that goes on.
        warnings: what else the caller should know.

    Raises:
        ToolserverError: the job came to nothing.
    """
    error = jobs.failure(job)
    if error is not None:
        raise error
    if job.state != "done":
        return kind.model_validate({"job": await jobs.job_out(call, job, warnings)})
    kept, lost = await files(call, job)
    given: dict[str, Any] = {**job.result}
    said = [*given.pop("warnings", ()), *lost, *warnings]
    if kept:
        given["artifacts"] = kept
    return kind.model_validate({**given, "warnings": said or None})


async def files(call: Call, job: Job) -> tuple[list[ArtifactOut], list[str]]:
    """The files of a job as results show them, and warnings about those that are gone."""
    found: list[ArtifactOut] = []
    lost: list[str] = []
    for medium in job.media:
        if medium.saved:
            try:
                found.append(artifacts.shown(call, await call.runtime.artifacts.get(job.principal, medium.artifact)))
            except NotFound:
                lost.append(f"The artifact {medium.artifact} is not known any more.")
    return found, lost
