"""What goes on without the call that began it: how it stands, what it brought, and how to stop it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from gemini_server.jobs.job import Job, State
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.jobs import JobOut, job_out, wait
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("jobs", "Work that goes on in the background.")

LISTED = 50
JobId = Annotated[str, Field(description="job id")]
Seconds = Annotated[
    float, Field(ge=0, le=3600), WithJsonSchema({"type": "number", "description": "wait for its end, with progress"})
]


class JobList(Result):
    """Jobs, the newest first."""

    jobs: list[JobOut]

    def as_text(self) -> str:
        """One line each."""
        return "\n".join(str(job) for job in self.jobs) or "There are no jobs."


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True, default=True)
async def get_job(call: Call, job: JobId, wait_seconds: Seconds = 0) -> JobOut:
    """How a job stands; its text and artifacts when it is done. Free."""
    found = await call.runtime.jobs.get(call.principal, job)
    if wait_seconds and not found.ended:
        found = await wait(call, found, wait_seconds)
    return await job_out(call, found)


@TOOLSET.tool(read_only=False, destructive=True, idempotent=True, open_world=True, default=True)
async def cancel_job(call: Call, job: JobId) -> JobOut:
    """Stop a job; what Gemini has done by then may be billed. Returns the job."""
    found = await call.runtime.runner.cancel(call.principal, job)
    if not found.ended and found.state != "downloading":  # what is made already ends with its files, whoever waits
        found = await wait(call, found, 10.0)
    out = await job_out(call, found)
    if found.state == "done":
        out.warnings = [*(out.warnings or ()), "It was done already: nothing was stopped, and it is billed."]
    elif found.state == "downloading":
        out.warnings = [*(out.warnings or ()), "It is finished and billed already: its files are still being saved."]
    elif not found.ended:
        out.warnings = [*(out.warnings or ()), "Gemini was asked to stop it; until it does, it goes on and is billed."]
    return out


Wanted = Literal["submitting", "running", "input_required", "downloading", "done", "failed", "cancelled", "unknown"]


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=False)
async def list_jobs(
    call: Call,
    status: Annotated[Wanted | None, Field(description="only these")] = None,
    kind: Annotated[str | None, Field(description="image, video, speech, music, transcript …")] = None,
) -> JobList:
    """The jobs of the last weeks, the newest first. Free."""
    states: list[State] = ["intent", "submitting"] if status == "submitting" else [status] if status else []
    if status == "input_required":
        states.append("done")  # what has ended by asking for results is shown as waiting for them
    found = await call.runtime.jobs.list(call.principal, states=states, kind=kind, limit=LISTED)
    listed = await _listed(call, found)
    listed.jobs = [one for one in listed.jobs if status in (None, one.status)]
    return listed


async def _listed(call: Call, found: list[Job]) -> JobList:
    """Jobs without what they brought: get_job tells that."""
    shown = [await job_out(call, one) for one in found]
    return JobList(
        jobs=[
            one.model_copy(update={"text": None, "citations": None, "untrusted": None, "result": None}) for one in shown
        ]
    )


async def _ids(call: Call, prefix: str) -> list[str]:
    found = await call.runtime.jobs.list(call.principal, limit=100)
    return [job.id for job in found if job.id.startswith(prefix)]


@TOOLSET.resource("gemini://jobs", description="The jobs of the last weeks, the newest first.")
async def jobs(call: Call) -> JobList:
    """All jobs."""
    return await _listed(call, await call.runtime.jobs.list(call.principal, limit=LISTED))


@TOOLSET.resource(
    "gemini://jobs/{id}", description="How a job stands; subscribe to hear of its changes.", complete={"id": _ids}
)
async def job_resource(call: Call, id: str) -> JobOut:  # noqa: A002  the template's name
    """One job."""
    return await job_out(call, await call.runtime.jobs.get(call.principal, id))
